//! The program's own pipeline, in this process: policies, plan, approval, apply, and the ledger on disk.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use chronoform::apply::{self, Interrupt};
use chronoform::cli::apply::{Errand, Prepared, carry_out};
use chronoform::cli::pipeline::{self, Aim, Opened};
use chronoform::cli::progress::Progress;
use chronoform::cli::record;
use chronoform::core::{Hazard, Server};
use chronoform::diag::{Diagnostic, Sources};
use chronoform::guard::Standing;
use chronoform::ledger::Admission;
use chronoform::load::{self, Variables};
use chronoform::pg::{ConnectOptions, Session};
use chronoform::plan::Plan;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::servers::Db;

/// A folder with policies and a ledger, and a database to work on.
pub struct Tool<'a> {
    db: &'a Db,
    folder: TempDir,
}

/// A plan, with the session that it was made on.
pub struct Looked {
    /// The plan.
    pub plan: Plan,
    session: Session,
    server: Server,
}

impl<'a> Tool<'a> {
    /// A new folder.
    pub fn new(db: &'a Db) -> Self {
        Self { db, folder: tempfile::tempdir().unwrap() }
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// Writes the policies, as JSON, which is YAML too.
    pub fn write(&self, documents: &[Json]) {
        let text: Vec<String> = documents.iter().map(|document| format!("{document:#}\n")).collect();
        std::fs::write(self.folder.path().join("policies.yaml"), text.join("---\n")).unwrap();
    }

    /// Makes a plan; any error in it is a failure.
    pub fn plan(&self) -> Result<Looked, String> {
        let (mut sources, mut said) = (Sources::default(), Vec::new());
        let paths = [self.folder.path().join("policies.yaml")];
        let policies = load::policies(&paths, &Variables::default(), &mut sources, &mut said)
            .map_err(|failure| failure.to_string())?;
        let endpoint = ConnectOptions::from_environment(Some(self.db.url().to_owned())).resolve();
        let mut session =
            endpoint.and_then(|endpoint| Session::connect(&endpoint)).map_err(|failure| failure.to_string())?;
        let ledger = self.ledger();
        let opened = Opened::new(&mut session, |server| record::remember(&ledger, server, &Admission::First));
        let make = |opened| pipeline::make(&Aim::APPLY, &policies, &mut session, opened, true, &mut said);
        let made = opened.and_then(make).map_err(|failure| failure.to_string())?;
        let errors: Vec<String> = said
            .iter()
            .filter(|said| said.is_error())
            .map(|said| format!("{}: {}", said.code.name, full(said)))
            .collect();
        if !errors.is_empty() {
            return Err(errors.join("\n"));
        }
        Ok(Looked { plan: made.plan, session, server: made.server })
    }

    /// Whether `apply` would find nothing to do and nothing to write down.
    pub fn is_settled(&self, looked: &Looked) -> Result<bool, String> {
        record::is_settled(&self.ledger(), &looked.plan, &looked.server, &Admission::First)
            .map_err(|failure| failure.to_string())
    }

    /// Carries a plan out, with every hazard allowed.
    pub fn apply(&self, looked: Looked) -> Result<(), String> {
        let Looked { plan, session, server } = looked;
        apply::permit(&plan, &Hazard::ALL).map_err(|failure| failure.to_string())?;
        let progress = Progress::new(plan.actions.len(), true, None);
        let standing = Standing::default();
        let mut ready =
            Prepared { plan, session, server, ledger: self.ledger(), admission: Admission::First, standing };
        let wait = Duration::from_secs(20);
        let errand = Errand {
            lock_timeout: wait,
            patience: wait,
            limits: None,
            forced: None,
            stores: Vec::new(),
            started: Instant::now(),
        };
        let done = carry_out(&mut ready, &errand, progress, &Interrupt::default(), || Ok(()))
            .map_err(|failure| failure.to_string())?;
        match done.failure {
            None => Ok(()),
            Some(failure) => Err(format!("{failure}\n{}", statements(&ready.plan))),
        }
    }
}

/// The statements of a plan.
fn statements(plan: &Plan) -> String {
    plan.actions.iter().flat_map(|action| &action.steps).map(|step| format!("    {}\n", step.sql)).collect()
}

fn full(said: &Diagnostic) -> String {
    let why = said.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{}{why}", said.message)
}
