//! A live job as its document.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::core::{Address, Interval, Live, Value};
use crate::kinds::job::desired::bad_name;
use crate::kinds::job::identity;
use crate::kinds::schedule::{self, Defaults};
use crate::kinds::{Entries, Export};

/// `job_add` in `tsl/src/bgw_policy/job_api.c`, 2.14 to 2.29. How often a job runs must be said.
const DEFAULTS: Defaults = Defaults {
    every: Interval::micros(0),
    max_runtime: Interval::micros(0),
    max_retries: -1,
    retry_period: Interval::micros(5 * 60_000_000),
};

/// See [`crate::kinds::Kind::export`].
pub fn export(live: &Live) -> Export {
    let config = match live.get("config") {
        None => None,
        Some(Value::Json(config)) => match serde_json::from_str(config.as_str()) {
            Ok(Json::Object(config)) => Some(Json::Object(config)),
            _ => return Export::LeftOut("a job's configuration is no mapping".to_owned()),
        },
        Some(_) => return Export::LeftOut("a job's configuration holds a number that no policy can".to_owned()),
    };
    let entries = Entries::default()
        .with_attribute(live, "procedure")
        .with_some("config", config)
        .with_attribute(live, "check_config")
        .with_some("schedule", schedule::written(live, &DEFAULTS));
    Export::document("job", &live.address.name, entries)
}

/// Names for jobs that no policy knows: those that they were given, or else what they run, each once.
pub fn name(found: Vec<Live>) -> Vec<Live> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut named = |mut live: Live| {
        let given = live.get("job_name").and_then(Value::as_text).filter(|_| !identity::is_unnamed(&live));
        let runs = match live.get("procedure") {
            Some(Value::Name(procedure)) => procedure.name.clone(),
            _ => String::new(),
        };
        let given = given.filter(|name| bad_name(name).is_none() && !taken.contains(*name)).map(str::to_owned);
        let number = live.fact("job_id").map(ToString::to_string).unwrap_or_default();
        let name = given.unwrap_or_else(|| match bad_name(&runs).is_none() && !taken.contains(&runs) {
            true => runs,
            false => format!("job {number}"),
        });
        taken.insert(name.clone());
        live.address = Address::global(super::ID, name);
        live
    };
    found.into_iter().map(&mut named).collect()
}
