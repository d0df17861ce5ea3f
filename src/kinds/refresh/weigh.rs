//! What a refresh policy would delete. A refresh takes rows that are not there for deleted ones: where chunks of what
//! the aggregate reads are gone, it deletes what it had made of them.

use crate::core::{
    Delta, Desired, Hazard, Impact, InPart, Live, Lost, Param, QualifiedName, Query, Reason, Row, RowError, Value,
};
use crate::kinds::continuous_aggregate::element;
use crate::kinds::{Judgement, Relation, Stored, View, by_id, chunks, job};

/// The one query for all deltas.
pub fn query(deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
    let zones: Vec<&str> = deltas.iter().filter_map(|delta| job::new_timezone(delta)).collect();
    let (mut oids, mut columns, mut in_force, mut names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut coming, mut had) = (Windows::default(), Windows::default());
    for delta in deltas {
        let (Some(desired), Some(relation)) = (begins_to_reach(delta), kept(delta, view)) else { continue };
        let Some(time) = relation.hypertable.as_ref().and_then(|hypertable| hypertable.time()) else { continue };
        let now = before(delta).filter(|_| !is_present_in_doubt(relation, view));
        oids.push(relation.oid);
        columns.push(time.column.clone());
        names.push(delta.address.name.clone());
        in_force.push(Some(i64::from(now.is_some())));
        coming.push(|name| desired.get(name), relation, view);
        had.push(|name| now?.get(name), relation, view);
    }
    if zones.is_empty() && oids.is_empty() {
        return None;
    }
    let mut params = vec![Param::texts(zones), Param::Oids(oids), Param::texts(columns)];
    params.extend(coming.into_params());
    params.push(Param::Ints(in_force));
    params.extend(had.into_params());
    params.push(Param::texts(names));
    let sql = job::on_server(&chunks::between_chunks(include_str!("weigh.sql")), view.server);
    Some(Query { sql, params })
}

/// The policy, where the change can let it reach what it would not have refreshed.
fn begins_to_reach(delta: &Delta) -> Option<&Desired> {
    let desired = delta.desired.as_ref()?;
    let moves = ["start_offset", "end_offset"].iter().any(|name| delta.change(name).is_some());
    let resumed = delta.change("schedule.paused").is_some() && !is_kept_paused(desired);
    // What is on an aggregate that is made anew finds it filled with what is there.
    let is_news = delta.reason != Reason::Remade && (delta.is_create() || moves || resumed);
    is_news.then_some(desired)
}

/// The policy that does so already; a paused one refreshes nothing.
fn before(delta: &Delta) -> Option<&Live> {
    delta.live.as_ref().filter(|live| !live.paused)
}

fn is_kept_paused(desired: &Desired) -> bool {
    desired.get("schedule.paused").and_then(Value::as_bool) == Some(true)
}

/// The aggregate, where it is there and may hold anything.
fn kept<'a>(delta: &Delta, view: &View<'a>) -> Option<&'a Relation> {
    let relation = view.relations.get(delta.on.as_ref()?)?;
    let is_kept = matches!(relation.stored, Stored::In(_));
    relation.hypertable.as_ref().filter(|hypertable| is_kept && hypertable.chunks > 0).map(|_| relation)
}

/// Whether what tells the present of whole-number time fails, or is another one once the plan is applied.
fn is_present_in_doubt(relation: &Relation, view: &View<'_>) -> bool {
    let Some(time) = relation.hypertable.as_ref().and_then(|hypertable| hypertable.time()) else { return true };
    let fails = !matches!(time.present, Some(Ok(_)));
    relation.column(&time.column).is_some_and(crate::kinds::Column::is_integer)
        && (fails || job::moved_present(&relation.name, view).is_some())
}

/// Windows as parameters: where each begins, as an age and as a whole number, and where it ends.
#[derive(Default)]
struct Windows {
    ages: [Vec<Option<String>>; 2],
    numbers: [Vec<Option<i64>>; 2],
}

impl Windows {
    /// Adds one. An end that cannot be told is taken for an open one.
    fn push<'a>(&mut self, get: impl Fn(&str) -> Option<&'a Value>, relation: &Relation, view: &View<'_>) {
        let in_doubt = is_present_in_doubt(relation, view);
        for ((name, ages), numbers) in ["start_offset", "end_offset"].iter().zip(&mut self.ages).zip(&mut self.numbers)
        {
            let value = get(name).filter(|value| job::is_within_time(value));
            ages.push(value.and_then(Value::as_interval).map(|interval| interval.to_string()));
            numbers.push(chunks::before(value, relation).filter(|_| !in_doubt));
        }
    }

    fn into_params(self) -> [Param; 4] {
        let ([start_ages, end_ages], [start_numbers, end_numbers]) = (self.ages, self.numbers);
        [Param::Texts(start_ages), Param::Ints(start_numbers), Param::Texts(end_ages), Param::Ints(end_numbers)]
    }
}

/// Adds what the job deletes.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn judge(
    judgement: &mut Judgement,
    delta: &Delta,
    others: &[Delta],
    weights: &[Row],
    view: &View<'_>,
) -> Result<(), RowError> {
    let (Some(desired), Some(relation)) = (begins_to_reach(delta), kept(delta, view)) else { return Ok(()) };
    // What the same plan makes anew has been counted with that.
    let goes = |other: &Delta| {
        let takes_along = by_id(&other.address.kind).is_some_and(|kind| kind.takes_along(other));
        other.on == delta.on && (takes_along || other.reason == Reason::Remade)
    };
    if others.iter().any(goes) {
        return Ok(());
    }
    for row in weights {
        let is_own = row.text("what")? == "deletes" && row.maybe_text("of")? == Some(&delta.address.name);
        if !is_own || row.maybe_int("oid")? != Some(i64::from(relation.oid)) {
            continue;
        }
        let source = QualifiedName::new(row.text("schema")?, row.text("name")?);
        let found = match row.maybe_text("xml")? {
            Some(xml) => counted(xml, &source.to_string())?,
            None => Some(unknown(&relation.name.to_string(), &source.to_string())),
        };
        let Some(mut found) = found else { continue };
        found.notes.extend(along(judgement, delta, relation, weights, view)?);
        found.notes.extend(stays_paused(delta, desired));
        found.notes.extend(judgement.impact.take().into_iter().flat_map(|impact| impact.notes));
        judgement.hazards.push(Hazard::DeletesData);
        judgement.impact = Some(found);
    }
    Ok(())
}

/// What was made of the rows that go: the aggregates that read them lose it with their own next refresh.
fn along(
    judgement: &mut Judgement,
    delta: &Delta,
    relation: &Relation,
    weights: &[Row],
    view: &View<'_>,
) -> Result<Vec<String>, RowError> {
    let mut notes = Vec::new();
    for row in weights {
        let is_along = row.text("what")? == "deletes along" && row.maybe_text("of")? == Some(&delta.address.name);
        if !is_along || row.maybe_int("oid")? != Some(i64::from(relation.oid)) {
            continue;
        }
        let reader = QualifiedName::new(row.text("schema")?, row.text("name")?);
        let described =
            |desired: &Desired| desired.address.kind == delta.address.kind && desired.on.as_ref() == Some(&reader);
        if row.maybe_int("refreshes")?.unwrap_or(0) == 0 && !view.desired.values().any(described) {
            continue;
        }
        let rows = row.maybe_text("xml")?.map(|xml| element(xml, "rows").unwrap_or_default());
        let loses = match rows.as_deref() {
            Some("0" | "") => continue,
            Some(rows) => format!("up to {rows} rows"),
            None => "an unknown number of rows".to_owned(),
        };
        notes.push(format!("{reader}, which reads it, loses {loses} with its own next refresh"));
        judgement.losers.insert(reader);
    }
    Ok(notes)
}

fn counted(xml: &str, source: &str) -> Result<Option<Impact>, RowError> {
    let count = |name: &str| -> Result<u64, RowError> {
        let text = element(xml, name).unwrap_or_else(|| "0".to_owned());
        text.parse().map_err(|_| RowError { column: "xml".to_owned(), expected: "count of rows" })
    };
    let (buckets, rows, parts) = (count("buckets")?, count("rows")?, count("parts")?);
    let (first, last) = (element(xml, "first"), element(xml, "last"));
    let (from, to) = (element(xml, "part_first"), element(xml, "part_last"));
    if buckets == 0 && parts == 0 {
        return Ok(None);
    }
    let mut notes = Vec::new();
    let of = |count: u64| if count == 1 { "1 bucket".to_owned() } else { format!("{count} buckets") };
    let span = |first: &Option<String>, last: &Option<String>| match (first, last) {
        (Some(first), Some(last)) if first == last => format!(" of {first}"),
        (Some(first), Some(last)) => format!(" from {first} to {last}"),
        _ => String::new(),
    };
    if buckets > 0 {
        let (has, them) = if buckets == 1 { ("is", "it") } else { ("are", "them") };
        notes.push(format!(
            "{}{} {has} in the window, and {source} has no rows for {them} any more: a refresh takes those for deleted",
            of(buckets),
            span(&first, &last)
        ));
    }
    if parts > 0 {
        let is = if parts == 1 { "is" } else { "are" };
        notes.push(format!(
            "{}{} {is} made anew without what {source} held where it has no chunk any more",
            of(parts),
            span(&from, &to)
        ));
    }
    Ok(Some(Impact {
        verb: if buckets > 0 { "deletes".to_owned() } else { format!("makes {} anew from what is left,", of(parts)) },
        when: Some("on its first run".to_owned()),
        rows: (buckets > 0).then_some(rows),
        oldest: first.clone().or_else(|| from.clone()),
        newest: last.clone().or(to),
        lost: first.zip(last).map(|(first, last)| Lost { rows, first, last }),
        in_part: (parts > 0).then_some(InPart { buckets: parts, since: None }),
        notes,
        ..Impact::default()
    }))
}

/// What is not known is taken for the worst.
fn unknown(kept: &str, source: &str) -> Impact {
    Impact {
        verb: "deletes an unknown number of rows".to_owned(),
        when: Some("on its first run".to_owned()),
        notes: vec![format!(
            "the session's role may not read {kept} and {source}, so what the one keeps that the other has no rows for \
             any more is not known"
        )],
        ..Impact::default()
    }
}

/// Neither the policy's pause nor an operator's is lifted by another window; what is counted waits for the resumption.
fn stays_paused(delta: &Delta, desired: &Desired) -> Option<String> {
    let by_operator = delta.live.as_ref().is_some_and(|live| live.paused) && desired.get("schedule.paused").is_none();
    (by_operator || is_kept_paused(desired))
        .then(|| "the job is paused, and deletes nothing before it is resumed".to_owned())
}
