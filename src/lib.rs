//! Chronoform: policy-as-code for TimescaleDB and PostgreSQL.

pub mod apply;
pub mod core;
pub mod diag;
pub mod diff;
pub mod kinds;
pub mod pg;
pub mod plan;
pub mod render;
pub mod snapshot;
