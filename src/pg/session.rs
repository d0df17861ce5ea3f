//! A session with a server: pinned settings, one statement at a time, no driver types.

use std::time::{Duration, Instant};

use postgres::{Client, NoTls, SimpleQueryMessage};

use crate::core::{Param, Query, Row};
use crate::diag::{Diagnostic, Failure, code};
use crate::pg::{Endpoint, PgError, Trip, Watch, rows};

/// What every session sets, so that nothing depends on a role's or database's own settings: no
/// name resolves without its schema, and dates and intervals come in one style. Compiling a catalog
/// query takes the server longer than running it, whatever it estimates (1 s against 50 ms, seen on 17).
const SETTINGS: &str = "SET search_path = ''; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; \
    SET IntervalStyle = 'postgres'; SET standard_conforming_strings = on; SET client_min_messages = warning; \
    SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET default_transaction_isolation = 'read committed'; \
    SET lock_timeout = '10s'; SET jit = off; \
    SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings \
     WHERE name IN ('transaction_timeout', 'idle_session_timeout')";

/// A connection to one database.
pub struct Session {
    client: Client,
    endpoint: Endpoint,
    round_trips: u64,
    watch: Option<Watch>,
}

/// Cancels whatever a session is running, from another thread.
#[derive(Clone)]
pub struct Canceller(postgres::CancelToken);

impl Canceller {
    /// Asks the server to cancel; whether it does is told by the statement's own end.
    pub fn cancel(&self) {
        // A cancel request that does not arrive leaves the statement running, which its own end
        // will show: there is nobody to tell here.
        let _ = self.0.cancel_query(NoTls);
    }
}

impl Session {
    /// Connects and pins the session's settings.
    ///
    /// # Errors
    /// When the host is unknown, the port refuses, the login fails or the database does not exist.
    pub fn connect(endpoint: &Endpoint) -> Result<Self, Failure> {
        Self::connect_watched(endpoint, None)
    }

    /// The same, with somebody watching from the first statement on.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub fn connect_watched(endpoint: &Endpoint, watch: Option<Watch>) -> Result<Self, Failure> {
        let client = endpoint.config.connect(NoTls).map_err(|error| refused(endpoint, &error))?;
        let mut session = Self { client, endpoint: endpoint.clone(), round_trips: 0, watch };
        session.batch(SETTINGS).map_err(|error| Failure::from(error.diagnostic("setting up the session")))?;
        Ok(session)
    }

    /// Where it is connected to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How many times a statement was sent and waited for, connecting aside.
    pub fn round_trips(&self) -> u64 {
        self.round_trips
    }

    /// Whether the connection is known to be gone.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Whether the connection still answers.
    pub fn answers(&mut self) -> bool {
        self.client.is_valid(Duration::from_secs(5)).is_ok()
    }

    /// A handle that can cancel this session's statement.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.client.cancel_token())
    }

    /// Runs a catalog query, in one round trip.
    ///
    /// # Errors
    /// The server's refusal, or a lost connection.
    pub fn query(&mut self, query: &Query) -> Result<Vec<Row>, PgError> {
        self.trip(&query.sql, &query.params, |client| {
            let params: Vec<_> = query.params.iter().map(rows::param).collect();
            let found = rows::rows(&client.query_typed(&query.sql, &params)?)?;
            let count = found.len();
            Ok((found, count))
        })
    }

    /// Runs a query without parameters.
    ///
    /// # Errors
    /// The server's refusal, or a lost connection.
    pub fn query_text(&mut self, sql: &str) -> Result<Vec<Row>, PgError> {
        self.query(&Query { sql: sql.to_owned(), params: Vec::new() })
    }

    /// Runs exactly one statement: the extended protocol refuses a second, whatever the text holds.
    ///
    /// # Errors
    /// The server's refusal, or a lost connection.
    pub fn execute(&mut self, sql: &str) -> Result<(), PgError> {
        self.trip(sql, &[], |client| Ok(((), client.query_typed(sql, &[])?.len())))
    }

    /// Runs several statements of our own in one round trip.
    ///
    /// # Errors
    /// The first refusal, or a lost connection.
    pub fn batch(&mut self, sql: &str) -> Result<(), PgError> {
        self.trip(sql, &[], |client| Ok((client.batch_execute(sql)?, 0)))
    }

    /// Runs several statements that each return one text column, in one round trip; gives the rows
    /// of each, in order.
    ///
    /// # Errors
    /// The first refusal, or a lost connection.
    pub fn batch_texts(&mut self, sql: &str) -> Result<Vec<Vec<String>>, PgError> {
        self.trip(sql, &[], |client| {
            let mut results: Vec<Vec<String>> = Vec::new();
            let mut rows: Vec<String> = Vec::new();
            for message in client.simple_query(sql)? {
                match message {
                    SimpleQueryMessage::Row(row) => rows.push(row.try_get(0)?.unwrap_or_default().to_owned()),
                    SimpleQueryMessage::CommandComplete(_) => results.push(std::mem::take(&mut rows)),
                    _ => {}
                }
            }
            let count = results.iter().map(Vec::len).sum();
            Ok((results, count))
        })
    }

    /// Every statement goes through here: counted, and shown to whoever watches. `run` gives its
    /// result and how many rows that has.
    fn trip<T>(
        &mut self,
        sql: &str,
        params: &[Param],
        run: impl FnOnce(&mut Client) -> Result<(T, usize), PgError>,
    ) -> Result<T, PgError> {
        self.round_trips += 1;
        let Some(watch) = &mut self.watch else { return run(&mut self.client).map(|(result, _)| result) };
        watch(Trip::Sent { sql, params });
        let started = Instant::now();
        let result = run(&mut self.client);
        let rows = result.as_ref().ok().map(|(_, rows)| *rows);
        watch(Trip::Ended { rows, took: started.elapsed() });
        result.map(|(result, _)| result)
    }
}

/// Why there is no connection, and what to do.
fn refused(endpoint: &Endpoint, error: &postgres::Error) -> Failure {
    let place = format!("{}:{}", endpoint.host, endpoint.port);
    if let Some(db) = error.as_db_error() {
        let (code, help) = match db.code().code() {
            "28P01" | "28000" => (
                &code::AUTHENTICATION_FAILED,
                "check the user, and the password in PGPASSWORD, ~/.pgpass or the URL; the server's pg_hba.conf may also refuse this host",
            ),
            "3D000" => (&code::CONNECT_FAILED, "check the database's name: `psql -l` lists what the server has"),
            "53300" => (&code::CONNECT_FAILED, "the server has no free connection: wait, or raise max_connections"),
            "57P03" => (&code::CONNECT_FAILED, "the server is starting up or shutting down: try again shortly"),
            _ => (&code::CONNECT_FAILED, "look into the server's log for this moment"),
        };
        let message =
            format!("{place} refused user `{}` on database `{}`: {}", endpoint.user, endpoint.database, db.message());
        return Failure::from(Diagnostic::error(code, message).help(help));
    }
    let cause = super::error::chain(error);
    if cause.contains("password") {
        let message = format!("{place} asks user `{}` for a password, and none was given", endpoint.user);
        let help = "set PGPASSWORD or put it into the URL";
        return Failure::from(Diagnostic::error(&code::AUTHENTICATION_FAILED, message).help(help));
    }
    let help = if cause.contains("lookup") || cause.contains("resolve") {
        "check the host's name"
    } else {
        "check host and port, that the server runs, and that it listens there (`listen_addresses`, firewall)"
    };
    Failure::from(Diagnostic::error(&code::CONNECT_FAILED, format!("cannot connect to {place}: {cause}")).help(help))
}
