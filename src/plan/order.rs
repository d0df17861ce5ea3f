//! The order of a plan's actions: the registry's, table by table, moved only as far as what one
//! action needs of another asks for.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Action, Address, Delta, Op, QualifiedName};
use crate::diag::{Diagnostic, code};
use crate::kinds::{After, View, by_id};

/// Puts actions, each beside the delta that it closes, in order. Those that each wait for another
/// are blocked, and said.
pub fn arrange(actions: Vec<Action>, deltas: &[Delta], view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Action> {
    let places = Places {
        removed_last: removed_last(deltas, view),
        at_the_end: at_the_end(deltas),
        before_it_goes: before_it_goes(&actions, deltas),
    };
    let mut actions = actions;
    actions.sort_by_cached_key(|action| places.usual(action));
    let needed = required(&actions, deltas, &places, view);
    let actions = {
        let order = within_relations(&actions, &needed);
        permuted(actions, &order)
    };
    let mut needs = required(&actions, deltas, &places, view);
    chain(&actions, &mut needs);
    let (order, stuck) = sort(&actions, &needs, &places.at_the_end);
    if !stuck.is_empty() {
        sink.push(cycle(&actions, &stuck));
    }
    let mut numbered: BTreeMap<usize, Action> = actions.into_iter().enumerate().collect();
    for at in &stuck {
        if let Some(action) = numbered.get_mut(at) {
            action.op = Op::Blocked;
            action.steps.clear();
        }
    }
    order.iter().chain(&stuck).filter_map(|at| numbered.remove(at)).collect()
}

/// The actions that do not stand where their kind would have them.
struct Places {
    /// Removals that come after what their tables are given.
    removed_last: BTreeSet<Address>,
    /// What comes after everything else of the plan.
    at_the_end: BTreeSet<Address>,
    /// What comes before each of these actions, which takes away what it needs still.
    before_it_goes: BTreeMap<Address, BTreeSet<Address>>,
}

/// What begins to delete, which nothing of the plan may have to wait for.
fn at_the_end(deltas: &[Delta]) -> BTreeSet<Address> {
    let late = |delta: &&Delta| by_id(&delta.address.kind).is_some_and(|kind| kind.comes_at_the_end(delta));
    deltas.iter().filter(late).map(|delta| delta.address.clone()).collect()
}

/// For each action that takes relations away, also to make them anew, what needs one of them still.
fn before_it_goes(actions: &[Action], deltas: &[Delta]) -> BTreeMap<Address, BTreeSet<Address>> {
    let needing: Vec<(QualifiedName, &Address)> = deltas
        .iter()
        .filter_map(|delta| Some((by_id(&delta.address.kind)?.needs_still(delta)?, &delta.address)))
        .collect();
    if needing.is_empty() {
        return BTreeMap::new();
    }
    let on: BTreeMap<&Address, &QualifiedName> =
        actions.iter().filter_map(|action| Some((&action.address, action.on.as_ref()?))).collect();
    let takes: BTreeSet<&Address> = deltas
        .iter()
        .filter(|delta| by_id(&delta.address.kind).is_some_and(|kind| kind.takes_along(delta)))
        .map(|delta| &delta.address)
        .collect();
    let mut found = BTreeMap::new();
    for action in actions.iter().filter(|action| takes.contains(&action.address)) {
        let along = action.takes.iter().filter_map(|taken| on.get(&taken.address).copied());
        let gone: BTreeSet<&QualifiedName> = action.on.iter().chain(along).collect();
        let first = needing.iter().filter(|(name, _)| gone.contains(name)).map(|(_, address)| (*address).clone());
        found.insert(action.address.clone(), first.collect());
    }
    found
}

/// The removals that come after what their tables are given.
fn removed_last(deltas: &[Delta], view: &View<'_>) -> BTreeSet<Address> {
    let mut of_table: BTreeMap<&QualifiedName, Vec<&Delta>> = BTreeMap::new();
    for delta in deltas {
        if let Some(on) = &delta.on {
            of_table.entry(on).or_default().push(delta);
        }
    }
    let mut last = BTreeSet::new();
    for all in of_table.values() {
        let late = all.iter().filter(|delta| {
            let others: Vec<&Delta> = all.iter().copied().filter(|other| other.address != delta.address).collect();
            let kind = by_id(&delta.address.kind);
            delta.is_remove() && kind.is_some_and(|kind| kind.is_removed_last(delta, &others, view))
        });
        last.extend(late.map(|delta| delta.address.clone()));
    }
    last
}

impl Places {
    /// Whole-database objects first, then table by table; within one, removals from the last kind back
    /// to the first, then the rest from the first kind on, then the removals that are kept for the end;
    /// then what begins to delete, and whole-database removals last of all, but for those that something else waits
    /// for.
    fn usual(&self, action: &Action) -> (u8, Option<QualifiedName>, u8, i64, Option<String>, String) {
        let rank = crate::kinds::all().iter().position(|kind| kind.id() == action.address.kind).unwrap_or(usize::MAX);
        let rank = i64::try_from(rank).unwrap_or(i64::MAX);
        let remove = action.op == Op::Remove;
        let is_early = action.on.is_none() && self.before_it_goes.values().any(|early| early.contains(&action.address));
        let phase = match (&action.on, remove) {
            _ if self.at_the_end.contains(&action.address) => 2,
            (None, true) if !is_early => 3,
            (None, _) => 0,
            (Some(_), _) => 1,
        };
        let (step, rank) = match (remove, is_early || self.removed_last.contains(&action.address)) {
            (true, false) => (0, -rank),
            (false, _) => (1, rank),
            (true, true) => (2, -rank),
        };
        let address = &action.address;
        (phase, action.on.clone(), step, rank, address.schema.clone(), address.name.clone())
    }
}

/// For each action, by its place, those that its kind asks it to come after.
fn required(actions: &[Action], deltas: &[Delta], places: &Places, view: &View<'_>) -> Vec<BTreeSet<usize>> {
    let deltas: BTreeMap<&Address, &Delta> = deltas.iter().map(|delta| (&delta.address, delta)).collect();
    let by_address: BTreeMap<&Address, usize> =
        actions.iter().enumerate().map(|(at, action)| (&action.address, at)).collect();
    let mut by_relation = by_relation(actions);
    // Whoever reads a relation wants its rows, and waits for nothing that deletes them.
    let keeps = |at: &usize| actions.get(*at).is_none_or(|action| !places.at_the_end.contains(&action.address));
    by_relation.values_mut().for_each(|own| own.retain(keeps));
    let of = |(at, action): (usize, &Action)| {
        let mut needs = BTreeSet::new();
        if let (Some(kind), Some(delta)) = (by_id(&action.address.kind), deltas.get(&action.address)) {
            for after in kind.requires(delta, view) {
                match after {
                    After::Resource(address) => needs.extend(by_address.get(&address)),
                    After::Relation(name) => needs.extend(by_relation.get(&name).into_iter().flatten()),
                }
            }
        }
        let early = places.before_it_goes.get(&action.address).into_iter().flatten();
        needs.extend(early.filter_map(|address| by_address.get(address)));
        needs.remove(&at);
        needs
    };
    actions.iter().enumerate().map(of).collect()
}

/// The places of the actions on each relation.
fn by_relation(actions: &[Action]) -> BTreeMap<&QualifiedName, Vec<usize>> {
    let mut found: BTreeMap<&QualifiedName, Vec<usize>> = BTreeMap::new();
    for (at, action) in actions.iter().enumerate() {
        if let Some(on) = &action.on {
            found.entry(on).or_default().push(at);
        }
    }
    found
}

/// The places of actions, those of one relation moved among themselves as far as they need each other.
fn within_relations(actions: &[Action], required: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..actions.len()).collect();
    for places in by_relation(actions).into_values() {
        let mut left = places.clone();
        let mut sorted = Vec::new();
        while !left.is_empty() {
            let free =
                |at: &usize| required.get(*at).is_none_or(|needs| !left.iter().any(|other| needs.contains(other)));
            // Where each waits for another, the usual order stands, and the whole sort says so.
            let next = left.iter().position(free).unwrap_or(0);
            sorted.push(left.remove(next));
        }
        for (place, action) in places.iter().zip(sorted) {
            if let Some(slot) = order.get_mut(*place) {
                *slot = action;
            }
        }
    }
    order
}

fn permuted(actions: Vec<Action>, order: &[usize]) -> Vec<Action> {
    let mut numbered: BTreeMap<usize, Action> = actions.into_iter().enumerate().collect();
    order.iter().filter_map(|at| numbered.remove(at)).collect()
}

/// Lets each action wait for the one before it on its relation.
fn chain(actions: &[Action], needs: &mut [BTreeSet<usize>]) {
    for places in by_relation(actions).into_values() {
        for (before, after) in places.iter().zip(places.iter().skip(1)) {
            if let Some(needs) = needs.get_mut(*after) {
                needs.insert(*before);
            }
        }
    }
}

/// Takes what waits for nothing any more: the rest of the relation that the last one was on, or
/// else the first of the usual order. What is left over waits in a circle.
fn sort(actions: &[Action], needs: &[BTreeSet<usize>], at_the_end: &BTreeSet<Address>) -> (Vec<usize>, Vec<usize>) {
    let mut waiting: BTreeMap<usize, usize> = needs.iter().map(BTreeSet::len).enumerate().collect();
    let mut needed_by: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, needs) in needs.iter().enumerate() {
        for need in needs {
            needed_by.entry(*need).or_default().push(at);
        }
    }
    let mut ready: BTreeSet<usize> = waiting.iter().filter(|(_, count)| **count == 0).map(|(at, _)| *at).collect();
    let on = |at: usize| actions.get(at).and_then(|action| action.on.as_ref());
    let early = |at: &usize| actions.get(*at).is_none_or(|action| !at_the_end.contains(&action.address));
    let mut order: Vec<usize> = Vec::new();
    while let Some(first) = ready.first().copied() {
        // An action on a relation waits for the one before it, so that the next is the one freed by it.
        let last = order.last().copied().filter(|last| on(*last).is_some());
        let next = last.and_then(|last| {
            let freed = needed_by.get(&last).into_iter().flatten().copied();
            freed.filter(|at| ready.contains(at) && on(*at) == on(last) && early(at)).min()
        });
        let next = next.unwrap_or(first);
        ready.remove(&next);
        waiting.remove(&next);
        order.push(next);
        for freed in needed_by.get(&next).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(freed) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(*freed);
                }
            }
        }
    }
    (order, waiting.into_keys().collect())
}

fn cycle(actions: &[Action], stuck: &[usize]) -> Diagnostic {
    let names: Vec<String> =
        stuck.iter().filter_map(|at| actions.get(*at)).map(|action| action.address.to_string()).collect();
    Diagnostic::error(&code::ORDER_CYCLE, format!("each of these waits for another: {}", names.join(", ")))
        .why("there is no order in which every one finds what it needs")
        .help("make the change in two steps: take one of them out of the policies, apply, and put it back")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Fingerprint, KindId, Reason};

    fn action(name: &str, on: Option<&str>) -> Action {
        Action {
            address: Address::in_schema(KindId::new("retention"), &QualifiedName::new("public", name)),
            on: on.map(|on| QualifiedName::new("public", on)),
            op: Op::Create,
            reason: Reason::Missing,
            attributes: Vec::new(),
            steps: Vec::new(),
            hazards: Vec::new(),
            impact: None,
            protect: false,
            desired: crate::core::Named::new(),
            fingerprint: Fingerprint::read(""),
            classes: BTreeMap::new(),
            takes: Vec::new(),
            source: None,
        }
    }

    /// Two actions on `a`, two on `b`, each waiting for the one before on its relation.
    fn four(more: &[(usize, usize)]) -> (Vec<Action>, Vec<BTreeSet<usize>>) {
        let actions = ["a", "a", "b", "b"].map(|on| action(on, Some(on))).to_vec();
        let mut needs = vec![BTreeSet::new(), BTreeSet::from([0]), BTreeSet::new(), BTreeSet::from([2])];
        for (at, need) in more {
            needs[*at].insert(*need);
        }
        (actions, needs)
    }

    fn sorted(more: &[(usize, usize)]) -> (Vec<usize>, Vec<usize>) {
        let (actions, needs) = four(more);
        sort(&actions, &needs, &BTreeSet::new())
    }

    #[test]
    fn without_needs_the_usual_order_stands() {
        assert_eq!(sorted(&[]), (vec![0, 1, 2, 3], vec![]));
    }

    #[test]
    fn what_needs_another_relation_follows_it_and_relations_stay_together() {
        assert_eq!(sorted(&[(0, 2)]), (vec![2, 3, 0, 1], vec![]));
        assert_eq!(sorted(&[(1, 3)]), (vec![0, 2, 3, 1], vec![]));
    }

    #[test]
    fn what_begins_to_delete_follows_everything_even_on_its_own_relation() {
        let actions = ["index", "a", "b"].iter().zip(["a", "a", "b"]).map(|(name, on)| action(name, Some(on)));
        let mut actions: Vec<Action> = actions.collect();
        let places = Places {
            removed_last: BTreeSet::new(),
            at_the_end: BTreeSet::from([actions[1].address.clone()]),
            before_it_goes: BTreeMap::new(),
        };
        actions.sort_by_cached_key(|action| places.usual(action));
        let mut needs = vec![BTreeSet::new(); 3];
        chain(&actions, &mut needs);
        let (order, stuck) = sort(&actions, &needs, &places.at_the_end);
        let names: Vec<&str> = order.iter().map(|at| actions[*at].address.name.as_str()).collect();
        assert_eq!((names, stuck), (vec!["index", "b", "a"], vec![]));
    }

    #[test]
    fn what_waits_in_a_circle_is_left_over() {
        assert_eq!(sorted(&[(0, 3), (2, 1)]), (vec![], vec![0, 1, 2, 3]));
        assert_eq!(sorted(&[(1, 3), (2, 1)]), (vec![0], vec![1, 2, 3]));
        let (actions, _) = four(&[]);
        assert!(cycle(&actions, &[0, 2]).message.ends_with("retention.public.a, retention.public.b"));
    }

    #[test]
    fn on_one_relation_what_is_needed_comes_first() {
        let actions = ["a", "a", "b", "a"].map(|on| action(on, Some(on))).to_vec();
        let mut required = vec![BTreeSet::from([3]), BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
        assert_eq!(within_relations(&actions, &required), vec![1, 3, 2, 0]);
        required[3] = BTreeSet::from([0]);
        assert_eq!(within_relations(&actions, &required), vec![1, 0, 2, 3], "a circle is left as it is");
        let mut needs = vec![BTreeSet::new(); 4];
        chain(&actions, &mut needs);
        assert_eq!(needs, vec![BTreeSet::new(), BTreeSet::from([0]), BTreeSet::new(), BTreeSet::from([1])]);
    }

    #[test]
    fn whole_database_objects_wait_for_no_neighbour() {
        let actions = vec![action("x", None), action("y", None), action("z", Some("a"))];
        let needs = vec![BTreeSet::from([1]), BTreeSet::new(), BTreeSet::new()];
        assert_eq!(sort(&actions, &needs, &BTreeSet::new()), (vec![1, 0, 2], vec![]));
    }
}
