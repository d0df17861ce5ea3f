//! The live hypertables: their shape from the relations themselves, chunk skipping from its catalog.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Address, Live, QualifiedName, Query, Row, RowError, Server, Value};
use crate::kinds::{Hypertable, Relations, Scope, Stored};

/// The query for what a relation's own shape does not tell; `None` where there is nothing more.
pub fn query(server: &Server, scope: &Scope) -> Option<Query> {
    let has_chunk_skipping = server.timescale_version().is_some_and(|version| version >= super::CHUNK_SKIPPING);
    (has_chunk_skipping && !scope.hypertables.is_empty())
        .then(|| Query { sql: include_str!("observe.sql").to_owned(), params: vec![scope.hypertable_ids()] })
}

/// Every hypertable among the relations.
///
/// # Errors
/// When the rows are not those of `observe.sql`.
pub fn read(rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError> {
    let mut skipping: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        skipping.entry(row.int("hypertable_id")?).or_default().insert(row.text("column_name")?.to_owned());
    }
    // What a continuous aggregate keeps its rows in is its own business.
    let own = relations.values().filter(|relation| relation.stored == Stored::Itself);
    let hypertables = own.filter_map(|relation| Some((relation, relation.hypertable.as_ref()?)));
    Ok(hypertables
        .map(|(relation, hypertable)| {
            let columns = skipping.remove(&hypertable.id).unwrap_or_default();
            live(&relation.name, hypertable, columns)
        })
        .collect())
}

fn live(name: &QualifiedName, hypertable: &Hypertable, skipping: BTreeSet<String>) -> Live {
    let mut live = Live::new(Address::in_schema(super::ID, name), Some(name.clone()));
    live.set_fact("hypertable_id", hypertable.id);
    live.set_fact("chunks", hypertable.chunks);
    if let Some(time) = hypertable.time() {
        live.set("time_column", Value::text(&time.column));
        if let Some(interval) = time.interval {
            live.set("chunk_interval", interval);
        }
        if let Some(length) = time.integer_interval {
            live.set("chunk_interval", length);
            live.set("integer_now", time.integer_now.clone().map_or(Value::Null, Value::Name));
        }
    }
    // A further dimension of time has no place in a policy, and is left alone.
    let hashed = hypertable
        .dimensions
        .iter()
        .filter_map(|dimension| dimension.partitions.map(|number| super::partition(dimension.column.clone(), number)));
    live.set("partitions", Value::List(hashed.collect()));
    live.set("chunk_skipping", Value::texts(skipping));
    live
}
