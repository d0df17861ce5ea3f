//! Steps of one action done at the same time, each by a worker with a session of its own.
//!
//! They go in batches of as many as there are workers. Whoever of a batch is ready to read waits for the
//! others, so that all read the database as it is at one moment; the session with the lock gives that moment's
//! name, and holds on to it only until the last of them has it. What a batch begins it ends: where one fails,
//! the others do what they have begun, and no further batch begins.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::apply::lock::check_held;
use crate::apply::{Interrupt, StepOutcome};
use crate::core::Task;
use crate::pg::{PgError, Session};

/// How often it is looked whether the lock is held still.
const LOOK: Duration = Duration::from_secs(5);

/// Does steps of one sort while others do other steps of it.
pub trait Worker: Send {
    /// As [`Tasks::carry_out`](crate::apply::Tasks::carry_out), on a session of its own.
    ///
    /// # Errors
    /// What stopped it.
    fn carry_out(
        &mut self,
        task: &Task,
        meeting: &Meeting,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), StepOutcome>;
}

/// Where the workers of a batch agree on the moment that they read.
pub struct Meeting {
    step: usize,
    words: Sender<(usize, Word)>,
}

impl Meeting {
    /// Waits until every other worker of the batch is ready as well or has ended, and gives the name of the
    /// snapshot that all take; `None` where there is none to be had. To be asked for once at most.
    pub fn snapshot(&self) -> Option<String> {
        let (reply, answer) = channel();
        self.words.send((self.step, Word::Ready(reply))).ok()?;
        answer.recv().ok().flatten()
    }

    /// Says that the snapshot was taken, or will not be.
    pub fn taken(&self) {
        // Where nobody listens any more nobody holds it.
        let _ = self.words.send((self.step, Word::Taken));
    }
}

/// What a worker says.
enum Word {
    Said(String),
    Ready(Sender<Option<String>>),
    Taken,
    Ended(StepOutcome, Duration),
}

/// What is heard of a batch.
pub(super) enum Heard<'a> {
    /// How far somebody is.
    Said(&'a str),
    /// A step has ended.
    Ended(usize, StepOutcome, Duration),
}

/// Says at its end how a step ended, also where its worker has panicked.
struct Ends {
    step: usize,
    words: Sender<(usize, Word)>,
    outcome: StepOutcome,
    started: Instant,
}

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.words.send((self.step, Word::Ended(self.outcome.clone(), self.started.elapsed())));
    }
}

/// Where a worker is with the snapshot of its batch.
enum At {
    /// On the way to it.
    Before,
    /// Waiting for the others.
    Waiting(Sender<Option<String>>),
    /// It has the name, and nobody knows yet whether it has taken it.
    Told,
    /// It has no need of the session that holds it any more.
    Past,
}

/// Does a batch, to the end of each of its steps. `hear` is told of all, on this thread.
pub(super) fn batch(
    session: &mut Session,
    steps: &[(usize, &Task)],
    workers: &mut [Box<dyn Worker>],
    interrupt: &Interrupt,
    hear: &mut dyn FnMut(Heard<'_>),
) {
    let own = interrupt.beside();
    thread::scope(|scope| {
        let (words, heard) = channel();
        let threads = steps.iter().zip(workers).map(|((step, task), worker)| {
            let (words, own) = (words.clone(), &own);
            scope.spawn(move || work(*step, task, worker.as_mut(), own, words))
        });
        let threads: Vec<_> = threads.collect();
        drop(words);
        let at = steps.iter().map(|(step, _)| (*step, At::Before)).collect();
        Batch { session, at, holds: false }.listen(&heard, &own, hear);
        for thread in threads {
            // One that panicked has ended, and said so.
            let _ = thread.join();
        }
    });
}

fn work(step: usize, task: &Task, worker: &mut dyn Worker, interrupt: &Interrupt, words: Sender<(usize, Word)>) {
    let died = StepOutcome::Failed(PgError::protocol("a thread of Chronoform has died"));
    let mut ends = Ends { step, words: words.clone(), outcome: died, started: Instant::now() };
    let meeting = Meeting { step, words: words.clone() };
    let mut tell = |said: &str| {
        let _ = words.send((step, Word::Said(said.to_owned())));
    };
    let result = worker.carry_out(task, &meeting, interrupt, &mut tell);
    ends.outcome = result.err().unwrap_or(StepOutcome::Done);
}

struct Batch<'a> {
    session: &'a mut Session,
    at: BTreeMap<usize, At>,
    /// Whether a transaction is open that has the snapshot.
    holds: bool,
}

impl Batch<'_> {
    fn listen(&mut self, heard: &Receiver<(usize, Word)>, interrupt: &Interrupt, hear: &mut dyn FnMut(Heard<'_>)) {
        let mut looked = Instant::now();
        loop {
            match heard.recv_timeout(LOOK) {
                Ok((_, Word::Said(words))) => hear(Heard::Said(&words)),
                Ok((step, Word::Ready(reply))) => {
                    self.at.insert(step, At::Waiting(reply));
                }
                Ok((step, Word::Taken)) => {
                    self.at.insert(step, At::Past);
                }
                Ok((step, Word::Ended(outcome, took))) => {
                    self.at.insert(step, At::Past);
                    hear(Heard::Ended(step, outcome, took));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.agree();
            // Without the lock somebody else may be at the same work.
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                if check_held(self.session).is_err() {
                    interrupt.stop();
                }
            }
        }
        self.let_go();
    }

    /// Takes the snapshot once nobody is before it, and lets it go once nobody needs it.
    fn agree(&mut self) {
        if self.at.values().any(|at| matches!(at, At::Before)) {
            return;
        }
        if self.at.values().any(|at| matches!(at, At::Waiting(_))) {
            let name = self.export();
            for at in self.at.values_mut() {
                if let At::Waiting(reply) = at {
                    // One that does not hear it has ended.
                    let _ = reply.send(name.clone());
                    *at = At::Told;
                }
            }
        }
        if !self.at.values().any(|at| matches!(at, At::Told)) {
            self.let_go();
        }
    }

    fn export(&mut self) -> Option<String> {
        self.holds = true;
        self.session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").ok()?;
        let rows = self.session.query_text("SELECT pg_catalog.pg_export_snapshot() AS name").ok()?;
        rows.first()?.text("name").ok().map(str::to_owned)
    }

    fn let_go(&mut self) {
        if self.holds {
            // A connection that is gone holds nothing.
            let _ = self.session.batch("ROLLBACK");
            self.holds = false;
        }
    }
}
