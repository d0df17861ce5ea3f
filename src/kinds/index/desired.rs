//! The `indexes` section: one item is one index.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use crate::core::{Address, Desired, Ensure, INTERNAL_SCHEMA, KeyColumn, QualifiedName, Value};
use crate::diag::source::segment;
use crate::diag::{Diagnostic, code};
use crate::kinds::index::{METHOD_CANNOT, UNKNOWN_STORAGE_PARAMETER, method, names};
use crate::kinds::key::KeySpec;
use crate::kinds::reloption::{self, Owner, WrittenMap};
use crate::kinds::{Head, SectionInput};

/// One index of the table. Its whole definition is compared: what is not written here, the index
/// must not have. Only `storage` and `tablespace` are left as they are where they are not written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The index's exact name, without a schema: an index is always in its table's.
    #[schemars(example = &"ix_market_data_symbol_time")]
    pub name: String,
    /// What the index was called before. Where it still is, it is renamed rather than built anew, and
    /// the ledger goes on with its history; once that is done, this does nothing more.
    pub moved: Option<Moved>,
    /// Whether the index must exist. With `absent`, only the name counts.
    #[serde(default)]
    pub ensure: Ensure,
    /// What is indexed, in order: `name [asc|desc] [nulls first|last]`, or a mapping. Required
    /// unless `ensure: absent`.
    #[schemars(example = &["symbol", "time desc"])]
    pub columns: Option<Vec<KeySpec>>,
    /// Columns that are stored in the index without being keys.
    #[serde(default)]
    #[schemars(example = &["price"])]
    pub include: Vec<String>,
    /// The condition that a row meets to be in the index. It is compared in the server's own form,
    /// so spelling it differently is no change.
    #[schemars(example = &"price > 0")]
    pub r#where: Option<String>,
    /// The access method.
    #[serde(default = "btree")]
    #[schemars(example = &"brin")]
    pub method: String,
    /// Whether no two rows may have the same keys. On a hypertable the keys must contain every
    /// column that it is partitioned by.
    #[serde(default)]
    pub unique: bool,
    /// Whether a unique index takes two NULLs for the same. PostgreSQL 15 and newer.
    #[serde(default)]
    pub nulls_not_distinct: bool,
    /// Storage parameters of the index, such as `fillfactor`; null goes back to the server's
    /// default. On a hypertable, a change is for the chunks made from then on.
    #[serde(default)]
    #[schemars(schema_with = "storage_schema")]
    pub storage: WrittenMap,
    /// The tablespace of the index, on a hypertable that of every chunk's.
    #[schemars(example = &"fast_disks")]
    pub tablespace: Option<String>,
}

/// Where something was before.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// Its exact name then, without a schema.
    #[schemars(example = &"market_data_symbol_time_idx")]
    pub from: String,
}

fn btree() -> String {
    "btree".to_owned()
}

fn storage_schema(_: &mut SchemaGenerator) -> Schema {
    let parameters = reloption::all_of(|owner| owner != "table" && owner != "toast");
    let schema = reloption::schema(parameters.map(|parameter| (parameter.name.to_owned(), parameter)));
    Schema::try_from(schema).unwrap_or_default()
}

/// The resource of an item.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let Some(raw) = input.read::<Index>(sink) else { return Vec::new() };
    let Some(name) = bare_name(&raw.name, input, sink) else { return Vec::new() };
    let on = input.head.relation.clone();
    let address = Address::in_schema(super::ID, &QualifiedName::new(schema_of(input.head), name));
    let mut desired = input.desired(address, Some(on));
    desired.place = input.place("/name").clone();
    desired.ensure = raw.ensure;
    if raw.ensure == Ensure::Absent {
        return vec![desired];
    }
    let errors = sink.len();
    moved(&raw, input, &mut desired, sink);
    keys(&raw, input, &mut desired, sink);
    let include: Vec<String> = raw
        .include
        .iter()
        .enumerate()
        .filter_map(|(at, column)| input.identifier(column, &format!("/include/{at}"), sink))
        .collect();
    input.set(&mut desired, "include", "/include", Value::texts(include));
    let predicate = raw.r#where.as_ref().and_then(|text| input.expression(text, "/where", sink));
    input.set(&mut desired, "where", "/where", predicate.map_or(Value::Null, Value::Sql));
    if let Some(method) = input.identifier(&raw.method, "/method", sink) {
        input.set(&mut desired, "method", "/method", Value::text(method));
    }
    input.set(&mut desired, "unique", "/unique", raw.unique);
    input.set(&mut desired, "nulls_not_distinct", "/nulls_not_distinct", raw.nulls_not_distinct);
    storage(&raw, input, &mut desired, sink);
    if let Some(text) = &raw.tablespace
        && let Some(name) = input.identifier(text, "/tablespace", sink)
    {
        input.set(&mut desired, "tablespace", "/tablespace", Value::text(name));
    }
    check_method(&raw, &desired, input, sink);
    if sink.iter().skip(errors).any(Diagnostic::is_error) { Vec::new() } else { vec![desired] }
}

/// The schema of a relation's indexes: its own, but that of TimescaleDB's hypertable where a continuous
/// aggregate is kept (`cagg_create_hypertable` in `tsl/src/continuous_aggs/create.c`).
fn schema_of(head: &Head) -> &str {
    if head.document == "continuous_aggregate" { INTERNAL_SCHEMA } else { &head.relation.schema }
}

/// The name before this one. With it the name is an attribute, which a renaming changes.
fn moved(raw: &Index, input: &SectionInput<'_>, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
    let Some(moved) = &raw.moved else { return };
    let Some(from) = input.identifier(&moved.from, "/moved/from", sink) else { return };
    if from == desired.address.name {
        let error = Diagnostic::error(&code::BAD_NAME, format!("`{from}` is what the index is called now"));
        sink.push(error.at(input.place("/moved/from")).help("`moved` says what it was called before"));
        return;
    }
    desired.moved_from = Some(Address { name: from, ..desired.address.clone() });
    let name = Value::text(&desired.address.name);
    input.set(desired, super::moved::NAME, "/moved", name);
}

/// The name, which is no other's and not one that a replacement uses on its way.
fn bare_name(text: &str, input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Option<String> {
    let name = input.identifier(text, "/name", sink)?;
    let schema = &input.head.relation.schema;
    if let Some(bare) = name.strip_prefix(&format!("{schema}.")) {
        sink.push(
            Diagnostic::error(&code::BAD_NAME, format!("`{name}` would be an index with a dot in its name"))
                .at(input.place("/name"))
                .why("an index is always in its table's schema, so its name is written without one")
                .help(format!("write `name: {bare}`")),
        );
        return None;
    }
    if names::is_reserved(&name) {
        sink.push(
            Diagnostic::error(
                &code::BAD_NAME,
                format!("`{name}` ends as the names that Chronoform uses while it replaces an index"),
            )
            .at(input.place("/name"))
            .help("choose another name"),
        );
        return None;
    }
    Some(name)
}

fn keys(raw: &Index, input: &SectionInput<'_>, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
    let specs = raw.columns.as_deref().unwrap_or_default();
    if specs.is_empty() {
        sink.push(
            Diagnostic::error(&code::MISSING_KEY, format!("the index `{}` needs its `columns`", raw.name))
                .at(input.place(if raw.columns.is_some() { "/columns" } else { "" }))
                .help("list what is indexed, such as `columns: [symbol, time desc]`"),
        );
        return;
    }
    let mut columns: Vec<Value> = Vec::new();
    for (at, spec) in specs.iter().enumerate() {
        let below = format!("/columns/{at}");
        if let Some(key) = spec.read(input, &below, sink) {
            columns.push(key.into());
            desired.set_place(key_place(at), input.place(&below).clone());
        }
    }
    for at in 0..raw.include.len() {
        desired.set_place(include_place(at), input.place(&format!("/include/{at}")).clone());
    }
    input.set(desired, "columns", "/columns", Value::List(columns));
}

/// The name under which the place of a key is kept among the attributes' places.
pub fn key_place(at: usize) -> String {
    format!("columns[{at}]")
}

/// The same for an included column.
pub fn include_place(at: usize) -> String {
    format!("include[{at}]")
}

fn storage(raw: &Index, input: &SectionInput<'_>, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
    let owner = Owner::Index(&raw.method);
    for (name, written) in &raw.storage {
        let below = format!("/storage{}", segment(name));
        if input.identifier(name, &below, sink).is_none() {
            continue;
        }
        let parameter = reloption::known(name, owner);
        if parameter.is_none() && method::by_name(&raw.method).is_some() {
            let said = of_another(name, &raw.method)
                .unwrap_or_else(|| unknown_parameter(name, owner, &format!("a {} index", raw.method)));
            sink.push(said.at(input.key_place(&below)));
        }
        let value = written.as_ref().map_or(Ok(Value::Null), |written| written.read(parameter));
        match value {
            Ok(value) => input.set(desired, &format!("storage.{name}"), &below, value),
            Err(takes) => sink.push(
                Diagnostic::error(&code::WRONG_VALUE, format!("`{name}` of a {} index takes {takes}", raw.method))
                    .at(input.place(&below)),
            ),
        }
    }
}

/// A parameter that tables or the indexes of other methods have, and one of PostgreSQL's own has not.
fn of_another(name: &str, method: &str) -> Option<Diagnostic> {
    let owners: Vec<&str> = reloption::owners(name).collect();
    let tables = owners.iter().any(|owner| matches!(*owner, "table" | "toast"));
    let methods: Vec<&str> = owners.into_iter().filter(|owner| !matches!(*owner, "table" | "toast")).collect();
    let whose = match (methods.as_slice(), tables) {
        ([], false) => return None,
        ([], true) => "tables".to_owned(),
        (methods, _) => format!("{} indexes", methods.join(", ")),
    };
    Some(
        Diagnostic::error(&METHOD_CANNOT, format!("a {method} index has no storage parameter `{name}`"))
            .why(format!("it is a parameter of {whose}, and the server refuses it on any other"))
            .help("take it out, or choose another `method`"),
    )
}

/// A parameter that no server known to this version has.
pub fn unknown_parameter(name: &str, owner: Owner<'_>, of: &str) -> Diagnostic {
    let message = format!("`{name}` is no storage parameter of {of} that this version knows");
    let diagnostic = Diagnostic::warning(&UNKNOWN_STORAGE_PARAMETER, message)
        .why("the server decides: one that it does not know either fails when the plan is applied");
    match reloption::nearest(name, owner) {
        Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
        None => diagnostic,
    }
}

/// What the access method cannot do, where it is one of PostgreSQL's own.
fn check_method(raw: &Index, desired: &Desired, input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) {
    if raw.nulls_not_distinct && !raw.unique {
        sink.push(
            Diagnostic::error(&code::WRONG_VALUE, "`nulls_not_distinct` says nothing of an index that is not unique")
                .at(input.key_place("/nulls_not_distinct"))
                .help("write `unique: true` as well, or take it out"),
        );
    }
    let Some(method) = method::by_name(&raw.method) else { return };
    let mut cannot = |what: &str, below: &str| {
        sink.push(
            Diagnostic::error(&METHOD_CANNOT, format!("a {} index {what}", raw.method))
                .at(input.place(below))
                .help("take it out, or choose another `method`"),
        );
    };
    if raw.unique && !method.unique {
        cannot(method::UNIQUE.1, "/unique");
    }
    if !raw.include.is_empty() && !method.include {
        cannot(method::INCLUDE.1, "/include");
    }
    let keys = desired.get("columns").map(Value::as_list).unwrap_or_default();
    if keys.len() > 1 && !method.many {
        cannot(method::MANY.1, "/columns/1");
    }
    let ordered = |key: &KeyColumn| key.descending || key.nulls_first;
    for (at, key) in keys.iter().enumerate() {
        if !method.ordered && matches!(key, Value::Key(key) if ordered(key)) {
            cannot(method::ORDERED.1, &format!("/columns/{at}"));
        }
    }
}
