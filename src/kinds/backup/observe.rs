//! Nothing of a backup is in the database: whoever looks into the repository says what there is.

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
