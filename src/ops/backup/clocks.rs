//! Two clocks: the server's and this machine's. Either may be wrong, and what is written down by one that was ahead
//! bears a moment that has not come. Such a record is there, and counts for nothing as the last of its sort: nobody
//! knows when it was made.

use jiff::{SignedDuration, Timestamp};

use crate::diag::Diagnostic;
use crate::kinds::backup::{APART_CLOCKS, OF_THE_FUTURE, OF_THE_PAST};
use crate::ops::backup::record::Contents;

/// By how much clocks of machines differ that are kept right.
const APART: SignedDuration = SignedDuration::from_mins(5);

/// What the two of them say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clocks {
    own: Timestamp,
    server: Timestamp,
}

impl Clocks {
    /// This machine's alone.
    pub fn own() -> Self {
        let own = Timestamp::now();
        Self { own, server: own }
    }

    /// This machine's, and what the server's said, in microseconds since 1970.
    pub fn with(server: i64) -> Self {
        let own = Timestamp::now();
        Self { own, server: Timestamp::from_microsecond(server).unwrap_or(own) }
    }

    /// Two that are told.
    #[cfg(test)]
    pub fn at(own: Timestamp, server: Timestamp) -> Self {
        Self { own, server }
    }

    /// What is due goes by this machine's.
    pub fn now(self) -> Timestamp {
        self.own
    }

    /// The earlier of the two: nothing is taken for older than it is.
    pub fn earlier(self) -> Timestamp {
        self.own.min(self.server)
    }

    /// Whether a moment has not come by either.
    pub fn is_ahead(self, at: Timestamp) -> bool {
        let latest = self.own.max(self.server);
        latest.checked_add(APART).is_ok_and(|latest| at > latest)
    }

    /// What is there but what bears a moment that has not come.
    pub fn come(self, contents: &Contents) -> Contents {
        let mut come = contents.clone();
        come.backups.retain(|backup| !self.is_ahead(backup.started));
        come.drills.retain(|drill| !self.is_ahead(drill.started));
        come.verified = come.verified.filter(|at| !self.is_ahead(*at));
        come.by_wal()
    }

    /// That this machine's clock and the server's are not the same, by which what is due may never come to be.
    pub fn apart(self) -> Option<Diagnostic> {
        let apart = self.own.duration_since(self.server).abs();
        let message = || {
            let said = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
            format!("this machine's clock says {}, and the server's {}", said(self.own), said(self.server))
        };
        (apart > APART).then(|| {
            Diagnostic::warning(&APART_CLOCKS, message())
                .why("what is due goes by this machine's, and what is made now bears its moment")
                .help("set the wrong one right")
        })
    }

    /// Backups that were made while a clock was behind, as they are told.
    pub fn behind(place: &str, contents: &Contents) -> Option<Diagnostic> {
        let behind = contents.behind();
        if behind.is_empty() {
            return None;
        }
        let labels = behind.iter().map(|backup| backup.label.as_str()).collect::<Vec<_>>().join(", ");
        let message =
            format!("{place} has backups that bear an earlier moment than others whose WAL is before theirs: {labels}");
        Some(
            Diagnostic::warning(&OF_THE_PAST, message)
                .why("the clock of the machine that made them was behind; they are taken to be as new as those, for `keep` and for what a moment is gone back to from")
                .help("set the clock right"),
        )
    }

    /// What bears a moment that has not come, as it is told.
    pub fn told(self, place: &str, contents: &Contents) -> Option<Diagnostic> {
        let ahead = |at: &Timestamp| self.is_ahead(*at);
        let said = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        let backups = contents.backups.iter().filter(|backup| ahead(&backup.started));
        let mut found: Vec<String> = backups.map(|backup| backup.label.clone()).collect();
        let help = match found.is_empty() {
            true => HELP.to_owned(),
            false => format!("{HELP}. {PGBACKREST}"),
        };
        let drills = contents.drills.iter().map(|drill| drill.started).filter(ahead);
        found.extend(drills.map(|at| format!("the drill of {}", said(at))));
        let verified = contents.verified.filter(ahead);
        found.extend(verified.map(|at| format!("that everything was read again on {}", said(at))));
        if found.is_empty() {
            return None;
        }
        let message = format!("{place} has what bears a moment that has not come: {}", found.join(", "));
        Some(
            Diagnostic::warning(&OF_THE_FUTURE, message)
                .why("the clock of the machine that made it was ahead, or this one's is behind; until then it counts for nothing as the last of its sort")
                .help(help),
        )
    }
}

const HELP: &str = "set the clock right; what is due is then done again, and what has come in the end counts again";
/// Seen on 2.45: what has expired is still in its history, and is compared with, too.
const PGBACKREST: &str = "pgBackRest makes no backup (\"is not later than latest backup label\") until `pgbackrest expire \
                          --set=LABEL` has taken that one away and its manifest is removed from `backup.history` in the \
                          repository";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::backup::record::{Backup, WalRange, drill_at, sample};
    use crate::ops::backup::wal::Lsn;

    #[test]
    fn what_has_not_come_by_either_clock_is_ahead() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (noon, later) = (at("2026-11-27T12:00:00Z"), at("2026-11-27T18:00:00Z"));
        let clocks = Clocks { own: noon, server: later };
        assert_eq!((clocks.earlier(), clocks.now()), (noon, noon));
        assert_eq!(Clocks { own: later, server: noon }.earlier(), noon);
        assert!(!clocks.is_ahead(later) && !clocks.is_ahead(at("2026-11-27T18:05:00Z")), "clocks are apart a little");
        assert!(clocks.is_ahead(at("2026-11-27T18:05:01Z")));
        assert!(Clocks { own: later, server: noon }.is_ahead(at("2026-11-27T18:05:01Z")));
        assert!(!Clocks { own: later, server: Timestamp::MAX }.is_ahead(Timestamp::MAX), "there is nothing after it");
    }

    #[test]
    fn what_a_clock_that_was_behind_has_made_is_as_new_as_what_is_before_it() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let made = |label: &str, when: &str, ends: u64| Backup {
            started: at(when),
            stopped: at(when),
            wal: vec![WalRange { timeline: 1, from: Lsn(ends - 1), until: Lsn(ends) }],
            ..sample(label)
        };
        let backups = vec![made("f1", "2026-11-07T01:00:00Z", 10), made("f3", "2026-11-11T01:00:00Z", 30)];
        let contents = Contents {
            backups: [backups, vec![made("f2", "2026-11-22T01:00:00Z", 20)]].concat(),
            ..Contents::default()
        };
        let now = at("2026-11-27T12:00:00Z");
        let come = Clocks::at(now, now).come(&contents);
        let found: Vec<(&str, Timestamp)> = come.backups.iter().map(|it| (it.label.as_str(), it.started)).collect();
        let late = at("2026-11-22T01:00:00Z");
        assert_eq!(found, [("f1", at("2026-11-07T01:00:00Z")), ("f2", late), ("f3", late)]);
        assert!(Clocks::behind("/r", &contents).unwrap().message.ends_with(": f3"));
        assert_eq!(Clocks::behind("/r", &come), None);
        assert!(Clocks::at(now, late).apart().is_some() && Clocks::at(now, now).apart().is_none());
    }

    #[test]
    fn what_is_ahead_is_told_and_left_out() {
        let clocks = Clocks::own();
        let ahead = clocks.now() + SignedDuration::from_hours(24 * 40);
        let mut contents = Contents {
            backups: vec![sample("a"), Backup { started: ahead, ..sample("b") }],
            drills: vec![drill_at(clocks.now()), drill_at(ahead)],
            verified: Some(ahead),
            ..Contents::default()
        };
        let told = clocks.told("/r", &contents).unwrap();
        assert!(
            told.message.contains(": b, the drill of ") && told.message.contains("read again on"),
            "{}",
            told.message
        );
        assert!(told.help.iter().any(|help| help.contains("pgbackrest expire")));
        let come = clocks.come(&contents);
        assert_eq!((come.backups.len(), come.drills.len(), come.verified), (1, 1, None));
        assert_eq!(clocks.told("/r", &come), None);
        contents.backups.clear();
        let told = clocks.told("/r", &contents).unwrap();
        assert!(!told.help.iter().any(|help| help.contains("pgbackrest")));
    }
}
