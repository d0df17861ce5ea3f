//! The live roles, of those that are named.

use crate::core::{Address, Live, Param, Query, Row, RowError, Value};
use crate::kinds::Scope;
use crate::kinds::role::{FLAGS, ID};
use crate::kinds::schedule::format_timestamp;

/// The query; `None` where no role is named.
pub fn query(scope: &Scope) -> Option<Query> {
    let names = scope.globals.get(ID.as_str()).filter(|names| !names.is_empty())?;
    Some(Query { sql: include_str!("observe.sql").to_owned(), params: vec![Param::texts(names.iter().cloned())] })
}

/// The roles in its rows.
///
/// # Errors
/// When the rows are not those of `observe.sql`.
pub fn read(rows: &[Row]) -> Result<Vec<Live>, RowError> {
    rows.iter()
        .map(|row| {
            let mut live = Live::new(Address::global(ID, row.text("name")?), None);
            for flag in FLAGS {
                live.set(flag, row.bool(flag)?);
            }
            live.set("connection_limit", row.int("connection_limit")?);
            if let Some(micros) = row.maybe_int("valid_until")? {
                live.set("valid_until", Value::text(format_timestamp(micros)));
            }
            if let Some(comment) = row.maybe_text("comment")? {
                live.set("comment", Value::text(comment));
            }
            Ok(live)
        })
        .collect()
}
