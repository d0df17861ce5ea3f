//! Indexes, on plain tables and on hypertables.

mod applied;
mod default;
mod desired;
mod export;
mod fits;
#[cfg(test)]
mod fits_tests;
mod method;
mod moved;
mod names;
mod observe;
mod on_chunks;
mod rules;
mod settle;
#[cfg(test)]
mod swap_tests;
#[cfg(test)]
mod tests;
mod way;
mod weigh;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::core::{
    Address, Applied, Delta, Desired, KindId, Live, Op, QualifiedName, Query, Row, RowError, Server, SqlText, Value,
};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{Canon, Export, Judgement, Kind, Relations, Rules, Scope, Section, View};

pub use default::is_made_with_hypertable;
pub use desired::unknown_parameter;
pub use fits::UNIQUE_OVER_COLUMNSTORE;

/// The kind.
pub const ID: KindId = KindId::new("index");

/// A storage parameter that this version does not know.
pub static UNKNOWN_STORAGE_PARAMETER: Code =
    Code::new("unknown-storage-parameter", "A storage parameter that this version does not know.");
static METHOD_CANNOT: Code = Code::new("method-cannot", "Something that an index's access method cannot do.");
static UNIQUE_WITHOUT_PARTITION_COLUMN: Code = Code::new(
    "unique-without-partition-column",
    "A unique index of a hypertable without a column that it is partitioned by.",
);
static INDEX_NAME_TAKEN: Code = Code::new("index-name-taken", "An index's name that something else has already.");
static INDEX_BEING_BUILT: Code = Code::new("index-being-built", "An index that another session is building.");
static INDEX_IN_USE: Code =
    Code::new("index-in-use", "An index that cannot go, because a constraint or replication needs it.");
static SAME_INDEX_TWICE: Code = Code::new("same-index-twice", "Two indexes of a table with the same definition.");
static MISSING_ON_CHUNKS: Code =
    Code::new("missing-on-chunks", "An index of a hypertable that some chunks have no valid copy of.");
static SHARES_CHUNK_INDEXES: Code = Code::new(
    "shares-chunk-indexes",
    "An index of a hypertable that cannot go without taking the chunks' indexes of another.",
);
static NOT_IMMUTABLE: Code =
    Code::new("not-immutable", "An expression or predicate of an index that is not the same at all times.");
static NO_OPERATOR_CLASS: Code = Code::new(
    "no-operator-class",
    "A key of an index whose type the access method or the operator class does not take.",
);
static TOO_MANY_COLUMNS: Code = Code::new("too-many-columns", "An index with more columns than the server allows.");
static NO_SUCH_OBJECT: Code = Code::new(
    "no-such-object",
    "An access method, operator class, collation or tablespace that the server does not have.",
);

static CODES: &[&Code] = &[
    &UNKNOWN_STORAGE_PARAMETER,
    &METHOD_CANNOT,
    &UNIQUE_WITHOUT_PARTITION_COLUMN,
    &INDEX_NAME_TAKEN,
    &INDEX_BEING_BUILT,
    &INDEX_IN_USE,
    &SAME_INDEX_TWICE,
    &MISSING_ON_CHUNKS,
    &SHARES_CHUNK_INDEXES,
    &NOT_IMMUTABLE,
    &NO_OPERATOR_CLASS,
    &TOO_MANY_COLUMNS,
    &NO_SUCH_OBJECT,
];

const fn section(document: &'static str) -> Section {
    Section {
        document,
        key: "indexes",
        repeated: true,
        schema: |generator| generator.subschema_for::<desired::Index>(),
        expand: desired::expand,
    }
}

static SECTIONS: &[Section] = &[section("table"), section("continuous_aggregate")];

/// The kind.
pub struct Index;

impl Kind for Index {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "index"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        SECTIONS
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn written(&self, _server: &Server) -> Option<String> {
        Some(include_str!("written.sql").to_owned())
    }

    fn observe(&self, server: &Server, scope: &Scope) -> Option<Query> {
        observe::query(server, scope)
    }

    fn read(&self, rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows, relations)
    }

    fn export(&self, live: &Live, view: &View<'_>) -> Export {
        export::export(live, view)
    }

    fn identify(
        &self,
        found: Vec<Live>,
        desired: &BTreeMap<Address, Desired>,
        applied: &BTreeMap<Address, Applied>,
    ) -> Vec<Live> {
        let mut found = moved::identify(found, desired, applied);
        default::identify(&mut found, desired, applied);
        found
    }

    fn expressions(&self, desired: &Desired, live: Option<&Live>) -> Vec<(QualifiedName, SqlText)> {
        settle::expressions(desired, live)
    }

    fn applied_expressions(&self, desired: &Desired, applied: &Applied) -> Vec<(QualifiedName, SqlText)> {
        applied::expressions(desired, applied)
    }

    fn means_same(&self, desired: &Desired, attribute: &str, applied: &Json, canon: &Canon) -> bool {
        applied::means_same(desired, attribute, applied, canon)
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        settle::settle(desired, view, sink)
    }

    fn check(&self, own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        settle::check(own, all, sink);
        moved::check(own, all, sink);
    }

    fn review(&self, settled: &[&Desired], view: &View<'_>, sink: &mut Vec<Diagnostic>) {
        settle::warn_of_twins(settled, view, sink);
    }

    fn context(&self, delta: &Delta, view: &View<'_>) -> BTreeMap<String, Value> {
        way::context(delta, view)
    }

    fn holds(&self, condition: &str, delta: &Delta, weights: &[Row], view: &View<'_>) -> bool {
        way::holds(condition, delta, weights, view)
    }

    fn forgets(&self, attribute: &str) -> bool {
        attribute.starts_with("storage.")
    }

    fn label(&self, attribute: &str) -> Option<&'static str> {
        match attribute {
            "leftover.unfinished" => Some("unfinished replacement"),
            "leftover.retired" => Some("replaced index still there"),
            _ => None,
        }
    }

    fn is_derived(&self, attribute: &str, _desired: &Desired, _applied: &Applied) -> bool {
        attribute == "valid" || attribute == observe::MISSING_ON_CHUNKS
    }

    /// What a build leaves that was cut off.
    fn is_left_over(&self, attribute: &str) -> bool {
        matches!(attribute, "valid" | observe::MISSING_ON_CHUNKS) || attribute.starts_with("leftover.")
    }

    fn is_implied(&self, attribute: &str, value: &Value) -> bool {
        match attribute {
            "valid" | moved::NAME => true,
            "method" => value.as_text() == Some("btree"),
            // One that the server has switched on is said where it is not to be.
            _ if attribute.starts_with("storage.") => *value == Value::Null,
            _ => matches!(value, Value::Null | Value::Bool(false)) || *value == Value::List(Vec::new()),
        }
    }

    fn items(
        &self,
        template: &str,
        delta: &Delta,
        weights: &[Row],
        _view: &View<'_>,
    ) -> Result<Option<Vec<Value>>, RowError> {
        Ok(rules::is_on_chunk(template).then(|| on_chunks::items(delta, weights)))
    }

    fn takes_over(&self, delta: &Delta, view: &View<'_>) -> Option<Address> {
        way::taken_over(delta, view)
    }

    fn is_removed_last(&self, removal: &Delta, others: &[&Delta], view: &View<'_>) -> bool {
        way::is_removed_last(removal, others, view)
    }

    fn weigh(&self, deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
        weigh::query(deltas, view)
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        weigh::judge(delta, op, weights, view)
    }

    fn progress(&self) -> Option<&'static str> {
        Some(include_str!("progress.sql"))
    }
}
