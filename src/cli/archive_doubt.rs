//! What is said of copies in archives that count, where nobody can tell whether they should.

use std::collections::BTreeSet;

use crate::cli::archive::Looked;
use crate::diag::{Diagnostic, Failure, code};
use crate::kinds::archive_store::{BESIDE, DOUBTED};
use crate::ops::archiver::{self, Entry};

impl Looked {
    /// What is said of those of some copies that may have been archived again, where nobody can look.
    pub(super) fn about_doubted<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Option<Diagnostic> {
        if self.doubted.is_empty() {
            return None;
        }
        let meant: BTreeSet<String> = entries.map(Entry::file).collect();
        let doubted = Vec::from_iter(self.doubted.iter().filter(|(file, _)| meant.contains(file)));
        let (first, _) = doubted.first()?;
        let places: BTreeSet<&str> = doubted.iter().map(|(_, place)| place.as_str()).collect();
        let more = doubted.len() - 1;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let places = Vec::from_iter(places).join(", ");
        let message = format!("{first}{more} may have been archived again later, in {places}, where nobody has looked");
        let found = Diagnostic::warning(&DOUBTED, message)
            .why("by the ledger, the same time was archived there later, and what a copy stands in for it alone tells")
            .help(
                "let an `archive_store` of the policies be at that place, and its disk be mounted; or name with --store the one \
                 whose rows are meant, as they are there",
            );
        Some(found)
    }
}

/// What is said of copies of one chunk of which none stands in for another.
pub fn about_beside<'a>(entries: impl Iterator<Item = &'a Entry>) -> Option<Diagnostic> {
    let counting = entries.filter(|entry| !entry.superseded && entry.manifest.rows > 0);
    let found = archiver::beside_each_other(counting);
    let first = found.first()?;
    let table = first.first().map(|entry| entry.manifest.relation.to_string()).unwrap_or_default();
    let files = Vec::from_iter(first.iter().map(|entry| entry.file())).join(", ");
    let more = found.len() - 1;
    let more = if more > 0 { format!("; and so for {more} more") } else { String::new() };
    let message = format!("of {table}, these count beside each other, and may have the same rows: {files}{more}");
    let told = Diagnostic::warning(&BESIDE, message)
        .why(
            "they are of chunks of one name and one time, and none says that it stands in for another: the database numbered \
             its chunks anew, as one does that was made from a dump, or a chunk had lost its mark",
        )
        .help(
            "compare them: `archive restore --into` brings them into another table, and `--leave-out` with the name of one of \
             the files leaves that out, as it does in `archive query`",
        );
    Some(told)
}

/// Whether somebody means a file.
pub fn is_named(file: &str, name: &str) -> bool {
    file == name || file.rsplit_once('/').is_some_and(|(_, own)| own == name)
}

/// Without the copies whose files are named. That of a manifest that cannot be read may be named as well, and is left out
/// in any case.
///
/// # Errors
/// When a name is none of theirs.
pub fn left_out<'a, T>(
    mut entries: Vec<T>,
    looked: &Looked,
    names: &[String],
    of: impl Fn(&T) -> &'a Entry,
) -> Result<Vec<T>, Failure> {
    for name in names {
        let before = entries.len();
        entries.retain(|entry| !is_named(&of(entry).file(), name));
        let mut damaged = looked.stores.iter().flat_map(|(_, contents)| &contents.damaged);
        if entries.len() == before && !damaged.any(|damaged| is_named(&damaged.shown, name)) {
            let message = format!("`{name}` is no file that would count here");
            let help = "`chronoform archive list --format json` has the name of each as its `file`";
            return Err(Diagnostic::error(&code::WRONG_VALUE, message).help(help).into());
        }
    }
    Ok(entries)
}
