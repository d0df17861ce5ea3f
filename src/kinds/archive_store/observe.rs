//! Nothing of a store is in the database.

use crate::core::{Live, Query, Row, RowError};

/// No query.
pub fn query() -> Option<Query> {
    None
}

/// No resource.
///
/// # Errors
/// None.
pub fn read(_rows: &[Row]) -> Result<Vec<Live>, RowError> {
    Ok(Vec::new())
}
