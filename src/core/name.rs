//! Names as PostgreSQL knows them: exact, never case-folded, quoted only where they must be.

use std::fmt;
use std::str::FromStr;

/// The longest identifier PostgreSQL keeps, in bytes (`NAMEDATALEN - 1`). A longer one is cut
/// silently by the server, so Chronoform refuses it instead.
pub const MAX_IDENTIFIER_BYTES: usize = 63;

/// The schema that a policy means when it names none.
pub const DEFAULT_SCHEMA: &str = "public";

/// A relation's (or function's, collation's, …) schema and name, both exact.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct QualifiedName {
    /// The schema, unquoted.
    pub schema: String,
    /// The name within the schema, unquoted.
    pub name: String,
}

/// Why a name written in a policy is not a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NameError {
    /// There is no text, or a part of it is empty.
    Empty,
    /// A double quote opens and does not close.
    UnclosedQuote,
    /// Text follows a closing quote, or there are more than two parts.
    TooManyParts,
    /// A part is longer than [`MAX_IDENTIFIER_BYTES`]; carries the part and its length in bytes.
    TooLong(String, usize),
    /// A NUL character, which PostgreSQL cannot store.
    Nul,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the name is empty, or a part of it is"),
            Self::UnclosedQuote => f.write_str("a double quote is opened and never closed"),
            Self::TooManyParts => {
                f.write_str("a name has at most a schema and a name; protect a dot inside one with double quotes")
            }
            Self::TooLong(part, bytes) => write!(
                f,
                "`{part}` is {bytes} bytes long; PostgreSQL keeps {MAX_IDENTIFIER_BYTES} and cuts the rest silently"
            ),
            Self::Nul => f.write_str("the name holds a NUL character"),
        }
    }
}

impl std::error::Error for NameError {}

impl QualifiedName {
    /// A name from its two exact parts; nothing is checked.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// Reads the form policies use: `name`, `schema.name`, `"Odd schema"."a.b"`.
    ///
    /// # Errors
    /// When the text is not one or two identifiers, or one is too long.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut parts = split(text)?;
        for part in &parts {
            check_identifier(part)?;
        }
        match (parts.pop(), parts.pop(), parts.pop()) {
            (Some(name), None, _) => Ok(Self::new(DEFAULT_SCHEMA, name)),
            (Some(name), Some(schema), None) => Ok(Self::new(schema, name)),
            (None, ..) => Err(NameError::Empty),
            _ => Err(NameError::TooManyParts),
        }
    }
}

impl FromStr for QualifiedName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", quote_identifier(&self.schema), quote_identifier(&self.name))
    }
}

/// Checks one unquoted identifier: not empty, no NUL, not over [`MAX_IDENTIFIER_BYTES`].
///
/// # Errors
/// The first rule that it breaks.
pub fn check_identifier(part: &str) -> Result<(), NameError> {
    if part.is_empty() {
        return Err(NameError::Empty);
    }
    if part.contains('\0') {
        return Err(NameError::Nul);
    }
    if part.len() > MAX_IDENTIFIER_BYTES {
        return Err(NameError::TooLong(part.to_owned(), part.len()));
    }
    Ok(())
}

/// Splits at dots outside double quotes and takes the quotes off.
fn split(text: &str) -> Result<Vec<String>, NameError> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_part(quoted)?,
            None => match rest.split_once('.') {
                Some((part, _)) => (part.to_owned(), rest.get(part.len()..).unwrap_or("")),
                None => (rest.to_owned(), ""),
            },
        };
        parts.push(part);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(parts),
            None => return Err(NameError::TooManyParts),
        }
    }
}

/// Reads up to the closing quote (a doubled one is a quote); returns the part and what follows it.
fn quoted_part(text: &str) -> Result<(String, &str), NameError> {
    let mut part = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            part.push(c);
        } else if chars.next_if(|(_, next)| *next == '"').is_some() {
            part.push('"');
        } else {
            return Ok((part, text.get(at + 1..).unwrap_or("")));
        }
    }
    Err(NameError::UnclosedQuote)
}

/// The identifier as SQL: bare where PostgreSQL would read it back unchanged, else double-quoted.
pub fn quote_identifier(name: &str) -> String {
    let bare = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && RESERVED.binary_search(&name).is_err();
    if bare { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The text as an SQL string literal, safe under either setting of `standard_conforming_strings`.
pub fn quote_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') { format!("E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

/// Every keyword that PostgreSQL 17 does not accept bare everywhere a name may stand
/// (`src/include/parser/kwlist.h`: all but UNRESERVED_KEYWORD), sorted. `time` and `timestamp` are
/// left out: they are COL_NAME_KEYWORDs, accepted bare as the name of a column or relation, and
/// half the columns here are called that.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_schema_is_in_public() {
        assert_eq!(QualifiedName::parse("trades").unwrap(), QualifiedName::new("public", "trades"));
    }

    #[test]
    fn case_is_kept_and_quotes_protect_a_dot() {
        let name = QualifiedName::parse("\"Odd schema\".\"a.b\"").unwrap();
        assert_eq!(name, QualifiedName::new("Odd schema", "a.b"));
        assert_eq!(name.to_string(), "\"Odd schema\".\"a.b\"");
        assert_eq!(QualifiedName::parse("App.Trades").unwrap(), QualifiedName::new("App", "Trades"));
    }

    #[test]
    fn what_is_printed_reads_back() {
        for (schema, name) in [("s", "a\"b"), ("select", "Zeit"), ("ü", "数据"), ("a.b", "c\\d"), ("$x", "1a")] {
            let name = QualifiedName::new(schema, name);
            assert_eq!(QualifiedName::parse(&name.to_string()).unwrap(), name);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        assert_eq!(QualifiedName::parse(""), Err(NameError::Empty));
        assert_eq!(QualifiedName::parse("a."), Err(NameError::Empty));
        assert_eq!(QualifiedName::parse("a.b.c"), Err(NameError::TooManyParts));
        assert_eq!(QualifiedName::parse("\"a\"b"), Err(NameError::TooManyParts));
        assert_eq!(QualifiedName::parse("\"a"), Err(NameError::UnclosedQuote));
        assert!(matches!(QualifiedName::parse(&"é".repeat(32)), Err(NameError::TooLong(_, 64))));
    }

    #[test]
    fn the_keyword_list_is_sorted_for_its_search() {
        assert!(RESERVED.is_sorted());
        assert_eq!(quote_identifier("order"), "\"order\"");
        assert_eq!(quote_identifier("symbol"), "symbol");
    }

    #[test]
    fn literals_survive_quotes_and_backslashes() {
        assert_eq!(quote_literal("it's"), "'it''s'");
        assert_eq!(quote_literal("a\\'b"), "E'a\\\\''b'");
    }
}
