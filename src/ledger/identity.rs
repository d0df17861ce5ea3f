//! Which database is which: by the cluster's system identifier, the database's name and its OID.

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

fn find(
    known: &[DatabaseRecord],
    server: &Server,
    allow_new: bool,
    path: &std::path::Path,
) -> Result<Option<DatabaseId>, Diagnostic> {
    let same_cluster = |record: &&DatabaseRecord| record.system_identifier == server.system_identifier;
    let same_oid = |record: &&DatabaseRecord| record.oid == server.database_oid;
    let same_name = |record: &&DatabaseRecord| record.name == server.database;
    let in_cluster: Vec<&DatabaseRecord> = known.iter().filter(same_cluster).collect();
    let exact = in_cluster.iter().find(|record| same_oid(record) && same_name(record));
    if let Some(record) = exact {
        return Ok(Some(record.id));
    }
    let Some(last) = known.last() else { return Ok(None) };
    if allow_new {
        return Ok(None);
    }
    let this = format!(
        "`{}` on {}:{} (system {}, OID {})",
        server.database, server.host, server.port, server.system_identifier, server.database_oid
    );
    let before = in_cluster.iter().rev();
    let diagnostic = if let Some(former) = before.clone().find(|record| same_name(record)) {
        let message = format!(
            "`{}` was dropped and created again: its OID is {}, and was {} when the ledger {} recorded what was applied",
            server.database,
            server.database_oid,
            former.oid,
            path.display()
        );
        Diagnostic::error(&code::LEDGER_OTHER_DATABASE, message)
            .why("what was applied to the first database does not hold for the new one")
    } else if let Some(former) = before.clone().find(|record| same_oid(record)) {
        let message = format!(
            "the ledger {} knows this database as `{}`, and it is named `{}` now",
            path.display(),
            former.name,
            server.database
        );
        Diagnostic::error(&code::LEDGER_OTHER_DATABASE, message).why(
            "a ledger tells databases apart by name, so that what was applied under the old one would be lost sight of",
        )
    } else {
        let others = if known.len() > 1 { format!(" and {} more", known.len() - 1) } else { String::new() };
        let message = format!("the ledger {} belongs to {last}{others}, and this is {this}", path.display());
        Diagnostic::error(&code::LEDGER_OTHER_DATABASE, message)
            .why("a plan against the wrong database is the mistake that a ledger of its own prevents")
    };
    Err(diagnostic.help(format!(
        "check the connection; give this database a ledger of its own with `--ledger FILE`, or let this one hold both \
         with `{ALLOW_NEW_OPTION}`"
    )))
}
