//! Reading, identifying, settling and judging with rows made by hand.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::Job;
use super::identity::{CANDIDATES, identify};
use crate::core::{Address, Applied, Cell, Desired, Edition, Ensure, Interval, JsonText, Live, Row, Value};
use crate::kinds::fixture::{World, codes, desired, expand, job_row, row, table, text};
use crate::kinds::{Export, Relations};

const KIND: &dyn crate::kinds::Kind = &Job;

fn wanted(extra: &Json) -> Json {
    let mut value = json!({"procedure": "public.roll_up", "schedule": {"every": "1 hour"}});
    value.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    value
}

/// A job of `public.roll_up`: its number, its name as the server keeps it, and its configuration.
fn job(id: i64, application_name: &str, config: Option<&str>) -> Row {
    job_row(&[
        ("job_id", Cell::Int(id)),
        ("version", Cell::Int(223)),
        ("application_name", text(application_name)),
        ("proc_schema", text("public")),
        ("proc_name", text("roll_up")),
        ("config", config.map_or(Cell::Null, text)),
        ("owner", text("me")),
        ("owned", Cell::Bool(true)),
        ("procedure_exists", Cell::Bool(true)),
    ])
}

fn lives(rows: &[Row]) -> Vec<Live> {
    KIND.read(rows, &Relations::new()).unwrap()
}

/// A policy of another name.
fn named(name: &str, extra: &Json) -> Desired {
    Desired { address: Address::global(super::ID, name), ..desired(KIND, &wanted(extra)) }
}

fn by_address(all: Vec<Desired>) -> BTreeMap<Address, Desired> {
    all.into_iter().map(|desired| (desired.address.clone(), desired)).collect()
}

/// What the ledger has after a policy was applied.
fn remembered(desired: &Desired) -> BTreeMap<Address, Applied> {
    let attributes = desired.attributes.iter().map(|(name, value)| (name.clone(), value.to_json())).collect();
    let applied = Applied {
        address: desired.address.clone(),
        on: None,
        attributes,
        adopted: false,
        source: None,
        at: None,
        begun: None,
    };
    BTreeMap::from([(applied.address.clone(), applied)])
}

/// Which number each name was found to have; `?` where there are several.
fn found(rows: &[Row], wanted: Vec<Desired>, applied: &BTreeMap<Address, Applied>) -> Vec<String> {
    let identified = identify(lives(rows), &by_address(wanted), applied);
    let show = |live: &Live| match live.fact("job_id") {
        Some(id) => format!("{} {id}", live.address.name),
        None => format!("{} ?", live.address.name),
    };
    let mut shown: Vec<String> = identified.iter().map(show).collect();
    shown.sort();
    shown
}

#[test]
fn a_document_becomes_attributes_with_their_types() {
    let value = wanted(&json!({
        "config": {"b": 1.0, "a": [true, null]},
        "check_config": "\"Odd\".\"Check\"",
        "schedule": {"every": "P7D", "fixed": true, "timezone": "Europe/Berlin", "max_retries": 3, "paused": true},
    }));
    let found = desired(KIND, &value);
    assert_eq!(found.address.to_string(), "job.trades");
    assert_eq!(found.get("procedure").unwrap().to_string(), "public.roll_up");
    assert_eq!(found.get("config").unwrap().to_string(), r#"{"a": [true, null], "b": 1}"#);
    assert_eq!(found.get("check_config").unwrap().to_string(), "\"Odd\".\"Check\"");
    assert_eq!(found.get("schedule.every"), Some(&Value::Interval(Interval::days(7))));
    assert_eq!(found.get("schedule.fixed"), Some(&Value::Bool(true)));
}

#[test]
fn what_cannot_be_meant_is_refused_offline() {
    let refused = |value: Json| {
        let (_, sink) = expand(KIND, &value);
        codes(&sink)
    };
    assert_eq!(refused(json!({"procedure": "p"})), ["missing-key"]);
    assert_eq!(refused(wanted(&json!({"config": {"a": "\u{0}"}}))), ["wrong-value"]);
    assert_eq!(refused(wanted(&json!({"procedure": "a.b.c"}))), ["bad-name"]);
    let both = json!({"schedule": {"every": "1 h", "fixed": false, "initial_start": "2026-01-01 00:00:00Z"}});
    assert_eq!(refused(wanted(&both)), ["wrong-value"]);
    let mixed = json!({"schedule": {"every": "1 month 1 day", "fixed": true}});
    assert_eq!(refused(wanted(&mixed)), ["bad-interval"]);
    assert_eq!(refused(json!({"procedure": "p", "ensure": "absent"})), Vec::<&str>::new());
}

#[test]
fn a_row_is_read_with_the_name_that_it_was_given() {
    let live = &lives(&[job(1007, "it's [1] [1007]", Some(r#"{"b":1,"a":2.50}"#))])[0];
    assert_eq!(live.get("job_name"), Some(&Value::text("it's [1]")));
    assert_eq!(live.get("config"), Some(&Value::Json(JsonText::parse(r#"{"a":2.5,"b":1}"#).unwrap())));
    assert_eq!(live.get("check_config"), None);
    assert_eq!(live.fact("job_id"), Some(&Value::Int(1007)));
    // A document that does not fit a double equals no policy's.
    let huge = &lives(&[job(1007, "x [1007]", Some(r#"{"a":1e999}"#))])[0];
    assert!(matches!(huge.get("config"), Some(Value::Text(_))));
}

#[test]
fn a_name_tells_a_job_whatever_else_was_changed() {
    let rows = [job(1001, "a [1001]", Some(r#"{"x":1}"#)), job(1002, "User-Defined Action [1002]", Some(r#"{"x":2}"#))];
    let none = BTreeMap::new();
    assert_eq!(found(&rows, vec![named("a", &json!({"config": {"x": 2}}))], &none), ["a 1001"]);
    // One that runs something else is not taken for it, and is not passed over in silence either.
    let other = named("a", &json!({"procedure": "public.other"}));
    assert_eq!(found(&rows, vec![other], &none), ["a ?"]);
}

#[test]
fn of_several_of_one_name_the_only_one_that_is_described_or_was_applied_is_meant() {
    let rows = [job(1001, "b [1001]", Some(r#"{"k":2}"#)), job(1002, "b [1002]", None)];
    let policy = named("b", &json!({"config": {"k": 2}}));
    let none = BTreeMap::new();
    assert_eq!(found(&rows, vec![policy.clone()], &none), ["b 1001"], "as it is described");
    assert_eq!(found(&rows, vec![policy.clone()], &remembered(&policy)), ["b 1001"], "and as it was applied");
    assert_eq!(found(&rows, vec![named("b", &json!({}))], &none), ["b 1002"], "the one without a configuration");
    // The policy wants something else by now, which neither is given.
    let changed = named("b", &json!({"config": {"k": 3}}));
    assert_eq!(found(&rows, vec![changed.clone()], &remembered(&policy)), ["b 1001"], "as it was applied");
    assert_eq!(found(&rows, vec![changed.clone()], &none), ["b ?"]);
    // One is as it was applied, the other as it is wanted now: nobody knows.
    let two = [rows[0].clone(), job(1002, "b [1002]", Some(r#"{"k":3}"#))];
    assert_eq!(found(&two, vec![changed], &remembered(&policy)), ["b ?"]);
    // Two that are alike in all.
    let alike = [rows[0].clone(), job(1002, "b [1002]", Some(r#"{"k":2}"#))];
    assert_eq!(found(&alike, vec![policy.clone()], &remembered(&policy)), ["b ?"]);
    // No policy describes it any more: what goes is what was applied.
    assert_eq!(found(&rows, Vec::new(), &remembered(&policy)), ["b 1001"]);
    // What is of that name too, and another policy's by what it is, is that one's.
    let both = vec![policy, named("c", &json!({}))];
    assert_eq!(found(&rows, both, &none), ["b 1001", "c 1002"]);
}

#[test]
fn the_ledger_tells_which_job_a_policy_moved_to_another_procedure_is() {
    let rows = [job(1001, "a [1001]", None)];
    let applied = remembered(&named("a", &json!({})));
    assert_eq!(found(&rows, vec![named("a", &json!({"procedure": "public.other"}))], &applied), ["a 1001"]);
}

#[test]
fn what_has_no_name_is_known_by_what_it_runs_and_is_given() {
    let rows = [
        job(1001, "User-Defined Action [1001]", Some(r#"{"x":1}"#)),
        job(1002, "User-Defined Action [1002]", Some(r#"{"x":2}"#)),
        job(1003, "User-Defined Action [1003]", None),
    ];
    let three = vec![
        named("a", &json!({"config": {"x": 2}})),
        named("b", &json!({"config": {"x": 1}})),
        named("c", &json!({})),
    ];
    assert_eq!(found(&rows, three, &BTreeMap::new()), ["a 1002", "b 1001", "c 1003"]);
}

#[test]
fn jobs_that_are_alike_serve_policies_that_are_and_more_of_them_are_ambiguous() {
    let rows = [job(1001, "User-Defined Action [1001]", None), job(1002, "User-Defined Action [1002]", None)];
    let none = BTreeMap::new();
    assert_eq!(found(&rows, vec![named("a", &json!({}))], &none), ["a ?"]);
    let two = vec![named("a", &json!({})), named("b", &json!({}))];
    assert_eq!(found(&rows, two.clone(), &none), ["a 1001", "b 1002"]);
    assert_eq!(found(&rows[..1], two, &none), ["a 1001"]);
}

#[test]
fn what_is_given_something_else_is_a_policys_own_only_by_the_ledger() {
    let rows = [job(1001, "User-Defined Action [1001]", Some(r#"{"x":9}"#))];
    let policy = named("a", &json!({"config": {"x": 1}}));
    assert_eq!(found(&rows, vec![policy.clone()], &BTreeMap::new()), ["a ?"]);
    assert_eq!(found(&rows, vec![policy.clone()], &remembered(&policy)), ["a 1001"]);
    // The policy was changed since: the job is as it was applied.
    let then = named("a", &json!({"config": {"x": 9}}));
    assert_eq!(found(&rows, vec![policy.clone()], &remembered(&then)), ["a 1001"]);
    // Somebody's own, who gave it a name.
    let theirs = [job(1001, "theirs [1001]", Some(r#"{"x":9}"#))];
    assert!(found(&theirs, vec![policy.clone()], &BTreeMap::new()).is_empty());
    // Two that could be it.
    let two = [rows[0].clone(), job(1002, "User-Defined Action [1002]", Some(r#"{"x":8}"#))];
    assert_eq!(found(&two, vec![policy.clone()], &remembered(&policy)), ["a ?"]);
    // What is to be absent is not looked for among what it does not describe.
    let absent = Desired { ensure: Ensure::Absent, ..policy };
    assert!(found(&rows, vec![absent], &BTreeMap::new()).is_empty());
}

#[test]
fn what_no_policy_describes_any_more_is_known_by_the_ledger_alone() {
    let rows = [job(1001, "User-Defined Action [1001]", None)];
    let applied = remembered(&named("a", &json!({})));
    assert_eq!(found(&rows, Vec::new(), &applied), ["a 1001"]);
    let another = remembered(&named("b", &json!({"procedure": "public.other"})));
    assert!(found(&rows, Vec::new(), &another).is_empty());
}

#[test]
fn where_none_is_known_each_has_a_name_of_its_own() {
    let long = "x".repeat(51);
    let rows = [
        job(1001, "User-Defined Action [1001]", None),
        job(1002, "User-Defined Action [1002]", Some(r#"{"x":2}"#)),
        job(1003, "mine [1003]", None),
        job(1004, &format!("{long} [1004]"), None),
    ];
    let numbers = ["job 1002 1002", "job 1004 1004", "mine 1003", "roll_up 1001"];
    assert_eq!(found(&rows, Vec::new(), &BTreeMap::new()), numbers);
}

#[test]
fn what_is_written_is_what_would_be_read() {
    let world = World::new("2.23.0", table());
    let part = |config: &str| {
        let mut live = lives(&[job(1001, "mine [1001]", Some(config))]).remove(0);
        live.address = Address::global(super::ID, "mine");
        KIND.export(&live, &world.view())
    };
    let Export::Parts(parts) = part(r#"{"x":1.5}"#) else { panic!("it is a part") };
    let part_of_it = &parts[0];
    assert_eq!((part_of_it.document, part_of_it.name.as_str()), ("job", "mine"));
    let expected = json!({"procedure": "public.roll_up", "config": {"x": 1.5}, "schedule": {"every": "1 day"}});
    assert_eq!(part_of_it.value, expected);
    assert!(matches!(part("[1]"), Export::LeftOut(_)));
    assert!(matches!(part(r#"{"x":1e999}"#), Export::LeftOut(_)));
}

#[test]
fn a_name_is_wanted_where_the_server_keeps_one() {
    let newer = World::new("2.20.0", table()).settle(KIND, &wanted(&json!({}))).unwrap();
    assert_eq!(newer.get("job_name"), Some(&Value::text("trades")));
    let older = World::new("2.19.3", table()).settle(KIND, &wanted(&json!({}))).unwrap();
    assert_eq!(older.get("job_name"), None);
}

#[test]
fn twins_are_impossible_only_where_no_name_tells_them_apart() {
    let with_twin = |version| {
        let mut world = World::new(version, table());
        let twin = named("twin", &json!({}));
        world.desired.insert(twin.address.clone(), twin);
        world.settle(KIND, &wanted(&json!({})))
    };
    assert!(with_twin("2.20.0").is_ok());
    assert_eq!(with_twin("2.19.3"), Err(vec!["job-ambiguous"]));
    let twins = [desired(KIND, &wanted(&json!({}))), named("twin", &json!({}))];
    let mut sink = Vec::new();
    KIND.check(&twins.iter().collect::<Vec<_>>(), &BTreeMap::new(), &mut sink);
    assert_eq!(codes(&sink), ["policy-conflict"]);
}

#[test]
fn what_the_server_cannot_do_is_foreseen() {
    let mut world = World::new("2.23.0", table());
    world.server.timescaledb.as_mut().unwrap().edition = Edition::Apache;
    assert_eq!(world.settle(KIND, &wanted(&json!({}))), Err(vec!["needs-community-edition"]));
    world.server.timescaledb = None;
    assert_eq!(world.settle(KIND, &wanted(&json!({}))), Err(vec!["needs-timescaledb"]));
}

#[test]
fn several_that_could_be_meant_are_an_error_that_names_them() {
    let mut world = World::new("2.23.0", table());
    let policy = desired(KIND, &wanted(&json!({})));
    let rows = [job(1001, "User-Defined Action [1001]", None), job(1002, "User-Defined Action [1002]", None)];
    let all = by_address(vec![policy.clone()]);
    world.live = identify(lives(&rows), &all, &BTreeMap::new()).into_iter().map(|l| (l.address.clone(), l)).collect();
    assert!(world.live[&policy.address].fact(CANDIDATES).is_some());
    let mut sink = Vec::new();
    assert_eq!(KIND.settle(&policy, &world.view(), &mut sink), None);
    assert_eq!(codes(&sink), ["job-ambiguous"]);
    let why = sink[0].why.as_ref().unwrap();
    assert!(why.contains("job 1001") && why.contains("job 1002"), "{why}");
}

#[test]
fn a_job_without_its_procedure_is_an_error_as_long_as_that_is_wanted() {
    let mut world = World::new("2.23.0", table());
    let mut live = lives(&[job(1001, "trades [1001]", None)]).remove(0);
    live.address = Address::global(super::ID, "trades");
    live.set_fact("procedure_exists", false);
    world.live.insert(live.address.clone(), live);
    assert_eq!(world.settle(KIND, &wanted(&json!({}))), Err(vec!["unknown-procedure"]));
    assert!(world.settle(KIND, &wanted(&json!({"procedure": "public.other"}))).is_ok());
}

fn routine(found: bool, executable: bool) -> Row {
    row(&[
        ("what", text("routine")),
        ("schema", text("public")),
        ("name", text("roll_up")),
        ("arguments", text("23 3802")),
        ("found", Cell::Bool(found)),
        ("executable", Cell::Bool(executable)),
        ("others", if found { Cell::Null } else { text("(text)") }),
    ])
}

#[test]
fn what_is_run_must_be_there_and_be_allowed() {
    let world = World::new("2.23.0", table());
    let delta = world.delta(KIND, &wanted(&json!({})));
    let judged = |weights: &[Row]| {
        let diagnostics = world.judge(KIND, &delta, weights).diagnostics;
        (codes(&diagnostics), diagnostics.first().and_then(|first| first.why.clone()))
    };
    assert_eq!(judged(&[routine(true, true)]), (vec![], None));
    let (found, why) = judged(&[routine(false, false)]);
    assert_eq!(found, ["unknown-procedure"]);
    assert!(why.unwrap().contains("(text)"));
    assert_eq!(judged(&[routine(true, false)]).0, ["no-privilege"]);
}

#[test]
fn somebody_elses_job_is_not_changed() {
    let mut world = World::new("2.23.0", table());
    let mut live = lives(&[job(1001, "trades [1001]", Some("{}"))]).remove(0);
    live.address = Address::global(super::ID, "trades");
    live.set_fact("owned", false);
    live.set_fact("owner", Value::text("owner"));
    world.live.insert(live.address.clone(), live);
    let delta = world.delta(KIND, &wanted(&json!({"config": {"x": 1}})));
    assert_eq!(codes(&world.judge(KIND, &delta, &[]).diagnostics), ["no-privilege"]);
    assert_eq!(codes(&world.judge(KIND, &world.removal(KIND), &[]).diagnostics), ["no-privilege"]);
}
