//! The one room that speaks to the driver: connecting, sessions, and rows without driver types.

mod client;
pub mod config;
mod connect;
mod conninfo;
mod error;
mod files;
mod parameters;
mod place;
mod rows;
mod session;
mod tls;
mod watch;

pub use config::{ConnectOptions, Endpoint};
pub use error::{PgError, PgErrorKind};
pub use session::{Answer, Canceller, Session};
pub use watch::{Trip, Watch};
