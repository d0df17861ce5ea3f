//! The connection parameters that libpq knows: their names, their variables, and whether this
//! program has them.
//!
//! The list is that of PostgreSQL 18's manual ("Parameter Key Words", "Environment Variables").
//! What is not done here is refused by name and never ignored, where ignoring it could make a
//! connection less safe or other than what was asked for.

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Failure, code};

/// What becomes of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Use {
    /// It is honoured.
    Taken,
    /// It asks for nothing that this program could do otherwise.
    Idle,
    /// It is refused; why.
    Refused(&'static str),
}

use Use::{Idle, Refused, Taken};

const OWN_METHODS: &str = "this program authenticates by password, SCRAM or client certificate only";
const NOT_CHECKED: &str = "this program does not check it, and ignoring it would be unsafe";

/// Name, environment variable, and use.
const KNOWN: &[(&str, &str, Use)] = &[
    ("service", "PGSERVICE", Taken),
    ("servicefile", "PGSERVICEFILE", Taken),
    ("host", "PGHOST", Taken),
    ("hostaddr", "PGHOSTADDR", Taken),
    ("port", "PGPORT", Taken),
    ("dbname", "PGDATABASE", Taken),
    ("user", "PGUSER", Taken),
    ("password", "PGPASSWORD", Taken),
    ("passfile", "PGPASSFILE", Taken),
    ("options", "PGOPTIONS", Taken),
    ("application_name", "PGAPPNAME", Taken),
    ("fallback_application_name", "", Taken),
    ("connect_timeout", "PGCONNECT_TIMEOUT", Taken),
    ("tcp_user_timeout", "", Taken),
    ("keepalives", "", Taken),
    ("keepalives_idle", "", Taken),
    ("keepalives_interval", "", Taken),
    ("keepalives_count", "", Taken),
    ("target_session_attrs", "PGTARGETSESSIONATTRS", Taken),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS", Taken),
    ("channel_binding", "PGCHANNELBINDING", Taken),
    ("sslmode", "PGSSLMODE", Taken),
    ("sslnegotiation", "PGSSLNEGOTIATION", Taken),
    ("sslrootcert", "PGSSLROOTCERT", Taken),
    ("sslcert", "PGSSLCERT", Taken),
    ("sslkey", "PGSSLKEY", Taken),
    ("sslcertmode", "PGSSLCERTMODE", Taken),
    ("sslcrl", "PGSSLCRL", Taken),
    ("sslsni", "PGSSLSNI", Taken),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", Taken),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", Taken),
    ("gssencmode", "PGGSSENCMODE", Taken),
    ("client_encoding", "PGCLIENTENCODING", Idle),
    ("sslcompression", "PGSSLCOMPRESSION", Idle),
    ("krbsrvname", "PGKRBSRVNAME", Idle),
    ("gsslib", "PGGSSLIB", Idle),
    ("gssdelegation", "PGGSSDELEGATION", Idle),
    ("min_protocol_version", "PGMINPROTOCOLVERSION", Idle),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION", Idle),
    ("sslcrldir", "PGSSLCRLDIR", Refused("put the lists into one file and name it in `sslcrl`")),
    ("sslpassword", "", Refused("a key file with a passphrase cannot be read; store the key without one, mode 0600")),
    ("sslkeylogfile", "", Refused("this program never writes the keys of a connection to a file")),
    ("requirepeer", "PGREQUIREPEER", Refused(NOT_CHECKED)),
    ("require_auth", "PGREQUIREAUTH", Refused(NOT_CHECKED)),
    ("scram_client_key", "", Refused(OWN_METHODS)),
    ("scram_server_key", "", Refused(OWN_METHODS)),
    ("oauth_issuer", "", Refused(OWN_METHODS)),
    ("oauth_client_id", "", Refused(OWN_METHODS)),
    ("oauth_client_secret", "", Refused(OWN_METHODS)),
    ("oauth_scope", "", Refused(OWN_METHODS)),
    ("replication", "", Refused("a replication session runs no statements")),
];

/// Where a value was said; in order of rank.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// The URL or the `key=value` text.
    Text,
    /// The service file's section of this name.
    Service(String),
    /// An environment variable.
    Variable(&'static str),
}

impl Origin {
    /// The parameter as its author wrote it.
    pub(super) fn name(&self, parameter: &str) -> String {
        match self {
            Self::Text => format!("`{parameter}` in the database URL"),
            Self::Service(service) => format!("`{parameter}` of the service `{service}`"),
            Self::Variable(variable) => (*variable).to_owned(),
        }
    }
}

/// Parameters with their values. It has no `Debug`: one of them is the password.
#[derive(Clone, Default)]
pub(super) struct Parameters(BTreeMap<&'static str, (String, Origin)>);

impl Parameters {
    /// A value, where a not empty one was given. libpq as well takes an empty one as not given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|(value, _)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Says a value, unless it was said by somebody of higher rank.
    pub(super) fn fill(&mut self, name: &'static str, value: &str, origin: Origin) {
        self.0.entry(name).or_insert_with(|| (value.to_owned(), origin));
    }

    /// Says a value again, as the last word of one text.
    pub(super) fn set(&mut self, name: &'static str, value: String) {
        self.0.insert(name, (value, Origin::Text));
    }

    /// The failure that a value is; the value itself is not repeated, unless `why` does.
    pub(super) fn wrong(&self, name: &str, why: &str) -> Failure {
        let written = self.0.get(name).map_or_else(|| format!("`{name}`"), |(_, origin)| origin.name(name));
        let message = format!("{written} cannot be used: {why}");
        Diagnostic::error(&code::BAD_CONFIG, message).help(super::conninfo::HOW_TO_WRITE).into()
    }

    /// A value that is one of a few words.
    ///
    /// # Errors
    /// When it is none of them.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)], default: T) -> Result<T, Failure> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let found = words.iter().find(|(word, _)| *word == value);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.wrong(name, &format!("it is one of {}", all.join(", ")))
        })
    }

    /// A whole number, where one was given.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Failure> {
        let parse = |text: &str| text.trim().parse().map_err(|_| self.wrong(name, "it is no whole number"));
        self.get(name).map(parse).transpose()
    }

    /// Whether what was said can be done at all.
    ///
    /// # Errors
    /// When a parameter is one that this program refuses.
    pub(super) fn check(&self) -> Result<(), Failure> {
        for (name, _, usage) in KNOWN {
            if let (Refused(why), Some(_)) = (usage, self.get(name)) {
                return Err(self.wrong(name, why));
            }
        }
        if matches!(self.get("gssencmode"), Some("require")) {
            return Err(self.wrong("gssencmode", "this program does not speak GSSAPI; use `sslmode=verify-full`"));
        }
        if matches!(self.get("sslcertmode"), Some("require")) {
            return Err(self.wrong("sslcertmode", NOT_CHECKED));
        }
        Ok(())
    }
}

/// The parameter of a name.
pub(super) fn known(name: &str) -> Option<&'static str> {
    KNOWN.iter().map(|(known, ..)| *known).find(|known| *known == name)
}

/// Every parameter that has a variable, with it.
pub(super) fn variables() -> impl Iterator<Item = (&'static str, &'static str)> {
    KNOWN.iter().map(|(name, variable, _)| (*name, *variable)).filter(|(_, variable)| !variable.is_empty())
}

/// What to say of a parameter that is not known.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let elsewhere =
        [("database", "dbname"), ("db", "dbname"), ("username", "user"), ("keepalives_retries", "keepalives_count")];
    if let Some((_, known)) = elsewhere.iter().find(|(theirs, _)| *theirs == name) {
        return Some(known);
    }
    let scored = KNOWN.iter().map(|(known, ..)| (strsim::jaro_winkler(known, name), *known));
    scored.filter(|(score, _)| *score > 0.75).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}
