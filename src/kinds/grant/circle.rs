//! Memberships in a circle, which the server refuses (`0LP01`: `AddRoleMems` in `src/backend/commands/user.c`):
//! those that the policies want, and those that are there already and stay.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Address, Delta, Desired, Ensure};
use crate::diag::{Code, Diagnostic};
use crate::kinds::View;
use crate::kinds::grant::{ends_membership, membership, observe};

pub static MEMBERSHIP_CIRCLE: Code =
    Code::new("membership-circle", "Roles that would be members of each other, directly or through others.");

/// What each role is to be a member of.
type Above = BTreeMap<String, BTreeSet<String>>;

/// The live memberships that plans may act on.
pub fn live_ones<'a>(view: &'a View<'_>) -> impl Iterator<Item = &'a Address> + 'a {
    view.live.keys().filter(|address| membership(address).is_some())
}

/// The way from a role up to another one, both of them included; the shortest.
fn way(from: &str, to: &str, above: &Above) -> Option<Vec<String>> {
    let mut ways = vec![vec![from.to_owned()]];
    let mut seen = BTreeSet::from([from.to_owned()]);
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let Some(last) = way.last() else { continue };
            if last == to {
                return Some(way);
            }
            for next in above.get(last).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    longer.push(way.iter().cloned().chain([next.clone()]).collect());
                }
            }
        }
        ways = longer;
    }
    None
}

fn error(way: &[String]) -> Diagnostic {
    let steps: Vec<String> =
        way.iter().zip(way.iter().skip(1)).map(|(member, of)| format!("\"{member}\" of \"{of}\"")).collect();
    let message = format!("memberships in a circle: {}", steps.join(", "));
    Diagnostic::error(&MEMBERSHIP_CIRCLE, message)
        .why("the server makes no role a member of one that is a member of it, directly or through others")
}

/// The circles among what the policies want, each once.
pub fn check(own: &[&Desired], sink: &mut Vec<Diagnostic>) {
    let wanted: BTreeMap<(String, String), &Desired> = own
        .iter()
        .filter(|desired| desired.ensure == Ensure::Present)
        .filter_map(|desired| membership(&desired.address).map(|(member, of)| ((member.to_owned(), of), *desired)))
        .collect();
    let mut above = Above::new();
    for (member, of) in wanted.keys() {
        above.entry(member.clone()).or_default().insert(of.clone());
    }
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    for ((member, of), desired) in &wanted {
        if told.contains(&(member.clone(), of.clone())) {
            continue;
        }
        let Some(back) = way(of, member, &above) else { continue };
        let round: Vec<String> = [member.clone()].into_iter().chain(back).collect();
        let mut found = error(&round).at(desired.place_of("member")).help("take one of these memberships out");
        for (member, of) in round.iter().zip(round.iter().skip(1)) {
            let step = (member.clone(), of.clone());
            if let Some(other) = wanted.get(&step).filter(|other| other.address != desired.address) {
                found = found.and_at(other.place_of("member"), format!("\"{member}\" is a member of \"{of}\" by this"));
            }
            told.insert(step);
        }
        sink.push(found);
    }
}

/// A new membership that would close a circle with those that are there and stay, and with what else the plan
/// makes.
pub fn judge(delta: &Delta, others: &[Delta], view: &View<'_>) -> Option<Diagnostic> {
    let (member, of) = membership(&delta.address).filter(|_| delta.is_create())?;
    let stays = |(member, of): &(&str, &str)| !ends_membership(member, of, others);
    let mut above = Above::new();
    for (member, of) in observe::memberships(view.live).filter(stays) {
        above.entry(member.to_owned()).or_default().insert(of.to_owned());
    }
    for (member, of) in others.iter().filter(|other| other.is_create()).filter_map(|other| membership(&other.address)) {
        above.entry(member.to_owned()).or_default().insert(of);
    }
    let back = way(&of, member, &above)?;
    let round: Vec<String> = [member.to_owned()].into_iter().chain(back).collect();
    let found = error(&round).help(
        "end one of these memberships: with `ensure: absent` in the `member_of` of the member's document, or by hand \
         (REVOKE)",
    );
    Some(match &delta.desired {
        Some(desired) => found.at(desired.place_of("member")),
        None => found,
    })
}
