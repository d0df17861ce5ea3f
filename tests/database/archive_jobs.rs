//! `run archive --jobs --rate`: several chunks at once, from one moment, and no faster than is allowed.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::archive::{CHUNKS, files, forget, is_exact, killed_after, left, nothing_is_lost, prepare, run};
use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !tier.is_timescale() {
        return Vec::new();
    }
    let trial = |name: &str, run: fn(&Db, &Workplace<'_>)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::archive_jobs::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            let place = Workplace::new(&db);
            run(&db, &place);
            Ok(())
        })
    };
    if tier.single_session() {
        return vec![trial("one_session_does_one_after_another", alone)];
    }
    vec![
        trial("every_chunk_is_archived_once", once),
        trial("killed_and_gone_on_with", killed),
        trial("all_are_read_from_one_moment", one_moment),
        trial("the_rate_is_kept_by_all_together", rate),
        trial("where_one_fails_the_others_end_what_they_do", one_fails),
    ]
}

fn jobs(place: &Workplace<'_>, number: &str, more: &[&str]) -> Ran {
    let arguments = ["run", "archive", "--policies", "policy.yaml", "--auto-approve", "--jobs", number];
    place.run(&[&arguments[..], more].concat())
}

fn alone(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    let ran = jobs(place, "4", &[]).expect(0);
    assert_eq!(ran.err.matches("one session").count(), 1, "{}", ran.err);
    assert_eq!((left(db), files(place, ".json").len()), (0, CHUNKS));
    nothing_is_lost(db, place);
    is_exact(db);
}

fn once(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    let ran = jobs(place, "4", &[]).expect(0);
    assert_eq!(ran.err.matches("read back and compared").count(), CHUNKS, "{}", ran.err);
    assert_eq!((left(db), files(place, ".json").len(), files(place, ".parquet").len()), (0, CHUNKS, CHUNKS));
    assert!(files(place, ".partial").is_empty());
    nothing_is_lost(db, place);
    is_exact(db);
    place.run(&["archive", "verify", "--policies", "policy.yaml"]).expect(0);
    place.run(&["ledger", "verify"]).expect(0);
    let shown = place.run(&["ledger", "show", "1", "--format", "json"]).expect(0);
    assert!(shown.out.contains("\"outcome\": \"done\""), "{}", shown.out);
    assert!(jobs(place, "4", &[]).expect(0).out.contains("Nothing is due."));
    for wrong in [["--jobs", "0"], ["--jobs", "65"], ["--rate", "0B"], ["--rate", "fast"]] {
        place.run(&[&["run", "archive"][..], &wrong].concat()).expect(1);
    }
}

/// Killed after each word that a run says.
fn killed(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    let arguments = ["run", "archive", "--policies", "policy.yaml", "--auto-approve", "--jobs", "4"];
    for lines in 1..10 {
        killed_after(lines, &arguments, db, place);
        if left(db) == 0 {
            db.run("TRUNCATE public.trades; INSERT INTO public.trades SELECT * FROM public.before");
            forget(place);
        }
    }
    jobs(place, "4", &[]).expect(0);
    assert_eq!(left(db), 0);
    nothing_is_lost(db, place);
    is_exact(db);
    assert!(files(place, ".partial").is_empty());
}

/// A row that is always in one of two chunks, and moved between them all the time, is in the archive once.
fn one_moment(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, false);
    db.run("INSERT INTO public.trades (time, symbol) VALUES ('2020-01-01 00:30+00', 'moving')");
    let stop = Arc::new(AtomicBool::new(false));
    let (url, stopped) = (db.url().to_owned(), Arc::clone(&stop));
    let mover = thread::spawn(move || {
        let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        let mut moves = 0_u32;
        while !stopped.load(Ordering::Relaxed) {
            let (from, to) = if moves.is_multiple_of(2) { (1, 2) } else { (2, 1) };
            let sql = format!(
                "BEGIN; DELETE FROM public.trades WHERE time = '2020-01-0{from} 00:30+00' AND symbol = 'moving';
                 INSERT INTO public.trades (time, symbol) VALUES ('2020-01-0{to} 00:30+00', 'moving'); COMMIT"
            );
            client.batch_execute(&sql).unwrap();
            moves += 1;
        }
        moves
    });
    for round in 0..6 {
        // A chunk that grows between the plan and the lock makes the plan stale.
        let ended = (0..50).map(|_| jobs(place, "3", &[])).find(|ran| ran.code != 3).unwrap();
        ended.expect(0);
        db.run("DROP TABLE IF EXISTS public.back; CREATE TABLE public.back (LIKE public.trades)");
        let back = ["archive", "restore", "public.trades", "--into", "public.back", "--auto-approve"];
        place.run(&[&back[..], &["--policies", "policy.yaml"]].concat()).expect(0);
        assert_eq!(db.lines("SELECT count(*) FROM public.back WHERE symbol = 'moving'"), ["1"], "round {round}");
        let again = "DO $$ DECLARE chunk regclass; BEGIN FOR chunk IN SELECT public.show_chunks('public.trades') LOOP
                     EXECUTE pg_catalog.format('COMMENT ON TABLE %s IS NULL', chunk); END LOOP; END $$";
        db.run(again);
        forget(place);
    }
    stop.store(true, Ordering::Relaxed);
    let moves = mover.join().unwrap();
    assert!(moves > 20, "it moved {moves} times");
}

/// Bytes by the time that it takes longer than without a limit.
fn rate(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    db.run(
        "INSERT INTO public.trades (time, symbol) SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '1 minute',
                (SELECT pg_catalog.string_agg(pg_catalog.md5(pg_catalog.random()::text || i || j), '')
                   FROM pg_catalog.generate_series(1, 40) AS j)
           FROM pg_catalog.generate_series(0, 6 * 24 * 60 - 1) AS i;
         TRUNCATE public.before; INSERT INTO public.before SELECT * FROM public.trades",
    );
    let timed = |more: &[&str]| {
        db.run("TRUNCATE public.trades; INSERT INTO public.trades SELECT * FROM public.before");
        forget(place);
        let started = Instant::now();
        let ran = jobs(place, "3", more).expect(0);
        assert_eq!(left(db), 0);
        (started.elapsed(), ran)
    };
    timed(&[]);
    let (before, _) = timed(&[]);
    let (limited, ran) = timed(&["--rate", "1MB/s"]);
    let written = files(place, ".json").iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>();
    // Whatever else this machine does, it takes no less than that.
    let free = before.min(timed(&[]).0);
    let bytes: u64 = written
        .iter()
        .map(|bytes| serde_json::from_slice::<serde_json::Value>(bytes).unwrap())
        .map(|manifest| manifest["manifest"]["stream_bytes"].as_u64().unwrap())
        .sum();
    let of_rate = |time: Duration| bytes as f64 / time.as_secs_f64() / f64::from(1 << 20);
    // Never more than the rate over all, and little less than it beside what the work takes on this machine now.
    let (over_all, beside) = (of_rate(limited), of_rate(limited.saturating_sub(free)));
    eprintln!("archive_jobs: {bytes} bytes, {free:?} without a limit, {limited:?} with it: {over_all:.2} of the rate");
    assert!(over_all <= 1.05, "{over_all}: {bytes} bytes in {limited:?}");
    assert!(beside >= 0.8, "{beside}: {bytes} bytes in {limited:?} instead of {free:?}");
    assert!(limited > Duration::from_secs(5));
    assert!(ran.err.contains("ranges, ") && ran.err.contains("/s)"), "how far it is: {}", ran.err);
    nothing_is_lost(db, place);
    is_exact(db);
}

fn one_fails(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    let third = db.lines("SELECT c.relname FROM public.show_chunks('public.trades') AS s JOIN pg_catalog.pg_class AS c ON c.oid = s ORDER BY s::text OFFSET 2 LIMIT 1");
    // Something is where the third chunk's file is to be written.
    let shelf = db
        .lines("SELECT system_identifier || '-' || pg_catalog.current_database() FROM pg_catalog.pg_control_system()");
    let in_the_way =
        place.path().join("store").join(&shelf[0]).join("public.trades").join(format!("{}.partial", third[0]));
    fs::create_dir_all(&in_the_way).unwrap();
    let ran = jobs(place, "4", &[]).expect(4);
    assert!(ran.err.contains("the store"), "{}", ran.err);
    // Of the first four the other three are done, and the last two were never begun with.
    assert_eq!((files(place, ".json").len(), files(place, ".parquet").len()), (3, 3), "{}", ran.err);
    let days = "SELECT DISTINCT (time AT TIME ZONE 'UTC')::date::text FROM public.trades WHERE time < '2021-01-01 00:00+00' ORDER BY 1";
    assert_eq!(db.lines(days), ["2020-01-03", "2020-01-05", "2020-01-06"]);
    let marked = "SELECT count(*) FROM public.show_chunks('public.trades') AS c WHERE pg_catalog.obj_description(c, 'pg_class') IS NOT NULL";
    assert_eq!(db.lines(marked), ["1"]);
    nothing_is_lost(db, place);
    place.run(&["ledger", "verify"]).expect(0);
    fs::remove_dir(&in_the_way).unwrap();
    run(place).expect(0);
    assert_eq!(left(db), 0);
    nothing_is_lost(db, place);
    is_exact(db);
}
