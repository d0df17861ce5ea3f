//! The JSON Schema of each kind of document, composed from the sections that kinds bring.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use jsonschema::Validator;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value as Json, json};

use crate::kinds::document::{DOCUMENTS, Document};
use crate::kinds::{Kind, Section};
use crate::load::{class, guardrail};

/// The keys that are the document's own.
pub const HEAD: [&str; 6] = ["kind", "name", "moved", "labels", "protect", "when_missing"];

/// Every kind of document with its schema.
pub struct Schemas {
    documents: BTreeMap<&'static str, DocumentSchema>,
}

/// One kind of document: what may be in it. Policies have few kinds of many: each is worked out when it is
/// first asked for.
pub struct DocumentSchema {
    /// The kind of document.
    pub document: &'static Document,
    /// Its sections, in the order of creation.
    pub sections: Vec<&'static Section>,
    kinds: &'static [&'static dyn Kind],
    own_keys: OnceLock<Vec<String>>,
    schema: OnceLock<Json>,
    validator: OnceLock<Option<Validator>>,
}

impl Schemas {
    /// The schemas of the given kinds.
    pub fn new(kinds: &'static [&'static dyn Kind]) -> Self {
        let of = |document: &'static Document| {
            let sections = sections(kinds).filter(|section| section.document == document.kind).collect();
            let schema = DocumentSchema {
                document,
                sections,
                kinds,
                own_keys: OnceLock::new(),
                schema: OnceLock::new(),
                validator: OnceLock::new(),
            };
            (document.kind, schema)
        };
        Self { documents: DOCUMENTS.iter().map(of).collect() }
    }

    /// The schemas of every kind that there is.
    pub fn all() -> &'static Self {
        static ALL: OnceLock<Schemas> = OnceLock::new();
        ALL.get_or_init(|| Self::new(crate::kinds::all()))
    }

    /// The schema of a document's `kind:`.
    pub fn get(&self, kind: &str) -> Option<&DocumentSchema> {
        self.documents.get(kind)
    }

    /// Every kind of document.
    pub fn iter(&self) -> impl Iterator<Item = &DocumentSchema> {
        self.documents.values()
    }
}

impl DocumentSchema {
    /// The keys that a section that is the whole document brings.
    pub fn own_keys(&self) -> &[String] {
        self.own_keys.get_or_init(|| own_keys(&self.sections))
    }

    /// Its schema, complete in itself.
    pub fn schema(&self) -> &Json {
        self.schema.get_or_init(|| root(self.document, &described(self.kinds, self.document)))
    }

    /// Whether a document has a key.
    pub fn has_key(&self, key: &str) -> bool {
        self.schema().get("properties").is_some_and(|keys| keys.get(key).is_some())
    }

    /// The compiled schema. `None` where it is no schema, which a test rules out.
    pub fn validator(&self) -> Option<&Validator> {
        self.validator.get_or_init(|| jsonschema::draft202012::new(self.schema()).ok()).as_ref()
    }
}

/// The sections that a document's schema speaks of: its own, or of a class those that it may give
/// to the documents of relations.
pub fn described(kinds: &[&'static dyn Kind], document: &Document) -> Vec<&'static Section> {
    let of_relation = |kind: &str| DOCUMENTS.iter().any(|document| document.kind == kind && document.relation);
    let given = |section: &&Section| !section.key.is_empty() && of_relation(section.document);
    let own = |section: &&Section| section.document == document.kind;
    sections(kinds).filter(|section| if document.is_rule() { given(section) } else { own(section) }).collect()
}

fn sections<'a>(kinds: &'a [&'static dyn Kind]) -> impl Iterator<Item = &'static Section> + 'a {
    kinds.iter().flat_map(|kind| kind.sections())
}

fn own_keys(sections: &[&'static Section]) -> Vec<String> {
    let mut generator = generator();
    let mut keys = Vec::new();
    for section in sections.iter().filter(|section| section.key.is_empty()) {
        let schema = section_schema(section, &mut generator);
        let properties = resolve(&schema, &generator).get("properties").and_then(Json::as_object).cloned();
        keys.extend(properties.into_iter().flatten().map(|(key, _)| key));
    }
    keys
}

/// A generator for schemas of draft 2020-12.
pub fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

fn root(document: &'static Document, sections: &[&'static Section]) -> Json {
    let mut generator = generator();
    let mut schema = body(document, sections, &mut generator);
    finish(&mut schema, &mut generator);
    schema
}

/// Makes a schema stand on its own.
pub fn finish(schema: &mut Json, generator: &mut SchemaGenerator) {
    let Some(object) = schema.as_object_mut() else { return };
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        let defs = object.entry("$defs").or_insert_with(|| json!({}));
        if let Some(defs) = defs.as_object_mut() {
            defs.extend(definitions);
        }
    }
    for keyword in ["description", "title"] {
        if let Some(text) = object.shift_remove(keyword) {
            object.shift_insert(0, keyword.to_owned(), text);
        }
    }
    object.shift_insert(0, "$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    tidy(schema);
    prune(schema);
}

/// Drops definitions that nothing refers to, not even one that something refers to.
fn prune(schema: &mut Json) {
    let mut wanted = BTreeSet::new();
    let entries = schema.as_object().into_iter().flatten();
    let mut left: Vec<&Json> = entries.filter(|(key, _)| *key != "$defs").map(|(_, value)| value).collect();
    while let Some(value) = left.pop() {
        match value {
            Json::Array(items) => left.extend(items),
            Json::Object(object) => {
                let name = object.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
                if let Some(name) = name
                    && wanted.insert(name.to_owned())
                {
                    left.extend(schema.get("$defs").and_then(|definitions| definitions.get(name)));
                }
                left.extend(object.values());
            }
            _ => {}
        }
    }
    let Some(Json::Object(definitions)) = schema.get_mut("$defs") else { return };
    definitions.retain(|name, _| wanted.contains(name));
    if definitions.is_empty() {
        schema.as_object_mut().map(|object| object.shift_remove("$defs"));
    }
}

/// A document's schema, its definitions left in the generator.
pub fn body(document: &'static Document, sections: &[&'static Section], generator: &mut SchemaGenerator) -> Json {
    if document.kind == "class" {
        return class::schema(document, sections, generator);
    }
    if document.kind == "guardrail" {
        return guardrail::schema(document);
    }
    let mut schema = json!({
        "title": format!("Chronoform policy: {}", document.kind),
        "description": document.about,
        "type": "object",
        "required": ["kind", "name"],
        "properties": head(document),
        "additionalProperties": false,
    });
    for section in sections {
        let value = section_schema(section, generator);
        if section.key.is_empty() {
            merge(&mut schema, value, generator);
        } else if let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut) {
            properties.insert(section.key.to_owned(), value);
        }
    }
    schema
}

/// The schema of a section's value.
pub fn section_schema(section: &Section, generator: &mut SchemaGenerator) -> Json {
    let item = hoist((section.schema)(generator), generator);
    if !section.repeated {
        return item;
    }
    let about = resolve(&item, generator).get("description").cloned();
    let mut list = json!({ "type": "array", "items": item });
    if let (Some(list), Some(about)) = (list.as_object_mut(), about) {
        list.insert("description".to_owned(), about);
    }
    list
}

/// Takes definitions that a schema brought along into the generator.
pub fn hoist(schema: Schema, generator: &mut SchemaGenerator) -> Json {
    let mut schema = schema.to_value();
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        if let Some(Json::Object(definitions)) = object.remove("$defs") {
            for (name, definition) in definitions {
                generator.definitions_mut().entry(name).or_insert(definition);
            }
        }
    }
    schema
}

/// The schema behind a bare reference.
pub fn resolve(schema: &Json, generator: &SchemaGenerator) -> Json {
    let name = schema.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
    name.and_then(|name| generator.definitions().get(name)).unwrap_or(schema).clone()
}

/// Puts a section that is the whole document into the document's schema.
fn merge(schema: &mut Json, section: Json, generator: &SchemaGenerator) {
    let section = resolve(&section, generator);
    let (Some(into), Json::Object(section)) = (schema.as_object_mut(), section) else { return };
    for (keyword, value) in section {
        match (into.get_mut(&keyword), value) {
            (Some(Json::Object(known)), Json::Object(more)) if keyword == "properties" => known.extend(more),
            (Some(Json::Array(known)), Json::Array(more)) if keyword == "required" => {
                for key in more {
                    if !known.contains(&key) {
                        known.push(key);
                    }
                }
            }
            (None, value) => _ = into.insert(keyword, value),
            // The document's own title, type and strictness stand.
            (Some(_), _) => {}
        }
    }
}

fn head(document: &Document) -> Json {
    let mut head = Map::new();
    let mut add = |key: &str, value: Json| head.insert(key.to_owned(), value);
    add("kind", json!({ "description": "What the document describes.", "const": document.kind }));
    let name = if document.relation {
        json!({
            "description": "The relation's exact name, with its schema; without one it is in `public`. Double quotes protect a dot inside a name, as in SQL.",
            "type": "string",
            "minLength": 1,
            "examples": ["public.market_data", "\"Odd schema\".\"a.b\""],
        })
    } else {
        json!({
            "description": "The object's exact name, or one of your own for what has none.",
            "type": "string",
            "minLength": 1,
            "examples": ["reporting"],
        })
    };
    add("name", name);
    if document.can_move() {
        add("moved", moved());
    }
    add(
        "labels",
        json!({
            "description": "Words of your own about it, for other policies and for people.",
            "type": "object",
            "additionalProperties": { "type": "string" },
            "examples": [{ "domain": "trading", "compliance": "mifid2" }],
        }),
    );
    head.extend(marks(document.relation));
    Json::Object(head)
}

/// What a relation was called before.
fn moved() -> Json {
    json!({
        "description": "What the table was called before a migration renamed it, or moved it to another schema: the ledger goes on with its history. Once that is recorded, this does nothing more, and plan notes that it can go.",
        "type": "object",
        "required": ["from"],
        "properties": {
            "from": {
                "description": "The table's exact name then, with its schema; without one it was in `public`.",
                "type": "string",
                "minLength": 1,
                "examples": ["public.ticks"],
            },
        },
        "additionalProperties": false,
    })
}

/// The keys that mark a whole document.
pub fn marks(relation: bool) -> Map<String, Json> {
    let mut marks = Map::new();
    marks.insert(
        "protect".to_owned(),
        json!({
            "description": "Refuse every plan that would delete data from it. No command-line option overrides this.",
            "type": "boolean",
            "default": false,
        }),
    );
    if relation {
        marks.insert(
            "when_missing".to_owned(),
            json!({
                "description": "What to do when the relation does not exist: `error` stops the plan, `skip` leaves the document out.",
                "type": "string",
                "enum": ["error", "skip"],
                "default": "error",
            }),
        );
    }
    marks
}

/// Brings what the generator makes of Rust types to what YAML authors mean: an optional key is left
/// out rather than null, and a number's width is a range.
fn tidy(schema: &mut Json) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(tidy),
        Json::Object(object) => {
            if let Some(Json::Object(properties)) = object.get_mut("properties") {
                properties.values_mut().for_each(without_null);
            }
            number_range(object);
            describe_variant(object);
            if let Some(Json::String(text)) = object.get_mut("description") {
                *text = unwrapped(text);
            }
            object.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

/// A variant that is a mapping of one key: what is said of the variant is said of the key.
fn describe_variant(object: &mut Map<String, Json>) {
    let about = object.get("description").cloned();
    let Some(Json::Object(properties)) = object.get_mut("properties") else { return };
    if let (Some(about), 1, Some(Json::Object(only))) = (about, properties.len(), properties.values_mut().next()) {
        only.entry("description").or_insert(about);
    }
}

/// A text without the line breaks that it has in the source; those between paragraphs stay.
fn unwrapped(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn without_null(property: &mut Json) {
    let Some(object) = property.as_object_mut() else { return };
    if object.get("default") == Some(&Json::Null) {
        object.shift_remove("default");
    }
    let null = json!({ "type": "null" });
    if let Some(Json::Array(types)) = object.get_mut("type")
        && types.len() == 2
    {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Json::Array(values)) = object.get_mut("enum")
        && values.len() > 1
    {
        values.retain(|value| !value.is_null());
    }
    let Some(Json::Array(branches)) = object.get_mut("anyOf") else { return };
    if branches.len() == 2 && branches.contains(&null) {
        branches.retain(|branch| *branch != null);
        let branch = branches.pop();
        object.shift_remove("anyOf");
        if let Some(Json::Object(branch)) = branch {
            for (keyword, value) in branch {
                object.entry(keyword).or_insert(value);
            }
        }
    }
}

fn number_range(object: &mut Map<String, Json>) {
    let bounds: Option<(i64, i64)> = match object.get("format").and_then(Json::as_str) {
        Some("int8") => Some((i8::MIN.into(), i8::MAX.into())),
        Some("int16") => Some((i16::MIN.into(), i16::MAX.into())),
        Some("int32") => Some((i32::MIN.into(), i32::MAX.into())),
        Some("uint8") => Some((0, u8::MAX.into())),
        Some("uint16") => Some((0, u16::MAX.into())),
        Some("uint32") => Some((0, u32::MAX.into())),
        // No document holds a number beyond 64 bits.
        Some("uint64" | "uint") => Some((0, i64::MAX)),
        Some("int64" | "int" | "float" | "double") => None,
        _ => return,
    };
    object.shift_remove("format");
    if let Some((least, most)) = bounds {
        object.entry("minimum").or_insert_with(|| json!(least));
        if most < i64::MAX {
            object.entry("maximum").or_insert_with(|| json!(most));
        }
    }
}
