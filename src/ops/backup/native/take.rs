//! Making a backup. It has its name only once it has been read back and the WAL that it needs is in the
//! repository: what cannot be restored is never taken for a backup.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::apply::Interrupt;
use crate::core::{Param, Query, Row};
use crate::ops::backup::Trouble;
use crate::ops::backup::engine::Making;
use crate::ops::backup::native::repository::{Part, Record, Repository};
use crate::ops::backup::native::{follow, prove};
use crate::ops::backup::programs::{self, Programs};
use crate::ops::backup::record::{Backup, Contents, Sort, WalRange};
use crate::ops::backup::server::{self, About, unexpected};
use crate::ops::backup::state::stamp;
use crate::pg::Session;

/// How often is looked whether WAL has come.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// How long WAL may take to come beyond what the policy allows it.
const BEYOND: Duration = Duration::from_secs(60);

/// What is to be made.
pub struct Order<'a> {
    /// Where.
    pub repository: &'a Repository,
    /// What is there.
    pub contents: &'a Contents,
    /// What is asked for.
    pub making: &'a Making<'a>,
    /// Whose system identifier it is.
    pub cluster: &'a str,
    /// The server's programs.
    pub programs: &'a Programs,
}

/// Makes it.
///
/// # Errors
/// What kept it from being whole. Then there is none.
pub fn take(
    order: &Order<'_>,
    about: &About,
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<Record, Trouble> {
    let (started, label) = name(order.repository, order.making.sort);
    let prior = prior(order)?;
    let folder = order.repository.begin(&label).map_err(|error| Trouble::file(Path::new("the repository"), error))?;
    let made = make(order, about, &label, &folder, prior, session, interrupt, tell);
    if made.is_err() {
        // The next one begins by removing what is left, where this does not.
        let _ = fs::remove_dir_all(&folder);
    }
    let record = Record { started, ..made? };
    order.repository.finish(&folder, &record).map_err(|error| Trouble::file(&folder, error))?;
    Ok(record)
}

/// When it begins, and its label. That names a second, so where another one began in the same, the next second is
/// waited for.
fn name(repository: &Repository, sort: Sort) -> (Timestamp, String) {
    loop {
        let started = Timestamp::now();
        let label = format!("{}-{}", stamp(started), sort.as_str());
        if !repository.backup(&label).exists() {
            return (started, label);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The backup that an incremental one is what has changed since.
fn prior<'a>(order: &Order<'a>) -> Result<Option<&'a Backup>, Trouble> {
    if order.making.sort == Sort::Full {
        return Ok(None);
    }
    let refuse = |message: String| Trouble::Refused {
        message,
        help: "make a full one: `chronoform backup run --type full`".to_owned(),
    };
    // The server refuses to go on from a past that is not its own.
    let Some(prior) = order.contents.newest() else {
        return Err(refuse("there is no backup that an incremental one could go on from".to_owned()));
    };
    if has_tablespaces(&order.repository.record(&prior.label)?.parts) {
        return Err(no_tablespaces());
    }
    Ok(Some(prior))
}

fn has_tablespaces(parts: &[Part]) -> bool {
    parts.iter().any(|part| part.name.ends_with(prove::TAR) && part.name != prove::BASE)
}

fn no_tablespaces() -> Trouble {
    Trouble::Refused {
        message: "the native engine makes no incremental backups of a server with tablespaces".to_owned(),
        help: "make a full one, `chronoform backup run --type full`, and take `incremental` out of the policy"
            .to_owned(),
    }
}

#[expect(clippy::too_many_arguments, reason = "what is made of what, once")]
fn make(
    order: &Order<'_>,
    about: &About,
    label: &str,
    folder: &Path,
    prior: Option<&Backup>,
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<Record, Trouble> {
    let mut command = order.programs.command("pg_basebackup");
    command.args(["--format=tar", "--compress=client-zstd:level=3", "--checkpoint=fast", "--no-password"]);
    command.args(["--manifest-checksums=SHA256", "--progress", "--verbose"]);
    command.arg(format!("--wal-method={}", if order.making.archives { "none" } else { "fetch" }));
    command.arg(format!("--label=chronoform {label}")).arg("--pgdata").arg(folder);
    if let Some(prior) = prior {
        command.arg("--incremental").arg(order.repository.backup(&prior.label).join(super::manifest::NAME));
    }
    for (name, value) in session.endpoint().variables() {
        command.env(name, value);
    }
    let mut progress = |line: &str| {
        // `12345/67890 kB (18%), 0/1 tablespace`
        if line.contains('%') {
            tell(&format!("copying the server's files: {line}"));
        }
    };
    // What it fetches at the end, the server may have removed by then.
    let held = if order.making.archives { None } else { Some(hold_wal(session)?) };
    let archives = follow::while_written(folder, interrupt, || {
        programs::run(command, "pg_basebackup", interrupt, &mut progress).map(drop)
    });
    if let Some(slot) = held {
        // It goes with the session at the latest.
        let _ = session.query(&Query { sql: DROP_SLOT.to_owned(), params: vec![Param::Text(slot)] });
    }
    let archives = archives.map_err(told)?;
    let ended = server::clock(session)?;
    let (manifest, part) = prove::manifest(folder)?;
    prove::compare(folder, &manifest, &archives)?;
    let mut parts: Vec<Part> = archives.into_iter().map(|archive| archive.part).collect();
    if prior.is_some() && has_tablespaces(&parts) {
        return Err(no_tablespaces());
    }
    parts.push(part);
    let verified = Timestamp::now();
    if order.making.archives {
        await_wal(order, about, &manifest.wal, session, interrupt, tell)?;
    }
    Ok(Record {
        format: Record::FORMAT,
        label: label.to_owned(),
        sort: order.making.sort,
        prior: prior.map(|prior| prior.label.clone()),
        cluster: order.cluster.to_owned(),
        server_version: about.version,
        started: verified,
        stopped: Timestamp::now(),
        ended: Some(ended),
        data_bytes: manifest.bytes(),
        wal: manifest.wal,
        segment_bytes: about.segment_bytes,
        has_wal: !order.making.archives,
        parts,
        settings: about.settings.clone(),
        verified,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        digest: String::new(),
    })
}

const DROP_SLOT: &str = "SELECT pg_catalog.pg_drop_replication_slot($1)";

/// Has the server keep all that it writes from now on, by a slot that goes with the session. Gives its name.
fn hold_wal(session: &mut Session) -> Result<String, Trouble> {
    let sql = "SELECT slot_name::text AS slot FROM pg_catalog.pg_create_physical_replication_slot(\
               'chronoform_' || pg_catalog.pg_backend_pid(), immediately_reserve => true, temporary => true)";
    let rows = session.query_text(sql)?;
    let slot = |row: &Row| row.text("slot").map(str::to_owned).map_err(unexpected);
    rows.first().map_or_else(|| Ok(String::new()), slot)
}

/// What kept it from being made. That the server has removed WAL all the same, it was told to.
fn told(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Program(message) if message.contains("has already been removed") => Trouble::Refused {
            message,
            help:
                "the server keeps no more WAL for a backup than `max_slot_wal_keep_size` says: set it to more than is \
                   written meanwhile, or have WAL archived, `wal: {archive: true}`"
                    .to_owned(),
        },
        other => other,
    }
}

/// Waits until the WAL that makes a backup consistent is in the repository.
fn await_wal(
    order: &Order<'_>,
    about: &About,
    ranges: &[WalRange],
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Trouble> {
    let until = Instant::now() + order.making.max_lag + BEYOND;
    let mut told = String::new();
    loop {
        let missing = prove::missing(order.repository, ranges, about.segment_bytes);
        let Some(first) = missing.first() else {
            // What is there and cannot be read is not there.
            return prove::wal_of(order.repository, order.cluster, ranges, about.segment_bytes);
        };
        if interrupt.is_requested() {
            return Err(Trouble::Interrupted);
        }
        if Instant::now() >= until {
            let said = server::archiver(session)?;
            return Err(Trouble::NotWhole(format!(
                "the server has not archived {first}, without which the backup is none{said}"
            )));
        }
        if told != *first {
            tell(&format!("waiting for the server to archive {first}"));
            told.clone_from(first);
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_backups_alone() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::new(folder.path(), "main");
        let (_, first) = name(&repository, Sort::Full);
        fs::create_dir_all(repository.backup(&first)).unwrap();
        assert_ne!(name(&repository, Sort::Full).1, first);
    }
}
