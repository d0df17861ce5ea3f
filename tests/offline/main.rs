//! The tests that need no database: the program's edges, and files that are made from the code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod edges;
mod generated;
mod in_time;
mod injection;
mod invalid;
mod keys;
mod locks;
mod pages;
mod readme;
mod shipped;
