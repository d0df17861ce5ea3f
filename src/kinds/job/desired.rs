//! The `job` document.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::core::{Address, Desired, Ensure, JsonText, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::schedule::{Limit, Schedule, limit_schema};

/// The longest name: the server keeps 63 bytes of it and of the job's number in brackets.
const LONGEST_NAME: usize = 50;

/// A user-defined action: a procedure or function of your own that TimescaleDB runs on a schedule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Whether there must be such a job. `absent` deletes it.
    #[serde(default)]
    pub ensure: Ensure,
    /// What is run: a procedure or function of the arguments `(integer, jsonb)`, which are the job's
    /// number and its configuration. Without a schema it is in `public`. Another one makes the job
    /// anew, with another number and without its history.
    #[schemars(length(min = 1), example = &"public.roll_up")]
    pub procedure: String,
    /// When it runs. Required unless `ensure: absent`.
    pub schedule: Option<JobSchedule>,
    /// What the procedure is given: any mapping, compared as JSON. Where the server cannot keep a
    /// job's name (TimescaleDB before 2.20), it also tells several jobs of one procedure apart.
    #[schemars(example = &serde_json::json!({"keep": "30 days"}))]
    pub config: Option<Map<String, Json>>,
    /// A function of the argument `(jsonb)` that refuses a wrong configuration by an error. The
    /// server calls it whenever the job is made or changed.
    #[schemars(length(min = 1), example = &"public.check_roll_up")]
    pub check_config: Option<String>,
}

/// When a user-defined action runs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSchedule {
    /// How often the job runs.
    #[schemars(example = &"1 hour")]
    pub every: String,
    /// When the job first runs, as a timestamp with time zone. With it the schedule is fixed to the
    /// clock; without it the next run is counted from the end of the last, unless `fixed: true`.
    #[schemars(example = &"2026-01-01 02:00:00+00")]
    pub initial_start: Option<String>,
    /// Whether the schedule is fixed to the clock. `true` without `initial_start` takes the moment
    /// of the change for the first run.
    pub fixed: Option<bool>,
    /// The time zone in which a fixed schedule keeps its hour across daylight saving.
    #[schemars(example = &"Europe/Berlin")]
    pub timezone: Option<String>,
    /// How long one run may take before it is cancelled; `0` for no limit.
    #[serde(default)]
    #[schemars(schema_with = "limit_schema")]
    pub max_runtime: Option<Limit>,
    /// How often a failed run is tried again; -1 for ever.
    #[schemars(range(min = -1, max = 2_147_483_647), example = 3)]
    pub max_retries: Option<i64>,
    /// How long to wait before trying again.
    #[schemars(example = &"5 minutes")]
    pub retry_period: Option<String>,
    /// Whether the job is paused. Without it, a job that an operator paused stays paused and is
    /// reported as such.
    pub paused: Option<bool>,
}

impl JobSchedule {
    fn shared(&self) -> Schedule {
        Schedule {
            every: Some(self.every.clone()),
            initial_start: self.initial_start.clone(),
            timezone: self.timezone.clone(),
            max_runtime: self.max_runtime.clone(),
            max_retries: self.max_retries,
            retry_period: self.retry_period.clone(),
            paused: self.paused,
        }
    }
}

/// The keys of [`Job`] itself; the rest of the document is its head.
const KEYS: [&str; 5] = ["ensure", "procedure", "schedule", "config", "check_config"];

/// The resource of a document.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let own = input.own(&KEYS);
    let section = SectionInput { value: &own, ..*input };
    let Some(raw) = section.read::<Job>(sink) else { return Vec::new() };
    let name = &input.head.name;
    if let Some(error) = bad_name(name) {
        sink.push(error.at(input.place("/name")));
        return Vec::new();
    }
    let mut desired = input.desired(Address::global(super::ID, name), None);
    desired.ensure = raw.ensure;
    match input.name(&raw.procedure, "/procedure", sink) {
        Some(procedure) => input.set(&mut desired, "procedure", "/procedure", Value::Name(procedure)),
        None => return Vec::new(),
    }
    if let Some(config) = &raw.config {
        set_config(config, input, &mut desired, sink);
    }
    if raw.ensure == Ensure::Absent {
        return vec![desired];
    }
    if let Some(check) = &raw.check_config
        && let Some(check) = input.name(check, "/check_config", sink)
    {
        input.set(&mut desired, "check_config", "/check_config", Value::Name(check));
    }
    match &raw.schedule {
        Some(schedule) => set_schedule(schedule, input, &mut desired, sink),
        None => sink.push(
            Diagnostic::error(&code::MISSING_KEY, "a job needs a `schedule`")
                .at(input.place("/kind"))
                .help("say how often it runs, such as `schedule: {every: 1 hour}`"),
        ),
    }
    vec![desired]
}

/// What is wrong with a job's name.
pub fn bad_name(name: &str) -> Option<Diagnostic> {
    let why = match () {
        () if name.trim().is_empty() => "the name is empty".to_owned(),
        () if name.contains('\0') => "a job's name holds no NUL character".to_owned(),
        () if name.len() > LONGEST_NAME => {
            format!("the name is {} bytes long, and the server keeps {LONGEST_NAME} of a job's name", name.len())
        }
        () => return None,
    };
    Some(Diagnostic::error(&code::BAD_NAME, why).help("choose a shorter one, by which people know the job"))
}

fn set_config(config: &Map<String, Json>, input: &SectionInput<'_>, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
    let json = Json::Object(config.clone());
    if has_nul(&json) {
        let error = Diagnostic::error(&code::WRONG_VALUE, "a configuration holds no NUL character");
        sink.push(error.at(input.place("/config")).why("the server's type jsonb has no place for it"));
        return;
    }
    input.set(desired, "config", "/config", Value::Json(JsonText::new(&json)));
}

fn has_nul(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(has_nul),
        Json::Object(entries) => entries.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

fn set_schedule(raw: &JobSchedule, input: &SectionInput<'_>, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
    raw.shared().apply(input, "/schedule", desired, sink);
    if let Some(fixed) = raw.fixed {
        input.set(desired, "schedule.fixed", "/schedule/fixed", fixed);
    }
    if raw.fixed == Some(false) && raw.initial_start.is_some() {
        sink.push(
            Diagnostic::error(&code::WRONG_VALUE, "`fixed: false` and `initial_start` cannot be used together")
                .at(input.key_place("/schedule/fixed"))
                .and_at(input.key_place("/schedule/initial_start"), "this fixes the schedule to the clock")
                .help("keep one of them"),
        );
    }
    super::shared::check_schedule(desired, sink);
}
