//! A document's text, and which lines of it are of which resource.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value as Json;

use crate::import::{Document, LeftOut, Resource};
use crate::load::write;

/// The remark by which a file is known as one that `import` wrote.
pub const MARK: &str = "# Written by chronoform import.";

/// Where in a text the resources of a document stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lines {
    /// The document, by its place among all.
    pub document: usize,
    /// The resource, by its place in the document; `None` for the document's own lines.
    pub resource: Option<usize>,
    /// The lines, counted from 1.
    pub lines: Range<u32>,
}

/// A text in the making.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// The text.
    pub text: String,
    /// What stands where.
    pub lines: Vec<Lines>,
    line: u32,
}

impl Page {
    /// A page that tells editors its schema, and people where it comes from.
    pub fn new(schema: &str) -> Self {
        let mut page = Self { line: 1, ..Self::default() };
        page.add(&format!("# yaml-language-server: $schema=../schemas/{schema}.json\n{MARK}\n"));
        page
    }

    /// Adds remarks on what is left out.
    pub fn remark<'a>(&mut self, left_out: impl IntoIterator<Item = &'a LeftOut>) {
        for left in left_out {
            self.add(&write::comment(&format!("Left out: {}.", left.what)));
        }
    }

    /// Adds a document, behind a `---` where another stands before it. With `joined`, parts that may be one
    /// item are; else each has one of its own.
    pub fn document(&mut self, number: usize, document: &Document, left_out: &[&LeftOut], joined: bool) {
        if !self.lines.is_empty() {
            self.add("---\n");
        }
        self.remark(left_out.iter().copied());
        let start = self.line;
        let name = Json::from(document.name.as_str());
        self.add(&format!("kind: {}\n{}", document.kind, write::entry("name", &name)));
        let whole = document.resources.partition_point(|resource| resource.part.key.is_empty());
        let (whole, sections) = document.resources.split_at_checked(whole).unwrap_or_default();
        self.whole(number, whole);
        let mut list = None;
        for (value, resources) in items(sections, joined) {
            let start = self.line;
            let Some(first) = resources.first().and_then(|at| sections.get(*at)) else { continue };
            if first.repeated {
                if list.replace(first.part.key) != Some(first.part.key) {
                    self.add(&write::list_key(first.part.key));
                }
                self.add(&write::item(&value));
            } else {
                self.add(&write::entry(first.part.key, &value));
            }
            resources.into_iter().for_each(|at| self.mark(number, Some(whole.len() + at), start));
        }
        self.mark(number, None, start);
    }

    /// Adds what is the document itself: what all of its parts have the same, and the mappings in which
    /// each has something of its own.
    fn whole(&mut self, number: usize, parts: &[Resource]) {
        let Some(first) = parts.first() else { return };
        for (key, value) in first.part.value.as_object().into_iter().flatten() {
            let same = parts.iter().all(|other| other.part.value.get(key) == Some(value));
            if same || !value.is_object() {
                let start = self.line;
                self.add(&write::entry(key, value));
                self.mark(number, Some(0), start);
                continue;
            }
            self.add(&write::list_key(key));
            for (at, part) in parts.iter().enumerate() {
                let start = self.line;
                let own = part.part.value.get(key).and_then(Json::as_object).into_iter().flatten();
                own.for_each(|(key, value)| self.add(&write::entry_below(key, value)));
                self.mark(number, Some(at), start);
            }
        }
    }

    fn mark(&mut self, document: usize, resource: Option<usize>, start: u32) {
        self.lines.push(Lines { document, resource, lines: start..self.line });
    }

    fn add(&mut self, text: &str) {
        self.text.push_str(text);
        self.line += u32::try_from(text.matches('\n').count()).unwrap_or(0);
    }

    /// The document and the resource on a line.
    pub fn at(&self, line: u32) -> Option<(usize, Option<usize>)> {
        let found = self.lines.iter().find(|lines| lines.lines.contains(&line))?;
        Some((found.document, found.resource))
    }
}

/// The items and sections of a document, each with the places of its resources among all.
fn items(resources: &[Resource], joined: bool) -> Vec<(Json, Vec<usize>)> {
    let mut items: Vec<(Json, Vec<usize>)> = Vec::new();
    let mut known: BTreeMap<(&str, &str, String), usize> = BTreeMap::new();
    for (at, resource) in resources.iter().enumerate() {
        let part = &resource.part;
        let Some(list) = part.joined.filter(|_| joined) else {
            items.push((part.value.clone(), vec![at]));
            continue;
        };
        let mut rest = part.value.clone();
        let own = rest.as_object_mut().and_then(|rest| rest.shift_remove(list)).unwrap_or_default();
        let place = *known.entry((part.key, list, rest.to_string())).or_insert(items.len());
        match items.get_mut(place) {
            None => items.push((part.value.clone(), vec![at])),
            Some((value, places)) => {
                let all = value.get_mut(list).and_then(Json::as_array_mut);
                all.into_iter().for_each(|all| all.extend(own.as_array().into_iter().flatten().cloned()));
                places.push(at);
            }
        }
    }
    items
}

/// All documents as one text.
pub fn stream(documents: &[Document], left_out: &[LeftOut]) -> String {
    let mut page = Page::new("policy");
    let (placed, rest): (Vec<&LeftOut>, Vec<&LeftOut>) =
        left_out.iter().partition(|left| documents.iter().any(|document| is_of(left, document)));
    page.remark(rest);
    for (number, document) in documents.iter().enumerate() {
        let own: Vec<&LeftOut> = placed.iter().copied().filter(|left| is_of(left, document)).collect();
        page.document(number, document, &own, true);
    }
    page.text
}

/// Whether something that is left out would stand in a document.
pub fn is_of(left: &LeftOut, document: &Document) -> bool {
    match &left.on {
        Some(on) => document.relation.as_ref() == Some(on),
        None => left.document.as_ref().is_some_and(|of| document.kind == of.0 && document.name == of.1),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::import::gather::tests::document;

    fn page(document: &Document, joined: bool) -> Page {
        let mut page = Page::new("policy");
        page.document(0, document, &[], joined);
        page
    }

    #[test]
    fn what_differs_in_one_list_is_one_item() {
        let item = |name: &str, privilege: &str| json!({"privileges": [privilege], "tables": [name]});
        let values =
            [("grants", item("a", "select")), ("grants", item("b", "insert")), ("grants", item("c", "select"))];
        let document = document("role", &values, Some("tables"));
        let joined = page(&document, true);
        let list = "grants:\n  - {privileges: [select], tables: [a, c]}\n  - {privileges: [insert], tables: [b]}\n";
        assert!(joined.text.ends_with(list), "{}", joined.text);
        assert_eq!((joined.at(6), joined.at(7)), (Some((0, Some(0))), Some((0, Some(1)))));
        let apart = page(&document, false);
        assert_eq!(apart.text.matches("  - {").count(), 3, "{}", apart.text);
        assert_eq!(apart.at(8), Some((0, Some(2))));
    }

    #[test]
    fn mappings_of_one_document_are_put_together() {
        let value = |name: &str| json!({"scope": "server", "settings": {name: 1}});
        let two = page(&document("setting", &[("", value("a")), ("", value("b"))], None), true);
        assert!(two.text.ends_with("name: x\nscope: server\nsettings:\n  a: 1\n  b: 1\n"), "{}", two.text);
        assert_eq!((two.at(7), two.at(8)), (Some((0, Some(0))), Some((0, Some(1)))));
        let one = page(&document("setting", &[("", value("a"))], None), true);
        assert!(one.text.ends_with("scope: server\nsettings:\n  a: 1\n"), "{}", one.text);
        assert_eq!(one.at(7), Some((0, Some(0))));
    }
}
