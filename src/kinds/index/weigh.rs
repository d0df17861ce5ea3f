//! What building, replacing or removing an index touches, and what of it cannot be done.

use std::collections::BTreeSet;

use crate::core::{
    Address, Bytes, Delta, Hazard, Impact, KeyColumn, Live, Op, Param, QualifiedName, Query, Reason, Row, RowError,
    Value, Version,
};
use crate::diag::{Diagnostic, code};
use crate::kinds::index::observe::PARAMETERS;
use crate::kinds::index::settle::{keys, twin};
use crate::kinds::index::{
    INDEX_BEING_BUILT, INDEX_IN_USE, INDEX_NAME_TAKEN, NO_SUCH_OBJECT, SHARES_CHUNK_INDEXES, fits, moved, names,
    on_chunks, way,
};
use crate::kinds::{Judgement, Relation, Stored, View, checks, chunks};

/// From here on, a chunk's index belongs to whichever index of the hypertable is built alike
/// (`ts_chunk_index_get_by_hypertable_indexrelid`, first in 2.21), and to both where there are two.
const CHUNK_INDEXES_BY_SHAPE: Version = Version::new(2, 21);

/// The lists of names and OIDs that the query is about.
#[derive(Default)]
struct Asked {
    seen: BTreeSet<u32>,
    relations: Vec<Option<i64>>,
    with_children: Vec<Option<i64>>,
    /// TimescaleDB's ids of the hypertables that are filled before an index is built on them.
    filled: Vec<Option<i64>>,
    names: Pairs,
    indexes: Vec<u32>,
    methods: Vec<String>,
    tablespaces: Vec<String>,
    opclasses: Pairs,
    opclass_methods: Vec<String>,
    collations: Pairs,
    schemas: Vec<String>,
    keys: fits::Keys,
}

/// Schemas and names, as two columns.
#[derive(Default)]
struct Pairs {
    schemas: Vec<String>,
    names: Vec<String>,
}

impl Pairs {
    fn push(&mut self, name: &QualifiedName) {
        self.schemas.push(name.schema.clone());
        self.names.push(name.name.clone());
    }

    fn params(self) -> [Param; 2] {
        [Param::texts(self.schemas), Param::texts(self.names)]
    }
}

pub fn query(deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
    let mut asked = Asked::default();
    for delta in deltas {
        asked.add(delta, view);
    }
    let [name_schemas, names] = asked.names.params();
    let [opclass_schemas, opclasses] = asked.opclasses.params();
    let [collation_schemas, collations] = asked.collations.params();
    let [key_types, key_methods, key_schemas, key_opclasses, collated] = asked.keys.params();
    let ids = asked.filled;
    let mut params = vec![
        Param::Ints(asked.relations),
        Param::Ints(asked.with_children),
        name_schemas,
        names,
        Param::Oids(asked.indexes),
        Param::texts(asked.methods),
        Param::texts(asked.tablespaces),
        opclass_schemas,
        opclasses,
        Param::texts(asked.opclass_methods),
        collation_schemas,
        collations,
        Param::texts(asked.schemas),
        key_types,
        key_methods,
        key_schemas,
        key_opclasses,
        collated,
    ];
    let now_held = if ids.is_empty() { "" } else { include_str!("now_held.sql").trim_end() };
    let sql = include_str!("weigh.sql").replace("{in_columnstore}", fits::in_columnstore(view).trim_end());
    let sql = chunks::on_server(&sql.replace("{now_held}", now_held), "$19", view.server);
    params.extend((!ids.is_empty()).then_some(Param::Ints(ids)));
    Some(Query { sql, params })
}

impl Asked {
    fn add(&mut self, delta: &Delta, view: &View<'_>) {
        if let Some(relation) = delta.on.as_ref().and_then(|on| view.relations.get(on)) {
            let oid = Some(i64::from(relation.oid));
            if self.seen.insert(relation.oid) {
                self.relations.push(oid);
                self.with_children.push(Some(way::reaches_children(relation, view).into()));
                let stored = relation.hypertable.as_ref().filter(|_| relation.stored != Stored::Nowhere);
                self.filled.extend(stored.filter(|_| way::is_filled_first(delta, view)).map(|it| Some(it.id)));
            }
        }
        self.indexes.extend(delta.live.as_ref().and_then(oid_of));
        self.indexes.extend(unfinished(delta, view));
        let is_new = delta.live.is_none() || moved::renamed_from(delta).is_some();
        if let Some(name) = delta.address.object().filter(|_| is_new) {
            self.names.push(&name);
        }
        for name in way::needed_names(delta, view) {
            self.names.push(&name);
        }
        let changed = |name: &str| {
            let value = delta.change(name).and_then(|change| change.after.as_ref())?;
            value.as_text().map(str::to_owned)
        };
        self.tablespaces.extend(changed("tablespace"));
        if delta.desired.is_some() {
            // Also where an index is built anew without a word about its place.
            self.tablespaces.extend(way::tablespace(delta).as_text().map(str::to_owned));
            self.schemas.extend(delta.address.schema.clone().filter(|schema| !self.schemas.contains(schema)));
        }
        for lacking in on_chunks::of(delta) {
            if self.seen.insert(lacking.oid) {
                self.relations.push(Some(i64::from(lacking.oid)));
                self.with_children.push(Some(0));
            }
            self.indexes.extend(lacking.broken.map(|(_, oid)| oid));
            self.names.push(&on_chunks::copy_name(lacking, &delta.address.name));
        }
        for schema in on_chunks::schemas(delta) {
            if !self.schemas.iter().any(|known| known == schema) {
                self.schemas.push(schema.to_owned());
            }
        }
        if fits::is_built(delta) {
            self.keys.add(delta, view);
            self.methods.extend(delta.desired.as_ref().map(|desired| fits::method_of(desired).to_owned()));
        }
        let method = delta.desired.as_ref().and_then(|desired| desired.get("method")?.as_text());
        for key in keys(delta.change("columns").and_then(|change| change.after.as_ref())) {
            if let Some(opclass) = &key.opclass {
                self.opclasses.push(opclass);
                self.opclass_methods.push(method.unwrap_or("btree").to_owned());
            }
            if let Some(collation) = &key.collation {
                self.collations.push(collation);
            }
        }
    }
}

fn oid_of(live: &Live) -> Option<u32> {
    u32::try_from(live.fact("oid")?.as_int()?).ok()
}

/// The OID of what a replacement of the index has begun and not finished, where there is such.
fn unfinished(delta: &Delta, view: &View<'_>) -> Option<u32> {
    if let Some(oid) = delta.live.as_ref().and_then(|live| live.fact("leftover.unfinished.oid")) {
        return u32::try_from(oid.as_int()?).ok();
    }
    let address = Address { name: names::unfinished(&delta.address.name), ..delta.address.clone() };
    view.live.get(&address).filter(|live| live.on == delta.on).and_then(oid_of)
}

/// The rows of one finding that are of one OID, where it has one. The query gives them in the order of
/// their OIDs: looking through all of them for each of many tables would take a time of their square.
pub fn findings<'a>(weights: &'a [Row], finding: &'a str, oid: Option<u32>) -> impl Iterator<Item = &'a Row> {
    let wanted = oid.map(i64::from);
    let oid_of = |row: &Row| row.maybe_int("oid").ok().flatten();
    let first = weights.partition_point(|row| oid_of(row) < wanted);
    let near = weights.iter().skip(first).take_while(move |row| oid_of(row) == wanted);
    near.filter(move |row| row.text("finding") == Ok(finding))
}

/// What is stored in a delta's table.
pub fn weight<'a>(delta: &Delta, weights: &'a [Row], view: &View<'_>) -> Option<&'a Row> {
    let relation = view.relations.get(delta.on.as_ref()?)?;
    findings(weights, "relation", Some(relation.oid)).next()
}

pub fn judge(delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
    let mut judgement = Judgement::default();
    let found = &mut judgement.diagnostics;
    if let Some(relation) = delta.on.as_ref().and_then(|on| view.relations.get(on))
        && !relation.owned
    {
        let place = delta.desired.as_ref().or_else(|| view.desired.get(&delta.address)).map(|desired| &desired.place);
        found.extend(place.map(|place| checks::not_owner(relation, view, place)));
    }
    let goes = matches!(op, Op::Replace | Op::Remove);
    being_built(delta, weights, view, found);
    if let Some(live) = delta.live.as_ref().filter(|_| goes) {
        in_use(delta, live, weights, found)?;
        shared(delta, live, op, view, found);
    }
    nowhere(delta, weights, found)?;
    fits::check(delta, op, weights, view, found)?;
    no_privilege(delta, op, weights, view, found);
    if op == Op::Replace {
        in_the_way(delta, weights, view, found)?;
        found.extend(parameters_lost(delta));
    }
    if matches!(op, Op::Create | Op::Replace) && !way::is_built_already(delta, view) {
        let weight = weight(delta, weights, view);
        let bytes = weight.map(|row| row.maybe_int("bytes")).transpose()?.flatten();
        let on = delta.on.as_ref().and_then(|on| view.relations.get(on));
        let unmade = on.is_some_and(|relation| relation.stored == Stored::Nowhere);
        let filled = on.filter(|_| way::is_filled_first(delta, view));
        // A table of which nothing is known is taken for one with rows.
        if (bytes != Some(0) && !unmade) || filled.is_some() {
            judgement.hazards.push(Hazard::BuildsIndex);
        }
        judgement.impact = match filled {
            Some(relation) => Some(after_the_fill(relation, weights)?),
            None => weight.map(|row| impact(delta, op, row, view)).transpose()?,
        };
    }
    if let Some(built) = way::taken_over(delta, view).filter(|_| op == Op::Replace) {
        let note = format!("it is built already, as {}, and takes the place of the one before", built.name);
        judgement.impact.get_or_insert_default().notes.push(note);
    }
    if op == Op::Update {
        judgement.impact = new_chunks_only(delta, view);
        on_chunks::judge(delta, weights, &mut judgement)?;
    }
    Ok(judgement)
}

fn said(delta: &Delta, diagnostic: Diagnostic, view: Option<&View<'_>>) -> Diagnostic {
    let desired = delta.desired.as_ref().or_else(|| view.and_then(|view| view.desired.get(&delta.address)));
    match desired {
        Some(desired) => diagnostic.at(&desired.place),
        None => diagnostic,
    }
}

/// What is made anew is made as the policy says, which cannot say this.
fn parameters_lost(delta: &Delta) -> Option<Diagnostic> {
    let told = delta.live.as_ref()?.fact(PARAMETERS)?.as_text()?;
    let message =
        format!("{} would be made anew without the parameters of its operator classes: {told}", delta.address);
    let diagnostic = Diagnostic::error(&code::CANNOT_CHANGE, message)
        .why("policies do not write parameters of operator classes")
        .help("make the index anew by hand as it is to be, with a new name, or drop it so that the policy's is made");
    Some(said(delta, diagnostic, None))
}

/// Another session is at work on the index, or on what is to replace it.
fn being_built(delta: &Delta, weights: &[Row], view: &View<'_>, found: &mut Vec<Diagnostic>) {
    let own = [delta.live.as_ref().and_then(oid_of), unfinished(delta, view)].into_iter().flatten();
    let on_chunks = on_chunks::of(delta).into_iter().filter_map(|lacking| lacking.broken.map(|(_, oid)| oid));
    if own.chain(on_chunks).any(|oid| findings(weights, "building", Some(oid)).next().is_some()) {
        let message = format!("{} is being built by another session", delta.address.told(delta.on.as_ref()));
        let diagnostic = Diagnostic::error(&INDEX_BEING_BUILT, message)
            .why("it is not valid yet, which a failed build leaves behind as well; this one has not failed")
            .help("wait until `pg_stat_progress_create_index` shows no build of it, and plan again");
        found.push(said(delta, diagnostic, Some(view)));
    }
}

/// What keeps a live index from being dropped.
fn in_use(delta: &Delta, live: &Live, weights: &[Row], found: &mut Vec<Diagnostic>) -> Result<(), RowError> {
    let address = delta.address.told(delta.on.as_ref());
    let oid = oid_of(live);
    let mut refuse = |message: String, why: &str, help: &str| {
        found.push(said(delta, Diagnostic::error(&INDEX_IN_USE, message).why(why).help(help), None));
    };
    if let Some(sort) = live.fact("constraint").and_then(Value::as_text) {
        let sort = match sort {
            "p" => "primary key",
            "u" => "unique constraint",
            _ => "exclusion constraint",
        };
        refuse(
            format!("{address} is the table's {sort} and cannot be dropped or built anew by itself"),
            "constraints belong to the migrations that made them",
            "change the constraint in a migration, or write the index in the policy as it is",
        );
    }
    if live.fact("of_parent").and_then(Value::as_bool) == Some(true) {
        refuse(
            format!("{address} is one partition's part of an index of the partitioned table"),
            "the server drops it only together with that index",
            "describe the index at the partitioned table",
        );
    }
    if live.fact("replica_identity").and_then(Value::as_bool) == Some(true) {
        refuse(
            format!("{address} is the table's replica identity"),
            "without it, UPDATE and DELETE fail wherever the table is published",
            "give the table another with `ALTER TABLE … REPLICA IDENTITY` first",
        );
    }
    for row in findings(weights, "foreign_key", oid) {
        refuse(
            format!("the foreign key {} of {} needs {address}", row.text("name")?, row.text("words")?),
            "the server does not drop an index that a foreign key refers to",
            "drop the foreign key first, and add it again afterwards",
        );
    }
    Ok(())
}

/// Another index of the hypertable that is built alike loses its part of the chunks with this one.
fn shared(delta: &Delta, live: &Live, op: Op, view: &View<'_>, found: &mut Vec<Diagnostic>) {
    let by_shape = view.server.timescale_version().is_some_and(|version| version >= CHUNK_INDEXES_BY_SHAPE);
    let hypertable = delta.on.as_ref().is_some_and(|on| view.live_hypertable(on).is_some_and(|it| it.chunks > 0));
    if !by_shape || !hypertable {
        return;
    }
    let Some(twin) = twin(delta.on.as_ref(), &delta.address, |name| live.get(name).cloned(), view) else { return };
    let kept = view.desired.get(&twin.address).is_some_and(|desired| desired.ensure == crate::core::Ensure::Present);
    let [one, other] = [&delta.address, &twin.address].map(|address| address.told(delta.on.as_ref()));
    let message = format!("{one} and {other} are the same index, and share those of some chunks");
    let verb = if op == Op::Remove { "removing" } else { "replacing" };
    let diagnostic = match kept {
        true => Diagnostic::error(&SHARES_CHUNK_INDEXES, message),
        false => Diagnostic::warning(&SHARES_CHUNK_INDEXES, message),
    };
    let diagnostic = diagnostic
        .why(format!(
            "TimescaleDB gives a new chunk one index for both: {verb} one takes it from the other, which stays \
             valid in name and is missing on those chunks"
        ))
        .help("remove both first, with `ensure: absent`, and then create the one that is to stay");
    found.push(said(delta, diagnostic, Some(view)));
}

/// Where the index is to be built and nothing may be created: owning the table is not enough.
fn no_privilege(delta: &Delta, op: Op, weights: &[Row], view: &View<'_>, found: &mut Vec<Diagnostic>) {
    let lacks = |finding, name: &str| findings(weights, finding, None).any(|row| row.text("name") == Ok(name));
    let builds = matches!(op, Op::Create | Op::Replace);
    let user = &view.server.user;
    let mut refuse = |what: &str, name: &str| {
        let message = format!("the session's role \"{user}\" may not create an index in the {what} `{name}`");
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let grant = format!("GRANT CREATE ON {} {} TO {}", what.to_uppercase(), quoted(name), quoted(user));
        let diagnostic = Diagnostic::error(&code::NO_PRIVILEGE, message)
            .help(format!("`{grant}`, or connect as a role that has that privilege"));
        found.push(said(delta, diagnostic, Some(view)));
    };
    let own = delta.address.schema.as_deref().filter(|_| builds);
    let of_chunks = if op == Op::Update { on_chunks::schemas(delta) } else { BTreeSet::new() };
    for schema in own.into_iter().chain(of_chunks).filter(|name| lacks("schema_privilege", name)) {
        refuse("schema", schema);
    }
    let moves = builds || delta.change("tablespace").is_some();
    if let Some(name) = way::tablespace(delta).as_text().filter(|name| moves && lacks("tablespace_privilege", name)) {
        refuse("tablespace", name);
    }
}

/// What has a name that a replacement needs, and is not known to be the rest of an earlier one.
fn in_the_way(delta: &Delta, weights: &[Row], view: &View<'_>, found: &mut Vec<Diagnostic>) -> Result<(), RowError> {
    let needed = way::needed_names(delta, view);
    for row in findings(weights, "taken", None) {
        let taken = QualifiedName::new(row.text("schema")?, row.text("name")?);
        if needed.contains(&taken) {
            let message = format!(
                "the name {taken}, which replacing {} needs, is taken by {}",
                delta.address,
                row.text("words")?
            );
            let diagnostic = Diagnostic::error(&INDEX_NAME_TAKEN, message)
                .why("an index is replaced by building the new one beside it, and this is not known to be the rest of an earlier replacement")
                .help(format!("rename {taken}, or drop it if nothing uses it, and plan again"));
            found.push(said(delta, diagnostic, None));
        }
    }
    Ok(())
}

/// Names in the definition that nothing has, and the index's own name where something else has it.
fn nowhere(delta: &Delta, weights: &[Row], found: &mut Vec<Diagnostic>) -> Result<(), RowError> {
    let Some(desired) = &delta.desired else { return Ok(()) };
    let missing = |message: String, attribute: &str| {
        Diagnostic::error(&NO_SUCH_OBJECT, message)
            .at(desired.place_of(attribute))
            .help("check the spelling; names are exact")
    };
    for row in findings(weights, "taken", None) {
        let taken = QualifiedName::new(row.text("schema")?, row.text("name")?);
        // What the index is on is made anew, and the old index goes with it.
        let goes = delta.reason == Reason::Remade;
        let is_new = delta.is_create() || moved::renamed_from(delta).is_some();
        if is_new && !goes && delta.address.object().as_ref() == Some(&taken) {
            let message = format!("the name {taken} is taken by {}", row.text("words")?);
            let diagnostic = Diagnostic::error(&INDEX_NAME_TAKEN, message)
                .why("an index shares its names with every table, view and index of its schema")
                .help("choose another name, or drop what has it first");
            found.push(said(delta, diagnostic, None));
        }
    }
    for (finding, attribute, what) in
        [("method", "method", "access method"), ("tablespace", "tablespace", "tablespace")]
    {
        let name = desired.get(attribute).and_then(Value::as_text).unwrap_or_default();
        if findings(weights, finding, None).any(|row| row.text("name") == Ok(name)) {
            found.push(missing(format!("the server has no {what} `{name}`"), attribute));
        }
    }
    let method = desired.get("method").and_then(Value::as_text).unwrap_or("btree");
    let is =
        |row: &Row, name: &QualifiedName| row.text("schema") == Ok(&name.schema) && row.text("name") == Ok(&name.name);
    for (at, key) in keys(desired.get("columns")).enumerate() {
        let KeyColumn { opclass, collation, .. } = key;
        let place = super::desired::key_place(at);
        if let Some(name) = opclass
            && findings(weights, "opclass", None).any(|row| is(row, name) && row.text("words") == Ok(method))
        {
            found.push(missing(format!("the server has no operator class {name} for a {method} index"), &place));
        }
        if let Some(name) = collation
            && findings(weights, "collation", None).any(|row| is(row, name))
        {
            found.push(missing(format!("the database has no collation {name}"), &place));
        }
    }
    Ok(())
}

fn impact(delta: &Delta, op: Op, row: &Row, view: &View<'_>) -> Result<Impact, RowError> {
    let number = |column: &str| Ok(row.maybe_int(column)?.and_then(|number| u64::try_from(number).ok()));
    let chunks = match delta.on.as_ref().is_some_and(|on| view.live_hypertable(on).is_some()) {
        true => number("children")?,
        false => None,
    };
    let mut notes = Vec::new();
    if op == Op::Replace && way::drops_first(delta, view) {
        notes.push("the table is without this index until the new one is built".to_owned());
    }
    let verb = if op == Op::Replace { "builds the index anew over" } else { "builds an index over" };
    Ok(Impact {
        verb: verb.to_owned(),
        chunks,
        rows: number("rows")?,
        bytes: number("bytes")?.map(Bytes),
        notes,
        ..Impact::default()
    })
}

/// Of an index on an aggregate that the plan fills first: what is there now tells about how much that will be,
/// and how much of one that is not there, nobody knows.
fn after_the_fill(relation: &Relation, weights: &[Row]) -> Result<Impact, RowError> {
    let held = findings(weights, "now_held", Some(relation.oid)).next();
    let Some(held) = held.filter(|_| relation.stored != Stored::Nowhere) else {
        let verb = "builds an index over all that the plan fills it with".to_owned();
        return Ok(Impact { verb, ..Impact::default() });
    };
    let number = |column: &str| Ok(held.maybe_int(column)?.and_then(|number| u64::try_from(number).ok()));
    Ok(Impact {
        verb: "builds an index, once it is filled, over what is now".to_owned(),
        chunks: number("children")?,
        rows: number("rows")?,
        bytes: number("bytes")?.map(Bytes),
        ..Impact::default()
    })
}

/// A storage parameter of a hypertable's index does not reach the indexes of its chunks
/// (seen on 2.19, 2.23 and 2.29).
fn new_chunks_only(delta: &Delta, view: &View<'_>) -> Option<Impact> {
    let chunks = view.live_hypertable(delta.on.as_ref()?)?.chunks;
    let storage = delta.changes.iter().any(|change| change.attribute.starts_with("storage."));
    (storage && chunks > 0).then(|| Impact {
        verb: "sets storage parameters".to_owned(),
        when: Some("for chunks made from now on".to_owned()),
        chunks: u64::try_from(chunks).ok(),
        notes: vec!["the indexes of the chunks that exist keep theirs".to_owned()],
        ..Impact::default()
    })
}
