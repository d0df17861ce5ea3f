//! Refresh policies of aggregates that no policy describes: where one looks further back than rows are to be kept, it
//! deletes what the aggregate had made of them. Of those that are described, their own kind tells it.

use crate::core::{Address, Delta, KindId, Param, QualifiedName, Row, RowError, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::{View, by_id};

/// The ages that retention goes by. Where it is that of chunks, rows are taken for as old: they mostly come when they
/// are new.
pub const AGES: [&str; 2] = ["drop_after", "drop_created_before"];

/// The parameters of the query: the relations that newly drop by row time, and their hypertables' ids.
pub fn params(deltas: &[&Delta], view: &View<'_>) -> [Param; 2] {
    let (mut oids, mut ids) = (Vec::new(), Vec::new());
    for delta in deltas {
        let Some(relation) = delta.on.as_ref().and_then(|on| view.relations.get(on)) else { continue };
        let Some(hypertable) = relation.hypertable.as_ref().filter(|_| coming(delta, view).is_some()) else {
            continue;
        };
        oids.push(relation.oid);
        ids.push(Some(hypertable.id));
    }
    [Param::Oids(oids), Param::Ints(ids)]
}

/// The age that rows are newly dropped by, with its name.
fn coming<'a>(delta: &'a Delta, view: &'a View<'_>) -> Option<(&'static str, &'a Value)> {
    AGES.into_iter().find_map(|name| Some((name, super::filled::coming_as(name, delta, view)?)))
}

/// Whether a refresh that begins there, or at the beginning of all, looks further back than rows are kept.
pub fn looks_beyond(start: Option<&Value>, kept: &Value) -> bool {
    // How long a whole number of time takes, nobody knows: only by what is open it is surely beyond an age.
    let are_alike = |start: &Value| std::mem::discriminant(start) == std::mem::discriminant(kept);
    start.is_none_or(|start| are_alike(start) && super::can_exceed(start, kept))
}

/// Whether there is anything to ask.
pub fn is_nothing(params: &[Param; 2]) -> bool {
    matches!(params, [Param::Oids(oids), _] if oids.is_empty())
}

/// The policies in the way.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn judge(delta: &Delta, others: &[Delta], weights: &[Row], view: &View<'_>) -> Result<Vec<Diagnostic>, RowError> {
    let mut found = Vec::new();
    let (Some(on), Some(desired), Some((age, kept))) = (&delta.on, &delta.desired, coming(delta, view)) else {
        return Ok(found);
    };
    let Some(relation) = view.relations.get(on) else { return Ok(found) };
    for row in weights {
        if row.text("what")? != "refreshes" || row.oid("oid")? != relation.oid {
            continue;
        }
        let (job, aggregate) = (row.int("chunks")?, QualifiedName::new(row.text("oldest")?, row.text("name")?));
        let start = row.maybe_interval("reaches")?.map(Value::Interval);
        let start = start.or(row.maybe_int("reaches_number")?.map(Value::Int));
        if !looks_beyond(start.as_ref(), kept) || is_told_elsewhere(job, &aggregate, others, view) {
            continue;
        }
        let start = start.map_or_else(|| "the beginning".to_owned(), |start| start.to_string());
        let message = format!(
            "the refresh of {aggregate}, which no policy describes, looks back to {start}, and {on} would keep its rows \
             for {kept} only"
        );
        found.push(
            Diagnostic::error(&code::POLICY_CONFLICT, message)
                .at(desired.place_of(age))
                .why("a refresh over rows that were dropped deletes what the aggregate had made of them")
                .help(format!(
                    "describe it in the document of {aggregate}, with a `start_offset` of at most {kept}; or delete the job \
                     with `delete_job({job})`"
                )),
        );
    }
    Ok(found)
}

/// Whether policies speak of a job, or it goes by the same plan.
fn is_told_elsewhere(job: i64, aggregate: &QualifiedName, others: &[Delta], view: &View<'_>) -> bool {
    let refresh = KindId::new("refresh");
    let is_it = |address: &Address| {
        let live = view.live.get(address).filter(|live| live.address.kind == refresh);
        live.is_some_and(|live| live.fact("job_id") == Some(&Value::Int(job)))
    };
    let takes_along = |other: &Delta| by_id(&other.address.kind).is_some_and(|kind| kind.takes_along(other));
    let goes = |other: &Delta| {
        (other.is_remove() && is_it(&other.address)) || (takes_along(other) && other.on.as_ref() == Some(aggregate))
    };
    view.desired.keys().any(is_it) || others.iter().any(goes)
}
