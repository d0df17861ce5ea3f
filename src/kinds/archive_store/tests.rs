//! What a store's document says.

use serde_json::json;

use super::{ArchiveStore, COMPRESSION, CURRENT, KEEP, PATH, ROW_GROUP, STATE};
use crate::core::{Interval, Value};
use crate::kinds::Kind;
use crate::kinds::fixture::{World, codes, daily, desired, expand};

const KIND: &dyn Kind = &ArchiveStore;

#[test]
fn a_store_is_a_folder_and_how_files_are_written_to_it() {
    let least = desired(KIND, &json!({"location": {"path": "/srv/archive"}}));
    assert_eq!(least.get(PATH), Some(&Value::text("/srv/archive")));
    assert_eq!(least.get(COMPRESSION), Some(&Value::text("zstd")));
    assert_eq!(least.get(ROW_GROUP), Some(&Value::Int(128 << 20)));
    assert_eq!(least.get(KEEP), None);
    let more = json!({
        "location": {"path": "/srv/archive"},
        "format": {"parquet": {"compression": "zstd", "row_group": "8 MB"}},
        "keep": "30 days",
    });
    let more = desired(KIND, &more);
    assert_eq!(more.get(ROW_GROUP), Some(&Value::Int(8 << 20)));
    assert_eq!(more.get(KEEP), Some(&Value::Interval(Interval::days(30))));
    assert_eq!((least.get(STATE), more.get(STATE)), (None, Some(&Value::text(CURRENT))));
}

#[test]
fn what_cannot_be_is_said() {
    let in_folder = |path: &str| json!({"location": {"path": path}});
    assert_eq!(codes(&expand(KIND, &in_folder("archive")).1), ["wrong-value"]);
    for row_group in ["1 kB", "2 GB", "128", "much"] {
        let value = json!({"location": {"path": "/a"}, "format": {"parquet": {"row_group": row_group}}});
        assert_eq!(codes(&expand(KIND, &value).1), ["wrong-value"], "{row_group}");
    }
    let backwards = json!({"location": {"path": "/a"}, "keep": "-1 days"});
    assert_eq!(codes(&expand(KIND, &backwards).1), ["bad-interval"]);
}

#[test]
fn there_is_nothing_to_compare_with_the_database() {
    let world = World::new("2.23.0", daily());
    assert_eq!(world.settle(KIND, &json!({"location": {"path": "/a"}})), Err(Vec::new()));
}
