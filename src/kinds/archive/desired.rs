//! The `archive` section of a `table` document.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::core::{Address, Desired, Ensure, KindId, Value};
use crate::diag::Diagnostic;
use crate::kinds::SectionInput;
use crate::kinds::archive::{AFTER, ALL, ARCHIVED, DROP, TO};
use crate::kinds::job::{self, Age};

/// Which chunks of a hypertable are written to an archive once they are old, by `chronoform run
/// archive`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// The name of the `archive_store` that they are written to.
    #[schemars(length(min = 1), example = &"cold")]
    pub to: String,
    /// A chunk is due once all of its rows are older than this: an interval, or a whole number where
    /// time is one (which needs the hypertable's `integer_now`).
    #[schemars(schema_with = "job::age_schema")]
    pub after: Age,
    /// Whether a chunk is dropped from the table once its copy in the archive has been read back and
    /// found equal. Then nothing else may drop chunks of the table: a retention policy that there is,
    /// is removed.
    #[serde(default)]
    pub drop: bool,
}

/// The resources of a section: the work, and where chunks are dropped by it, that no retention policy
/// does.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let Some(raw) = input.read::<Archive>(sink) else { return Vec::new() };
    let on = input.head.relation.clone();
    let mut desired = input.desired(Address::in_schema(super::ID, &on), Some(on.clone()));
    input.set(&mut desired, TO, "/to", Value::text(&raw.to));
    raw.after.apply(AFTER, input, &mut desired, sink);
    if desired.get(AFTER).is_none() {
        return Vec::new();
    }
    input.set(&mut desired, DROP, "/drop", raw.drop);
    desired.set(ARCHIVED, Value::text(ALL));
    if !raw.drop {
        return vec![desired];
    }
    let mut retention = input.desired(Address::in_schema(KindId::new("retention"), &on), Some(on));
    retention.ensure = Ensure::Absent;
    retention.place = input.place("/drop").clone();
    vec![desired, retention]
}
