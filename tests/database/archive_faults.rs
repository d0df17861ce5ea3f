//! What goes wrong while chunks are archived: a kill at any moment, a full disk, somebody else who drops
//! chunks. A row is in the table, in the archive, or in both; never in neither, unless the other one dropped it.
//!
//! The short form kills a few times; `CHRONOFORM_TEST_LONG=1` two hundred times on each server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::archive::{files, forget, is_exact, left, nothing_is_lost, prepare, run};
use crate::cli::Workplace;
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !tier.is_timescale() {
        return Vec::new();
    }
    let trial = |name: &str, run: fn(&Db, &Workplace<'_>)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::archive_faults::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            let place = Workplace::new(&db);
            run(&db, &place);
            Ok(())
        })
    };
    let mut trials = vec![trial("killed_at_any_moment", killed), trial("the_stores_disk_is_full", full)];
    if !tier.single_session() {
        trials.push(trial("somebody_drops_chunks_meanwhile", raced));
    }
    trials
}

const ARGUMENTS: [&str; 5] = ["run", "archive", "--policies", "policy.yaml", "--auto-approve"];

/// All rows are back where they were, and the archive is empty.
fn again(db: &Db, place: &Workplace<'_>) {
    db.run("INSERT INTO public.trades SELECT * FROM public.before WHERE time < now() - INTERVAL '30 days'");
    forget(place);
}

/// Killed at a moment of its time, twice in a row at times, and then let run to its end.
fn killed(db: &Db, place: &Workplace<'_>) {
    let long = std::env::var_os("CHRONOFORM_TEST_LONG").is_some();
    let runs: u32 = if long { 200 } else { 5 };
    prepare(db, place, true);
    let anew = || {
        db.run("TRUNCATE public.trades; INSERT INTO public.trades SELECT * FROM public.before");
        forget(place);
    };
    // How long it takes undisturbed: the first time it is the server that takes longer.
    let mut whole = Duration::MAX;
    for _ in 0..2 {
        anew();
        let started = Instant::now();
        run(place).expect(0);
        whole = whole.min(started.elapsed());
    }
    let (mut disturbed, mut rounds) = (0, 0);
    // A machine that was busy when the time was taken may be quicker by now: then there are more rounds, and earlier kills.
    while rounds < runs || (disturbed * 2 <= runs && rounds < runs * 10) {
        let number = rounds % runs;
        rounds += 1;
        anew();
        // First comes the plan: what matters is after that.
        let at = whole.mul_f64(0.2 + 0.7 * f64::from(number) / f64::from(runs));
        for _ in 0..=number % 2 {
            let mut child = place.start(&ARGUMENTS);
            thread::sleep(at);
            let _ = child.kill();
            let status = child.wait().unwrap();
            disturbed += u32::from(!status.success());
            if status.success() {
                whole = whole.mul_f64(0.8);
            }
            nothing_is_lost(db, place);
        }
        // One that was killed while it planned has none yet.
        if place.path().join(".chronoform").join("ledger.db").exists() {
            place.run(&["ledger", "verify"]).expect(0);
        }
        run(place).expect_at(0, &format!("after a kill at {at:?} of {whole:?}"));
        assert_eq!(left(db), 0, "killed at {at:?}");
        nothing_is_lost(db, place);
        is_exact(db);
        assert!(files(place, ".partial").is_empty());
    }
    eprintln!("archive_faults: {disturbed} kills struck a run, in {rounds} rounds of one or two");
    assert!(disturbed * 2 > runs, "it was killed {disturbed} times only");
}

/// A file system of its own for the store, where this process may mount one.
struct Disk(Option<PathBuf>);

impl Disk {
    fn new(at: &Path) -> Self {
        fs::create_dir(at).unwrap();
        let root = fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0);
        let mount = || Command::new("mount").args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"]).arg(at).output();
        Self((root && mount().is_ok_and(|output| output.status.success())).then(|| at.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(disk) = &self.0 {
            let _ = Command::new("umount").arg("-l").arg(disk).output();
        }
    }
}

fn full(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    // What does not compress: a megabyte in the first chunk.
    db.run(
        "INSERT INTO public.trades (time, symbol, price) SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '1 second',
                pg_catalog.md5(pg_catalog.random()::text) || pg_catalog.md5(pg_catalog.random()::text), pg_catalog.random()
           FROM pg_catalog.generate_series(1, 20000) AS i;
         TRUNCATE public.before; INSERT INTO public.before SELECT * FROM public.trades",
    );
    let store = place.path().join("store");
    let disk = Disk::new(&store);
    let before = left(db);
    let ran = if disk.0.is_some() {
        run(place)
    } else {
        eprintln!(
            "archive_faults: no file system can be mounted here; a limit on the size of files stands for a full disk"
        );
        let mut limited = Command::new("sh");
        let own = place.command(&ARGUMENTS);
        limited
            .args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$@\"", "sh"])
            .arg(own.get_program())
            .args(own.get_args());
        limited.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(place.path());
        crate::cli::Ran::of(&limited.output().unwrap())
    };
    assert_eq!(ran.code, 4, "{}\n{}", ran.out, ran.err);
    assert!(ran.err.contains("make room") || disk.0.is_none(), "{}", ran.err);
    assert_eq!(left(db), before, "nothing is dropped that is not archived");
    nothing_is_lost(db, place);
    if let Some(disk) = &disk.0 {
        let more = Command::new("mount").args(["-o", "remount,size=64m"]).arg(disk).status().unwrap();
        assert!(more.success());
    }
    run(place).expect(0);
    assert_eq!(left(db), 0);
    nothing_is_lost(db, place);
    is_exact(db);
    assert!(files(place, ".partial").is_empty());
}

/// Another session drops old chunks, as a retention job of somebody's own would.
fn raced(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    let drop_one = "SELECT public.drop_chunks('public.trades', older_than => timestamptz '2020-01-0{} 00:00+00')";
    let mut refused = 0;
    for round in 0..6_usize {
        if round > 0 {
            again(db, place);
        }
        let mut child = place.start(&ARGUMENTS);
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut dropped, mut said) = (false, String::new());
        for (number, line) in lines.map_while(Result::ok).enumerate() {
            said.push_str(&line);
            said.push('\n');
            if number == round * 2 {
                // The first and the second chunk.
                match db.try_run(&drop_one.replace("{}", "3")) {
                    Ok(()) => dropped = true,
                    Err(_) => refused += 1,
                }
            }
        }
        let status = child.wait().unwrap();
        assert!(matches!(status.code(), Some(0 | 3 | 4)), "{status}\n{said}");
        assert!(!said.contains("panicked"), "{said}");
        run(place).expect_at(0, "afterwards");
        assert_eq!(left(db), 0);
        // Those that the other one can have dropped before they were copied are the first two days'.
        let lost = "SELECT count(*) FROM (SELECT t::text FROM public.before AS t WHERE time >= '2020-01-03 00:00+00' \
                    AND time < now() - INTERVAL '30 days' EXCEPT SELECT b::text FROM public.back AS b) AS lost";
        bring_back(db, place);
        assert_eq!(db.lines(lost), ["0"], "round {round}: {said}");
        let changed = "SELECT count(*) FROM (SELECT b::text FROM public.back AS b EXCEPT SELECT t::text FROM public.before AS t) AS other";
        assert_eq!(db.lines(changed), ["0"], "round {round}");
        if !dropped {
            nothing_is_lost(db, place);
        }
        place.run(&["archive", "verify", "--policies", "policy.yaml"]).expect(0);
        place.run(&["ledger", "verify"]).expect(0);
    }
    eprintln!("archive_faults: {refused} of 6 were refused by the server");
}

fn bring_back(db: &Db, place: &Workplace<'_>) {
    db.run("DROP TABLE IF EXISTS public.back; CREATE TABLE public.back (LIKE public.trades)");
    let back =
        ["archive", "restore", "public.trades", "--into", "public.back", "--policies", "policy.yaml", "--auto-approve"];
    place.run(&back).expect(0);
}
