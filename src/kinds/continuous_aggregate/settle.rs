//! What the server would make of a desired continuous aggregate, and what it would refuse.

use std::collections::{BTreeMap, BTreeSet};

use super::remake::is_replaced;
use super::{BAD_QUERY, LEGACY_AGGREGATE, NEVER_FILLED, columns, desired::sources, fill, query};
use crate::core::{Address, Delta, Desired, Ensure, KindId, Live, QualifiedName, SqlText, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::{Relation, RelationKind, Stored, View, job};

/// Brings it to the form in which the catalog would show it.
pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    let on = desired.on.as_ref()?;
    let relation = view.relations.get(on);
    let live = view.live.get(&desired.address);
    if let Some(relation) = relation.filter(|relation| relation.stored == Stored::Itself) {
        sink.push(other_relation(desired, relation));
        return None;
    }
    if desired.ensure == Ensure::Absent {
        return Some(desired.clone());
    }
    if !job::is_community("a continuous aggregate", desired, view, sink) {
        return None;
    }
    if live.is_some_and(|live| live.fact("finalized") == Some(&Value::Bool(false))) {
        sink.push(legacy(desired));
        return None;
    }
    let Some(ours) = query(desired.get("query")) else { return settle_unwritten(desired, live, relation, view, sink) };
    // Of one that the plan makes anew, what counts is what it is to read.
    let coming = relation.and_then(|relation| relation.coming.as_ref());
    let asked = view.canon.get(&(on.clone(), ours.clone())).filter(|_| coming.is_none());
    let complaint = coming.and_then(|coming| coming.as_ref().err()).or(asked.and_then(|asked| asked.as_ref().err()));
    if let Some(complaint) = complaint {
        let missing = sources(ours).into_iter().find(|source| !view.relations.contains_key(source));
        if !(desired.skip_missing && missing.is_some()) {
            sink.push(refused(desired, ours, complaint, view));
        }
        return None;
    }
    let errors = sink.len();
    check_sources(desired, ours, view, sink);
    let mut settled = desired.clone();
    if let Some(relation) = relation {
        chunk_interval(&mut settled, relation.to_come(), view, sink);
    }
    if sink.iter().skip(errors).any(Diagnostic::is_error) {
        return None;
    }
    if let Some(live) = live
        && adopt(&mut settled, ours, live, on, view)
    {
        goes_on(&mut settled, desired, live, view, sink);
        sink.extend(left_empty(desired, live, view));
    }
    Some(settled)
}

/// Takes over the live query where it means the same, and drops what only counts at creation: whether it does. One that
/// is made again is made by the text of the policy, for the server's has the types of what it reads now.
fn adopt(settled: &mut Desired, ours: &SqlText, live: &Live, on: &QualifiedName, view: &View<'_>) -> bool {
    let form = |query: &SqlText| view.canon.get(&(on.clone(), query.clone())).and_then(|form| form.as_ref().ok());
    let theirs = query(live.get("query"));
    let same = theirs.is_some_and(|theirs| theirs == ours || (form(ours).is_some() && form(ours) == form(theirs)));
    if let Some(theirs) = theirs.filter(|_| same && !goes_with_what_it_reads(ours, view)) {
        settled.set("query", Value::Sql(theirs.clone()));
        only_at_creation(settled);
    }
    same
}

/// A fill that was begun is completed, as long as the policy does not say that there is to be none, and there is
/// something to fill it from.
fn goes_on(settled: &mut Desired, desired: &Desired, live: &Live, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    if !(fill::is_unfinished(live) && fill::is_wanted(desired)) {
        return;
    }
    let Some(source) = fill::held_back_by(desired, view) else {
        settled.set(fill::ATTRIBUTE, Value::Null);
        return;
    };
    let message = format!("{} is to be filled, but {source}, which it is made from, is left empty", desired.address);
    let help = format!("fill {source}, by `with_data: true` or a refresh; the next apply then fills this from it");
    sink.push(Diagnostic::warning(&NEVER_FILLED, message).at(&desired.place).help(help));
}

/// Whether something that a query reads is made anew by the same plan, so that this is created again.
pub fn goes_with_what_it_reads(ours: &SqlText, view: &View<'_>) -> bool {
    let mut open: Vec<QualifiedName> = sources(ours);
    let mut seen: BTreeSet<QualifiedName> = BTreeSet::new();
    while let Some(source) = open.pop() {
        if !seen.insert(source.clone()) {
            continue;
        }
        let address = Address::in_schema(super::ID, &source);
        if is_replaced(&source, view) {
            return true;
        }
        let wanted = view.desired.get(&address).filter(|_| view.live.contains_key(&address));
        open.extend(wanted.and_then(|wanted| query(wanted.get("query"))).into_iter().flat_map(sources));
    }
    false
}

/// One that holds nothing, though there is something to make it of, and that nobody asked to be empty: it
/// was never refreshed, or what made it anew was cut off before it was filled again.
fn left_empty(desired: &Desired, live: &Live, view: &View<'_>) -> Option<Diagnostic> {
    let is = |fact: &str| live.fact(fact).and_then(Value::as_bool) == Some(true);
    let refreshed = view.live.values().any(|other| other.address.kind == KindId::new("refresh") && other.on == live.on);
    let partly = live.get("with_data") == Some(&Value::Bool(false)) && !refreshed;
    if desired.get("with_data").is_some() || fill::is_unfinished(live) || !(is("never_refreshed") || partly) {
        return None;
    }
    let on = desired.on.as_ref()?;
    let what = if is("never_refreshed") { "holds nothing" } else { "is not filled from the beginning" };
    let source = live.fact("source").map_or_else(|| "what it reads".to_owned(), ToString::to_string);
    let message = format!("{on} {what}, though {source} has rows: it was never refreshed, or filling it was cut off");
    let help = "write `with_data: true`, and apply fills it; a refresh policy fills what is in its window alone";
    Some(Diagnostic::warning(&NEVER_FILLED, message).at(&desired.place).help(help))
}

fn only_at_creation(settled: &mut Desired) {
    settled.attributes.remove("create_group_indexes");
    // What is filled is not emptied again.
    if settled.get("with_data") == Some(&Value::Bool(false)) {
        settled.attributes.remove("with_data");
    }
}

/// Without a query, the aggregate must be there.
fn settle_unwritten(
    desired: &Desired,
    live: Option<&Live>,
    relation: Option<&Relation>,
    view: &View<'_>,
    sink: &mut Vec<Diagnostic>,
) -> Option<Desired> {
    let (Some(live), Some(relation)) = (live, relation) else {
        if !desired.skip_missing {
            let name = desired.address.object().map_or_else(|| desired.address.name.clone(), |name| name.to_string());
            let message = format!("there is no continuous aggregate {name}, and the policy has no query to make it");
            sink.push(
                Diagnostic::error(&code::UNKNOWN_TABLE, message)
                    .at(&desired.place)
                    .help("write its `query`, check the spelling and the schema, or write `when_missing: skip`"),
            );
        }
        return None;
    };
    let errors = sink.len();
    let mut settled = desired.clone();
    chunk_interval(&mut settled, relation, view, sink);
    only_at_creation(&mut settled);
    goes_on(&mut settled, desired, live, view, sink);
    (!sink.iter().skip(errors).any(Diagnostic::is_error)).then_some(settled)
}

fn other_relation(desired: &Desired, relation: &Relation) -> Diagnostic {
    let what = match relation.kind {
        RelationKind::View => "an ordinary view".to_owned(),
        kind => kind.words().to_owned(),
    };
    let message = format!("{} is {what}, and no continuous aggregate", relation.name);
    let help = match relation.kind {
        RelationKind::Table | RelationKind::PartitionedTable => "describe it in a document `kind: table`",
        _ => "choose another name, or drop or rename what has this one",
    };
    Diagnostic::error(&code::NOT_A_TABLE, message).at(&desired.place).help(help)
}

fn legacy(desired: &Desired) -> Diagnostic {
    let message = format!("{} has the form of before TimescaleDB 2.7, `finalized = false`", desired.address);
    Diagnostic::error(&LEGACY_AGGREGATE, message)
        .at(&desired.place)
        .why("its rows are parts of aggregates, which newer versions of TimescaleDB no longer read")
        .help("bring it to the new form first: `CALL cagg_migrate(…)`")
}

/// The server's complaint about a query, with what is most often behind it.
fn refused(desired: &Desired, ours: &SqlText, complaint: &str, view: &View<'_>) -> Diagnostic {
    if let Some(diagnostic) = refused_to_come(desired, ours, complaint, view) {
        return diagnostic;
    }
    let schema = view.server.timescaledb.as_ref().map_or("public", |timescale| timescale.schema.as_str());
    let help = if complaint.starts_with("relation ") {
        "check the spelling and the schema; names in it are as in SQL, and one with capitals needs double quotes"
            .to_owned()
    } else if complaint.starts_with("function ") {
        format!("write functions with their schemas; TimescaleDB's are in `{schema}`, as in `{schema}.time_bucket(…)`")
    } else {
        "names in it are as in SQL: one with capitals needs double quotes, and one outside of pg_catalog its schema"
            .to_owned()
    };
    Diagnostic::error(&BAD_QUERY, format!("the server refuses the query: {complaint}"))
        .at(desired.place_of("query"))
        .help(help)
}

/// The same where it is because of what the plan makes anew of what the query reads.
fn refused_to_come(desired: &Desired, ours: &SqlText, complaint: &str, view: &View<'_>) -> Option<Diagnostic> {
    let is_coming = |name: &QualifiedName| view.relations.get(name).is_some_and(|relation| relation.coming.is_some());
    let source = sources(ours).into_iter().find(is_coming).filter(|_| !complaint.starts_with("relation "))?;
    let columns: Vec<String> = columns(&source, view).iter().map(|column| format!("`{column}`")).collect();
    let message = format!("the server refuses the query of {}: {complaint}", desired.address);
    let diagnostic = Diagnostic::error(&BAD_QUERY, message).at(desired.place_of("query")).why(format!(
        "it reads {source}, which the same plan makes anew, with the columns {}: to make this again would fail",
        columns.join(", ")
    ));
    let other = view.desired.get(&Address::in_schema(super::ID, &source)).map(|other| other.place_of("query"));
    let diagnostic = other.map_or(diagnostic.clone(), |place| diagnostic.and_at(place, "the query that it is to have"));
    Some(
        diagnostic.help(format!("let this query use what that of {source} gives, or let that go on giving the column")),
    )
}

/// One of the relations that it reads must be a hypertable or a continuous aggregate.
fn check_sources(desired: &Desired, query: &SqlText, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    let sources = sources(query);
    if sources.is_empty() || sources.iter().any(|source| view.is_hypertable(source)) {
        return;
    }
    let names: Vec<String> = sources.iter().map(ToString::to_string).collect();
    let message = format!("the query reads no hypertable, but {}", names.join(" and "));
    sink.push(
        Diagnostic::error(&code::NEEDS_HYPERTABLE, message)
            .at(desired.place_of("query"))
            .why("TimescaleDB notes what changes in a hypertable, and refreshes only that")
            .help("make the table a hypertable, by a document `kind: table` with a `hypertable` section"),
    );
}

/// As the server keeps it: months as 30 days and all of it in microseconds (`src/dimension.c`).
fn chunk_interval(settled: &mut Desired, relation: &Relation, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    if !job::check_unit("chunk_interval", settled, relation, view, sink) {
        return;
    }
    if let Some(Value::Interval(interval)) = settled.get("chunk_interval") {
        match interval.flattened() {
            Some(kept) => settled.set("chunk_interval", kept),
            None => sink.push(
                Diagnostic::error(&code::BAD_INTERVAL, format!("{interval} is longer than TimescaleDB can store"))
                    .at(settled.place_of("chunk_interval")),
            ),
        }
    }
}

/// Conflicts between the policies' own aggregates.
pub fn check(own: &[&Desired], sink: &mut Vec<Diagnostic>) {
    check_cycles(own, sink);
}

/// One that a delta makes, and that neither the plan nor a refresh policy fills: nobody asked for that, and its
/// rows are not made on the spot either.
pub fn stays_empty(delta: &Delta, view: &View<'_>) -> Option<Diagnostic> {
    let desired = delta.desired.as_ref()?;
    let is_made = delta.is_create() || delta.change("query").is_some();
    let refresh = KindId::new("refresh");
    let refreshed =
        |other: &Desired| other.address.kind == refresh && other.on == desired.on && other.ensure == Ensure::Present;
    let only = |value: Option<&Value>| value.and_then(Value::as_bool);
    let live = view.live.get(&delta.address).and_then(|live| live.get("materialized_only"));
    let is_on_the_spot = only(desired.get("materialized_only").or(live)) == Some(false);
    let is_meant = desired.get("with_data") == Some(&Value::Bool(false)) || is_on_the_spot;
    if !is_made || is_meant || fill::is_filled_after(delta) || view.desired.values().any(refreshed) {
        return None;
    }
    let message = format!("{} is empty once it is made, and nothing refreshes it", desired.address);
    let warning = Diagnostic::warning(&NEVER_FILLED, message).at(&desired.place);
    Some(warning.help("add a `refresh` section, or write `with_data: true` to fill it once"))
}

/// Aggregates that read each other in a circle.
fn check_cycles(own: &[&Desired], sink: &mut Vec<Diagnostic>) {
    let by_name: BTreeMap<QualifiedName, &Desired> =
        own.iter().filter_map(|desired| Some((desired.on.clone()?, *desired))).collect();
    for (name, desired) in &by_name {
        let mut seen = vec![name.clone()];
        let mut next: Vec<QualifiedName> = reads(desired);
        while let Some(source) = next.pop() {
            if source == *name {
                let message = format!("{} reads itself, by way of the aggregates that it reads", desired.address);
                sink.push(Diagnostic::error(&BAD_QUERY, message).at(desired.place_of("query")));
                break;
            }
            if !seen.contains(&source) {
                next.extend(by_name.get(&source).map(|other| reads(other)).unwrap_or_default());
                seen.push(source);
            }
        }
    }
}

fn reads(desired: &Desired) -> Vec<QualifiedName> {
    query(desired.get("query")).map(sources).unwrap_or_default()
}
