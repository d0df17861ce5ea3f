//! What a plan is for: bringing definitions to their policies, or doing some of the work that is due.

use std::collections::BTreeSet;

use crate::core::{ClosedBy, Operation};

/// What a plan is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// `apply`: every definition that differs.
    Apply,
    /// `run`: these operations.
    Run(BTreeSet<Operation>),
}

impl Purpose {
    /// Whether a difference is closed by such a plan.
    pub fn covers(&self, closed_by: ClosedBy) -> bool {
        match (self, closed_by) {
            (Self::Apply, ClosedBy::Apply) => true,
            (Self::Run(operations), ClosedBy::Run(operation)) => operations.contains(&operation),
            _ => false,
        }
    }

    /// The operations; none for `apply`.
    pub fn operations(&self) -> Vec<Operation> {
        match self {
            Self::Apply => Vec::new(),
            Self::Run(operations) => operations.iter().copied().collect(),
        }
    }
}
