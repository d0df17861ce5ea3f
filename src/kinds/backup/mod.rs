//! `backup`: copies of the whole server that are to be made, proved, drilled and expired.
//!
//! The document makes two sorts of resource. What the server must be set to before a backup can work
//! are settings like any other, which `apply` makes true. What must happen again and again is work: each
//! piece is a resource of this kind whose one compared attribute says whether it is as scheduled, and
//! `run backup` closes the difference. Whether something is due is told by the repository and not by the
//! database: whoever looks there gives this kind its live side.

mod desired;
mod document;
mod observe;
mod pgbackrest;
mod rules;
pub mod schedule;
mod settle;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::BTreeMap;

use schemars::JsonSchema as _;

use crate::core::{
    Address, ClosedBy, Delta, Desired, KindId, Live, Op, Operation, Query, Row, RowError, Server, Task, Value,
};
use crate::diag::{Code, Diagnostic, Exit};
use crate::kinds::{Export, Judgement, Kind, Relations, Rules, Scope, Section, View};

pub use desired::told;
pub use weigh::TASK;

/// The kind's name.
pub const ID: KindId = KindId::new("backup");
/// The one attribute that is compared.
pub const STATE: &str = "state";
/// What it is when nothing is to be done.
pub const ON_SCHEDULE: &str = "on schedule";

/// What makes the backups.
pub const ENGINE: &str = "engine";
/// What [`ENGINE`] says of PostgreSQL's own programs.
pub const NATIVE: &str = "native";
/// What it says of pgBackRest.
pub const PGBACKREST: &str = "pgbackrest";
/// The repository's folder; for pgBackRest the one with its configuration.
pub const PATH: &str = "path";
/// pgBackRest's name for the cluster.
pub const STANZA: &str = "stanza";
/// The program of pgBackRest.
pub const PROGRAM: &str = "program";
/// The folder with the server's programs, where it is said.
pub const PROGRAMS: &str = "programs";
/// When a full backup is due, in cron's form.
pub const FULL: &str = "full";
/// When an incremental one is.
pub const INCREMENTAL: &str = "incremental";
/// Whether WAL is archived, so that a backup can do without its own.
pub const WAL: &str = "wal";
/// How long WAL may take to reach the repository.
pub const MAX_LAG: &str = "max_lag";
/// How often.
pub const EVERY: &str = "every";
/// How many full backups are kept.
pub const KEEP_FULL: &str = "keep_full";
/// How far back in time the server can be brought.
pub const KEEP_WAL: &str = "keep_wal";
/// How much may be lost.
pub const RPO: &str = "rpo";
/// How long bringing it back may take.
pub const RTO: &str = "rto";
/// How long a backup may take.
pub const WINDOW: &str = "window";

/// The fact that says which sort of backup is due: `full` or `incremental`.
pub const DUE: &str = "due";
/// The fact that lists what is to go.
pub const EXPIRES: &str = "expires";

/// The pieces of work that a document makes, by the names of their resources. They are done in the order of
/// these: nothing expires where what is kept has just been found damaged.
pub mod work {
    /// A backup.
    pub const BACKUP: &str = "backup";
    /// Everything in the repository read again.
    pub const VERIFY: &str = "checksums";
    /// The server brought back, aside.
    pub const DRILL: &str = "drill";
    /// Backups that are no longer needed.
    pub const EXPIRE: &str = "expire";
}

static ENGINE_CANNOT: Code = Code::new("engine-cannot", "Something that the chosen engine of a backup does not do.");
static BAD_SCHEDULE: Code = Code::new("bad-schedule", "A schedule that is none.");
static TWO_BACKUPS: Code = Code::new("two-backups", "Two documents that would archive one server's WAL.");
static NOT_READY: Code =
    Code::new("backup-not-ready", "A server that is not set up yet for the backups of its policy.");
/// A repository that cannot be used.
pub static REPOSITORY: Code =
    Code::new("repository-unusable", "A repository of backups that cannot be read or written.");
/// A backup that is not whole.
pub static NOT_WHOLE: Code =
    Code::new("backup-not-whole", "A backup, or WAL that it needs, that is missing or damaged.");
/// A repository that another key was made for.
pub static WRONG_KEY: Code =
    Code::new("repository-key-wrong", "A repository that cannot be decrypted with the key that it is to have.");
/// A repository whose storage lets nobody in.
pub static REFUSED: Code =
    Code::new("repository-refused", "A repository's bucket that refuses the key or the secret that it is given.");
/// A repository's bucket that is not there.
pub static NO_BUCKET: Code = Code::new("repository-missing", "A repository's bucket that is not there.");
/// A repository's storage that does not answer as it should.
pub static UNREACHABLE: Code = Code::new(
    "repository-unreachable",
    "A repository's storage that cannot be reached, or does not do what it is asked.",
);
/// A repository's storage whose certificate is not trusted.
pub static UNTRUSTED: Code =
    Code::new("repository-untrusted", "A repository's storage whose certificate is not one that is trusted.");
/// A restore that was refused or failed.
pub static NOT_RESTORED: Code =
    Code::new("restore-impossible", "A backup that could not be brought back; nothing that was there is touched.");
/// WAL that was not taken.
pub static NOT_PUSHED: Code =
    Code::new("wal-not-archived", "WAL that could not be brought to the repository; it stays on the server.");
/// WAL that is there and cannot be given: a server that went on without it would lose what is in it.
pub static WAL_NOT_GIVEN: Code = Code {
    name: "wal-not-given",
    about: "WAL that is in the repository and cannot be given to a server that recovers.",
    exit: Exit::Abort,
};
/// A server that is not the one that the repository goes on with.
pub static LEFT: Code =
    Code::new("timeline-left", "A server on a timeline that its repository has left: another one archives there.");
/// Backups that would hold one another, and go with the server's disk.
pub static INSIDE: Code = Code::new("repository-in-data", "A repository inside the server's own data folder.");
/// WAL that the server has archived last, and that is not there.
pub static WAL_LOST: Code =
    Code::new("wal-lost", "WAL that the server has archived, and that is not in the repository.");
/// The server was not asked for that.
pub static NOT_ASKED: Code = Code::new(
    "wal-not-asked",
    "Whether the repository has what the server archived last is not known: the server was not asked.",
);
/// What was written down by a clock that was ahead.
pub static OF_THE_FUTURE: Code = Code::new(
    "backup-of-the-future",
    "A backup, a drill or a verify that bears a moment that has not come: it counts for nothing as the last one.",
);
/// What was made while a clock was behind.
pub static OF_THE_PAST: Code = Code::new(
    "backup-of-the-past",
    "A backup that bears an earlier moment than one whose WAL is before its own: it is taken to be as new as that.",
);
/// WAL that nothing archives, and the server keeps.
pub static PILES_UP: Code =
    Code::new("wal-piles-up", "A server that keeps its WAL until it is archived, and has nothing that archives it.");
/// Two clocks that do not agree.
pub static APART_CLOCKS: Code = Code::new(
    "clocks-apart",
    "This machine's clock and the server's do not say the same, and backups are due by this one's.",
);
/// Every code of the kind.
pub static CODES: [&Code; 22] = [
    &PILES_UP,
    &OF_THE_PAST,
    &APART_CLOCKS,
    &OF_THE_FUTURE,
    &WAL_LOST,
    &INSIDE,
    &LEFT,
    &NOT_ASKED,
    &REFUSED,
    &NO_BUCKET,
    &UNREACHABLE,
    &UNTRUSTED,
    &WRONG_KEY,
    &WAL_NOT_GIVEN,
    &ENGINE_CANNOT,
    &BAD_SCHEDULE,
    &TWO_BACKUPS,
    &NOT_READY,
    &REPOSITORY,
    &NOT_WHOLE,
    &NOT_RESTORED,
    &NOT_PUSHED,
];

/// The kind.
pub struct Backup;

static SECTIONS: [Section; 1] = [Section {
    document: "backup",
    key: "",
    repeated: false,
    schema: document::Backup::json_schema,
    expand: desired::expand,
}];

impl Kind for Backup {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "backup"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        &SECTIONS
    }

    fn closed_by(&self) -> ClosedBy {
        ClosedBy::Run(Operation::Backup)
    }

    fn codes(&self) -> &'static [&'static Code] {
        &CODES
    }

    fn observe(&self, _server: &Server, _scope: &Scope) -> Option<Query> {
        observe::query()
    }

    fn read(&self, rows: &[Row], _relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows)
    }

    fn export(&self, _live: &Live, _view: &View<'_>) -> Export {
        Export::Nothing
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        settle::settle(desired, view, sink)
    }

    fn check(&self, own: &[&Desired], _all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        settle::check(own, sink);
    }

    fn items(
        &self,
        _template: &str,
        delta: &Delta,
        _weights: &[Row],
        view: &View<'_>,
    ) -> Result<Option<Vec<Value>>, RowError> {
        Ok(Some(weigh::items(delta, view)))
    }

    fn task(&self, item: &Value) -> Option<Task> {
        weigh::task(item)
    }

    fn judge(&self, delta: &Delta, op: Op, _weights: &[Row], _view: &View<'_>) -> Result<Judgement, RowError> {
        Ok(weigh::judge(delta, op))
    }
}
