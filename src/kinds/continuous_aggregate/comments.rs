//! The comments on a continuous aggregate that is made anew, and on its columns: nothing of a policy
//! speaks of them, and they are written again in the transaction that makes the aggregate.

use super::remake::{Made, item};
use crate::core::{Delta, Row, RowError, Value};
use crate::kinds::View;

/// The comments among the weights of a relation, each with the column that it is on.
fn read(weights: &[Row], oid: u32) -> Result<Vec<(Option<&str>, &str)>, RowError> {
    let mut found = Vec::new();
    for row in weights {
        if row.text("finding")? == "commented" && row.maybe_int("oid")? == Some(i64::from(oid)) {
            found.push((row.maybe_text("schema")?, row.text("xml")?));
        }
    }
    Ok(found)
}

/// One item a comment; of a column, where the query still gives it.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn again(made: &Made<'_>, weights: &[Row], view: &View<'_>) -> Result<Vec<Value>, RowError> {
    let Some(relation) = view.relations.get(made.on) else { return Ok(Vec::new()) };
    let columns = super::columns(made.on, view);
    let found = read(weights, relation.oid)?.into_iter();
    let stays = found.filter(|(column, _)| column.is_none_or(|column| columns.contains(column)));
    let items = stays.map(|(column, comment)| {
        let column = column.map_or(Value::Null, Value::text);
        item(made.on, [("column", column), ("comment", Value::text(comment))])
    });
    Ok(items.collect())
}

/// The comments that do not come back, each as plans name it.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn lost(delta: &Delta, weights: &[Row], view: &View<'_>) -> Result<Vec<String>, RowError> {
    let on = delta.on.as_ref().filter(|_| delta.desired.is_some());
    let Some(relation) = on.and_then(|on| view.relations.get(on)) else { return Ok(Vec::new()) };
    let columns = super::columns(&relation.name, view);
    let gone = read(weights, relation.oid)?.into_iter().filter_map(|(column, _)| column);
    Ok(gone
        .filter(|column| !columns.contains(*column))
        .map(|column| format!("the comment on its column \"{column}\""))
        .collect())
}
