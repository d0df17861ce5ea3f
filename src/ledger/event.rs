//! What can happen to a ledger, as the audit log tells it.
//!
//! An event holds everything that its rows need, so that the tables can be made anew from the log
//! alone. Its shape is therefore a format: a field may be added (with a default for the events
//! written before), and none may be removed or change its meaning.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::core::{Address, KindId, Op, QualifiedName, Taken};
use crate::ledger::records::{DatabaseId, DriftReportId, Origin, RunId, RunOutcome, StepId, StepState};
use crate::ledger::trouble::Trouble;
use crate::ledger::who::Who;

/// One thing that happened, named in the log by its variant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", content = "payload", rename_all = "kebab-case")]
pub(super) enum Event {
    /// A database is seen for the first time.
    DatabaseAdded(DatabaseAdded),
    /// A command that may change a database began.
    RunStarted(RunStarted),
    /// A statement is about to be sent.
    StepStarted(StepStarted),
    /// A statement's outcome is known, or known to be unknown.
    StepFinished(StepFinished),
    /// What became of a statement in doubt was found by looking.
    StepSettled(StepSettled),
    /// A resource is as a policy wants it.
    ResourceApplied(ResourceApplied),
    /// A resource is no longer Chronoform's.
    ResourceForgotten(ResourceForgotten),
    /// A run is over.
    RunFinished(RunFinished),
    /// `drift` was told to record what it saw.
    DriftRecorded(DriftRecorded),
    /// `archive verify` proved files whole.
    ArchiveVerified(ArchiveVerified),
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct DatabaseAdded {
    pub(super) database: DatabaseId,
    pub(super) system_identifier: String,
    pub(super) oid: u32,
    pub(super) name: String,
    pub(super) host: String,
    pub(super) port: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct RunStarted {
    pub(super) run: RunId,
    pub(super) database: DatabaseId,
    pub(super) command: String,
    pub(super) who: Who,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) plan_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policies_digest: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct StepStarted {
    pub(super) step: StepId,
    pub(super) run: RunId,
    pub(super) action: u32,
    pub(super) index: u32,
    pub(super) op: Op,
    pub(super) resource: ResourceName,
    pub(super) sql: String,
    pub(super) transactional: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) along: Vec<GoneAlong>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) archived: Vec<OfArchive>,
}

/// What a statement brings to an archive or, without a table, removes from it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct OfArchive {
    pub(super) place: String,
    pub(super) file: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) table: Option<QualifiedName>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) chunk: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) range_start: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) range_end: String,
}

/// A resource that goes with what a statement makes anew.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct GoneAlong {
    pub(super) resource: ResourceName,
    /// Whether it is a job that is paused, and is to be made again as one that is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) paused: bool,
    /// Whether it is away until a later statement makes it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) away: bool,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct StepFinished {
    pub(super) step: StepId,
    pub(super) outcome: StepState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sqlstate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) elapsed_ms: Option<i64>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct StepSettled {
    pub(super) step: StepId,
    pub(super) happened: bool,
    pub(super) note: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct ResourceApplied {
    pub(super) run: RunId,
    pub(super) database: DatabaseId,
    pub(super) resource: ResourceName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on: Option<QualifiedName>,
    pub(super) attributes: BTreeMap<String, Json>,
    pub(super) origin: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<PolicyPlace>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) moved_from: Option<ResourceName>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct ResourceForgotten {
    pub(super) run: RunId,
    pub(super) database: DatabaseId,
    pub(super) resource: ResourceName,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct RunFinished {
    pub(super) run: RunId,
    pub(super) outcome: RunOutcome,
    pub(super) summary: BTreeMap<String, u64>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct DriftRecorded {
    pub(super) report: DriftReportId,
    pub(super) database: DatabaseId,
    pub(super) who: Who,
    pub(super) differences: Vec<Difference>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct ArchiveVerified {
    pub(super) who: Who,
    /// The digests of the manifests of what was proved, by where the store is.
    pub(super) proved: BTreeMap<String, BTreeSet<String>>,
}

/// A resource that differed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Difference {
    pub(super) resource: ResourceName,
    pub(super) status: String,
    pub(super) fingerprint: String,
}

/// An address in parts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct ResourceName {
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) schema: Option<String>,
    pub(super) name: String,
}

/// Where a policy asks for a resource.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyPlace {
    /// The file's path as the user gave it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl From<&Taken> for GoneAlong {
    fn from(taken: &Taken) -> Self {
        Self { resource: (&taken.address).into(), paused: taken.paused, away: taken.away }
    }
}

impl From<&Address> for ResourceName {
    fn from(address: &Address) -> Self {
        Self { kind: address.kind.to_string(), schema: address.schema.clone(), name: address.name.clone() }
    }
}

impl ResourceName {
    /// The address again.
    pub(super) fn address(self) -> Address {
        Address { kind: KindId::read(&self.kind), schema: self.schema, name: self.name }
    }

    /// The schema as the tables have it: empty, which no schema of PostgreSQL can be named, for none.
    pub(super) fn schema_column(&self) -> &str {
        self.schema.as_deref().unwrap_or("")
    }
}

impl Event {
    /// The event's name and its payload as canonical JSON.
    pub(super) fn write(&self) -> Result<(String, String), Trouble> {
        let mut json = serde_json::to_value(self).map_err(|error| Trouble::internal(error.to_string()))?;
        let payload = json.get_mut("payload").map(Json::take).unwrap_or_default();
        let name = json.get("event").and_then(Json::as_str).unwrap_or_default().to_owned();
        Ok((name, canonical(&payload).map_err(Trouble::internal)?))
    }

    /// The event of a name and payload; in words, what is wrong where there is none.
    pub(super) fn read(name: &str, payload: Json) -> Result<Self, String> {
        let entries = [("event".to_owned(), Json::from(name)), ("payload".to_owned(), payload)];
        serde_json::from_value(Json::Object(entries.into_iter().collect())).map_err(|error| error.to_string())
    }
}

/// JSON in its one spelling: keys sorted by their bytes, no blanks, whole numbers only. A fraction
/// has no spelling that every reader gives back exactly, and no attribute is one.
pub(super) fn canonical(json: &Json) -> Result<String, String> {
    let mut out = String::new();
    write_canonical(json, &mut out)?;
    Ok(out)
}

fn write_canonical(json: &Json, out: &mut String) -> Result<(), String> {
    match json {
        Json::Number(number) if number.is_f64() => return Err(format!("{number} is no whole number")),
        Json::Array(items) => {
            let mut separator = '[';
            for item in items {
                out.push(separator);
                write_canonical(item, out)?;
                separator = ',';
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Json::Object(entries) => {
            let sorted: BTreeMap<&String, &Json> = entries.iter().collect();
            let mut separator = '{';
            for (key, value) in sorted {
                out.push(separator);
                out.push_str(&Json::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out)?;
                separator = ',';
            }
            out.push_str(if entries.is_empty() { "{}" } else { "}" });
        }
        scalar => out.push_str(&scalar.to_string()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_has_one_spelling() {
        let json = json!({"b": [1, {}, [], {"z": null, "a": -1}], "ä": "\u{1}\"\\\n😀", "a": true});
        let text = canonical(&json).unwrap();
        assert_eq!(text, r#"{"a":true,"b":[1,{},[],{"a":-1,"z":null}],"ä":"\u0001\"\\\n😀"}"#);
        let again: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(canonical(&again).unwrap(), text);
        assert_eq!(canonical(&json!(u64::MAX)).unwrap(), u64::MAX.to_string());
        assert!(canonical(&json!({"a": [0.1]})).is_err());
    }

    #[test]
    fn an_event_reads_back_from_what_it_writes() {
        let event = Event::StepSettled(StepSettled { step: StepId(7), happened: true, note: "seen".to_owned() });
        let (name, payload) = event.write().unwrap();
        assert_eq!(name, "step-settled");
        assert_eq!(payload, r#"{"happened":true,"note":"seen","step":7}"#);
        assert_eq!(Event::read(&name, serde_json::from_str(&payload).unwrap()), Ok(event));
        assert!(Event::read("step-invented", json!({})).is_err());
    }
}
