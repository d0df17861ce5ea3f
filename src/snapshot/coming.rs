//! What a plan makes of queries, as it will be: new, or anew, as are an aggregate whose query changes and those that
//! read it and go with it. What policies say of them is judged by the columns that they are to have, and so is each
//! query that reads them: over rows of such columns. One round for each level, and the types of the columns in another.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::select::Select;
use crate::core::{Address, Desired, Ensure, Live, QualifiedName, SqlText};
use crate::diag::Failure;
use crate::kinds::{Canon, Dimension, Hypertable, Relation, Relations, Stored, by_id, reads};
use crate::pg::Session;
use crate::snapshot::queries::{self, Answer, Rest};

/// What is there, and is made of a query: the query that it is to have.
type Made<'a> = queries::Unmade<'a>;

/// Adds to relations what the plan makes, and to `canon` the forms of the queries that could only be asked over that.
pub(super) fn settle(
    session: &mut Session,
    desired: &BTreeMap<Address, Desired>,
    live: &BTreeMap<Address, Live>,
    relations: &mut Relations,
    canon: &mut Canon,
    rest: Rest<'_>,
) -> Result<(), Failure> {
    let (mut new, mut anew) = (rest.made, made_anew(desired, live, relations, canon));
    while !new.is_empty() || !anew.is_empty() {
        let waits = |(on, (wanted, _)): &(&QualifiedName, (&Desired, SqlText))| {
            let is_to_come = |source: &QualifiedName| new.contains_key(source) || anew.contains_key(source);
            reads(wanted).iter().any(|source| source != *on && is_to_come(source))
        };
        let (new_later, new_now): (Made<'_>, Made<'_>) = new.clone().into_iter().partition(waits);
        let (anew_later, anew_now): (Made<'_>, Made<'_>) = anew.clone().into_iter().partition(waits);
        if new_now.is_empty() && anew_now.is_empty() {
            // What waits in a circle is said where it is checked.
            queries::make(session, &new_later, relations, canon)?;
            make(session, &anew_later, relations)?;
            break;
        }
        queries::make(session, &new_now, relations, canon)?;
        make(session, &anew_now, relations)?;
        (new, anew) = (new_later, anew_later);
    }
    // What is there and is to read something that is not.
    queries::compare(session, rest.later, relations, canon)
}

/// What has another query to come, and what reads that, at any depth.
fn made_anew<'a>(
    desired: &'a BTreeMap<Address, Desired>,
    live: &BTreeMap<Address, Live>,
    relations: &Relations,
    canon: &Canon,
) -> Made<'a> {
    let mut found = Made::new();
    let mut rest = Made::new();
    for wanted in desired.values().filter(|wanted| wanted.ensure == Ensure::Present) {
        let (Some(kind), Some(on), Some(is)) = (by_id(&wanted.address.kind), &wanted.on, live.get(&wanted.address))
        else {
            continue;
        };
        let is_stored = relations.get(on).is_some_and(|relation| matches!(relation.stored, Stored::In(_)));
        let Some(query) = kind.makes(wanted).filter(|_| is_stored) else { continue };
        let to = if kind.is_made_anew(wanted, is, canon) { &mut found } else { &mut rest };
        to.insert(on, (wanted, query));
    }
    loop {
        let goes = |(wanted, _): &(&Desired, SqlText)| reads(wanted).iter().any(|source| found.contains_key(source));
        let (along, other): (Made<'_>, Made<'_>) = rest.into_iter().partition(|(_, made)| goes(made));
        if along.is_empty() {
            return found;
        }
        found.extend(along);
        rest = other;
    }
}

/// Asks for the queries of one level, over what is to come of what they read.
fn make(session: &mut Session, made: &Made<'_>, relations: &mut Relations) -> Result<(), Failure> {
    let over = |query: &SqlText| Select::split(query).ok().map(|select| queries::over_unmade(&select, relations));
    let texts: BTreeSet<&SqlText> = made.values().map(|(_, query)| query).collect();
    let asked: BTreeMap<SqlText, Option<Select>> = texts.into_iter().map(|text| (text.clone(), over(text))).collect();
    let answers: BTreeMap<SqlText, Answer> = queries::ask(session, asked.clone().into_iter().collect())?;
    let mut known = Vec::new();
    let mut refused: Vec<(&QualifiedName, String)> = Vec::new();
    for (on, (_, query)) in made {
        match (answers.get(query), asked.get(query)) {
            (Some(Ok(form)), Some(Some(select))) => known.push((*on, select, form)),
            (Some(Err(complaint)), _) => refused.push((*on, complaint.clone())),
            _ => {}
        }
    }
    let coming = queries::made_of(session, &known, relations)?;
    for (on, complaint) in refused {
        if let Some(relation) = relations.get_mut(on) {
            relation.coming = Some(Err(complaint));
        }
    }
    for made in coming {
        if let Some(relation) = relations.get_mut(&made.name) {
            relation.coming = Some(Ok(Box::new(to_come(relation, made))));
        }
    }
    Ok(())
}

/// A relation that is there with the columns that it is to have.
fn to_come(relation: &Relation, made: Relation) -> Relation {
    let column = made.hypertable.as_ref().and_then(Hypertable::time).map(|time| time.column.clone());
    let time =
        |time: &Dimension| Dimension { column: column.clone().unwrap_or_else(|| time.column.clone()), ..time.clone() };
    let hypertable = relation.hypertable.as_ref().map(|hypertable| Hypertable {
        dimensions: hypertable.dimensions.iter().map(time).collect(),
        ..hypertable.clone()
    });
    Relation { columns: made.columns, hypertable, coming: None, ..relation.clone() }
}
