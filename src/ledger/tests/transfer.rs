//! Exporting and importing.

use super::*;

fn export(ledger: &Ledger) -> String {
    let mut out = Vec::new();
    ledger.export(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn import(text: &str) -> Result<Fixture, Diagnostic> {
    let mut fixture = Fixture::new();
    let outcome = fixture.ledger.import(&mut text.as_bytes());
    let events = fixture.ledger.verify().unwrap().events;
    assert_eq!(outcome.as_ref().copied().unwrap_or(0), events, "an import is all or nothing");
    outcome.map(|_| fixture)
}

#[test]
fn an_export_makes_the_same_ledger_again() {
    let original = eventful();
    let text = export(&original.ledger);
    let copy = import(&text).unwrap();
    copy.assert_whole();
    assert_eq!(export(&copy.ledger), text);
    let (ours, theirs) = (&original.ledger, &copy.ledger);
    assert_eq!(ours.verify().unwrap(), theirs.verify().unwrap());
    assert_eq!(ours.databases().unwrap(), theirs.databases().unwrap());
    assert_eq!(ours.log(9, None).unwrap(), theirs.log(9, None).unwrap());
    assert_eq!(ours.show(RunId(1)).unwrap(), theirs.show(RunId(1)).unwrap());
    assert_eq!(ours.resources(DatabaseId(1)).unwrap(), theirs.resources(DatabaseId(1)).unwrap());
}

#[test]
fn an_export_is_lines_of_json_that_tell_the_story() {
    let text = export(&eventful().ledger);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["format"], "chronoform-ledger");
    assert_eq!(lines[0]["events"], lines.len() - 1);
    assert_eq!(lines[0]["head"], lines[lines.len() - 1]["hash"]);
    assert_eq!(lines[1]["event"], "database-added");
    assert_eq!(lines[1]["prev_hash"], audit::GENESIS);
    assert_eq!(lines[3]["payload"]["resource"]["name"], "market_data");
}

#[test]
fn a_ledger_goes_on_where_the_export_ended() {
    let mut copy = import(&export(&eventful().ledger)).unwrap();
    let run = copy.run();
    assert_eq!(run, RunId(3));
    copy.step(run, 0);
    copy.assert_whole();
}

#[test]
fn an_absent_ledger_exports_as_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let text = export(&Ledger::open_read(&folder.path().join("none.db")).unwrap());
    assert_eq!(text.lines().count(), 1);
    import(&text).unwrap();
}

#[test]
fn a_ledger_that_holds_a_record_takes_no_other() {
    let mut fixture = eventful();
    let text = export(&fixture.ledger);
    let refused = fixture.ledger.import(&mut text.as_bytes()).unwrap_err();
    assert_eq!(refused.code.name, "ledger-not-empty");
    fixture.assert_whole();
}

#[test]
fn a_chain_that_does_not_hold_is_refused() {
    let text = export(&eventful().ledger);
    let lines: Vec<&str> = text.lines().collect();
    let without = |skip: usize| -> String {
        lines.iter().enumerate().filter(|(index, _)| *index != skip).map(|(_, line)| format!("{line}\n")).collect()
    };
    let mut swapped = lines.clone();
    swapped.swap(4, 5);
    let mut doubled = lines.clone();
    doubled.insert(4, lines[4]);
    for broken in [
        text.replacen("90 days", "30 days", 1),
        text.replacen("\"ada\"", "\"eve\"", 1),
        text.replacen("\"at\":1767225601", "\"at\":1767225609", 1),
        swapped.join("\n"),
        doubled.join("\n"),
        without(1),
        without(4),
        without(lines.len() - 1),
    ] {
        assert_ne!(broken, text);
        assert_eq!(import(&broken).err().unwrap().code.name, "ledger-broken", "{broken}");
    }
}

#[test]
fn an_event_that_follows_from_nothing_is_refused_even_with_a_good_hash() {
    let event = event::Event::StepSettled(event::StepSettled { step: StepId(7), happened: true, note: String::new() });
    let (name, payload) = event.write().unwrap();
    let mut entry =
        audit::Entry { seq: 1, at: 0, event: name, payload, prev_hash: audit::GENESIS.to_owned(), hash: String::new() };
    entry.hash = entry.expected_hash();
    let text = format!(
        "{{\"format\":\"chronoform-ledger\",\"version\":1,\"events\":1,\"head\":\"{hash}\"}}\n\
         {{\"seq\":1,\"at\":0,\"event\":\"{}\",\"payload\":{},\"prev_hash\":\"{}\",\"hash\":\"{hash}\"}}\n",
        entry.event,
        entry.payload,
        entry.prev_hash,
        hash = entry.hash
    );
    let refused = import(&text).err().unwrap();
    assert_eq!(refused.code.name, "ledger-broken");
    assert!(refused.message.contains("not in doubt"), "{}", refused.message);
}

#[test]
fn what_is_no_export_is_refused_with_its_line() {
    let text = export(&eventful().ledger);
    let header = text.lines().next().unwrap();
    let deep = format!("{header}\n{}\n", "[".repeat(100_000));
    for (broken, line) in [
        (String::new(), "line 1"),
        ("hello\n".to_owned(), "line 1"),
        ("{\"format\":\"other\",\"version\":1,\"events\":0,\"head\":\"\"}\n".to_owned(), "line 1"),
        (format!("{header}\n{{}}\n"), "line 2"),
        (format!("{header}\n\n"), "line 2"),
        (deep, "line 2"),
        (text.replacen("\"at\":1767225601000000", "\"at\":1767225601000000.5", 1), "line 3"),
        (text.replacen("\"happened\":true", "\"happened\":0.5", 1), "line "),
    ] {
        let refused = import(&broken).err().unwrap();
        assert_eq!(refused.code.name, "ledger-export", "{refused:?}");
        assert!(refused.message.contains(line), "{}", refused.message);
    }
    let mut fixture = Fixture::new();
    let refused = fixture.ledger.import(&mut &b"\xff\xfe\n"[..]).unwrap_err();
    assert_eq!(refused.code.name, "ledger-export");
}

#[test]
fn the_export_of_a_newer_version_is_refused() {
    let version = format!("\"version\":{}", migrate::MIGRATIONS.len());
    let text = export(&eventful().ledger).replacen(&version, "\"version\":99", 1);
    assert_eq!(import(&text).err().unwrap().code.name, "ledger-newer");
}

#[test]
fn a_full_disk_below_an_export_is_an_error() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert_eq!(eventful().ledger.export(&mut Full).unwrap_err().code.name, "ledger-export");
}
