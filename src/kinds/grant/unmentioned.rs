//! Privileges that a role of the policies has, and that no policy mentions: they are left alone, and
//! somebody hears of them.

use std::collections::BTreeMap;

use crate::core::{Address, Applied, Desired, Ensure, INTERNAL_SCHEMA, Live, QualifiedName, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::grant::target::Target;
use crate::kinds::grant::{COLUMNS, EXCLUSIVE, GRANTED, ID, observe};
use crate::kinds::{View, role};

/// Whether attributes that are spoken of are an answer to a privilege.
fn speaks<'a>(mut attributes: impl Iterator<Item = &'a String>, privilege: &str) -> bool {
    attributes.any(|name| name == privilege || name == EXCLUSIVE)
}

/// What is spoken of, of a grantee on a target: the policies' word, and what was applied, which is revoked
/// where no policy says it any more.
fn is_mentioned(
    privilege: &str,
    address: &Address,
    desired: &BTreeMap<Address, Desired>,
    applied: &BTreeMap<Address, Applied>,
) -> bool {
    let by_policy = desired.get(address).is_some_and(|it| speaks(it.attributes.keys(), privilege));
    by_policy || applied.get(address).is_some_and(|it| speaks(it.attributes.keys(), privilege))
}

/// Whether a role has something on a table of TimescaleDB's own that no hypertable has any more: dropping a
/// continuous aggregate leaves the tables of its compressed chunks behind (seen on 2.28.3), with what was granted
/// on the aggregate. They are nobody's to manage. Only where the role is to go do they count: they would keep it.
fn is_left_behind(live: &Live, grantee: &str, target: Option<&Target>, desired: &BTreeMap<Address, Desired>) -> bool {
    let role = Address { kind: role::ID, schema: None, name: grantee.to_owned() };
    let goes = desired.get(&role).is_some_and(|role| role.ensure == Ensure::Absent);
    let is_own = |name: &QualifiedName| name.schema == INTERNAL_SCHEMA && is_numbered(&name.name);
    !goes && live.fact(observe::PART).is_none() && matches!(target, Some(Target::Table(name)) if is_own(name))
}

/// Whether a table is called as TimescaleDB calls its own: `compress_hyper_5_26_chunk`.
fn is_numbered(name: &str) -> bool {
    let words = ["compress_hyper_", "_hyper_", "_compressed_hypertable_", "_materialized_hypertable_"];
    let rest = words.iter().find_map(|word| name.strip_prefix(word));
    rest.map(|rest| rest.strip_suffix("_chunk").unwrap_or(rest))
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '_'))
}

/// Leaves out of what grantees have what is mentioned, by the name of the thing or with all of its schema,
/// what TimescaleDB left behind, and what is then nothing.
pub fn leave_out(
    mut found: Vec<Live>,
    desired: &BTreeMap<Address, Desired>,
    applied: &BTreeMap<Address, Applied>,
) -> Vec<Live> {
    found.retain_mut(|live| {
        let beside = live.fact(observe::BESIDE).map(Value::as_list).unwrap_or_default();
        let [Value::Text(grantee), Value::Text(name)] = beside else { return true };
        let of = |name: String| Address { kind: ID, schema: Some(grantee.clone()), name };
        let target = Target::read(name);
        if is_left_behind(live, grantee, target.as_ref(), desired) {
            return false;
        }
        let with_all = target.as_ref().and_then(Target::whole).map(|whole| of(whole.name()));
        let addresses: Vec<Address> = with_all.into_iter().chain([of(name.clone())]).collect();
        live.attributes
            .retain(|privilege, _| !addresses.iter().any(|address| is_mentioned(privilege, address, desired, applied)));
        !live.attributes.is_empty()
    });
    found
}

/// A note on what the role has beside what its policy says of one thing.
pub fn note(settled: &Desired, grantee: &str, target: &Target, view: &View<'_>) -> Option<Diagnostic> {
    let told = |(privilege, how): (&String, &Value)| match how.as_text()? {
        GRANTED => Some(privilege.clone()),
        // These are told of by themselves.
        how if how.starts_with(COLUMNS) => None,
        how => Some(format!("{privilege} {how}")),
    };
    let left: Vec<String> = observe::unmentioned(view.live, grantee, target).filter_map(told).collect();
    let message = format!("\"{grantee}\" is also granted {}, on {}", left.join(" and "), target.name());
    let help = match target {
        Target::Later { .. } => "to manage it, name it in `default_privileges`; with `ensure: absent` it is revoked",
        _ => {
            "to manage it, name it in `grants`; with `ensure: absent` it is revoked, and by `exclusive: true` in its item"
        }
    };
    let note = Diagnostic::note(&code::UNMANAGED, message).at(&settled.place);
    (!left.is_empty()).then(|| note.why("what a policy does not mention is left alone").help(help))
}
