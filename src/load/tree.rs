//! A document's tree as JSON, with the place of every key and value by JSON pointer.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use serde_json::map::Entry;

use crate::diag::source::segment;
use crate::diag::{Diagnostic, Places, code};
use crate::load::substitute::Substituted;
use crate::load::text::Text;
use crate::load::variables::is_name;
use crate::load::yaml::{Node, Value};

/// A document ready to be validated.
#[derive(Debug)]
pub struct Converted {
    /// Its value.
    pub json: Json,
    /// Where everything in it stands.
    pub places: Places,
    /// The other readings of substituted scalars, by pointer.
    pub other: BTreeMap<String, Json>,
    /// The values that could not be known, by pointer: each was reported already.
    pub unknown: Vec<String>,
}

/// Converts a document. Reports keys that are no text or appear twice, and numbers that are none.
pub fn convert(document: &Node, text: &Text, substituted: &Substituted, sink: &mut Vec<Diagnostic>) -> Converted {
    let places = Places::new(text.place(document.start, document.end));
    let out = Converted { json: Json::Null, places, other: BTreeMap::new(), unknown: Vec::new() };
    let mut conversion = Conversion { text, substituted, sink, out, pointer: String::new() };
    conversion.out.json = conversion.value(document);
    conversion.out
}

/// How long a key may be, in bytes: it is a part of the pointer to every value below it.
const LONGEST_KEY: usize = 1000;

struct Conversion<'a> {
    text: &'a Text,
    substituted: &'a Substituted,
    sink: &'a mut Vec<Diagnostic>,
    out: Converted,
    pointer: String,
}

impl Conversion<'_> {
    fn value(&mut self, node: &Node) -> Json {
        let place = self.text.place(node.start, node.end);
        match &node.value {
            // A value that is not written stands nowhere; its key does.
            Value::Null if node.start == node.end => {}
            _ => self.out.places.add_value(self.pointer.clone(), place),
        }
        match &node.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => self.scalar(node, Json::from(*value)),
            Value::Large(_) => self.too_large(node),
            Value::Float(value) => self.float(node, *value),
            // What the parser makes of a number beyond a double.
            Value::Text(value) if is_infinite(value) && self.is_digits(node) => self.too_large(node),
            Value::Text(value) => self.scalar(node, Json::String(value.clone())),
            Value::List(items) => {
                let each = |(at, item)| self.below(&format!("/{at}"), |this| this.value(item));
                Json::Array(items.iter().enumerate().map(each).collect())
            }
            Value::Map(entries) => self.map(entries),
        }
    }

    fn below<T>(&mut self, segment: &str, then: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push_str(segment);
        let out = then(self);
        self.pointer.truncate(length);
        out
    }

    fn map(&mut self, entries: &[(Node, Node)]) -> Json {
        let mut map = serde_json::Map::new();
        for (key, value) in entries {
            let place = self.text.place(key.start, key.end);
            let Value::Text(name) = &key.value else {
                self.sink.push(no_text_key(key, self.text));
                continue;
            };
            if name.len() > LONGEST_KEY {
                self.sink.push(too_long(&place));
                continue;
            }
            let segment = segment(name);
            match map.entry(name.clone()) {
                Entry::Occupied(_) => {
                    let first = self.out.places.key(&format!("{}{segment}", self.pointer)).clone();
                    self.sink.push(twice(name, &place, &first));
                }
                Entry::Vacant(entry) => {
                    let value = self.below(&segment, |this| {
                        this.out.places.add_key(this.pointer.clone(), place.clone());
                        // Where a value is not written, its key's place is the nearest.
                        if value.start == value.end {
                            this.out.places.add_value(this.pointer.clone(), place);
                        }
                        this.value(value)
                    });
                    entry.insert(value);
                }
            }
        }
        Json::Object(map)
    }

    fn scalar(&mut self, node: &Node, value: Json) -> Json {
        if let Some(other) = self.substituted.other.get(&node.start) {
            self.out.other.insert(self.pointer.clone(), other.clone());
        }
        if self.substituted.unknown.contains(&node.start) {
            self.out.unknown.push(self.pointer.clone());
        }
        value
    }

    fn float(&mut self, node: &Node, value: f64) -> Json {
        if self.is_digits(node) { self.too_large(node) } else { self.scalar(node, number(value)) }
    }

    /// Whether a number is written as a whole one.
    fn is_digits(&self, node: &Node) -> bool {
        let written = self.text.slice(node.start, node.end).trim_start_matches(['-', '+']);
        !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit())
    }

    fn too_large(&mut self, node: &Node) -> Json {
        let place = self.text.place(node.start, node.end);
        self.sink.push(
            Diagnostic::error(&code::WRONG_VALUE, "this number is larger than 64 bits hold")
                .at(&place)
                .help(format!("the largest is {}; put it into quotes where it is meant as text", i64::MAX)),
        );
        self.out.unknown.push(self.pointer.clone());
        Json::Null
    }
}

fn is_infinite(text: &str) -> bool {
    text == ".inf" || text == "-.inf"
}

/// A number as JSON has it: `1.0` and `1e3` are whole numbers, as they are to JSON Schema.
pub fn number(value: f64) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT { Json::from(value as i64) } else { Json::from(value) }
}

/// A scalar as a part of a longer text.
pub fn scalar_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn twice(name: &str, place: &crate::core::Place, first: &crate::core::Place) -> Diagnostic {
    Diagnostic::error(&code::DUPLICATE_KEY, format!("the key `{name}` is written twice"))
        .at(place)
        .label("again here")
        .and_at(first, "first here")
        .why("only one of the two values could hold, and which one would be a guess")
        .help("keep one of them")
}

fn too_long(place: &crate::core::Place) -> Diagnostic {
    let message = format!("this key is longer than {LONGEST_KEY} bytes");
    Diagnostic::error(&code::YAML_BUDGET, message)
        .at(place)
        .help("check where its text ends: no key of a policy is that long")
}

fn no_text_key(key: &Node, text: &Text) -> Diagnostic {
    let written = text.slice(key.start, key.end);
    let what = match &key.value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Int(_) | Value::Large(_) | Value::Float(_) => "a number",
        Value::Text(_) => "text",
        Value::List(_) => "a list",
        Value::Map(_) => "a mapping",
    };
    let diagnostic = Diagnostic::error(&code::WRONG_TYPE, format!("a key is text, and this one is {what}"))
        .at(&text.place(key.start, key.end));
    match &key.value {
        Value::List(_) | Value::Map(_) if written.starts_with('{') => {
            diagnostic.help("`{{ … }}` of a template is no YAML: variables are written `${var.NAME}`")
        }
        Value::List(_) | Value::Map(_) | Value::Null => diagnostic,
        _ => diagnostic.help(format!("put it into quotes: `\"{written}\"`")),
    }
}

/// The entries of a document that must be a mapping of names to scalars.
pub fn scalars(document: &Node, text: &Text, what: &str, sink: &mut Vec<Diagnostic>) -> Vec<(String, Json, usize)> {
    let Value::Map(entries) = &document.value else {
        sink.push(
            Diagnostic::error(&code::WRONG_TYPE, format!("{what} is a mapping of names to values"))
                .at(&text.place(document.start, document.end))
                .help("write a line `NAME: value` for each"),
        );
        return Vec::new();
    };
    let mut found: Vec<(String, Json, usize)> = Vec::new();
    for (key, value) in entries {
        let key_place = text.place(key.start, key.end);
        let Value::Text(name) = &key.value else {
            sink.push(no_text_key(key, text));
            continue;
        };
        let scalar = match &value.value {
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::from(*value),
            Value::Float(value) => number(*value),
            Value::Text(value) => Json::String(value.clone()),
            Value::Large(_) | Value::Null | Value::List(_) | Value::Map(_) => {
                let message = format!("the variable `{name}` must be text, a number or a truth value");
                sink.push(Diagnostic::error(&code::WRONG_TYPE, message).at(&key_place));
                continue;
            }
        };
        if !is_name(name) {
            sink.push(
                Diagnostic::error(&code::WRONG_VALUE, format!("`{name}` is no name for a variable"))
                    .at(&key_place)
                    .help("a name is a letter or `_`, followed by letters, digits, `_` and `-`"),
            );
        } else if let Some((.., first)) = found.iter().find(|(known, ..)| known == name) {
            sink.push(twice(name, &key_place, &text.place(*first, *first + name.len())));
        } else {
            found.push((name.clone(), scalar, value.start));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::yaml;

    fn converted(source: &str) -> (Converted, Vec<Diagnostic>) {
        let text = Text::new("p.yaml".into(), source.into());
        let mut sink = Vec::new();
        let node = yaml::documents(&text, &mut sink).remove(0);
        let converted = convert(&node, &text, &Substituted::default(), &mut sink);
        (converted, sink)
    }

    #[test]
    fn every_value_and_key_has_its_place() {
        let (converted, sink) = converted("a:\n  b/c: [x, {d: 1.0}]\n  e:\n");
        assert_eq!(sink, []);
        assert_eq!(converted.json, serde_json::json!({"a": {"b/c": ["x", {"d": 1}], "e": null}}));
        let at = |pointer: &str| {
            let place = converted.places.value(pointer);
            (place.line, place.column)
        };
        assert_eq!(at("/a/b~1c/1/d"), (2, 16));
        assert_eq!(at("/a/b~1c/0"), (2, 9));
        assert_eq!(at("/a/e"), (3, 3));
        assert_eq!(converted.places.key("/a/b~1c").column, 3);
        assert_eq!(at(""), (1, 1));
    }

    #[test]
    fn keys_are_text_and_unique_and_numbers_fit() {
        assert_eq!(converted(&format!("a: {}\n", "9".repeat(400))).1[0].code.name, "wrong-value");
        let source =
            "a: 1\nb: 99999999999999999999\nc: 9223372036854775808\na: 2\n5: x\ntrue: x\n[1]: x\n~: x\n{{x}}: y\n";
        let (converted, sink) = converted(source);
        let seen: Vec<_> = sink.iter().map(|d| (d.code.name, d.place.as_ref().unwrap().line)).collect();
        let wanted = [
            ("wrong-value", 2),
            ("wrong-value", 3),
            ("duplicate-key", 4),
            ("wrong-type", 5),
            ("wrong-type", 6),
            ("wrong-type", 7),
            ("wrong-type", 8),
            ("wrong-type", 9),
        ];
        assert_eq!(seen, wanted);
        assert_eq!(sink[2].related[0].0.line, 1);
        assert_eq!(converted.json["a"], 1);
    }
}
