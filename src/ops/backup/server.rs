//! What a backup needs to know of its server.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::apply::Interrupt;
use crate::core::{Param, Query, Row, RowError};
use crate::ops::backup::Trouble;
use crate::ops::backup::engine::Engine;
use crate::pg::{PgError, Session};

/// What it is like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// `server_version_num`.
    pub version: u32,
    /// The size of a WAL segment.
    pub segment_bytes: u64,
    /// Whether it runs with an archive command.
    pub archives: bool,
    /// Settings that a server that starts from a copy needs as they are.
    pub settings: BTreeMap<String, String>,
    /// The superuser that the cluster was made with.
    pub superuser: String,
    /// How many relations the connected database has, and a digest of their names.
    pub relations: String,
    /// Its extensions with their versions.
    pub extensions: String,
}

/// What is not as this version knows it.
pub fn unexpected(error: RowError) -> Trouble {
    Trouble::Server(PgError::protocol(format!("the catalog is not as this version knows it: {error}")))
}

/// Asks the server.
///
/// # Errors
/// What it says.
pub fn about(session: &mut Session) -> Result<About, Trouble> {
    let query = Query { sql: include_str!("server.sql").to_owned(), params: Vec::new() };
    let rows = session.query(&query)?;
    let mut about = About {
        version: 0,
        segment_bytes: 0,
        archives: false,
        settings: BTreeMap::new(),
        superuser: String::new(),
        relations: String::new(),
        extensions: String::new(),
    };
    for row in &rows {
        read(row, &mut about).map_err(unexpected)?;
    }
    Ok(about)
}

fn read(row: &Row, about: &mut About) -> Result<(), RowError> {
    let (what, value) = (row.text("what")?, row.maybe_text("value")?.unwrap_or_default());
    match what {
        "version" => about.version = value.parse().unwrap_or(0),
        "segment" => about.segment_bytes = value.parse().unwrap_or(0),
        "archives" => about.archives = value == "true",
        "superuser" => value.clone_into(&mut about.superuser),
        "relations" => value.clone_into(&mut about.relations),
        "extensions" => value.clone_into(&mut about.extensions),
        name => _ = about.settings.insert(name.to_owned(), value.to_owned()),
    }
    Ok(())
}

/// The moment by the server's clock: what is committed later bears a later one.
///
/// # Errors
/// What the server says.
pub fn clock(session: &mut Session) -> Result<Timestamp, Trouble> {
    let sql = r#"SELECT pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.clock_timestamp()),
                                          'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at"#;
    let rows = session.query_text(sql)?;
    let said = rows.first().and_then(|row| row.text("at").ok()?.parse().ok());
    said.ok_or_else(|| Trouble::Server(PgError::protocol("the server's clock tells no moment".to_owned())))
}

/// What the server's archiver says of its last failure, as the end of a sentence.
///
/// # Errors
/// What the server says.
pub fn archiver(session: &mut Session) -> Result<String, Trouble> {
    let sql = "SELECT a.last_failed_wal AS wal FROM pg_catalog.pg_stat_archiver AS a \
               WHERE a.last_failed_time > COALESCE(a.last_archived_time, '-infinity')";
    let rows = session.query(&Query { sql: sql.to_owned(), params: Vec::new() })?;
    let failed = rows.first().and_then(|row| row.maybe_text("wal").ok().flatten().map(str::to_owned));
    // An archive command that cannot even be started ends the archiver, which then counts nothing (seen with 15.18).
    Ok(failed.map_or_else(
        || "; its log says whether it could start its `archive_command`".to_owned(),
        |wal| format!("; archiving {wal} fails, and the server's log says why"),
    ))
}

/// How often is looked whether WAL has come.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// How long WAL may take to come beyond what the policy allows it.
const BEYOND: Duration = Duration::from_secs(60);

/// Marks a moment of the server by a restore point, and waits until its WAL is in the repository. Gives the
/// seconds that it took.
///
/// # Errors
/// What the server says, or that its WAL does not come.
pub fn archived(
    engine: &dyn Engine,
    name: &str,
    max_lag: Duration,
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<f64, Trouble> {
    let params = vec![Param::Text(name.to_owned())];
    let sql = "SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_create_restore_point($1)) AS segment";
    let rows = session.query(&Query { sql: sql.to_owned(), params })?;
    let segment = rows.first().and_then(|row| row.text("segment").ok().map(str::to_owned)).unwrap_or_default();
    let begun = Instant::now();
    session.batch("SELECT pg_catalog.pg_switch_wal()")?;
    while !engine.has_wal(&segment)? {
        if interrupt.is_requested() {
            return Err(Trouble::Interrupted);
        }
        if begun.elapsed() > max_lag + BEYOND {
            let said = archiver(session)?;
            return Err(Trouble::NotWhole(format!("the server has not archived {segment}{said}")));
        }
        tell(&format!("waiting for the server to archive {segment}"));
        thread::sleep(BETWEEN_LOOKS);
    }
    Ok(begun.elapsed().as_secs_f64())
}
