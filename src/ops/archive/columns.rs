//! Which column is stored how, and which cannot be.
//!
//! A type is stored as Parquet's own where that says exactly the same; else as the text that its output
//! function gives and its input function takes, under pinned settings. What neither can promise to bring
//! back as it was is refused, by name, before anything is read.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::error::{ArchiveError, Result};
use super::stored::{Native, Stored};
use crate::core::{Param, QualifiedName, Query, Row, RowError};

/// A schema-qualified function.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

/// What the catalog says of a column; of a domain, `base` and all that follows is what it is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Its name.
    pub name: String,
    /// Its type, as `format_type` says it with an empty `search_path`.
    pub declared: String,
    /// The same without domains.
    pub base: String,
    /// The type's OID.
    pub type_oid: u32,
    /// The type's modifier, −1 for none.
    pub typmod: i32,
    /// `pg_type.typtype`.
    pub typtype: char,
    /// Of an array, its elements' type; else 0.
    pub element_oid: u32,
    /// Whether the server computes it.
    pub generated: bool,
    /// Whether the type has functions from and to text.
    pub has_text: bool,
    /// Whether somebody made a cast function between the type and `text`, which a cast would call.
    pub own_cast: bool,
    /// The type's output function.
    pub output: Option<Function>,
    /// The type's input function, and how many arguments it takes.
    pub input: Option<(Function, i64)>,
}

impl Facts {
    /// The catalog query for a relation's columns, in their order.
    pub fn query(relation: &QualifiedName) -> Query {
        let params = vec![Param::Text(relation.schema.clone()), Param::Text(relation.name.clone())];
        Query { sql: include_str!("columns.sql").to_owned(), params }
    }

    /// Reads one of its rows.
    ///
    /// # Errors
    /// When the row is not as the query makes it.
    pub fn of_row(row: &Row) -> std::result::Result<Self, RowError> {
        let function = |schema, name| -> std::result::Result<Option<Function>, RowError> {
            let (schema, name) = (row.maybe_text(schema)?, row.maybe_text(name)?);
            Ok(schema.zip(name).map(|(schema, name)| Function { schema: schema.to_owned(), name: name.to_owned() }))
        };
        let wrong = |column: &str| RowError { column: column.to_owned(), expected: "number in range" };
        Ok(Self {
            name: row.text("name")?.to_owned(),
            declared: row.text("declared")?.to_owned(),
            base: row.text("base")?.to_owned(),
            type_oid: row.oid("type_oid")?,
            typmod: i32::try_from(row.int("typmod")?).map_err(|_| wrong("typmod"))?,
            typtype: row.text("typtype")?.chars().next().ok_or_else(|| wrong("typtype"))?,
            element_oid: row.oid("element_oid")?,
            generated: row.bool("generated")?,
            has_text: row.bool("has_text")?,
            own_cast: row.bool("own_cast")?,
            output: function("output_schema", "output_name")?,
            input: function("input_schema", "input_name")?.zip(row.maybe_int("input_arguments")?),
        })
    }
}

/// How a text column is made from, and made into, the type's value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Through {
    /// By a cast, which is the type's own output and input.
    Cast,
    /// By the functions themselves, because a cast would call somebody's.
    Functions {
        /// The output function.
        output: Function,
        /// The input function.
        input: Function,
        /// Whether it also takes the type's OID and a modifier.
        takes_type: bool,
    },
}

/// A column of an archive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as SQL, schema-qualified.
    pub pg_type: String,
    /// The same without domains: what it is cast to on its way back.
    pub base_type: String,
    /// How it is stored.
    pub stored: Stored,
    /// Of a text column, how its text is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Through>,
    /// Whether the server computes it: it is kept to be looked at, and left out when rows go back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub generated: bool,
}

/// Decides for every column, or names every one that cannot be.
///
/// `as_text` are those to be stored as text whatever their type: after an [`ArchiveError::Fallback`], the
/// column that it names.
///
/// # Errors
/// One [`ArchiveError::Refused`] for each column that cannot be archived; [`ArchiveError::NoColumns`].
pub fn decide(facts: &[Facts], as_text: &BTreeSet<String>) -> std::result::Result<Vec<Column>, Vec<ArchiveError>> {
    if facts.is_empty() {
        return Err(vec![ArchiveError::NoColumns]);
    }
    let mut columns = Vec::with_capacity(facts.len());
    let mut refused = Vec::new();
    for fact in facts {
        match one(fact, as_text.contains(&fact.name)) {
            Ok(column) => columns.push(column),
            Err(error) => refused.push(error),
        }
    }
    if refused.is_empty() { Ok(columns) } else { Err(refused) }
}

fn one(fact: &Facts, as_text: bool) -> Result<Column> {
    let stored = if as_text { Stored::AsText } else { stored(fact) };
    let through = match stored {
        Stored::AsText => Some(through(fact)?),
        Stored::Native(_) | Stored::List { .. } => None,
    };
    Ok(Column {
        name: fact.name.clone(),
        pg_type: fact.declared.clone(),
        base_type: fact.base.clone(),
        stored,
        through,
        generated: fact.generated,
    })
}

fn stored(fact: &Facts) -> Stored {
    if fact.element_oid != 0 {
        // An array's modifier is its elements'.
        return match native(fact.element_oid, fact.typmod) {
            Some(element) if element != Native::Interval => Stored::List { element, oid: fact.element_oid },
            _ => Stored::AsText,
        };
    }
    match fact.typtype {
        'e' => Stored::Native(Native::Text),
        _ => native(fact.type_oid, fact.typmod).map_or(Stored::AsText, Stored::Native),
    }
}

/// The native form of a built-in type, by its OID (`src/include/catalog/pg_type.dat`; these never
/// change).
const fn native(oid: u32, typmod: i32) -> Option<Native> {
    Some(match oid {
        16 => Native::Bool,
        17 => Native::Bytea,
        18 => Native::Char,
        // name, text, json, bpchar, varchar.
        19 | 25 | 114 | 1042 | 1043 => Native::Text,
        20 => Native::Int8,
        21 => Native::Int2,
        23 => Native::Int4,
        // oid, xid, cid; regproc, regprocedure, regoper, regoperator, regclass, regtype, regconfig,
        // regdictionary, regnamespace, regrole, regcollation.
        26 | 28 | 29 | 24 | 2202 | 2203 | 2204 | 2205 | 2206 | 3734 | 3769 | 4089 | 4096 | 4191 => Native::Oid,
        700 => Native::Float4,
        701 => Native::Float8,
        790 => Native::Money,
        1082 => Native::Date,
        1083 => Native::Time,
        1114 => Native::Timestamp,
        1184 => Native::Timestamptz,
        1186 => Native::Interval,
        1700 => return decimal(typmod),
        2950 => Native::Uuid,
        3802 => Native::Jsonb,
        5069 => Native::Xid8,
        _ => return None,
    })
}

/// `numeric(precision, scale)` by its modifier (`make_numeric_typmod`); since PostgreSQL 15 a scale may
/// be negative, or greater than the precision, which DECIMAL has no form for.
const fn decimal(typmod: i32) -> Option<Native> {
    if typmod < 4 {
        return None;
    }
    let (precision, scale) = ((typmod - 4) >> 16 & 0xffff, ((typmod - 4) & 0x7ff ^ 0x400) - 0x400);
    if precision < 1 || precision > 38 || scale < 0 || scale > precision {
        return None;
    }
    Some(Native::Decimal { precision: precision as u8, scale: scale as u8 })
}

/// Built-in types whose text does not bring the value back.
const NO_WAY_BACK: &[(u32, &str)] = &[
    (194, "its input function takes nothing"),
    (3361, "its input function takes nothing"),
    (3402, "its input function takes nothing"),
    (5017, "its input function takes nothing"),
    (4600, "its input function takes nothing"),
    (4601, "its input function takes nothing"),
    (3642, "its input function takes nothing"),
    (32, "its input function takes nothing"),
    (1033, "its text holds the names of roles, which mean others once these are renamed"),
];

fn through(fact: &Facts) -> Result<Through> {
    let refused = |why| ArchiveError::Refused { column: fact.name.clone(), pg_type: fact.declared.clone(), why };
    if fact.typtype == 'p' {
        return Err(refused("it is a pseudo-type, which has no values of its own"));
    }
    if !fact.has_text {
        return Err(refused("the type has no text form"));
    }
    if let Some((_, why)) = NO_WAY_BACK.iter().find(|(oid, _)| [fact.type_oid, fact.element_oid].contains(oid)) {
        return Err(refused(why));
    }
    if !fact.own_cast {
        return Ok(Through::Cast);
    }
    match (&fact.output, &fact.input) {
        (Some(output), Some((input, arguments @ (1 | 3)))) if fact.typtype == 'b' && fact.element_oid == 0 => {
            let takes_type = *arguments == 3;
            Ok(Through::Functions { output: output.clone(), input: input.clone(), takes_type })
        }
        _ => Err(refused("a cast between it and text was made by hand, which may not bring the value back")),
    }
}
