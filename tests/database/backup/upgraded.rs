//! A server after an upgrade to another major version: its cluster has another system identifier, and its stanza goes
//! on, with the backups of before beside those of after.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use super::WEEKLY;
use super::pgbackrest::{Rest, unable};
use crate::servers::cluster::Place;

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}");
}

pub fn the_stanza_goes_on(rest: &mut Rest) {
    let Ok(place) = Place::native() else { return };
    if unable().is_some() {
        return;
    }
    let mut older = Rest::new(&place, &[]).unwrap();
    older.set_up(WEEKLY);
    older.work().expect(0);
    let before = older.labels();
    let version = |rest: &Rest| fs::read_to_string(rest.ground.cluster.data().join("PG_VERSION")).unwrap();
    let (old, new) = (version(&older).trim().to_owned(), version(rest).trim().to_owned());
    if old.parse::<u32>().unwrap() >= new.parse::<u32>().unwrap() {
        return;
    }
    let clusters = [older.ground.cluster_id(), rest.ground.cluster_id()];
    older.ground.cluster.stop();
    // The same machine, and the same repository: only that here they have other places.
    bring(&older.store, &rest.store, rest);
    bring(&older.ground.outside("rest"), &rest.ground.outside("rest"), rest);
    let config = fs::read_to_string(rest.config()).unwrap();
    let [from, to] = [&older, rest].map(|rest| rest.ground.inside(""));
    fs::write(rest.config(), config.replace(&from, &to)).unwrap();
    rest.policy(WEEKLY);
    let planned = rest.run(&["plan"]).expect(0).out;
    assert!(planned.contains(&format!("PostgreSQL {old}")) && planned.contains("stanza"), "{planned}");
    rest.set_up(WEEKLY);
    // What was backed up before is no backup of this server.
    let made = rest.work().expect(0);
    assert!(made.out.contains("no full backup yet"), "{}", made.out);
    let labels = rest.labels();
    assert!(labels.len() == 2 && labels[0] == before[0], "{labels:?} {before:?}");
    rest.run(&["backup", "verify"]).expect(0);
    let drilled = rest.run(&["backup", "drill", "--auto-approve"]).expect(0);
    assert!(drilled.out.contains("passed") && drilled.out.contains(&labels[1]), "{}", drilled.out);
    assert!(!rest.work().expect(0).out.contains("backup.main"));
    // Both can be brought back, each by its cluster.
    for (cluster, version) in clusters.iter().zip([&old, &new]) {
        let to = rest.ground.inside(cluster);
        rest.run(&["backup", "restore", "--to", &to, "--cluster", cluster]).expect(0);
        let found = fs::read_to_string(rest.ground.outside(cluster).join("PG_VERSION")).unwrap();
        assert_eq!(found.trim(), version);
    }
}

/// A folder of another server's, for this one's user.
fn bring(from: &Path, to: &Path, rest: &Rest) {
    let owner = fs::metadata(rest.ground.cluster.data()).unwrap();
    run(Command::new("cp").arg("-R").arg(from).arg(to));
    run(Command::new("chown").arg("-R").arg(format!("{}:{}", owner.uid(), owner.gid())).arg(to));
}
