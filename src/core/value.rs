//! The value of an attribute: typed, comparable, and printable for people, JSON and SQL.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::core::name::quote_identifier;
use crate::core::{Interval, JsonText, QualifiedName, SqlText};

/// What an attribute holds, on either side of a diff.
///
/// Two values are the same when they are equal; whatever has more than one spelling is brought to
/// one by its kind before it is compared.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Explicitly nothing; rendered as SQL `NULL`.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number without a unit.
    Int(i64),
    /// Text; rendered as a quoted literal.
    Text(String),
    /// A span of calendar time.
    Interval(Interval),
    /// An object's qualified name.
    Name(QualifiedName),
    /// An expression or predicate.
    Sql(SqlText),
    /// A JSON document that is compared as such.
    Json(JsonText),
    /// One key column of an index or an ordering. Boxed, for it is several times what the others are.
    Key(Box<KeyColumn>),
    /// An ordered list.
    List(Vec<Value>),
    /// Named values.
    Map(BTreeMap<String, Value>),
}

/// A key column: `symbol`, `time desc`, `lower(name) text_pattern_ops`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct KeyColumn {
    /// What is ordered or indexed.
    pub target: KeyTarget,
    /// Descending order.
    pub descending: bool,
    /// NULLs before other values.
    pub nulls_first: bool,
    /// The operator class, where it is not the type's default.
    pub opclass: Option<QualifiedName>,
    /// The collation, where it is not the column's own.
    pub collation: Option<QualifiedName>,
}

/// What a key column stands for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyTarget {
    /// A column by its exact name.
    Column(String),
    /// An expression over the row.
    Expression(SqlText),
}

impl KeyColumn {
    /// A plain ascending column with NULLs last, as SQL has it.
    pub fn column(name: impl Into<String>) -> Self {
        Self {
            target: KeyTarget::Column(name.into()),
            descending: false,
            nulls_first: false,
            opclass: None,
            collation: None,
        }
    }

    /// The column's name, where it is one.
    pub fn column_name(&self) -> Option<&str> {
        match &self.target {
            KeyTarget::Column(name) => Some(name),
            KeyTarget::Expression(_) => None,
        }
    }
}

impl fmt::Display for KeyColumn {
    /// As policies write it, with only what differs from SQL's defaults.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            KeyTarget::Column(name) => f.write_str(&quote_identifier(name))?,
            KeyTarget::Expression(sql) => write!(f, "({sql})")?,
        }
        if let Some(collation) = &self.collation {
            write!(f, " collate {collation}")?;
        }
        if let Some(opclass) = &self.opclass {
            write!(f, " {opclass}")?;
        }
        if self.descending {
            f.write_str(" desc")?;
        }
        match (self.descending, self.nulls_first) {
            (true, false) => f.write_str(" nulls last"),
            (false, true) => f.write_str(" nulls first"),
            _ => Ok(()),
        }
    }
}

impl Value {
    /// A text value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A list of texts.
    pub fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(|item| Self::Text(item.into())).collect())
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The truth value, where it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The number, where it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    /// The interval, where it is one.
    pub fn as_interval(&self) -> Option<Interval> {
        if let Self::Interval(value) = self { Some(*value) } else { None }
    }

    /// The list, where it is one; empty otherwise.
    pub fn as_list(&self) -> &[Value] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The form that plans and the ledger store. Two values with the same JSON are the same value
    /// of one attribute.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(entries) => {
                Json::Object(entries.iter().map(|(key, value)| (key.clone(), value.to_json())).collect())
            }
            other => Json::String(other.to_string()),
        }
    }
}

impl From<KeyColumn> for Value {
    fn from(key: KeyColumn) -> Self {
        Self::Key(Box::new(key))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<Interval> for Value {
    fn from(value: Interval) -> Self {
        Self::Interval(value)
    }
}

impl fmt::Display for Value {
    /// For people, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("none"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(text),
            Self::Interval(interval) => write!(f, "{interval}"),
            Self::Name(name) => write!(f, "{name}"),
            Self::Sql(sql) => write!(f, "{sql}"),
            Self::Json(json) => write!(f, "{json}"),
            Self::Key(key) => write!(f, "{key}"),
            Self::List(items) if items.is_empty() => f.write_str("none"),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                f.write_str(&items.join(", "))
            }
            Self::Map(entries) => {
                let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                write!(f, "{{{}}}", entries.join(", "))
            }
        }
    }
}

/// Stored JSON for people, as [`Value`]'s own `Display` prints what it came from.
pub fn display_json(json: &Json) -> String {
    match json {
        Json::Null => "none".to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(items) if items.is_empty() => "none".to_owned(),
        Json::Array(items) => items.iter().map(display_json).collect::<Vec<_>>().join(", "),
        Json::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key}: {}", display_json(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_prints_only_what_sql_would_not_assume() {
        let mut key = KeyColumn::column("time");
        assert_eq!(key.to_string(), "time");
        key.descending = true;
        key.nulls_first = true;
        assert_eq!(key.to_string(), "time desc");
        key.nulls_first = false;
        assert_eq!(key.to_string(), "time desc nulls last");
        let expression = KeyColumn {
            target: KeyTarget::Expression(SqlText::new("lower(symbol)").unwrap()),
            ..KeyColumn::column("")
        };
        assert_eq!(expression.to_string(), "(lower(symbol))");
    }

    #[test]
    fn stored_and_live_values_print_alike() {
        let value = Value::Map(BTreeMap::from([
            ("every".to_owned(), Value::Interval(Interval::days(1))),
            ("list".to_owned(), Value::texts(["a", "b"])),
            ("none".to_owned(), Value::Null),
        ]));
        assert_eq!(display_json(&value.to_json()), value.to_string());
    }
}
