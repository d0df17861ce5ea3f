//! A thing may be granted on by its name and with all of its schema. What a role has on a schema's things is told
//! of each of them, so that what one grant gives is not taken away with the other: of what is revoked on all of a
//! schema, what is to stay on some of it; and of what is made anew, what stays on the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::forms::forms;
use super::observe::{self, ByPrivilege};
use super::target::Target;
use super::{COLUMNS, EXCLUSIVE, GRANTED, ID, WITH_OPTION, settle};
use crate::core::{Address, Applied, Change, Delta, Desired, Live, Named, QualifiedName, SqlText, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::View;

/// The fact of what a grantee has on each of the things that a target stands for, by their names as targets.
const PARTS: &str = "parts";
/// The fact of how many things those are, its own left out.
const MEMBERS: &str = "members";
/// The fact of what another grant of the role gives on some of them: of each privilege, on which.
const KEPT: &str = "kept";
/// The fact of what of that is there, and left out here.
const STAYS: &str = "stays";

/// What a part has of each privilege, and its grantors and those that it was passed on to.
const HAS: &str = "has";
const OF_PART: [&str; 3] = [HAS, observe::GIVEN_BY, observe::PASSED_TO];

/// What a grantee has on one of the things that a target stands for.
#[derive(Default)]
pub struct Part {
    /// Each privilege, and how it is granted.
    pub has: BTreeMap<String, String>,
    /// By whom, where that is not the owner.
    pub given_by: ByPrivilege,
    /// To whom it was passed on.
    pub passed_to: ByPrivilege,
}

/// Those things, by their names as targets.
pub type Parts = BTreeMap<String, Part>;

/// How something is granted on things, of which there are so many.
pub fn told(count: i64, grantable: i64, members: i64) -> String {
    match () {
        () if count < members && grantable > 0 => format!("on {count} of {members}, {grantable} with grant option"),
        () if count < members => format!("on {count} of {members}"),
        () if grantable == members => WITH_OPTION.to_owned(),
        () if grantable == 0 => GRANTED.to_owned(),
        () => format!("granted, with grant option on {grantable} of {members}"),
    }
}

/// Says of each part what there is on it. What that makes of a plan, its statements tell.
pub fn tell(live: &mut Live, parts: Parts, members: i64) {
    let roles = |of: ByPrivilege| Value::Map(of.into_iter().map(|(name, of)| (name, Value::texts(of))).collect());
    let part = |part: Part| {
        let has = part.has.into_iter().map(|(name, how)| (name, Value::Text(how))).collect();
        let [has_key, given_by, passed_to] = OF_PART.map(str::to_owned);
        Value::Map(BTreeMap::from([
            (has_key, Value::Map(has)),
            (given_by, roles(part.given_by)),
            (passed_to, roles(part.passed_to)),
        ]))
    };
    live.set_fact(PARTS, Value::Map(parts.into_iter().map(|(name, it)| (name, part(it))).collect()));
    live.set_fact(MEMBERS, members);
    live.passing = &[PARTS, MEMBERS, KEPT, STAYS];
}

fn parts(live: &Live) -> Option<&BTreeMap<String, Value>> {
    map(live.fact(PARTS))
}

fn map(value: Option<&Value>) -> Option<&BTreeMap<String, Value>> {
    if let Some(Value::Map(entries)) = value { Some(entries) } else { None }
}

fn map_mut(value: Option<&mut Value>) -> Option<&mut BTreeMap<String, Value>> {
    if let Some(Value::Map(entries)) = value { Some(entries) } else { None }
}

/// What a part has of each privilege, or who gave it or has it from there.
fn of_part<'a>(part: &'a Value, what: &str) -> Option<&'a BTreeMap<String, Value>> {
    if let Value::Map(part) = part { map(part.get(what)) } else { None }
}

fn of_part_mut<'a>(part: &'a mut Value, what: &str) -> Option<&'a mut BTreeMap<String, Value>> {
    if let Value::Map(part) = part { map_mut(part.get_mut(what)) } else { None }
}

/// How a privilege is granted on all of them.
fn sum<'a>(hows: impl Iterator<Item = &'a Value>, members: i64) -> Option<String> {
    let (mut whole, mut option, mut columns) = (0, 0, 0);
    for how in hows.filter_map(Value::as_text) {
        whole += i64::from(how == GRANTED || how == WITH_OPTION);
        option += i64::from(how == WITH_OPTION);
        columns += i64::from(how.starts_with(COLUMNS));
    }
    match (whole, columns) {
        (0, 0) => None,
        (0, columns) => Some(format!("{COLUMNS}of {columns} of {members}")),
        _ => Some(told(whole, option, members)),
    }
}

/// Makes what is said of the whole follow from its parts again.
fn sum_up(live: &mut Live) {
    let members = live.fact(MEMBERS).and_then(Value::as_int).unwrap_or_default();
    let (mut attributes, mut columns) = (Named::new(), BTreeMap::new());
    let mut roles: [BTreeMap<String, BTreeSet<String>>; 2] = Default::default();
    let parts = parts(live).cloned().unwrap_or_default();
    let privileges: BTreeSet<&String> =
        parts.values().filter_map(|part| of_part(part, HAS)).flat_map(BTreeMap::keys).collect();
    for privilege in privileges {
        let hows = || parts.values().filter_map(|part| of_part(part, HAS)?.get(privilege));
        if let Some(how) = sum(hows(), members) {
            attributes.insert(privilege.clone(), Value::Text(how));
        }
        let on_columns = hows().filter(|how| how.as_text().is_some_and(|how| how.starts_with(COLUMNS)));
        if let Some(how) = sum(on_columns, members) {
            columns.insert(privilege.clone(), Value::Text(how));
        }
        for (roles, fact) in roles.iter_mut().zip([observe::GIVEN_BY, observe::PASSED_TO]) {
            let all = parts.values().filter_map(|part| of_part(part, fact)?.get(privilege));
            let all: BTreeSet<String> =
                all.flat_map(Value::as_list).filter_map(Value::as_text).map(str::to_owned).collect();
            if !all.is_empty() {
                roles.insert(privilege.clone(), all);
            }
        }
    }
    if let Some(exclusive) = live.attributes.get(EXCLUSIVE) {
        attributes.insert(EXCLUSIVE.to_owned(), exclusive.clone());
    }
    live.attributes = attributes;
    live.set_fact("columns", Value::Map(columns));
    for (roles, fact) in roles.into_iter().zip([observe::GIVEN_BY, observe::PASSED_TO]) {
        let roles: BTreeMap<String, Value> = roles.into_iter().map(|(name, of)| (name, Value::texts(of))).collect();
        match roles.is_empty() {
            true => _ = live.facts.remove(fact),
            false => live.set_fact(fact, Value::Map(roles)),
        }
    }
}

fn wanted<'a>(desired: Option<&'a Desired>, privilege: &str) -> Option<&'a str> {
    desired?.get(privilege)?.as_text()
}

/// What one policy grants, on a thing by its name.
fn given(desired: &Desired) -> impl Iterator<Item = (&String, &str)> {
    let privileges = desired.attributes.iter().filter(|(name, _)| *name != EXCLUSIVE);
    privileges.filter_map(|(name, how)| Some((name, how.as_text()?)))
}

/// Leaves out of what a grant has what it is not to give itself and another grant of the role gives: it stays, whoever
/// gives it. What is then nothing of what was applied, and is not wanted, is nothing to remove.
pub fn apart(found: &mut Vec<Live>, desired: &BTreeMap<Address, Desired>, applied: &BTreeMap<Address, Applied>) {
    let mut single: BTreeMap<Address, Vec<&Desired>> = BTreeMap::new();
    for desired in desired.values().filter(|desired| desired.address.kind == ID) {
        if let Some(whole) = whole_of(&desired.address) {
            single.entry(whole).or_default().push(desired);
        }
    }
    found.retain_mut(|live| {
        if live.address.kind != ID || live.system || live.fact(observe::BESIDE).is_some() {
            return true;
        }
        let own = desired.get(&live.address);
        let is_changed = match whole_of(&live.address) {
            Some(whole) => {
                let with_all = desired.get(&whole);
                let before = live.attributes.len();
                let is_kept = |name: &str| wanted(own, name).is_none() && wanted(with_all, name).is_some();
                live.attributes.retain(|name, _| !is_kept(name));
                live.attributes.len() < before
            }
            None => single.get(&live.address).is_some_and(|single| keep(live, own, single)),
        };
        match applied.get(&live.address) {
            _ if own.is_some() => true,
            Some(then) => live.attributes.keys().any(|name| then.attributes.contains_key(name)),
            None => !is_changed || !live.attributes.is_empty(),
        }
    });
}

fn whole_of(address: &Address) -> Option<Address> {
    let whole = Target::read(&address.name)?.whole()?;
    Some(Address { name: whole.name(), ..address.clone() })
}

/// Leaves out of what there is on all of a schema what is granted on some of it by their names, also where it is still
/// to be granted: it may be by the time that this is revoked. Whether anything is left out that is there.
fn keep(live: &mut Live, own: Option<&Desired>, single: &[&Desired]) -> bool {
    let [mut kept, mut stays] = [BTreeMap::<String, Vec<String>>::new(), BTreeMap::new()];
    let Some(parts) = map_mut(live.facts.get_mut(PARTS)) else { return false };
    for desired in single {
        let name = &desired.address.name;
        for (privilege, how) in given(desired) {
            let wanted = wanted(own, privilege);
            if wanted.is_some() && !(wanted == Some(GRANTED) && how == WITH_OPTION) {
                continue;
            }
            kept.entry(privilege.clone()).or_default().push(name.clone());
            let Some(part) = parts.get_mut(name) else { continue };
            if leave(part, privilege, wanted) {
                stays.entry(privilege.clone()).or_default().push(name.clone());
            }
        }
    }
    if kept.is_empty() {
        return false;
    }
    sum_up(live);
    let is_any = !stays.is_empty();
    for (fact, on) in [(KEPT, kept), (STAYS, stays)] {
        live.set_fact(fact, Value::Map(on.into_iter().map(|(name, on)| (name, Value::texts(on))).collect()));
    }
    is_any
}

/// Leaves out of what a part has what is more than this grant is to give. Whether that is anything.
fn leave(part: &mut Value, privilege: &str, wanted: Option<&str>) -> bool {
    let Some(has) = of_part_mut(part, HAS) else { return false };
    let Some(there) = has.get(privilege).and_then(Value::as_text) else { return false };
    if wanted.is_some() {
        let is_more = there == WITH_OPTION;
        if is_more {
            has.insert(privilege.to_owned(), Value::text(GRANTED));
        }
        return is_more;
    }
    for what in OF_PART {
        if let Some(of) = of_part_mut(part, what) {
            of.remove(privilege);
        }
    }
    true
}

/// See [`crate::kinds::Kind::left_of`].
pub fn left_of(live: &Live, gone: &BTreeSet<QualifiedName>) -> Option<Live> {
    let mut left = live.clone();
    let parts = map_mut(left.facts.get_mut(PARTS))?;
    for name in gone {
        parts.remove(&Target::Table(name.clone()).name());
    }
    sum_up(&mut left);
    left.attributes.keys().any(|name| name != EXCLUSIVE).then_some(left)
}

/// What there is on all of a schema once there are so many more things, on which there is nothing yet.
pub fn joined_by(live: &Live, more: usize) -> Option<Live> {
    let members = live.fact(MEMBERS).and_then(Value::as_int).filter(|_| more > 0)?;
    let mut joined = live.clone();
    joined.set_fact(MEMBERS, members + i64::try_from(more).ok()?);
    sum_up(&mut joined);
    Some(joined)
}

/// The privileges that a live grant tells of one thing, given as the targets that it is, or is part of.
pub fn had_on<'a>(live: &'a Live, thing: &[Target]) -> impl Iterator<Item = &'a String> {
    let target = Target::read(&live.address.name);
    let is_whole = thing.iter().any(|of| of.whole().is_some() && of.whole() == target);
    let part = || {
        let named = thing.iter().filter(|of| of.whole().is_some()).map(Target::name);
        named.filter_map(|name| of_part(parts(live)?.get(&name)?, HAS)).next()
    };
    let whole = (!is_whole).then_some(&live.attributes).into_iter().flat_map(|attributes| attributes.keys());
    let one = is_whole.then(part).flatten();
    whole.chain(one.into_iter().flat_map(BTreeMap::keys))
}

/// On which things a privilege is to be that is revoked on all of a schema.
pub fn kept_on<'a>(delta: &'a Delta, privilege: &str) -> &'a [Value] {
    on(delta, KEPT, privilege)
}

fn on<'a>(delta: &'a Delta, fact: &str, privilege: &str) -> &'a [Value] {
    let on = delta.live.as_ref().and_then(|live| map(live.fact(fact))?.get(privilege));
    on.map(Value::as_list).unwrap_or_default()
}

/// The statements that revoke privileges on all of a schema but some: of each the sort, the privileges, and the
/// things. What the plan drops is not named: it may be gone by then.
pub fn revoked(delta: &Delta, view: &View<'_>) -> Vec<Value> {
    let Some(parts) = delta.live.as_ref().and_then(parts) else { return Vec::new() };
    let mut statements: BTreeMap<(bool, Vec<Target>), Vec<Value>> = BTreeMap::new();
    for change in delta.changes.iter().filter(|change| !kept_on(delta, &change.attribute).is_empty()) {
        for option in forms(change).iter().filter_map(|form| takes_option(form)) {
            let has = |part: &Value| {
                let how = of_part(part, HAS).and_then(|has| has.get(&change.attribute)?.as_text());
                how.is_some_and(|how| !option || how == WITH_OPTION)
            };
            let on = parts.iter().filter(|(_, part)| has(part)).filter_map(|(name, _)| Target::read(name));
            let on: Vec<Target> = on.filter(|target| !settle::is_dropped(target, view)).collect();
            if !on.is_empty() {
                statements.entry((option, on)).or_default().push(Value::text(&change.attribute));
            }
        }
    }
    statements.into_iter().map(|((option, on), privileges)| statement(option, &on, privileges)).collect()
}

/// Whether a form gives something.
pub fn gives(form: &str) -> bool {
    takes_option(form).is_none()
}

/// Whether a form revokes only the grant option; `None` for one that revokes nothing.
fn takes_option(form: &str) -> Option<bool> {
    match form {
        "revoke" => Some(false),
        "revoke_option" => Some(true),
        _ => None,
    }
}

fn statement(option: bool, on: &[Target], privileges: Vec<Value>) -> Value {
    let object = |target: &Target| {
        let (name, arguments) = match target {
            Target::Table(name) | Target::Sequence(name) => (name, Value::Null),
            Target::Function(name, arguments) => (name, SqlText::new(arguments).map_or(Value::Null, Value::Sql)),
            _ => return None,
        };
        let object = [("name".to_owned(), Value::Name(name.clone())), ("arguments".to_owned(), arguments)];
        Some(Value::Map(BTreeMap::from(object)))
    };
    let sort = match on.first() {
        Some(Target::Sequence(_)) => "sequence",
        Some(Target::Function(..)) => "function",
        _ => "table",
    };
    Value::Map(BTreeMap::from([
        ("option".to_owned(), Value::Bool(option)),
        ("privileges".to_owned(), Value::List(privileges)),
        ("sort".to_owned(), Value::text(sort)),
        ("objects".to_owned(), Value::List(on.iter().filter_map(object).collect())),
    ]))
}

/// How many things a note names.
const NAMED: usize = 8;

/// What is to be said of privileges that stay on some things where they are revoked on all of a schema.
pub fn note(delta: &Delta) -> Option<String> {
    let takes = |change: &&Change| forms(change).iter().any(|form| takes_option(form).is_some());
    let stays = |change: &Change| {
        let on: Vec<&str> = on(delta, STAYS, &change.attribute).iter().filter_map(Value::as_text).collect();
        let named = on.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = on.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!on.is_empty()).then(|| format!("{} on {named}{more}", change.attribute))
    };
    let all: Vec<String> = delta.changes.iter().filter(takes).filter_map(stays).collect();
    (!all.is_empty()).then(|| format!("stays, as it is granted by name: {}", all.join("; ")))
}

/// What a role is granted on all of a schema, and is not to have on one thing of it.
pub fn check(own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    for desired in own {
        let Some(with_all) = whole_of(&desired.address).and_then(|whole| all.get(&whole)) else { continue };
        let is_exclusive = desired.get(EXCLUSIVE).is_some();
        for (privilege, how) in given(with_all) {
            let (place, less) = match desired.get(privilege).map(Value::as_text) {
                Some(None) => (desired.place_of(privilege), "not at all"),
                Some(Some(GRANTED)) if how == WITH_OPTION => (desired.place_of(privilege), "without its grant option"),
                None if is_exclusive => (desired.place_of(EXCLUSIVE), "nothing but what its own item lists"),
                _ => continue,
            };
            let grantee = desired.address.schema.as_deref().unwrap_or_default();
            let message = format!(
                "\"{grantee}\" is to have {privilege} on {}, and on {} {less}",
                with_all.address.name, desired.address.name
            );
            sink.push(
                Diagnostic::error(&code::POLICY_CONFLICT, message)
                    .at(place)
                    .and_at(with_all.place_of(privilege), "this grants it on all of them")
                    .why("what is granted on all of a schema is granted on each thing of it")
                    .help("name one by one what it is to be granted on, or take one of the two items out"),
            );
        }
    }
}
