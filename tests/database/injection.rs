//! To come.

use libtest_mimic::Trial;

use crate::servers::{Servers, Tier};

/// The tests of a tier.
pub fn trials(_tier: Tier, _servers: &Servers) -> Vec<Trial> {
    Vec::new()
}
