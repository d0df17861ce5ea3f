//! What `drift` saw: reports that were recorded, so that a later one can tell what is new.

use std::collections::BTreeMap;

use rusqlite::OptionalExtension;

use crate::core::{Address, KindId};
use crate::diag::Diagnostic;
use crate::ledger::event::{Difference, DriftRecorded, Event};
use crate::ledger::{Batch, DatabaseId, Ledger, Moment, Who};

/// A resource that differed, as a drift report is recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Observed {
    /// Which resource.
    pub address: Address,
    /// How it stood: `drifted`, `missing`, …
    pub status: String,
    /// The digest of the difference.
    pub fingerprint: String,
}

/// A recorded drift report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DriftRecord {
    /// When it was recorded.
    pub at: Moment,
    /// The user and the machine.
    pub who: (String, String),
    /// The digest of each difference that it had.
    pub differences: BTreeMap<Address, String>,
}

impl Batch<'_> {
    /// Records what a drift report had.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record_drift(&mut self, database: DatabaseId, observed: &[Observed]) -> Result<(), Diagnostic> {
        let report = self.next_drift_report()?;
        let differences = observed.iter().map(|observed| Difference {
            resource: (&observed.address).into(),
            status: observed.status.clone(),
            fingerprint: observed.fingerprint.clone(),
        });
        let differences = differences.collect();
        self.append(&Event::DriftRecorded(DriftRecorded { report, database, who: Who::here(), differences }))
    }
}

impl Ledger {
    /// The drift report of a database that was recorded last.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn last_drift(&self, database: DatabaseId) -> Result<Option<DriftRecord>, Diagnostic> {
        self.read(|conn| {
            let last =
                "SELECT id, at, os_user, os_host FROM drift_reports WHERE database_id = ?1 ORDER BY id DESC LIMIT 1";
            let found = conn.query_row(last, [database], |row| {
                Ok((row.get::<_, i64>(0)?, Moment(row.get(1)?), (row.get(2)?, row.get(3)?)))
            });
            let Some((report, at, who)) = found.optional()? else { return Ok(None) };
            let mut query =
                conn.prepare("SELECT kind, schema, name, fingerprint FROM drift_differences WHERE report_id = ?1")?;
            let rows = query.query_map([report], |row| {
                let (kind, schema): (String, String) = (row.get(0)?, row.get(1)?);
                let schema = Some(schema).filter(|schema| !schema.is_empty());
                Ok((Address { kind: KindId::read(&kind), schema, name: row.get(2)? }, row.get(3)?))
            })?;
            Ok(Some(DriftRecord { at, who, differences: rows.collect::<rusqlite::Result<_>>()? }))
        })
    }
}
