//! How chunks are brought to the settings of their table.

use crate::core::{Hazard, LockMode, Version};
use crate::kinds::recompression::CONVERGED;
use crate::kinds::{AttributeRule, How, LockOn, Needs, Rules, StepRule, Variant};

/// The first that keeps settings chunk by chunk, and whose `compress_chunk` takes `recompress` and goes
/// by a difference of settings (`tsl_compress_chunk_wrapper` in `tsl/src/compression/api.c`).
const OLDEST: Version = Version::new(2, 14);

/// EXCLUSIVE while the chunk is read, then ACCESS EXCLUSIVE to the end (seen on 2.28.3).
static CHUNK: StepRule = StepRule {
    variants: &[Variant {
        needs: Needs::community(OLDEST),
        template: "recompression/chunk.sql",
        lock: Some((LockMode::AccessExclusive, LockOn::EachChunk)),
        transactional: true,
        hazards: &[Hazard::RewritesTable, Hazard::BlocksWrites, Hazard::BlocksReads],
    }],
};

/// The table.
pub static RULES: Rules = Rules {
    create: &[],
    remove: &[],
    replace: None,
    attributes: &[AttributeRule { name: CONVERGED, how: How::Alter(&CHUNK) }],
};
