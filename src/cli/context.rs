//! What commands share: the project's configuration, the connection, the ledger's place, and how
//! results and diagnostics are shown.

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::args::{Format, Global, Paths};
use crate::cli::{out, trace};
use crate::diag::{Diagnostic, Failure, Sources, code, render};
use crate::load::redact::Redactor;
use crate::load::{self, Config, Policies, Variables};
use crate::pg::{ConnectOptions, Session};
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
    config: Option<Config>,
    redactor: Redactor,
}

impl Context {
    /// A context that has read nothing yet.
    pub fn new(global: Global) -> Self {
        Self {
            global,
            sources: Sources::default(),
            diagnostics: Vec::new(),
            config: None,
            redactor: Redactor::default(),
        }
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
            self.config = Some(config);
        }
        self.config.as_ref().ok_or_else(|| Diagnostic::error(&code::INTERNAL, "no configuration").into())
    }

    /// The policies at the given paths, or where the configuration says, or in `policies`.
    ///
    /// # Errors
    /// Every error in them.
    pub fn policies(&mut self, paths: &Paths) -> Result<Policies, Failure> {
        let project = self.project(paths)?;
        let paths = self.paths(paths)?;
        let variables = self.variables()?;
        let policies = load::policies_of(&paths, &project, &variables, &mut self.sources, &mut self.diagnostics)?;
        self.redactor = policies.redactor.clone();
        Ok(policies)
    }

    /// Where the project's policies are, where only some of them are chosen.
    fn project(&mut self, paths: &Paths) -> Result<Vec<PathBuf>, Failure> {
        if paths.paths.is_empty() {
            return Ok(Vec::new());
        }
        let configured = self.config()?.policies.clone();
        let default = || Some(PathBuf::from(POLICIES)).filter(|path| path.is_dir()).into_iter().collect();
        Ok(if configured.is_empty() { default() } else { configured })
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
        let target = self.global.target.clone();
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
        let watch = (self.global.verbose >= TRACE).then(|| trace::to_stderr(self.redactor.clone()));
        Session::connect_watched(&endpoint, watch)
    }

    /// Where to connect: `--url`, else the target's URL, else the environment.
    ///
    /// # Errors
    /// When the target is not known.
    pub fn connect_options(&mut self) -> Result<ConnectOptions, Failure> {
        let target = self.global.target.clone();
        let url = match target {
            Some(target) => self.config()?.url(&target)?.or_else(|| self.global.url.clone()),
            None => self.global.url.clone(),
        };
        Ok(ConnectOptions::from_environment(url))
    }

    /// Where the ledger is.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn ledger_path(&mut self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.global.ledger {
            return Ok(path.clone());
        }
        let target = self.global.target.clone();
        Ok(self.config()?.ledger(target.as_deref())?.unwrap_or_else(|| PathBuf::from(LEDGER)))
    }

    /// How reports are to be made.
    pub fn report_options(&self) -> report::Options {
        report::Options {
            format: match self.global.format {
                Format::Text => report::Format::Text,
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
        let wanted = diagnostics.iter().filter(|d| d.is_error() || !self.global.quiet);
        let shown: Vec<Diagnostic> = wanted.cloned().map(visible).collect();
        let color = out::wants_color(self.global.color, &io::stderr());
        out::eprint(&render::text(&shown, &self.sources, color));
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
