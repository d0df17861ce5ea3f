//! What the policies and the server make impossible.

use std::collections::BTreeMap;

use crate::core::{Address, Desired, KindId, Value, Version};
use crate::diag::{Diagnostic, code};
use crate::kinds::View;
use crate::kinds::backup::{ENGINE, INCREMENTAL, NATIVE, NOT_READY, PATH, STATE, TWO_BACKUPS, WAL, work};

/// The first version that makes incremental backups (`summarize_wal`).
const INCREMENTAL_SINCE: Version = Version::new(17, 0);

/// What is to be compared. `None` where nobody has looked into the repository, because the plan is for
/// something else, and where the server is not ready yet.
pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    let is_native = desired.get(ENGINE).and_then(Value::as_text) == Some(NATIVE);
    if let Some(wanted) = desired.get(INCREMENTAL)
        && is_native
        && view.server.version < INCREMENTAL_SINCE
    {
        let message =
            format!("incremental backups (`{wanted}`) need PostgreSQL 17, and this is {}", view.server.version);
        sink.push(
            Diagnostic::error(&code::NEEDS_NEWER_SERVER, message)
                .at(desired.place_of(INCREMENTAL))
                .help("take `incremental` out; full backups can be made as often, and `engine: pgbackrest` makes both"),
        );
        return None;
    }
    let live = view.live.get(&desired.address)?;
    let needs_wal = desired.get(WAL) == Some(&Value::Bool(true));
    if needs_wal && live.get(STATE) != desired.get(STATE) && !archives(view) {
        if desired.address.name == work::BACKUP {
            sink.push(
                Diagnostic::error(
                    &NOT_READY,
                    "the server does not archive its WAL yet, and no backup is whole without it",
                )
                .at(&desired.place)
                .help("run `chronoform apply`, and restart the server if that says so; then run this again"),
            );
        }
        return None;
    }
    Some(desired.clone())
}

/// Whether the server runs with an archive command, as far as the settings in scope tell.
fn archives(view: &View<'_>) -> bool {
    let setting = |name: &str| {
        let address =
            Address { kind: KindId::new("setting"), schema: Some("server".to_owned()), name: name.to_owned() };
        view.live.get(&address)
    };
    let Some(mode) = setting("archive_mode") else { return true };
    let waits = mode.fact("pending").and_then(Value::as_bool).unwrap_or(false);
    let is_on = matches!(mode.get("value").and_then(Value::as_text), Some("on" | "always"));
    // Switched on and not restarted yet, or switched off and still running.
    is_on != waits
}

/// One server has one archive command, and one repository one policy of what is kept in it.
pub fn check(own: &[&Desired], sink: &mut Vec<Diagnostic>) {
    let mut paths: BTreeMap<&str, &Desired> = BTreeMap::new();
    for desired in own.iter().filter(|desired| desired.address.name == work::BACKUP) {
        let Some(path) = desired.get(PATH).and_then(Value::as_text) else { continue };
        if let Some(first) = paths.insert(path, desired) {
            sink.push(
                Diagnostic::error(&TWO_BACKUPS, "two `backup` documents have one repository")
                    .at(desired.place_of(PATH))
                    .and_at(first.place_of(PATH), "first here")
                    .why("each would remove what only the other keeps")
                    .help("give each a folder of its own"),
            );
        }
    }
    let backups = own.iter().filter(|desired| desired.address.name == work::BACKUP);
    let archiving = backups.filter(|desired| desired.get(WAL) == Some(&Value::Bool(true)));
    let by_place: BTreeMap<(&str, usize), &Desired> =
        archiving.map(|desired| ((desired.place.file.as_ref(), desired.place.start), *desired)).collect();
    let mut all = by_place.into_values();
    let Some(first) = all.next() else { return };
    for second in all {
        sink.push(
            Diagnostic::error(&TWO_BACKUPS, "two `backup` documents archive the same server's WAL")
                .at(&second.place)
                .label("again here")
                .and_at(&first.place, "first here")
                .why("a server has one `archive_command`")
                .help("write `wal: {archive: false}` in one of them, or put both into one"),
        );
    }
}
