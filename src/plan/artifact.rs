//! The plan as one JSON document: the same for `--out`, `--format json` and `apply --plan`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::{
    Action, Address, AttributeChange, Edition, Fingerprint, Hazard, Impact, Named, Op, Operation, QualifiedName,
    Server, SourceLine, Value,
};
use crate::diag::Diagnostic;
use crate::diff::Drift;
use crate::guard::{Guarded, Judged};
use crate::plan::moves::Moved;

/// The format this version writes, and the only one it reads.
pub const FORMAT_VERSION: u32 = 1;

/// A plan.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The version of Chronoform that made it.
    pub tool_version: String,
    /// The database that it is for.
    pub target: Target,
    /// The policies that it was made from.
    pub policies: Policies,
    /// The digest of everything live that the actions touch.
    pub fingerprint: Fingerprint,
    /// How many actions of each sort.
    pub summary: Summary,
    /// What will be done, in order.
    pub actions: Vec<Action>,
    /// Where each resource stands between ledger, database and policy.
    pub drift: Vec<Drift>,
    /// What is live on a managed relation and no policy mentions.
    pub unmanaged: Vec<Unmanaged>,
    /// What is already as the policy wants it and will be recorded as managed.
    pub adopt: Vec<Adopt>,
    /// What is in sync beside what changes, where only all of them together tell which is which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Adopt>,
    /// What is in sync and has a say in what the actions do, so that they come out the same when they are made
    /// again before the first statement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub around: Vec<Adopt>,
    /// What the ledger remembers under another address than it has now: apply records the new one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
    /// What the ledger remembers, and neither the policies nor the database have.
    pub forget: Vec<Unmanaged>,
    /// What is due by the policies, and done by `run`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub due: Vec<Due>,
    /// The operations that it is a plan of; none where `apply` is what carries it out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Operation>,
    /// What the ledger remembers, the policies no longer mention and nothing can remove: it stays as
    /// it is, and apply forgets it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub release: Vec<Unmanaged>,
    /// Everything to be said about it.
    pub diagnostics: Vec<Message>,
    /// Every guardrail, and what it does not hold for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guardrails: Vec<Judged>,
    /// What the policies say of the tables for which a guardrail is asked again at apply.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub guarded: BTreeMap<String, Guarded>,
    /// The digest of all of the above, so that an edited plan is not applied.
    pub digest: Fingerprint,
}

/// The database a plan is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Target {
    /// The host as connected to.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The database's name.
    pub database: String,
    /// The database's OID: another database may take the name.
    pub database_oid: u32,
    /// The cluster's system identifier.
    pub system_identifier: String,
    /// PostgreSQL's version.
    pub server_version: String,
    /// TimescaleDB, where it is installed.
    pub timescaledb: Option<TargetTimescale>,
    /// What the configuration calls it, for the commands that reports suggest. It is no part of the plan.
    #[serde(skip)]
    pub name: Option<String>,
}

/// TimescaleDB, as a plan records it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TargetTimescale {
    /// The extension's version.
    pub version: String,
    /// The value of `timescaledb.license`.
    pub license: String,
}

impl Target {
    /// The target that a server is.
    pub fn of(server: &Server) -> Self {
        let timescaledb = server.timescaledb.as_ref().map(|timescale| TargetTimescale {
            version: timescale.version_text.clone(),
            license: match timescale.edition {
                Edition::Unknown => "unknown".to_owned(),
                _ => timescale.license.clone(),
            },
        });
        Self {
            host: server.host.clone(),
            port: server.port,
            database: server.database.clone(),
            database_oid: server.database_oid,
            system_identifier: server.system_identifier.clone(),
            server_version: server.version_text.clone(),
            timescaledb,
            name: None,
        }
    }

    /// A command that is to be given for this target: `chronoform apply --target production`.
    pub fn command(&self, words: &str) -> String {
        match &self.name {
            Some(name) => format!("chronoform {words} --target {name}"),
            None => format!("chronoform {words}"),
        }
    }

    /// Whether a server is this database, wherever it is reached and whatever its version is now.
    pub fn is_same_database(&self, server: &Server) -> bool {
        self.system_identifier == server.system_identifier
            && self.database == server.database
            && self.database_oid == server.database_oid
    }
}

/// The policies a plan was made from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Policies {
    /// The digest of all of them.
    pub digest: Fingerprint,
    /// Each file.
    pub files: Vec<PolicyFile>,
}

/// One policy file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyFile {
    /// Its path as given.
    pub path: String,
    /// The digest of its bytes.
    pub sha256: String,
}

/// How many actions of each sort.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Resources created.
    pub create: usize,
    /// Resources altered in place.
    pub update: usize,
    /// Resources removed and made anew.
    pub replace: usize,
    /// Resources removed.
    pub remove: usize,
    /// Resources that must change and cannot.
    pub blocked: usize,
}

impl Summary {
    /// Counts actions.
    pub fn of(actions: &[Action]) -> Self {
        let mut summary = Self::default();
        for action in actions {
            *match action.op {
                Op::Create => &mut summary.create,
                Op::Update => &mut summary.update,
                Op::Replace => &mut summary.replace,
                Op::Remove => &mut summary.remove,
                Op::Blocked => &mut summary.blocked,
            } += 1;
        }
        summary
    }

    /// All of them.
    pub const fn total(&self) -> usize {
        self.create + self.update + self.replace + self.remove + self.blocked
    }
}

/// A resource that nobody manages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unmanaged {
    /// Which resource.
    #[serde(flatten)]
    pub address: Address,
    /// The relation that it belongs to.
    pub on: Option<QualifiedName>,
    /// What it is or has, where its address does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

/// A resource that is recorded as managed without being touched.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Adopt {
    /// Which resource.
    #[serde(flatten)]
    pub address: Address,
    /// The relation that it belongs to.
    pub on: Option<QualifiedName>,
    /// What is managed of it.
    #[serde(serialize_with = "crate::core::as_map")]
    pub desired: Named<Value>,
    /// Whether the ledger did not know it before.
    pub new: bool,
    /// What the plan saw of the live resource.
    pub fingerprint: Fingerprint,
    /// Where the policy describes it.
    pub source: Option<SourceLine>,
}

/// Work that is due.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Due {
    /// Which resource.
    #[serde(flatten)]
    pub address: Address,
    /// The relation that it belongs to.
    pub on: Option<QualifiedName>,
    /// What does it.
    pub operation: Operation,
    /// How it stands, and how it should.
    pub attributes: Vec<AttributeChange>,
    /// What that takes.
    pub impact: Option<Impact>,
    /// Where the policy asks for it.
    pub source: Option<SourceLine>,
}

/// A diagnostic as plans store it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// The code.
    pub code: String,
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// What is wrong.
    pub message: String,
    /// Which resource it is about, where the place does not tell: several may stand on one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Address>,
    /// Where.
    pub source: Option<SourceLine>,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Message {
    /// What a diagnostic says beside a plan's actions: about which resource, where a blocked one on its line is
    /// another.
    pub fn among(actions: &[Action], diagnostic: &Diagnostic) -> Self {
        let mut message = Self::from(diagnostic);
        let about = diagnostic.about.as_deref();
        let there =
            |action: &&Action| action.op == Op::Blocked && message.source.is_some() && action.source == message.source;
        if actions.iter().filter(there).any(|action| Some(&action.address) != about) {
            message.about = about.cloned();
        }
        message
    }
}

impl From<&Diagnostic> for Message {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            code: diagnostic.code.name.to_owned(),
            severity: diagnostic.severity.as_str().to_owned(),
            message: diagnostic.message.clone(),
            about: None,
            source: diagnostic.place.as_ref().map(SourceLine::from),
            why: diagnostic.why.clone(),
            help: diagnostic.help.clone(),
        }
    }
}

/// Why a plan file cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PlanError {
    /// It is not the JSON of a plan; carries the reader's complaint.
    NotAPlan(String),
    /// It is of another format version.
    OtherFormat(u32),
    /// Its content does not match its digest.
    Edited,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAPlan(why) => write!(f, "it is not a plan: {why}"),
            Self::OtherFormat(version) => {
                write!(f, "it is of format {version}, and this version reads format {FORMAT_VERSION}")
            }
            Self::Edited => f.write_str("it was changed after it was written: its content does not match its digest"),
        }
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// Whether there is nothing to do to the database.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The command that carries it out.
    pub fn command(&self) -> String {
        if self.operations.is_empty() {
            return self.target.command("apply");
        }
        let words: Vec<&str> = self.operations.iter().map(|operation| operation.as_str()).collect();
        self.target.command(&format!("run {}", words.join(" ")))
    }

    /// Every hazard of every action, each once.
    pub fn hazards(&self) -> Vec<Hazard> {
        let mut hazards: Vec<Hazard> = self.actions.iter().flat_map(|action| action.hazards.iter().copied()).collect();
        hazards.sort_unstable();
        hazards.dedup();
        hazards
    }

    /// A plan of some of the actions only, with another surrounding.
    pub fn part(&self, actions: Vec<Action>, around: Vec<Adopt>) -> Self {
        Self {
            format_version: self.format_version,
            tool_version: self.tool_version.clone(),
            target: self.target.clone(),
            policies: Policies { digest: self.policies.digest.clone(), files: Vec::new() },
            fingerprint: self.fingerprint.clone(),
            summary: Summary::of(&actions),
            actions,
            drift: Vec::new(),
            unmanaged: Vec::new(),
            adopt: Vec::new(),
            beside: Vec::new(),
            around,
            moved: Vec::new(),
            forget: Vec::new(),
            due: Vec::new(),
            operations: self.operations.clone(),
            release: Vec::new(),
            diagnostics: Vec::new(),
            guardrails: Vec::new(),
            guarded: BTreeMap::new(),
            digest: Fingerprint::read(""),
        }
    }

    /// The document, with its digest.
    ///
    /// # Errors
    /// Never in practice: every part has a JSON form.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(&self.sealed()?).map(|text| text + "\n")
    }

    /// The plan with the digest of its content.
    fn sealed(&self) -> Result<Self, serde_json::Error> {
        let mut sealed = Self { digest: Fingerprint::read(""), ..self.clone() };
        sealed.digest = Fingerprint::of(serde_json::to_string(&sealed)?.as_bytes());
        Ok(sealed)
    }

    /// Reads a document that [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// When it is not one, is of another format, or was edited.
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let not_a_plan = |error: serde_json::Error| PlanError::NotAPlan(error.to_string());
        let version: Version = serde_json::from_str(text).map_err(not_a_plan)?;
        if version.format_version != FORMAT_VERSION {
            return Err(PlanError::OtherFormat(version.format_version));
        }
        let plan: Self = serde_json::from_str(text).map_err(not_a_plan)?;
        if plan.sealed().map_err(not_a_plan)?.digest != plan.digest {
            return Err(PlanError::Edited);
        }
        Ok(plan)
    }
}
