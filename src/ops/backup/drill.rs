//! A drill: the server brought back in a folder of its own, started where nobody can reach it, looked at
//! and removed. What it measures is what an emergency would take.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::apply::Interrupt;
use crate::core::{Bytes, Param, Query};
use crate::ops::backup::engine::Engine;
use crate::ops::backup::programs::Programs;
use crate::ops::backup::record::{Check, Contents, Drill};
use crate::ops::backup::restore::{self, Target};
use crate::ops::backup::server::{self, About};
use crate::ops::backup::state::{Owner, State, stamp};
use crate::ops::backup::{Trouble, own_program};
use crate::pg::{ConnectOptions, Session};

/// How often is looked whether something has come.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// How long a server that takes connections may refuse one.
const REFUSED: Duration = Duration::from_secs(15);
/// How much of the tables is read: those that are no larger than the first, and no more than the second of
/// all.
const READ_EACH: i64 = 1 << 30;
const READ_ALL: i64 = 20 << 30;

/// What is to be drilled.
pub struct Order<'a> {
    /// Where the backups are.
    pub engine: &'a dyn Engine,
    /// What is in it.
    pub contents: &'a Contents,
    /// Whether WAL is archived.
    pub archives: bool,
    /// How long that may take.
    pub max_lag: Duration,
    /// How much may be lost.
    pub rpo: Option<SignedDuration>,
    /// How long it may take to bring the server back.
    pub rto: Option<SignedDuration>,
    /// Where the server's programs are, where that is said.
    pub programs: Option<&'a Path>,
}

/// Does it, and keeps what came of it.
///
/// # Errors
/// What kept it from being done. A drill that was done and found something wrong is no error here: see
/// [`Drill::is_passed`].
pub fn drill(
    order: &Order<'_>,
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<Drill, Trouble> {
    let started = Timestamp::now();
    let before = server::about(session)?;
    let (target, lag) = if order.archives {
        let name = format!("chronoform drill {}", stamp(started));
        let lag = server::archived(order.engine, &name, order.max_lag, session, interrupt, tell);
        let target = Target::Point(name);
        let lag = match lag {
            // Anything else tells nothing of backups.
            Err(trouble @ Trouble::NotWhole(_)) => {
                return Err(found(order, started, &target, ("what is committed is archived", None), trouble));
            }
            other => other?,
        };
        (target, Some(lag))
    } else {
        (Target::Backup, None)
    };
    let after = server::about(session)?;
    let asked = Asked { started, target, lag, before, after };
    let drill = bring_back(order, &asked, session, interrupt, tell)
        .map_err(|trouble| found(order, started, &asked.target, ("the server is brought back", lag), trouble))?;
    let state = order.engine.state();
    state.keep_drill(&drill).map_err(|error| Trouble::file(state.root(), error))?;
    Ok(drill)
}

/// Keeps what a drill has found that could not be done to its end because of that.
fn found(
    order: &Order<'_>,
    started: Timestamp,
    target: &Target,
    (what, lag): (&str, Option<f64>),
    trouble: Trouble,
) -> Trouble {
    // Of these, nothing was found out.
    if matches!(trouble, Trouble::Interrupted | Trouble::Refused { .. } | Trouble::Storage { .. }) {
        return trouble;
    }
    let drill = Drill {
        started,
        label: order.contents.newest().map(|backup| backup.label.clone()).unwrap_or_default(),
        target: target.words(),
        restore_seconds: 0.0,
        recovery_seconds: 0.0,
        lag_seconds: lag,
        checks: vec![Check { what: what.to_owned(), found: trouble.to_string(), fine: false }],
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    // What stopped it is to be told, whether or not that can be kept.
    let _ = order.engine.state().keep_drill(&drill);
    trouble
}

/// What a drill goes by.
struct Asked {
    started: Timestamp,
    target: Target,
    /// Seconds until what was committed was in the repository.
    lag: Option<f64>,
    /// What there was before that, and after it.
    before: About,
    after: About,
}

fn bring_back(
    order: &Order<'_>,
    asked: &Asked,
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<Drill, Trouble> {
    let Asked { started, target, lag, before, after } = asked;
    let scratch = Scratch::new(order.engine.state(), *started)?;
    let program = own_program();
    let wanted = restore::Order {
        engine: order.engine,
        contents: order.contents,
        label: None,
        target: target.clone(),
        to: &scratch.data,
        archives: false,
        program: &program,
        programs: order.programs,
    };
    let begun = Instant::now();
    let record = restore::restore(&wanted, interrupt, tell)?;
    let restore_seconds = begun.elapsed().as_secs_f64();
    tell("starting the server that was brought back");
    let begun = Instant::now();
    let programs = Programs::find(order.programs, record.server_version / 10_000, scratch.owner)?;
    // Those that the server had then, where the backup knows them.
    let mut settings = before.settings.clone();
    settings.extend(record.settings.clone());
    let mut clone = scratch.start(&programs, &settings)?;
    let mut there = clone.connect((&before.superuser, &session.endpoint().database), interrupt)?;
    let recovery_seconds = begun.elapsed().as_secs_f64();
    tell("looking at the server that was brought back");
    let mut checks = look(order, &mut there, before, after, interrupt)?;
    drop(there);
    drop(clone);
    let took = restore_seconds + recovery_seconds;
    checks.extend(objective("time to bring the server back", took, order.rto));
    checks.extend(lag.and_then(|lag| objective("time until WAL was in the repository", lag, order.rpo)));
    Ok(Drill {
        started: *started,
        label: record.label.clone(),
        target: target.words(),
        restore_seconds,
        recovery_seconds,
        lag_seconds: *lag,
        checks,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn objective(what: &str, seconds: f64, objective: Option<SignedDuration>) -> Option<Check> {
    let limit = objective?.as_secs_f64();
    let found = format!("{seconds:.1} s, to be no more than {limit:.0} s");
    Some(Check { what: what.to_owned(), found, fine: seconds <= limit })
}

/// Where a drill is done. Nothing of it is left.
struct Scratch {
    folder: PathBuf,
    data: PathBuf,
    /// Where the server's socket is: the path of one may have about 100 bytes.
    socket: PathBuf,
    owner: Owner,
}

impl Scratch {
    fn new(state: &State, started: Timestamp) -> Result<Self, Trouble> {
        let owner = state.owner();
        let folder = state.drill_folder(started);
        let moment = started.as_nanosecond().unsigned_abs();
        let socket = std::env::temp_dir().join(format!("chronoform-drill-{}-{moment}", std::process::id()));
        owner.folder(&folder).map_err(|error| Trouble::file(&folder, error))?;
        // One that is there already may be somebody else's, who would reach the server in it.
        let made = fs::DirBuilder::new().mode(0o700).create(&socket).and_then(|()| owner.give(&socket));
        made.map_err(|error| Trouble::file(&socket, error))?;
        Ok(Self { data: folder.join("data"), folder, socket, owner })
    }

    /// Starts the server: reached by nobody but its own user, archiving nothing, and with no jobs of any
    /// sort, which would do to the copy what they do to the server.
    fn start(&self, programs: &Programs, settings: &BTreeMap<String, String>) -> Result<Clone<'_>, Trouble> {
        let (config, hba, log) =
            (self.folder.join("server.conf"), self.folder.join("hba.conf"), self.folder.join("log"));
        let mut text = String::from(
            "listen_addresses = ''\nport = 5432\narchive_mode = off\nhot_standby = off\nautovacuum = off\n\
             max_logical_replication_workers = 0\nmax_replication_slots = 100\ntimescaledb.max_background_workers = 0\n\
             timescaledb.telemetry_level = off\nlogging_collector = off\nssl = off\n",
        );
        let mut set = |name: &str, value: &str| text.push_str(&format!("{name} = '{}'\n", value.replace('\'', "''")));
        set("unix_socket_permissions", "0700");
        set("unix_socket_directories", &self.socket.to_string_lossy());
        set("hba_file", &hba.to_string_lossy());
        for name in [
            "max_connections",
            "max_worker_processes",
            "max_prepared_transactions",
            "max_locks_per_transaction",
            "dynamic_shared_memory_type",
        ] {
            if let Some(value) = settings.get(name) {
                set(name, value);
            }
        }
        let preloaded = settings.get("shared_preload_libraries").map(String::as_str).unwrap_or_default();
        if preloaded.split(',').any(|library| library.trim().trim_matches('"') == "timescaledb") {
            set("shared_preload_libraries", "timescaledb");
        }
        text.push_str(
            &fs::read_to_string(self.data.join("postgresql.auto.conf")).map(|auto| recovery(&auto)).unwrap_or_default(),
        );
        let put = |path: &Path, text: &str| {
            let written = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
            let written = written.and_then(|mut file| file.write_all(text.as_bytes()));
            written.and_then(|()| self.owner.give(path)).map_err(|error| Trouble::file(path, error))
        };
        put(&config, &text)?;
        put(&hba, "local all all trust\n")?;
        // The copy's own settings are for the server that it is of.
        let auto = self.data.join("postgresql.auto.conf");
        fs::write(&auto, "").map_err(|error| Trouble::file(&auto, error))?;
        let out = File::create(&log).map_err(|error| Trouble::file(&log, error))?;
        let errors = out.try_clone().map_err(|error| Trouble::file(&log, error))?;
        let mut command = programs.command("postgres");
        command.arg("-D").arg(&self.data).arg("-c").arg(format!("config_file={}", config.display()));
        command.stdout(Stdio::from(out)).stderr(Stdio::from(errors));
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child =
            command.spawn().map_err(|error| Trouble::Program(format!("postgres cannot be started: {error}")))?;
        Ok(Clone { child, scratch: self, stop: programs.command("pg_ctl"), log })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is found by whoever looks at the repository.
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_dir_all(&self.socket);
    }
}

/// The lines of a restored folder's settings that tell how to recover.
fn recovery(auto: &str) -> String {
    let of_recovery = |line: &&str| line.starts_with("recovery_target") || line.starts_with("restore_command");
    // The last ones are those that the restore wrote.
    auto.lines().filter(of_recovery).map(|line| format!("{line}\n")).collect()
}

/// The server that was brought back.
struct Clone<'a> {
    child: Child,
    scratch: &'a Scratch,
    stop: std::process::Command,
    log: PathBuf,
}

impl Clone<'_> {
    /// Waits until it has recovered, and connects to a database. Nobody but this process is let in, so that it may
    /// be as the superuser: whoever makes backups need not be allowed to read every table.
    fn connect(&mut self, (user, database): (&str, &str), interrupt: &Interrupt) -> Result<Session, Trouble> {
        let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        let url = format!(
            "host={} port=5432 user={} dbname={} sslmode=disable",
            quoted(&self.scratch.socket.to_string_lossy()),
            quoted(user),
            quoted(database)
        );
        let options = ConnectOptions { url: Some(url), ..ConnectOptions::default() };
        let place = options.resolve().map_err(|failure| Trouble::Program(failure.to_string()))?;
        let mut ready: Option<Instant> = None;
        loop {
            match Session::connect(&place) {
                Ok(mut session) => {
                    session.pin()?;
                    return Ok(session);
                }
                // It recovers, or has not begun to listen. Once it says that it takes connections, what
                // it refuses it goes on refusing.
                Err(failure) => {
                    if ready.is_none() && self.says("ready to accept connections") {
                        ready = Some(Instant::now());
                    }
                    if ready.is_some_and(|since| since.elapsed() > REFUSED) {
                        let why = format!("the server that was brought back takes no session: {failure}");
                        return Err(Trouble::NotWhole(why));
                    }
                }
            }
            match self.child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => {
                    let said = self.last_words();
                    let why = if said.contains("before configured recovery target was reached") {
                        "; WAL between the backup and that moment is missing or damaged, and `chronoform backup verify` \
                         tells which"
                    } else {
                        ""
                    };
                    return Err(Trouble::NotWhole(format!(
                        "the server that was brought back ended ({status}): {said}{why}"
                    )));
                }
                Err(error) => return Err(Trouble::Program(format!("postgres: {error}"))),
            }
            if interrupt.is_requested() {
                return Err(Trouble::Interrupted);
            }
            thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Whether its log has some words.
    fn says(&self, words: &str) -> bool {
        fs::read(&self.log).is_ok_and(|log| String::from_utf8_lossy(&log).contains(words))
    }

    /// What it said last of what went wrong.
    fn last_words(&self) -> String {
        let mut text = String::new();
        let read = File::open(&self.log).and_then(|mut file| file.read_to_string(&mut text));
        let wrong = |line: &&str| line.contains("FATAL") || line.contains("PANIC") || line.contains("ERROR");
        match read {
            Ok(_) => text.lines().rfind(wrong).or(text.lines().next_back()).unwrap_or("nothing").to_owned(),
            Err(error) => error.to_string(),
        }
    }
}

impl Drop for Clone<'_> {
    fn drop(&mut self) {
        self.stop.arg("stop").arg("--mode=immediate").arg("--wait").arg("-D").arg(&self.scratch.data);
        let stopped = self.stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !stopped.is_ok_and(|status| status.success()) {
            // It ended by itself, or could not be told: its own process goes in any case.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// What is compared with the live server, and what is read.
fn look(
    order: &Order<'_>,
    there: &mut Session,
    before: &About,
    after: &About,
    interrupt: &Interrupt,
) -> Result<Vec<Check>, Trouble> {
    let mut checks = Vec::new();
    let mut check = |what: &str, found: &str, expected: &str| {
        let fine = found == expected;
        let found = if fine { found.to_owned() } else { format!("{found}, and the live server has {expected}") };
        checks.push(Check { what: what.to_owned(), found, fine });
    };
    let sql = "SELECT c.system_identifier::text AS cluster, pg_catalog.pg_is_in_recovery() AS recovering \
                 FROM pg_catalog.pg_control_system() AS c";
    let rows = there.query(&Query { sql: sql.to_owned(), params: Vec::new() })?;
    let (cluster, recovering) = match rows.first() {
        Some(row) => (row.text("cluster").unwrap_or_default().to_owned(), row.bool("recovering").unwrap_or(true)),
        None => (String::new(), true),
    };
    check("system identifier", &cluster, order.engine.cluster());
    check("takes writes", if recovering { "no" } else { "yes" }, "yes");
    let found = server::about(there)?;
    // A catalog that changed while the moment was chosen has no one form to compare with; nor has one that
    // only the end of an older backup is compared with.
    if order.archives && before.relations == after.relations {
        check("relations", &found.relations, &before.relations);
    }
    if order.archives && before.extensions == after.extensions {
        check("extensions", &found.extensions, &before.extensions);
    }
    checks.push(read(there, interrupt)?);
    Ok(checks)
}

/// Reads tables from end to end, so that what cannot be read is found.
fn read(there: &mut Session, interrupt: &Interrupt) -> Result<Check, Trouble> {
    let query = Query { sql: include_str!("tables.sql").to_owned(), params: vec![Param::Int(READ_EACH)] };
    // An index would do for a count, and the tables are what is to be read.
    there.batch("SET enable_indexonlyscan = off; SET enable_indexscan = off; SET enable_bitmapscan = off")?;
    let rows = there.query(&query)?;
    let (mut tables, mut counted, mut bytes) = (0_u64, 0_i64, 0_i64);
    for row in &rows {
        let size = row.int("bytes").unwrap_or(0);
        if bytes + size > READ_ALL {
            break;
        }
        if interrupt.is_requested() {
            return Err(Trouble::Interrupted);
        }
        let count = row.text("count").unwrap_or_default().to_owned();
        match there.query_text(&count) {
            Ok(found) => {
                counted += found.first().and_then(|row| row.text("rows").ok()?.parse::<i64>().ok()).unwrap_or(0);
            }
            Err(error) => {
                let table = row.text("name").unwrap_or_default();
                let found = format!("{table} cannot be read: {error}");
                return Ok(Check { what: "tables read".to_owned(), found, fine: false });
            }
        }
        tables += 1;
        bytes += size;
    }
    let left = rows.len() as u64 - tables;
    let mut found = format!("{counted} rows of {tables} tables, {}", Bytes(u64::try_from(bytes).unwrap_or(0)));
    if left > 0 {
        found.push_str(&format!("; {left} more were not read"));
    }
    Ok(Check { what: "tables read".to_owned(), found, fine: true })
}
