//! One document: its kind, its schema, its head and the resources that its sections make.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::{ValidationError, Validator};
use serde_json::Value as Json;

use crate::core::name::{DEFAULT_SCHEMA, check_identifier};
use crate::core::{Desired, QualifiedName};
use crate::diag::{Diagnostic, code};
use crate::kinds::document::Document;
use crate::kinds::{Head, Section, SectionInput};
use crate::load::compose::{DocumentSchema, HEAD, Schemas};
use crate::load::explain::{Explainer, list};
use crate::load::nearest::nearest;
use crate::load::tree::Converted;

/// How many substituted scalars are tried in their other reading.
const MAX_READINGS: usize = 64;

/// How many findings of one document are put into words.
const MAX_EXPLAINED: usize = 200;

/// A document that was understood, though perhaps not without errors.
pub struct Checked {
    /// Its kind.
    pub document: &'static Document,
    /// What it says beside its sections; `None` where its name is none.
    pub head: Option<Head>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What its sections make.
    pub desired: Vec<Desired>,
}

/// Checks a document and expands its sections. `None` where its kind is not known.
pub fn document(schemas: &Schemas, mut document: Converted, sink: &mut Vec<Diagnostic>) -> Option<Checked> {
    let schema = kind_of(schemas, &document, sink)?;
    let mut bad: BTreeSet<String> = document.unknown.iter().cloned().collect();
    if let Some(validator) = schema.validator()
        && !validator.is_valid(&document.json)
    {
        other_readings(validator, &mut document);
        let title = title(schema.document.kind);
        let explainer = Explainer { schema: &schema.schema, document: &document, title: &title };
        let before = sink.len();
        for error in validator.iter_errors(&document.json) {
            let path = error.instance_path().as_str();
            // What could not be known was reported where it is written.
            let known = document.unknown.iter().any(|pointer| is_within(path, pointer));
            if !known && sink.len() - before < MAX_EXPLAINED {
                explain(&explainer, &error, sink);
            }
            bad.insert(path.to_owned());
        }
    }
    let head = head(schema.document, &document, &bad, sink);
    let desired = expand(schema, &document, head.as_ref(), &bad, sink);
    Some(Checked { document: schema.document, labels: labels(&document.json), head, desired })
}

fn title(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} `{kind}` document")
}

/// Two branches of one schema may find the same fault.
fn explain(explainer: &Explainer<'_>, error: &ValidationError<'_>, sink: &mut Vec<Diagnostic>) {
    let mut found = Vec::new();
    explainer.explain(error, &mut found);
    for diagnostic in found {
        if !sink.contains(&diagnostic) {
            sink.push(diagnostic);
        }
    }
}

/// Whether a pointer is another one or below it.
fn is_within(pointer: &str, outer: &str) -> bool {
    pointer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether one of the pointers is the given one or below it.
fn holds_within(pointers: &BTreeSet<String>, outer: &str) -> bool {
    let below = format!("{outer}/");
    let next = pointers.range(below.clone()..).next();
    pointers.contains(outer) || next.is_some_and(|pointer| pointer.starts_with(&below))
}

/// The schema for a document's `kind:`.
fn kind_of<'a>(schemas: &'a Schemas, document: &Converted, sink: &mut Vec<Diagnostic>) -> Option<&'a DocumentSchema> {
    let kinds = || list(schemas.iter().map(|schema| format!("`{}`", schema.document.kind)), "or");
    let Json::Object(entries) = &document.json else {
        sink.push(
            Diagnostic::error(&code::WRONG_TYPE, "a policy document is a mapping of keys to values")
                .at(document.places.document())
                .help(format!("begin it with `kind:` and `name:`; `kind` is {}", kinds())),
        );
        return None;
    };
    if document.unknown.iter().any(|pointer| pointer == "/kind") {
        return None;
    }
    let Some(kind) = entries.get("kind") else {
        let diagnostic = Diagnostic::error(&code::MISSING_KEY, "a policy document needs the key `kind`")
            .at(document.places.document())
            .help(format!("say what it describes: `kind` is {}", kinds()));
        let near = entries.keys().find(|key| nearest(key, ["kind"]).is_some());
        sink.push(match near {
            Some(key) => {
                let place = document.places.key(&crate::diag::source::segment(key));
                diagnostic.at(place).label("did you mean `kind`?")
            }
            None => diagnostic,
        });
        return None;
    };
    if let Some(schema) = kind.as_str().and_then(|kind| schemas.get(kind)) {
        return Some(schema);
    }
    let known: Vec<&str> = schemas.iter().map(|schema| schema.document.kind).collect();
    let shown = document.shown.get("/kind").cloned().or_else(|| kind.as_str().map(str::to_owned));
    let message = match &shown {
        Some(shown) => format!("`{shown}` is no kind of document"),
        None => "`kind` takes the name of a kind of document".to_owned(),
    };
    let diagnostic = Diagnostic::error(&code::UNKNOWN_KIND, message)
        .at(document.places.value("/kind"))
        .help(format!("`kind` is {}", kinds()));
    sink.push(match shown.and_then(|shown| nearest(&shown, known)) {
        Some(near) => diagnostic.label(format!("did you mean `{near}`?")),
        None => diagnostic,
    });
    None
}

/// Lets a scalar that is one substituted value be text where the schema wants text and a number
/// where it wants a number, whichever way it was read first.
fn other_readings(validator: &Validator, document: &mut Converted) {
    if document.other.is_empty() {
        return;
    }
    let faults = |json: &Json| validator.iter_errors(json).map(|e| e.instance_path().as_str().to_owned()).collect();
    let mut before: Vec<String> = faults(&document.json);
    for (pointer, other) in document.other.iter().take(MAX_READINGS) {
        if !before.iter().any(|path| is_within(pointer, path)) {
            continue;
        }
        let Some(value) = document.json.pointer_mut(pointer) else { continue };
        let first = std::mem::replace(value, other.clone());
        let after: Vec<String> = faults(&document.json);
        if after.len() < before.len() {
            before = after;
        } else if let Some(value) = document.json.pointer_mut(pointer) {
            *value = first;
        }
    }
}

/// What the document says beside its sections.
fn head(
    document: &'static Document,
    converted: &Converted,
    bad: &BTreeSet<String>,
    sink: &mut Vec<Diagnostic>,
) -> Option<Head> {
    let text = |key: &str| converted.json.get(key).and_then(Json::as_str);
    let name = text("name").filter(|_| !bad.contains("/name"))?;
    let relation = if document.relation {
        QualifiedName::parse(name)
    } else {
        check_identifier(name).map(|()| QualifiedName::new(DEFAULT_SCHEMA, name))
    };
    match relation {
        Ok(relation) => Some(head_of(document, converted, name, relation)),
        Err(error) => {
            let message = format!("this is no name: {error}");
            sink.push(Diagnostic::error(&code::BAD_NAME, message).at(converted.places.value("/name")));
            None
        }
    }
}

fn head_of(document: &'static Document, converted: &Converted, name: &str, relation: QualifiedName) -> Head {
    Head {
        document: document.kind,
        name: name.to_owned(),
        relation,
        protect: converted.json.get("protect").and_then(Json::as_bool).unwrap_or_default(),
        skip_missing: converted.json.get("when_missing").and_then(Json::as_str) == Some("skip"),
        place: converted.places.document().clone(),
    }
}

fn labels(json: &Json) -> BTreeMap<String, String> {
    let labels = json.get("labels").and_then(Json::as_object).into_iter().flatten();
    labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// The resources of every section that satisfies its schema. Without a head they are only read for
/// their faults.
fn expand(
    schema: &DocumentSchema,
    document: &Converted,
    head: Option<&Head>,
    bad: &BTreeSet<String>,
    sink: &mut Vec<Diagnostic>,
) -> Vec<Desired> {
    let nameless = head_of(schema.document, document, "", QualifiedName::new(DEFAULT_SCHEMA, "unnamed"));
    let mut desired = Vec::new();
    let mut one = |section: &Section, value: &Json, pointer: &str, sink: &mut Vec<Diagnostic>| {
        if holds_within(bad, pointer) {
            return;
        }
        let head = head.unwrap_or(&nameless);
        let input = SectionInput { head, value, places: &document.places, pointer };
        desired.extend((section.expand)(&input, sink));
    };
    for section in &schema.sections {
        if section.key.is_empty() {
            one(section, &without_head(&document.json, &schema.own_keys), "", sink);
            continue;
        }
        let Some(value) = document.json.get(section.key) else { continue };
        let pointer = format!("/{}", section.key);
        match value {
            Json::Array(items) if section.repeated => {
                for (at, item) in items.iter().enumerate() {
                    one(section, item, &format!("{pointer}/{at}"), sink);
                }
            }
            _ if section.repeated => {}
            value => one(section, value, &pointer, sink),
        }
    }
    if head.is_some() { desired } else { Vec::new() }
}

/// The document as a section that is all of it reads it.
fn without_head(json: &Json, own_keys: &[String]) -> Json {
    let entries = json.as_object().into_iter().flatten();
    let own = |key: &String| own_keys.contains(key) || !HEAD.contains(&key.as_str());
    Json::Object(entries.filter(|(key, _)| own(key)).map(|(key, value)| (key.clone(), value.clone())).collect())
}
