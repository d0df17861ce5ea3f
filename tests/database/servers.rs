//! The database servers that the tests run against: found, started, handed out and stopped.
//!
//! A server is started when the first test wants it, and lives at the end of a pipe that only this
//! process holds: it ends with this process, however that ends, and its folder goes with it. Nothing
//! is ever killed that was not started here.
//!
//! A test gets a `Db`: on servers with many sessions a database of its own, on the embedded server
//! the whole server for as long as it holds the value, as new.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, dead_code)]

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use chronoform::cli::demo::embedded::{self, EmbeddedServer};
use postgres::{Client, NoTls, SimpleQueryMessage};

#[path = "cluster.rs"]
pub mod cluster;

use cluster::{Cluster, Place, find_on_path};

/// A kind of server to test against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// The embedded TimescaleDB (Community): one session, no locking to speak of.
    Embedded,
    /// The TimescaleDB that `CHRONOFORM_TEST_TIMESCALE_URL` names.
    TimescaleUrl,
    /// A PostgreSQL of this machine, started here.
    PostgresNative,
    /// The PostgreSQL that `CHRONOFORM_TEST_POSTGRES_URL` names.
    PostgresUrl,
    /// A TimescaleDB (Apache edition) in a Debian root, started here.
    Apache,
}

impl Tier {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Embedded, Self::Apache, Self::TimescaleUrl, Self::PostgresNative, Self::PostgresUrl];

    /// The name that tests, reports and `CHRONOFORM_TEST_REQUIRE` use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::TimescaleUrl => "timescale-url",
            Self::PostgresNative => "postgres",
            Self::PostgresUrl => "postgres-url",
            Self::Apache => "apache",
        }
    }

    /// Whether its databases have TimescaleDB.
    pub fn is_timescale(self) -> bool {
        matches!(self, Self::Embedded | Self::TimescaleUrl | Self::Apache)
    }

    /// Whether its TimescaleDB has policies: the Community edition.
    pub fn has_policies(self) -> bool {
        matches!(self, Self::Embedded | Self::TimescaleUrl)
    }

    /// Whether it holds one session at a time.
    pub fn single_session(self) -> bool {
        self == Self::Embedded
    }

    /// The tiers that `CHRONOFORM_TEST_REQUIRE` lists; a run without one of them fails.
    pub fn required() -> Result<Vec<Self>, String> {
        let names = required_names();
        names
            .iter()
            .filter(|name| *name != POOLER && *name != PGBACKREST)
            .map(|name| {
                let known = Self::ALL.into_iter().find(|tier| tier.name() == name);
                known.ok_or_else(|| format!("CHRONOFORM_TEST_REQUIRE: there is no tier \"{name}\""))
            })
            .collect()
    }
}

/// What `CHRONOFORM_TEST_REQUIRE` calls the tests with PgBouncer, which are no tier.
pub const POOLER: &str = "pgbouncer";

/// What it calls those with pgBackRest.
pub const PGBACKREST: &str = "pgbackrest";

/// What `CHRONOFORM_TEST_REQUIRE` lists.
pub fn required_names() -> Vec<String> {
    let list = std::env::var("CHRONOFORM_TEST_REQUIRE").unwrap_or_default();
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A server that runs.
#[derive(Debug, Clone)]
pub struct Server {
    /// Which kind it is.
    pub tier: Tier,
    /// The URL of a database in which a superuser may create others.
    pub url: String,
    /// Whether it holds one session at a time.
    pub single_session: bool,
    /// What it is, for reports: versions and edition.
    pub description: String,
}

/// All servers, and who has them. Clones are the same servers.
#[derive(Clone, Default)]
pub struct Servers {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    slots: Mutex<HashMap<Tier, Arc<Mutex<Slot>>>>,
    turn: Turn,
}

/// A tier's server, once it was wanted.
#[derive(Default)]
struct Slot {
    found: Option<Result<Server, String>>,
    process: Option<Process>,
    used: bool,
}

/// What keeps a server of our own running.
enum Process {
    Embedded(EmbeddedServer),
    Cluster(Cluster),
}

impl Servers {
    /// No server yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether this machine could run a tier, found out without starting it; else why not.
    pub fn can_run(&self, tier: Tier) -> Result<(), String> {
        match tier {
            Tier::Embedded => {
                for program in ["node", "npm"] {
                    find_on_path(program).ok_or_else(|| format!("{program} is not installed"))?;
                }
                embedded::default_cache_dir().map(drop).map_err(|error| error.to_string())
            }
            Tier::TimescaleUrl | Tier::PostgresUrl => given_url(tier).map(drop),
            Tier::PostgresNative => Place::native().map(drop),
            Tier::Apache => Place::apache(&trixie_root()?).map(drop),
        }
    }

    /// The server of a tier, started if it was not; else why there is none. Whoever asks meanwhile
    /// waits.
    pub fn server(&self, tier: Tier) -> Result<Server, String> {
        let slot = self.slot(tier);
        let mut slot = lock(&slot);
        if slot.found.is_none() {
            let started = start(tier);
            let (found, process) = match started {
                Ok((server, process)) => (Ok(server), process),
                Err(reason) => (Err(reason), None),
            };
            slot.found = Some(found);
            slot.process = process;
        }
        slot.found.clone().expect("just put there")
    }

    /// A database of a tier for one test. On a server with a single session, waits for its turn.
    pub fn db(&self, tier: Tier) -> Result<Db, String> {
        if tier == Tier::Embedded {
            let lease = self.inner.turn.take();
            self.renew_embedded()?;
            let server = self.server(tier)?;
            let url = server.url.clone();
            return Ok(Db {
                server,
                url,
                name: "postgres".to_owned(),
                suffix: suffix(),
                lease: Some(lease),
                roles: Mutex::default(),
            });
        }
        let server = self.server(tier)?;
        let suffix = suffix();
        let name = format!("test_{suffix}");
        let url = with_database(&server.url, &name)?;
        let db = Db { server, url, name, suffix, lease: None, roles: Mutex::default() };
        db.create().map_err(|error| format!("{tier}: cannot make a database: {}", explain(&error)))?;
        Ok(db)
    }

    /// Waits for every other test of a kind whose resources belong to the server rather than to a
    /// database; such tests would see each other's.
    pub fn alone_with(kind: &str) -> Option<MutexGuard<'static, ()>> {
        static WHOLE_SERVER: Mutex<()> = Mutex::new(());
        (kind == "setting").then(|| lock(&WHOLE_SERVER))
    }

    /// Stops what was started. Whoever still holds a `Db` loses it.
    pub fn stop_all(&self) {
        for slot in lock(&self.inner.slots).values() {
            let mut slot = lock(slot);
            slot.process = None;
            slot.found = Some(Err("it was stopped".to_owned()));
        }
    }

    fn slot(&self, tier: Tier) -> Arc<Mutex<Slot>> {
        Arc::clone(lock(&self.inner.slots).entry(tier).or_default())
    }

    /// Makes the embedded server as new: reset, or started again when a test brought it down.
    fn renew_embedded(&self) -> Result<(), String> {
        self.server(Tier::Embedded)?;
        let slot = self.slot(Tier::Embedded);
        let mut slot = lock(&slot);
        if !std::mem::replace(&mut slot.used, true) {
            return Ok(());
        }
        let Some(Process::Embedded(server)) = &mut slot.process else {
            return Err("it was stopped".to_owned());
        };
        if server.is_running() {
            match server.reset() {
                Ok(()) => return Ok(()),
                Err(error) => eprintln!("embedded: {error}; it is started again"),
            }
        } else {
            eprintln!("embedded: a test brought the server down; it is started again");
        }
        slot.process = None;
        let started = start(Tier::Embedded);
        let (server, process) = started.inspect_err(|reason| slot.found = Some(Err(reason.clone())))?;
        slot.found = Some(Ok(server));
        slot.process = process;
        Ok(())
    }
}

fn start(tier: Tier) -> Result<(Server, Option<Process>), String> {
    let (url, process) = match tier {
        Tier::Embedded => {
            let cache = embedded::default_cache_dir().map_err(|error| error.to_string())?;
            let server = EmbeddedServer::start(&cache, &embedded::Options::default(), &mut |_| {})
                .map_err(|error| error.to_string())?;
            (server.url().to_owned(), Some(Process::Embedded(server)))
        }
        Tier::TimescaleUrl | Tier::PostgresUrl => (given_url(tier)?, None),
        Tier::PostgresNative => {
            let cluster = Cluster::start(&Place::native()?, &[])?;
            (cluster.url().to_owned(), Some(Process::Cluster(cluster)))
        }
        Tier::Apache => {
            let cluster = Cluster::start(&Place::apache(&trixie_root()?)?, &APACHE_SETTINGS)?;
            (cluster.url().to_owned(), Some(Process::Cluster(cluster)))
        }
    };
    let description = describe(&url, tier).map_err(|error| format!("cannot ask it: {}", explain(&error)))?;
    Ok((Server { tier, url, single_session: tier.single_session(), description }, process))
}

const APACHE_SETTINGS: [&str; 4] = [
    "shared_preload_libraries = 'timescaledb'",
    "timescaledb.telemetry_level = off",
    "timescaledb.max_background_workers = 40",
    "max_worker_processes = 60",
];

fn describe(url: &str, tier: Tier) -> Result<String, postgres::Error> {
    let mut client = Client::connect(url, NoTls)?;
    let postgres: String = client.query_one("SHOW server_version", &[])?.get(0);
    let mut text = format!("PostgreSQL {postgres}");
    if tier.is_timescale() {
        let versions = "SELECT coalesce(installed_version, default_version) FROM pg_available_extensions
                        WHERE name = 'timescaledb'";
        match client.query_opt(versions, &[])? {
            Some(row) => text.push_str(&format!(", TimescaleDB {}", row.get::<_, String>(0))),
            None => text.push_str(", no TimescaleDB"),
        }
        let license = "SELECT current_setting('timescaledb.license', true)";
        let license = client.query_one(license, &[])?.get::<_, Option<String>>(0);
        match license.as_deref() {
            Some("timescale") => text.push_str(", Community edition"),
            Some("apache") => text.push_str(", Apache edition"),
            // Not loaded in this database.
            _ if tier == Tier::Apache => text.push_str(", Apache edition"),
            _ => {}
        }
    }
    Ok(text)
}

/// A database for one test; it goes when this value goes.
pub struct Db {
    server: Server,
    url: String,
    name: String,
    suffix: String,
    lease: Option<Lease>,
    roles: Mutex<Vec<String>>,
}

impl Db {
    /// Its URL, with a superuser's name and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that it is on.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The server's kind.
    pub fn tier(&self) -> Tier {
        self.server.tier
    }

    /// A session. On a server with a single session, whatever else is to connect waits for its end.
    pub fn connect(&self) -> Client {
        Client::connect(&self.url, NoTls).unwrap_or_else(|error| panic!("{}: {}", self.tier(), explain(&error)))
    }

    /// Runs statements in a session of their own.
    pub fn run(&self, sql: &str) {
        if let Err(error) = self.try_run(sql) {
            panic!("{}: {}\n{sql}", self.tier(), explain(&error));
        }
    }

    /// Runs statements in a session of their own, which may fail.
    pub fn try_run(&self, sql: &str) -> Result<(), postgres::Error> {
        Client::connect(&self.url, NoTls)?.batch_execute(sql)
    }

    /// What statements answer, in a session of their own: a line a row, with `|` between values.
    pub fn lines(&self, sql: &str) -> Vec<String> {
        let answer = self.connect().simple_query(sql);
        let answer = answer.unwrap_or_else(|error| panic!("{}: {}\n{sql}", self.tier(), explain(&error)));
        let rows = answer.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| (0..row.len()).map(|at| row.get(at).unwrap_or("")).collect::<Vec<_>>().join("|")).collect()
    }

    /// A name for a role of this test; roles are the server's, so it is unlike any other, and is dropped
    /// with the database.
    pub fn role(&self, stem: &str) -> String {
        let name = format!("{stem}_{}", self.suffix);
        lock(&self.roles).push(name.clone());
        name
    }

    /// Has a role of this exact name dropped with the database.
    pub fn drops_role(&self, name: &str) {
        lock(&self.roles).push(name.to_owned());
    }

    /// The text with a name in place of each `{unique}` that no other test of any run has.
    pub fn unique(&self, text: &str) -> String {
        text.replace("{unique}", &format!("test_{}", self.suffix))
    }

    fn create(&self) -> Result<(), postgres::Error> {
        let mut admin = Client::connect(&self.server.url, NoTls)?;
        admin.batch_execute(&format!("CREATE DATABASE {} TEMPLATE template0", self.name))?;
        if self.tier().is_timescale() {
            self.try_run("CREATE EXTENSION IF NOT EXISTS timescaledb")?;
        }
        Ok(())
    }

    fn remove(&self) -> Result<(), postgres::Error> {
        let mut admin = Client::connect(&self.server.url, NoTls)?;
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // TimescaleDB's workers may come back between their end and the database's.
        let mut tries = 0;
        while let Err(error) = admin.batch_execute(&drop) {
            tries += 1;
            if tries == 5 {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        for role in lock(&self.roles).iter() {
            admin.batch_execute(&format!("DROP ROLE IF EXISTS \"{}\"", role.replace('"', "\"\"")))?;
        }
        Ok(())
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        // The embedded server is made as new when the next test gets it.
        if self.lease.is_none()
            && let Err(error) = self.remove()
        {
            eprintln!("{}: {} is left behind: {}", self.tier(), self.name, explain(&error));
        }
    }
}

/// The error with what the server said.
pub fn explain(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || error.to_string(),
        |said| {
            let detail = said.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
            format!("{} {}{detail}", said.code().code(), said.message())
        },
    )
}

/// One test at a time.
#[derive(Clone, Default)]
struct Turn {
    state: Arc<(Mutex<bool>, Condvar)>,
}

/// A test's turn; it ends with this value.
struct Lease {
    turn: Turn,
}

impl Turn {
    fn take(&self) -> Lease {
        let (taken, freed) = &*self.state;
        let mut taken = freed.wait_while(lock(taken), |taken| *taken).unwrap_or_else(PoisonError::into_inner);
        *taken = true;
        Lease { turn: self.clone() }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (taken, freed) = &*self.turn.state;
        *lock(taken) = false;
        freed.notify_one();
    }
}

/// A lock that a failed test does not spoil for the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The URL that the environment gives for a tier.
fn given_url(tier: Tier) -> Result<String, String> {
    let variable = match tier {
        Tier::TimescaleUrl => "CHRONOFORM_TEST_TIMESCALE_URL",
        _ => "CHRONOFORM_TEST_POSTGRES_URL",
    };
    let url = std::env::var(variable).ok().filter(|url| !url.is_empty());
    let url = url.ok_or_else(|| format!("{variable} is not set"))?;
    with_database(&url, "x").map(|_| url)
}

/// A URL with another database.
fn with_database(url: &str, database: &str) -> Result<String, String> {
    let (scheme, rest) = url.split_once("://").ok_or("a server is named by a URL, postgres://user:password@host/db")?;
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let authority = place.split('/').next().unwrap_or_default();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{scheme}://{authority}/{database}{query}"))
}

/// The Debian root with TimescaleDB's Apache edition.
pub fn trixie_root() -> Result<PathBuf, String> {
    match std::env::var_os("CHRONOFORM_TEST_TRIXIE_ROOT") {
        Some(root) if !root.is_empty() => Ok(root.into()),
        _ => embedded::default_cache_dir().map(|cache| cache.join("trixie")).map_err(|error| error.to_string()),
    }
}

/// Letters that no other test of any run has.
fn suffix() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:x}_{:x}_{count:x}", std::process::id(), now.as_micros() & 0xffff_ffff)
}
