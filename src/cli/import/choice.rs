//! Which tables are to be imported.

use std::collections::BTreeSet;

use crate::cli::args::ImportArgs;
use crate::core::name::DEFAULT_SCHEMA;
use crate::core::{QualifiedName, glob};
use crate::diag::{Diagnostic, Failure, code};
use crate::snapshot;

/// The choice on the command line.
pub struct Choice {
    /// What to look for.
    pub wanted: snapshot::Choice,
    patterns: Vec<Pattern>,
}

/// A pattern for tables.
struct Pattern {
    text: String,
    /// That of the schema; `None` for every schema that is chosen.
    schema: Option<String>,
    name: String,
}

impl Choice {
    /// Reads it.
    ///
    /// # Errors
    /// A schema that is the server's own.
    pub fn new(args: &ImportArgs) -> Result<Self, Failure> {
        let own = args.schemas.iter().filter(|schema| is_servers_own(schema));
        let refused: Vec<Diagnostic> = own.map(|schema| servers_own(schema)).collect();
        if !refused.is_empty() {
            return Err(Failure(refused));
        }
        let patterns: Vec<Pattern> = args.tables.iter().map(|text| Pattern::new(text, &args.schemas)).collect();
        let wanted = snapshot::Choice { schemas: args.schemas.clone(), globals: patterns.is_empty() };
        Ok(Self { wanted, patterns })
    }

    /// Keeps of what was found what is chosen.
    ///
    /// # Errors
    /// A schema that does not exist, or a pattern that no table fits.
    pub fn narrow(&self, found: &mut snapshot::Found) -> Result<(), Failure> {
        let gone = self.wanted.schemas.iter().filter(|schema| !found.schemas.contains(*schema));
        let mut errors: Vec<Diagnostic> = gone.map(|schema| no_schema(schema)).collect();
        for pattern in &self.patterns {
            if !found.names.relations.iter().any(|relation| pattern.fits(relation)) {
                errors.push(nothing(pattern, &found.names.relations));
            }
        }
        if !errors.is_empty() {
            return Err(Failure(errors));
        }
        if !self.patterns.is_empty() {
            found.names.relations.retain(|relation| self.patterns.iter().any(|pattern| pattern.fits(relation)));
        }
        Ok(())
    }
}

impl Pattern {
    fn new(text: &str, schemas: &[String]) -> Self {
        let (schema, name) = match split(text) {
            (Some(schema), name) => (Some(schema), name),
            (None, name) => (schemas.is_empty().then(|| DEFAULT_SCHEMA.to_owned()), name),
        };
        Self { text: text.to_owned(), schema, name }
    }

    fn fits(&self, relation: &QualifiedName) -> bool {
        let schema = self.schema.as_ref().is_none_or(|schema| glob::matches(schema, &relation.schema));
        schema && glob::matches(&self.name, &relation.name)
    }
}

/// The two parts of a pattern: at its first dot outside double quotes, which are taken off.
fn split(text: &str) -> (Option<String>, String) {
    let mut parts = [String::new(), String::new()];
    let (mut quoted, mut second) = (false, false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted && !second => second = true,
            c => parts[usize::from(second)].push(c),
        }
    }
    let [first, rest] = parts;
    if second { (Some(first), rest) } else { (None, first) }
}

fn is_servers_own(schema: &str) -> bool {
    schema.starts_with("pg_")
        || schema.starts_with("_timescaledb_")
        || ["information_schema", "timescaledb_information", "timescaledb_experimental"].contains(&schema)
}

fn servers_own(schema: &str) -> Diagnostic {
    Diagnostic::error(&code::UNKNOWN_SCHEMA, format!("the schema `{schema}` is the server's own"))
        .why("what is in it is made by PostgreSQL or TimescaleDB, and no policy describes it")
        .help("name the schemas of your tables")
}

fn no_schema(schema: &str) -> Diagnostic {
    Diagnostic::error(&code::UNKNOWN_SCHEMA, format!("the database has no schema `{schema}`"))
        .help("names are exact: capitals count, and no quotes belong to them")
}

fn nothing(pattern: &Pattern, relations: &BTreeSet<QualifiedName>) -> Diagnostic {
    let message = format!("no table fits `{}`", pattern.text);
    let diagnostic = Diagnostic::error(&code::NOTHING_FOUND, message);
    let elsewhere: Vec<String> =
        relations.iter().filter(|it| glob::matches(&pattern.name, &it.name)).map(ToString::to_string).take(3).collect();
    match elsewhere.as_slice() {
        [] => {
            diagnostic.help("names are exact, `*` stands for any characters and `?` for one; quote them for the shell")
        }
        found => diagnostic.help(format!("in other schemas there is {}", found.join(", "))),
    }
}
