//! What tests share. A small registry: a section with two forms of one key, a list section, and a section
//! that is a whole document.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::core::{Address, Desired, KindId, Live, QualifiedName, Query, Row, RowError, Server, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::{Kind, Relations, Rules, Scope, Section, View};

/// How long data is kept.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Keep {
    /// Until when. A number where time is one.
    #[schemars(example = &"90 days")]
    drop_after: Age,
    /// When it happens.
    when: Option<When>,
    /// How.
    #[serde(default)]
    manner: Manner,
    /// Its columns.
    columns: Option<Vec<Column>>,
}

/// An age.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Age {
    /// An interval.
    Text(String),
    /// A whole number.
    Number(i64),
}

/// A time.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct When {
    /// Its retries.
    #[schemars(range(min = -1, max = 10))]
    retries: Option<i64>,
    /// Whether it is paused.
    paused: Option<bool>,
}

/// A manner.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "lowercase")]
enum Manner {
    /// Slow.
    #[default]
    Gentle,
    /// Fast.
    Brisk,
}

/// A column.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Column {
    /// By name.
    Name(String),
    /// In parts.
    Parts(Parts),
}

/// A column in parts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parts {
    /// The column.
    column: String,
    /// Its order.
    order: Option<Manner>,
}

/// An item.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Item {
    /// Its name.
    #[schemars(example = &"ix")]
    name: String,
}

/// A whole document.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whole {
    /// A version.
    version: Option<String>,
}

static KEEP: &[Section] = &[Section {
    document: "table",
    key: "keep",
    repeated: false,
    schema: |generator| generator.subschema_for::<Keep>(),
    expand: |input, sink| {
        let Some(raw) = input.read::<Keep>(sink) else { return Vec::new() };
        let _ = (&raw.manner, raw.when.map(|when| (when.retries, when.paused)));
        for column in raw.columns.into_iter().flatten() {
            let name = match column {
                Column::Name(name) => name,
                Column::Parts(parts) => parts.order.map_or(parts.column.clone(), |_| parts.column),
            };
            input.identifier(&name, "/columns", sink);
        }
        let on = input.head.relation.clone();
        let mut desired = input.desired(Address::in_schema(KindId::new("keep"), &on), Some(on));
        match raw.drop_after {
            Age::Number(number) => input.set(&mut desired, "drop_after", "/drop_after", number),
            Age::Text(text) => {
                if let Some(interval) = input.interval(&text, "/drop_after", sink) {
                    input.set(&mut desired, "drop_after", "/drop_after", interval);
                }
            }
        }
        vec![desired]
    },
}];

static ITEM: &[Section] = &[Section {
    document: "table",
    key: "items",
    repeated: true,
    schema: |generator| generator.subschema_for::<Item>(),
    expand: |input, sink| {
        let Some(raw) = input.read::<Item>(sink) else { return Vec::new() };
        let Some(name) = input.identifier(&raw.name, "/name", sink) else { return Vec::new() };
        let on = input.head.relation.clone();
        let address = Address::in_schema(KindId::new("item"), &QualifiedName::new(&on.schema, name));
        vec![input.desired(address, Some(on))]
    },
}];

static WHOLE: &[Section] = &[Section {
    document: "extension",
    key: "",
    repeated: false,
    schema: |generator| generator.subschema_for::<Whole>(),
    expand: |input, sink| {
        let Some(raw) = input.read::<Whole>(sink) else { return Vec::new() };
        let mut desired = input.desired(Address::global(KindId::new("whole"), &input.head.name), None);
        if let Some(version) = raw.version {
            desired.set("version", Value::text(version));
        }
        vec![desired]
    },
}];

struct Fake(&'static str, &'static [Section]);

static RULES: Rules = Rules { create: &[], remove: &[], replace: None, attributes: &[] };

impl Kind for Fake {
    fn id(&self) -> KindId {
        KindId::new(self.0)
    }

    fn title(&self) -> &'static str {
        self.0
    }

    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn sections(&self) -> &'static [Section] {
        self.1
    }

    fn observe(&self, _: &Server, _: &Scope) -> Option<Query> {
        None
    }

    fn read(&self, _: &[Row], _: &Relations) -> Result<Vec<Live>, RowError> {
        Ok(Vec::new())
    }

    fn settle(&self, desired: &Desired, _: &View<'_>, _: &mut Vec<Diagnostic>) -> Option<Desired> {
        Some(desired.clone())
    }

    /// Says that an item needs a `keep` beside it.
    fn check(&self, own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        for desired in own.iter().filter(|_| self.0 == "item") {
            let kept = |on| all.contains_key(&Address::in_schema(KindId::new("keep"), on));
            if !desired.on.as_ref().is_some_and(kept) {
                sink.push(Diagnostic::error(&code::POLICY_CONFLICT, "an item needs `keep`").at(&desired.place));
            }
        }
    }
}

/// The time that this thread has computed, which other work on the machine does not lengthen.
pub fn cpu_time() -> std::time::Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    std::time::Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// The kinds.
pub static KINDS: &[&dyn Kind] = &[&Fake("keep", KEEP), &Fake("item", ITEM), &Fake("whole", WHOLE)];
