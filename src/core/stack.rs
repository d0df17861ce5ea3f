//! Room on the stack for what is nested in a policy.
//!
//! The parser and everything after it recurse once a level, with frames of tens of kilobytes. The
//! depth is bounded, but what a thread's stack holds is not ours to know: a test's thread has 2 MB,
//! and `ulimit -s` may be anything.

use std::cell::Cell;

/// Enough for many times the nesting that is accepted.
const ROOM: usize = 32 << 20;

thread_local! {
    static ROOMY: Cell<bool> = const { Cell::new(false) };
}

/// Does the work where there is room: on a thread of its own, or right here where this is one.
pub fn roomy<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if ROOMY.get() {
        return work();
    }
    let job = || {
        ROOMY.set(true);
        work()
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("roomy".to_owned()).stack_size(ROOM).spawn_scoped(scope, job);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(value)) => value,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // Without a thread to be had, the process cannot do its work at all.
            Err(error) => std::panic::resume_unwind(Box::new(format!("no thread can be started: {error}"))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_once_however_often_it_is_asked_for() {
        let outer = roomy(|| (std::thread::current().id(), roomy(|| std::thread::current().id())));
        assert_eq!(outer.0, outer.1);
        assert_ne!(outer.0, std::thread::current().id());
    }
}
