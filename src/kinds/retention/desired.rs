//! The `retention` section of a `table` document.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::core::{Address, Desired, Ensure};
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::job::{self, Age};
use crate::kinds::schedule::Schedule;

/// How long a hypertable keeps its data: TimescaleDB's retention policy, a job that drops whole
/// chunks. Give `drop_after` or `drop_created_before`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Whether there must be a retention policy. `absent` removes one on purpose.
    #[serde(default)]
    pub ensure: Ensure,
    /// Drops a chunk once all of its rows are older than this: an interval, or a whole number where
    /// time is one (which needs the hypertable's `integer_now`).
    #[serde(default)]
    #[schemars(schema_with = "job::age_schema")]
    pub drop_after: Option<Age>,
    /// Drops a chunk once it was created longer ago than this, whatever the time in its rows. On a
    /// table whose time is no whole number it needs TimescaleDB 2.26.3.
    #[schemars(example = &"90 days")]
    pub drop_created_before: Option<String>,
    /// When the job runs.
    #[serde(default)]
    pub schedule: Option<Schedule>,
}

/// The resource of a section.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let Some(raw) = input.read::<Retention>(sink) else { return Vec::new() };
    let on = input.head.relation.clone();
    let mut desired = input.desired(Address::in_schema(super::ID, &on), Some(on));
    desired.ensure = raw.ensure;
    if raw.ensure == Ensure::Absent {
        return vec![desired];
    }
    match (&raw.drop_after, &raw.drop_created_before) {
        (Some(age), None) => age.apply("drop_after", input, &mut desired, sink),
        (None, Some(text)) => job::apply_interval(text, "drop_created_before", input, &mut desired, sink),
        (Some(_), Some(_)) => {
            let message = "`drop_after` and `drop_created_before` cannot be used together";
            sink.push(
                Diagnostic::error(&code::WRONG_VALUE, message)
                    .at(input.key_place("/drop_created_before"))
                    .and_at(input.key_place("/drop_after"), "and here")
                    .why("one counts from the time in the rows, the other from the creation of the chunk")
                    .help("keep one of them; `drop_after` is what most tables need"),
            );
            return Vec::new();
        }
        (None, None) => {
            sink.push(
                Diagnostic::error(&code::MISSING_KEY, "retention needs `drop_after` or `drop_created_before`")
                    .at(input.place(""))
                    .help("say how old data may become, such as `drop_after: 90 days`"),
            );
            return Vec::new();
        }
    }
    if let Some(schedule) = &raw.schedule {
        schedule.apply(input, "/schedule", &mut desired, sink);
        job::check_schedule(&desired, sink);
    }
    vec![desired]
}
