//! A document's text, and which lines of it are of which resource.

use std::ops::Range;

use serde_json::Value as Json;

use crate::import::{Document, LeftOut};
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

    /// Adds a document, behind a `---` where another stands before it.
    pub fn document(&mut self, number: usize, document: &Document, left_out: &[&LeftOut]) {
        if !self.lines.is_empty() {
            self.add("---\n");
        }
        self.remark(left_out.iter().copied());
        let start = self.line;
        let name = Json::from(document.name.as_str());
        self.add(&format!("kind: {}\n{}", document.kind, write::entry("name", &name)));
        let mut list = None;
        for (at, resource) in document.resources.iter().enumerate() {
            let start = self.line;
            let part = &resource.part;
            if part.key.is_empty() {
                let entries = part.value.as_object().into_iter().flatten();
                entries.for_each(|(key, value)| self.add(&write::entry(key, value)));
            } else if resource.repeated {
                if list.replace(part.key) != Some(part.key) {
                    self.add(&write::list_key(part.key));
                }
                self.add(&write::item(&part.value));
            } else {
                self.add(&write::entry(part.key, &part.value));
            }
            self.lines.push(Lines { document: number, resource: Some(at), lines: start..self.line });
        }
        self.lines.push(Lines { document: number, resource: None, lines: start..self.line });
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

/// All documents as one text.
pub fn stream(documents: &[Document], left_out: &[LeftOut]) -> String {
    let mut page = Page::new("policy");
    let (placed, rest): (Vec<&LeftOut>, Vec<&LeftOut>) =
        left_out.iter().partition(|left| documents.iter().any(|document| is_of(left, document)));
    page.remark(rest);
    for (number, document) in documents.iter().enumerate() {
        let own: Vec<&LeftOut> = placed.iter().copied().filter(|left| is_of(left, document)).collect();
        page.document(number, document, &own);
    }
    page.text
}

/// Whether something that is left out would stand in a document.
pub fn is_of(left: &LeftOut, document: &Document) -> bool {
    match &left.on {
        Some(on) => document.relation.as_ref() == Some(on),
        None => document.resources.iter().any(|resource| resource.address == left.address),
    }
}
