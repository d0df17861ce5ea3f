//! pgBackRest as an engine: a stanza of it, in a folder or in S3, that it makes, proves, expires and restores.
//!
//! What pgBackRest ends with does not tell whether a repository is whole: `verify` ends with 0 whatever it
//! finds, passes over WAL that is missing, and falls back on a copy without a word. So what it says is read,
//! and what it does not look at is looked at here.

mod command;
mod info;
mod reconcile;
mod removal;
mod setup;
mod storage;
mod verdict;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::apply::Interrupt;
use crate::ops::backup::Trouble;
use crate::ops::backup::due;
use crate::ops::backup::engine::{Engine, Finding, Making};
use crate::ops::backup::record::{Backup, Contents, Damaged, Sort};
use crate::ops::backup::restore::{Order, Target, tablespaces};
use crate::ops::backup::server::About;
use crate::ops::backup::state::{State, read_json};
use crate::ops::backup::timeline::History;
use crate::ops::backup::wal::segments;
use crate::ops::backup::way::gaps;
use crate::pg::Session;
use command::{Said, run};
use info::Info;

pub use reconcile::{configure, create, look, provide};
pub use setup::Setup;
pub use storage::StorageTrouble;

/// What is damaged where it is not a backup.
const HISTORY: &str = "the newest timeline's history";

/// The engine, for a cluster's stanza.
pub struct PgBackRest {
    setup: Setup,
    cluster: String,
    state: State,
}

/// That a backup is being made and has not been read back.
#[derive(Serialize, Deserialize)]
struct Unproved {
    /// Those that began then or later count for nothing yet.
    since: Timestamp,
}

impl PgBackRest {
    /// The part of a cluster.
    pub fn new(setup: &Setup, cluster: &str) -> Self {
        Self { state: setup.state(), setup: setup.clone(), cluster: cluster.to_owned() }
    }

    fn unproved_file(&self) -> PathBuf {
        self.state.root().join("unproved.json")
    }

    fn nothing_is_unproved(&self) -> Result<(), Trouble> {
        let file = self.unproved_file();
        std::fs::remove_file(&file).map_err(|error| Trouble::file(&file, error))
    }

    fn info(&self) -> Result<Info, Trouble> {
        self.setup.info()
    }

    /// Every backup of the cluster that pgBackRest knows of, oldest first.
    fn known(&self) -> Result<Vec<Backup>, Trouble> {
        self.info()?.backups(&self.cluster).map_err(Trouble::NotWhole)
    }

    /// How the newest timeline came about, where backups are of another.
    fn history(&self, info: &Info, backups: &[Backup]) -> Result<Option<History>, String> {
        let (Some(newest), Some(folder)) = (info.newest_timeline(&self.cluster), info.archive(&self.cluster)) else {
            return Ok(None);
        };
        let Some(file) = History::file(newest) else { return Ok(None) };
        if backups.iter().flat_map(|backup| &backup.wal).all(|range| range.timeline == newest) {
            return Ok(None);
        }
        let mut command = self.setup.command("repo-get");
        command.arg(format!("archive/{}/{folder}/{file}", self.setup.stanza));
        let text = run(command, Said::Errors, &Interrupt::default(), &mut |_| {}).map_err(|error| error.to_string())?;
        History::read(newest, &text).map(Some)
    }

    /// The names of all segments that are there, in their order, and those that are there twice.
    fn names(&self) -> Result<(Vec<String>, Vec<String>), Trouble> {
        let Some(folder) = self.info()?.archive(&self.cluster) else { return Ok((Vec::new(), Vec::new())) };
        let mut command = self.setup.command("repo-ls");
        command.args(["--recurse", "--output=json"]).arg(format!("archive/{}/{folder}", self.setup.stanza));
        let listed = run(command, Said::Errors, &Interrupt::default(), &mut |_| {})?;
        info::segments(&listed).map_err(Trouble::Program)
    }

    /// Reads everything, and keeps which backups cannot be trusted.
    fn read_all(&self, known: &[Backup], interrupt: &Interrupt) -> Result<Vec<Finding>, Trouble> {
        let mut command = self.setup.command("verify");
        command.args(["--output=text", "--verbose"]);
        let said = run(command, Said::Everything, interrupt, &mut |_| {})?;
        let labels: Vec<&str> = known.iter().map(|backup| backup.label.as_str()).collect();
        let mut found = verdict::of(&said, &labels);
        let (names, twice) = self.names()?;
        for backup in known {
            let missing = segments(&backup.wal, backup.segment_bytes).into_iter().find(|name| !names.contains(name));
            if let Some(name) = missing {
                found.push((backup.label.clone(), Some(format!("{name}, which it needs, is not in the repository"))));
            }
        }
        found.extend(twice.into_iter().map(|name| (format!("WAL {name}"), Some("it is there twice".to_owned()))));
        let history = self.history(&self.info()?, known).unwrap_or_else(|why| {
            found.push((HISTORY.to_owned(), Some(why)));
            None
        });
        found.extend(gaps(known, &names, history.as_ref()));
        let suspects = self.state.keep_suspects(&found, &labels)?;
        // What is wrong with a backup is said once, whatever else is.
        found.retain(|(what, why)| why.is_some() || !suspects.contains_key(what));
        Ok(found)
    }
}

impl Engine for PgBackRest {
    fn state(&self) -> &State {
        &self.state
    }

    fn cluster(&self) -> &str {
        &self.cluster
    }

    fn folders(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.setup.folder.clone()];
        folders.extend(self.setup.repository());
        folders
    }

    fn place(&self) -> String {
        format!("{} (stanza {})", self.setup.folder.display(), self.setup.stanza)
    }

    fn contents(&self) -> Result<Contents, Trouble> {
        let suspects = self.state.suspects();
        let unproved = read_json::<Unproved>(&self.unproved_file());
        let info = self.info()?;
        let mut contents = Contents::default();
        for backup in info.backups(&self.cluster).map_err(Trouble::NotWhole)? {
            let is_new = unproved.as_ref().is_some_and(|unproved| backup.started >= unproved.since);
            match suspects.get(&backup.label) {
                Some(why) => contents.damaged.push(Damaged::backup(backup, why.clone())),
                None if is_new => {}
                None => contents.backups.push(backup),
            }
        }
        // One that goes on from a backup that does not count does not, either.
        let whole = |backup: &Backup| due::chain(&contents, &backup.label).is_some();
        let (whole, orphans): (Vec<Backup>, Vec<Backup>) = contents.backups.clone().into_iter().partition(whole);
        contents.backups = whole;
        for orphan in orphans {
            contents.damaged.push(orphan.without_prior());
        }
        contents.drills = self.state.drills().map_err(|error| Trouble::file(self.state.root(), error))?;
        contents.verified = self.state.verified();
        match self.history(&info, &contents.backups) {
            Ok(history) => contents.history = history,
            // As long as it cannot be read, nothing goes.
            Err(why) => contents.damaged.push(Damaged::other(HISTORY, why)),
        }
        Ok(contents)
    }

    fn wal(&self) -> Result<Vec<String>, Trouble> {
        Ok(self.names()?.0)
    }

    fn newest_wal(&self) -> Option<String> {
        self.names().ok()?.0.pop()
    }

    fn has_wal(&self, segment: &str) -> Result<bool, Trouble> {
        let probe = self.state.root().join(format!("probe-{}", std::process::id()));
        let got = self.give_wal(segment, &probe)?;
        let _ = std::fs::remove_file(&probe);
        Ok(got)
    }

    fn give_wal(&self, segment: &str, to: &Path) -> Result<bool, Trouble> {
        let mut command = self.setup.command("archive-get");
        command.arg(segment).arg(to);
        // It ends with 1 where it is not there.
        command::status(command)
    }

    fn missing_wal(&self, backup: &Backup) -> Result<Option<String>, Trouble> {
        let (names, _) = self.names()?;
        Ok(segments(&backup.wal, backup.segment_bytes).into_iter().find(|name| !names.contains(name)))
    }

    fn make(
        &self,
        order: &Making<'_>,
        _about: &About,
        _session: &mut Session,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Backup, Trouble> {
        let before = self.known()?;
        if !before.is_empty() {
            self.setup.remember()?;
        }
        // pgBackRest tells whole seconds. What an earlier try left, which nobody has read back, is read with this.
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or(Timestamp::MIN);
        let earlier = read_json::<Unproved>(&self.unproved_file()).map(|unproved| unproved.since);
        let marker = Unproved { since: earlier.map_or(now, |earlier| earlier.min(now)) };
        let file = self.unproved_file();
        self.state.write(&file, &marker).map_err(|error| Trouble::file(&file, error))?;
        let mut command = self.setup.command("backup");
        let sort = match order.sort {
            Sort::Full => "full",
            Sort::Incremental => "incr",
        };
        command.arg(format!("--type={sort}"));
        let mut progress = percents("copying the server's files", tell);
        let ran = run(command, Said::Progress, interrupt, &mut progress);
        drop(progress);
        if let Err(trouble) = ran {
            // Where another one was at work, this one has made nothing, and what that makes is not this one's.
            if command::is_busy(&trouble) && earlier.is_none() {
                self.nothing_is_unproved()?;
            }
            return Err(trouble);
        }
        let known = self.known()?;
        let new = known.iter().rfind(|backup| before.iter().all(|before| before.label != backup.label));
        let Some(new) = new.cloned() else {
            return Err(Trouble::NotWhole("pgBackRest said that it made a backup, and there is none".to_owned()));
        };
        tell("reading everything back");
        let found = self.read_all(&known, interrupt)?;
        let needed = due::chain(&Contents { backups: known, ..Contents::default() }, &new.label)
            .map(|chain| chain.into_iter().map(|backup| backup.label.clone()).collect::<Vec<_>>())
            .unwrap_or_default();
        let (own, others): (Vec<Finding>, Vec<Finding>) =
            found.into_iter().filter(|(_, why)| why.is_some()).partition(|(what, _)| needed.contains(what));
        let words = |found: &[Finding]| {
            let each = |(what, why): &Finding| format!("{what}: {}", why.as_deref().unwrap_or_default());
            found.iter().map(each).collect::<Vec<_>>().join("; ")
        };
        if !own.is_empty() {
            return Err(Trouble::NotWhole(words(&own)));
        }
        self.nothing_is_unproved()?;
        if !others.is_empty() {
            tell(&format!(
                "{} is whole; in the repository is something else that is not: {}",
                new.label,
                words(&others)
            ));
        }
        Ok(new)
    }

    fn prove(&self, interrupt: &Interrupt, tell: &mut dyn FnMut(&str)) -> Result<Vec<Finding>, Trouble> {
        let info = self.info()?;
        if let Some(why) = info.problem() {
            return Ok(vec![(self.setup.stanza.clone(), Some(why))]);
        }
        let known = info.backups(&self.cluster).map_err(Trouble::NotWhole)?;
        tell("reading everything back");
        self.read_all(&known, interrupt)
    }

    fn all_proved(&self, labels: &[&str]) -> Result<(), Trouble> {
        if !self.unproved_file().exists() {
            return Ok(());
        }
        // One that has come meanwhile was not read.
        let is_all = self.known()?.iter().all(|backup| labels.contains(&backup.label.as_str()));
        if is_all { self.nothing_is_unproved() } else { Ok(()) }
    }

    fn remove(
        &self,
        contents: &Contents,
        labels: &[String],
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), Trouble> {
        let kept: Vec<&Backup> = contents.backups.iter().filter(|backup| !labels.contains(&backup.label)).collect();
        if labels.is_empty() || !kept.iter().any(|backup| backup.sort == Sort::Full) {
            return Ok(());
        }
        tell("reading everything back");
        let before = self.known()?;
        let found = self.read_all(&before, interrupt)?;
        // What is damaged may go; what stays is whole.
        let wrong = found.into_iter().filter_map(|(what, why)| Some((what, why?)));
        if let Some((what, why)) = wrong.into_iter().find(|(what, why)| !verdict::goes((what, why), labels, &kept)) {
            return Err(Trouble::Kept { what, why });
        }
        removal::goes_alone(&before, labels)?;
        tell(&format!("removing {}", labels.join(", ")));
        for label in labels {
            // With a backup go those that go on from it.
            let known = self.known()?;
            if known.iter().any(|backup| backup.label == *label) {
                run(removal::command(&self.setup, &known, label), Said::Errors, interrupt, &mut |_| {})?;
            }
        }
        removal::is_as_planned(&before, &self.known()?, labels)
    }

    fn fill(
        &self,
        chain: &[&Backup],
        order: &Order<'_>,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), Trouble> {
        let Some(backup) = chain.last() else { return Err(Trouble::NotWhole("there is no backup".to_owned())) };
        let owner = self.state.owner();
        let beside = tablespaces(order.to);
        owner.give(order.to).map_err(|error| Trouble::file(order.to, error))?;
        owner.folder(&beside).map_err(|error| Trouble::file(&beside, error))?;
        let mut command = self.setup.command("restore");
        command.arg(format!("--pg1-path={}", order.to.display())).arg(format!("--set={}", backup.label));
        command.arg(format!("--tablespace-map-all={}", beside.display()));
        if !order.archives {
            command.arg("--archive-mode=off");
        }
        command.args(target(&order.target));
        if order.stays_on_its_timeline(backup) {
            command.arg("--target-timeline=current");
        }
        let mut progress = percents("bringing the server's files back", tell);
        run(command, Said::Progress, interrupt, &mut progress)?;
        // One that nothing is in has served.
        let _ = std::fs::remove_dir(&beside);
        Ok(())
    }
}

/// Tells how far it is, in tens: pgBackRest writes a line for each file.
fn percents(doing: &str, tell: &mut dyn FnMut(&str)) -> impl FnMut(&str) {
    let mut before = None;
    move |line: &str| {
        // `… backup file /…/base/5/16384 (16MB, 45.12%) checksum …`
        let percent = line.split_once("%)").and_then(|(before, _)| before.rsplit_once(' '));
        let Some((_, percent)) = percent else { return };
        let ten = percent.split('.').next().and_then(|whole| whole.parse::<u32>().ok()).map(|whole| whole / 10 * 10);
        if ten != before {
            tell(&format!("{doing}: {}%", ten.unwrap_or(0)));
            before = ten;
        }
    }
}

/// How pgBackRest is told where recovery is to end.
fn target(target: &Target) -> Vec<String> {
    let (sort, value) = match target {
        Target::Latest => return vec!["--type=default".to_owned()],
        Target::Backup => ("immediate", None),
        Target::Time(time) => ("time", Some(time.strftime("%Y-%m-%d %H:%M:%S%.f+00").to_string())),
        Target::Place(lsn) => ("lsn", Some(lsn.to_string())),
        Target::Point(name) => ("name", Some(name.clone())),
    };
    let mut said = vec![format!("--type={sort}"), "--target-action=promote".to_owned()];
    said.extend(value.map(|value| format!("--target={value}")));
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_is_told_in_tens() {
        let mut told = Vec::new();
        {
            let mut tell = |words: &str| told.push(words.to_owned());
            let mut progress = percents("copying", &mut tell);
            for line in [
                "P01 DETAIL: backup file /d/base/5/1255 (784KB, 3.34%) checksum 07d1",
                "P01 DETAIL: backup file /d/base/5/1247 (784KB, 3.99%) checksum 07d1",
                "P00   INFO: check archive",
                "P01 DETAIL: backup file /d/base/5/1248 (784KB, 100.00%) checksum 07d1",
                "P01 DETAIL: backup file /d/base/5/1249 (0B, 100.00%)",
            ] {
                progress(line);
            }
        }
        assert_eq!(told, ["copying: 0%", "copying: 100%"]);
    }

    #[test]
    fn pgbackrest_is_told_where_to_end() {
        let time = Target::Time("2026-11-26T09:30:00.125Z".parse().unwrap());
        let expected = ["--type=time", "--target-action=promote", "--target=2026-11-26 09:30:00.125+00"];
        assert_eq!(target(&time), expected);
        assert_eq!(target(&Target::Latest), ["--type=default"]);
        assert_eq!(target(&Target::Backup), ["--type=immediate", "--target-action=promote"]);
    }
}
