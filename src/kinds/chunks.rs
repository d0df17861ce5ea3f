//! The catalog of chunks, whose tables TimescaleDB has changed more than once, and which chunks a
//! policy's job would take.

use crate::core::name::quote_identifier;
use crate::core::{Param, Server, Value, Version};
use crate::kinds::view::types;
use crate::kinds::{Relation, Untold, View, job};

/// From here on the chunk catalog holds the relation itself instead of its name
/// (`sql/pre_install/tables.sql`, 2.28.3 and 2.29.0).
const BY_RELATION: Version = Version::new(2, 29);
/// From here on compression settings name the compressed relation (same file, 2.18.2 and 2.19.3).
const SETTINGS_BY_CHUNK: Version = Version::new(2, 19);

/// Fills in a query that reads chunks:
/// - `{chunks}` becomes the body of a CTE with the columns `hypertable_id`, `id`, `oid`,
///   `compressed` (the OID of its columnstore relation, NULL where it has none) and `settings` (the
///   OID that its row in `compression_settings` is under);
/// - `{ids}` inside it becomes the given parameter, a `bigint[]` of TimescaleDB's hypertable ids;
/// - `{due NAME}` becomes the body of a CTE with the columns `oid` and `chunk`: the chunks that are
///   old enough, for each row of a CTE of that name with the columns `oid`, `after`,
///   `created_before`, `before` and `counted_in` (the type of whole-number time). It asks
///   `show_chunks`, so that they are those that the job itself would take;
/// - `{gaps NAME}` becomes what [`between_chunks`] makes of it;
/// - `{ts}` becomes the schema of TimescaleDB's functions.
pub fn on_server(sql: &str, ids: &str, server: &Server) -> String {
    let version = server.timescale_version().unwrap_or_default();
    let chunks = if version >= BY_RELATION {
        include_str!("chunks/by_relation.sql")
    } else if version >= SETTINGS_BY_CHUNK {
        include_str!("chunks/by_name.sql")
    } else {
        include_str!("chunks/by_compressed_chunk.sql")
    };
    let mut filled = sql.replace("{chunks}", chunks.trim_end()).replace("{ids}", ids);
    filled = each_of(&filled, "{due ", include_str!("chunks/due.sql"));
    filled = between_chunks(&filled);
    let schema = server.timescaledb.as_ref().map_or("public", |timescale| timescale.schema.as_str());
    filled.replace("{ts}", &quote_identifier(schema))
}

/// The condition that a row of TimescaleDB's chunks is that of a relation, of which the namespace is at hand, too.
pub fn is_chunk(chunk: &str, namespace: &str, relation: &str, server: &Server) -> String {
    if server.timescale_version().unwrap_or_default() >= BY_RELATION {
        format!("{chunk}.relid = {relation}.oid")
    } else {
        format!("{chunk}.schema_name = {namespace}.nspname AND {chunk}.table_name = {relation}.relname")
    }
}

/// Fills in `{gaps NAME}`: it becomes the body of a CTE with the columns `dimension_id`, `begins` and `ends`, two
/// `bigint[]` in step and in TimescaleDB's own units: the ranges in which a hypertable has no chunk, for each of the
/// dimensions of time that a CTE of that name lists as `source_dimension`. The first has no beginning and the last
/// no end; of a hypertable without chunks there is one with neither.
pub fn between_chunks(sql: &str) -> String {
    each_of(sql, "{gaps ", include_str!("chunks/gaps.sql"))
}

/// Fills in a body wherever a place for it names a CTE that it is to go by.
fn each_of(sql: &str, place: &str, body: &str) -> String {
    let mut filled = sql.to_owned();
    while let Some((before, rest)) = filled.split_once(place) {
        let Some((name, after)) = rest.split_once('}') else { break };
        filled = format!("{before}{}{after}", body.replace("{wanted}", name).trim_end());
    }
    filled
}

/// The ages that a policy's job goes by; neither where no job runs.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Ages<'a> {
    /// By row time.
    pub after: Option<&'a Value>,
    /// By the creation of chunks.
    pub created_before: Option<&'a Value>,
}

impl<'a> Ages<'a> {
    /// Themselves, or none where the server could not count them either: by such an age its job drops
    /// nothing.
    pub fn countable(self, relation: &Relation) -> Self {
        if ![self.after, self.created_before].into_iter().flatten().all(job::is_within_time) {
            return Self::default();
        }
        let number = self.after.and_then(Value::as_int).is_some();
        if number && present(relation).is_none_or(Result::is_err) { Self::default() } else { self }
    }

    /// Whether the server is to be asked what they take. It knows no present for an empty table that the
    /// same plan gives one to, and there is nothing to count; nor where what tells it fails.
    pub fn is_counted(self, relation: &Relation, view: &View<'_>) -> bool {
        self.uncountable(relation, view).is_none() && self.countable(relation) == self
    }

    /// Why nothing can be counted of them before the plan is applied; `None` where it can.
    pub fn uncountable(&self, relation: &Relation, view: &View<'_>) -> Option<String> {
        let Some(hypertable) = &relation.hypertable else {
            let why = "the same plan makes the table a hypertable, so what its first run touches is not known yet";
            return relation.has_pages.then(|| why.to_owned());
        };
        self.after.and_then(Value::as_int)?;
        if hypertable.chunks == 0 {
            return None;
        }
        let live = job::live_integer_now(&relation.name, view);
        let Some(function) = live.filter(|_| job::moved_present(&relation.name, view).is_none()) else {
            return Some(
                "the same plan gives it another present, so what its first run touches is not known yet".to_owned(),
            );
        };
        let untold = present(relation)?.as_ref().err()?;
        Some(format!("{function}, which tells the present, {untold}"))
    }
}

/// The present of whole-number time, where something tells it.
fn present(relation: &Relation) -> Option<&Result<i64, Untold>> {
    relation.hypertable.as_ref()?.time()?.present.as_ref()
}

/// What is before this is old, where time is a whole number: as the job has it, from the present. An aggregate's own
/// hypertable knows none, so that the server cannot be asked (42883, `integer_now function not set`: seen on 2.28.3).
pub fn before(age: Option<&Value>, relation: &Relation) -> Option<i64> {
    let number = age?.as_int()?;
    let present = present(relation)?.as_ref().ok()?;
    let time = &relation.hypertable.as_ref()?.time()?.column;
    let least = match relation.column(time)?.base_type {
        types::INT2 => i16::MIN.into(),
        types::INT4 => i32::MIN.into(),
        _ => i64::MIN,
    };
    Some(present.saturating_sub(number).max(least))
}

/// Ages as parameters: by row time, by creation, and as a whole number, from the present.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AgeColumns {
    after: Vec<Option<String>>,
    created_before: Vec<Option<String>>,
    before: Vec<Option<i64>>,
}

impl AgeColumns {
    /// Adds a row: the ages in a relation.
    pub fn push(&mut self, ages: Ages<'_>, relation: &Relation) {
        let text = |value: Option<&Value>| value.and_then(Value::as_interval).map(|interval| interval.to_string());
        self.after.push(text(ages.after));
        self.created_before.push(text(ages.created_before));
        self.before.push(before(ages.after, relation));
    }

    /// Three arrays: `text[]`, `text[]`, `bigint[]`.
    pub fn into_params(self) -> [Param; 3] {
        [Param::Texts(self.after), Param::Texts(self.created_before), Param::Ints(self.before)]
    }
}

/// The type in which a table counts time, where that is a whole number.
pub fn counted_in(relation: &Relation, view: &View<'_>) -> Option<String> {
    let type_name = match view.time_column(&relation.name)?.base_type {
        types::INT2 => "smallint",
        types::INT4 => "integer",
        types::INT8 => "bigint",
        _ => return None,
    };
    Some(type_name.to_owned())
}
