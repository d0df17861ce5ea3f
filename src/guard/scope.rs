//! Which variables there are, from the registry of kinds, and what reading them takes.

use std::collections::BTreeMap;

use crate::core::{Address, Desired, Live};
use crate::guard::datum::Datum;
use crate::guard::types::Type;
use crate::guard::{Expression, For};
use crate::kinds::document::DOCUMENTS;
use crate::kinds::{self, Kind};

/// What an expression must be told beyond the policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// The live database.
    pub live: bool,
    /// How large tables are, which is a query of its own.
    pub bytes: bool,
    /// The plan's actions.
    pub action: bool,
}

impl Needs {
    /// What these expressions need, asked for that.
    pub fn of<'a>(scope: For, expressions: impl IntoIterator<Item = &'a Expression>) -> Self {
        let mut needs = Self { action: scope == For::Action, ..Self::default() };
        for path in expressions.into_iter().flat_map(Expression::paths) {
            needs.live |= path == "live" || path.starts_with("live.");
            // `live` alone may be anything of it.
            needs.bytes |= path == "live.bytes";
        }
        needs
    }

    /// Whether the policies alone tell it.
    pub const fn is_offline(self) -> bool {
        !self.live && !self.action
    }
}

/// The key that holds a kind's resources, and whether there may be many; `None` where it is not a
/// table's.
fn key(kind: &dyn Kind) -> Option<(String, bool)> {
    let of_relation = |document: &str| DOCUMENTS.iter().any(|known| known.kind == document && known.relation);
    let section = kind.sections().iter().find(|section| of_relation(section.document))?;
    let key = if section.key.is_empty() { kind.id().to_string() } else { section.key.to_owned() };
    Some((key, section.repeated))
}

/// The types of every variable. What an attribute holds is told by its value.
pub fn declare(scope: For) -> BTreeMap<String, Type> {
    let mut all = sections();
    let mut live = sections();
    let plain = [("exists", Type::Bool), ("bytes", Type::Int), ("chunks", Type::Int), ("owner", Type::Text)];
    live.extend(plain.map(|(name, kind)| (name.to_owned(), kind)));
    all.insert("live".to_owned(), Type::Record(live));
    let table = [
        ("name", Type::Text),
        ("schema", Type::Text),
        ("relation", Type::Text),
        ("kind", Type::Text),
        ("labels", Type::Words),
        ("protect", Type::Bool),
    ];
    all.insert("table".to_owned(), record(table));
    if scope == For::Action {
        let lock = record([("mode", Type::Text), ("on", Type::Text), ("blocks", Type::Text)]);
        let texts = || Type::List(Box::new(Type::Text));
        let action = [
            ("address", Type::Text),
            ("kind", Type::Text),
            ("name", Type::Text),
            ("op", Type::Text),
            ("reason", Type::Text),
            ("changes", texts()),
            ("hazards", texts()),
            ("locks", Type::List(Box::new(lock))),
            ("chunks", Type::Int),
            ("rows", Type::Int),
            ("bytes", Type::Int),
        ];
        all.insert("action".to_owned(), record(action));
    }
    all
}

fn record<const N: usize>(fields: [(&str, Type); N]) -> Type {
    Type::Record(fields.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect())
}

/// Every kind of resource on a table, with its attributes.
fn sections() -> BTreeMap<String, Type> {
    let mut all = BTreeMap::new();
    for kind in kinds::all() {
        let Some((key, repeated)) = key(*kind) else { continue };
        let mut fields = BTreeMap::from([("ensure".to_owned(), Type::Text)]);
        if repeated {
            fields.insert("name".to_owned(), Type::Text);
        }
        for rule in kind.rules().attributes {
            put(&mut fields, rule.name);
        }
        let one = Type::Record(fields);
        all.insert(key, if repeated { Type::List(Box::new(one)) } else { one });
    }
    all
}

fn put(fields: &mut BTreeMap<String, Type>, path: &str) {
    match path.split_once('.') {
        None => _ = fields.entry(path.to_owned()).or_insert(Type::Any),
        Some((first, rest)) => {
            let inner = fields.entry(first.to_owned()).or_insert_with(|| Type::Record(BTreeMap::new()));
            if let Type::Record(inner) = inner {
                put(inner, rest);
            }
        }
    }
}

/// The resources of a table as the policies want them.
pub(super) fn desired<'a>(resources: impl Iterator<Item = &'a Desired>) -> BTreeMap<String, Datum> {
    let ensure = |desired: &Desired| match desired.ensure {
        crate::core::Ensure::Present => "present",
        crate::core::Ensure::Absent => "absent",
    };
    gather(resources.map(|desired| (&desired.address, &desired.attributes, ensure(desired))))
}

/// The same of the database.
pub(super) fn live<'a>(resources: impl Iterator<Item = &'a Live>) -> BTreeMap<String, Datum> {
    gather(resources.map(|live| (&live.address, &live.attributes, "present")))
}

type Attributes = crate::core::Named<crate::core::Value>;

fn gather<'a>(resources: impl Iterator<Item = (&'a Address, &'a Attributes, &'a str)>) -> BTreeMap<String, Datum> {
    let mut all: BTreeMap<String, Datum> = BTreeMap::new();
    // What is not there is empty, so that `has(retention.drop_after)` can always be asked.
    for (key, repeated) in kinds::all().iter().filter_map(|kind| key(*kind)) {
        let empty = if repeated { Datum::List(Vec::new()) } else { Datum::Record(BTreeMap::new()) };
        all.insert(key, empty);
    }
    for (address, attributes, ensure) in resources {
        let Some((key, _)) = kinds::by_id(&address.kind).and_then(key) else { continue };
        let mut fields = BTreeMap::from([("ensure".to_owned(), Datum::Text(ensure.to_owned()))]);
        for (name, value) in attributes.iter().filter(|(_, value)| **value != crate::core::Value::Null) {
            Datum::put(&mut fields, name, Datum::of(value));
        }
        match all.get_mut(&key) {
            Some(Datum::List(items)) => {
                fields.insert("name".to_owned(), Datum::Text(address.name.clone()));
                items.push(Datum::Record(fields));
            }
            Some(slot) => *slot = Datum::Record(fields),
            None => {}
        }
    }
    all
}
