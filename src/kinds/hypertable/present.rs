//! What another `integer_now` of a table deletes: retention takes for old what it says, and a refresh takes for its
//! window what it says, of the table and of the aggregates over it.

use std::collections::BTreeSet;

use super::weigh::finds;
use crate::core::{Address, Delta, Hazard, Impact, KindId, QualifiedName, Row, RowError, Value};
use crate::kinds::{Judgement, Relation, View, job};

/// The notes of a change, with what the present that it gives the table would delete.
///
/// # Errors
/// When the rows are not those of `weigh.sql`.
pub fn judge(
    judgement: &mut Judgement,
    delta: &Delta,
    relation: &Relation,
    weights: &[Row],
    view: &View<'_>,
    mut notes: Vec<String>,
) -> Result<(), RowError> {
    let table = &relation.name;
    let is_held = relation.hypertable.as_ref().is_some_and(|live| live.chunks > 0);
    let of_its_own = is_held && moves(delta, table, view);
    let dropping = dropping(delta, relation, weights, view)?;
    let (refreshed, along) = refreshed(delta, relation, weights, view)?;
    let drops = of_its_own || !dropping.is_empty();
    if drops {
        notes.push(
            "retention takes for old what `integer_now` says, and what it drops by another function cannot be counted \
             before that is in force"
                .to_owned(),
        );
    }
    if !dropping.is_empty() {
        let (named, has) = (join(&dropping), if dropping.len() == 1 { "its" } else { "their" });
        notes.push(format!("the retention of {named} goes by it as well: {has} present is that of {table}"));
    }
    for (aggregate, source) in &refreshed {
        notes.push(format!(
            "the refresh of {aggregate} goes by it as well, and {aggregate} keeps what {source} has no rows for any more: \
             where its window comes to be there, a refresh takes that for deleted"
        ));
    }
    for (aggregate, source) in &along {
        notes.push(format!("{aggregate}, which reads {source}, loses with its own next refresh what that loses"));
    }
    let losers = refreshed.iter().chain(&along).map(|(aggregate, _)| aggregate.clone());
    judgement.losers = dropping.into_iter().chain(losers).collect();
    let verb = match (drops, refreshed.is_empty()) {
        (true, true) => "lets retention drop an unknown number of chunks",
        (true, false) => {
            "lets retention drop an unknown number of chunks, and refreshes delete an unknown number of rows,"
        }
        (false, false) => "lets a refresh delete an unknown number of rows",
        (false, true) if notes.is_empty() => return Ok(()),
        (false, true) => {
            judgement.impact = Some(Impact { notes, ..Impact::default() });
            return Ok(());
        }
    };
    judgement.hazards.push(Hazard::DeletesData);
    let when = Some("on its next run".to_owned());
    judgement.impact = Some(Impact { verb: verb.to_owned(), when, notes, ..Impact::default() });
    Ok(())
}

fn join(names: &BTreeSet<QualifiedName>) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether what is old enough to be dropped is told by another function from now on. It may be one
/// that runs ahead, or counts in another unit, so that every chunk is due at once. Where there was
/// none, a retention that is still to come is judged by itself.
fn moves(delta: &Delta, name: &QualifiedName, view: &View<'_>) -> bool {
    let Some(change) = delta.change("integer_now") else { return false };
    let (live, wanted) = job::drops_by_row_time(name, view);
    live || (wanted && matches!(change.before, Some(Value::Name(_))))
}

/// The aggregates over a table that hold something and drop it by the same present, whether or not a policy
/// speaks of them.
fn dropping(
    delta: &Delta,
    relation: &Relation,
    weights: &[Row],
    view: &View<'_>,
) -> Result<BTreeSet<QualifiedName>, RowError> {
    let mut found = BTreeSet::new();
    for row in finds(weights, "present", relation.oid)? {
        let aggregate = aggregate(row)?;
        if row.bool("flag")? || moves(delta, &aggregate, view) {
            found.insert(aggregate);
        }
    }
    Ok(found)
}

/// An aggregate that something of is lost, and what it reads.
type Refreshed = (QualifiedName, QualifiedName);

/// The aggregates over a table that keep what is gone from what they read, and are refreshed in a window that goes by
/// the same present; each with what it reads. Then those that are refreshed and read one of them, at any depth.
fn refreshed(
    delta: &Delta,
    relation: &Relation,
    weights: &[Row],
    view: &View<'_>,
) -> Result<(Vec<Refreshed>, Vec<Refreshed>), RowError> {
    if delta.change("integer_now").is_none() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut keep = refreshed_as("keeps", relation, weights, view)?;
    keep.sort();
    let mut lose: BTreeSet<QualifiedName> = keep.iter().map(|(aggregate, _)| aggregate.clone()).collect();
    let (mut along, mut rest) = (Vec::new(), refreshed_as("reads", relation, weights, view)?);
    rest.sort();
    while let Some(at) = rest.iter().position(|(aggregate, of)| lose.contains(of) && !lose.contains(aggregate)) {
        let reader = rest.remove(at);
        lose.insert(reader.0.clone());
        along.push(reader);
    }
    Ok((keep, along))
}

/// Those of one finding that a policy refreshes, or is to.
fn refreshed_as(
    finding: &str,
    relation: &Relation,
    weights: &[Row],
    view: &View<'_>,
) -> Result<Vec<Refreshed>, RowError> {
    let refresh = KindId::new("refresh");
    let mut found = Vec::new();
    for row in finds(weights, finding, relation.oid)? {
        let aggregate = aggregate(row)?;
        let is_described = |address: &Address| {
            address.kind == refresh && view.desired.get(address).is_some_and(|it| it.on.as_ref() == Some(&aggregate))
        };
        if row.bool("flag")? || view.desired.keys().any(is_described) {
            let mut source = row.texts("columns")?.into_iter().flatten();
            let source = QualifiedName::new(source.next().unwrap_or_default(), source.next().unwrap_or_default());
            found.push((aggregate, source));
        }
    }
    Ok(found)
}

fn aggregate(row: &Row) -> Result<QualifiedName, RowError> {
    let schema = row.maybe_text("name")?.unwrap_or_default();
    Ok(QualifiedName::new(schema, row.maybe_text("other")?.unwrap_or_default()))
}
