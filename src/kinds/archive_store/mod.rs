//! `archive_store`: where old chunks are kept as files, and how they are written.
//!
//! The database knows nothing of it. Its resource is what the `archive` sections of tables, and the
//! commands that read an archive, go by; the one thing about it that is compared is whether anything is in it
//! that is older than it is kept. Whoever looks into the store says that.

mod desired;
mod observe;
mod rules;
#[cfg(test)]
mod tests;
mod weigh;

use schemars::JsonSchema as _;

use crate::core::{ClosedBy, Delta, Desired, KindId, Live, Op, Operation, Query, Row, RowError, Server, Task, Value};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{Export, Judgement, Kind, Relations, Rules, Scope, Section, View};

pub use weigh::TASK;

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

/// The one attribute that is compared.
pub const STATE: &str = "state";
/// What it is when nothing is to be removed.
pub const CURRENT: &str = "nothing has expired";

/// The fact that lists the manifests of what has expired, by their paths in the store.
pub const EXPIRES: &str = "expires";
/// The fact that says how much room that takes.
pub const BYTES: &str = "bytes";
/// The fact that says when the oldest of it begins.
pub const OLDEST: &str = "oldest";
/// The fact that says when the newest of it ends.
pub const NEWEST: &str = "newest";

static EXPIRED: Code = Code::new("archive-expired", "Archived chunks that are older than their store keeps them.");
/// A store that cannot be used.
pub static UNUSABLE: Code = Code::new("archive-unusable", "A store of archives that cannot be read or written.");
static CODES: [&Code; 2] = [&EXPIRED, &UNUSABLE];

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

    fn codes(&self) -> &'static [&'static Code] {
        &CODES
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

    /// To be compared where somebody has looked into it, because the plan is for that. What may not be
    /// removed is told and left.
    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        let live = view.live.get(&desired.address)?;
        let expired = live.fact(EXPIRES).map_or(0, |expires| expires.as_list().len());
        if expired > 0 && live.get(STATE) == desired.get(STATE) {
            let chunks =
                if expired == 1 { "1 archived chunk is".to_owned() } else { format!("{expired} archived chunks are") };
            let keep = desired.get(KEEP).map_or_else(String::new, Value::to_string);
            sink.push(
                Diagnostic::warning(
                    &EXPIRED,
                    format!("{chunks} older than the {keep} that `{}` keeps them", desired.address.name),
                )
                .at(desired.place_of(KEEP))
                .why("what is removed from an archive is nowhere any more")
                .help("allow it with `chronoform run archive --allow deletes_data`"),
            );
        }
        Some(desired.clone())
    }

    fn items(
        &self,
        _template: &str,
        delta: &Delta,
        _weights: &[Row],
        view: &View<'_>,
    ) -> Result<Option<Vec<Value>>, RowError> {
        Ok(Some(weigh::items(delta, view)))
    }

    fn task(&self, item: &Value) -> Option<Task> {
        weigh::task(item)
    }

    fn judge(&self, delta: &Delta, op: Op, _weights: &[Row], _view: &View<'_>) -> Result<Judgement, RowError> {
        Ok(weigh::judge(delta, op))
    }
}
