//! What recording costs: little beside a statement, and no more as the ledger grows.

use std::time::Instant;

use super::*;

/// The time of `count` statements recorded, start and end, without the disk's part.
fn record(fixture: &mut Fixture, run: RunId, count: u32) -> Duration {
    let began = Instant::now();
    for index in 0..count {
        let id = fixture.step(run, index);
        fixture.ledger.finish_step(id, &StepEnd::done()).unwrap();
    }
    began.elapsed()
}

#[test]
fn ten_thousand_statements_cost_little_each() {
    let mut fixture = Fixture::new();
    // Waiting for the disk is most of it in real life, and says nothing about the code.
    fixture.ledger.conn.pragma_update(None, "synchronous", "OFF").unwrap();
    let run = fixture.run();
    let early = record(&mut fixture, run, 1000);
    record(&mut fixture, run, 8000);
    let late = record(&mut fixture, run, 1000);
    assert!(late < early * 4 + Duration::from_millis(200), "grows from {early:?} to {late:?} a thousand");

    let began = Instant::now();
    let verification = fixture.ledger.verify().unwrap();
    let verifying = began.elapsed();
    assert!(verification.holds() && verification.events == 20_002, "{}", verification.events);
    let began = Instant::now();
    assert_eq!(fixture.ledger.show(run).unwrap().unwrap().steps.len(), 10_000);
    assert_eq!(fixture.ledger.log(10, None).unwrap()[0].steps.done, 10_000);
    let reading = began.elapsed();
    println!("a thousand statements: {early:?} first, {late:?} last; verify {verifying:?}, show and log {reading:?}");
}

#[test]
fn a_plan_of_five_thousand_resources_reads_them_at_once() {
    let mut fixture = Fixture::new();
    let (database, run) = (fixture.database(), fixture.run());
    let names: Vec<Address> = (0..5000).map(|index| retention(&format!("table_{index}"))).collect();
    let began = Instant::now();
    let recorded = fixture.ledger.write(|batch| {
        names.iter().try_for_each(|name| batch.record_applied(run, &applied(name.clone()), Some(&place())))
    });
    recorded.unwrap();
    let writing = began.elapsed();
    let began = Instant::now();
    assert_eq!(fixture.ledger.applied(database).unwrap().len(), 5000);
    println!("5000 resources: written in {writing:?}, read in {:?}", began.elapsed());
}
