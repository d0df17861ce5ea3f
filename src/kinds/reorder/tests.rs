//! Settling, reading and judging with rows made by hand.

use serde_json::{Value as Json, json};

use super::Reorder;
use crate::core::{Cell, Value};
use crate::kinds::columnstore::Columnstore;
use crate::kinds::fixture::{World, codes, daily, desired, expand, job_row, row, table, text};
use crate::kinds::hypertable::Hypertable;
use crate::kinds::index::Index;
use crate::kinds::{After, Kind};

const KIND: &dyn Kind = &Reorder;

fn by(index: &str) -> Json {
    json!({"index": index})
}

fn world() -> World {
    World::new("2.23.0", daily()).wanting(&Index, &json!({"name": "ix", "columns": ["symbol", "time"]}))
}

#[test]
fn a_section_needs_an_index() {
    assert_eq!(codes(&expand(KIND, &json!({})).1), ["missing-key"]);
    assert_eq!(codes(&expand(KIND, &by(&"x".repeat(64))).1), ["bad-name"]);
    assert_eq!(desired(KIND, &by("ix")).get("index"), Some(&Value::text("ix")));
}

#[test]
fn the_index_may_come_with_the_same_plan_and_then_comes_first() {
    let world = world();
    assert!(world.settle(KIND, &by("ix")).is_ok());
    let delta = world.delta(KIND, &by("ix"));
    let after = KIND.requires(&delta, &world.view());
    assert!(matches!(after.as_slice(), [After::Resource(address)] if address.to_string() == "index.public.ix"));
}

#[test]
fn what_has_no_order_is_refused() {
    assert_eq!(World::new("2.23.0", daily()).settle(KIND, &by("ix")), Err(vec!["reorder-index"]));
    let refused = |index: &Json| {
        let mut whole = json!({"name": "ix", "columns": ["symbol"]});
        whole.as_object_mut().unwrap().extend(index.as_object().unwrap().clone());
        World::new("2.23.0", daily()).wanting(&Index, &whole).settle(KIND, &by("ix"))
    };
    for index in [json!({"method": "hash"}), json!({"where": "price > 0"}), json!({"ensure": "absent"})] {
        assert_eq!(refused(&index), Err(vec!["reorder-index"]), "{index}");
    }
    assert!(refused(&json!({"unique": false})).is_ok());
}

#[test]
fn it_needs_a_hypertable() {
    assert_eq!(World::new("2.23.0", table()).settle(KIND, &by("ix")), Err(vec!["needs-hypertable"]));
}

#[test]
fn what_is_compressed_before_it_is_reordered_is_told() {
    let told = |after: &str| {
        let all = [
            desired(KIND, &by("ix")),
            desired(&Columnstore, &json!({"after": after})),
            desired(&Hypertable, &json!({"time_column": "time", "chunk_interval": "1 day"})),
        ];
        let all = all.map(|desired| (desired.address.clone(), desired)).into_iter().collect();
        let mut sink = Vec::new();
        KIND.check(&[&desired(KIND, &by("ix"))], &all, &mut sink);
        codes(&sink)
    };
    assert_eq!(told("2 days"), ["policy-conflict"]);
    assert!(told("3 days").is_empty());
}

#[test]
fn a_live_policy_is_compared_by_its_index() {
    let world = world().with(KIND, &[job_row(&[("index", text("other"))])]);
    let delta = world.delta(KIND, &by("ix"));
    assert_eq!(delta.changes.iter().map(|change| change.attribute.as_str()).collect::<Vec<_>>(), ["index"]);
    let weights = row(&[
        ("what", text("reorders")),
        ("oid", Cell::Int(7)),
        ("chunks", Cell::Int(4)),
        ("bytes", Cell::Int(4096)),
        ("largest", Cell::Int(2048)),
    ]);
    let impact = world.judge(KIND, &delta, &[weights]).impact.unwrap();
    assert_eq!((impact.chunks, impact.notes.len()), (Some(4), 2));
}
