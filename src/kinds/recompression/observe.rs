//! How far the chunks of each columnstore are from its settings.

use std::collections::BTreeMap;

use crate::core::{Address, Cell, Live, Param, QualifiedName, Query, Row, RowError, Server, Value};
use crate::kinds::columnstore::settings;
use crate::kinds::recompression::{ALL, CONVERGED, ID};
use crate::kinds::{KnownAs, Relations, Scope, chunks};

/// The one query; nothing to ask where no policy asks for it.
pub fn query(server: &Server, scope: &Scope) -> Option<Query> {
    let version = server.timescale_version()?;
    if scope.hypertables.is_empty() || !scope.kinds.contains(&ID) {
        return None;
    }
    let number = i64::from(version.major) * 100 + i64::from(version.minor);
    let sql = chunks::on_server(include_str!("observe.sql"), "$2", server);
    Some(Query { sql, params: vec![scope.hypertable_oids(), scope.hypertable_ids(), Param::Int(number)] })
}

/// Settings by name; those that are left to TimescaleDB are not there.
pub type Settings = BTreeMap<String, Value>;

/// Whether a chunk was converted with other settings than its table has. What is left to TimescaleDB
/// is not compared.
pub fn is_behind(table: &Settings, chunk: &Settings) -> bool {
    let none = Value::List(Vec::new());
    table.iter().any(|(name, wanted)| chunk.get(name).unwrap_or(&none) != wanted)
}

/// The resource of each columnstore. It is TimescaleDB's own as long as no policy asks for it.
///
/// # Errors
/// When a row is not as the query gives it.
pub fn read(rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError> {
    let known = KnownAs::new(relations);
    let mut found = Vec::new();
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let id = first.int("id")?;
        let count = rest.iter().take_while(|row| row.int("id") == Ok(id)).count();
        let (own, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        rest = after;
        found.extend(read_one(first, own, &known)?);
    }
    Ok(found)
}

/// The first row is the table's; a table without one has the columnstore disabled.
fn read_one(first: &Row, rows: &[Row], known: &KnownAs<'_>) -> Result<Option<Live>, RowError> {
    if *first.cell("chunks") != Cell::Null {
        return Ok(None);
    }
    let table = settings::read(first)?;
    let (mut all, mut behind) = (0, 0);
    for row in rows.iter().skip(1) {
        let chunks = row.int("chunks")?;
        all += chunks;
        behind += if is_behind(&table, &settings::read(row)?) { chunks } else { 0 };
    }
    let on = known.name(QualifiedName::new(first.text("schema")?, first.text("name")?));
    let mut live = Live::new(Address::in_schema(ID, &on), Some(on));
    live.system = true;
    let converged = match behind {
        0 => ALL.to_owned(),
        _ => format!("{} of {all} chunks", all - behind),
    };
    live.set(CONVERGED, Value::text(converged));
    Ok(Some(live))
}
