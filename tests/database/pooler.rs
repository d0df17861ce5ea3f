//! PgBouncer before the server: in session mode it is as if it were not there; in the other modes
//! `apply` finds it out and refuses.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use postgres::{Client, NoTls};

use crate::cli::Workplace;
use crate::servers::cluster::find_on_path;
use crate::servers::{Db, Servers, Tier};

/// Runs PgBouncer until the end of the pipe that this process holds.
const KEEPER: &str =
    r#""$1" -q "$2" > /dev/null 2>&1 < /dev/null & bouncer=$!; read -r _; kill -TERM "$bouncer"; wait "$bouncer""#;

/// Why these tests cannot run here, where they cannot.
pub fn unable() -> Option<String> {
    program().is_none().then(|| "pgbouncer is not installed (Debian: apt install pgbouncer)".to_owned())
}

fn program() -> Option<PathBuf> {
    let beside = PathBuf::from("/usr/sbin/pgbouncer");
    find_on_path("pgbouncer").or_else(|| beside.is_file().then_some(beside))
}

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if tier != Tier::PostgresNative || program().is_none() {
        return Vec::new();
    }
    let add = |name: &str, run: fn(&Db, &Workplace<'_>)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::pooler::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            run(&db, &Workplace::new(&db));
            Ok(())
        })
    };
    vec![add("session_mode_works", session_mode_works), add("other_modes_are_refused", other_modes_are_refused)]
}

struct Bouncer {
    keeper: Child,
    stdin: Option<ChildStdin>,
    folder: tempfile::TempDir,
    url: String,
}

impl Bouncer {
    fn start(db: &Db, mode: &str, size: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let (place, _) = db.url().split_once('?').unwrap_or((db.url(), ""));
        let upstream = place.rsplit(['@', '/']).nth(1).unwrap_or_default();
        let (host, upstream_port) = upstream.split_once(':').unwrap();
        let file = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={host} port={upstream_port} user=postgres password=postgres\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = {mode}\ndefault_pool_size = {size}\nlogfile = {}\n",
            folder.path().join("log").display()
        );
        fs::write(&file, text).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "keeper"]).arg(program().unwrap()).arg(&file).stdin(Stdio::piped());
        // It refuses to run as root, like the server.
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            let users = fs::read_to_string("/etc/passwd").unwrap();
            let user = users.lines().find(|line| line.starts_with("postgres:")).expect("a user postgres");
            let ids: Vec<u32> = user.split(':').skip(2).take(2).map(|id| id.parse().unwrap()).collect();
            chown(folder.path(), Some(ids[0]), Some(ids[1])).unwrap();
            chown(&file, Some(ids[0]), Some(ids[1])).unwrap();
            command.uid(ids[0]).gid(ids[1]);
        }
        let mut keeper = command.spawn().unwrap();
        let stdin = keeper.stdin.take();
        let url = format!("postgres://postgres@127.0.0.1:{port}/{}?sslmode=disable", db.name());
        let bouncer = Self { keeper, stdin, folder, url };
        let started = Instant::now();
        while Client::connect(&bouncer.url, NoTls).is_err() {
            let log = fs::read_to_string(bouncer.folder.path().join("log")).unwrap_or_default();
            assert!(started.elapsed() < Duration::from_secs(30), "pgbouncer does not start\n{log}");
            thread::sleep(Duration::from_millis(20));
        }
        bouncer
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn prepare(db: &Db, place: &Workplace<'_>) {
    db.run("CREATE TABLE public.t (id bigint, v text); CREATE TABLE public.u (id bigint)");
    place.write(
        "policy.yaml",
        "kind: table\nname: public.t\nindexes: [{name: ix, columns: [v]}]\nstorage: {fillfactor: 90}\n---\n\
         kind: table\nname: public.u\nstorage: {fillfactor: 80}\n",
    );
}

fn through(place: &Workplace<'_>, bouncer: &Bouncer) -> (Option<i32>, String) {
    let arguments = ["apply", "policy.yaml", "--auto-approve", "--allow=builds_index", "--allow=blocks_writes"];
    let output = place.command(&arguments).env("DATABASE_URL", &bouncer.url).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn session_mode_works(db: &Db, place: &Workplace<'_>) {
    prepare(db, place);
    // With one session to give, there is none to compare with: the apply goes on.
    for size in [5, 1] {
        db.run("DROP INDEX IF EXISTS public.ix");
        let (code, said) = through(place, &Bouncer::start(db, "session", size));
        assert_eq!(code, Some(0), "a pool of {size}: {said}");
    }
    place.expect_converged("policy.yaml");
}

fn other_modes_are_refused(db: &Db, place: &Workplace<'_>) {
    prepare(db, place);
    for (mode, size) in [("transaction", 5), ("transaction", 1), ("statement", 5)] {
        let bouncer = Bouncer::start(db, mode, size);
        let (code, said) = through(place, &bouncer);
        assert_eq!(code, Some(3), "{mode}, a pool of {size}: {said}");
        assert!(said.contains("[transaction-pooling]"), "{mode}, a pool of {size}: {said}");
    }
    // Also while others use the pool.
    let bouncer = Bouncer::start(db, "transaction", 5);
    let others: Vec<_> = (0..3)
        .map(|_| {
            let url = bouncer.url.clone();
            thread::spawn(move || {
                let mut client = Client::connect(&url, NoTls).unwrap();
                for _ in 0..200 {
                    client.batch_execute("SELECT pg_catalog.pg_sleep(0.005)").unwrap();
                }
            })
        })
        .collect();
    let (code, said) = through(place, &bouncer);
    others.into_iter().for_each(|other| other.join().unwrap());
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("[transaction-pooling]"), "{said}");
    // Nothing was done, and no session that others get next was changed. A plan only reads, and may.
    let others = Client::connect(&bouncer.url, NoTls).unwrap().query_one("SHOW search_path", &[]).unwrap();
    assert_eq!(others.get::<_, String>(0), "\"$user\", public");
    let plan = place.command(&["plan", "policy.yaml"]).env("DATABASE_URL", &bouncer.url).output().unwrap();
    assert!(plan.status.success(), "{}", String::from_utf8_lossy(&plan.stderr));
    let others = Client::connect(&bouncer.url, NoTls).unwrap().query_one("SHOW search_path", &[]).unwrap();
    assert_eq!(others.get::<_, String>(0), "\"$user\", public");
    assert_eq!(db.lines("SELECT count(*) FROM pg_catalog.pg_indexes WHERE schemaname = 'public'"), ["0"]);
}
