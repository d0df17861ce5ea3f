//! pgBackRest with a repository in a bucket.

use std::fs;
use std::path::PathBuf;

use super::pgbackrest::{Rest, files, flip};
use crate::s3::{BUCKET, How, KEY, S3Server, SECRET};
use crate::servers::cluster::Place;

const POLICY: &str = "schedule: {full: '0 1 * * 0', incremental: '0 1 * * 1-6'}\n\
    encryption: {cipher: aes-256, key: '${env.BACKUP_KEY}'}\n";

/// A server whose repository is to be in the bucket.
pub fn rest(place: &Place, settings: &[&str], server: &S3Server) -> Result<Rest, String> {
    let mut rest = Rest::new(place, settings)?;
    server.trust(&rest.ground.outside("authority.pem"));
    rest.repository = repository(&rest, server, "prefix: production/main");
    // It would try for a minute.
    rest.more = ", timeout: 2 seconds";
    rest.store = server.bucket().join("production/main");
    for (name, value) in
        [("BACKUP_KEY", "hunter2-Never-Shown-And-Long-Enough"), ("BACKUP_S3_KEY", KEY), ("BACKUP_S3_SECRET", SECRET)]
    {
        rest.env.insert(name, value.to_owned());
    }
    Ok(rest)
}

fn repository(rest: &Rest, server: &S3Server, more: &str) -> String {
    format!(
        "s3: {{bucket: {BUCKET}, endpoint: '{}', region: eu-central-1, uri_style: path, ca_file: {}, \
         key: '${{env.BACKUP_S3_KEY}}', secret: '${{env.BACKUP_S3_SECRET}}', {more}}}",
        server.endpoint(),
        rest.ground.inside("authority.pem"),
    )
}

pub fn from_a_policy_to_a_drill(rest: &mut Rest, _server: &S3Server) {
    rest.policy(POLICY);
    let planned = rest.run(&["plan"]).expect(0);
    for words in ["+repo1-type=s3", "+repo1-s3-bucket=kept", "+repo1-s3-key=***", "+repo1-s3-key-secret=***"] {
        assert!(planned.out.contains(words), "{words}\n{}", planned.out);
    }
    rest.set_up(POLICY);
    rest.expect_no_secret(&planned);
    let mut client = rest.ground.connect();
    client.batch_execute("CREATE TABLE t (x int); INSERT INTO t VALUES (1)").unwrap();
    let made = rest.work().expect(0);
    assert!(made.out.contains("no full backup yet"), "{}", made.out);
    rest.expect_no_secret(&made);
    client.batch_execute("INSERT INTO t VALUES (2)").unwrap();
    rest.run(&["backup", "run", "--type", "incremental", "--auto-approve"]).expect(0);
    client.batch_execute("INSERT INTO t VALUES (3)").unwrap();
    rest.archive_all();
    assert_eq!(rest.labels().len(), 2);
    let drilled = rest.run(&["backup", "drill", "--auto-approve"]).expect(0);
    assert!(drilled.out.contains("passed"), "{}\n{}", drilled.out, drilled.err);
    let verified = rest.run(&["backup", "verify"]).expect(0);
    assert!(verified.out.contains("Proved 2 backups"), "{}", verified.out);
    let mut stored = Vec::new();
    files(&rest.store.join("backup/main"), &mut stored);
    stored.retain(|path| !is_of_the_server(path));
    assert!((5..100).contains(&stored.len()), "small files go together: {}", stored.len());
    for file in &stored {
        assert!(fs::read(file).unwrap().starts_with(b"Salted__"), "{}", file.display());
    }
    // The machine is lost: there are the policy, the keys and the bucket.
    fs::rename(rest.ground.outside("rest"), rest.ground.outside("lost")).unwrap();
    let to = rest.ground.inside("after_a_fire");
    let restored = rest.run(&["backup", "restore", "--to", &to]).expect(0);
    rest.expect_no_secret(&restored);
    // What it starts with fetches WAL from the bucket, by the configuration alone.
    assert_eq!(rest.ground.start("after_a_fire").values("SELECT x FROM t ORDER BY x"), [1, 2, 3]);
    rest.ground.cluster.stop();
}

/// What the server of the bucket keeps beside the objects.
fn is_of_the_server(path: &std::path::Path) -> bool {
    path.file_name().unwrap().to_string_lossy().starts_with('.')
}

pub fn damage_is_found(rest: &mut Rest, _server: &S3Server) {
    rest.set_up("schedule: {full: '0 1 * * 0'}\n");
    rest.ground.connect().batch_execute("CREATE TABLE t AS SELECT g FROM generate_series(1, 20000) AS g").unwrap();
    rest.work().expect(0);
    let mut segment = String::new();
    for x in 0..3 {
        rest.ground.connect().batch_execute(&format!("INSERT INTO t VALUES ({x})")).unwrap();
        let archived = rest.archive_all();
        if x == 1 {
            segment = archived;
        }
    }
    rest.run(&["backup", "verify"]).expect(0);
    let label = rest.labels().remove(0);
    let mut stored = Vec::new();
    files(&rest.store.join("backup/main").join(&label), &mut stored);
    stored.retain(|path| path.components().any(|part| part.as_os_str() == "bundle"));
    stored.retain(|path| !is_of_the_server(path));
    let large = stored.into_iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let wal = rest.stored(&segment).unwrap();
    let damage = |path: &PathBuf, expected: &str, change: &dyn Fn(&PathBuf)| {
        let before = fs::read(path).unwrap();
        change(path);
        let found = rest.run(&["backup", "verify"]);
        assert_eq!(found.code, 2, "{}: {}\n{}", path.display(), found.out, found.err);
        assert!(found.out.contains(expected), "{}: {expected}: {}", path.display(), found.out);
        fs::write(path, before).unwrap();
    };
    damage(&large, &label, &|path| flip(path, 2000));
    damage(&large, &label, &|path| fs::remove_file(path).unwrap());
    damage(&wal, &segment, &|path| flip(path, 100));
    damage(&wal, "missing", &|path| fs::remove_file(path).unwrap());
    rest.run(&["backup", "verify"]).expect(0);
    rest.ground.cluster.stop();
}

/// How many backups there are.
fn counted(rest: &Rest) -> usize {
    let listed = rest.run(&["backup", "list", "--format", "json"]).expect(0);
    let listed: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    listed["backups"].as_array().unwrap().len()
}

/// The server tries to archive again: by itself it would after a minute.
fn wake(rest: &Rest) {
    let sql = "SELECT pg_catalog.pg_logical_emit_message(true, 'tests', 'wake'); SELECT pg_catalog.pg_switch_wal()";
    rest.ground.connect().batch_execute(sql).unwrap();
}

/// One that stops answering: before a backup is made, and while it is read back, which pgBackRest tries three
/// times.
pub fn one_that_fails(rest: &mut Rest, server: &S3Server) {
    rest.set_up("schedule: {full: '0 1 * * 0'}\n");
    rest.ground.connect().batch_execute("CREATE TABLE t AS SELECT g FROM generate_series(1, 1000) AS g").unwrap();
    for more in [0, 400] {
        server.fails(more, How::Unable, true);
        let failed = rest.work();
        assert!(failed.code != 0, "{more}: {}\n{}", failed.out, failed.err);
        assert!(failed.err.contains("503"), "{more}: {}", failed.err);
        rest.expect_no_secret(&failed);
        let listed = rest.run(&["backup", "list"]);
        assert!(listed.code != 0 && listed.err.contains("503"), "{}\n{}", listed.out, listed.err);
        server.well();
        wake(rest);
        assert_eq!(counted(rest), 0, "nothing counts that was not made");
    }
    // The server kept its WAL meanwhile, and hands it over.
    server.fails(0, How::Unable, true);
    let row = rest.ground.connect().query_one("SELECT pg_walfile_name(pg_switch_wal())", &[]).unwrap();
    let kept: String = row.get(0);
    super::ground::wait("archiving to fail", || {
        let sql = "SELECT failed_count > 0 FROM pg_stat_archiver";
        rest.ground.connect().query_one(sql, &[]).unwrap().get::<_, bool>(0)
    });
    server.well();
    wake(rest);
    super::ground::wait("WAL to be handed over", || rest.stored(&kept).is_some());
    rest.work().expect(0);
    // What was made before, and could not be read back, was read with it.
    assert_eq!(counted(rest), rest.labels().len());
    rest.run(&["backup", "verify"]).expect(0);
    rest.ground.cluster.stop();
}

pub fn who_may_not_come_in(rest: &mut Rest, server: &S3Server) {
    let right = rest.env.get("BACKUP_S3_SECRET").cloned().unwrap();
    rest.env.insert("BACKUP_S3_SECRET", "hunter2-but-another".to_owned());
    rest.policy("schedule: {full: '0 1 * * 0'}\n");
    let allowed = ["apply", "--auto-approve", "--allow", "needs_restart"];
    let refused = rest.run(&allowed);
    assert!(refused.code != 0 && refused.err.contains("repository-refused"), "{}\n{}", refused.out, refused.err);
    assert!(refused.err.contains("BACKUP_S3_SECRET"), "{}", refused.err);
    assert!(!refused.err.contains("hunter2") && !refused.out.contains("hunter2"));
    assert!(!rest.config().exists(), "what would let nobody in is not written");
    rest.env.insert("BACKUP_S3_SECRET", right);
    // What is not there.
    let reachable = rest.repository.clone();
    for (there, other, code, help) in [
        (format!("bucket: {BUCKET}"), "bucket: another", "repository-missing", "make the bucket"),
        (server.endpoint(), "localhost:1", "repository-unreachable", "`endpoint`"),
        (server.endpoint(), &server.endpoint().replace("localhost", "127.0.0.2"), "repository-untrusted", "`endpoint`"),
    ] {
        rest.repository = reachable.replace(&there, other);
        rest.policy("schedule: {full: '0 1 * * 0'}\n");
        let refused = rest.run(&allowed);
        assert!(refused.code != 0 && refused.err.contains(code), "{code}: {}\n{}", refused.out, refused.err);
        assert!(refused.err.contains(help), "{code}: {}", refused.err);
        assert!(!refused.err.contains("hunter2") && !refused.err.contains(KEY), "{}", refused.err);
    }
    rest.repository = reachable;
    // Nobody is sure whom it talks to.
    let trusting = rest.repository.clone();
    rest.repository = repository(rest, server, "prefix: production/main")
        .replace(&format!("ca_file: {}, ", rest.ground.inside("authority.pem")), "");
    rest.policy("schedule: {full: '0 1 * * 0'}\n");
    let refused = rest.run(&allowed);
    assert!(refused.code != 0 && refused.err.contains("repository-untrusted"), "{}\n{}", refused.out, refused.err);
    assert!(refused.err.contains("ca_file"), "{}", refused.err);
    rest.repository = trusting;
    rest.set_up("schedule: {full: '0 1 * * 0'}\n");
    rest.work().expect(0);
    rest.ground.cluster.stop();
}
