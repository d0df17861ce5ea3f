//! What classes give to documents, and what they must not.

use std::path::Path;

use super::*;
use crate::core::Desired;
use crate::diag::{Failure, Sources};
use crate::load::{self, Policies, Variables};

fn write(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn load(text: &str) -> (Result<Policies, Vec<Diagnostic>>, Vec<Diagnostic>) {
    let folder = write(&[("p.yaml", text)]);
    let mut sink = Vec::new();
    let variables = Variables::from_pairs(&[("DAYS", "30"), ("TIER", "1")]);
    let loaded = load::policies(&[folder.path().to_owned()], &variables, &mut Sources::default(), &mut sink);
    (loaded.map_err(|failure| failure.0), sink)
}

/// The policies of a text that has nothing wrong in it, and no warning.
fn fine(text: &str) -> Policies {
    let (loaded, sink) = load(text);
    assert_eq!(sink, []);
    loaded.unwrap_or_else(|found| panic!("{}", Failure(found)))
}

/// A resource by its printed address.
fn resource<'a>(policies: &'a Policies, address: &str) -> &'a Desired {
    let found = policies.desired.values().find(|desired| desired.address.to_string() == address);
    found.unwrap_or_else(|| panic!("no {address} in {:?}", policies.desired.keys().collect::<Vec<_>>()))
}

/// An attribute as it is printed, and the class that gave it.
fn attribute(policies: &Policies, address: &str, name: &str) -> (String, Option<String>) {
    let desired = resource(policies, address);
    let via = desired.place_of(name).via.as_ref().map(|via| via.class.to_string());
    (desired.get(name).unwrap_or_else(|| panic!("{address} has no {name}")).to_string(), via)
}

fn addresses(policies: &Policies) -> Vec<String> {
    policies.desired.keys().map(ToString::to_string).collect()
}

/// Each diagnostic as its code and the lines of its places.
fn brief(found: &[Diagnostic]) -> Vec<(&'static str, Vec<u32>)> {
    let lines =
        |d: &Diagnostic| d.place.iter().chain(d.related.iter().map(|(place, _)| place)).map(|p| p.line).collect();
    found.iter().map(|d| (d.code.name, lines(d))).collect()
}

const CLASS: &str = "kind: class
name: ticks
match: {names: ['md_*'], labels: {domain: trading}}
columnstore: {after: 7 days, segment_by: [symbol], schedule: {every: 1 day, max_retries: 3}}
retention: {drop_after: 90 days}
protect: true
indexes:
  - {name: 'ix_{table}_symbol', columns: [symbol]}
---
";

#[test]
fn what_the_document_does_not_say_comes_from_the_class() {
    let policies = fine(&format!("{CLASS}kind: table\nname: md_a\nlabels: {{domain: trading}}\n"));
    let all = ["columnstore.public.md_a", "index.public.ix_md_a_symbol", "retention.public.md_a"];
    assert_eq!(addresses(&policies), all);
    for (address, name, value) in [
        ("retention.public.md_a", "drop_after", "90 days"),
        ("columnstore.public.md_a", "segment_by", "symbol"),
        ("columnstore.public.md_a", "schedule.max_retries", "3"),
        ("index.public.ix_md_a_symbol", "columns", "symbol"),
    ] {
        assert_eq!(attribute(&policies, address, name), (value.to_owned(), Some("ticks".to_owned())));
    }
    let retention = resource(&policies, "retention.public.md_a");
    assert!(retention.protect);
    assert_eq!((retention.place.line, retention.place_of("drop_after").line), (5, 5));
}

#[test]
fn the_documents_own_keys_win_and_mappings_are_merged() {
    let policies = fine(&format!(
        "{CLASS}kind: table\nname: md_a\nlabels: {{domain: trading}}\nprotect: false\ncolumnstore: {{after: 1 day, segment_by: [], schedule: {{every: 2 days}}}}\n"
    ));
    let columnstore = |name| attribute(&policies, "columnstore.public.md_a", name);
    assert_eq!(columnstore("after"), ("1 day".to_owned(), None));
    assert_eq!(columnstore("segment_by"), ("none".to_owned(), None), "a list is taken as a whole");
    assert_eq!(columnstore("schedule.every"), ("2 days".to_owned(), None));
    assert_eq!(columnstore("schedule.max_retries"), ("3".to_owned(), Some("ticks".to_owned())));
    assert!(!resource(&policies, "retention.public.md_a").protect);
}

#[test]
fn null_takes_nothing_and_absent_is_not_mixed() {
    let table = |more: &str| fine(&format!("{CLASS}kind: table\nname: md_a\nlabels: {{domain: trading}}\n{more}\n"));
    let policies = table("retention: null\nindexes:\ncolumnstore: {schedule: null}");
    assert_eq!(addresses(&policies), ["columnstore.public.md_a"]);
    assert_eq!(resource(&policies, "columnstore.public.md_a").get("schedule.every"), None);
    let policies = table("retention: {ensure: absent}");
    let retention = resource(&policies, "retention.public.md_a");
    assert_eq!((retention.ensure, retention.attributes.len()), (crate::core::Ensure::Absent, 0));
    let none = "kind: class\nname: c\nmatch: {names: ['*']}\nretention: {ensure: absent}\n---\n";
    let policies = fine(&format!("{none}kind: table\nname: a\nretention: {{drop_after: 1 day}}\n"));
    assert_eq!(attribute(&policies, "retention.public.a", "drop_after"), ("1 day".to_owned(), None));
    let policies = fine(&format!("{none}kind: table\nname: a\n"));
    assert_eq!(resource(&policies, "retention.public.a").ensure, crate::core::Ensure::Absent);
}

#[test]
fn indexes_are_told_apart_by_name() {
    let policies = fine(&format!(
        "{CLASS}kind: table\nname: md_a\nlabels: {{domain: trading}}\nindexes:\n  - {{name: ix_own, columns: [price]}}\n  - {{name: ix_md_a_symbol, columns: [symbol, price]}}\n"
    ));
    let columns = |name: &str| attribute(&policies, &format!("index.public.{name}"), "columns");
    assert_eq!(columns("ix_own"), ("price".to_owned(), None));
    assert_eq!(columns("ix_md_a_symbol"), ("symbol, price".to_owned(), None), "the document's own");
    let odd = "kind: table\nname: '\"Odd schema\".\"md_a.b\"\"c\"'\nlabels: {domain: trading}\n";
    let class = CLASS.replace("['md_*']", "['*.*']");
    assert!(addresses(&fine(&format!("{class}{odd}"))).iter().any(|a| a.contains("ix_md_a.b\"\"c_symbol")));
}

#[test]
fn only_what_matches_is_given_anything() {
    let (loaded, sink) = load(&format!(
        "{CLASS}kind: table\nname: md_a\n---\nkind: table\nname: other.md_b\nlabels: {{domain: trading}}\n"
    ));
    assert_eq!(loaded.unwrap().desired.len(), 0);
    assert_eq!(brief(&sink), [("class-matches-nothing", vec![3])]);
    let bad = CLASS.replace("90 days", "90 dais");
    let found = load(&format!("{bad}kind: table\nname: x\n")).0.unwrap_err();
    assert_eq!(brief(&found), [("class-matches-nothing", vec![3]), ("bad-interval", vec![5])]);
}

#[test]
fn a_variable_is_read_as_its_key_takes_it_on_both_sides() {
    let class = "kind: class\nname: c\nmatch: {labels: {tier: '1'}}\ncolumnstore: {schedule: {max_retries: '${var.TIER}'}, after: '${var.DAYS} days'}\n---\n";
    let policies = fine(&format!("{class}kind: table\nname: a\nlabels: {{tier: '${{var.TIER}}'}}\n"));
    let given = |name| attribute(&policies, "columnstore.public.a", name).0;
    assert_eq!((given("schedule.max_retries").as_str(), given("after").as_str()), ("1", "30 days"));
}

#[test]
fn two_classes_must_agree_unless_ordered() {
    let class = |name: &str, more: &str| format!("kind: class\nname: {name}\nmatch: {{names: ['*']}}\n{more}\n---\n");
    let table = "kind: table\nname: a\n";
    let both = |a: &str, b: &str| format!("{}{}{table}", class("one", a), class("two", b));
    let found = load(&both("retention: {drop_after: 1 day}", "retention: {drop_after: 2 days}")).0.unwrap_err();
    assert_eq!(brief(&found), [("class-conflict", vec![9, 4, 12])]);
    assert!(found[0].message.contains("`one`") && found[0].message.contains("`retention.drop_after`"), "{found:?}");
    let found = load(&both("retention: {drop_after: 1 day}", "retention: {ensure: absent}")).0.unwrap_err();
    assert_eq!(brief(&found), [("class-conflict", vec![9, 4, 12])]);
    let found =
        load(&both("indexes: [{name: '{table}_x', columns: [a]}]", "indexes: [{name: '{table}_x', columns: [b]}]"));
    assert_eq!(brief(&found.0.unwrap_err()), [("class-conflict", vec![9, 4, 12])]);
    // The same value, and what the document says itself, is no conflict.
    fine(&both("retention: {drop_after: 1 day}", "retention: {drop_after: 1 day, schedule: {every: 1 day}}"));
    let own = format!("{table}retention: {{drop_after: 5 days}}\n");
    fine(&format!(
        "{}{}{own}",
        class("one", "retention: {drop_after: 1 day}"),
        class("two", "retention: {drop_after: 2 days}")
    ));
    // The higher order wins, whichever is written first; what only the lower says still counts.
    for (one, two) in [("order: 1\n", ""), ("", "order: -1\n")] {
        let one = format!("{one}retention: {{drop_after: 1 day}}");
        let two = format!("{two}retention: {{drop_after: 2 days, schedule: {{every: 3 days}}}}");
        for text in [both(&one, &two), format!("{}{}{table}", class("two", &two), class("one", &one))] {
            let policies = fine(&text);
            assert_eq!(
                attribute(&policies, "retention.public.a", "drop_after"),
                ("1 day".to_owned(), Some("one".to_owned()))
            );
            assert_eq!(attribute(&policies, "retention.public.a", "schedule.every").1, Some("two".to_owned()));
        }
    }
    // Two classes that agree on the one value of a third with a higher order.
    let top = class("top", "order: 9\nretention: {drop_after: 9 days}");
    fine(&format!("{top}{}", both("retention: {drop_after: 1 day}", "retention: {drop_after: 2 days}")));
}

#[test]
fn an_error_in_a_class_stands_at_the_class_and_names_the_document_once() {
    let tables: String = ["a", "b", "c", "d", "e"].map(|name| format!("---\nkind: table\nname: {name}\n")).concat();
    let class = "kind: class\nname: c\nmatch: {names: ['*']}\nretention: {drop_after: 90 dais}\n";
    let found = load(&format!("{class}{tables}")).0.unwrap_err();
    assert_eq!(brief(&found), [("bad-interval", vec![4, 7, 10, 13])]);
    assert!(found[0].why.as_ref().unwrap().contains("2 more documents"), "{:?}", found[0].why);
    // What the class cannot give is not missing in the document.
    let broken = "kind: class\nname: c\nmatch: {names: ['*']}\nretention: {drop_aftr: 90 days}\n---\nkind: table\nname: a\nretention: {schedule: {every: 1 day}}\n";
    let found = load(broken).0.unwrap_err();
    assert_eq!(brief(&found), [("unknown-key", vec![4])]);
}

#[test]
fn a_class_is_a_document_like_any_other() {
    let found = load(&format!("{CLASS}{CLASS}kind: table\nname: md_a\nlabels: {{domain: trading}}\n")).0.unwrap_err();
    assert_eq!(brief(&found), [("duplicate-document", vec![10, 1])]);
    for (text, code) in [
        ("kind: class\nname: c\nretention: {drop_after: 1 day}\n", "missing-key"),
        ("kind: class\nname: c\nmatch: {}\n", "wrong-value"),
        ("kind: class\nname: c\nmatch: {names: ['a.b.c']}\n", "bad-name"),
        ("kind: class\nname: c\nmatch: {names: ['a']}\nindexes: [{name: fixed, columns: [x]}]\n", "wrong-value"),
        ("kind: class\nname: c\nmatch: {names: ['a']}\nlabels: {a: b}\n", "unknown-key"),
    ] {
        let found = load(text).0.unwrap_err();
        assert_eq!(found[0].code.name, code, "{text}: {found:?}");
    }
}

#[test]
fn a_choice_of_files_is_no_way_around_a_class() {
    let folder = write(&[
        (
            "policies/classes.yaml",
            &format!("{CLASS}kind: table\nname: broken\nretention: {{drop_after: '${{var.UNSET}}'}}\n"),
        ),
        ("policies/a.yaml", "kind: table\nname: md_a\nlabels: {domain: trading}\n"),
        ("policies/b.yaml", "kind: table\nname: md_b\nlabels: {domain: trading}\nnonsense: 1\n"),
    ]);
    let at = |name: &str| folder.path().join(name);
    let load = |chosen: &Path| {
        let mut sink = Vec::new();
        let (chosen, project) = ([chosen.to_owned()], [at("policies")]);
        load::policies_of(&chosen, &project, &Variables::default(), &mut Sources::default(), &mut sink)
    };
    let policies = load(&at("policies/a.yaml")).unwrap();
    assert_eq!(policies.desired.len(), 3);
    assert_eq!(policies.files.len(), 2, "the class's file is among those that the plan is made from");
    assert!(load(&at("policies")).is_err());
}
