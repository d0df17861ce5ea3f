//! What the live server makes of a desired hypertable, and what it makes impossible.

use crate::core::{Desired, Ensure, Interval, Value, Version};
use crate::diag::{Diagnostic, code};
use crate::kinds::view::types;
use crate::kinds::{Column, Hypertable, Relation, RelationKind, View, checks};

/// `uuid`: time where it is a version 7 one, from TimescaleDB 2.22 on.
const UUID: u32 = 2950;
const UUID_TIME: Version = Version::new(2, 22);

/// The built-in types without a hash function, by which nothing can be partitioned
/// (`pg_opclass.dat`): json, xml, the geometric types, money, bit, varbit, txid_snapshot and those
/// of text search.
const UNHASHABLE: [u32; 15] = [114, 142, 600, 601, 602, 603, 604, 628, 718, 790, 1560, 1562, 2970, 3614, 3615];

/// See [`crate::kinds::Kind::settle`].
pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    let relation = checks::relation(desired, view, sink)?;
    if desired.ensure == Ensure::Absent {
        return absent(desired, relation, sink);
    }
    if relation.kind != RelationKind::Table {
        sink.push(not_a_table(desired, relation));
        return None;
    }
    if !has_timescaledb(desired, view, sink) {
        return None;
    }
    let mut settled = desired.clone();
    let before = sink.len();
    let live = relation.hypertable.as_ref();
    if live.is_some() {
        settled.attributes.remove("migrate_data");
        settled.attributes.remove("create_default_indexes");
    }
    if let Some(time) = time_column(desired, relation, view, sink) {
        chunk_interval(&mut settled, time, sink);
        integer_now(desired, time, sink);
    }
    partitions(&mut settled, relation, live, sink);
    chunk_skipping(&mut settled, relation, view, sink);
    (sink.len() == before).then_some(settled)
}

fn absent(desired: &Desired, relation: &Relation, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    if relation.hypertable.is_none() {
        return Some(desired.clone());
    }
    sink.push(cannot_undo(&relation.name.to_string()).at(desired.place_of("ensure")));
    None
}

/// A hypertable stays one.
pub fn cannot_undo(name: &str) -> Diagnostic {
    Diagnostic::error(&code::CANNOT_CHANGE, format!("{name} is a hypertable and cannot be made a plain table again"))
        .why("TimescaleDB has no way back: the rows are in chunks that only it knows how to find")
        .help(format!(
            "keep the `hypertable` section, or do it by hand: create a plain table LIKE {name} INCLUDING ALL, copy \
             the rows into it, drop {name} and rename the copy"
        ))
}

fn not_a_table(desired: &Desired, relation: &Relation) -> Diagnostic {
    let message =
        format!("{} is {}, and only a plain table can be made a hypertable", relation.name, relation.kind.words());
    let diagnostic = Diagnostic::error(&code::NOT_A_TABLE, message).at(&desired.place);
    match relation.kind {
        RelationKind::PartitionedTable => {
            diagnostic.help("create a plain table of the same columns, make that a hypertable and copy the rows into it")
        }
        RelationKind::View => diagnostic.help(
            "name the table under it; a continuous aggregate is partitioned by TimescaleDB itself and needs no such section",
        ),
        _ => diagnostic.help("name a plain table"),
    }
}

fn has_timescaledb(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> bool {
    let Some(timescale) = &view.server.timescaledb else {
        sink.push(checks::needs_timescaledb("a `hypertable` section", desired, view));
        return false;
    };
    if timescale.version >= super::OLDEST {
        return true;
    }
    let message = format!(
        "TimescaleDB {} is too old for a `hypertable` section: it needs {} or newer",
        timescale.version_text,
        super::OLDEST
    );
    sink.push(
        Diagnostic::error(&code::NEEDS_NEWER_SERVER, message)
            .at(&desired.place)
            .help("update the extension, or take the section out of the policy"),
    );
    false
}

/// The time column, where time can be counted in it. On a live hypertable another column than the
/// live one is left to the rule that refuses it.
fn time_column<'a>(
    desired: &Desired,
    relation: &'a Relation,
    view: &View<'_>,
    sink: &mut Vec<Diagnostic>,
) -> Option<&'a Column> {
    let name = desired.get("time_column")?.as_text()?;
    let place = desired.place_of("time_column");
    let Some(column) = relation.column(name) else {
        sink.push(checks::unknown_column(relation, name, place));
        return None;
    };
    let live = relation.hypertable.as_ref().and_then(Hypertable::time);
    if live.is_some_and(|time| time.column == name) {
        return Some(column);
    }
    let has_uuid = view.server.timescale_version().is_some_and(|version| version >= UUID_TIME);
    let can_be_time = (column.is_time() && !is_domain(column)) || (column.base_type == UUID && has_uuid);
    if !can_be_time {
        let message = format!("`{name}` of {} is of type {}, which cannot be time", relation.name, column.type_name);
        let diagnostic = Diagnostic::error(&code::WRONG_TYPE, message)
            .at(place)
            .help("a time column is of type timestamptz, timestamp, date, smallint, integer or bigint");
        sink.push(match is_domain(column) {
            true => diagnostic.why("TimescaleDB does not look through a domain to the type under it"),
            false => diagnostic,
        });
        return None;
    }
    Some(column)
}

/// Whether the column's type is a domain: its name is then none of its base type's.
fn is_domain(column: &Column) -> bool {
    let names: &[&str] = match column.base_type {
        types::INT2 => &["smallint"],
        types::INT4 => &["integer"],
        types::INT8 => &["bigint"],
        types::DATE => &["date"],
        types::TIMESTAMP | types::TIMESTAMPTZ => &["timestamp"],
        _ => return false,
    };
    // A precision stands inside the name: `timestamp(3) with time zone`.
    let first = column.type_name.split([' ', '(']).next().unwrap_or_default();
    !names.contains(&first)
}

fn chunk_interval(settled: &mut Desired, time: &Column, sink: &mut Vec<Diagnostic>) {
    let place = settled.place_of("chunk_interval").clone();
    let bad = |code, message: String, help: &str| Diagnostic::error(code, message).at(&place).help(help);
    let of_type = format!("`{}` is of type {}", time.name, time.type_name);
    match settled.get("chunk_interval") {
        Some(Value::Interval(_)) if time.is_integer() => sink.push(bad(
            &code::BAD_INTERVAL,
            format!("{of_type}: a chunk's length is a whole number there, not a length of calendar time"),
            "write it without a unit, in that of the column, such as `chunk_interval: 86400` for seconds",
        )),
        Some(Value::Int(_)) if !time.is_integer() => sink.push(bad(
            &code::WRONG_TYPE,
            format!("{of_type}: a chunk's length is an interval there, not a number"),
            "write it with a unit, such as `chunk_interval: 1 day`",
        )),
        Some(Value::Int(length)) if !(1..=largest(time)).contains(length) => sink.push(bad(
            &code::BAD_INTERVAL,
            format!("{of_type}: a chunk's length is between 1 and {} there", largest(time)),
            "write a length that the column's own type can hold",
        )),
        Some(Value::Interval(interval)) => match as_kept(*interval, time) {
            Ok(kept) => settled.set("chunk_interval", kept),
            Err(why) => sink.push(bad(&code::BAD_INTERVAL, why, "write whole days, such as `chunk_interval: 7 days`")),
        },
        _ => {}
    }
}

/// The interval as the server keeps it: months as 30 days and all of it in microseconds
/// (`interval_to_usec` in `src/dimension.c`; seen on 2.19 to 2.29).
fn as_kept(interval: Interval, time: &Column) -> Result<Interval, String> {
    let kept = interval.flattened().ok_or_else(|| format!("{interval} is longer than TimescaleDB can store"))?;
    if time.base_type == types::DATE && kept.micros != 0 {
        return Err(format!("`{}` is a date: {interval} is not a whole number of days", time.name));
    }
    Ok(kept)
}

fn largest(time: &Column) -> i64 {
    match time.base_type {
        types::INT2 => i16::MAX.into(),
        types::INT4 => i32::MAX.into(),
        _ => i64::MAX,
    }
}

fn integer_now(desired: &Desired, time: &Column, sink: &mut Vec<Diagnostic>) {
    if desired.get("integer_now").is_some() && !time.is_integer() {
        let message =
            format!("`{}` is of type {}, which needs no function to tell its present", time.name, time.type_name);
        sink.push(
            Diagnostic::error(&code::WRONG_TYPE, message)
                .at(desired.place_of("integer_now"))
                .help("take `integer_now` out: it is for whole-number time only"),
        );
    }
}

/// Puts the partitions into the live order, new ones last, and refuses to lose one.
fn partitions(settled: &mut Desired, relation: &Relation, live: Option<&Hypertable>, sink: &mut Vec<Diagnostic>) {
    let Some(Value::List(wanted)) = settled.get("partitions").cloned() else { return };
    let place = settled.place_of("partitions").clone();
    for name in wanted.iter().filter_map(super::column_of) {
        let place = settled.places.get(&super::item("partitions", name)).unwrap_or(&place);
        match relation.column(name) {
            None => sink.push(checks::unknown_column(relation, name, place)),
            Some(column) if UNHASHABLE.contains(&column.base_type) => {
                let message = format!("`{name}` is of type {}, which has no hash function", column.type_name);
                let diagnostic = Diagnostic::error(&code::WRONG_TYPE, message).at(place);
                sink.push(diagnostic.help("partition by another column, or by none"));
            }
            Some(_) => {}
        }
    }
    let is_hashed = |column: &str| wanted.iter().any(|partition| super::column_of(partition) == Some(column));
    let hashed = live.map(|live| live.dimensions.iter().filter(|dimension| dimension.partitions.is_some()));
    let order: Vec<&str> = hashed.into_iter().flatten().map(|dimension| dimension.column.as_str()).collect();
    for lost in order.iter().filter(|column| !is_hashed(column)) {
        let message = format!("{} is partitioned by `{lost}`, which the policy does not list", relation.name);
        sink.push(
            Diagnostic::error(&code::CANNOT_CHANGE, message)
                .at(&place)
                .why("TimescaleDB cannot remove a dimension from a hypertable, nor exchange its column")
                .help("list it, or make a new hypertable and copy the rows into it"),
        );
    }
    let rank = |partition: &Value| {
        let column = super::column_of(partition);
        order.iter().position(|live| Some(*live) == column).unwrap_or(usize::MAX)
    };
    let mut sorted = wanted.clone();
    sorted.sort_by_key(rank);
    settled.set("partitions", Value::List(sorted));
}

fn chunk_skipping(settled: &mut Desired, relation: &Relation, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(columns) = settled.get("chunk_skipping").cloned() else { return };
    let place = settled.place_of("chunk_skipping").clone();
    let version = view.server.timescaledb.as_ref();
    if let Some(old) = version.filter(|timescale| timescale.version < super::CHUNK_SKIPPING) {
        settled.attributes.remove("chunk_skipping");
        if !columns.as_list().is_empty() {
            let message = format!(
                "TimescaleDB {} has no chunk skipping: it came with {}",
                old.version_text,
                super::CHUNK_SKIPPING
            );
            let diagnostic = Diagnostic::error(&code::NEEDS_NEWER_SERVER, message).at(&place);
            sink.push(diagnostic.help("update the extension, or take `chunk_skipping` out of the policy"));
        }
        return;
    }
    for name in columns.as_list().iter().filter_map(Value::as_text) {
        let place = settled.places.get(&super::item("chunk_skipping", name)).unwrap_or(&place);
        match relation.column(name) {
            None => sink.push(checks::unknown_column(relation, name, place)),
            Some(column) if !column.is_time() || is_domain(column) => {
                let message =
                    format!("`{name}` is of type {}, whose range TimescaleDB does not keep", column.type_name);
                let diagnostic = Diagnostic::error(&code::WRONG_TYPE, message).at(place);
                sink.push(
                    diagnostic.help("chunk skipping is for smallint, integer, bigint, date and timestamp columns"),
                );
            }
            Some(_) => {}
        }
    }
}
