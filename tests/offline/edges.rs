//! The program's edges without a database: usage, exit codes, output that ends early.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn chronoform(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chronoform"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    for name in ["DATABASE_URL", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "CHRONOFORM_LEDGER", "NO_COLOR"] {
        command.env_remove(name);
    }
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn with_policy(yaml: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("policies")).unwrap();
    fs::write(folder.path().join("policies/a.yaml"), yaml).unwrap();
    folder
}

#[test]
fn wrong_usage_ends_with_one_because_two_means_differences() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in
        [&["plann"][..], &["plan", "--nope"], &["apply", "--allow", "everything"], &["plan", "--var", "x"], &[]]
    {
        let ran = chronoform(folder.path(), arguments);
        assert_eq!(ran.status.code(), Some(1), "{arguments:?}");
        assert!(!ran.stderr.is_empty());
    }
    assert!(text(&chronoform(folder.path(), &["apply", "--allow", "everything"]).stderr).contains("deletes_data"));
    assert_eq!(chronoform(folder.path(), &["--version"]).status.code(), Some(0));
    assert!(text(&chronoform(folder.path(), &["--help"]).stdout).contains("Exit codes"));
}

#[test]
fn validate_says_everything_at_once_with_its_place() {
    let folder = with_policy("kind: table\nname: t\nretentoin: {}\n---\nkind: tabel\nname: u\n");
    let ran = chronoform(folder.path(), &["validate"]);
    let err = text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1));
    assert!(err.contains("policies/a.yaml:3:1") && err.contains("unknown-key") && err.contains("retention"), "{err}");
    assert!(err.contains("policies/a.yaml:5:7") && err.contains("unknown-kind"), "{err}");
    let json = chronoform(folder.path(), &["validate", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["valid"], false);
    assert_eq!(json["diagnostics"].as_array().unwrap().len(), 2);
}

#[test]
fn no_policies_is_an_error_and_not_an_empty_plan() {
    let folder = tempfile::tempdir().unwrap();
    for command in [&["validate"][..], &["plan"], &["drift"], &["apply", "--auto-approve"]] {
        let ran = chronoform(folder.path(), command);
        assert_eq!(ran.status.code(), Some(1), "{command:?}");
        assert!(text(&ran.stderr).contains("no-policies"), "{}", text(&ran.stderr));
    }
    fs::create_dir(folder.path().join("policies")).unwrap();
    assert!(text(&chronoform(folder.path(), &["validate"]).stderr).contains("no-policies"));
    // Beside a file that is chosen, nothing has to be there.
    fs::write(folder.path().join("one.yaml"), "kind: table\nname: public.t\nretention: {drop_after: 1 day}\n").unwrap();
    let ran = chronoform(folder.path(), &["validate", "one.yaml"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
}

#[test]
fn the_shipped_policies_are_valid_and_in_layout() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ran = chronoform(root, &["validate", "policies"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    let ran = chronoform(root, &["fmt", "--check", "policies"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stdout));
    for entry in fs::read_dir(root.join("policies")).unwrap() {
        let path = entry.unwrap().path();
        let first = fs::read_to_string(&path).unwrap().lines().next().unwrap().to_owned();
        let schema =
            first.strip_prefix("# yaml-language-server: $schema=").unwrap_or_else(|| panic!("{}", path.display()));
        assert!(path.parent().unwrap().join(schema).exists(), "{} names {schema}", path.display());
    }
}

#[test]
fn colour_only_where_asked_for() {
    let folder = with_policy("kind: nope\n");
    let plain = chronoform(folder.path(), &["validate"]);
    assert!(!text(&plain.stderr).contains('\u{1b}'));
    let colored = chronoform(folder.path(), &["validate", "--color", "always"]);
    assert!(text(&colored.stderr).contains('\u{1b}'));
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_chronoform"))
        .args(["schema"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(!text(&ended.stderr).contains("panicked"));
}

#[test]
fn there_is_a_completion_script_for_every_shell() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = chronoform(folder.path(), &["completions", shell]);
        assert!(text(&ran.stdout).contains("chronoform"), "{shell}");
    }
}

#[test]
fn a_password_is_never_repeated() {
    let folder = with_policy("kind: extension\nname: timescaledb\n");
    for url in [
        "postgres://u:s3cret-word@127.0.0.1:1/d",
        "postgres://u:s3cret-word@host.invalid/d",
        "postgres://u:s3cret-word@h:notaport/d",
    ] {
        let ran = chronoform(folder.path(), &["plan", "--url", url]);
        let said = text(&ran.stderr) + &text(&ran.stdout);
        assert_eq!(ran.status.code(), Some(1), "{said}");
        assert!(said.contains("connect-failed") || said.contains("bad-config"), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn reading_an_absent_ledger_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(chronoform(folder.path(), &["ledger", "log"]).status.code(), Some(0));
    let verified = chronoform(folder.path(), &["ledger", "verify", "--ledger", "mistyped.db"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(text(&verified.stderr).contains("there is no ledger mistyped.db"), "{}", text(&verified.stderr));
    assert!(!folder.path().join("mistyped.db").exists());
    assert!(!folder.path().join(".chronoform").exists());
}

#[test]
fn a_guardrail_beside_a_file_that_is_chosen_is_asked_from_wherever_that_is() {
    let folder = with_policy("kind: table\nname: t\nretention: {drop_after: 7 days}\n");
    let guardrail = "kind: guardrail\nname: never\nassert: \"false\"\nmessage: nothing may be\n";
    fs::write(folder.path().join("policies/g.yaml"), guardrail).unwrap();
    let policies = folder.path().join("policies");
    fs::create_dir(policies.join("deeper")).unwrap();
    let whole = policies.join("a.yaml");
    let elsewhere = tempfile::tempdir().unwrap();
    for (from, chosen) in [
        (folder.path(), "policies/a.yaml"),
        (&policies, "a.yaml"),
        (&policies.join("deeper"), "../a.yaml"),
        (elsewhere.path(), whole.to_str().unwrap()),
    ] {
        let ran = chronoform(from, &["validate", chosen]);
        assert_eq!(ran.status.code(), Some(3), "{chosen}: {}", text(&ran.stderr));
        assert!(text(&ran.stderr).contains("nothing may be"), "{chosen}: {}", text(&ran.stderr));
    }
    // What is in no folder of policies stands alone.
    fs::copy(&whole, elsewhere.path().join("b.yaml")).unwrap();
    assert_eq!(chronoform(elsewhere.path(), &["validate", "b.yaml"]).status.code(), Some(0));
}

#[test]
fn a_guardrail_that_is_never_asked_is_warned_of() {
    let guardrail = "kind: guardrail\nname: never\nmatch: {labels: {a: b}}\nassert: \"false\"\nmessage: no\n";
    let folder = with_policy(&format!("kind: table\nname: t\nlabels: {{a: c}}\n---\n{guardrail}"));
    let ran = chronoform(folder.path(), &["validate"]);
    let err = text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(0), "{err}");
    assert!(err.contains("warning[guardrail-matches-nothing]") && err.contains("policies/a.yaml:7:1"), "{err}");
    // Beside a choice of files it may be for others.
    fs::write(folder.path().join("policies/b.yaml"), "kind: table\nname: u\n").unwrap();
    let ran = chronoform(folder.path(), &["validate", "policies/b.yaml"]);
    assert!(!text(&ran.stderr).contains("matches-nothing"), "{}", text(&ran.stderr));
    fs::write(folder.path().join("policies/b.yaml"), "kind: table\nname: u\nlabels: {a: b}\n").unwrap();
    let ran = chronoform(folder.path(), &["validate"]);
    assert_eq!(ran.status.code(), Some(3), "{}", text(&ran.stderr));
}

/// What a project forbids holds wherever in it the command is run, and however its files are named.
#[test]
fn a_projects_guardrails_hold_below_its_root() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("project");
    fs::create_dir_all(root.join("db/trading")).unwrap();
    fs::write(root.join("chronoform.yaml"), "policies: [db]\n").unwrap();
    let guardrail = "kind: guardrail\nname: kept\nassert: \"size(indexes) > 0\"\nmessage: no index\n";
    fs::write(root.join("db/guardrails.yaml"), guardrail).unwrap();
    let policy = "kind: table\nname: t\nstorage: {fillfactor: 70}\n";
    fs::write(root.join("db/trading/t.yaml"), policy).unwrap();
    fs::write(folder.path().join("t.yaml"), policy).unwrap();
    let whole = root.join("db/trading");
    let places = [
        (&root, "db/trading"),
        (&root.join("db"), "trading"),
        (&whole, "."),
        (&whole, "t.yaml"),
        (&folder.path().to_owned(), whole.to_str().unwrap()),
    ];
    for (here, path) in places {
        let ran = chronoform(here, &["validate", path]);
        assert!(text(&ran.stderr).contains("error[guardrail]"), "{path}: {}", text(&ran.stderr));
    }
    let outside = chronoform(folder.path(), &["validate", "t.yaml"]);
    assert_eq!(outside.status.code(), Some(0), "{}", text(&outside.stderr));
}
