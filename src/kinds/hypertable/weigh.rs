//! What making or changing a hypertable would touch, and what stands in its way.

use crate::core::name::quote_literal;
use crate::core::{
    Address, Bytes, Delta, Desired, Ensure, Hazard, Impact, KindId, Op, Param, Place, Query, Row, RowError, Value,
    Version,
};
use crate::diag::{Code, Diagnostic};
use crate::kinds::view::types;
use crate::kinds::{Column, Judgement, Relation, View, checks, chunks, job};

static TABLE_NOT_EMPTY: Code = Code::new(
    "table-not-empty",
    "A table with rows is to become a hypertable, and the policy does not say to move them.",
);
static UNIQUE_IN_THE_WAY: Code = Code::new(
    "unique-index-in-the-way",
    "A unique index that exists lacks a column by which the table is to be partitioned.",
);
static NOT_HYPERTABLE_MATERIAL: Code =
    Code::new("not-hypertable-material", "The table has something that a hypertable cannot have.");
static BAD_NOW_FUNCTION: Code =
    Code::new("bad-now-function", "A function that cannot tell the present of a whole-number time.");

/// The codes of this kind's own diagnostics.
pub static CODES: &[&Code] = &[&TABLE_NOT_EMPTY, &UNIQUE_IN_THE_WAY, &NOT_HYPERTABLE_MATERIAL, &BAD_NOW_FUNCTION];

/// One query for all deltas: what stands in the way of those that make a hypertable or add a
/// dimension, what there is of the functions that they name, and whether each table has rows. That
/// last can only be asked of the table itself, so the query grows by a line for each table that
/// has storage at all.
pub fn query(deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
    let (mut oids, mut moved) = (Vec::new(), Vec::new());
    let (mut schemas, mut names) = (Vec::new(), Vec::new());
    let sql = chunks::between_chunks(include_str!("weigh.sql"));
    let mut sql = job::on_server(&sql, view.server).trim_end().to_owned();
    for delta in deltas {
        let Some(relation) = relation(delta, view) else { continue };
        if delta.is_create() || !super::partition_changes(delta).0.is_empty() {
            oids.push(relation.oid);
        }
        if delta.is_create() && relation.owned && relation.has_pages {
            sql.push_str(&format!(
                "\nUNION ALL\nSELECT 'rows', {}::oid, NULL, NULL, NULL, NULL, NULL, EXISTS (SELECT FROM ONLY {})",
                relation.oid, relation.name
            ));
            sql.push_str(&nulls_in_time(delta, relation).unwrap_or_default());
        }
        if delta.change("integer_now").is_some()
            && let Some(Value::Name(function)) = delta.desired.as_ref().and_then(|desired| desired.get("integer_now"))
        {
            schemas.push(function.schema.clone());
            names.push(function.name.clone());
            moved.push(relation.oid);
        }
    }
    let anything = !oids.is_empty() || !names.is_empty();
    let params = vec![Param::Oids(oids), Param::texts(schemas), Param::texts(names), Param::Oids(moved)];
    anything.then_some(Query { sql, params })
}

/// Whether the statistics know of NULLs in the time column. Only they are asked: the table itself
/// may be large.
fn nulls_in_time(delta: &Delta, relation: &Relation) -> Option<String> {
    let time = relation.column(delta.desired.as_ref()?.get("time_column")?.as_text()?)?;
    (!time.not_null).then(|| {
        format!(
            "\nUNION ALL\nSELECT 'nulls', {}::oid, NULL, NULL, NULL, NULL, NULL, EXISTS (SELECT FROM pg_catalog.pg_stats \
             WHERE schemaname = {} AND tablename = {} AND attname = {} AND null_frac > 0)",
            relation.oid,
            quote_literal(&relation.name.schema),
            quote_literal(&relation.name.name),
            quote_literal(&time.name)
        )
    })
}

fn relation<'a>(delta: &Delta, view: &View<'a>) -> Option<&'a Relation> {
    view.relations.get(delta.on.as_ref()?)
}

/// See [`crate::kinds::Kind::judge`].
///
/// # Errors
/// When the rows are not those of `weigh.sql`.
pub fn judge(delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
    let mut judgement = Judgement::default();
    let Some(relation) = relation(delta, view) else { return Ok(judgement) };
    let Some(desired) = &delta.desired else {
        judgement.diagnostics.push(super::settle::cannot_undo(&relation.name.to_string()));
        return Ok(judgement);
    };
    if op == Op::Blocked {
        return Ok(judgement);
    }
    if !relation.owned {
        judgement.diagnostics.push(checks::not_owner(relation, view, &desired.place));
        return Ok(judgement);
    }
    now_function(delta, desired, relation, weights, &mut judgement.diagnostics)?;
    if delta.is_create() {
        let case = Case { desired, relation, version: view.server.timescale_version().unwrap_or_default(), view };
        case.create(weights, &mut judgement)?;
    } else {
        update(delta, desired, relation, weights, view, &mut judgement)?;
    }
    Ok(judgement)
}

/// The rows of `weights` that are of one sort and about one relation.
pub(super) fn finds<'a>(weights: &'a [Row], what: &str, oid: u32) -> Result<Vec<&'a Row>, RowError> {
    let mut found = Vec::new();
    for row in weights {
        if row.text("what")? == what && row.maybe_int("oid")? == Some(oid.into()) {
            found.push(row);
        }
    }
    Ok(found)
}

/// What changes on a live hypertable reaches new chunks only; that is worth a note.
fn update(
    delta: &Delta,
    desired: &Desired,
    relation: &Relation,
    weights: &[Row],
    view: &View<'_>,
    judgement: &mut Judgement,
) -> Result<(), RowError> {
    let Some(live) = &relation.hypertable else { return Ok(()) };
    let mut notes = Vec::new();
    let (chunks_keep, their) = match live.chunks {
        1 => ("the one existing chunk keeps".to_owned(), "its"),
        count => (format!("the {count} existing chunks keep"), "their"),
    };
    if let Some(change) = delta.change("chunk_interval")
        && let Some(before) = &change.before
        && live.chunks > 0
    {
        notes.push(format!("{chunks_keep} {their} length, until now {before}"));
    }
    let (added, resized) = super::partition_changes(delta);
    if !added.is_empty() {
        let columns: Vec<&str> = desired_columns(&added);
        unique_indexes(desired, relation, &columns, weights, view, &mut judgement.diagnostics)?;
    }
    if live.chunks > 0 && !(added.is_empty() && resized.is_empty()) {
        notes.push(format!("{chunks_keep} {their} partitions"));
    }
    if delta.change("chunk_skipping").is_some() {
        notes.extend(skipping_note(desired));
    }
    super::present::judge(judgement, delta, relation, weights, view, notes)
}

/// The ranges are neither computed nor used in a session where the setting is off, and off is its
/// default from 2.17.1 on.
fn skipping_note(desired: &Desired) -> Option<String> {
    let any = desired.get("chunk_skipping").is_some_and(|columns| !columns.as_list().is_empty());
    any.then(|| {
        "ranges are kept and used only by sessions with `timescaledb.enable_chunk_skipping = on`, and only of \
         chunks compressed from now on"
            .to_owned()
    })
}

fn desired_columns(partitions: &[Value]) -> Vec<&str> {
    partitions.iter().filter_map(super::column_of).collect()
}

/// A table that is to become a hypertable.
struct Case<'a> {
    desired: &'a Desired,
    relation: &'a Relation,
    version: Version,
    view: &'a View<'a>,
}

impl Case<'_> {
    fn create(&self, weights: &[Row], judgement: &mut Judgement) -> Result<(), RowError> {
        let oid = self.relation.oid;
        let has_rows = finds(weights, "rows", oid)?.iter().any(|row| row.bool("flag").unwrap_or(true));
        let migrate = self.desired.get("migrate_data").and_then(Value::as_bool).unwrap_or(false);
        let size = finds(weights, "size", oid)?.first().copied();
        let rows = size.map(|row| row.maybe_int("rows")).transpose()?.flatten().unwrap_or(0).max(i64::from(has_rows));
        let bytes = size.map(|row| row.maybe_int("bytes")).transpose()?.flatten().unwrap_or(0);
        let (rows, bytes) = (u64::try_from(rows).unwrap_or(0), Bytes(u64::try_from(bytes).unwrap_or(0)));
        let mut notes = Vec::new();
        let time = self.time();
        if let Some(column) = time.filter(|column| !column.not_null) {
            notes.push(format!("`{}` becomes NOT NULL", column.name));
        }
        notes.extend(skipping_note(self.desired));
        if has_rows && migrate {
            judgement.hazards.extend([Hazard::RewritesTable, Hazard::BlocksWrites, Hazard::BlocksReads]);
            notes.push("the table is locked until every row is in its chunk".to_owned());
        }
        let nulls = finds(weights, "nulls", oid)?.iter().any(|row| row.bool("flag").unwrap_or(false));
        if let Some(column) = time.filter(|_| has_rows && nulls) {
            let message = format!("`{}` of {} holds NULLs, and time cannot be NULL", column.name, self.relation.name);
            let place = self.desired.place_of("time_column");
            let warning = Diagnostic::warning(&NOT_HYPERTABLE_MATERIAL, message).at(place);
            judgement.diagnostics.push(
                warning
                    .why("so say the table's statistics; as long as it is true, the statement will fail")
                    .help("fill in or delete those rows first"),
            );
        }
        if has_rows && !migrate {
            judgement.diagnostics.push(self.not_empty(rows, bytes));
        }
        if has_rows {
            let impact = Impact {
                verb: "moves into chunks".to_owned(),
                rows: Some(rows),
                bytes: Some(bytes),
                notes,
                ..Impact::default()
            };
            judgement.impact = Some(impact);
        } else if !notes.is_empty() {
            judgement.impact = Some(Impact { notes, ..Impact::default() });
        }
        let columns = self.partitioning_columns();
        unique_indexes(self.desired, self.relation, &columns, weights, self.view, &mut judgement.diagnostics)?;
        self.obstacles(has_rows, weights, &mut judgement.diagnostics)
    }

    fn time(&self) -> Option<&Column> {
        self.relation.column(self.desired.get("time_column")?.as_text()?)
    }

    fn partitioning_columns(&self) -> Vec<&str> {
        let time = self.desired.get("time_column").and_then(Value::as_text);
        let hashed = self.desired.get("partitions").map(Value::as_list).unwrap_or_default();
        time.into_iter().chain(desired_columns(hashed)).collect()
    }

    fn not_empty(&self, rows: u64, bytes: Bytes) -> Diagnostic {
        let message = format!("{} holds about {rows} rows ({bytes}) and is to become a hypertable", self.relation.name);
        Diagnostic::error(&TABLE_NOT_EMPTY, message)
            .at(&self.desired.place)
            .why("TimescaleDB makes a hypertable of a table with rows only when it may move them into chunks, with the table locked meanwhile")
            .help("write `migrate_data: true`, or make an empty hypertable of the same columns and copy the rows into it in batches")
    }

    /// Everything else that `create_hypertable` refuses, in the order in which it looks.
    fn obstacles(&self, has_rows: bool, weights: &[Row], sink: &mut Vec<Diagnostic>) -> Result<(), RowError> {
        let oid = self.relation.oid;
        for row in weights.iter().filter(|row| row.maybe_int("oid") == Ok(Some(oid.into()))) {
            if let Some((what, help)) = self.obstacle(row, has_rows)? {
                let message = format!("{} {what}", self.relation.name);
                sink.push(Diagnostic::error(&NOT_HYPERTABLE_MATERIAL, message).at(&self.desired.place).help(help));
            }
        }
        Ok(())
    }

    fn obstacle(&self, row: &Row, has_rows: bool) -> Result<Option<(String, &'static str)>, RowError> {
        let name = row.maybe_text("name")?.unwrap_or_default();
        let other = row.maybe_text("other")?.unwrap_or_default();
        let flag = row.bool("flag").unwrap_or(true);
        let before = |major, minor, patch| self.version < Version { major, minor, patch };
        Ok(match row.text("what")? {
            "size" if name == "t" => {
                Some(("is temporary, and a hypertable cannot be".to_owned(), "make it an ordinary table"))
            }
            "size" if name == "u" && before(2, 23, 0) => Some((
                "is unlogged, which a hypertable cannot be before TimescaleDB 2.23".to_owned(),
                "ALTER TABLE … SET LOGGED first",
            )),
            "no inherit" => Some((
                format!("has the check constraint \"{name}\" with NO INHERIT, which would not hold for its chunks"),
                "make the constraint anew without NO INHERIT",
            )),
            "referenced" if flag || before(2, 17, 0) => Some((
                format!("is referenced by the foreign key \"{name}\" of {other}, which a hypertable cannot be"),
                "drop the foreign key first",
            )),
            "referenced" if has_rows => Some((
                format!(
                    "is referenced by the foreign key \"{name}\" of {other}, so its rows cannot be moved into chunks"
                ),
                "drop the foreign key, apply, and make it again: moving rows empties the table with TRUNCATE",
            )),
            "references" => Some((
                format!("refers by the foreign key \"{name}\" to {other}, which is a hypertable"),
                "drop the foreign key: one between two hypertables is not supported",
            )),
            "inheritance" => Some((
                format!("inherits from, or is inherited by, {name}"),
                "take it out of the inheritance with ALTER TABLE … NO INHERIT first",
            )),
            "publication" if !before(2, 20, 0) || (!flag && !before(2, 19, 2)) => Some((
                format!("is in the publication \"{name}\", and logical replication does not reach chunks"),
                "take the table out of the publication first",
            )),
            "rule" => Some((format!("has the rule \"{name}\", which would not work on chunks"), "drop the rule first")),
            "trigger" if flag || before(2, 18, 0) => Some((
                format!("has the trigger \"{name}\" with transition tables, which a hypertable cannot have"),
                "drop the trigger, or make it one FOR EACH STATEMENT on TimescaleDB 2.18 or newer",
            )),
            "generated" if self.partitioning_columns().contains(&name) => Some((
                format!("has `{name}` as a generated column, which cannot be partitioned by"),
                "partition by a column that is stored as it was written",
            )),
            _ => None,
        })
    }
}

/// A unique index must hold every column that is partitioned by: uniqueness is only known within a
/// chunk. One that the same policies remove is gone by then.
fn unique_indexes(
    desired: &Desired,
    relation: &Relation,
    columns: &[&str],
    weights: &[Row],
    view: &View<'_>,
    sink: &mut Vec<Diagnostic>,
) -> Result<(), RowError> {
    for row in finds(weights, "unique", relation.oid)? {
        let name = row.text("name")?;
        let mut index = Address::in_schema(KindId::new("index"), &relation.name);
        name.clone_into(&mut index.name);
        if view.desired.get(&index).is_some_and(|index| index.ensure == Ensure::Absent) {
            continue;
        }
        let indexed: Vec<String> = row.texts("columns")?.into_iter().flatten().collect();
        let missing: Vec<String> = columns
            .iter()
            .filter(|column| !indexed.iter().any(|have| have == *column))
            .map(|c| format!("`{c}`"))
            .collect();
        if missing.is_empty() {
            continue;
        }
        let sort = if row.bool("flag").unwrap_or(false) { "primary key" } else { "unique index" };
        let message = format!(
            "the {sort} \"{name}\" of {} does not hold {}, by which it is to be partitioned",
            relation.name,
            missing.join(" and ")
        );
        let diagnostic = Diagnostic::error(&UNIQUE_IN_THE_WAY, message)
            .at(&desired.place)
            .why("a chunk knows only its own rows, so uniqueness can only be kept within the columns that tell the chunk")
            .help(format!("make the {sort} over {} as well, or drop it", missing.join(" and ")));
        sink.push(diagnostic);
    }
    Ok(())
}

/// `set_integer_now_func` takes a function without arguments, stable or immutable, of the time
/// column's exact type, which the role may execute.
fn now_function(
    delta: &Delta,
    desired: &Desired,
    relation: &Relation,
    weights: &[Row],
    sink: &mut Vec<Diagnostic>,
) -> Result<(), RowError> {
    let Some(Value::Name(function)) = desired.get("integer_now") else { return Ok(()) };
    let time = desired.get("time_column").and_then(Value::as_text).and_then(|name| relation.column(name));
    let (Some(time), Some(_)) = (time, delta.change("integer_now")) else { return Ok(()) };
    let place: &Place = desired.place_of("integer_now");
    for row in weights {
        let is_it = row.text("what")? == "function"
            && row.maybe_text("name")? == Some(&function.schema)
            && row.maybe_text("other")? == Some(&function.name);
        if !is_it {
            continue;
        }
        let volatility = row.texts("columns")?.into_iter().flatten().next();
        let wrong = match (row.maybe_int("oid")?, volatility.as_deref()) {
            (None, _) => "does not exist without arguments".to_owned(),
            (Some(returns), _) if returns != i64::from(time.base_type) => {
                format!("does not return {}, the type of `{}`", type_name(time), time.name)
            }
            (_, Some("v")) => "is volatile, and must be stable or immutable".to_owned(),
            _ if !row.bool("flag").unwrap_or(false) => "may not be executed by the session's role".to_owned(),
            _ => return Ok(()),
        };
        let help = format!(
            "let a migration create it: CREATE FUNCTION {function}() RETURNS {} LANGUAGE sql STABLE AS …",
            type_name(time)
        );
        sink.push(
            Diagnostic::error(&BAD_NOW_FUNCTION, format!("the function {function} {wrong}")).at(place).help(help),
        );
        return Ok(());
    }
    Ok(())
}

fn type_name(time: &Column) -> &'static str {
    match time.base_type {
        types::INT2 => "smallint",
        types::INT4 => "integer",
        _ => "bigint",
    }
}
