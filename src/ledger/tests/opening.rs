//! Files of every sort, and what a user is told of them.

use std::fs;
use std::io::Write;
use std::time::Instant;

use super::*;
use crate::ledger::migrate::{APPLICATION_ID, MIGRATIONS};

/// Opens both ways and expects the same code of each.
fn refused(path: &Path, code: &str) {
    for access in [Access::Write, Access::Read] {
        let refused = try_open(path, access, MIGRATIONS).err().unwrap_or_else(|| panic!("{access:?} opened it"));
        assert_eq!(refused.code.name, code, "{access:?}: {refused:?}");
        assert!(refused.help.is_some() && refused.why.is_some(), "{refused:?}");
        assert!(refused.message.contains("ledger.db"), "{}", refused.message);
    }
}

fn closed(fixture: Fixture) -> (tempfile::TempDir, PathBuf) {
    let path = fixture.path();
    drop(fixture.ledger);
    (fixture.folder, path)
}

#[test]
fn an_absent_ledger_reads_as_empty_and_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no").join("such").join("ledger.db");
    let mut ledger = Ledger::open_read(&path).unwrap();
    let database = ledger.database(&server("market", 1), &Admission::First).unwrap();
    assert!(ledger.applied(database).unwrap().is_empty());
    assert!(ledger.in_doubt(database).unwrap().is_empty());
    assert!(ledger.log(10, None).unwrap().is_empty());
    assert_eq!(ledger.show(RunId(1)).unwrap(), None);
    let verification = ledger.verify().unwrap();
    assert!(verification.holds() && verification.events == 0);
    assert_eq!(ledger.begin_run(database, apply()).unwrap_err().code.name, "internal");
    assert!(!folder.path().join("no").exists());
}

#[test]
fn the_folder_and_the_file_are_made_for_their_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a").join("b").join("ledger.db");
    let mut ledger = open(&path);
    ledger.database(&server("market", 1), &Admission::First).unwrap();
    #[cfg(unix)]
    for file in fs::read_dir(path.parent().unwrap()).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
    drop(ledger);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "something is left beside the ledger");
}

#[test]
fn the_file_is_set_up_to_keep_what_it_is_told() {
    let fixture = Fixture::new();
    let pragma = |name: &str| -> String {
        let value = fixture.ledger.conn.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
        match value.unwrap() {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Integer(number) => number.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let full = "2";
    assert_eq!((pragma("journal_mode").as_str(), pragma("synchronous").as_str()), ("wal", full));
    assert_eq!((pragma("foreign_keys").as_str(), pragma("trusted_schema").as_str()), ("1", "0"));
    assert_eq!(pragma("application_id"), APPLICATION_ID.to_string());
    assert_eq!(pragma("user_version"), MIGRATIONS.len().to_string());
    let loose =
        "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite%'";
    assert_eq!(fixture.ledger.conn.query_row(loose, [], |row| row.get(0)), Ok(0), "a table is not STRICT");
}

#[test]
fn odd_file_names_are_file_names() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["file:x", ":memory:", "a?mode=memory", "100% #1 ü😀.db", "sp ace"] {
        let path = folder.path().join(name);
        let mut ledger = open(&path);
        ledger.database(&server("market", 1), &Admission::First).unwrap();
        drop(ledger);
        assert!(path.is_file(), "{name}");
        assert_eq!(Ledger::open_read(&path).unwrap().databases().unwrap().len(), 1, "{name}");
        // As where nothing can be kept beside it, which is read by URI.
        let conn = Opening::default().read(&path, Some("immutable=1")).unwrap();
        assert_eq!(conn.query_row("SELECT count(*) FROM databases", [], |row| row.get(0)), Ok(1), "{name}");
    }
}

#[test]
fn an_empty_file_is_a_fresh_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    fs::write(&path, "").unwrap();
    assert_eq!(Ledger::open_read(&path).unwrap().verify().unwrap().events, 0);
    assert_eq!(fs::metadata(&path).unwrap().len(), 0, "reading wrote to it");
    open(&path).database(&server("market", 1), &Admission::First).unwrap();
    // So is what a process leaves that dies between making the file and filling it.
    let half = folder.path().join("half.db");
    raw(&half).pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())).unwrap();
    assert_eq!(Ledger::open_read(&half).unwrap().verify().unwrap().events, 0);
    open(&half).database(&server("market", 1), &Admission::First).unwrap();
}

#[test]
fn reading_leaves_the_folder_as_it_was() {
    let (folder, path) = closed(eventful());
    let before = fs::read(&path).unwrap();
    let ledger = Ledger::open_read(&path).unwrap();
    assert_eq!(ledger.log(9, None).unwrap().len(), 2);
    assert!(ledger.conn.execute("DELETE FROM steps", []).is_err());
    drop(ledger);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_not_sqlite_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    for content in ["kind: table\nname: public.market_data\n".repeat(100), "x".to_owned()] {
        fs::write(&path, &content).unwrap();
        refused(&path, "ledger-unreadable");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
    let directory = folder.path().join("sub").join("ledger.db");
    fs::create_dir_all(&directory).unwrap();
    refused(&directory, "ledger-unreadable");
}

#[test]
fn the_database_of_another_application_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sql) in [
        ("1/ledger.db", "CREATE TABLE bookmarks (url TEXT)"),
        ("2/ledger.db", "PRAGMA application_id = 77"),
        ("3/ledger.db", "PRAGMA user_version = 3; CREATE TABLE runs (id)"),
        ("4/ledger.db", "PRAGMA application_id = 1130907245; PRAGMA user_version = -1"),
        ("5/ledger.db", "PRAGMA application_id = 1130907245"),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        raw(&path).execute_batch(sql).unwrap();
        let before = fs::read(&path).unwrap();
        refused(&path, "ledger-unreadable");
        assert_eq!(fs::read(&path).unwrap(), before, "{name}");
    }
}

#[test]
fn the_ledger_of_a_newer_version_is_refused_and_left_alone() {
    let (_folder, path) = closed(eventful());
    raw(&path).pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();
    refused(&path, "ledger-newer");
    assert_eq!(fs::read(&path).unwrap(), before);
}

static NEXT: &[&str] = &[
    MIGRATIONS[0],
    MIGRATIONS[1],
    MIGRATIONS[2],
    MIGRATIONS[3],
    MIGRATIONS[4],
    MIGRATIONS[5],
    "CREATE TABLE backups (id INTEGER PRIMARY KEY, note TEXT) STRICT",
];
static WRONG: &[&str] = &[
    MIGRATIONS[0],
    MIGRATIONS[1],
    MIGRATIONS[2],
    MIGRATIONS[3],
    MIGRATIONS[4],
    MIGRATIONS[5],
    "CREATE TABLE backups (id INTEGER PRIMARY KEY) STRICT; SELECT nonsense",
];

#[test]
fn an_older_ledger_is_brought_up_to_date_when_it_is_written() {
    let (_folder, path) = closed(eventful());
    let before = Ledger::open_read(&path).unwrap().verify().unwrap();
    // Reading makes a copy of it, and leaves it old.
    let reading = try_open(&path, Access::Read, NEXT).unwrap();
    assert_eq!(reading.verify().unwrap(), before);
    assert_eq!(reading.log(9, None).unwrap().len(), 2);
    assert_eq!(reading.conn.query_row("SELECT count(*) FROM backups", [], |row| row.get(0)), Ok(0));
    drop(reading);
    assert!(try_open(&path, Access::Read, MIGRATIONS).is_ok());

    let mut newer = try_open(&path, Access::Write, NEXT).unwrap();
    assert_eq!(newer.verify().unwrap(), before);
    newer.database(&server("market", 16_384), &Admission::First).unwrap();
    drop(newer);
    refused(&path, "ledger-newer");
}

#[test]
fn tampering_with_an_older_ledger_is_found_before_it_is_migrated() {
    let (_folder, path) = closed(eventful());
    raw(&path).execute("UPDATE steps SET sql = 'SELECT 1' WHERE id = 1", []).unwrap();
    let findings = try_open(&path, Access::Read, NEXT).unwrap().verify().unwrap().findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    let findings = try_open(&path, Access::Write, NEXT).unwrap().verify().unwrap().findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
}

#[test]
fn a_migration_that_fails_leaves_the_ledger_as_it_was() {
    let (_folder, path) = closed(eventful());
    assert!(try_open(&path, Access::Write, WRONG).is_err());
    let ledger = try_open(&path, Access::Write, MIGRATIONS).unwrap();
    assert_whole(&ledger);
}

#[test]
fn a_damaged_file_is_told_so() {
    // Cut off in the middle.
    let (_folder, path) = closed(eventful());
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert_noticed(&path);
    // Cut off within the header.
    fs::write(&path, &whole[..50]).unwrap();
    refused(&path, "ledger-unreadable");
    // Garbage over each page in turn; the first holds the header and the schema.
    for page in 0..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096..page * 4096 + 4096].fill(0xa5);
        fs::write(&path, &damaged).unwrap();
        assert_noticed(&path);
    }
    // A letter of each stored statement, which SQLite itself would not notice.
    let mut damaged = whole.clone();
    for at in 0..whole.len() - 20 {
        if whole[at..].starts_with(b"add_retention_policy") {
            damaged[at] = b'A';
        }
    }
    assert_ne!(damaged, whole);
    fs::write(&path, &damaged).unwrap();
    assert_noticed(&path);
}

fn assert_noticed(path: &Path) {
    let outcome = try_open(path, Access::Read, MIGRATIONS).and_then(|ledger| ledger.verify());
    match outcome {
        Ok(verification) => assert!(!verification.holds()),
        Err(refused) => assert!(["ledger-unreadable", "ledger-broken"].contains(&refused.code.name), "{refused:?}"),
    }
    // Writing may go on where the damage is elsewhere, and must not panic.
    if let Ok(mut ledger) = try_open(path, Access::Write, MIGRATIONS) {
        let _ = ledger.database(&server("other", 1), &Admission::Any).and_then(|id| ledger.begin_run(id, apply()));
    }
}

#[test]
fn missing_tables_are_no_panic() {
    for table in ["audit", "databases", "runs", "steps", "resources"] {
        let fixture = eventful();
        let conn = raw(&fixture.path());
        conn.execute_batch(&format!("PRAGMA foreign_keys = OFF; DROP TABLE {table}")).unwrap();
        let mut ledger = open(&fixture.path());
        let begun = ledger.database(&server("x", 1), &Admission::Any).and_then(|id| {
            let run = ledger.begin_run(id, apply())?;
            ledger.start_step(run, &step(&retention("x"), 0))?;
            ledger.record_applied(run, &applied(retention("x")), None)
        });
        assert_eq!(begun.unwrap_err().code.name, "ledger-unreadable", "{table}");
    }
}

#[test]
fn a_locked_ledger_is_told_after_a_bounded_wait() {
    let fixture = eventful();
    let mut ledger = try_open(&fixture.path(), Access::Write, MIGRATIONS).unwrap();
    let other = raw(&fixture.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    let refused = ledger.close_crashed(DatabaseId(1)).unwrap_err();
    assert_eq!(refused.code.name, "ledger-locked", "{refused:?}");
    assert!(refused.message.contains("ledger.db"), "{}", refused.message);
    assert!(began.elapsed() < Duration::from_secs(3));
    // Reading goes on beside a writer.
    assert_eq!(ledger.log(9, None).unwrap().len(), 2);
    assert!(try_open(&fixture.path(), Access::Read, MIGRATIONS).is_ok());
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(ledger.close_crashed(DatabaseId(1)).unwrap().len(), 1);
}

#[test]
fn a_ledger_that_another_holds_for_itself_alone_cannot_be_opened() {
    let (_folder, path) = closed(eventful());
    let other = raw(&path);
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE runs SET command = command").unwrap();
    refused(&path, "ledger-locked");
}

#[test]
fn a_full_disk_loses_nothing_that_was_written() {
    let mut fixture = eventful();
    let before = fixture.ledger.verify().unwrap();
    let pages: i64 = fixture.ledger.conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    fixture.ledger.conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    let address = retention("market_data");
    let sql = "x".repeat(100_000);
    let refused = fixture.ledger.start_step(RunId(2), &StepStart { sql: &sql, ..step(&address, 9) }).unwrap_err();
    assert_eq!(refused.code.name, "ledger-full", "{refused:?}");
    assert_eq!(fixture.ledger.verify().unwrap(), before);
}

#[test]
fn a_ledger_whose_last_changes_are_beside_it_is_read_with_them() {
    // As a killed process leaves it: the write-ahead log has not been brought into the file.
    let fixture = eventful();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    for suffix in ["", "-wal"] {
        let (mut from, mut to) = (fixture.path().into_os_string(), path.clone().into_os_string());
        from.push(suffix);
        to.push(suffix);
        fs::copy(from, to).unwrap();
    }
    assert_eq!(Ledger::open_read(&path).unwrap().log(9, None).unwrap().len(), 2);
}

#[cfg(unix)]
mod permissions {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    use super::super::child::{command, lines, this_program};
    use super::*;

    const NOBODY: u32 = 65_534;

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// What a user says who may not do everything: root would not be stopped by permissions, and
    /// becomes nobody.
    fn as_user(role: &str, ledger: &Path) -> String {
        let program = this_program();
        let folder = tempfile::tempdir().unwrap();
        let mut child = if fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
            // Nobody may not be able to reach the folder of the build.
            allow(folder.path(), 0o755);
            let copy = folder.path().join("program");
            // By another process: what this one writes, one that another thread starts may still hold open.
            assert!(std::process::Command::new("cp").arg(&program).arg(&copy).status().unwrap().success());
            command(&copy, role, ledger).uid(NOBODY).gid(NOBODY).spawn().unwrap()
        } else {
            command(&program, role, ledger).spawn().unwrap()
        };
        let said = lines(&mut child).next();
        child.wait().unwrap();
        said.unwrap()
    }

    /// A ledger of modes of its own, closed or as a killed process leaves it.
    fn ledger(file: u32, folder: u32, killed: bool) -> (tempfile::TempDir, PathBuf) {
        let fixture = eventful();
        let root = tempfile::tempdir().unwrap();
        allow(root.path(), 0o755);
        let home = root.path().join("home");
        fs::create_dir(&home).unwrap();
        let path = home.join("ledger.db");
        let suffixes: &[&str] = if killed { &["", "-wal"] } else { &[""] };
        let from = fixture.path();
        if !killed {
            drop(fixture.ledger);
        }
        for suffix in suffixes {
            let copy = home.join(format!("ledger.db{suffix}"));
            fs::copy(format!("{}{suffix}", from.display()), &copy).unwrap();
            allow(&copy, file);
        }
        allow(&home, folder);
        (root, path)
    }

    #[test]
    fn a_ledger_is_read_where_nothing_can_be_written() {
        for (file, folder) in [(0o444, 0o555), (0o666, 0o555), (0o444, 0o777), (0o666, 0o777)] {
            let (_root, path) = ledger(file, folder, false);
            assert_eq!(as_user("read", &path), "2 runs, 0 findings", "{file:o} in {folder:o}");
            let beside = fs::read_dir(path.parent().unwrap()).unwrap().count();
            assert!(beside == 1 || file == 0o444, "{beside} files in {folder:o} after reading {file:o}");
        }
    }

    #[test]
    fn changes_beside_a_ledger_that_cannot_be_read_are_told() {
        let (_root, path) = ledger(0o444, 0o555, true);
        let said = as_user("read", &path);
        assert!(said.starts_with("ledger-unreadable") && said.contains("-wal"), "{said}");
    }

    #[test]
    fn a_ledger_that_may_not_be_read_is_told() {
        let (_root, path) = ledger(0o000, 0o777, false);
        let said = as_user("read", &path);
        assert!(said.starts_with("ledger-unreadable") && said.to_lowercase().contains("permission"), "{said}");
    }

    #[test]
    fn a_ledger_that_cannot_be_written_is_told_when_it_is_opened() {
        for (file, folder) in [(0o444, 0o555), (0o666, 0o555), (0o444, 0o777), (0o000, 0o777)] {
            let (_root, path) = ledger(file, folder, false);
            assert_eq!(as_user("open", &path), "ledger-unwritable", "{file:o} in {folder:o}");
        }
        let (_root, path) = ledger(0o666, 0o555, false);
        assert_eq!(as_user("open", &path.with_file_name("other.db")), "ledger-unwritable");
        assert_eq!(as_user("open", &path.with_file_name("new").join("other.db")), "ledger-unwritable");
    }
}

#[test]
fn a_place_that_is_none_is_unwritable() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::File::create(&file).unwrap().write_all(b"x").unwrap();
    let below = file.join("ledger.db");
    assert_eq!(try_open(&below, Access::Write, MIGRATIONS).err().unwrap().code.name, "ledger-unwritable");
    assert_eq!(try_open(&below, Access::Read, MIGRATIONS).err().unwrap().code.name, "ledger-unreadable");
}
