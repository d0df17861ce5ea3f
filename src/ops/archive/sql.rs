//! The statements that read a relation out and put rows back.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{Column, Function, Through};
use super::error::{ArchiveError, Result};
use crate::core::{QualifiedName, SqlText, Value};
use crate::kinds::archive::Part;
use crate::render::{Context, Renderer};

/// The templates of this folder.
pub const TEMPLATES: &[&str] = &[
    "archive/cut.sql",
    "archive/insert.sql",
    "archive/load.sql",
    "archive/select.sql",
    "archive/settings.sql",
    "archive/stage.sql",
    "archive/staged.sql",
    "archive/unstage.sql",
];

/// The name of the table that rows come back through.
const STAGE: &str = "chronoform_restored";

/// What must be set, in the transaction that rows are read or put back in, beside what
/// [`Session::pin`](crate::pg::Session::pin) sets.
///
/// # Errors
/// When the template is broken.
pub fn settings() -> Result<String> {
    render("archive/settings.sql", Context::new())
}

/// The COPY statement that gives a relation's rows, each column as it is stored.
///
/// # Errors
/// When a type's name is no SQL.
pub fn select(relation: &QualifiedName, columns: &[Column]) -> Result<String> {
    render("archive/select.sql", context(relation, columns, &BTreeSet::new())?)
}

/// The statements that put rows back: the table to bring them into, the COPY that fills it, and the
/// INSERT that brings them to their relation and gives back what that has taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restore {
    /// Makes the temporary table.
    pub stage: String,
    /// Takes the binary COPY stream.
    pub load: String,
    /// Gives the rows that are there by now, as a binary COPY stream.
    pub staged: String,
    /// Brings the rows to their relation, those columns left out that the server computes there; gives all columns as
    /// the relation has them then, as a binary COPY stream.
    pub insert: String,
    /// Drops the temporary table, so that the transaction can restore another archive.
    pub drop: String,
}

/// The statements that put rows into a relation, which computes some columns by itself. All belong into one
/// transaction.
///
/// # Errors
/// When a type's name is no SQL.
pub fn restore(relation: &QualifiedName, columns: &[Column], computes: &BTreeSet<String>) -> Result<Restore> {
    let context = context(relation, columns, computes)?;
    Ok(Restore {
        stage: render("archive/stage.sql", context.clone())?,
        load: render("archive/load.sql", context.clone())?,
        staged: render("archive/staged.sql", context.clone())?,
        insert: render("archive/insert.sql", context.clone())?,
        drop: render("archive/unstage.sql", context)?,
    })
}

/// A part of an archive's rows, by the time in them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Within {
    /// The column.
    pub column: String,
    /// From this on, as its type is written.
    pub from: Option<String>,
    /// Up to this, and without it.
    pub until: Option<String>,
    /// What of that is left out.
    pub without: Vec<Part>,
}

/// The statement that takes out of the staged rows what is outside of a part.
///
/// # Errors
/// When the archive has no such column, or a type's name is no SQL.
pub fn cut(columns: &[Column], within: &Within) -> Result<String> {
    let found = columns.iter().enumerate().find(|(_, column)| column.name == within.column);
    let Some((index, column)) = found else {
        return Err(ArchiveError::Manifest { why: format!("the archive has no column `{}`", within.column) });
    };
    let end = |text: &Option<String>| text.as_ref().map_or(Value::Null, |text| Value::Text(text.clone()));
    let context = [
        ("stage", Value::Text(STAGE.to_owned())),
        ("time", one(index, column)?),
        ("from", end(&within.from)),
        ("until", end(&within.until)),
        ("without", Value::List(within.without.iter().map(part).collect())),
    ];
    render("archive/cut.sql", context.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn part(part: &Part) -> Value {
    let ends = [("start", &part.start), ("end", &part.end)];
    Value::Map(ends.map(|(name, bound)| (name.to_owned(), Value::text(&bound.text))).into())
}

fn render(template: &str, context: Context) -> Result<String> {
    let rendered = Renderer::new().render(template, &context).ok().flatten();
    rendered.ok_or(ArchiveError::Internal { what: "a template of the archive's" })
}

fn context(relation: &QualifiedName, columns: &[Column], computes: &BTreeSet<String>) -> Result<Context> {
    let one = |(index, column): (usize, &Column)| Ok((computes.contains(&column.name), one(index, column)?));
    let all = columns.iter().enumerate().map(one).collect::<Result<Vec<(bool, Value)>>>()?;
    let kept = all.iter().filter(|(computed, _)| !computed).map(|(_, column)| column.clone()).collect();
    Ok(Context::from([
        ("relation".to_owned(), Value::Name(relation.clone())),
        ("stage".to_owned(), Value::Text(STAGE.to_owned())),
        ("columns".to_owned(), Value::List(all.into_iter().map(|(_, column)| column).collect())),
        ("kept".to_owned(), Value::List(kept)),
    ]))
}

fn one(index: usize, column: &Column) -> Result<Value> {
    let base = SqlText::new(&column.base_type)
        .map_err(|_| ArchiveError::Manifest { why: format!("the type of the column `{}` is no SQL", column.name) })?;
    let mut known = BTreeMap::from([
        ("name".to_owned(), Value::Text(column.name.clone())),
        ("staged".to_owned(), Value::Text(format!("c{index}"))),
        ("base_type".to_owned(), Value::Sql(base)),
        ("as_text".to_owned(), Value::Bool(column.through.is_some())),
        ("takes_type".to_owned(), Value::Bool(false)),
    ]);
    if let Some(Through::Functions { output, input, takes_type }) = &column.through {
        let name = |function: &Function| Value::Name(QualifiedName::new(&function.schema, &function.name));
        known.insert("output".to_owned(), name(output));
        known.insert("input".to_owned(), name(input));
        known.insert("takes_type".to_owned(), Value::Bool(*takes_type));
    }
    Ok(Value::Map(known))
}
