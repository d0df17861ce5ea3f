//! Indexes that some chunks of their hypertable have no valid copy of: dropped by hand, or left by a build
//! that failed. They are built there again, chunk by chunk.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Bytes, Delta, Desired, Hazard, Impact, Live, QualifiedName, Row, RowError, Value};
use crate::diag::Diagnostic;
use crate::kinds::index::observe::{BY_SHAPE, Lacking, MISSING_ON_CHUNKS, lacking};
use crate::kinds::index::weigh::findings;
use crate::kinds::index::{self, names};
use crate::kinds::{Judgement, View};

/// Up to so many chunks, a plan tells of each that it locks it.
const TOLD_ONE_BY_ONE: usize = 4;

/// The chunks on which a delta builds the index again.
pub fn of(delta: &Delta) -> Vec<Lacking<'_>> {
    let asked = delta.change(MISSING_ON_CHUNKS).is_some() && delta.desired.is_some();
    delta.live.as_ref().filter(|_| asked).map(lacking).unwrap_or_default()
}

/// The name of the copy that is built: that of the broken one, which goes first, or TimescaleDB's own.
pub fn copy_name(lacking: Lacking<'_>, index: &str) -> QualifiedName {
    match lacking.broken {
        Some((broken, _)) => broken.clone(),
        None => QualifiedName::new(&lacking.chunk.schema, names::on_chunk(&lacking.chunk.name, index)),
    }
}

/// What the steps are done to. Where something else has a copy's name, the server chooses one.
pub fn items(delta: &Delta, weights: &[Row]) -> Vec<Value> {
    let taken = |name: &QualifiedName| {
        let is = |row: &Row| row.text("schema") == Ok(&name.schema) && row.text("name") == Ok(&name.name);
        findings(weights, "taken", None).any(is)
    };
    let chunks = of(delta);
    let few = chunks.len() <= TOLD_ONE_BY_ONE;
    let all = format!("each of {} chunks, one after another", chunks.len());
    let item = |lacking: Lacking<'_>| {
        let name = copy_name(lacking, &delta.address.name);
        let free = lacking.broken.is_some() || !taken(&name);
        let broken = lacking.broken.map_or(Value::Null, |(broken, _)| Value::Name(broken.clone()));
        Value::Map(BTreeMap::from([
            ("on".to_owned(), Value::Name(lacking.chunk.clone())),
            ("locks".to_owned(), if few { Value::Name(lacking.chunk.clone()) } else { Value::text(&all) }),
            ("name".to_owned(), if free { Value::Text(name.name) } else { Value::Null }),
            ("broken".to_owned(), broken),
        ]))
    };
    chunks.into_iter().map(item).collect()
}

/// The schemas of those chunks, each once: building an index by itself, the session's role needs
/// CREATE there, which TimescaleDB gives itself where it builds on all chunks.
pub fn schemas(delta: &Delta) -> BTreeSet<&str> {
    of(delta).iter().map(|lacking| lacking.chunk.schema.as_str()).collect()
}

/// Adds what building on those chunks costs.
pub fn judge(delta: &Delta, weights: &[Row], judgement: &mut Judgement) -> Result<(), RowError> {
    let chunks = of(delta);
    if chunks.is_empty() {
        return Ok(());
    }
    let (mut rows, mut bytes) = (Some(0), Some(0));
    for lacking in &chunks {
        let weight = findings(weights, "relation", Some(lacking.oid)).next();
        let number = |column: &str| {
            let number = weight.map(|row| row.maybe_int(column)).transpose()?.flatten();
            Ok::<_, RowError>(number.and_then(|number| u64::try_from(number).ok()))
        };
        rows = rows.zip(number("rows")?).map(|(all, own)| all + own);
        bytes = bytes.zip(number("bytes")?).map(|(all, own)| all + own);
    }
    // What is in the columnstore is in no index of the chunk's.
    if bytes != Some(0) {
        judgement.hazards.push(Hazard::BuildsIndex);
    }
    let notes = judgement.impact.take().map(|impact| impact.notes).unwrap_or_default();
    judgement.impact = Some(Impact {
        verb: "builds an index over".to_owned(),
        chunks: u64::try_from(chunks.len()).ok(),
        rows,
        bytes: bytes.map(Bytes),
        notes: [vec!["queries of these chunks do without the index until then".to_owned()], notes].concat(),
        ..Impact::default()
    });
    Ok(())
}

/// Whether an index that is built on a chunk by itself belongs to the hypertable's.
pub fn heals(live: &Live, view: &View<'_>) -> bool {
    view.server.timescale_version().is_some_and(|version| version >= BY_SHAPE) && live.fact("constraint").is_none()
}

/// Says what is missing where no statement could make it good.
pub fn warning(desired: &Desired, live: &Live, view: &View<'_>) -> Option<Diagnostic> {
    let missing = live.get(MISSING_ON_CHUNKS).filter(|_| !heals(live, view))?;
    let chunks = lacking(live);
    let first = chunks.first()?.chunk;
    let more = if chunks.len() > 1 { format!(" and {} more", chunks.len() - 1) } else { String::new() };
    let name = &desired.address.name;
    let message = format!("the index `{name}` is missing, or not valid, on {missing} chunks: {first}{more}");
    let diagnostic = Diagnostic::warning(&index::MISSING_ON_CHUNKS, message).at(&desired.place);
    Some(match live.fact("constraint") {
        Some(_) => diagnostic
            .why("it is behind a constraint of the table, and a chunk's is made with the chunk's own constraint")
            .help("drop the constraint and add it again in a migration, which makes it on every chunk"),
        None => diagnostic
            .why(
                "TimescaleDB before 2.22 takes an index that is built on a chunk by itself for no part of the \
                 hypertable's, so that it would stay behind when that is renamed or dropped",
            )
            .help(
                "build it on those chunks by hand, which is enough for queries; or drop the index, and have the \
                 next plan build it on every chunk",
            ),
    })
}
