//! `chronoform backup`: what backups there are, whether they are whole, how one is made now, and how a
//! server comes back.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::apply::Interrupt;
use crate::cli::args::{Format, Paths, RunArgs};
use crate::cli::context::Context;
use crate::cli::run_args::waiting;
use crate::cli::{out, run as work_off, signals};
use crate::core::{Operation, Server, Value};
use crate::diag::{Diagnostic, Exit, Failure, code};
use crate::kinds::backup::{self, NOT_ASKED, NOT_PUSHED, NOT_RESTORED, NOT_WHOLE, REPOSITORY, WAL_NOT_GIVEN, work};
use crate::kinds::repository;
use crate::ops::Forced;
use crate::ops::backup::{
    self as engine, Backup, Clocks, Contents, Engine, Place, Repository, Sort, Target, Trouble, WalError,
};
use crate::pg::Session;
use crate::report::{self, BackupLine, DrillLine};
use crate::snapshot;

/// `backup`
#[derive(Args, Debug)]
pub struct BackupArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: BackupCommand,
}

/// What `backup` can do.
#[derive(Subcommand, Debug)]
pub enum BackupCommand {
    /// Every backup, and what came of the last drill.
    #[command(after_help = "Example:\n  chronoform backup list --format json")]
    List {
        /// Where they are.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Make a backup now, whether or not one is due. It counts once it has been read back.
    #[command(after_help = "Example:\n  chronoform backup run --type full --auto-approve")]
    Run {
        /// Which sort.
        #[arg(long = "type", value_name = "TYPE", default_value = "full", value_parser = sort)]
        sort: Sort,
        /// How it is done.
        #[command(flatten)]
        now: NowArgs,
    },
    /// Read every backup and all archived WAL again, and compare it with what the server had. Ends with 2
    /// where anything is wrong.
    #[command(after_help = "Example:\n  chronoform backup verify")]
    Verify {
        /// Where they are.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Bring the server back in a folder of its own, to a moment of now, look at it, measure, and remove it.
    #[command(after_help = "Example:\n  chronoform backup drill --auto-approve")]
    Drill {
        /// How it is done.
        #[command(flatten)]
        now: NowArgs,
    },
    /// Bring a backup back into a folder that is not there yet. Starts no server.
    #[command(
        after_help = "Examples:\n  chronoform backup restore --to /srv/restored --time 2026-11-26T09:30:00Z\n  chronoform backup restore --to /srv/restored --from /var/backups/chronoform"
    )]
    Restore(RestoreArgs),
    /// Bring one file of WAL to a repository: what the server's `archive_command` calls.
    #[command(
        after_help = "Example:\n  chronoform backup push-wal --to /var/backups/chronoform pg_wal/000000010000000000000001"
    )]
    PushWal {
        /// The repository.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// The file, as the server names it with `%p`.
        file: PathBuf,
    },
    /// Get one file of WAL from a repository: what the server's `restore_command` calls. Ends with 1 where
    /// it is not there, and with 200, at which a server stops recovering, where it cannot be given.
    #[command(
        after_help = "Example:\n  chronoform backup fetch-wal --from /var/backups/chronoform 000000010000000000000001 pg_wal/RECOVERYXLOG"
    )]
    FetchWal {
        /// The repository.
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// The file's name, `%f`.
        name: String,
        /// Where to put it, `%p`.
        file: PathBuf,
    },
}

/// Which repositories are meant.
#[derive(Args, Debug)]
pub struct PlaceArgs {
    /// Only that of this `backup` document.
    #[arg(long, value_name = "NAME")]
    pub backup: Option<String>,
    /// A repository's folder, without any policy.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["backup", "policies"])]
    pub from: Option<PathBuf>,
    /// Policy files or folders; `policies` where none is given and chronoform.yaml names none.
    #[arg(long, value_name = "PATH")]
    pub policies: Vec<PathBuf>,
}

/// How something is done now.
#[derive(Args, Debug)]
pub struct NowArgs {
    /// Which `backup` document, where there are several.
    #[arg(long, value_name = "NAME")]
    pub backup: Option<String>,
    /// Policy files or folders; `policies` where none is given and chronoform.yaml names none.
    #[arg(long, value_name = "PATH")]
    pub policies: Vec<PathBuf>,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
    /// How long to wait for an apply or run to end, such as `2 minutes`; a number alone is seconds.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = waiting)]
    pub lock_timeout: Duration,
}

/// `backup restore`
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The folder: not there yet, or empty.
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// To this moment, such as `2026-11-26 09:30:00+00`; otherwise as far as there is WAL.
    #[arg(long, value_name = "TIME", group = "moment")]
    pub time: Option<String>,
    /// To this place in WAL, such as `16/B374D848`.
    #[arg(long, value_name = "LSN", group = "moment")]
    pub lsn: Option<engine::Lsn>,
    /// To the end of the backup and no further.
    #[arg(long, group = "moment")]
    pub no_wal: bool,
    /// From this backup; otherwise from the newest that goes with the moment.
    #[arg(long, value_name = "LABEL")]
    pub label: Option<String>,
    /// It takes the server's place: from then on its WAL goes to the same repository. Without this the
    /// restored server archives nothing, so that one that is only looked at leaves the repository alone.
    #[arg(long)]
    pub archive: bool,
    /// The cluster's system identifier, where the repository has several.
    #[arg(long, value_name = "ID")]
    pub cluster: Option<String>,
    /// The folder with PostgreSQL's programs of the server's version, where it is another than the policy's.
    #[arg(long, value_name = "DIR")]
    pub programs: Option<PathBuf>,
    /// Where the backups are.
    #[command(flatten)]
    pub place: PlaceArgs,
}

fn sort(word: &str) -> Result<Sort, String> {
    Sort::read(word).ok_or_else(|| "it is `full` or `incremental`".to_owned())
}

/// Does what was asked.
pub fn run(args: &BackupArgs, context: &mut Context) -> Result<Exit, Failure> {
    match &args.command {
        BackupCommand::List { place } => list(place, context),
        BackupCommand::Verify { place } => verify(place, context),
        BackupCommand::Run { sort, now } => do_now(now, work::BACKUP, Some(*sort), context),
        BackupCommand::Drill { now } => drill(now, context),
        BackupCommand::Restore(args) => restore(args, context),
        BackupCommand::PushWal { to, file } => push(to, file),
        BackupCommand::FetchWal { from, name, file } => fetch(from, name, file),
    }
}

/// Where backups are, each with the folder of the server's programs where the policy names it.
type Places = BTreeMap<Place, Option<PathBuf>>;

/// Where the backups are that are meant.
fn places(place: &PlaceArgs, context: &mut Context) -> Result<Places, Failure> {
    if let Some(folder) = &place.from {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        return Ok(Places::from([(Place::Native(folder), None)]));
    }
    let policies = context.policies(&Paths { paths: place.policies.clone() })?;
    let named = |name: Option<&String>| place.backup.is_none() || place.backup.as_ref() == name;
    let of_backups = policies.desired.values().filter(|desired| desired.address.kind == backup::ID);
    let mut found = Places::new();
    for desired in of_backups.filter(|desired| named(desired.address.schema.as_ref())) {
        if let Some(at) = Place::read(|name| desired.get(name)) {
            let programs = desired.get(backup::PROGRAMS).and_then(Value::as_text).map(PathBuf::from);
            let known = found.entry(at).or_default();
            *known = known.take().or(programs);
        }
    }
    if found.is_empty() {
        let message = match &place.backup {
            Some(name) => format!("the policies describe no backup `{name}`"),
            None => "the policies describe no backup".to_owned(),
        };
        let help = "a document `kind: backup` says where backups are; --policies says where the document is, and \
                    --from names a repository without one";
        return Err(Diagnostic::error(&code::WRONG_VALUE, message).help(help).into());
    }
    Ok(found)
}

/// Writes what an engine goes by and that is not there, because this machine is to take a lost one's place.
fn provide(place: &PlaceArgs, to: &Path, context: &mut Context) -> Result<(), Failure> {
    if place.from.is_some() {
        return Ok(());
    }
    let policies = context.policies(&Paths { paths: place.policies.clone() })?;
    let wanted = policies.desired.values().filter(|desired| desired.address.kind == repository::ID);
    let named = |name: &String| place.backup.is_none() || place.backup.as_ref() == Some(name);
    for desired in wanted.filter(|desired| named(&desired.address.name)) {
        let written =
            engine::provide(desired, to).map_err(|trouble| Failure::from(trouble.diagnostic(&NOT_RESTORED)))?;
        if let Some(path) = written {
            out::eprint(&format!("{} was not there, and is written by the policy\n", path.display()));
        }
    }
    Ok(())
}

/// One cluster's part of a repository.
struct Part {
    engine: Box<dyn Engine>,
    cluster: String,
    /// The folder of the server's programs, where the policy says it.
    programs: Option<PathBuf>,
}

impl Part {
    fn contents(&self) -> Result<Contents, Failure> {
        self.engine.contents().map_err(|trouble| unreadable(&self.engine.place(), &trouble))
    }
}

fn unreadable(place: &str, trouble: &Trouble) -> Failure {
    let found = trouble.diagnostic(&REPOSITORY);
    Diagnostic { message: format!("the repository at {place} cannot be read: {trouble}"), ..found }.into()
}

fn parts(place: &PlaceArgs, context: &mut Context) -> Result<Vec<Part>, Failure> {
    let mut found = Vec::new();
    for (at, programs) in places(place, context)? {
        let clusters = match at.clusters() {
            // Nothing has been written to the repository of a policy yet.
            Err(Trouble::File(_, error)) if error.kind() == io::ErrorKind::NotFound && place.from.is_none() => continue,
            clusters => clusters.map_err(|trouble| unreadable(&at.to_string(), &trouble))?,
        };
        for cluster in clusters {
            found.push(Part { engine: at.open(&cluster), cluster, programs: programs.clone() });
        }
    }
    Ok(found)
}

fn line(cluster: &str, record: &Backup) -> BackupLine {
    let wal: Vec<String> = record.wal.iter().map(|range| format!("{} to {}", range.from, range.until)).collect();
    BackupLine {
        cluster: cluster.to_owned(),
        label: record.label.clone(),
        sort: record.sort.as_str().to_owned(),
        started: moment(record.started),
        seconds: record.stopped.duration_since(record.started).as_secs(),
        data_bytes: record.data_bytes,
        bytes: record.bytes,
        wal: if record.has_wal { "its own".to_owned() } else { wal.join(", ") },
        left_behind: None,
        of_the_future: false,
        problem: None,
    }
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn drill_line(cluster: &str, drill: &engine::Drill) -> DrillLine {
    DrillLine {
        cluster: cluster.to_owned(),
        started: moment(drill.started),
        label: drill.label.clone(),
        passed: drill.is_passed(),
        of_the_future: false,
        rto_seconds: drill.restore_seconds + drill.recovery_seconds,
        rpo_seconds: drill.lag_seconds,
        checks: drill.checks.iter().map(|check| (check.what.clone(), check.found.clone(), check.fine)).collect(),
    }
}

fn list(place: &PlaceArgs, context: &mut Context) -> Result<Exit, Failure> {
    let mut list = report::BackupList::default();
    // Where there is no server any more, this machine's clock is what there is.
    let clocks = Clocks::own();
    for part in parts(place, context)? {
        let contents = part.contents()?;
        context.diagnostics.extend(clocks.told(&part.engine.place(), &contents));
        list.backups.extend(contents.backups.iter().map(|record| BackupLine {
            left_behind: contents.left_behind(record),
            of_the_future: clocks.is_ahead(record.started),
            ..line(&part.cluster, record)
        }));
        list.backups.extend(
            contents.damaged.iter().map(|damaged| found_line(&part, (damaged.what.clone(), Some(damaged.why.clone())))),
        );
        list.drills.extend(contents.drills.iter().map(|drill| DrillLine {
            of_the_future: clocks.is_ahead(drill.started),
            ..drill_line(&part.cluster, drill)
        }));
        list.newest_wal.extend(part.engine.newest_wal().map(|name| (part.cluster.clone(), name)));
    }
    let wrong = list.backups.iter().any(|line| line.problem.is_some());
    out::print(&report::backup_list(&list, &context.report_options()));
    Ok(if wrong { Exit::Differences } else { Exit::Done })
}

fn verify(place: &PlaceArgs, context: &mut Context) -> Result<Exit, Failure> {
    let parts = parts(place, context)?;
    let quiet = context.global.quiet || context.global.format != Format::Text;
    let interrupt = Interrupt::default();
    let _listening = signals::listen(&interrupt)?;
    let failed = |trouble: Trouble| Failure::from(trouble.diagnostic(&REPOSITORY));
    let mut lines = Vec::new();
    for part in &parts {
        let mut tell = teller(quiet);
        let state = part.engine.state();
        let held = state.reading().map_err(|error| Trouble::File(state.root().to_owned(), error));
        let _reading = held.map_err(|trouble| unreadable(&part.engine.place(), &trouble))?;
        let found = part.engine.prove(&interrupt, &mut tell).map_err(failed)?;
        engine::proved_by_reader(&*part.engine, &found).map_err(failed)?;
        lines.extend(found.into_iter().map(|found| found_line(part, found)));
    }
    if !lines.is_empty() && place.from.is_none() {
        let mut server = ask(context);
        for part in &parts {
            let own = server.as_mut().filter(|(_, server)| server.system_identifier == part.cluster);
            let Some((session, _)) = own else { continue };
            let lost = engine::lost(&*part.engine, &part.contents()?, session).map_err(failed)?;
            lines.extend(lost.map(|lost| found_line(part, lost.finding())));
        }
    }
    out::print(&report::backup_verify(&lines, &context.report_options()));
    // Where nothing is, nothing is proved: a disk that is not mounted looks the same.
    let is_proved = !lines.is_empty() && lines.iter().all(|line| line.problem.is_none());
    Ok(if is_proved { Exit::Done } else { Exit::Differences })
}

fn found_line(part: &Part, (label, problem): engine::Finding) -> BackupLine {
    BackupLine { cluster: part.cluster.clone(), label, problem, ..BackupLine::default() }
}

/// The server, to be asked what it has archived last; a repository is there to be read where there is no server any
/// more.
fn ask(context: &mut Context) -> Option<(Session, Server)> {
    let mut open = || {
        let mut session = context.connect()?;
        let server = snapshot::open(&mut session)?;
        snapshot::finish(&mut session)?;
        Ok((session, server))
    };
    let opened: Result<_, Failure> = open();
    opened.map_err(|failure| {
        let message = "the server was not asked which WAL it has archived last: if that is not in the repository, nobody knows";
        let why = failure.0.into_iter().next().map(|first| first.message).unwrap_or_default();
        let help = "run this where the server can be reached, as `DATABASE_URL` or a target says";
        context.diagnostics.push(Diagnostic::note(&NOT_ASKED, message).why(why).help(help));
    }).ok()
}

/// Says each thing once, however often it is told.
fn teller(quiet: bool) -> impl FnMut(&str) {
    let mut before = String::new();
    move |words: &str| {
        if !quiet && before != words {
            out::eprint(&format!("{}\n", report::clean(words)));
            words.clone_into(&mut before);
        }
    }
}

fn do_now(now: &NowArgs, work: &'static str, sort: Option<Sort>, context: &mut Context) -> Result<Exit, Failure> {
    let args = RunArgs {
        operations: vec![Operation::Backup],
        policies: now.policies.clone(),
        dry_run: false,
        max_runtime: None,
        jobs: 1,
        rate: None,
        auto_approve: now.auto_approve,
        allow: Vec::new(),
        lock_timeout: now.lock_timeout,
        patience: Duration::from_secs(60),
    };
    work_off::forced(&args, Some(Forced { backup: now.backup.clone(), work, sort }), context)
}

/// Does a drill, and shows what came of it, also where it failed.
fn drill(now: &NowArgs, context: &mut Context) -> Result<Exit, Failure> {
    let place = PlaceArgs { backup: now.backup.clone(), from: None, policies: now.policies.clone() };
    let began = Timestamp::now();
    let format = std::mem::replace(&mut context.global.format, Format::Text);
    let done = do_now(now, work::DRILL, None, context);
    context.global.format = format;
    let mut drills = Vec::new();
    for part in parts(&place, context)? {
        drills.extend(part.contents()?.drills.into_iter().map(|drill| (part.cluster.clone(), drill)));
    }
    // The record has whole seconds in its name, and all of them inside. One of a clock that was ahead is another.
    let now = Timestamp::now();
    let drills = drills.into_iter().filter(|(_, drill)| drill.started >= began && drill.started <= now);
    if let Some((cluster, drill)) = drills.max_by_key(|(_, drill)| drill.started) {
        out::print(&report::backup_drill(&drill_line(&cluster, &drill), &context.report_options()));
    }
    done
}

fn restore(args: &RestoreArgs, context: &mut Context) -> Result<Exit, Failure> {
    let target = target(args)?;
    let to = std::path::absolute(&args.to).unwrap_or_else(|_| args.to.clone());
    provide(&args.place, &to, context)?;
    let parts: Vec<Part> = parts(&args.place, context)?;
    let chosen: Vec<&Part> =
        parts.iter().filter(|part| args.cluster.as_ref().is_none_or(|cluster| *cluster == part.cluster)).collect();
    let part = match chosen.as_slice() {
        [part] => *part,
        [] => {
            let message = "there is no backup of that cluster in the repository";
            return Err(Diagnostic::error(&NOT_RESTORED, message)
                .help("`chronoform backup list` shows what there is")
                .into());
        }
        several => {
            let names: Vec<&str> = several.iter().map(|part| part.cluster.as_str()).collect();
            let message = format!("there are backups of {} clusters: {}", names.len(), names.join(", "));
            return Err(Diagnostic::error(&NOT_RESTORED, message)
                .help("choose one with --cluster, or --backup")
                .into());
        }
    };
    let program = engine::own_program();
    let contents = part.contents()?;
    let order = engine::Restore {
        engine: &*part.engine,
        contents: &contents,
        label: args.label.as_deref(),
        target,
        to: &to,
        archives: args.archive,
        program: &program,
        programs: args.programs.as_deref().or(part.programs.as_deref()),
    };
    let quiet = context.global.quiet || context.global.format != Format::Text;
    let interrupt = Interrupt::default();
    let _listening = signals::listen(&interrupt)?;
    let record = engine::restore(&order, &interrupt, &mut teller(quiet))
        .map_err(|trouble| Failure::from(trouble.diagnostic(&NOT_RESTORED)))?;
    let done = report::BackupRestored {
        label: record.label.clone(),
        folder: to.display().to_string(),
        target: order.target.words(),
        major: record.server_version / 10_000,
        archives: args.archive,
        may_end_early: matches!(order.target, Target::Time(_)),
        is_roots: std::fs::metadata(&to).is_ok_and(|folder| folder.uid() == 0),
    };
    out::print(&report::backup_restored(&done, &context.report_options()));
    Ok(Exit::Done)
}

fn target(args: &RestoreArgs) -> Result<Target, Failure> {
    if args.no_wal {
        return Ok(Target::Backup);
    }
    if let Some(lsn) = args.lsn {
        return Ok(Target::Place(lsn));
    }
    let Some(text) = &args.time else { return Ok(Target::Latest) };
    // As PostgreSQL prints it, or as RFC 3339 has it.
    let spelt = match text.as_bytes().iter().rev().nth(2) {
        Some(b'+' | b'-') if text.contains(':') => format!("{text}:00"),
        _ => text.clone(),
    };
    spelt.replacen(' ', "T", 1).parse::<Timestamp>().map(Target::Time).map_err(|_| {
        Diagnostic::error(&code::WRONG_VALUE, format!("`{text}` is no moment with a time zone"))
            .help("write it like `2026-11-26 09:30:00+00`")
            .into()
    })
}

fn push(to: &Path, file: &Path) -> Result<Exit, Failure> {
    let pushed = engine::cluster_here().and_then(|cluster| {
        let repository = Repository::new(to, &cluster);
        engine::push(&repository, &cluster, file)
    });
    pushed.map(|_| Exit::Done).map_err(|error| {
        let message = format!("{} was not archived: {error}", file.display());
        Diagnostic::error(&NOT_PUSHED, message)
            .why("the server keeps it, and tries again")
            .help("the server calls this in its data folder, as its own user, who must be able to write to the repository")
            .into()
    })
}

fn fetch(from: &Path, name: &str, file: &Path) -> Result<Exit, Failure> {
    let fetch =
        || engine::cluster_here().and_then(|cluster| engine::fetch(&Repository::new(from, &cluster), name, file));
    // To a server, any end below 126 is the end of all WAL.
    let Ok(fetched) = std::panic::catch_unwind(fetch) else { return Ok(Exit::Abort) };
    fetched.map(|()| Exit::Done).map_err(|error| match error {
        // A server asks for what may come next, until there is no more.
        WalError::Missing(_) | WalError::NoWal(_) => Diagnostic::error(&NOT_WHOLE, error.to_string()).into(),
        error => Diagnostic::error(&WAL_NOT_GIVEN, format!("{name} cannot be given: {error}"))
            .why("a server that went on without it would lose what is in it, and all that is after")
            .into(),
    })
}

/// What a failure of this process is to whoever started it. To a server that recovers, any end below 126 is
/// the end of all WAL: so of `fetch-wal`, only that there is none may be one, and nothing that kept it from
/// being looked for.
pub fn exit(failure: &Failure) -> Exit {
    let is_there_none = |diagnostic: &Diagnostic| std::ptr::eq(diagnostic.code, &NOT_WHOLE);
    let is_told = failure.0.iter().filter(|diagnostic| diagnostic.is_error()).all(is_there_none);
    if fetches() && !is_told { Exit::Abort } else { failure.exit() }
}

/// Whether a server that recovers has started this process.
pub fn fetches() -> bool {
    std::env::args_os().skip(1).any(|word| word == "fetch-wal")
}
