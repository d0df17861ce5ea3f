//! Live indexes, from one structural query: their definitions are put together from the catalog's
//! columns, and only an expression or predicate is asked of the server as text.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{
    Address, KeyColumn, KeyTarget, Live, Param, QualifiedName, Query, Row, RowError, Server, SqlText, Value, Version,
};
use crate::kinds::index::{default, names};
use crate::kinds::reloption::{self, Owner};
use crate::kinds::{Relation, Relations, Scope, Stored};

/// The first PostgreSQL with `pg_index.indnullsnotdistinct`.
pub const NULLS_NOT_DISTINCT: Version = Version::new(15, 0);

/// The attributes that name what an interrupted replacement left behind; null where it left nothing.
pub const LEFTOVERS: [&str; 2] = ["leftover.unfinished", "leftover.retired"];

/// From here on a chunk's index is whichever index of the hypertable's it is built like: the catalog
/// `chunk_index`, in which each was recorded, is gone (`sql/updates/2.21.3--2.22.0.sql`). Before, one that
/// is built on a chunk by itself stays behind when the hypertable's is renamed or dropped (seen on
/// 2.14.2 and 2.18.2, and not so on 2.22.1 and 2.28.3).
pub const BY_SHAPE: Version = Version::new(2, 22);

/// The attribute that tells on how many chunks an index has no valid copy; null where on none.
pub const MISSING_ON_CHUNKS: &str = "missing_on_chunks";
/// The fact that has those chunks: see [`Lacking`].
const LACKING: &str = "lacking";

/// `DESC` and `NULLS FIRST` in `pg_index.indoption` (`src/include/catalog/pg_index.h`).
const DESCENDING: i64 = 1;
const NULLS_FIRST: i64 = 2;

pub fn query(server: &Server, scope: &Scope) -> Option<Query> {
    if scope.oids.is_empty() {
        return None;
    }
    let same = match server.timescale_version() {
        Some(version) if version >= BY_SHAPE => include_str!("same_by_server.sql"),
        Some(_) => include_str!("same_by_record.sql"),
        None => "false",
    };
    let mut sql = include_str!("observe.sql").replace("{same p k}", same.trim_end());
    if server.version < NULLS_NOT_DISTINCT {
        for of in ["i", "k", "p"] {
            sql = sql.replace(&format!("{of}.indnullsnotdistinct"), "false");
        }
    }
    Some(Query { sql, params: vec![Param::Oids(scope.oids.clone()), scope.hypertable_oids()] })
}

pub fn read(rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError> {
    let by_oid: BTreeMap<u32, &Relation> = relations.values().map(|relation| (relation.oid, relation)).collect();
    let mut found: Vec<Live> = Vec::new();
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let oid = first.int("oid")?;
        let count = rest.iter().take_while(|row| row.int("oid") == Ok(oid)).count();
        let (keys, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        rest = after;
        if let Some(relation) = by_oid.get(&first.oid("relation")?) {
            found.push(index(first, keys, relation)?);
        }
    }
    Ok(attach_leftovers(found))
}

/// The fact with the parameters of operator classes (PostgreSQL 13 and newer), which no policy writes.
pub const PARAMETERS: &str = "opclass_parameters";

/// One index from its rows, the first of which tells what is not of one key.
fn index(row: &Row, keys: &[Row], relation: &Relation) -> Result<Live, RowError> {
    let name = QualifiedName::new(&stored_as(relation).schema, row.text("name")?);
    let mut live = Live::new(Address::in_schema(super::ID, &name), Some(relation.name.clone()));
    let method = row.text("method")?;
    let mut columns = Vec::new();
    let mut include = Vec::new();
    let mut opclasses = Vec::new();
    let mut collations = Vec::new();
    let mut parameters = Vec::new();
    for key in keys {
        if key.int("at")? > row.int("keys")? {
            include.push(key.text("column")?);
            continue;
        }
        columns.push(read_key(key)?.into());
        parameters.extend(key.texts("parameters")?.into_iter().flatten());
        opclasses.push(qualified(key, "opclass_schema", "opclass")?);
        collations.push(qualified(key, "collation_schema", "collation")?);
    }
    live.set("columns", Value::List(columns));
    live.set("include", Value::texts(include));
    live.set("where", predicate(row)?);
    live.set("method", Value::text(method));
    live.set("unique", row.bool("is_unique")?);
    live.set("nulls_not_distinct", row.bool("nulls_not_distinct")?);
    live.set("valid", row.bool("valid")?);
    live.set("tablespace", Value::text(row.text("tablespace")?));
    for leftover in LEFTOVERS {
        live.set(leftover, Value::Null);
    }
    for option in row.texts("options")?.iter().flatten() {
        if let Some((name, value)) = reloption::split(option) {
            let parameter = reloption::known(name, Owner::Index(method));
            live.set(&format!("storage.{name}"), reloption::canonical(parameter, value));
        }
    }
    live.set_fact("oid", row.int("oid")?);
    if row.maybe_text("comment")? == Some(names::RETIRED_MARK) {
        live.set_fact("marked", true);
    }
    live.set_fact("clustered", row.bool("clustered")?);
    live.set_fact("replica_identity", row.bool("replica_identity")?);
    live.set_fact("own_tablespace", row.bool("own_tablespace")?);
    live.set_fact("of_parent", row.bool("of_parent")?);
    live.set_fact("opclasses", Value::List(opclasses));
    live.set_fact("collations", Value::List(collations));
    if !parameters.is_empty() {
        live.set_fact(PARAMETERS, Value::text(parameters.join(", ")));
    }
    let constraint = row.maybe_text("constraint_type")?;
    let lacking = read_lacking(row)?;
    if !lacking.is_empty() {
        let of = relation.hypertable.as_ref().map_or(0, |hypertable| hypertable.chunks);
        live.set(MISSING_ON_CHUNKS, Value::Text(format!("{} of {of}", lacking.len())));
        live.set_fact(LACKING, Value::List(lacking));
    }
    if let Some(sort) = constraint {
        live.set_fact("constraint", Value::text(sort));
    }
    live.system = constraint.is_some() || row.bool("of_parent")?;
    default::mark(&mut live, relation);
    Ok(live)
}

/// A chunk that has no valid copy of an index.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lacking<'a> {
    /// The chunk.
    pub chunk: &'a QualifiedName,
    /// Its OID.
    pub oid: u32,
    /// The copy that it has and that is not valid, with its OID.
    pub broken: Option<(&'a QualifiedName, u32)>,
}

/// The chunks that have no valid copy of an index.
pub fn lacking(live: &Live) -> Vec<Lacking<'_>> {
    live.fact(LACKING).map(Value::as_list).unwrap_or_default().iter().filter_map(as_lacking).collect()
}

fn as_lacking(value: &Value) -> Option<Lacking<'_>> {
    let Value::Map(entries) = value else { return None };
    let oid = |entry: &str| u32::try_from(entries.get(entry)?.as_int()?).ok();
    let broken = entries.get("broken").and_then(as_name).zip(oid("broken_oid"));
    Some(Lacking { chunk: entries.get("chunk").and_then(as_name)?, oid: oid("oid")?, broken })
}

/// The name in a value, where it is one.
pub fn as_name(value: &Value) -> Option<&QualifiedName> {
    if let Value::Name(name) = value { Some(name) } else { None }
}

/// The same as the fact that keeps them.
fn read_lacking(row: &Row) -> Result<Vec<Value>, RowError> {
    let mut names = row.texts("lacking_names")?.into_iter().flatten();
    let mut oids = row.ints("lacking_oids")?.into_iter();
    let mut broken = row.texts("lacking_broken")?.into_iter();
    let mut broken_oids = row.ints("lacking_broken_oids")?.into_iter();
    let mut found = Vec::new();
    for schema in row.texts("lacking_schemas")?.into_iter().flatten() {
        let number = |number: Option<i64>| number.map_or(Value::Null, Value::Int);
        let broken = broken.next().flatten().map(|name| Value::Name(QualifiedName::new(&schema, name)));
        found.push(Value::Map(BTreeMap::from([
            ("oid".to_owned(), number(oids.next())),
            ("broken".to_owned(), broken.unwrap_or(Value::Null)),
            ("broken_oid".to_owned(), number(broken_oids.next())),
            ("chunk".to_owned(), Value::Name(QualifiedName::new(schema, names.next().unwrap_or_default()))),
        ])));
    }
    Ok(found)
}

fn read_key(row: &Row) -> Result<KeyColumn, RowError> {
    let target = match row.maybe_text("expression")? {
        Some(text) => KeyTarget::Expression(sql(unwrap(text), "expression")?),
        None => KeyTarget::Column(row.text("column")?.to_owned()),
    };
    let option = row.int("option")?;
    let name = |is_default: bool, schema: &str, name: &str| match is_default {
        true => Ok(None),
        false => Ok(Some(QualifiedName::new(row.text(schema)?, row.text(name)?))),
    };
    Ok(KeyColumn {
        target,
        descending: option & DESCENDING != 0,
        nulls_first: option & NULLS_FIRST != 0,
        opclass: name(row.bool("default_opclass")?, "opclass_schema", "opclass")?,
        collation: name(row.bool("own_collation")?, "collation_schema", "collation")?,
    })
}

fn qualified(row: &Row, schema: &str, name: &str) -> Result<Value, RowError> {
    Ok(match (row.maybe_text(schema)?, row.maybe_text(name)?) {
        (Some(schema), Some(name)) => Value::Name(QualifiedName::new(schema, name)),
        _ => Value::Null,
    })
}

fn predicate(row: &Row) -> Result<Value, RowError> {
    match row.maybe_text("predicate")? {
        Some(text) => Ok(Value::Sql(sql(unwrap(text), "predicate")?)),
        None => Ok(Value::Null),
    }
}

/// The server's own text of an expression, which is always a closed one.
fn sql(text: &str, column: &str) -> Result<SqlText, RowError> {
    SqlText::new(text).map_err(|_| RowError { column: column.to_owned(), expected: "closed expression" })
}

/// An expression without the parentheses that the server puts around the whole of it.
fn unwrap(text: &str) -> &str {
    let inner = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
    // `(a) + (b)` loses its balance that way and stays as it is.
    inner.filter(|inner| SqlText::new(inner).is_ok()).unwrap_or(text)
}

/// What the rows of a relation are in, beside which its indexes stand.
pub fn stored_as(relation: &Relation) -> &QualifiedName {
    if let Stored::In(hypertable) = &relation.stored { hypertable } else { &relation.name }
}

/// The key in a value, where it is one.
pub fn as_key(value: &Value) -> Option<&KeyColumn> {
    if let Value::Key(key) = value { Some(key) } else { None }
}

/// Whether an index with such a name is surely what an interrupted replacement left behind: one
/// whose build never ended, or one that was marked when it was replaced. Anything else may be
/// somebody's own, whatever it is called.
pub fn is_left_over(live: &Live) -> bool {
    let is = |fact: &str| live.fact(fact) == Some(&Value::Bool(true));
    let unfinished = live.get("valid") == Some(&Value::Bool(false));
    names::is_reserved(&live.address.name)
        && live.fact("constraint").is_none()
        && !is("of_parent")
        && !is("replica_identity")
        && (unfinished || is("marked"))
}

/// Takes what an interrupted replacement left behind out of the list, and notes it on the index
/// that it is of: its next plan clears it away. What has lost its index stays in the list.
fn attach_leftovers(mut found: Vec<Live>) -> Vec<Live> {
    let leftovers: BTreeMap<(Option<QualifiedName>, String), Live> = found
        .iter()
        .filter(|live| is_left_over(live))
        .map(|live| ((live.on.clone(), live.address.name.clone()), live.clone()))
        .collect();
    if leftovers.is_empty() {
        return found;
    }
    let mut attached: BTreeSet<(Option<QualifiedName>, String)> = BTreeSet::new();
    for live in &mut found {
        let own = live.address.name.clone();
        for (attribute, name) in
            [("leftover.unfinished", names::unfinished(&own)), ("leftover.retired", names::retired(&own))]
        {
            let key = (live.on.clone(), name);
            if let Some(leftover) = leftovers.get(&key) {
                live.set(attribute, Value::text(&key.1));
                live.set_fact(&format!("{attribute}.oid"), leftover.fact("oid").cloned().unwrap_or(Value::Null));
                let built = leftover.attributes.iter().map(|(name, value)| (name.clone(), value.clone()));
                live.set_fact(attribute, Value::Map(built.collect()));
                attached.insert(key);
            }
        }
    }
    found.retain(|live| !attached.contains(&(live.on.clone(), live.address.name.clone())));
    found
}
