//! `archive_store`: where old chunks are kept as files, and how they are written.
//!
//! The database knows nothing of it, so that there is nothing to compare: its resource is what the
//! `archive` sections of tables, and the commands that read an archive, go by.

mod desired;
mod observe;
mod rules;
#[cfg(test)]
mod tests;

use schemars::JsonSchema as _;

use crate::core::{ClosedBy, Desired, KindId, Live, Operation, Query, Row, RowError, Server};
use crate::diag::Diagnostic;
use crate::kinds::{Export, Kind, Relations, Rules, Scope, Section, View};

/// The kind's name.
pub const ID: KindId = KindId::new("archive_store");
/// The attribute that says where the files are: an absolute path.
pub const PATH: &str = "path";
/// How pages are compressed: `zstd`.
pub const COMPRESSION: &str = "compression";
/// How many bytes of rows a row group holds.
pub const ROW_GROUP: &str = "row_group";
/// How long a chunk is kept after the end of its range.
pub const KEEP: &str = "keep";

/// The kind.
pub struct ArchiveStore;

static SECTIONS: [Section; 1] = [Section {
    document: "archive_store",
    key: "",
    repeated: false,
    schema: desired::ArchiveStore::json_schema,
    expand: desired::expand,
}];

impl Kind for ArchiveStore {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "archive store"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        &SECTIONS
    }

    fn closed_by(&self) -> ClosedBy {
        ClosedBy::Run(Operation::Archive)
    }

    fn observe(&self, _server: &Server, _scope: &Scope) -> Option<Query> {
        observe::query()
    }

    fn read(&self, rows: &[Row], _relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows)
    }

    fn export(&self, _live: &Live, _view: &View<'_>) -> Export {
        Export::Nothing
    }

    /// Nothing of it is in the database.
    fn settle(&self, _desired: &Desired, _view: &View<'_>, _sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        None
    }
}
