//! Chronoform: policy-as-code for TimescaleDB and PostgreSQL.

pub mod core;
pub mod diag;
pub mod diff;
pub mod kinds;
pub mod ledger;
pub mod render;
