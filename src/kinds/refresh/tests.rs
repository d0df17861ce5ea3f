//! Tests of refresh policies.

use serde_json::json;

use super::*;
use crate::core::{Cell, Ensure, Interval};
use crate::kinds::fixture::{self, World, codes, desired, expand, job_row, row, text};
use crate::kinds::{Relation, Stored};

/// A continuous aggregate in the place of the fixture's table.
fn aggregate() -> Relation {
    Relation { stored: Stored::In(QualifiedName::new("_timescaledb_internal", "_mat_5")), ..fixture::daily() }
}

fn days(days: i32) -> Cell {
    Cell::Interval(Interval::days(days))
}

fn job(id: i64, start: i32, end: i32) -> Row {
    job_row(&[("job_id", Cell::Int(id)), ("start_offset", days(start)), ("end_offset", days(end))])
}

fn wanted(name: Option<&str>, start: i32, end: i32) -> Desired {
    let mut section = json!({"start_offset": format!("{start} days"), "end_offset": format!("{end} days"),
        "schedule": {"every": "1 hour"}});
    if let (Some(name), Some(entries)) = (name, section.as_object_mut()) {
        entries.insert("name".into(), name.into());
    }
    desired(&Refresh, &section)
}

fn applied(desired: &Desired) -> Applied {
    let attributes = desired.attributes.iter().map(|(name, value)| (name.clone(), value.to_json()));
    Applied {
        address: desired.address.clone(),
        on: desired.on.clone(),
        attributes: attributes.collect(),
        adopted: false,
        source: None,
        at: None,
        begun: None,
    }
}

/// The names that jobs get, in the order of the jobs.
fn identified(jobs: &[Row], wanted: &[Desired], then: &[Desired]) -> Vec<String> {
    let live = Refresh.read(jobs, &Relations::new()).unwrap();
    let wanted = wanted.iter().map(|desired| (desired.address.clone(), desired.clone())).collect();
    let then = then.iter().map(|desired| (desired.address.clone(), applied(desired))).collect();
    Refresh.identify(live, &wanted, &then).into_iter().map(|live| live.address.name).collect()
}

#[test]
fn a_job_is_known_by_its_window_and_not_by_its_number() {
    let (a, b) = (wanted(Some("a"), 7, 1), wanted(Some("b"), 30, 7));
    assert_eq!(identified(&[job(9, 30, 7), job(8, 7, 1)], &[a.clone(), b.clone()], &[]), ["trades:b", "trades:a"]);
    // The policy's window changed: what was applied tells which job it was.
    let moved = wanted(Some("b"), 60, 40);
    assert_eq!(
        identified(&[job(9, 30, 7), job(8, 7, 1)], &[a.clone(), moved], &[a.clone(), b.clone()]),
        ["trades:b", "trades:a"]
    );
    // One that is no longer in the policies is still known by what was applied.
    assert_eq!(
        identified(&[job(9, 30, 7), job(8, 7, 1)], std::slice::from_ref(&a), &[a.clone(), b.clone()]),
        ["trades:b", "trades:a"]
    );
}

#[test]
fn a_job_whose_window_was_changed_by_hand_is_still_the_policys() {
    let a = wanted(None, 7, 1);
    assert_eq!(
        identified(&[job(9, 90, 80)], std::slice::from_ref(&a), &[]),
        ["trades"],
        "the only one for the only one"
    );
    let b = wanted(Some("b"), 30, 8);
    assert_eq!(
        identified(&[job(9, 90, 60), job(8, 6, 2)], &[a.clone(), b.clone()], &[a.clone(), b.clone()]),
        ["trades:b", "trades"]
    );
}

#[test]
fn what_stands_for_no_policy_is_called_after_its_window() {
    let a = wanted(Some("a"), 7, 1);
    assert_eq!(
        identified(&[job(9, 90, 30), job(8, 7, 1)], std::slice::from_ref(&a), &[]),
        ["trades:90 days to 30 days", "trades:a"]
    );
    assert_eq!(identified(&[job(9, 90, 30)], &[], &[]), ["trades"]);
    let twins = identified(&[job(9, 90, 30), job(8, 90, 30)], &[], &[]);
    assert_eq!(twins, ["trades:90 days to 30 days", "trades:90 days to 30 days, job 8"]);
}

#[test]
fn what_the_server_is_too_old_for_is_said() {
    let section = json!({"start_offset": "7 days", "end_offset": "1 hour", "schedule": {"every": "1 hour"},
        "buckets_per_batch": 5, "refresh_newest_first": true});
    let on = |version: &str| World::new(version, aggregate()).settle(&Refresh, &section).err();
    assert_eq!(on("2.18.2"), Some(vec!["needs-newer-server", "needs-newer-server"]));
    assert_eq!(on("2.19.3"), Some(vec!["needs-newer-server"]));
    assert_eq!(on("2.20.0"), None);
    let another =
        json!({"name": "z", "start_offset": "30 days", "end_offset": "7 days", "schedule": {"every": "1 day"}});
    let first = json!({"start_offset": "7 days", "schedule": {"every": "1 hour"}});
    let two =
        |version: &str| World::new(version, aggregate()).wanting(&Refresh, &first).settle(&Refresh, &another).err();
    assert_eq!(two("2.20.3"), Some(vec!["needs-newer-server"]));
    assert_eq!(two("2.21.0"), None);
    assert_eq!(World::new("2.23.0", fixture::daily()).settle(&Refresh, &first).err(), Some(vec!["not-a-table"]));
}

#[test]
fn a_policy_without_a_schedule_or_with_a_bad_window_is_refused_offline() {
    assert_eq!(codes(&expand(&Refresh, &json!({"start_offset": "7 days"})).1), ["missing-key"]);
    assert_eq!(codes(&expand(&Refresh, &json!({"name": " ", "schedule": {"every": "1 h"}})).1), ["bad-name"]);
    let check = |own: &[Desired]| {
        let all: BTreeMap<Address, Desired> = own.iter().map(|d| (d.address.clone(), d.clone())).collect();
        let mut sink = Vec::new();
        Refresh.check(&own.iter().collect::<Vec<_>>(), &all, &mut sink);
        codes(&sink)
    };
    assert_eq!(check(&[wanted(Some("a"), 7, 1), wanted(Some("b"), 30, 7)]), Vec::<&str>::new());
    assert_eq!(check(&[wanted(Some("a"), 7, 1), wanted(Some("b"), 30, 6)]), ["policy-conflict"]);
    assert_eq!(check(&[wanted(Some("a"), 1, 2)]), ["policy-conflict"]);
    let absent = Desired { ensure: Ensure::Absent, ..wanted(Some("b"), 30, 6) };
    assert_eq!(check(&[wanted(Some("a"), 7, 1), absent]), Vec::<&str>::new());
}

#[test]
fn the_help_for_a_window_too_wide_is_none_that_is_too_small() {
    let aggregate = |width: &str| {
        let name = QualifiedName::new("public", "trades");
        let mut aggregate =
            Desired::new(Address::in_schema(KindId::new("continuous_aggregate"), &name), Some(name), fixture::place());
        let query = format!("SELECT public.time_bucket('{width}', time) AS b FROM public.raw GROUP BY 1");
        aggregate.set("query", Value::Sql(crate::core::SqlText::new(&query).unwrap()));
        aggregate
    };
    let raw = QualifiedName::new("public", "raw");
    let mut kept = Desired::new(Address::in_schema(KindId::new("retention"), &raw), Some(raw), fixture::place());
    kept.set("drop_after", Value::Interval(Interval::days(20)));
    let help = |width: &str| {
        let own = wanted(None, 90, 1);
        let all = [own.clone(), aggregate(width), kept.clone()];
        let all: BTreeMap<Address, Desired> = all.into_iter().map(|one| (one.address.clone(), one)).collect();
        let mut sink = Vec::new();
        Refresh.check(&[&own], &all, &mut sink);
        sink.remove(0).help.unwrap_or_default()
    };
    for way in ["at most 20 days", "`drop_after: 90 days` or longer"] {
        assert!(help("1 day").contains(way), "{}", help("1 day"));
    }
    for word in ["two buckets of 1 month", "`drop_after: 90 days` or longer"] {
        assert!(help("1 month").contains(word), "{}", help("1 month"));
    }
}

#[test]
fn an_open_end_is_null_and_a_number_is_a_number() {
    let live = Refresh.read(&[job_row(&[("start_offset_integer", Cell::Int(500))])], &Relations::new()).unwrap();
    assert_eq!(live[0].get("start_offset"), Some(&Value::Int(500)));
    assert_eq!(live[0].get("end_offset"), Some(&Value::Null));
    assert!(Refresh.is_implied("end_offset", &Value::Null));
    assert!(Window::of_live(&live[0]).overlaps(Window { start: 1, end: 0 }));
    assert!(!Window::of_live(&live[0]).overlaps(Window { start: i128::MAX, end: 500 }));
}

#[test]
fn a_time_zone_is_asked_for_and_refused() {
    let world = World::new("2.23.0", aggregate());
    let delta = world.delta(&Refresh, &json!({"schedule": {"every": "1 hour", "timezone": "Mars"}}));
    assert!(Refresh.weigh(&[&delta], &world.view()).is_some());
    let weights = [row(&[("what", text("unknown time zone")), ("name", text("Mars"))])];
    assert_eq!(codes(&world.judge(&Refresh, &delta, &weights).diagnostics), ["wrong-value"]);
}
