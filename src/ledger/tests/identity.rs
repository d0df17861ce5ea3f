//! A ledger does not take one database for another.

use super::*;

#[test]
fn a_database_is_known_again_wherever_it_is_reached() {
    let mut fixture = Fixture::new();
    let id = fixture.database();
    let elsewhere = Server { host: "standby".to_owned(), port: 6000, ..server("market", 16_384) };
    assert_eq!(fixture.ledger.database(&elsewhere, &Admission::First).unwrap(), id);
    let known = fixture.ledger.databases().unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!((known[0].host.as_str(), known[0].first_seen), ("db.example", Moment(NEW_YEAR)));
}

#[test]
fn another_database_is_refused_unless_it_is_allowed() {
    let mut fixture = Fixture::new();
    let market = fixture.database();
    let other = Server { system_identifier: "7000000000000000002".to_owned(), ..server("market", 16_384) };
    let refused = fixture.ledger.database(&other, &Admission::First).unwrap_err();
    assert_eq!(refused.code.name, "ledger-other-database");
    assert_eq!(refused.code.exit, crate::diag::Exit::Refused);
    for part in ["7000000000000000001", "7000000000000000002", "`market`"] {
        assert!(refused.message.contains(part), "{part} not in {}", refused.message);
    }
    assert!(refused.help.unwrap().contains(ALLOW_NEW_OPTION));

    let new = fixture.ledger.database(&other, &Admission::Any).unwrap();
    assert_ne!(new, market);
    assert_eq!(fixture.ledger.database(&other, &Admission::First).unwrap(), new);
    assert_eq!(fixture.database(), market);
    fixture.assert_whole();
}

#[test]
fn a_database_that_was_dropped_and_created_again_is_another() {
    let mut fixture = Fixture::new();
    let (market, run) = (fixture.database(), fixture.run());
    fixture.ledger.record_applied(run, &applied(retention("market_data")), None).unwrap();
    let again = server("market", 20_000);
    let refused = fixture.ledger.database(&again, &Admission::First).unwrap_err();
    assert_eq!(refused.code.name, "ledger-other-database");
    for part in ["dropped and created again", "20000", "16384"] {
        assert!(refused.message.contains(part), "{part} not in {}", refused.message);
    }
    let new = fixture.ledger.database(&again, &Admission::Any).unwrap();
    assert!(fixture.ledger.applied(new).unwrap().is_empty());
    assert_eq!(fixture.ledger.applied(market).unwrap().len(), 1);
}

#[test]
fn a_database_that_was_renamed_is_told_so() {
    let mut fixture = Fixture::new();
    fixture.database();
    let refused = fixture.ledger.database(&server("market_old", 16_384), &Admission::First).unwrap_err();
    assert!(refused.message.contains("`market`") && refused.message.contains("`market_old`"), "{}", refused.message);
}

#[test]
fn reading_knows_a_database_and_takes_none_in() {
    let mut fixture = Fixture::new();
    let empty = try_open(&fixture.path(), Access::Read, migrate::MIGRATIONS)
        .unwrap()
        .database(&server("a", 1), &Admission::First);
    assert_eq!(empty.unwrap(), DatabaseId::UNKNOWN);
    let market = fixture.database();
    let mut reading = Ledger::open_read(&fixture.path()).unwrap();
    assert_eq!(reading.database(&server("market", 16_384), &Admission::First).unwrap(), market);
    assert_eq!(
        reading.database(&server("other", 5), &Admission::First).unwrap_err().code.name,
        "ledger-other-database"
    );
    let unknown = reading.database(&server("other", 5), &Admission::Any).unwrap();
    assert!(reading.applied(unknown).unwrap().is_empty());
    assert!(reading.in_doubt(unknown).unwrap().is_empty());
    assert_eq!(reading.databases().unwrap().len(), 1);
}

#[test]
fn a_target_brings_its_database_into_the_ledger_of_the_project_and_no_other_afterwards() {
    let mut fixture = Fixture::new();
    let market = fixture.database();
    let target = |name: &str| Admission::Target(name.to_owned());
    let cluster = |number: &str| Server { system_identifier: number.to_owned(), ..server("market", 16_384) };
    let east = fixture.ledger.database(&cluster("71"), &target("east")).unwrap();
    let west = fixture.ledger.database(&cluster("72"), &target("west")).unwrap();
    assert!(market != east && east != west);
    assert_eq!(fixture.ledger.databases().unwrap()[1].target.as_deref(), Some("east"));
    // Known under whatever name, or none.
    assert_eq!(fixture.ledger.database(&cluster("71"), &target("west")).unwrap(), east);
    assert_eq!(fixture.ledger.database(&cluster("71"), &Admission::First).unwrap(), east);
    // The name stands for another database now.
    let refused = fixture.ledger.database(&cluster("73"), &target("west")).unwrap_err();
    assert_eq!(refused.code.name, "ledger-other-database");
    for part in ["the target `west`", "system 72", "system 73"] {
        assert!(refused.message.contains(part), "{part} not in {}", refused.message);
    }
    assert!(fixture.ledger.database(&cluster("73"), &Admission::Any).is_ok());
    // A new name does not hide that a database was dropped and created again.
    let again = fixture.ledger.database(&server("market", 20_000), &target("north")).unwrap_err();
    assert!(again.message.contains("dropped and created again"), "{}", again.message);
    fixture.assert_whole();
}
