//! Privileges on what there is, privileges on what is made later, and memberships: everything that
//! `GRANT` gives.
//!
//! A resource is what one role has on one target; its container is the role, whose document describes
//! all of it.

mod by_default;
mod circle;
mod desired;
mod export;
mod forms;
mod gone;
mod observe;
mod parts;
mod passed;
mod rules;
mod settle;
mod target;
#[cfg(test)]
mod tests;
mod unmentioned;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema as _;
use serde_json::Value as Json;

use crate::core::{
    Address, Applied, Change, Delta, Desired, Ensure, Impact, KindId, Live, Op, QualifiedName, Query, Row, RowError,
    Server, SqlText, Value,
};
use crate::diag::{Code, Diagnostic, code};
use crate::kinds::{After, Beside, Discovered, Export, Judgement, Kind, Relations, Rules, Scope, Section, View, role};
use target::Target;

const ID: KindId = KindId::new("grant");

const GRANTED: &str = "granted";
const WITH_OPTION: &str = "with grant option";

/// How a privilege that is granted on columns alone begins.
const COLUMNS: &str = "on columns ";

/// How the name of something begins that no policy grants on. Only `import` comes upon it.
const OTHER: &str = "other ";

/// Asks for every other privilege to be revoked. The server knows nothing of it: what is live is taken
/// to be as the policy says, and the ledger remembers what it said.
const EXCLUSIVE: &str = "exclusive";

static NOTHING_TO_GRANT_ON: Code =
    Code::new("nothing-to-grant-on", "Something to be granted on, or a role, that does not exist.");

static OWNERS_OWN: Code = Code::new("owners-own", "A grant to the owner, who has every privilege without one.");

static CODES: &[&Code] = &[&NOTHING_TO_GRANT_ON, &OWNERS_OWN, &circle::MEMBERSHIP_CIRCLE];

static SECTIONS: &[Section] = &[
    Section {
        document: "role",
        key: "grants",
        repeated: true,
        schema: desired::Grant::json_schema,
        expand: desired::grants,
    },
    Section {
        document: "role",
        key: "default_privileges",
        repeated: true,
        schema: desired::DefaultPrivileges::json_schema,
        expand: desired::default_privileges,
    },
    Section {
        document: "role",
        key: "member_of",
        repeated: true,
        schema: desired::Membership::json_schema,
        expand: desired::member_of,
    },
];

/// The kind.
pub struct Grant;

impl Kind for Grant {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "grant"
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

    /// Whether a role is described at all decides about what it has on any aggregate that is made anew.
    fn bears_on(&self, _desired: &Desired, other: &KindId) -> bool {
        [&ID, &role::ID, &KindId::new("continuous_aggregate")].contains(&other)
    }

    /// A role's document describes all that it is granted, also when that is nothing any more.
    fn containers(&self, desired: &BTreeMap<Address, Desired>) -> BTreeSet<String> {
        let of = |address: &Address| match () {
            () if address.kind == ID => address.schema.clone(),
            () if address.kind == role::ID => Some(address.name.clone()),
            () => None,
        };
        desired.keys().filter_map(of).collect()
    }

    fn observe(&self, server: &Server, scope: &Scope) -> Option<Query> {
        observe::query(server, scope)
    }

    fn read(&self, rows: &[Row], _relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows)
    }

    fn identify(
        &self,
        found: Vec<Live>,
        desired: &BTreeMap<Address, Desired>,
        applied: &BTreeMap<Address, Applied>,
    ) -> Vec<Live> {
        let mut found = unmentioned::leave_out(found, desired, applied);
        parts::apart(&mut found, desired, applied);
        by_default::mark(&mut found, desired, applied);
        for live in &mut found {
            if let Some(exclusive) = desired.get(&live.address).and_then(|desired| desired.get(EXCLUSIVE)) {
                live.set(EXCLUSIVE, exclusive.clone());
            }
        }
        found
    }

    fn discover(&self, server: &Server, beside: &Beside) -> Result<Option<Query>, Diagnostic> {
        Ok(export::discover(server, beside))
    }

    fn discovered(&self, rows: &[Row]) -> Result<Vec<Discovered>, RowError> {
        export::discovered(rows)
    }

    fn export(&self, live: &Live, view: &View<'_>) -> Export {
        export::export(live, view)
    }

    /// Of one thing, one item may grant some privileges and another one others, or revoke them.
    fn unite(&self, first: &mut Desired, again: &Desired) -> bool {
        let is_exclusive = |desired: &Desired| desired.get(EXCLUSIVE).is_some();
        let apart = !first.attributes.keys().any(|name| again.attributes.contains_key(name));
        let unites = apart
            && ![&*first, again].into_iter().any(is_exclusive)
            && !matches!(Target::read(&first.address.name), None | Some(Target::Role(_)));
        if unites {
            first.attributes.extend(again.attributes.clone());
            Arc::make_mut(&mut first.places).extend(again.places.as_ref().clone());
        }
        unites
    }

    /// What an exclusive grant does not list was not to be before, either.
    fn is_derived(&self, attribute: &str, desired: &Desired, applied: &Applied) -> bool {
        let is_exclusive = applied.attributes.get(EXCLUSIVE) == Some(&Json::Bool(true));
        let unlisted = desired.get(attribute).is_none_or(|value| *value == Value::Null);
        is_exclusive && unlisted && applied.attributes.get(attribute).is_none_or(Json::is_null)
    }

    fn check(&self, own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        circle::check(own, sink);
        gone::check(own, all, sink);
        parts::check(own, all, sink);
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        settle::settle(desired, view, sink)
    }

    fn context(&self, delta: &Delta, view: &View<'_>) -> BTreeMap<String, Value> {
        context(delta, view)
    }

    /// What default privileges made goes with them, where their role does; and what is revoked on all of a schema
    /// but some.
    fn repeated(
        &self,
        template: &str,
        delta: &Delta,
        _weights: &[Row],
        view: &View<'_>,
    ) -> Result<Option<Vec<Value>>, RowError> {
        Ok(match template {
            rules::MADE_SINCE => Some(by_default::items(delta, view)),
            rules::BUT_SOME => Some(parts::revoked(delta, view)),
            _ => None,
        })
    }

    /// Every form is there; what it has nothing to say of renders to nothing.
    fn holds(&self, _condition: &str, _delta: &Delta, _weights: &[Row], _view: &View<'_>) -> bool {
        true
    }

    /// The privileges.
    fn tells(&self, live: &Live) -> Option<String> {
        let told = |(privilege, how): (&String, &Value)| match how.as_text()? {
            GRANTED => Some(privilege.clone()),
            how => Some(format!("{privilege} {how}")),
        };
        let told: Vec<String> = live.attributes.iter().filter_map(told).collect();
        (!told.is_empty()).then(|| told.join(", "))
    }

    fn forgets(&self, attribute: &str) -> bool {
        !["admin", "inherit", "set"].contains(&attribute)
    }

    fn requires(&self, delta: &Delta, view: &View<'_>) -> Vec<After> {
        // What is revoked of a role that goes comes before that.
        let role = |name: &str| {
            let address = Address::global(role::ID, name);
            let goes = view.desired.get(&address).is_some_and(|role| role.ensure == Ensure::Absent);
            (!goes).then_some(After::Resource(address))
        };
        let mut after: Vec<After> = delta.address.schema.iter().filter_map(|grantee| role(grantee)).collect();
        if delta.is_remove() {
            return Vec::new();
        }
        let target = Target::read(&delta.address.name);
        if let Some(Target::TablesIn(schema)) = &target {
            // Those that are made anew are not new, and count as well; and what goes is to be granted to nobody first.
            let made = settle::makeable_in(schema, view).filter_map(|made| made.on.clone());
            after.extend(made.chain(settle::dropped_in(schema, view)).map(After::Relation));
        }
        if delta.is_create() && matches!(target, Some(Target::Role(_))) {
            // A membership that the plan ends may be what stands in the way of the other direction.
            after.extend(circle::live_ones(view).cloned().map(After::Resource));
        }
        match target {
            // What is only taken away needs nothing that is still to be made.
            Some(Target::Table(_) | Target::Sequence(_)) if only_takes(delta) => {}
            Some(Target::Table(name) | Target::Sequence(name)) => after.push(After::Relation(name)),
            Some(Target::Role(name) | Target::Later { by: name, .. }) => after.extend(role(&name)),
            _ => {}
        }
        after
    }

    /// What is revoked is to be so on what is made anew as well, and not given again.
    fn goes_with(&self, desired: &Desired, _live: &Live, gone: &BTreeSet<QualifiedName>) -> bool {
        !settle::only_revokes(desired) && self.is_about(&desired.address, gone)
    }

    fn left_of(&self, live: &Live, gone: &BTreeSet<QualifiedName>) -> Option<Live> {
        parts::left_of(live, gone)
    }

    fn joined_by(&self, live: &Live, new: &BTreeSet<QualifiedName>) -> Option<Live> {
        let Some(Target::TablesIn(schema)) = Target::read(&live.address.name) else { return None };
        parts::joined_by(live, new.iter().filter(|name| name.schema == schema).count())
    }

    fn is_about(&self, address: &Address, relations: &BTreeSet<QualifiedName>) -> bool {
        match Target::read(&address.name) {
            Some(Target::Table(name)) => relations.contains(&name),
            Some(Target::TablesIn(schema)) => relations.iter().any(|name| name.schema == schema),
            _ => false,
        }
    }

    /// What a role has on all of a schema is told of each thing of it.
    fn is_changed_by(&self, address: &Address, other: &Address) -> bool {
        let of = |address: &Address| Target::read(&address.name).map(|target| target.whole().unwrap_or(target));
        address.schema == other.schema && [address, other].iter().all(|it| it.kind == ID) && of(address) == of(other)
    }

    fn needs_still(&self, delta: &Delta) -> Option<QualifiedName> {
        match Target::read(&delta.address.name) {
            Some(Target::Table(name)) if only_takes(delta) => Some(name),
            _ => None,
        }
    }

    fn judge_among(
        &self,
        delta: &Delta,
        others: &[Delta],
        op: Op,
        weights: &[Row],
        view: &View<'_>,
    ) -> Result<Judgement, RowError> {
        let mut judgement = self.judge(delta, op, weights, view)?;
        judgement.diagnostics.extend(circle::judge(delta, others, view));
        Ok(judgement)
    }

    fn judge(&self, delta: &Delta, op: Op, _weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        let mut judgement = Judgement::default();
        let notes: Vec<String> = by_default::note(delta, view).into_iter().chain(parts::note(delta)).collect();
        judgement.impact = (!notes.is_empty()).then(|| Impact { notes, ..Impact::default() });
        judgement.diagnostics.extend(would_take_owners(delta, view));
        judgement.diagnostics.extend(passed::judge(delta, view));
        let target = Target::read(&delta.address.name).filter(|_| op != Op::Blocked && !view.server.superuser);
        let live = target.as_ref().and_then(|target| observe::target_of(view.live, target));
        if let (Some(target), Some(live)) = (target, live)
            && !matches!(target, Target::Role(_) | Target::Later { .. })
            && live.fact("owned").and_then(Value::as_int) != live.fact("members").and_then(Value::as_int)
        {
            let owner = live.fact("owner").and_then(Value::as_text).unwrap_or("another role");
            let message = format!(
                "the role \"{}\" may not grant or revoke on {}, which belongs to \"{owner}\"",
                view.server.user,
                target.name()
            );
            let error = Diagnostic::error(&code::NO_PRIVILEGE, message);
            let desired = delta.desired.as_ref().or_else(|| view.desired.get(&delta.address));
            let error = desired.map_or(error.clone(), |desired| error.at(&desired.place));
            judgement
                .diagnostics
                .push(error.help(format!("connect as \"{owner}\", or as a role that is a member of it")));
        }
        Ok(judgement)
    }
}

/// Whether an address is one of what a role is granted, or of what others are granted of it: membership,
/// and what it makes later.
pub fn is_about(address: &Address, role: &str) -> bool {
    let of_it = |target: &Target| match target {
        Target::Role(name) | Target::Later { by: name, .. } => name == role,
        _ => false,
    };
    let granted = address.schema.as_deref() == Some(role);
    address.kind == ID && (granted || Target::read(&address.name).is_some_and(|target| of_it(&target)))
}

/// Whether one of some deltas ends a membership.
pub fn ends_membership(member: &str, of: &str, deltas: &[Delta]) -> bool {
    deltas.iter().any(|delta| delta.is_remove() && membership(&delta.address) == Some((member, of.to_owned())))
}

/// The member and what it is one of, where an address is a membership's.
pub fn membership(address: &Address) -> Option<(&str, String)> {
    let target = Target::read(&address.name).filter(|_| address.kind == ID);
    match (address.schema.as_deref(), target) {
        (Some(member), Some(Target::Role(of))) if !member.is_empty() => Some((member, of)),
        _ => None,
    }
}

/// Whether some deltas take from a role that goes all that it has on one thing, which a row tells as those of
/// this kind's own queries do.
///
/// # Errors
/// When the row is not one of a thing.
pub fn is_left_nothing(role: &str, thing: &Row, deltas: &[Delta], view: &View<'_>) -> Result<bool, RowError> {
    let on = observe::targets(thing)?;
    let own = |delta: &&Delta| delta.address.kind == ID && delta.address.schema.as_deref() == Some(role);
    let of_it = |delta: &&Delta| Target::read(&delta.address.name).is_some_and(|target| on.contains(&target));
    let deltas: Vec<&Delta> = deltas.iter().filter(own).filter(of_it).collect();
    if by_default::is_all(role, &on, view) {
        return Ok(true);
    }
    let mut taken = by_default::lost(role, &on, view);
    for delta in &deltas {
        taken.extend(delta.changes.iter().filter(|change| is_revoked(change)).map(|change| &change.attribute));
    }
    // Each has at least what there is on the thing.
    Ok(deltas.iter().filter_map(|delta| delta.live.as_ref()).any(|live| {
        let mut has = parts::had_on(live, &on).filter(|name| *name != EXCLUSIVE);
        has.all(|privilege| taken.contains(privilege))
    }))
}

/// Whether some deltas revoke all that others have by default on what a role makes later, which a row tells:
/// then the server keeps nothing of it.
///
/// # Errors
/// When the row is not one of a thing.
pub fn takes_back(thing: &Row, deltas: &[Delta]) -> Result<bool, RowError> {
    let on = observe::targets(thing)?;
    let (to, gives) = (thing.texts("gives_to")?, thing.texts("gives")?);
    let taken = |(grantee, privilege): (&Option<String>, &Option<String>)| {
        deltas.iter().any(|delta| {
            delta.address.kind == ID
                && delta.address.schema == *grantee
                && Target::read(&delta.address.name).is_some_and(|target| on.contains(&target))
                && delta
                    .changes
                    .iter()
                    .any(|change| Some(&change.attribute) == privilege.as_ref() && is_revoked(change))
        })
    };
    Ok(!gives.is_empty() && to.iter().zip(&gives).all(taken))
}

/// Whether a delta takes something from a role and gives it nothing.
fn only_takes(delta: &Delta) -> bool {
    delta.desired.as_ref().is_none_or(settle::only_revokes)
}

fn is_revoked(change: &Change) -> bool {
    change.after.as_ref().is_none_or(|after| *after == Value::Null)
}

/// Whether the policies grant a role a privilege on a relation, by its name or with all of its schema.
pub fn gives(view: &View<'_>, role: &str, privilege: &str, on: &QualifiedName) -> bool {
    let own = view.desired.values().filter(|desired| desired.address.kind == ID);
    let own = own.filter(|desired| desired.address.schema.as_deref() == Some(role));
    let mut giving = own.filter(|desired| desired.get(privilege).is_some_and(|value| *value != Value::Null));
    giving.any(|desired| match Target::read(&desired.address.name) {
        Some(Target::Table(name)) => name == *on,
        Some(Target::TablesIn(schema)) => schema == on.schema,
        _ => false,
    })
}

/// The addresses of what a role has by default on the relations that the session's role makes in a schema.
fn later(view: &View<'_>, role: &str, on: &QualifiedName) -> [Address; 2] {
    [None, Some(on.schema.clone())].map(|schema| {
        let later = Target::Later { by: view.server.user.clone(), schema, what: "tables".to_owned() };
        Address { kind: ID, schema: Some(role.to_owned()), name: later.name() }
    })
}

/// Whether the policies give a role a privilege by default on the relations that the session's role makes: with what
/// lets it pass that on, where that is asked. The server has it by then, for what is about no relation goes first.
pub fn gives_later(view: &View<'_>, role: &str, privilege: &str, option: bool, on: &QualifiedName) -> bool {
    later(view, role, on).iter().filter_map(|address| view.desired.get(address)).any(|desired| {
        let wanted = desired.get(privilege).and_then(Value::as_text);
        wanted.is_some() && (!option || wanted == Some(WITH_OPTION))
    })
}

/// The privileges that a role has by default on such relations once they are made: those of the policies, and what
/// they say nothing of.
fn given_by_default(view: &View<'_>, role: &str, on: &QualifiedName) -> BTreeSet<&'static str> {
    let later = later(view, role, on);
    let is_given = |privilege: &&str| {
        later.iter().any(|address| {
            let wanted = view.desired.get(address).and_then(|desired| desired.get(privilege));
            let wanted = wanted.or_else(|| view.live.get(address)?.get(privilege));
            wanted.is_some_and(|value| *value != Value::Null)
        })
    };
    of_relation(view).filter(is_given).collect()
}

/// The roles that the policies give anything by default on such relations.
pub fn given_later<'a>(view: &'a View<'_>, on: &QualifiedName) -> BTreeSet<&'a str> {
    let roles: BTreeSet<&str> = view
        .desired
        .keys()
        .filter(|address| address.kind == ID)
        .filter_map(|address| address.schema.as_deref())
        .collect();
    let gives = |role: &&str| {
        let wanted = later(view, role, on).into_iter().filter_map(|address| view.desired.get(&address));
        wanted.flat_map(|desired| &desired.attributes).any(|(_, value)| *value != Value::Null)
    };
    roles.into_iter().filter(gives).collect()
}

/// Whether the policies revoke all that a role has by default on such relations: that goes first, too.
pub fn is_taken_later(view: &View<'_>, role: &str, on: &QualifiedName) -> bool {
    let has = later(view, role, on).into_iter().filter_map(|address| view.live.get(&address));
    let mut has = has.flat_map(|live| live.attributes.keys().map(|privilege| (&live.address, privilege))).peekable();
    let is_revoked = |(address, privilege): (&Address, &String)| {
        view.desired.get(address).is_some_and(|desired| desired.get(privilege) == Some(&Value::Null))
    };
    has.peek().is_some() && has.all(is_revoked)
}

/// The privileges that there are on a relation.
pub fn of_relation(view: &View<'_>) -> impl Iterator<Item = &'static str> {
    let all = Target::TablesIn(String::new()).privileges().iter().copied();
    let is_old = view.server.version < settle::MAINTAIN;
    all.filter(move |privilege| !(is_old && *privilege == "maintain"))
}

/// What the templates need: the target's parts, and which privileges are given and taken.
fn context(delta: &Delta, view: &View<'_>) -> BTreeMap<String, Value> {
    let grantee = delta.address.schema.clone().unwrap_or_default();
    let target = Target::read(&delta.address.name);
    let mut context: BTreeMap<String, Value> = BTreeMap::new();
    let mut set = |name: &str, value: Value| context.insert(name.to_owned(), value);
    let sort = match &target {
        Some(Target::Database) => "database",
        Some(Target::Schema(_)) => "schema",
        Some(Target::Table(_)) => "table",
        Some(Target::TablesIn(_)) => "all tables",
        Some(Target::Sequence(_)) => "sequence",
        Some(Target::SequencesIn(_)) => "all sequences",
        Some(Target::Function(..)) => "function",
        Some(Target::FunctionsIn(_)) => "all functions",
        Some(Target::Type(_)) => "type",
        Some(Target::Role(_)) => "role",
        Some(Target::Later { .. }) => "later",
        None => "unknown",
    };
    let (object, schema) = match &target {
        Some(Target::Table(name) | Target::Sequence(name) | Target::Type(name) | Target::Function(name, _)) => {
            (Value::Name(name.clone()), Value::Null)
        }
        Some(
            Target::Schema(name)
            | Target::TablesIn(name)
            | Target::SequencesIn(name)
            | Target::FunctionsIn(name)
            | Target::Role(name),
        ) => (Value::text(name), Value::Null),
        Some(Target::Later { by, schema, .. }) => (Value::text(by), schema.as_ref().map_or(Value::Null, Value::text)),
        Some(Target::Database) | None => (Value::text(&view.server.database), Value::Null),
    };
    let arguments = match &target {
        Some(Target::Function(_, arguments)) => SqlText::new(arguments).map_or(Value::Null, Value::Sql),
        _ => Value::Null,
    };
    let what = match &target {
        Some(Target::Later { what, .. }) => Value::text(what),
        _ => Value::Null,
    };
    set("sort", Value::text(sort));
    set("object", object);
    set("schema", schema);
    set("arguments", arguments);
    set("what", what);
    set("everybody", Value::Bool(grantee == role::PUBLIC));
    set("grantee", Value::text(grantee));
    set("ends", Value::Bool(delta.is_remove()));
    set("lists", forms::lists(delta, view));
    for option in ["admin", "inherit", "set"] {
        let after = delta.change(option).and_then(|change| change.after.clone());
        set(option, after.unwrap_or(Value::Null));
    }
    context
}

/// A statement that revokes on all of a schema would take what the role has of what it owns, too.
fn would_take_owners(delta: &Delta, view: &View<'_>) -> Option<Diagnostic> {
    let (target, grantee) = (Target::read(&delta.address.name)?, delta.address.schema.as_deref()?);
    let (members, owned) = observe::owned_by(view.live, &target, grantee);
    let takes = delta.changes.iter().any(|change| {
        let (before, after) = (change.before.is_some(), change.after.as_ref());
        let is_named = !parts::kept_on(delta, &change.attribute).is_empty();
        change.attribute != EXCLUSIVE && !is_named && before && after.is_none_or(|after| *after == Value::Null)
    });
    if !takes || owned == 0 {
        return None;
    }
    let message =
        format!("nothing can be revoked from \"{grantee}\" on {}: {owned} of {members} are its own", target.name());
    let error = Diagnostic::error(&code::CANNOT_CHANGE, message)
        .why("the statement would take from the owner what it has of its own, too")
        .help("name one by one what it is to be revoked on");
    let desired = delta.desired.as_ref().or_else(|| view.desired.get(&delta.address));
    Some(desired.map_or(error.clone(), |desired| error.at(&desired.place)))
}
