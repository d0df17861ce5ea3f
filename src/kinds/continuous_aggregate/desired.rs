//! The head of a `continuous_aggregate` document.

use schemars::JsonSchema;
use serde::Deserialize;

use super::BAD_QUERY;
use crate::core::select::Select;
use crate::core::{Address, Desired, Ensure, Interval, QualifiedName, SqlText, Value};
use crate::diag::Diagnostic;
use crate::kinds::SectionInput;
use crate::kinds::job::{self, Age};

/// A continuous aggregate: the query that it is made from, and what can be set of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContinuousAggregate {
    /// Whether the continuous aggregate must exist. `absent` drops it with all that it holds.
    #[serde(default)]
    pub ensure: Ensure,
    /// The query, `SELECT … FROM … GROUP BY …` with `time_bucket` in it. Names are written with their
    /// schemas, functions of TimescaleDB too. It is compared in the server's own form, so spelling
    /// it differently is no change; a real change makes the aggregate anew. Without it, the
    /// aggregate must exist already, and is left as it is.
    #[schemars(
        example = &"SELECT public.time_bucket('1 hour', time) AS bucket, symbol, avg(price) AS price FROM public.market_data GROUP BY 1, 2"
    )]
    pub query: Option<String>,
    /// Whether queries see only what has been refreshed, and not the newest rows computed on the
    /// spot. Without it, TimescaleDB's own default at creation, and then whatever it is.
    pub materialized_only: Option<bool>,
    /// Whether TimescaleDB makes an index on each column of `GROUP BY` when it makes the aggregate;
    /// `true` if not written. Afterwards it is not compared.
    pub create_group_indexes: Option<bool>,
    /// How much time one chunk of the aggregate's own hypertable holds: an interval, or a whole
    /// number where time is one. Without it, TimescaleDB's own choice. A change is for new chunks.
    #[serde(default)]
    #[schemars(schema_with = "job::age_schema")]
    pub chunk_interval: Option<Age>,
    /// Whether the aggregate is filled from all existing rows when it is made, which may take long.
    /// Without it, it is made empty and its refresh policies fill it. One that is made anew because its
    /// query changes, or that has disappeared, is always filled, unless this is `false`. Of one that is
    /// there, only what was never filled is. A fill that was cut off is gone on with.
    pub with_data: Option<bool>,
}

/// The resource of a document.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let Some(raw) = input.read::<ContinuousAggregate>(sink) else { return Vec::new() };
    let on = input.head.relation.clone();
    let mut desired = input.desired(Address::in_schema(super::ID, &on), Some(on));
    desired.place = input.head.place.clone();
    desired.ensure = raw.ensure;
    if raw.ensure == Ensure::Absent {
        return vec![desired];
    }
    let errors = sink.len();
    if let Some(text) = &raw.query {
        query(text, input, &mut desired, sink);
    }
    for (name, value) in [
        ("materialized_only", raw.materialized_only),
        ("create_group_indexes", raw.create_group_indexes),
        ("with_data", raw.with_data),
    ] {
        if let Some(value) = value {
            input.set(&mut desired, name, &format!("/{name}"), value);
        }
    }
    if let Some(interval) = &raw.chunk_interval {
        interval.apply("chunk_interval", input, &mut desired, sink);
    }
    if sink.iter().skip(errors).any(Diagnostic::is_error) { Vec::new() } else { vec![desired] }
}

fn query(text: &str, input: &SectionInput<'_>, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
    const AT: &str = "/query";
    let Some(sql) = input.expression(text.trim_end().trim_end_matches(';'), AT, sink) else { return };
    let bad = |message: String| Diagnostic::error(&BAD_QUERY, message).at(input.place(AT));
    let select = match Select::split(&sql) {
        Ok(select) => select,
        Err(error) => {
            sink.push(bad(error.to_string()).help(
                "a continuous aggregate is made from one query: `SELECT … FROM … [WHERE …] GROUP BY … [HAVING …]`",
            ));
            return;
        }
    };
    for source in select.sources().iter().filter(|source| source.schema.is_none()) {
        let name = QualifiedName::new("public", &source.name);
        sink.push(
            bad(format!("`{}` in the query has no schema", source.name))
                .why("Chronoform's sessions have an empty search_path, so that a name means the same for everybody")
                .help(format!("write `{name}`, or with the schema that it is in")),
        );
    }
    if !sql.as_str().to_lowercase().contains("time_bucket") {
        sink.push(
            bad("the query has no `time_bucket`".to_owned())
                .help("group by a length of time, such as `public.time_bucket('1 hour', time)`"),
        );
    }
    input.set(desired, "query", AT, Value::Sql(sql));
}

/// The relations that a query reads, as far as they are written with their schema.
pub fn sources(query: &SqlText) -> Vec<QualifiedName> {
    Select::split(query).map(|select| super::named(&select)).unwrap_or_default()
}

/// How long one bucket is, where the query says it as a constant.
pub fn bucket_width(query: &SqlText) -> Option<Value> {
    let text = query.as_str();
    let at = text.to_lowercase().find("time_bucket")?;
    let call = text.get(at..)?.split_once('(')?.1.trim_start();
    let call = strip_word(strip_word(call, "bucket_width"), "interval");
    if let Some(rest) = call.strip_prefix('\'') {
        return Interval::parse(rest.split_once('\'')?.0).ok().map(Value::Interval);
    }
    let digits: String = call.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Value::Int)
}

/// The text after a word in whatever case, and after `=>`.
fn strip_word<'a>(text: &'a str, word: &str) -> &'a str {
    match text.get(..word.len()) {
        Some(start) if start.eq_ignore_ascii_case(word) => {
            let rest = text.get(word.len()..).unwrap_or_default().trim_start();
            rest.strip_prefix("=>").unwrap_or(rest).trim_start()
        }
        _ => text,
    }
}
