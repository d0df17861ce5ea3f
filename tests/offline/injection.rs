//! Whether every text that a policy can hold is among those that the injection tests attack.

use std::collections::BTreeSet;

use chronoform::kinds;
use chronoform::kinds::document::DOCUMENTS;
use chronoform::load;
use serde_json::Value as Json;

#[path = "../database/injection/rows.rs"]
#[allow(dead_code)]
mod rows;

/// Keys that every document has, and that mean the same in each.
const EVERYWHERE: [&str; 1] = ["labels"];
/// How deep a schema can go before it goes round in circles.
const DEEPEST: usize = 12;

/// A kind or key that is added needs a row in `tests/database/injection/rows.rs`, and one that goes takes
/// its row along.
#[test]
fn every_text_of_a_policy_has_an_injection_row() {
    let wanted: BTreeSet<String> = DOCUMENTS.iter().flat_map(|document| texts_of(document.kind)).collect();
    let rows = [rows::PLAIN, rows::TIMESCALE, rows::COMMUNITY].concat();
    let found: BTreeSet<String> =
        rows.iter().map(|(name, _)| name.split(' ').next().unwrap_or_default().to_owned()).collect();
    let missing: Vec<&String> = wanted.difference(&found).collect();
    let idle: Vec<&String> = found.difference(&wanted).collect();
    assert!(missing.is_empty(), "no injection row for {missing:#?}");
    assert!(idle.is_empty(), "no text of a policy is at {idle:#?}");
}

/// Each row makes documents that hold its text: one that lost it would attack nothing.
#[test]
fn every_row_puts_its_text_into_the_policy() {
    const MARK: &str = "a\"b\\c'd";
    for (name, make) in [rows::PLAIN, rows::TIMESCALE, rows::COMMUNITY].concat() {
        let policy = make(MARK);
        assert!(holds(&policy, MARK), "{name}: {policy}");
    }
}

/// Whether a text stands in a value, alone or within another, quoted or not.
fn holds(value: &Json, text: &str) -> bool {
    let plain = |other: &str| other.replace(['"', '\\', '\''], "").contains(&text.replace(['"', '\\', '\''], ""));
    match value {
        Json::String(other) => plain(other),
        Json::Array(items) => items.iter().any(|item| holds(item, text)),
        Json::Object(entries) => entries.iter().any(|(key, value)| plain(key) || holds(value, text)),
        _ => false,
    }
}

/// The places of a document's texts, as the rows are called.
fn texts_of(kind: &str) -> BTreeSet<String> {
    let schema = &load::schema::documents()[&format!("{kind}.json")];
    let mut found = BTreeSet::new();
    walk(schema, schema, "", 0, &mut found);
    found.iter().map(|path| called(kind, path)).collect()
}

/// What stands below a section, or in every document, is called alike in all of them.
fn called(document: &str, path: &str) -> String {
    let first = path.split(['.', '[']).next().unwrap_or_default();
    let is_section = kinds::all().iter().any(|kind| kind.sections().iter().any(|section| section.key == first));
    if is_section || EVERYWHERE.contains(&first) { path.to_owned() } else { format!("{document}.{path}") }
}

/// Every place below a schema where any text may stand: as a value, as a key (`{}`), in a list (`[]`) or
/// under a key of the author's own (`*`).
fn walk(root: &Json, schema: &Json, path: &str, depth: usize, found: &mut BTreeSet<String>) {
    let target = schema["$ref"].as_str().and_then(|reference| root.pointer(reference.strip_prefix('#')?));
    let schema = target.unwrap_or(schema);
    assert!(depth < DEEPEST, "{path} goes too deep");
    if schema["const"] != Json::Null || schema["enum"] != Json::Null {
        return;
    }
    for options in [&schema["anyOf"], &schema["oneOf"]] {
        for option in options.as_array().into_iter().flatten() {
            walk(root, option, path, depth + 1, found);
        }
    }
    if takes_text(schema) && !path.is_empty() {
        found.insert(path.to_owned());
    }
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    // Where keys are the author's own, those that are known are no different from them.
    let any_key = match &schema["additionalProperties"] {
        Json::Null => schema["type"] == "object" && schema["properties"] == Json::Null,
        Json::Bool(any) => *any,
        other => {
            walk(root, other, &below("*"), depth + 1, found);
            true
        }
    };
    let any_value = any_key && !schema["additionalProperties"].is_object();
    found.extend(any_key.then(|| below("{}")));
    found.extend(any_value.then(|| below("*")));
    let own = schema["properties"].as_object().into_iter().flatten();
    for (key, value) in own.filter(|_| !any_key) {
        walk(root, value, &below(key), depth + 1, found);
    }
    if schema["items"] != Json::Null {
        walk(root, &schema["items"], &format!("{path}[]"), depth + 1, found);
    }
}

/// Whether any text fits, rather than a reference to a variable in the place of a number.
fn takes_text(schema: &Json) -> bool {
    let is_string = |word: &Json| word == "string";
    let types = &schema["type"];
    let string = is_string(types) || types.as_array().is_some_and(|words| words.iter().any(is_string));
    let number = types.as_array().is_some_and(|words| {
        words.iter().any(|word| ["integer", "number", "boolean"].iter().any(|other| word == other))
    });
    let reference = number && schema["pattern"].is_string();
    let anything =
        ["type", "anyOf", "oneOf", "properties", "items", "$ref"].iter().all(|key| schema[*key] == Json::Null);
    (string && !reference) || anything
}
