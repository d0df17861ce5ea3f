//! The threads that turn columns into pages while the next rows arrive.
//!
//! Each has some of the columns for the file's whole length, so that nothing is shared and a column's
//! digest is made in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use parquet::schema::types::ColumnDescPtr;

use super::columns::Column;
use super::copy::Batch;
use super::encode::{Encoder, settle_marks};
use super::error::{ArchiveError, Result};
use super::evidence::{Evidence, Witness};
use super::leaf::Done;

/// So many batches may wait for a thread.
const WAITING: usize = 2;

/// What a thread is to do.
enum Order {
    /// Take the fields of its columns, of so many rows.
    Rows(Vec<Vec<u8>>, usize),
    /// End the row group.
    EndGroup,
    /// Say what was seen, and end.
    End,
}

/// What a thread has done.
enum Outcome {
    Group(usize, Vec<Vec<Done>>),
    Evidence(usize, Vec<Evidence>),
    Failed(ArchiveError),
}

/// The columns of a row group, each with its leaves.
pub type Group = Vec<Vec<Done>>;

/// Emptied buffers of one column, to be filled again.
type Pool = Arc<Mutex<Vec<Vec<u8>>>>;

struct Worker {
    orders: SyncSender<Order>,
    handle: Option<JoinHandle<()>>,
    /// Which columns it has.
    columns: Vec<usize>,
    held: Arc<AtomicUsize>,
    /// Bytes that it was given and has not taken.
    waiting: Arc<AtomicUsize>,
}

/// All threads of a file.
pub struct Workers {
    workers: Vec<Worker>,
    outcomes: Receiver<Outcome>,
    pools: Vec<Pool>,
    columns: usize,
    /// Row groups that were asked for and are not complete, the oldest first.
    groups: Vec<Vec<Option<Vec<Done>>>>,
}

/// One column in a thread.
struct Own {
    encoder: Encoder,
    witness: Witness,
    is_list: bool,
    descr: Vec<ColumnDescPtr>,
    pool: Pool,
}

impl Workers {
    /// Starts so many threads, or one for each column where there are fewer. `descr` are the leaves of
    /// each column.
    ///
    /// # Errors
    /// When there is no such level of compression.
    pub fn start(columns: &[Column], descr: &[Vec<ColumnDescPtr>], threads: usize, level: i32) -> Result<Self> {
        let (tell, outcomes) = channel();
        let pools: Vec<Pool> = columns.iter().map(|_| Pool::default()).collect();
        let mut workers = Vec::new();
        let threads = threads.clamp(1, columns.len().max(1));
        for thread in 0..threads {
            let mine: Vec<usize> = (thread..columns.len()).step_by(threads).collect();
            let mut own = Vec::new();
            for index in &mine {
                let (Some(column), Some(descr), Some(pool)) =
                    (columns.get(*index), descr.get(*index), pools.get(*index))
                else {
                    return Err(ArchiveError::Internal { what: "a column without leaves" });
                };
                own.push(Own {
                    encoder: Encoder::new(&column.name, column.stored, level)?,
                    witness: Witness::new(column.stored),
                    is_list: column.stored.element_oid().is_some(),
                    descr: descr.clone(),
                    pool: Arc::clone(pool),
                });
            }
            let (orders, taken) = sync_channel(WAITING);
            let held = Arc::new(AtomicUsize::new(0));
            let waiting = Arc::new(AtomicUsize::new(0));
            let (told, tell) = ([Arc::clone(&held), Arc::clone(&waiting)], tell.clone());
            let handle = std::thread::Builder::new()
                .name(format!("archive-{thread}"))
                .spawn(move || work(thread, own, &taken, &told, &tell))?;
            workers.push(Worker { orders, handle: Some(handle), columns: mine, held, waiting });
        }
        Ok(Self { workers, outcomes, pools, columns: columns.len(), groups: Vec::new() })
    }

    /// Bytes that all threads hold of the row group, or were given to be.
    pub fn held(&self) -> usize {
        let bytes = |worker: &Worker| worker.held.load(Ordering::Relaxed) + worker.waiting.load(Ordering::Relaxed);
        self.workers.iter().map(bytes).sum()
    }

    /// Gives a batch to the threads, and empties it.
    ///
    /// # Errors
    /// What a thread has failed with.
    pub fn give(&mut self, batch: &mut Batch) -> Result<()> {
        for worker in &self.workers {
            let mut fields = Vec::with_capacity(worker.columns.len());
            for index in &worker.columns {
                let fresh = self.pools.get(*index).and_then(|pool| pool.lock().ok()?.pop()).unwrap_or_default();
                let column = batch.columns.get_mut(*index);
                fields.push(column.map(|column| std::mem::replace(column, fresh)).unwrap_or_default());
            }
            worker.waiting.fetch_add(fields.iter().map(Vec::len).sum(), Ordering::Relaxed);
            if worker.orders.send(Order::Rows(fields, batch.rows)).is_err() {
                return Err(self.failure());
            }
        }
        batch.rows = 0;
        batch.bytes = 0;
        Ok(())
    }

    /// Asks for the end of the row group.
    ///
    /// # Errors
    /// What a thread has failed with.
    pub fn end_group(&mut self) -> Result<()> {
        self.groups.push((0..self.columns).map(|_| None).collect());
        for worker in &self.workers {
            if worker.orders.send(Order::EndGroup).is_err() {
                return Err(self.failure());
            }
        }
        Ok(())
    }

    /// Row groups that are complete, in order. With `wait`, all that were asked for.
    ///
    /// # Errors
    /// What a thread has failed with.
    pub fn complete(&mut self, wait: bool) -> Result<Vec<Group>> {
        let mut complete = Vec::new();
        loop {
            while self.groups.first().is_some_and(|group| group.iter().all(Option::is_some)) {
                complete.push(self.groups.remove(0).into_iter().flatten().collect());
            }
            if self.groups.is_empty() {
                return Ok(complete);
            }
            let outcome = if wait {
                self.outcomes.recv().map_err(|_| DIED)?
            } else {
                match self.outcomes.try_recv() {
                    Ok(outcome) => outcome,
                    Err(TryRecvError::Empty) => return Ok(complete),
                    Err(TryRecvError::Disconnected) => return Err(DIED),
                }
            };
            match outcome {
                Outcome::Group(thread, done) => self.place(thread, done),
                Outcome::Failed(error) => return Err(error),
                Outcome::Evidence(..) => {}
            }
        }
    }

    /// Puts a thread's columns into the oldest row group that lacks them.
    fn place(&mut self, thread: usize, done: Vec<Vec<Done>>) {
        let Some(worker) = self.workers.get(thread) else { return };
        let lacks = |group: &&mut Vec<Option<Vec<Done>>>| {
            worker.columns.first().and_then(|index| group.get(*index)).is_some_and(Option::is_none)
        };
        let Some(group) = self.groups.iter_mut().find(lacks) else { return };
        for (index, leaves) in worker.columns.iter().zip(done) {
            if let Some(slot) = group.get_mut(*index) {
                *slot = Some(leaves);
            }
        }
    }

    /// Ends all threads, and gives what they saw of each column.
    ///
    /// # Errors
    /// What a thread has failed with.
    pub fn end(mut self) -> Result<Vec<Evidence>> {
        for worker in &self.workers {
            if worker.orders.send(Order::End).is_err() {
                return Err(self.failure());
            }
        }
        let mut evidence: Vec<Option<Evidence>> = (0..self.columns).map(|_| None).collect();
        for _ in 0..self.workers.len() {
            match self.outcomes.recv().map_err(|_| DIED)? {
                Outcome::Evidence(thread, found) => {
                    let columns = self.workers.get(thread).map(|worker| worker.columns.as_slice()).unwrap_or_default();
                    for (index, found) in columns.iter().zip(found) {
                        if let Some(slot) = evidence.get_mut(*index) {
                            *slot = Some(found);
                        }
                    }
                }
                Outcome::Failed(error) => return Err(error),
                Outcome::Group(..) => {}
            }
        }
        self.join();
        evidence.into_iter().collect::<Option<Vec<Evidence>>>().ok_or(DIED)
    }

    /// Why a thread takes no more orders.
    fn failure(&mut self) -> ArchiveError {
        self.join();
        let failed = self.outcomes.try_iter().find_map(|outcome| match outcome {
            Outcome::Failed(error) => Some(error),
            _ => None,
        });
        failed.unwrap_or(DIED)
    }

    fn join(&mut self) {
        for worker in &mut self.workers {
            // With its sender gone, a thread that waits for orders ends.
            worker.orders = sync_channel(0).0;
        }
        for worker in &mut self.workers {
            if let Some(handle) = worker.handle.take() {
                // One that panicked has told nothing, which is found out by what is missing.
                let _ = handle.join();
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.join();
    }
}

const DIED: ArchiveError = ArchiveError::Internal { what: "a thread that writes columns has died" };

fn work(
    thread: usize,
    mut own: Vec<Own>,
    orders: &Receiver<Order>,
    [held, waiting]: &[Arc<AtomicUsize>; 2],
    tell: &Sender<Outcome>,
) {
    while let Ok(order) = orders.recv() {
        let outcome = match order {
            Order::Rows(fields, rows) => match (fields.iter().map(Vec::len).sum(), take(&mut own, fields, rows)) {
                (bytes, Ok(())) => {
                    held.store(own.iter().map(|own| own.encoder.held()).sum(), Ordering::Relaxed);
                    waiting.fetch_sub(bytes, Ordering::Relaxed);
                    continue;
                }
                (_, Err(error)) => Outcome::Failed(error),
            },
            Order::EndGroup => {
                let each: Result<Vec<Vec<Done>>> =
                    own.iter_mut().map(|own| own.encoder.end_chunk(&own.descr)).collect();
                held.store(0, Ordering::Relaxed);
                each.map_or_else(Outcome::Failed, |done| Outcome::Group(thread, done))
            }
            Order::End => Outcome::Evidence(thread, own.iter().map(|own| own.witness.evidence()).collect()),
        };
        let failed = matches!(outcome, Outcome::Failed(_));
        // Nobody listens where the file was given up.
        if tell.send(outcome).is_err() || failed {
            return;
        }
    }
}

fn take(own: &mut [Own], fields: Vec<Vec<u8>>, rows: usize) -> Result<()> {
    for (own, mut fields) in own.iter_mut().zip(fields) {
        if own.is_list {
            settle_marks(&mut fields);
        }
        own.encoder.add(&mut fields, rows)?;
        own.witness.see(&fields, rows);
        fields.clear();
        if let Ok(mut pool) = own.pool.lock()
            && pool.len() <= WAITING
            && fields.capacity() <= super::write::BATCH_BYTES * 2
        {
            pool.push(fields);
        }
    }
    Ok(())
}
