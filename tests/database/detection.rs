//! Invariant 2, for every attribute of every kind: changed by hand, `drift` names it and nothing
//! else, `plan` puts back just that, and after `apply` nothing differs.
//!
//! `tests/detection/<kind>/` (and `<kind>@<where>/`, for more of the same elsewhere) has a `setup.sql`, a `policy.yaml`, `tiers` where it is not for
//! TimescaleDB alone, and for each attribute in the kind's rules `<attribute>.sql`, which changes
//! just that; or `<attribute>.never`, which says why nobody can. Behind an `@` a second change of
//! one attribute has a name of its own. An attribute of the registry with neither file fails the
//! test `detection::<kind>::complete`.
//!
//! The first lines of a change may say what is to be expected of it:
//!
//! - `-- status: missing`: the resource is gone as a whole; `paused`: that is reported, and is no
//!   difference; `pending`: nothing that was applied is different, and something is to be done.
//! - `-- also: <attribute> …`: these cannot but change with it.
//! - `-- heal: refused`: it cannot be taken back in place.
//! - `-- import: goes on`: what is imported then says that there is work to be gone on with.
//! - `-- not: embedded`: that server cannot do it.
//! - `-- afterwards: <statement>`: what is left to be cleared away once it is healed.
//!
//! The statement behind a line `-- fails` fails, and `{unique}` is a name that no other test has. A file
//! `roles` names roles that are dropped with the database.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use chronoform::core::ClosedBy;
use chronoform::kinds::{self, How, Kind};
use libtest_mimic::{Failed, Trial};
use serde_json::Value as Json;

use crate::cases;
use crate::cli::Workplace;
use crate::import;
use crate::servers::{Servers, Tier};

/// Where the fixtures are.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/detection")
}

/// Fixtures of one kind: a folder `<kind>`, or `<kind>@<where>` for more of the same elsewhere.
#[derive(Clone)]
struct Fixtures {
    kind: &'static dyn Kind,
    name: String,
}

impl Fixtures {
    fn folder(&self) -> PathBuf {
        root().join(&self.name)
    }

    /// The tiers that the folder is for: `timescale` unless it says otherwise.
    fn runs_on(&self, tier: Tier) -> bool {
        let tiers = fs::read_to_string(self.folder().join("tiers")).unwrap_or_else(|_| "timescale".to_owned());
        let word = match tier {
            Tier::Embedded | Tier::TimescaleUrl => "timescale",
            Tier::Apache => "apache",
            Tier::PostgresNative | Tier::PostgresUrl => "postgres",
        };
        tiers.split_whitespace().any(|listed| listed == word)
    }

    /// The names of the files with an ending, without it.
    fn stems(&self, ending: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.folder()) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        let mut found: Vec<String> = names.filter_map(|name| name.strip_suffix(ending).map(str::to_owned)).collect();
        found.sort();
        found
    }

    fn changes(&self) -> Vec<String> {
        self.stems(".sql").into_iter().filter(|stem| stem != "setup").collect()
    }
}

/// All fixtures, by the kinds' order and then by name.
fn all() -> Vec<Fixtures> {
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    let of = |kind: &'static dyn Kind| {
        let own = names.iter().filter(move |name| before_at(name) == kind.id().as_str());
        own.map(move |name| Fixtures { kind, name: name.clone() })
    };
    kinds::all().iter().flat_map(|kind| of(*kind)).collect()
}

/// What stands before an `@`.
fn before_at(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

/// One test a folder, which makes the changes one after another, and one a kind for completeness.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let mut trials = Vec::new();
    if tier == Tier::Embedded || tier == Tier::PostgresNative {
        let complete = |kind: &'static dyn Kind| {
            Trial::test(format!("{tier}::detection::{}::complete", kind.id()), move || complete(kind))
        };
        trials.extend(kinds::all().iter().map(|kind| complete(*kind)));
        trials.push(Trial::test(format!("{tier}::detection::no_orphans"), no_orphans));
    }
    for fixtures in all().into_iter().filter(|fixtures| fixtures.runs_on(tier)) {
        let servers = servers.clone();
        let name = format!("{tier}::detection::{}::changes", fixtures.name);
        trials.push(Trial::test(name, move || run_all(&fixtures, tier, &servers)));
    }
    trials
}

/// Every folder is a kind's.
fn no_orphans() -> Result<(), Failed> {
    let known: BTreeSet<String> = all().into_iter().map(|fixtures| fixtures.name).collect();
    let found = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    match found.filter(|name| !known.contains(name)).collect::<Vec<_>>().as_slice() {
        [] => Ok(()),
        orphans => Err(format!("no kind is called as these folders: {orphans:?}").into()),
    }
}

/// Each change is taken back before the next is made, so that they share a database; one that was
/// not leaves it to itself.
fn run_all(fixtures: &Fixtures, tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let folder = fixtures.folder();
    let mut changes: Vec<Change> = fixtures.changes().iter().map(|stem| Change::read(&folder, stem)).collect();
    changes.retain(|change| !change.not_embedded || tier != Tier::Embedded);
    changes.sort_by_key(|change| change.stays());
    let _alone = Servers::alone_with(fixtures.kind.id().as_str());
    let mut failures = Vec::new();
    let mut rest = changes.as_slice();
    while !rest.is_empty() {
        let db = servers.db(tier)?;
        let place = Workplace::new(&db);
        prepare(&folder, &place);
        while let [change, others @ ..] = rest {
            rest = others;
            let roles = fs::read_to_string(folder.join("roles")).unwrap_or_default();
            let ended = catch_unwind(AssertUnwindSafe(|| run(fixtures.kind, change, &db.unique(&roles), &place)));
            if let Err(panic) = &ended {
                failures.push(format!("{}: {}", change.stem, message(panic.as_ref())));
            }
            if ended.is_err() || change.stays() {
                break;
            }
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n\n").into()) }
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}

/// Every attribute that can be changed has a change, every other a reason, and no reason is given
/// for what can be changed.
fn complete(kind: &'static dyn Kind) -> Result<(), Failed> {
    if kind.closed_by() != ClosedBy::Apply || kind.is_outside() {
        // What `run` closes is tested with it, and so is what no SQL can change.
        return Ok(());
    }
    let own: Vec<Fixtures> = all().into_iter().filter(|fixtures| fixtures.kind.id() == kind.id()).collect();
    let changes: Vec<String> = own.iter().flat_map(Fixtures::changes).collect();
    let never: Vec<String> = own.iter().flat_map(|fixtures| fixtures.stems(".never")).collect();
    let mut wrong = Vec::new();
    for rule in kind.rules().attributes {
        let changed = match rule.name.strip_suffix('*') {
            Some(beginning) => changes.iter().any(|change| change.starts_with(beginning)),
            None => changes.iter().any(|change| before_at(change) == rule.name),
        };
        let excused = never.iter().any(|stem| stem == rule.name);
        let only_at_creation = matches!(rule.how, How::OnlyAtCreation);
        if changed == excused || excused != only_at_creation {
            wrong.push(rule.name);
        }
    }
    match wrong.as_slice() {
        [] => Ok(()),
        wrong => Err(format!("{}: no detection test, or one too many, for {wrong:?}", kind.id()).into()),
    }
}

/// What a change says of itself.
struct Change {
    stem: String,
    sql: String,
    attribute: String,
    status: String,
    also: Vec<String>,
    refused: bool,
    goes_on: bool,
    not_embedded: bool,
    afterwards: Option<String>,
}

impl Change {
    fn read(folder: &Path, stem: &str) -> Self {
        let sql = fs::read_to_string(folder.join(format!("{stem}.sql"))).unwrap();
        let said = |word: &str| {
            let start = format!("-- {word}: ");
            let mut comments = sql.lines().take_while(|line| line.starts_with("--"));
            comments.find_map(|line| line.strip_prefix(start.as_str())).map(str::to_owned)
        };
        Self {
            stem: stem.to_owned(),
            attribute: before_at(stem).to_owned(),
            status: said("status").unwrap_or_else(|| "drifted".to_owned()),
            also: said("also").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            refused: said("heal").is_some_and(|heal| heal == "refused"),
            goes_on: said("import").is_some_and(|import| import == "goes on"),
            not_embedded: said("not").is_some_and(|tier| tier == "embedded"),
            afterwards: said("afterwards"),
            sql,
        }
    }

    /// Whether it is still there when its test is over.
    fn stays(&self) -> bool {
        self.refused || self.status == "paused"
    }

    /// The attributes that drift has to name.
    fn attributes(&self) -> BTreeSet<&str> {
        self.also.iter().map(String::as_str).chain([self.attribute.as_str()]).collect()
    }
}

fn prepare(folder: &Path, place: &Workplace<'_>) {
    let read = |file: &str| place.db.unique(&fs::read_to_string(folder.join(file)).unwrap_or_default());
    for role in read("roles").split_whitespace() {
        place.db.drops_role(role);
    }
    place.db.run(&read("setup.sql"));
    place.write("policy.yaml", &read("policy.yaml"));
    place.apply("policy.yaml").expect(0);
    in_sync(place);
}

/// All that is managed is as it should be.
fn in_sync(place: &Workplace<'_>) {
    let clean = drift(place, 0);
    assert_eq!(standing(&clean, "in_sync").len(), managed(&clean), "not all is in sync\n{clean}");
}

/// Makes the change statement by statement; those marked so must fail.
fn make(change: &Change, place: &Workplace<'_>) {
    let mut session = place.db.connect();
    for statement in cases::statements(&change.sql) {
        let ended = session.batch_execute(&place.db.unique(&statement));
        let fails = change.sql.contains(&format!("-- fails\n{statement}"));
        assert_eq!(ended.is_err(), fails, "{ended:?}\n{statement}");
    }
}

fn run(kind: &dyn Kind, change: &Change, roles: &str, place: &Workplace<'_>) {
    make(change, place);
    // What somebody made by hand can be written down as well.
    match change.goes_on {
        true => import::goes_on(place),
        false => _ = import::round_trip(place, false, &import::roles(place.db, roles)),
    }
    see(kind, change, place);
    if let Some(afterwards) = &change.afterwards {
        place.db.run(&place.db.unique(afterwards));
    }
}

fn see(kind: &dyn Kind, change: &Change, place: &Workplace<'_>) {
    if change.status == "paused" {
        let report = drift(place, 0);
        assert_eq!(standing(&report, "paused").len(), 1, "{report}");
        place.expect_converged("policy.yaml");
        return;
    }
    let report = drift(place, 2);
    let found = standing(&report, &change.status);
    let others = managed(&report) - found.len();
    assert_eq!((found.len(), standing(&report, "in_sync").len()), (1, others), "not just one drifted\n{report}");
    assert_eq!(found[0]["kind"], kind.id().as_str(), "{report}");
    if change.status != "missing" {
        assert_eq!(names(found[0]), change.attributes(), "{report}");
    }
    heal(place, change, found[0]);
}

/// The plan is about what drifted and nothing else; carried out, nothing differs.
fn heal(place: &Workplace<'_>, change: &Change, drifted: &Json) {
    let planned = place.run(&["plan", "policy.yaml", "--out", "plan.json"]);
    if change.refused {
        assert!(matches!(planned.code, 1 | 3), "exit {}\n{}\n{}", planned.code, planned.out, planned.err);
        let refused = place.apply("policy.yaml");
        assert!(matches!(refused.code, 1 | 3), "exit {}\n{}\n{}", refused.code, refused.out, refused.err);
        assert!(refused.err.contains("error["), "{}", refused.err);
        drift(place, 2);
        return;
    }
    planned.expect(0);
    let plan: Json = serde_json::from_str(&fs::read_to_string(place.path().join("plan.json")).unwrap()).unwrap();
    let actions = plan["actions"].as_array().unwrap();
    assert_eq!(actions.len(), 1, "{plan:#}");
    for part in ["kind", "schema", "name"] {
        assert_eq!(actions[0][part], drifted[part], "{plan:#}");
    }
    if change.status != "missing" {
        assert_eq!(names(&actions[0]), change.attributes(), "{plan:#}");
    }
    let hazards: Vec<String> = chronoform::core::Hazard::ALL.iter().map(|hazard| format!("--allow={hazard}")).collect();
    let mut arguments = vec!["apply", "--plan=plan.json", "--auto-approve"];
    arguments.extend(hazards.iter().map(String::as_str));
    place.run(&arguments).expect(0);
    in_sync(place);
}

/// The drift report, of a run that ends as said.
fn drift(place: &Workplace<'_>, code: i32) -> Json {
    let ran = place.run(&["drift", "policy.yaml", "--format", "json"]).expect(code);
    serde_json::from_str(&ran.out).unwrap()
}

fn resources(report: &Json) -> &[Json] {
    report["resources"].as_array().unwrap()
}

/// How many resources are not just listed as somebody else's.
fn managed(report: &Json) -> usize {
    resources(report).len() - standing(report, "unmanaged").len()
}

fn standing<'a>(report: &'a Json, status: &str) -> Vec<&'a Json> {
    resources(report).iter().filter(|resource| resource["status"] == *status).collect()
}

fn names(of: &Json) -> BTreeSet<&str> {
    of["attributes"].as_array().unwrap().iter().map(|line| line["name"].as_str().unwrap()).collect()
}
