//! What was brought to an archive is known until somebody is to remove it.

use super::*;

pub fn chunk(number: u32) -> Archived {
    Archived::Kept(ArchivedChunk {
        place: "/srv/archive".to_owned(),
        file: format!("7-market/public.trades/{number}_"),
        table: QualifiedName::new("public", "trades"),
        chunk: format!("_hyper_1_{number}_chunk"),
        from: format!("2026-01-0{number}"),
        until: format!("2026-01-0{}", number + 1),
    })
}

pub fn files(place: &str, manifests: &[&str]) -> ArchivedFiles {
    ArchivedFiles::from([(place.to_owned(), manifests.iter().map(ToString::to_string).collect())])
}

fn removed(place: &str, number: u32) -> Archived {
    Archived::Removed { place: place.to_owned(), file: format!("7-market/public.trades/{number}_abc.json") }
}

#[test]
fn what_was_archived_is_known_until_it_is_to_go() {
    let mut fixture = Fixture::new();
    let run = fixture.run();
    let address = retention("trades");
    let mut done = |index: u32, archived: &[Archived], end: Option<StepEnd>| {
        let step = fixture.ledger.start_step(run, &StepStart { archived, ..step(&address, index) }).unwrap();
        end.into_iter().for_each(|end| fixture.ledger.finish_step(step, &end).unwrap());
        let known = fixture.ledger.archived().unwrap();
        known.into_iter().map(|record| record.chunk.chunk).collect::<Vec<_>>()
    };
    let named = |numbers: &[u32]| numbers.iter().map(|n| format!("_hyper_1_{n}_chunk")).collect::<Vec<_>>();
    assert_eq!(done(0, &[chunk(1), chunk(2)], Some(StepEnd::done())), named(&[1, 2]));
    assert_eq!(done(1, &[chunk(1)], Some(StepEnd::done())), named(&[1, 2]), "once, however often");
    assert_eq!(done(2, &[chunk(3)], Some(StepEnd::failed("no", None))), named(&[1, 2]));
    assert_eq!(done(3, &[chunk(4)], None), named(&[1, 2]), "nobody knows yet");
    assert_eq!(done(4, &[removed("/srv/other", 1)], Some(StepEnd::done())), named(&[1, 2]), "in another store");
    assert_eq!(done(5, &[removed("/srv/archive", 1)], Some(StepEnd::failed("half", None))), named(&[2]));
    assert_eq!(done(6, &[chunk(1)], Some(StepEnd::done())), named(&[1, 2]), "archived again");
    let verified = fixture.ledger.verify().unwrap();
    assert!(verified.holds(), "{verified:?}");
}

#[test]
fn what_was_proved_is_known_by_when_that_was_last() {
    let mut fixture = Fixture::new();
    let mut prove = |place: &str, manifests: &[&str]| {
        fixture.ledger.write(|batch| batch.record_proved(files(place, manifests))).unwrap();
        fixture.ledger.proved("/srv/archive").unwrap().into_iter().collect::<Vec<_>>()
    };
    let at = |seconds: i64| Moment(NEW_YEAR + seconds * SECOND);
    assert_eq!(prove("/srv/archive", &["a", "b"]), [("a".to_owned(), at(0)), ("b".to_owned(), at(0))]);
    assert_eq!(prove("/srv/other", &["a"]), [("a".to_owned(), at(0)), ("b".to_owned(), at(0))], "in another store");
    assert_eq!(prove("/srv/archive", &["b"]), [("a".to_owned(), at(0)), ("b".to_owned(), at(2))]);
    fixture.assert_whole();
    let folder = tempfile::tempdir().unwrap();
    assert!(Ledger::open_read(&folder.path().join("none")).unwrap().proved("/srv/archive").unwrap().is_empty());
}
