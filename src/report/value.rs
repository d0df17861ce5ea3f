//! Stored values as a person reads them, without one value looking like two.

use serde_json::Value as Json;

use crate::core::{Named, Value};

/// A value on a line of its own.
pub(super) fn show(value: &Json) -> String {
    match value {
        Json::Null => "none".to_owned(),
        Json::String(text) if text.is_empty() => "''".to_owned(),
        Json::String(text) if text.contains('→') => quoted(text),
        Json::String(text) => text.clone(),
        Json::Array(items) if items.is_empty() => "none".to_owned(),
        Json::Array(items) => items.iter().map(item).collect::<Vec<_>>().join(", "),
        Json::Object(entries) => map(entries.iter()),
        other => other.to_string(),
    }
}

/// A value among others on a line: a list is held together by brackets.
pub(super) fn show_inline(value: &Json) -> String {
    match value {
        Json::Array(items) if items.len() > 1 => format!("[{}]", show(value)),
        Json::String(_) => item(value),
        _ => show(value),
    }
}

/// Several attributes on one line: `after: 7 days, segment_by: symbol`.
pub(super) fn pairs<'a>(attributes: impl Iterator<Item = (&'a str, &'a Json)>) -> Vec<(String, String)> {
    attributes.map(|(name, value)| (name.to_owned(), show_inline(value))).collect()
}

/// A value where a comma would end it.
fn item(value: &Json) -> String {
    match value {
        Json::String(text) if text.is_empty() || text.contains('→') || has_open_comma(text) => quoted(text),
        Json::Array(items) => format!("[{}]", items.iter().map(item).collect::<Vec<_>>().join(", ")),
        Json::Object(entries) => map(entries.iter()),
        other => show(other),
    }
}

fn map<'a>(entries: impl Iterator<Item = (&'a String, &'a Json)>) -> String {
    let entries: Vec<String> = entries.map(|(key, value)| format!("{key}: {}", item(value))).collect();
    format!("{{{}}}", entries.join(", "))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a text has a comma outside of quotes and brackets.
fn has_open_comma(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => return true,
            (None, _) => {}
        }
    }
    false
}

/// Whether a change of an attribute is read better as a diff: of SQL, of a text of many lines, of a
/// list or a map.
pub(super) fn is_definition(name: &str, sides: [&Json; 2], desired: &Named<Value>) -> bool {
    let structured = |side: &Json| match side {
        Json::String(text) => text.contains('\n'),
        Json::Array(items) => !items.is_empty(),
        Json::Object(_) => true,
        _ => false,
    };
    matches!(desired.get(name), Some(Value::Sql(_))) || sides.into_iter().any(structured)
}

/// A value as the lines that a diff compares: one for each line, item or entry.
pub(super) fn lines(value: &Json) -> Vec<String> {
    match value {
        Json::Null => Vec::new(),
        Json::Array(items) => items.iter().map(show).collect(),
        Json::Object(entries) => entries.iter().map(|(key, value)| format!("{key}: {}", show(value))).collect(),
        Json::String(text) => super::escape::lines(text),
        other => vec![other.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_value_never_looks_like_two() {
        assert_eq!(show(&json!(["a", "b"])), "a, b");
        assert_eq!(show(&json!(["a, b"])), "'a, b'");
        assert_eq!(show(&json!(["coalesce(a, b)", "\"x, y\" desc"])), "coalesce(a, b), \"x, y\" desc");
        assert_eq!(show_inline(&json!(["a", "b"])), "[a, b]");
        assert_eq!(show_inline(&json!("1 day, drop_after: 2 days")), "'1 day, drop_after: 2 days'");
        assert_eq!(show(&json!("90 days → 1 day")), "'90 days → 1 day'");
    }

    #[test]
    fn nothing_has_a_word_too() {
        assert_eq!(show(&json!(null)), "none");
        assert_eq!(show(&json!([])), "none");
        assert_eq!(show(&json!("")), "''");
        assert_eq!(show(&json!({"a": 1, "b": [true, "x"]})), "{a: 1, b: [true, x]}");
    }
}
