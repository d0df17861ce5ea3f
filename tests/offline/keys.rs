//! The table of a document's keys, from its JSON Schema.

use std::fmt::Write as _;

use chronoform::kinds::document::Document;
use chronoform::load;
use serde_json::Value as Json;

/// A row a key.
pub fn table(document: &Document) -> String {
    let schemas = load::schema::documents();
    let mut schema = schemas[&format!("{}.json", document.kind)].clone();
    if document.kind == "class" {
        without_defaults(&mut schema, [&schemas["table.json"], &schemas["continuous_aggregate.json"]]);
    }
    let mut out = String::from("| key | type | meaning |\n|---|---|---|\n");
    rows(&mut out, &schema, &schema, "", 0);
    out
}

/// The keys of a document that are sections, each with what it describes; those of a list end in `[]`.
pub fn sections(document: &Document) -> Vec<(String, String)> {
    let schema = &load::schema::documents()[&format!("{}.json", document.kind)];
    let all = chronoform::kinds::all().iter().flat_map(|kind| kind.sections().iter());
    let own = all.filter(|section| section.document == document.kind && !section.key.is_empty());
    own.map(|section| {
        let property = &schema["properties"][section.key];
        let items = resolve(schema, &resolve(schema, property)["items"]);
        let inner = if section.repeated { items } else { resolve(schema, property) };
        let text = [property, inner].into_iter().find_map(|from| from["description"].as_str()).unwrap_or_default();
        let about = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let end = if section.repeated { "[]" } else { "" };
        (format!("{}{end}", section.key), about.split_inclusive(". ").next().unwrap_or_default().trim().to_owned())
    })
    .collect()
}

/// A class without the sections that it may give, which are those of the documents that it matches.
fn without_defaults(class: &mut Json, matched: [&Json; 2]) {
    let own = ["kind", "name", "protect", "when_missing"];
    let given = |key: &str| matched.iter().any(|document| document["properties"][key] != Json::Null);
    class["properties"].as_object_mut().unwrap().retain(|key, _| own.contains(&key.as_str()) || !given(key));
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
