//! What is known of a difference beside the difference itself: where its policy stands, who applied
//! it last, what the server tells of it, and whether it was reported before.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::core::{Address, Fingerprint, SourceLine};
use crate::diff::Drift;
use crate::report::clock;
use crate::report::escape::clean;

/// What is known of the resources of a drift report.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Evidence {
    /// Resource by resource.
    pub resources: BTreeMap<Address, Known>,
    /// Why the server does not say when something was changed, where it does not.
    pub silence: Option<String>,
    /// The earlier report that drift is compared with, in words, where it is.
    pub earlier: Option<String>,
}

/// What is known of one resource.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Known {
    /// Where the policy describes it, or described it when it was last applied.
    pub source: Option<SourceLine>,
    /// Who applied it last, as the ledger tells.
    pub applied: Option<AppliedBy>,
    /// The run that began to change it since, and has not ended that, with when the run began.
    pub begun: Option<AppliedBy>,
    /// What the server tells of it.
    pub server: Option<ServerWord>,
    /// Whether the earlier report did not have this difference; nothing where none was asked for.
    pub is_new: Option<bool>,
}

/// A run that applied something.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AppliedBy {
    /// The run's number in the ledger.
    pub run: i64,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
    /// The user and machine: `ada@build-3`.
    pub who: String,
    /// The person who set the pipeline off.
    pub actor: Option<String>,
    /// The database role.
    pub role: Option<String>,
    /// The commit.
    pub revision: Option<String>,
    /// The pipeline's page.
    pub pipeline: Option<String>,
}

/// What a server's catalog tells of a resource.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ServerWord {
    /// When its row in the catalog was last written, as the server prints it. That may have been for
    /// something else in the same row.
    pub written: Option<String>,
    /// The role that owns its job: not necessarily the one that changed it.
    pub owner: Option<String>,
}

impl Evidence {
    /// Nothing.
    pub const NONE: &'static Self = &Self { resources: BTreeMap::new(), silence: None, earlier: None };

    /// What is known of a resource.
    pub fn of(&self, address: &Address) -> Option<&Known> {
        self.resources.get(address)
    }

    /// Whether a difference is one that the earlier report had.
    pub fn is_known(&self, address: &Address) -> bool {
        self.of(address).is_some_and(|known| known.is_new == Some(false))
    }
}

impl Known {
    /// What there is to tell of a difference, a sentence each.
    pub(super) fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        match self.is_new {
            Some(true) => told.push("new since the earlier report".to_owned()),
            Some(false) => told.push("known from the earlier report".to_owned()),
            None => {}
        }
        told.extend(self.begun.as_ref().map(|by| by.told("begun, and not ended, by the apply of")));
        told.extend(self.applied.as_ref().map(|by| by.told("last applied")));
        if let Some(word) = &self.server {
            told.extend(word.written.as_ref().map(|at| format!("the server last wrote its catalog row at {at}")));
            told.extend(word.owner.as_ref().map(|owner| format!("its job is owned by the role {owner}")));
        }
        told.iter().map(|text| clean(text).into_owned()).collect()
    }

    /// The fields that a JSON report has beside the standing.
    pub(super) fn fields(&self) -> Vec<(&'static str, Json)> {
        let run = |by: &AppliedBy| {
            json!({
                "run": by.run, "at": clock::when(by.at), "who": by.who, "actor": by.actor, "role": by.role,
                "commit": by.revision, "pipeline": by.pipeline,
            })
        };
        let (applied, begun) = (self.applied.as_ref().map(run), self.begun.as_ref().map(run));
        let server = self.server.as_ref().map(|word| json!({ "written": word.written, "job_owner": word.owner }));
        vec![
            ("source", json!(self.source)),
            ("last_applied", json!(applied)),
            ("begun", json!(begun)),
            ("server", json!(server)),
            ("new", json!(self.is_new)),
        ]
    }
}

impl AppliedBy {
    fn told(&self, what: &str) -> String {
        let mut more = vec![format!("run {}", self.run)];
        more.extend(self.role.as_ref().map(|role| format!("as role {role}")));
        more.extend(self.revision.as_ref().map(|commit| format!("commit {}", commit.get(..12).unwrap_or(commit))));
        more.extend(self.pipeline.clone());
        let who = match &self.actor {
            Some(actor) => format!("{actor} ({})", self.who),
            None => self.who.clone(),
        };
        format!("{what} {} by {who}, {}", clock::when(self.at), more.join(", "))
    }
}

/// The digest of a difference: of the resource, its standing, and both sides of what differs. Another
/// difference of the same resource has another one.
pub fn fingerprint(drift: &Drift) -> Fingerprint {
    let address = &drift.address;
    let mut parts = vec![
        "drift".to_owned(),
        address.kind.to_string(),
        address.schema.clone().unwrap_or_default(),
        address.name.clone(),
        drift.status.words().to_owned(),
    ];
    for attribute in &drift.attributes {
        parts.extend([attribute.name.clone(), attribute.live.to_string(), attribute.desired.to_string()]);
    }
    Fingerprint::of_parts(parts.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures::standings;

    #[test]
    fn another_difference_has_another_fingerprint() {
        let drift = standings().into_iter().find(|drift| !drift.attributes.is_empty()).unwrap();
        let same = drift.clone();
        assert_eq!(fingerprint(&drift), fingerprint(&same));
        let mut applied = drift.clone();
        applied.attributes[0].applied = "x".into();
        assert_eq!(fingerprint(&drift), fingerprint(&applied));
        let mut live = drift.clone();
        live.attributes[0].live = "x".into();
        assert_ne!(fingerprint(&drift), fingerprint(&live));
    }

    #[test]
    fn what_is_known_is_told_in_sentences() {
        let applied = AppliedBy {
            run: 12,
            at: 1_767_225_600_000_000,
            who: "runner@ci-7".to_owned(),
            actor: Some("ada\u{1b}[2J".to_owned()),
            role: Some("deployer".to_owned()),
            revision: Some("8f2c1d0a8f2c1d0a".to_owned()),
            pipeline: None,
        };
        let known = Known { applied: Some(applied), is_new: Some(true), ..Known::default() };
        let told = known.told();
        assert_eq!(told[0], "new since the earlier report");
        let wanted = "by ada\\u{1b}[2J (runner@ci-7), run 12, as role deployer, commit 8f2c1d0a8f2c";
        assert!(told[1].starts_with("last applied 2026-01-01") && told[1].ends_with(wanted), "{}", told[1]);
    }
}
