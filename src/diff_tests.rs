//! The comparison, side by side by side.

use super::*;
use crate::core::{Interval, Place, Value};

const KIND: KindId = KindId::new("thing");

struct World {
    desired: BTreeMap<Address, Desired>,
    live: BTreeMap<Address, Live>,
    applied: BTreeMap<Address, Applied>,
    named: BTreeSet<Address>,
    managed: BTreeSet<QualifiedName>,
    containers: Containers,
    forgets: bool,
    permanent: bool,
    whence: Whence,
    takes_along: bool,
    /// What is left of what is on no relation, where the table is made anew.
    left: Option<Live>,
    /// Whether the table is made by what is wanted of it; then that is what there is of the other thing by then.
    makes: bool,
}

fn table() -> QualifiedName {
    QualifiedName::new("public", "t")
}

fn address() -> Address {
    Address::in_schema(KIND, &table())
}

fn days(days: i32) -> Value {
    Value::Interval(Interval::days(days))
}

fn world(desired: Option<i32>, live: Option<i32>, applied: Option<i32>) -> World {
    let place = Place { file: "p".into(), line: 1, column: 1, start: 0, end: 0, via: None };
    let mut world = World {
        desired: BTreeMap::new(),
        live: BTreeMap::new(),
        applied: BTreeMap::new(),
        named: BTreeSet::new(),
        managed: BTreeSet::from([table()]),
        containers: Containers::default(),
        forgets: false,
        permanent: false,
        whence: Whence::Given,
        takes_along: false,
        left: None,
        makes: false,
    };
    if let Some(value) = desired {
        let mut wanted = Desired::new(address(), Some(table()), place);
        wanted.set("after", days(value));
        world.named.insert(address());
        world.desired.insert(address(), wanted);
    }
    if let Some(value) = live {
        let mut have = Live::new(address(), Some(table()));
        have.set("after", days(value));
        world.live.insert(address(), have);
    }
    if let Some(value) = applied {
        let attributes = crate::core::Named::from_iter([("after".to_owned(), days(value).to_json())]);
        let applied = Applied {
            address: address(),
            on: Some(table()),
            attributes,
            adopted: false,
            source: None,
            at: None,
            begun: None,
        };
        world.applied.insert(address(), applied);
    }
    world
}

fn run(world: &World) -> (Diff, Vec<Drift>) {
    let forgets = |_: &KindId, _: &str| world.forgets;
    let sides = Sides {
        desired: &world.desired,
        live: &world.live,
        applied: &world.applied,
        named: &world.named,
        managed: &world.managed,
        containers: &world.containers,
        forgets: &forgets,
        means_same: &|_, _, _| false,
        derived: &|_, _, name| name == "derived",
        left_over: &|_, name| name == "left",
        label: &|_, _| None,
        permanent: &|_| world.permanent,
        whence: &|_| world.whence,
        takes_along: &|delta| world.takes_along && !delta.is_create(),
        goes_with: &|desired, _, gone| desired.on.is_none() && gone.contains(&table()),
        left_of: &|_, gone| world.left.clone().filter(|_| gone.contains(&table())),
        makes: &|delta| world.makes && delta.is_create(),
        joined_by: &|_, new| world.left.clone().filter(|_| new.contains(&table())),
    };
    let diff = diff(&sides);
    let drift = drift(&sides, &diff);
    (diff, drift)
}

fn status_of(desired: Option<i32>, live: Option<i32>, applied: Option<i32>) -> Option<Status> {
    run(&world(desired, live, applied)).1.first().map(|drift| drift.status)
}

fn reason_of(desired: Option<i32>, live: Option<i32>, applied: Option<i32>) -> Option<Reason> {
    run(&world(desired, live, applied)).0.deltas.first().map(|delta| delta.reason)
}

#[test]
fn every_combination_of_the_three_sides_has_one_status() {
    assert_eq!(status_of(Some(7), Some(7), Some(7)), Some(Status::InSync));
    assert_eq!(status_of(Some(7), Some(7), None), Some(Status::InSync));
    assert_eq!(status_of(Some(7), Some(9), Some(7)), Some(Status::Drifted));
    assert_eq!(status_of(Some(9), Some(7), Some(7)), Some(Status::Pending));
    assert_eq!(status_of(Some(9), Some(8), Some(7)), Some(Status::Conflict));
    assert_eq!(status_of(Some(9), Some(9), Some(7)), Some(Status::InSync));
    assert_eq!(status_of(Some(7), None, Some(7)), Some(Status::Missing));
    assert_eq!(status_of(Some(7), None, None), Some(Status::Pending));
    assert_eq!(status_of(Some(7), Some(9), None), Some(Status::Pending));
    assert_eq!(status_of(None, Some(7), Some(7)), Some(Status::Pending));
    assert_eq!(status_of(None, Some(7), None), Some(Status::Unmanaged));
    assert_eq!(status_of(None, None, Some(7)), Some(Status::InSync));
    assert_eq!(status_of(None, None, None), None);
}

fn begun(mut world: World, paused: bool, away: bool) -> World {
    world.applied.get_mut(&address()).unwrap().begun = Some(crate::core::Begun { run: 7, paused, away });
    world
}

#[test]
fn what_an_apply_began_and_did_not_end_is_pending_and_nobody_elses_doing() {
    let seen = |desired, live, applied, away| {
        let (diff, drift) = run(&begun(world(desired, live, applied), false, away));
        (diff.deltas.first().map(|delta| delta.reason), drift[0].status)
    };
    assert_eq!(seen(Some(7), None, Some(7), true), (Some(Reason::Begun), Status::Pending), "taken away");
    assert_eq!(seen(Some(9), Some(7), Some(7), false), (Some(Reason::Begun), Status::Pending), "not reached");
    assert_eq!(seen(Some(7), Some(7), Some(7), false), (None, Status::InSync), "as it is wanted all the same");
    assert_eq!(seen(None, None, Some(7), true), (None, Status::InSync), "not wanted any more, and gone");
}

#[test]
fn what_somebody_else_did_after_an_apply_that_did_not_end_is_theirs() {
    let seen = |desired, live, applied| {
        let (diff, drift) = run(&begun(world(desired, live, applied), true, false));
        (diff.deltas.first().map(|delta| delta.reason), drift[0].status)
    };
    assert_eq!(seen(Some(7), Some(9), Some(7)), (Some(Reason::Drifted), Status::Drifted), "no run made it so");
    assert_eq!(seen(Some(9), Some(8), Some(7)), (Some(Reason::Differs), Status::Conflict), "nor so");
    assert_eq!(
        seen(Some(7), None, Some(7)),
        (Some(Reason::Disappeared), Status::Missing),
        "it was there at every moment"
    );
}

#[test]
fn a_job_that_was_paused_when_a_run_took_it_away_comes_back_paused() {
    let made =
        |world: &World| run(world).0.deltas.remove(0).desired.unwrap().attributes.get("schedule.paused").cloned();
    assert_eq!(made(&begun(world(Some(7), None, Some(7)), true, true)), Some(Value::Bool(true)));
    assert_eq!(made(&begun(world(Some(7), None, Some(7)), false, true)), None);
    let mut wanted = begun(world(Some(7), None, Some(7)), true, true);
    wanted.desired.get_mut(&address()).unwrap().set("schedule.paused", false);
    assert_eq!(made(&wanted), Some(Value::Bool(false)), "where the policy says otherwise, it says so");
}

#[test]
fn every_delta_has_its_reason() {
    assert_eq!(reason_of(Some(7), None, None), Some(Reason::Missing));
    assert_eq!(reason_of(Some(7), None, Some(7)), Some(Reason::Disappeared));
    assert_eq!(reason_of(Some(7), Some(9), None), Some(Reason::Differs));
    assert_eq!(reason_of(Some(7), Some(9), Some(7)), Some(Reason::Drifted));
    assert_eq!(reason_of(Some(8), Some(9), Some(7)), Some(Reason::Differs));
    assert_eq!(reason_of(None, Some(7), Some(7)), Some(Reason::Dropped));
    assert_eq!(reason_of(None, Some(7), None), None);
    assert_eq!(reason_of(Some(7), Some(7), None), None);
}

#[test]
fn only_what_chronoform_applied_is_ever_removed_for_being_unmentioned() {
    let (diff, _) = run(&world(None, Some(7), None));
    assert!(diff.deltas.is_empty());
    assert_eq!(diff.unmanaged, [address()]);

    let mut elsewhere = world(None, Some(7), Some(7));
    elsewhere.managed.clear();
    let (diff, drift) = run(&elsewhere);
    assert!(diff.deltas.is_empty() && drift.is_empty());
    assert_eq!(diff.orphaned, [address()]);

    let mut system = world(None, Some(7), None);
    system.live.get_mut(&address()).unwrap().system = true;
    assert_eq!(run(&system), (Diff::default(), Vec::new()));

    let mut set_aside = world(None, Some(7), Some(7));
    set_aside.named.insert(address());
    assert_eq!(run(&set_aside), (Diff::default(), Vec::new()));
}

#[test]
fn what_nothing_can_remove_is_released() {
    let mut permanent = world(None, Some(7), Some(7));
    permanent.permanent = true;
    let (diff, drift) = run(&permanent);
    assert!(diff.deltas.is_empty() && diff.unmanaged.is_empty());
    assert_eq!(diff.released, [address()]);
    assert_eq!(drift[0].status, Status::Unmanaged);
    permanent.applied.clear();
    assert_eq!(run(&permanent).0.unmanaged, [address()], "once it is forgotten");
}

#[test]
fn what_another_policy_asked_for_is_not_removed_by_this_one() {
    for whence in [Whence::Elsewhere, Whence::Gone] {
        let mut other = world(None, Some(7), Some(7));
        other.whence = whence;
        let (diff, drift) = run(&other);
        assert!(diff.deltas.is_empty());
        assert_eq!((diff.elsewhere, drift[0].status), (vec![address()], Status::Unmanaged));
        other.managed.clear();
        let orphaned = run(&other).0.orphaned;
        assert_eq!(orphaned.is_empty(), whence == Whence::Elsewhere, "what another policy keeps is no orphan");
    }
    let mut absent = world(Some(7), Some(7), Some(7));
    absent.whence = Whence::Elsewhere;
    absent.desired.get_mut(&address()).unwrap().ensure = Ensure::Absent;
    assert_eq!(run(&absent).0.deltas[0].reason, Reason::Unwanted, "on purpose it is");
}

#[test]
fn absent_removes_what_is_there_and_nothing_else() {
    let mut absent = world(Some(7), Some(7), None);
    absent.desired.get_mut(&address()).unwrap().ensure = Ensure::Absent;
    let (diff, drift) = run(&absent);
    assert_eq!(diff.deltas.first().map(|delta| (delta.reason, delta.is_remove())), Some((Reason::Unwanted, true)));
    assert_eq!(drift.first().map(|drift| drift.status), Some(Status::Pending));
    absent.live.clear();
    let (diff, drift) = run(&absent);
    assert!(diff.deltas.is_empty());
    assert_eq!(drift.first().map(|drift| drift.status), Some(Status::InSync));
}

#[test]
fn what_the_policy_does_not_mention_is_not_compared() {
    let mut more = world(Some(7), Some(7), Some(7));
    more.live.get_mut(&address()).unwrap().set("every", days(1));
    assert!(run(&more).0.deltas.is_empty());
    more.applied.get_mut(&address()).unwrap().attributes.insert("every".to_owned(), days(1).to_json());
    assert!(run(&more).0.deltas.is_empty());
    more.forgets = true;
    let (diff, _) = run(&more);
    let change = &diff.deltas[0].changes[0];
    assert_eq!((change.attribute.as_str(), change.after.clone()), ("every", None));
}

#[test]
fn a_paused_job_is_reported_and_not_fought() {
    let mut paused = world(Some(7), Some(7), Some(7));
    paused.live.get_mut(&address()).unwrap().paused = true;
    let (diff, drift) = run(&paused);
    assert!(diff.deltas.is_empty());
    assert_eq!(drift[0].status, Status::Paused);
}

#[test]
fn drift_shows_all_three_values() {
    let (_, drift) = run(&world(Some(9), Some(8), Some(7)));
    let line = &drift[0].attributes[0];
    assert_eq!(
        (line.applied.as_str(), line.live.as_str(), line.desired.as_str()),
        (Some("7 days"), Some("8 days"), Some("9 days"))
    );
}

#[test]
fn explicitly_nothing_and_not_there_are_the_same() {
    let mut none = world(Some(7), Some(7), None);
    none.desired.get_mut(&address()).unwrap().set("every", Value::Null);
    assert!(run(&none).0.deltas.is_empty());
    none.live.get_mut(&address()).unwrap().set("every", days(1));
    let (diff, _) = run(&none);
    assert_eq!((diff.deltas[0].changes[0].before.clone(), diff.deltas[0].changes.len()), (Some(days(1)), 1));
    none.live.clear();
    let (diff, _) = run(&none);
    assert_eq!(diff.deltas[0].changes.len(), 1, "what is not wanted is not created");
}

#[test]
fn what_no_policy_can_write_differs_by_drift_alone() {
    let derived = |applied: Option<i32>, desired: i32| {
        let mut world = world(Some(desired), Some(7), applied);
        world.desired.get_mut(&address()).unwrap().set("derived", Value::Null);
        world.live.get_mut(&address()).unwrap().set("derived", days(1));
        let (diff, drift) = run(&world);
        (diff.deltas[0].reason, drift[0].status)
    };
    assert_eq!(derived(Some(7), 7), (Reason::Drifted, Status::Drifted));
    assert_eq!(derived(None, 7), (Reason::Differs, Status::Pending), "never applied");
    assert_eq!(derived(Some(7), 8), (Reason::Differs, Status::Conflict), "the policy changed as well");
    let mut recorded = world(Some(8), Some(7), Some(7));
    recorded.desired.get_mut(&address()).unwrap().set("derived", Value::Null);
    assert_eq!(run(&recorded).1[0].status, Status::Pending, "the policy alone");
}

/// What belongs to no relation, in a container that the policies describe or not.
#[test]
fn what_a_containers_policy_no_longer_says_goes_where_it_was_applied() {
    let mut world = world(None, Some(1), Some(1));
    for live in world.live.values_mut() {
        live.on = None;
    }
    for applied in world.applied.values_mut() {
        applied.on = None;
    }
    let (diff, drift) = run(&world);
    assert_eq!((diff.deltas.len(), diff.orphaned.len(), drift.len()), (0, 1, 0), "nobody describes the container");
    world.containers.0.insert(KIND, BTreeSet::from(["public".to_owned()]));
    let (diff, drift) = run(&world);
    assert_eq!(diff.deltas[0].reason, Reason::Dropped);
    assert_eq!(drift[0].status, Status::Pending);
    world.applied.clear();
    let (diff, _) = run(&world);
    assert_eq!((diff.deltas.len(), diff.unmanaged.len()), (0, 1), "somebody else's");
}

#[test]
fn what_nobody_manages_is_not_left_alone_where_its_relation_is_made_anew() {
    let hand = Address { name: "by hand".into(), ..address() };
    for takes_along in [false, true] {
        let mut world = World { takes_along, ..world(Some(7), Some(9), Some(9)) };
        world.live.insert(hand.clone(), Live::new(hand.clone(), Some(table())));
        let (diff, drift) = run(&world);
        let (goes, stays) = (vec![hand.clone()], Vec::new());
        let expected = if takes_along { (goes, stays) } else { (stays, goes) };
        assert_eq!((diff.carried, diff.unmanaged), expected);
        assert_eq!(diff.deltas.iter().map(|delta| &delta.address).collect::<Vec<_>>(), [&address()]);
        let standing = drift.iter().find(|drift| drift.address == hand).map(|drift| drift.status);
        assert_eq!(standing, Some(Status::Unmanaged), "until then, it is there");
    }
}

/// A thing that is granted on the table, and maybe on others.
#[test]
fn what_is_left_of_what_is_on_others_as_well_is_changed_and_not_made_again() {
    let all = Address { name: "on all".into(), ..address() };
    let left = |given: Option<i32>| {
        let mut live = Live::new(all.clone(), None);
        given.into_iter().for_each(|given| live.set("given", days(given)));
        live.set("unlisted", true);
        live
    };
    let found = |left: Option<Live>| {
        let mut world = World { takes_along: true, left, ..world(Some(7), Some(9), Some(9)) };
        let mut wanted = Desired::new(all.clone(), None, world.desired[&address()].place.clone());
        wanted.set("given", days(1));
        wanted.set("unlisted", Value::Null);
        let mut live = Live::new(all.clone(), None);
        live.set("given", days(1));
        live.set("unlisted", true);
        world.desired.insert(all.clone(), wanted);
        world.live.insert(all.clone(), live);
        world.named.insert(all.clone());
        let (diff, _) = run(&world);
        let delta = diff.deltas.into_iter().find(|delta| delta.address == all).unwrap();
        let changed: Vec<String> = delta.changes.iter().map(|change| change.attribute.clone()).collect();
        (delta.reason, delta.live.is_some(), changed.join(" "))
    };
    assert_eq!(found(None), (Reason::Remade, false, "given".to_owned()), "nothing is left to take away from");
    assert_eq!(found(Some(left(None))), (Reason::Remade, true, "given unlisted".to_owned()));
    assert_eq!(found(Some(left(Some(1)))), (Reason::Remade, true, "unlisted".to_owned()));
}

#[test]
fn what_is_to_be_on_what_is_made_only_now_changes_with_it() {
    let all = Address { name: "on all".into(), ..address() };
    let given = |days_given: i32| {
        let mut live = Live::new(all.clone(), None);
        live.set("given", days(days_given));
        live
    };
    let found = |makes: bool, by_then: i32| {
        let mut world = World { makes, left: Some(given(by_then)), ..world(Some(7), None, None) };
        let mut wanted = Desired::new(all.clone(), None, world.desired[&address()].place.clone());
        wanted.set("given", days(1));
        world.desired.insert(all.clone(), wanted);
        world.live.insert(all.clone(), given(1));
        world.named.insert(all.clone());
        let (diff, drift) = run(&world);
        let delta = diff.deltas.iter().find(|delta| delta.address == all);
        assert_eq!(diff.in_sync.contains(&all), delta.is_none());
        assert!(drift.iter().any(|standing| standing.address == all && standing.status == Status::InSync));
        delta.map(|delta| (delta.reason, delta.changes[0].before.clone()))
    };
    assert_eq!(found(true, 2), Some((Reason::Joined, Some(days(2)))));
    assert_eq!(found(true, 1), None, "it is on that as well by itself");
    assert_eq!(found(false, 2), None);
}

#[test]
fn a_paused_job_is_made_again_as_one_that_is_paused() {
    let job = Address { name: "job".into(), ..address() };
    for (paused, managed) in [(true, None), (false, None), (true, Some(false)), (true, Some(true))] {
        let mut world = World { takes_along: true, ..world(Some(7), Some(9), Some(9)) };
        let mut wanted = Desired { address: job.clone(), ..world.desired[&address()].clone() };
        if let Some(managed) = managed {
            wanted.set("schedule.paused", managed);
        }
        world.desired.insert(job.clone(), wanted);
        world.named.insert(job.clone());
        let mut live = Live { address: job.clone(), ..world.live[&address()].clone() };
        live.paused = paused;
        world.live.insert(job.clone(), live);
        let (diff, _) = run(&world);
        let again = diff.deltas.iter().find(|delta| delta.address == job).unwrap();
        assert_eq!(again.reason, Reason::Remade);
        let expected = managed.or(paused.then_some(true)).map(Value::Bool);
        assert_eq!(again.desired.as_ref().unwrap().get("schedule.paused"), expected.as_ref());
        let shown = again.change("schedule.paused").and_then(|change| change.after.clone());
        assert_eq!(shown, expected, "{paused} {managed:?}");
    }
}
