//! `archive` where there is nothing: a name that was mistyped, a store that is gone, files that are.

use std::fs;

use libtest_mimic::{Failed, Trial};

use crate::archive::{CHUNKS, files, prepare, run};
use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !tier.is_timescale() {
        return Vec::new();
    }
    let trial = |name: &str, run: fn(&Db, &Workplace<'_>)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::archive_verify::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            let place = Workplace::new(&db);
            run(&db, &place);
            Ok(())
        })
    };
    let mut trials = vec![
        trial("nothing_is_no_proof", nothing),
        trial("what_the_ledger_knows_is_missed", missed),
        trial("a_part_is_counted", part),
        trial("what_was_proved_is_remembered", remembered),
        trial("a_file_without_a_manifest_is_told", unsealed),
    ];
    if !tier.single_session() {
        let servers = servers.clone();
        let name = format!("{tier}::archive_verify::a_shared_store_is_read_for_one_database");
        trials.push(Trial::test(name, move || -> Result<(), Failed> {
            let (db, other) = (servers.db(tier)?, servers.db(tier)?);
            shared(&db, &Workplace::new(&db), &other);
            Ok(())
        }));
    }
    trials
}

fn archive(place: &Workplace<'_>, arguments: &[&str]) -> Ran {
    place.run(&[&["archive"], arguments, &["--policies", "policy.yaml"]].concat())
}

fn nothing(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    assert!(archive(place, &["verify"]).expect(2).out.contains("Nothing is proved"));
    assert!(archive(place, &["list"]).expect(0).out.contains("Nothing is archived."));
    archive(place, &["list", "public.trades"]).expect(0);
    let mistyped = |how: &[&str]| {
        let refused = archive(place, how).expect(1);
        assert!(refused.err.contains("did you mean `public.trades`?"), "{how:?}: {}", refused.err);
    };
    for _ in 0..2 {
        for command in ["list", "verify", "query"] {
            mistyped(&[command, "public.trade"]);
        }
        mistyped(&["restore", "public.trade", "--auto-approve"]);
        run(place).expect(0);
    }
    // As many files as it would take to have one a day there are not.
    let none = archive(place, &["verify", "--one-in", "1000000"]).expect(0);
    assert!(none.out.contains("Nothing was read: none of 6 files has its turn today."), "{}", none.out);
    let all = archive(place, &["verify", "--one-in", "1"]).expect(0);
    assert!(all.out.contains("Proved 6 files"), "{}", all.out);
}

fn missed(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    run(place).expect(0);
    archive(place, &["verify"]).expect(0);
    let (manifests, data) = (files(place, ".json"), files(place, ".parquet"));
    assert_eq!(manifests.len(), CHUNKS);
    for file in [&manifests[1], &data[1]] {
        fs::remove_file(file).unwrap();
    }
    for command in ["verify", "list"] {
        let told = archive(place, &[command]).expect(2);
        let part = "by the ledger, public.trades from 2020-01-02 00:00:00+00 to 2020-01-03";
        assert!(told.out.contains(part), "{command}: {}", told.out);
        assert_eq!(told.out.matches("by the ledger").count(), 1, "{}", told.out);
        archive(place, &[command, "--from", "2020-01-03"]).expect(0);
    }
    db.run("CREATE TABLE public.back (LIKE public.trades)");
    let back = ["restore", "public.trades", "--into", "public.back", "--auto-approve"];
    assert!(archive(place, &back).expect(1).err.contains("by the ledger"));
    archive(place, &[&back[..], &["--from", "2020-01-04"]].concat()).expect(0);

    // What has expired is not missed.
    let policy = fs::read_to_string(place.path().join("policy.yaml")).unwrap();
    place.write("policy.yaml", &policy.replace("\n---", "\nkeep: 2 years\n---"));
    let expire = ["run", "archive", "--policies", "policy.yaml", "--auto-approve", "--allow", "deletes_data"];
    place.run(&expire).expect(0);
    assert!(
        !archive(place, &["verify"]).expect(2).out.contains("by the ledger"),
        "nor what another machine has removed"
    );
    place.write("policy.yaml", &policy);
    assert_eq!(archive(place, &["verify"]).expect(2).out.matches("by the ledger").count(), 1);

    // A store that is gone; and nobody knows that anything was there.
    fs::remove_dir_all(place.path().join("store")).unwrap();
    assert_eq!(archive(place, &["verify"]).expect(2).out.matches("by the ledger").count(), 1);
    let nobody = archive(place, &["verify", "--ledger", "another.db"]).expect(2);
    assert!(nobody.out.contains("Nothing is proved"), "{}", nobody.out);
    place.run(&["ledger", "verify"]).expect(0);
}

fn part(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    run(place).expect(0);
    let query = |more: &[&str]| archive(place, &[&["query", "public.trades"], more].concat());
    assert!(query(&[]).expect(0).out.contains("in 6 files"));
    let part = query(&["--from", "2020-01-02 22:00+00", "--to", "2020-01-04 02:00+00", "--limit", "1"]).expect(0).out;
    assert!(part.contains("28 rows in 3 files"), "{part}");
    for first in ["2020-01-02 22:00:00+00", "2020-01-03 00:00:00+00", "2020-01-04 00:00:00+00"] {
        assert!(part.contains(first), "{first}: {part}");
    }
    // One that cannot be read keeps nobody from the others.
    let file = &files(place, ".parquet")[0];
    let whole = fs::read(file).unwrap();
    fs::write(file, &whole[..whole.len() - 1]).unwrap();
    let told = query(&[]).expect(2);
    assert!(told.out.contains("in 5 files") && told.err.contains("the archive file is damaged"), "{}", told.err);
}

/// Two databases that share a store: what is asked for is this one's, as the ledger tells them apart.
fn shared(db: &Db, place: &Workplace<'_>, other: &Db) {
    prepare(db, place, true);
    let beside = Workplace::new(other);
    prepare(other, &beside, true);
    beside.write("policy.yaml", &fs::read_to_string(place.path().join("policy.yaml")).unwrap());
    run(place).expect(0);
    run(&beside).expect(0);
    assert_eq!(files(place, ".json").len(), 2 * CHUNKS);
    let query = |more: &[&str]| archive(place, &[&["query", "public.trades"], more].concat());
    let own = query(&[]).expect(0);
    assert!(own.out.contains("in 6 files"), "{}", own.out);
    let unknown = query(&["--ledger", "another.db"]).expect(1);
    assert!(unknown.err.contains("archived from 2 databases"), "{}", unknown.err);
}

/// By table and file, when each was archived and when it was proved last.
fn moments(place: &Workplace<'_>, more: &[&str]) -> Vec<(String, Option<String>)> {
    let listed = archive(place, &[&["list", "--format", "json"], more].concat());
    let lines: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    let text = |line: &serde_json::Value, name: &str| line[name].as_str().map(str::to_owned);
    let lines = lines.as_array().unwrap().iter();
    lines.map(|line| (text(line, "archived").unwrap(), text(line, "verified"))).collect()
}

fn remembered(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    run(place).expect(0);
    let of_archiving =
        |of: &[(String, Option<String>)]| of.iter().filter(|(at, proved)| proved.as_ref() == Some(at)).count();
    let first = moments(place, &[]);
    assert_eq!((first.len(), of_archiving(&first)), (CHUNKS, CHUNKS), "{first:?}");
    // Without a ledger it is proved as well, and none is made.
    archive(place, &["verify", "--ledger", "another.db"]).expect(0);
    assert!(!place.path().join("another.db").exists());
    assert_eq!(moments(place, &[]), first);
    // Only what was read, and what was found to be whole.
    let data = files(place, ".parquet");
    let whole = fs::read(&data[0]).unwrap();
    fs::write(&data[0], &whole[..whole.len() - 1]).unwrap();
    archive(place, &["verify", "--to", "2020-01-04"]).expect(2);
    let part = moments(place, &[]);
    assert_eq!(of_archiving(&part), CHUNKS - 2, "{part:?}");
    for (number, ((archived, proved), (before, _))) in part.iter().zip(&first).enumerate() {
        assert_eq!(archived, before);
        let is_later = (number == 1 || number == 2) == (proved.as_deref() > Some(archived));
        assert!(is_later, "{number}: {part:?}");
    }
    fs::write(&data[0], &whole).unwrap();
    archive(place, &["verify"]).expect(0);
    let all = moments(place, &[]);
    assert_eq!(of_archiving(&all), 0, "{all:?}");
    let listed = archive(place, &["list"]).expect(0).out;
    assert!(listed.lines().any(|line| line.starts_with("table") && line.contains("verified")), "{listed}");
    place.run(&["ledger", "verify"]).expect(0);
    // Who has lost the ledger knows of the archiving alone.
    assert_eq!(of_archiving(&moments(place, &["--ledger", "another.db"])), CHUNKS);
    // What is archived anew has its own manifest, and inherits nothing.
    db.run("INSERT INTO public.trades SELECT * FROM public.before WHERE time < '2020-01-02 00:00+00'");
    run(place).expect(0);
    let again = moments(place, &[]);
    assert_eq!((again.len(), of_archiving(&again)), (CHUNKS + 1, 1), "{again:?}");
}

/// As a run leaves it that is cut off between the two.
fn unsealed(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    run(place).expect(0);
    let data = files(place, ".parquet").remove(0);
    let name = data.file_name().unwrap().to_string_lossy().into_owned();
    let other = data.with_file_name(name.replace("2020-01-01", "2019-01-01"));
    fs::copy(&data, &other).unwrap();
    for (command, table) in [("list", None), ("verify", None), ("verify", Some("public.trades"))] {
        let told = archive(place, &[&[command][..], table.as_slice()].concat()).expect(0);
        assert!(told.err.contains("archive-unsealed") && told.err.contains(other.to_str().unwrap()), "{}", told.err);
        assert!(!told.err.contains(data.to_str().unwrap()), "{}", told.err);
    }
    // Where the ledger knows of it, something is wrong, and said once.
    fs::remove_file(&other).unwrap();
    fs::remove_file(files(place, ".json").remove(0)).unwrap();
    let told = archive(place, &["verify"]).expect(2);
    assert!(told.out.contains("the manifest is not there, without which"), "{}", told.out);
    assert!(!told.err.contains("archive-unsealed"), "{}", told.err);
    let nobody = archive(place, &["verify", "--ledger", "another.db"]).expect(0);
    assert!(nobody.err.contains("archive-unsealed"), "{}", nobody.err);
}
