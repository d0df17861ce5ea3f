//! The `reorder` section of a `table` document.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::core::{Address, Desired, Ensure, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::job;
use crate::kinds::schedule::Schedule;

/// By which index a hypertable's chunks are ordered on disk: TimescaleDB's reorder policy, a job that
/// writes each chunk anew once it is no longer among the three newest, unless it is in the
/// columnstore by then.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reorder {
    /// Whether there must be a reorder policy. `absent` removes one on purpose.
    #[serde(default)]
    pub ensure: Ensure,
    /// The index's exact name, without a schema: one of this table, which the same document may
    /// describe. Required unless `ensure: absent`.
    #[schemars(length(min = 1), example = &"ix_trades_symbol_time")]
    pub index: Option<String>,
    /// When the job runs.
    #[serde(default)]
    pub schedule: Option<Schedule>,
}

/// The resource of a section.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let Some(raw) = input.read::<Reorder>(sink) else { return Vec::new() };
    let on = input.head.relation.clone();
    let mut desired = input.desired(Address::in_schema(super::ID, &on), Some(on));
    desired.ensure = raw.ensure;
    if raw.ensure == Ensure::Absent {
        return vec![desired];
    }
    let Some(index) = &raw.index else {
        sink.push(
            Diagnostic::error(&code::MISSING_KEY, "reorder needs an `index`")
                .at(input.place(""))
                .help("name the index by which chunks are to be ordered, such as `index: ix_trades_symbol_time`"),
        );
        return Vec::new();
    };
    let Some(index) = input.identifier(index, "/index", sink) else { return Vec::new() };
    input.set(&mut desired, "index", "/index", Value::text(index));
    if let Some(schedule) = &raw.schedule {
        schedule.apply(input, "/schedule", &mut desired, sink);
        job::check_schedule(&desired, sink);
    }
    vec![desired]
}
