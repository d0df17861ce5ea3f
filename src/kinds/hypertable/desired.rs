//! The `hypertable` section of a `table` document.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use crate::core::{Address, Desired, Ensure, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;

/// How a table is partitioned by time. The table exists already; it is made a hypertable, and what
/// the server can change of one in place is kept as written here.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hypertable {
    /// Whether the table must be a hypertable. One cannot be turned back, so `absent` is an error
    /// where the table is one.
    #[serde(default)]
    pub ensure: Ensure,
    /// The column of time, required unless `ensure: absent`: of type timestamptz, timestamp, date,
    /// smallint, integer or bigint (uuid from TimescaleDB 2.22 on). It cannot be changed later.
    #[schemars(example = &"time")]
    pub time_column: Option<String>,
    /// How much time one chunk holds: an interval, or a whole number where time is one. Without it,
    /// TimescaleDB's own default at creation, and then whatever it is. A change is for new chunks.
    pub chunk_interval: Option<ChunkInterval>,
    /// The function that tells the present of a whole-number time: without arguments, stable, and
    /// of the time column's own type.
    #[schemars(example = &"public.unix_now")]
    pub integer_now: Option<String>,
    /// The columns that chunks are further divided by, by hash. More can be added later, and their
    /// numbers changed, for new chunks; none can be removed.
    pub partitions: Option<Vec<Partition>>,
    /// Whether rows that the table already holds are moved into chunks. It locks the table and
    /// writes all of them anew. Without it, making a table with rows a hypertable is an error.
    pub migrate_data: Option<bool>,
    /// Whether TimescaleDB creates its own index on time when it makes the hypertable; `true` if
    /// not written. Afterwards it is not compared.
    pub create_default_indexes: Option<bool>,
    /// Every column whose range is kept for each compressed chunk, so that queries can skip chunks:
    /// of a whole-number, date or timestamp type. A column that is not listed is switched off.
    /// TimescaleDB 2.16 and newer.
    #[schemars(example = &["order_id"])]
    pub chunk_skipping: Option<Vec<String>>,
}

/// A length of time, as time is counted in the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum ChunkInterval {
    /// A whole number.
    Integer(i64),
    /// An interval.
    Text(String),
}

/// A column by whose hash chunks are divided.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// The column's exact name.
    #[schemars(example = &"symbol")]
    pub column: String,
    /// How many partitions.
    #[schemars(range(min = 1, max = 32767), example = 4)]
    pub number: i64,
}

/// By hand, because two types say more plainly what is wrong than two alternatives.
impl JsonSchema for ChunkInterval {
    fn schema_name() -> Cow<'static, str> {
        "ChunkInterval".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "integer"], "minimum": 1, "examples": ["1 day", 86400] })
    }
}

/// The resource of a section.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let Some(raw) = input.read::<Hypertable>(sink) else { return Vec::new() };
    let on = input.head.relation.clone();
    let mut desired = input.desired(Address::in_schema(super::ID, &on), Some(on));
    desired.ensure = raw.ensure;
    if raw.ensure == Ensure::Absent {
        return vec![desired];
    }
    let Some(time_column) = &raw.time_column else {
        let error = Diagnostic::error(&code::MISSING_KEY, "a hypertable needs its `time_column`")
            .at(input.place(""))
            .help("name the column of time, such as `time_column: time`");
        sink.push(error);
        return Vec::new();
    };
    if let Some(name) = input.identifier(time_column, "/time_column", sink) {
        input.set(&mut desired, "time_column", "/time_column", Value::text(name));
    }
    if let Some(interval) = &raw.chunk_interval {
        chunk_interval(interval, &raw, input, &mut desired, sink);
    }
    if let Some(text) = &raw.integer_now
        && let Some(name) = input.name(text, "/integer_now", sink)
    {
        input.set(&mut desired, "integer_now", "/integer_now", Value::Name(name));
    }
    if let Some(list) = &raw.partitions {
        partitions(list, time_column, input, &mut desired, sink);
    }
    if let Some(list) = &raw.chunk_skipping {
        chunk_skipping(list, input, &mut desired, sink);
    }
    for (name, value) in [("migrate_data", raw.migrate_data), ("create_default_indexes", raw.create_default_indexes)] {
        if let Some(value) = value {
            input.set(&mut desired, name, &format!("/{name}"), value);
        }
    }
    vec![desired]
}

fn chunk_interval(
    interval: &ChunkInterval,
    raw: &Hypertable,
    input: &SectionInput<'_>,
    desired: &mut Desired,
    sink: &mut Vec<Diagnostic>,
) {
    const AT: &str = "/chunk_interval";
    match interval {
        ChunkInterval::Integer(number) => input.set(desired, "chunk_interval", AT, *number),
        ChunkInterval::Text(text) if raw.integer_now.is_some() => {
            let message =
                format!("`{text}` is a length of calendar time, and `integer_now` says that time is a number");
            let error = Diagnostic::error(&code::BAD_INTERVAL, message)
                .at(input.place(AT))
                .and_at(input.place("/integer_now"), "only for whole-number time")
                .help("write the chunk interval as a number, in the unit of the time column");
            sink.push(error);
        }
        ChunkInterval::Text(text) => {
            if let Some(interval) = input.interval(text, AT, sink) {
                input.set(desired, "chunk_interval", AT, interval);
            }
        }
    }
}

fn partitions(
    list: &[Partition],
    time_column: &str,
    input: &SectionInput<'_>,
    desired: &mut Desired,
    sink: &mut Vec<Diagnostic>,
) {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    let mut values = Vec::new();
    for (index, partition) in list.iter().enumerate() {
        let at = format!("/partitions/{index}/column");
        let Some(column) = input.identifier(&partition.column, &at, sink) else { continue };
        if column == time_column {
            let error = Diagnostic::error(&code::WRONG_VALUE, format!("`{column}` is the time column already"))
                .at(input.place(&at))
                .and_at(input.place("/time_column"), "here")
                .help("divide by another column, or leave `partitions` out");
            sink.push(error);
            continue;
        }
        if let Some(first) = seen.insert(&partition.column, at.clone()) {
            let error = Diagnostic::error(&code::WRONG_VALUE, format!("`{column}` is listed twice"))
                .at(input.place(&at))
                .and_at(input.place(&first), "first here");
            sink.push(error);
            continue;
        }
        desired.set_place(super::item("partitions", &column), input.place(&at).clone());
        values.push(super::partition(column, partition.number));
    }
    input.set(desired, "partitions", "/partitions", Value::List(values));
}

/// The columns form a set: kept sorted, as the live side is.
fn chunk_skipping(list: &[String], input: &SectionInput<'_>, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
    let mut columns = BTreeSet::new();
    for (index, text) in list.iter().enumerate() {
        let at = format!("/chunk_skipping/{index}");
        let Some(column) = input.identifier(text, &at, sink) else { continue };
        desired.set_place(super::item("chunk_skipping", &column), input.place(&at).clone());
        if !columns.insert(column) {
            sink.push(Diagnostic::error(&code::WRONG_VALUE, format!("`{text}` is listed twice")).at(input.place(&at)));
        }
    }
    input.set(desired, "chunk_skipping", "/chunk_skipping", Value::texts(columns));
}
