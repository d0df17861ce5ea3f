//! What expressions read: plain values with their units.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::core::{Interval, Value};
use crate::guard::types::Type;

/// A value of an expression's world.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Datum {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number; of bytes too.
    Int(i64),
    /// Text.
    Text(String),
    /// A span of time, compared in microseconds with a month of 30 days.
    Interval(Interval),
    /// Values in order.
    List(Vec<Datum>),
    /// Values by the names that there are. One that is not set is not in it.
    Record(BTreeMap<String, Datum>),
    /// Texts by words of the policies' own, such as labels.
    Words(BTreeMap<String, String>),
}

impl Datum {
    /// An attribute's value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Interval(interval) => Self::Interval(*interval),
            Value::List(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::Map(entries) => {
                Self::Record(entries.iter().map(|(key, value)| (key.clone(), Self::of(value))).collect())
            }
            Value::Text(_) | Value::Name(_) | Value::Sql(_) | Value::Key(_) | Value::Json(_) => {
                Self::Text(value.to_string())
            }
        }
    }

    /// Its type, as it is here.
    pub fn type_of(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Text(_) => Type::Text,
            Self::Interval(_) => Type::Interval,
            Self::List(items) => Type::list(items.iter().map(Self::type_of)),
            Self::Record(entries) => {
                Type::Record(entries.iter().map(|(key, value)| (key.clone(), value.type_of())).collect())
            }
            Self::Words(_) => Type::Words,
        }
    }

    /// The greatest number of items in any one list of it.
    pub fn longest(&self) -> usize {
        match self {
            Self::List(items) => items.iter().map(Self::longest).max().unwrap_or(0).max(items.len()),
            Self::Record(entries) => entries.values().map(Self::longest).max().unwrap_or(0),
            Self::Words(entries) => entries.len(),
            _ => 0,
        }
    }

    /// As the evaluator takes it. That units are not mixed was checked before.
    pub(super) fn to_cel(&self) -> cel::Value {
        let map = |entries: Vec<(String, cel::Value)>| {
            cel::Value::Map(entries.into_iter().collect::<std::collections::HashMap<_, _>>().into())
        };
        match self {
            Self::Null => cel::Value::Null,
            Self::Bool(value) => cel::Value::Bool(*value),
            Self::Int(value) => cel::Value::Int(*value),
            Self::Text(text) => cel::Value::String(Arc::new(text.clone())),
            Self::Interval(interval) => cel::Value::Int(micros(interval)),
            Self::List(items) => cel::Value::List(Arc::new(items.iter().map(Self::to_cel).collect())),
            Self::Record(entries) => map(entries.iter().map(|(key, value)| (key.clone(), value.to_cel())).collect()),
            Self::Words(entries) => map(entries
                .iter()
                .map(|(key, value)| (key.clone(), cel::Value::String(Arc::new(value.clone()))))
                .collect()),
        }
    }

    /// The value at a dotted path, and the record to put one in.
    pub fn put(entries: &mut BTreeMap<String, Self>, path: &str, value: Self) {
        match path.split_once('.') {
            None => _ = entries.insert(path.to_owned(), value),
            Some((first, rest)) => {
                let inner = entries.entry(first.to_owned()).or_insert_with(|| Self::Record(BTreeMap::new()));
                if let Self::Record(inner) = inner {
                    Self::put(inner, rest, value);
                }
            }
        }
    }
}

/// About how long an interval is. What is longer than can be counted is as long as can be.
pub(super) fn micros(interval: &Interval) -> i64 {
    i64::try_from(interval.approximate_micros()).unwrap_or(if interval.is_positive() { i64::MAX } else { i64::MIN })
}

/// `100 GB` as PostgreSQL's `pg_size_bytes` reads it: units of 1024.
pub(super) fn size_bytes(text: &str) -> Option<i64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(split)?;
    let power = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 0,
        "kb" => 1,
        "mb" => 2,
        "gb" => 3,
        "tb" => 4,
        "pb" => 5,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(1024_i64.checked_pow(power)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_the_server_reads_them() {
        for (text, bytes) in [
            ("100 GB", Some(107_374_182_400)),
            ("1kB", Some(1024)),
            ("7", Some(7)),
            ("8 bytes", Some(8)),
            ("9 PB", Some(9 << 50)),
        ] {
            assert_eq!(size_bytes(text), bytes, "{text}");
        }
        for text in ["", "GB", "1.5 GB", "-1 kB", "1 gigabyte", "99999999 PB", "1 G B"] {
            assert_eq!(size_bytes(text), None, "{text}");
        }
    }

    #[test]
    fn a_dotted_attribute_is_a_record_in_a_record() {
        let mut entries = BTreeMap::new();
        Datum::put(&mut entries, "schedule.every", Datum::Int(1));
        Datum::put(&mut entries, "schedule.paused", Datum::Bool(true));
        Datum::put(&mut entries, "schedule", Datum::Null);
        assert_eq!(entries.get("schedule"), Some(&Datum::Null));
    }
}
