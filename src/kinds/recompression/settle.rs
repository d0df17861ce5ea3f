//! Whether recompression has anything to go by yet.

use crate::core::{Desired, Ensure};
use crate::kinds::{View, columnstore};

/// What is wanted, once the columnstore itself is as its policy says: before that, chunks would be
/// written anew in settings that are about to change.
pub fn settle(desired: &Desired, view: &View<'_>) -> Option<Desired> {
    let enabled = view.live.contains_key(&desired.address);
    let wanted = desired.ensure == Ensure::Present;
    (enabled && wanted && columnstore::has_its_settings(desired.on.as_ref()?, view)).then(|| desired.clone())
}
