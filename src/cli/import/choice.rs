//! Which tables are to be imported, and what beside them.

use std::collections::BTreeSet;

use crate::cli::args::ImportArgs;
use crate::core::name::quote_identifier;
use crate::core::{QualifiedName, glob};
use crate::diag::{Diagnostic, Failure, code};
use crate::kinds::Beside;
use crate::kinds::discover::EVERYBODY;
use crate::kinds::select::Glob;
use crate::snapshot;

/// The choice on the command line.
pub struct Choice {
    /// What to look for.
    pub wanted: snapshot::Choice,
    patterns: Vec<Pattern>,
}

/// A pattern for tables, of which one reading must fit.
struct Pattern {
    text: String,
    readings: Vec<Glob>,
}

impl Choice {
    /// Reads it.
    ///
    /// # Errors
    /// A schema or a role that is the server's own, or a pattern that is none.
    pub fn new(args: &ImportArgs) -> Result<Self, Failure> {
        let own = args.schemas.iter().filter(|schema| is_servers_own(schema));
        let refused: Vec<Diagnostic> = own.map(|schema| servers_own(schema)).collect();
        if !refused.is_empty() {
            return Err(Failure(refused));
        }
        let patterns: Result<Vec<Pattern>, Failure> =
            args.tables.iter().map(|text| Pattern::new(text, &args.schemas)).collect();
        let patterns = patterns?;
        let own = args.roles.iter().filter(|role| role.starts_with("pg_"));
        let refused: Vec<Diagnostic> = own.map(|role| servers_role(role)).collect();
        if !refused.is_empty() {
            return Err(Failure(refused));
        }
        let beside = Beside { database: patterns.is_empty(), server: args.server_settings, roles: args.roles.clone() };
        Ok(Self { wanted: snapshot::Choice { schemas: args.schemas.clone(), beside }, patterns })
    }

    /// Keeps of what was found what is chosen.
    ///
    /// # Errors
    /// A schema that does not exist, or a pattern that no table or no role fits.
    pub fn narrow(&self, found: &mut snapshot::Found) -> Result<(), Failure> {
        let gone = self.wanted.schemas.iter().filter(|schema| !found.schemas.contains(*schema));
        let mut errors: Vec<Diagnostic> = gone.map(|schema| no_schema(schema)).collect();
        for pattern in &self.patterns {
            if !found.names.relations.iter().any(|relation| pattern.fits(relation)) {
                errors.push(nothing(pattern, &found.names.relations));
            }
        }
        for pattern in self.wanted.beside.roles.iter().filter(|pattern| !glob::matches(pattern, EVERYBODY)) {
            if !found.roles.iter().any(|role| glob::matches(pattern, role)) {
                errors.push(no_role(pattern, &found.roles));
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
    /// Without a schema it is for those that are chosen, or for `public`.
    fn new(text: &str, schemas: &[String]) -> Result<Self, Failure> {
        let parsed = |text: &str| {
            Glob::parse(text).map_err(|why| {
                let message = format!("`{text}` is no pattern for tables: {why}");
                let help = "write it as `schema.name`, with `*` for any characters and `?` for one";
                Failure::from(Diagnostic::error(&code::BAD_NAME, message).help(help))
            })
        };
        let whole = parsed(text)?;
        // With a schema of its own it cannot take another.
        let within = |schema: &String| Glob::parse(&format!("{}.{text}", quote_identifier(schema))).ok();
        let readings: Vec<Glob> = schemas.iter().filter_map(within).collect();
        Ok(Self { text: text.to_owned(), readings: if readings.is_empty() { vec![whole] } else { readings } })
    }

    fn fits(&self, relation: &QualifiedName) -> bool {
        self.readings.iter().any(|reading| reading.matches(relation))
    }
}

fn is_servers_own(schema: &str) -> bool {
    schema.starts_with("pg_")
        || schema.starts_with("_timescaledb_")
        || ["information_schema", "timescaledb_information", "timescaledb_experimental"].contains(&schema)
}

fn servers_own(schema: &str) -> Diagnostic {
    Diagnostic::error(&code::NO_SUCH_SCHEMA, format!("the schema `{schema}` is the server's own"))
        .why("what is in it is made by PostgreSQL or TimescaleDB, and no policy describes it")
        .help("name the schemas of your tables")
}

fn no_schema(schema: &str) -> Diagnostic {
    Diagnostic::error(&code::NO_SUCH_SCHEMA, format!("the database has no schema `{schema}`"))
        .help("names are exact: capitals count, and no quotes belong to them")
}

fn servers_role(role: &str) -> Diagnostic {
    Diagnostic::error(&code::NOTHING_FOUND, format!("roles like `{role}` are the server's own"))
        .why("names that begin with `pg_` are the server's predefined roles, which are as they are")
        .help("name your own roles; their documents say which of the server's they are members of")
}

fn no_role(pattern: &str, roles: &BTreeSet<String>) -> Diagnostic {
    let diagnostic = Diagnostic::error(&code::NOTHING_FOUND, format!("no role fits `{pattern}`"));
    let same = |role: &&String| glob::matches(&pattern.to_lowercase(), &role.to_lowercase());
    match roles.iter().find(same) {
        Some(role) => diagnostic.help(format!("there is `{role}`: capitals count")),
        None => {
            diagnostic.help("names are exact, `*` stands for any characters and `?` for one; quote them for the shell")
        }
    }
}

fn nothing(pattern: &Pattern, relations: &BTreeSet<QualifiedName>) -> Diagnostic {
    let message = format!("no table fits `{}`", pattern.text);
    let diagnostic = Diagnostic::error(&code::NOTHING_FOUND, message);
    let anywhere = Glob::parse(&format!("*.{}", pattern.text)).ok();
    let fits = |relation: &&QualifiedName| anywhere.as_ref().is_some_and(|anywhere| anywhere.matches(relation));
    let elsewhere: Vec<String> = relations.iter().filter(fits).map(ToString::to_string).take(3).collect();
    match elsewhere.as_slice() {
        [] => {
            diagnostic.help("names are exact, `*` stands for any characters and `?` for one; quote them for the shell")
        }
        found => diagnostic.help(format!("in other schemas there is {}", found.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(text: &str, schemas: &[&str], schema: &str, name: &str) -> bool {
        let schemas: Vec<String> = schemas.iter().map(|schema| (*schema).to_owned()).collect();
        Pattern::new(text, &schemas).ok().unwrap().fits(&QualifiedName::new(schema, name))
    }

    #[test]
    fn a_pattern_without_a_schema_is_for_those_that_are_chosen() {
        assert!(fits("t*", &[], "public", "t1") && !fits("t*", &[], "app", "t1"));
        assert!(fits("t*", &["app", "Odd one"], "Odd one", "t1") && !fits("t*", &["app"], "public", "t1"));
        assert!(fits("*.t*", &["app"], "app", "t1") && fits("app.t?", &[], "app", "t1"));
        assert!(Pattern::new("a.b.c", &[]).is_err() && Pattern::new("", &[]).is_err());
    }
}
