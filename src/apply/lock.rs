//! One writer at a time: a session-level advisory lock, held on the session that does the work.

use std::time::{Duration, Instant};

use crate::core::{Param, Query};
use crate::diag::{Diagnostic, Failure, code};
use crate::pg::Session;

/// The advisory lock's key: `chronofm` in ASCII. Advisory locks are per database, so that one key
/// serves every database of a server.
const KEY: i64 = i64::from_be_bytes(*b"chronofm");

const TRY: &str = "SELECT pg_catalog.pg_try_advisory_lock($1) AS locked";
const RELEASE: &str = "SELECT pg_catalog.pg_advisory_unlock($1) AS unlocked";

/// Who holds the lock, from `pg_locks`: a bigint key is stored in two halves.
const HOLDER: &str = "SELECT pg_catalog.format('%s%s (pid %s, since %s)', a.usename, \
       CASE WHEN a.client_addr IS NULL THEN '' ELSE '@' || pg_catalog.host(a.client_addr) END, \
       a.pid, pg_catalog.to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')) AS holder \
  FROM pg_catalog.pg_locks AS l \
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid \
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) \
   AND (l.classid::bigint << 32) + l.objid::bigint = $1";

/// The session with the lock. Dropping it releases the lock.
pub struct Locked<'a> {
    session: &'a mut Session,
}

impl Locked<'_> {
    /// The session that holds the lock.
    pub fn session(&mut self) -> &mut Session {
        self.session
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // With a broken connection there is nothing to release: the server has done so.
        let _ = self.session.query(&keyed(RELEASE));
    }
}

fn keyed(sql: &str) -> Query {
    Query { sql: sql.to_owned(), params: vec![Param::Int(KEY)] }
}

/// Takes the lock, waiting for another holder at most as long as said; `waiting` is told who that
/// is, once a second.
///
/// # Errors
/// When somebody else holds it for longer, naming them; or a lost connection.
pub fn lock<'a>(
    session: &'a mut Session,
    patience: Duration,
    waiting: &mut dyn FnMut(&str),
) -> Result<Locked<'a>, Failure> {
    let started = Instant::now();
    loop {
        let rows = session.query(&keyed(TRY)).map_err(|error| error.diagnostic("taking the database's lock"))?;
        if rows.first().is_some_and(|row| row.bool("locked") == Ok(true)) {
            return Ok(Locked { session });
        }
        let holder = holder(session);
        if started.elapsed() >= patience {
            let message = format!("another apply works on this database: {holder}");
            let help = "wait for it to end, or give --lock-timeout a longer time";
            return Err(Diagnostic::error(&code::LOCKED, message).help(help).into());
        }
        waiting(&holder);
        std::thread::sleep(Duration::from_secs(1).min(patience.saturating_sub(started.elapsed())));
    }
}

fn holder(session: &mut Session) -> String {
    let rows = session.query(&keyed(HOLDER)).unwrap_or_default();
    let named = rows.first().and_then(|row| row.text("holder").ok().map(str::to_owned));
    named.unwrap_or_else(|| "a session that cannot be seen".to_owned())
}
