//! What others do to a table while its archive is planned and written: chunks come and go, and rows come late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use libtest_mimic::{Failed, Trial};

use crate::archive::{left, nothing_is_lost, prepare, run};
use crate::cli::Workplace;
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier that has hypertables and more than one session.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !tier.is_timescale() || tier.single_session() {
        return Vec::new();
    }
    let trial = |name: &str, run: fn(&Db, &Workplace<'_>)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::archive_meanwhile::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            let place = Workplace::new(&db);
            run(&db, &place);
            Ok(())
        })
    };
    vec![trial("chunks_come_and_go", come_and_go), trial("late_rows_wait_for_the_next_run", late)]
}

/// Somebody who does the same again and again until told to stop.
struct Somebody {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Somebody {
    /// `each` gives the statement of a round.
    fn begins(db: &Db, each: impl Fn(usize) -> String + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (url, stopped) = (db.url().to_owned(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
            let mut done = 0;
            for round in 0.. {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                done += usize::from(client.batch_execute(&each(round)).is_ok());
            }
            done
        });
        Self { stop, thread }
    }

    /// How often it was done.
    fn ends(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// A plan does not stumble over a chunk that is made or dropped while it is made.
fn come_and_go(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    let somebody: Vec<Somebody> = (0..2)
        .map(|number| {
            Somebody::begins(db, move |round| {
                let day = format!("timestamptz '2019-0{}-{:02} 00:00+00'", number + 1, round % 20 + 1);
                format!(
                    "INSERT INTO public.trades (time, symbol) VALUES ({day}, 'late');
                     SELECT public.drop_chunks('public.trades', older_than => {day} + INTERVAL '1 day', newer_than => {day})"
                )
            })
        })
        .collect();
    for round in 0..25 {
        let dry = ["run", "archive", "--dry-run", "--policies", "policy.yaml"];
        place.run(&dry).expect_at(0, &format!("round {round}"));
        place.run(&["plan", "policy.yaml"]).expect_at(0, &format!("round {round}"));
    }
    let done: usize = somebody.into_iter().map(Somebody::ends).sum();
    assert!(done > 100, "{done} chunks came and went");
}

/// Somebody writes to an old chunk all the time: it stays, or comes to be due again, and nothing else waits for it.
fn late(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    let writer = Somebody::begins(db, |round| {
        format!("INSERT INTO public.trades (time, symbol) VALUES ('2020-01-03 00:30+00', 'late {round}')")
    });
    let mut noted = 0;
    for _ in 0..3 {
        let ran = run(place).expect(0);
        noted += usize::from(ran.err.contains("late-rows"));
    }
    let others = "SELECT count(*) FROM public.trades WHERE time < '2021-01-01 00:00+00'
                  AND NOT (time >= '2020-01-03 00:00+00' AND time < '2020-01-04 00:00+00')";
    assert_eq!(db.lines(others), ["0"], "the others are archived");
    let written = writer.ends();
    assert!(noted > 0 && written > 100, "{written} rows, {noted} notes");
    run(place).expect(0);
    assert_eq!(left(db), 0);
    nothing_is_lost(db, place);
    let back = "SELECT count(DISTINCT symbol) FROM public.back WHERE symbol LIKE 'late %'";
    assert_eq!(db.lines(back), [written.to_string()]);
}
