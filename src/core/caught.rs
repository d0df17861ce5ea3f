//! Panics that are reckoned with: of a library that reads what anybody may have written.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static EXPECTED: Cell<usize> = const { Cell::new(0) };
}

/// What it gives; none where it panics. What it had begun to change is not to be looked at then.
pub fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    EXPECTED.set(EXPECTED.get() + 1);
    let given = catch_unwind(AssertUnwindSafe(work));
    EXPECTED.set(EXPECTED.get() - 1);
    given.ok()
}

/// Whether a panic of this thread would be caught here, and is no defect that people are to be told of.
pub fn is_expected() -> bool {
    EXPECTED.get() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_panics_gives_nothing() {
        assert!(!is_expected());
        assert_eq!(caught(is_expected), Some(true));
        assert_eq!(caught(|| caught(|| panic!("so it is"))), Some(None::<()>));
        assert!(!is_expected());
    }
}
