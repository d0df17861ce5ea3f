//! The parts of the README that are made from the code: keys, exit codes, diagnostics.
//!
//! `CHRONOFORM_BLESS=1` rewrites them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chronoform::diag::{Exit, code};
use chronoform::{kinds, load};
use serde_json::Value as Json;

#[test]
fn the_generated_parts_are_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path).unwrap();
    let mut wanted = text.clone();
    for (name, content) in [("keys", keys()), ("exit-codes", exit_codes()), ("diagnostics", diagnostics())] {
        wanted = replace(&wanted, name, &content);
    }
    if std::env::var_os("CHRONOFORM_BLESS").is_some() {
        fs::write(&path, wanted).unwrap();
    } else {
        assert!(text == wanted, "README.md is out of date: CHRONOFORM_BLESS=1 rewrites its generated parts");
    }
}

fn replace(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: generated -->\n"), format!("<!-- {name}: end -->"));
    let start = text.find(&begin).unwrap_or_else(|| panic!("README.md has no part `{name}`")) + begin.len();
    let stop = text.find(&end).unwrap();
    format!("{}{content}{}", &text[..start], &text[stop..])
}

fn exit_codes() -> String {
    let mut out = String::from("| code | meaning |\n|---|---|\n");
    for (exit, about) in Exit::ALL {
        writeln!(out, "| {} | {about} |", exit as u8).unwrap();
    }
    out
}

fn diagnostics() -> String {
    let own = kinds::all().iter().flat_map(|kind| kind.codes().iter());
    let mut codes: Vec<_> = code::SHARED.iter().chain(own).collect();
    codes.sort_by_key(|code| code.name);
    let mut out = String::from("| code | about |\n|---|---|\n");
    for code in codes {
        writeln!(out, "| `{}` | {} |", code.name, code.about).unwrap();
    }
    out
}

/// One table a document, with a row a key, from the JSON Schemas.
fn keys() -> String {
    let mut out = String::new();
    let schemas = load::schema::documents();
    for document in kinds::document::DOCUMENTS {
        let mut schema = schemas[&format!("{}.json", document.kind)].clone();
        if document.kind == "class" {
            without_defaults(&mut schema, &schemas["table.json"]);
        }
        let schema = &schema;
        writeln!(out, "**`kind: {}`** — {}\n", document.kind, document.about).unwrap();
        out.push_str("| key | type | meaning |\n|---|---|---|\n");
        rows(&mut out, schema, schema, "", 0);
        out.push('\n');
    }
    out
}

/// A class without the sections that it may give, which are those of a table.
fn without_defaults(class: &mut Json, table: &Json) {
    let given = |key: &str| {
        !["kind", "name", "protect", "when_missing"].contains(&key) && table["properties"][key] != Json::Null
    };
    class["properties"].as_object_mut().unwrap().retain(|key, _| !given(key));
}

fn rows(out: &mut String, root: &Json, schema: &Json, before: &str, depth: usize) {
    let Some(properties) = schema["properties"].as_object() else { return };
    for (key, property) in properties {
        let name = format!("{before}{key}");
        let inner = resolve(root, property);
        let about = property["description"].as_str().or(inner["description"].as_str()).unwrap_or_default();
        let about = about.split("\n\n").next().unwrap_or_default().replace('\n', " ").replace('|', "\\|");
        writeln!(out, "| `{name}` | {} | {about} |", type_of(root, inner)).unwrap();
        let items = resolve(root, &inner["items"]);
        if depth < 3 && inner["properties"].is_object() {
            rows(out, root, inner, &format!("{name}."), depth + 1);
        } else if depth < 3 && items["properties"].is_object() {
            rows(out, root, items, &format!("{name}[]."), depth + 1);
        }
    }
}

/// Follows a reference, and looks through `anyOf: [X, null]`.
fn resolve<'a>(root: &'a Json, schema: &'a Json) -> &'a Json {
    if let Some(pointer) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        return root.pointer(pointer).map_or(schema, |target| resolve(root, target));
    }
    let options = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    match options {
        [one, null] if null["type"] == "null" => resolve(root, one),
        _ => schema,
    }
}

fn type_of(root: &Json, schema: &Json) -> String {
    if let Some(word) = schema["const"].as_str() {
        return format!("`{word}`");
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().filter_map(Json::as_str).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
    }
    for many in ["anyOf", "oneOf"] {
        if let Some(options) = schema[many].as_array() {
            let mut types: Vec<String> = options.iter().map(|option| type_of(root, resolve(root, option))).collect();
            types.retain(|word| word != "null");
            types.dedup();
            return types.join(" or ");
        }
    }
    match &schema["type"] {
        Json::String(word) if word == "array" => format!("list of {}", type_of(root, resolve(root, &schema["items"]))),
        Json::String(word) if word == "object" => "mapping".to_owned(),
        Json::String(word) => word.clone(),
        Json::Array(words) if matches!(words.as_slice(), [_, null] if null == "null") => {
            let mut only = schema.clone();
            only["type"] = words[0].clone();
            type_of(root, &only)
        }
        Json::Array(words) => {
            words.iter().filter_map(Json::as_str).filter(|word| *word != "null").collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}
