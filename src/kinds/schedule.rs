//! The schedule that every job-backed kind shares: as written, as attributes, as the catalog has it.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::core::{Desired, Interval, Live, Row, RowError, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::{Entries, SectionInput};

/// When a policy's job runs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// How often the job runs. Without it, TimescaleDB's own default, which is then not compared.
    #[schemars(example = &"1 day")]
    pub every: Option<String>,
    /// When the job first runs, as a timestamp with time zone. With it the schedule is fixed to the
    /// clock; without it the next run is counted from the end of the last.
    #[schemars(example = &"2026-01-01 02:00:00+00")]
    pub initial_start: Option<String>,
    /// The time zone in which a fixed schedule keeps its hour across daylight saving.
    #[schemars(example = &"Europe/Berlin")]
    pub timezone: Option<String>,
    /// How long one run may take before it is cancelled; `0` for no limit.
    #[serde(default)]
    #[schemars(schema_with = "limit_schema")]
    pub max_runtime: Option<Limit>,
    /// How often a failed run is tried again; -1 for ever.
    #[schemars(range(min = -1, max = 2_147_483_647), example = 3)]
    pub max_retries: Option<i64>,
    /// How long to wait before trying again.
    #[schemars(example = &"5 minutes")]
    pub retry_period: Option<String>,
    /// Whether the job is paused. Without it, a job that an operator paused stays paused and is
    /// reported as such.
    pub paused: Option<bool>,
}

/// How long something may take.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Limit {
    /// A number without a unit: nothing, which is no limit.
    Number(i64),
    /// An interval.
    Text(String),
}

/// The schema of a [`Limit`].
pub fn limit_schema(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": ["string", "integer"], "minimum": 0, "maximum": 0, "examples": ["1 hour", 0] })
}

impl Limit {
    /// Nothing is no limit, in whatever unit; a bare `0` has none.
    fn interval(&self, below: &str, input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Option<Interval> {
        let none = Interval::default();
        match self {
            Self::Number(0) => Some(none),
            Self::Number(number) => input.interval(&number.to_string(), below, sink),
            Self::Text(text) if text.trim() == "0" || Interval::parse(text) == Ok(none) => Some(none),
            Self::Text(text) => input.interval(text, below, sink),
        }
    }
}

/// The attribute names that [`Schedule`] makes.
pub const ATTRIBUTES: [&str; 7] = [
    "schedule.every",
    "schedule.initial_start",
    "schedule.timezone",
    "schedule.max_runtime",
    "schedule.max_retries",
    "schedule.retry_period",
    "schedule.paused",
];

impl Schedule {
    /// Sets the attributes that are written, reading them at `below` (such as `/schedule`).
    pub fn apply(&self, input: &SectionInput<'_>, below: &str, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
        let at = |key: &str| format!("{below}/{key}");
        if let Some(text) = &self.every
            && let Some(every) = input.interval(text, &at("every"), sink)
        {
            input.set(desired, "schedule.every", &at("every"), every);
        }
        if let Some(text) = &self.retry_period
            && let Some(period) = input.interval(text, &at("retry_period"), sink)
        {
            input.set(desired, "schedule.retry_period", &at("retry_period"), period);
        }
        if let Some(limit) = &self.max_runtime
            && let Some(interval) = limit.interval(&at("max_runtime"), input, sink)
        {
            input.set(desired, "schedule.max_runtime", &at("max_runtime"), interval);
        }
        if let Some(text) = &self.initial_start {
            match parse_timestamp(text) {
                Some(micros) => {
                    input.set(desired, "schedule.initial_start", &at("initial_start"), format_timestamp(micros))
                }
                None => sink.push(
                    Diagnostic::error(&code::WRONG_VALUE, format!("`{text}` is no timestamp with a time zone"))
                        .at(input.place(&at("initial_start")))
                        .help("write it as `2026-01-01 02:00:00+00` or `2026-01-01T02:00:00Z`"),
                ),
            }
        }
        if let Some(text) = &self.timezone {
            if text.contains('\0') {
                let error = Diagnostic::error(&code::WRONG_VALUE, "a time zone's name holds no NUL character");
                sink.push(error.at(input.place(&at("timezone"))));
            } else {
                input.set(desired, "schedule.timezone", &at("timezone"), Value::text(text));
            }
        }
        if let Some(retries) = self.max_retries {
            input.set(desired, "schedule.max_retries", &at("max_retries"), retries);
        }
        if let Some(paused) = self.paused {
            input.set(desired, "schedule.paused", &at("paused"), paused);
        }
    }
}

/// Sets a live job's schedule attributes and its `job_id` fact. The row's columns are those of
/// `jobs.sql`: `job_id`, `schedule_interval`, `initial_start` (epoch microseconds), `timezone`,
/// `max_runtime`, `max_retries`, `retry_period`, `scheduled`, `fixed_schedule`.
///
/// # Errors
/// When the row is not such a one.
pub fn read_job(row: &Row, live: &mut Live) -> Result<(), RowError> {
    live.set_fact("job_id", row.int("job_id")?);
    let fixed = row.bool("fixed_schedule")?;
    live.set_fact("fixed_schedule", fixed);
    for (attribute, column) in [
        ("schedule.every", "schedule_interval"),
        ("schedule.max_runtime", "max_runtime"),
        ("schedule.retry_period", "retry_period"),
    ] {
        if let Some(interval) = row.maybe_interval(column)? {
            live.set(attribute, interval);
        }
    }
    live.set("schedule.max_retries", row.int("max_retries")?);
    // A job that is not fixed to the clock keeps an earlier start without going by it.
    if let Some(micros) = row.maybe_int("initial_start")?.filter(|_| fixed) {
        live.set("schedule.initial_start", format_timestamp(micros));
    }
    if let Some(timezone) = row.maybe_text("timezone")? {
        live.set("schedule.timezone", Value::text(timezone));
    }
    let scheduled = row.bool("scheduled")?;
    live.set("schedule.paused", !scheduled);
    live.paused = !scheduled;
    Ok(())
}

/// What TimescaleDB gives a job whose author says nothing; its start is then not fixed to the clock.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Defaults {
    /// How often it runs.
    pub every: Interval,
    /// How long one run may take; nothing for no limit.
    pub max_runtime: Interval,
    /// How often a failed run is tried again.
    pub max_retries: i64,
    /// How long to wait before trying again.
    pub retry_period: Interval,
}

/// A live job's schedule as policies write it, without what is so by default; `None` where all is.
pub fn written(live: &Live, defaults: &Defaults) -> Option<Json> {
    let differs = |attribute: &str, default: Value| {
        let value = live.get(attribute).filter(|value| **value != default)?;
        // No unit to nothing.
        Some(if *value == Value::from(Interval::default()) { Json::from("0") } else { value.to_json() })
    };
    let entries = Entries::default()
        .with_some("every", differs("schedule.every", defaults.every.into()))
        .with_some("initial_start", differs("schedule.initial_start", Value::Null))
        .with_some("timezone", differs("schedule.timezone", Value::Null))
        .with_some("max_runtime", differs("schedule.max_runtime", defaults.max_runtime.into()))
        .with_some("max_retries", differs("schedule.max_retries", defaults.max_retries.into()))
        .with_some("retry_period", differs("schedule.retry_period", defaults.retry_period.into()))
        .with_some("paused", differs("schedule.paused", false.into()));
    (!entries.is_empty()).then(|| entries.into_json())
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Reads `2026-01-01 02:00:00+00`, `2026-01-01T02:00:00Z` and the like, as microseconds since 1970
/// in UTC.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let trimmed = text.trim();
    let iso = trimmed.replacen(' ', "T", 1);
    iso.parse::<jiff::Timestamp>().ok().map(|timestamp| timestamp.as_microsecond())
}

/// Prints microseconds since 1970 as `2026-01-01 02:00:00+00`.
pub fn format_timestamp(micros: i64) -> String {
    let Ok(timestamp) = jiff::Timestamp::from_microsecond(micros) else { return format!("{micros} µs") };
    let text = timestamp.to_string();
    text.replacen('T', " ", 1).replacen('Z', "+00", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_the_same_however_it_is_written() {
        let utc = parse_timestamp("2026-01-01T02:00:00Z").unwrap();
        for text in ["2026-01-01 02:00:00+00", "2026-01-01 03:00:00+01:00", "2026-01-01T02:00:00+00:00"] {
            assert_eq!(parse_timestamp(text), Some(utc), "{text}");
        }
        assert_eq!(format_timestamp(utc), "2026-01-01 02:00:00+00");
        assert_eq!(parse_timestamp("2026-01-01 02:00:00"), None);
        assert_eq!(parse_timestamp("tomorrow"), None);
    }
}
