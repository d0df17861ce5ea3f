//! What machines collect: one finding a place in a policy, as SARIF for code scanning, as JUnit for
//! test reports, and as the annotations of GitHub Actions.

mod annotations;
mod gather;
mod junit;
mod sarif;

#[cfg(test)]
mod tests;

use crate::core::{Fingerprint, SourceLine};

pub use annotations::annotations;
pub use gather::{of_drift, of_messages, of_plan, of_resources};

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Looked at, and in order.
    Passed,
    /// Looked at, and left as it is on purpose: paused, or drift that is known.
    Skipped,
    /// Worth knowing.
    Note,
    /// To be looked at.
    Warning,
    /// Wrong.
    Error,
}

/// One finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What it is an instance of: a diagnostic's code, or `drift-missing`.
    pub rule: String,
    /// How bad.
    pub level: Level,
    /// What it is about, in a few words: the resource's address, or the policy file.
    pub subject: String,
    /// What it belongs to: the relation, or `policies`.
    pub group: String,
    /// What is so, in a sentence.
    pub message: String,
    /// What more there is to be said, a line each.
    pub details: Vec<String>,
    /// Where in a policy.
    pub source: Option<SourceLine>,
    /// The same for as long as it is the same finding, wherever in the file it has moved.
    pub fingerprint: String,
}

impl Finding {
    /// The same as one of a target's among others: what is the same of two targets is two findings.
    #[must_use]
    pub fn of_target(self, target: &str) -> Self {
        Self {
            subject: format!("{target}: {}", self.subject),
            group: format!("{target}: {}", self.group),
            message: format!("{target}: {}", self.message),
            fingerprint: Fingerprint::of_parts([target, &self.fingerprint]).to_string(),
            ..self
        }
    }
}

/// A format that machines collect findings in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Collected {
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit's XML.
    Junit,
}

/// All findings of a command, in one document. `about` is what the command was about, such as the
/// database.
pub fn document(findings: &[Finding], about: &str, format: Collected) -> String {
    match format {
        Collected::Sarif => sarif::document(findings, about),
        Collected::Junit => junit::document(findings, about),
    }
}

/// A rule's name in words: `drift-missing` is `Drift missing`.
fn words(rule: &str) -> String {
    let text = rule.replace(['-', '_'], " ");
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
