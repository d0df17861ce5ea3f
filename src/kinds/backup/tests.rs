//! What a backup's document says.

use serde_json::{Value as Json, json};

use super::{Backup, EVERY, FULL, KEEP_FULL, MAX_LAG, ON_SCHEDULE, PATH, STATE, WAL, work};
use crate::core::{Desired, Interval, Value, Version};
use crate::kinds::Kind;
use crate::kinds::fixture::{World, codes, daily, expand};
use crate::kinds::repository;
use crate::kinds::setting::{AT_LEAST, AT_MOST, BOUND};

const KIND: &dyn Kind = &Backup;

fn least() -> Json {
    json!({"repository": {"path": "/var/backups/main"}, "schedule": {"full": "0 1 * * 0"}})
}

fn with(key: &str, value: Json) -> Json {
    let mut document = least();
    document[key] = value;
    document
}

fn find<'a>(all: &'a [Desired], name: &str) -> &'a Desired {
    all.iter().find(|desired| desired.address.name == name).unwrap()
}

#[test]
fn a_document_makes_its_work_and_the_settings_that_it_needs() {
    let (all, said) = expand(KIND, &least());
    assert_eq!(codes(&said), Vec::<&str>::new());
    let backup = find(&all, work::BACKUP);
    assert_eq!(backup.get(PATH), Some(&Value::text("/var/backups/main")));
    assert_eq!(backup.get(FULL), Some(&Value::text("0 1 * * 0")));
    assert_eq!(backup.get(WAL), Some(&Value::Bool(true)));
    assert_eq!(backup.get(STATE), Some(&Value::text(ON_SCHEDULE)));
    assert_eq!(find(&all, work::EXPIRE).get(KEEP_FULL), Some(&Value::Int(2)));
    assert_eq!(find(&all, work::DRILL).get(EVERY), None);
    assert!(all.iter().all(|desired| desired.address.name != work::VERIFY));
    let value = |name: &str| find(&all, name).get("value").and_then(Value::as_text).unwrap().to_owned();
    assert_eq!(value("archive_mode"), "on");
    assert_eq!(value("archive_command"), "'chronoform' backup push-wal --to '/var/backups/main' '%p'");
    assert_eq!(value("archive_timeout"), "300s");
    assert_eq!(find(&all, "archive_timeout").get(BOUND), Some(&Value::text(AT_MOST)));
    assert_eq!(find(&all, "wal_level").get(BOUND), Some(&Value::text(AT_LEAST)));
    assert!(all.iter().all(|desired| desired.address.name != "summarize_wal"));
}

#[test]
fn without_wal_nothing_is_archived() {
    let (all, said) = expand(KIND, &with("wal", json!({"archive": false})));
    assert_eq!(codes(&said), Vec::<&str>::new());
    assert!(all.iter().all(|desired| !desired.address.name.starts_with("archive_")));
    assert_eq!(find(&all, work::BACKUP).get(WAL), Some(&Value::Bool(false)));
}

#[test]
fn what_only_archived_wal_can_keep_is_told() {
    let without = |key: &str, value: Json| {
        let mut document = with("wal", json!({"archive": false}));
        document[key] = value;
        let (all, said) = expand(KIND, &document);
        assert!(!all.is_empty());
        codes(&said).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(without("keep", json!({"full": 2, "wal": "14 days"})), ["policy-conflict"]);
    assert_eq!(without("objectives", json!({"rpo": "5 minutes"})), ["policy-conflict"]);
    assert!(without("keep", json!({"full": 2})).is_empty());
}

#[test]
fn everything_can_be_said() {
    let document = json!({
        "engine": "native",
        "repository": {"path": "/b/"},
        "schedule": {"full": "0 1 * * 0", "incremental": "0 1 * * 1-6"},
        "wal": {"archive": true, "max_lag": "30 seconds", "program": "/usr/local/bin/chronoform"},
        "keep": {"full": 4, "wal": "14 days"},
        "verify": {"checksums": "7 days", "restore_drill": "7 days"},
        "objectives": {"rpo": "5 minutes", "rto": "15 minutes", "window": "30 minutes"},
        "programs": "/usr/lib/postgresql/17/bin",
    });
    let (all, said) = expand(KIND, &document);
    assert_eq!(codes(&said), Vec::<&str>::new());
    assert_eq!(find(&all, work::BACKUP).get(PATH), Some(&Value::text("/b")));
    assert_eq!(find(&all, work::BACKUP).get(MAX_LAG), Some(&Value::Interval(Interval::micros(30_000_000))));
    assert_eq!(find(&all, work::VERIFY).get(EVERY), Some(&Value::Interval(Interval::days(7))));
    assert!(find(&all, "summarize_wal").skip_missing);
}

#[test]
fn what_cannot_be_is_said() {
    let refused = |key: &str, value: Json, code: &str| {
        let (all, said) = expand(KIND, &with(key, value.clone()));
        assert_eq!(codes(&said), [code], "{value}");
        assert!(all.is_empty(), "{value}");
    };
    refused("encryption", json!({"cipher": "aes-256"}), "engine-cannot");
    refused("repository", json!({"s3": {"bucket": "b"}}), "engine-cannot");
    refused("repository", json!({}), "missing-key");
    for path in ["backups", "/it's", "/100%p", "/a\\b", "/a\nb"] {
        refused("repository", json!({ "path": path }), "wrong-value");
    }
    refused("schedule", json!({"full": "weekly"}), "bad-schedule");
    refused("schedule", json!({"full": "0 1 * * 0", "incremental": "0 25 * * *"}), "bad-schedule");
    refused("wal", json!({"max_lag": "soon"}), "bad-interval");
    refused("wal", json!({"program": "a'b"}), "wrong-value");
    refused("keep", json!({"wal": "-1 days"}), "bad-interval");
    refused("objectives", json!({"rpo": "1 minute"}), "policy-conflict");
}

fn by_pgbackrest() -> Json {
    json!({"engine": "pgbackrest", "repository": {"path": "/r"}, "schedule": {"full": "0 1 * * 0", "incremental": "0 1 * * 1-6"}})
}

#[test]
fn pgbackrest_has_a_repository_of_its_own() {
    let mut document = by_pgbackrest();
    document["encryption"] = json!({"key": "${env.BACKUP_KEY}"});
    document["pgbackrest"] = json!({"stanza": "main", "folder": "/f/", "program": "/usr/bin/pgbackrest"});
    document["keep"] = json!({"full": 4, "wal": "1 month"});
    let (all, said) = expand(KIND, &document);
    assert_eq!(codes(&said), Vec::<&str>::new());
    let backup = find(&all, work::BACKUP);
    assert_eq!(backup.get(super::ENGINE), Some(&Value::text("pgbackrest")));
    assert_eq!(backup.get(PATH), Some(&Value::text("/f")));
    let repository = all.iter().find(|desired| desired.address.kind == repository::ID).unwrap();
    let Some(Value::Map(place)) = repository.get(repository::PLACE) else { panic!() };
    assert_eq!(place.get("path"), Some(&Value::text("/r")));
    assert_eq!(place.get("keep_days"), Some(&Value::Int(32)), "the longest that a month can be, and one more");
    let Some(Value::Map(secrets)) = repository.get(repository::SECRETS) else { panic!() };
    assert_eq!(secrets.get(repository::CIPHER_PASS), Some(&Value::text("${env.BACKUP_KEY}")));
    let command = find(&all, "archive_command").get("value").and_then(Value::as_text).unwrap();
    assert_eq!(command, "'/usr/bin/pgbackrest' '--config=/f/pgbackrest.conf' --stanza=main archive-push '%p'");
    for not_needed in ["max_wal_senders", "summarize_wal"] {
        assert!(all.iter().all(|desired| desired.address.name != not_needed));
    }
    // It makes incremental backups of every version.
    let mut world = World::new("2.23.0", daily());
    world.server.version = Version::new(16, 9);
    assert_eq!(world.settle(KIND, &document), Err(Vec::new()), "nobody has looked into the repository");
}

#[test]
fn a_bucket_is_a_repository() {
    let s3 = json!({
        "bucket": "b", "endpoint": "s3.example.com", "region": "r", "prefix": "main",
        "key": "${env.A}", "secret_file": "/run/secrets/b",
    });
    let mut document = by_pgbackrest();
    document["repository"] = json!({ "s3": s3 });
    document["pgbackrest"] = json!({"stanza": "main", "timeout": "30 seconds"});
    let (all, said) = expand(KIND, &document);
    assert_eq!(codes(&said), Vec::<&str>::new());
    let repository = all.iter().find(|desired| desired.address.kind == repository::ID).unwrap();
    let Some(Value::Map(place)) = repository.get(repository::PLACE) else { panic!() };
    for (name, text) in [("bucket", "b"), ("endpoint", "s3.example.com"), ("path", "/main"), ("uri_style", "host")] {
        assert_eq!(place.get(name), Some(&Value::text(text)));
    }
    assert_eq!(place.get("verify_tls"), Some(&Value::Bool(true)));
    assert_eq!(place.get("timeout"), Some(&Value::Int(30)));
    let Some(Value::Map(secrets)) = repository.get(repository::SECRETS) else { panic!() };
    assert_eq!(secrets.get(repository::S3_KEY), Some(&Value::text("${env.A}")));
    assert_eq!(secrets.get(repository::S3_SECRET), Some(&Value::text("file:/run/secrets/b")));
    for (lost, code) in [("endpoint", "missing-key"), ("key", "missing-key"), ("secret_file", "missing-key")] {
        let mut less = document.clone();
        less["repository"]["s3"].as_object_mut().unwrap().remove(lost);
        assert_eq!(codes(&expand(KIND, &less).1), [code], "{lost}");
    }
    document["repository"]["s3"]["key"] = json!("hunter2");
    let (_, said) = expand(KIND, &document);
    assert_eq!(codes(&said), ["secret-in-policy"]);
    assert!(!format!("{said:?}").contains("hunter2"));
}

#[test]
fn what_pgbackrest_cannot_have_is_said() {
    let refused = |key: &str, value: Json, code: &str| {
        let mut document = by_pgbackrest();
        document["pgbackrest"] = json!({"stanza": "main"});
        document[key] = value.clone();
        let (all, said) = expand(KIND, &document);
        assert_eq!(codes(&said), [code], "{value}");
        assert!(all.is_empty(), "{value}");
        let words = format!("{said:?}");
        assert!(!words.contains("hunter2"), "{words}");
    };
    refused("encryption", json!({"key": "hunter2"}), "secret-in-policy");
    refused("encryption", json!({"key": "x${env.A}"}), "secret-in-policy");
    refused("encryption", json!({}), "missing-key");
    refused("encryption", json!({"key": "${env.A}", "key_file": "/k"}), "missing-key");
    refused("encryption", json!({"key_file": "k"}), "wrong-value");
    refused("repository", json!({}), "missing-key");
    refused("repository", json!({"path": "r"}), "wrong-value");
    for timeout in ["0 seconds", "2 hours"] {
        refused(
            "pgbackrest",
            json!({"stanza": "main", "timeout": timeout}),
            if timeout == "2 hours" { "wrong-value" } else { "bad-interval" },
        );
    }
    refused("pgbackrest", json!({"stanza": "my stanza"}), "wrong-value");
    refused("pgbackrest", json!({"stanza": "main", "folder": "f"}), "wrong-value");
    refused("pgbackrest", json!({"stanza": "main", "program": "a'b"}), "wrong-value");
    refused("wal", json!({"archive": false}), "engine-cannot");
    refused("wal", json!({"program": "/usr/bin/chronoform"}), "policy-conflict");
    // The key beside what it encrypts is none.
    let mut document = by_pgbackrest();
    document["encryption"] = json!({"key_file": "/k"});
    document["pgbackrest"] = json!({"stanza": "main", "folder": "/r/here"});
    assert_eq!(codes(&expand(KIND, &document).1), ["policy-conflict"]);
    // And none of it is for the native engine.
    assert_eq!(codes(&expand(KIND, &with("pgbackrest", json!({}))).1), ["policy-conflict"]);
}

#[test]
fn incremental_backups_need_a_server_that_makes_them() {
    let document = with("schedule", json!({"full": "0 1 * * 0", "incremental": "0 1 * * 1-6"}));
    let mut world = World::new("2.23.0", daily());
    world.server.version = Version::new(16, 9);
    assert_eq!(world.settle(KIND, &document), Err(vec!["needs-newer-server"]));
    world.server.version = Version::new(17, 0);
    assert_eq!(world.settle(KIND, &document), Err(Vec::new()), "nobody has looked into the repository");
}
