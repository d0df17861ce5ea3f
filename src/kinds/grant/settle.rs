//! Grants against what there is to be granted on, and to whom.

use std::collections::BTreeSet;

use crate::core::{Address, Desired, Ensure, KindId, QualifiedName, Value, Version};
use crate::diag::{Diagnostic, code};
use crate::kinds::grant::target::Target;
use crate::kinds::grant::{EXCLUSIVE, NOTHING_TO_GRANT_ON, OWNERS_OWN, observe, unmentioned};
use crate::kinds::role::{self, PUBLIC};
use crate::kinds::{self, View};

/// The first with that privilege.
pub const MAINTAIN: Version = Version::new(17, 0);
const MEMBER_OPTIONS: Version = Version::new(16, 0);

/// See [`crate::kinds::Kind::settle`].
pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    let target = Target::read(&desired.address.name)?;
    let grantee = desired.address.schema.as_deref()?;
    if grantee != PUBLIC && !role_will_be(grantee, view) {
        if !only_revokes(desired) {
            sink.push(missing(
                &format!("no role \"{grantee}\""),
                desired,
                "a role that is to go is granted nothing: take the grants out, or write `ensure: absent` in them",
            ));
            return None;
        }
        // What a role has may be taken from it before it goes. Where it is gone, nothing is left to take.
        observe::target_of(view.live, &Target::Role(grantee.to_owned()))?;
    }
    let mut settled = desired.clone();
    if settled.ensure == Ensure::Absent {
        return Some(settled);
    }
    if !is_there(&target, desired, view, sink)? {
        return None;
    }
    for (attribute, since) in [("maintain", MAINTAIN), ("inherit", MEMBER_OPTIONS), ("set", MEMBER_OPTIONS)] {
        if settled.attributes.contains_key(attribute) && view.server.version < since {
            let message = format!("`{attribute}` needs PostgreSQL {} or newer", since.major);
            sink.push(
                Diagnostic::error(&code::NEEDS_NEWER_SERVER, message)
                    .at(desired.place_of(attribute))
                    .help(format!("take it out of the policy: this is {}", view.server.version)),
            );
            return None;
        }
    }
    if is_owners(&target, grantee, view) {
        sink.push(owners_own(&target, grantee, desired));
        return None;
    }
    let live = view.live.get(&desired.address);
    if settled.attributes.contains_key(EXCLUSIVE) {
        for name in live.iter().flat_map(|live| live.attributes.keys()) {
            settled.attributes.entry(name.clone()).or_insert(Value::Null);
        }
    }
    let given = given_to_what_is_new(&settled, grantee, &target, view);
    for name in &given {
        settled.attributes.entry(name.clone()).or_insert(Value::Null);
    }
    // What is to be revoked and is not granted is so already.
    let granted = |name: &str| given.contains(name) || live.is_some_and(|live| live.get(name).is_some());
    settled.attributes.retain(|name, value| *value != Value::Null || granted(name));
    sink.extend(on_columns(&settled, grantee, &target, view));
    sink.extend(unmentioned::note(&settled, grantee, &target, view));
    settled.attributes.keys().any(|name| name != EXCLUSIVE).then_some(settled)
}

/// What default privileges give a role on a relation that the same plan makes, where its policy has it revoked or
/// lists all that the role is to have.
fn given_to_what_is_new(settled: &Desired, grantee: &str, target: &Target, view: &View<'_>) -> BTreeSet<String> {
    let new = match target {
        Target::Table(name) if observe::target_of(view.live, target).is_none() && is_made(name, view) => name,
        _ => return BTreeSet::new(),
    };
    // Where nothing is granted on it, nothing waits for it either.
    if only_revokes(settled) {
        return BTreeSet::new();
    }
    let is_exclusive = settled.attributes.contains_key(EXCLUSIVE);
    let given = super::given_by_default(view, grantee, new);
    let goes = |name: &&str| is_exclusive || settled.get(name) == Some(&Value::Null);
    given.into_iter().filter(goes).map(str::to_owned).collect()
}

/// Whether a policy takes something from a role and gives it nothing.
pub fn only_revokes(desired: &Desired) -> bool {
    let gives = |(name, value): (&String, &Value)| name != EXCLUSIVE && *value != Value::Null;
    desired.ensure == Ensure::Absent || !desired.attributes.iter().any(gives)
}

/// Whether everything that a target stands for is the role's own, or will be.
fn is_owners(target: &Target, grantee: &str, view: &View<'_>) -> bool {
    let (members, owned) = observe::owned_by(view.live, target, grantee);
    let makes = match target {
        Target::Later { by, .. } => return by == grantee,
        Target::Table(name) => members == 0 && is_made(name, view),
        Target::TablesIn(schema) => members == owned && made_in(schema, view).next().is_some(),
        _ => false,
    };
    (members > 0 && members == owned && !makes) || (makes && grantee == view.server.user)
}

fn owners_own(target: &Target, grantee: &str, desired: &Desired) -> Diagnostic {
    let message = match target {
        Target::Later { .. } => format!("what \"{grantee}\" makes later will be its own, and needs no grant"),
        _ => format!("\"{grantee}\" owns {}, and needs no grant", target.name()),
    };
    Diagnostic::note(&OWNERS_OWN, message)
        .at(&desired.place)
        .why("an owner has every privilege on what it owns; what it has is left alone, and nothing is recorded of it")
}

/// What the role is granted on columns, and the policy says nothing of.
fn on_columns(settled: &Desired, grantee: &str, target: &Target, view: &View<'_>) -> Option<Diagnostic> {
    let live = view.live.get(&settled.address)?;
    let Some(Value::Map(columns)) = live.fact("columns") else { return None };
    // What the policy grants on the whole says all that there is to say; what it revokes, goes.
    let left = columns.iter().filter(|(privilege, _)| settled.get(privilege).is_none());
    let left: Vec<String> =
        left.filter_map(|(privilege, columns)| Some(format!("{privilege} {}", columns.as_text()?))).collect();
    let message = format!("\"{grantee}\" is also granted {}, on {}", left.join(" and "), target.name());
    let note = Diagnostic::note(&code::UNMANAGED, message)
        .at(&settled.place)
        .why("policies do not describe grants on columns; they are left alone, and count as no grant on the whole")
        .help("revoking the privilege on the whole, as with `ensure: absent`, revokes it on every column, too");
    (!left.is_empty()).then_some(note)
}

/// What the policies make relations in a schema of.
pub fn makeable_in<'a>(schema: &'a str, view: &'a View<'_>) -> impl Iterator<Item = &'a Desired> + 'a {
    let made = view.desired.values().filter(|desired| desired.ensure == Ensure::Present);
    let made = made.filter(|made| kinds::by_id(&made.address.kind).is_some_and(|kind| kind.makes(made).is_some()));
    made.filter(move |made| made.on.as_ref().is_some_and(|on| on.schema == schema))
}

/// The relations in a schema that the same plan makes, and that are not there yet.
pub fn made_in<'a>(schema: &'a str, view: &'a View<'_>) -> impl Iterator<Item = &'a QualifiedName> + 'a {
    let new = makeable_in(schema, view).filter(|made| !view.live.contains_key(&made.address));
    new.filter_map(|made| made.on.as_ref())
}

/// Whether a role exists and stays, or the policies make it.
fn role_will_be(name: &str, view: &View<'_>) -> bool {
    match view.desired.get(&Address::global(role::ID, name)) {
        Some(wanted) => wanted.ensure == Ensure::Present,
        None => observe::target_of(view.live, &Target::Role(name.to_owned())).is_some(),
    }
}

/// Whether there is something to grant on. `None` where there is not and that is said; false where a
/// schema has nothing of the sort.
fn is_there(target: &Target, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<bool> {
    let exists = |target: &Target| observe::target_of(view.live, target).is_some();
    let migrations = "check the spelling and the schema, or run the migration that makes it first";
    let problem = match target {
        Target::Database => return Some(true),
        Target::TablesIn(schema) | Target::SequencesIn(schema) | Target::FunctionsIn(schema) => {
            if exists(&Target::Schema(schema.clone())) {
                let made = matches!(target, Target::TablesIn(_)) && made_in(schema, view).next().is_some();
                return Some(exists(target) || made);
            }
            missing(&format!("no schema \"{schema}\""), desired, migrations)
        }
        Target::Role(role) if role_will_be(role, view) => return Some(true),
        Target::Role(role) => missing(
            &format!("no role \"{role}\""),
            desired,
            "names are exact; write a document for it, or create it first",
        ),
        // With a role went what it gave: nothing is left to revoke. Of one that no policy describes, the name may as
        // well be mistyped.
        Target::Later { by, .. } if only_revokes(desired) && !exists(&Target::Role(by.clone())) => {
            if !view.desired.contains_key(&Address::global(role::ID, by)) {
                sink.push(nobodys(by, desired));
            }
            return None;
        }
        Target::Later { by, .. } if !role_will_be(by, view) && !only_revokes(desired) => missing(
            &format!("no role \"{by}\""),
            desired,
            "names are exact; write a document for it, or create it first",
        ),
        Target::Later { schema: Some(schema), .. } if !exists(&Target::Schema(schema.clone())) => {
            missing(&format!("no schema \"{schema}\""), desired, migrations)
        }
        Target::Later { .. } => return Some(true),
        _ if exists(target) => return Some(true),
        Target::Table(name) if is_made(name, view) => return Some(true),
        Target::Function(name, _) => {
            let others = observe::functions_of(view.live, name);
            match others.as_slice() {
                [] => missing(&format!("no {}", target.name()), desired, migrations),
                others => {
                    missing(&format!("no {}", target.name()), desired, &format!("there is {}", others.join(", ")))
                }
            }
        }
        _ => missing(&format!("no {}", target.name()), desired, migrations),
    };
    sink.push(problem);
    None
}

/// Whether the same plan makes a relation.
fn is_made(name: &QualifiedName, view: &View<'_>) -> bool {
    let address = Address::in_schema(KindId::new("continuous_aggregate"), name);
    view.desired.get(&address).is_some_and(|made| made.ensure == Ensure::Present)
}

/// The relations in a schema that the same plan drops.
pub fn dropped_in<'a>(schema: &'a str, view: &'a View<'_>) -> impl Iterator<Item = QualifiedName> + 'a {
    let dropped = view.desired.values().filter(|desired| {
        desired.ensure == Ensure::Absent && desired.address.kind == KindId::new("continuous_aggregate")
    });
    dropped.filter_map(|desired| desired.address.object()).filter(move |name| name.schema == schema)
}

/// Whether the same plan drops a thing.
pub fn is_dropped(target: &Target, view: &View<'_>) -> bool {
    matches!(target, Target::Table(name) if dropped_in(&name.schema, view).any(|dropped| dropped == *name))
}

/// What is to be revoked of what a role makes that is not there.
fn nobodys(by: &str, desired: &Desired) -> Diagnostic {
    let message = format!("there is no role \"{by}\", so that nothing is revoked of what it makes");
    Diagnostic::warning(&NOTHING_TO_GRANT_ON, message)
        .at(&desired.place)
        .why("where the role has gone, what it gave by default went with it; where its name is mistyped, nothing is done")
        .help("check the name; for a role that has gone, take the item out, or keep its document with `ensure: absent`")
}

fn missing(what: &str, desired: &Desired, help: &str) -> Diagnostic {
    Diagnostic::error(&NOTHING_TO_GRANT_ON, format!("there is {what}")).at(&desired.place).help(help)
}
