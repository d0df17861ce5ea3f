//! A session with a server: settings to pin, one statement at a time, no driver types.

use std::io::Write;
use std::time::{Duration, Instant};

use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::core::{Param, Query, Row};
use crate::diag::Failure;
use crate::pg::client::{Client, cancel};
use crate::pg::connect::{self, Connected};
use crate::pg::tls::Connector;
use crate::pg::{Endpoint, PgError, Trip, Watch, rows};

/// What is set, so that nothing depends on a role's or database's own settings: no name resolves
/// without its schema, and dates and intervals come in one style. Compiling a catalog query takes the
/// server longer than running it, whatever it estimates (1 s against 50 ms, seen on 17).
const SETTINGS: [(&str, &str); 11] = [
    ("search_path", "''"),
    ("TimeZone", "'UTC'"),
    ("DateStyle", "'ISO, YMD'"),
    ("IntervalStyle", "'postgres'"),
    ("standard_conforming_strings", "on"),
    ("client_min_messages", "warning"),
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("default_transaction_isolation", "'read committed'"),
    ("lock_timeout", "'10s'"),
    ("jit", "off"),
];

/// The statements that set it all, for a session or for a transaction.
fn settings(local: bool) -> String {
    let set = if local { "SET LOCAL" } else { "SET" };
    let each = SETTINGS.iter().map(|(name, value)| format!("{set} {name} = {value}; "));
    // Not every version has these.
    let newer = format!(
        "SELECT pg_catalog.set_config(name, '0', {local}) FROM pg_catalog.pg_settings \
          WHERE name IN ('transaction_timeout', 'idle_session_timeout')"
    );
    each.chain([newer]).collect()
}

/// A connection to one database.
pub struct Session {
    client: Client,
    endpoint: Endpoint,
    connector: Option<Connector>,
    round_trips: u64,
    watch: Option<Watch>,
}

/// What the server has answered, as it came.
#[derive(Default)]
pub struct Answer(Vec<tokio_postgres::Row>);

impl Answer {
    /// Its rows.
    ///
    /// # Errors
    /// A value of a type that catalog queries do not return.
    pub fn rows(self) -> Result<Vec<Row>, PgError> {
        rows::rows(&self.0)
    }
}

/// Cancels whatever a session is running, from another thread.
#[derive(Clone)]
pub struct Canceller {
    token: tokio_postgres::CancelToken,
    connector: Option<Connector>,
}

impl Canceller {
    /// Asks the server to cancel; whether it does is told by the statement's own end.
    pub fn cancel(&self) {
        match &self.connector {
            Some(connector) => cancel(&self.token, connector.make()),
            None => cancel(&self.token, NoTls),
        }
    }
}

impl Session {
    /// Connects, and sets nothing: behind a pooler, the session may be another client's next.
    ///
    /// # Errors
    /// When no host can be reached or is as it must be, its certificate cannot be trusted, the login
    /// fails or the database does not exist.
    pub fn connect(endpoint: &Endpoint) -> Result<Self, Failure> {
        Self::connect_watched(endpoint, None)
    }

    /// The same, with somebody watching from the first statement on.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub fn connect_watched(endpoint: &Endpoint, watch: Option<Watch>) -> Result<Self, Failure> {
        let Connected { client, endpoint, connector } = connect::connect(endpoint)?;
        Ok(Self { client, endpoint, connector, round_trips: 0, watch })
    }

    /// Pins the session's settings, for as long as it lasts. Only for a session that is one's own.
    ///
    /// # Errors
    /// The server's refusal, or a lost connection.
    pub fn pin(&mut self) -> Result<(), PgError> {
        self.batch(&settings(false))
    }

    /// Begins a transaction with the settings pinned until its end; `begin` is its first statement,
    /// and `then` what comes after the settings, all in one round trip.
    ///
    /// # Errors
    /// The server's refusal, or a lost connection.
    pub fn begin_pinned(&mut self, begin: &str, then: &str) -> Result<(), PgError> {
        self.batch(&format!("{begin}; {}; {then}", settings(true)))
    }

    /// Where it is connected to: of several hosts, the one that it is at.
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
        self.client.answers(Duration::from_secs(5))
    }

    /// A handle that can cancel this session's statement.
    pub fn canceller(&self) -> Canceller {
        Canceller { token: self.client.cancel_token(), connector: self.connector.clone() }
    }

    /// Runs a catalog query, in one round trip.
    ///
    /// # Errors
    /// The server's refusal, or a lost connection.
    pub fn query(&mut self, query: &Query) -> Result<Vec<Row>, PgError> {
        self.ask(query)?.rows()
    }

    /// The same, for rows that are read later, or elsewhere.
    ///
    /// # Errors
    /// The server's refusal, or a lost connection.
    pub fn ask(&mut self, query: &Query) -> Result<Answer, PgError> {
        self.trip(&query.sql, &query.params, |client| {
            let params: Vec<_> = query.params.iter().map(rows::param).collect();
            let found = client.query_typed(&query.sql, &params)?;
            let count = found.len();
            Ok((Answer(found), count))
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

    /// Runs exactly one statement, and gives how many rows it has changed.
    ///
    /// # Errors
    /// The server's refusal, or a lost connection.
    pub fn execute_counted(&mut self, sql: &str) -> Result<u64, PgError> {
        self.trip(sql, &[], |client| Ok((client.execute(sql)?, 0)))
    }

    /// Runs a `COPY … TO STDOUT`, and gives its bytes in pieces as they arrive. Where `take` fails the
    /// rest is not looked at; the session can be used again, once the server has sent it.
    ///
    /// # Errors
    /// The server's refusal, or a lost connection. Within: what `take` has failed with.
    pub fn copy_out<E>(
        &mut self,
        sql: &str,
        take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Result<(), E>, PgError> {
        self.trip(sql, &[], |client| Ok((client.copy_out(sql, take)?, 0)))
    }

    /// Runs a `COPY … FROM STDIN` with the bytes that `give` writes, and gives how many rows it has
    /// added. Where `give` fails, nothing is added.
    ///
    /// # Errors
    /// The server's refusal, or a lost connection. Within: what `give` has failed with.
    pub fn copy_in<E>(
        &mut self,
        sql: &str,
        give: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<Result<u64, E>, PgError> {
        self.trip(sql, &[], |client| Ok((client.copy_in(sql, give)?, 0)))
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
