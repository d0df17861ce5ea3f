//! Live storage parameters. A table without any is no resource.

use std::collections::BTreeMap;

use crate::core::{Address, Live, Param, Query, Row, RowError};
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
            for option in row.texts(column)?.iter().flatten() {
                if let Some((name, value)) = reloption::split(option) {
                    let attribute = format!("{prefix}{name}");
                    live.set(&attribute, reloption::canonical(known(&attribute), value));
                }
            }
        }
        // An ordinary child table, which inherits nothing of the kind, may have what it likes.
        if relation.hypertable.is_some() {
            lacking(row, "lacked", "lacking", "", &mut live)?;
            lacking(row, "toast_lacked", "toast_lacking", TOAST, &mut live)?;
        }
        found.push(live);
    }
    Ok(found)
}

/// How many chunks lack each parameter.
fn lacking(row: &Row, options: &str, counts: &str, prefix: &str, live: &mut Live) -> Result<(), RowError> {
    let counts = row.ints(counts)?;
    for (option, count) in row.texts(options)?.iter().flatten().zip(counts) {
        if let Some((name, _)) = reloption::split(option) {
            live.set(&format!("{CHUNKS_WITHOUT}{prefix}{name}"), count);
        }
    }
    Ok(())
}
