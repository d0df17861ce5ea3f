//! Deltas → ordered actions with their SQL, locks, hazards and impact; and the plan as a document.

mod along;
mod around;
pub mod artifact;
mod build;
mod context;
pub mod moves;
#[cfg(test)]
mod older_servers;
mod order;
mod ownership;
mod purpose;

pub use along::make_together;
pub use around::relations;
pub use artifact::{Adopt, Due, Message, Plan, PlanError, Policies, PolicyFile, Summary, Target, Unmanaged};
pub use build::{Among, Input, Weights, action_for, build, taken_over};
pub use purpose::Purpose;
