//! What was written, and what was not.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::import::folder::Folder;
use crate::cli::out;
use crate::import::{self, Document, Gathered, LeftOut};
use crate::report;

/// What there is to say at the end.
#[derive(Debug, Default)]
pub struct Summary {
    /// The database.
    pub database: String,
    /// Whether the server holds one session.
    pub single_session: bool,
    /// The files that were written, each with its documents.
    pub files: Vec<(PathBuf, Vec<usize>)>,
    /// How many relations policies describe already.
    pub described: usize,
    /// How many resources that belong to none they describe.
    pub others_described: usize,
    /// How many roles were not asked for.
    pub other_roles: usize,
    /// How many settings of the whole server were not asked for.
    pub others_of_server: usize,
    /// How many relations have nothing that a policy would say.
    pub silent: usize,
    /// What the project's classes ask of the new documents, which is not so yet.
    pub classes: Vec<LeftOut>,
    /// How many resources were newly recorded, where that was asked for.
    pub adopted: Option<usize>,
    /// How many of those that are written are work that was begun, and that `apply` goes on with.
    pub begun: usize,
}

impl Summary {
    /// The paths of the files.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|(path, _)| path.clone()).collect()
    }

    /// Says it: on standard error where the policies went to standard output.
    pub fn say(&self, gathered: &Gathered, folder: Option<&Folder>, context: &Context) {
        if context.global.format == Format::Json {
            return out::print(&format!("{:#}\n", self.json(gathered, folder.is_some())));
        }
        let mut text = String::new();
        if !context.global.quiet {
            self.listing(gathered, &mut text);
        }
        text.push_str(&self.totals(gathered, folder));
        match folder {
            Some(_) => out::print(&text),
            None => out::eprint(&text),
        }
    }

    fn listing(&self, gathered: &Gathered, text: &mut String) {
        let width = self.files.iter().map(|(path, _)| path.display().to_string().chars().count()).max().unwrap_or(0);
        for (path, documents) in &self.files {
            let path = report::clean(&path.display().to_string()).into_owned();
            let documents = documents.iter().filter_map(|number| gathered.documents.get(*number));
            let what: Vec<String> = documents.map(contents).collect();
            text.push_str(&format!("{path:width$}  {}\n", what.join("; ")));
        }
        if !gathered.left_out.is_empty() {
            text.push_str(if text.is_empty() { "Left out:\n" } else { "\nLeft out:\n" });
        }
        lines(&gathered.left_out, text);
        if !self.classes.is_empty() {
            text.push_str(if text.is_empty() { "Not so yet:\n" } else { "\nNot so yet:\n" });
        }
        lines(&self.classes, text);
        if !text.is_empty() {
            text.push('\n');
        }
    }

    fn totals(&self, gathered: &Gathered, folder: Option<&Folder>) -> String {
        let mut sentences = Vec::new();
        let counted = counted(&gathered.documents);
        let database = report::clean(&self.database);
        match (folder, counted.as_str()) {
            (_, "") => sentences.push(format!("Nothing to write for `{database}`")),
            (Some(folder), counted) => sentences.push(format!(
                "Wrote {counted} of `{database}` to {} in {}",
                report::clean(&folder.path().display().to_string()),
                count(self.files.len(), "file")
            )),
            (None, counted) => sentences.push(format!("Wrote {counted} of `{database}`")),
        }
        match self.described {
            0 => {}
            1 => sentences.push("1 table is described already".to_owned()),
            more => sentences.push(format!("{more} tables are described already")),
        }
        match self.others_described {
            0 => {}
            1 => sentences.push("1 resource of the database or server is described already".to_owned()),
            more => sentences.push(format!("{more} resources of the database or server are described already")),
        }
        match self.silent {
            0 => {}
            1 => sentences.push("1 table or view has nothing to describe".to_owned()),
            more => sentences.push(format!("{more} tables and views have nothing to describe")),
        }
        if !gathered.left_out.is_empty() {
            sentences.push(format!("{} left out", count(gathered.left_out.len(), "thing")));
        }
        match self.adopted {
            Some(0) if self.files.is_empty() => sentences.push(
                "Recorded nothing as managed, since nothing was written: what policies describe already, \
                 `chronoform apply` records"
                    .to_owned(),
            ),
            Some(0) => sentences.push("Recorded nothing as managed: all of it was managed already".to_owned()),
            Some(adopted) => sentences.push(format!("Recorded {} as managed", count(adopted, "resource"))),
            None => {}
        }
        sentences.extend(self.not_asked_for());
        let mut text = format!("{}.\n", sentences.join(". "));
        if let (Some(folder), false) = (folder, self.files.is_empty()) {
            let path = report::clean(&folder.path().display().to_string()).into_owned();
            let rest = self.rest();
            text.push_str(&format!("`chronoform plan {path}` now has {rest}"));
            text.push_str(match self.adopted {
                Some(_) => ".\n",
                None => "; nothing is recorded as managed before `apply`, or with `--adopt`.\n",
            });
        }
        text
    }

    /// What a plan has to do once this is written.
    fn rest(&self) -> String {
        let classes = (!self.classes.is_empty()).then(|| "to do what the classes ask for".to_owned());
        let begun =
            (self.begun > 0).then(|| format!("to go on with what was begun on {}", count(self.begun, "resource")));
        let rest: Vec<String> = classes.into_iter().chain(begun).collect();
        if rest.is_empty() { "nothing to do".to_owned() } else { format!("only {}", rest.join(", and ")) }
    }

    /// What the server has beside the database, and how to get it.
    fn not_asked_for(&self) -> Option<String> {
        let mut there = Vec::new();
        if self.other_roles > 0 {
            there.push(format!("{} (`--role GLOB`)", count(self.other_roles, "role")));
        }
        if self.others_of_server > 0 {
            there.push(format!("{} (`--server-settings`)", count(self.others_of_server, "setting")));
        }
        let verb = if self.other_roles + self.others_of_server == 1 { "was" } else { "were" };
        (!there.is_empty()).then(|| format!("Of the server, {} {verb} not asked for", there.join(" and ")))
    }

    fn json(&self, gathered: &Gathered, has_files: bool) -> Json {
        let file = |(path, documents): &(PathBuf, Vec<usize>)| {
            let documents = documents.iter().filter_map(|number| gathered.documents.get(*number));
            json!({ "path": path.display().to_string(), "documents": documents.map(described).collect::<Vec<_>>() })
        };
        let left = |left: &LeftOut| json!({ "address": left.address, "on": left.on, "what": left.what });
        let mut all = json!({
            "database": self.database,
            "files": self.files.iter().map(file).collect::<Vec<_>>(),
            "left_out": gathered.left_out.iter().map(left).collect::<Vec<_>>(),
            "classes": self.classes.iter().map(left).collect::<Vec<_>>(),
            "described_already": self.described,
            "others_described_already": self.others_described,
            "nothing_to_describe": self.silent,
            "not_asked_for": { "roles": self.other_roles, "server_settings": self.others_of_server },
            "adopted": self.adopted,
        });
        if let (false, Some(all)) = (has_files, all.as_object_mut()) {
            all.insert("documents".to_owned(), gathered.documents.iter().map(described).collect());
            all.insert("text".to_owned(), import::stream(&gathered.documents, &gathered.left_out).into());
        }
        all
    }
}

fn lines(found: &[LeftOut], text: &mut String) {
    for left in found {
        text.push_str(&format!("  {}: {}\n", report::clean(&subject(left)), report::clean(&left.what)));
    }
}

/// What something that is left out is of.
fn subject(left: &LeftOut) -> String {
    match (&left.on, &left.document) {
        (Some(on), _) => on.to_string(),
        (None, Some((kind, name))) => format!("{kind} {name}"),
        (None, None) => left.address.to_string(),
    }
}

/// What a document describes: `hypertable, 2 indexes`, or its own name where it is all by itself.
fn contents(document: &Document) -> String {
    let of_relation = document.relation.is_some();
    let alone = document.resources.iter().any(|resource| resource.part.file.is_some());
    if !of_relation && !alone {
        return report::clean(&document.name).into_owned();
    }
    let mut keys: Vec<(&str, usize)> = Vec::new();
    for resource in &document.resources {
        match keys.last_mut() {
            Some((key, number)) if *key == resource.part.key => *number += 1,
            _ => keys.push((resource.part.key, 1)),
        }
    }
    let one = |(key, number): (&str, usize)| match (key, number) {
        ("", 1) => document.kind.replace('_', " "),
        ("", number) => count(number, &document.kind.replace('_', " ")),
        (key, 1) if of_relation => {
            key.strip_suffix("exes").map_or_else(|| key.to_owned(), |stem| format!("1 {stem}ex"))
        }
        (key, number) if of_relation => format!("{number} {key}"),
        (key, _) => key.replace('_', " "),
    };
    keys.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

fn described(document: &Document) -> Json {
    let resources: Vec<Json> = document.resources.iter().map(|resource| json!(resource.address)).collect();
    json!({ "kind": document.kind, "name": document.name, "resources": resources })
}

/// `1 extension, 12 tables with 30 resources`; nothing where there is nothing.
fn counted(documents: &[Document]) -> String {
    let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for document in documents {
        let (number, resources) = kinds.entry(document.kind).or_default();
        *number += 1;
        let own = document.resources.len();
        *resources += if document.relation.is_some() || own > 1 { own } else { 0 };
    }
    let one = |(kind, (number, resources)): (&str, (usize, usize))| {
        let documents = count(number, &kind.replace('_', " "));
        if resources > 0 { format!("{documents} with {}", count(resources, "resource")) } else { documents }
    };
    kinds.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_is_not_called_nothing_to_do() {
        assert_eq!(Summary::default().rest(), "nothing to do");
        let rest = Summary { begun: 2, ..Summary::default() }.rest();
        assert_eq!(rest, "only to go on with what was begun on 2 resources");
    }
}
