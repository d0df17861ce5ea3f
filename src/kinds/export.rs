//! A live resource as the part of a policy that would describe it: the way back from what
//! [`Section::expand`](crate::kinds::Section) makes.

use serde_json::{Map, Value as Json};

use crate::core::{Live, QualifiedName, Value};
use crate::kinds::View;

/// What a kind writes for a live resource.
#[derive(Clone, PartialEq, Debug)]
pub enum Export {
    /// The kind does not know how to write its resources.
    Unable,
    /// Nothing needs saying: the resource is as it is without a word.
    Nothing,
    /// No policy can say it, and why.
    LeftOut(String),
    /// A part of a document; several where one cannot say all of it.
    Parts(Vec<Part>),
}

/// A part of a document, as it would be read again.
///
/// Where the kind is the whole document and several resources make one, such as each of its
/// parameters, their parts have the same keys: what is the same in all is written once, and mappings
/// are put together.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// The document's `kind:`.
    pub document: &'static str,
    /// The document's `name:`.
    pub name: String,
    /// The relation that the document is about, where it is about one.
    pub relation: Option<QualifiedName>,
    /// The section's key; empty where the kind is the whole document, whose entries these are then.
    pub key: &'static str,
    /// The section's value, of an item where the section is repeated; keys in the order in which they
    /// are read best. Null where there are only remarks.
    pub value: Json,
    /// The key of a list in the value, where parts that differ in nothing else are written as one item
    /// with all of their lists.
    pub joined: Option<&'static str>,
    /// What its file is called, where that is not one for all documents of its kind.
    pub file: Option<String>,
    /// What more there is that no policy can say, a sentence without a full stop each.
    pub left_out: Vec<String>,
}

impl Part {
    /// A part of a document about something of the database, by its exact name; with an empty key, the
    /// document itself.
    pub fn new(document: &'static str, name: &str, key: &'static str, entries: Entries) -> Self {
        Self {
            document,
            name: name.to_owned(),
            relation: None,
            key,
            value: entries.into_json(),
            joined: None,
            file: None,
            left_out: Vec::new(),
        }
    }
}

impl Export {
    /// A section in the document of the resource's relation.
    pub fn section(live: &Live, view: &View<'_>, key: &'static str, entries: Entries) -> Self {
        let Some(on) = &live.on else { return Self::Unable };
        let part = Part::new(view.document_of(on), &on.to_string(), key, entries);
        Self::Parts(vec![Part { relation: Some(on.clone()), ..part }])
    }

    /// A whole document about something of the database, by its exact name.
    pub fn document(document: &'static str, name: &str, entries: Entries) -> Self {
        Self::Parts(vec![Part::new(document, name, "", entries)])
    }

    /// No part, but remarks in a document about something of the database.
    pub fn remarks(document: &'static str, name: &str, left_out: Vec<String>) -> Self {
        let part = Part::new(document, name, "", Entries::default());
        Self::Parts(vec![Part { value: Json::Null, left_out, ..part }])
    }

    /// The same in a file of this name.
    #[must_use]
    pub fn in_file(mut self, name: &str) -> Self {
        self.parts().iter_mut().for_each(|part| part.file = Some(name.to_owned()));
        self
    }

    /// The same with a remark on what else there is.
    #[must_use]
    pub fn but(mut self, remarks: impl IntoIterator<Item = String>) -> Self {
        if let Some(first) = self.parts().first_mut() {
            first.left_out.extend(remarks);
        }
        self
    }

    fn parts(&mut self) -> &mut [Part] {
        if let Self::Parts(parts) = self { parts } else { &mut [] }
    }
}

/// The entries of a section in order.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Entries(Map<String, Json>);

impl Entries {
    /// Adds an entry.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Adds an entry where there is a value.
    #[must_use]
    pub fn with_some(self, key: &str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Adds an attribute as it is, unless it is nothing.
    #[must_use]
    pub fn with_attribute(self, live: &Live, attribute: &str) -> Self {
        let value = live.get(attribute).filter(|value| **value != Value::Null);
        self.with_some(attribute, value.map(Value::to_json))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a mapping.
    pub fn into_json(self) -> Json {
        Json::Object(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Address, ClosedBy, Server};
    use crate::kinds::{self, Beside, fixture};

    /// The kinds whose resources `import` cannot write yet. A kind that learns it leaves the list; one
    /// that is added and does not know it joins, and is then said at every import.
    const UNABLE: &[&str] = &[];

    #[test]
    fn every_kind_writes_what_it_reads() {
        let world = fixture::World::new("2.23.0", fixture::daily());
        let server = Server { superuser: true, ..world.server.clone() };
        let all = Beside { database: true, server: true, roles: vec!["*".to_owned()] };
        let mut unable = Vec::new();
        for kind in kinds::all() {
            let live = Live::new(Address::in_schema(kind.id(), &fixture::on()), Some(fixture::on()));
            if kind.export(&live, &world.view()) == Export::Unable {
                unable.push(kind.id().to_string());
            }
            // What is not of a relation must be found by name.
            let documents = kind.sections().iter().any(|section| section.key.is_empty());
            let of_database = kinds::document::DOCUMENTS
                .iter()
                .any(|document| !document.relation && kind.sections().iter().any(|s| s.document == document.kind));
            let kept = kind.closed_by() == ClosedBy::Apply;
            if documents && of_database && kept && !unable.contains(&kind.id().to_string()) {
                let found = kind.discover(&server, &all);
                assert!(matches!(found, Ok(Some(_))), "{}: `import` would find none of them", kind.id());
            }
        }
        assert!(
            unable == UNABLE,
            "\n*** THESE KINDS CANNOT WRITE THEIR RESOURCES, AND `import` LEAVES THEM OUT: {unable:?} ***\n\
             give each a `Kind::export`, or name it in {}\n",
            file!()
        );
    }
}
