//! Stopping on request: once to stop after the running statement, twice to cancel it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::pg::Canceller;

/// Shared between whoever hears the request and the run.
#[derive(Clone, Default)]
pub struct Interrupt {
    requests: Arc<AtomicUsize>,
    cancellers: Arc<Mutex<Vec<Canceller>>>,
    deadline: Arc<Mutex<Option<Instant>>>,
    /// Set where only a part of the work is to stop.
    stopped: Arc<AtomicBool>,
}

impl Interrupt {
    /// Tells how a session's running statement can be cancelled. Several runs may share a request.
    pub fn arm(&self, canceller: Canceller) {
        if let Ok(mut cancellers) = self.cancellers.lock() {
            cancellers.push(canceller);
        }
    }

    /// Asks to stop; gives how many times that was asked now. From the second time on the running
    /// statement is cancelled.
    pub fn request(&self) -> usize {
        let requests = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        if requests >= 2 {
            // A session that has ended has nothing to cancel, and its server takes no harm from it. A server that
            // does not answer holds up nobody: whoever asks is heard the next time as well.
            let cancellers = self.cancellers.lock().map(|known| known.clone()).unwrap_or_default();
            for canceller in cancellers {
                std::thread::spawn(move || canceller.cancel());
            }
        }
        requests
    }

    /// Asks to stop at a moment, after the statement that runs then.
    pub fn stop_at(&self, moment: Instant) {
        if let Ok(mut slot) = self.deadline.lock() {
            *slot = Some(moment);
        }
    }

    /// The same for a part of the work, which can also be stopped by itself.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { stopped: Arc::default(), ..self.clone() }
    }

    /// Stops the part of the work that this is for.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Whether to stop before the next statement.
    pub fn is_requested(&self) -> bool {
        self.stopped.load(Ordering::SeqCst) || self.requests.load(Ordering::SeqCst) > 0 || self.is_out_of_time()
    }

    /// Whether the moment to stop at is over.
    pub fn is_out_of_time(&self) -> bool {
        let deadline = self.deadline.lock().ok().and_then(|slot| *slot);
        deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}
