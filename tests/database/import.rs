//! Invariant 3, the round trip: a plan of imported policies has nothing to do, and applied to a bare
//! copy they give the same again. Asked wherever the other tests have brought a database into an
//! interesting state, and then of what `import` does by itself.

mod command;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::cli::Workplace;
use crate::servers::{Db, Servers, Tier};

/// What `import` wrote, by the names of the files.
pub type Imported = BTreeMap<String, String>;

/// Imports all that is live, with what the arguments ask for beside it, and has a plan of it find
/// nothing to do: with no ledger, and with the one of the place where `known` says that nothing but
/// what is written is recorded there.
pub fn round_trip(place: &Workplace<'_>, known: bool, also: &[String]) -> Imported {
    let folder = place.path().join("imported");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let arguments = ["import", "--out", "imported"].into_iter().chain(also.iter().map(String::as_str));
    let ran = place.run(&arguments.collect::<Vec<_>>()).expect(0);
    if !folder.exists() {
        assert!(ran.out.contains("Nothing to write"), "{}", ran.out);
        return Imported::new();
    }
    let imported = written(&folder);
    let shown = || imported.iter().map(|(name, text)| format!("=== {name}\n{text}")).collect::<String>();
    let ledgers: &[&[&str]] = if known { &[&["--ledger", "none.db"], &[]] } else { &[&["--ledger", "none.db"]] };
    for ledger in ledgers {
        let mut arguments = vec!["plan", "imported", "--detailed-exitcode", "-v"];
        arguments.extend_from_slice(ledger);
        let planned = place.run(&arguments);
        assert_eq!(planned.code, 0, "{ledger:?}\n{}\n{}\n{}\n{}", ran.out, shown(), planned.out, planned.err);
    }
    let formatted = place.run(&["fmt", "--check", "imported"]);
    assert_eq!(formatted.code, 0, "{}\n{}", formatted.out, shown());
    imported
}

/// Imports all that is live, says of something that work on it was begun, and has a plan of it go on with that.
pub fn goes_on(place: &Workplace<'_>) {
    let ran = place.run(&["import", "--out", "unfinished"]).expect(0);
    let imported = written(&place.path().join("unfinished"));
    assert!(imported.values().any(|text| text.contains("not completed")), "{}\n{imported:?}", ran.out);
    let planned = place.run(&["plan", "unfinished", "--detailed-exitcode", "--ledger", "none.db"]).expect(2);
    assert!(planned.out.contains("not completed"), "{}", planned.out);
    fs::remove_dir_all(place.path().join("unfinished")).unwrap();
}

/// The files in a folder.
fn written(folder: &Path) -> Imported {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let named = paths.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path));
    named.map(|(name, path)| (name, fs::read_to_string(path).unwrap())).collect()
}

/// The arguments that ask for those of the roles that there are.
pub fn roles(db: &Db, names: &str) -> Vec<String> {
    let there = db.lines("SELECT rolname FROM pg_catalog.pg_roles");
    let there = names.split_whitespace().filter(|name| there.iter().any(|role| role == name));
    there.map(|name| format!("--role={name}")).collect()
}

/// Applies what was imported to a database that was only set up, and imports again.
pub fn copy(setup: &str, imported: &Imported, tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let db = servers.db(tier)?;
    let place = Workplace::new(&db);
    db.run(setup);
    fs::create_dir(place.path().join("first")).unwrap();
    for (name, text) in imported {
        place.write(&format!("first/{name}"), text);
    }
    place.apply("first").expect(0);
    place.expect_converged("first");
    let again = round_trip(&place, true, &[]);
    assert_eq!(&again, imported, "a copy is not the same");
    Ok(())
}

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let mut trials = command::trials(tier, servers);
    trials.extend(server::trials(tier, servers));
    trials
}
