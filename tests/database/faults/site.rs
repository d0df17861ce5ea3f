//! A server, a way to it that can break, fifty actions to be done, and a watch on what is done.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use tempfile::TempDir;

use super::proxy::Proxy;
use crate::servers::cluster::{Cluster, Place};

/// Two actions a table: one in a transaction, one that cannot be.
const TABLES: usize = 25;
pub const ACTIONS: usize = TABLES * 2;

/// Notes every definition that is made to last, so that one made twice is seen.
const WATCH: &str = "
    CREATE SCHEMA watch;
    CREATE TABLE watch.did (tag text NOT NULL, what text NOT NULL);
    CREATE FUNCTION watch.note() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO watch.did SELECT command_tag, object_identity FROM pg_catalog.pg_event_trigger_ddl_commands();
    END $$;
    CREATE EVENT TRIGGER note ON ddl_command_end WHEN TAG IN ('CREATE INDEX', 'ALTER TABLE')
        EXECUTE FUNCTION watch.note();
";

pub struct Site {
    pub cluster: Cluster,
    pub proxy: Proxy,
    pub ledger: PathBuf,
    folder: TempDir,
}

/// The program at work.
pub struct Running {
    pub child: Child,
    lines: Receiver<String>,
    reader: JoinHandle<String>,
}

impl Site {
    pub fn start() -> Result<Self, String> {
        let cluster = Cluster::start(&Place::native()?, &[])?;
        let proxy = Proxy::start(cluster.port());
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let site = Self { cluster, proxy, ledger: folder.path().join("ledger.db"), folder };
        let tables: String = (0..TABLES)
            .map(|n| format!("CREATE TABLE public.t{n} (id bigint, v text); INSERT INTO public.t{n} SELECT g, 'x' FROM generate_series(1, 20) AS g;"))
            .collect();
        site.admin().batch_execute(&(tables + WATCH)).map_err(|error| error.to_string())?;
        let policies: Vec<String> = (0..TABLES)
            .map(|n| format!("kind: table\nname: public.t{n}\nindexes:\n  - {{name: ix_t{n}, columns: [v]}}\nstorage: {{fillfactor: 90}}\n"))
            .collect();
        std::fs::write(site.folder.path().join("policy.yaml"), policies.join("---\n"))
            .map_err(|error| error.to_string())?;
        Ok(site)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A session past the proxy.
    pub fn admin(&self) -> Client {
        Client::connect(self.cluster.url(), NoTls).unwrap()
    }

    pub fn one(&self, sql: &str) -> i64 {
        self.admin().query_one(sql, &[]).unwrap().get(0)
    }

    /// Everything is to be done again.
    pub fn reset(&self) {
        let undo: String = (0..TABLES)
            .map(|n| format!("DROP INDEX IF EXISTS public.ix_t{n}; ALTER TABLE public.t{n} RESET (fillfactor);"))
            .collect();
        self.admin().batch_execute(&(undo + "TRUNCATE watch.did;")).unwrap();
    }

    /// The program, by way of the proxy.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.dressed(Command::new(env!("CARGO_BIN_EXE_chronoform")), arguments)
    }

    /// Another program that begins it with the arguments.
    pub fn dressed(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).current_dir(self.folder()).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") || name.starts_with("CHRONOFORM_"))
        {
            command.env_remove(name);
        }
        let url = format!("postgres://postgres:postgres@127.0.0.1:{}/postgres?sslmode=disable", self.proxy.port());
        command.env("DATABASE_URL", url).env("CHRONOFORM_LEDGER", &self.ledger);
        command
    }

    pub fn apply_arguments() -> [&'static str; 7] {
        ["apply", "policy.yaml", "--auto-approve", "--allow", "builds_index", "--allow", "blocks_writes"]
    }

    pub fn apply(&self) -> Running {
        Running::begin(self.command(&Self::apply_arguments()))
    }

    /// Runs a command that must end well.
    #[track_caller]
    fn must(&self, arguments: &[&str], what: &str) {
        let output = self.command(arguments).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{what}: {arguments:?} ended with {}\n{said}", output.status);
    }

    /// The ledger is whole; the next apply does the rest; then all is done, and once.
    #[track_caller]
    pub fn settles(&self, what: &str) {
        self.proxy.arm(None);
        self.wait_for_silence();
        if self.ledger.exists() {
            self.must(&["ledger", "verify"], what);
        }
        self.must(&Self::apply_arguments(), what);
        self.must(&["plan", "policy.yaml", "--detailed-exitcode"], what);
        self.must(&["ledger", "verify"], what);
        let twice = "SELECT count(*) FROM (SELECT FROM watch.did GROUP BY tag, what HAVING count(*) > 1) AS twice";
        assert_eq!(self.one(twice), 0, "{what}: something was done twice");
        assert_eq!(self.one("SELECT count(*) FROM watch.did"), ACTIONS as i64, "{what}: what was done");
        let tables = i64::try_from(TABLES).unwrap();
        for (state, is) in [("", tables), (" AND i.indisvalid AND i.indisready", tables)] {
            let sql = format!(
                "SELECT count(*) FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
                  WHERE c.relnamespace = 'public'::regnamespace{state}"
            );
            assert_eq!(self.one(&sql), is, "{what}: indexes{state}");
        }
        let stored = "SELECT count(*) FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace
                         AND reloptions = ARRAY['fillfactor=90']";
        assert_eq!(self.one(stored), tables, "{what}: storage");
    }

    /// A server goes on with the statement of a dead client; whoever looks meanwhile sees it half-done.
    fn wait_for_silence(&self) {
        let others = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE application_name = 'chronoform'";
        let started = Instant::now();
        while self.one(others) > 0 {
            assert!(started.elapsed() < Duration::from_secs(60), "a session of the program stays");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Running {
    pub fn begin(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (tell, lines) = channel();
        let reader = thread::spawn(move || {
            let mut all = String::new();
            for line in stderr.lines().map_while(Result::ok) {
                all.push_str(&line);
                all.push('\n');
                let _ = tell.send(line);
            }
            all
        });
        Self { child, lines, reader }
    }

    /// Waits until the program says that it begins an action, or ends.
    pub fn reaches(&self, action: usize) {
        let wanted = format!("[{action}/");
        while let Ok(line) = self.lines.recv() {
            if line.starts_with(&wanted) {
                return;
            }
        }
    }

    /// Waits until the program says something, or ends.
    pub fn says(&self, words: &str) {
        while let Ok(line) = self.lines.recv() {
            if line.contains(words) {
                return;
            }
        }
    }

    /// Its end, and what it said.
    #[track_caller]
    pub fn ends(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let said = self.reader.join().unwrap();
        assert!(!said.contains("panicked"), "{said}");
        (status, said)
    }
}
