//! What there is to look at, where no policy names it: every relation of some schemas that is not the
//! server's own, and everything of the database that a kind knows. With what it finds, [`super::take`]
//! reads as it does for policies.

use std::collections::BTreeSet;

use crate::core::{KindId, Param, QualifiedName, Query, RowError, Server};
use crate::diag::Failure;
use crate::kinds;
use crate::pg::Session;
use crate::snapshot::Names;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The schemas whose relations are wanted; all but the server's own where none is given.
    pub schemas: Vec<String>,
    /// Whether what belongs to the whole database is wanted too.
    pub globals: bool,
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Its names, as a snapshot takes them.
    pub names: Names,
    /// Those of the chosen schemas that exist.
    pub schemas: BTreeSet<String>,
}

/// Finds it, in the transaction that [`super::open`] began: two queries for the relations, and one for
/// each kind that belongs to the whole database.
///
/// # Errors
/// A lost connection, or a catalog that is not as expected.
pub fn discover(session: &mut Session, server: &Server, choice: &Choice) -> Result<Found, Failure> {
    let unexpected = |error: RowError| super::unexpected(&KindId::new("relation"), &error);
    let mut found = Found { names: Names { export: true, ..Names::default() }, ..Found::default() };
    let query = Query {
        sql: include_str!("discover.sql").to_owned(),
        params: vec![Param::texts(choice.schemas.iter().cloned())],
    };
    for row in super::ask(session, &query, "looking for tables")? {
        let schema = row.text("schema").map_err(unexpected)?;
        if let Some(name) = row.maybe_text("name").map_err(unexpected)? {
            found.names.relations.insert(QualifiedName::new(schema, name));
        }
        found.schemas.insert(schema.to_owned());
    }
    if server.timescaledb.is_some() {
        let query = Query { sql: include_str!("discover_internal.sql").to_owned(), params: Vec::new() };
        for row in super::ask(session, &query, "looking for TimescaleDB's own tables")? {
            let name = |column: &str| row.text(column).map_err(unexpected);
            found.names.relations.remove(&QualifiedName::new(name("schema")?, name("name")?));
        }
    }
    for kind in kinds::all().iter().filter(|_| choice.globals) {
        let Some(query) = kind.discover(server) else { continue };
        let rows = super::ask(session, &query, &format!("looking for each {}", kind.title()))?;
        let names: Result<Vec<String>, RowError> = rows.iter().map(|row| Ok(row.text("name")?.to_owned())).collect();
        let names = names.map_err(|error| super::unexpected(&kind.id(), &error))?;
        found.names.globals.insert(kind.id().to_string(), names);
    }
    Ok(found)
}
