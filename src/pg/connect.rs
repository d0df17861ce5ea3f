//! Getting a connection: host by host, with and without TLS, until one is as it must be.
//!
//! Which failures go on to the next host is libpq's choice: one that cannot be reached, does not
//! answer in time, is starting up or is not of the wanted sort. A server that refuses the user, or
//! that cannot be trusted, ends the search.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

use crate::diag::{Code, Diagnostic, Failure, code};
use crate::pg::client::{Client, ConnectError};
use crate::pg::config::{Endpoint, Wanted};
use crate::pg::place::Place;
use crate::pg::tls::{self, Connector, Mode};

/// What the server says about itself, for `target_session_attrs`.
const SORT: &str = "SELECT pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('transaction_read_only') = 'on', \
     pg_catalog.pg_is_in_recovery()";

/// A connection, and where it is.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) endpoint: Endpoint,
    /// Speaks TLS to the same server again, to cancel; nothing where the connection has none.
    pub(super) connector: Option<Connector>,
}

/// Why there is no connection with one place.
struct Refusal {
    diagnostic: Box<Diagnostic>,
    /// Whether another host may do better.
    goes_on: bool,
    /// Whether the same host may do better with TLS, or without.
    other_way: bool,
}

/// Connects to the first place that does.
pub(super) fn connect(endpoint: &Endpoint) -> Result<Connected, Failure> {
    let mut places: Vec<&Place> = endpoint.places.iter().collect();
    if endpoint.shuffled {
        let random = RandomState::new();
        places.sort_by_cached_key(|place| {
            let mut hasher = random.build_hasher();
            hasher.write(place.name().as_bytes());
            hasher.write_u16(place.port);
            hasher.finish()
        });
    }
    let passes: &[Wanted] = match endpoint.wanted {
        Wanted::PreferStandby => &[Wanted::Standby, Wanted::Any],
        ref one => std::slice::from_ref(one),
    };
    let mut refusals: Vec<Diagnostic> = Vec::new();
    for wanted in passes {
        refusals.clear();
        for place in &places {
            match at(endpoint, place, *wanted) {
                Ok(connected) => return Ok(connected),
                Err(refusal) => {
                    refusals.push(*refusal.diagnostic);
                    if !refusal.goes_on {
                        return Err(summed_up(refusals));
                    }
                }
            }
        }
    }
    Err(summed_up(refusals))
}

/// One failure of several hosts: what each said, and the advice for the last.
fn summed_up(mut refusals: Vec<Diagnostic>) -> Failure {
    let Some(last) = refusals.pop() else {
        return Diagnostic::error(&code::INTERNAL, "there is no host to connect to").into();
    };
    let before: Vec<&str> = refusals.iter().map(|refusal| refusal.message.as_str()).collect();
    if before.is_empty() {
        return last.into();
    }
    let why = format!("and before that: {}", before.join("\n"));
    let why = last.why.as_ref().map_or(why.clone(), |own| format!("{own}\n{why}"));
    last.why(why).into()
}

/// Every way to one place that the mode allows.
fn at(endpoint: &Endpoint, place: &Place, wanted: Wanted) -> Result<Connected, Refusal> {
    let ways: &[bool] = match endpoint.tls.mode {
        _ if place.is_socket() => &[false],
        Mode::Disable => &[false],
        Mode::Allow => &[false, true],
        Mode::Prefer => &[true, false],
        Mode::Require | Mode::VerifyCa | Mode::VerifyFull => &[true],
    };
    let mut first: Option<Refusal> = None;
    for encrypted in ways {
        match one_way(endpoint, place, wanted, *encrypted) {
            Ok(connected) => return Ok(connected),
            Err(refusal) if refusal.other_way => first = Some(first.unwrap_or(refusal)),
            Err(refusal) => return Err(refusal),
        }
    }
    Err(first.unwrap_or_else(|| Refusal {
        diagnostic: Box::new(Diagnostic::error(&code::INTERNAL, "there is no way to connect")),
        goes_on: false,
        other_way: false,
    }))
}

fn one_way(endpoint: &Endpoint, place: &Place, wanted: Wanted, encrypted: bool) -> Result<Connected, Refusal> {
    let mut config = place.configured(&endpoint.config);
    let connector = if encrypted { Some(connector(endpoint)?) } else { None };
    config.ssl_mode(match (encrypted, endpoint.tls.mode) {
        (false, _) => SslMode::Disable,
        // A server without TLS goes on without, on the same connection.
        (true, Mode::Prefer) => SslMode::Prefer,
        (true, _) => SslMode::Require,
    });
    config.ssl_negotiation(endpoint.tls.negotiation);
    let ended = timed(&config, connector.as_ref());
    let mut client = match ended {
        Ok(Ok(client)) => client,
        Ok(Err(ConnectError::Driver(error))) => return Err(refused(endpoint, place, &error)),
        Ok(Err(ConnectError::System(error))) => {
            let message = format!("this machine has no means left to connect with: {error}");
            return Err(Refusal {
                diagnostic: Box::new(Diagnostic::error(&code::CONNECT_FAILED, message)),
                goes_on: false,
                other_way: false,
            });
        }
        Err(after) => {
            let message = format!("{}:{} did not answer within {} s", place.shown(), place.port, after.as_secs());
            let help =
                "check host and port, and whether a firewall is between; `connect_timeout` says how long to wait";
            return Err(Refusal {
                diagnostic: Box::new(Diagnostic::error(&code::CONNECT_FAILED, message).help(help)),
                goes_on: true,
                other_way: false,
            });
        }
    };
    check(&mut client, place, wanted)?;
    Ok(Connected { client, endpoint: endpoint.at(place), connector })
}

fn connector(endpoint: &Endpoint) -> Result<Connector, Refusal> {
    endpoint.tls.connector().map_err(|mut failure| Refusal {
        diagnostic: Box::new(
            failure.0.pop().unwrap_or_else(|| Diagnostic::error(&code::INTERNAL, "TLS cannot be set up")),
        ),
        goes_on: false,
        other_way: false,
    })
}

/// Connects within the timeout. The driver's own counts the socket only: a server that takes the
/// connection and then says nothing would be waited for without end.
fn timed(config: &Config, connector: Option<&Connector>) -> Result<Result<Client, ConnectError>, Duration> {
    let (config, connector) = (config.clone(), connector.cloned());
    let limit = config.get_connect_timeout().copied();
    let (told, heard) = channel();
    std::thread::spawn(move || {
        let connected = match connector {
            Some(connector) => Client::connect(&config, connector.make()),
            None => Client::connect(&config, NoTls),
        };
        // Nobody listens any more where the time was up: the connection ends with this thread.
        let _ = told.send(connected);
    });
    // The driver may try several addresses of one name, each within its own time.
    let limit = limit.map(|limit| limit.saturating_mul(2));
    let heard = match limit {
        Some(limit) => heard.recv_timeout(limit),
        None => heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    heard.map_err(|_| limit.unwrap_or_default())
}

/// Whether the server is of the wanted sort.
fn check(client: &mut Client, place: &Place, wanted: Wanted) -> Result<(), Refusal> {
    if wanted == Wanted::Any {
        return Ok(());
    }
    let refusal = |why: &str| Refusal {
        diagnostic: Box::new(
            Diagnostic::error(&code::CONNECT_FAILED, format!("{}:{} {why}", place.shown(), place.port))
                .help("list the other hosts in `host`, or ask for another `target_session_attrs`"),
        ),
        goes_on: true,
        other_way: false,
    };
    let told = client.simple_query(SORT).map_err(|_| refusal("does not say whether it can be written to"))?;
    let row = told.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((row.get(0) == Some("t"), row.get(1) == Some("t"))),
        _ => None,
    });
    let Some((read_only, standby)) = row else { return Err(refusal("does not say whether it can be written to")) };
    match wanted {
        Wanted::ReadWrite if read_only => {
            Err(refusal("can only be read, and `target_session_attrs=read-write` was asked for"))
        }
        Wanted::ReadOnly if !read_only => {
            Err(refusal("can be written to, and `target_session_attrs=read-only` was asked for"))
        }
        Wanted::Primary if standby => Err(refusal("is a standby, and `target_session_attrs=primary` was asked for")),
        Wanted::Standby if !standby => Err(refusal("is no standby, and `target_session_attrs=standby` was asked for")),
        _ => Ok(()),
    }
}

/// Why there is no connection, and what to do.
fn refused(endpoint: &Endpoint, place: &Place, error: &tokio_postgres::Error) -> Refusal {
    let at = format!("{}:{}", place.shown(), place.port);
    let refusal = |code: &'static Code, message: String, help: &str, goes_on: bool, other_way: bool| Refusal {
        diagnostic: Box::new(Diagnostic::error(code, message).help(help)),
        goes_on,
        other_way,
    };
    if let Some(db) = error.as_db_error() {
        let (code, help) = said_by_server(db.code().code(), db.message(), endpoint);
        let message =
            format!("{at} refused user `{}` on database `{}`: {}", endpoint.user, endpoint.database, db.message());
        let state = db.code().code();
        // 28000 is what pg_hba.conf says where it has no line for a connection of this sort.
        return refusal(code, message, help, state == "57P03", state == "28000");
    }
    if let Some((why, help)) = tls::explain(error, &endpoint.tls) {
        return refusal(&code::TLS_FAILED, format!("no TLS connection with {at}: {why}"), &help, false, true);
    }
    let cause = super::error::chain(error);
    if cause.contains("channel binding") {
        let message = format!(
            "{at} does not bind the password to the TLS connection, and `channel_binding=require` was asked for"
        );
        let help = "the server's user needs a SCRAM password, pg_hba.conf `scram-sha-256`, and the connection TLS; \
                    else ask for `channel_binding=prefer`";
        return refusal(&code::AUTHENTICATION_FAILED, message, help, false, false);
    }
    if cause.contains("password missing") {
        let message = format!("{at} asks user `{}` for a password, and none was given", endpoint.user);
        let help = "set PGPASSWORD, or put a line into ~/.pgpass (mode 0600)";
        return refusal(&code::AUTHENTICATION_FAILED, message, help, false, false);
    }
    if cause.contains("authentication error") {
        let message =
            format!("{at} and this program do not agree on how to authenticate user `{}`: {cause}", endpoint.user);
        let help = "the server must ask for a password (SCRAM or md5), a client certificate, or trust";
        return refusal(&code::AUTHENTICATION_FAILED, message, help, false, false);
    }
    let help = if cause.contains("lookup") || cause.contains("resolve") {
        "check the host's name"
    } else if place.is_socket() {
        "check that the server runs and has its socket in that folder (`unix_socket_directories`), and the port"
    } else {
        "check host and port, that the server runs, and that it listens there (`listen_addresses`, firewall)"
    };
    refusal(&code::CONNECT_FAILED, format!("cannot connect to {at}: {cause}"), help, true, false)
}

fn said_by_server(state: &str, message: &str, endpoint: &Endpoint) -> (&'static Code, &'static str) {
    match state {
        "28000" if message.contains("client certificate") => (
            &code::AUTHENTICATION_FAILED,
            "show a client certificate that the server's `ssl_ca_file` vouches for: `sslcert` and `sslkey`",
        ),
        "28000" if message.contains("certificate authentication failed") => (
            &code::AUTHENTICATION_FAILED,
            "the client certificate's common name must be the user, or pg_ident.conf must map it",
        ),
        "28000" if message.contains("no encryption") && endpoint.tls.mode == Mode::Disable => {
            (&code::AUTHENTICATION_FAILED, "the server may want TLS: ask for `sslmode=verify-full` (or `require`)")
        }
        "28P01" | "28000" => (
            &code::AUTHENTICATION_FAILED,
            "check the user, and the password in PGPASSWORD, ~/.pgpass or the URL; the server's pg_hba.conf may also refuse this host",
        ),
        "3D000" => (&code::CONNECT_FAILED, "check the database's name: `psql -l` lists what the server has"),
        "53300" => (&code::CONNECT_FAILED, "the server has no free connection: wait, or raise max_connections"),
        "57P03" => (&code::CONNECT_FAILED, "the server is starting up or shutting down: try again shortly"),
        _ => (&code::CONNECT_FAILED, "look into the server's log for this moment"),
    }
}
