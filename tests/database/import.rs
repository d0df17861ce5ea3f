//! Invariant 3, the round trip: a plan of imported policies has nothing to do, and applied to a bare
//! copy they give the same again. Asked wherever the other tests have brought a database into an
//! interesting state, and then of what `import` does by itself.

use std::collections::BTreeMap;
use std::fs;

use libtest_mimic::{Failed, Trial};

use crate::cli::Workplace;
use crate::servers::{Servers, Tier};

/// What `import` wrote, by the names of the files.
pub type Imported = BTreeMap<String, String>;

/// Imports all that is live, and has a plan of it find nothing to do: with no ledger, and with the
/// one of the place where `known` says that nothing but what is written is recorded there.
pub fn round_trip(place: &Workplace<'_>, known: bool) -> Imported {
    let folder = place.path().join("imported");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let ran = place.run(&["import", "--out", "imported"]).expect(0);
    if !folder.exists() {
        assert!(ran.out.contains("Nothing to write"), "{}", ran.out);
        return Imported::new();
    }
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
    };
    let imported: Imported = fs::read_dir(&folder).unwrap().map(read).collect();
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
    let again = round_trip(&place, true);
    assert_eq!(&again, imported, "a copy is not the same");
    Ok(())
}

/// The tests of a tier.
pub fn trials(_tier: Tier, _servers: &Servers) -> Vec<Trial> {
    Vec::new()
}
