//! The case folders: plan against golden, apply, plan again, and a look into the catalog.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use crate::cli::{Ran, Workplace};
use crate::import::{self, Imported};
use crate::servers::{Db, Servers, Tier};

/// A folder under `tests/cases/<kind>/`.
#[derive(Clone)]
struct Case {
    folder: PathBuf,
    name: String,
    tiers: BTreeSet<String>,
}

impl Case {
    fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(file)).ok()
    }

    fn runs_on(&self, tier: Tier) -> bool {
        let has = |word: &str| self.tiers.contains(word);
        match tier {
            Tier::Embedded | Tier::TimescaleUrl => has("timescale"),
            Tier::Apache => has("apache"),
            Tier::PostgresNative | Tier::PostgresUrl => has("postgres"),
        }
    }

    /// Whether its setup alone is a bare copy, to which imported policies are applied. A new database
    /// takes seconds on the embedded server: in the short form there are a few cases there.
    fn begins_bare(&self, tier: Tier) -> bool {
        let (kind, own) = self.name.split_once('/').unwrap_or_default();
        // What reaches outside the database is there already when the copy is made.
        let others = ["first.yaml", "drift.sql", "roles", "afterwards.sql"];
        // What a policy removes, a policy that was imported afterwards does not know of.
        let removes = self.read("policy.yaml").is_some_and(|policy| policy.contains("ensure: absent"));
        let bare = own.starts_with("create") && !removes && others.iter().all(|file| self.read(file).is_none());
        let telling = own == "create" || own.contains("every") || own.contains("hostile") || own.contains("integer");
        let long = std::env::var_os("CHRONOFORM_TEST_LONG").is_some();
        bare && (tier != Tier::Embedded || long || (telling && !matches!(kind, "index" | "storage" | "extension")))
    }

    /// The tier whose plans are kept as golden files: the first of its list that can always run.
    fn golden_tier(&self) -> Tier {
        match () {
            () if self.tiers.contains("timescale") => Tier::Embedded,
            () if self.tiers.contains("postgres") => Tier::PostgresNative,
            () => Tier::Apache,
        }
    }
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut found = Vec::new();
    for kind in folders(&root) {
        for folder in folders(&kind) {
            let part = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
            let name = format!("{}/{}", part(&kind), part(&folder));
            let tiers = fs::read_to_string(folder.join("tiers")).unwrap_or_else(|_| "timescale".to_owned());
            let tiers = tiers.split_whitespace().map(str::to_owned).collect();
            found.push(Case { folder, name, tiers });
        }
    }
    found
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// One test a case that runs on the tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let runs = cases().into_iter().filter(|case| case.runs_on(tier));
    let trial = |case: Case| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::case::{}", case.name), move || run(&case, tier, &servers))
    };
    runs.map(trial).collect()
}

fn run(case: &Case, tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let _alone = Servers::alone_with(case.name.split('/').next().unwrap_or_default());
    let db = servers.db(tier)?;
    let imported = run_in(case, tier, &db)?;
    drop(db);
    match case.begins_bare(tier) && !imported.is_empty() {
        true => import::copy(&case.read("setup.sql").unwrap_or_default(), &imported, tier, servers),
        false => Ok(()),
    }
}

/// Runs it in a database, and gives what is imported afterwards.
fn run_in(case: &Case, tier: Tier, db: &Db) -> Result<Imported, Failed> {
    let place = Workplace::new(db);
    for role in case.read("roles").unwrap_or_default().split_whitespace() {
        db.drops_role(role);
    }
    let _afterwards = Afterwards { db, sql: case.read("afterwards.sql") };
    db.run(&case.read("setup.sql").expect("a case has a setup.sql"));
    // Each on its own, for what refuses to run beside another.
    for statement in case.read("apart.sql").iter().flat_map(|apart| statements(apart)) {
        db.run(&statement);
    }
    if let Some(first) = case.read("first.yaml") {
        place.write("policy.yaml", &first);
        place.apply("policy.yaml").expect(0);
        place.expect_converged("policy.yaml");
    }
    if let Some(drift) = case.read("drift.sql") {
        db.run(&drift);
    }
    place.write("policy.yaml", &case.read("policy.yaml").expect("a case has a policy.yaml"));
    let planned = place.run(&["plan", "policy.yaml", "-v", "--out", "plan.json"]);
    golden(case, tier, &place, &planned)?;
    let Some(checks) = case.read("applied.sql") else {
        refuse(&place, planned);
        return Ok(Imported::new());
    };
    if let Some(meanwhile) = case.read("meanwhile.sql") {
        planned.expect(0);
        db.run(&meanwhile);
        outdated(case, &place, &checks);
        return Ok(Imported::new());
    }
    carry_out(case, &place, planned, &checks);
    let mut also = import::roles(db, &case.read("roles").unwrap_or_default());
    also.extend(case.read("import").unwrap_or_default().split_whitespace().map(str::to_owned));
    Ok(import::round_trip(&place, true, &also))
}

/// What puts back what a case changed outside its database, however it ends.
struct Afterwards<'a> {
    db: &'a Db,
    sql: Option<String>,
}

impl Drop for Afterwards<'_> {
    fn drop(&mut self) {
        for statement in self.sql.iter().flat_map(|sql| statements(sql)) {
            if let Err(error) = self.db.try_run(&statement) {
                eprintln!("{statement}: {error}");
            }
        }
    }
}

/// Applies the plan file, with what the case allows.
fn apply_plan(case: &Case, place: &Workplace<'_>) -> Ran {
    let mut arguments = vec!["apply".to_owned(), "--plan=plan.json".to_owned(), "--auto-approve".to_owned()];
    let allowed = case.read("allow").unwrap_or_default();
    arguments.extend(allowed.split_whitespace().map(|hazard| format!("--allow={hazard}")));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    place.run(&arguments)
}

/// What a case's `meanwhile.sql` did after the plan was made makes it a plan that is not applied.
fn outdated(case: &Case, place: &Workplace<'_>, checks: &str) {
    let refused = apply_plan(case, place).expect(3);
    assert!(refused.err.contains("plan-stale"), "{}", refused.err);
    hold(place.db, checks);
}

/// Apply the plan file, find nothing left to do, and look into the catalog.
fn carry_out(case: &Case, place: &Workplace<'_>, planned: Ran, checks: &str) {
    planned.expect(0);
    apply_plan(case, place).expect(0);
    place.expect_converged("policy.yaml");
    // With a file `due`, something is left to `run`, and drift says so.
    let drift = place.run(&["drift", "policy.yaml"]).expect(if case.read("due").is_some() { 2 } else { 0 });
    assert!(!drift.out.contains("conflict"), "{}", drift.out);
    hold(place.db, checks);
    place.run(&["ledger", "verify"]).expect(0);
}

/// Every statement gives at least one row, and nothing but true.
pub fn hold(db: &Db, checks: &str) {
    for check in statements(checks) {
        let rows = db.lines(&check);
        assert!(!rows.is_empty(), "no row from\n{check}");
        for row in &rows {
            assert!(row.split('|').all(|cell| cell == "t"), "{row} from\n{check}");
        }
    }
}

/// Splits at semicolons that end a line: enough for the checks, which are our own.
pub fn statements(sql: &str) -> Vec<String> {
    let without_comments: Vec<&str> = sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let text = without_comments.join("\n") + "\n";
    text.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()).map(str::to_owned).collect()
}

/// A refusal is a non-zero exit with a code, from `plan` and from `apply`, and changes nothing.
fn refuse(place: &Workplace<'_>, planned: Ran) {
    assert!(planned.code == 1 || planned.code == 3, "exit {}\n{}\n{}", planned.code, planned.out, planned.err);
    assert!(planned.err.contains("error["), "{}", planned.err);
    assert!(!planned.err.contains("panicked"), "{}", planned.err);
    let applied = place.apply("policy.yaml");
    assert!(applied.code == 1 || applied.code == 3, "exit {}\n{}\n{}", applied.code, applied.out, applied.err);
    let again = place.run(&["plan", "policy.yaml", "-v"]);
    assert_eq!(again.out, planned.out, "a refused apply changed something");
}

fn golden(case: &Case, tier: Tier, place: &Workplace<'_>, planned: &Ran) -> Result<(), Failed> {
    if tier != case.golden_tier() {
        return Ok(());
    }
    let mut text = steady(&planned.out, place.db);
    if !planned.err.is_empty() {
        text.push_str("--- standard error\n");
        text.push_str(&steady(&planned.err, place.db));
    }
    compare(&case.folder.join("plan.txt"), &text)?;
    match fs::read_to_string(place.path().join("plan.json")) {
        Ok(json) => compare(&case.folder.join("plan.json"), &steady_json(&json, place.db)),
        Err(_) => Ok(()),
    }
}

fn compare(path: &Path, actual: &str) -> Result<(), Failed> {
    if std::env::var_os("CHRONOFORM_BLESS").is_some() {
        fs::write(path, actual).unwrap();
        return Ok(());
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(expected.as_str(), actual);
    let shown = diff.unified_diff().header("golden", "actual").to_string();
    Err(format!("{} is not what the plan is now (CHRONOFORM_BLESS=1 rewrites it)\n{shown}", path.display()).into())
}

/// A plan's text without what differs from run to run: the first paragraph, which says where the
/// database is and what runs there, and the database's name.
fn steady(text: &str, db: &Db) -> String {
    let body = match text.strip_prefix("Plan for ") {
        Some(rest) => rest.split_once("\n\n").map_or("", |(_, body)| body),
        None => text,
    };
    let target = if body.len() == text.len() { "" } else { "<target>\n\n" };
    let lines: String = body.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let named = if db.name().starts_with("test_") { lines.replace(db.name(), "<database>") } else { lines };
    format!("{target}{named}")
}

/// Takes the chunks' OIDs away, which no two databases share.
fn without_oids(action: &mut serde_json::Value) {
    if let Some(impact) = action["impact"].as_object_mut() {
        impact.remove("chunk_ids");
    }
}

/// A plan's JSON without the same, and without digests of it.
fn steady_json(text: &str, db: &Db) -> String {
    let text = if db.name().starts_with("test_") { text.replace(db.name(), "<database>") } else { text.to_owned() };
    let text = text.as_str();
    let mut plan: serde_json::Value = serde_json::from_str(text).unwrap();
    plan["target"] = serde_json::json!("<target>");
    plan["tool_version"] = serde_json::json!("<version>");
    for field in ["digest", "fingerprint"] {
        plan[field] = serde_json::json!("<digest>");
    }
    for action in plan["actions"].as_array_mut().unwrap() {
        action["fingerprint"] = serde_json::json!("<digest>");
        without_oids(action);
    }
    for due in plan.get_mut("due").and_then(|due| due.as_array_mut()).into_iter().flatten() {
        without_oids(due);
    }
    for adopt in plan["adopt"].as_array_mut().unwrap() {
        adopt["fingerprint"] = serde_json::json!("<digest>");
    }
    plan["policies"] = serde_json::json!("<policies>");
    // What is in sync around the actions is as the policies of the case say it, once more.
    plan.as_object_mut().unwrap().shift_remove("around");
    serde_json::to_string_pretty(&plan).unwrap() + "\n"
}
