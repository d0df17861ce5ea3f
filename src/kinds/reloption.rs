//! Storage parameters (`pg_class.reloptions`) as the servers know them: what each takes, how strong
//! a lock changing it needs, and one form for each value however it is spelt.
//!
//! The table is that of `src/backend/access/common/reloptions.c`, PostgreSQL 14 to 18. A parameter
//! that is not in it is let through with a warning: the server may know more than this version.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::core::{LockMode, Value};

/// What a parameter takes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Sort {
    /// A truth value.
    Bool,
    /// A whole number from the first to the second.
    Int(i64, i64),
    /// A number from the first to the second.
    Real(f64, f64),
    /// `auto`, `on` or `off`.
    Auto,
}

/// What a parameter is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner<'a> {
    /// A table.
    Table,
    /// A table's TOAST table.
    Toast,
    /// An index of an access method.
    Index(&'a str),
}

/// One storage parameter.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// A value that it may have, as SQL has it.
    pub example: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// What it takes.
    pub sort: Sort,
    /// The lock that `ALTER … SET` and `RESET` take for it.
    pub lock: LockMode,
    /// What has it: `table`, `toast`, or an index access method.
    owners: &'static [&'static str],
}

const MAX: i64 = i32::MAX as i64;
const GENTLE: LockMode = LockMode::ShareUpdateExclusive;
const STRONG: LockMode = LockMode::AccessExclusive;
const TABLE: &[&str] = &["table"];
const BOTH: &[&str] = &["table", "toast"];

const fn parameter(
    name: &'static str,
    example: &'static str,
    owners: &'static [&'static str],
    lock: LockMode,
    sort: Sort,
    about: &'static str,
) -> Parameter {
    Parameter { name, example, about, sort, lock, owners }
}

static PARAMETERS: &[Parameter] = &[
    parameter(
        "fillfactor",
        "90",
        &["table", "btree", "hash", "gist", "spgist"],
        GENTLE,
        Sort::Int(10, 100),
        "How full a page is packed, in percent; the rest is kept for later rows.",
    ),
    parameter(
        "toast_tuple_target",
        "4096",
        TABLE,
        GENTLE,
        Sort::Int(128, 8160),
        "The row length in bytes from which on values are compressed or moved out of line.",
    ),
    parameter(
        "parallel_workers",
        "4",
        TABLE,
        GENTLE,
        Sort::Int(0, 1024),
        "How many workers a parallel scan of the table uses.",
    ),
    parameter(
        "user_catalog_table",
        "true",
        TABLE,
        STRONG,
        Sort::Bool,
        "Whether logical decoding may read the table as a catalog.",
    ),
    parameter(
        "vacuum_index_cleanup",
        "auto",
        BOTH,
        GENTLE,
        Sort::Auto,
        "Whether vacuum removes dead entries from the indexes.",
    ),
    parameter(
        "vacuum_truncate",
        "false",
        BOTH,
        GENTLE,
        Sort::Bool,
        "Whether vacuum gives empty pages at the end back to the system.",
    ),
    parameter(
        "vacuum_max_eager_freeze_failure_rate",
        "0.03",
        BOTH,
        GENTLE,
        Sort::Real(0.0, 1.0),
        "The share of pages that vacuum may scan for freezing in vain. PostgreSQL 18 and newer.",
    ),
    parameter("autovacuum_enabled", "true", BOTH, GENTLE, Sort::Bool, "Whether autovacuum works on the table."),
    parameter(
        "autovacuum_vacuum_threshold",
        "1000",
        BOTH,
        GENTLE,
        Sort::Int(0, MAX),
        "The least number of dead rows that makes autovacuum come.",
    ),
    parameter(
        "autovacuum_vacuum_max_threshold",
        "1000000",
        BOTH,
        GENTLE,
        Sort::Int(-1, MAX),
        "The most dead rows that autovacuum waits for; -1 for no such limit. PostgreSQL 18 and newer.",
    ),
    parameter(
        "autovacuum_vacuum_scale_factor",
        "0.02",
        BOTH,
        GENTLE,
        Sort::Real(0.0, 100.0),
        "The share of dead rows, added to the threshold, that makes autovacuum come.",
    ),
    parameter(
        "autovacuum_vacuum_insert_threshold",
        "10000",
        BOTH,
        GENTLE,
        Sort::Int(-1, MAX),
        "The least number of inserted rows that makes autovacuum come; -1 for never.",
    ),
    parameter(
        "autovacuum_vacuum_insert_scale_factor",
        "0.05",
        BOTH,
        GENTLE,
        Sort::Real(0.0, 100.0),
        "The share of inserted rows, added to the threshold, that makes autovacuum come.",
    ),
    parameter(
        "autovacuum_analyze_threshold",
        "1000",
        TABLE,
        GENTLE,
        Sort::Int(0, MAX),
        "The least number of changed rows that makes autovacuum analyze.",
    ),
    parameter(
        "autovacuum_analyze_scale_factor",
        "0.01",
        TABLE,
        GENTLE,
        Sort::Real(0.0, 100.0),
        "The share of changed rows, added to the threshold, that makes autovacuum analyze.",
    ),
    parameter(
        "autovacuum_vacuum_cost_delay",
        "2",
        BOTH,
        GENTLE,
        Sort::Real(0.0, 100.0),
        "How long autovacuum sleeps at its cost limit, in milliseconds.",
    ),
    parameter(
        "autovacuum_vacuum_cost_limit",
        "1000",
        BOTH,
        GENTLE,
        Sort::Int(1, 10_000),
        "The cost at which autovacuum sleeps.",
    ),
    parameter(
        "autovacuum_freeze_min_age",
        "50000000",
        BOTH,
        GENTLE,
        Sort::Int(0, 1_000_000_000),
        "The age in transactions from which on vacuum freezes a row.",
    ),
    parameter(
        "autovacuum_freeze_max_age",
        "200000000",
        BOTH,
        GENTLE,
        Sort::Int(100_000, 2_000_000_000),
        "The age in transactions at which autovacuum comes in any case.",
    ),
    parameter(
        "autovacuum_freeze_table_age",
        "150000000",
        BOTH,
        GENTLE,
        Sort::Int(0, 2_000_000_000),
        "The age in transactions from which on vacuum scans the whole table.",
    ),
    parameter(
        "autovacuum_multixact_freeze_min_age",
        "5000000",
        BOTH,
        GENTLE,
        Sort::Int(0, 1_000_000_000),
        "The age in multixacts from which on vacuum freezes one.",
    ),
    parameter(
        "autovacuum_multixact_freeze_max_age",
        "400000000",
        BOTH,
        GENTLE,
        Sort::Int(10_000, 2_000_000_000),
        "The age in multixacts at which autovacuum comes in any case.",
    ),
    parameter(
        "autovacuum_multixact_freeze_table_age",
        "150000000",
        BOTH,
        GENTLE,
        Sort::Int(0, 2_000_000_000),
        "The age in multixacts from which on vacuum scans the whole table.",
    ),
    parameter(
        "log_autovacuum_min_duration",
        "1000",
        BOTH,
        GENTLE,
        Sort::Int(-1, MAX),
        "How long an autovacuum must take to be logged, in milliseconds; -1 for never.",
    ),
    parameter("deduplicate_items", "false", &["btree"], GENTLE, Sort::Bool, "Whether equal keys are stored once."),
    parameter("buffering", "auto", &["gist"], STRONG, Sort::Auto, "Whether the index is built with buffers."),
    parameter(
        "fastupdate",
        "false",
        &["gin"],
        STRONG,
        Sort::Bool,
        "Whether new entries are first gathered in a pending list.",
    ),
    parameter(
        "gin_pending_list_limit",
        "4096",
        &["gin"],
        STRONG,
        Sort::Int(64, MAX),
        "How large the pending list may grow, in kB.",
    ),
    parameter(
        "pages_per_range",
        "32",
        &["brin"],
        STRONG,
        Sort::Int(1, 131_072),
        "How many table pages one entry summarizes.",
    ),
    parameter(
        "autosummarize",
        "true",
        &["brin"],
        STRONG,
        Sort::Bool,
        "Whether a new range is summarized as soon as the next one begins.",
    ),
];

impl Owner<'_> {
    fn word(&self) -> &str {
        match self {
            Self::Table => "table",
            Self::Toast => "toast",
            Self::Index(method) => method,
        }
    }
}

/// The parameter of a name, where this version knows it of that owner.
pub fn known(name: &str, owner: Owner<'_>) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.name == name && parameter.owners.contains(&owner.word()))
}

/// Every parameter that any of these has, each name once.
pub fn all_of(is_wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = &'static Parameter> {
    PARAMETERS.iter().filter(move |parameter| parameter.owners.iter().any(|owner| is_wanted(owner)))
}

/// Whatever has a parameter of this name: `table`, `toast`, or the access method of an index.
pub fn owners(name: &str) -> impl Iterator<Item = &'static str> {
    PARAMETERS
        .iter()
        .filter(move |parameter| parameter.name == name)
        .flat_map(|parameter| parameter.owners.iter().copied())
}

/// The known name nearest to one that is not known.
pub fn nearest(name: &str, owner: Owner<'_>) -> Option<&'static str> {
    let candidates = PARAMETERS.iter().filter(|parameter| parameter.owners.contains(&owner.word()));
    let scored = candidates.map(|parameter| (strsim::jaro_winkler(parameter.name, name), parameter.name));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// A parameter's value as policies write it; null goes back to the server's default.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(untagged)]
pub enum Written {
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// Anything else, in words.
    Text(String),
}

/// Parameters as policies write them.
pub type WrittenMap = BTreeMap<String, Option<Written>>;

impl JsonSchema for Written {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StorageParameter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["boolean", "number", "string"] })
    }
}

impl Written {
    /// The value in the one form that is compared.
    ///
    /// # Errors
    /// What the parameter takes instead, in words.
    pub fn read(&self, parameter: Option<&Parameter>) -> Result<Value, String> {
        let text = match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.trim().to_owned(),
        };
        if text.contains('\0') {
            return Err("text without a NUL character".to_owned());
        }
        let Some(parameter) = parameter else { return Ok(canonical(None, &text)) };
        let value = canonical(Some(parameter), &text);
        if parameter.sort.takes(&value) { Ok(value) } else { Err(parameter.sort.words()) }
    }
}

impl Sort {
    fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Bool, Value::Bool(_)) | (Self::Auto, Value::Bool(_)) => true,
            (Self::Auto, Value::Text(text)) => text == "auto",
            (Self::Int(least, most), Value::Int(number)) => (least..=most).contains(number),
            (Self::Real(least, most), Value::Int(number)) => (least..=most).contains(&(*number as f64)),
            (Self::Real(least, most), Value::Text(text)) => {
                text.parse::<f64>().is_ok_and(|number| (least..=most).contains(&number))
            }
            _ => false,
        }
    }

    fn words(self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Int(least, most) => format!("a whole number from {least} to {most}"),
            Self::Real(least, most) => format!("a number from {least} to {most}"),
            Self::Auto => "auto, on or off".to_owned(),
        }
    }

    /// Null is for the server's default, and text for a value that `${…}` stands for.
    fn schema(self) -> Json {
        match self {
            Self::Bool | Self::Auto => json!({ "type": ["boolean", "string", "null"] }),
            Self::Int(least, most) => {
                json!({ "type": ["integer", "string", "null"], "minimum": least, "maximum": most })
            }
            Self::Real(least, most) => {
                json!({ "type": ["number", "string", "null"], "minimum": least, "maximum": most })
            }
        }
    }
}

/// One form for each value: truth values as such, whole numbers as such, other numbers as the
/// shortest decimal, and the rest as it is.
pub fn canonical(parameter: Option<&Parameter>, text: &str) -> Value {
    let as_bool = || truth(text).map(Value::Bool);
    let found = match parameter.map(|parameter| parameter.sort) {
        Some(Sort::Bool) => as_bool(),
        Some(Sort::Auto) if text.eq_ignore_ascii_case("auto") => Some(Value::text("auto")),
        Some(Sort::Auto) => as_bool(),
        Some(Sort::Int(..) | Sort::Real(..)) => number(text),
        // `1` may be either here; the server keeps whichever it is given.
        None => number(text).or_else(as_bool),
    };
    found.unwrap_or_else(|| Value::text(text))
}

/// As the server's `parse_bool` reads it: a whole word or a beginning of it that is no other's.
fn truth(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let begins = |word: &str| !text.is_empty() && word.starts_with(&text);
    match text.as_str() {
        "1" => Some(true),
        "0" => Some(false),
        "o" => None,
        _ if begins("true") || begins("yes") || text == "on" => Some(true),
        _ if begins("false") || begins("no") || begins("off") => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Option<Value> {
    let number: f64 = text.trim().parse().ok().filter(|number: &f64| number.is_finite())?;
    // Beyond 2^53 a float no longer tells neighbours apart; no parameter goes there.
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Some(Value::Int(number as i64));
    }
    Some(Value::text(number.to_string()))
}

/// A canonical value as policies write it.
pub fn written(value: &Value) -> Json {
    let number = value.as_text().and_then(|text| text.parse::<f64>().ok().filter(|number| number.to_string() == text));
    number.map_or_else(|| value.to_json(), |number| json!(number))
}

/// Splits the server's `name=value`.
pub fn split(option: &str) -> Option<(&str, &str)> {
    option.split_once('=')
}

/// The schema of a map of parameters: every known one by name, and any other.
pub fn schema(parameters: impl Iterator<Item = (String, &'static Parameter)>) -> Json {
    let mut properties = serde_json::Map::new();
    for (name, parameter) in parameters {
        let mut schema = parameter.sort.schema();
        if let Some(schema) = schema.as_object_mut() {
            let example = match canonical(Some(parameter), parameter.example) {
                Value::Text(text) => text.parse::<f64>().map_or(json!(text), |number| json!(number)),
                other => other.to_json(),
            };
            schema.insert("description".to_owned(), json!(parameter.about));
            schema.insert("examples".to_owned(), json!([example]));
        }
        properties.insert(name, schema);
    }
    json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": { "type": ["boolean", "number", "string", "null"] },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, text: &str) -> Value {
        canonical(known(name, Owner::Table), text)
    }

    #[test]
    fn one_value_has_one_form_however_it_is_spelt() {
        for text in ["0.02", "0.020", "2e-2", "+0.02", " 0.02"] {
            assert_eq!(table("autovacuum_vacuum_scale_factor", text), Value::text("0.02"), "{text}");
        }
        for text in ["on", "true", "1", "yes", "TRUE", "t", "y"] {
            assert_eq!(table("autovacuum_enabled", text), Value::Bool(true), "{text}");
        }
        for text in ["off", "false", "0", "no", "of", "f", "n"] {
            assert_eq!(table("autovacuum_enabled", text), Value::Bool(false), "{text}");
        }
        assert_eq!(table("autovacuum_vacuum_scale_factor", "1.0"), Value::Int(1));
        assert_eq!(table("vacuum_index_cleanup", "AUTO"), Value::text("auto"));
        assert_eq!(table("vacuum_index_cleanup", "off"), Value::Bool(false));
        assert_eq!(table("autovacuum_enabled", "o"), Value::text("o"));
        assert_eq!(table("fillfactor", "70"), Value::Int(70));
        assert_eq!(table("something_new", "on"), Value::Bool(true));
        assert_eq!(table("something_new", "a=b"), Value::text("a=b"));
    }

    #[test]
    fn what_a_parameter_does_not_take_is_told_in_words() {
        let read = |name: &str, written: Written| written.read(known(name, Owner::Table));
        assert_eq!(read("fillfactor", Written::Number(70.into())), Ok(Value::Int(70)));
        assert_eq!(read("fillfactor", Written::Text("70".into())), Ok(Value::Int(70)));
        let wrong = Err("a whole number from 10 to 100".to_owned());
        assert_eq!(read("fillfactor", Written::Number(9.into())), wrong);
        assert_eq!(read("fillfactor", Written::Bool(true)), wrong);
        assert_eq!(read("fillfactor", Written::Text("70.5".into())), wrong);
        assert_eq!(read("autovacuum_enabled", Written::Text("perhaps".into())), Err("true or false".to_owned()));
        assert_eq!(read("autovacuum_vacuum_scale_factor", Written::Number(0.into())), Ok(Value::Int(0)));
        assert!(read("autovacuum_vacuum_scale_factor", Written::Text("NaN".into())).is_err());
        assert_eq!(read("something_new", Written::Text("x".into())), Ok(Value::text("x")));
        assert!(read("something_new", Written::Text("a\0".into())).is_err());
    }

    #[test]
    fn a_parameter_belongs_to_what_has_it() {
        assert!(known("fillfactor", Owner::Table).is_some());
        assert!(known("fillfactor", Owner::Toast).is_none());
        assert!(known("fillfactor", Owner::Index("gin")).is_none());
        assert!(known("fastupdate", Owner::Index("gin")).is_some());
        assert!(known("autovacuum_enabled", Owner::Toast).is_some());
        assert_eq!(nearest("fillfacto", Owner::Table), Some("fillfactor"));
        assert_eq!(nearest("autovacuum_enable", Owner::Toast), Some("autovacuum_enabled"));
        assert_eq!(nearest("x", Owner::Table), None);
    }

    #[test]
    fn every_example_is_a_value_that_the_parameter_takes() {
        for parameter in PARAMETERS {
            let written = Written::Text(parameter.example.to_owned());
            assert!(written.read(Some(parameter)).is_ok(), "{}", parameter.name);
        }
    }
}
