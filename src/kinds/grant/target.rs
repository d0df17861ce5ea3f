//! What privileges are on, as it stands in addresses: `table public.trades`.

use crate::core::QualifiedName;
use crate::core::name::quote_identifier;

/// Something that privileges are granted on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Target {
    /// The database that is connected to.
    Database,
    /// A schema.
    Schema(String),
    /// A table, view, materialized view, foreign table or continuous aggregate.
    Table(QualifiedName),
    /// All of those in a schema, as they are at the time.
    TablesIn(String),
    /// A sequence.
    Sequence(QualifiedName),
    /// All sequences in a schema.
    SequencesIn(String),
    /// A function or procedure, with the types of its arguments.
    Function(QualifiedName, String),
    /// All functions and procedures in a schema.
    FunctionsIn(String),
    /// A type or domain. No policy grants on one by its name: what a role has there, default privileges
    /// gave, or somebody by hand.
    Type(QualifiedName),
    /// Another role, to be a member of.
    Role(String),
    /// What a role makes later.
    Later {
        /// The role that makes it.
        by: String,
        /// In this schema only.
        schema: Option<String>,
        /// `tables`, `sequences`, `functions`, `types` or `schemas`.
        what: String,
    },
}

/// The sorts of what is made later, with the letters of `pg_default_acl.defaclobjtype`.
pub const LATER: [(&str, &str); 5] =
    [("tables", "r"), ("sequences", "S"), ("functions", "f"), ("types", "T"), ("schemas", "n")];

impl Target {
    /// The name in addresses.
    pub fn name(&self) -> String {
        let ident = quote_identifier;
        match self {
            Self::Database => "database".to_owned(),
            Self::Schema(name) => format!("schema {}", ident(name)),
            Self::Table(name) => format!("table {name}"),
            Self::TablesIn(schema) => format!("all tables in {}", ident(schema)),
            Self::Sequence(name) => format!("sequence {name}"),
            Self::SequencesIn(schema) => format!("all sequences in {}", ident(schema)),
            Self::Function(name, arguments) => format!("function {name}({arguments})"),
            Self::FunctionsIn(schema) => format!("all functions in {}", ident(schema)),
            Self::Type(name) => format!("type {name}"),
            Self::Role(role) => format!("role {}", ident(role)),
            Self::Later { by, schema: Some(schema), what } => {
                format!("later {what} of {} in {}", ident(by), ident(schema))
            }
            Self::Later { by, schema: None, what } => format!("later {what} of {}", ident(by)),
        }
    }

    /// Reads [`Self::name`]; `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let after = |word: &str| text.strip_prefix(word);
        let one =
            |text: &str| identifiers(text, "").filter(|list| list.len() == 1).and_then(|list| list.into_iter().next());
        let found = if text == "database" {
            Self::Database
        } else if let Some(rest) = after("schema ") {
            Self::Schema(one(rest)?)
        } else if let Some(rest) = after("table ") {
            Self::Table(QualifiedName::parse(rest).ok()?)
        } else if let Some(rest) = after("all tables in ") {
            Self::TablesIn(one(rest)?)
        } else if let Some(rest) = after("sequence ") {
            Self::Sequence(QualifiedName::parse(rest).ok()?)
        } else if let Some(rest) = after("all sequences in ") {
            Self::SequencesIn(one(rest)?)
        } else if let Some(rest) = after("function ") {
            let (name, arguments) = split_signature(rest)?;
            Self::Function(QualifiedName::parse(name).ok()?, arguments.to_owned())
        } else if let Some(rest) = after("all functions in ") {
            Self::FunctionsIn(one(rest)?)
        } else if let Some(rest) = after("type ") {
            Self::Type(QualifiedName::parse(rest).ok()?)
        } else if let Some(rest) = after("role ") {
            Self::Role(one(rest)?)
        } else {
            let (what, rest) = after("later ")?.split_once(" of ")?;
            let mut names = identifiers(rest, " in ")?.into_iter();
            Self::Later { by: names.next()?, schema: names.next(), what: what.to_owned() }
        };
        (found.name() == text).then_some(found)
    }

    /// All that the schema has of the sort, where this is one of those.
    pub fn whole(&self) -> Option<Self> {
        match self {
            Self::Table(name) => Some(Self::TablesIn(name.schema.clone())),
            Self::Sequence(name) => Some(Self::SequencesIn(name.schema.clone())),
            Self::Function(name, _) => Some(Self::FunctionsIn(name.schema.clone())),
            _ => None,
        }
    }

    /// The privileges that there are on it, as policies write them.
    pub fn privileges(&self) -> &'static [&'static str] {
        const TABLE: &[&str] =
            &["select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain"];
        const SEQUENCE: &[&str] = &["usage", "select", "update"];
        const SCHEMA: &[&str] = &["usage", "create"];
        match self {
            Self::Database => &["connect", "create", "temporary"],
            Self::Schema(_) => SCHEMA,
            Self::Table(_) | Self::TablesIn(_) => TABLE,
            Self::Sequence(_) | Self::SequencesIn(_) => SEQUENCE,
            Self::Function(..) | Self::FunctionsIn(_) => &["execute"],
            Self::Type(_) => &["usage"],
            Self::Role(_) => &[],
            Self::Later { what, .. } => match what.as_str() {
                "tables" => TABLE,
                "sequences" => SEQUENCE,
                "functions" => &["execute"],
                "types" => &["usage"],
                _ => SCHEMA,
            },
        }
    }
}

/// Identifiers as [`quote_identifier`] prints them, with a separator between them.
fn identifiers(text: &str, separator: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let end = match rest.strip_prefix('"') {
            Some(quoted) => closing_quote(quoted)? + 2,
            None => rest.find([' ', '"']).unwrap_or(rest.len()),
        };
        let (name, after) = rest.split_at_checked(end)?;
        let bare = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        found.push(bare.map_or_else(|| name.to_owned(), |bare| bare.replace("\"\"", "\"")));
        if after.is_empty() {
            return Some(found);
        }
        rest = after.strip_prefix(separator).filter(|_| !separator.is_empty())?;
    }
}

/// Where the quote is that closes a text after its opening one.
fn closing_quote(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '"' && chars.next_if(|(_, next)| *next == '"').is_none() {
            return Some(at);
        }
    }
    None
}

/// A name and what stands in the parentheses behind it.
pub fn split_signature(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let open = text.char_indices().find_map(|(at, c)| {
        if c == '"' {
            quoted = !quoted;
        }
        (c == '(' && !quoted).then_some(at)
    })?;
    let (name, rest) = text.split_at_checked(open)?;
    let arguments = rest.strip_prefix('(')?.strip_suffix(')')?;
    Some((name.trim_end(), arguments))
}

/// Argument types as `format_type` prints them, from what people write.
pub fn arguments(text: &str) -> String {
    let each = |part: &str| {
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        let lower = if part.contains('"') { part.clone() } else { part.to_ascii_lowercase() };
        let (base, array) = match lower.find('[') {
            Some(at) => lower.split_at(at),
            None => (lower.as_str(), ""),
        };
        let base = base.trim().strip_prefix("pg_catalog.").unwrap_or(base.trim());
        let full = ALIASES.iter().find(|(alias, _)| *alias == base).map_or(base, |(_, full)| full);
        format!("{full}{}", array.replace(' ', ""))
    };
    if text.trim().is_empty() {
        return String::new();
    }
    text.split(',').map(each).collect::<Vec<_>>().join(", ")
}

/// Types with more than one name.
const ALIASES: [(&str, &str); 14] = [
    ("int", "integer"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("int2", "smallint"),
    ("bool", "boolean"),
    ("float8", "double precision"),
    ("float", "double precision"),
    ("float4", "real"),
    ("decimal", "numeric"),
    ("varchar", "character varying"),
    ("timestamptz", "timestamp with time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timetz", "time with time zone"),
    ("time", "time without time zone"),
];
