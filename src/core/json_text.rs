//! A JSON value in one spelling, so that two that mean the same are the same text.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// JSON with its keys sorted and its numbers in their shortest form: `1.0` and `1` are one number,
/// as they are to `jsonb`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct JsonText(String);

impl JsonText {
    /// The text of a value.
    pub fn new(json: &Json) -> Self {
        let mut out = String::new();
        write(json, &mut out);
        Self(out)
    }

    /// Reads a text, such as `jsonb` prints; `None` where it is no JSON, or holds a number beyond
    /// what a double can.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<Json>(text).ok().map(|json| Self::new(&json))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn write(json: &Json, out: &mut String) {
    match json {
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write(item, out);
            }
            out.push(']');
        }
        Json::Object(entries) => {
            let sorted: BTreeMap<&String, &Json> = entries.iter().collect();
            out.push('{');
            for (at, (key, value)) in sorted.into_iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                out.push_str(&Json::from(key.as_str()).to_string());
                out.push_str(": ");
                write(value, out);
            }
            out.push('}');
        }
        Json::Number(number) => out.push_str(&shortest(number)),
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// A fraction without a fractional part is a whole number, as far as doubles hold them exactly.
fn shortest(number: &serde_json::Number) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64().filter(|value| number.is_f64() && value.fract() == 0.0 && value.abs() < EXACT) {
        // Negative zero is zero.
        Some(whole) => format!("{:.0}", whole + 0.0),
        None => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_is_the_same() {
        let same = [r#"{"b": 1.0, "a": [1e3, "x"]}"#, r#"{ "a":[1000,"x"],"b":1 }"#];
        let texts: Vec<JsonText> = same.iter().map(|text| JsonText::parse(text).unwrap()).collect();
        assert_eq!(texts[0], texts[1]);
        assert_eq!(texts[0].as_str(), r#"{"a": [1000, "x"], "b": 1}"#);
        assert_eq!(JsonText::parse("-0.0").unwrap().as_str(), "0");
    }

    #[test]
    fn what_differs_differs() {
        for (one, other) in [("1", "\"1\""), ("0.1", "0.10000000000000002"), ("[1, 2]", "[2, 1]"), ("{}", "null")] {
            assert_ne!(JsonText::parse(one), JsonText::parse(other), "{one} {other}");
        }
        assert_eq!(JsonText::parse("{"), None);
        assert_eq!(JsonText::parse("1e999"), None);
    }
}
