//! A repository of pgBackRest that is out of sight, as where its disk is not mounted, is taken neither for one that is
//! empty nor for one that is to be made.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use super::pgbackrest::Rest;
use crate::s3::S3Server;

const DRILLED: &str = "schedule: {full: '0 1 * * 0'}\nverify: {restore_drill: 7 days}\n";

/// What each command says as long as it is out of sight, where this is known by what is beside the configuration.
fn is_missed(rest: &Rest, what: &str) {
    for arguments in [&["run", "backup", "--auto-approve"][..], &["backup", "list"], &["backup", "verify"]] {
        let missed = rest.run(arguments);
        assert_eq!(missed.code, 1, "{what}: {arguments:?} {}\n{}", missed.out, missed.err);
        for words in ["error[stanza-lost]", "not mounted", "mount it", "--allow leaves_backups"] {
            assert!(missed.err.contains(words), "{what}: {arguments:?} {words}\n{}", missed.err);
        }
    }
    is_not_made(rest, what);
}

/// What a pipeline does with it.
fn is_not_made(rest: &Rest, what: &str) {
    let planned = rest.run(&["plan"]).expect(0);
    assert!(planned.out.contains("needs --allow leaves_backups"), "{what}: {}", planned.out);
    assert!(planned.err.contains("warning[stanza-lost]"), "{what}: {}\n{}", planned.out, planned.err);
    rest.run(&["apply", "--auto-approve"]).expect(3);
    assert!(!rest.store.exists(), "{what}");
}

pub fn is_missed_and_not_made(rest: &mut Rest) {
    rest.set_up(DRILLED);
    // A stanza without any backup has its WAL.
    let away = rest.ground.outside("away");
    fs::rename(&rest.store, &away).unwrap();
    is_missed(rest, "as it was made");
    fs::rename(&away, &rest.store).unwrap();
    rest.work().expect(0);
    rest.work().expect(0);
    fs::rename(&rest.store, &away).unwrap();
    is_missed(rest, "with a backup");
    // An earlier version has left the drills alone, and, before any, what the ledger has of it.
    let known = rest.ground.outside("rest/stanzas.json");
    let list = fs::read(&known).unwrap();
    fs::remove_file(&known).unwrap();
    is_missed(rest, "by what came of drills");
    let drills = rest.ground.outside("rest/drills");
    fs::rename(&drills, rest.ground.outside("drills")).unwrap();
    is_not_made(rest, "by the ledger");
    fs::rename(rest.ground.outside("drills"), &drills).unwrap();
    fs::write(&known, list).unwrap();
    // Without its configuration nobody can look before that is written.
    let config = fs::read(rest.config()).unwrap();
    fs::remove_file(rest.config()).unwrap();
    let refused = rest.run(&["apply", "--auto-approve"]);
    assert!(refused.code == 4 && refused.err.contains("stanza-lost"), "{}\n{}", refused.out, refused.err);
    assert_eq!(fs::read(rest.config()).unwrap(), config);
    let _ = fs::remove_dir(&rest.store);
    // Elsewhere there was none.
    let policy = rest.ground.outside("policies/backup.yaml");
    let text = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, text.replace("/repository}", "/elsewhere}")).unwrap();
    let planned = rest.run(&["plan"]).expect(0);
    assert!(planned.out.contains("elsewhere") && planned.out.contains("stanza"), "{}", planned.out);
    assert!(!planned.out.contains("leaves_backups"), "{}", planned.out);
    fs::write(&policy, text).unwrap();
    // Mounted again, it is as it was.
    fs::rename(&away, &rest.store).unwrap();
    fs::remove_file(rest.config()).unwrap();
    rest.run(&["apply", "--auto-approve"]).expect(0);
    rest.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert_eq!(rest.labels().len(), 1);
    assert!(!rest.work().expect(0).out.contains("backup.main"));
    // Lost for good, another one is made where that is allowed.
    fs::remove_dir_all(&rest.store).unwrap();
    is_missed(rest, "lost for good");
    fs::create_dir(&rest.store).unwrap();
    let owner = fs::metadata(rest.ground.cluster.data()).unwrap();
    std::os::unix::fs::chown(&rest.store, Some(owner.uid()), Some(owner.gid())).unwrap();
    rest.run(&["apply", "--auto-approve", "--allow", "leaves_backups"]).expect(0);
    let made = rest.work().expect(0);
    assert!(made.out.contains("no full backup yet"), "{}", made.out);
    assert_eq!(rest.labels().len(), 1);
}

/// A bucket that was emptied, or is another one under the same name.
pub fn in_a_bucket(rest: &mut Rest, _server: &S3Server) {
    rest.set_up(DRILLED);
    rest.work().expect(0);
    let away = rest.store.with_extension("away");
    fs::rename(&rest.store, &away).unwrap();
    is_missed(rest, "in a bucket");
    fs::rename(&away, &rest.store).unwrap();
    rest.run(&["plan", "--detailed-exitcode"]).expect(0);
}
