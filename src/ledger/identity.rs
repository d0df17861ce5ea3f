//! Which database is which: by the cluster's system identifier, the database's name and its OID.

use std::path::Path;

use crate::core::Server;
use crate::diag::{Diagnostic, code};
use crate::ledger::records::{DatabaseId, DatabaseRecord};
use crate::ledger::{Access, Ledger};

/// The option that lets a ledger hold a further database.
pub const ALLOW_NEW_OPTION: &str = "--allow-new-database";

impl Ledger {
    /// The number of the database that a session is connected to. A ledger that is open for writing
    /// and holds no other, or may hold another (`allow_new`), takes it in. One that is open for
    /// reading then answers as an empty ledger would.
    ///
    /// # Errors
    /// `ledger-other-database` where the ledger belongs to others, naming both sides. A database that
    /// was dropped and created again under its name is another one: nothing that was applied to the
    /// first holds for it.
    pub fn database(&mut self, server: &Server, allow_new: bool) -> Result<DatabaseId, Diagnostic> {
        if let Some(known) = self.known(server, allow_new)? {
            return Ok(known);
        }
        if self.access == Access::Read {
            return Ok(DatabaseId::UNKNOWN);
        }
        self.write(|batch| {
            // Another process may have been quicker.
            let known = batch.databases()?;
            match find(&known, server, allow_new, batch.path())? {
                Some(id) => Ok(id),
                None => batch.add_database(server),
            }
        })
    }

    fn known(&self, server: &Server, allow_new: bool) -> Result<Option<DatabaseId>, Diagnostic> {
        find(&self.databases()?, server, allow_new, &self.path)
    }
}

/// The known database that this one is; `None` where it may be taken in.
fn find(
    known: &[DatabaseRecord],
    server: &Server,
    allow_new: bool,
    path: &Path,
) -> Result<Option<DatabaseId>, Diagnostic> {
    let exact = known.iter().find(|record| {
        record.system_identifier == server.system_identifier
            && record.oid == server.database_oid
            && record.name == server.database
    });
    match exact {
        Some(record) => Ok(Some(record.id)),
        None if known.is_empty() || allow_new => Ok(None),
        None => Err(refusal(known, server, path)),
    }
}

fn refusal(known: &[DatabaseRecord], server: &Server, path: &Path) -> Diagnostic {
    let path = path.display();
    let Server { database, host, port, system_identifier, database_oid, .. } = server;
    // The newest of them first: it is the one that is most likely meant.
    let in_cluster = || known.iter().rev().filter(|record| record.system_identifier == *system_identifier);
    let (message, why) = if let Some(former) = in_cluster().find(|record| record.name == *database) {
        let message = format!(
            "`{database}` was dropped and created again: its OID is {database_oid}, and was {} when the ledger {path} \
             recorded what was applied",
            former.oid
        );
        (message, "what was applied to the first database does not hold for the new one")
    } else if let Some(former) = in_cluster().find(|record| record.oid == *database_oid) {
        let message =
            format!("the ledger {path} knows this database as `{}`, and it is named `{database}` now", former.name);
        (message, "a ledger tells databases apart by name: what was applied under the old one would be lost sight of")
    } else {
        let last = known.last().map(ToString::to_string).unwrap_or_default();
        let others = if known.len() > 1 { format!(" and {} more", known.len() - 1) } else { String::new() };
        let message = format!(
            "the ledger {path} belongs to {last}{others}, and this is `{database}` on {host}:{port} \
             (system {system_identifier}, OID {database_oid})"
        );
        (message, "a plan against the wrong database is the mistake that a ledger of its own prevents")
    };
    Diagnostic::error(&code::LEDGER_OTHER_DATABASE, message).why(why).help(format!(
        "check the connection; give this database a ledger of its own with `--ledger FILE`, or let this one hold both \
         with `{ALLOW_NEW_OPTION}`"
    ))
}
