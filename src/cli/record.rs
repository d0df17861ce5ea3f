//! What happens, written down as it happens: the run's events go to the ledger and to the eye.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::apply::{ActionOutcome, Events, Report, StepOutcome, Verified};
use crate::cli::progress::Progress;
use crate::core::{Action, Address, Applied, ClosedBy, Named, Op, Place, Server, SourceLine, Step, Value};
use crate::diag::{Failure, code};
use crate::diff::Drift;
use crate::kinds::by_id;
use crate::ledger::{
    Admission, Batch, DatabaseId, DriftRecord, Ledger, Observed, RunId, RunOutcome, RunStart, StepEnd, StepId, Who,
};
use crate::ops::archiver::{self, Store};
use crate::plan::{Adopt, Plan};
use crate::report;

/// What the ledger remembers of a server's database; nothing where there is no ledger.
///
/// # Errors
/// When the ledger cannot be read, or belongs to another database.
pub fn remember(path: &Path, server: &Server, admission: &Admission) -> Result<BTreeMap<Address, Applied>, Failure> {
    let mut ledger = Ledger::open_read(path)?;
    let database = ledger.database(server, admission)?;
    Ok(ledger.applied(database)?)
}

/// Who applied each resource last, and from where, as the ledger tells.
///
/// # Errors
/// As [`remember`].
pub fn history(
    path: &Path,
    server: &Server,
    admission: &Admission,
) -> Result<BTreeMap<Address, report::Known>, Failure> {
    let mut ledger = Ledger::open_read(path)?;
    let database = ledger.database(server, admission)?;
    let mut runs: BTreeMap<RunId, Option<report::AppliedBy>> = BTreeMap::new();
    let begun = ledger.begun(database)?;
    let mut known = BTreeMap::new();
    for resource in ledger.resources(database)? {
        let applied = run_of(resource.run, &ledger, &mut runs)?;
        let applied = applied.map(|run| report::AppliedBy { at: resource.applied_at.0, ..run });
        let begun = begun.get(&resource.address).map(|begun| run_of(begun.run, &ledger, &mut runs));
        let begun = begun.transpose()?.flatten();
        let source = resource.policy.map(|place| SourceLine { file: place.file, line: place.line });
        known.insert(resource.address, report::Known { source, applied, begun, ..report::Known::default() });
    }
    Ok(known)
}

/// A run as reports tell of it, with when it began; each is read once.
fn run_of(
    id: RunId,
    ledger: &Ledger,
    runs: &mut BTreeMap<RunId, Option<report::AppliedBy>>,
) -> Result<Option<report::AppliedBy>, Failure> {
    if let Some(run) = runs.get(&id) {
        return Ok(run.clone());
    }
    let run = ledger.run(id)?.map(|run| report::AppliedBy {
        run: run.id.number(),
        at: run.started.0,
        who: format!("{}@{}", run.who.user, run.who.host),
        actor: run.who.actor,
        role: run.role,
        revision: run.who.revision,
        pipeline: run.who.pipeline,
    });
    runs.insert(id, run.clone());
    Ok(run)
}

/// The drift report that was recorded last.
///
/// # Errors
/// As [`remember`].
pub fn last_drift(path: &Path, server: &Server, admission: &Admission) -> Result<Option<DriftRecord>, Failure> {
    let mut ledger = Ledger::open_read(path)?;
    let database = ledger.database(server, admission)?;
    Ok(ledger.last_drift(database)?)
}

/// Records what a drift report had.
///
/// # Errors
/// When the ledger cannot be written, or belongs to another database.
pub fn record_drift<'a>(
    path: &Path,
    server: &Server,
    admission: &Admission,
    differences: impl Iterator<Item = &'a Drift>,
) -> Result<(), Failure> {
    let observed: Vec<Observed> = differences
        .map(|drift| Observed {
            address: drift.address.clone(),
            status: drift.status.words().to_owned(),
            fingerprint: report::fingerprint(drift).to_string(),
        })
        .collect();
    let mut ledger = Ledger::open(path)?;
    let database = ledger.database(server, admission)?;
    ledger.write(|batch| batch.record_drift(database, &observed)).map_err(Failure::from)
}

/// Writes into the ledger that something is done which no plan has, and how it ended: `command` is what it is, in
/// words, and `count` what came of it. The database's lock must be held.
///
/// # Errors
/// Those of the work; and when the ledger cannot be written, or belongs to another database.
pub fn alone<T>(
    path: &Path,
    server: &Server,
    admission: &Admission,
    command: String,
    work: impl FnOnce() -> Result<T, Failure>,
    count: impl FnOnce(&T) -> BTreeMap<String, u64>,
) -> Result<T, Failure> {
    let mut ledger = Ledger::open(path)?;
    let database = ledger.database(server, admission)?;
    ledger.close_crashed(database)?;
    let who = Who::here();
    let role = Some(server.user.clone());
    let run = ledger.begin_run(database, RunStart { command, who, role, plan_digest: None, policies_digest: None })?;
    let done = work();
    let (outcome, counts) = match &done {
        Ok(done) => (RunOutcome::Done, count(done)),
        Err(_) => (RunOutcome::Failed, BTreeMap::new()),
    };
    ledger.write(|batch| batch.finish_run(run, outcome, &counts))?;
    done
}

/// Writes a run into the ledger while it goes on, and shows it.
pub struct Recorder<'a> {
    ledger: Ledger,
    run: RunId,
    plan: &'a Plan,
    open: BTreeMap<(usize, usize), StepId>,
    times: BTreeMap<usize, Duration>,
    progress: Progress,
}

impl<'a> Recorder<'a> {
    /// Opens the ledger, settles what an earlier run left in doubt, and begins a run. `stores` are those of the policies.
    /// The database's lock must be held: only then is an unfinished run surely a dead one.
    ///
    /// # Errors
    /// When the ledger cannot be written, or belongs to another database.
    pub fn begin(
        path: &Path,
        plan: &'a Plan,
        server: &Server,
        admission: &Admission,
        stores: &[Store],
        progress: Progress,
    ) -> Result<Self, Failure> {
        let mut ledger = Ledger::open(path)?;
        let database = ledger.database(server, admission)?;
        settle(&mut ledger, database, plan, stores)?;
        let run = ledger.begin_run(database, start(plan, server))?;
        let moves = |batch: &mut Batch<'_>| {
            plan.moved.iter().try_for_each(|it| batch.record_moved(run, &it.from, &it.to, it.on.as_ref()))
        };
        if !plan.moved.is_empty() {
            ledger.write(moves)?;
        }
        Ok(Self { ledger, run, plan, open: BTreeMap::new(), times: BTreeMap::new(), progress })
    }

    /// How long each action took.
    pub fn times(&self) -> &BTreeMap<usize, Duration> {
        &self.times
    }

    /// The run's number in the ledger.
    pub fn run(&self) -> RunId {
        self.run
    }

    /// Records what the second look showed, and ends the run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self, report: &Report, verified: &Verified) -> Result<(), Failure> {
        let outcome = outcome(report);
        let counts = counts(self.plan, report);
        let (run, plan) = (self.run, self.plan);
        let sources: BTreeMap<&Address, Option<Place>> = plan
            .actions
            .iter()
            .map(|action| (&action.address, action.source.as_ref().map(SourceLine::place)))
            .collect();
        let written = self.ledger.write(|batch| {
            // Work that is done again and again leaves nothing that could drift.
            let definition = |address: &Address| by_id(&address.kind).is_none_or(|k| k.closed_by() == ClosedBy::Apply);
            for (address, desired) in verified.settled.iter().filter(|(address, _)| definition(address)) {
                let applied = remembered(address, &desired.on, &desired.attributes, false);
                batch.record_applied(run, &applied, sources.get(address).and_then(Option::as_ref))?;
            }
            if report.failure.is_none() {
                for adopt in &plan.adopt {
                    batch.record_applied(
                        run,
                        &adopted(adopt),
                        adopt.source.as_ref().map(SourceLine::place).as_ref(),
                    )?;
                }
                for gone in plan.forget.iter().chain(&plan.release) {
                    batch.forget(run, &gone.address)?;
                }
            }
            batch.finish_run(run, outcome, &counts)
        });
        written.map_err(Failure::from)
    }
}

/// Records what a plan without actions found as it should be, as a run of its own.
///
/// # Errors
/// When the ledger cannot be written, or belongs to another database.
pub fn adopt(path: &Path, plan: &Plan, server: &Server, admission: &Admission) -> Result<(), Failure> {
    let mut ledger = Ledger::open(path)?;
    let database = ledger.database(server, admission)?;
    settle(&mut ledger, database, plan, &[])?;
    let run = ledger.begin_run(database, RunStart { command: "import".to_owned(), ..start(plan, server) })?;
    let counts = BTreeMap::from([("adopt".to_owned(), plan.adopt.len() as u64)]);
    let written = ledger.write(|batch| {
        for adopt in &plan.adopt {
            batch.record_applied(run, &adopted(adopt), adopt.source.as_ref().map(SourceLine::place).as_ref())?;
        }
        batch.finish_run(run, RunOutcome::Done, &counts)
    });
    written.map_err(Failure::from)
}

/// Whether there is nothing to do and nothing to write down: no action, nothing newly managed or
/// gone, and no statement of an earlier run in doubt.
///
/// # Errors
/// When the ledger cannot be read, or belongs to another database.
pub fn is_settled(path: &Path, plan: &Plan, server: &Server, admission: &Admission) -> Result<bool, Failure> {
    let mut ledger = Ledger::open_read(path)?;
    let database = ledger.database(server, admission)?;
    let nothing_new = plan.adopt.is_empty() && plan.forget.is_empty() && plan.release.is_empty();
    Ok(nothing_new && plan.is_empty() && plan.moved.is_empty() && ledger.in_doubt(database)?.is_empty())
}

/// Settles statements in doubt by what the plan, which has just looked, still has to do. What the
/// plan did not look at stays in doubt: another choice of files may have asked for it. What was to be done to an archive
/// has been where its store shows it: that nothing of it is due any more may be because the policy is another.
fn settle(ledger: &mut Ledger, database: DatabaseId, plan: &Plan, stores: &[Store]) -> Result<(), Failure> {
    ledger.close_crashed(database)?;
    for step in ledger.in_doubt(database)? {
        let in_sync = |seen: &Drift| seen.address == step.address && !seen.status.is_difference();
        let archived = ledger.archived_by(step.id)?;
        if !archived.is_empty() {
            match archiver::has_happened(&archived, stores) {
                Some(true) => ledger.settle(step.id, true, "the archive is as it was to be made")?,
                Some(false) => ledger.settle(step.id, false, "the archive is not as it was to be made")?,
                None => {}
            }
            continue;
        }
        if let Some(action) = plan.actions.iter().find(|action| action.address == step.address) {
            // Of steps that stand each for themselves, only what is still to be done was not.
            let separate = action.steps.iter().any(|step| step.separate);
            // What was to be made anew and is not any more has been, whatever else of it is to be done.
            let anew = step.op == Op::Replace && step.transactional && action.op != Op::Replace;
            if anew || (separate && action.steps.iter().all(|again| again.sql != step.sql)) {
                ledger.settle(step.id, true, "it is not to be done any more")?;
            } else {
                ledger.settle(step.id, false, "the database still differs from the policy here")?;
            }
        } else if plan.drift.iter().any(in_sync) {
            ledger.settle(step.id, true, "the database is as the policy wants it here")?;
        }
    }
    Ok(())
}

fn start(plan: &Plan, server: &Server) -> RunStart {
    RunStart {
        command: if plan.operations.is_empty() { "apply" } else { "run" }.to_owned(),
        who: Who::here(),
        role: Some(server.user.clone()),
        plan_digest: Some(plan.fingerprint.to_string()),
        policies_digest: Some(plan.policies.digest.to_string()),
    }
}

fn remembered(
    address: &Address,
    on: &Option<crate::core::QualifiedName>,
    attributes: &Named<Value>,
    adopted: bool,
) -> Applied {
    let attributes = attributes.iter().map(|(name, value)| (name.clone(), value.to_json())).collect();
    Applied { address: address.clone(), on: on.clone(), attributes, adopted, source: None, at: None, begun: None }
}

fn adopted(adopt: &Adopt) -> Applied {
    remembered(&adopt.address, &adopt.on, &adopt.desired, adopt.new)
}

fn outcome(report: &Report) -> RunOutcome {
    if is_in_doubt(report) {
        return RunOutcome::InDoubt;
    }
    let cancelled = |outcome: &ActionOutcome| matches!(outcome, ActionOutcome::Stopped(_, StepOutcome::Cancelled));
    match &report.failure {
        None => RunOutcome::Done,
        Some(_) if report.outcomes.iter().any(cancelled) => RunOutcome::Cancelled,
        Some(failure) if failure.0.iter().any(|d| was_asked_to_stop(d.code)) => RunOutcome::Cancelled,
        Some(_) => RunOutcome::Failed,
    }
}

/// Whether a failure is that of a run that was told to stop, now or beforehand.
fn was_asked_to_stop(why: &code::Code) -> bool {
    why == &code::INTERRUPTED || why == &code::MAX_RUNTIME
}

/// Whether the connection broke during a statement.
pub fn is_in_doubt(report: &Report) -> bool {
    report.outcomes.iter().any(|outcome| matches!(outcome, ActionOutcome::Stopped(_, StepOutcome::InDoubt(_))))
}

fn counts(plan: &Plan, report: &Report) -> BTreeMap<String, u64> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (action, outcome) in plan.actions.iter().zip(&report.outcomes) {
        let word = match outcome {
            ActionOutcome::Done => action.op.as_str(),
            ActionOutcome::Stopped(..) => "failed",
            ActionOutcome::Skipped => "skipped",
        };
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    if !plan.adopt.is_empty() && report.failure.is_none() {
        counts.insert("adopt".to_owned(), plan.adopt.len() as u64);
    }
    counts
}

fn step_end(outcome: &StepOutcome) -> StepEnd {
    match outcome {
        StepOutcome::Done => StepEnd::done(),
        StepOutcome::Failed(error) | StepOutcome::Refused(_, error) => {
            StepEnd::failed(&error.message, error.sqlstate.as_deref())
        }
        StepOutcome::RolledBack => StepEnd::rolled_back(),
        StepOutcome::Cancelled => StepEnd::cancelled(),
        StepOutcome::InDoubt(error) => StepEnd::in_doubt(&error.message),
    }
}

impl Events for Recorder<'_> {
    fn action_started(&mut self, index: usize, action: &Action) {
        self.progress.action(index, action);
    }

    fn step_started(&mut self, index: usize, action: &Action, step: usize, what: &Step) -> Result<(), Failure> {
        self.progress.step(action, step, what);
        // All of it goes when the first statement does.
        let along = if step == 0 { action.takes.as_slice() } else { &[] };
        let target = &self.plan.target;
        let database = (target.system_identifier.as_str(), target.database.as_str());
        let archived = what.task.as_ref().map(|task| archiver::done_to_archives(task, database)).unwrap_or_default();
        let start = crate::ledger::StepStart {
            action: u32::try_from(index).unwrap_or(u32::MAX),
            index: u32::try_from(step).unwrap_or(u32::MAX),
            op: action.op,
            address: &action.address,
            sql: &what.sql,
            transactional: what.transactional,
            along,
            archived: &archived,
        };
        let id = self.ledger.start_step(self.run, &start)?;
        self.open.insert((index, step), id);
        Ok(())
    }

    fn step_finished(
        &mut self,
        index: usize,
        step: usize,
        outcome: &StepOutcome,
        took: Duration,
    ) -> Result<(), Failure> {
        self.progress.step_done();
        if let Some(id) = self.open.remove(&(index, step)) {
            self.ledger.finish_step(id, &step_end(outcome).after(took))?;
        }
        Ok(())
    }

    fn action_finished(
        &mut self,
        index: usize,
        action: &Action,
        outcome: &ActionOutcome,
        took: Duration,
    ) -> Result<(), Failure> {
        self.times.insert(index, took);
        let ended = match outcome {
            ActionOutcome::Done => "done",
            ActionOutcome::Stopped(_, StepOutcome::Cancelled) => "cancelled",
            ActionOutcome::Stopped(_, StepOutcome::InDoubt(_)) => "in doubt",
            ActionOutcome::Stopped(..) => "failed",
            ActionOutcome::Skipped => "skipped",
        };
        self.progress.action_done(action, index, ended, took);
        if *outcome != ActionOutcome::Done {
            return Ok(());
        }
        let run = self.run;
        let written = self.ledger.write(|batch| {
            if matches!(action.op, Op::Remove | Op::Replace) {
                batch.forget(run, &action.address)?;
            }
            if action.op != Op::Remove {
                let applied = remembered(&action.address, &action.on, &action.desired, false);
                batch.record_applied(run, &applied, action.source.as_ref().map(SourceLine::place).as_ref())?;
            }
            Ok(())
        });
        written.map_err(Failure::from)
    }

    fn told(&mut self, action: &Action, words: &str) {
        let named = action.address.told(action.on.as_ref());
        self.progress.say(&format!("{}: {}", report::clean(&named), report::clean(words)));
    }

    fn waiting(&mut self, action: &Action, attempt: u32, pause: Duration, blocker: Option<&str>) {
        let held = blocker.map(|blocker| format!(", held by {}", report::clean(blocker))).unwrap_or_default();
        let pause = report::elapsed(pause);
        self.progress.say(&format!(
            "{} waits for a lock{held}; attempt {attempt}, again in {pause}",
            report::clean(&action.address.told(action.on.as_ref()))
        ));
    }
}

/// What the run did, for people.
pub fn summary(
    plan: &Plan,
    done: &Report,
    recorder: &Recorder<'_>,
    elapsed: Duration,
    interrupted: bool,
) -> report::RunReport {
    let ended = plan.actions.iter().zip(&done.outcomes).enumerate();
    let action = |(index, (action, outcome)): (usize, (&Action, &ActionOutcome))| {
        let (state, error, steps_done) = ending(action, outcome);
        report::ActionOutcome {
            address: action.address.clone(),
            on: action.on.clone(),
            op: action.op,
            outcome: state,
            elapsed: recorder.times().get(&index).copied().unwrap_or_default(),
            error,
            steps_done,
            steps_total: action.steps.len(),
        }
    };
    let stopped = plan.actions.iter().zip(&done.outcomes).find_map(|(action, outcome)| match outcome {
        ActionOutcome::Stopped(step, _) => Some(report::StoppedAt {
            address: action.address.clone(),
            step: step + 1,
            sql: action.steps.get(*step).map(|step| step.sql.clone()).unwrap_or_default(),
        }),
        _ => None,
    });
    report::RunReport {
        run: Some(recorder.run().number()),
        database: plan.target.database.clone(),
        target: plan.target.name.clone(),
        actions: ended.map(action).collect(),
        adopted: if done.failure.is_none() { plan.adopt.len() } else { 0 },
        elapsed,
        interrupted,
        stopped_at: stopped,
    }
}

/// How many steps had ended for good when one of them stopped: those of its own transaction went with it.
fn committed_before(steps: &[Step], stopped: usize) -> usize {
    let together = |step: &Step| step.transactional && !step.separate && step.task.is_none();
    if !steps.get(stopped).is_some_and(together) {
        return stopped;
    }
    steps.iter().take(stopped).rposition(|step| !together(step)).map_or(0, |at| at + 1)
}

fn ending(action: &Action, outcome: &ActionOutcome) -> (report::Outcome, Option<String>, usize) {
    match outcome {
        ActionOutcome::Done => (report::Outcome::Done, None, action.steps.len()),
        ActionOutcome::Skipped => (report::Outcome::Skipped, None, 0),
        ActionOutcome::Stopped(step, how) => {
            let kept = committed_before(&action.steps, *step);
            match how {
                StepOutcome::Cancelled => (report::Outcome::Cancelled, None, kept),
                StepOutcome::InDoubt(error) => (report::Outcome::InDoubt, Some(error.to_string()), kept),
                StepOutcome::Failed(error) | StepOutcome::Refused(_, error) => {
                    (report::Outcome::Failed, Some(error.to_string()), kept)
                }
                StepOutcome::Done | StepOutcome::RolledBack => (report::Outcome::Failed, None, kept),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(transactional: bool, separate: bool) -> Step {
        Step { sql: "SELECT 1".to_owned(), transactional, lock: None, separate, task: None }
    }

    #[test]
    fn what_was_committed_before_a_step_stopped_is_counted() {
        let (within, alone, apart) = (step(true, false), step(false, false), step(true, true));
        let count =
            |steps: &[&Step], at| committed_before(&steps.iter().map(|&step| step.clone()).collect::<Vec<_>>(), at);
        assert_eq!(count(&[&within, &within, &alone, &within], 1), 0, "its transaction is undone");
        assert_eq!(count(&[&within, &within, &alone, &within], 2), 2, "the transaction before it is there");
        assert_eq!(count(&[&within, &within, &alone, &within], 3), 3);
        assert_eq!(count(&[&within, &apart, &within], 1), 1);
        assert_eq!(count(&[&within, &apart, &within], 2), 2);
    }
}
