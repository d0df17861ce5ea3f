//! What a role's document makes, and what is kept out of it.

use serde_json::json;

use super::*;
use crate::kinds::SectionInput;
use crate::kinds::fixture::{codes, expand};

#[test]
fn only_what_is_written_is_managed() {
    let document =
        json!({"login": true, "connection_limit": 5, "valid_until": "2030-01-01 00:00:00+02", "comment": "it's"});
    let (found, sink) = expand(&Role, &document);
    assert_eq!(codes(&sink), Vec::<&str>::new());
    let shown: Vec<String> = found[0].attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(shown[..3], ["comment: it's", "connection_limit: 5", "login: true"]);
    assert!(shown[3].starts_with("valid_until: 2029-12-31 22:00:00"), "{}", shown[3]);
    let (found, _) = expand(&Role, &json!({"valid_until": "infinity", "comment": ""}));
    assert!(found[0].attributes.values().all(|value| *value == Value::Null));
    assert_eq!(codes(&expand(&Role, &json!({"valid_until": "tomorrow"})).1), ["wrong-value"]);
}

#[test]
fn a_password_is_refused_and_not_repeated() {
    let (found, sink) = expand(&Role, &json!({"login": true, "password": "hunter2"}));
    assert_eq!((found.len(), codes(&sink)), (0, vec!["password-in-policy"]));
    assert!(!format!("{sink:?}").contains("hunter2"));
}

#[test]
fn what_stands_in_the_way_of_a_name_is_said_of_that_name() {
    let said = |name: &str| {
        let mut sink = Vec::new();
        let value = json!({});
        crate::kinds::fixture::with_value(&value, |input| {
            let mut head = input.head.clone();
            head.name = name.to_owned();
            desired::expand(&SectionInput { head: &head, ..*input }, &mut sink)
        });
        (codes(&sink), sink.first().and_then(|said| said.why.clone()).unwrap_or_default())
    };
    assert_eq!(said("none").0, ["reserved-role"]);
    assert!(!said("none").1.contains("pg_"), "{:?}", said("none"));
    assert!(said("pg_mine").1.contains("pg_"));
    assert_eq!(said("nobody").0, Vec::<&str>::new());
}
