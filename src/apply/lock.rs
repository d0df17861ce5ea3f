//! One writer at a time: a session-level advisory lock, held on the session that does the work.
//!
//! Such a lock belongs to a server's session. Behind a pooler that gives each transaction another
//! one, it would guard nothing; that is looked for before the lock is taken, and whether it is still
//! held before every action.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::core::{Param, Query, Row};
use crate::diag::{Diagnostic, Failure, code};
use crate::pg::{Endpoint, PgError, Session};

/// The advisory lock's key: `chronofm` in ASCII. Advisory locks are per database, so that one key
/// serves every database of a server.
const KEY: i64 = i64::from_be_bytes(*b"chronofm");

/// How often the lock is tried.
const POLL: Duration = Duration::from_millis(250);
/// How long passes between the first two words about who holds it, and at most between two.
const FIRST_SILENCE: Duration = Duration::from_secs(5);
const LONGEST_SILENCE: Duration = Duration::from_secs(300);

/// How often two sessions are compared, and how long the second may take to answer.
const ROUNDS: usize = 4;
const SECOND_SESSION: Duration = Duration::from_secs(3);

const TRY: &str = "SELECT pg_catalog.pg_try_advisory_lock($1) AS locked";
const RELEASE: &str = "SELECT pg_catalog.pg_advisory_unlock($1) AS unlocked";

/// Who holds the lock, from `pg_locks`: a bigint key is stored in two halves. Who may not see other
/// roles' sessions gets nulls for most of it.
const HOLDER: &str = "SELECT a.usename::text AS role, nullif(a.application_name, '') AS application, a.pid, \
       pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"') AS since, \
       CASE WHEN a.client_addr IS NOT NULL THEN pg_catalog.host(a.client_addr) \
            WHEN a.backend_start IS NOT NULL THEN 'the server''s own machine' END AS place \
  FROM pg_catalog.pg_locks AS l \
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid \
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) \
   AND (l.classid::bigint << 32) + l.objid::bigint = $1";

/// Whether this session holds the lock.
const HELD: &str = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_locks AS l \
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid = pg_catalog.pg_backend_pid() \
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) \
   AND (l.classid::bigint << 32) + l.objid::bigint = $1) AS held";

/// The server's session that a statement runs in.
const BACKEND: &str = "SELECT pg_catalog.format('%s %s', a.pid, a.backend_start) AS backend \
  FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = pg_catalog.pg_backend_pid()";

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
/// is, at once and then ever more rarely. A server that holds a `single_session` has no pooler before it.
///
/// # Errors
/// When somebody else holds it for longer, naming them; when a pooler gives each transaction another
/// session; or a lost connection.
pub fn lock<'a>(
    session: &'a mut Session,
    single_session: bool,
    patience: Duration,
    waiting: &mut dyn FnMut(&str),
) -> Result<Locked<'a>, Failure> {
    if !single_session {
        refuse_shared_sessions(session)?;
    }
    session.pin().map_err(|error| error.diagnostic("setting up the session"))?;
    let started = Instant::now();
    let mut telling = Telling::default();
    loop {
        let rows = session.query(&keyed(TRY)).map_err(|error| error.diagnostic("taking the database's lock"))?;
        if rows.first().is_some_and(|row| row.bool("locked") == Ok(true)) {
            return Ok(Locked { session });
        }
        let over = started.elapsed() >= patience;
        if over || telling.is_due(started.elapsed()) {
            let holder = holder(session);
            if over {
                let message = format!("another apply works on this database: {holder}");
                let help = "wait for it to end, or give --lock-timeout a longer time";
                return Err(Diagnostic::error(&code::LOCKED, message).help(help).into());
            }
            waiting(&holder);
        }
        std::thread::sleep(POLL.min(patience.saturating_sub(started.elapsed())));
    }
}

/// When it is time to say again that somebody waits: twice as long after each time.
#[derive(Default)]
struct Telling {
    next: Duration,
    silence: Duration,
}

impl Telling {
    fn is_due(&mut self, waited: Duration) -> bool {
        if waited < self.next {
            return false;
        }
        self.silence = (self.silence * 2).clamp(FIRST_SILENCE, LONGEST_SILENCE);
        self.next = waited + self.silence;
        true
    }
}

/// Whether the session still holds the lock.
///
/// # Errors
/// When it does not, which only a pooler can bring about, or a lost connection.
pub(super) fn check_held(session: &mut Session) -> Result<(), Failure> {
    let rows = session.query(&keyed(HELD)).map_err(|error| error.diagnostic("looking after the database's lock"))?;
    if rows.first().is_some_and(|row| row.bool("held") == Ok(true)) {
        return Ok(());
    }
    Err(shared("this session no longer has the database's lock, because it is another one now").into())
}

fn holder(session: &mut Session) -> String {
    let rows = session.query(&keyed(HOLDER)).unwrap_or_default();
    rows.first().map_or_else(|| "a session that cannot be seen".to_owned(), described)
}

/// A holder in words; no text of a query, since that may hold anything.
fn described(row: &Row) -> String {
    let text = |column: &str| row.maybe_text(column).ok().flatten();
    let mut words = vec![format!("role `{}`", text("role").unwrap_or("unknown"))];
    words.extend(text("application").map(|application| format!("application `{application}`")));
    words.extend(row.int("pid").ok().map(|pid| format!("pid {pid}")));
    words.extend(text("since").map(|since| format!("connected since {since}")));
    words.extend(text("place").map(|place| format!("from {place}")));
    words.join(", ")
}

fn shared(what: &str) -> Diagnostic {
    Diagnostic::error(
        &code::TRANSACTION_POOLING,
        format!("the connection goes through a pooler that shares sessions: {what}"),
    )
    .why("the lock that keeps two applies apart, and every setting of a session, would be another client's")
    .help("connect to the server itself, or to a pool of PgBouncer with `pool_mode = session`")
}

/// Looks for a pooler that gives each transaction another session of the server. Two sessions of
/// ours that turn out to be one prove it, and so does one that turns into another. Where many
/// sessions are idle in the pool it can go unseen, and where no second session is to be had it
/// does: that is why the lock is looked after during the run.
fn refuse_shared_sessions(session: &mut Session) -> Result<(), Failure> {
    let (ask, asked) = channel();
    let (answer, answers) = channel();
    let endpoint = session.endpoint().clone();
    // A second session may be kept waiting by a pool that is full: its thread is left to that.
    std::thread::spawn(move || second_session(&endpoint, &asked, &answer));
    let mut first = None;
    for _ in 0..ROUNDS {
        let own = backend(session).map_err(|error| error.diagnostic("looking for a pooler"))?;
        let asked = ask.send(()).is_ok();
        let Some(other) = asked.then(|| answers.recv_timeout(SECOND_SESSION).ok()).flatten() else { return Ok(()) };
        if own.is_some() && own == other {
            return Err(shared("two connections were given the same session").into());
        }
        if first.get_or_insert_with(|| own.clone()) != &own {
            return Err(shared("one connection was given two sessions").into());
        }
    }
    Ok(())
}

fn second_session(endpoint: &Endpoint, asked: &Receiver<()>, answer: &Sender<Option<String>>) {
    let Ok(mut session) = Session::connect(endpoint) else { return };
    while asked.recv().is_ok() {
        let Ok(backend) = backend(&mut session) else { return };
        if answer.send(backend).is_err() {
            return;
        }
    }
}

fn backend(session: &mut Session) -> Result<Option<String>, PgError> {
    let rows = session.query_text(BACKEND)?;
    Ok(rows.first().and_then(|row| row.maybe_text("backend").ok().flatten().map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_somebody_waits_is_said_at_once_and_then_ever_more_rarely() {
        let mut telling = Telling::default();
        let told: Vec<u64> = (0..4000).filter(|second| telling.is_due(Duration::from_secs(*second))).collect();
        assert_eq!(
            told,
            [0, 5, 15, 35, 75, 155, 315, 615, 915, 1215, 1515, 1815, 2115, 2415, 2715, 3015, 3315, 3615, 3915]
        );
    }
}
