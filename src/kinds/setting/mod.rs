//! The server's parameters: what `ALTER SYSTEM`, `ALTER DATABASE … SET` and `ALTER ROLE … SET` set.

mod desired;
mod export;
mod level;
mod observe;
mod parameter;
mod rules;
mod settle;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema as _;

use crate::core::{
    Address, Applied, Delta, Desired, KindId, Live, Op, Place, QualifiedName, Query, Row, RowError, Server, Value,
};
use crate::diag::{Code, Diagnostic, code};
use crate::kinds::{Beside, Discovered, Export, Judgement, Kind, Relations, Rules, Scope, Section, View};
use level::Level;

const ID: KindId = KindId::new("setting");

/// Says that another value will do as well: see [`AT_LEAST`] and [`AT_MOST`]. Documents of settings do
/// not write it; those of other kinds do, for what they need of the server.
pub const BOUND: &str = "bound";
/// A greater value will do, and of words one that the server lists later.
pub const AT_LEAST: &str = "at_least";
/// A smaller number will do, unless it is zero, which stands for never.
pub const AT_MOST: &str = "at_most";

/// Where a resource keeps the place of its document, to tell documents apart.
const DOCUMENT: &str = "document";

static SECRET_SETTING: Code =
    Code::new("secret-setting", "A parameter that holds a secret, which is not for policies.");
static UNKNOWN_PARAMETER: Code = Code::new("unknown-parameter", "A parameter that the server does not have.");
static SETTING_OVERRIDDEN: Code =
    Code::new("setting-overridden", "A setting that something of a higher precedence makes ineffective.");
static PENDING_RESTART: Code = Code::new("pending-restart", "A setting that waits for the server's next restart.");
static UNKNOWN_ROLE: Code = Code::new("unknown-role", "A role that the server does not have.");

static CODES: &[&Code] = &[&SECRET_SETTING, &UNKNOWN_PARAMETER, &SETTING_OVERRIDDEN, &PENDING_RESTART, &UNKNOWN_ROLE];

static SECTIONS: &[Section] = &[Section {
    document: "setting",
    key: "",
    repeated: false,
    schema: desired::Setting::json_schema,
    expand: desired::expand,
}];

/// The kind.
pub struct Setting;

impl Kind for Setting {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "setting"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        SECTIONS
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn containers(&self, desired: &BTreeMap<Address, Desired>) -> BTreeSet<String> {
        desired.keys().filter(|address| address.kind == ID).filter_map(|address| address.schema.clone()).collect()
    }

    fn observe(&self, server: &Server, scope: &Scope) -> Option<Query> {
        observe::query(server, scope)
    }

    fn read(&self, rows: &[Row], _relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows)
    }

    fn discover(&self, server: &Server, beside: &Beside) -> Result<Option<Query>, Diagnostic> {
        export::discover(server, beside)
    }

    fn discovered(&self, rows: &[Row]) -> Result<Vec<Discovered>, RowError> {
        export::discovered(rows)
    }

    fn export(&self, live: &Live, _view: &View<'_>) -> Export {
        export::export(live)
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        settle::settle(desired, view, sink)
    }

    fn check(&self, own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        settle::check_roles(own, all, sink);
        let mut documents: BTreeMap<&str, &Desired> = BTreeMap::new();
        let mut told = BTreeSet::new();
        for desired in own {
            let Some(container) = desired.address.schema.as_deref() else { continue };
            // What another kind of document needs has no document of settings.
            if !desired.places.contains_key(DOCUMENT) {
                continue;
            }
            let first = *documents.entry(container).or_insert(desired);
            let (there, here) = in_order(first.place_of(DOCUMENT), desired.place_of(DOCUMENT));
            if here != there && told.insert((container, here.file.clone(), here.start)) {
                let words = Level::read(container).map_or_else(|| container.to_owned(), |level| level.words());
                let message = format!("two `setting` documents describe {words}");
                sink.push(
                    Diagnostic::error(&code::DUPLICATE_DOCUMENT, message)
                        .at(here)
                        .label("again here")
                        .and_at(there, "first here")
                        .why("what is no longer in a scope's document is taken away, and each would not know of the other")
                        .help("put all settings of the scope into one document"),
                );
            }
        }
    }

    fn context(&self, delta: &Delta, view: &View<'_>) -> BTreeMap<String, Value> {
        // The part before a dot is no schema, and is quoted like one.
        let name = match delta.address.name.split_once('.') {
            Some((class, name)) => Value::Name(QualifiedName::new(class, name)),
            None => Value::text(&delta.address.name),
        };
        let level = level_of(delta);
        let role = level.as_ref().and_then(Level::role).map_or(Value::Null, Value::text);
        let in_database = matches!(level, Some(Level::Role { in_database: true, .. }));
        let value = delta.desired.as_ref().and_then(|desired| desired.get("value"));
        let items = match value {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(items)) if items.is_empty() => vec![Value::text("")],
            Some(Value::List(items)) => items.clone(),
            Some(value) => vec![value.clone()],
        };
        BTreeMap::from([
            ("parameter".to_owned(), name),
            ("items".to_owned(), Value::List(items)),
            ("level".to_owned(), Value::text(if level == Some(Level::Server) { rules::SERVER } else { "other" })),
            ("role".to_owned(), role),
            ("in_database".to_owned(), Value::Bool(in_database)),
            ("database".to_owned(), Value::text(&view.server.database)),
        ])
    }

    fn holds(&self, condition: &str, delta: &Delta, _weights: &[Row], _view: &View<'_>) -> bool {
        match level_of(delta) {
            Some(Level::Server) => condition == rules::SERVER,
            Some(Level::Database) => condition == rules::DATABASE,
            Some(Level::Role { .. }) | None => false,
        }
    }

    fn label(&self, attribute: &str) -> Option<&'static str> {
        (attribute == "reload_pending").then_some("waits for a reload")
    }

    fn is_derived(&self, attribute: &str, _desired: &Desired, _applied: &Applied) -> bool {
        attribute == "reload_pending"
    }

    /// A reload reaches this session and the server's pages a moment after the statement.
    fn comes_late(&self, address: &Address) -> bool {
        address.schema.as_deref().and_then(Level::read) == Some(Level::Server)
    }

    fn weigh(&self, deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
        weigh::query(deltas, view)
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        weigh::judge(delta, op, weights, view)
    }
}

/// Two places as files are read.
fn in_order<'a>(one: &'a Place, other: &'a Place) -> (&'a Place, &'a Place) {
    if (&other.file, other.start) < (&one.file, one.start) { (other, one) } else { (one, other) }
}

fn level_of(delta: &Delta) -> Option<Level> {
    delta.address.schema.as_deref().and_then(Level::read)
}
