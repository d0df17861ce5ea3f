//! Archives that are encrypted: with their key they are as others are, and without it they are nothing.

use std::fs;

use libtest_mimic::{Failed, Trial};

use crate::archive::{files, is_exact, left, prepare};
use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};

const KEY: &str = "8f1d5a0be94c3372e6a90b4cd7f2186453ac0e9d7b61f8250c9e4a3f6d71b802";
const OTHER: &str = "11d5a0be94c3372e6a90b4cd7f2186453ac0e9d7b61f8250c9e4a3f6d71b8028";

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !tier.is_timescale() {
        return Vec::new();
    }
    let servers = servers.clone();
    let name = format!("{tier}::archive_sealed::only_with_the_key");
    vec![Trial::test(name, move || -> Result<(), Failed> {
        let db = servers.db(tier)?;
        let place = Workplace::new(&db);
        only_with_the_key(&db, &place);
        Ok(())
    })]
}

fn with(place: &Workplace<'_>, key: Option<&str>, arguments: &[&str]) -> Ran {
    let mut command = place.command(&[arguments, &["--policies", "policy.yaml"]].concat());
    command.env_remove("ARCHIVE_TEST_KEY");
    if let Some(key) = key {
        command.env("ARCHIVE_TEST_KEY", key);
    }
    Ran::of(&command.output().unwrap())
}

fn only_with_the_key(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    let policy = fs::read_to_string(place.path().join("policy.yaml")).unwrap();
    let sealed = policy.replacen("---\n", "encryption: {key: \"${env.ARCHIVE_TEST_KEY}\"}\n---\n", 1);
    place.write("policy.yaml", &sealed);
    let run = ["run", "archive", "--auto-approve"];
    let before = left(db);

    // No key, or none that is one: nothing happens.
    let missing = with(place, None, &run);
    assert!(missing.code != 0 && missing.err.contains("ARCHIVE_TEST_KEY"), "{}\n{}", missing.code, missing.err);
    let weak = with(place, Some("hunter2hunter2"), &run);
    assert!(weak.code != 0 && weak.err.contains("openssl rand -hex 32"), "{}\n{}", weak.code, weak.err);
    assert!(!weak.err.contains("hunter2") && !weak.out.contains("hunter2"), "{}", weak.err);
    assert_eq!((left(db), files(place, ".json").len()), (before, 0));

    with(place, Some(KEY), &run).expect(0);
    assert_eq!(left(db), 0);
    let data = files(place, ".parquet.aead");
    assert_eq!((data.len(), files(place, ".parquet").len()), (6, 0), "no other reader takes them for Parquet");
    let holds = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    for file in files(place, "") {
        let bytes = fs::read(&file).unwrap();
        assert!(!holds(&bytes, KEY) && !holds(&bytes, "PAR1"), "{}", file.display());
    }
    let ledger = fs::read(place.path().join(".chronoform/ledger.db")).unwrap();
    assert!(!holds(&ledger, KEY));

    with(place, Some(KEY), &["archive", "verify"]).expect(0);
    let shown = with(place, Some(KEY), &["archive", "query", "public.trades"]).expect(0);
    assert!(shown.out.contains("2020-01-02") && shown.out.contains("S0"), "{}", shown.out);
    for key in [None, Some(OTHER)] {
        let refused = with(place, key, &["archive", "verify"]);
        assert!(refused.code != 0, "{}", refused.out);
        let said = format!("{}{}", refused.out, refused.err);
        assert!(said.contains("ARCHIVE_TEST_KEY") || said.contains("is encrypted with the key"), "{said}");
    }

    db.run("DROP TABLE IF EXISTS public.back; CREATE TABLE public.back (LIKE public.trades)");
    let back = ["archive", "restore", "public.trades", "--into", "public.back", "--auto-approve"];
    assert!(with(place, Some(OTHER), &back).code != 0);
    assert_eq!(db.lines("SELECT count(*) FROM public.back"), ["0"]);
    with(place, Some(KEY), &back).expect(0);
    is_exact(db);

    let whole = fs::read(&data[0]).unwrap();
    for at in [0, 7, 41, whole.len() / 2, whole.len() - 1] {
        let mut other = whole.clone();
        other[at] ^= 1;
        fs::write(&data[0], &other).unwrap();
        let found = with(place, Some(KEY), &["archive", "verify"]);
        assert!(found.code != 0, "byte {at}: {}", found.out);
    }
    fs::write(&data[0], &whole[..whole.len() - 1]).unwrap();
    assert!(with(place, Some(KEY), &["archive", "verify"]).code != 0);
    fs::write(&data[0], &whole).unwrap();
    with(place, Some(KEY), &["archive", "verify"]).expect(0);
}
