//! Where the server's own files are.

use std::collections::BTreeMap;

use crate::core::{Address, Desired, Live, Param, Query, Row, RowError, Value};
use crate::kinds::repository::{DATA_DIRECTORY, ID, PORT, SOCKETS};

/// One row for each repository that the policies want: what only the server tells.
pub fn query(desired: &BTreeMap<Address, Desired>) -> Option<Query> {
    let names: Vec<String> =
        desired.keys().filter(|address| address.kind == ID).map(|address| address.name.clone()).collect();
    let sql = include_str!("observe.sql").to_owned();
    (!names.is_empty()).then(|| Query { sql, params: vec![Param::texts(names)] })
}

/// Its rows.
///
/// # Errors
/// When they are not as expected.
pub fn read(rows: &[Row]) -> Result<Vec<Live>, RowError> {
    let one = |row: &Row| {
        let mut live = Live::new(Address::global(ID, row.text("name")?), None);
        for fact in [DATA_DIRECTORY, PORT, SOCKETS] {
            live.set_fact(fact, row.maybe_text(fact)?.map_or(Value::Null, Value::text));
        }
        Ok(live)
    };
    rows.iter().map(one).collect()
}
