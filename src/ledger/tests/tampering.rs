//! Whatever is changed behind the ledger's back is found.

use super::*;
use crate::ledger::open::tables;

/// What verifying finds after something was done to the rows that Chronoform would never do.
fn after(tampering: &str) -> Vec<Finding> {
    let fixture = eventful();
    fixture.assert_whole();
    let conn = lawless(&fixture);
    unguarded(&conn, |conn| conn.execute_batch(tampering).unwrap());
    fixture.ledger.verify().unwrap().findings
}

/// A connection that checks nothing.
fn lawless(fixture: &Fixture) -> Connection {
    let conn = raw(&fixture.path());
    conn.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").unwrap();
    conn
}

/// Works without what would stop a slip of the hand, and leaves every definition as it was.
fn unguarded(conn: &Connection, work: impl FnOnce(&Connection)) {
    let mut query = conn.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    let triggers = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let triggers: Vec<(String, String)> = triggers.map(Result::unwrap).collect();
    for (name, _) in &triggers {
        conn.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    work(conn);
    for (_, sql) in &triggers {
        conn.execute_batch(sql).unwrap();
    }
}

#[test]
fn every_column_of_every_row_is_covered() {
    let fixture = eventful();
    let conn = lawless(&fixture);
    let mut tried = 0;
    for table in tables(&conn).unwrap() {
        let key = match table.as_str() {
            "resources" => "database_id, kind, schema, name",
            "drift_differences" => "report_id, kind, schema, name",
            "step_along" => "step_id, kind, schema, name",
            "step_archived" => "step_id, place, file",
            "archive_proved" => "place, manifest",
            _ => "rowid",
        };
        let rows: i64 = conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert!(rows > 0, "{table} has no row to try it on");
        for (column, other) in columns(&conn, &table) {
            for row in 0..rows {
                let update = format!(
                    "UPDATE {table} SET \"{column}\" = {other}
                      WHERE ({key}) = (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET {row})"
                );
                conn.execute_batch("BEGIN").unwrap();
                unguarded(&conn, |conn| assert_eq!(conn.execute(&update, []), Ok(1), "{update}"));
                let findings = verify::verify(&conn, Opening::default()).unwrap().findings;
                assert!(findings.iter().any(|finding| finding.table == table), "{update}: {findings:?}");
                conn.execute_batch("ROLLBACK").unwrap();
                tried += 1;
            }
        }
    }
    assert!(tried > 150, "{tried}");
    fixture.assert_whole();
}

/// A table's columns, each with an expression for another value than it has.
fn columns(conn: &Connection, table: &str) -> Vec<(String, String)> {
    let mut query = conn.prepare("SELECT name, type FROM pragma_table_info(?1)").unwrap();
    let columns = query.query_map([table], |row| {
        let (column, kind): (String, String) = (row.get(0)?, row.get(1)?);
        let other = match kind.as_str() {
            // Its index takes nothing that is no JSON.
            _ if column == "payload" => "json_set(payload, '$.x', 1)".to_owned(),
            "INTEGER" => format!("coalesce(\"{column}\", 0) + 1000"),
            _ => format!("coalesce(\"{column}\", '') || 'x'"),
        };
        Ok((column, other))
    });
    columns.unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_removed_row_is_missed() {
    for table in ["databases", "runs", "steps", "resources", "drift_reports", "drift_differences"] {
        let has_name = matches!(table, "resources" | "drift_differences");
        let key = if has_name { "name = 'market_data'" } else { "id = 1" };
        let findings = after(&format!("DELETE FROM {table} WHERE {key}"));
        let found = findings.iter().any(|f| f.table == table && f.problem.contains("no longer there"));
        assert!(found, "{table}: {findings:?}");
    }
    let gap = after("DELETE FROM audit WHERE seq = 4");
    assert!(gap.iter().any(|f| f.row.as_deref() == Some("5") && f.problem.contains("missing")), "{gap:?}");
    let tail = after("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)");
    assert!(tail.iter().any(|f| f.table == "steps"), "the tables know what the log lost: {tail:?}");
    let all = after("DELETE FROM audit");
    assert!(all.iter().any(|f| f.table == "runs" && f.problem.contains("no event")), "{all:?}");
}

#[test]
fn every_added_row_is_noticed() {
    for (table, change) in
        [("databases", "id = 77, name = 'x'"), ("runs", "id = 77"), ("steps", "id = 77"), ("resources", "name = 'x'")]
    {
        let findings = after(&format!(
            "CREATE TEMP TABLE copy AS SELECT * FROM {table} LIMIT 1; UPDATE copy SET {change};
             INSERT INTO {table} SELECT * FROM copy"
        ));
        let found = findings.iter().any(|f| f.table == table && f.problem.contains("no event accounts for it"));
        assert!(found, "{table}: {findings:?}");
    }
}

#[test]
fn entries_in_another_order_are_noticed() {
    let swapped = "UPDATE audit SET seq = -1 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4;
                   UPDATE audit SET seq = 4 WHERE seq = -1";
    let findings = after(swapped);
    assert!(findings.iter().any(|f| f.row.as_deref() == Some("3")), "{findings:?}");
}

#[test]
fn an_entry_with_a_hash_of_its_own_does_not_fit_the_next() {
    let fixture = eventful();
    let conn = raw(&fixture.path());
    let query = "SELECT seq, at, event, payload, prev_hash, hash FROM audit WHERE seq = 3";
    let mut entry = conn.query_row(query, [], audit::Entry::read).unwrap();
    entry.at += 1;
    unguarded(&conn, |conn| {
        let changed = "UPDATE audit SET at = ?1, hash = ?2 WHERE seq = 3";
        conn.execute(changed, rusqlite::params![entry.at, entry.expected_hash()]).unwrap();
    });
    let verification = fixture.ledger.verify().unwrap();
    assert!(!verification.compared);
    assert_eq!(verification.findings.len(), 1, "{:?}", verification.findings);
    assert_eq!(verification.findings[0].row.as_deref(), Some("4"));
}

#[test]
fn a_payload_that_is_no_json_or_no_utf8_is_a_finding() {
    let garbage = after("UPDATE audit SET payload = 'oops' WHERE seq = 2");
    assert!(garbage.iter().any(|f| f.table == "audit" && f.row.as_deref() == Some("2")), "{garbage:?}");
    let binary = after("UPDATE audit SET payload = CAST(x'ff00' AS TEXT) WHERE seq = 2");
    assert!(binary.iter().any(|f| f.problem.contains("cannot be read")), "{binary:?}");
    let binary = after("UPDATE steps SET sql = CAST(x'ff00' AS TEXT) WHERE id = 1");
    assert!(binary.iter().any(|f| f.table == "steps" && f.problem.contains("`sql`")), "{binary:?}");
}

#[test]
fn the_audit_log_resists_a_slip_of_the_hand() {
    let fixture = eventful();
    let conn = raw(&fixture.path());
    for slip in ["UPDATE audit SET at = 1", "DELETE FROM audit"] {
        let refused = conn.execute(slip, []).unwrap_err().to_string();
        assert!(refused.contains("only ever appended"), "{refused}");
    }
    fixture.assert_whole();
}

#[test]
fn a_changed_definition_is_noticed() {
    for (tampering, problem) in [
        ("DROP TRIGGER audit_never_deleted", "missing"),
        ("DROP INDEX steps_run; CREATE INDEX steps_run ON steps (run_id, id)", "defined"),
        ("ALTER TABLE steps ADD COLUMN extra TEXT", "defined"),
        ("CREATE TABLE notes (a)", "not part"),
        ("DROP TABLE resources", "missing"),
    ] {
        let fixture = eventful();
        raw(&fixture.path()).execute_batch(tampering).unwrap();
        let findings = fixture.ledger.verify().unwrap().findings;
        assert!(findings.iter().any(|f| f.problem.contains(problem)), "{tampering}: {findings:?}");
    }
    // SQLite's own statistics are nobody's tampering.
    let fixture = eventful();
    raw(&fixture.path()).execute_batch("ANALYZE").unwrap();
    fixture.assert_whole();
}

#[test]
fn a_finding_names_the_row_and_what_it_was() {
    let findings = after("UPDATE steps SET outcome = 'done' WHERE id = 3");
    assert_eq!(findings.len(), 1, "{findings:?}");
    let diagnostic = findings[0].diagnostic();
    assert_eq!(diagnostic.code.name, "ledger-broken");
    assert_eq!(diagnostic.message, "steps 3: `outcome` is `done`, and was written as `failed`");
    let resource = after("UPDATE resources SET attributes = '{}' WHERE name = 'market_data'");
    assert!(resource[0].to_string().starts_with("resources 1 retention public market_data: `attributes` is `{}`"));
}

#[test]
fn writing_on_after_tampering_does_not_hide_it() {
    let mut fixture = eventful();
    raw(&fixture.path()).execute("UPDATE steps SET sql = 'SELECT 1' WHERE id = 1", []).unwrap();
    fixture.run();
    let findings = fixture.ledger.verify().unwrap().findings;
    assert!(findings.iter().any(|f| f.table == "steps" && f.row.as_deref() == Some("1")), "{findings:?}");
}

#[test]
fn a_tail_that_was_cut_off_with_its_rows_is_told_by_a_noted_head() {
    let mut fixture = eventful();
    let early = fixture.ledger.verify().unwrap().head;
    let text = {
        let mut out = Vec::new();
        fixture.ledger.export(&mut out).unwrap();
        out
    };
    fixture.run();
    let late = fixture.ledger.verify().unwrap().head;
    for head in [&early, &late] {
        assert!(fixture.ledger.verify_since(Some(head)).unwrap().holds());
    }
    // An older copy of the file is whole in itself.
    let mut older = Fixture::new();
    older.ledger.import(&mut text.as_slice()).unwrap();
    assert!(older.ledger.verify().unwrap().holds());
    assert!(older.ledger.verify_since(Some(&early)).unwrap().holds());
    let findings = older.ledger.verify_since(Some(&late)).unwrap().findings;
    assert!(findings.len() == 1 && findings[0].problem.contains("cut off"), "{findings:?}");
}
