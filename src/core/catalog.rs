//! Catalog rows without a driver: what a query needs and what it gives, so that a kind can be
//! tested with rows written by hand.

use std::fmt;

use crate::core::Interval;

/// A catalog query and its parameters.
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    /// One statement, with `$1` … for the parameters.
    pub sql: String,
    /// The parameters in order.
    pub params: Vec<Param>,
}

/// A parameter of a catalog query.
#[derive(Clone, PartialEq, Debug)]
pub enum Param {
    /// `text`.
    Text(String),
    /// `bigint`.
    Int(i64),
    /// `oid[]`.
    Oids(Vec<u32>),
    /// `bigint[]`, with NULLs.
    Ints(Vec<Option<i64>>),
    /// `text[]`, with NULLs.
    Texts(Vec<Option<String>>),
}

impl Param {
    /// A `text[]` without NULLs.
    pub fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::Texts(items.into_iter().map(|item| Some(item.into())).collect())
    }
}

/// One value of a catalog row.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// SQL NULL.
    Null,
    /// `bool`.
    Bool(bool),
    /// `int2`, `int4`, `int8`, `oid`.
    Int(i64),
    /// `float4`, `float8`.
    Float(f64),
    /// `text`, `name`, `varchar`, `char`, `"char"`, `json`.
    Text(String),
    /// `interval`.
    Interval(Interval),
    /// An array of one of the above.
    List(Vec<Cell>),
}

/// One row of a catalog query, read by column name.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    columns: std::sync::Arc<[String]>,
    cells: Vec<Cell>,
}

/// A catalog query gave something else than its reader expects: a defect of Chronoform, or a
/// server whose catalog is not the one this version knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowError {
    /// The column that was read.
    pub column: String,
    /// What was expected of it.
    pub expected: &'static str,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the catalog gave no {} in `{}`", self.expected, self.column)
    }
}

impl std::error::Error for RowError {}

impl Row {
    /// A row from its column names and as many cells.
    pub fn new(columns: std::sync::Arc<[String]>, cells: Vec<Cell>) -> Self {
        Self { columns, cells }
    }

    /// The cell of a column; `Null` where the query has no such column.
    pub fn cell(&self, column: &str) -> &Cell {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| self.cells.get(at)).unwrap_or(&Cell::Null)
    }

    fn wrong(column: &str, expected: &'static str) -> RowError {
        RowError { column: column.to_owned(), expected }
    }

    /// A text that is never NULL.
    ///
    /// # Errors
    /// When it is NULL or not text.
    pub fn text(&self, column: &str) -> Result<&str, RowError> {
        self.maybe_text(column)?.ok_or_else(|| Self::wrong(column, "text"))
    }

    /// A text or NULL.
    ///
    /// # Errors
    /// When it is something else.
    pub fn maybe_text(&self, column: &str) -> Result<Option<&str>, RowError> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            _ => Err(Self::wrong(column, "text")),
        }
    }

    /// A whole number that is never NULL.
    ///
    /// # Errors
    /// When it is NULL or not a number.
    pub fn int(&self, column: &str) -> Result<i64, RowError> {
        self.maybe_int(column)?.ok_or_else(|| Self::wrong(column, "whole number"))
    }

    /// A whole number or NULL.
    ///
    /// # Errors
    /// When it is something else.
    pub fn maybe_int(&self, column: &str) -> Result<Option<i64>, RowError> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            Cell::Int(value) => Ok(Some(*value)),
            _ => Err(Self::wrong(column, "whole number")),
        }
    }

    /// An OID that is never NULL.
    ///
    /// # Errors
    /// When it is NULL or no OID.
    pub fn oid(&self, column: &str) -> Result<u32, RowError> {
        u32::try_from(self.int(column)?).map_err(|_| Self::wrong(column, "oid"))
    }

    /// A truth value that is never NULL.
    ///
    /// # Errors
    /// When it is NULL or something else.
    pub fn bool(&self, column: &str) -> Result<bool, RowError> {
        match self.cell(column) {
            Cell::Bool(value) => Ok(*value),
            _ => Err(Self::wrong(column, "truth value")),
        }
    }

    /// An interval or NULL.
    ///
    /// # Errors
    /// When it is something else.
    pub fn maybe_interval(&self, column: &str) -> Result<Option<Interval>, RowError> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            Cell::Interval(value) => Ok(Some(*value)),
            _ => Err(Self::wrong(column, "interval")),
        }
    }

    /// An array's cells; empty where it is NULL.
    ///
    /// # Errors
    /// When it is no array.
    pub fn list(&self, column: &str) -> Result<&[Cell], RowError> {
        match self.cell(column) {
            Cell::Null => Ok(&[]),
            Cell::List(items) => Ok(items),
            _ => Err(Self::wrong(column, "array")),
        }
    }

    /// An array of texts, NULLs kept; empty where the array is NULL.
    ///
    /// # Errors
    /// When it is no array of texts.
    pub fn texts(&self, column: &str) -> Result<Vec<Option<String>>, RowError> {
        let each = |cell: &Cell| match cell {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text.clone())),
            _ => Err(Self::wrong(column, "array of texts")),
        };
        self.list(column)?.iter().map(each).collect()
    }

    /// An array of numbers without NULLs; empty where the array is NULL.
    ///
    /// # Errors
    /// When it is no array of numbers.
    pub fn ints(&self, column: &str) -> Result<Vec<i64>, RowError> {
        let each = |cell: &Cell| match cell {
            Cell::Int(value) => Ok(*value),
            _ => Err(Self::wrong(column, "array of numbers")),
        };
        self.list(column)?.iter().map(each).collect()
    }
}
