//! Key columns as policies write them, for indexes and for the order inside a columnstore:
//! `time desc nulls last`, or a mapping where more must be said.

use schemars::JsonSchema;
use serde::Deserialize;

use serde_json::Value as Json;

use crate::core::name::quote_identifier;
use crate::core::{KeyColumn, KeyTarget, QualifiedName};
use crate::diag::{Diagnostic, code};
use crate::kinds::{Entries, SectionInput};

/// A key column: `name [asc|desc] [nulls first|last]`, or a mapping.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum KeySpec {
    /// A column's exact name, optionally followed by `asc` or `desc` and `nulls first` or
    /// `nulls last`. Double quotes protect a name that holds a space or a bracket.
    Text(#[schemars(example = &"time desc")] String),
    /// The same in parts, and what the short form cannot say.
    Parts(KeyParts),
}

/// A key column in parts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyParts {
    /// The column's exact name. Either this or `expression`.
    #[schemars(example = &"time")]
    pub column: Option<String>,
    /// An SQL expression over the table's columns. Either this or `column`.
    #[schemars(example = &"lower(symbol)")]
    pub expression: Option<String>,
    /// Ascending (the default) or descending.
    #[serde(default)]
    pub order: Order,
    /// Where NULLs stand. Without it, as in SQL: last when ascending, first when descending.
    pub nulls: Option<Nulls>,
    /// The operator class, where it is not the type's default. Without a schema it is one of
    /// PostgreSQL's own; an extension's is written with it, such as `public.gin_trgm_ops`.
    #[schemars(example = &"text_pattern_ops")]
    pub opclass: Option<String>,
    /// The collation, where it is not the column's own. Without a schema it is one of PostgreSQL's
    /// own.
    #[schemars(example = &"C")]
    pub collation: Option<String>,
}

/// The direction of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("default" = "asc"))]
pub enum Order {
    /// From the smallest on.
    #[default]
    Asc,
    /// From the largest on.
    Desc,
}

/// The side on which NULLs stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Nulls {
    /// Before every other value.
    First,
    /// After every other value.
    Last,
}

impl KeySpec {
    /// The key column, read at `below` the section (such as `/columns/0`); `None` where it is none,
    /// which was then reported.
    pub fn read(&self, input: &SectionInput<'_>, below: &str, sink: &mut Vec<Diagnostic>) -> Option<KeyColumn> {
        match self {
            Self::Text(text) => match parse_text(text) {
                Ok(key) => {
                    let name = key.column_name().unwrap_or_default();
                    input.identifier(name, below, sink)?;
                    Some(key)
                }
                Err(error) => {
                    sink.push(error.diagnostic(text).at(input.place(below)));
                    None
                }
            },
            Self::Parts(parts) => parts.read(input, below, sink),
        }
    }
}

impl KeyParts {
    fn read(&self, input: &SectionInput<'_>, below: &str, sink: &mut Vec<Diagnostic>) -> Option<KeyColumn> {
        let at = |key: &str| format!("{below}/{key}");
        let target = match (&self.column, &self.expression) {
            (Some(column), None) => input.identifier(column, &at("column"), sink).map(KeyTarget::Column),
            (None, Some(text)) => input.expression(text, &at("expression"), sink).map(KeyTarget::Expression),
            (Some(_), Some(_)) => {
                sink.push(
                    Diagnostic::error(&code::WRONG_VALUE, "a key column is a `column` or an `expression`, not both")
                        .at(input.key_place(&at("expression")))
                        .and_at(input.key_place(&at("column")), "and here")
                        .help("keep one of them"),
                );
                None
            }
            (None, None) => {
                sink.push(
                    Diagnostic::error(&code::MISSING_KEY, "a key column needs a `column` or an `expression`")
                        .at(input.place(below)),
                );
                None
            }
        };
        let opclass = self.opclass.as_ref().map(|text| read_builtin_name(text, input, &at("opclass"), sink));
        let collation = self.collation.as_ref().map(|text| read_builtin_name(text, input, &at("collation"), sink));
        Some(KeyColumn {
            target: target?,
            descending: self.order == Order::Desc,
            nulls_first: nulls_first(self.order, self.nulls),
            opclass: opclass.map_or(Some(None), |name| name.map(Some))?,
            collation: collation.map_or(Some(None), |name| name.map(Some))?,
        })
    }
}

/// A name that is in `pg_catalog` unless another schema is written.
fn read_builtin_name(
    text: &str,
    input: &SectionInput<'_>,
    below: &str,
    sink: &mut Vec<Diagnostic>,
) -> Option<QualifiedName> {
    match QualifiedName::parse(&format!("pg_catalog.{}", text.trim())) {
        Ok(name) => Some(name),
        // Two parts of its own, or no name at all: the text says it best itself.
        Err(_) => input.name(text, below, sink),
    }
}

/// NULLS LAST when ascending and FIRST when descending, unless it is written.
fn nulls_first(order: Order, nulls: Option<Nulls>) -> bool {
    nulls.map_or(order == Order::Desc, |nulls| nulls == Nulls::First)
}

/// A key column as policies write it: in the short form wherever that says it all.
pub fn written(key: &KeyColumn) -> Json {
    let side = |first: bool| if first { "first" } else { "last" };
    let nulls = (key.nulls_first != key.descending).then(|| side(key.nulls_first));
    let plain = key.opclass.is_none() && key.collation.is_none();
    if let (Some(name), true) = (key.column_name(), plain) {
        let order = if key.descending { " desc" } else { "" };
        let nulls = nulls.map(|side| format!(" nulls {side}")).unwrap_or_default();
        let bare = format!("{name}{order}{nulls}");
        // Bare as it is, unless something in the name would be read as more than that.
        let is_read = parse_text(&bare).as_ref() == Ok(key);
        return Json::String(if is_read { bare } else { format!("\"{}\"{order}{nulls}", name.replace('"', "\"\"")) });
    }
    let builtin = |name: &QualifiedName| match name.schema.as_str() {
        "pg_catalog" => quote_identifier(&name.name),
        _ => name.to_string(),
    };
    let target = match &key.target {
        KeyTarget::Column(name) => Entries::default().with("column", name.as_str()),
        KeyTarget::Expression(sql) => Entries::default().with("expression", sql.as_str()),
    };
    target
        .with_some("order", key.descending.then_some("desc"))
        .with_some("nulls", nulls)
        .with_some("opclass", key.opclass.as_ref().map(builtin))
        .with_some("collation", key.collation.as_ref().map(builtin))
        .into_json()
}

/// Why a short form is no key column.
#[derive(Clone, PartialEq, Eq, Debug)]
enum KeyError {
    /// There is no name.
    Empty,
    /// A double quote opens and does not close.
    UnclosedQuote,
    /// The bare name holds a bracket: most likely an expression.
    Expression,
    /// A word after the name that is none of the four.
    Unexpected(String),
}

impl KeyError {
    fn diagnostic(&self, text: &str) -> Diagnostic {
        const FORM: &str = "write it as `name [asc|desc] [nulls first|last]`, or as a mapping with `column`";
        match self {
            Self::Empty => Diagnostic::error(&code::BAD_NAME, "the key column's name is empty").help(FORM),
            Self::UnclosedQuote => {
                Diagnostic::error(&code::BAD_NAME, format!("a double quote in `{text}` is opened and never closed"))
                    .help(FORM)
            }
            Self::Expression => Diagnostic::error(
                &code::WRONG_VALUE,
                format!("`{text}` looks like an expression, not a column"),
            )
            .help(format!("write `{{expression: '{text}'}}`; if it is a column's name, protect it with double quotes")),
            Self::Unexpected(word) => {
                Diagnostic::error(&code::WRONG_VALUE, format!("`{word}` is not understood after the column's name"))
                    .help(format!("{FORM}; double quotes protect a name that holds a space"))
            }
        }
    }
}

/// Reads `name [asc|desc] [nulls first|last]`.
fn parse_text(text: &str) -> Result<KeyColumn, KeyError> {
    let (name, rest) = split_name(text.trim())?;
    if name.is_empty() {
        return Err(KeyError::Empty);
    }
    let mut words = rest.split_whitespace().peekable();
    let is = |word: &str, wanted: &str| word.eq_ignore_ascii_case(wanted);
    let order = match words.next_if(|word| is(word, "asc") || is(word, "desc")) {
        Some(word) if is(word, "desc") => Order::Desc,
        _ => Order::Asc,
    };
    let nulls = match words.next_if(|word| is(word, "nulls")) {
        None => None,
        Some(nulls) => match words.next() {
            Some(side) if is(side, "first") => Some(Nulls::First),
            Some(side) if is(side, "last") => Some(Nulls::Last),
            other => return Err(KeyError::Unexpected(other.unwrap_or(nulls).to_owned())),
        },
    };
    if let Some(word) = words.next() {
        return Err(KeyError::Unexpected(word.to_owned()));
    }
    Ok(KeyColumn {
        descending: order == Order::Desc,
        nulls_first: nulls_first(order, nulls),
        ..KeyColumn::column(name)
    })
}

/// The name at the beginning, without its quotes, and what follows it.
fn split_name(text: &str) -> Result<(String, &str), KeyError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return match name.find(['(', ')', '"']) {
            Some(_) => Err(KeyError::Expression),
            None => Ok((name.to_owned(), rest)),
        };
    };
    let mut name = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            name.push(c);
        } else if chars.next_if(|(_, next)| *next == '"').is_some() {
            name.push('"');
        } else {
            let rest = quoted.get(at + 1..).unwrap_or("");
            if rest.chars().next().is_some_and(|c| !c.is_whitespace()) {
                return Err(KeyError::Unexpected(rest.to_owned()));
            }
            return Ok((name, rest));
        }
    }
    Err(KeyError::UnclosedQuote)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::fixture;

    fn read(text: &str) -> (String, bool, bool) {
        let key = parse_text(text).unwrap();
        (key.column_name().unwrap().to_owned(), key.descending, key.nulls_first)
    }

    #[test]
    fn nulls_stand_where_sql_puts_them_unless_it_is_written() {
        assert_eq!(read("time"), ("time".to_owned(), false, false));
        assert_eq!(read("time asc"), ("time".to_owned(), false, false));
        assert_eq!(read("time DESC"), ("time".to_owned(), true, true));
        assert_eq!(read("time desc nulls last"), ("time".to_owned(), true, false));
        assert_eq!(read("time nulls first"), ("time".to_owned(), false, true));
        assert_eq!(read("  time   asc  NULLS   FIRST "), ("time".to_owned(), false, true));
    }

    #[test]
    fn names_are_exact_and_quotes_protect_them() {
        assert_eq!(read("Symbol").0, "Symbol");
        assert_eq!(read("\"My col\" desc").0, "My col");
        assert_eq!(read("\"a\"\"b\"").0, "a\"b");
        assert_eq!(read("\"desc\" desc").0, "desc");
        assert_eq!(read("desc").0, "desc");
        assert_eq!(read("a.b").0, "a.b");
        assert_eq!(read("\"lower(x)\"").0, "lower(x)");
    }

    #[test]
    fn what_is_printed_reads_back() {
        for text in ["time desc", "\"A b\" nulls first", "\"a\"\"b\" desc nulls last", "\"order\""] {
            let key = parse_text(text).unwrap();
            assert_eq!(parse_text(&key.to_string()), Ok(key));
        }
    }

    #[test]
    fn what_is_written_is_short_and_reads_back() {
        for (text, short) in [
            ("time desc", "time desc"),
            ("time desc nulls first", "time desc"),
            ("time asc nulls last", "time"),
            ("Symbol nulls first", "Symbol nulls first"),
            ("\"A b\" desc nulls last", "\"A b\" desc nulls last"),
            ("\"a\"\"b\"", "\"a\"\"b\""),
            ("\"lower(x)\"", "\"lower(x)\""),
            ("\"order\" desc", "order desc"),
            ("\"desc\"", "desc"),
            ("\" a\"", "\" a\""),
        ] {
            let key = parse_text(text).unwrap();
            assert_eq!(written(&key), json!(short), "{text}");
            assert_eq!(parse_text(short), Ok(key), "{text}");
        }
        for mapping in [
            json!({"expression": "lower(a)", "order": "desc", "nulls": "last", "opclass": "text_pattern_ops"}),
            json!({"column": "a", "collation": "\"C\""}),
            json!({"column": "a b", "nulls": "first", "opclass": "app.\"My ops\""}),
        ] {
            let (key, _) = parts(mapping.clone());
            assert_eq!(written(&key.unwrap()), mapping);
        }
    }

    #[test]
    fn what_is_no_key_column_is_refused() {
        let wrong = |word: &str| Err(KeyError::Unexpected(word.to_owned()));
        assert_eq!(parse_text(""), Err(KeyError::Empty));
        assert_eq!(parse_text("\"\" desc"), Err(KeyError::Empty));
        assert_eq!(parse_text("\"a"), Err(KeyError::UnclosedQuote));
        assert_eq!(parse_text("lower(x)"), Err(KeyError::Expression));
        assert_eq!(parse_text("my col"), wrong("col"));
        assert_eq!(parse_text("a descending"), wrong("descending"));
        assert_eq!(parse_text("a nulls"), wrong("nulls"));
        assert_eq!(parse_text("a first"), wrong("first"));
        assert_eq!(parse_text("a desc last"), wrong("last"));
        assert_eq!(parse_text("a nulls first last"), wrong("last"));
        assert_eq!(parse_text("\"a\"b"), wrong("b"));
    }

    fn parts(spec: serde_json::Value) -> (Option<KeyColumn>, Vec<&'static str>) {
        let spec: KeySpec = serde_json::from_value(spec).unwrap();
        let mut sink = Vec::new();
        let key = fixture::with_input(|input| spec.read(input, "/columns/0", &mut sink));
        (key, fixture::codes(&sink))
    }

    #[test]
    fn a_mapping_says_what_the_short_form_cannot() {
        let (key, sink) = parts(json!({
            "expression": "lower(symbol)", "order": "desc", "nulls": "last", "opclass": "text_pattern_ops",
            "collation": "app.german",
        }));
        assert_eq!(sink, Vec::<&str>::new());
        let key = key.unwrap();
        assert_eq!(key.to_string(), "(lower(symbol)) collate app.german pg_catalog.text_pattern_ops desc nulls last");
        let (key, _) = parts(json!({"column": "my col desc"}));
        assert_eq!(key, Some(KeyColumn::column("my col desc")), "a plain name, exact");
        assert_eq!(parts(json!({"column": "a", "order": "desc"})).0, parse_text("a desc").ok());
        assert_eq!(parts(json!("a nulls first")).0, parse_text("a nulls first").ok());
    }

    #[test]
    fn a_mapping_is_one_thing() {
        assert_eq!(parts(json!({"column": "a", "expression": "b"})), (None, vec!["wrong-value"]));
        assert_eq!(parts(json!({"order": "desc"})), (None, vec!["missing-key"]));
        assert_eq!(parts(json!({"expression": "a); DROP TABLE x; --"})), (None, vec!["bad-expression"]));
        assert_eq!(parts(json!({"column": "x".repeat(64)})), (None, vec!["bad-name"]));
        assert_eq!(parts(json!({"column": "a", "opclass": "a.b.c"})), (None, vec!["bad-name"]));
        assert_eq!(parts(json!("lower(a)")), (None, vec!["wrong-value"]));
        assert_eq!(parts(json!("x".repeat(64))), (None, vec!["bad-name"]));
    }
}
