//! The JSON Schemas that editors use: one for each kind of document, one for all of them together,
//! one for each kind of resource, and one for `chronoform.yaml`.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::kinds::{self, Kind};
use crate::load::compose::{self, Schemas};
use crate::load::config;

/// A scalar that is one reference and nothing else.
const REFERENCE: &str = r"^\$\{var\.[A-Za-z_][A-Za-z0-9_-]*\}$";

/// Every schema by the name of its file. Each stands on its own, in draft 2020-12.
pub fn documents() -> BTreeMap<String, Json> {
    of(kinds::all(), Schemas::all())
}

fn of(kinds: &[&'static dyn Kind], schemas: &Schemas) -> BTreeMap<String, Json> {
    let mut files = BTreeMap::new();
    for kind in kinds {
        if let Some(schema) = section(*kind) {
            files.insert(format!("{}.json", kind.id()), schema);
        }
    }
    for document in schemas.iter() {
        files.insert(format!("{}.json", document.document.kind), document.schema().clone());
    }
    files.insert("policy.json".to_owned(), union(kinds, schemas));
    files.values_mut().for_each(|schema| with_null(schema, schemas));
    files.insert("config.json".to_owned(), config::schema());
    files.values_mut().for_each(|schema| with_references(schema, false));
    files
}

/// Lets a section of a document that a class may match be written as `null`, which takes nothing
/// from any class. The loader knows whether there is one.
fn with_null(schema: &mut Json, schemas: &Schemas) {
    let documents = schemas.iter().filter(|schema| schema.document.relation);
    for document in documents {
        let kind = document.document.kind;
        let is_it = schema.pointer("/properties/kind/const").and_then(Json::as_str) == Some(kind);
        let body = if is_it { Some(&mut *schema) } else { schema.pointer_mut(&format!("/$defs/{kind}")) };
        let Some(Json::Object(properties)) = body.and_then(|body| body.get_mut("properties")) else { continue };
        for section in document.sections.iter().filter(|section| !section.key.is_empty()) {
            let Some(value) = properties.get_mut(section.key) else { continue };
            match value.get_mut("type") {
                Some(types) => *types = json!([types.take(), "null"]),
                None => *value = json!({ "anyOf": [value.take(), { "type": "null" }] }),
            }
        }
    }
}

/// Lets a number or truth value be written as `${var.NAME}`: an editor sees a
/// document as it is before substitution. A branch of `oneOf` is left as it is, since another might
/// take the same text.
fn with_references(schema: &mut Json, exclusive: bool) {
    const LITERAL: [&str; 4] = ["examples", "default", "enum", "const"];
    match schema {
        Json::Array(items) => items.iter_mut().for_each(|item| with_references(item, exclusive)),
        Json::Object(object) => {
            let types = match object.get("type") {
                Some(Json::String(only)) => vec![only.clone()],
                Some(Json::Array(types)) => types.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
                _ => Vec::new(),
            };
            let scalar = types.iter().any(|name| ["integer", "number", "boolean"].contains(&name.as_str()));
            if scalar && !exclusive && !types.iter().any(|name| name == "string") {
                let types: Vec<String> = types.into_iter().chain(["string".to_owned()]).collect();
                object.insert("type".to_owned(), json!(types));
                object.insert("pattern".to_owned(), json!(REFERENCE));
            }
            for (keyword, value) in object.iter_mut().filter(|(keyword, _)| !LITERAL.contains(&keyword.as_str())) {
                with_references(value, keyword == "oneOf");
            }
        }
        _ => {}
    }
}

/// The schema of what a kind reads. A kind that is a whole document is that document's.
fn section(kind: &'static dyn Kind) -> Option<Json> {
    let section = kind.sections().iter().find(|section| !section.key.is_empty())?;
    let mut generator = compose::generator();
    let value = compose::section_schema(section, &mut generator);
    let mut schema = json!({ "title": format!("Chronoform: {}", kind.title()) });
    if let (Some(into), Json::Object(value)) = (schema.as_object_mut(), compose::resolve(&value, &generator)) {
        into.extend(value.into_iter().filter(|(keyword, _)| keyword != "title"));
    }
    compose::finish(&mut schema, &mut generator);
    Some(schema)
}

/// One schema for any document: which one is told by its `kind`.
fn union(kinds: &[&'static dyn Kind], schemas: &Schemas) -> Json {
    let mut generator = compose::generator();
    let names: Vec<&str> = schemas.iter().map(|schema| schema.document.kind).collect();
    let mut cases = Vec::new();
    let mut bodies = serde_json::Map::new();
    for schema in schemas.iter() {
        let kind = schema.document.kind;
        bodies.insert(
            kind.to_owned(),
            compose::body(schema.document, &compose::described(kinds, schema.document), &mut generator),
        );
        cases.push(json!({
            "if": { "properties": { "kind": { "const": kind } }, "required": ["kind"] },
            "then": { "$ref": format!("#/$defs/{kind}") },
        }));
    }
    let mut schema = json!({
        "title": "Chronoform policy",
        "description": "One document of a policy file. Its `kind` says what it describes.",
        "type": "object",
        "required": ["kind"],
        "properties": { "kind": { "description": "What the document describes.", "enum": names, "examples": ["table"] } },
        "allOf": cases,
        "$defs": bodies,
    });
    compose::finish(&mut schema, &mut generator);
    schema
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::load::fake;

    /// Calls back for every property of every schema, with its path and its schema and that behind
    /// its reference.
    fn properties(root: &Json, schema: &Json, path: &str, each: &mut dyn FnMut(&str, &Json, &Json)) {
        match schema {
            Json::Object(object) => {
                for (keyword, value) in object {
                    let below = format!("{path}/{keyword}");
                    if let ("properties", Some(entries)) = (keyword.as_str(), value.as_object()) {
                        // The condition of an `if` is no property of its own.
                        if path.ends_with("/if") {
                            continue;
                        }
                        for (name, property) in entries {
                            let target = property["$ref"].as_str().and_then(|to| root.pointer(&to[1..]));
                            each(&format!("{below}/{name}"), property, target.unwrap_or(property));
                        }
                    }
                    properties(root, value, &below, each);
                }
            }
            Json::Array(items) => {
                items.iter().enumerate().for_each(|(at, item)| properties(root, item, &format!("{path}/{at}"), each));
            }
            _ => {}
        }
    }

    fn all() -> Vec<(String, Json)> {
        let fake = of(fake::KINDS, &Schemas::new(fake::KINDS));
        documents().into_iter().chain(fake).collect()
    }

    #[test]
    fn every_key_has_a_description_and_an_example() {
        let mut bare = Vec::new();
        for (name, schema) in all() {
            properties(&schema, &schema, &name, &mut |path, property, target| {
                let either = property["anyOf"][0]["$ref"].as_str().and_then(|to| schema.pointer(&to[1..]));
                let has = |keyword: &str| {
                    [property, target, either.unwrap_or(target)].iter().any(|s| s.get(keyword).is_some())
                };
                if !has("description") {
                    bare.push(format!("{path} has no description"));
                }
                let boolean = target["type"] == json!(["boolean", "string"]);
                let told = boolean || has("enum") || has("const") || has("oneOf");
                let nested = has("properties") || has("items");
                if !(told || nested || has("examples") || has("default") || fake_property(&name, path)) {
                    bare.push(format!("{path} has no example and no default"));
                }
            });
        }
        assert!(bare.is_empty(), "{}", bare.join("\n"));
    }

    fn fake_property(name: &str, path: &str) -> bool {
        let kinds: Vec<String> = kinds::all().iter().map(|kind| kind.id().to_string()).collect();
        !kinds.iter().any(|kind| name == format!("{kind}.json")) && path.contains("$defs")
            || ["keep.json", "item.json", "extension.json", "table.json"].contains(&name)
    }

    #[test]
    fn every_schema_is_one_and_stands_on_its_own() {
        for (name, schema) in all() {
            assert!(jsonschema::draft202012::meta::is_valid(&schema), "{name}");
            jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(
                schema["title"].is_string() && schema["description"].is_string() || name == "config.json",
                "{name}"
            );
            let text = schema.to_string();
            assert!(!text.contains("\"null\"") || name != "config.json", "{name} takes null");
            // The keyword; a key of that name has a schema.
            assert!(!text.contains("\"format\":\""), "{name}");
        }
    }

    fn some_value(root: &Json, schema: &Json) -> Json {
        let target = schema["$ref"].as_str().and_then(|to| root.pointer(&to[1..])).unwrap_or(schema);
        for of in [schema, target] {
            for pointer in ["/examples/0", "/default", "/const", "/enum/0", "/oneOf/0/const"] {
                if let Some(value) = of.pointer(pointer) {
                    return value.clone();
                }
            }
        }
        let kind = target["type"].as_str().or_else(|| target["type"][0].as_str());
        match kind.unwrap_or_default() {
            "integer" | "number" => json!(1),
            "boolean" => json!(true),
            "array" => json!([]),
            "object" => json!({}),
            _ if target["anyOf"].is_array() => some_value(root, &target["anyOf"][0]),
            _ => json!("x"),
        }
    }

    /// A key of type `Option` with a schema of its own is required by the generator, unless it has
    /// a default; then the schema refuses what the type would read.
    #[test]
    fn a_required_key_is_one_that_the_type_requires() {
        let place = crate::core::Place { file: "p".into(), line: 1, column: 1, start: 0, end: 0, via: None };
        let head = crate::kinds::Head {
            document: "table",
            name: "t".into(),
            relation: crate::core::QualifiedName::new("public", "t"),
            protect: false,
            skip_missing: false,
            moved_from: None,
            place: place.clone(),
        };
        for section in kinds::all().iter().chain(fake::KINDS).flat_map(|kind| kind.sections()) {
            let mut generator = compose::generator();
            let schema = compose::hoist((section.schema)(&mut generator), &mut generator);
            let mut schema = compose::resolve(&schema, &generator);
            compose::finish(&mut schema, &mut generator);
            let required: Vec<&str> =
                schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
            for left_out in &required {
                let others = required.iter().filter(|key| *key != left_out);
                let entry = |key: &&str| ((*key).to_owned(), some_value(&schema, &schema["properties"][*key]));
                let value = Json::Object(others.map(entry).collect());
                let places = crate::diag::Places::new(place.clone());
                let input = crate::kinds::SectionInput { head: &head, value: &value, places: &places, pointer: "/x" };
                let mut sink = Vec::new();
                (section.expand)(&input, &mut sink);
                let missed = sink.iter().any(|d| d.message.contains(&format!("missing field `{left_out}`")));
                assert!(missed, "`{}` is read without `{left_out}`, which its schema requires", section.key);
            }
        }
    }

    #[test]
    fn the_union_reads_what_each_document_reads() {
        let schemas = Schemas::new(fake::KINDS);
        let union = union(fake::KINDS, &schemas);
        let validator = jsonschema::draft202012::new(&union).unwrap();
        for (document, valid) in [
            (json!({"kind": "table", "name": "t", "keep": {"drop_after": 5}}), true),
            (json!({"kind": "table", "name": "t", "keep": {}}), false),
            (json!({"kind": "extension", "name": "t", "version": "1"}), true),
            (json!({"kind": "extension", "name": "t", "keep": {"drop_after": 5}}), false),
            (json!({"kind": "other", "name": "t"}), false),
            (json!({"name": "t"}), false),
        ] {
            assert_eq!(validator.is_valid(&document), valid, "{document}");
        }
    }

    #[test]
    fn a_number_may_be_a_reference_in_an_editor() {
        let mut schema = json!({"properties": {"type": {"type": "integer"}, "b": {"oneOf": [{"type": "integer"}]}}});
        with_references(&mut schema, false);
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        assert!(validator.is_valid(&json!({"type": 5})) && validator.is_valid(&json!({"type": "${var.N}"})));
        assert!(!validator.is_valid(&json!({"type": "5"})) && !validator.is_valid(&json!({"b": "${var.N}"})));
    }

    /// The committed files are what the types say; `CHRONOFORM_BLESS=1` writes them.
    #[test]
    fn schemas_are_up_to_date() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        let wanted: BTreeMap<String, String> =
            documents().into_iter().map(|(name, schema)| (name, format!("{schema:#}\n"))).collect();
        let bless = std::env::var_os("CHRONOFORM_BLESS").is_some_and(|value| value == "1");
        if bless {
            std::fs::create_dir_all(&folder).unwrap();
            for (name, text) in &wanted {
                std::fs::write(folder.join(name), text).unwrap();
            }
        }
        let mut stale = Vec::new();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".json") && !wanted.contains_key(&name) {
                if bless {
                    std::fs::remove_file(folder.join(&name)).unwrap();
                } else {
                    stale.push(format!("{name} belongs to nothing"));
                }
            }
        }
        for (name, text) in &wanted {
            if std::fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text) {
                stale.push(format!("{name} is out of date"));
            }
        }
        assert!(stale.is_empty(), "{}; run the tests with CHRONOFORM_BLESS=1", stale.join(", "));
    }
}
