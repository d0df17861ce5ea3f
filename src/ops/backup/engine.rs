//! What an engine of backups is: it makes them, keeps them with the WAL that they need, proves them and
//! brings them back. When that is due, and what is said of it, is the same for all.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::apply::Interrupt;
use crate::core::{Bytes, Value};
use crate::kinds::backup::{ENGINE, NATIVE, PATH};
use crate::ops::backup::native::{Native, Repository};
use crate::ops::backup::pgbackrest::{PgBackRest, Setup};
use crate::ops::backup::record::{Backup, Contents, Sort};
use crate::ops::backup::server::About;
use crate::ops::backup::state::State;
use crate::ops::backup::{Trouble, restore};
use crate::pg::Session;

/// What is to be made.
pub struct Making<'a> {
    /// Of which sort.
    pub sort: Sort,
    /// Whether the server archives its WAL.
    pub archives: bool,
    /// How long WAL may take to be archived.
    pub max_lag: Duration,
    /// Where the server's programs are, where that is said.
    pub programs: Option<&'a Path>,
}

/// Something that was proved, with what is wrong with it.
pub type Finding = (String, Option<String>);

/// One engine, for one cluster.
pub trait Engine {
    /// What Chronoform keeps of its own beside the backups.
    fn state(&self) -> &State;

    /// The cluster's system identifier.
    fn cluster(&self) -> &str;

    /// The folders of this machine that are the engine's own.
    fn folders(&self) -> Vec<PathBuf>;

    /// Where the backups are, in words.
    fn place(&self) -> String;

    /// What there is.
    ///
    /// # Errors
    /// When it cannot be looked through.
    fn contents(&self) -> Result<Contents, Trouble>;

    /// The names of all segments of WAL that have arrived, in their order; others may be among them.
    ///
    /// # Errors
    /// When they cannot be looked through.
    fn wal(&self) -> Result<Vec<String>, Trouble>;

    /// The newest segment of WAL that has arrived.
    fn newest_wal(&self) -> Option<String>;

    /// Whether a segment of WAL has arrived.
    ///
    /// # Errors
    /// When that cannot be told.
    fn has_wal(&self, segment: &str) -> Result<bool, Trouble>;

    /// Writes a segment of WAL to a file that is not there yet, where it has arrived.
    ///
    /// # Errors
    /// When it cannot be given.
    fn give_wal(&self, segment: &str, to: &Path) -> Result<bool, Trouble>;

    /// The first segment of those that make a backup consistent that is not there.
    ///
    /// # Errors
    /// When that cannot be told.
    fn missing_wal(&self, backup: &Backup) -> Result<Option<String>, Trouble>;

    /// Makes a backup, and proves it: it counts from then on and not before.
    ///
    /// # Errors
    /// What kept it from being whole.
    fn make(
        &self,
        order: &Making<'_>,
        about: &About,
        session: &mut Session,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Backup, Trouble>;

    /// Reads everything again: each backup, and the WAL since the oldest.
    ///
    /// # Errors
    /// When it cannot be looked through.
    fn prove(&self, interrupt: &Interrupt, tell: &mut dyn FnMut(&str)) -> Result<Vec<Finding>, Trouble>;

    /// That these were all that there was, and were proved, whoever made them. Whoever says so holds the repository.
    ///
    /// # Errors
    /// When that cannot be kept.
    fn all_proved(&self, _labels: &[&str]) -> Result<(), Trouble> {
        Ok(())
    }

    /// Takes backups away, and then WAL that only they needed. What is to be gone back to instead is proved
    /// once more before what could still be is removed.
    ///
    /// # Errors
    /// What kept it.
    fn remove(
        &self,
        contents: &Contents,
        labels: &[String],
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), Trouble>;

    /// How much room it takes to bring a backup back; `chain` as below.
    fn room(&self, chain: &[&Backup]) -> Bytes {
        chain.last().map_or(Bytes(0), |backup| backup.data_bytes)
    }

    /// Brings a backup's files into an empty folder, and tells the server that will start there how far to
    /// recover. `chain` is what it is restored from, the full one first.
    ///
    /// # Errors
    /// What kept it.
    fn fill(
        &self,
        chain: &[&Backup],
        order: &restore::Order<'_>,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), Trouble>;
}

/// Where backups are, as a policy, a plan or the command line says it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// A folder of the native engine.
    Native(PathBuf),
    /// A stanza of pgBackRest.
    PgBackRest(Setup),
}

impl Place {
    /// From what a resource or a plan's work says, by name.
    pub fn read<'a>(said: impl Fn(&str) -> Option<&'a Value>) -> Option<Self> {
        match said(ENGINE).and_then(Value::as_text) {
            Some(NATIVE) | None => said(PATH).and_then(Value::as_text).map(|path| Self::Native(PathBuf::from(path))),
            Some(_) => Setup::read(said).map(Self::PgBackRest),
        }
    }

    /// The engine, for a cluster.
    pub fn open(&self, cluster: &str) -> Box<dyn Engine> {
        match self {
            Self::Native(path) => Box::new(Native::new(path, cluster)),
            Self::PgBackRest(setup) => Box::new(PgBackRest::new(setup, cluster)),
        }
    }

    /// The clusters that there are backups of.
    ///
    /// # Errors
    /// When it cannot be looked through.
    pub fn clusters(&self) -> Result<Vec<String>, Trouble> {
        match self {
            Self::Native(path) => Repository::clusters(path).map_err(|error| Trouble::file(path, error)),
            Self::PgBackRest(setup) => setup.clusters(),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Native(path) => write!(f, "{}", path.display()),
            Self::PgBackRest(setup) => write!(f, "{} (stanza {})", setup.folder.display(), setup.stanza),
        }
    }
}
