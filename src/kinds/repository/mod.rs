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

use crate::core::{
    Address, Delta, Desired, Hazard, KindId, Live, Op, Query, Reason, Row, RowError, Server, Task, Value,
};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{Export, Judgement, Kind, Relations, Rules, Scope, Section, View};

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
/// The fact that says, where the stanza is not there, whether something is that tells that it has been.
pub const KNOWN: &str = "known";
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
/// A stanza that is gone.
pub static LOST: Code = Code::new(
    "stanza-lost",
    "A stanza of pgBackRest that was there and is not: its repository is not mounted, or lost.",
);
static CODES: [&Code; 5] = [&SECRET_IN_POLICY, &NOT_AT_HAND, &NOT_HERE, &UNUSABLE, &LOST];

/// Why nothing is made in the place of a stanza that is gone.
pub const LOST_WHY: &str = "where its disk is not mounted, backups and WAL that go there now would be out of sight once it is, and \
                            those that were made before are until then";
/// What helps.
pub const LOST_HELP: &str = "mount it, or bring it back from where it is kept a second time. Where it is lost for good, \
                             `chronoform apply --allow leaves_backups` makes a new one, of which a full backup is due at once";

/// The argument of the work that says that a stanza is to be made in the place of one that has been there.
pub const ANEW: &str = "anew";

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
        if is_lost(delta) {
            item.insert(ANEW.to_owned(), Value::Bool(true));
        }
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

    fn judge(&self, delta: &Delta, _op: Op, _weights: &[Row], _view: &View<'_>) -> Result<Judgement, RowError> {
        let mut judgement = Judgement::default();
        if is_lost(delta) {
            judgement.hazards.push(Hazard::LeavesBackups);
            judgement.diagnostics.push(lost(delta));
        }
        Ok(judgement)
    }
}

/// Whether the stanza has been there, and is not any more. One that cannot be looked for by the configuration as it is may
/// be there.
fn is_lost(delta: &Delta) -> bool {
    let known = delta.live.as_ref().and_then(|live| live.fact(KNOWN)).filter(|_| delta.change(STANZA).is_some());
    known.and_then(Value::as_bool).is_some_and(|known| known || delta.reason == Reason::Drifted)
}

/// The same in words.
fn lost(delta: &Delta) -> Diagnostic {
    let place = delta.desired.as_ref().and_then(|desired| desired.get(PLACE));
    let said = |name: &str| match place {
        Some(Value::Map(place)) => place.get(name).and_then(Value::as_text),
        _ => None,
    };
    let stanza = said("stanza").unwrap_or_default();
    let message = match (said("bucket"), said("path").unwrap_or_default()) {
        (Some(bucket), path) => {
            format!("the stanza `{stanza}` was in {path} of the bucket `{bucket}`, and is not there")
        }
        (None, path) => format!("the stanza `{stanza}` was in {path}, and is not there"),
    };
    let warning = Diagnostic::warning(&LOST, message).why(LOST_WHY).help(LOST_HELP);
    match &delta.desired {
        Some(desired) => warning.at(&desired.place),
        None => warning,
    }
}

/// The variable that a reference to the environment names.
pub fn variable(reference: &str) -> Option<&str> {
    let name = reference.strip_prefix("${env.")?.strip_suffix('}')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}
