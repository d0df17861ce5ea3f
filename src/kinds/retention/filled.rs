//! What a plan fills into a relation and its retention policy drops again: it is not there to be counted when
//! the plan is made, but what it is made from is.

use std::collections::BTreeSet;

use crate::core::{Address, Delta, Hazard, Impact, Param, QualifiedName, Row, RowError, Value};
use crate::kinds::chunks::{self, Ages};
use crate::kinds::{self, Judgement, Stored, View, by_id};

/// The relations that the rows of one are made from.
fn made_from(on: &QualifiedName, view: &View<'_>) -> Vec<QualifiedName> {
    let of = |kind: &&dyn kinds::Kind| {
        let address = Address::in_schema(kind.id(), on);
        Some(kind.made_from(view.desired.get(&address)?, view.live.get(&address)))
    };
    kinds::all().iter().filter_map(of).flatten().collect()
}

/// All that its rows are made from, at any depth, as far as `goes_on` goes on.
fn above(on: &QualifiedName, view: &View<'_>, goes_on: impl Fn(&QualifiedName) -> bool) -> BTreeSet<QualifiedName> {
    let (mut found, mut next) = (BTreeSet::new(), vec![on.clone()]);
    while let Some(name) = next.pop() {
        if !goes_on(&name) {
            continue;
        }
        next.extend(made_from(&name, view).into_iter().filter(|source| found.insert(source.clone())));
    }
    found
}

/// The age by row time that a job newly goes by, unless one of that age or of a shorter one is there. One that was
/// paused and is resumed is new: it dropped nothing until then.
pub fn coming<'a>(delta: &'a Delta, view: &'a View<'_>) -> Option<&'a Value> {
    coming_as("drop_after", delta, view)
}

/// The same of an age that has that name in a policy.
pub fn coming_as<'a>(name: &str, delta: &'a Delta, view: &'a View<'_>) -> Option<&'a Value> {
    let desired = delta.desired.as_ref()?;
    let age = desired.get(name).filter(|age| **age != Value::Null)?;
    let resumes = desired.get("schedule.paused").and_then(Value::as_bool) == Some(false);
    let live = view.live.get(&delta.address).filter(|live| !(live.paused && resumes));
    let kept = live.and_then(|live| live.get(name)).filter(|kept| **kept != Value::Null);
    kept.is_none_or(|kept| super::can_exceed(kept, age)).then_some(age)
}

/// The parameters of the query: what the relations that are made of others are made from, each with the age.
pub fn params(deltas: &[&Delta], view: &View<'_>) -> [Param; 6] {
    let (mut of, mut oids, mut schemas, mut names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut afters, mut before) = (Vec::new(), Vec::new());
    for delta in deltas {
        let (Some(age), Some(on)) = (coming(delta, view), &delta.on) else { continue };
        if view.relations.get(on).is_none_or(|relation| relation.stored == Stored::Itself) {
            continue;
        }
        for source in above(on, view, |_| true) {
            let Some(relation) = view.relations.get(&source) else { continue };
            let ages = Ages { after: Some(age), created_before: None };
            if relation.hypertable.is_none() || !ages.is_counted(relation, view) {
                continue;
            }
            let stored = match &relation.stored {
                Stored::In(stored) => stored,
                Stored::Itself | Stored::Nowhere => &source,
            };
            of.push(Some(on.to_string()));
            oids.push(relation.oid);
            schemas.push(Some(stored.schema.clone()));
            names.push(Some(stored.name.clone()));
            afters.push(age.as_interval().map(|interval| interval.to_string()));
            before.push(chunks::before(Some(age), relation));
        }
    }
    [
        Param::Texts(of),
        Param::Oids(oids),
        Param::Texts(schemas),
        Param::Texts(names),
        Param::Texts(afters),
        Param::Ints(before),
    ]
}

/// Whether there is anything to ask.
pub fn is_nothing(params: &[Param; 6]) -> bool {
    matches!(params, [Param::Texts(of), ..] if of.is_empty())
}

/// Adds what the job drops of what the same plan fills in.
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
    let (Some(on), Some(age)) = (&delta.on, coming(delta, view)) else { return Ok(()) };
    let fills = |other: &Delta| by_id(&other.address.kind).is_some_and(|kind| kind.fills(other, view));
    let is_filled = |name: &QualifiedName| others.iter().any(|other| other.on.as_ref() == Some(name) && fills(other));
    let sources = above(on, view, is_filled);
    let (mut named, mut oldest, mut newest): (Vec<String>, Option<&str>, Option<&str>) = (Vec::new(), None, None);
    let of = on.to_string();
    for row in weights {
        if row.text("what")? != "fills" || row.maybe_text("name")? != Some(&of) {
            continue;
        }
        let oid = row.oid("oid")?;
        let source = sources.iter().find(|source| view.relations.get(*source).is_some_and(|known| known.oid == oid));
        let Some(source) = source else { continue };
        named.push(source.to_string());
        let (first, last) = (row.maybe_text("oldest")?, row.maybe_text("newest")?);
        oldest = oldest.into_iter().chain(first).min();
        newest = newest.into_iter().chain(last).max();
    }
    if named.is_empty() {
        return Ok(());
    }
    judgement.hazards.push(Hazard::DeletesData);
    let filled = || Impact {
        verb: "drops of what is filled in:".to_owned(),
        when: super::weigh::first_run(),
        oldest: oldest.map(str::to_owned),
        newest: newest.map(str::to_owned),
        ..Impact::default()
    };
    let paused = super::weigh::stays_paused(delta).filter(|_| judgement.impact.is_none());
    let impact = judgement.impact.get_or_insert_with(filled);
    impact.notes.push(format!(
        "the same plan fills {on}, and {} {} chunks of before the last {age}",
        named.join(" and "),
        if named.len() == 1 { "has" } else { "have" }
    ));
    impact.notes.extend(paused);
    Ok(())
}
