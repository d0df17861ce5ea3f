//! One ledger and more than one folder of policies: what the files at hand do not mention is removed
//! only where they are the ones that asked for it.

use libtest_mimic::{Failed, Trial};

use crate::cli::Workplace;
use crate::servers::{Servers, Tier};

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let servers = servers.clone();
    vec![Trial::test(format!("{tier}::folders"), move || run(tier, &servers))]
}

const BOTH: &str =
    "kind: table\nname: public.folders\nindexes:\n  - {name: ix_a, columns: [a]}\n  - {name: ix_b, columns: [b]}\n";
const ONE: &str = "kind: table\nname: public.folders\nindexes:\n  - {name: ix_b, columns: [b]}\n";

fn run(tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let db = servers.db(tier)?;
    let place = Workplace::new(&db);
    db.run("CREATE TABLE public.folders (a int, b int);\n");
    let indexes = || db.lines("SELECT indexname FROM pg_catalog.pg_indexes WHERE tablename = 'folders' ORDER BY 1");
    for folder in ["one", "other"] {
        std::fs::create_dir(place.path().join(folder)).unwrap();
    }
    place.write("one/policy.yaml", BOTH);
    place.apply("one").expect(0);

    // Another folder that describes the same table.
    place.write("other/policy.yaml", ONE);
    let plan = place.run(&["plan", "other", "--detailed-exitcode"]).expect(0);
    assert!(plan.err.contains("warning[other-policies]"), "{}", plan.err);
    assert!(plan.err.contains("index.public.ix_a") && plan.err.contains("one/policy.yaml:4 at 20"), "{}", plan.err);
    place.apply("other").expect(0);
    assert_eq!(indexes(), ["ix_a", "ix_b"]);
    let drift = place.run(&["drift", "other"]).expect(0);
    assert!(drift.err.contains("warning[other-policies]"), "{}", drift.err);

    // What both describe, and this one otherwise.
    place.write("other/policy.yaml", &ONE.replace("[b]", "[b, a]"));
    let disputed = place.run(&["plan", "other"]).expect(0);
    assert!(disputed.err.contains("this policy wants it otherwise"), "{}", disputed.err);
    place.write("other/policy.yaml", ONE);

    // A file that was moved keeps what it says, and the ledger follows it.
    std::fs::rename(place.path().join("one/policy.yaml"), place.path().join("one/moved.yaml")).unwrap();
    place.apply("one").expect(0);
    place.write("one/moved.yaml", ONE);
    let plan = place.run(&["plan", "./one", "--detailed-exitcode"]).expect(2);
    assert!(plan.out.contains("1 to remove"), "{}", plan.out);

    // Moved and changed at once: it cannot be told from another folder.
    std::fs::rename(place.path().join("one/moved.yaml"), place.path().join("one/again.yaml")).unwrap();
    let plan = place.run(&["plan", "one", "--detailed-exitcode"]).expect(0);
    assert!(plan.err.contains("not there any more"), "{}", plan.err);
    place.write("one/again.yaml", &BOTH.replace("columns: [a]", "ensure: absent"));
    place.apply("one").expect(0);
    assert_eq!(indexes(), ["ix_b"]);
    place.run(&["ledger", "verify"]).expect(0);
    Ok(())
}
