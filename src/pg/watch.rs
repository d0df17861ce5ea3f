//! What a session tells whoever watches it: every round trip, before and after.

use std::time::Duration;

use crate::core::Param;

/// One end of a round trip.
#[derive(Clone, Copy, Debug)]
pub enum Trip<'a> {
    /// A text is about to be sent.
    Sent {
        /// The statement, or several with nothing to fill in.
        sql: &'a str,
        /// What `$1` and so on stand for.
        params: &'a [Param],
    },
    /// It was answered, or refused.
    Ended {
        /// How many rows came; `None` where the server refused or the connection broke.
        rows: Option<usize>,
        /// How long that took, reading the rows included.
        took: Duration,
    },
}

/// Sees every round trip of a session.
pub type Watch = Box<dyn FnMut(Trip<'_>) + Send>;
