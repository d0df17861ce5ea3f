//! Invariant 2, for every attribute of every kind: changed by hand, `drift` names it and `apply`
//! puts it back.
//!
//! `tests/detection/<kind>/` has a `setup.sql`, a `policy.yaml`, and for each attribute in the
//! kind's rules `<attribute>.sql`, which changes just that; or `<attribute>.never`, which says why
//! nobody can. A first line `-- heal: refused` marks a change that cannot be taken back in place.
//! An attribute of the registry with neither file fails the test `detection::complete`.

use std::fs;
use std::path::{Path, PathBuf};

use chronoform::kinds::{self, Kind};
use libtest_mimic::{Failed, Trial};

use crate::cli::Workplace;
use crate::servers::{Servers, Tier};

fn folder(kind: &dyn Kind) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/detection").join(kind.id().as_str())
}

/// The tiers that a kind's folder is for: `timescale` unless it says otherwise.
fn runs_on(kind: &dyn Kind, tier: Tier) -> bool {
    let tiers = fs::read_to_string(folder(kind).join("tiers")).unwrap_or_else(|_| "timescale".to_owned());
    let word = match tier {
        Tier::Embedded | Tier::TimescaleUrl => "timescale",
        Tier::Apache => "apache",
        Tier::PostgresNative | Tier::PostgresUrl => "postgres",
    };
    tiers.split_whitespace().any(|listed| listed == word)
}

/// One test a change, and one for their completeness.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let mut trials = Vec::new();
    for kind in kinds::all() {
        if tier == Tier::Embedded || tier == Tier::PostgresNative {
            trials.push(Trial::test(format!("{tier}::detection::{}::complete", kind.id()), move || complete(*kind)));
        }
        if runs_on(*kind, tier) {
            for change in changes(*kind) {
                let (servers, folder) = (servers.clone(), folder(*kind));
                let name = format!("{tier}::detection::{}::{change}", kind.id());
                trials.push(Trial::test(name, move || run(&folder, &change, tier, &servers)));
            }
        }
    }
    trials
}

fn changes(kind: &dyn Kind) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder(kind)) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut found: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".sql").filter(|stem| *stem != "setup").map(str::to_owned)).collect();
    found.sort();
    found
}

fn complete(kind: &dyn Kind) -> Result<(), Failed> {
    let changes = changes(kind);
    let mut missing = Vec::new();
    for rule in kind.rules().attributes {
        let covered = match rule.name.strip_suffix('*') {
            Some(beginning) => changes.iter().any(|change| change.starts_with(beginning)),
            None => {
                changes.iter().any(|change| change == rule.name)
                    || folder(kind).join(format!("{}.never", rule.name)).exists()
            }
        };
        if !covered {
            missing.push(rule.name);
        }
    }
    match missing.as_slice() {
        [] => Ok(()),
        missing => Err(format!("{} has no detection test for {missing:?}", kind.id()).into()),
    }
}

fn run(folder: &Path, attribute: &str, tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let db = servers.db(tier)?;
    let place = Workplace::new(&db);
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    db.run(&read("setup.sql"));
    place.write("policy.yaml", &read("policy.yaml"));
    place.apply("policy.yaml").expect(0);
    place.run(&["drift", "policy.yaml"]).expect(0);

    let change = read(&format!("{attribute}.sql"));
    db.run(&change);
    let drift = place.run(&["drift", "policy.yaml", "--format", "json"]);
    assert_eq!(drift.code, 2, "drift is silent\n{}\n{}", drift.out, drift.err);
    let report: serde_json::Value = serde_json::from_str(&drift.out).unwrap();
    let kind = folder.file_name().unwrap().to_string_lossy();
    let named = report["resources"].as_array().unwrap().iter().any(|resource| {
        let gone = resource["status"] == "missing";
        let attributes = resource["attributes"].as_array().unwrap();
        resource["kind"] == *kind && (gone || attributes.iter().any(|line| line["name"] == attribute))
    });
    assert!(named, "drift does not name {attribute}\n{}", drift.out);

    if change.starts_with("-- heal: refused") {
        let refused = place.apply("policy.yaml");
        assert!(matches!(refused.code, 1 | 3), "exit {}\n{}\n{}", refused.code, refused.out, refused.err);
        assert!(refused.err.contains("error["), "{}", refused.err);
    } else {
        place.apply("policy.yaml").expect(0);
        place.run(&["drift", "policy.yaml"]).expect(0);
        place.expect_converged("policy.yaml");
    }
    Ok(())
}
