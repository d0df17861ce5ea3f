//! Stopping on request: once to stop after the running statement, twice to cancel it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::pg::Canceller;

/// Shared between whoever hears the request and the run.
#[derive(Clone, Default)]
pub struct Interrupt {
    requests: Arc<AtomicUsize>,
    canceller: Arc<Mutex<Option<Canceller>>>,
}

impl Interrupt {
    /// Tells how the running statement can be cancelled.
    pub fn arm(&self, canceller: Canceller) {
        if let Ok(mut slot) = self.canceller.lock() {
            *slot = Some(canceller);
        }
    }

    /// Asks to stop; gives how many times that was asked now. From the second time on the running
    /// statement is cancelled.
    pub fn request(&self) -> usize {
        let requests = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let canceller = if requests < 2 { None } else { self.canceller.lock().ok().and_then(|slot| slot.clone()) };
        if let Some(canceller) = canceller {
            canceller.cancel();
        }
        requests
    }

    /// Whether to stop before the next statement.
    pub fn is_requested(&self) -> bool {
        self.requests.load(Ordering::SeqCst) > 0
    }
}
