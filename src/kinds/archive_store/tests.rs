//! What a store's document says.

use serde_json::json;

use super::{ArchiveStore, COMPRESSION, CURRENT, ENCRYPTION, FORMER_KEYS, KEEP, PATH, ROW_GROUP, S3, SPOOL, STATE, s3};
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
fn the_key_is_somewhere_else() {
    let sealed =
        |encryption: serde_json::Value| json!({"location": {"path": "/srv/archive"}, "encryption": encryption});
    let made = desired(KIND, &sealed(json!({"cipher": "aes-256", "key": "${env.A}"})));
    assert_eq!((made.get(ENCRYPTION), made.get(FORMER_KEYS)), (Some(&Value::text("${env.A}")), None));
    let made = desired(KIND, &sealed(json!({"key_file": "/run/b", "former_key_files": ["/run/a", "/run/0"]})));
    assert_eq!(made.get(ENCRYPTION), Some(&Value::text("file:/run/b")));
    assert_eq!(made.get(FORMER_KEYS), Some(&Value::texts(["file:/run/a".to_owned(), "file:/run/0".to_owned()])));
    for (encryption, code) in [
        (json!({"key": "8f1d5a0be94c3372e6a90b4cd7f2186453ac0e9d7b61f8250c9e4a3f6d71b802"}), "secret-in-policy"),
        (json!({"key": "${env.A}", "key_file": "/run/b"}), "missing-key"),
        (json!({}), "missing-key"),
        (json!({"key_file": "b"}), "wrong-value"),
        (json!({"key_file": "/run/b", "former_key_files": ["a"]}), "wrong-value"),
        (json!({"key_file": "/run/b", "cipher": "aes-128"}), "wrong-value"),
    ] {
        let (made, found) = expand(KIND, &sealed(encryption.clone()));
        assert!(made.is_empty(), "{encryption}");
        assert_eq!(codes(&found), [code], "{encryption}");
        assert!(!format!("{found:?}").contains("8f1d5a0b"), "{found:?}");
    }
}

fn in_bucket() -> serde_json::Value {
    json!({"location": {"s3": {
        "bucket": "b", "endpoint": "s3.example.com:9000", "region": "r", "prefix": "/cold/trades/",
        "key": "${env.A}", "secret_file": "/run/secrets/b",
    }}})
}

#[test]
fn a_store_may_be_in_a_bucket() {
    let made = desired(KIND, &in_bucket());
    assert_eq!(made.get(PATH), None);
    let Some(Value::Map(bucket)) = made.get(S3) else { panic!() };
    let text = |name: &str| bucket.get(name).and_then(Value::as_text).unwrap_or_default();
    assert_eq!([text(s3::BUCKET), text(s3::ENDPOINT), text(s3::REGION)], ["b", "s3.example.com:9000", "r"]);
    assert_eq!([text(s3::PREFIX), text(s3::URI_STYLE), text(SPOOL)], ["cold/trades/", "host", "/var/tmp"]);
    assert_eq!([text(s3::KEY), text(s3::SECRET)], ["${env.A}", "file:/run/secrets/b"]);
    assert_eq!(bucket.get(s3::VERIFY_TLS), Some(&Value::Bool(true)));
    assert_eq!(bucket.get(s3::CA_FILE), None);
    let mut whole = in_bucket();
    whole["location"]["s3"]["prefix"] = json!("/");
    whole["location"]["spool"] = json!("/srv/spool");
    let made = desired(KIND, &whole);
    let Some(Value::Map(bucket)) = made.get(S3) else { panic!() };
    assert_eq!(bucket.get(s3::PREFIX), Some(&Value::text("")));
    assert_eq!(bucket.get(SPOOL), Some(&Value::text("/srv/spool")));
}

#[test]
fn what_a_bucket_cannot_be_is_said() {
    let refused = |key: &str, value: serde_json::Value, code: &str| {
        let mut document = in_bucket();
        document["location"]["s3"][key] = value.clone();
        let (all, said) = expand(KIND, &document);
        assert_eq!(codes(&said), [code], "{key}: {value}");
        assert!(all.is_empty() && !format!("{said:?}").contains("hunter2"), "{key}: {value}");
    };
    refused("key", json!("hunter2"), "secret-in-policy");
    refused("key_file", json!("/k"), "missing-key");
    refused("secret_file", json!("k"), "wrong-value");
    refused("secret_file", json!(null), "missing-key");
    refused("region", json!(null), "missing-key");
    refused("endpoint", json!("https://s3.example.com"), "wrong-value");
    refused("endpoint", json!("s3.example.com/b"), "wrong-value");
    refused("bucket", json!("a b"), "wrong-value");
    refused("region", json!(""), "wrong-value");
    refused("ca_file", json!("ca.pem"), "wrong-value");
    for prefix in ["a//b", "../a", "a/./b", "a\nb"] {
        refused("prefix", json!(prefix), "wrong-value");
    }
    let mut both = in_bucket();
    both["location"]["path"] = json!("/srv/archive");
    assert_eq!(codes(&expand(KIND, &both).1), ["policy-conflict"]);
    assert_eq!(codes(&expand(KIND, &json!({"location": {}})).1), ["missing-key"]);
    let spooled = json!({"location": {"path": "/srv/archive", "spool": "/var/tmp"}});
    assert_eq!(codes(&expand(KIND, &spooled).1), ["policy-conflict"]);
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

#[test]
fn no_two_stores_are_at_one_place() {
    let store = |name: &str, location: serde_json::Value| {
        let mut store = desired(KIND, &json!({"location": location}));
        store.address = crate::core::Address::global(super::ID, name);
        store
    };
    let both = |one: serde_json::Value, other: serde_json::Value| {
        let (one, other) = (store("a", one), store("b", other));
        let mut sink = Vec::new();
        KIND.check(&[&one, &other], &std::collections::BTreeMap::new(), &mut sink);
        codes(&sink)
    };
    let at = |path: &str| json!({"path": path});
    assert_eq!(both(at("/a"), at("/a/")), ["policy-conflict"]);
    assert_eq!(both(at("/a/b"), at("/a")), ["policy-conflict"]);
    assert_eq!(both(at("/x/../a"), at("/a/./b")), ["policy-conflict"]);
    assert_eq!(both(at("/a"), at("/ab")), Vec::<&str>::new());
    let bucket = |name: &str, prefix: &str| json!({"s3": {"bucket": name, "endpoint": "e", "region": "r", "prefix": prefix, "key": "${env.A}", "secret": "${env.B}"}});
    assert_eq!(both(bucket("x", ""), bucket("x", "/p")), ["policy-conflict"]);
    assert_eq!(both(bucket("x", "p"), bucket("x", "p/")), ["policy-conflict"]);
    assert_eq!(both(bucket("x", "p"), bucket("x", "pq")), Vec::<&str>::new());
    assert_eq!(both(bucket("x", "p"), bucket("y", "p")), Vec::<&str>::new());
    assert_eq!(both(bucket("x", "p"), at("/p")), Vec::<&str>::new());
}
