//! The sections of policy documents: what a kind reads, already checked against its schema.

use schemars::{Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::core::name::check_identifier;
use crate::core::{Desired, Interval, Place, QualifiedName, SqlText};
use crate::diag::{Diagnostic, Places, code};

/// A section that a kind owns in a document.
pub struct Section {
    /// The document's `kind:`.
    pub document: &'static str,
    /// The key in the document; empty where the whole document is the kind's.
    pub key: &'static str,
    /// Whether the section is a list that makes one resource an item.
    pub repeated: bool,
    /// The JSON Schema of the section (of an item, where repeated), made from its raw type.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// The resources that the section makes.
    pub expand: fn(&SectionInput<'_>, &mut Vec<Diagnostic>) -> Vec<Desired>,
}

/// What every document says beside its sections.
#[derive(Clone, Debug)]
pub struct Head {
    /// The document's `kind:`.
    pub document: &'static str,
    /// The name as written.
    pub name: String,
    /// The name as a relation's, for documents about one.
    pub relation: QualifiedName,
    /// `protect: true`.
    pub protect: bool,
    /// `when_missing: skip`.
    pub skip_missing: bool,
    /// `moved: {from: …}`: what the relation was called before.
    pub moved_from: Option<QualifiedName>,
    /// Where the document begins.
    pub place: Place,
}

/// One section (or item of one) to read.
pub struct SectionInput<'a> {
    /// The document's head.
    pub head: &'a Head,
    /// The section's value, which satisfies its schema.
    pub value: &'a Json,
    /// Where everything in the document stands.
    pub places: &'a Places,
    /// The section's JSON pointer in the document.
    pub pointer: &'a str,
}

impl SectionInput<'_> {
    /// The section as its raw type.
    ///
    /// # Errors
    /// When the value does not fit the type although it satisfied the schema: a defect, reported
    /// at the section's place.
    pub fn read<T: DeserializeOwned>(&self, sink: &mut Vec<Diagnostic>) -> Option<T> {
        match serde_json::from_value(self.value.clone()) {
            Ok(raw) => Some(raw),
            Err(error) => {
                sink.push(
                    Diagnostic::error(&code::WRONG_VALUE, format!("this section cannot be read: {error}"))
                        .at(self.place("")),
                );
                None
            }
        }
    }

    /// The keys that are the section's own, where it is the whole document: the rest is the document's head,
    /// or another section's.
    pub fn own(&self, keys: &[&str]) -> Json {
        let entries = self.value.as_object().into_iter().flatten().filter(|(key, _)| keys.contains(&key.as_str()));
        Json::Object(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// Where a value below the section stands; `""` is the section itself.
    pub fn place(&self, below: &str) -> &Place {
        self.places.value(&format!("{}{below}", self.pointer))
    }

    /// Where the key of an entry below the section stands.
    pub fn key_place(&self, below: &str) -> &Place {
        self.places.key(&format!("{}{below}", self.pointer))
    }

    /// A desired resource with the head's marks, at this section's place.
    pub fn desired(&self, address: crate::core::Address, on: Option<QualifiedName>) -> Desired {
        let place = self.places.key(self.pointer).clone();
        let mut desired = Desired::new(address, on, place);
        desired.protect = self.head.protect;
        desired.skip_missing = self.head.skip_missing;
        desired.on_before.clone_from(&self.head.moved_from);
        desired
    }

    /// Sets an attribute together with the place it comes from.
    pub fn set(&self, desired: &mut Desired, attribute: &str, below: &str, value: impl Into<crate::core::Value>) {
        desired.set(attribute, value);
        desired.set_place(attribute.to_owned(), self.place(below).clone());
    }

    /// Reads an interval that must move time forward.
    pub fn interval(&self, text: &str, below: &str, sink: &mut Vec<Diagnostic>) -> Option<Interval> {
        let bad = |message: String| {
            Diagnostic::error(&code::BAD_INTERVAL, message)
                .at(self.place(below))
                .help("write it as PostgreSQL does: `7 days`, `12 hours`, `1 month`, `P7D`")
        };
        match Interval::parse(text) {
            Ok(interval) if interval.is_positive() => Some(interval),
            Ok(_) => {
                sink.push(bad(format!("`{text}` is not longer than nothing")));
                None
            }
            Err(error) => {
                sink.push(bad(error.to_string()));
                None
            }
        }
    }

    /// Reads a plain identifier, such as a column's name.
    pub fn identifier(&self, text: &str, below: &str, sink: &mut Vec<Diagnostic>) -> Option<String> {
        match check_identifier(text) {
            Ok(()) => Some(text.to_owned()),
            Err(error) => {
                sink.push(Diagnostic::error(&code::BAD_NAME, error.to_string()).at(self.place(below)));
                None
            }
        }
    }

    /// Reads a qualified name.
    pub fn name(&self, text: &str, below: &str, sink: &mut Vec<Diagnostic>) -> Option<QualifiedName> {
        match QualifiedName::parse(text) {
            Ok(name) => Some(name),
            Err(error) => {
                sink.push(Diagnostic::error(&code::BAD_NAME, error.to_string()).at(self.place(below)));
                None
            }
        }
    }

    /// Reads an SQL expression.
    pub fn expression(&self, text: &str, below: &str, sink: &mut Vec<Diagnostic>) -> Option<SqlText> {
        match SqlText::new(text) {
            Ok(sql) => Some(sql),
            Err(error) => {
                sink.push(
                    Diagnostic::error(&code::BAD_EXPRESSION, error.to_string())
                        .at(self.place(below))
                        .why("it is placed inside a statement, and must not be able to reach outside its parentheses"),
                );
                None
            }
        }
    }
}
