//! Live storage parameters. A table without any is no resource.

use std::collections::BTreeMap;

use crate::core::{Address, Live, Param, Query, Row, RowError, Value};
use crate::kinds::reloption;
use crate::kinds::storage::{CHUNKS_WITHOUT, ID, TOAST, known};
use crate::kinds::{Relation, Relations, Scope};

pub fn query(scope: &Scope) -> Option<Query> {
    let sql = include_str!("observe.sql").to_owned();
    (!scope.oids.is_empty()).then(|| Query { sql, params: vec![Param::Oids(scope.oids.clone())] })
}

pub fn read(rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError> {
    let by_oid: BTreeMap<u32, &Relation> = relations.values().map(|relation| (relation.oid, relation)).collect();
    let mut found = Vec::new();
    for row in rows {
        let Some(relation) = by_oid.get(&row.oid("oid")?) else { continue };
        let mut live = Live::new(Address::in_schema(ID, &relation.name), Some(relation.name.clone()));
        for (column, prefix) in [("options", ""), ("toast_options", TOAST)] {
            for (attribute, value) in options(row, column, prefix)? {
                live.set(&attribute, reloption::canonical(known(&attribute), &value));
            }
        }
        // An ordinary child table, which inherits nothing of the kind, may have what it likes.
        if relation.hypertable.is_some() {
            let mut lacking = options(row, "lacking", "")?;
            lacking.append(&mut options(row, "toast_lacking", TOAST)?);
            live.set(CHUNKS_WITHOUT, Value::texts(lacking.into_keys()));
        }
        found.push(live);
    }
    Ok(found)
}

/// Parameters by their attributes' names.
fn options(row: &Row, column: &str, prefix: &str) -> Result<BTreeMap<String, String>, RowError> {
    let texts = row.texts(column)?;
    let split = texts.iter().flatten().filter_map(|option| reloption::split(option));
    Ok(split.map(|(name, value)| (format!("{prefix}{name}"), value.to_owned())).collect())
}
