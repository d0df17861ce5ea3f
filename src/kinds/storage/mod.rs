//! Storage parameters of tables: fillfactor, autovacuum's settings and the like.

mod desired;
mod export;
mod observe;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{
    Applied, Delta, Desired, Ensure, Impact, KindId, Live, LockMode, Op, Param, QualifiedName, Query, Row, RowError,
    Server, Value,
};
use crate::diag::{Code, Diagnostic, code};
use crate::kinds::reloption::{self, Owner, Parameter};
use crate::kinds::{Export, Judgement, Kind, Relation, RelationKind, Relations, Rules, Scope, Section, View, checks};

const ID: KindId = KindId::new("storage");

/// What a TOAST table's parameter begins with, as in SQL.
const TOAST: &str = "toast.";

/// The attribute that lists the parameters which not every chunk has as its hypertable has them.
const CHUNKS_WITHOUT: &str = "chunks_without";

/// Only parameters change whose lock lets reads and writes by.
const GENTLE: &str = "gentle";

static NO_TOAST_TABLE: Code =
    Code::new("no-toast-table", "A TOAST table's storage parameter for a table that has none.");
static TOAST_OF_NEW_CHUNKS: Code = Code::new(
    "toast-of-new-chunks",
    "A TOAST table's storage parameter of a hypertable, which chunks made later do not take over.",
);

static CODES: &[&Code] = &[&NO_TOAST_TABLE, &TOAST_OF_NEW_CHUNKS];

static SECTIONS: &[Section] =
    &[Section { document: "table", key: "storage", repeated: false, schema: desired::schema, expand: desired::expand }];

/// The kind.
pub struct Storage;

impl Kind for Storage {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "set of storage parameters"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        SECTIONS
    }

    fn codes(&self) -> &'static [&'static Code] {
        CODES
    }

    fn written(&self, _server: &Server) -> Option<String> {
        Some(include_str!("written.sql").to_owned())
    }

    fn observe(&self, _server: &Server, scope: &Scope) -> Option<Query> {
        observe::query(scope)
    }

    fn read(&self, rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows, relations)
    }

    fn export(&self, live: &Live, view: &View<'_>) -> Export {
        export::export(live, view)
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        let relation = checks::relation(desired, view, sink)?;
        if !can_have_parameters(desired, relation, sink) {
            return None;
        }
        let mut settled = desired.clone();
        if desired.ensure == Ensure::Absent {
            return Some(settled);
        }
        warn_of_toast(desired, relation, sink);
        let live = view.live.get(&desired.address);
        let has = |name: &str| live.is_some_and(|live| live.get(name).is_some());
        // Null goes back to the default, which is where a parameter that the table does not have is.
        // Whether chunks lack one is for the server to tell, each time anew.
        settled
            .attributes
            .retain(|name, value| !name.starts_with(CHUNKS_WITHOUT) && (*value != Value::Null || has(name)));
        if let Some(lacking) = live.and_then(|live| live.get(CHUNKS_WITHOUT)) {
            let managed = |name: &Value| name.as_text().is_some_and(|name| settled.get(name).is_some());
            let others = lacking.as_list().iter().filter(|name| !managed(name)).cloned().collect();
            settled.set(CHUNKS_WITHOUT, Value::List(others));
        }
        (live.is_some() || !settled.attributes.is_empty()).then_some(settled)
    }

    fn context(&self, delta: &Delta, _view: &View<'_>) -> BTreeMap<String, Value> {
        let (set, reset) = parameters(delta);
        let pair = |(name, value): (&str, &Value)| {
            Value::Map(BTreeMap::from([("name".to_owned(), sql_name(name)), ("value".to_owned(), value.clone())]))
        };
        BTreeMap::from([
            ("set".to_owned(), Value::List(set.into_iter().map(pair).collect())),
            ("reset".to_owned(), Value::List(reset.into_iter().map(sql_name).collect())),
        ])
    }

    fn holds(&self, condition: &str, delta: &Delta, _weights: &[Row], _view: &View<'_>) -> bool {
        let (set, reset) = parameters(delta);
        let mut names = set.keys().chain(&reset);
        condition == GENTLE && names.all(|name| known(name).is_some_and(|it| it.lock <= LockMode::ShareUpdateExclusive))
    }

    fn forgets(&self, attribute: &str) -> bool {
        attribute != CHUNKS_WITHOUT
    }

    fn label(&self, attribute: &str) -> Option<&'static str> {
        (attribute == CHUNKS_WITHOUT).then_some("lacking on some chunks")
    }

    fn is_derived(&self, attribute: &str, _desired: &Desired, _applied: &Applied) -> bool {
        attribute == CHUNKS_WITHOUT
    }

    fn weigh(&self, deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
        let sets_toast = |delta: &&&Delta| parameters(delta).0.keys().any(|name| name.starts_with(TOAST));
        let relations = deltas.iter().filter(sets_toast).filter_map(|delta| view.relations.get(delta.on.as_ref()?));
        let oids: Vec<u32> = relations.map(|relation| relation.oid).collect();
        let sql = include_str!("weigh.sql").to_owned();
        (!oids.is_empty()).then(|| Query { sql, params: vec![Param::Oids(oids)] })
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        let mut judgement = Judgement::default();
        let Some(relation) = delta.on.as_ref().and_then(|on| view.relations.get(on)) else { return Ok(judgement) };
        let desired = delta.desired.as_ref().or_else(|| view.desired.get(&delta.address));
        if let Some(desired) = desired.filter(|_| !relation.owned) {
            judgement.diagnostics.push(checks::not_owner(relation, view, &desired.place));
        }
        for row in weights {
            if row.oid("without_toast")? == relation.oid {
                judgement.diagnostics.extend(delta.desired.as_ref().map(|desired| no_toast(desired, relation)));
            }
        }
        let chunks = relation.hypertable.as_ref().map(|hypertable| hypertable.chunks).filter(|chunks| *chunks > 0);
        judgement.impact = chunks.map(|chunks| Impact {
            verb: if op == Op::Remove { "resets storage parameters of" } else { "sets storage parameters of" }
                .to_owned(),
            chunks: u64::try_from(chunks).ok(),
            ..Impact::default()
        });
        Ok(judgement)
    }
}

/// The parameter that an attribute is.
fn known(attribute: &str) -> Option<&'static Parameter> {
    match attribute.strip_prefix(TOAST) {
        Some(name) => reloption::known(name, Owner::Toast),
        None => reloption::known(attribute, Owner::Table),
    }
}

/// A parameter's name in SQL, where `toast` stands before the dot as a schema would.
fn sql_name(attribute: &str) -> Value {
    match attribute.strip_prefix(TOAST) {
        Some(name) => Value::Name(QualifiedName::new("toast", name)),
        None => Value::text(attribute),
    }
}

/// What a delta sets, and what it resets. A parameter that some chunks lack is set again on the
/// hypertable, from where it reaches them even though the hypertable has it already.
fn parameters(delta: &Delta) -> (BTreeMap<&str, &Value>, BTreeSet<&str>) {
    let mut set = BTreeMap::new();
    let mut reset = BTreeSet::new();
    let value = |name: &str| delta.desired.as_ref().and_then(|desired| desired.get(name));
    for change in &delta.changes {
        if change.attribute == CHUNKS_WITHOUT {
            let lacking = change.before.as_ref().map(Value::as_list).unwrap_or_default();
            let lacking = lacking.iter().filter_map(|name| Some((name.as_text()?, value(name.as_text()?)?)));
            set.extend(lacking.filter(|(_, value)| **value != Value::Null));
            continue;
        }
        match &change.after {
            None | Some(Value::Null) => {
                reset.insert(change.attribute.as_str());
            }
            Some(value) => {
                set.insert(change.attribute.as_str(), value);
            }
        }
    }
    (set, reset)
}

fn can_have_parameters(desired: &Desired, relation: &Relation, sink: &mut Vec<Diagnostic>) -> bool {
    let help = match relation.kind {
        RelationKind::Table | RelationKind::MaterializedView => return true,
        RelationKind::PartitionedTable => "nothing is stored in the partitioned table itself: describe its partitions",
        _ => "describe the tables behind it",
    };
    let message = format!("{} is {}, which has no storage parameters", relation.name, relation.kind.words());
    sink.push(Diagnostic::error(&code::NOT_A_TABLE, message).at(&desired.place).help(help));
    false
}

/// Seen on 2.19.3, 2.23.0 and 2.29.2: a new chunk takes over its hypertable's own parameters only.
fn warn_of_toast(desired: &Desired, relation: &Relation, sink: &mut Vec<Diagnostic>) {
    let toast = desired.attributes.iter().find(|(name, value)| name.starts_with(TOAST) && **value != Value::Null);
    if let Some((name, _)) = toast.filter(|_| relation.hypertable.is_some()) {
        let message = format!("`{name}` reaches the chunks that {} has, and none made later", relation.name);
        sink.push(
            Diagnostic::warning(&TOAST_OF_NEW_CHUNKS, message)
                .at(desired.place_of(name))
                .why("TimescaleDB does not give a new chunk its hypertable's TOAST parameters")
                .help("apply again now and then: chunks without it show up in the plan"),
        );
    }
}

fn no_toast(desired: &Desired, relation: &Relation) -> Diagnostic {
    let first = desired.attributes.keys().find(|name| name.starts_with(TOAST));
    let message = format!("{} has no TOAST table, so its parameters cannot be set", relation.name);
    Diagnostic::error(&NO_TOAST_TABLE, message)
        .at(first.map_or(&desired.place, |name| desired.place_of(name)))
        .why("the server makes one only for columns whose values can get long, and ignores the parameter otherwise")
        .help("take the `toast.` parameters out of the policy")
}
