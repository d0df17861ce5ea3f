//! The data path of the archive: rows out of the server into a Parquet file, and back.
//!
//! ```text
//! catalog ─► columns::decide ─► sql::select ─► COPY ─► write::Writer ─► file + Written (the evidence)
//! file ─► read::Archive ─► look (the same evidence) │ preview │ copy_to ─► COPY ─► sql::restore
//! file + manifest ─► verify::verify
//! ```
//!
//! What goes through it is a COPY stream on either side, and a column is its fields as the wire has them.
//! Those are digested on the way in, and digested again from the file: equal digests prove that the file
//! gives back what was read, by way of the whole encoding, whatever the types. A value that Parquet's type
//! cannot hold is never changed: its column is written as text, or the column is refused by name.

pub mod columns;
pub mod copy;
mod decimal;
mod decode;
mod dictionary;
mod encode;
pub mod error;
pub mod evidence;
pub mod export;
mod extent;
pub mod file;
mod inside;
mod leaf;
pub mod manifest;
mod page;
pub mod read;
mod schema;
pub mod sealed;
mod show;
pub mod sql;
pub mod stored;
mod values;
pub mod verify;
mod work;
pub mod write;

pub use columns::{Column, Facts};
pub use error::{ArchiveError, Result};
pub use evidence::Evidence;
pub use file::DataFile;
pub use manifest::Manifest;
pub use read::{Archive, Found};
pub use write::{Options, Writer, Written};

#[cfg(test)]
mod tests;
