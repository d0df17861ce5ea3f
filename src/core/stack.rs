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

/// Gives back what many small values take, while whoever is done with them goes on.
pub fn aside<T: Send + 'static>(values: T) {
    // Without a thread to be had, they are given back here.
    let _ = std::thread::Builder::new().name("aside".to_owned()).spawn(move || drop(values));
}

/// So few are not worth a second thread.
const FEW: usize = 32;

/// Does the work for each of many, on as many threads as the machine has, and gives the results in order.
pub fn spread<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len() / FEW);
    if threads < 2 {
        return items.into_iter().map(work).collect();
    }
    let share = items.len().div_ceil(threads);
    let mut shares: Vec<Vec<T>> = Vec::with_capacity(threads);
    let mut rest = items.into_iter();
    while shares.len() < threads {
        shares.push(rest.by_ref().take(share).collect());
    }
    let own = shares.pop().unwrap_or_default();
    let work = &work;
    let all = |share: Vec<T>| share.into_iter().map(work).collect::<Vec<R>>();
    std::thread::scope(|scope| {
        let started: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || roomy(|| all(share)))).collect();
        // The last share is this thread's.
        let own = all(own);
        let mut done = Vec::new();
        for thread in started {
            match thread.join() {
                Ok(results) => done.extend(results),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done.extend(own);
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spread_comes_back_in_order() {
        for count in [0, 1, FEW, FEW * 2, 1000, 1001] {
            let all: Vec<usize> = (0..count).collect();
            assert_eq!(spread(all.clone(), |n| n * 2), all.iter().map(|n| n * 2).collect::<Vec<_>>(), "{count}");
        }
        assert!(std::panic::catch_unwind(|| spread((0..1000).collect(), |n| assert!(n != 7))).is_err());
    }

    #[test]
    fn there_is_room_once_however_often_it_is_asked_for() {
        let outer = roomy(|| (std::thread::current().id(), roomy(|| std::thread::current().id())));
        assert_eq!(outer.0, outer.1);
        assert_ne!(outer.0, std::thread::current().id());
    }
}
