//! Every kind, in the order in which a plan creates them. Adding a kind is a folder and a line here.

use crate::core::KindId;
use crate::kinds::{
    Kind, archive, archive_store, backup, columnstore, continuous_aggregate, extension, grant, hypertable, index, job,
    recompression, refresh, reorder, repository, retention, role, setting, storage,
};

static KINDS: &[&dyn Kind] = &[
    &extension::Extension,
    &role::Role,
    &repository::Repository,
    &setting::Setting,
    &grant::Grant,
    &hypertable::Hypertable,
    &continuous_aggregate::ContinuousAggregate,
    &refresh::Refresh,
    &columnstore::Columnstore,
    &retention::Retention,
    &index::Index,
    &reorder::Reorder,
    &storage::Storage,
    &recompression::Recompression,
    &archive_store::ArchiveStore,
    &archive::Archive,
    &backup::Backup,
    &job::Job,
];

/// Every kind, in the order of creation; removal goes the other way.
pub fn all() -> &'static [&'static dyn Kind] {
    KINDS
}

/// The kind of an id.
pub fn by_id(id: &KindId) -> Option<&'static dyn Kind> {
    KINDS.iter().copied().find(|kind| kind.id() == *id)
}
