//! Guardrails: assertions over what policies want, what is live and what a plan would do.
//!
//! An expression (CEL, the Common Expression Language) is compiled and its names and types are
//! checked when the policies are read, so that a mistake has a place. It is evaluated for each table
//! or action that its guardrail selects: offline where it needs nothing but the policies, otherwise
//! when the plan is made, and again before the plan is applied. What cannot be evaluated is a
//! failure, never a pass.

pub mod datum;
mod expression;
mod judge;
mod scope;
mod types;

pub use datum::Datum;
pub use expression::{Expression, Fault};
pub use judge::{Failed, Guarded, Guardrail, Judged, Sizes, Standing, Subject, World, judge, needs_bytes, recheck};
pub use scope::{Needs, declare};

use serde::{Deserialize, Serialize};

/// What a guardrail is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum For {
    /// Every table that has a document.
    #[default]
    Table,
    /// Every action of a plan.
    Action,
}

/// What follows where a guardrail does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is applied.
    #[default]
    Error,
    /// It is said.
    Warning,
}

/// A guardrail as plans store it: all that it takes to ask again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What it is asked for.
    #[serde(rename = "for")]
    pub scope: For,
    /// Where it is asked at all; everywhere without it.
    pub when: Option<String>,
    /// What must hold.
    pub assert: String,
    /// The policy's own words where it does not.
    pub message: String,
    /// What follows.
    pub severity: Severity,
}

#[cfg(test)]
mod tests;
