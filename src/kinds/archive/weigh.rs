//! What is to be archived, range by range.

use std::collections::BTreeMap;

use crate::core::{Bytes, Delta, Desired, Impact, Live, Op, Step, Task, Value};
use crate::diag::Diagnostic;
use crate::kinds::archive::observe::{self, DUE};
use crate::kinds::archive::{DROP, LATE, settle};
use crate::kinds::view::types;
use crate::kinds::{Judgement, View, job};

/// The name of the work.
pub const TASK: &str = "archive-range";

fn due(delta: &Delta) -> Vec<&BTreeMap<String, Value>> {
    let chunks = delta.live.as_ref().and_then(|live| live.fact(DUE)).map(Value::as_list).unwrap_or_default();
    let entries = chunks.iter().map(|chunk| if let Value::Map(entries) = chunk { Some(entries) } else { None });
    entries.flatten().collect()
}

fn wanted(delta: &Delta, view: &View<'_>) -> Option<Desired> {
    settle::whole(view.desired.get(&delta.address)?, view.desired)
}

fn drops(desired: &Desired) -> bool {
    desired.get(DROP) == Some(&Value::Bool(true))
}

/// One item a range of time: all of its chunks, which hash partitions make several of, go together.
pub fn items(delta: &Delta, view: &View<'_>) -> Vec<Value> {
    let Some(common) = common(delta, view) else { return Vec::new() };
    let mut ranges: Vec<(Value, Value, Vec<Value>, i64)> = Vec::new();
    for chunk in due(delta) {
        let (Some(from), Some(until), Some(name)) = (chunk.get("from"), chunk.get("until"), chunk.get("name")) else {
            continue;
        };
        let room = delta.live.as_ref().map_or(0, |live| observe::room(live, chunk));
        match ranges.last_mut().filter(|(begin, end, ..)| begin == from && end == until) {
            Some((_, _, chunks, bytes)) => {
                chunks.push(name.clone());
                *bytes = bytes.saturating_add(room);
            }
            None => ranges.push((from.clone(), until.clone(), vec![name.clone()], room)),
        }
    }
    let item = |(from, until, chunks, bytes)| {
        let own = [("from", from), ("until", until), ("chunks", Value::List(chunks)), (Task::ROOM, Value::Int(bytes))];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        Value::Map(common.clone().into_iter().chain(own).collect())
    };
    ranges.into_iter().map(item).collect()
}

/// What is the same for every range of a table.
fn common(delta: &Delta, view: &View<'_>) -> Option<BTreeMap<String, Value>> {
    let desired = wanted(delta, view)?;
    let on = delta.on.as_ref()?;
    let timescale = view.server.timescaledb.as_ref()?;
    let time_type = match view.time_column(on)?.base_type {
        types::INT2 => "int2",
        types::INT4 => "int4",
        types::INT8 => "int8",
        types::DATE => "date",
        types::TIMESTAMP => "timestamp",
        _ => "timestamptz",
    };
    let mut common = BTreeMap::from([
        ("column".to_owned(), Value::text(&view.time_column(on)?.name)),
        ("table".to_owned(), Value::Name(on.clone())),
        ("time_type".to_owned(), Value::text(time_type)),
        ("drop".to_owned(), Value::Bool(drops(&desired))),
        ("store".to_owned(), desired.get(super::TO)?.clone()),
        ("freezes".to_owned(), Value::Bool(view.server.has_community_features())),
        ("ts".to_owned(), Value::text(&timescale.schema)),
    ]);
    let of_the_store = settle::FOR_THE_WORK.into_iter().filter_map(|name| Some((name, desired.get(name)?)));
    common.extend(of_the_store.map(|(name, value)| (name.to_owned(), value.clone())));
    Some(common)
}

/// The work of an item.
pub fn task(item: &Value) -> Option<Task> {
    match item {
        Value::Map(arguments) => Some(Task { name: TASK.to_owned(), arguments: arguments.clone() }),
        _ => None,
    }
}

/// What is due once a run has ended, where that is no failure of it: what came meanwhile, and what was written to
/// while it was copied. On a server that freezes chunks, nobody can have written to one.
pub fn left(steps: &[Step], live: &Live) -> Option<Diagnostic> {
    let list = |task: &Task| task.arguments.get("chunks").map(Value::as_list).unwrap_or_default().to_vec();
    let tasks = || steps.iter().filter_map(|step| step.task.as_ref());
    let planned: Vec<Value> = tasks().flat_map(list).collect();
    let is = |task: &Task, argument: &str| task.arguments.get(argument) == Some(&Value::Bool(true));
    let may_stay = tasks().all(|task| is(task, "drop") && !is(task, "freezes"));
    let due = live.fact(DUE).map(Value::as_list).unwrap_or_default();
    let name = |chunk: &Value| if let Value::Map(entries) = chunk { entries.get("name").cloned() } else { None };
    let (stayed, came): (Vec<Value>, Vec<Value>) = due.iter().filter_map(name).partition(|name| planned.contains(name));
    if due.is_empty() || !stayed.is_empty() && !may_stay {
        return None;
    }
    let on = live.on.as_ref().map_or_else(String::new, ToString::to_string);
    let counted = |chunks: &[Value], what: &str| match chunks {
        [] => None,
        [_] => Some(format!("1 chunk of {on} {what}")),
        several => Some(format!("{} chunks of {on} {what}", several.len())),
    };
    let words = [
        counted(&stayed, "was written to each time that it was copied, and stays in the table"),
        counted(&came, "came to be due while others were archived"),
    ];
    let message = words.into_iter().flatten().collect::<Vec<_>>().join("; ");
    Some(
        Diagnostic::note(&LATE, message)
            .why("nothing is dropped that is not in the archive as it is")
            .help("the next `chronoform run archive` takes it"),
    )
}

/// What one delta takes.
pub fn judge(delta: &Delta, op: Op, view: &View<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    let Some(desired) = wanted(delta, view).filter(|_| op != Op::Blocked) else { return judgement };
    judgement.diagnostics.extend(job::not_owner(delta, view));
    let chunks = due(delta);
    let number = |chunk: &BTreeMap<String, Value>, name: &str| chunk.get(name).and_then(Value::as_int).unwrap_or(0);
    let bytes: i64 = chunks.iter().filter_map(|chunk| Some(observe::room(delta.live.as_ref()?, chunk))).sum();
    let text = |chunk: Option<&&BTreeMap<String, Value>>, name: &str| {
        chunk.and_then(|chunk| chunk.get(name)).and_then(Value::as_text).map(str::to_owned)
    };
    let store = desired.get(super::TO).and_then(Value::as_text).unwrap_or_default();
    let mut notes = vec![match drops(&desired) {
        true => format!("each chunk is dropped once its copy in `{store}` has been read back and found equal"),
        false => format!("each chunk stays in the table beside its copy in `{store}`"),
    }];
    let kept = delta.live.as_ref().and_then(|live| live.fact(DUE)).map(Value::as_list).unwrap_or_default();
    let kept = kept.iter().filter(|chunk| observe::is_kept(chunk)).count();
    if kept > 0 {
        let (chunks, are, they) = if kept == 1 { ("chunk", "is", "it") } else { ("chunks", "are", "they") };
        notes.push(format!(
            "{kept} {chunks} that {are} in the archive already {are} copied again: what {they} may hold by now is proved like the rest"
        ));
    }
    let impact = Impact {
        verb: if drops(&desired) { "archives and then drops" } else { "archives" }.to_owned(),
        chunks: Some(chunks.len() as u64),
        bytes: u64::try_from(bytes).ok().map(Bytes),
        oldest: text(chunks.first(), "from"),
        newest: text(chunks.last(), "until"),
        notes,
        ..Impact::default()
    };
    judgement.impact = Some(impact.of_chunks(chunks.iter().map(|chunk| number(chunk, "oid")).collect()));
    judgement
}
