//! Timelines: where a server that was brought back to a moment left what had come after it.
//!
//! Such a server goes on where it was brought back to, and numbers its WAL from there on once more, on a timeline
//! of its own. A backup that was made beyond that place is of a past that the server does not have: recovery to
//! the newest timeline refuses it ("requested timeline … is not a child of this server's history").

use crate::ops::backup::record::Backup;
use crate::ops::backup::wal::Lsn;

/// How the newest timeline came about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History {
    /// The newest timeline.
    pub newest: u32,
    /// Those that it has come from, and where each was left for the next.
    left: Vec<(u32, Lsn)>,
}

impl History {
    /// Reads a timeline's history as PostgreSQL writes it (`timeline.c`): a line for each timeline that it has come
    /// from, with the place where that was left and why. The first timeline has no history.
    ///
    /// # Errors
    /// What is not understood.
    pub fn read(newest: u32, text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let read = |line: &str| {
            let mut words = line.split_whitespace();
            let timeline = words.next()?.parse::<u32>().ok().filter(|timeline| *timeline < newest)?;
            Some((timeline, words.next()?.parse::<Lsn>().ok()?))
        };
        let left = lines.map(|line| read(line).ok_or_else(|| format!("`{line}` is no line of a timeline's history")));
        Ok(Self { newest, left: left.collect::<Result<_, _>>()? })
    }

    /// The timelines that it has come from, oldest first, and where each was left for the next.
    pub fn left(&self) -> &[(u32, Lsn)] {
        &self.left
    }

    /// The name of the file that has it; the first timeline has none.
    pub fn file(timeline: u32) -> Option<String> {
        (timeline > 1).then(|| format!("{timeline:08X}.history"))
    }

    /// The timeline that a backup is of, and where that was left before the backup was done: the server has
    /// another past.
    pub fn left_before(&self, backup: &Backup) -> Option<(u32, Option<Lsn>)> {
        let range = backup.wal.last()?;
        if range.timeline == self.newest {
            return None;
        }
        let left = self.left.iter().find(|(timeline, _)| *timeline == range.timeline).map(|(_, place)| *place);
        match left {
            Some(place) if range.until <= place => None,
            _ => Some((range.timeline, left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::backup::record::{WalRange, sample};

    fn backup(timeline: u32, until: u64) -> Backup {
        let wal = vec![WalRange { timeline, from: Lsn(until - 100), until: Lsn(until) }];
        Backup { wal, ..sample("b") }
    }

    #[test]
    fn what_was_left_behind_is_told_from_what_was_kept() {
        let text =
            "1\t0/5000000\tbefore 2026-11-01 00:00:00+00\n\n# a comment\n3\t0/7000100\tno recovery target specified\n";
        let history = History::read(4, text).unwrap();
        assert_eq!(history.left_before(&backup(1, 0x500_0000)), None);
        assert_eq!(history.left_before(&backup(1, 0x500_0001)), Some((1, Some(Lsn(0x500_0000)))));
        assert_eq!(history.left_before(&backup(2, 0x400_0000)), Some((2, None)));
        assert_eq!(history.left_before(&backup(3, 0x700_0000)), None);
        assert_eq!(history.left_before(&backup(4, 0x900_0000)), None);
        assert_eq!(history.left_before(&Backup { wal: Vec::new(), ..backup(1, 100) }), None);
    }

    #[test]
    fn what_is_no_history_is_none() {
        for text in ["x", "1", "1 5000000", "4\t0/5000000", "5\t0/5000000"] {
            assert!(History::read(4, text).is_err(), "{text}");
        }
        assert_eq!(History::file(1), None);
        assert_eq!(History::file(26).unwrap(), "0000001A.history");
    }
}
