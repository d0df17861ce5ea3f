//! Which pgBackRest, which configuration of it, and which stanza.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::apply::Interrupt;
use crate::core::{Value, Version};
use crate::kinds::backup::{PATH, PROGRAM, STANZA};
use crate::ops::backup::Trouble;
use crate::ops::backup::pgbackrest::command::{Said, run};
use crate::ops::backup::pgbackrest::info::Info;
use crate::ops::backup::programs;
use crate::ops::backup::state::{Owner, State, read_json};

/// What it takes to call it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Setup {
    /// The folder with its configuration, and what Chronoform keeps beside the backups.
    pub folder: PathBuf,
    /// The stanza.
    pub stanza: String,
    /// The program: its name in PATH, or its path.
    pub program: String,
}

/// Where it is kept which stanzas have been there.
const KNOWN: &str = "stanzas.json";

/// The stanzas that have been there, each by its name and its repository.
#[derive(Default, Serialize, Deserialize)]
struct Known {
    stanzas: BTreeSet<(String, String)>,
}

/// How a stanza is.
#[derive(Debug)]
pub enum Stanza {
    /// It is there, and of this cluster.
    Ready,
    /// It is not there.
    Missing,
    /// It is of what the cluster was before its server was upgraded.
    Older(String),
    /// It is of another cluster.
    Other(String),
    /// It cannot be read.
    Unreadable(Trouble),
}

impl Setup {
    /// From what a resource or a plan's work says, by name.
    pub fn read<'a>(said: impl Fn(&str) -> Option<&'a Value>) -> Option<Self> {
        let text = |name: &str| said(name).and_then(Value::as_text).map(str::to_owned);
        Some(Self {
            folder: PathBuf::from(text(PATH)?),
            stanza: text(STANZA)?,
            program: text(PROGRAM).unwrap_or_else(|| "pgbackrest".to_owned()),
        })
    }

    /// What Chronoform keeps beside the backups.
    pub fn state(&self) -> State {
        State::new(self.folder.clone(), Owner::of(&self.folder))
    }

    /// The configuration's file.
    pub fn config(&self) -> PathBuf {
        self.folder.join("pgbackrest.conf")
    }

    /// The folder that the configuration has for the repository, where that is one of this machine.
    pub fn repository(&self) -> Option<PathBuf> {
        let text = fs::read_to_string(self.config()).ok()?;
        let said = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        if said("repo1-type").is_some() { None } else { said("repo1-path").map(PathBuf::from) }
    }

    /// The stanza's name and where a configuration has its repository.
    fn whereabouts(&self, config: &str) -> Option<(String, String)> {
        let said = |name: &str| config.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let path = said("repo1-path")?;
        let place = match said("repo1-s3-bucket").zip(said("repo1-s3-endpoint")) {
            Some((bucket, endpoint)) => format!("{bucket} at {endpoint}: {path}"),
            None => path.to_owned(),
        };
        Some((self.stanza.clone(), place))
    }

    /// Keeps that the stanza is there: one that is missing later is lost, or its disk is not mounted.
    ///
    /// # Errors
    /// What the file system says.
    pub fn remember(&self) -> Result<(), Trouble> {
        let file = self.folder.join(KNOWN);
        let mut known = read_json::<Known>(&file).unwrap_or_default();
        let config = fs::read_to_string(self.config()).map_err(|error| Trouble::file(&self.config(), error))?;
        let is_new = self.whereabouts(&config).is_some_and(|here| known.stanzas.insert(here));
        if is_new {
            self.state().write(&file, &known).map_err(|error| Trouble::file(&file, error))?;
        }
        Ok(())
    }

    /// What tells that the stanza of a configuration's text has been there before.
    pub fn was_there(&self, config: &str) -> Option<PathBuf> {
        let here = self.whereabouts(config)?;
        let file = self.folder.join(KNOWN);
        if let Some(known) = read_json::<Known>(&file) {
            return known.stanzas.contains(&here).then_some(file);
        }
        // Earlier versions kept no such list; what came of drills is there only where something was to be drilled.
        let own = fs::read_to_string(self.config()).ok()?;
        let state = self.state();
        let has_worked = state.verified().is_some() || state.drills().is_ok_and(|drills| !drills.is_empty());
        (has_worked && self.whereabouts(&own)? == here).then(|| self.folder.clone())
    }

    /// That the stanza has been there, and is not any more.
    pub fn lost(&self) -> Option<Trouble> {
        let config = fs::read_to_string(self.config()).ok()?;
        let by = self.was_there(&config)?;
        let (stanza, place) = self.whereabouts(&config)?;
        let message = format!("by {}, the stanza `{stanza}` was in {place}, and it is not there", by.display());
        Some(Trouble::Lost(message))
    }

    /// A command of it, by its configuration.
    pub fn command(&self, name: &str) -> Command {
        self.command_by(name, &self.config())
    }

    /// The same by another configuration.
    pub fn command_by(&self, name: &str, config: &Path) -> Command {
        // What is set in the environment would overrule the file that everybody else goes by.
        let mut command = programs::command(Path::new(&self.program), Owner::of(&self.folder), &["PG", "PGBACKREST_"]);
        command.arg(name).arg(format!("--config={}", config.display())).arg(format!("--stanza={}", self.stanza));
        command
    }

    /// What it says of the stanza.
    ///
    /// # Errors
    /// When it cannot be asked, or what it says is not understood.
    pub fn info(&self) -> Result<Info, Trouble> {
        let info = self.info_by(&self.config())?;
        if let Some(trouble) = info.storage_problem() {
            return Err(trouble);
        }
        match info.key_problem() {
            Some(why) => Err(Trouble::Key(why)),
            None if info.problem().is_none() && info.newest().is_none() => self.lost().map_or(Ok(info), Err),
            None => Ok(info),
        }
    }

    /// The same by another configuration, whatever is wrong with it.
    ///
    /// # Errors
    /// When it cannot be asked, or what it says is not understood.
    pub fn info_by(&self, config: &Path) -> Result<Info, Trouble> {
        if !config.is_file() {
            return Err(Trouble::Refused {
                message: format!("{} is not there", config.display()),
                help: "run `chronoform apply`, which writes it".to_owned(),
            });
        }
        let mut command = self.command_by("info", config);
        command.arg("--output=json");
        let said = run(command, Said::Errors, &Interrupt::default(), &mut |_| {})?;
        Info::read(&said, &self.stanza).map_err(Trouble::Program)
    }

    /// The clusters that the stanza has backups of.
    ///
    /// # Errors
    /// As [`Setup::info`].
    pub fn clusters(&self) -> Result<Vec<String>, Trouble> {
        let info = self.info()?;
        match info.problem() {
            // Which there are is in what cannot be read.
            Some(why) => Err(Trouble::NotWhole(why)),
            None => Ok(info.clusters()),
        }
    }

    /// How the stanza is, for a cluster.
    ///
    /// # Errors
    /// As [`Setup::info_by`].
    pub fn stanza(&self, config: &Path, cluster: &str, version: Version) -> Result<Stanza, Trouble> {
        let info = self.info_by(config)?;
        if let Some(trouble) = info.storage_problem() {
            return Ok(Stanza::Unreadable(trouble));
        }
        if let Some(why) = info.key_problem() {
            return Ok(Stanza::Unreadable(Trouble::Key(why)));
        }
        if let Some(why) = info.problem() {
            return Ok(Stanza::Unreadable(Trouble::NotWhole(why)));
        }
        Ok(match info.newest() {
            None => Stanza::Missing,
            Some((found, _)) if found == cluster => Stanza::Ready,
            Some((_, major)) if major < version.major => Stanza::Older(format!("PostgreSQL {major}")),
            Some((found, _)) => Stanza::Other(found),
        })
    }
}
