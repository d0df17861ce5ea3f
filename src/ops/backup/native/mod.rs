//! The native engine: PostgreSQL's own programs, a folder, and nothing else.

mod fill;
mod follow;
mod manifest;
mod prove;
mod repository;
mod take;
mod wal;

use std::path::{Path, PathBuf};

use crate::apply::Interrupt;
use crate::core::Bytes;
use crate::ops::backup::Trouble;
use crate::ops::backup::due;
use crate::ops::backup::engine::{Engine, Finding, Making};
use crate::ops::backup::programs::Programs;
use crate::ops::backup::record::{Backup, Contents, Damaged};
use crate::ops::backup::restore::Order;
use crate::ops::backup::server::About;
use crate::ops::backup::state::State;
use crate::ops::backup::wal::Segment;
use crate::ops::backup::way::gaps;
use crate::pg::Session;

pub use repository::Repository;
pub use wal::{WalError, cluster_here, fetch, push};

/// What is damaged where it is not a backup.
const HISTORY: &str = "the newest timeline's history";

/// The engine, for a cluster's part of a repository.
pub struct Native {
    path: PathBuf,
    cluster: String,
    repository: Repository,
}

impl Native {
    /// The part of a cluster in the repository at a path.
    pub fn new(path: &Path, cluster: &str) -> Self {
        Self { path: path.to_owned(), cluster: cluster.to_owned(), repository: Repository::new(path, cluster) }
    }

    fn names(&self) -> Result<Vec<String>, Trouble> {
        wal::names(&self.repository).map_err(|error| Trouble::file(&self.path, error))
    }

    fn prove_one(&self, backup: &Backup, interrupt: &Interrupt, tell: &mut dyn FnMut(&str)) -> Result<(), Trouble> {
        prove::backup(&self.repository, &self.repository.record(&backup.label)?, interrupt, tell)
    }
}

impl Engine for Native {
    fn state(&self) -> &State {
        self.repository.state()
    }

    fn cluster(&self) -> &str {
        &self.cluster
    }

    fn folders(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn contents(&self) -> Result<Contents, Trouble> {
        let mut contents = self.repository.contents().map_err(|error| Trouble::file(&self.path, error))?;
        // What was found damaged counts for nothing, nor does what goes on from it.
        for (label, why) in self.repository.state().suspects() {
            let Some(at) = contents.backups.iter().position(|backup| backup.label == label) else { continue };
            contents.damaged.push(Damaged::backup(contents.backups.remove(at), why));
        }
        let whole = |backup: &Backup| due::chain(&contents, &backup.label).is_some();
        let (whole, orphans): (Vec<Backup>, Vec<Backup>) = contents.backups.clone().into_iter().partition(whole);
        contents.backups = whole;
        contents.damaged.extend(orphans.into_iter().map(Backup::without_prior));
        match wal::history(&self.repository) {
            Ok(history) => contents.history = history,
            // As long as it cannot be read, nothing goes.
            Err(error) => contents.damaged.push(Damaged::other(HISTORY, error.to_string())),
        }
        Ok(contents)
    }

    fn wal(&self) -> Result<Vec<String>, Trouble> {
        self.names()
    }

    fn newest_wal(&self) -> Option<String> {
        self.names().ok()?.into_iter().rfind(|name| name.len() == 24)
    }

    fn has_wal(&self, segment: &str) -> Result<bool, Trouble> {
        Ok(wal::has(&self.repository, segment))
    }

    fn give_wal(&self, segment: &str, to: &Path) -> Result<bool, Trouble> {
        match wal::fetch(&self.repository, segment, to) {
            Ok(()) => self.repository.owner().give(to).map(|()| true).map_err(|error| Trouble::file(to, error)),
            Err(WalError::Missing(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn missing_wal(&self, backup: &Backup) -> Result<Option<String>, Trouble> {
        Ok(prove::missing(&self.repository, &backup.wal, backup.segment_bytes).into_iter().next())
    }

    fn make(
        &self,
        order: &Making<'_>,
        about: &About,
        session: &mut Session,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Backup, Trouble> {
        if self.repository.owner().is_root_for_want_of_another() && !self.path.exists() {
            let path = self.path.display();
            let message = format!("{path} is not there, and what root creates there the server could not archive to");
            let help = format!("mount it, or create it for the server's user: `install -d -o postgres -m 700 {path}`");
            return Err(Trouble::Refused { message, help });
        }
        let contents = self.contents()?;
        let programs = Programs::find(order.programs, about.version / 10_000, self.repository.owner())?;
        let (repository, cluster) = (&self.repository, self.cluster.as_str());
        let order = take::Order { repository, contents: &contents, making: order, cluster, programs: &programs };
        take::take(&order, about, session, interrupt, tell).map(|record| record.backup())
    }

    fn prove(&self, interrupt: &Interrupt, tell: &mut dyn FnMut(&str)) -> Result<Vec<Finding>, Trouble> {
        // All of them, also those that did not count.
        let contents = self.repository.contents().map_err(|error| Trouble::file(&self.path, error))?;
        let damaged = contents.damaged.iter();
        let mut found: Vec<Finding> =
            damaged.map(|damaged| (damaged.what.clone(), Some(damaged.why.clone()))).collect();
        let history = wal::history(&self.repository).unwrap_or_else(|error| {
            found.push((HISTORY.to_owned(), Some(error.to_string())));
            None
        });
        for backup in &contents.backups {
            let proved = match self.prove_one(backup, interrupt, tell) {
                Ok(()) if backup.has_wal => None,
                Ok(()) => {
                    self.missing_wal(backup)?.map(|name| format!("{name}, which it needs, is not in the repository"))
                }
                Err(Trouble::Interrupted) => return Err(Trouble::Interrupted),
                Err(trouble) => Some(trouble.to_string()),
            };
            found.push((backup.label.clone(), proved));
        }
        let names = self.names()?;
        tell(&format!("reading {} files of WAL", names.len()));
        for name in &names {
            if interrupt.is_requested() {
                return Err(Trouble::Interrupted);
            }
            if let Err(error) = wal::prove(&self.repository, &self.cluster, name) {
                found.push((format!("WAL {name}"), Some(error.to_string())));
            }
        }
        found.extend(gaps(&contents.backups, &names, history.as_ref()));
        let labels: Vec<&str> = contents.backups.iter().map(|backup| backup.label.as_str()).collect();
        self.repository.state().keep_suspects(&found, &labels)?;
        Ok(found)
    }

    fn remove(
        &self,
        contents: &Contents,
        labels: &[String],
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), Trouble> {
        let kept: Vec<&Backup> = contents.backups.iter().filter(|backup| !labels.contains(&backup.label)).collect();
        for backup in kept.first().into_iter().chain(kept.last()) {
            self.prove_one(backup, interrupt, tell)?;
            if !backup.has_wal {
                prove::wal_of(&self.repository, &backup.cluster, &backup.wal, backup.segment_bytes)?;
            }
        }
        // The newest first, so that none is left whose prior is gone.
        for label in labels.iter().rev() {
            tell(&format!("removing {label}"));
            self.repository.remove(label).map_err(|error| Trouble::file(&self.path, error))?;
        }
        // The oldest need not be the one that begins first: a server that was brought back numbers its WAL from
        // there on once more.
        let begin = |backup: &&Backup| Some((backup.begin()?.number, backup.segment_bytes));
        let Some((first, size)) = kept.iter().filter_map(begin).min() else { return Ok(()) };
        for name in self.names()? {
            let whole = name.get(..24).unwrap_or_default();
            // Timelines' histories are small, and needed for as long as there is any of their WAL.
            if Segment::read(whole, size).is_some_and(|segment| segment.number < first) {
                wal::remove(&self.repository, &name)?;
            }
        }
        Ok(())
    }

    fn room(&self, chain: &[&Backup]) -> Bytes {
        let each = || chain.iter().map(|backup| backup.data_bytes.0);
        // What is put together from several is there beside them meanwhile, and is as large as the largest.
        let parts = if chain.len() > 1 { each().sum() } else { 0 };
        Bytes(each().max().unwrap_or(0).saturating_add(parts))
    }

    fn fill(
        &self,
        chain: &[&Backup],
        order: &Order<'_>,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), Trouble> {
        fill::fill(self, chain, order, interrupt, tell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::backup::record::sample;

    #[test]
    fn what_is_put_together_takes_more_room() {
        let native = Native::new(Path::new("/nowhere"), "1");
        let large = |bytes| Backup { data_bytes: Bytes(bytes), ..sample("b") };
        assert_eq!(native.room(&[&large(100)]), Bytes(100));
        assert_eq!(native.room(&[&large(100), &large(10), &large(20)]), Bytes(230));
    }
}
