//! Operations: the work that is due by the policies, which `run` does.
//!
//! To the engine they are differences like any other. A kind that says so by
//! [`Kind::closed_by`](crate::kinds::Kind::closed_by) is read, compared, weighed and planned as all
//! are, its statements pass the same lock and the same gate, each is on record before it is sent, and
//! an interruption or a broken connection leaves them as it leaves `apply`'s: the next run looks, and
//! goes on. What is particular to operations is here: how much of the work one run may do. An
//! operation that is done by more than statements has a folder of its own beside this file, and tells
//! the same events.

pub mod archive;
pub mod archiver;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::apply::Interrupt;
use crate::core::Operation;
use crate::plan::Purpose;

/// How much one run may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// No statement begins once so much time has passed; one that runs is let run to its end.
    pub max_runtime: Option<Duration>,
}

/// What a plan of some operations is for; of all of them where none is named.
pub fn purpose(named: &[Operation]) -> Purpose {
    let all = || Operation::ALL.into_iter().collect();
    Purpose::Run(if named.is_empty() { all() } else { named.iter().copied().collect::<BTreeSet<_>>() })
}

impl Limits {
    /// From now on they hold.
    pub fn begin(self, interrupt: &Interrupt) {
        if let Some(limit) = self.max_runtime {
            interrupt.stop_at(Instant::now() + limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_name_all_operations_are_meant() {
        assert_eq!(purpose(&[]), purpose(&Operation::ALL));
    }

    #[test]
    fn a_limit_that_is_over_is_a_reason_to_stop() {
        let interrupt = Interrupt::default();
        assert!(!interrupt.is_requested());
        interrupt.stop_at(Instant::now() + Duration::from_secs(3600));
        assert!(!interrupt.is_requested());
        interrupt.stop_at(Instant::now());
        assert!(interrupt.is_requested() && interrupt.is_out_of_time());
    }
}
