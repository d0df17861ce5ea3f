//! Archives that are encrypted: with their key they are as others are, and without it they are nothing.

use std::fs;
use std::path::PathBuf;

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
        match key {
            None => assert!(refused.err.contains("ARCHIVE_TEST_KEY"), "{}", refused.err),
            Some(_) => assert_eq!(refused.out.matches("is encrypted with the key").count(), 6, "{}", refused.out),
        }
    }

    no_value_is_told(place);

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
    swapped(db, place);
    damaged(place);
    another_key(db, place, &sealed);
}

/// Manifests are not encrypted, and say nothing of what is.
fn no_value_is_told(place: &Workplace<'_>) {
    for manifest in files(place, ".json") {
        let text = fs::read_to_string(manifest).unwrap();
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        for column in told["manifest"]["columns"].as_array().unwrap() {
            let evidence = column["evidence"].as_object().unwrap();
            assert!(
                evidence["values"].is_u64() && !evidence.contains_key("min") && !evidence.contains_key("max"),
                "{text}"
            );
        }
    }
}

/// What is another chunk's is not taken for this one's: neither its manifest nor its file, nor both together
/// under names that are not theirs.
fn swapped(db: &Db, place: &Workplace<'_>) {
    let (manifests, data) = (files(place, ".json"), files(place, ".parquet.aead"));
    let swap = |paths: &[PathBuf]| {
        let aside = paths[0].with_extension("aside");
        fs::rename(&paths[0], &aside).unwrap();
        fs::rename(&paths[1], &paths[0]).unwrap();
        fs::rename(&aside, &paths[1]).unwrap();
    };
    db.run("TRUNCATE public.back");
    let verify = || with(place, Some(KEY), &["archive", "verify"]);
    let back = ["archive", "restore", "public.trades", "--into", "public.back", "--auto-approve"];
    for paths in [vec![&manifests], vec![&data], vec![&manifests, &data]] {
        for paths in &paths {
            swap(paths);
        }
        let found = verify().expect(2);
        let named = paths[0][0].file_name().unwrap().to_string_lossy().into_owned();
        assert!(found.out.contains(&named), "{named}\n{}", found.out);
        let refused = with(place, Some(KEY), &back).expect(1);
        assert!(refused.err.contains(&named), "{named}\n{}", refused.err);
        assert_eq!(db.lines("SELECT count(*) FROM public.back"), ["0"], "{named}");
        for paths in &paths {
            swap(paths);
        }
        verify().expect(0);
    }
}

/// What is damaged where the key is the right one is not told as a wrong key.
fn damaged(place: &Workplace<'_>) {
    let file = &files(place, ".parquet.aead")[0];
    let whole = fs::read(file).unwrap();
    for at in [3, 45, whole.len() - 1] {
        let mut other = whole.clone();
        other[at] ^= 1;
        fs::write(file, &other).unwrap();
        let told = with(place, Some(KEY), &["archive", "query", "public.trades"]).expect(2).err;
        assert!(told.contains("damaged") && !told.contains("former_key_files"), "byte {at}: {told}");
        let told = with(place, Some(KEY), &["archive", "verify"]).expect(2).out;
        assert!(!told.contains("former_key_files"), "byte {at}: {told}");
    }
    fs::write(file, &whole).unwrap();
}

/// A store has another key from now on: old files are read with theirs.
fn another_key(db: &Db, place: &Workplace<'_>, sealed: &str) {
    db.run("INSERT INTO public.trades (time, symbol) VALUES ('2020-02-01 00:30+00', 'with another key')");
    with(place, Some(OTHER), &["run", "archive", "--auto-approve"]).expect(0);
    assert_eq!((left(db), files(place, ".parquet.aead").len()), (0, 7));
    let found = with(place, Some(OTHER), &["archive", "verify"]).expect(2);
    assert_eq!(found.out.matches("former_key_files").count(), 6, "{}", found.out);
    let back = ["archive", "restore", "public.trades", "--into", "public.back", "--auto-approve"];
    db.run("TRUNCATE public.back");
    let refused = with(place, Some(OTHER), &back);
    assert!(refused.code != 0 && refused.err.contains("former_key_files"), "{}", refused.err);
    assert_eq!(db.lines("SELECT count(*) FROM public.back"), ["0"]);
    let file = place.path().join("old.key");
    fs::write(&file, format!("{KEY}\n")).unwrap();
    let line = "encryption: {key: \"${env.ARCHIVE_TEST_KEY}\"";
    assert!(sealed.contains(line));
    place.write("policy.yaml", &sealed.replace(line, &format!("{line}, former_key_files: [{}]", file.display())));
    with(place, Some(OTHER), &["archive", "verify"]).expect(0);
    with(place, Some(OTHER), &back).expect(0);
    assert_eq!(db.lines("SELECT count(*) FROM public.back WHERE symbol = 'with another key'"), ["1"]);
    db.run("DELETE FROM public.back WHERE symbol = 'with another key'");
    is_exact(db);
}
