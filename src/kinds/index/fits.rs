//! Whether an index that is to be built fits its columns' types, its method and its table: what the server
//! would refuse only while it builds.

use crate::core::{Address, Version};
use crate::core::{
    Delta, Desired, Ensure, KeyColumn, KeyTarget, KindId, Op, Param, QualifiedName, Row, RowError, Value,
};
use crate::diag::{Diagnostic, code};
use crate::kinds::View;
use crate::kinds::index::desired::{include_place, key_place};
use crate::kinds::index::settle::keys;
use crate::kinds::index::weigh::findings;
use crate::kinds::index::{METHOD_CANNOT, NO_OPERATOR_CLASS, TOO_MANY_COLUMNS, method};

/// From here on a unique index is built beside an enabled columnstore, as long as no chunk is in it
/// (`process_index_start` in `src/process_utility.c`, 2.17.2 and 2.18.0).
const UNIQUE_BESIDE_COLUMNSTORE: Version = Version::new(2, 18);
/// From here on also over chunks that are in it (`validate_index_constraints` in the same file, 2.19.0).
pub const UNIQUE_OVER_COLUMNSTORE: Version = Version::new(2, 19);

/// The keys of indexes, as columns of the query's parameters.
#[derive(Default)]
pub struct Keys {
    types: Vec<String>,
    methods: Vec<String>,
    schemas: Vec<Option<String>>,
    names: Vec<Option<String>>,
    collated: Vec<Option<i64>>,
}

impl Keys {
    /// Adds those of an index that is to be built, as far as their types are known.
    pub fn add(&mut self, delta: &Delta, view: &View<'_>) {
        let Some(desired) = &delta.desired else { return };
        for key in keys(desired.get("columns")) {
            let Some(type_name) = type_of(key, delta, view) else { continue };
            self.types.push(type_name);
            self.methods.push(method_of(desired).to_owned());
            self.schemas.push(key.opclass.as_ref().map(|name| name.schema.clone()));
            self.names.push(key.opclass.as_ref().map(|name| name.name.clone()));
            self.collated.push(Some(key.collation.is_some().into()));
        }
    }

    /// As the query takes them.
    pub fn params(self) -> [Param; 5] {
        [
            Param::texts(self.types),
            Param::texts(self.methods),
            Param::Texts(self.schemas),
            Param::Texts(self.names),
            Param::Ints(self.collated),
        ]
    }
}

/// Whether an index is built by what closes a delta.
pub fn is_built(delta: &Delta) -> bool {
    let definition = super::settle::DEFINITION;
    delta.desired.is_some() && (delta.is_create() || definition.iter().any(|name| delta.change(name).is_some()))
}

/// The access method that is wanted.
pub fn method_of(desired: &Desired) -> &str {
    desired.get("method").and_then(Value::as_text).unwrap_or("btree")
}

/// The part of the query that tells where chunks are in a columnstore, only where that matters.
pub fn in_columnstore(view: &View<'_>) -> &'static str {
    match view.server.timescale_version() {
        Some(version) if (UNIQUE_BESIDE_COLUMNSTORE..UNIQUE_OVER_COLUMNSTORE).contains(&version) => {
            include_str!("in_columnstore.sql")
        }
        _ => "",
    }
}

fn type_of(key: &KeyColumn, delta: &Delta, view: &View<'_>) -> Option<String> {
    let on = delta.on.as_ref()?;
    match &key.target {
        KeyTarget::Column(name) => Some(view.relations.get(on)?.to_come().column(name)?.type_name.clone()),
        KeyTarget::Expression(sql) => view.canon.type_of(&(on.clone(), sql.clone())).map(str::to_owned),
    }
}

/// What the server would refuse.
pub fn check(
    delta: &Delta,
    op: Op,
    weights: &[Row],
    view: &View<'_>,
    found: &mut Vec<Diagnostic>,
) -> Result<(), RowError> {
    let Some(desired) = delta.desired.as_ref().filter(|_| matches!(op, Op::Create | Op::Replace)) else {
        return Ok(());
    };
    check_method(desired, weights, found);
    check_number(desired, weights, found)?;
    for (at, key) in keys(desired.get("columns")).enumerate() {
        if let Some(type_name) = type_of(key, delta, view) {
            check_key(desired, (at, key), &type_name, weights, view, found);
        }
    }
    found.extend(beside_columnstore(delta, desired, weights, view));
    Ok(())
}

/// What an extension's method cannot do. Of PostgreSQL's own that is known without a server.
fn check_method(desired: &Desired, weights: &[Row], found: &mut Vec<Diagnostic>) {
    let name = method_of(desired);
    if method::by_name(name).is_some() {
        return;
    }
    let lacks = |property: &str| {
        let is = |row: &Row| row.text("name") == Ok(name) && row.text("words") == Ok(property);
        findings(weights, "cannot", None).any(is)
    };
    let mut refuse = |(property, what): (&str, &str), asked: bool, place: &str| {
        if asked && lacks(property) {
            found.push(
                Diagnostic::error(&METHOD_CANNOT, format!("a {name} index {what}"))
                    .at(desired.place_of(place))
                    .help("take it out, or choose another `method`"),
            );
        }
    };
    let columns: Vec<&KeyColumn> = keys(desired.get("columns")).collect();
    let includes = desired.get("include").is_some_and(|include| !include.as_list().is_empty());
    refuse(method::UNIQUE, desired.get("unique") == Some(&Value::Bool(true)), "unique");
    refuse(method::INCLUDE, includes, "include");
    refuse(method::MANY, columns.len() > 1, &key_place(1));
    for (at, key) in columns.into_iter().enumerate() {
        refuse(method::ORDERED, key.descending || key.nulls_first, &key_place(at));
    }
}

fn check_number(desired: &Desired, weights: &[Row], found: &mut Vec<Diagnostic>) -> Result<(), RowError> {
    let Some(limit) = findings(weights, "limit", None).next().map(|row| row.int("bytes")).transpose()? else {
        return Ok(());
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let columns = keys(desired.get("columns")).count();
    let all = columns + desired.get("include").map(Value::as_list).unwrap_or_default().len();
    if all > limit {
        let first = if columns > limit { key_place(limit) } else { include_place(limit - columns) };
        let message = format!("the index `{}` has {all} columns, and may have {limit}", desired.address.name);
        found.push(
            Diagnostic::error(&TOO_MANY_COLUMNS, message)
                .at(desired.place_of(&first))
                .why("included columns count as well (`max_index_keys`, which a server is built with)")
                .help("take columns out, from here on at least"),
        );
    }
    Ok(())
}

fn check_key(
    desired: &Desired,
    (at, key): (usize, &KeyColumn),
    type_name: &str,
    weights: &[Row],
    view: &View<'_>,
    found: &mut Vec<Diagnostic>,
) {
    let method = method_of(desired);
    let place = desired.place_of(&key_place(at));
    let any = |finding, is: &dyn Fn(&Row) -> bool| findings(weights, finding, None).any(is);
    let lacks = any("no_opclass", &|row| row.text("name") == Ok(type_name) && row.text("words") == Ok(method));
    if key.opclass.is_none() && lacks && !makes_extensions(view) {
        found.push(
            Diagnostic::error(
                &NO_OPERATOR_CLASS,
                format!("a {method} index has no default operator class for {what}", what = of_type(key, type_name)),
            )
            .at(place)
            .why("the operator class says how a method compares or takes apart the values of a type (else SQLSTATE 42704)")
            .help(
                "choose another `method`, index an expression of another type, or name an `opclass`; extensions \
                 such as btree_gist, btree_gin and pg_trgm have more of them",
            ),
        );
    }
    let words = format!("{method} of {type_name}");
    if let Some(name) = &key.opclass
        && any("opclass_type", &|row| {
            row.text("schema") == Ok(&name.schema)
                && row.text("name") == Ok(&name.name)
                && row.text("words") == Ok(&words)
        })
    {
        let message =
            format!("the operator class {name} of a {method} index does not take {}", of_type(key, type_name));
        found.push(
            Diagnostic::error(&NO_OPERATOR_CLASS, message)
                .at(place)
                .help("leave `opclass` out for the type's default, or name one that is for this type"),
        );
    }
    if let Some(name) = &key.collation
        && any("collation_type", &|row| row.text("name") == Ok(type_name))
    {
        let message = format!("the collation {name} is for text, and the key is {}", of_type(key, type_name));
        found.push(
            Diagnostic::error(&code::WRONG_VALUE, message)
                .at(place)
                .why("a collation orders text, and nothing else has one (else SQLSTATE 42804)")
                .help("leave `collation` out"),
        );
    }
}

fn of_type(key: &KeyColumn, type_name: &str) -> String {
    match &key.target {
        KeyTarget::Column(name) => format!("the column `{name}`, which is {type_name}"),
        KeyTarget::Expression(sql) => format!("`{sql}`, which is {type_name}"),
    }
}

/// Whether the plan makes an extension, which may bring what is not there yet.
fn makes_extensions(view: &View<'_>) -> bool {
    let extension = KindId::new("extension");
    let is_new = |desired: &Desired| desired.ensure == Ensure::Present && !view.live.contains_key(&desired.address);
    view.desired.values().any(|desired| desired.address.kind == extension && is_new(desired))
}

/// A unique index on a hypertable whose columnstore an older server builds none beside.
fn beside_columnstore(delta: &Delta, desired: &Desired, weights: &[Row], view: &View<'_>) -> Option<Diagnostic> {
    let on = delta.on.as_ref()?;
    let version = view.server.timescale_version()?;
    let enabled = view.live_hypertable(on)?.columnstore && !disables_columnstore(on, view);
    if desired.get("unique") != Some(&Value::Bool(true)) || !enabled {
        return None;
    }
    let oid = view.relations.get(on)?.oid;
    let because = if version < UNIQUE_BESIDE_COLUMNSTORE {
        "its columnstore is enabled"
    } else if version < UNIQUE_OVER_COLUMNSTORE && findings(weights, "in_columnstore", Some(oid)).next().is_some() {
        "chunks of it are in the columnstore"
    } else {
        return None;
    };
    let message = format!("TimescaleDB {version} builds no unique index on {on}, because {because}");
    Some(
        Diagnostic::error(&code::NEEDS_NEWER_SERVER, message)
            .at(desired.place_of("unique"))
            .why("before 2.18 it refuses one wherever the columnstore is enabled, and before 2.19 over every chunk in it (SQLSTATE 0A000)")
            .help(
                "upgrade TimescaleDB to 2.19; or convert the chunks back, disable the columnstore, build the index, \
                 and enable it again",
            ),
    )
}

fn disables_columnstore(on: &QualifiedName, view: &View<'_>) -> bool {
    let address = Address::in_schema(KindId::new("columnstore"), on);
    view.desired.get(&address).is_some_and(|columnstore| columnstore.ensure == Ensure::Absent)
}
