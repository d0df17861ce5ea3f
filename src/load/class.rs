//! Classes: defaults that are merged into the documents that they match, before those are checked.
//!
//! A document's own keys win. Mappings are merged key by key; any other value is the document's own
//! as a whole. In a section of which every item is a resource (`indexes`), items are told apart by
//! their `name`. An explicit `null` takes nothing from any class. Of two classes that give one
//! document the same key, that with the higher `order` wins; with the same order, they must agree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::SchemaGenerator;
use serde_json::{Map, Value as Json, json};

use crate::core::{Place, QualifiedName, Via};
use crate::diag::source::segment;
use crate::diag::{Diagnostic, code};
use crate::kinds::Section;
use crate::kinds::document::Document;
use crate::kinds::select::Matcher;
use crate::load::compose;
use crate::load::tree::{Converted, scalar_text};

/// The keys of a class that are its own, and no default.
const OWN: [&str; 4] = ["kind", "name", "match", "order"];

/// What stands for the document's own name in the name of an index that a class gives.
const TABLE: &str = "{table}";

/// A class, whose document satisfies its schema.
pub struct Class {
    /// Its name.
    pub name: Arc<str>,
    /// Whether something in it cannot be used.
    pub broken: bool,
    /// Whether it is to be told where it matches nothing.
    pub whole: bool,
    /// Whether any document was matched.
    pub used: bool,
    matcher: Matcher,
    order: i64,
    document: Converted,
}

/// A document that a class may match.
#[derive(Clone)]
pub struct Target {
    /// Its relation.
    pub relation: QualifiedName,
    /// Where its name is written.
    pub place: Place,
    labels: BTreeMap<String, String>,
}

impl Target {
    /// The target that a document of a relation is; `None` where its name is none.
    pub fn of(document: &Converted) -> Option<Self> {
        let relation = QualifiedName::parse(document.json.get("name")?.as_str()?).ok()?;
        let labels = document.json.get("labels").and_then(Json::as_object).into_iter().flatten();
        // A label that is one variable may have been read as a number so far.
        let labels = labels.map(|(key, value)| (key.clone(), scalar_text(value))).collect();
        Some(Self { relation, place: document.places.value("/name").clone(), labels })
    }
}

impl Class {
    /// Reads a class from its document.
    pub fn read(name: &str, document: Converted, broken: bool, whole: bool, sink: &mut Vec<Diagnostic>) -> Self {
        let matcher = document.json.get("match");
        let before = sink.len();
        let matcher = matcher.map(|value| Matcher::read(value, &document.places, "/match", sink)).unwrap_or_default();
        for (section, items) in document.json.as_object().into_iter().flatten() {
            let items = items.as_array().map_or(&[][..], Vec::as_slice);
            for (at, name) in items.iter().enumerate().filter_map(|(at, item)| Some((at, item.get("name")?.as_str()?)))
            {
                if !name.contains(TABLE) {
                    sink.push(fixed_name(name, document.places.value(&format!("{}/{at}/name", segment(section)))));
                }
            }
        }
        Self {
            name: name.into(),
            broken: broken || sink.len() > before,
            whole,
            used: false,
            matcher,
            order: document.json.get("order").and_then(Json::as_i64).unwrap_or_default(),
            document,
        }
    }

    /// Whether it matches a document.
    pub fn matches(&self, target: &Target) -> bool {
        self.matcher.matches(&target.relation, &target.labels)
    }

    /// Its document.
    pub fn document(&self) -> &Converted {
        &self.document
    }

    fn defaults(&self) -> impl Iterator<Item = (&String, &Json)> {
        let entries = self.document.json.as_object().into_iter().flatten();
        entries.filter(|(key, _)| !OWN.contains(&key.as_str()))
    }
}

/// The schema of a `class` document, with every section of the documents that one may match. What
/// a section needs may come from the document, so that nothing in it is required here.
pub fn schema(document: &Document, sections: &[&'static Section], generator: &mut SchemaGenerator) -> Json {
    let mut properties = Map::new();
    properties
        .insert("kind".to_owned(), json!({ "description": "What the document describes.", "const": document.kind }));
    properties.insert(
        "name".to_owned(),
        json!({ "description": "The class's name, as plans and messages have it.", "type": "string", "minLength": 1, "examples": ["trading"] }),
    );
    properties.insert("match".to_owned(), Matcher::schema("documents the defaults are for"));
    properties.insert(
        "order".to_owned(),
        json!({
            "description": "Of two classes that give one document the same key, that with the higher order wins. With the same order they must agree.",
            "type": "integer",
            "default": 0,
        }),
    );
    for (key, value) in compose::marks(true) {
        properties.insert(key, value);
    }
    for section in sections {
        let mut value = compose::section_schema(section, generator);
        if !section.repeated {
            value = compose::resolve(&value, generator);
            if let Some(object) = value.as_object_mut() {
                object.shift_remove("required");
            }
        }
        properties.entry(section.key).or_insert(value);
    }
    json!({
        "title": format!("Chronoform policy: {}", document.kind),
        "description": document.about,
        "type": "object",
        "required": ["kind", "name", "match"],
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Merges classes, all of which match, into a document.
pub fn merge(
    document: &mut Converted,
    target: &Target,
    keys: &dyn Fn(&str) -> bool,
    classes: &mut [&mut Class],
    sink: &mut Vec<Diagnostic>,
) {
    classes.sort_by(|a, b| b.order.cmp(&a.order).then_with(|| a.name.cmp(&b.name)));
    let mut merging = Merging { document, target, given: BTreeMap::new(), closed: BTreeSet::new(), found: Vec::new() };
    for (at, class) in classes.iter().enumerate() {
        for (key, value) in class.defaults().filter(|(key, _)| keys(key)) {
            merging.section(&segment(key), value, class, at);
        }
    }
    for (pointer, here, first) in merging.found {
        let (Some(here), Some(first)) = (classes.get(here), classes.get(first)) else { continue };
        sink.push(conflict(&pointer, here, first, target));
    }
    for class in classes {
        class.used = true;
    }
}

struct Merging<'a> {
    document: &'a mut Converted,
    target: &'a Target,
    /// What came from a class, by pointer, with the class and its order.
    given: BTreeMap<String, (usize, i64)>,
    /// What an explicit `null` keeps out.
    closed: BTreeSet<String>,
    /// Disagreements: the pointer in the class, the class, and the one before.
    found: Vec<(String, usize, usize)>,
}

impl Merging<'_> {
    /// A section that must not be, and one that says how it must be, are never mixed.
    fn section(&mut self, pointer: &str, value: &Json, class: &Class, at: usize) {
        let absent = |value: &Json| value.get("ensure").and_then(Json::as_str) == Some("absent");
        match self.document.json.pointer(pointer) {
            Some(own) if own.is_object() && absent(own) != absent(value) => self.differs(pointer, pointer, class, at),
            _ => self.value(pointer, pointer, value, class, at),
        }
    }

    fn value(&mut self, pointer: &str, there: &str, value: &Json, class: &Class, at: usize) {
        if self.closed.contains(pointer) {
            return;
        }
        let own = self.document.json.pointer(pointer);
        match (own, value) {
            (None, Json::Array(items)) if items.iter().any(|item| item.get("name").is_some()) => {
                self.put(pointer, there, json!([]), class, at);
                self.items(pointer, there, items, class, at);
            }
            (None, _) => self.put(pointer, there, value.clone(), class, at),
            (Some(Json::Null), _) => {
                take(&mut self.document.json, pointer);
                self.closed.insert(pointer.to_owned());
            }
            (Some(Json::Object(_)), Json::Object(entries)) => {
                for (key, value) in entries {
                    let segment = segment(key);
                    self.value(&format!("{pointer}{segment}"), &format!("{there}{segment}"), value, class, at);
                }
            }
            (Some(Json::Array(_)), Json::Array(items)) if items.iter().any(|item| item.get("name").is_some()) => {
                self.items(pointer, there, items, class, at);
            }
            (Some(own), value) if own != value => self.differs(pointer, there, class, at),
            (Some(_), _) => {}
        }
    }

    /// Items that are resources of their own: added where the document has none of the name.
    fn items(&mut self, pointer: &str, there: &str, items: &[Json], class: &Class, at: usize) {
        for (number, item) in items.iter().enumerate() {
            let mut item = item.clone();
            if let Some(Json::String(name)) = item.get_mut("name") {
                *name = name.replace(TABLE, &self.target.relation.name);
            }
            let own = self.document.json.pointer(pointer).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
            let there = format!("{there}/{number}");
            match own.iter().position(|own| own.get("name") == item.get("name")) {
                Some(same) if own.get(same) != Some(&item) => {
                    self.differs(&format!("{pointer}/{same}"), &there, class, at);
                }
                Some(_) => {}
                None => {
                    let new = format!("{pointer}/{}", own.len());
                    self.put(&new, &there, item, class, at);
                }
            }
        }
    }

    /// The document's own value stands; that of another class of the same order contradicts.
    fn differs(&mut self, pointer: &str, there: &str, class: &Class, at: usize) {
        let mut from = pointer;
        loop {
            if let Some((other, order)) = self.given.get(from) {
                if *order == class.order && *other != at {
                    self.found.push((there.to_owned(), at, *other));
                }
                return;
            }
            match from.rsplit_once('/') {
                Some((around, _)) => from = around,
                None => return,
            }
        }
    }

    fn put(&mut self, pointer: &str, there: &str, value: Json, class: &Class, at: usize) {
        let Some((parent, last)) = pointer.rsplit_once('/') else { return };
        match self.document.json.pointer_mut(parent) {
            Some(Json::Object(entries)) => _ = entries.insert(last.replace("~1", "/").replace("~0", "~"), value),
            Some(Json::Array(items)) => items.push(value),
            _ => return,
        }
        let via = Arc::new(Via { class: Arc::clone(&class.name), document: self.target.place.clone() });
        let mark = |place: &Place| Place { via: Some(Arc::clone(&via)), ..place.clone() };
        let from = &class.document;
        self.document.places.graft(pointer, &from.places, there, &mark);
        graft(&mut self.document.other, pointer, &from.other, there);
        self.given.insert(pointer.to_owned(), (at, class.order));
    }
}

/// Whether a pointer is another one or below it.
fn is_within(pointer: &str, outer: &str) -> bool {
    pointer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn graft<T: Clone>(into: &mut BTreeMap<String, T>, pointer: &str, from: &BTreeMap<String, T>, there: &str) {
    let below = from.iter().filter(|(key, _)| is_within(key, there));
    into.extend(
        below.filter_map(|(key, value)| Some((format!("{pointer}{}", key.strip_prefix(there)?), value.clone()))),
    );
}

/// Takes an entry out of a mapping.
fn take(json: &mut Json, pointer: &str) {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return };
    if let Some(Json::Object(entries)) = json.pointer_mut(parent) {
        entries.shift_remove(&last.replace("~1", "/").replace("~0", "~"));
    }
}

fn conflict(pointer: &str, here: &Class, first: &Class, target: &Target) -> Diagnostic {
    let key = pointer.split('/').filter(|part| part.parse::<usize>().is_err() && !part.is_empty());
    let key = key.collect::<Vec<_>>().join(".");
    let message =
        format!("the classes `{}` and `{}` give one document different values for `{key}`", first.name, here.name);
    Diagnostic::error(&code::CLASS_CONFLICT, message)
        .at(here.document.places.key(pointer))
        .and_at(first.document.places.key(pointer), format!("the class `{}` says otherwise", first.name))
        .and_at(&target.place, "this document matches both")
        .help("give the one that is to win a higher `order`, write the key in the document itself, or let them match apart")
}

/// How many documents are named that a class brings into the same trouble.
const NAMED: usize = 3;

/// Says once what a class brings to many documents, naming some of them.
pub fn say_once(found: &mut Vec<Diagnostic>) {
    let plain = |diagnostic: &Diagnostic| {
        let place = diagnostic.place.clone().filter(|place| place.via.is_some())?;
        Some((diagnostic.code.name, diagnostic.message.clone(), Place { via: None, ..place }))
    };
    let mut first: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    let mut kept: Vec<Diagnostic> = Vec::new();
    for diagnostic in found.drain(..) {
        let Some(key) = plain(&diagnostic) else {
            kept.push(diagnostic);
            continue;
        };
        match first.get_mut(&key) {
            None => {
                first.insert(key, (kept.len(), 1));
                kept.push(diagnostic);
            }
            Some((at, count)) => {
                *count += 1;
                if let Some(told) = kept.get_mut(*at).filter(|_| *count <= NAMED) {
                    let new = diagnostic.related.into_iter().filter(|related| !told.related.contains(related));
                    let new: Vec<_> = new.collect();
                    told.related.extend(new);
                }
            }
        }
    }
    for (at, count) in first.into_values().filter(|(_, count)| *count > NAMED) {
        if let Some(told) = kept.get_mut(at) {
            let more = format!("so it is with {} more documents that the class matches", count - NAMED);
            told.why = Some(told.why.take().map_or_else(|| more.clone(), |why| format!("{why}; {more}")));
        }
    }
    *found = kept;
}

/// A class that no document matches.
pub fn matches_nothing(class: &Class) -> Diagnostic {
    Diagnostic::warning(&code::CLASS_MATCHES_NOTHING, format!("no document matches the class `{}`", class.name))
        .at(class.document.places.key("/match"))
        .why("a class gives its defaults to tables that have a document of their own, and to no others")
        .help("check the patterns and labels, or take the class away")
}

fn fixed_name(name: &str, place: &Place) -> Diagnostic {
    Diagnostic::error(&code::WRONG_VALUE, format!("the name `{name}` would be given to more than one table"))
        .at(place)
        .why("names of indexes are unique in their schema")
        .help(format!("let `{TABLE}` stand for the table's name in it, such as `ix_{TABLE}_time`"))
}

#[cfg(test)]
#[path = "class_tests.rs"]
mod tests;
