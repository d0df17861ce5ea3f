//! What is to be done, in words and as work.

use std::collections::BTreeMap;

use crate::core::{Delta, Impact, Op, Task, Value};
use crate::kinds::backup::{DUE, EXPIRES, STATE, WINDOW, work};
use crate::kinds::{Judgement, View};

/// The name of the work.
pub const TASK: &str = "backup-work";

/// One item: what the policy says, and what is due.
pub fn items(delta: &Delta, view: &View<'_>) -> Vec<Value> {
    let Some(desired) = &delta.desired else { return Vec::new() };
    let said = desired.attributes.iter().filter(|(name, _)| name.as_str() != STATE);
    let mut item: BTreeMap<String, Value> = said.map(|(name, value)| (name.clone(), value.clone())).collect();
    let facts = delta.live.as_ref().map(|live| &live.facts);
    for name in [DUE, EXPIRES] {
        if let Some(value) = facts.and_then(|facts| facts.get(name)) {
            item.insert(name.to_owned(), value.clone());
        }
    }
    item.insert("backup".to_owned(), Value::text(desired.address.schema.as_deref().unwrap_or_default()));
    item.insert("work".to_owned(), Value::text(&desired.address.name));
    item.insert("cluster".to_owned(), Value::text(&view.server.system_identifier));
    vec![Value::Map(item)]
}

/// The work of an item.
pub fn task(item: &Value) -> Option<Task> {
    match item {
        Value::Map(arguments) => Some(Task { name: TASK.to_owned(), arguments: arguments.clone() }),
        _ => None,
    }
}

/// What one delta takes.
pub fn judge(delta: &Delta, op: Op) -> Judgement {
    let mut judgement = Judgement::default();
    if op == Op::Blocked {
        return judgement;
    }
    let fact = |name: &str| delta.live.as_ref().and_then(|live| live.fact(name));
    let window = delta.desired.as_ref().and_then(|desired| desired.get(WINDOW));
    let (verb, notes) = match delta.address.name.as_str() {
        work::BACKUP => (
            format!("makes and verifies a backup ({})", fact(DUE).map_or_else(String::new, ToString::to_string)),
            window.map(|window| format!("it is to take no more than {window}")),
        ),
        work::VERIFY => ("reads all backups and WAL again".to_owned(), None),
        work::DRILL => (
            "brings the server back in a folder of its own, looks at it, and removes it".to_owned(),
            Some("it takes as much room as the server's data, for as long as it runs".to_owned()),
        ),
        _ => {
            let labels: Vec<&str> =
                fact(EXPIRES).map(Value::as_list).unwrap_or_default().iter().filter_map(Value::as_text).collect();
            (format!("removes {}", labels.join(", ")), None)
        }
    };
    judgement.impact = Some(Impact { verb, notes: notes.into_iter().collect(), ..Impact::default() });
    judgement
}
