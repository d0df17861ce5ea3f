//! The vocabulary every other room speaks: names, values, resources, deltas, actions.
//!
//! Nothing here knows of YAML, of a driver, of SQLite or of any kind by name. It imports no other
//! room, so that each of them can be tested with plain values.

pub mod action;
pub mod address;
pub mod bytes;
pub mod catalog;
pub mod caught;
pub mod delta;
pub mod fingerprint;
pub mod glob;
pub mod interval;
pub mod json_text;
pub mod name;
pub mod operation;
pub mod place;
pub mod resource;
pub mod select;
pub mod server;
pub mod sql_text;
pub mod stack;
pub mod task;
pub mod value;

pub use action::{
    Action, Alike, AttributeChange, FromClass, Hazard, Impact, InPart, Lock, LockMode, Lost, Op, SourceLine, Step,
    Taken,
};
pub use address::{Address, INTERNAL_SCHEMA, KindId};
pub use bytes::Bytes;
pub use catalog::{Cell, Param, Query, Row, RowError};
pub use delta::{Change, Delta, Reason};
pub use fingerprint::Fingerprint;
pub use interval::Interval;
pub use json_text::JsonText;
pub use name::QualifiedName;
pub use operation::{ClosedBy, Operation};
pub use place::{Place, Via};
pub use resource::{Applied, Begun, Containers, Desired, Ensure, Live, Named, Whence, as_map};
pub use server::{Edition, Server, Timescale, Version};
pub use sql_text::SqlText;
pub use task::Task;
pub use value::{KeyColumn, KeyTarget, Value};
