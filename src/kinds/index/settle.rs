//! What the server would make of a desired index, and what it would refuse.

use std::collections::BTreeMap;

use crate::core::name::quote_identifier;
use crate::core::{
    Address, Desired, Ensure, INTERNAL_SCHEMA, KeyColumn, KeyTarget, KindId, Live, QualifiedName, SqlText, Value,
};
use crate::diag::{Diagnostic, code};
use crate::kinds::index::desired::{include_place, key_place};
use crate::kinds::index::observe::{LEFTOVERS, MISSING_ON_CHUNKS, NULLS_NOT_DISTINCT, as_key, as_name};
use crate::kinds::index::{
    INDEX_NAME_TAKEN, NOT_IMMUTABLE, SAME_INDEX_TWICE, UNIQUE_WITHOUT_PARTITION_COLUMN, on_chunks,
};
use crate::kinds::{Relation, RelationKind, Stored, View, checks};

pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    let relation = checks::relation(desired, view, sink)?;
    let live = view.live.get(&desired.address);
    if let Some(live) = live.filter(|live| live.on != desired.on) {
        sink.push(taken(desired, live));
        return None;
    }
    if desired.ensure == Ensure::Absent {
        return Some(desired.clone());
    }
    let errors = sink.len();
    check_relation(desired, relation, sink);
    check_server(desired, view, sink);
    check_columns(desired, relation, sink);
    check_unique(desired, relation, view, sink);
    check_expressions(desired, relation, view, sink);
    if sink.iter().skip(errors).any(Diagnostic::is_error) {
        return None;
    }
    let mut settled = desired.clone();
    let errors = sink.len();
    match live {
        Some(live) => adopt_spelling(&mut settled, live, &relation.name, view),
        // There is nothing to take back from an index that does not exist.
        None => settled.attributes.retain(|name, value| !(name.starts_with("storage.") && *value == Value::Null)),
    }
    check_immutable(desired, &settled, live, &relation.name, view, sink);
    if sink.len() > errors {
        return None;
    }
    let stays = |live: &&Live| DEFINITION.iter().all(|name| live.get(name) == settled.get(name));
    sink.extend(live.filter(stays).and_then(|live| on_chunks::warning(desired, live, view)));
    Some(settled)
}

fn taken(desired: &Desired, live: &Live) -> Diagnostic {
    let on = live.on.as_ref().map_or_else(|| "another table".to_owned(), ToString::to_string);
    let message = format!("the index {} exists already, on {on}", name_of(desired));
    Diagnostic::error(&INDEX_NAME_TAKEN, message)
        .at(&desired.place)
        .why("the names of indexes are unique in a schema, whichever table they are on")
        .help("choose another name, or drop that index first")
}

fn name_of(desired: &Desired) -> String {
    match desired.address.object() {
        // That TimescaleDB's own schema holds it says nothing to who wrote the policy of an aggregate.
        Some(name) if name.schema != INTERNAL_SCHEMA => name.to_string(),
        _ => format!("`{}`", desired.address.name),
    }
}

fn check_relation(desired: &Desired, relation: &Relation, sink: &mut Vec<Diagnostic>) {
    let can = relation.stored != Stored::Itself
        || matches!(
            relation.kind,
            RelationKind::Table | RelationKind::PartitionedTable | RelationKind::MaterializedView
        );
    if relation.stored != Stored::Itself && desired.get("unique") == Some(&Value::Bool(true)) {
        let message = format!("{} is a continuous aggregate, which cannot have a unique index", relation.name);
        let place = desired.place_of("unique");
        sink.push(Diagnostic::error(&code::WRONG_VALUE, message).at(place).help("make the index not unique"));
    }
    if !can {
        let message = format!("{} is {}, which cannot have an index", relation.name, relation.kind.words());
        sink.push(Diagnostic::error(&code::NOT_A_TABLE, message).at(&desired.place).help("index the tables behind it"));
    }
}

fn check_server(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    if desired.get("nulls_not_distinct") == Some(&Value::Bool(true)) && view.server.version < NULLS_NOT_DISTINCT {
        let message = format!("`nulls_not_distinct` needs PostgreSQL 15, and the server runs {}", view.server.version);
        sink.push(
            Diagnostic::error(&code::NEEDS_NEWER_SERVER, message)
                .at(desired.place_of("nulls_not_distinct"))
                .help("upgrade the server, or take it out"),
        );
    }
}

fn check_columns(desired: &Desired, relation: &Relation, sink: &mut Vec<Diagnostic>) {
    for (at, key) in keys(desired.get("columns")).enumerate() {
        if let Some(column) = key.column_name()
            && relation.column(column).is_none()
        {
            sink.push(checks::unknown_column(relation, column, desired.place_of(&key_place(at))));
        }
    }
    let include = desired.get("include").map(Value::as_list).unwrap_or_default();
    for (at, column) in include.iter().enumerate() {
        if let Some(column) = column.as_text()
            && relation.column(column).is_none()
        {
            sink.push(checks::unknown_column(relation, column, desired.place_of(&include_place(at))));
        }
    }
}

/// The key columns in a list.
pub fn keys(value: Option<&Value>) -> impl Iterator<Item = &KeyColumn> {
    value.map(Value::as_list).unwrap_or_default().iter().filter_map(as_key)
}

/// Uniqueness is only ever kept within one chunk, so the server wants every column by which rows
/// are put into chunks among the keys (`ts_indexing_verify_columns` in `src/indexing.c`).
fn check_unique(desired: &Desired, relation: &Relation, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    sink.extend(lacking(desired, &partition_columns(relation, view), &relation.name));
}

/// What a unique index lacks of the columns by which its table is partitioned.
fn lacking(desired: &Desired, columns: &[String], on: &QualifiedName) -> Option<Diagnostic> {
    if desired.get("unique") != Some(&Value::Bool(true)) {
        return None;
    }
    let missing: Vec<String> = columns
        .iter()
        .filter(|column| !keys(desired.get("columns")).any(|key| key.column_name() == Some(column.as_str())))
        .map(|column| format!("`{column}`"))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let message = format!(
        "the unique index `{}` lacks {} by which {} is partitioned",
        desired.address.name,
        missing.join(" and "),
        on
    );
    Some(
        Diagnostic::error(&UNIQUE_WITHOUT_PARTITION_COLUMN, message)
            .at(desired.place_of("unique"))
            .and_at(desired.place_of("columns"), format!("add {} here", missing.join(" and ")))
            .why("uniqueness is kept within one chunk only, and another chunk could hold the same keys otherwise")
            .help(format!("add {} to `columns`, or make the index not unique", missing.join(" and "))),
    )
}

/// The columns by which a table is partitioned, now or by the same plan.
fn partition_columns(relation: &Relation, view: &View<'_>) -> Vec<String> {
    if let Some(hypertable) = &relation.hypertable {
        return hypertable.dimensions.iter().map(|dimension| dimension.column.clone()).collect();
    }
    wanted_columns(&relation.name, view.desired)
}

/// The columns by which the policies want a table to be partitioned.
fn wanted_columns(name: &QualifiedName, all: &BTreeMap<Address, Desired>) -> Vec<String> {
    let address = Address::in_schema(KindId::new("hypertable"), name);
    let Some(wanted) = all.get(&address).filter(|wanted| wanted.ensure == Ensure::Present) else {
        return Vec::new();
    };
    let mut columns: Vec<String> =
        wanted.get("time_column").and_then(Value::as_text).map(str::to_owned).into_iter().collect();
    for partition in wanted.get("partitions").map(Value::as_list).unwrap_or_default() {
        if let Value::Map(entries) = partition
            && let Some(column) = entries.get("column").and_then(Value::as_text)
        {
            columns.push(column.to_owned());
        }
    }
    columns
}

/// What the server is asked about a predicate: the same, in a place where only a condition may stand.
pub fn condition(predicate: &SqlText) -> Option<SqlText> {
    SqlText::new(&format!("CASE WHEN ({predicate}) THEN true END")).ok()
}

/// The expressions of both sides whose texts differ.
pub fn expressions(desired: &Desired, live: Option<&Live>) -> Vec<(QualifiedName, SqlText)> {
    let Some(on) = desired.on.clone() else { return Vec::new() };
    let mut asked: Vec<SqlText> = Vec::new();
    let live_keys: Vec<&KeyColumn> = keys(live.and_then(|live| live.get("columns"))).collect();
    for (at, key) in keys(desired.get("columns")).enumerate() {
        let theirs = live_keys.get(at).and_then(|key| expression(key));
        if let Some(ours) = expression(key).filter(|ours| Some(*ours) != theirs) {
            asked.push(ours.clone());
            asked.extend(theirs.cloned());
        }
    }
    let theirs = live.and_then(|live| predicate(live.get("where")));
    if let Some(ours) = predicate(desired.get("where")).filter(|ours| Some(*ours) != theirs) {
        asked.extend(condition(ours));
        asked.extend(theirs.and_then(condition));
    }
    asked.into_iter().map(|sql| (on.clone(), sql)).collect()
}

/// The expression of a key, where it is one.
pub fn expression(key: &KeyColumn) -> Option<&SqlText> {
    if let KeyTarget::Expression(sql) = &key.target { Some(sql) } else { None }
}

/// The condition in a value, where it is one.
pub fn predicate(value: Option<&Value>) -> Option<&SqlText> {
    if let Some(Value::Sql(sql)) = value { Some(sql) } else { None }
}

fn check_expressions(desired: &Desired, relation: &Relation, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    let mut refused = |sql: &SqlText, asked: Option<SqlText>, attribute: &str| {
        let answer = asked.and_then(|asked| view.canon.get(&(relation.name.clone(), asked)));
        if let Some(Err(message)) = answer {
            sink.push(
                Diagnostic::error(&code::BAD_EXPRESSION, format!("the server refuses `{sql}`: {message}"))
                    .at(desired.place_of(attribute))
                    .help("names in it are as in SQL: a column with capitals needs double quotes, and a function of another schema than pg_catalog needs its schema"),
            );
        }
    };
    for (at, key) in keys(desired.get("columns")).enumerate() {
        if let Some(sql) = expression(key) {
            refused(sql, Some(sql.clone()), &key_place(at));
        }
    }
    if let Some(sql) = predicate(desired.get("where")) {
        refused(sql, condition(sql), "where");
    }
}

/// An index that is to be built takes only what is the same at all times; one that is there may stay.
fn check_immutable(
    desired: &Desired,
    settled: &Desired,
    live: Option<&Live>,
    on: &QualifiedName,
    view: &View<'_>,
    sink: &mut Vec<Diagnostic>,
) {
    let is_mutable = |asked: Option<SqlText>| asked.is_some_and(|asked| view.canon.is_mutable(&(on.clone(), asked)));
    let mut refuse = |sql: &SqlText, attribute: &str| sink.push(mutable(sql, desired, attribute));
    let live_keys: Vec<&KeyColumn> = keys(live.and_then(|live| live.get("columns"))).collect();
    for (at, key) in keys(settled.get("columns")).enumerate() {
        let theirs = live_keys.get(at).and_then(|key| expression(key));
        if let Some(sql) = expression(key).filter(|sql| Some(*sql) != theirs && is_mutable(Some((*sql).clone()))) {
            refuse(sql, &key_place(at));
        }
    }
    let theirs = live.and_then(|live| predicate(live.get("where")));
    if let Some(sql) = predicate(settled.get("where")).filter(|sql| Some(*sql) != theirs && is_mutable(condition(sql)))
    {
        refuse(sql, "where");
    }
}

fn mutable(sql: &SqlText, desired: &Desired, attribute: &str) -> Diagnostic {
    let (what, since) = match attribute {
        "where" => ("predicate", "a row is in the index or not from when it is written on"),
        _ => ("expression", "the index holds what it gave when a row was written"),
    };
    let message = format!("the {what} `{sql}` of the index `{}` is not immutable", desired.address.name);
    Diagnostic::error(&NOT_IMMUTABLE, message)
        .at(desired.place_of(attribute))
        .why(format!(
            "{since}, so the server takes only functions marked IMMUTABLE (else SQLSTATE 42P17): none that goes by \
             the present, a setting such as the time zone or the language, or what is in a table"
        ))
        .help(
            "say what it must not go by itself, such as `(time AT TIME ZONE 'UTC')::date` for `time::date` of a \
             timestamptz; or index the plain column",
        )
}

/// Takes over the live side's spelling wherever it means the same.
fn adopt_spelling(settled: &mut Desired, live: &Live, on: &QualifiedName, view: &View<'_>) {
    let same = |ours: Option<SqlText>, theirs: Option<SqlText>| {
        let canon = |sql: Option<SqlText>| view.canon.get(&(on.clone(), sql?)).and_then(|found| found.as_ref().ok());
        let (ours, theirs) = (canon(ours), canon(theirs));
        ours.is_some() && ours == theirs
    };
    let live_keys: Vec<&KeyColumn> = keys(live.get("columns")).collect();
    let mut columns: Vec<KeyColumn> = keys(settled.get("columns")).cloned().collect();
    for (at, key) in columns.iter_mut().enumerate() {
        let Some(theirs) = live_keys.get(at) else { continue };
        if let (Some(mine), Some(other)) = (expression(key).cloned(), expression(theirs).cloned())
            && same(Some(mine), Some(other.clone()))
        {
            key.target = KeyTarget::Expression(other);
        }
        let named = |fact: &str| live.fact(fact).map(Value::as_list).unwrap_or_default().get(at).and_then(as_name);
        // Written out, and the default all the same.
        if theirs.opclass.is_none() && key.opclass.is_some() && key.opclass.as_ref() == named("opclasses") {
            key.opclass = None;
        }
        if theirs.collation.is_none() && key.collation.is_some() && key.collation.as_ref() == named("collations") {
            key.collation = None;
        }
    }
    settled.set("columns", Value::List(columns.into_iter().map(Value::from).collect()));
    if let (Some(ours), Some(theirs)) = (predicate(settled.get("where")), predicate(live.get("where")))
        && same(condition(ours), condition(theirs))
    {
        settled.set("where", Value::Sql(theirs.clone()));
    }
    // Null goes back to the default, which is where a parameter that the index does not have is.
    settled
        .attributes
        .retain(|name, value| !(name.starts_with("storage.") && *value == Value::Null && live.get(name).is_none()));
    // An index that the server does not use is not the one that was asked for.
    settled.set("valid", true);
    for leftover in LEFTOVERS {
        settled.set(leftover, Value::Null);
    }
    if live.get(MISSING_ON_CHUNKS).is_some() && on_chunks::heals(live, view) {
        settled.set(MISSING_ON_CHUNKS, Value::Null);
    }
}

/// The attributes that make an index what it is, whatever its name and storage.
pub const DEFINITION: [&str; 6] = ["columns", "include", "where", "method", "unique", "nulls_not_distinct"];

/// Another live index of the same table with the same definition.
pub fn twin<'a>(
    on: Option<&QualifiedName>,
    own: &Address,
    definition: impl Fn(&str) -> Option<Value>,
    view: &View<'a>,
) -> Option<&'a Live> {
    let same = |other: &&Live| {
        other.address != *own
            && other.on.as_ref() == on
            && DEFINITION.iter().all(|name| other.get(name).cloned() == definition(name))
    };
    of_schema(view.live, own).find(same)
}

/// The indexes of one schema, which stand together in the order of addresses.
fn of_schema<'a, T>(all: &'a BTreeMap<Address, T>, own: &Address) -> impl Iterator<Item = &'a T> {
    let first = Address { name: String::new(), ..own.clone() };
    let (kind, schema) = (own.kind.clone(), own.schema.clone());
    all.range(first..)
        .take_while(move |(address, _)| address.kind == kind && address.schema == schema)
        .map(|(_, it)| it)
}

/// Indexes that are to be built beside one that is the same.
pub fn warn_of_twins(settled: &[&Desired], view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    let is_new = |desired: &&&Desired| desired.ensure == Ensure::Present && !view.live.contains_key(&desired.address);
    let new: Vec<&&Desired> = settled.iter().filter(is_new).collect();
    let Some(first) = new.first() else { return };
    let mut of_table: BTreeMap<Option<&QualifiedName>, Vec<&Live>> = BTreeMap::new();
    for live in of_kind(view.live, &first.address.kind) {
        of_table.entry(live.on.as_ref()).or_default().push(live);
    }
    for desired in new {
        let there = of_table.get(&desired.on.as_ref()).map(Vec::as_slice).unwrap_or_default();
        let goes = |live: &Live| view.desired.get(&live.address).is_some_and(|own| own.ensure == Ensure::Absent);
        let same = |live: &&&Live| DEFINITION.iter().all(|name| live.get(name) == desired.get(name)) && !goes(live);
        let Some(twin) = there.iter().find(same) else { continue };
        let before = quote_identifier(&twin.address.name);
        let message =
            format!("`{}` is the same as the index {}, which exists", desired.address.name, twin.address.name);
        sink.push(
            Diagnostic::warning(&SAME_INDEX_TWICE, message)
                .at(&desired.place)
                .why("a second one costs as much as the first and helps no query; on a hypertable, chunks made later share one index between both")
                .help(format!(
                    "where it is that one under another name, write `moved: {{from: {before}}}` for it, and it is \
                     renamed instead of built; otherwise keep one of them"
                )),
        );
    }
}

/// The resources of one kind, which stand together in the order of addresses.
fn of_kind<'a, T>(all: &'a BTreeMap<Address, T>, kind: &'a KindId) -> impl Iterator<Item = &'a T> {
    let first = Address { kind: kind.clone(), schema: None, name: String::new() };
    all.range(first..).take_while(|(address, _)| address.kind == *kind).map(|(_, it)| it)
}

/// Two indexes of the policies with the same definition: said once, at the later of the two.
pub fn check(own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    let mut of_table: BTreeMap<Option<&QualifiedName>, Vec<&Desired>> = BTreeMap::new();
    for desired in own.iter().filter(|desired| desired.ensure == Ensure::Present) {
        if let Some(on) = &desired.on
            && let Some(lacking) = lacking(desired, &wanted_columns(on, all), on)
        {
            let hypertable = all.get(&Address::in_schema(KindId::new("hypertable"), on));
            let place = |hypertable: &Desired| hypertable.place_of("time_column").clone();
            sink.push(match hypertable.map(place) {
                Some(place) => lacking.and_at(&place, "partitioned here"),
                None => lacking,
            });
        }
        let others = of_table.entry(desired.on.as_ref()).or_default();
        let same = |other: &&&Desired| DEFINITION.iter().all(|name| other.get(name) == desired.get(name));
        if let Some(other) = others.iter().find(same) {
            let message = format!("`{}` is the same index as `{}`", desired.address.name, other.address.name);
            sink.push(
                Diagnostic::warning(&SAME_INDEX_TWICE, message)
                    .at(&desired.place)
                    .and_at(&other.place, "the other")
                    .why("a second one costs as much as the first and helps no query")
                    .help("keep one of them"),
            );
        }
        others.push(desired);
    }
}
