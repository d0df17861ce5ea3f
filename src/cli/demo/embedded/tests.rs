//! The starter, with other programs in the place of node and npm.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;

use super::*;

const READY: &str = r#"echo '{"ready":true,"port":7,"url":"postgres://x@127.0.0.1:7/postgres"}'"#;

/// A folder with a node and an npm that are shell scripts; node's answers the question for its
/// version by itself.
struct Fake {
    folder: tempfile::TempDir,
    programs: Programs,
}

impl Fake {
    fn new(node: &str, npm: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = format!("case $1 in --version) echo v20.1.2; exit;; esac\n{node}");
        let program = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path.into_os_string()
        };
        let programs = Programs {
            node: program("node", &node),
            npm: program("npm", npm),
            install_limit: Duration::from_secs(2),
            start_limit: Duration::from_secs(2),
        };
        Self { folder, programs }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("some/cache")
    }

    fn start(&self) -> Result<EmbeddedServer, EmbeddedError> {
        self.start_with(&Options::default(), &mut Vec::new())
    }

    fn start_with(&self, options: &Options, said: &mut Vec<String>) -> Result<EmbeddedServer, EmbeddedError> {
        // Another test may be forking just now, with the script still open for writing.
        loop {
            let result = self.programs.start(&self.cache(), options, &mut |line| said.push(line.to_owned()));
            match result {
                Err(EmbeddedError::Missing { found, .. }) if found.contains("busy") => {
                    thread::sleep(Duration::from_millis(20));
                }
                result => return result,
            }
        }
    }

    fn error(&self) -> String {
        self.start().expect_err("it started").to_string()
    }
}

fn is_alive(pid: u32) -> bool {
    Command::new("kill").args(["-0", &pid.to_string()]).output().unwrap().status.success()
}

#[test]
fn it_installs_once_and_starts() {
    let fake = Fake::new(&format!("{READY}\ncat > /dev/null"), "echo run >> ../../../npm.log; mkdir node_modules");
    let mut said = Vec::new();
    let mut server = fake.start_with(&Options::default(), &mut said).unwrap();
    assert_eq!(server.url(), "postgres://x@127.0.0.1:7/postgres");
    assert_eq!(server.port(), 7);
    assert!(server.is_running());
    let pid = server.pid();
    server.stop();
    assert!(!is_alive(pid));
    assert_eq!(said.len(), 2, "{said:?}");
    drop(fake.start().unwrap());
    let runs = fs::read_to_string(fake.folder.path().join("npm.log")).unwrap();
    assert_eq!(runs, "run\n");
    let folder = fake.cache().join(format!("embedded-{}", short_hash(&[PACKAGE, LOCK])));
    assert!(folder.join("node_modules").is_dir());
    assert!(folder.join(MARKER).is_file());
}

#[test]
fn its_options_are_passed_on() {
    let fake = Fake::new(&format!("shift; echo \"$@\" > \"$(dirname \"$0\")/args\"\n{READY}\ncat > /dev/null"), "");
    let options = Options { port: Some(77), data_dir: Some("/some where/data".into()), detach: false };
    drop(fake.start_with(&options, &mut Vec::new()).unwrap());
    let said = fs::read_to_string(fake.folder.path().join("args")).unwrap();
    assert_eq!(said, "--host 127.0.0.1 --port 77 --data /some where/data\n");
}

#[test]
fn a_server_that_does_not_end_is_killed() {
    let fake = Fake::new(&format!("{READY}\nexec 0<&-\nexec sleep 100"), "");
    let mut server = fake.start().unwrap();
    let pid = server.pid();
    // Without input to close there is only the kill.
    server.stdin = None;
    drop(server);
    assert!(!is_alive(pid));
}

#[test]
fn a_detached_server_goes_on() {
    let fake = Fake::new(&format!("{READY}\nexec sleep 100"), "");
    let server = fake.start_with(&Options { detach: true, ..Options::default() }, &mut Vec::new()).unwrap();
    let pid = server.pid();
    drop(server);
    assert!(is_alive(pid));
    Command::new("kill").arg(pid.to_string()).status().unwrap();
}

#[test]
fn it_is_reset() {
    let answer = |text: &str| {
        let fake = Fake::new(&format!("{READY}\nread line\necho '{text}'\ncat > /dev/null"), "");
        fake.start().unwrap().reset().map_err(|error| error.to_string())
    };
    assert_eq!(answer(r#"{"reset":true}"#), Ok(()));
    let refusal = answer(r#"{"reset":false,"error":"no"}"#).unwrap_err();
    assert_eq!(refusal, "the embedded TimescaleDB refused: no");
    assert!(answer("rubbish").unwrap_err().contains("it answered rubbish"));
}

#[test]
fn missing_programs_are_named_with_the_alternative() {
    let mut fake = Fake::new("", "");
    fake.programs.npm = fake.folder.path().join("nothing").into();
    let error = fake.error();
    assert!(error.contains("`npm` is not installed") && error.contains("--url"), "{error}");
    fake.programs.node = fake.folder.path().join("nothing").into();
    let error = fake.error();
    assert!(error.contains("`node` is not installed") && error.contains("Node.js 20"), "{error}");
    for (version, found) in [("v18.19.0", "`node` is v18.19.0"), ("rubbish", "\"rubbish\"")] {
        let node = fake.folder.path().join("node");
        fs::write(&node, format!("#!/bin/sh\necho {version}\n")).unwrap();
        fake.programs.node = node.into();
        let error = fake.error();
        assert!(error.contains(found), "{error}");
    }
}

#[test]
fn a_failed_installation_says_why_and_is_tried_again() {
    let fake = Fake::new(
        &format!("{READY}\ncat > /dev/null"),
        "test -e ../../../network && exit\nseq 100 >&2; echo no network >&2; exit 3",
    );
    let error = fake.error();
    assert!(error.starts_with("npm could not install"), "{error}");
    assert!(error.contains("exit status: 3") && error.ends_with("\n  100\n  no network"), "{error}");
    assert_eq!(error.lines().count(), 1 + KEPT_LINES);
    fs::write(fake.folder.path().join("network"), "").unwrap();
    fake.start().unwrap();
}

#[test]
fn an_installation_that_takes_too_long_is_ended() {
    let mut fake = Fake::new("", "exec sleep 100");
    fake.programs.install_limit = Duration::from_millis(300);
    assert!(fake.error().contains("not done after"));
}

#[test]
fn a_failed_start_says_why() {
    let error = Fake::new("echo no memory >&2; exit 4", "").error();
    assert!(error.contains("exit status: 4") && error.ends_with("\n  no memory"), "{error}");
    let error = Fake::new("echo rubbish; cat > /dev/null", "").error();
    assert!(error.contains("it said rubbish"), "{error}");
}

#[test]
fn a_start_that_takes_too_long_is_ended() {
    let mut fake = Fake::new("echo $$ > \"$(dirname \"$0\")/pid\"; echo still thinking >&2; cat > /dev/null", "");
    fake.programs.start_limit = Duration::from_millis(500);
    let error = fake.error();
    assert!(error.contains("not ready after") && error.ends_with("still thinking"), "{error}");
    let pid = fs::read_to_string(fake.folder.path().join("pid")).unwrap();
    assert!(!is_alive(pid.trim().parse().unwrap()));
}

#[test]
fn several_at_once_install_once() {
    let fake = Fake::new(
        &format!("test -e ../x; {READY}\ncat > /dev/null"),
        "echo run >> ../../../npm.log; sleep 0.3; mkdir node_modules",
    );
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| fake.start().unwrap());
        }
    });
    let runs = fs::read_to_string(fake.folder.path().join("npm.log")).unwrap();
    assert_eq!(runs, "run\n");
}

#[test]
fn a_broken_cache_is_named() {
    let fake = Fake::new("", "");
    fs::write(fake.folder.path().join("some"), "a file").unwrap();
    assert!(fake.error().contains("some/cache"), "{}", fake.error());
}

#[test]
fn the_cache_folder_follows_the_environment() {
    let dir = |xdg: Option<&str>, home: Option<&str>| cache_dir_in(xdg.map(Into::into), home.map(Into::into)).ok();
    assert_eq!(dir(Some("/x"), Some("/h")), Some("/x/chronoform".into()));
    assert_eq!(dir(Some("relative"), Some("/h")), Some("/h/.cache/chronoform".into()));
    assert_eq!(dir(Some(""), Some("/h")), Some("/h/.cache/chronoform".into()));
    assert_eq!(dir(None, None), None);
}

#[test]
fn versions_are_read() {
    assert_eq!(node_major("v20.11.1"), Some(20));
    assert_eq!(node_major("v8"), Some(8));
    assert_eq!(node_major("20.1.1"), None);
    assert_eq!(node_major(""), None);
}

#[test]
fn the_lock_file_names_no_address_and_pins_by_content() {
    let lock: serde_json::Value = serde_json::from_str(LOCK).unwrap();
    let package: serde_json::Value = serde_json::from_str(PACKAGE).unwrap();
    for (name, entry) in lock["packages"].as_object().unwrap() {
        assert!(entry.get("resolved").is_none(), "{name} has an address");
        assert!(name.is_empty() || entry["integrity"].is_string(), "{name} has no hash");
    }
    assert_eq!(lock["packages"][""]["dependencies"], package["dependencies"]);
    assert!(!LOCK.contains("://"));
}
