//! Which file a document goes to: one for each relation, one for everything else of a kind. The names
//! are safe on every file system, and no two documents share one.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Fingerprint, QualifiedName};
use crate::import::page::{Page, is_of};
use crate::import::{Document, LeftOut};

/// How long a name may get before it is cut, in bytes; with what is added, under the 255 that file
/// systems take.
const LONGEST: usize = 180;

/// A file to be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Its name, without a folder.
    pub name: String,
    /// What goes into it.
    pub text: String,
    /// The documents in it, by their places among all.
    pub documents: Vec<usize>,
}

/// The files of documents.
pub fn files(documents: &[Document], left_out: &[LeftOut]) -> Vec<File> {
    let mut taken = BTreeSet::new();
    let mut files: Vec<File> = Vec::new();
    let mut shared: BTreeMap<String, usize> = BTreeMap::new();
    for (number, document) in documents.iter().enumerate() {
        let new = files.len();
        let at = match &document.relation {
            Some(_) => new,
            None => *shared.entry(stem(document)).or_insert(new),
        };
        if at == new {
            let name = match &document.relation {
                Some(relation) => of_relation(relation, &mut taken),
                None => of_other(&stem(document), &mut taken),
            };
            files.push(File { name, text: String::new(), documents: Vec::new() });
        }
        if let Some(file) = files.get_mut(at) {
            file.documents.push(number);
        }
    }
    for file in &mut files {
        let own: Vec<(usize, &Document)> =
            file.documents.iter().filter_map(|number| Some((*number, documents.get(*number)?))).collect();
        let kinds: BTreeSet<&str> = own.iter().map(|(_, document)| document.kind).collect();
        let mut page = Page::new(if kinds.len() == 1 { kinds.first().copied().unwrap_or_default() } else { "policy" });
        for (number, document) in own {
            let own: Vec<&LeftOut> = left_out.iter().filter(|left| is_of(left, document)).collect();
            page.document(number, document, &own, true);
        }
        file.text = page.text;
    }
    files
}

/// What the file of a document is called that is about no relation. What may be chosen one by one has
/// a file of its own: to write one anew must not lose the others.
fn stem(document: &Document) -> String {
    let named = document.resources.iter().find_map(|resource| resource.part.file.clone());
    named.unwrap_or_else(|| format!("{}s", document.kind))
}

/// Such names have no dot, and those of relations do.
fn of_other(stem: &str, taken: &mut BTreeSet<String>) -> String {
    let name = safe(stem);
    let exact = name == stem && name.len() <= LONGEST;
    let name = if exact { name } else { format!("{}-{}", clip(&name), digest(stem)) };
    free(name, stem, taken)
}

fn of_relation(relation: &QualifiedName, taken: &mut BTreeSet<String>) -> String {
    let (schema, name) = (safe(&relation.schema), safe(&relation.name));
    let whole = relation.to_string();
    let exact = schema == relation.schema && name == relation.name;
    let mut stem = format!("{schema}.{name}");
    if !exact || stem.len() > LONGEST {
        stem = format!("{}-{}", clip(&stem), digest(&whole));
    }
    free(stem, &whole, taken)
}

/// The name with its ending; where one like it is taken on a file system that does not tell capitals
/// apart, with a digest of what it is for.
fn free(stem: String, whole: &str, taken: &mut BTreeSet<String>) -> String {
    let stem = if taken.contains(&stem.to_lowercase()) { format!("{stem}-{}", digest(whole)) } else { stem };
    taken.insert(stem.to_lowercase());
    format!("{stem}.yaml")
}

/// The text with everything but letters, digits, `_` and inner `-` of ASCII replaced.
fn safe(text: &str) -> String {
    let replaced = |(at, c): (usize, char)| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => c,
        '-' if at > 0 => c,
        _ => '_',
    };
    text.char_indices().map(replaced).collect()
}

fn clip(text: &str) -> &str {
    text.get(..LONGEST.min(text.len())).unwrap_or(text)
}

fn digest(text: &str) -> String {
    const LENGTH: usize = 8;
    let digest = Fingerprint::of(text.as_bytes());
    digest.as_str().trim_start_matches("sha256:").chars().take(LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(relations: &[(&str, &str)]) -> Vec<String> {
        let document = |(schema, name): &(&str, &str)| {
            let relation = QualifiedName::new(*schema, *name);
            Document { kind: "table", name: relation.to_string(), relation: Some(relation), resources: Vec::new() }
        };
        let documents: Vec<Document> = relations.iter().map(document).collect();
        files(&documents, &[]).into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn an_ordinary_table_has_an_ordinary_file() {
        assert_eq!(names(&[("public", "market_data"), ("Odd", "T-1")]), ["public.market_data.yaml", "Odd.T-1.yaml"]);
    }

    #[test]
    fn hostile_names_make_safe_files_each_its_own() {
        let (long, other) = ("x".repeat(63), format!("{}é", "x".repeat(61)));
        let hostile = [
            ("public", "a.b"),
            ("public.a", "b"),
            ("public", "a/b"),
            ("..", "../../etc/passwd"),
            ("-rf", "."),
            ("public", "A"),
            ("public", "a"),
            ("public", "é"),
            ("public", "e\u{301}"),
            ("public", "a\nb"),
            ("public", "con"),
            ("$(x)", "`y`"),
            (long.as_str(), other.as_str()),
            (other.as_str(), long.as_str()),
        ];
        let names = names(&hostile);
        let lower: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(lower.len(), hostile.len(), "{names:?}");
        for name in &names {
            assert!(name.len() <= 200 && !name.starts_with(['.', '-']), "{name}");
            let stem = name.strip_suffix(".yaml").unwrap();
            assert!(stem.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')), "{name}");
            assert!(!name.contains(".."), "{name}");
        }
    }
}
