//! `job`: a user-defined action, a procedure that TimescaleDB runs on a schedule. Beside it, in
//! `shared.rs`, what all policies have in common that run as jobs.

mod desired;
mod export;
mod identity;
mod observe;
mod rules;
mod settle;
mod shared;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::BTreeMap;

use schemars::JsonSchema as _;

use crate::core::{Address, Applied, Delta, Desired, KindId, Live, Op, Query, Row, RowError, Server, Value, Version};
use crate::diag::{Code, Diagnostic};
use crate::kinds::{Beside, Export, Judgement, Kind, Relations, Rules, Scope, Section, View};

pub use shared::{
    Age, age_schema, age_that_goes, apply_interval, check_age, check_created_before, check_schedule, check_unit,
    context, count, drops_by_row_time, failing_now, integer_now, is_community, is_within_time,
    job_of_who_cannot_log_in, live_integer_now, moved_present, new_timezone, not_owner, on_server, owner_cannot_log_in,
    present_unknown, relation, unknown_timezone, wanted_integer_now,
};

const ID: KindId = KindId::new("job");

/// From here on a job can be given a name (`sql/job_api.sql`, 2.19.3 and 2.20.3).
const NAMED: Version = Version::new(2, 20);

static AMBIGUOUS: Code = Code::new("job-ambiguous", "More than one live job could be the one that a policy describes.");
static UNKNOWN_PROCEDURE: Code =
    Code::new("unknown-procedure", "A procedure or function that the database does not have with the right arguments.");
static CODES: [&Code; 2] = [&AMBIGUOUS, &UNKNOWN_PROCEDURE];

/// The kind.
pub struct Job;

static SECTIONS: [Section; 1] =
    [Section { document: "job", key: "", repeated: false, schema: desired::Job::json_schema, expand: desired::expand }];

impl Kind for Job {
    fn id(&self) -> KindId {
        ID
    }

    fn title(&self) -> &'static str {
        "job"
    }

    fn rules(&self) -> &'static Rules {
        &rules::RULES
    }

    fn sections(&self) -> &'static [Section] {
        &SECTIONS
    }

    fn codes(&self) -> &'static [&'static Code] {
        &CODES
    }

    fn observe(&self, server: &Server, scope: &Scope) -> Option<Query> {
        observe::query(server, scope)
    }

    fn read(&self, rows: &[Row], _relations: &Relations) -> Result<Vec<Live>, RowError> {
        observe::read(rows)
    }

    fn identify(
        &self,
        found: Vec<Live>,
        desired: &BTreeMap<Address, Desired>,
        applied: &BTreeMap<Address, Applied>,
    ) -> Vec<Live> {
        identity::identify(found, desired, applied)
    }

    fn discover(&self, server: &Server, beside: &Beside) -> Result<Option<Query>, Diagnostic> {
        let asked = server.has_community_features() && beside.database;
        let query = || Query { sql: on_server(include_str!("discover.sql"), server), params: Vec::new() };
        Ok(asked.then(query))
    }

    fn export(&self, live: &Live, _view: &View<'_>) -> Export {
        export::export(live)
    }

    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
        settle::settle(desired, view, sink)
    }

    fn check(&self, own: &[&Desired], _all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
        settle::check(own, sink);
    }

    fn context(&self, delta: &Delta, _view: &View<'_>) -> BTreeMap<String, Value> {
        let desired = delta.desired.as_ref();
        let signature = |attribute: &str, arguments: &str| match desired.and_then(|desired| desired.get(attribute)) {
            Some(Value::Name(name)) => Some(Value::Text(format!("{name}({arguments})"))),
            _ => None,
        };
        let mut context = BTreeMap::new();
        context.extend(signature("procedure", "integer, jsonb").map(|text| ("procedure".to_owned(), text)));
        context.extend(signature("check_config", "jsonb").map(|text| ("check_config".to_owned(), text)));
        context
    }

    fn forgets(&self, attribute: &str) -> bool {
        // A check that the policy no longer asks for would go on refusing configurations.
        attribute == "check_config"
    }

    fn is_derived(&self, attribute: &str, _desired: &Desired, _applied: &Applied) -> bool {
        attribute == "job_name"
    }

    fn is_implied(&self, attribute: &str, _value: &Value) -> bool {
        attribute == "job_name"
    }

    fn weigh(&self, deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
        weigh::query(deltas, view)
    }

    fn judge(&self, delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
        weigh::judge(delta, op, weights, view)
    }
}
