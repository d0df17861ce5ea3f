//! What is known of backups and drills, whoever made them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::Bytes;
use crate::ops::backup::timeline::History;
use crate::ops::backup::wal::{Lsn, Segment};

/// The sorts of backup.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// Of everything.
    Full,
    /// Of what has changed since another.
    Incremental,
}

impl Sort {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
        }
    }

    /// Reads that word.
    pub fn read(word: &str) -> Option<Self> {
        [Self::Full, Self::Incremental].into_iter().find(|sort| sort.as_str() == word)
    }
}

/// A backup that can be brought back, as far as is known.
#[derive(Clone, PartialEq, Debug)]
pub struct Backup {
    /// Its name.
    pub label: String,
    /// Its sort.
    pub sort: Sort,
    /// The backup that it is what has changed since, for an incremental one.
    pub prior: Option<String>,
    /// The cluster's system identifier.
    pub cluster: String,
    /// The server's version, as `SHOW server_version_num` has it; at least its major part.
    pub server_version: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it was done.
    pub stopped: Timestamp,
    /// The same by the server's clock, by which moments are gone back to: nothing that was committed later is in it.
    pub ended: Timestamp,
    /// The WAL that must be replayed before it is consistent, in the order of time.
    pub wal: Vec<WalRange>,
    /// The size of a WAL segment.
    pub segment_bytes: u64,
    /// Whether that WAL is in the backup itself.
    pub has_wal: bool,
    /// How large the server's files are, all of them together.
    pub data_bytes: Bytes,
    /// How large it is in the repository.
    pub bytes: Bytes,
    /// Settings that a server needs to start from it, as far as they are known.
    pub settings: BTreeMap<String, String>,
}

impl Backup {
    /// One that goes on from another, which is not there or does not count.
    pub fn without_prior(self) -> Damaged {
        let why = format!("it goes on from {}, which does not count", self.prior.as_deref().unwrap_or_default());
        Damaged::backup(self, why)
    }

    /// Where the WAL that it needs ends.
    pub fn ends(&self) -> Option<Lsn> {
        self.wal.iter().map(|range| range.until).max()
    }

    /// Where its WAL begins.
    pub fn begin(&self) -> Option<Segment> {
        let range = self.wal.first()?;
        Some(Segment::at(range.timeline, range.from, self.segment_bytes))
    }
}

/// A stretch of WAL on one timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WalRange {
    /// The timeline.
    pub timeline: u32,
    /// Where it begins.
    pub from: Lsn,
    /// Where it ends.
    pub until: Lsn,
}

/// What came of a drill.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Drill {
    /// When it began.
    pub started: Timestamp,
    /// The backup that was brought back.
    pub label: String,
    /// The moment to which the server was recovered, in words.
    pub target: String,
    /// Seconds for copying the files back.
    pub restore_seconds: f64,
    /// Seconds from the start of the server until it took connections, recovered.
    pub recovery_seconds: f64,
    /// Seconds until what was committed was in the repository.
    pub lag_seconds: Option<f64>,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// Who did it.
    pub tool_version: String,
}

/// One thing that a drill looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// What.
    pub what: String,
    /// What was found.
    pub found: String,
    /// Whether that is as it should be.
    pub fine: bool,
}

impl Drill {
    /// Whether everything was as it should be.
    pub fn is_passed(&self) -> bool {
        self.checks.iter().all(|check| check.fine)
    }
}

/// Something that cannot be trusted.
#[derive(Clone, PartialEq, Debug)]
pub struct Damaged {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// Which backup that is, where it is one of which all else is known.
    pub backup: Option<Backup>,
}

impl Damaged {
    /// A backup that does not count.
    pub fn backup(backup: Backup, why: String) -> Self {
        Self { what: backup.label.clone(), why, backup: Some(backup) }
    }

    /// Anything else.
    pub fn other(what: impl Into<String>, why: String) -> Self {
        Self { what: what.into(), why, backup: None }
    }
}

/// What is in a repository.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Every whole backup, oldest first.
    pub backups: Vec<Backup>,
    /// What cannot be trusted, and why.
    pub damaged: Vec<Damaged>,
    /// Every drill, oldest first.
    pub drills: Vec<Drill>,
    /// When everything was read again last.
    pub verified: Option<Timestamp>,
    /// How the newest timeline came about, where there is more than one.
    pub history: Option<History>,
    /// Where somebody has looked: the first segment that is missing on the way on from the newest backup that archived WAL
    /// goes on from.
    pub broken: Option<String>,
}

impl Contents {
    /// Where the server has left the timeline that a backup is of, before that was done; see [`History`].
    pub fn left_before(&self, backup: &Backup) -> Option<(u32, Option<Lsn>)> {
        self.history.as_ref()?.left_before(backup)
    }

    /// The same in words.
    pub fn left_behind(&self, backup: &Backup) -> Option<String> {
        let (timeline, place) = self.left_before(backup)?;
        Some(match place {
            Some(place) => format!("timeline {timeline}, left at {place}"),
            None => format!("timeline {timeline}"),
        })
    }

    /// Whatever else is there of backups: those that do not count.
    pub fn suspects(&self) -> impl Iterator<Item = &Backup> {
        self.damaged.iter().filter_map(|damaged| damaged.backup.as_ref())
    }

    /// The backups of the past that the server has, oldest first.
    pub fn own(&self) -> impl DoubleEndedIterator<Item = &Backup> {
        self.backups.iter().filter(|backup| self.left_before(backup).is_none())
    }

    /// The same, where no backup is older than one whose WAL is before its own: one that a machine has made whose clock
    /// was behind is taken to be as new as that.
    #[must_use]
    pub fn by_wal(mut self) -> Self {
        let mut order: Vec<(Option<Lsn>, usize)> = (0..self.backups.len())
            .filter_map(|at| self.backups.get(at).filter(|it| self.left_before(it).is_none()).map(|it| (it.ends(), at)))
            .collect();
        order.sort();
        let mut latest: Option<(Timestamp, Timestamp, Timestamp)> = None;
        for (_, at) in order.into_iter().filter(|(ends, _)| ends.is_some()) {
            let Some(backup) = self.backups.get_mut(at) else { continue };
            if let Some((started, stopped, ended)) = latest {
                backup.started = backup.started.max(started);
                backup.stopped = backup.stopped.max(stopped);
                backup.ended = backup.ended.max(ended);
            }
            latest = Some((backup.started, backup.stopped, backup.ended));
        }
        self.backups.sort_by(|a, b| a.started.cmp(&b.started).then_with(|| a.ends().cmp(&b.ends())));
        self
    }

    /// Backups that bear an earlier moment than one whose WAL is before theirs.
    pub fn behind(&self) -> Vec<&Backup> {
        let by_wal = self.clone().by_wal();
        let was =
            |backup: &&Backup| by_wal.backups.iter().any(|it| it.label == backup.label && it.started != backup.started);
        self.backups.iter().filter(was).collect()
    }

    /// The newest of them, by the WAL that it ends with, and not by a clock.
    pub fn newest(&self) -> Option<&Backup> {
        self.own().max_by_key(|backup| backup.ends())
    }
}

/// A backup for tests.
#[cfg(test)]
pub fn sample(label: &str) -> Backup {
    Backup {
        label: label.to_owned(),
        sort: Sort::Full,
        prior: None,
        cluster: "1".to_owned(),
        server_version: 170_000,
        started: Timestamp::UNIX_EPOCH,
        stopped: Timestamp::UNIX_EPOCH,
        ended: Timestamp::UNIX_EPOCH,
        wal: Vec::new(),
        segment_bytes: 1 << 24,
        has_wal: false,
        data_bytes: Bytes(0),
        bytes: Bytes(0),
        settings: BTreeMap::new(),
    }
}

/// A drill for tests, which passed.
#[cfg(test)]
pub fn drill_at(started: Timestamp) -> Drill {
    Drill {
        started,
        label: String::new(),
        target: String::new(),
        restore_seconds: 0.0,
        recovery_seconds: 0.0,
        lag_seconds: None,
        checks: Vec::new(),
        tool_version: String::new(),
    }
}
