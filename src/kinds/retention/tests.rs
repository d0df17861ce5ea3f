//! Settling, reading, weighing and judging with a server, a table and rows made by hand.

use serde_json::{Value as Json, json};

use super::Retention;
use crate::core::{
    Address, Bytes, Cell, Change, Delta, Desired, Edition, Ensure, Hazard, Interval, Live, Param, Place, QualifiedName,
    Reason, Row, Value,
};
use crate::kinds::Scope;
use crate::kinds::columnstore::Columnstore;
use crate::kinds::fixture::{World, codes, daily, desired, expand, job_row, row, table, text, ticking};
use crate::kinds::hypertable::Hypertable;
use crate::kinds::view::types;

const KIND: &dyn crate::kinds::Kind = &Retention;

fn days(days: i32) -> Value {
    Value::Interval(Interval::days(days))
}

fn live(after: i32) -> Row {
    job_row(&[("drop_after", Cell::Interval(Interval::days(after)))])
}

fn drops() -> Row {
    row(&[
        ("what", text("drops")),
        ("oid", Cell::Int(7)),
        ("chunks", Cell::Int(12)),
        ("bytes", Cell::Int(81920)),
        ("oldest", text("2026-01-01 00:00:00+00")),
        ("newest", text("2026-01-13 00:00:00+00")),
    ])
}

fn refused(value: Json) -> Vec<&'static str> {
    let (found, sink) = expand(KIND, &value);
    assert!(found.is_empty() || crate::diag::has_errors(&sink));
    codes(&sink)
}

#[test]
fn a_section_becomes_attributes_with_their_types() {
    let wanted =
        desired(KIND, &json!({"drop_after": "90 days", "schedule": {"every": "12 hours", "max_runtime": "0"}}));
    assert_eq!(wanted.get("drop_after"), Some(&days(90)));
    assert_eq!(wanted.get("schedule.every"), Some(&Value::Interval(Interval::parse("12 hours").unwrap())));
    assert_eq!(wanted.get("schedule.max_runtime"), Some(&Value::Interval(Interval::default())));
    assert_eq!(wanted.get("schedule.paused"), None);
    assert_eq!(desired(KIND, &json!({"drop_after": 500})).get("drop_after"), Some(&Value::Int(500)));
    assert_eq!(desired(KIND, &json!({"drop_created_before": "1 month"})).attributes.len(), 1);
    let absent = desired(KIND, &json!({"ensure": "absent", "drop_after": "1 day"}));
    assert_eq!((absent.ensure, absent.attributes.len()), (Ensure::Absent, 0));
}

#[test]
fn offline_exactly_one_age_is_asked_for() {
    assert_eq!(refused(json!({})), ["missing-key"]);
    assert_eq!(refused(json!({"drop_after": "1 day", "drop_created_before": "1 day"})), ["wrong-value"]);
    for age in ["90", "soon", "-1 day", "0 days", ""] {
        assert_eq!(refused(json!({ "drop_after": age })), ["bad-interval"], "{age}");
    }
    let fixed = json!({"every": "1 month 1 day", "initial_start": "2026-01-01 00:00:00+00"});
    assert_eq!(refused(json!({"drop_after": "1 day", "schedule": fixed})), ["bad-interval"]);
    let floating = json!({"drop_after": "1 day", "schedule": {"every": "1 month 1 day"}});
    assert_eq!(codes(&expand(KIND, &floating).1), Vec::<&str>::new());
}

#[test]
fn an_age_is_counted_as_the_table_counts_time() {
    let time = World::new("2.29.2", daily());
    assert!(time.settle(KIND, &json!({"drop_after": "90 days"})).is_ok());
    assert_eq!(time.settle(KIND, &json!({"drop_after": 90})), Err(vec!["wrong-type"]));
    let ticks = World::new("2.29.2", ticking(Some("now")));
    assert!(ticks.settle(KIND, &json!({"drop_after": 90})).is_ok());
    assert_eq!(ticks.settle(KIND, &json!({"drop_after": "90 days"})), Err(vec!["wrong-type"]));
    assert_eq!(ticks.settle(KIND, &json!({"drop_after": 3_000_000_000_i64})), Err(vec!["wrong-value"]));
    let without = World::new("2.29.2", ticking(None));
    assert_eq!(without.settle(KIND, &json!({"drop_after": 90})), Err(vec!["no-integer-now"]));
    let planned = without.wanting(&Hypertable, &json!({"time_column": "tick", "integer_now": "now"}));
    assert!(planned.settle(KIND, &json!({"drop_after": 90})).is_ok());
}

#[test]
fn age_by_creation_is_refused_where_the_job_would_fail() {
    let by_creation = json!({"drop_created_before": "90 days"});
    assert!(World::new("2.26.3", daily()).settle(KIND, &by_creation).is_ok());
    assert_eq!(World::new("2.26.2", daily()).settle(KIND, &by_creation), Err(vec!["needs-newer-server"]));
    assert!(World::new("2.19", ticking(None)).settle(KIND, &by_creation).is_ok());
    assert_eq!(World::new("2.29.2", ticking(Some("now"))).settle(KIND, &by_creation), Err(vec!["no-integer-now"]));
}

#[test]
fn a_server_or_table_that_cannot_have_it_is_told_from_afar() {
    let wanted = json!({"drop_after": "90 days"});
    assert_eq!(World::new("2.29.2", table()).settle(KIND, &wanted), Err(vec!["needs-hypertable"]));
    let becoming = World::new("2.29.2", table()).wanting(&Hypertable, &json!({"time_column": "time"}));
    assert!(becoming.settle(KIND, &wanted).is_ok());
    let gone = World::new("2.29.2", table()).wanting(&Hypertable, &json!({"ensure": "absent"}));
    assert_eq!(gone.settle(KIND, &wanted), Err(vec!["needs-hypertable"]));
    let mut plain = World::new("2.29.2", daily());
    for edition in [Edition::Apache, Edition::Unknown] {
        plain.server.timescaledb.as_mut().unwrap().edition = edition;
        assert_eq!(plain.settle(KIND, &wanted), Err(vec!["needs-community-edition"]));
    }
    plain.server.timescaledb = None;
    assert_eq!(plain.settle(KIND, &wanted), Err(vec!["needs-timescaledb"]));
    assert!(plain.settle(KIND, &json!({"ensure": "absent"})).is_ok());
    plain.relations.clear();
    assert_eq!(plain.settle(KIND, &wanted), Err(vec!["unknown-table"]));
}

#[test]
fn a_job_is_read_as_the_server_goes_by_it() {
    let age = |row: Row| {
        let found = KIND.read(&[row], &Default::default()).unwrap().remove(0);
        (found.get("drop_after").cloned(), found.get("drop_created_before").cloned())
    };
    let week = Cell::Interval(Interval::days(7));
    assert_eq!(age(live(90)), (Some(days(90)), None));
    assert_eq!(age(job_row(&[("drop_after_integer", Cell::Int(500))])), (Some(Value::Int(500)), None));
    let both = job_row(&[("drop_after", week.clone()), ("drop_created_before", week)]);
    assert_eq!(age(both), (None, Some(days(7))), "creation wins");
    let start = ("initial_start", Cell::Int(1_767_225_600_000_000));
    let floating = KIND.read(&[job_row(std::slice::from_ref(&start))], &Default::default()).unwrap().remove(0);
    assert_eq!(floating.get("schedule.initial_start"), None, "a start that nothing goes by");
    let fixed = KIND.read(&[job_row(&[start, ("fixed_schedule", Cell::Bool(true))])], &Default::default()).unwrap();
    assert_eq!(fixed[0].get("schedule.initial_start"), Some(&Value::text("2026-01-01 00:00:00+00")));
    let paused = KIND.read(&[job_row(&[("scheduled", Cell::Bool(false))])], &Default::default()).unwrap();
    assert!(paused[0].paused);
}

#[test]
fn jobs_are_looked_for_where_the_version_has_them() {
    let sql = |version: &str| {
        let world = World::new(version, daily());
        let scope = Scope { hypertables: vec![(7, 1)], ..Scope::default() };
        KIND.observe(&world.server, &scope).unwrap().sql
    };
    assert!(sql("2.24.0").contains("_timescaledb_config.bgw_job"));
    assert!(sql("2.25.0").contains("_timescaledb_catalog.bgw_job"));
    let mut plain = World::new("2.29.2", daily()).server;
    plain.timescaledb = None;
    assert_eq!(KIND.observe(&plain, &Default::default()), None);
}

#[test]
fn what_can_drop_more_is_counted_in_one_query() {
    let world = World::new("2.29.2", daily()).with(KIND, &[live(90)]);
    let shorter = world.delta(KIND, &json!({"drop_after": "30 days"}));
    let query = KIND.weigh(&[&shorter, &shorter], &world.view()).unwrap();
    assert_eq!(query.params[0], Param::Oids(vec![7, 7]));
    assert_eq!(query.params[1], Param::texts(["30 days", "30 days"]));
    assert_eq!(query.params[4], Param::texts(["90 days", "90 days"]));
    assert_eq!(query.params.len(), 18);
    assert!(!query.sql.contains(['{', '}']), "{}", query.sql);
    let calmer = world.delta(KIND, &json!({"drop_after": "90 days", "schedule": {"every": "2 days"}}));
    assert_eq!(KIND.weigh(&[&calmer], &world.view()), None);
    let paused = world.delta(KIND, &json!({"drop_after": "90 days", "schedule": {"paused": true}}));
    assert_eq!(KIND.weigh(&[&paused], &world.view()), None);
    let zone = world.delta(KIND, &json!({"drop_after": "90 days", "schedule": {"timezone": "Mars"}}));
    assert_eq!(KIND.weigh(&[&zone], &world.view()).unwrap().params[9], Param::texts(["Mars"]));
}

#[test]
fn the_catalog_of_chunks_is_read_as_the_version_has_it() {
    for (version, has) in [("2.29.0", "ch.relid"), ("2.19.0", "s.compress_relid"), ("2.18.2", "ch.compressed_chunk_id")]
    {
        let world = World::new(version, daily());
        let delta = world.delta(KIND, &json!({"drop_after": "30 days"}));
        let sql = KIND.weigh(&[&delta], &world.view()).unwrap().sql;
        assert!(sql.contains(has), "{version}");
    }
}

#[test]
fn data_that_goes_is_a_hazard_and_counted() {
    let world = World::new("2.29.2", daily()).with(KIND, &[live(90)]);
    let shorter = world.delta(KIND, &json!({"drop_after": "30 days"}));
    let judgement = world.judge(KIND, &shorter, &[drops()]);
    assert_eq!(judgement.hazards, [Hazard::DeletesData]);
    let impact = judgement.impact.unwrap();
    assert_eq!((impact.verb.as_str(), impact.chunks, impact.rows), ("drops", Some(12), None));
    assert_eq!((impact.bytes, impact.when.as_deref()), (Some(Bytes(81920)), Some("on its first run")));
    let nothing = world.judge(KIND, &shorter, &[]);
    assert_eq!((nothing.hazards.len(), nothing.impact), (0, None));
    let removed = world.judge(KIND, &world.removal(KIND), &[drops()]);
    assert_eq!((removed.hazards.len(), removed.impact), (0, None));
}

#[test]
fn a_paused_job_drops_nothing_until_it_is_resumed() {
    let stopped = job_row(&[("drop_after", Cell::Interval(Interval::days(30))), ("scheduled", Cell::Bool(false))]);
    let world = World::new("2.29.2", daily()).with(KIND, &[stopped]);
    // Resumed: all that is due is new, although the age is the same.
    let resumed = world.delta(KIND, &json!({"drop_after": "30 days", "schedule": {"paused": false}}));
    let query = KIND.weigh(&[&resumed], &world.view()).unwrap();
    assert_eq!(query.params[4], Param::Texts(vec![None]));
    assert_eq!(world.judge(KIND, &resumed, &[drops()]).hazards, [Hazard::DeletesData]);
    // Left paused by an operator: still a hazard, for who resumes it is not asked.
    let left = world.judge(KIND, &world.delta(KIND, &json!({"drop_after": "7 days"})), &[drops()]);
    assert_eq!(left.hazards, [Hazard::DeletesData]);
    assert!(left.impact.unwrap().notes[0].contains("paused"));
}

#[test]
fn an_age_counts_also_where_the_policy_pauses_the_job() {
    let shorter = json!({"drop_after": "7 days", "schedule": {"paused": true}});
    let stopped = job_row(&[("drop_after", Cell::Interval(Interval::days(30))), ("scheduled", Cell::Bool(false))]);
    for rows in [vec![], vec![live(30)], vec![stopped]] {
        let world = World::new("2.29.2", daily()).with(KIND, &rows);
        let delta = world.delta(KIND, &shorter);
        assert!(KIND.weigh(&[&delta], &world.view()).is_some());
        let judgement = world.judge(KIND, &delta, &[drops()]);
        assert_eq!(judgement.hazards, [Hazard::DeletesData]);
        assert!(judgement.impact.unwrap().notes[0].contains("paused"));
    }
    // Pausing alone, or a key of the schedule, drops nothing.
    let world = World::new("2.29.2", daily()).with(KIND, &[live(30)]);
    let paused = world.delta(KIND, &json!({"drop_after": "30 days", "schedule": {"paused": true}}));
    assert_eq!(world.judge(KIND, &paused, &[drops()]).hazards, []);
}

#[test]
fn the_chunks_that_go_are_listed_one_by_one() {
    let world = World::new("2.29.2", daily()).with(KIND, &[live(90)]);
    let shorter = world.delta(KIND, &json!({"drop_after": "30 days"}));
    let ids = Cell::List(vec![Cell::Int(70), Cell::Int(71)]);
    let going = row(&[("what", text("drops")), ("oid", Cell::Int(7)), ("chunks", Cell::Int(2)), ("chunk_ids", ids)]);
    assert_eq!(world.judge(KIND, &shorter, &[going]).impact.unwrap().chunk_ids, [70, 71]);
}

#[test]
fn an_age_from_before_the_servers_time_is_refused() {
    let time = World::new("2.29.2", daily());
    let settled = |key: &str, age: &str| time.settle(KIND, &json!({ key: age })).map(|_| ());
    for key in ["drop_after", "drop_created_before"] {
        assert_eq!(settled(key, "6500 years"), Ok(()));
        for age in ["10000 years", "300000 years", "2400000 days 1000000 hours", "20000 years -3652500 days"] {
            assert_eq!(settled(key, age), Err(vec!["bad-interval"]), "{key}: {age}");
        }
    }
    let columnstore = |section: Json| time.settle(&Columnstore, &section).map(|_| ());
    assert_eq!(columnstore(json!({"after": "10000 years"})), Err(vec!["bad-interval"]));
    assert_eq!(columnstore(json!({"created_before": "300000 years"})), Err(vec!["bad-interval"]));
    let mut big = ticking(Some("now"));
    big.columns[1].base_type = types::INT8;
    let big = World::new("2.29.2", big);
    assert_eq!(big.settle(KIND, &json!({"drop_after": i64::MAX})), Err(vec!["wrong-value"]));
    assert!(big.settle(KIND, &json!({"drop_after": 4_000_000_000_000_000_000_i64})).is_ok());
    // A job that has such an age drops nothing, and is not asked what it would.
    let stuck = job_row(&[("drop_after", Cell::Interval(Interval { months: 120_000, ..Interval::default() }))]);
    let world = World::new("2.29.2", daily()).with(KIND, &[stuck]);
    let query = KIND.weigh(&[&world.delta(KIND, &json!({"drop_after": "30 days"}))], &world.view()).unwrap();
    assert_eq!(query.params[4], Param::Texts(vec![None]));
}

#[test]
fn no_limit_is_nothing_in_any_unit() {
    for nothing in ["0", "0 seconds", "00:00:00", "PT0S"] {
        let wanted = desired(KIND, &json!({"drop_after": "90 days", "schedule": {"max_runtime": nothing}}));
        assert_eq!(wanted.get("schedule.max_runtime"), Some(&Value::Interval(Interval::default())), "{nothing}");
    }
    assert_eq!(refused(json!({"drop_after": "90 days", "schedule": {"max_runtime": "-1 hour"}})), ["bad-interval"]);
}

#[test]
fn what_cannot_be_counted_is_taken_for_the_worst() {
    let wanted = json!({"drop_after": "90 days"});
    let becoming = World::new("2.29.2", table()).wanting(&Hypertable, &json!({"time_column": "time"}));
    let judgement = becoming.judge(KIND, &becoming.delta(KIND, &wanted), &[]);
    assert_eq!(judgement.hazards, [Hazard::DeletesData]);
    assert_eq!(judgement.impact.unwrap().chunks, None);
    let mut empty = table();
    empty.has_pages = false;
    let empty = World::new("2.29.2", empty).wanting(&Hypertable, &json!({"time_column": "time"}));
    assert_eq!(empty.judge(KIND, &empty.delta(KIND, &wanted), &[]).hazards, []);
    // The function that tells the present is not in force yet, or is another one.
    for live in [None, Some("then")] {
        let section = json!({"time_column": "tick", "integer_now": "now"});
        let world = World::new("2.29.2", ticking(live)).wanting(&Hypertable, &section);
        let delta = world.delta(KIND, &json!({"drop_after": 500}));
        assert_eq!(KIND.weigh(&[&delta], &world.view()).unwrap().params[0], Param::Oids(Vec::new()));
        assert_eq!(world.judge(KIND, &delta, &[]).hazards, [Hazard::DeletesData], "{live:?}");
    }
    // Where there are no chunks there is nothing to count, and no present to ask the server for.
    let mut empty = ticking(None);
    empty.hypertable.as_mut().unwrap().chunks = 0;
    let world = World::new("2.29.2", empty).wanting(&Hypertable, &json!({"time_column": "tick", "integer_now": "now"}));
    let delta = world.delta(KIND, &json!({"drop_after": 500}));
    assert_eq!(KIND.weigh(&[&delta], &world.view()).unwrap().params[0], Param::Oids(Vec::new()));
    assert_eq!(world.judge(KIND, &delta, &[]).hazards, []);
}

#[test]
fn whole_numbers_are_counted_in_the_columns_own_type() {
    let world = World::new("2.29.2", ticking(Some("now")));
    let query = KIND.weigh(&[&world.delta(KIND, &json!({"drop_after": 500}))], &world.view()).unwrap();
    assert_eq!(query.params[1], Param::Texts(vec![None]));
    assert_eq!(query.params[3], Param::Ints(vec![Some(500)]));
    assert_eq!(query.params[7], Param::texts(["integer"]));
}

#[test]
fn obstacles_are_errors_of_the_plan() {
    let mut world = World::new("2.29.2", daily());
    let zone = world.delta(KIND, &json!({"drop_after": "90 days", "schedule": {"timezone": "Mars"}}));
    let unknown = row(&[("what", text("unknown time zone")), ("name", text("Mars")), ("oid", Cell::Null)]);
    assert_eq!(codes(&world.judge(KIND, &zone, &[unknown]).diagnostics), ["wrong-value"]);
    assert_eq!(codes(&world.judge(KIND, &zone, &[]).diagnostics), Vec::<&str>::new());
    world.relations.values_mut().for_each(|relation| relation.owned = false);
    assert_eq!(codes(&world.judge(KIND, &zone, &[]).diagnostics), ["no-privilege"]);
}

#[test]
fn every_run_locks_what_chunks_refer_to() {
    let world = World::new("2.29.2", daily());
    let delta = world.delta(KIND, &json!({"drop_after": "30 days"}));
    let foreign = row(&[("what", text("foreign key")), ("oid", Cell::Int(7)), ("name", text("public.symbols"))]);
    let impact = world.judge(KIND, &delta, &[drops(), foreign]).impact.unwrap();
    assert!(impact.notes[0].contains("public.symbols"), "{:?}", impact.notes);
}

#[test]
fn policies_that_work_against_each_other_are_named_offline() {
    let conflicts = |retention: Json, other: &dyn crate::kinds::Kind, section: Json| {
        let world = World::new("2.29.2", daily()).wanting(other, &section);
        let mut sink = Vec::new();
        KIND.check(&[&desired(KIND, &retention)], &world.desired, &mut sink);
        codes(&sink)
    };
    let ninety = json!({"drop_after": "90 days"});
    assert_eq!(conflicts(ninety.clone(), &Columnstore, json!({"after": "3 months"})), ["policy-conflict"]);
    assert_eq!(conflicts(ninety.clone(), &Columnstore, json!({"after": "89 days"})), Vec::<&str>::new());
    assert_eq!(conflicts(ninety.clone(), &Columnstore, json!({"created_before": "1 year"})), Vec::<&str>::new());
    assert_eq!(conflicts(json!({"drop_after": 500}), &Columnstore, json!({"after": 500})), ["policy-conflict"]);
    let chunks = |interval: &str| json!({"time_column": "time", "chunk_interval": interval});
    assert_eq!(conflicts(ninety.clone(), &Hypertable, chunks("1 year")), ["policy-conflict"]);
    assert_eq!(conflicts(ninety, &Hypertable, chunks("7 days")), Vec::<&str>::new());
}

#[test]
fn a_job_beside_the_policy_is_named() {
    let others = job_row(&[("of_somebody", Cell::Bool(true)), ("job_id", Cell::Int(1003))]);
    for (rows, value) in [
        (vec![live(90), others.clone()], json!({"drop_after": "90 days"})),
        (vec![others.clone()], json!({"drop_after": "90 days"})),
        (vec![others], json!({"ensure": "absent"})),
    ] {
        let world = World::new("2.24.0", daily()).with(KIND, &rows);
        let mut sink = Vec::new();
        assert!(KIND.settle(&desired(KIND, &value), &world.view(), &mut sink).is_some());
        assert_eq!(codes(&sink), ["policy-conflict"]);
        assert!(!crate::diag::has_errors(&sink) && sink[0].message.contains("1003"), "{}", sink[0].message);
        let beside: Vec<&Live> = world.live.values().filter(|live| live.system).collect();
        assert_eq!(beside.len(), 1, "it is nobody's to manage");
        assert!(beside[0].attributes.is_empty());
    }
}

#[test]
fn what_only_keeps_more_need_not_wait_for_the_end() {
    let days = |count| Some(days(count));
    let place = Place { file: "p.yaml".into(), start: 0, end: 0, line: 1, column: 1, via: None };
    let update = |attribute: &str, before: Option<Value>, after: Option<Value>| {
        let on = QualifiedName::new("public", "t");
        let address = Address::in_schema(super::ID, &on);
        Delta {
            address: address.clone(),
            on: Some(on.clone()),
            reason: Reason::Differs,
            changes: vec![Change { attribute: attribute.to_owned(), before, after }],
            desired: Some(Desired::new(address.clone(), Some(on.clone()), place.clone())),
            live: Some(Live::new(address, Some(on))),
        }
    };
    let last = |delta: &Delta| KIND.comes_at_the_end(delta);
    assert!(last(&update("drop_after", days(30), days(10))));
    assert!(!last(&update("drop_after", days(30), days(40))));
    let month = || Some(Value::Interval(Interval::parse("1 month").unwrap()));
    assert!(last(&update("drop_after", days(30), month())), "a month can be shorter");
    assert!(!last(&update("drop_after", days(28), month())));
    assert!(last(&update("drop_after", month(), days(30))), "or longer");
    assert!(!last(&update("schedule.paused", Some(Value::Bool(false)), Some(Value::Bool(true)))));
    assert!(last(&update("schedule.paused", Some(Value::Bool(true)), Some(Value::Bool(false)))));
    assert!(last(&update("schedule.every", days(1), days(2))));
}
