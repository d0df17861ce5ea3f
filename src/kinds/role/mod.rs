//! Roles of the server: what they may, but never their passwords.

mod desired;
mod export;
mod observe;
mod rules;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::BTreeMap;

use schemars::JsonSchema as _;

use crate::core::{Address, Delta, Desired, Ensure, KindId, Live, Op, Place, Query, Row, RowError, Server, Value};
use crate::diag::{Code, Diagnostic, code};
use crate::kinds::{
    After, Beside, Discovered, Export, Judgement, Kind, Owner, Relations, Rules, Scope, Section, View, grant,
};

pub use desired::PUBLIC;
pub use export::file;

/// The kind's id.
pub const ID: KindId = KindId::new("role");

/// The attributes that are true or false.
const FLAGS: [&str; 7] = ["login", "superuser", "createdb", "createrole", "inherit", "replication", "bypassrls"];

static PASSWORD_IN_POLICY: Code = Code::new("password-in-policy", "A password in a policy, where none belongs.");
static RESERVED_ROLE: Code = Code::new("reserved-role", "A role that is the server's own, or none.");
static LOCKS_OUT: Code = Code::refusal("locks-out", "A change after which nobody could undo it.");
static ROLE_IN_USE: Code =
    Code::new("role-in-use", "A role that cannot go, because it owns something or is granted something.");

static CODES: &[&Code] = &[&PASSWORD_IN_POLICY, &RESERVED_ROLE, &LOCKS_OUT, &ROLE_IN_USE];

static SECTIONS: &[Section] = &[Section {
    document: "role",
    key: "",
    repeated: false,
    schema: desired::Role::json_schema,
    expand: desired::expand,
}];

/// The attributes by which a role may more than others.
const POWERS: [&str; 5] = ["superuser", "createdb", "createrole", "replication", "bypassrls"];

/// A query for what the server keeps of tables and grants along with them: schema, name, and the schema
/// and name of the table.
pub fn parts(server: &Server) -> &'static str {
    match server.timescaledb {
        Some(_) => include_str!("parts.sql"),
        None => "SELECT NULL::name, NULL::name, NULL::name, NULL::name WHERE false",
    }
}

/// What a role may, and its policy says nothing of.
fn unmentioned(desired: &Desired, view: &View<'_>) -> Option<Diagnostic> {
    let live = view.live.get(&desired.address).filter(|_| desired.ensure == Ensure::Present)?;
    let has = |flag: &&str| live.get(flag).and_then(Value::as_bool) == Some(true) && desired.get(flag).is_none();
    let found: Vec<&str> = POWERS.into_iter().filter(has).collect();
    let upper = found.join(", ").to_ascii_uppercase();
    let message = format!("the role \"{}\" has {upper}, which its policy does not mention", desired.address.name);
    let note = Diagnostic::note(&code::UNMANAGED, message)
        .at(&desired.place)
        .why("what a policy does not mention is left alone")
        .help(format!("to manage it, write `{}: true` or `false`", found.first()?));
    Some(note)
}

/// The document by which a role is to go, where there is one.
pub fn to_go<'a>(all: &'a BTreeMap<Address, Desired>, name: &str) -> Option<&'a Desired> {
    all.get(&Address::global(ID, name)).filter(|role| role.ensure == Ensure::Absent)
}

/// The error of something that needs a role which the policies have go.
pub fn cannot_go(what: String, needed_at: &Place, goes: &Desired) -> Diagnostic {
    let word = format!("the document of \"{}\" says `ensure: absent`", goes.address.name);
    Diagnostic::error(&code::POLICY_CONFLICT, what)
        .at(needed_at)
        .and_at(&goes.place, word)
        .why("a role takes along what it is granted and what others are granted of it")
        .help("let the role stay, or take this out; in a role's document, `ensure: absent` in the item revokes it")
}

/// The kind.
pub struct Role;

impl Kind for Role {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "role"
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

    /// Whatever has an owner or is granted asks about roles.
    fn bears_on(&self, _desired: &Desired, _other: &KindId) -> bool {
        true
    }

    fn observe(&self, _server: &Server, scope: &Scope) -> Option<Query> {
        observe::query(scope)
    }

    fn read(&self, rows: &[Row], _relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows)
    }

    /// Also where none are asked for, so that somebody hears how many there are.
    fn discover(&self, _server: &Server, _beside: &Beside) -> Result<Option<Query>, Diagnostic> {
        Ok(Some(Query { sql: include_str!("discover.sql").to_owned(), params: Vec::new() }))
    }

    fn discovered(&self, rows: &[Row]) -> Result<Vec<Discovered>, RowError> {
        let role =
            |name: &str| Discovered { container: None, name: name.to_owned(), owner: Owner::Role(name.to_owned()) };
        rows.iter().map(|row| row.text("name").map(role)).collect()
    }

    fn export(&self, live: &Live, _view: &View<'_>) -> Export {
        export::export(live)
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        let mut settled = desired.clone();
        sink.extend(unmentioned(desired, view));
        if !view.live.contains_key(&desired.address) {
            // A new role has neither comment nor end.
            settled.attributes.retain(|_, value| *value != Value::Null);
        }
        Some(settled)
    }

    fn context(&self, delta: &Delta, _view: &View<'_>) -> BTreeMap<String, Value> {
        let changed = delta.changes.iter().any(|change| change.attribute != "comment");
        BTreeMap::from([("options".to_owned(), Value::Bool(changed || delta.is_create()))])
    }

    fn weigh(&self, deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
        weigh::query(deltas, view.server)
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        self.judge_among(delta, &[], op, weights, view)
    }

    fn judge_among(
        &self,
        delta: &Delta,
        others: &[Delta],
        op: Op,
        weights: &[Row],
        view: &View<'_>,
    ) -> Result<Judgement, RowError> {
        weigh::judge(delta, others, op, weights, view)
    }

    /// Memberships go with either role.
    fn ends(&self, delta: &Delta, other: &Address) -> bool {
        let name = delta.address.name.as_str();
        delta.is_remove() && grant::membership(other).is_some_and(|(member, of)| member == name || of == name)
    }

    /// What it is granted goes before it, and what others are granted of it.
    fn requires(&self, delta: &Delta, view: &View<'_>) -> Vec<After> {
        let granted = view.live.keys().filter(|address| grant::is_about(address, &delta.address.name));
        if delta.is_remove() { granted.cloned().map(After::Resource).collect() } else { Vec::new() }
    }
}
