//! Killed processes, and several at once.

use std::thread;

use super::child::{command, lines, this_program};
use super::*;

#[test]
fn a_killed_writer_loses_nothing_that_it_was_told_is_written() {
    let fixture = Fixture::new();
    let path = fixture.path();
    drop(fixture.ledger);
    let mut told: BTreeMap<StepId, String> = BTreeMap::new();
    for round in 1..=6 {
        let mut child = command(&this_program(), "write", &path).spawn().unwrap();
        for (count, line) in lines(&mut child).enumerate() {
            let (state, id) = line.split_once(' ').unwrap();
            told.insert(id.parse().unwrap(), state.to_owned());
            // At another point of its work each time; what it still says afterwards is read too.
            if count == round * 5 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();

        let mut ledger = open(&path);
        assert_whole(&ledger);
        let runs = ledger.log(usize::MAX, None).unwrap();
        let records: Vec<StepRecord> =
            runs.iter().flat_map(|run| ledger.show(run.id).unwrap().unwrap().steps).collect();
        for (id, state) in &told {
            let record = records.iter().find(|record| record.id == *id);
            let record = record.unwrap_or_else(|| panic!("step {id} is lost"));
            assert!(state == "started" || record.state == StepState::Done, "{record:?} was told {state}");
        }
        let database = ledger.databases().unwrap()[0].id;
        let closed = ledger.close_crashed(database).unwrap();
        let doubtful = ledger.in_doubt(database).unwrap();
        assert!(closed.len() <= 1 && doubtful.len() <= 1, "{closed:?} {doubtful:?}");
        for step in doubtful {
            ledger.settle(step.id, false, "looked").unwrap();
            told.insert(step.id, "started".to_owned());
        }
    }
    assert!(told.len() > 20, "{}", told.len());
}

#[test]
fn a_connection_that_breaks_off_in_a_batch_leaves_nothing_of_it() {
    let mut fixture = eventful();
    let before = fixture.ledger.verify().unwrap();
    let conn = raw(&fixture.path());
    conn.execute_batch("BEGIN IMMEDIATE; UPDATE runs SET command = 'half'").unwrap();
    drop(conn);
    assert_eq!(fixture.ledger.verify().unwrap(), before);
    fixture.run();
    fixture.assert_whole();
}

#[test]
fn several_writers_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new").join("ledger.db");
    // All of them also find no file, and make it.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut ledger = Ledger::open(&path).unwrap();
                let database = ledger.database(&server("market", 16_384), &Admission::First).unwrap();
                let run = ledger.begin_run(database, apply()).unwrap();
                let address = retention("market_data");
                for index in 0..10 {
                    let id = ledger.start_step(run, &step(&address, index)).unwrap();
                    ledger.finish_step(id, &StepEnd::done()).unwrap();
                }
                ledger.finish_run(run, RunOutcome::Done, &BTreeMap::new()).unwrap();
            });
        }
    });
    let ledger = Ledger::open_read(&path).unwrap();
    assert_whole(&ledger);
    assert_eq!(ledger.databases().unwrap().len(), 1);
    let runs = ledger.log(10, None).unwrap();
    assert_eq!(runs.len(), 4);
    assert!(runs.iter().all(|run| run.steps.done == 10 && run.state == RunState::Done));
}

#[test]
fn a_reader_sees_one_state_while_another_writes() {
    let mut fixture = eventful();
    let reading = Ledger::open_read(&fixture.path()).unwrap();
    let before = reading.verify().unwrap();
    reading
        .read(|conn| {
            let count = "SELECT count(*) FROM audit";
            let first: i64 = conn.query_row(count, [], |row| row.get(0))?;
            fixture.run();
            let second: i64 = conn.query_row(count, [], |row| row.get(0))?;
            assert_eq!(first, second);
            Ok(())
        })
        .unwrap();
    assert_eq!(reading.verify().unwrap().events, before.events + 1);
}
