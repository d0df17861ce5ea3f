//! Chunks that are old enough and that the archive leaves as they are: told whether or not anything is due, because
//! nothing else says why they are never archived, nor dropped.

use crate::core::{Ensure, Live, QualifiedName, Value};
use crate::diag::{Diagnostic, Severity};
use crate::kinds::View;
use crate::kinds::archive::mark::{BESIDE, INSTEAD, Mark};
use crate::kinds::archive::{DROP, ID, LEFT_ALONE, TO, observe, settle};
use crate::kinds::archive_store::KEEP;

/// The fact that lists them: of each why, and its name as SQL has it.
pub const ALONE: &str = "alone";

/// Restored from the archive, and frozen.
const RESTORED: &str = "restored";
/// Frozen by somebody.
const FROZEN: &str = "frozen";
/// With a mark that cannot be read.
const UNREADABLE: &str = "unreadable";

/// How many are named.
const NAMED: usize = 3;

/// Why a chunk is left as it is, if it is: what is frozen and no run has begun with, and what came back from the archive
/// where nobody can tell any more from which copies.
pub fn why(mark: &Mark, frozen: bool) -> Option<&'static str> {
    match mark {
        Mark::Unreadable => Some(UNREADABLE),
        Mark::Begun { .. } => None,
        Mark::Restored { .. } if frozen => Some(RESTORED),
        _ => frozen.then_some(FROZEN),
    }
}

/// An entry of the list.
pub fn entry(why: &str, chunk: &QualifiedName) -> Value {
    Value::texts([why.to_owned(), chunk.to_string()])
}

/// Tells of them.
pub fn tell(view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    for live in view.live.values().filter(|live| live.address.kind == ID) {
        let Some(desired) = view.desired.get(&live.address).filter(|desired| desired.ensure == Ensure::Present) else {
            continue;
        };
        let on = live.on.as_ref().map_or_else(String::new, ToString::to_string);
        let told = [RESTORED, FROZEN, UNREADABLE].into_iter().filter_map(|why| said(&on, why, &of(live, why)));
        sink.extend(told.map(|told| told.at(&desired.place)));
        let outlived = observe::outlived(live);
        if outlived == 0 || desired.get(DROP) == Some(&Value::Bool(true)) {
            continue;
        }
        let keep = desired.get(KEEP).or_else(|| settle::store(desired, view.desired)?.get(KEEP));
        let keep = keep.map_or_else(String::new, ToString::to_string);
        let store = desired.get(TO).and_then(Value::as_text).unwrap_or_default();
        let (chunks, are) = counted(outlived);
        let message =
            format!("{chunks} of {on} {are} not archived, because `{store}` keeps nothing that is older than {keep}");
        let told = Diagnostic::note(&LEFT_ALONE, message)
            .why("with `drop: false` they stay in the table, and what is that old leaves the archive again")
            .help("where they are to be in the archive, let the store's `keep` be longer");
        sink.push(told.at(&desired.place));
    }
}

fn of<'a>(live: &'a Live, why: &str) -> Vec<&'a str> {
    let all = live.fact(ALONE).map(Value::as_list).unwrap_or_default().iter();
    let named = all.filter_map(|entry| match entry.as_list() {
        [of, name] if of.as_text() == Some(why) => name.as_text(),
        _ => None,
    });
    named.collect()
}

fn counted(count: usize) -> (String, &'static str) {
    if count == 1 { ("1 chunk".to_owned(), "is") } else { (format!("{count} chunks"), "are") }
}

fn said(on: &str, why: &str, names: &[&str]) -> Option<Diagnostic> {
    let first = names.first()?;
    let (chunks, are) = counted(names.len());
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named = format!("{}{more}", names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", "));
    let thaw = format!("`SELECT _timescaledb_functions.unfreeze_chunk('{}')`", first.replace('\'', "''"));
    let told = match why {
        RESTORED => Diagnostic::note(
            &LEFT_ALONE,
            format!("{chunks} of {on} that came back from the archive {are} frozen still, and left alone: {named}"),
        )
        .why("as long as a chunk is frozen, nobody can write to it, and neither retention nor the archive takes it")
        .help(format!("thaw each once it is not needed as it is: {thaw}; the next run archives it again")),
        UNREADABLE => Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::note(
                &LEFT_ALONE,
                format!("{chunks} of {on} {are} left alone, whose mark cannot be read: {named}"),
            )
        }
        .why("rows came back into it from the archive, and of which copies, its comment no longer tells")
        .help(format!(
            "compare them with the archive's (`archive restore --into`). Where the table's are all that is to count of that time, \
             `COMMENT ON TABLE {first} IS '{INSTEAD}'`; where none of them is in the archive, '{BESIDE}': the next run goes by that"
        )),
        _ => Diagnostic::note(&LEFT_ALONE, format!("{chunks} of {on} that somebody has frozen {are} left alone: {named}"))
            .why("what is frozen by somebody is to stay as it is")
            .help(format!("where it is to be archived, thaw it: {thaw}")),
    };
    Some(told)
}
