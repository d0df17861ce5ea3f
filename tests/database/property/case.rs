//! One case: a world, its policies and a change by hand, and the loop that must hold for them. A case
//! that fails is made smaller as long as it fails in the same place.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use chronoform::diff::{Drift, Status};
use chronoform::plan::Plan;
use serde_json::Value as Json;

use super::catalog::{self, difference};
use super::change::{self, Change};
use super::policy;
use super::random::Random;
use super::tool::Tool;
use super::world::{World, quoted};
use crate::servers::Db;

/// How long making a case smaller may take.
const SHRINKING: Duration = Duration::from_secs(40);

/// A case.
#[derive(Clone)]
pub struct Case {
    seed: u64,
    world: World,
    /// What is applied first, where the policies are then others.
    first: Option<Vec<Json>>,
    policies: Vec<Json>,
    /// The change by hand, by its label; none where there is nothing to change.
    change: Option<String>,
}

/// Where a case failed, and how.
#[derive(Debug)]
pub struct Broken {
    stage: &'static str,
    why: String,
}

impl Broken {
    /// Whether it is the same failure, as far as one can tell: in the same place, and with the same code
    /// where it has one.
    fn is_like(&self, other: &Self) -> bool {
        let code = |broken: &Self| {
            broken.why.split_once(": ").map(|(code, _)| code.to_owned()).filter(|code| !code.contains(' '))
        };
        self.stage == other.stage && code(self) == code(other)
    }
}

type Outcome = Result<(), Broken>;

/// What went wrong at a stage.
fn at(stage: &'static str) -> impl Fn(String) -> Broken {
    move |why| Broken { stage, why }
}

impl Case {
    /// The case of a seed.
    pub fn random(seed: u64, db: &Db) -> Self {
        let mut random = Random::new(seed);
        let suffix = db.unique("{unique}");
        let mut world = World::random(&mut random, db.tier(), &suffix);
        for role in &world.roles {
            db.drops_role(role);
        }
        let policies = policy::random(&mut random, &mut world);
        let first = random.chance(40).then(|| policy::earlier(&mut random, &mut world, &policies));
        let changes = change::all(&policies, &world, db.name());
        let change = (!changes.is_empty()).then(|| random.pick(&changes).label.clone());
        Self { seed, world, first, policies, change }
    }

    /// Runs it, and makes it smaller where it fails.
    pub fn check(&self, db: &Db) -> Result<(), String> {
        let ended = self.run(db);
        self.clear(db);
        let Err(broken) = ended else { return Ok(()) };
        let (smallest, broken) = self.shrink(broken, db);
        self.clear(db);
        Err(format!("case {:#x} failed at \"{}\": {}\n{smallest}", self.seed, broken.stage, broken.why))
    }

    fn run(&self, db: &Db) -> Outcome {
        let ended = catch_unwind(AssertUnwindSafe(|| self.steps(db)));
        ended.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(at("panic")(text.unwrap_or_default()))
        })
    }

    fn steps(&self, db: &Db) -> Outcome {
        self.clear(db);
        db.try_run(&self.world.sql()).map_err(|error| at("setup")(crate::servers::explain(&error)))?;
        let tool = Tool::new(db);
        if let Some(first) = &self.first {
            tool.write(first);
            converge(&tool, "the earlier policies")?;
        }
        tool.write(&self.policies);
        converge(&tool, "the policies")?;

        let before = catalog::read(db, &self.world);
        let again = tool.plan().map_err(at("plan again"))?;
        if !tool.is_settled(&again).map_err(at("plan again"))? {
            return Err(at("apply again")("there is something to write down".to_owned()));
        }
        tool.apply(again).map_err(at("apply again"))?;
        let after = catalog::read(db, &self.world);
        if let Some(difference) = difference(&before.versions, &after.versions) {
            return Err(at("apply again")(format!("it wrote to the catalog\n{difference}")));
        }
        let Some(label) = &self.change else { return Ok(()) };
        let changes = change::all(&self.policies, &self.world, db.name());
        let Some(change) = changes.iter().find(|change| change.label == *label) else { return Ok(()) };
        heal(&tool, db, change)?;
        // What earlier policies left of a thing, and these do not speak of, is nobody's to make again with it.
        if self.first.is_some() && change.attributes.is_none() {
            return Ok(());
        }
        let healed = catalog::read(db, &self.world);
        difference(&before.lines, &healed.lines).map_or(Ok(()), |difference| Err(at("heal: the catalog")(difference)))
    }

    /// Removes what an earlier case left.
    fn clear(&self, db: &Db) {
        let mut sql = String::new();
        if self.world.timescale {
            sql += "SELECT public.delete_job(job_id) FROM timescaledb_information.jobs WHERE job_id >= 1000;\n";
        }
        for schema in &self.world.schemas {
            sql += &format!("DROP SCHEMA IF EXISTS {} CASCADE;\n", quoted(schema));
        }
        for role in &self.world.roles {
            sql += &format!("DROP ROLE IF EXISTS {};\n", quoted(role));
        }
        db.run(&format!("{sql}ALTER DATABASE {} RESET ALL", quoted(db.name())));
    }

    /// The smallest case that fails in the same place.
    fn shrink(&self, broken: Broken, db: &Db) -> (Self, Broken) {
        let started = Instant::now();
        let (mut smallest, mut broken) = (self.clone(), broken);
        'again: loop {
            for smaller in smallest.smaller() {
                if started.elapsed() > SHRINKING {
                    return (smallest, broken);
                }
                match smaller.run(db) {
                    Err(still) if still.is_like(&broken) => {
                        (smallest, broken) = (smaller, still);
                        continue 'again;
                    }
                    _ => {}
                }
            }
            return (smallest, broken);
        }
    }

    /// Cases with one thing less.
    fn smaller(&self) -> Vec<Self> {
        let mut found = Vec::new();
        if self.first.is_some() {
            found.push(Self { first: None, ..self.clone() });
        }
        if self.change.is_some() {
            found.push(Self { change: None, ..self.clone() });
        }
        let mut with = |policies: Vec<Json>| found.push(Self { policies, ..self.clone() });
        smaller_lists(&self.policies).into_iter().for_each(&mut with);
        if let Some(first) = &self.first {
            found.extend(smaller_lists(first).into_iter().map(|first| Self { first: Some(first), ..self.clone() }));
        }
        for at in 0..self.world.tables.len() {
            let mut world = self.world.clone();
            if world.tables[at].rows > 0 {
                world.tables[at].rows = 0;
                found.push(Self { world, ..self.clone() });
            }
        }
        found
    }
}

/// The documents with one less, or with one thing less in one of them.
fn smaller_lists(documents: &[Json]) -> Vec<Vec<Json>> {
    let without = |at: usize| documents.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, d)| d.clone()).collect();
    let mut found: Vec<Vec<Json>> =
        if documents.len() > 1 { (0..documents.len()).map(without).collect() } else { vec![] };
    for (at, document) in documents.iter().enumerate() {
        for smaller in smaller_values(document) {
            let mut other = documents.to_vec();
            other[at] = smaller;
            found.push(other);
        }
    }
    found
}

/// Whether others go by it, so that a case without it would fail for a reason of its own.
fn is_needed(key: &str, value: &Json) -> bool {
    let needed = ["kind", "name", "query", "integer_now", "time_column", "migrate_data", "procedure", "every", "scope"];
    needed.contains(&key) || value.get("integer_now").is_some()
}

/// A value with one thing less in it.
fn smaller_values(value: &Json) -> Vec<Json> {
    let mut found = Vec::new();
    match value {
        Json::Object(entries) => {
            for (key, inner) in entries {
                if !is_needed(key, inner) {
                    let mut less = entries.clone();
                    less.shift_remove(key);
                    found.push(less.into());
                }
                for smaller in smaller_values(inner) {
                    let mut other = entries.clone();
                    other.insert(key.clone(), smaller);
                    found.push(other.into());
                }
            }
        }
        Json::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                let mut less = items.clone();
                less.remove(at);
                found.push(less.into());
                for smaller in smaller_values(inner) {
                    let mut other = items.clone();
                    other[at] = smaller;
                    found.push(other.into());
                }
            }
        }
        _ => {}
    }
    found
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "--- setup\n{}", self.world.sql())?;
        let mut list = |title: &str, documents: &[Json]| {
            writeln!(f, "--- {title}")?;
            documents.iter().try_for_each(|document| writeln!(f, "{document}"))
        };
        if let Some(first) = &self.first {
            list("earlier policies", first)?;
        }
        list("policies", &self.policies)?;
        writeln!(f, "--- changed by hand\n{}", self.change.as_deref().unwrap_or("nothing"))
    }
}

/// Applies what is written, and finds nothing left.
fn converge(tool: &Tool<'_>, what: &'static str) -> Outcome {
    let stage = |step: &str| match (what, step) {
        ("the policies", "plan") => "plan",
        ("the policies", "apply") => "apply",
        ("the policies", _) => "plan after apply",
        (_, "plan") => "plan of the earlier policies",
        (_, "apply") => "apply of the earlier policies",
        _ => "plan after apply of the earlier policies",
    };
    let looked = tool.plan().map_err(at(stage("plan")))?;
    tool.apply(looked).map_err(at(stage("apply")))?;
    let looked = tool.plan().map_err(at(stage("after")))?;
    empty(&looked.plan).map_err(at(stage("after")))
}

/// Nothing is to be done, and everything is as it should be.
fn empty(plan: &Plan) -> Result<(), String> {
    let differing: Vec<&Drift> = plan.drift.iter().filter(|drift| drift.status.is_difference()).collect();
    if plan.is_empty() && differing.is_empty() {
        return Ok(());
    }
    let actions: Vec<String> = plan
        .actions
        .iter()
        .map(|action| format!("{} {}: {:?}", action.op.as_str(), action.address, action.attributes))
        .collect();
    Err(format!("the plan is not empty: {}\n{differing:?}", actions.join("\n")))
}

/// Makes a change, sees it told and nothing else, and has it taken back.
fn heal(tool: &Tool<'_>, db: &Db, change: &Change) -> Outcome {
    let sql = &change.sql;
    db.try_run(sql).map_err(|error| at("the change")(format!("{}\n{sql}", crate::servers::explain(&error))))?;
    let looked = tool.plan().map_err(at("drift"))?;
    told(&looked.plan, change).map_err(|why| at("drift")(format!("{why}\n{sql}")))?;
    tool.apply(looked).map_err(at("heal"))?;
    let looked = tool.plan().map_err(at("plan after heal"))?;
    empty(&looked.plan).map_err(|why| at("plan after heal")(format!("{why}\n{sql}")))
}

/// The one thing that was changed is told, and planned, and no other.
fn told(plan: &Plan, change: &Change) -> Result<(), String> {
    let differing: Vec<&Drift> = plan.drift.iter().filter(|drift| drift.status.is_difference()).collect();
    let [drift] = differing.as_slice() else { return Err(format!("not just one differs: {differing:?}")) };
    let is_it = drift.address.kind.as_str() == change.kind
        && change.name.as_ref().is_none_or(|name| drift.address.name == *name);
    let names: BTreeSet<String> = drift.attributes.iter().map(|attribute| attribute.name.clone()).collect();
    let expected = match &change.attributes {
        None => drift.status == Status::Missing,
        Some(attributes) => drift.status == Status::Drifted && names == *attributes,
    };
    if !is_it || !expected {
        return Err(format!("not what was changed: {drift:?}"));
    }
    match plan.actions.as_slice() {
        [action] if action.address == drift.address => Ok(()),
        actions => Err(format!(
            "not just that is planned: {:?}",
            actions.iter().map(|a| a.address.to_string()).collect::<Vec<_>>()
        )),
    }
}
