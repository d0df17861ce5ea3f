//! The columnstore's settings as values: one form for what a policy writes, what the table has and
//! what a chunk was converted with.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::core::name::quote_identifier;
use crate::core::{Cell, Delta, Desired, KeyColumn, Live, Row, RowError, Value, Version};
use crate::kinds::Relation;
use crate::kinds::columnstore::SETTINGS;

/// The first that keeps a setting open, and resets one that was made (`ALTER TABLE … RESET`; before, an
/// error: seen on 2.14 and 2.18).
pub const RESET: Version = Version::new(2, 22);
/// The first with sparse indexes of one's own choice, and the column `index` that holds them.
pub const SPARSE_INDEX: Version = Version::new(2, 22);

/// Types without an order (no default btree operator class), by which nothing can be segmented,
/// ordered or summarised by its smallest and largest: TimescaleDB refuses them, some only when the
/// first chunk is converted (seen on 2.23 and 2.29.2). OIDs from PostgreSQL's `pg_type.dat`.
const UNORDERED: &[u32] = &[28, 29, 114, 142, 600, 601, 602, 603, 604, 628, 718, 1033, 1790, 2970, 4072, 5038];
/// Types without a hash function, of which there is no bloom filter (seen on 2.29.2).
const UNHASHABLE: &[u32] =
    &[114, 142, 600, 601, 602, 603, 604, 628, 718, 790, 1560, 1562, 1790, 2970, 3614, 3615, 4072, 5038];

/// The policy's word for TimescaleDB's own choice, and how it is said of a live columnstore that a policy
/// asks it of. In the catalog it is NULL, from 2.22 on: before, TimescaleDB chose when the columnstore was
/// enabled, and what it chose cannot be told from what somebody wrote.
const AUTO: &str = "auto";

/// TimescaleDB's own choice as a setting's value.
pub fn auto() -> Value {
    Value::text(AUTO)
}

/// Whether a setting's value is TimescaleDB's own choice.
pub fn is_auto(value: &Value) -> bool {
    value.as_text() == Some(AUTO)
}

/// What a setting is called in SQL.
pub fn option(setting: &str) -> &str {
    match setting {
        "segment_by" => "segmentby",
        "order_by" => "orderby",
        other => other,
    }
}

/// Says of a live columnstore which of the settings that the policy speaks of are TimescaleDB's own choice.
pub fn name_choices(live: &mut Live, desired: &Desired) {
    if live.get("enabled") != Some(&Value::Bool(true)) {
        return;
    }
    for name in SETTINGS.into_iter().filter(|name| desired.get(name).is_some()) {
        if live.get(name).is_none() {
            live.set(name, auto());
        }
    }
}

/// Whether a delta leaves a setting to TimescaleDB that is somebody's choice now.
pub fn is_left_again(delta: &Delta, setting: &str) -> bool {
    let after = delta.change(setting).and_then(|change| change.after.as_ref());
    let enabled = delta.live.as_ref().and_then(|live| live.get("enabled")) == Some(&Value::Bool(true));
    enabled && after.is_some_and(is_auto)
}

/// Whether values of a type have an order.
pub fn has_order(base_type: u32) -> bool {
    !UNORDERED.contains(&base_type)
}

/// Whether values of a type have a hash.
pub fn has_hash(base_type: u32) -> bool {
    !UNHASHABLE.contains(&base_type)
}

/// One sparse index: its type over its columns.
pub fn sparse_index(type_name: &str, mut columns: Vec<String>) -> Value {
    let columns = match (columns.len(), columns.pop()) {
        (1, Some(only)) => Value::Text(only),
        (_, last) => Value::texts(columns.into_iter().chain(last)),
    };
    Value::Map(BTreeMap::from([(type_name.to_owned(), columns)]))
}

/// The type and the columns of one sparse index.
pub fn sparse_parts(value: &Value) -> Option<(&str, Vec<&str>)> {
    let Value::Map(entries) = value else { return None };
    let (type_name, columns) = entries.first_key_value()?;
    let columns = match columns {
        Value::Text(only) => vec![only.as_str()],
        list => list.as_list().iter().filter_map(Value::as_text).collect(),
    };
    Some((type_name, columns))
}

/// Sparse indexes in one order, whatever order they are written in; and their columns in the
/// table's, as the server keeps them.
pub fn normal_sparse_indexes(list: &[Value], relation: Option<&Relation>) -> Value {
    let position = |name: &str| relation.and_then(|relation| relation.columns.iter().position(|c| c.name == name));
    let mut parts: Vec<(&str, Vec<&str>)> = list.iter().filter_map(sparse_parts).collect();
    parts.iter_mut().for_each(|(_, columns)| columns.sort_by_key(|name| position(name)));
    parts.sort();
    let value =
        |(name, columns): (&str, Vec<&str>)| sparse_index(name, columns.into_iter().map(str::to_owned).collect());
    Value::List(parts.into_iter().map(value).collect())
}

/// Sparse indexes as the option `sparse_index` takes them, to be quoted as one literal.
pub fn sparse_option(list: &[Value]) -> String {
    let one = |value: &Value| {
        let (name, columns) = sparse_parts(value)?;
        let columns: Vec<String> = columns.into_iter().map(quote_identifier).collect();
        Some(format!("{name}({})", columns.join(", ")))
    };
    list.iter().filter_map(one).collect::<Vec<_>>().join(", ")
}

/// The settings of a catalog row with the columns of `compression_settings`: `segmentby`, `orderby`,
/// `orderby_desc`, `orderby_nullsfirst`, and `index` as text. Only those that are set; the rest are
/// TimescaleDB's choice.
///
/// # Errors
/// When the row is not such a one.
pub fn read(row: &Row) -> Result<BTreeMap<String, Value>, RowError> {
    let mut settings = BTreeMap::new();
    if *row.cell("segmentby") != Cell::Null {
        settings.insert("segment_by".to_owned(), Value::texts(row.texts("segmentby")?.into_iter().flatten()));
    }
    if *row.cell("orderby") != Cell::Null {
        settings.insert("order_by".to_owned(), Value::List(order_by(row)?));
    }
    if let Some(list) = row.maybe_text("index")?.and_then(chosen_sparse_indexes) {
        settings.insert("sparse_index".to_owned(), normal_sparse_indexes(&list, None));
    }
    Ok(settings)
}

fn order_by(row: &Row) -> Result<Vec<Value>, RowError> {
    let is = |cells: &[Cell], at: usize| matches!(cells.get(at), Some(Cell::Bool(true)));
    let (descending, nulls_first) = (row.list("orderby_desc")?, row.list("orderby_nullsfirst")?);
    let key = |(at, name): (usize, Option<String>)| {
        let key = KeyColumn::column(name.unwrap_or_default());
        Value::from(KeyColumn { descending: is(descending, at), nulls_first: is(nulls_first, at), ..key })
    };
    Ok(row.texts("orderby")?.into_iter().enumerate().map(key).collect())
}

/// The sparse indexes that somebody chose: `[{"source": "config", "type": "bloom", "column": "a"}, …]`.
/// Those of another source come by themselves, with the order or by default. `None` where nobody
/// chose; one entry without a type says that none was chosen.
fn chosen_sparse_indexes(json: &str) -> Option<Vec<Value>> {
    let entries: Vec<Json> = serde_json::from_str(json).ok()?;
    let chosen: Vec<&Json> =
        entries.iter().filter(|entry| entry.get("source") == Some(&Json::from("config"))).collect();
    if chosen.is_empty() {
        return None;
    }
    let one = |entry: &&Json| {
        let type_name = entry.get("type")?.as_str()?;
        let columns = match entry.get("column")? {
            Json::Array(columns) => columns.iter().filter_map(|c| c.as_str().map(str::to_owned)).collect(),
            column => vec![column.as_str()?.to_owned()],
        };
        Some(sparse_index(type_name, columns))
    };
    Some(chosen.iter().filter_map(one).collect())
}

/// The order with the time column added where the server adds it: at the end, descending, unless
/// it is ordered or segmented by (`add_time_to_order_by_if_not_included` in
/// `tsl/src/compression/create.c`, the same from 2.16 to 2.29).
pub fn with_time(order_by: &[Value], segment_by: &[Value], time: &str) -> Vec<Value> {
    let mut keys = order_by.to_vec();
    let ordered = keys.iter().any(|key| matches!(key, Value::Key(key) if key.column_name() == Some(time)));
    if !ordered && !segment_by.iter().any(|name| name.as_text() == Some(time)) {
        keys.push(KeyColumn { descending: true, nulls_first: true, ..KeyColumn::column(time) }.into());
    }
    keys
}
