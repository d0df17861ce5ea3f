//! What commands share: the project's configuration, the connection, the ledger's place, and how
//! results and diagnostics are shown.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::args::{Format, Global, Paths};
use crate::cli::pipeline::Opened;
use crate::cli::{fleet, out, publish, record, trace};
use crate::core::glob;
use crate::diag::{Diagnostic, Failure, Sources, code, render};
use crate::guard::Standing;
use crate::ledger::Admission;
use crate::load::{self, Config, Policies, Variables};
use crate::pg::{ConnectOptions, Session};
use crate::plan::{Message, Plan};
use crate::report;

/// The project file's name.
const CONFIG: &str = "chronoform.yaml";
/// Where policies are looked for.
const POLICIES: &str = "policies";
/// Where the ledger is kept.
const LEDGER: &str = ".chronoform/ledger.db";

/// So many `-v` show every statement that is sent.
const TRACE: u8 = 3;

/// What a command works with.
pub struct Context {
    /// The global flags.
    pub global: Global,
    /// The files read, for snippets.
    pub sources: Sources,
    /// What is to be said once the command is done.
    pub diagnostics: Vec<Diagnostic>,
    /// The target, where one is named.
    target: Option<String>,
    /// Whether that is one of several that are worked on at once.
    is_member: bool,
    config: Option<Config>,
}

/// A connection that is being made.
pub struct Connecting(std::thread::JoinHandle<Result<(Session, Opened), Failure>>);

impl Connecting {
    /// The session with its snapshot open, once they are there.
    ///
    /// # Errors
    /// As [`Context::connect`] and [`Opened::new`].
    pub fn wait(self) -> Result<(Session, Opened), Failure> {
        self.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Context {
    /// A context that has read nothing yet.
    pub fn new(global: Global) -> Self {
        let target = match global.targets.as_slice() {
            [name] if !glob::is_pattern(name) => Some(name.clone()),
            _ => None,
        };
        Self { target, is_member: false, global, sources: Sources::default(), diagnostics: Vec::new(), config: None }
    }

    /// The project's configuration; empty where there is no chronoform.yaml.
    ///
    /// # Errors
    /// When the file is there and cannot be used.
    pub fn config(&mut self) -> Result<&Config, Failure> {
        if self.config.is_none() {
            let path = Path::new(CONFIG);
            let config = match path.exists() {
                true => load::config(path, &mut self.sources)?,
                false => Config::default(),
            };
            self.diagnostics.extend(config.warnings.iter().cloned());
            self.config = Some(config);
        }
        self.config.as_ref().ok_or_else(|| Diagnostic::error(&code::INTERNAL, "no configuration").into())
    }

    /// The targets, where several are asked for: by a pattern, by more than one name, or all. That a
    /// pattern matches but one makes it no less: what is printed has the same form then.
    ///
    /// # Errors
    /// When the configuration cannot be used, or a name or pattern matches nothing.
    pub fn several_targets(&mut self) -> Result<Option<Vec<String>>, Failure> {
        let patterns = match (self.global.all_targets, self.target.is_some()) {
            (true, _) => vec!["*".to_owned()],
            (false, false) if !self.global.targets.is_empty() => self.global.targets.clone(),
            (false, _) => return Ok(None),
        };
        self.config()?.matching(&patterns).map(Some)
    }

    /// The target's name, where there is one.
    pub fn target_name(&self) -> &str {
        self.target.as_deref().unwrap_or_default()
    }

    /// The target's name, where the command line gives one.
    pub fn named_target(&self) -> Option<String> {
        self.target.clone()
    }

    /// Refuses several targets, for a command that works on one.
    ///
    /// # Errors
    /// When several are asked for.
    pub fn expect_one_target(&self) -> Result<(), Failure> {
        if self.target.is_some() || (self.global.targets.is_empty() && !self.global.all_targets) {
            return Ok(());
        }
        let message = "this command works on one target";
        let help = "name it, without a pattern: `--target NAME`";
        Err(Diagnostic::error(&code::BAD_CONFIG, message).help(help).into())
    }

    /// A context of one target among several, which has read nothing but the configuration.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn of_target(&mut self, name: &str) -> Result<Self, Failure> {
        let config = self.config()?.clone();
        let mut context = Self::new(self.global.clone());
        context.target = Some(name.to_owned());
        context.config = Some(config);
        context.sources = self.sources.clone();
        context.is_member = true;
        Ok(context)
    }

    /// The policies at the given paths, or where the configuration says, or in `policies`.
    ///
    /// # Errors
    /// Every error in them.
    pub fn policies(&mut self, paths: &Paths) -> Result<Policies, Failure> {
        let project = self.project(paths)?;
        let paths = self.paths(paths)?;
        let variables = self.variables()?;
        load::policies_of(&paths, &project, &variables, &mut self.sources, &mut self.diagnostics)
    }

    /// What the policies say now that a plan was made from earlier: its files and the project's, where
    /// they are still there.
    ///
    /// # Errors
    /// Where they have guardrails and cannot be read.
    pub fn standing(&mut self, plan: &Plan) -> Result<Standing, Failure> {
        let mut project: BTreeSet<PathBuf> = self.paths(&Paths { paths: Vec::new() })?.into_iter().collect();
        let chosen: Vec<PathBuf> = plan.policies.files.iter().map(|file| PathBuf::from(&file.path)).collect();
        self.around(&chosen, &mut project)?;
        let project: Vec<PathBuf> = project.into_iter().collect();
        let variables = self.variables()?;
        load::standing(&chosen, &project, &variables, &mut self.sources)
    }

    /// Where the project's policies are, where only some of them are chosen.
    fn project(&mut self, paths: &Paths) -> Result<Vec<PathBuf>, Failure> {
        if paths.paths.is_empty() {
            return Ok(Vec::new());
        }
        let configured = self.config()?.policies.clone();
        let default = Some(PathBuf::from(POLICIES)).filter(|path| configured.is_empty() && path.is_dir());
        let mut found: BTreeSet<PathBuf> = configured.into_iter().chain(default).collect();
        self.around(&paths.paths, &mut found)?;
        Ok(found.into_iter().collect())
    }

    /// Adds where the policies are of the projects that paths are in, wherever the command is run: what those
    /// forbid holds also for who is in a folder below, or names a file by its whole path.
    fn around(&mut self, paths: &[PathBuf], found: &mut BTreeSet<PathBuf>) -> Result<(), Failure> {
        let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
        for real in paths.iter().filter_map(|path| path.canonicalize().ok()) {
            let mut above = real.ancestors().skip(1);
            let Some(project) = real.ancestors().find(|folder| folder.join(CONFIG).is_file()) else {
                let policies = above.find(|folder| folder.file_name() == Some(POLICIES.as_ref()));
                found.extend(policies.map(|folder| seen_from(here.as_deref(), folder)));
                continue;
            };
            // The configuration that is here has been read.
            if here.as_deref() == Some(project) {
                continue;
            }
            let config = load::config(&seen_from(here.as_deref(), project).join(CONFIG), &mut self.sources)?;
            let default = Some(project.join(POLICIES)).filter(|path| config.policies.is_empty() && path.is_dir());
            found.extend(config.policies.into_iter().chain(default.map(|path| seen_from(here.as_deref(), &path))));
        }
        Ok(())
    }

    /// The paths to read.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn paths(&mut self, paths: &Paths) -> Result<Vec<PathBuf>, Failure> {
        if !paths.paths.is_empty() {
            return Ok(paths.paths.clone());
        }
        let configured = self.config()?.policies.clone();
        Ok(if configured.is_empty() { vec![PathBuf::from(POLICIES)] } else { configured })
    }

    /// The values of variables.
    ///
    /// # Errors
    /// When a file of them, or the configuration, cannot be used.
    pub fn variables(&mut self) -> Result<Variables, Failure> {
        let target = self.target.clone();
        let configured = self.config()?.variables(target.as_deref())?;
        let (files, pairs) = (self.global.var_files.clone(), self.global.vars.clone());
        Variables::new(&files, &pairs, &configured, &mut self.sources)
    }

    /// Connects to the database.
    ///
    /// # Errors
    /// When it cannot be found, reached or logged in to.
    pub fn connect(&mut self) -> Result<Session, Failure> {
        let endpoint = self.connect_options()?.resolve()?;
        let watch = (self.global.verbose >= TRACE).then(trace::to_stderr);
        Session::connect_watched(&endpoint, watch)
    }

    /// Begins to connect and to remember, so that a server is reached while policies are read.
    pub fn begin_connecting(&mut self) -> Connecting {
        let options = self.connect_options();
        let (ledger, admission) = (self.ledger_path(), self.admission());
        let watch = (self.global.verbose >= TRACE).then(trace::to_stderr);
        Connecting(std::thread::spawn(move || {
            let mut session = Session::connect_watched(&options?.resolve()?, watch)?;
            let ledger = ledger?;
            let opened = Opened::new(&mut session, |server| record::remember(&ledger, server, &admission))?;
            Ok((session, opened))
        }))
    }

    /// Where to connect: `--url`, else the target's URL, else the environment.
    ///
    /// # Errors
    /// When the target is not known.
    pub fn connect_options(&mut self) -> Result<ConnectOptions, Failure> {
        let Some(target) = self.target.clone() else {
            return Ok(ConnectOptions::from_environment(self.global.url.clone()));
        };
        let config = self.config()?;
        let (url, password) = (config.url(&target)?, config.password(&target)?);
        // Without URLs of their own, several targets would be one and the same database.
        if self.is_member && url.is_none() {
            let message = format!("the target `{target}` has no `url`");
            let help = "give it one in `chronoform.yaml`; only a target that is worked on alone can do without";
            return Err(Diagnostic::error(&code::BAD_CONFIG, message).help(help).into());
        }
        Ok(ConnectOptions { password, ..ConnectOptions::from_environment(url.or_else(|| self.global.url.clone())) })
    }

    /// A warning where other targets of the configuration are reached at the same place as the one that is
    /// worked on alone. Several that are worked on are compared by what they are.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn same_place(&mut self) -> Result<Option<Diagnostic>, Failure> {
        let Some(target) = self.target.clone().filter(|_| !self.is_member) else { return Ok(None) };
        let config = self.config()?;
        let place = |name: &str| {
            let url = config.url(name).ok()??;
            let found = ConnectOptions::from_environment(Some(url)).resolve().ok()?;
            Some((this_machine(found.host), found.port, found.database))
        };
        let Some(own) = place(&target) else { return Ok(None) };
        // What cannot be told from here, because a variable is not set, say, is no concern of this target.
        let others = config.targets().filter(|name| *name != target && place(name).as_ref() == Some(&own));
        let names: Vec<&str> = std::iter::once(target.as_str()).chain(others).collect();
        Ok((names.len() > 1).then(|| fleet::one_database(&names, &own.2, &own.0)))
    }

    /// Where the ledger is.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn ledger_path(&mut self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.global.ledger {
            return Ok(path.clone());
        }
        let target = self.target.clone();
        Ok(self.config()?.ledger(target.as_deref())?.unwrap_or_else(|| PathBuf::from(LEDGER)))
    }

    /// Which databases the ledger may take in: any, where that was said, and otherwise only a
    /// target's own, or its first.
    pub fn admission(&self) -> Admission {
        match (&self.target, self.global.allow_new_database) {
            (_, true) => Admission::Any,
            (Some(target), false) => Admission::Target(target.clone()),
            (None, false) => Admission::First,
        }
    }

    /// How reports are to be made.
    pub fn report_options(&self) -> report::Options {
        self.report_options_for(self.global.format)
    }

    /// How reports are to be made in a format. Those of findings are no views.
    pub fn report_options_for(&self, format: Format) -> report::Options {
        report::Options {
            format: match format {
                Format::Text | Format::Sarif | Format::Junit => report::Format::Text,
                Format::Json => report::Format::Json,
                Format::Markdown => report::Format::Markdown,
                Format::Html => report::Format::Html,
            },
            color: out::wants_color(self.global.color, &io::stdout()),
            verbose: self.global.verbose,
            quiet: self.global.quiet,
            width: out::width(),
            ascii: out::is_ascii_terminal(),
        }
    }

    /// Shows a failure on standard error.
    pub fn say_failure(&self, failure: &Failure) {
        self.say(&failure.0);
    }

    /// Shows what has been gathered on standard error, and forgets it.
    pub fn say_diagnostics(&mut self) {
        let gathered = std::mem::take(&mut self.diagnostics);
        self.say(&gathered);
    }

    fn say(&self, diagnostics: &[Diagnostic]) {
        out::eprint(&self.shown(diagnostics));
    }

    /// Diagnostics as they are shown on standard error.
    pub fn shown(&self, diagnostics: &[Diagnostic]) -> String {
        let wanted = diagnostics.iter().filter(|d| d.is_error() || !self.global.quiet);
        let shown: Vec<Diagnostic> = wanted.cloned().map(visible).collect();
        let color = out::wants_color(self.global.color, &io::stderr());
        let text = render::text(&shown, &self.sources, color);
        if !publish::is_github() {
            return text;
        }
        // Beside the line in the pull request, too.
        let placed: Vec<Message> = shown.iter().filter(|said| said.place.is_some()).map(Message::from).collect();
        text + &report::findings::annotations(&report::findings::of_messages(&placed))
    }
}

/// A diagnostic whose names, which may be anything, cannot play with the terminal. A message of
/// more than one line stays so: the lines after the first are indented.
fn visible(mut diagnostic: Diagnostic) -> Diagnostic {
    let clean = |text: &str| text.split('\n').map(report::clean).collect::<Vec<_>>().join("\n");
    diagnostic.message = clean(&diagnostic.message);
    for text in [&mut diagnostic.label, &mut diagnostic.why, &mut diagnostic.help].into_iter().flatten() {
        *text = clean(text);
    }
    for (_, word) in &mut diagnostic.related {
        *word = clean(word);
    }
    diagnostic
}

/// The host, where it is this machine by another word.
fn this_machine(host: String) -> String {
    match host.as_str() {
        "127.0.0.1" | "::1" | "[::1]" => "localhost".to_owned(),
        _ => host,
    }
}

/// A folder as it is named from here, where it is below.
fn seen_from(here: Option<&Path>, folder: &Path) -> PathBuf {
    match here.and_then(|here| folder.strip_prefix(here).ok()) {
        Some(below) if below.as_os_str().is_empty() => PathBuf::from("."),
        Some(below) => below.to_owned(),
        None => folder.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_machine_is_one_place_by_whatever_word() {
        let same = ["localhost", "127.0.0.1", "::1"].map(|host| super::this_machine(host.to_owned()));
        assert!(same.iter().all(|host| host == "localhost"), "{same:?}");
        assert_eq!(super::this_machine("db1".to_owned()), "db1");
    }
}
