//! How an index is built, changed, replaced and dropped.
//!
//! A replacement is built under a name of its own and then takes over, so that the table is never
//! without the index. Wherever that stops half-way, the next plan finds what was left behind.

use crate::core::{Hazard, LockMode};
use crate::kinds::index::moved::NAME;
use crate::kinds::index::observe::MISSING_ON_CHUNKS;
use crate::kinds::index::way::{BRIEF, BRIEF_THEN_SWAP, CONCURRENTLY, GENTLE, PER_CHUNK, WHOLE_THEN_SWAP};
use crate::kinds::{AttributeRule, How, LockOn, Needs, Rules, StepRule, Variant};

const CREATE: &str = "index/create.sql";
/// What is done to one chunk after another.
const ON_CHUNK: [&str; 2] = ["index/drop_on_chunk.sql", "index/create_on_chunk.sql"];

/// Whether a step is made once for every chunk that lacks the index.
pub fn is_on_chunk(template: &str) -> bool {
    ON_CHUNK.contains(&template)
}

/// A statement that cannot run in a transaction, or must not share one.
const fn alone(template: &'static str, needs: Needs, lock: (LockMode, LockOn)) -> Variant {
    Variant { needs, template, lock: Some(lock), transactional: false, hazards: &[] }
}

const fn within(template: &'static str, needs: Needs, lock: (LockMode, LockOn)) -> Variant {
    Variant { needs, template, lock: Some(lock), transactional: true, hazards: &[] }
}

const fn endangering(variant: Variant, hazards: &'static [Hazard]) -> Variant {
    Variant { hazards, ..variant }
}

/// Against vacuum and schema changes only.
const GENTLY: (LockMode, LockOn) = (LockMode::ShareUpdateExclusive, LockOn::Relation);
const BY_CHUNK: (LockMode, LockOn) = (LockMode::Share, LockOn::EachChunk);
const WRITES: (LockMode, LockOn) = (LockMode::Share, LockOn::RelationAndChunks);
const ALL: (LockMode, LockOn) = (LockMode::AccessExclusive, LockOn::RelationAndChunks);

static CREATE_STEP: StepRule = StepRule {
    variants: &[
        alone(CREATE, Needs::when(CONCURRENTLY), GENTLY),
        alone(CREATE, Needs::when(PER_CHUNK), BY_CHUNK),
        within(CREATE, Needs::when(BRIEF), WRITES),
        endangering(within(CREATE, Needs::ANY, WRITES), &[Hazard::BlocksWrites]),
    ],
};

/// The same in a replacement. What is swapped in afterwards is built on its own: in one transaction
/// with the swap, SHARE would have to become ACCESS EXCLUSIVE while others already wait for it. What
/// replaces an index that is dropped first shares its transaction, so that both happen or neither.
static BUILD: StepRule = StepRule {
    variants: &[
        alone(CREATE, Needs::when(CONCURRENTLY), GENTLY),
        alone(CREATE, Needs::when(PER_CHUNK), BY_CHUNK),
        alone(CREATE, Needs::when(BRIEF_THEN_SWAP), WRITES),
        endangering(alone(CREATE, Needs::when(WHOLE_THEN_SWAP), WRITES), &[Hazard::BlocksWrites]),
        within(CREATE, Needs::when(BRIEF), ALL),
        endangering(within(CREATE, Needs::ANY, ALL), &[Hazard::BlocksWrites, Hazard::BlocksReads]),
    ],
};

/// `DROP INDEX` is a catalog change, but waits for everybody and makes everybody wait;
/// `CONCURRENTLY` only waits.
const fn drop_with(template: &'static str) -> [Variant; 2] {
    [alone(template, Needs::when(CONCURRENTLY), GENTLY), within(template, Needs::ANY, ALL)]
}

static REMOVE: StepRule = StepRule { variants: &drop_with("index/remove.sql") };
static DROP_FIRST: StepRule = StepRule { variants: &drop_with("index/drop_first.sql") };
static DROP_UNFINISHED: StepRule = StepRule { variants: &drop_with("index/drop_unfinished.sql") };
static DROP_LEFT_OVER: StepRule = StepRule { variants: &drop_with("index/drop_left_over.sql") };

/// Out of the way: on a plain table by another name, because dropping it at once would need ACCESS
/// EXCLUSIVE; elsewhere there is no gentler way.
static RETIRE: StepRule = StepRule {
    variants: &[
        within("index/retire.sql", Needs::when(CONCURRENTLY), (LockMode::ShareUpdateExclusive, LockOn::Object)),
        within("index/retire.sql", Needs::ANY, ALL),
    ],
};

/// In one transaction with the renaming, so that what is left of it is known again by more than its
/// name.
static MARK_RETIRED: StepRule = StepRule {
    variants: &[
        within("index/mark_retired.sql", Needs::when(CONCURRENTLY), (LockMode::ShareUpdateExclusive, LockOn::Object)),
        within("index/mark_retired.sql", Needs::ANY, (LockMode::ShareUpdateExclusive, LockOn::Object)),
    ],
};

/// Renaming an index of a hypertable renames those of its chunks, under ACCESS EXCLUSIVE on each
/// (`ts_chunk_index_rename` in `src/chunk_index.c`).
static TAKE_OVER: StepRule = StepRule {
    variants: &[
        within("index/take_over.sql", Needs::when(CONCURRENTLY), (LockMode::ShareUpdateExclusive, LockOn::Object)),
        within("index/take_over.sql", Needs::ANY, ALL),
    ],
};

/// What was called otherwise before, likewise.
static RENAME: StepRule = StepRule {
    variants: &[
        within("index/rename.sql", Needs::when(CONCURRENTLY), (LockMode::ShareUpdateExclusive, LockOn::Object)),
        within("index/rename.sql", Needs::ANY, ALL),
    ],
};

/// The table stays clustered on the index it was clustered on.
static CLUSTER_ON: StepRule = StepRule { variants: &[within("index/cluster_on.sql", Needs::ANY, GENTLY)] };

static DROP_RETIRED: StepRule = StepRule { variants: &drop_with("index/drop_retired.sql") };

/// On a hypertable it is the parent's alone: chunks made later take after it.
static STORAGE: StepRule = StepRule {
    variants: &[
        within("index/storage.sql", Needs::when(GENTLE), (LockMode::ShareUpdateExclusive, LockOn::Object)),
        within("index/storage.sql", Needs::ANY, (LockMode::AccessExclusive, LockOn::Object)),
    ],
};

/// The index is copied to its new place while nobody may use the table; on a hypertable those of
/// all chunks are (`ts_chunk_index_set_tablespace` in `src/chunk_index.c`).
static TABLESPACE: StepRule = StepRule {
    variants: &[
        within("index/tablespace.sql", Needs::when(BRIEF), ALL),
        endangering(within("index/tablespace.sql", Needs::ANY, ALL), &[Hazard::BlocksWrites, Hazard::BlocksReads]),
    ],
};

/// A chunk's copy that is not valid helps nobody, and goes before another is built.
static DROP_ON_CHUNK: StepRule =
    StepRule { variants: &[within(ON_CHUNK[0], Needs::ANY, (LockMode::AccessExclusive, LockOn::Item))] };

/// What was built on a chunk by itself is the copy of whichever index it is built like: see
/// [`crate::kinds::index::observe::BY_SHAPE`], without which settling asks for none.
static CREATE_ON_CHUNK: StepRule =
    StepRule { variants: &[within(ON_CHUNK[1], Needs::ANY, (LockMode::Share, LockOn::Item))] };

/// The whole table.
pub static RULES: Rules = Rules {
    create: &[&DROP_UNFINISHED, &DROP_LEFT_OVER, &CREATE_STEP, &TAKE_OVER],
    remove: &[&DROP_UNFINISHED, &DROP_LEFT_OVER, &REMOVE],
    replace: Some(&[
        &RENAME,
        &DROP_UNFINISHED,
        &DROP_LEFT_OVER,
        &DROP_FIRST,
        &BUILD,
        &RETIRE,
        &MARK_RETIRED,
        &TAKE_OVER,
        &CLUSTER_ON,
        &DROP_RETIRED,
    ]),
    attributes: &[
        AttributeRule { name: NAME, how: How::Alter(&RENAME) },
        AttributeRule { name: "columns", how: How::Replace },
        AttributeRule { name: "include", how: How::Replace },
        AttributeRule { name: "where", how: How::Replace },
        AttributeRule { name: "method", how: How::Replace },
        AttributeRule { name: "unique", how: How::Replace },
        AttributeRule { name: "nulls_not_distinct", how: How::Replace },
        AttributeRule { name: "valid", how: How::Replace },
        AttributeRule { name: MISSING_ON_CHUNKS, how: How::AlterBy(&[&DROP_ON_CHUNK, &CREATE_ON_CHUNK]) },
        AttributeRule { name: "leftover.unfinished", how: How::Alter(&DROP_UNFINISHED) },
        AttributeRule { name: "leftover.retired", how: How::Alter(&DROP_LEFT_OVER) },
        AttributeRule { name: "tablespace", how: How::Alter(&TABLESPACE) },
        AttributeRule { name: "storage.*", how: How::Alter(&STORAGE) },
    ],
};
