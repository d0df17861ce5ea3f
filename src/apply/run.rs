//! Executing a plan's statements: each action its own transaction, with short tries for locks.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::apply::again::{is_to_be_seen, look_again};
use crate::apply::lock::check_held;
use crate::apply::patience::{Patience, pause};
use crate::apply::several::{self, Heard};
use crate::apply::{ActionOutcome, Events, Interrupt, Ready, Report, StepOutcome, Tasks, Worker};
use crate::core::{Action, LockMode, Step, Task};
use crate::diag::{Code, Diagnostic, Exit, Failure, code};
use crate::pg::{PgError, PgErrorKind, Session};
use crate::plan::Plan;
use crate::snapshot::Outside;

/// How long a try waits for its lock: short, because whoever queues behind the waiting statement
/// waits as well.
const ONE_TRY: &str = "SET LOCAL lock_timeout = '2s'";
/// The same for what was just looked at: hardly at all, so that nothing changes between the look and the lock.
const AT_ONCE: &str = "SET LOCAL lock_timeout = '250ms'";
/// The same for a step that cannot run in a transaction and keeps writers out. It cannot be tried
/// again without looking at what is left of it, so that a little more is asked of the others.
const ALONE: &str = "10s";

/// Runs the actions in order, and stops at the first that does not end well. Whatever happened is
/// in the report and was told to `events`. Each action waits for the locks of others, tries and
/// pauses together, as long as `patience` says.
pub fn run(
    ready: &mut Ready<'_>,
    plan: &Plan,
    events: &mut dyn Events,
    interrupt: &Interrupt,
    patience: Duration,
    tasks: &mut dyn Tasks,
) -> Report {
    let mut outcomes = vec![ActionOutcome::Skipped; plan.actions.len()];
    let mut failure = None;
    let mut sent = false;
    let single_session = ready.single_session;
    let Ready { locked, outside, .. } = ready;
    let session = locked.session();
    interrupt.arm(session.canceller());
    for (index, action) in plan.actions.iter().enumerate() {
        if interrupt.is_requested() {
            failure = Some(interrupted(index, plan.actions.len(), None, interrupt));
            break;
        }
        if !single_session && let Err(lost) = check_held(session) {
            failure = Some(lost);
            break;
        }
        let is_seen = is_to_be_seen(plan, action);
        // Nothing has come between the look at everything and the first of them.
        if is_seen
            && index > 0
            && let Err(stale) = look_again(session, plan, index, *outside)
        {
            let asked = interrupt.is_requested();
            failure = Some(if asked { interrupted(index, plan.actions.len(), None, interrupt) } else { stale });
            break;
        }
        let started = Instant::now();
        events.action_started(index, action);
        let mut running = Running {
            session: &mut *session,
            events: &mut *events,
            tasks: &mut *tasks,
            interrupt,
            index,
            action,
            single_session,
            patience,
            sent: None,
            again: is_seen.then_some((plan, &mut **outside)),
            stale: None,
            has_waited: false,
        };
        let outcome = running.action();
        let (unrecorded, stale) = (running.sent, running.stale.take());
        let (outcome, broken) = match (outcome, unrecorded) {
            (Ok(outcome), _) => (outcome, None),
            (Err(broken), None) => (ActionOutcome::Skipped, Some(broken)),
            // It was sent, and what became of it could not be written down.
            (Err(broken), Some(step)) => {
                let why = PgError::protocol("the ledger could not record what became of it");
                (ActionOutcome::Stopped(step, StepOutcome::InDoubt(why)), Some(broken))
            }
        };
        // What is found stale between two tries has left nothing behind.
        sent |= outcome != ActionOutcome::Skipped && stale.is_none();
        failure = broken.or(stale).or_else(|| stopped(action, &outcome, (index, plan.actions.len()), interrupt));
        let recorded = events.action_finished(index, action, &outcome, started.elapsed());
        if let Some(slot) = outcomes.get_mut(index) {
            *slot = outcome;
        }
        if let Err(unrecorded) = recorded {
            failure.get_or_insert(unrecorded);
        }
        if failure.is_some() {
            break;
        }
    }
    let failure = failure.map(|failure| if sent { part_way(failure, &outcomes) } else { failure });
    Report { outcomes, failure }
}

/// A failure after something was sent leaves work part-done, whatever its own code says.
fn part_way(mut failure: Failure, outcomes: &[ActionOutcome]) -> Failure {
    if failure.exit() < Exit::Partial {
        let done = outcomes.iter().filter(|outcome| **outcome == ActionOutcome::Done).count();
        let message = format!("stopped part-way: {done} of {} actions are done", outcomes.len());
        let help = "mend what stopped it and do the same again: it begins by looking at what is really there";
        failure.0.push(Diagnostic::error(&code::STOPPED, message).help(help));
    }
    failure
}

/// Stopped on request or for want of time, before an action or before a step of one.
fn interrupted(done: usize, all: usize, at: Option<(&Action, usize)>, interrupt: &Interrupt) -> Failure {
    let place =
        at.map(|(action, step)| format!(" in {}, after {step} of its {} steps", named(action), action.steps.len()));
    let place = place.unwrap_or_default();
    let rest = format!("{done} of {all} actions are done and recorded");
    if interrupt.is_out_of_time() {
        let message = format!("the time for this run is over{place}: {rest}");
        return Diagnostic::error(&code::MAX_RUNTIME, message).help("the next run goes on with the rest").into();
    }
    let help = "do the same again: it begins by looking, and goes on with the rest";
    Diagnostic::error(&code::INTERRUPTED, format!("interrupted{place}: {rest}")).help(help).into()
}

/// What an action is about, in a sentence.
fn named(action: &Action) -> String {
    action.address.told(action.on.as_ref())
}

/// The failure that an action's outcome is.
fn stopped(
    action: &Action,
    outcome: &ActionOutcome,
    (index, all): (usize, usize),
    interrupt: &Interrupt,
) -> Option<Failure> {
    let ActionOutcome::Stopped(step, outcome) = outcome else { return None };
    let sql = action.steps.get(*step).map(|step| step.sql.as_str()).unwrap_or_default();
    let rest = format!("{index} of {all} actions are done and recorded; do the same again once this is mended");
    let failed = |error: &PgError, code: &'static Code| {
        let state = error.sqlstate.as_ref().map(|state| format!(" (SQLSTATE {state})")).unwrap_or_default();
        let message = format!("{} stopped at its step {}: {}{state}", named(action), step + 1, error.message);
        let why = error.detail.as_ref().map(|detail| format!("{detail}\n")).unwrap_or_default();
        let hint = error.hint.as_ref().map(|hint| format!("{hint}\n")).unwrap_or_default();
        let longer = "another session held the lock for longer than --patience allows\n";
        let hint = if error.is_lock_timeout() { format!("{longer}{hint}") } else { hint };
        Diagnostic::error(code, message).why(format!("{why}the statement was:\n{sql}")).help(format!("{hint}{rest}"))
    };
    match outcome {
        StepOutcome::Failed(error) => Some(failed(error, &code::STEP_FAILED).into()),
        StepOutcome::Refused(code, error) => Some(failed(error, code).into()),
        StepOutcome::InDoubt(error) => Some(failed(error, &code::IN_DOUBT).into()),
        StepOutcome::Cancelled => Some(interrupted(index, all, Some((action, *step)), interrupt)),
        StepOutcome::Done | StepOutcome::RolledBack => None,
    }
}

/// How a transaction is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Try {
    /// It waits a short while for each lock.
    Waits,
    /// It has its locks at once, or not at all.
    AtOnce,
    /// It waits, and is undone in any case.
    OnlyWaits,
}

/// One action being carried out.
struct Running<'a> {
    session: &'a mut Session,
    events: &'a mut dyn Events,
    tasks: &'a mut dyn Tasks,
    interrupt: &'a Interrupt,
    index: usize,
    action: &'a Action,
    single_session: bool,
    patience: Duration,
    /// The last step that was sent and not undone.
    sent: Option<usize>,
    /// What it takes to look again, where the action takes something away.
    again: Option<(&'a Plan, &'a mut dyn Outside)>,
    /// What was found not to be as planned while it waited.
    stale: Option<Failure>,
    has_waited: bool,
}

impl Running<'_> {
    /// All steps: consecutive transactional ones together, unless they are separate; each other one
    /// alone.
    fn action(&mut self) -> Result<ActionOutcome, Failure> {
        let mut at = 0;
        let steps = &self.action.steps;
        while let Some(step) = steps.get(at) {
            let ended = if step.task.is_some() {
                let (done, ended) = self.tasks(at)?;
                at += done;
                ended
            } else if step.transactional {
                let together = |step: &&Step| step.transactional && !step.separate && step.task.is_none();
                let more = steps.iter().skip(at).take_while(together).count().max(1);
                let ended = self.transaction(at, more)?;
                at += more;
                ended
            } else {
                let ended = self.alone(at, step)?;
                at += 1;
                ended
            };
            if let Some((step, outcome)) = ended {
                return Ok(ActionOutcome::Stopped(step, outcome));
            }
            let more_to_do = at < steps.len();
            if more_to_do && self.interrupt.is_requested() {
                return Ok(ActionOutcome::Stopped(at, StepOutcome::Cancelled));
            }
        }
        Ok(ActionOutcome::Done)
    }

    /// Some steps in one transaction, tried again where others were in its way: they hold a lock, or
    /// the server chose this transaction to end a deadlock or a conflict.
    fn transaction(&mut self, first: usize, count: usize) -> Result<Option<(usize, StepOutcome)>, Failure> {
        let is_seen = self.again.is_some() && first == 0;
        let (mut patience, mut last) = (Patience::new(self.patience), false);
        loop {
            let ended = self.attempt(first, count, if is_seen { Try::AtOnce } else { Try::Waits })?;
            let passes = matches!(&ended, Some((_, StepOutcome::Failed(error))) if error.is_passing());
            if !passes {
                return Ok(ended);
            }
            if !is_seen {
                if !self.waits(&mut patience) {
                    return Ok(ended);
                }
                continue;
            }
            // Whoever is in its way is waited for, and may have changed what is taken away: nothing of this try stays.
            let waited = self.attempt(first, count, Try::OnlyWaits)?;
            let goes_on = match &waited {
                Some((_, StepOutcome::Failed(error))) if error.is_passing() => self.waits(&mut patience),
                Some((_, StepOutcome::RolledBack)) => {
                    let had = std::mem::replace(&mut last, patience.next().is_none());
                    !had && !self.interrupt.is_requested()
                }
                _ => return Ok(waited),
            };
            if !goes_on || self.is_stale_before(first) {
                return Ok(ended);
            }
        }
    }

    /// After a wait, before anything of the action is done: whether it is no longer as planned.
    fn is_stale_before(&mut self, step: usize) -> bool {
        let Some((plan, outside)) = self.again.as_mut().filter(|_| step == 0) else { return false };
        self.stale = look_again(self.session, plan, self.index, *outside).err();
        if self.stale.is_some() && self.interrupt.is_requested() {
            self.stale = None;
            return true;
        }
        self.stale.is_some()
    }

    /// Pauses before another try and says why; `false` where there is to be none.
    fn waits(&mut self, patience: &mut Patience) -> bool {
        if self.interrupt.is_requested() {
            return false;
        }
        let Some(length) = patience.next() else { return false };
        self.has_waited = true;
        let blocker = self.blocker();
        self.events.waiting(self.action, patience.tries(), length, blocker.as_deref());
        pause(length, self.interrupt);
        !self.interrupt.is_requested()
    }

    fn attempt(&mut self, first: usize, count: usize, how: Try) -> Result<Option<(usize, StepOutcome)>, Failure> {
        let mut times: Vec<Duration> = Vec::new();
        let before = self.sent;
        let timeout = if how == Try::AtOnce { AT_ONCE } else { ONE_TRY };
        let mut ended = self.session.batch(&format!("BEGIN; {timeout}")).err().map(|error| (first, outcome_of(error)));
        let steps = self.action.steps.iter().enumerate().skip(first).take(count);
        for (at, step) in steps {
            if ended.is_some() {
                break;
            }
            self.events.step_started(self.index, self.action, at, step).inspect_err(|_| {
                // Nothing unrecorded may stay: the connection's end would undo it as well.
                let _ = self.session.batch("ROLLBACK");
                self.sent = before;
            })?;
            self.sent = Some(at);
            let started = Instant::now();
            ended = self.session.execute(&step.sql).err().map(|error| (at, outcome_of(error)));
            times.push(started.elapsed());
        }
        let ended = match ended {
            None if how == Try::OnlyWaits => {
                let _ = self.session.batch("ROLLBACK");
                Some((first + count - 1, StepOutcome::RolledBack))
            }
            None => {
                let last = first + count - 1;
                self.session.batch("COMMIT").err().map(|error| (last, outcome_of(error)))
            }
            some => {
                // A connection that is gone has rolled back already.
                let _ = self.session.batch("ROLLBACK");
                some
            }
        };
        self.tell(first, &times, ended.as_ref())?;
        Ok(ended)
    }

    /// Tells how each started step of a transaction ended.
    fn tell(&mut self, first: usize, times: &[Duration], ended: Option<&(usize, StepOutcome)>) -> Result<(), Failure> {
        for (offset, took) in times.iter().enumerate() {
            let step = first + offset;
            let outcome = match ended {
                None => StepOutcome::Done,
                Some((at, outcome)) if *at == step => outcome.clone(),
                Some((_, StepOutcome::InDoubt(error))) => StepOutcome::InDoubt(error.clone()),
                Some(_) => StepOutcome::RolledBack,
            };
            self.events.step_finished(self.index, step, &outcome, *took)?;
        }
        Ok(())
    }

    /// Steps from one on that are more than statements: as many as there are, where they are done at the same
    /// time, and otherwise one. Gives how many those were.
    fn tasks(&mut self, first: usize) -> Result<(usize, Option<(usize, StepOutcome)>), Failure> {
        let steps = self.action.steps.iter().enumerate().skip(first);
        let steps: Vec<(usize, &Step, &Task)> =
            steps.map_while(|(at, step)| Some((at, step, step.task.as_ref()?))).collect();
        let Some((at, step, task)) = steps.first().copied() else { return Ok((1, None)) };
        // Those that come after the first are asked about with it.
        let mut workers = Vec::new();
        if at == 0 || self.action.steps.get(at - 1).is_some_and(|before| before.task.is_none()) {
            let Self { events, action, .. } = self;
            let mut tell = |words: &str| events.told(action, words);
            let all: Vec<&Task> = steps.iter().map(|(_, _, task)| *task).collect();
            match self.tasks.workers(&all, self.session, self.interrupt, &mut tell) {
                Ok(found) => workers = found,
                Err(outcome) => return Ok((1, Some((at, outcome)))),
            }
        }
        if workers.is_empty() {
            return Ok((1, self.task(at, step, task)?));
        }
        for batch in steps.chunks(workers.len()) {
            if let Some(ended) = self.batch(batch, &mut workers)? {
                return Ok((steps.len(), Some(ended)));
            }
        }
        Ok((steps.len(), None))
    }

    /// Some of them at the same time. Gives the first that did not end well; what failed comes before what
    /// was only stopped.
    fn batch(
        &mut self,
        batch: &[(usize, &Step, &Task)],
        workers: &mut [Box<dyn Worker>],
    ) -> Result<Option<(usize, StepOutcome)>, Failure> {
        let Some((first, ..)) = batch.first() else { return Ok(None) };
        if self.interrupt.is_requested() {
            return Ok(Some((*first, StepOutcome::Cancelled)));
        }
        if let Err(lost) = check_held(self.session) {
            let said = lost.0.first().map_or_else(String::new, |said| said.message.clone());
            return Ok(Some((*first, StepOutcome::Failed(PgError::protocol(said)))));
        }
        for (at, step, _) in batch {
            self.events.step_started(self.index, self.action, *at, step)?;
            self.sent = Some(*at);
        }
        let Self { session, events, action, index, interrupt, .. } = self;
        let (mut ended, mut unrecorded) = (BTreeMap::new(), None);
        let tasks: Vec<(usize, &Task)> = batch.iter().map(|(at, _, task)| (*at, *task)).collect();
        several::batch(session, &tasks, workers, interrupt, &mut |heard| match heard {
            Heard::Said(words) => events.told(action, words),
            Heard::Ended(at, outcome, took) => {
                if let Err(failure) = events.step_finished(*index, at, &outcome, took) {
                    unrecorded.get_or_insert(failure);
                }
                ended.insert(at, outcome);
            }
        });
        if let Some(failure) = unrecorded {
            return Err(failure);
        }
        let mut stopped: Vec<(usize, StepOutcome)> =
            ended.into_iter().filter(|(_, outcome)| *outcome != StepOutcome::Done).collect();
        stopped.sort_by_key(|(at, outcome)| (*outcome == StepOutcome::Cancelled, *at));
        Ok(stopped.into_iter().next())
    }

    /// A step that is more than a statement.
    fn task(&mut self, at: usize, step: &Step, task: &Task) -> Result<Option<(usize, StepOutcome)>, Failure> {
        self.events.step_started(self.index, self.action, at, step)?;
        self.sent = Some(at);
        let started = Instant::now();
        let Self { events, action, .. } = self;
        let mut tell = |words: &str| events.told(action, words);
        let result = self.tasks.carry_out(action, task, self.session, self.interrupt, &mut tell);
        let outcome = result.err().unwrap_or(StepOutcome::Done);
        self.events.step_finished(self.index, at, &outcome, started.elapsed())?;
        Ok((outcome != StepOutcome::Done).then_some((at, outcome)))
    }

    /// A step that cannot run in a transaction.
    fn alone(&mut self, at: usize, step: &Step) -> Result<Option<(usize, StepOutcome)>, Failure> {
        // Waiting for a lock that lets reads and writes by holds nobody up.
        let harmless = step.lock.as_ref().is_none_or(|lock| lock.mode <= LockMode::ShareUpdateExclusive);
        if let Some(lock) = step.lock.as_ref().filter(|_| !harmless)
            && let Some(refused) = self.finds_way(lock.mode)
        {
            let told = StepOutcome::Failed(refused);
            return Ok(Some((at, told)));
        }
        if self.has_waited && self.is_stale_before(at) {
            return Ok(Some((at, StepOutcome::Cancelled)));
        }
        let patience = if harmless { "0" } else { ALONE };
        self.events.step_started(self.index, self.action, at, step)?;
        self.sent = Some(at);
        let started = Instant::now();
        let result = self.session.batch(&format!("SET lock_timeout = '{patience}'"));
        let result = result.and_then(|()| self.session.execute(&step.sql));
        let outcome = match result.err() {
            None => StepOutcome::Done,
            Some(error) if self.interrupt.is_requested() && error.ends_what_commits_by_itself() => {
                StepOutcome::Cancelled
            }
            Some(error) => outcome_of(error),
        };
        self.events.step_finished(self.index, at, &outcome, started.elapsed())?;
        Ok((outcome != StepOutcome::Done).then_some((at, outcome)))
    }

    /// Waits until a lock can be had, in short tries of a transaction that takes it and lets it go:
    /// the step itself, once sent, could only wait with everybody queueing behind it. Gives what is
    /// in the way when the patience ends.
    fn finds_way(&mut self, mode: LockMode) -> Option<PgError> {
        let on = self.action.on.as_ref().filter(|_| !self.single_session)?;
        // Both parts are typed: a quoted name and one of eight modes.
        let take = format!("BEGIN; {ONE_TRY}; LOCK TABLE ONLY {on} IN {} MODE; COMMIT", mode.as_str());
        let mut patience = Patience::new(self.patience);
        loop {
            let error = self.session.batch(&take).err()?;
            let _ = self.session.batch("ROLLBACK");
            // Whatever else is wrong, the step itself will tell.
            if !error.is_passing() {
                return None;
            }
            if !self.waits(&mut patience) {
                return Some(error);
            }
        }
    }

    /// Who holds a lock on the action's relation, as far as the server tells.
    fn blocker(&mut self) -> Option<String> {
        if self.single_session {
            return None;
        }
        let on = self.action.on.as_ref()?;
        let query = crate::core::Query {
            sql: include_str!("blocker.sql").to_owned(),
            params: vec![crate::core::Param::Text(on.to_string())],
        };
        let rows = self.session.query(&query).ok()?;
        rows.first()?.text("blocker").ok().map(str::to_owned)
    }
}

fn outcome_of(error: PgError) -> StepOutcome {
    match error.kind {
        PgErrorKind::Lost => StepOutcome::InDoubt(error),
        _ if error.is_cancelled() => StepOutcome::Cancelled,
        _ => StepOutcome::Failed(error),
    }
}
