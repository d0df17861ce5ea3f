//! Whose rows `chronoform archive` is about, where several databases share a store.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Failure, code};
use crate::ops::archiver::Entry;

/// The database whose rows are meant, where no database is asked: the only one, or the only one that the ledger knows.
pub fn of_known_database(entries: &[(&String, &Entry)], known: &BTreeSet<String>) -> Result<Option<String>, Failure> {
    let all: BTreeSet<&str> = entries.iter().map(|(_, entry)| entry.manifest.database.as_str()).collect();
    let own: Vec<&str> = all.iter().copied().filter(|name| known.contains(*name)).collect();
    match (own.as_slice(), all.len()) {
        ([only], _) => Ok(Some((*only).to_owned())),
        (_, 0 | 1) => Ok(all.first().map(|only| (*only).to_owned())),
        (_, several) => {
            let message = format!("the table is archived from {several} databases, and nobody can tell which is meant");
            let names = Vec::from_iter(all).join(", ");
            Err(Diagnostic::error(&code::WRONG_VALUE, message)
                .why(format!("they are {names}"))
                .help("name the ledger of one of them with --ledger, or its store with --store")
                .into())
        }
    }
}

/// What is of this database, or where there is none of it, of the only other one.
pub fn of_one_database<'a>(all: Vec<&'a Entry>, own: &str) -> Result<Vec<&'a Entry>, Failure> {
    let mut databases: Vec<&str> = all.iter().map(|entry| entry.manifest.database.as_str()).collect();
    databases.sort_unstable();
    databases.dedup();
    let chosen = match databases.as_slice() {
        _ if databases.contains(&own) => own.to_owned(),
        [only] => (*only).to_owned(),
        [] => return Ok(Vec::new()),
        several => {
            let message = format!("the table is archived from {} databases, and none is this one", several.len());
            return Err(Diagnostic::error(&code::WRONG_VALUE, message)
                .why(format!("they are {}", several.join(", ")))
                .help("keep each database's archive in a store of its own, and name that with --store")
                .into());
        }
    };
    Ok(all.into_iter().filter(|entry| entry.manifest.database == chosen).collect())
}
