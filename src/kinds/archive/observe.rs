//! Which chunks are due, and which of them are done.

use std::collections::BTreeMap;

use crate::core::{Address, Cell, Desired, Ensure, Live, Param, QualifiedName, Query, Row, RowError, Server, Value};
use crate::kinds::archive::frozen::{self, LEFT};
use crate::kinds::archive::jobs::{self, DROPPED, REFRESHED};
use crate::kinds::archive::{AFTER, ALL, ARCHIVED, ID, Mark};
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
/// The fact that counts chunks that are old enough, and that somebody has frozen.
pub const HELD: &str = "held";
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
    for desired in desired.values().filter(|d| d.address.kind == ID && d.ensure == Ensure::Present) {
        let Some(relation) = desired.on.as_ref().and_then(|on| relations.get(on)) else { continue };
        let (Some(hypertable), Some(age)) = (&relation.hypertable, desired.get(AFTER)) else { continue };
        if is_countable(age, relation) {
            oids.push(relation.oid);
            ids.push(Some(hypertable.id));
            types.push(counted_in(relation));
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
    params.push(scope.hypertable_oids());
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
        let Seen { old, room, held, refreshed, dropped, frozen } =
            found.entry(QualifiedName::new(row.text("schema")?, row.text("name")?)).or_default();
        (*refreshed, *dropped, *frozen) = (jobs::refreshed(row)?, jobs::dropped(row)?, frozen::read(row)?);
        if *row.cell("chunk") == Cell::Null {
            continue;
        }
        let mark = Mark::read(row.maybe_text("mark")?);
        match (mark, row.bool("frozen")?) {
            (Mark::Unreadable, _) => *held += 1,
            (mark, true) if !matches!(mark, Mark::Begun { .. }) => *held += 1,
            (mark, _) => {
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
    held: i64,
    refreshed: Vec<Value>,
    dropped: Vec<Value>,
    frozen: Vec<Value>,
}

fn live(on: &QualifiedName, Seen { old, room, held, refreshed, dropped, frozen }: Seen) -> Live {
    let mut live = Live::new(Address::in_schema(ID, on), Some(on.clone()));
    live.system = true;
    // More may come to be due, and be written to, at any time: what is to be done of what a plan has seen, its steps
    // say. What jobs there are is looked at again whenever it is settled whether they are in the way.
    live.passing = &[ARCHIVED, OLD, DUE, HELD, ROOM, REFRESHED, DROPPED, LEFT];
    live.set_fact(ROOM, Value::Map(room));
    live.set_fact(OLD, Value::List(old));
    tell(&mut live, false, None, &|_| false);
    live.set_fact(HELD, Value::Int(held));
    for (fact, found) in [(REFRESHED, refreshed), (DROPPED, dropped), (LEFT, frozen)] {
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
    let due: Vec<Value> = old.into_iter().filter(|chunk| drops || !is_kept(chunk)).collect();
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

fn chunk_value(row: &Row, mark: &Mark) -> Result<Value, RowError> {
    let entry = |name: &str, value: Value| (name.to_owned(), value);
    let name = QualifiedName::new(row.text("chunk_schema")?, row.text("chunk_name")?);
    let mut entries = BTreeMap::from([
        entry("name", Value::Name(name)),
        entry("oid", Value::Int(row.int("chunk")?)),
        entry("from", Value::text(row.text("range_start")?)),
        entry("until", Value::text(row.text("range_end")?)),
        entry(KEPT, Value::Bool(false)),
    ]);
    if let Mark::Archived { store, token, .. } = mark {
        entries.insert(STORE.to_owned(), Value::text(store));
        entries.extend(token.as_ref().map(|token| entry(COPY, Value::text(token))));
    }
    Ok(Value::Map(entries))
}
