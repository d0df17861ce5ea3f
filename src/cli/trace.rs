//! Every statement that a session sends, as a script that psql runs as it stands.
//!
//! `chronoform plan -vvv 2> plan.sql` shows what was asked, how many rows came and how long it took;
//! `psql -f plan.sql` asks the same, and `EXPLAIN ANALYZE EXECUTE trip_5 (…)` shows why one is slow.

use std::fmt::Write;

use crate::cli::out;
use crate::core::Param;
use crate::core::name::quote_literal;
use crate::pg::{Trip, Watch};

/// Writes each statement to standard error as it is sent, and what came of it as a comment.
pub fn to_stderr() -> Watch {
    let mut number = 0;
    Box::new(move |trip| {
        if matches!(trip, Trip::Sent { .. }) {
            number += 1;
        }
        out::eprint(&line(number, trip));
    })
}

fn line(number: usize, trip: Trip<'_>) -> String {
    match trip {
        Trip::Sent { sql, params: [] } => format!("{};\n", sql.trim_end()),
        Trip::Sent { sql, params } => prepared(number, sql, params),
        Trip::Ended { rows, took } => {
            let rows = rows.map_or("refused".to_owned(), |rows| format!("{rows} rows"));
            format!("-- trip {number}: {rows} in {:.3} ms\n\n", took.as_secs_f64() * 1000.0)
        }
    }
}

/// Parameters can be given from psql only to a prepared statement.
fn prepared(number: usize, sql: &str, params: &[Param]) -> String {
    let types: Vec<&str> = params.iter().map(type_of).collect();
    let values: Vec<String> = params.iter().map(value).collect();
    format!(
        "PREPARE trip_{number} ({}) AS\n{};\nEXECUTE trip_{number} ({});\n",
        types.join(", "),
        sql.trim_end(),
        values.join(", ")
    )
}

fn type_of(param: &Param) -> &'static str {
    match param {
        Param::Text(_) => "text",
        Param::Int(_) => "bigint",
        Param::Oids(_) => "oid[]",
        Param::Ints(_) => "bigint[]",
        Param::Texts(_) => "text[]",
    }
}

fn value(param: &Param) -> String {
    match param {
        Param::Text(text) => quote_literal(text),
        Param::Int(value) => value.to_string(),
        Param::Oids(oids) => array(oids.iter(), |out, oid| _ = write!(out, "{oid}")),
        Param::Ints(items) => array(items.iter(), |out, item| match item {
            Some(item) => _ = write!(out, "{item}"),
            None => out.push_str("NULL"),
        }),
        Param::Texts(items) => array(items.iter(), |out, item| match item {
            Some(item) => _ = write!(out, "\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\"")),
            None => out.push_str("NULL"),
        }),
    }
}

fn array<T>(items: impl Iterator<Item = T>, mut each: impl FnMut(&mut String, T)) -> String {
    let mut text = "{".to_owned();
    for (at, item) in items.enumerate() {
        if at > 0 {
            text.push(',');
        }
        each(&mut text, item);
    }
    text.push('}');
    quote_literal(&text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_query_with_parameters_runs_in_psql() {
        let params = [Param::Oids(vec![1, 2]), Param::Texts(vec![Some("a\"\\'".to_owned()), None]), Param::Int(-3)];
        let text = line(4, Trip::Sent { sql: "SELECT $1, $2, $3\n", params: &params });
        let wanted = "PREPARE trip_4 (oid[], text[], bigint) AS\nSELECT $1, $2, $3;\n\
            EXECUTE trip_4 ('{1,2}', E'{\"a\\\\\"\\\\\\\\''\",NULL}', -3);\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn what_came_of_it_is_a_comment() {
        let took = Duration::from_micros(1500);
        assert_eq!(line(1, Trip::Ended { rows: Some(7), took }), "-- trip 1: 7 rows in 1.500 ms\n\n");
        assert_eq!(line(1, Trip::Ended { rows: None, took }), "-- trip 1: refused in 1.500 ms\n\n");
        assert_eq!(line(1, Trip::Sent { sql: "BEGIN", params: &[] }), "BEGIN;\n");
    }
}
