//! The relations in scope, with their columns and, where they are hypertables, their shape.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Interval, Param, QualifiedName, Query, Row, RowError, Server};
use crate::diag::Failure;
use crate::kinds::{Column, Dimension, Hypertable, Relation, RelationKind, Relations, Stored, Untold};
use crate::pg::Session;

pub(super) fn read(
    session: &mut Session,
    server: &Server,
    names: &BTreeSet<QualifiedName>,
) -> Result<Relations, Failure> {
    if names.is_empty() {
        return Ok(Relations::new());
    }
    let query = Query {
        sql: include_str!("relations.sql").to_owned(),
        params: vec![
            Param::texts(names.iter().map(|name| name.schema.clone())),
            Param::texts(names.iter().map(|name| name.name.clone())),
        ],
    };
    let rows = super::ask(session, &query, "reading the tables")?;
    let found: Result<Vec<Relation>, RowError> = rows.iter().map(relation).collect();
    let unexpected = |error: RowError| super::unexpected(&crate::core::KindId::new("relation"), &error);
    let mut found = found.map_err(unexpected)?;
    if server.timescaledb.is_some() && !found.is_empty() {
        let query = Query {
            sql: include_str!("hypertables.sql").to_owned(),
            params: vec![
                Param::Oids(found.iter().map(|relation| relation.oid).collect()),
                Param::texts(found.iter().map(|relation| relation.name.schema.clone())),
                Param::texts(found.iter().map(|relation| relation.name.name.clone())),
            ],
        };
        let rows = super::ask(session, &query, "reading the hypertables")?;
        add_hypertables(&mut found, &rows).map_err(unexpected)?;
    }
    Ok(found.into_iter().map(|relation| (relation.name.clone(), relation)).collect())
}

fn relation(row: &Row) -> Result<Relation, RowError> {
    let names = row.texts("names")?;
    let types = row.texts("types")?;
    let bases = row.ints("base_types")?;
    let not_nulls = row.list("not_nulls")?;
    let columns = names.into_iter().zip(types).zip(bases.into_iter().zip(not_nulls));
    let columns = columns.map(|((name, type_name), (base, not_null))| Column {
        name: name.unwrap_or_default(),
        type_name: type_name.unwrap_or_default(),
        base_type: u32::try_from(base).unwrap_or(0),
        not_null: matches!(not_null, crate::core::Cell::Bool(true)),
    });
    Ok(Relation {
        oid: row.oid("oid")?,
        name: QualifiedName::new(row.text("schema")?, row.text("name")?),
        kind: RelationKind::read(row.text("relkind")?),
        columns: columns.collect(),
        hypertable: None,
        stored: Stored::Itself,
        has_pages: row.bool("has_pages")?,
        owner: row.text("owner")?.to_owned(),
        owned: row.bool("owned")?,
        owner_logs_in: row.bool("owner_logs_in")?,
        coming: None,
    })
}

/// Why the function that tells the present is not to be called, where it is not.
fn untold(row: &Row, function: Option<&QualifiedName>) -> Result<Option<Result<i64, Untold>>, RowError> {
    let Some(function) = function else { return Ok(None) };
    if !row.bool("integer_now_found")? {
        return Ok(Some(Err(Untold::Fails(format!("there is no {function} without arguments")))));
    }
    let (Some(owner), Some(caller)) = (row.maybe_text("integer_now_owner")?, row.maybe_text("caller")?) else {
        return Ok(None);
    };
    Ok(Some(Err(Untold::Foreign { owner: owner.to_owned(), caller: caller.to_owned() })))
}

fn add_hypertables(relations: &mut [Relation], rows: &[Row]) -> Result<(), RowError> {
    let mut by_oid: BTreeMap<u32, &mut Relation> =
        relations.iter_mut().map(|relation| (relation.oid, relation)).collect();
    for row in rows {
        let Some(relation) = by_oid.get_mut(&row.oid("oid")?) else { continue };
        let column = row.text("column_name")?;
        let integer = relation.column(column).is_some_and(Column::is_integer);
        let length = row.maybe_int("interval_length")?;
        let now = match (row.maybe_text("integer_now_func_schema")?, row.maybe_text("integer_now_func")?) {
            (Some(schema), Some(name)) if !name.is_empty() => Some(QualifiedName::new(schema, name)),
            _ => None,
        };
        let dimension = Dimension {
            column: column.to_owned(),
            interval: length.filter(|_| !integer).and_then(|micros| Interval::micros(micros).flattened()),
            integer_interval: length.filter(|_| integer),
            present: untold(row, now.as_ref())?,
            integer_now: now,
            inherits_now: row.bool("inherits_now")?,
            partitions: row.maybe_int("num_slices")?,
        };
        let hypertable = relation.hypertable.get_or_insert_with(|| Hypertable {
            id: 0,
            dimensions: Vec::new(),
            columnstore: false,
            chunks: 0,
            begun: false,
        });
        hypertable.id = row.int("id")?;
        hypertable.columnstore = row.bool("columnstore")?;
        hypertable.chunks = row.int("chunks")?;
        hypertable.begun = row.bool("begun")?;
        hypertable.dimensions.push(dimension);
        if row.bool("is_aggregate")? {
            relation.oid = row.oid("stored")?;
            relation.stored = Stored::In(QualifiedName::new(row.text("schema_name")?, row.text("table_name")?));
        }
    }
    Ok(())
}
