//! Rows that are dropped before an aggregate has them: warned of by what the policies say alone, at both places.

#![allow(clippy::unwrap_used, reason = "a test says so by failing")]

use std::fs;

use chronoform::diag::{Diagnostic, Sources};
use chronoform::load::{self, Variables};

const CODE: &str = "drops-unrefreshed";

fn warnings(policy: &str) -> Vec<Diagnostic> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    fs::write(&path, policy).unwrap();
    let (mut sources, mut sink) = (Sources::default(), Vec::new());
    load::policies(&[path], &Variables::from_pairs(&[]), &mut sources, &mut sink).unwrap();
    sink.into_iter().filter(|said| said.code.name == CODE).collect()
}

/// A table with what drops its rows.
fn raw(drops: &str) -> String {
    format!("kind: table\nname: public.raw\nhypertable: {{time_column: time}}\n{drops}\n")
}

/// An aggregate of hourly or longer buckets, with its refresh policies.
fn aggregate(name: &str, from: &str, bucket: &str, refresh: &[&str]) -> String {
    let items: Vec<String> = refresh.iter().map(|item| format!("  - {item}\n")).collect();
    let refresh = if items.is_empty() { String::new() } else { format!("refresh:\n{}", items.concat()) };
    format!(
        "---\nkind: continuous_aggregate\nname: public.{name}\nquery: SELECT public.time_bucket({bucket}, time) AS time, \
         max(v) AS v FROM public.{from} GROUP BY 1\n{refresh}"
    )
}

fn window(start: &str, end: &str, every: &str) -> String {
    format!("{{start_offset: {start}, end_offset: {end}, schedule: {{every: {every}}}}}")
}

/// Whether it is warned of one aggregate over a table that drops, and with what word.
fn of_one(drops: &str, bucket: &str, refresh: &[&str], word: &str) {
    let found = warnings(&(raw(drops) + &aggregate("by_bucket", "raw", bucket, refresh)));
    let said: Vec<&str> = found.iter().map(|said| said.message.as_str()).collect();
    if word.is_empty() {
        assert!(found.is_empty(), "{drops} {refresh:?}: {said:?}");
        return;
    }
    assert!(found.len() == 1 && said[0].contains(word), "{drops} {refresh:?}: {said:?}");
    assert!(found[0].place.is_some() && found[0].related.len() == 1 && found[0].help.is_some());
    assert_eq!(found[0].related[0].0.line, 4, "where rows are dropped");
}

const WEEK: &str = "retention: {drop_after: 7 days}";
const HOUR: &str = "'1 hour'";

#[test]
fn what_is_refreshed_before_it_is_dropped_is_fine() {
    of_one(WEEK, HOUR, &[&window("3 days", "1 hour", "1 hour")], "");
    of_one(WEEK, HOUR, &[&window("7 days", "1 day", "5 days")], "");
    of_one(WEEK, HOUR, &["{start_offset: 6 days 1 hour, schedule: {every: 6 days}}"], "");
    of_one("retention: {ensure: absent}", HOUR, &[], "");
    of_one("retention: {drop_after: 7 days, schedule: {paused: true}}", HOUR, &[], "");
    of_one(
        "archive: {to: cold, after: 7 days}\n---\nkind: archive_store\nname: cold\nlocation: {path: /a}",
        HOUR,
        &[],
        "",
    );
    // One window of several is enough.
    let (near, far) = (window("2 days", "1 hour", "1 hour"), window("7 days", "2 days", "5 days"));
    of_one(
        WEEK,
        HOUR,
        &[&near, &far.replace('{', "{name: far, ").replacen("schedule: {name: far, ", "schedule: {", 1)],
        "",
    );
}

#[test]
fn what_waits_for_longer_than_it_is_kept_is_named() {
    of_one(WEEK, HOUR, &[&window("7 days", "1 hour", "7 days")], "7 days 2 hours");
    of_one(WEEK, "'1 day'", &[&window("7 days", "5 days", "1 day")], "7 days");
    of_one(WEEK, HOUR, &["{start_offset: 3 days, schedule: {every: 1 week}}"], "7 days");
    of_one("retention: {drop_after: 1 month}", HOUR, &[&window("28 days", "20 days", "8 days")], "28 days 1 hour");
    of_one(
        "retention: {drop_created_before: 7 days}",
        HOUR,
        &[&window("7 days", "1 hour", "7 days")],
        "7 days 2 hours",
    );
    let archive =
        "archive: {to: cold, after: 7 days, drop: true}\n---\nkind: archive_store\nname: cold\nlocation: {path: /a}";
    of_one(archive, HOUR, &[&window("7 days", "1 hour", "7 days")], "7 days 2 hours");
}

#[test]
fn what_nothing_refreshes_is_named() {
    of_one(WEEK, HOUR, &[], "nothing refreshes");
    of_one(WEEK, HOUR, &["{ensure: absent}"], "nothing refreshes");
    let paused = "{start_offset: 3 days, end_offset: 1 hour, schedule: {every: 1 hour, paused: true}}";
    of_one(WEEK, HOUR, &[paused], "nothing refreshes");
}

#[test]
fn what_no_window_holds_is_named() {
    of_one(WEEK, HOUR, &[&window("3 days", "1 day", "3 days")], "passes over");
    of_one(WEEK, HOUR, &["{start_offset: 3 days, schedule: {every: 6 days}}"], "passes over");
    // The bucket that was not over at one run is before the window of the next.
    of_one(WEEK, HOUR, &["{start_offset: 6 days, schedule: {every: 6 days}}"], "passes over");
}

#[test]
fn whole_numbers_are_compared_as_such() {
    let drops = "retention: {drop_after: 700}";
    of_one(drops, "10", &[&window("600", "100", "1 year")], "");
    of_one(drops, "100", &[&window("700", "500", "1 hour")], "");
    of_one(drops, "100", &["{start_offset: 700, schedule: {every: 1 year}}"], "");
    of_one(drops, "100", &[], "nothing refreshes");
}

/// What an aggregate reads may be another: then that one's own delay comes before.
#[test]
fn an_aggregate_over_another_waits_for_both() {
    let of_two = |kept: &str, below: &str| {
        let parent = aggregate("parent", "raw", HOUR, &[&window("2 days", "1 hour", "1 day")]);
        let reader = aggregate("reader", "parent", "'1 day'", &[below]);
        let parent = format!("{parent}retention: {{drop_after: {kept}}}\n");
        let found = warnings(&(raw("retention: {drop_after: 30 days}") + &parent + &reader));
        found.iter().map(|said| said.message.clone()).collect::<Vec<_>>()
    };
    let below = window("2 days 1 hour", "1 hour", "1 day");
    assert_eq!(of_two("5 days", &below), Vec::<String>::new());
    let found = of_two("2 days 1 hour", &below);
    assert!(found.len() == 1 && found[0].contains("public.reader") && found[0].contains("2 days 2 hours"), "{found:?}");
}
