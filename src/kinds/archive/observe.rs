//! Which chunks are due, and which of them are done.

use std::collections::BTreeMap;

use crate::core::{Address, Cell, Desired, Ensure, Live, Param, QualifiedName, Query, Row, RowError, Server, Value};
use crate::kinds::archive::alone::{self, ALONE};
use crate::kinds::archive::frozen::{self, LEFT};
use crate::kinds::archive::jobs::{self, DROPPED, REFRESHED};
use crate::kinds::archive::{AFTER, ALL, ARCHIVED, ID, Mark, settle};
use crate::kinds::archive_store::KEEP;
use crate::kinds::chunks::{AgeColumns, Ages};
use crate::kinds::view::types;
use crate::kinds::{Relation, Relations, Scope, chunks, job};

/// The fact that lists the due chunks, oldest first, as [`chunk`] reads them.
pub const DUE: &str = "due";
/// The fact that lists all of them, with those that are in the archive already and stay in the table: to drop
/// one, what it holds by now has to be proved.
const OLD: &str = "old";
/// In a chunk's entry: that it is one of the latter.
pub const KEPT: &str = "kept";
/// In a chunk's entry: the store that its mark names.
const STORE: &str = "in";
/// In a chunk's entry: the copy that its mark names.
const COPY: &str = "copy";
/// In a chunk's entry: that it has ended longer ago than its store keeps it.
const OUTLIVED: &str = "outlived";
/// The fact that says how much room each of the chunks takes, by its OID. Somebody who writes to one changes that,
/// and nothing of what is to be done.
const ROOM: &str = "room";

/// The one query, for the tables that the policies want archived.
pub fn query(
    server: &Server,
    scope: &Scope,
    desired: &BTreeMap<Address, Desired>,
    relations: &Relations,
) -> Option<Query> {
    server.timescaledb.as_ref()?;
    let (mut oids, mut ids, mut types, mut ages) = (Vec::new(), Vec::new(), Vec::new(), AgeColumns::default());
    let mut keeps = Vec::new();
    for wanted in desired.values().filter(|d| d.address.kind == ID && d.ensure == Ensure::Present) {
        let Some(relation) = wanted.on.as_ref().and_then(|on| relations.get(on)) else { continue };
        let (Some(hypertable), Some(age)) = (&relation.hypertable, wanted.get(AFTER)) else { continue };
        if is_countable(age, relation) {
            oids.push(relation.oid);
            ids.push(Some(hypertable.id));
            types.push(counted_in(relation));
            let keep = wanted.get(KEEP).or_else(|| settle::store(wanted, desired)?.get(KEEP));
            keeps.push(keep.and_then(Value::as_interval).map(|keep| keep.to_string()));
            ages.push(Ages { after: Some(age), created_before: None }, relation);
        }
    }
    if oids.is_empty() {
        let begun = |relation: &&Relation| relation.hypertable.as_ref().is_some_and(|hypertable| hypertable.begun);
        let begun = Vec::from_iter(relations.values().filter(begun).map(|relation| relation.oid));
        let sql = || frozen::on(include_str!("only_frozen.sql"), "$1", server);
        let may_be_frozen = server.has_community_features() && !begun.is_empty();
        return may_be_frozen.then(|| Query { sql: sql(), params: vec![Param::Oids(begun)] });
    }
    let mut params = vec![Param::Oids(oids)];
    params.extend(ages.into_params());
    params.extend([Param::Texts(types), Param::Ints(ids)]);
    params.extend(jobs::wanted(desired));
    params.extend([scope.hypertable_oids(), Param::Texts(keeps)]);
    let sql = include_str!("observe.sql").replace("{jobs}", include_str!("jobs.sql").trim_end());
    let sql = frozen::on(&sql, "$12", server);
    let sql = job::on_server(&chunks::on_server(&sql, "$6", server), server);
    Some(Query { sql, params })
}

/// Whether the server can tell by an age what is old in a table. Where it cannot, settling says why.
fn is_countable(age: &Value, relation: &Relation) -> bool {
    let Some(time) = relation.hypertable.as_ref().and_then(|hypertable| hypertable.time()) else { return false };
    let integer = relation.column(&time.column).is_some_and(crate::kinds::Column::is_integer);
    match age {
        Value::Interval(_) => !integer && job::is_within_time(age),
        Value::Int(_) => integer && matches!(time.present, Some(Ok(_))) && job::is_within_time(age),
        _ => false,
    }
}

fn counted_in(relation: &Relation) -> Option<String> {
    let time = relation.hypertable.as_ref()?.time()?;
    let type_name = match relation.column(&time.column)?.base_type {
        types::INT2 => "smallint",
        types::INT4 => "integer",
        types::INT8 => "bigint",
        _ => return None,
    };
    Some(type_name.to_owned())
}

/// The resource of each table.
///
/// # Errors
/// When a row is not as the query gives it.
pub fn read(rows: &[Row]) -> Result<Vec<Live>, RowError> {
    let mut found: BTreeMap<QualifiedName, Seen> = BTreeMap::new();
    for row in rows {
        let Seen { old, room, alone, refreshed, dropped, frozen } =
            found.entry(QualifiedName::new(row.text("schema")?, row.text("name")?)).or_default();
        (*refreshed, *dropped, *frozen) = (jobs::refreshed(row)?, jobs::dropped(row)?, frozen::read(row)?);
        if *row.cell("chunk") == Cell::Null {
            continue;
        }
        let mark = Mark::read(row.maybe_text("mark")?);
        match alone::why(&mark, row.bool("frozen")?) {
            Some(why) => alone.push(alone::entry(why, &chunk_name(row)?)),
            None => {
                old.push(chunk_value(row, &mark)?);
                room.insert(row.int("chunk")?.to_string(), Value::Int(row.int("bytes")?));
            }
        }
    }
    Ok(found.into_iter().map(|(on, seen)| live(&on, seen)).collect())
}

/// What there is of one table.
#[derive(Default)]
struct Seen {
    old: Vec<Value>,
    room: BTreeMap<String, Value>,
    alone: Vec<Value>,
    refreshed: Vec<Value>,
    dropped: Vec<Value>,
    frozen: Vec<Value>,
}

fn live(on: &QualifiedName, Seen { old, room, alone, refreshed, dropped, frozen }: Seen) -> Live {
    let mut live = Live::new(Address::in_schema(ID, on), Some(on.clone()));
    live.system = true;
    // More may come to be due, and be written to, at any time: what is to be done of what a plan has seen, its steps
    // say. What jobs there are is looked at again whenever it is settled whether they are in the way.
    live.passing = &[ARCHIVED, OLD, DUE, ALONE, ROOM, REFRESHED, DROPPED, LEFT];
    live.set_fact(ROOM, Value::Map(room));
    live.set_fact(OLD, Value::List(old));
    tell(&mut live, false, None, &|_| false);
    for (fact, found) in [(ALONE, alone), (REFRESHED, refreshed), (DROPPED, dropped), (LEFT, frozen)] {
        if !found.is_empty() {
            live.set_fact(fact, Value::List(found));
        }
    }
    live
}

/// Says what is due: what is not in the store that it is to be in; and where chunks are dropped, also what is there and
/// has stayed in the table. `is_missed` says of a chunk that bears the mark of a copy whether that copy is not there.
pub fn tell(live: &mut Live, drops: bool, store: Option<&str>, is_missed: &dyn Fn(&Kept<'_>) -> bool) {
    let mut old = live.fact(OLD).map(Value::as_list).unwrap_or_default().to_vec();
    for chunk in &mut old {
        let stays = kept(chunk).map(|kept| store.is_none_or(|store| store == kept.store) && !is_missed(&kept));
        if let (Some(stays), Value::Map(entries)) = (stays, chunk) {
            entries.insert(KEPT.to_owned(), Value::Bool(stays));
        }
    }
    // What would leave the store as soon as it is there is not brought there, unless it is to leave its table.
    let due: Vec<Value> = old.into_iter().filter(|chunk| drops || !is_kept(chunk) && !is_outlived(chunk)).collect();
    let words = match due.len() {
        0 => ALL.to_owned(),
        1 => "all but 1 chunk".to_owned(),
        more => format!("all but {more} chunks"),
    };
    live.set(ARCHIVED, Value::text(words));
    live.set_fact(DUE, Value::List(due));
}

/// A chunk that bears the mark of a copy.
pub struct Kept<'a> {
    /// The chunk.
    pub name: &'a QualifiedName,
    /// Where its range begins and ends, as the server prints it.
    pub range: (&'a str, &'a str),
    /// The store that the copy was brought to, by its name.
    pub store: &'a str,
    /// The copy, where the mark names it.
    pub token: Option<&'a str>,
}

/// What bears the mark of a copy, of the chunks that are old enough.
pub fn all_kept(live: &Live) -> impl Iterator<Item = Kept<'_>> {
    live.fact(OLD).map(Value::as_list).unwrap_or_default().iter().filter_map(kept)
}

fn kept(chunk: &Value) -> Option<Kept<'_>> {
    let Value::Map(entries) = chunk else { return None };
    let text = |name: &str| entries.get(name).and_then(Value::as_text);
    let Some(Value::Name(name)) = entries.get("name") else { return None };
    Some(Kept { name, range: (text("from")?, text("until")?), store: text(STORE)?, token: text(COPY) })
}

/// How much room a chunk takes.
pub fn room(live: &Live, chunk: &BTreeMap<String, Value>) -> i64 {
    let oid = chunk.get("oid").and_then(Value::as_int).map(|oid| oid.to_string());
    match (live.fact(ROOM), oid) {
        (Some(Value::Map(room)), Some(oid)) => room.get(&oid).and_then(Value::as_int).unwrap_or(0),
        _ => 0,
    }
}

/// Whether a chunk is in the archive already.
pub fn is_kept(chunk: &Value) -> bool {
    matches!(chunk, Value::Map(entries) if entries.get(KEPT) == Some(&Value::Bool(true)))
}

/// Whether a chunk has ended longer ago than its store keeps it.
fn is_outlived(chunk: &Value) -> bool {
    matches!(chunk, Value::Map(entries) if entries.get(OUTLIVED) == Some(&Value::Bool(true)))
}

/// How many chunks there are that have.
pub fn outlived(live: &Live) -> usize {
    live.fact(OLD).map(Value::as_list).unwrap_or_default().iter().filter(|chunk| is_outlived(chunk)).count()
}

fn chunk_name(row: &Row) -> Result<QualifiedName, RowError> {
    Ok(QualifiedName::new(row.text("chunk_schema")?, row.text("chunk_name")?))
}

fn chunk_value(row: &Row, mark: &Mark) -> Result<Value, RowError> {
    let entry = |name: &str, value: Value| (name.to_owned(), value);
    let name = chunk_name(row)?;
    let mut entries = BTreeMap::from([
        entry("name", Value::Name(name)),
        entry("oid", Value::Int(row.int("chunk")?)),
        entry("from", Value::text(row.text("range_start")?)),
        entry("until", Value::text(row.text("range_end")?)),
        entry(KEPT, Value::Bool(false)),
    ]);
    if row.bool("outlived")? {
        entries.insert(OUTLIVED.to_owned(), Value::Bool(true));
    }
    if let Mark::Archived { store, token, .. } = mark {
        entries.insert(STORE.to_owned(), Value::text(store));
        entries.extend(token.as_ref().map(|token| entry(COPY, Value::text(token))));
    }
    Ok(Value::Map(entries))
}
