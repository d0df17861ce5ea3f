//! Privileges that default privileges made, on things that came later: where the policies describe those, they
//! are nobody's unmanaged grants, and where their role goes, they go with them.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Address, Applied, Delta, Desired, Ensure, Live, Named, SqlText, Value};
use crate::kinds::View;
use crate::kinds::grant::target::Target;
use crate::kinds::grant::{ID, WITH_OPTION, observe};
use crate::kinds::role;

/// The fact of what default privileges made that a role loses with them: each privilege, with the name of
/// the first of these.
const GOES: &str = "goes_with_default";

/// The default privileges that may have made what a role has on a target of an owner.
fn makers(target: &Target, owner: &str) -> Vec<Target> {
    let (what, schema) = match target {
        Target::Table(name) => ("tables", Some(&name.schema)),
        Target::Sequence(name) => ("sequences", Some(&name.schema)),
        Target::Function(name, _) => ("functions", Some(&name.schema)),
        Target::Type(name) => ("types", Some(&name.schema)),
        Target::Schema(_) => ("schemas", None),
        _ => return Vec::new(),
    };
    let later = |schema| Target::Later { by: owner.to_owned(), schema, what: what.to_owned() };
    [later(None)].into_iter().chain(schema.map(|schema| later(Some(schema.clone())))).collect()
}

/// The policies and what was applied: the ledger or, while a plan is carried out, what it saw.
struct Sides<'a> {
    desired: &'a BTreeMap<Address, Desired>,
    applied: &'a BTreeMap<Address, Applied>,
}

impl Sides<'_> {
    /// Whether a role was applied, and is not to be any more.
    fn goes(&self, grantee: &str) -> bool {
        let address = Address::global(role::ID, grantee);
        match self.desired.get(&address) {
            Some(role) => role.ensure == Ensure::Absent,
            None => self.applied.contains_key(&address),
        }
    }

    fn is_wanted(&self, later: &Address, privilege: &str) -> bool {
        let wanted = self.desired.get(later).and_then(|it| it.get(privilege));
        wanted.is_some_and(|value| *value != Value::Null)
    }

    fn was_applied(&self, later: &Address, privilege: &str) -> bool {
        let then = self.applied.get(later).and_then(|it| it.attributes.get(privilege));
        then.is_some_and(|value| !value.is_null())
    }
}

/// Tells apart what default privileges made that the policies want or, of a role that goes, that were applied.
/// They must be there, and give as much. What else a role has on the same thing stays as it is.
pub fn mark(found: &mut [Live], desired: &BTreeMap<Address, Desired>, applied: &BTreeMap<Address, Applied>) {
    let sides = Sides { desired, applied };
    let is_later = |live: &&Live| matches!(Target::read(&live.address.name), Some(Target::Later { .. }));
    let named = found.iter().filter(|live| live.fact(observe::BESIDE).is_none()).filter(is_later);
    let there: BTreeMap<Address, Named<Value>> =
        named.map(|live| (live.address.clone(), live.attributes.clone())).collect();
    for live in found.iter_mut() {
        let Some((grantee, target)) = observe::beside_what(live) else { continue };
        let Some(owner) = live.fact(observe::OWNER).and_then(Value::as_text) else { continue };
        let goes = sides.goes(&grantee);
        let later = makers(&target, owner);
        let maker = |privilege: &str, how: &Value| {
            later.iter().map(Target::name).find(|name| {
                let address = Address { kind: ID, schema: Some(grantee.clone()), name: name.clone() };
                let gives = there.get(&address).and_then(|has| has.get(privilege));
                let is_ours = if goes {
                    // What may have been passed on is not to be revoked unseen.
                    sides.was_applied(&address, privilege) && how.as_text() != Some(WITH_OPTION)
                } else {
                    sides.is_wanted(&address, privilege)
                };
                is_ours && gives.is_some_and(|gives| gives == how || gives.as_text() == Some(WITH_OPTION))
            })
        };
        let made: BTreeMap<String, Value> = live
            .attributes
            .iter()
            .filter_map(|(name, how)| Some((name.clone(), Value::text(maker(name, how)?))))
            .collect();
        live.attributes.retain(|privilege, _| !made.contains_key(privilege));
        // Policies do not describe what is granted on types otherwise.
        live.system |= live.attributes.is_empty() || matches!(target, Target::Type(_));
        if goes && !made.is_empty() {
            live.set_fact(GOES, Value::Map(made));
        }
    }
}

/// A thing that a role loses privileges on with default privileges.
struct Going<'a> {
    target: Target,
    /// Each privilege, with the name of these.
    made: &'a BTreeMap<String, Value>,
    /// Whether it is all that the role has on it, beside what the policies or the ledger name.
    is_all: bool,
}

impl<'a> Going<'a> {
    /// The privileges that it loses with the default privileges of a name.
    fn of(&self, maker: &str) -> impl Iterator<Item = &'a String> {
        self.made.iter().filter(move |(_, of)| of.as_text() == Some(maker)).map(|(privilege, _)| privilege)
    }
}

fn going<'a>(role: &'a str, view: &'a View<'_>) -> impl Iterator<Item = Going<'a>> {
    let own = view.live.values().filter(|live| live.address.kind == ID);
    own.filter_map(move |live| match (live.fact(GOES)?, observe::beside_what(live)?) {
        (Value::Map(made), (grantee, target)) if grantee == role => {
            let named = live.address.name != target.name();
            Some(Going { target, made, is_all: !named && live.attributes.is_empty() })
        }
        _ => None,
    })
}

/// The privileges on one of some targets that a role loses with default privileges.
pub fn lost<'a>(role: &'a str, on: &[Target], view: &'a View<'_>) -> BTreeSet<&'a String> {
    going(role, view).filter(|going| on.contains(&going.target)).flat_map(|going| going.made.keys()).collect()
}

/// Whether that is all that it has there.
pub fn is_all(role: &str, on: &[Target], view: &View<'_>) -> bool {
    going(role, view).any(|going| going.is_all && on.contains(&going.target))
}

/// How many things a note names.
const NAMED: usize = 8;

/// What is to be said of default privileges with which more goes.
pub fn note(delta: &Delta, view: &View<'_>) -> Option<String> {
    let own = |going: Going<'_>| {
        let privileges: Vec<&str> = going.of(&delta.address.name).map(String::as_str).collect();
        (!privileges.is_empty()).then(|| format!("{} on {}", privileges.join(", "), going.target.name()))
    };
    let all: Vec<String> = going(delta.address.schema.as_deref()?, view).filter_map(own).collect();
    let more = match all.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and what it gave on {more} more"),
    };
    let shown: Vec<&str> = all.iter().take(NAMED).map(String::as_str).collect();
    (!all.is_empty()).then(|| format!("what it gave since is revoked with it: {}{more}", shown.join("; ")))
}

/// What is to be revoked with default privileges of a role that goes: for each thing its sort, its name and the
/// privileges.
pub fn items(delta: &Delta, view: &View<'_>) -> Vec<Value> {
    let Some(role) = delta.address.schema.as_deref() else { return Vec::new() };
    let item = |going: Going<'_>| {
        let privileges: Vec<String> = going.of(&delta.address.name).cloned().collect();
        if privileges.is_empty() {
            return None;
        }
        let (sort, object, arguments) = match going.target {
            Target::Table(name) => ("table", Value::Name(name), Value::Null),
            Target::Sequence(name) => ("sequence", Value::Name(name), Value::Null),
            Target::Function(name, arguments) => {
                ("function", Value::Name(name), SqlText::new(&arguments).map_or(Value::Null, Value::Sql))
            }
            Target::Schema(name) => ("schema", Value::text(name), Value::Null),
            Target::Type(name) => ("type", Value::Name(name), Value::Null),
            _ => return None,
        };
        Some(Value::Map(BTreeMap::from([
            ("sort".to_owned(), Value::text(sort)),
            ("object".to_owned(), object),
            ("arguments".to_owned(), arguments),
            ("privileges".to_owned(), Value::texts(privileges)),
        ])))
    };
    going(role, view).filter_map(item).collect()
}
