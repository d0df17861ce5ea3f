//! Values in the server's form, levels, and what a policy may not say.

use std::collections::BTreeMap;

use serde_json::json;

use super::level::Level;
use super::parameter::{Parameter, Sort, split_list};
use super::*;
use crate::kinds::fixture::{codes, expand};

fn parameter(sort: Sort, unit: Option<&str>, least: f64, most: f64) -> Parameter {
    Parameter {
        name: "p".into(),
        sort,
        unit: unit.map(str::to_owned),
        least: Some(least),
        most: Some(most),
        words: Vec::new(),
        context: "user".into(),
    }
}

fn canonical(parameter: &Parameter, text: &str) -> Result<String, String> {
    parameter.canonical(&Value::text(text)).map(|value| value.to_string())
}

#[test]
fn sizes_and_times_compare_by_what_they_are() {
    let memory = parameter(Sort::Integer, Some("kB"), 64.0, 2_147_483_647.0);
    for text in ["64MB", "65536kB", "65536", " 64 MB ", "0.0625GB", "67108864B", "0x10000"] {
        assert_eq!(canonical(&memory, text).as_deref(), Ok("64MB"), "{text}");
    }
    let blocks = parameter(Sort::Integer, Some("8kB"), 16.0, 1_073_741_823.0);
    assert_eq!(canonical(&blocks, "16384").as_deref(), Ok("128MB"));
    assert_eq!(canonical(&blocks, "128MB").as_deref(), Ok("128MB"));
    assert_eq!(canonical(&blocks, "131072kB").as_deref(), Ok("128MB"));
    let seconds = parameter(Sort::Integer, Some("s"), 0.0, 86400.0);
    assert_eq!(canonical(&seconds, "300"), canonical(&seconds, "5min"));
    assert_eq!(canonical(&seconds, "90s").as_deref(), Ok("90s"));
    let delay = parameter(Sort::Real, Some("ms"), -1.0, 100.0);
    assert_eq!(canonical(&delay, "2").as_deref(), Ok("2ms"));
    assert_eq!(canonical(&delay, "0.5ms").as_deref(), Ok("500us"));
    assert_eq!(canonical(&delay, "-1").as_deref(), Ok("-1"));
    let cost = parameter(Sort::Real, None, 0.0, 1.0e10);
    assert_eq!(canonical(&cost, "1.10").as_deref(), Ok("1.1"));
    assert_eq!(canonical(&cost, "4"), canonical(&cost, "4.0"));
}

#[test]
fn what_the_server_would_refuse_is_told_with_what_it_takes() {
    let memory = parameter(Sort::Integer, Some("kB"), 64.0, 2_147_483_647.0);
    for text in ["1kB", "64 mb", "64 parsecs", "5s", "", "many", "99999TB"] {
        let takes = canonical(&memory, text).unwrap_err();
        assert!(takes.starts_with("a whole number from 64kB to ") && takes.contains("kB, MB, GB"), "{text}: {takes}");
    }
    let plain = parameter(Sort::Integer, None, 1.0, 65535.0);
    assert_eq!(canonical(&plain, "5MB"), Err("a whole number from 1 to 65535".to_owned()));
    assert_eq!(canonical(&plain, "010").as_deref(), Ok("8"), "as in C");
}

#[test]
fn words_and_truth_have_one_spelling() {
    let truth = parameter(Sort::Bool, None, 0.0, 0.0);
    for text in ["on", "TRUE", "yes", "1", "t"] {
        assert_eq!(canonical(&truth, text).as_deref(), Ok("on"), "{text}");
    }
    for text in ["off", "of", "no", "0", "F"] {
        assert_eq!(canonical(&truth, text).as_deref(), Ok("off"), "{text}");
    }
    assert!(canonical(&truth, "o").is_err());
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
    let level = Parameter {
        name: "wal_level".into(),
        words: words(&["minimal", "replica", "logical"]),
        ..parameter(Sort::Enum, None, 0.0, 0.0)
    };
    assert_eq!(canonical(&level, "LOGICAL").as_deref(), Ok("logical"));
    assert_eq!(canonical(&level, "hot_standby").as_deref(), Ok("replica"));
    assert_eq!(canonical(&level, "logicle"), Err("one of minimal, replica, logical".to_owned()));
    let pages = Parameter { words: words(&["off", "on", "try"]), ..parameter(Sort::Enum, None, 0.0, 0.0) };
    assert_eq!(canonical(&pages, "true").as_deref(), Ok("on"));
}

#[test]
fn lists_are_compared_name_by_name() {
    assert_eq!(split_list("timescaledb, pg_stat_statements"), ["timescaledb", "pg_stat_statements"]);
    assert_eq!(split_list("\"$user\", public,\"a \"\"b\"\", c\""), ["$user", "public", "a \"b\", c"]);
    assert_eq!(split_list(" "), Vec::<String>::new());
    let list = Parameter { name: "shared_preload_libraries".into(), ..parameter(Sort::Text, None, 0.0, 0.0) };
    let wanted = Value::texts(["timescaledb", "pg_stat_statements"]);
    assert_eq!(list.canonical(&wanted).unwrap(), list.canonical_live("timescaledb,pg_stat_statements"));
}

#[test]
fn a_container_reads_back_whatever_its_role_is_called() {
    for role in ["app", "Mixed", "in database", "a\"b", "x in database", "\"", "role"] {
        for in_database in [false, true] {
            let level = Level::Role { role: role.into(), in_database };
            assert_eq!(Level::read(&level.container()), Some(level));
        }
    }
    assert_eq!(Level::read("server"), Some(Level::Server));
    assert_eq!(Level::read("database"), Some(Level::Database));
    for other in ["parameter", "role", "about", "role a b", "role \"a\" b"] {
        assert_eq!(Level::read(other), None, "{other}");
    }
}

fn said(document: &serde_json::Value) -> Vec<&'static str> {
    codes(&expand(&Setting, document).1)
}

#[test]
fn a_document_makes_a_resource_a_parameter() {
    let document = json!({"scope": "role", "role": "App", "settings": {"Work_Mem": "64MB", "jit": false, "search_path": ["a", "b"], "seq_page_cost": 1.5, "x.y": null}});
    let (found, sink) = expand(&Setting, &document);
    assert_eq!(codes(&sink), Vec::<&str>::new());
    let shown: BTreeMap<String, String> = found
        .iter()
        .map(|it| (it.address.to_string(), it.get("value").map_or_else(|| "absent".to_owned(), ToString::to_string)))
        .collect();
    let expected = [
        ("jit", "off"),
        ("search_path", "a, b"),
        ("seq_page_cost", "1.5"),
        ("work_mem", "64MB"),
        ("\"x.y\"", "absent"),
    ];
    assert_eq!(
        shown,
        expected.map(|(name, value)| (format!("setting.\"role \"\"App\"\"\".{name}"), value.to_owned())).into()
    );
}

#[test]
fn no_secret_is_for_a_policy() {
    for name in ["primary_conninfo", "SSL_passphrase_command", "my.api_token", "vault.secret"] {
        assert_eq!(said(&json!({"scope": "server", "settings": {name: "hunter2"}})), ["secret-setting"], "{name}");
    }
    assert_eq!(
        said(&json!({"scope": "server", "settings": {"password_encryption": "scram-sha-256"}})),
        Vec::<&str>::new()
    );
}

#[test]
fn a_scope_has_what_belongs_to_it() {
    let settings = json!({"jit": true});
    assert_eq!(said(&json!({"scope": "role", "settings": settings})), ["missing-key"]);
    assert_eq!(said(&json!({"scope": "server", "role": "a", "settings": settings})), ["policy-conflict"]);
    assert_eq!(said(&json!({"scope": "database", "in_database": true, "settings": settings})), ["policy-conflict"]);
    for name in ["a.b.c", "a b", "", "x;", "1a", "a."] {
        assert_eq!(said(&json!({"scope": "server", "settings": {name: 1}})), ["bad-name"], "{name}");
    }
    assert_eq!(said(&json!({"scope": "server", "settings": {"log_line_prefix": "a\nb"}})), ["wrong-value"]);
}

#[test]
fn a_better_value_will_do_where_another_kind_asks_for_one() {
    use super::settle::will_do;
    let level = Parameter {
        words: ["minimal", "replica", "logical"].map(str::to_owned).to_vec(),
        ..parameter(Sort::Enum, None, 0.0, 0.0)
    };
    let at_least = |have: &str, wanted: &str, parameter: &Parameter| {
        will_do(&Value::text(AT_LEAST), &Value::text(have), &Value::text(wanted), parameter)
    };
    assert!(at_least("logical", "replica", &level) && at_least("replica", "replica", &level));
    assert!(!at_least("minimal", "replica", &level) && !at_least("unheard of", "replica", &level));
    let count = parameter(Sort::Integer, None, 0.0, 100.0);
    assert!(at_least("10", "2", &count) && !at_least("1", "2", &count) && !at_least("0", "2", &count));
    let seconds = parameter(Sort::Integer, Some("s"), 0.0, 86400.0);
    let at_most = |have: &str| will_do(&Value::text(AT_MOST), &Value::text(have), &Value::text("300s"), &seconds);
    assert!(at_most("1min") && at_most("5min"));
    assert!(!at_most("6min") && !at_most("0"), "zero is never");
}
