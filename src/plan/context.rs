//! What templates read.

use std::collections::BTreeMap;

use crate::core::{Delta, Named, Value};
use crate::kinds::{Kind, View};
use crate::render::Context;

/// The context of a delta's templates.
pub fn of_delta(kind: &dyn Kind, delta: &Delta, view: &View<'_>) -> Context {
    let groups = groups(kind);
    let mut context = Context::new();
    let mut set = |name: &str, value: Value| context.insert(name.to_owned(), value);
    if let Some(on) = &delta.on {
        set("table", Value::Name(on.clone()));
    }
    if let Some(object) = delta.address.object() {
        set("object", Value::Name(object));
    }
    set("name", Value::text(&delta.address.name));
    let before = delta.live.as_ref().map(|live| live.attributes.clone()).unwrap_or_default();
    let after = delta.desired.as_ref().map(|desired| desired.attributes.clone()).unwrap_or_default();
    let changed = delta.changes.iter().map(|change| (change.attribute.clone(), Value::Bool(true))).collect();
    set("before", nest(before, &groups));
    set("after", nest(after, &groups));
    set("changed", nest(changed, &groups));
    let facts = delta.live.as_ref().map(|live| live.facts.clone()).unwrap_or_default();
    set("facts", Value::Map(facts.into_iter().collect()));
    set("ctx", Value::Map(kind.context(delta, view)));
    set("server", server(view));
    if let Some(timescale) = &view.server.timescaledb {
        set("ts", Value::text(&timescale.schema));
    }
    context
}

fn server(view: &View<'_>) -> Value {
    let mut server = BTreeMap::from([("postgres".to_owned(), Value::Int(view.server.version.major.into()))]);
    if let Some(version) = view.server.timescale_version() {
        server.insert("timescaledb".to_owned(), Value::Int(i64::from(version.major * 100 + version.minor)));
    }
    Value::Map(server)
}

/// The names before the dot of a kind's attributes, which templates may always look into.
fn groups(kind: &dyn Kind) -> Vec<String> {
    let names = kind.rules().attributes.iter();
    names.filter_map(|rule| rule.name.split_once('.')).map(|(group, _)| group.to_owned()).collect()
}

/// `schedule.every` becomes `every` in a map `schedule`.
fn nest(flat: Named<Value>, groups: &[String]) -> Value {
    let mut nested: BTreeMap<String, Value> =
        groups.iter().map(|group| (group.clone(), Value::Map(BTreeMap::new()))).collect();
    for (name, value) in flat {
        let place = match name.split_once('.') {
            Some((group, rest)) => match nested.get_mut(group) {
                Some(Value::Map(entries)) => Some((entries, rest.to_owned())),
                _ => None,
            },
            None => None,
        };
        match place {
            Some((entries, rest)) => entries.insert(rest, value),
            None => nested.insert(name, value),
        };
    }
    Value::Map(nested)
}
