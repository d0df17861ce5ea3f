//! Policies for what is live: every resource written back by its own kind, put together to
//! documents, and proved by reading them and comparing the result with what they were written from.

mod gather;
mod names;
mod page;
mod prove;

pub use gather::{Document, Gathered, LeftOut, Resource, gather};
pub use names::{File, files};
pub use page::{MARK, is_of, stream};
pub use prove::{Base, prove};
