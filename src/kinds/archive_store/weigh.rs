//! What is to leave a store, in words and as work.

use std::collections::BTreeMap;

use crate::core::{Bytes, Delta, Impact, Op, Task, Value};
use crate::kinds::archive_store::{BYTES, EXPIRES, KEEP, NEWEST, OLDEST, PATH, S3};
use crate::kinds::{Judgement, View};

/// The name of the work.
pub const TASK: &str = "archive-expiry";

/// One item: the store, and the manifests of what is to go.
pub fn items(delta: &Delta, view: &View<'_>) -> Vec<Value> {
    let (Some(desired), Some(live)) = (&delta.desired, &delta.live) else { return Vec::new() };
    let mut item = BTreeMap::from([("database".to_owned(), Value::text(&view.server.database))]);
    item.insert("cluster".to_owned(), Value::text(&view.server.system_identifier));
    let of_the_store = [(PATH, desired.get(PATH)), (S3, desired.get(S3))];
    for (name, value) in of_the_store.into_iter().chain([(KEEP, desired.get(KEEP)), (EXPIRES, live.fact(EXPIRES))]) {
        item.extend(value.map(|value| (name.to_owned(), value.clone())));
    }
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
    let Some(live) = delta.live.as_ref().filter(|_| op != Op::Blocked) else { return judgement };
    let text = |name: &str| live.fact(name).and_then(Value::as_text).map(str::to_owned);
    let keep = delta.desired.as_ref().and_then(|desired| desired.get(KEEP)).map_or_else(String::new, Value::to_string);
    judgement.impact = Some(Impact {
        verb: "removes for ever, from the archive,".to_owned(),
        chunks: live.fact(EXPIRES).map(|expires| expires.as_list().len() as u64),
        bytes: live.fact(BYTES).and_then(Value::as_int).and_then(|bytes| u64::try_from(bytes).ok()).map(Bytes),
        oldest: text(OLDEST),
        newest: text(NEWEST),
        notes: vec![format!("all of them ended more than {keep} ago, which is how long the store keeps them")],
        ..Impact::default()
    });
    judgement
}
