//! What there is to look at, where no policy names it: every relation of some schemas that is not the
//! server's own, and what a kind knows that belongs to no relation. With what it finds, [`super::take`]
//! reads as it does for policies.

use std::collections::BTreeSet;

use crate::core::{Address, KindId, Live, Param, QualifiedName, Query, RowError, Server};
use crate::diag::Failure;
use crate::kinds::{self, Beside, Discovered, Owner};
use crate::pg::Session;
use crate::snapshot::Names;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The schemas whose relations are wanted; all but the server's own where none is given.
    pub schemas: Vec<String>,
    /// What is wanted beside relations.
    pub beside: Beside,
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Its names, as a snapshot takes them.
    pub names: Names,
    /// Those of the chosen schemas that exist.
    pub schemas: BTreeSet<String>,
    /// Every role that was come upon, chosen or not, but the server's own.
    pub roles: BTreeSet<String>,
    /// The roles among them that are not chosen.
    pub other_roles: BTreeSet<String>,
    /// How many resources are the whole server's, and not chosen.
    pub others_of_server: usize,
    /// What is chosen of what has a container in place of a schema.
    contained: BTreeSet<Address>,
}

impl Found {
    /// Whether a live resource is one of those that were looked for. To observe some of a kind may bring
    /// others of it.
    pub fn asks_for(&self, live: &Live) -> bool {
        live.on.is_some() || live.address.schema.is_none() || self.contained.contains(&live.address)
    }

    fn add(&mut self, kind: KindId, found: Discovered, beside: &Beside) {
        let is_taken = beside.takes(&found.owner);
        match found.owner {
            Owner::Role(name) => {
                // The server's own are nobody's to ask for.
                if !is_taken && !name.starts_with("pg_") {
                    self.other_roles.insert(name.clone());
                }
                self.roles.insert(name);
            }
            Owner::Server if !is_taken => self.others_of_server += 1,
            Owner::Server | Owner::Database | Owner::Everybody => {}
        }
        if is_taken {
            let address = Address { kind, schema: found.container, name: found.name };
            self.names.add(&address, None);
            if address.schema.is_some() {
                self.contained.insert(address);
            }
        }
    }
}

/// Finds it, in the transaction that [`super::open`] began: two queries for the relations, and one for
/// each kind of which there is something beside them.
///
/// # Errors
/// A lost connection, a catalog that is not as expected, or something that is asked for and that the
/// session's role may not see.
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
    for kind in kinds::all().iter().filter(|_| !choice.beside.is_nothing()) {
        let Some(query) = kind.discover(server, &choice.beside)? else { continue };
        let rows = super::ask(session, &query, &format!("looking for each {}", kind.title()))?;
        for one in kind.discovered(&rows).map_err(|error| super::unexpected(&kind.id(), &error))? {
            found.add(kind.id(), one, &choice.beside);
        }
    }
    Ok(found)
}
