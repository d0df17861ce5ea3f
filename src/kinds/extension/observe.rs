//! The live extensions, of those that are named.

use crate::core::{Address, Live, Param, Query, Row, RowError, Value};
use crate::kinds::Scope;

/// The query; `None` where no extension is named.
pub fn query(scope: &Scope) -> Option<Query> {
    let names = scope.globals.get(super::ID.as_str()).filter(|names| !names.is_empty())?;
    let params = vec![Param::texts(names.iter().cloned()), Param::Int(scope.export.into())];
    Some(Query { sql: include_str!("observe.sql").to_owned(), params })
}

/// The extensions in its rows.
///
/// # Errors
/// When the rows are not those of `observe.sql`.
pub fn read(rows: &[Row]) -> Result<Vec<Live>, RowError> {
    rows.iter()
        .map(|row| {
            let mut live = Live::new(Address::global(super::ID, row.text("name")?), None);
            live.set("version", Value::text(row.text("version")?));
            live.set("schema", Value::text(row.text("schema")?));
            live.set_fact("relocatable", row.bool("relocatable")?);
            live.set_fact("owner", Value::text(row.text("owner")?));
            live.set_fact("owned", row.bool("owned")?);
            if let Some(version) = row.maybe_text("default_version")? {
                live.set_fact("default_version", Value::text(version));
            }
            Ok(live)
        })
        .collect()
}
