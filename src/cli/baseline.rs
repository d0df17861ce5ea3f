//! The earlier report that drift is compared with: a file that `drift --format json` wrote, or what
//! the ledger recorded last.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::diag::{Diagnostic, Failure, code};
use crate::diff::Drift;
use crate::ledger::DriftRecord;
use crate::plan::Target;
use crate::report;

/// A report read from a file: of one database, or of several targets.
pub struct Baseline {
    path: PathBuf,
    document: Document,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Several { targets: Vec<Member> },
    One(Report),
}

#[derive(Deserialize)]
struct Member {
    target: String,
    drift: Option<Report>,
}

#[derive(Deserialize)]
struct Report {
    target: Target,
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    fingerprint: Option<String>,
}

/// The differences that an earlier report had.
pub struct Earlier {
    /// The report, in words.
    pub words: String,
    fingerprints: BTreeSet<String>,
}

impl Earlier {
    /// What the ledger recorded last; nothing where it recorded nothing.
    pub fn recorded(record: Option<DriftRecord>) -> Self {
        match record {
            Some(record) => Self {
                words: format!("the report that was recorded {}", report::when(record.at.0)),
                fingerprints: record.differences.into_values().collect(),
            },
            None => {
                Self { words: "nothing, since no report was recorded before".to_owned(), fingerprints: BTreeSet::new() }
            }
        }
    }

    /// Whether it had this very difference.
    pub fn has(&self, drift: &Drift) -> bool {
        self.fingerprints.contains(report::fingerprint(drift).as_str())
    }
}

impl Baseline {
    /// Reads a report.
    ///
    /// # Errors
    /// When the file cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |why: String| {
            let message = format!("{} is no drift report: {why}", path.display());
            let help = "give a file that `chronoform drift --format json` wrote";
            Failure::from(Diagnostic::error(&code::BASELINE_UNREADABLE, message).help(help))
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let document = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { path: path.to_owned(), document })
    }

    /// The part that is about a database. In a report of several it is found by the target's name;
    /// a target that it has nothing of had no differences that are known.
    ///
    /// # Errors
    /// When it is of another database.
    pub fn of(&self, target: &str, database: &Target) -> Result<Earlier, Failure> {
        let report = match &self.document {
            Document::One(report) => Some(report),
            Document::Several { targets } => {
                targets.iter().find(|member| member.target == target).and_then(|member| member.drift.as_ref())
            }
        };
        let words = format!("the report in {}", self.path.display());
        let Some(report) = report else { return Ok(Earlier { words, fingerprints: BTreeSet::new() }) };
        let same = report.target.system_identifier == database.system_identifier
            && report.target.database == database.database;
        if !same {
            let message = format!(
                "{} is the report of `{}` on {}:{}, and this is `{}` on {}:{}",
                self.path.display(),
                report.target.database,
                report.target.host,
                report.target.port,
                database.database,
                database.host,
                database.port
            );
            let why = "what one database differed in says nothing about another";
            return Err(Diagnostic::error(&code::WRONG_DATABASE, message).why(why).into());
        }
        let fingerprints = report.resources.iter().filter_map(|resource| resource.fingerprint.clone()).collect();
        Ok(Earlier { words, fingerprints })
    }
}
