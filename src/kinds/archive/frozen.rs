//! Chunks that a run has begun with and frozen, and that are frozen still: it was cut off, or is going on now. They
//! refuse writes, and nothing drops them, neither the archive nor a retention policy.

use std::collections::BTreeSet;

use crate::core::{Ensure, Live, Row, RowError, Server, Value};
use crate::diag::Diagnostic;
use crate::kinds::archive::observe::DUE;
use crate::kinds::archive::{FROZEN, ID};
use crate::kinds::{View, chunks};

/// The fact that lists them: of each its OID and its name, as SQL has it.
pub const LEFT: &str = "frozen";

/// Fills in a query: `{frozen}` becomes a CTE of the hypertables, which the given parameter lists.
pub fn on(sql: &str, hypertables: &str, server: &Server) -> String {
    let is_chunk = chunks::is_chunk("ch", "n", "c", server);
    let frozen = include_str!("frozen.sql").trim_end().replace("{hypertables}", hypertables);
    sql.replace("{frozen}", &frozen.replace("{is_chunk}", &is_chunk))
}

/// Those of a row.
///
/// # Errors
/// When the row is not as the query gives it.
pub fn read(row: &Row) -> Result<Vec<Value>, RowError> {
    let each = row.texts("frozen_chunks")?.into_iter().zip(row.texts("frozen_names")?);
    let text = |text: Option<String>| Value::text(text.unwrap_or_default());
    Ok(each.map(|(oid, name)| Value::List(vec![text(oid), text(name)])).collect())
}

/// Tells of them: who writes rows of that time is refused meanwhile, and no error of the server says why.
pub fn tell(view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    for live in view.live.values().filter(|live| live.address.kind == ID) {
        let due = due(live);
        let (goes_on, given_up): (Vec<_>, Vec<_>) = left(live).partition(|(oid, _)| due.contains(*oid));
        let desired = view.desired.get(&live.address).filter(|desired| desired.ensure == Ensure::Present);
        let on = live.on.as_ref().map_or_else(String::new, ToString::to_string);
        let mut say = |chunks: Vec<(&str, &str)>, help: &dyn Fn(&str) -> String| {
            let Some((_, first)) = chunks.first() else { return };
            let names = Vec::from_iter(chunks.iter().map(|(_, name)| *name)).join(", ");
            let (refuse, frozen) = match chunks.len() {
                1 => (format!("1 chunk of {on} refuses writes"), "it is frozen"),
                more => (format!("{more} chunks of {on} refuse writes"), "they are frozen"),
            };
            let message = format!("{refuse}: a run of the archive has begun with {names} and not ended its work");
            let why = format!("as long as {frozen}, no row of that time can be written, and nothing drops one");
            let told = Diagnostic::warning(&FROZEN, message).why(why).help(help(first));
            sink.push(match desired {
                Some(desired) => told.at(&desired.place),
                None => told,
            });
        };
        let thaw = |name: &str| {
            let name = name.replace('\'', "''");
            format!("`SELECT _timescaledb_functions.unfreeze_chunk('{name}')`, which loses nothing")
        };
        say(goes_on, &|name| {
            format!("`chronoform run archive` goes on with it, unless one is at work now; or thaw each: {}", thaw(name))
        });
        say(given_up, &|name| format!("no run goes on with it by these policies: thaw each: {}", thaw(name)));
    }
}

fn left(live: &Live) -> impl Iterator<Item = (&str, &str)> {
    live.fact(LEFT).map(Value::as_list).unwrap_or_default().iter().filter_map(|chunk| match chunk.as_list() {
        [oid, name] => Some((oid.as_text()?, name.as_text()?)),
        _ => None,
    })
}

/// The OIDs of what is due.
fn due(live: &Live) -> BTreeSet<String> {
    let due = live.fact(DUE).map(Value::as_list).unwrap_or_default();
    let oid = |chunk: &Value| if let Value::Map(entries) = chunk { entries.get("oid")?.as_int() } else { None };
    due.iter().filter_map(oid).map(|oid| oid.to_string()).collect()
}
