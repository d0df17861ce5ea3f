//! Invariant 6 under every fault that this machine can make, at every step of a plan of fifty actions:
//! afterwards the ledger is whole, the next apply does the rest, and nothing was done twice.
//!
//! The short form tries a few steps of each; `CHRONOFORM_TEST_LONG=1` tries more than five hundred.

pub mod proxy;
mod site;

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::servers::{Servers, Tier};
use proxy::Break;
use site::{ACTIONS, Running, Site};

/// How many runs of each fault.
fn runs() -> usize {
    if std::env::var_os("CHRONOFORM_TEST_LONG").is_some() { 60 } else { 4 }
}

/// The tests of a tier: these need a server of their own.
pub fn trials(tier: Tier, _servers: &Servers) -> Vec<Trial> {
    if tier != Tier::PostgresNative {
        return Vec::new();
    }
    let add = |name: &str, run: fn(&mut Site)| {
        Trial::test(format!("{tier}::faults::{name}"), move || -> Result<(), Failed> {
            run(&mut Site::start()?);
            Ok(())
        })
    };
    vec![
        add("the_process_is_killed", killed),
        add("the_session_is_terminated", terminated),
        add("the_connection_ends_before_a_statement", |site| broken(site, Break::Before)),
        add("the_connection_ends_before_an_answer", |site| broken(site, Break::After)),
        add("the_connection_is_reset", |site| broken(site, Break::Reset)),
        add("the_connection_is_slow", |site| broken(site, Break::Late(Duration::from_millis(300)))),
        add("a_table_is_locked", locked),
        add("the_server_is_restarted", restarted),
        add("the_disk_is_full", full_disk),
        add("it_is_asked_to_stop", asked_to_stop),
        add("two_and_eight_at_once", at_once),
    ]
}

/// Spreads the runs over the actions; the last action is among them.
fn action_of(run: usize) -> usize {
    (ACTIONS * (run + 1)).div_ceil(runs()).clamp(1, ACTIONS)
}

/// A little later within an action, another bit each run.
fn a_bit_later(run: usize) {
    thread::sleep(Duration::from_micros((run as u64 * 1_700) % 9_000));
}

fn killed(site: &mut Site) {
    for run in 0..runs() {
        site.reset();
        let mut running = site.apply();
        running.reaches(action_of(run));
        a_bit_later(run);
        // It may have ended by itself already.
        let _ = running.child.kill();
        let _ = running.ends();
        site.settles(&format!("killed at action {}", action_of(run)));
    }
}

fn terminated(site: &mut Site) {
    for run in 0..runs() {
        site.reset();
        let running = site.apply();
        running.reaches(action_of(run));
        a_bit_later(run);
        let terminate = "SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity
                          WHERE application_name = 'chronoform'";
        site.one(terminate);
        let (status, said) = running.ends();
        assert!(matches!(status.code(), Some(0 | 4)), "{status}\n{said}");
        site.settles(&format!("terminated at action {}", action_of(run)));
    }
}

fn broken(site: &mut Site, how: Break) {
    // What an undisturbed apply sends says where it can be disturbed.
    site.reset();
    site.proxy.arm(None);
    let (status, said) = site.apply().ends();
    assert!(status.success(), "{said}");
    let all = site.proxy.sent();
    assert!(all > ACTIONS * 2, "{all}");
    let mut failed = 0;
    for run in 0..runs() {
        site.reset();
        let at = (all * (run + 1)).div_ceil(runs()).saturating_sub(run % 3).max(1);
        site.proxy.arm(Some((at, how)));
        let (status, said) = site.apply().ends();
        match how {
            Break::Late(_) => assert!(status.success(), "at {at} of {all}: {status}\n{said}"),
            _ => assert!(matches!(status.code(), Some(0 | 1 | 4)), "at {at} of {all}: {status}\n{said}"),
        }
        failed += usize::from(!status.success());
        site.settles(&format!("{how:?} at {at} of {all}"));
    }
    assert!(matches!(how, Break::Late(_)) || failed * 2 >= runs(), "it was disturbed {failed} times only");
}

fn locked(site: &mut Site) {
    for run in 0..runs() {
        site.reset();
        let mut running = site.apply();
        running.reaches(action_of(run));
        let mut other = site.admin();
        // Whichever table's turn is still to come.
        let table = format!("public.t{}", run % 25);
        other.batch_execute(&format!("BEGIN; LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")).unwrap();
        let waits =
            format!("SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT granted AND relation = '{table}'::regclass");
        let started = Instant::now();
        while site.one(&waits) == 0 && running.child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < Duration::from_secs(60));
            thread::sleep(Duration::from_millis(5));
        }
        other.batch_execute("ROLLBACK").unwrap();
        let (status, said) = running.ends();
        assert!(status.success(), "{status}\n{said}");
        site.settles(&format!("{table} locked at action {}", action_of(run)));
    }
}

fn restarted(site: &mut Site) {
    for run in 0..runs() {
        site.reset();
        let running = site.apply();
        running.reaches(action_of(run));
        a_bit_later(run);
        if run % 2 == 0 {
            site.cluster.stop();
        } else {
            site.cluster.crash();
        }
        let (status, said) = running.ends();
        assert!(matches!(status.code(), Some(0 | 1 | 4)), "{status}\n{said}");
        let mut tries = 0;
        while let Err(why) = site.cluster.launch() {
            tries += 1;
            assert!(tries < 4, "{why}");
        }
        site.proxy.lead_to(site.cluster.port());
        site.settles(&format!("restarted at action {}", action_of(run)));
    }
}

/// An apply that waits, for as long as the other session leaves a row as it is.
fn held(site: &mut Site) -> (postgres::Client, Running) {
    site.reset();
    let mut other = site.admin();
    other.batch_execute("BEGIN; UPDATE public.t3 SET v = v WHERE id = 1").unwrap();
    // Whatever whoever runs the tests ignores: a hangup that is ignored would be no request.
    let mut arguments = vec!["--default-signal=HUP,INT,TERM", env!("CARGO_BIN_EXE_chronoform")];
    arguments.extend(Site::apply_arguments());
    let running = Running::begin(site.dressed(Command::new("env"), &arguments));
    // Building an index waits for every older snapshot, and for a moment that is this question's own.
    let pid: i32 = other.query_one("SELECT pg_catalog.pg_backend_pid()", &[]).unwrap().get(0);
    let waits = format!(
        "SELECT count(*) FROM pg_catalog.pg_stat_activity AS a
          WHERE a.application_name = 'chronoform' AND {pid} = ANY (pg_catalog.pg_blocking_pids(a.pid))"
    );
    while site.one(&waits) == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    (other, running)
}

fn signal(running: &Running, signal: &str) {
    let sent = Command::new("kill").args(["-s", signal, &running.child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn asked_to_stop(site: &mut Site) {
    for word in ["HUP", "INT", "TERM"] {
        let (mut other, running) = held(site);
        signal(&running, word);
        running.says("stopping after the running statement");
        other.batch_execute("ROLLBACK").unwrap();
        let (status, said) = running.ends();
        assert_eq!(status.code(), Some(4), "{word}: {status}\n{said}");
        assert!(said.contains("interrupted"), "{said}");
        site.settles(&format!("stopped by SIG{word}"));
    }
    // Whoever is asked a second time cancels the statement.
    let (mut other, running) = held(site);
    signal(&running, "TERM");
    running.says("stopping after the running statement");
    signal(&running, "TERM");
    let (status, said) = running.ends();
    assert_eq!(status.code(), Some(4), "{status}\n{said}");
    assert!(said.contains("cancelling the running statement"), "{said}");
    other.batch_execute("ROLLBACK").unwrap();
    site.settles("cancelled");
    // Where the server is not heard any more, nothing ends by itself.
    site.reset();
    site.proxy.arm(Some((60, Break::Never)));
    let running = site.apply();
    let started = Instant::now();
    while site.proxy.sent() < 60 {
        assert!(started.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(5));
    }
    for said in ["stopping after", "cancelling", "ended without waiting"] {
        signal(&running, "TERM");
        running.says(said);
    }
    let (status, said) = running.ends();
    assert_eq!(status.code(), Some(4), "{status}\n{said}");
    site.settles("ended while nothing was heard");
    // What `nohup` ignores is no request.
    site.reset();
    let program = env!("CARGO_BIN_EXE_chronoform");
    let mut arguments = vec!["-c", "trap '' HUP; exec \"$@\"", "sh", program];
    arguments.extend(Site::apply_arguments());
    let running = Running::begin(site.dressed(Command::new("sh"), &arguments));
    running.reaches(5);
    signal(&running, "HUP");
    let (status, said) = running.ends();
    assert!(status.success(), "{status}\n{said}");
    site.settles("hung up on, and told not to mind");
}

fn at_once(site: &mut Site) {
    for count in [2, 8] {
        site.reset();
        let all: Vec<Running> = (0..count).map(|_| site.apply()).collect();
        let ended: Vec<_> = all.into_iter().map(Running::ends).collect();
        // One works; the others find nothing left, or that their plan is no longer true, or wait too long,
        // or come to look while an index is being built, of which no plan can be made.
        assert!(ended.iter().any(|(status, _)| status.success()), "{ended:?}");
        for (status, said) in &ended {
            let looked_too_early = status.code() == Some(1) && said.contains("error[index-being-built]");
            assert!(matches!(status.code(), Some(0 | 3)) || looked_too_early, "of {count}: {status}\n{said}");
        }
        site.settles(&format!("{count} at once"));
    }
}

/// A file system of its own where this process may mount one; else a limit on the size of files.
enum Disk {
    Mounted(PathBuf),
    Limited,
}

impl Disk {
    fn new(folder: &Path) -> Self {
        let disk = folder.join("disk");
        fs::create_dir(&disk).unwrap();
        let root = fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0);
        let mount = || Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(&disk).output();
        if root && mount().is_ok_and(|output| output.status.success()) {
            return Self::Mounted(disk);
        }
        eprintln!("faults: no file system can be mounted here; a limit on the size of files stands for a full disk");
        Self::Limited
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Self::Mounted(disk) = self {
            let _ = Command::new("umount").arg("-l").arg(disk).output();
        }
    }
}

fn full_disk(site: &mut Site) {
    let disk = Disk::new(site.folder());
    let mut failed = 0;
    for run in 0..runs() {
        site.reset();
        // From nothing at all to nearly enough.
        let left = 300 * run / runs() * 1024;
        let running = match &disk {
            Disk::Mounted(disk) => {
                let folder = disk.join(format!("run{run}"));
                fs::create_dir(&folder).unwrap();
                site.ledger = folder.join("ledger.db");
                fill(&disk.join("ballast"), left);
                site.apply()
            }
            Disk::Limited => {
                site.ledger = site.folder().join(format!("ledger{run}.db"));
                let limit = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", left / 512);
                let mut arguments = vec!["-c", limit.as_str(), "sh", env!("CARGO_BIN_EXE_chronoform")];
                arguments.extend(Site::apply_arguments());
                Running::begin(site.dressed(Command::new("sh"), &arguments))
            }
        };
        let (status, said) = running.ends();
        assert!(matches!(status.code(), Some(0 | 1 | 4)), "{left} bytes left: {status}\n{said}");
        if !status.success() {
            failed += 1;
            assert!(said.contains("[ledger-"), "{left} bytes left: {said}");
        }
        if let Disk::Mounted(disk) = &disk {
            fs::remove_file(disk.join("ballast")).unwrap();
        }
        site.settles(&format!("{left} bytes left"));
        if let Disk::Mounted(_) = &disk {
            fs::remove_dir_all(site.ledger.parent().unwrap()).unwrap();
        }
    }
    assert!(failed > 0, "the disk was never full");
}

/// Fills the file system but for so many bytes.
fn fill(file: &Path, left: usize) {
    let mut ballast = fs::File::create(file).unwrap();
    let block = [0_u8; 4096];
    let mut length = 0_u64;
    while ballast.write_all(&block).is_ok() {
        length += block.len() as u64;
    }
    ballast.set_len(length.saturating_sub(left as u64)).unwrap();
}
