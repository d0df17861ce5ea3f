//! Which database is which: by the cluster's system identifier, the database's name and its OID.

use std::path::Path;

use crate::core::Server;
use crate::diag::{Diagnostic, code};
use crate::ledger::records::{DatabaseId, DatabaseRecord};
use crate::ledger::{Access, Ledger};

/// The option that lets a ledger hold a further database.
pub const ALLOW_NEW_OPTION: &str = "--allow-new-database";

/// Which databases a ledger may take in, beside those that it knows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Admission {
    /// Its first, and no other.
    #[default]
    First,
    /// A target's own: the ledger remembers which database a target's name stood for, and refuses
    /// another one under that name.
    Target(String),
    /// Any.
    Any,
}

impl Ledger {
    /// The number of the database that a session is connected to. A ledger that is open for writing
    /// and holds no other, or may hold this one as well, takes it in. One that is open for
    /// reading then answers as an empty ledger would.
    ///
    /// # Errors
    /// `ledger-other-database` where the ledger belongs to others, naming both sides. A database that
    /// was dropped and created again under its name is another one: nothing that was applied to the
    /// first holds for it.
    pub fn database(&mut self, server: &Server, admission: &Admission) -> Result<DatabaseId, Diagnostic> {
        if let Some(known) = self.known(server, admission)? {
            return Ok(known);
        }
        if self.access == Access::Read {
            return Ok(DatabaseId::UNKNOWN);
        }
        self.write(|batch| {
            // Another process may have been quicker.
            let known = batch.databases()?;
            match find(&known, server, admission, batch.path())? {
                Some(id) => Ok(id),
                None => batch.add_database(server, admission),
            }
        })
    }

    fn known(&self, server: &Server, admission: &Admission) -> Result<Option<DatabaseId>, Diagnostic> {
        find(&self.databases()?, server, admission, &self.path)
    }
}

/// The known database that this one is; `None` where it may be taken in.
fn find(
    known: &[DatabaseRecord],
    server: &Server,
    admission: &Admission,
    path: &Path,
) -> Result<Option<DatabaseId>, Diagnostic> {
    let exact = known.iter().find(|record| {
        record.system_identifier == server.system_identifier
            && record.oid == server.database_oid
            && record.name == server.database
    });
    match exact {
        Some(record) => Ok(Some(record.id)),
        None if known.is_empty() => Ok(None),
        None => match admission {
            Admission::Any => Ok(None),
            Admission::First => Err(refusal(known, server, path)),
            Admission::Target(target) => match known.iter().rev().find(|record| record.target.as_ref() == Some(target))
            {
                Some(record) => Err(other_target(target, record, server, path)),
                // What looks like a known database that was made anew or renamed is no new target.
                None if known.iter().any(|record| is_like(record, server)) => Err(refusal(known, server, path)),
                None => Ok(None),
            },
        },
    }
}

/// Whether a database has the name or the OID of a known one in the same cluster.
fn is_like(record: &DatabaseRecord, server: &Server) -> bool {
    record.system_identifier == server.system_identifier
        && (record.name == server.database || record.oid == server.database_oid)
}

fn other_target(target: &str, record: &DatabaseRecord, server: &Server, path: &Path) -> Diagnostic {
    let Server { database, host, port, system_identifier, database_oid, .. } = server;
    let message = format!(
        "the ledger {} knows the target `{target}` as {record}, and it is `{database}` on {host}:{port} \
         (system {system_identifier}, OID {database_oid}) now",
        path.display()
    );
    Diagnostic::error(&code::LEDGER_OTHER_DATABASE, message)
        .why("what was applied to the one does not hold for the other")
        .help(format!(
            "check the target's URL in `chronoform.yaml`; if the target has moved for good, let the ledger hold both \
             with `{ALLOW_NEW_OPTION}`"
        ))
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
