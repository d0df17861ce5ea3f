//! How each type of value leaves a template.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ValueKind};
use minijinja::{Error, ErrorKind, Output, State, Value};

use crate::core::name::{quote_identifier, quote_literal};
use crate::core::{self, KeyColumn, KeyTarget};

/// A value whose type a template must not lose.
#[derive(Debug)]
struct Typed(core::Value);

impl Object for Typed {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let (core::Value::Key(column), Some(key)) = (&self.0, key.as_str()) else { return None };
        match key {
            "descending" => Some(Value::from(column.descending)),
            "nulls_first" => Some(Value::from(column.nulls_first)),
            "column" => column.column_name().map(Value::from),
            _ => None,
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// SQL that a filter has made safe: the only thing that is written as it is.
#[derive(Debug)]
struct Safe(String);

impl Object for Safe {
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value for templates.
pub fn to_template(value: &core::Value) -> Value {
    match value {
        core::Value::Null => Value::from(()),
        core::Value::Bool(value) => Value::from(*value),
        core::Value::Int(value) => Value::from(*value),
        core::Value::Text(text) => Value::from(text.as_str()),
        core::Value::List(items) => Value::from(items.iter().map(to_template).collect::<Vec<_>>()),
        core::Value::Map(entries) => {
            let entries: BTreeMap<&str, Value> =
                entries.iter().map(|(key, value)| (key.as_str(), to_template(value))).collect();
            Value::from(entries)
        }
        typed => Value::from_object(Typed(typed.clone())),
    }
}

/// Takes a value of one type, and makes it safe or refuses.
pub type Filter = fn(&Value) -> Result<Value, Error>;

/// The filters, and no other.
pub const FILTERS: &[(&str, Filter)] = &[
    ("ident", ident),
    ("expr", expr),
    ("key", key),
    ("quoted_list", quoted_list),
    ("privilege", privilege),
    ("option", option),
    ("code", code),
];

/// Stands for a newline within a value until the template's own lines are tidied. No SQL can hold it.
const NEWLINE: &str = "\0";

/// Puts back the newlines within values.
pub fn restore(text: &str) -> String {
    text.replace(NEWLINE, "\n")
}

/// Writes the result of `{{ … }}`, its newlines as [`NEWLINE`].
pub fn format(out: &mut Output, _state: &mut State, value: &Value) -> Result<(), Error> {
    let text = literal(value)?;
    if text.contains(NEWLINE) {
        return Err(refuse("a value holds a NUL character"));
    }
    out.write_str(&text.replace('\n', NEWLINE)).map_err(|_| Error::new(ErrorKind::WriteFailure, "the output is closed"))
}

fn refuse(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

fn literal(value: &Value) -> Result<String, Error> {
    if let Some(safe) = value.downcast_object_ref::<Safe>() {
        return Ok(safe.0.clone());
    }
    if let Some(typed) = value.downcast_object_ref::<Typed>() {
        return match &typed.0 {
            core::Value::Interval(interval) => Ok(format!("INTERVAL {}", quote_literal(&interval.to_string()))),
            core::Value::Name(name) => Ok(quote_literal(&name.to_string())),
            core::Value::Json(json) => Ok(quote_literal(json.as_str())),
            _ => Err(refuse("an expression needs |expr and a key column |key")),
        };
    }
    match value.kind() {
        ValueKind::Undefined => Err(Error::new(ErrorKind::UndefinedError, "the value is undefined")),
        ValueKind::None => Ok("NULL".to_owned()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::Number if value.is_integer() => Ok(value.to_string()),
        ValueKind::String => value.as_str().map(quote_literal).ok_or_else(|| refuse("a text that is no text")),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Result<Vec<String>, Error> = value.try_iter()?.map(|item| literal(&item)).collect();
            Ok(format!("ARRAY[{}]", items?.join(", ")))
        }
        kind => Err(refuse(format!("a {kind} has no literal"))),
    }
}

/// A text as the value of an option in a configuration file: the rest of its line.
fn option(value: &Value) -> Result<Value, Error> {
    let text = value.as_str().filter(|text| !text.is_empty() && text.trim() == *text);
    match text {
        Some(text) if !text.chars().any(char::is_control) => Ok(Value::from_object(Safe(text.to_owned()))),
        _ => Err(refuse("an option's value is a text on one line")),
    }
}

/// A block that the template itself has put together out of literals, as one literal: the code of a DO.
fn code(value: &Value) -> Result<Value, Error> {
    let block = value.as_str().ok_or_else(|| refuse("|code needs a block of the template"))?;
    Ok(Value::from(restore(block)))
}

fn ident(value: &Value) -> Result<Value, Error> {
    if let Some(typed) = value.downcast_object_ref::<Typed>()
        && let core::Value::Name(name) = &typed.0
    {
        return Ok(Value::from_object(Safe(name.to_string())));
    }
    let text = value.as_str().filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| refuse("|ident needs a name"))?;
    Ok(Value::from_object(Safe(quote_identifier(text))))
}

/// The words that GRANT takes for a privilege (`string_to_privilege` in `src/backend/catalog/aclchk.c`).
const PRIVILEGES: [&str; 13] = [
    "CONNECT",
    "CREATE",
    "DELETE",
    "EXECUTE",
    "INSERT",
    "MAINTAIN",
    "REFERENCES",
    "SELECT",
    "TEMPORARY",
    "TRIGGER",
    "TRUNCATE",
    "UPDATE",
    "USAGE",
];

/// One of those words, in whichever case.
fn privilege(value: &Value) -> Result<Value, Error> {
    let known = PRIVILEGES.iter().find(|known| value.as_str().is_some_and(|word| known.eq_ignore_ascii_case(word)));
    let known = known.ok_or_else(|| refuse("|privilege needs the name of a privilege"))?;
    Ok(Value::from_object(Safe((*known).to_owned())))
}

fn expr(value: &Value) -> Result<Value, Error> {
    match value.downcast_object_ref::<Typed>().map(|typed| &typed.0) {
        Some(core::Value::Sql(sql)) => Ok(Value::from_object(Safe(sql.as_str().to_owned()))),
        _ => Err(refuse("|expr needs an expression that was checked")),
    }
}

fn key(value: &Value) -> Result<Value, Error> {
    Ok(Value::from_object(Safe(key_sql(typed_key(value)?, true))))
}

/// Columns and keys as one literal, the way TimescaleDB's options take them.
fn quoted_list(value: &Value) -> Result<Value, Error> {
    let each = |item: Value| match item.as_str() {
        Some(text) => Ok(quote_identifier(text)),
        None => typed_key(&item).map(|key| key_sql(key, false)),
    };
    let items: Result<Vec<String>, Error> = value.try_iter()?.map(each).collect();
    Ok(Value::from(items?.join(", ")))
}

fn typed_key(value: &Value) -> Result<&KeyColumn, Error> {
    match value.downcast_object_ref::<Typed>().map(|typed| &typed.0) {
        Some(core::Value::Key(column)) => Ok(column),
        _ => Err(refuse("a key column is needed here")),
    }
}

/// A key column as an index or an ordering has it.
fn key_sql(column: &KeyColumn, classes: bool) -> String {
    let mut sql = match &column.target {
        KeyTarget::Column(name) => quote_identifier(name),
        KeyTarget::Expression(expression) => format!("({expression})"),
    };
    if let (Some(collation), true) = (&column.collation, classes) {
        sql.push_str(&format!(" COLLATE {collation}"));
    }
    if let (Some(opclass), true) = (&column.opclass, classes) {
        sql.push_str(&format!(" {opclass}"));
    }
    if column.descending {
        sql.push_str(" DESC");
    }
    match (column.descending, column.nulls_first) {
        (true, false) => sql.push_str(" NULLS LAST"),
        (false, true) => sql.push_str(" NULLS FIRST"),
        _ => {}
    }
    sql
}
