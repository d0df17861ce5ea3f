//! Grants against what there is to be granted on, and to whom.

use crate::core::{Address, Desired, Ensure, KindId, Value, Version};
use crate::diag::{Diagnostic, code};
use crate::kinds::View;
use crate::kinds::grant::target::Target;
use crate::kinds::grant::{EXCLUSIVE, NOTHING_TO_GRANT_ON, observe};
use crate::kinds::role::{self, PUBLIC};

const MAINTAIN: Version = Version::new(17, 0);
const MEMBER_OPTIONS: Version = Version::new(16, 0);

/// See [`crate::kinds::Kind::settle`].
pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    let target = Target::read(&desired.address.name)?;
    let grantee = desired.address.schema.as_deref()?;
    if grantee != PUBLIC && !role_will_be(grantee, view) {
        sink.push(missing(
            &format!("no role \"{grantee}\""),
            desired,
            "a role that is to go is granted nothing: take the grants out",
        ));
        return None;
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
    let live = view.live.get(&desired.address);
    if settled.attributes.remove(EXCLUSIVE).is_some() {
        for name in live.iter().flat_map(|live| live.attributes.keys()) {
            settled.attributes.entry(name.clone()).or_insert(Value::Null);
        }
    }
    // What is to be revoked and is not granted is so already.
    let granted = |name: &str| live.is_some_and(|live| live.get(name).is_some());
    settled.attributes.retain(|name, value| *value != Value::Null || granted(name));
    (!settled.attributes.is_empty()).then_some(settled)
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
                return Some(exists(target));
            }
            missing(&format!("no schema \"{schema}\""), desired, migrations)
        }
        Target::Role(role) if role_will_be(role, view) => return Some(true),
        Target::Role(role) => missing(
            &format!("no role \"{role}\""),
            desired,
            "names are exact; write a document for it, or create it first",
        ),
        Target::Later { by, .. } if !role_will_be(by, view) => missing(
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
fn is_made(name: &crate::core::QualifiedName, view: &View<'_>) -> bool {
    let address = Address::in_schema(KindId::new("continuous_aggregate"), name);
    view.desired.get(&address).is_some_and(|made| made.ensure == Ensure::Present)
}

fn missing(what: &str, desired: &Desired, help: &str) -> Diagnostic {
    Diagnostic::error(&NOTHING_TO_GRANT_ON, format!("there is {what}")).at(&desired.place).help(help)
}
