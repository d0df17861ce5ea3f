//! What goes with a continuous aggregate that is dropped or made anew, and what stands in its way.

use std::collections::BTreeMap;

use super::{HAS_DEPENDANTS, ID, clauses, comments, fill, grants, is_made_again, owners, remake, settings};
use crate::core::{
    Address, Bytes, Delta, Ensure, Hazard, Impact, InPart, KindId, Lost, Op, Param, QualifiedName, Query, Reason, Row,
    RowError,
};
use crate::diag::{Diagnostic, code};
use crate::kinds::{Judgement, Relation, Stored, View, by_id, chunks, job};

fn relation<'a>(delta: &Delta, view: &View<'a>) -> Option<&'a Relation> {
    view.relations.get(delta.on.as_ref()?).filter(|relation| relation.stored != Stored::Nowhere)
}

/// Whether the aggregate that is there goes.
fn goes(delta: &Delta) -> bool {
    delta.reason == Reason::Remade || (!delta.is_create() && (delta.is_remove() || delta.change("query").is_some()))
}

/// Whether it is there and is filled with what was never filled.
fn is_filled(delta: &Delta) -> bool {
    stays(delta) && delta.change("with_data").is_some() && !goes_on(delta)
}

/// Whether it is there and a fill that was begun is completed.
fn goes_on(delta: &Delta) -> bool {
    stays(delta) && delta.change(fill::ATTRIBUTE).is_some()
}

fn stays(delta: &Delta) -> bool {
    !delta.is_create() && !delta.is_remove() && !goes(delta)
}

/// The one query for all deltas.
pub fn query(deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
    let (mut oids, mut ids, mut buckets, mut names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut reads: Vec<(u32, QualifiedName)> = Vec::new();
    for delta in deltas.iter().filter(|delta| goes(delta)) {
        let Some(relation) = relation(delta, view) else { continue };
        let Some(hypertable) = &relation.hypertable else { continue };
        let Some(time) = hypertable.time() else { continue };
        oids.push(relation.oid);
        ids.push(Some(hypertable.id));
        let filled = delta.desired.as_ref().filter(|_| fill::fills(delta, view));
        let sources = filled.and_then(|desired| super::query(desired.get("query"))).map(super::sources);
        reads.extend(sources.into_iter().flatten().map(|source| (relation.oid, source)));
        names.push(relation.name.clone());
        buckets.push(time.column.clone());
    }
    let times = |which: fn(&Delta) -> bool| -> Vec<(u32, String)> {
        let chosen = deltas.iter().filter(|delta| which(delta)).filter_map(|delta| relation(delta, view));
        chosen
            .filter_map(|relation| Some((relation.oid, relation.hypertable.as_ref()?.time()?.column.clone())))
            .collect()
    };
    let (filled, unfinished) = (times(is_filled), times(goes_on));
    let is_made = |delta: &&&Delta| delta.is_create() || (goes(delta) && !delta.is_remove());
    let made = deltas.iter().filter(is_made).filter_map(|delta| delta.on.as_ref());
    let mut schemas: Vec<String> = made.map(|on| on.schema.clone()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    let asks = !oids.is_empty() || !schemas.is_empty() || !filled.is_empty() || !unfinished.is_empty();
    asks.then(|| Query {
        sql: chunks::on_server(include_str!("weigh.sql"), "$11", view.server),
        params: vec![
            Param::Oids(oids),
            Param::texts(names.iter().map(|name: &QualifiedName| name.schema.clone())),
            Param::texts(names.iter().map(|name| name.name.clone())),
            Param::texts(buckets),
            Param::texts(schemas),
            Param::Oids(filled.iter().map(|(oid, _)| *oid).collect()),
            Param::texts(filled.into_iter().map(|(_, column)| column)),
            Param::Oids(unfinished.iter().map(|(oid, _)| *oid).collect()),
            Param::texts(unfinished.into_iter().map(|(_, column)| column)),
            Param::Text(owners::needed(view.server.version).to_owned()),
            Param::Ints(ids),
            Param::Oids(reads.iter().map(|(oid, _)| *oid).collect()),
            Param::texts(reads.iter().map(|(_, source)| source.schema.clone())),
            Param::texts(reads.into_iter().map(|(_, source)| source.name)),
        ],
    })
}

/// The hazards and the impact of one delta.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn judge(delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
    let mut judgement = Judgement::default();
    if op == Op::Blocked {
        return Ok(judgement);
    }
    if op == Op::Create || goes(delta) {
        judgement.diagnostics.extend(schema(delta, weights)?);
    }
    if op == Op::Create && delta.reason != Reason::Remade {
        return Ok(judgement);
    }
    judgement.diagnostics.extend(job::not_owner(delta, view));
    if (is_filled(delta) || goes_on(delta)) && judgement.diagnostics.is_empty() {
        judgement.diagnostics.extend(unreadable(delta, weights, view)?);
    }
    let Some(relation) = relation(delta, view).filter(|_| goes(delta)) else { return Ok(judgement) };
    let mut rows = Vec::new();
    for row in weights {
        if row.maybe_int("oid")? == Some(i64::from(relation.oid)) {
            rows.push((row.text("finding")?, row));
        }
    }
    judgement.diagnostics.extend(dependants(delta, &rows, view)?);
    judgement.diagnostics.extend(owners::judge(delta, &rows, view)?);
    judgement.diagnostics.extend(owners::unreadable(delta, &rows, weights, view)?);
    let mut impact = impact(delta, relation, &rows, view)?;
    impact.notes.extend(clauses::that_differ(delta, view));
    impact.notes.extend(readers(delta, view));
    let said = grants::notes(delta, &relation.name, weights, view)?;
    judgement.diagnostics.extend(owners::cannot_read_by_then(delta, (&said.readers, &said.again), weights, view)?);
    impact.notes.extend(said.notes);
    impact.along.extend(said.lost);
    let lost = comments::lost(delta, weights, view)?;
    impact.notes.extend(along(delta, &lost));
    impact.along.extend(lost);
    // What holds no chunk holds nothing; where that is not known it may hold anything.
    if impact.chunks != Some(0) {
        judgement.hazards = vec![Hazard::DeletesData];
    }
    judgement.impact = Some(impact);
    Ok(judgement)
}

/// One that cannot be read cannot be filled beside what it keeps.
fn unreadable(delta: &Delta, weights: &[Row], view: &View<'_>) -> Result<Option<Diagnostic>, RowError> {
    let (finding, attribute) = if goes_on(delta) { ("unfinished", "query") } else { ("kept", "with_data") };
    let xml = fill::weights_of(delta, finding, weights, view)?;
    let Some(desired) = delta.desired.as_ref().filter(|_| xml.is_none()) else { return Ok(None) };
    let message = format!("the session's role may not read what {} keeps", delta.address);
    Ok(Some(
        Diagnostic::error(&code::NO_PRIVILEGE, message)
            .at(desired.place_of(attribute))
            .why("what is filled already is not to be filled once more, which would take away what is kept of chunks that are gone")
            .help("grant SELECT on it"),
    ))
}

/// What becomes of those that read it.
fn readers(delta: &Delta, view: &View<'_>) -> Vec<String> {
    let Some(on) = delta.on.as_ref().filter(|_| !delta.is_create() && !delta.is_remove()) else { return Vec::new() };
    let made = remake::along(on, view);
    let along: Vec<String> = made.iter().map(|made| made.on.to_string()).collect();
    let filled: Vec<String> = made.iter().filter(|made| made.fills).map(|made| made.on.to_string()).collect();
    let all = super::readers(on, view).into_iter().rev().map(|name| name.to_string());
    let later: Vec<String> = all.filter(|name| !along.contains(name)).collect();
    let (go, each) = if along.len() == 1 { ("goes and is", "") } else { ("go and are", "each ") };
    let fill = if filled.len() == 1 { "an action of its own fills" } else { "actions of their own fill" };
    let filled = match filled.len() {
        0 => String::new(),
        count if count < along.len() => format!("; {fill} {}", filled.join(", ")),
        1 => format!("; {fill} it"),
        _ => format!("; {fill} them"),
    };
    let filled = if filled.is_empty() {
        filled
    } else {
        format!("{filled}, and where apply is stopped before, the next one does")
    };
    let together = (!along.is_empty()).then(|| {
        format!(
            "{} {go} made again in the same transaction, {each}with its owner, privileges and comments, and \
             empty{filled}",
            along.join(", ")
        )
    });
    let (go, are, them) = if later.len() == 1 { ("goes", "is", "it") } else { ("go", "are", "them") };
    let apart = (!later.is_empty()).then(|| {
        format!(
            "{} {go} in the same transaction, and {are} made again once all is there that is to be read: where apply is \
             stopped before, the next one makes and fills {them}, but does not know whose it was nor what was granted \
             on it by hand",
            later.join(", ")
        )
    });
    together.into_iter().chain(apart).collect()
}

/// Whether it can be made where it is wanted.
fn schema(delta: &Delta, weights: &[Row]) -> Result<Option<Diagnostic>, RowError> {
    let (Some(on), Some(desired)) = (&delta.on, &delta.desired) else { return Ok(None) };
    for row in weights {
        let (message, help) = match row.text("finding")? {
            "schema_privilege" => ("the session's role may not create anything in the schema", "grant CREATE on it"),
            "no_schema" => ("there is no schema", "create it by a migration, or check its spelling"),
            _ => continue,
        };
        if row.maybe_text("schema")? == Some(&on.schema) {
            let diagnostic = Diagnostic::error(&code::NO_PRIVILEGE, format!("{message} \"{}\"", on.schema));
            return Ok(Some(diagnostic.at(&desired.place).help(help)));
        }
    }
    Ok(None)
}

/// Rows of one aggregate, each with what it tells.
type Rows<'a> = [(&'a str, &'a Row)];

/// What else reads it, and does not go by the same plan.
fn dependants(delta: &Delta, rows: &Rows<'_>, view: &View<'_>) -> Result<Option<Diagnostic>, RowError> {
    let mut named = Vec::new();
    for (_, row) in rows.iter().filter(|(finding, _)| *finding == "dependant") {
        let name = QualifiedName::new(row.text("schema")?, row.text("name")?);
        let own = view.desired.get(&Address::in_schema(ID, &name));
        let again = !delta.is_remove() && is_made_again(&Address::in_schema(ID, &name), view);
        let goes = again || own.is_some_and(|own| own.ensure == Ensure::Absent);
        let (words, managed) = (row.text("words")?, own.is_some());
        if !goes {
            named.push((format!("the {words} {name}"), managed));
        }
    }
    let users = |of: &str| -> Result<Vec<String>, RowError> {
        let rows = rows.iter().filter(|(finding, _)| *finding == "uses").map(|(_, row)| *row);
        rows.filter(|row| row.text("words") == Ok(of)).map(|row| Ok(format!("the {}", row.text("name")?))).collect()
    };
    let (reading, typed) = (users("reads")?, users("type")?);
    let Some(wanted) = delta.desired.as_ref().or_else(|| view.desired.get(&delta.address)) else { return Ok(None) };
    let all: Vec<&str> =
        named.iter().map(|(name, _)| name.as_str()).chain(reading.iter().map(String::as_str)).collect();
    let mut why_not = Vec::new();
    if !all.is_empty() {
        why_not.push(format!("it is read by {}", all.join(", ")));
    }
    if !typed.is_empty() {
        why_not.push(format!("the type of its rows is used by {}", typed.join(", ")));
    }
    if why_not.is_empty() {
        return Ok(None);
    }
    let what = if delta.is_remove() { "cannot be dropped" } else { "cannot be made anew" };
    let message = format!("{} {what}, because {}", delta.address, why_not.join(", and "));
    let help = match () {
        () if !typed.is_empty() => {
            "drop what reads it or takes it as an argument, and give columns of that type another one first (ALTER TABLE … \
             ALTER COLUMN … TYPE …); apply, and bring back what is missed"
        }
        () if reading.is_empty() && named.iter().all(|(_, managed)| *managed) => {
            "write the `query` of each in its document, so that it can be made again, or `ensure: absent`"
        }
        () => "drop those first, apply, and create them again",
    };
    Ok(Some(
        Diagnostic::error(&HAS_DEPENDANTS, message)
            .at(wanted.place_of("query"))
            .why("dropping it with CASCADE would take them along, and what they hold")
            .help(help),
    ))
}

fn impact(delta: &Delta, relation: &Relation, rows: &Rows<'_>, view: &View<'_>) -> Result<Impact, RowError> {
    let again = delta.desired.as_ref().is_some_and(fill::is_wanted);
    let held_back = delta.desired.as_ref().filter(|_| again).and_then(|desired| fill::held_back_by(desired, view));
    let is_left_empty = delta.desired.is_some() && !again;
    let again = again && held_back.is_none();
    let verb = if again { "drops, and fills again," } else { "drops" };
    let mut impact = Impact { verb: verb.to_owned(), ..Impact::default() };
    for (finding, row) in rows {
        match *finding {
            "holds" => {
                impact.chunks = job::count(row, "chunks")?;
                impact.bytes = job::count(row, "bytes")?.map(Bytes);
                impact = impact.of_chunks(row.ints("chunk_ids")?);
            }
            "lost" => {
                let xml = row.text("xml")?;
                impact.oldest = element(xml, "oldest");
                impact.newest = element(xml, "newest");
                if let Some(source) = &held_back {
                    let (lost, note) = all_lost(xml, source)?.unzip();
                    impact.lost = lost;
                    impact.notes.extend(note);
                } else if again {
                    let source = QualifiedName::new(row.text("schema")?, row.text("name")?);
                    let (lost, note) = lost(xml, &source)?.unzip();
                    impact.lost = lost;
                    impact.notes.extend(note);
                    let (part, notes) = in_part(xml, &source)?;
                    impact.in_part = part;
                    impact.notes.extend(notes);
                }
            }
            _ => {}
        }
    }
    if let Some(source) = &held_back {
        impact.notes.push(format!(
            "it is left empty until {source}, which it is made from, is filled: a later apply fills it then"
        ));
    }
    if is_left_empty {
        impact.notes.push("it is left empty, for the policy says `with_data: false`".to_owned());
    }
    let (mut names, mut known) = taken_along(delta, relation, view);
    let set = if delta.desired.is_some() { settings::lost(&relation.name, view) } else { Vec::new() };
    for (words, as_known) in set {
        names.push(words);
        known.push(as_known);
    }
    impact.notes.extend(along(delta, &names));
    impact.along = known.into_iter().collect();
    Ok(impact)
}

fn count(text: &str) -> Result<u64, RowError> {
    text.parse().map_err(|_| RowError { column: "xml".to_owned(), expected: "count of rows" })
}

/// All that it holds, where what it is made from is left empty, and the words for it.
fn all_lost(xml: &str, source: &QualifiedName) -> Result<Option<(Lost, String)>, RowError> {
    let (Some(rows), Some(first), Some(last)) = (element(xml, "total"), element(xml, "oldest"), element(xml, "newest"))
    else {
        return Ok(None);
    };
    let words = format!(
        "all of its {rows} rows from {first} to {last} are lost: {source}, which it is made from, is left empty"
    );
    Ok(Some((Lost { rows: count(&rows)?, first, last }, words)))
}

/// The range that cannot be filled again, and the words for it.
fn lost(xml: &str, source: &QualifiedName) -> Result<Option<(Lost, String)>, RowError> {
    let (Some(buckets), Some(rows)) = (element(xml, "buckets"), element(xml, "rows")) else { return Ok(None) };
    let (Some(first), Some(last)) = (element(xml, "first"), element(xml, "last")) else { return Ok(None) };
    if count(&buckets)? == 0 {
        return Ok(None);
    }
    let since = element(xml, "since");
    let begins = match &since {
        Some(since) => format!("begins at {since}"),
        None => "holds no rows".to_owned(),
    };
    let at_the_beginning = since.is_none() || element(xml, "beginning").is_none_or(|beginning| beginning == "true");
    let holes = element(xml, "holes").filter(|holes| holes != "0" && since.is_some());
    let holes = holes.map(|holes| {
        let from = element(xml, "holes_from").unwrap_or_default();
        match element(xml, "holes_until") {
            None if holes == "1" => format!("has no chunk from {from} on"),
            Some(until) if holes == "1" => format!("has no chunk from {from} to {until}"),
            until => {
                let until = until.map(|until| format!(" to {until}")).unwrap_or_default();
                format!("lacks chunks in {holes} ranges from {from}{until}")
            }
        }
    });
    let now: Vec<String> = at_the_beginning.then_some(begins).into_iter().chain(holes).collect();
    let now = now.join(" and ");
    let plural = if buckets == "1" { "bucket" } else { "buckets" };
    let of_rows = if rows == "1" { "row" } else { "rows" };
    let words = format!(
        "{buckets} {plural} ({rows} {of_rows}) from {first} to {last} cannot be filled again and are lost: {source} now {now}"
    );
    Ok(Some((Lost { rows: count(&rows)?, first, last }, words)))
}

/// The buckets that there are no chunks for all of: what they are made of now may be less than it was. One is at
/// the beginning; whether there ever were chunks where there are none later on cannot be told either.
fn in_part(xml: &str, source: &QualifiedName) -> Result<(Option<InPart>, Vec<String>), RowError> {
    let beside = element(xml, "beside").map_or(Ok(0), |beside| count(&beside))?;
    let first = element(xml, "part").zip(element(xml, "part_since"));
    let mut notes = Vec::new();
    if let Some((bucket, since)) = &first {
        notes.push(format!(
            "the bucket of {bucket} is filled again without what {source} held before {since}, if it did: its first \
             chunk begins there"
        ));
    }
    if let (Some(from), Some(to)) = (element(xml, "beside_first"), element(xml, "beside_last")) {
        notes.push(if beside == 1 {
            format!("the bucket of {from} is filled again without what {source} held where it has no chunk, if it did")
        } else {
            format!(
                "{beside} buckets from {from} to {to} are filled again without what {source} held where it has no \
                 chunk, if it did"
            )
        });
    }
    let buckets = beside + u64::from(first.is_some());
    let part = (buckets > 0).then(|| InPart { buckets, since: first.map(|(_, since)| since) });
    Ok((part, notes))
}

/// What is in each row. The server names a namespace in the beginning of each.
pub fn rows(xml: &str) -> impl Iterator<Item = &str> {
    xml.split_inclusive("</row>").filter(|row| row.ends_with("</row>"))
}

/// The text of the first element of a name, timestamps as the server prints them otherwise.
pub fn element(xml: &str, name: &str) -> Option<String> {
    let text = xml.split_once(&format!("<{name}>"))?.1.split_once("</")?.0;
    let is_time = text.as_bytes().get(10) == Some(&b'T');
    Some(if is_time { text.replacen('T', " ", 1).replacen("+00:00", "+00", 1) } else { text.to_owned() })
}

/// What is on it and in no policy, and so is not made again: in words, and by what it is known by again.
fn taken_along(delta: &Delta, relation: &Relation, view: &View<'_>) -> (Vec<String>, Vec<String>) {
    let on = Some(&relation.name);
    let lost = view.live.values().filter(|live| live.on.as_ref() == on && live.address.kind != ID && !live.system);
    let wanted = |address: &Address| {
        delta.desired.is_some() && view.desired.get(address).is_some_and(|desired| desired.ensure == Ensure::Present)
    };
    let (mut names, mut known, mut nameless) = (Vec::new(), Vec::new(), BTreeMap::<KindId, usize>::new());
    for address in lost.map(|live| &live.address).filter(|address| !wanted(address)) {
        let kind = by_id(&address.kind);
        let title = kind.map_or_else(|| address.kind.to_string(), |kind| kind.title().to_owned());
        let name = if address.name == relation.name.name {
            format!("its {title}")
        } else {
            format!("the {title} \"{}\"", address.name)
        };
        // Names that the database does not keep may be others at the next look: those are counted.
        if kind.is_some_and(|kind| kind.is_nameless()) {
            let count = nameless.entry(address.kind.clone()).or_default();
            *count += 1;
            known.push(format!("{title} {count}"));
        } else {
            known.push(name.clone());
        }
        names.push(name);
    }
    (names, known)
}

/// The words for that.
fn along(delta: &Delta, names: &[String]) -> Option<String> {
    let verb = if names.len() == 1 { "goes" } else { "go" };
    let again = if delta.desired.is_some() { ", and no policy makes that again" } else { "" };
    (!names.is_empty()).then(|| format!("with it {verb} {}{again}", names.join(", ")))
}
