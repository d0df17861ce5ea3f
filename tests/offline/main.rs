//! The tests that need no database: the program's edges, and files that are made from the code.

mod edges;
mod invalid;
mod readme;
