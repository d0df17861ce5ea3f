//! `repository`: what pgBackRest must have before it can make a backup: its configuration, and its stanza.
//!
//! It is made by a `backup` document. None of it is in the database: whoever looks on the server's machine
//! gives this kind its live side, and the text that the configuration is to have.

mod observe;
mod rules;
mod settle;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::core::{Address, Delta, Desired, KindId, Live, Query, Row, RowError, Server, Task, Value};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{Export, Kind, Relations, Rules, Scope, Section, View};

/// The kind's name.
pub const ID: KindId = KindId::new("repository");

/// Where it is and what its configuration says, by name.
pub const PLACE: &str = "place";
/// The options of it that are secrets, each with where it is from: `${env.NAME}`, or [`FILE`] and a path.
pub const SECRETS: &str = "secrets";
/// The configuration's text, with [`BLOTTED`] in the place of each secret.
pub const CONFIG: &str = "config";
/// Whether the stanza is there.
pub const STANZA: &str = "stanza";

/// What [`STANZA`] is to be.
pub const READY: &str = "ready";
/// What it is where it is not there.
pub const MISSING: &str = "missing";
/// What stands in the place of a secret.
pub const BLOTTED: &str = "***";
/// How a secret begins that is the first line of a file.
pub const FILE: &str = "file:";

/// pgBackRest's own names of the options that are secrets.
pub const CIPHER_PASS: &str = "repo1-cipher-pass";
/// The access key.
pub const S3_KEY: &str = "repo1-s3-key";
/// The secret access key.
pub const S3_SECRET: &str = "repo1-s3-key-secret";

/// Facts of the live side that the database tells: the server's own paths.
pub const DATA_DIRECTORY: &str = "data_directory";
/// Its port.
pub const PORT: &str = "port";
/// Where its sockets are.
pub const SOCKETS: &str = "sockets";
/// The fact with the text that the configuration is to have, where somebody has looked.
pub const WANTED: &str = "wanted";
/// The fact that says why it cannot be made.
pub const PROBLEM: &str = "problem";
/// The fact that says why nobody can look from here.
pub const ELSEWHERE: &str = "elsewhere";
/// The fact with the secrets that are not at hand.
pub const UNKNOWN: &str = "unknown";
/// The fact with the code that [`PROBLEM`] has, where it is none of this kind's own.
pub const CODE: &str = "code";
/// The fact that says what help there is for [`PROBLEM`].
pub const HELP: &str = "help";

/// A secret that stands in a policy.
pub static SECRET_IN_POLICY: Code = Code::new("secret-in-policy", "A secret that is written into a policy itself.");
/// A secret that is not there to be used.
pub static NOT_AT_HAND: Code =
    Code::new("secret-not-at-hand", "A secret that whoever runs Chronoform has not been given.");
static NOT_HERE: Code =
    Code::new("repository-not-here", "A repository whose configuration is on another machine than this one.");
static UNUSABLE: Code =
    Code::new("stanza-unusable", "A stanza of pgBackRest that cannot be read, or is another cluster's.");
static CODES: [&Code; 4] = [&SECRET_IN_POLICY, &NOT_AT_HAND, &NOT_HERE, &UNUSABLE];

/// The name of the work that writes the configuration.
pub const CONFIGURE: &str = "repository-configure";
/// The name of the work that makes the stanza.
pub const CREATE: &str = "repository-create";

/// The kind.
pub struct Repository;

impl Kind for Repository {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "repository"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        // A `backup` document asks for it.
        &[]
    }

    fn codes(&self) -> &'static [&'static Code] {
        &CODES
    }

    fn is_outside(&self) -> bool {
        true
    }

    fn observe(&self, _server: &Server, _scope: &Scope) -> Option<Query> {
        None
    }

    fn observe_wanted(
        &self,
        _server: &Server,
        _scope: &Scope,
        desired: &BTreeMap<Address, Desired>,
        _relations: &Relations,
    ) -> Option<Query> {
        observe::query(desired)
    }

    fn read(&self, rows: &[Row], _relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows)
    }

    fn export(&self, _live: &Live, _view: &View<'_>) -> Export {
        Export::Nothing
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        settle::settle(desired, view, sink)
    }

    fn items(
        &self,
        template: &str,
        delta: &Delta,
        _weights: &[Row],
        view: &View<'_>,
    ) -> Result<Option<Vec<Value>>, RowError> {
        let Some(desired) = &delta.desired else { return Ok(None) };
        let mut item: BTreeMap<String, Value> =
            desired.attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let work = if template == rules::CONFIGURE_TEMPLATE { CONFIGURE } else { CREATE };
        item.insert("work".to_owned(), Value::text(work));
        item.insert("cluster".to_owned(), Value::text(&view.server.system_identifier));
        item.insert("major".to_owned(), Value::Int(view.server.version.major.into()));
        if let Some(folder) = delta.live.as_ref().and_then(|live| live.fact(DATA_DIRECTORY)) {
            item.insert(DATA_DIRECTORY.to_owned(), folder.clone());
        }
        Ok(Some(vec![Value::Map(item)]))
    }

    fn task(&self, item: &Value) -> Option<Task> {
        let Value::Map(arguments) = item else { return None };
        let name = arguments.get("work").and_then(Value::as_text)?.to_owned();
        Some(Task { name, arguments: arguments.clone() })
    }
}

/// The variable that a reference to the environment names.
pub fn variable(reference: &str) -> Option<&str> {
    let name = reference.strip_prefix("${env.")?.strip_suffix('}')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}
