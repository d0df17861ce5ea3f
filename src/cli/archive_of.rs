//! Whose rows `chronoform archive` is about, where several databases share a store.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Failure, code};
use crate::kinds::archive::OTHER_DATABASE;
use crate::ops::archiver::Entry;

/// The database whose rows are meant, where no database is asked: the one that is `wanted`, the only one, or the only one
/// that the ledger knows.
pub fn of_known_database(
    entries: &[(&String, &Entry)],
    known: &BTreeSet<String>,
    wanted: Option<&str>,
) -> Result<Option<String>, Failure> {
    if let Some(wanted) = wanted {
        return Ok(Some(wanted.to_owned()));
    }
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
                .help("name one of them with --database, or the ledger of one with --ledger")
                .into())
        }
    }
}

/// What is of the `wanted` database; otherwise of this one, or where there is none of it, of the only other one. What is
/// left out is told: a database that was renamed, or that was made anew from a dump, is another one by its name.
pub fn of_one_database<'a>(
    all: Vec<&'a Entry>,
    own: &str,
    wanted: Option<&str>,
    sink: &mut Vec<Diagnostic>,
) -> Result<Vec<&'a Entry>, Failure> {
    let mut databases: Vec<&str> = all.iter().map(|entry| entry.manifest.database.as_str()).collect();
    databases.sort_unstable();
    databases.dedup();
    let chosen = match databases.as_slice() {
        _ if wanted.is_some() => wanted.unwrap_or_default().to_owned(),
        _ if databases.contains(&own) => own.to_owned(),
        [only] => (*only).to_owned(),
        [] => return Ok(Vec::new()),
        several => {
            let message = format!("the table is archived from {} databases, and none is this one", several.len());
            return Err(Diagnostic::error(&code::WRONG_VALUE, message)
                .why(format!("they are {}", several.join(", ")))
                .help("name one of them with --database")
                .into());
        }
    };
    let others: Vec<&str> = databases.into_iter().filter(|other| *other != chosen).collect();
    let (found, left): (Vec<&Entry>, Vec<&Entry>) =
        all.into_iter().partition(|entry| entry.manifest.database == chosen);
    if wanted.is_none() && !left.is_empty() {
        let files = if left.len() == 1 { "1 file".to_owned() } else { format!("{} files", left.len()) };
        let message =
            format!("{files} of a table of this name from another database, {}, are left out", others.join(", "));
        sink.push(
            Diagnostic::warning(&OTHER_DATABASE, message)
                .why(
                    "a database that was renamed, upgraded to another cluster, or made anew from a dump is another one",
                )
                .help("`--database` with its name brings those back"),
        );
    }
    Ok(found)
}
