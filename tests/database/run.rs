//! `run`: what is due is told, done chunk by chunk, and goes on wherever it was stopped.

use std::io::{BufRead, BufReader};

use libtest_mimic::{Failed, Trial};

use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};

const CHUNKS: usize = 8;
const ALLOWED: [&str; 6] = ["--allow", "rewrites_table", "--allow", "blocks_writes", "--allow", "blocks_reads"];

/// The tests of a tier; only the Community edition has a columnstore.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !matches!(tier, Tier::Embedded | Tier::TimescaleUrl) {
        return Vec::new();
    }
    let trial = |name: &str, run: fn(&Db, &Workplace<'_>)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::run::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            let place = Workplace::new(&db);
            run(&db, &place);
            Ok(())
        })
    };
    vec![
        trial("what_is_due_is_told_and_done", what_is_due_is_told_and_done),
        trial("killed_at_every_chunk", killed_at_every_chunk),
        trial("a_limit_stops_it", a_limit_stops_it),
    ]
}

/// A table whose chunks are in the columnstore with other settings than the policy's.
fn prepare(db: &Db, place: &Workplace<'_>) {
    db.run(&format!(
        "CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text, venue text, price float8);
         SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
         INSERT INTO public.trades SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '1 hour', 'S' || i % 3,
                'V' || i % 2, i FROM generate_series(0, {CHUNKS} * 24 - 1) AS i;
         ALTER TABLE public.trades SET (timescaledb.compress, timescaledb.compress_segmentby = 'symbol',
                                        timescaledb.compress_orderby = 'time DESC');
         SELECT compress_chunk(c) FROM show_chunks('public.trades') AS c;"
    ));
    let policy = "kind: table\nname: public.trades\n\
                  columnstore: {segment_by: [venue], order_by: [time desc], converge: existing}\n";
    place.write("policy.yaml", policy);
    place.apply("policy.yaml").expect(0);
}

fn run(place: &Workplace<'_>, more: &[&str]) -> Ran {
    let arguments = ["run", "maintenance", "--policies", "policy.yaml", "--auto-approve"];
    place.run(&[&arguments[..], &ALLOWED, more].concat())
}

/// How many chunks have the policy's settings.
fn converged(db: &Db) -> usize {
    let sql = "SELECT count(*) FROM _timescaledb_catalog.compression_settings \
               WHERE relid <> 'public.trades'::regclass AND segmentby = '{venue}'";
    db.lines(sql).remove(0).parse().unwrap()
}

/// No chunk is ever left out of the columnstore, and no row is lost.
fn whole(db: &Db) {
    let sql = "SELECT bool_and(is_compressed), count(*) FROM timescaledb_information.chunks \
               WHERE hypertable_name = 'trades'";
    assert_eq!(db.lines(sql), [format!("t|{CHUNKS}")]);
    let rows = CHUNKS * 24;
    let sql = "SELECT count(*), sum(price), count(DISTINCT time) FROM public.trades";
    assert_eq!(db.lines(sql), [format!("{rows}|{}|{rows}", rows * (rows - 1) / 2)]);
}

fn what_is_due_is_told_and_done(db: &Db, place: &Workplace<'_>) {
    prepare(db, place);
    let due = format!("0 of {CHUNKS} chunks");
    let planned = place.run(&["plan", "policy.yaml", "--detailed-exitcode"]).expect(0);
    assert!(planned.out.contains(&due) && planned.out.contains("chronoform run"), "{}", planned.out);
    let drift = place.run(&["drift", "policy.yaml"]).expect(2);
    assert!(drift.out.contains(&due), "{}", drift.out);

    let dry = place.run(&["run", "--dry-run", "--policies", "policy.yaml", "-v"]).expect(0);
    for told in [&format!("recompresses {CHUNKS} chunks"), "disk space", "ACCESS EXCLUSIVE", "compress_chunk("] {
        assert!(dry.out.contains(told), "{told}\n{}", dry.out);
    }
    assert_eq!(converged(db), 0);
    let refused = place.run(&["run", "--policies", "policy.yaml", "--auto-approve"]).expect(3);
    assert_eq!(refused.err.matches("error[hazard-not-allowed]").count(), 3, "{}", refused.err);
    assert!(refused.err.contains(&format!("add `{}`", ALLOWED.join(" "))), "{}", refused.err);
    assert_eq!(converged(db), 0);

    run(place, &[]).expect(0);
    assert_eq!(converged(db), CHUNKS);
    whole(db);
    assert!(run(place, &[]).expect(0).out.contains("Nothing is due."));
    place.run(&["drift", "policy.yaml"]).expect(0);
    place.run(&["ledger", "verify"]).expect(0);
    assert!(place.run(&["ledger", "log"]).expect(0).out.contains("run"));
}

fn killed_at_every_chunk(db: &Db, place: &Workplace<'_>) {
    prepare(db, place);
    let mut runs = 0;
    while converged(db) < CHUNKS - 1 {
        let arguments = ["run", "maintenance", "--policies", "policy.yaml", "--auto-approve"];
        let mut child = place.start(&[&arguments[..], &ALLOWED].concat());
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            if line.contains("step 2/") {
                break;
            }
        }
        // It may have ended by itself already.
        let _ = child.kill();
        child.wait().unwrap();
        whole(db);
        place.run(&["ledger", "verify"]).expect(0);
        runs += 1;
        assert!(runs <= CHUNKS, "it does not go on");
    }
    run(place, &[]).expect(0);
    assert_eq!(converged(db), CHUNKS);
    whole(db);
    place.run(&["drift", "policy.yaml"]).expect(0);
    let detail = place.run(&["ledger", "show", "--format", "json"]).expect(0);
    assert!(!detail.out.contains("\"in_doubt\""), "{}", detail.out);
    place.run(&["ledger", "verify"]).expect(0);
}

fn a_limit_stops_it(db: &Db, place: &Workplace<'_>) {
    prepare(db, place);
    let stopped = run(place, &["--max-runtime", "1 microsecond"]).expect(4);
    assert!(stopped.err.contains("max-runtime"), "{}", stopped.err);
    whole(db);
    run(place, &["--max-runtime", "1 hour"]).expect(0);
    assert_eq!(converged(db), CHUNKS);
}
