//! What the policies and the database make impossible.

use std::collections::BTreeMap;

use crate::core::{Address, Desired, Ensure, Live, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::archive::observe::Kept;
use crate::kinds::archive::{AFTER, DROP, NOT_ARCHIVED, NOT_KEPT, TO, UNKNOWN_STORE};
use crate::kinds::archive::{jobs, observe};
use crate::kinds::view::types;
use crate::kinds::{Relation, View, archive_store, backup, checks, job};

/// What is to be compared: whether all that is due is in the archive. `None` as long as the table
/// cannot have an archive.
pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    let relation = checks::relation(desired, view, sink)?;
    if view.server.timescaledb.is_none() {
        sink.push(checks::needs_timescaledb("an archive", desired, view));
        return None;
    }
    let Some(hypertable) = &relation.hypertable else {
        if !view.is_hypertable(&relation.name) {
            let message = format!("an archive needs a hypertable, and {} is {}", relation.name, relation.kind.words());
            sink.push(
                Diagnostic::error(&code::NEEDS_HYPERTABLE, message)
                    .at(&desired.place)
                    .why("what is archived is whole chunks")
                    .help("add a `hypertable` section with its `time_column`, or take this section out"),
            );
        }
        // One that the plan is yet to make has no chunks.
        return None;
    };
    if relation.name.schema == INTERNAL && desired.get(DROP) == Some(&Value::Bool(true)) {
        sink.push(keeps_an_aggregate(desired));
        return None;
    }
    if !job::check_age(AFTER, desired, relation, view, sink) {
        return None;
    }
    if let Some(why) = untimely(desired, relation) {
        sink.push(why);
        return None;
    }
    // All that is in the way is told at once.
    let in_the_way = [jobs::nothing_else_drops, jobs::nothing_reads_it_again];
    if in_the_way.map(|is_clear| is_clear(desired, relation, view, sink)).contains(&false) {
        return None;
    }
    let is_number = matches!(desired.get(AFTER), Some(Value::Int(_)));
    if let Some(failing) = job::present_unknown(relation, Diagnostic::error).filter(|_| is_number) {
        sink.push(failing.at(desired.place_of(AFTER)));
        return None;
    }
    if !relation.owned && hypertable.chunks > 0 {
        sink.push(checks::not_owner(relation, view, &desired.place));
        return None;
    }
    let whole = whole(desired, view.desired)?;
    view.live.contains_key(&whole.address).then_some(whole)
}

/// Where TimescaleDB keeps the rows of continuous aggregates.
const INTERNAL: &str = "_timescaledb_internal";

/// TimescaleDB drops them through the aggregate alone, and a chunk that was frozen for it is one that no refresh can
/// write to.
fn keeps_an_aggregate(desired: &Desired) -> Diagnostic {
    let message = "what a continuous aggregate has made is not dropped out of the table that keeps it";
    Diagnostic::error(&code::WRONG_VALUE, message)
        .at(desired.place_of(DROP))
        .why("TimescaleDB drops it through the aggregate alone, and refuses anything else")
        .help("write `drop: false` to archive it and keep it; the aggregate's own `retention` drops what is old")
}

/// A table whose rows are parted by something that is no time and no number, such as UUIDs of version 7 (TimescaleDB
/// 2.23 and newer): a range of time says nothing of them, and what is archived could not be brought back by it.
fn untimely(desired: &Desired, relation: &Relation) -> Option<Diagnostic> {
    let time = relation.column(&relation.hypertable.as_ref()?.time()?.column)?;
    let is_time = [types::DATE, types::TIMESTAMP, types::TIMESTAMPTZ].contains(&time.base_type);
    if is_time || time.is_integer() {
        return None;
    }
    let message = format!(
        "{} is partitioned by `{}`, of the type {}, and cannot be archived",
        relation.name, time.name, time.type_name
    );
    let found = Diagnostic::error(&NOT_KEPT, message)
        .at(&desired.place)
        .why("what is archived is told by ranges of time, which the values of that column cannot be compared with")
        .help("take this section out; a `retention` section works for such a table");
    Some(found)
}

/// What a store's document says that the work needs.
pub const FOR_THE_WORK: [&str; 5] = [
    archive_store::PATH,
    archive_store::S3,
    archive_store::ENCRYPTION,
    archive_store::COMPRESSION,
    archive_store::ROW_GROUP,
];

/// The resource together with what its store says; `None` where nobody describes that.
pub fn whole(desired: &Desired, all: &BTreeMap<Address, Desired>) -> Option<Desired> {
    let mut whole = desired.clone();
    if let Some(store) = store(desired, all) {
        // And what tells what is due: a plan carries all of it.
        let names = FOR_THE_WORK.into_iter().chain([archive_store::KEEP]);
        let said = names.filter_map(|name| Some((name, store.get(name)?)));
        whole.attributes.extend(said.map(|(name, value)| (name.to_owned(), value.clone())));
    }
    let is_said = |name: &str| whole.get(name).is_some();
    let is_somewhere = is_said(archive_store::PATH) || is_said(archive_store::S3);
    let is_whole = is_somewhere && is_said(archive_store::COMPRESSION) && is_said(archive_store::ROW_GROUP);
    is_whole.then_some(whole)
}

/// The database keeps nothing of what a policy says of an archive but what has been done: the rest is as
/// the policy has it.
pub fn identify(found: Vec<Live>, desired: &BTreeMap<Address, Desired>) -> Vec<Live> {
    let known = |mut live: Live| {
        let wanted = desired.get(&live.address).and_then(|wanted| whole(wanted, desired));
        tell(&mut live, wanted.as_ref(), &|_| false);
        for (name, value) in wanted.into_iter().flat_map(|wanted| wanted.attributes) {
            live.attributes.entry(name).or_insert(value);
        }
        live
    };
    found.into_iter().map(known).collect()
}

/// Says what is due of what the database has told, as a policy has it.
fn tell(live: &mut Live, wanted: Option<&Desired>, is_missed: &dyn Fn(&Kept<'_>) -> bool) {
    let drops = wanted.is_some_and(|wanted| wanted.get(DROP) == Some(&Value::Bool(true)));
    let store = wanted.and_then(|wanted| wanted.get(TO)).and_then(Value::as_text);
    observe::tell(live, drops, store, is_missed);
}

/// What tells whether a copy is not there.
pub type IsMissed = Box<dyn Fn(&Kept<'_>) -> bool>;

/// The resource once somebody has looked into the store: what bears the mark of a copy that is not there is due. Nothing
/// where nothing bears one, or it is to be copied again in any case.
///
/// # Errors
/// What `look` fails with, which gives what tells whether a copy is missed.
pub fn looked_up<E>(
    live: &Live,
    wanted: &Desired,
    look: impl FnOnce() -> Result<IsMissed, E>,
) -> Result<Option<Live>, E> {
    let drops = wanted.get(DROP) == Some(&Value::Bool(true));
    if drops || observe::all_kept(live).next().is_none() {
        return Ok(None);
    }
    let mut live = live.clone();
    tell(&mut live, Some(wanted), &*look()?);
    Ok(Some(live))
}

/// What the policies alone tell.
pub fn check(desired: &Desired, all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    checks::age(desired, AFTER, all, sink);
    check_store(desired, all, sink);
    check_keep(desired, all, sink);
    check_retention(desired, all, sink);
    check_columnstore(desired, all, sink);
    check_backups(desired, all, sink);
}

/// What is dropped while a backup can still bring back a moment before that is then in the table and in the
/// archive.
fn check_backups(desired: &Desired, all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    let Some(Value::Interval(after)) = desired.get(AFTER) else { return };
    if desired.get(DROP) != Some(&Value::Bool(true)) {
        return;
    }
    for backup in all.values().filter(|other| other.address.kind == backup::ID) {
        let Some(Value::Interval(window)) = backup.get(backup::KEEP_WAL) else { continue };
        if !window.can_exceed(after) {
            continue;
        }
        let message = format!("chunks are dropped after {after}, and backups can bring back any moment of {window}");
        sink.push(
            Diagnostic::error(&code::POLICY_CONFLICT, message)
                .at(desired.place_of(AFTER))
                .and_at(backup.place_of(backup::KEEP_WAL), "how far back a backup reaches")
                .why("a server that is restored to a moment before the drop has the rows in its table that are in the archive as well: who reads both counts them twice")
                .help("archive later, or keep less WAL"),
        );
    }
}

/// The store that a table's archive is in, by its document.
pub fn store<'a>(desired: &Desired, all: &'a BTreeMap<Address, Desired>) -> Option<&'a Desired> {
    all.get(&Address::global(archive_store::ID, desired.get(TO)?.as_text()?))
}

fn check_store(desired: &Desired, all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    let Some(name) = desired.get(TO).and_then(Value::as_text) else { return };
    if store(desired, all).is_some() {
        return;
    }
    let known: Vec<&str> =
        all.keys().filter(|a| a.kind == archive_store::ID).map(|address| address.name.as_str()).collect();
    let nearest = known.iter().map(|known| (strsim::jaro_winkler(known, name), *known));
    let help = match nearest.filter(|(score, _)| *score > 0.7).max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None if known.is_empty() => {
            format!("describe it: `kind: archive_store`, `name: {name}`, `location: {{path: /var/lib/chronoform}}`")
        }
        None => format!("those that there are: {}", known.join(", ")),
    };
    let message = format!("no policy describes an archive store `{name}`");
    sink.push(Diagnostic::error(&UNKNOWN_STORE, message).at(desired.place_of(TO)).help(help));
}

/// What is archived later than it is kept would be removed as soon as it is there.
fn check_keep(desired: &Desired, all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    let Some(store) = store(desired, all) else { return };
    let (Some(Value::Interval(after)), Some(Value::Interval(keep))) =
        (desired.get(AFTER), store.get(archive_store::KEEP))
    else {
        return;
    };
    if !after.can_reach(keep) {
        return;
    }
    let name = &store.address.name;
    sink.push(
        Diagnostic::error(
            &code::POLICY_CONFLICT,
            format!("chunks go to `{name}` after {after}, which keeps them for {keep}"),
        )
        .at(desired.place_of(AFTER))
        .and_at(store.place_of(archive_store::KEEP), "how long they are kept")
        .why("both are counted from the end of a chunk's range: it would be removed as soon as it is there")
        .help("archive earlier, or keep for longer"),
    );
}

/// With `drop: true` the section's own resource stands for the retention policy that must not be. One
/// that the document writes itself, of whichever kind, is told as two that claim one resource.
fn check_retention(desired: &Desired, all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    let Some(retention) = checks::sibling(desired, "retention", all) else { return };
    if retention.ensure == Ensure::Absent {
        return;
    }
    sink.push(
        Diagnostic::error(&NOT_ARCHIVED, "a retention policy drops chunks whether or not they are archived")
            .at(&retention.place)
            .and_at(&desired.place, "the archive")
            .why("it runs by itself, and asks nobody")
            .help("take `retention` out and write `drop: true` in `archive`: `after` is then the age to drop by"),
    );
}

fn check_columnstore(desired: &Desired, all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    let Some(columnstore) = checks::sibling(desired, "columnstore", all) else { return };
    let (Some(after), Some(converts)) = (desired.get(AFTER), columnstore.get("after")) else { return };
    let late = match (after, converts) {
        (Value::Interval(a), Value::Interval(c)) => c.can_reach(a),
        (Value::Int(a), Value::Int(c)) => c >= a,
        _ => false,
    };
    if late && desired.get(DROP) == Some(&Value::Bool(true)) {
        let message = format!("chunks are archived and dropped after {after}, before the columnstore takes them");
        sink.push(
            Diagnostic::warning(&code::POLICY_CONFLICT, message)
                .at(desired.place_of(AFTER))
                .and_at(columnstore.place_of("after"), "the columnstore's age")
                .why("no chunk lives long enough to be converted")
                .help("convert earlier, archive later, or leave the columnstore's policy out"),
        );
    }
}
