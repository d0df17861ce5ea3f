//! Refresh policies that work against each other, or against what else is on the aggregate and on
//! what it reads.

use std::collections::BTreeMap;

use crate::core::{Address, Delta, Desired, Ensure, KindId, QualifiedName, Reason, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::continuous_aggregate::{self, bucket_width, sources};
use crate::kinds::refresh::settle::SEVERAL;
use crate::kinds::refresh::{ID, Window, can_exceed, length};
use crate::kinds::retention::{self, AGES};
use crate::kinds::{View, by_id};

/// What the policies alone can tell.
pub fn check(own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    let present: Vec<&Desired> = own.iter().copied().filter(|desired| desired.ensure == Ensure::Present).collect();
    let mut of_aggregate: BTreeMap<&QualifiedName, Vec<&Desired>> = BTreeMap::new();
    for desired in &present {
        if let Some(on) = &desired.on {
            check_window(desired, on, all, sink);
            check_sources(desired, on, all, sink);
            check_columnstore(desired, on, all, sink);
            check_retention(desired, on, all, sink);
            let others = of_aggregate.entry(on).or_default();
            let window = Window::of_desired(desired);
            if let Some(other) = others.iter().find(|other| Window::of_desired(other).overlaps(window)) {
                sink.push(overlap(desired, other));
            }
            others.push(desired);
        }
    }
}

/// Another resource of a relation, where the policies want it.
fn wanted<'a>(kind: &'static str, on: &QualifiedName, all: &'a BTreeMap<Address, Desired>) -> Option<&'a Desired> {
    all.get(&Address::in_schema(KindId::new(kind), on)).filter(|other| other.ensure == Ensure::Present)
}

fn query<'a>(on: &QualifiedName, all: &'a BTreeMap<Address, Desired>) -> Option<&'a crate::core::SqlText> {
    let aggregate = all.get(&Address::in_schema(continuous_aggregate::ID, on))?;
    if let Some(Value::Sql(sql)) = aggregate.get("query") { Some(sql) } else { None }
}

fn shown(value: Option<&Value>) -> String {
    value.filter(|value| **value != Value::Null).map_or_else(|| "the beginning".to_owned(), ToString::to_string)
}

fn overlap(desired: &Desired, other: &Desired) -> Diagnostic {
    Diagnostic::error(&code::POLICY_CONFLICT, "two refresh policies of one aggregate overlap")
        .at(desired.place_of("start_offset"))
        .and_at(other.place_of("end_offset"), "the other")
        .why("TimescaleDB refuses a policy whose window shares time with that of another")
        .help("let one begin where the other ends, such as `start_offset: 7 days` and `end_offset: 7 days`")
}

/// TimescaleDB refuses a window of less than two buckets (`validate_window_size` in
/// `tsl/src/bgw_policy/continuous_aggregate_api.c`); one with an open end is long enough.
fn check_window(desired: &Desired, on: &QualifiedName, all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    let (Some(start), Some(end)) = (desired.get("start_offset"), desired.get("end_offset")) else { return };
    let (Some(start_length), Some(end_length)) = (length(start), length(end)) else { return };
    let Some(width) = query(on, all).and_then(bucket_width) else {
        if start_length <= end_length {
            sink.push(too_small(desired, "it ends before it begins".to_owned()));
        }
        return;
    };
    check_width(desired, &width, sink);
}

fn check_width(desired: &Desired, width: &Value, sink: &mut Vec<Diagnostic>) {
    let (Some(start), Some(end)) = (desired.get("start_offset"), desired.get("end_offset")) else { return };
    let (Some(start_length), Some(end_length)) = (length(start), length(end)) else { return };
    let same_unit = std::mem::discriminant(width) == std::mem::discriminant(start);
    if same_unit && length(width).is_some_and(|width| start_length - end_length < 2 * width) {
        sink.push(too_small(desired, format!("a bucket is {width}, and the window is less than two of them")));
    }
}

fn too_small(desired: &Desired, why: String) -> Diagnostic {
    let message = format!(
        "the window from {} to {} is too small",
        shown(desired.get("start_offset")),
        shown(desired.get("end_offset"))
    );
    Diagnostic::error(&code::POLICY_CONFLICT, message)
        .at(desired.place_of("start_offset"))
        .why(why)
        .help("begin earlier, or end later: TimescaleDB takes no window of less than two buckets")
}

/// What a refresh looks at and retention has dropped is taken for deleted: the aggregate's rows go too.
fn check_sources(desired: &Desired, on: &QualifiedName, all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    for source in query(on, all).map(sources).unwrap_or_default() {
        check_source(desired, &source, all, query(on, all).and_then(bucket_width), sink);
    }
}

fn check_source(
    desired: &Desired,
    source: &QualifiedName,
    all: &BTreeMap<Address, Desired>,
    width: Option<Value>,
    sink: &mut Vec<Diagnostic>,
) {
    let drops = AGES.iter().filter_map(|age| Some((wanted("retention", source, all)?, *age)));
    // An archive drops what it has.
    let archives = wanted("archive", source, all).filter(|a| a.get("drop") == Some(&Value::Bool(true)));
    for (policy, age) in drops.chain(archives.map(|archive| (archive, "after"))) {
        let Some(kept) = policy.get(age).filter(|kept| **kept != Value::Null) else { continue };
        if looks_beyond(desired, kept) {
            let beyond = beyond(desired, source, (age, kept), width.clone());
            sink.push(beyond.and_at(policy.place_of(age), "rows are dropped after this"));
        }
    }
}

/// The same of retention that is there and that no policy speaks of; and, where no policy says what the aggregate
/// reads, of all that drops what it reads now.
pub fn check_live_sources(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(on) = &desired.on else { return };
    let written = query(on, view.desired);
    let live = view.live.get(&Address::in_schema(continuous_aggregate::ID, on));
    let read = match (written, live.and_then(|live| live.fact("source"))) {
        (Some(query), _) => sources(query),
        (None, Some(Value::Name(source))) => vec![source.clone()],
        (None, _) => Vec::new(),
    };
    let width = || written.or_else(|| live_query(on, view)).and_then(bucket_width);
    for source in read {
        // By the query alone it has been told.
        if written.is_none() {
            check_source(desired, &source, view.desired, width(), sink);
        }
        let address = Address::in_schema(KindId::new("retention"), &source);
        let Some(live) = view.live.get(&address).filter(|_| !view.desired.contains_key(&address)) else { continue };
        let kept = AGES.iter().filter_map(|age| Some((*age, live.get(age).filter(|kept| **kept != Value::Null)?)));
        for (age, kept) in kept.filter(|(_, kept)| looks_beyond(desired, kept)) {
            sink.push(beyond(desired, &source, (age, kept), width()));
        }
    }
}

/// The server refuses a window of less than two buckets also where no policy says how long one is.
pub fn check_live_window(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    let Some(on) = desired.on.as_ref().filter(|on| query(on, view.desired).is_none()) else { return };
    if let Some(width) = live_query(on, view).and_then(bucket_width) {
        check_width(desired, &width, sink);
    }
}

fn live_query<'a>(on: &QualifiedName, view: &'a View<'_>) -> Option<&'a crate::core::SqlText> {
    match view.live.get(&Address::in_schema(continuous_aggregate::ID, on))?.get("query") {
        Some(Value::Sql(query)) => Some(query),
        _ => None,
    }
}

fn looks_beyond(desired: &Desired, kept: &Value) -> bool {
    retention::looks_beyond(desired.get("start_offset").filter(|start| **start != Value::Null), kept)
}

fn beyond(desired: &Desired, source: &QualifiedName, (age, kept): (&str, &Value), width: Option<Value>) -> Diagnostic {
    let start = desired.get("start_offset").filter(|start| **start != Value::Null);
    let by_calendar = start
        .filter(|start| length(start) <= length(kept))
        .map_or_else(String::new, |start| format!("by the calendar {start} can be longer than {kept}, and "));
    let message = format!(
        "the refresh looks back to {}, and {source} keeps its rows for {kept} only",
        start.map_or_else(|| "the beginning".to_owned(), ToString::to_string)
    );
    // A window that the server takes has room for two buckets.
    let room = length(kept).map(|kept| kept - desired.get("end_offset").and_then(length).unwrap_or(0));
    let too_wide = width.filter(|width| room.zip(length(width)).is_some_and(|(room, width)| room < 2 * width));
    let help = match (too_wide, start) {
        (None, Some(start)) => format!("write a `start_offset` of at most {kept}, or `{age}: {start}` or longer"),
        (None, None) => format!("write a `start_offset` of at most {kept}: no `{age}` is as long as an open beginning"),
        (Some(width), Some(start)) => format!(
            "write `{age}: {start}` or longer: a window holds two buckets of {width} at least, for which {kept} has no room"
        ),
        (Some(width), None) => format!(
            "write a `start_offset` that has two buckets of {width} before `end_offset`, and `{age}` no shorter than that"
        ),
    };
    Diagnostic::error(&code::POLICY_CONFLICT, message)
        .at(desired.place_of("start_offset"))
        .why(format!("{by_calendar}a refresh over rows that were dropped deletes what the aggregate had made of them"))
        .help(help)
}

fn check_columnstore(
    desired: &Desired,
    on: &QualifiedName,
    all: &BTreeMap<Address, Desired>,
    sink: &mut Vec<Diagnostic>,
) {
    let Some(columnstore) = wanted("columnstore", on, all) else { return };
    let (Some(after), Some(start)) =
        (columnstore.get("after").filter(|after| **after != Value::Null), desired.get("start_offset"))
    else {
        return;
    };
    let open = *start == Value::Null;
    if open || can_exceed(start, after) {
        let message =
            format!("the refresh looks back to {}, into what is in the columnstore after {after}", shown(Some(start)));
        sink.push(
            Diagnostic::warning(&code::POLICY_CONFLICT, message)
                .at(columnstore.place_of("after"))
                .and_at(desired.place_of("start_offset"), "the refresh begins here")
                .why("what changes there is decompressed and written again; older servers refuse the policy")
                .help("convert later than the refresh looks back"),
        );
    }
}

fn check_retention(
    desired: &Desired,
    on: &QualifiedName,
    all: &BTreeMap<Address, Desired>,
    sink: &mut Vec<Diagnostic>,
) {
    let Some(retention) = wanted("retention", on, all) else { return };
    let (Some(kept), Some(start)) = (retention.get("drop_after"), desired.get("start_offset")) else { return };
    if *start == Value::Null || can_exceed(start, kept) {
        let message = format!(
            "the refresh looks back to {}, and the aggregate keeps its rows for {kept} only",
            shown(Some(start))
        );
        sink.push(
            Diagnostic::warning(&code::POLICY_CONFLICT, message)
                .at(desired.place_of("start_offset"))
                .and_at(retention.place_of("drop_after"), "the aggregate's rows are dropped after this")
                .why("the refresh makes again what retention drops, where its rows change")
                .help(format!("write a `start_offset` of at most {kept}, or keep the aggregate's rows longer")),
        );
    }
}

/// A live policy of the same aggregate that no policy file has, and that the server will not have
/// beside this one.
pub fn with_live(delta: &Delta, view: &View<'_>) -> Option<Diagnostic> {
    let desired = delta.desired.as_ref()?;
    if delta.live.is_some() && delta.change("start_offset").is_none() && delta.change("end_offset").is_none() {
        return None;
    }
    let single = view.server.timescale_version().is_some_and(|version| version < SEVERAL);
    let window = Window::of_desired(desired);
    let in_the_way = view.live.values().find(|live| {
        live.address.kind == ID
            && live.on == delta.on
            && live.address != delta.address
            && !view.desired.contains_key(&live.address)
            && ((single && delta.is_create()) || Window::of_live(live).overlaps(window))
    });
    // What is on an aggregate that is made anew goes with it.
    let live = in_the_way.filter(|_| delta.reason != Reason::Remade)?;
    let number = live.fact("job_id").map_or_else(String::new, ToString::to_string);
    let title = by_id(&ID).map_or("refresh policy", |kind| kind.title());
    let message = format!(
        "another {title} is in the way: the job {number}, from {} to {}",
        shown(live.get("start_offset")),
        shown(live.get("end_offset"))
    );
    Some(
        Diagnostic::error(&code::POLICY_CONFLICT, message)
            .at(&desired.place)
            .why("TimescaleDB refuses a policy whose window shares time with that of another, and before 2.21 any second one")
            .help(format!("describe that job too, or delete it with `delete_job({number})`")),
    )
}
