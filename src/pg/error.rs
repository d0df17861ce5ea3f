//! What the server or the way to it says when something fails.

use std::fmt;

use crate::diag::{Code, Diagnostic, code};

/// The sort of a failure, as far as anybody needs to act differently on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PgErrorKind {
    /// The connection is gone: whatever was running may or may not have happened.
    Lost,
    /// The server refused the statement; nothing of it happened.
    Server,
    /// The result was not of the expected types.
    Protocol,
}

/// A failed statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PgError {
    /// Its sort.
    pub kind: PgErrorKind,
    /// The SQLSTATE, where the server gave one.
    pub sqlstate: Option<String>,
    /// The server's (or driver's) message.
    pub message: String,
    /// The server's detail.
    pub detail: Option<String>,
    /// The server's hint.
    pub hint: Option<String>,
}

impl PgError {
    /// An unexpected type in a result.
    pub fn protocol(message: impl Into<String>) -> Self {
        Self { kind: PgErrorKind::Protocol, sqlstate: None, message: message.into(), detail: None, hint: None }
    }

    /// Whether the server ended the statement because it waited too long for a lock (55P03).
    pub fn is_lock_timeout(&self) -> bool {
        self.sqlstate.as_deref() == Some("55P03")
    }

    /// Whether the same may well succeed a little later: a lock that others held (55P03), a deadlock
    /// (40P01), a serialization failure (40001), or a chunk that was dropped or changed between being
    /// found and being locked. Of its transaction nothing happened.
    pub fn is_passing(&self) -> bool {
        matches!(self.sqlstate.as_deref(), Some("55P03" | "40P01" | "40001")) || self.is_overtaken()
    }

    /// Whether something that the statement was about to lock is gone or another by then. PostgreSQL has no
    /// SQLSTATE for it but that of internal errors (`relation_open` in `access/common/relation.c`, the
    /// lookups of `utils/cache`, `simple_heap_update` and `simple_heap_delete` in `heapam.c`).
    fn is_overtaken(&self) -> bool {
        const OVERTAKEN: [&str; 4] = [
            "could not open relation with OID",
            "cache lookup failed for relation",
            "tuple concurrently updated",
            "tuple concurrently deleted",
        ];
        self.sqlstate.as_deref() == Some("XX000") && OVERTAKEN.iter().any(|words| self.message.starts_with(words))
    }

    /// Whether PgBouncer refused it because its pool takes single statements only (08P01).
    pub fn is_refused_by_pooler(&self) -> bool {
        self.sqlstate.as_deref() == Some("08P01") && self.message.contains("statement pooling")
    }

    /// Whether it is what a procedure that commits by itself may end with once it is cancelled (2D000): seen of
    /// TimescaleDB 2.28's `refresh_continuous_aggregate`, where the request comes while it cleans up.
    pub fn ends_what_commits_by_itself(&self) -> bool {
        self.sqlstate.as_deref() == Some("2D000")
    }

    /// Whether the statement was cancelled (57014).
    pub fn is_cancelled(&self) -> bool {
        self.sqlstate.as_deref() == Some("57014")
    }

    /// As a diagnostic; `doing` ends the sentence "while …".
    pub fn diagnostic(&self, doing: &str) -> Diagnostic {
        let (code, help) = self.advice();
        let state = self.sqlstate.as_ref().map(|state| format!(" (SQLSTATE {state})")).unwrap_or_default();
        let mut diagnostic = Diagnostic::error(code, format!("while {doing}: {}{state}", self.message));
        if let Some(detail) = &self.detail {
            diagnostic = diagnostic.why(detail.clone());
        }
        match (&self.hint, help) {
            (Some(hint), _) => diagnostic.help(hint.clone()),
            (None, Some(help)) => diagnostic.help(help),
            (None, None) => diagnostic,
        }
    }

    fn advice(&self) -> (&'static Code, Option<&'static str>) {
        if self.kind == PgErrorKind::Lost {
            return (
                &code::CONNECTION_LOST,
                Some("run the command again: it begins by looking at what is really there"),
            );
        }
        match self.sqlstate.as_deref() {
            Some("42501") => (&code::NO_PRIVILEGE, Some("connect as the owner, or grant the role that privilege")),
            Some("25006") => (&code::SERVER_READ_ONLY, Some("connect to the primary, or lift the read-only setting")),
            Some("55P03") => (
                &code::LOCKED,
                Some("another session holds a lock on it: wait for it to end, or look in pg_stat_activity"),
            ),
            Some("53300") => {
                (&code::CONNECT_FAILED, Some("the server has no free connection: wait, or raise max_connections"))
            }
            // PgBouncer's own words, where a pool takes single statements only.
            _ if self.is_refused_by_pooler() => (
                &code::TRANSACTION_POOLING,
                Some("connect to the server itself, or to a pool of PgBouncer with `pool_mode = session`"),
            ),
            _ => (&code::SERVER_ERROR, None),
        }
    }
}

impl fmt::Display for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(state) = &self.sqlstate {
            write!(f, " (SQLSTATE {state})")?;
        }
        Ok(())
    }
}

impl std::error::Error for PgError {}

/// In place of the server's hint to use CASCADE, which would take along what nobody has looked at.
const INSTEAD: &str = "drop first what depends on it: by `ensure: absent` in its own document, or by hand";

impl From<tokio_postgres::Error> for PgError {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(db) = error.as_db_error() {
            let state = db.code().code();
            // Class 57P: the server is going down or the session was terminated.
            let lost = matches!(state, "57P01" | "57P02" | "57P03" | "57P05" | "25P03");
            return Self {
                kind: if lost { PgErrorKind::Lost } else { PgErrorKind::Server },
                sqlstate: Some(state.to_owned()),
                message: db.message().to_owned(),
                detail: db.detail().map(str::to_owned),
                hint: db.hint().map(|hint| if hint.contains("CASCADE") { INSTEAD } else { hint }.to_owned()),
            };
        }
        // Everything that did not come from the server as an error is a broken way to it.
        Self { kind: PgErrorKind::Lost, sqlstate: None, message: chain(&error), detail: None, hint: None }
    }
}

/// An error with its causes, on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(state: &str, message: &str) -> PgError {
        PgError { kind: PgErrorKind::Server, sqlstate: Some(state.to_owned()), ..PgError::protocol(message) }
    }

    #[test]
    fn what_another_session_was_quicker_with_passes_and_an_internal_error_does_not() {
        for message in ["could not open relation with OID 16412", "tuple concurrently deleted"] {
            assert!(error("XX000", message).is_passing(), "{message}");
            assert!(!error("58P01", message).is_passing(), "{message}");
        }
        assert!(error("40P01", "deadlock detected").is_passing());
        assert!(!error("XX000", "invalid memory alloc request size 1073741824").is_passing());
        assert!(!error("XX000", "no chunk: could not open relation with OID 1").is_passing());
    }
}
