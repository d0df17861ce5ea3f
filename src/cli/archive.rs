//! `chronoform archive`: what is in the archives, whether it is whole, and how it comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::cli::archive_back::{Wanted, is_all_there, restore, unreadable};
use crate::cli::archive_doubt::{about_beside, left_out};
use crate::cli::archive_of::of_known_database;
use crate::cli::args::Paths;
use crate::cli::context::Context;
use crate::cli::out;
use crate::cli::run_args::waiting;
use crate::core::{Address, Bytes, Desired, QualifiedName, Value};
use crate::diag::{Diagnostic, Exit, Failure, Severity, code};
use crate::kinds::archive::{self, Part};
use crate::kinds::archive_store::{self, UNSEALED};
use crate::ledger::{ArchivedChunk, ArchivedFiles, ArchivedRecord, Ledger, Moment as At};
use crate::load;
use crate::ops::archive::manifest::{Manifest, Range};
use crate::ops::archiver::{self, Contents, Damaged, Entry, Moment, Place, Span, Store, StoreError, Unsound};
use crate::report::{self, ArchiveLine};

/// `archive`
#[derive(Args, Debug)]
pub struct ArchiveArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ArchiveCommand,
}

/// What `archive` can do.
#[derive(Subcommand, Debug)]
pub enum ArchiveCommand {
    /// Every archived chunk: its range, rows and size, and when it was last proved to be whole.
    #[command(after_help = "Examples:\n  chronoform archive list public.trades --from 2026-01-01")]
    List {
        /// Only those of this table.
        table: Option<String>,
        /// Which of them.
        #[command(flatten)]
        which: Which,
    },
    /// Prove that what was archived is still there, whole: read every file again, and compare every
    /// column with what was read from the table. Ends with 2 where anything is wrong.
    #[command(after_help = "Examples:\n  chronoform archive verify\n  chronoform archive verify --one-in 30")]
    Verify {
        /// Only those of this table.
        table: Option<String>,
        /// Which of them.
        #[command(flatten)]
        which: Which,
        /// Only every so-manieth file, another one each day, so that in so many days each has its turn.
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
        one_in: Option<u64>,
    },
    /// Bring rows back: into the table that they are from, whose chunks are then frozen, or into another
    /// that has its columns. All or nothing.
    #[command(
        after_help = "Examples:\n  chronoform archive restore public.trades --from 2026-01-01 --to 2026-01-08\n  chronoform archive restore public.trades --into public.trades_again"
    )]
    Restore {
        /// The table that the rows are from.
        table: String,
        /// Which of them.
        #[command(flatten)]
        which: Which,
        /// The table to put them into, which must exist, such as one made by `CREATE TABLE … (LIKE …)`.
        #[arg(long, value_name = "TABLE")]
        into: Option<String>,
        /// Leave out what is in this file, as `archive list` names it, where two have the same rows.
        #[arg(long, value_name = "FILE")]
        leave_out: Vec<String>,
        /// Do not ask.
        #[arg(long)]
        auto_approve: bool,
        /// How long to wait for an apply or run to end, such as `2 minutes`; a number alone is seconds.
        #[arg(long, value_name = "TIME", default_value = "30s", value_parser = waiting)]
        lock_timeout: Duration,
    },
    /// Look at archived rows without a database: how many there are, and the first of each file.
    #[command(after_help = "Examples:\n  chronoform archive query public.trades --from 2026-01-01 --limit 3")]
    Query {
        /// The table that the rows are from.
        table: String,
        /// Which of them.
        #[command(flatten)]
        which: Which,
        /// Leave out what is in this file, as `archive list` names it, where two have the same rows.
        #[arg(long, value_name = "FILE")]
        leave_out: Vec<String>,
        /// How many rows of each file to show.
        #[arg(long, value_name = "NUMBER", default_value_t = 5)]
        limit: usize,
    },
}

/// Which archived chunks are meant.
#[derive(Args, Debug)]
pub struct Which {
    /// Only from this time on: a date, a time, or a whole number where time is one.
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Only before this time.
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Only in this store, by its name in the policies.
    #[arg(long, value_name = "NAME")]
    pub store: Option<String>,
    /// Only of this database, where several share a store: its cluster's system identifier and its name, `123/shop`.
    #[arg(long, value_name = "DATABASE")]
    pub database: Option<String>,
    /// Policy files or folders; `policies` where none is given and chronoform.yaml names none.
    #[arg(long, value_name = "PATH")]
    pub policies: Vec<PathBuf>,
}

/// Does what was asked.
pub fn run(args: &ArchiveArgs, context: &mut Context) -> Result<Exit, Failure> {
    match &args.command {
        ArchiveCommand::List { table, which } => list(table.as_deref(), which, context),
        ArchiveCommand::Verify { table, which, one_in } => verify(table.as_deref(), which, *one_in, context),
        ArchiveCommand::Restore { table, which, into, leave_out, auto_approve, lock_timeout } => {
            let (into, auto_approve, timeout) = (into.as_deref(), *auto_approve, *lock_timeout);
            restore(&Wanted { table, which, into, leave_out, auto_approve, timeout }, context)
        }
        ArchiveCommand::Query { table, which, leave_out, limit } => query(table, which, leave_out, *limit, context),
    }
}

/// The stores that the policies describe, by name.
fn stores(which: &Which, policies: &load::Policies) -> Result<Vec<(String, Store)>, Failure> {
    let all = policies.desired.values().filter(|desired| desired.address.kind == archive_store::ID);
    let named = |name: &str| which.store.as_deref().is_none_or(|wanted| wanted == name);
    let mut stores = Vec::new();
    for desired in all.filter(|store| named(&store.address.name)) {
        let name = &desired.address.name;
        let store = Store::of(|attribute| desired.get(attribute))
            .map_err(|error| Failure::from(error.diagnostic(&format!("`{name}`")).at(&desired.place)))?;
        stores.extend(store.map(|store| (name.clone(), store)));
    }
    if stores.is_empty() {
        let message = match &which.store {
            Some(name) => format!("the policies describe no archive store `{name}`"),
            None => "the policies describe no archive store".to_owned(),
        };
        return Err(Diagnostic::error(&code::WRONG_VALUE, message)
            .help("a document `kind: archive_store` says where archives are; --policies says where the document is")
            .into());
    }
    Ok(stores)
}

pub(super) fn name(text: &str) -> Result<QualifiedName, Failure> {
    QualifiedName::parse(text).map_err(|error| Diagnostic::error(&code::BAD_NAME, error.to_string()).into())
}

pub(super) fn span(which: &Which) -> Result<Span, Failure> {
    let read = |text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => match Moment::asked(text) {
            Some(asked) => Ok(Some(asked)),
            None => Err(Failure::from(
                Diagnostic::error(&code::WRONG_VALUE, format!("`{text}` is no time"))
                    .help("write a date, `2026-01-31`, or a time, `2026-01-31 12:00+00`; or a whole number"),
            )),
        },
    };
    Ok(Span { from: read(&which.from)?, until: read(&which.to)? })
}

/// Why a look at the archive is not all there is to see.
const UNCOUNTED: &str = "what it has is not counted, and what it may stand in for is";

/// So many files are named where the same is to be said of all.
const NAMED: usize = 10;

/// What is in the stores of a choice.
pub(super) struct Looked {
    /// By store.
    pub(super) stores: Vec<(String, Contents)>,
    /// What the ledger knows to be there, and is not.
    pub(super) missed: Vec<ArchivedRecord>,
    /// Files that count here, and where, by the ledger, their time was archived again later and nobody has looked.
    pub(super) doubted: Vec<(String, String)>,
    /// The tables that the policies archive.
    pub(super) archived: BTreeSet<QualifiedName>,
    /// Data files that have no manifest, as they are named to people.
    unsealed: Vec<String>,
    /// Unfinished ones.
    unfinished: Vec<String>,
    /// The databases that the ledger knows, as manifests name them.
    databases: BTreeSet<String>,
    /// When files were proved whole last, as the ledger knows: by where the store is, and the manifest's digest.
    proved: BTreeMap<String, BTreeMap<String, At>>,
}

impl Looked {
    /// When a file was proved to be whole last: when it was archived, or by `archive verify` since.
    fn verified(&self, entry: &Entry) -> String {
        let (archived, digest) = (&entry.manifest.taken_at, entry.manifest.digest().unwrap_or_default());
        let proved = self.proved.get(&entry.place()).and_then(|proved| proved.get(&digest));
        let since =
            proved.filter(|at| archived.parse::<Timestamp>().is_ok_and(|archived| at.0 > archived.as_microsecond()));
        since.map_or_else(|| archived.clone(), ToString::to_string)
    }

    /// A chunk that is missed.
    pub(super) fn missing(&self, record: &ArchivedRecord) -> ArchiveLine {
        let ArchivedChunk { place, file, table, chunk, from, until } = record.chunk.clone();
        let beginning = format!("{}/{file}", place.trim_end_matches('/'));
        let is_there = match self.unsealed.iter().find(|name| name.starts_with(&beginning)) {
            Some(name) => format!("the manifest is not there, without which {name} is not to be trusted"),
            None => "neither its manifest nor what it tells of is there".to_owned(),
        };
        ArchiveLine {
            table: table.to_string(),
            chunk,
            from: from.clone(),
            until: until.clone(),
            archived: record.at.to_string(),
            file: format!("{beginning}*"),
            problem: Some(format!(
                "by the ledger, {table} from {from} to {until} was archived here ({}); {is_there}",
                record.at
            )),
            ..ArchiveLine::default()
        }
    }

    /// What is said of files that are not finished.
    fn about_unfinished(&self) -> Option<Diagnostic> {
        let names: Vec<&str> = self.unfinished.iter().map(String::as_str).collect();
        let message = match names.as_slice() {
            [] => return None,
            [only] => format!("{only} is not finished, and counts for nothing"),
            several => format!("{} files are not finished, and count for nothing: {}", several.len(), named(several)),
        };
        let found = Diagnostic::warning(&UNSEALED, message)
            .why("a run is writing it now, or was cut off; what it was to hold is in the table")
            .help(
                "the next `chronoform run archive` that archives anything to this store removes what no run is writing",
            );
        Some(found)
    }

    /// What is said of data files that have no manifest, and that the ledger knows nothing of.
    fn about_unsealed(&self) -> Option<Diagnostic> {
        let known = |name: &&String| {
            let mut known = self.missed.iter().map(|record| &record.chunk);
            known.any(|chunk| name.starts_with(&format!("{}/{}", chunk.place.trim_end_matches('/'), chunk.file)))
        };
        let names: Vec<&str> = self.unsealed.iter().filter(|name| !known(name)).map(String::as_str).collect();
        let message = match names.as_slice() {
            [] => return None,
            [only] => format!("{only} has no manifest, and counts for nothing"),
            several => format!("{} files have no manifest, and count for nothing: {}", several.len(), named(several)),
        };
        let found = Diagnostic::warning(&UNSEALED, message)
            .why(
                "a run that was cut off leaves such a file, and its rows in the table; expiry one that it could not remove; \
                 and a run that is going on now writes the manifest last",
            )
            .help(
                "where the table has the rows of that time, it may be removed once no run is going on: the next `chronoform run \
                 archive` copies them again. Where it has not, and it has not expired, somebody has lost the manifest: bring that back from where the \
                 store is kept a second time, and remove nothing",
            );
        Some(found)
    }
}

/// Some files, by the first of them.
fn named(names: &[&str]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let named = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

pub(super) fn look(table: Option<&str>, which: &Which, context: &mut Context) -> Result<Looked, Failure> {
    let table = table.map(name).transpose()?;
    let span = span(which)?;
    let policies = context.policies(&Paths { paths: which.policies.clone() })?;
    let mut found = Vec::new();
    for (name, store) in stores(which, &policies)? {
        let contents = archiver::contents(&store).map_err(|error| Failure::from(error.diagnostic(&store.place())))?;
        found.push((name, store, contents));
    }
    let mut beside = beside(which, &policies, context);
    let own = found.iter_mut().flat_map(|(.., contents)| &mut contents.entries);
    archiver::settle(own.chain(beside.iter_mut().flat_map(|(.., contents)| &mut contents.entries)).collect());
    let ledger = Ledger::open_read(&context.ledger_path()?)?;
    let known = ledger.archived()?;
    let databases = ledger.databases()?.into_iter();
    let databases = databases.map(|known| format!("{}/{}", known.system_identifier, known.name)).collect();
    let is_archived = |desired: &&Desired| desired.address.kind == archive::ID;
    let archived = policies.desired.values().filter(is_archived).filter_map(|desired| desired.on.clone());
    let archived: BTreeSet<QualifiedName> = archived.collect();
    if let Some(table) = &table {
        let in_stores = found.iter().flat_map(|(.., contents)| &contents.entries).map(|entry| &entry.manifest.relation);
        expect_known(table, in_stores.chain(&archived).chain(known.iter().map(|record| &record.chunk.table)))?;
    }
    let entries = found.iter().flat_map(|(.., contents)| &contents.entries).map(|entry| &entry.manifest);
    goes_with(&span, table.as_ref(), entries, &known)?;
    let places = found.iter().map(|(_, store, _)| store.place());
    let proved = places.map(|place| Ok((place.clone(), ledger.proved(&place)?))).collect::<Result<_, Diagnostic>>()?;
    let keep = |name: &str| {
        let store = policies.desired.get(&Address::global(archive_store::ID, name));
        store.and_then(|store| store.get(archive_store::KEEP)).and_then(Value::as_interval)
    };
    let each = found.iter().map(|(name, store, contents)| Place { place: store.place(), keep: keep(name), contents });
    let each = each.collect::<Vec<_>>();
    let others =
        beside.iter().map(|(name, place, contents)| Place { place: place.clone(), keep: keep(name), contents });
    let counting = found.iter().flat_map(|(.., contents)| &contents.entries).filter(|entry| {
        let range = entry.manifest.range.as_ref();
        let is_meant = table.as_ref().is_none_or(|table| *table == entry.manifest.relation);
        is_meant && !entry.superseded && range.is_none_or(|range| span.overlaps(range.start.raw, range.end.raw))
    });
    let doubted = archiver::doubted(counting, &known, (&each, &others.collect::<Vec<_>>()));
    let doubted = doubted.into_iter().map(|(entry, record)| (entry.file(), record.chunk.place.clone())).collect();
    let mut missed = archiver::missed(known, &each);
    let is_of_table = |of: &QualifiedName| table.as_ref().is_none_or(|table| table == of);
    missed.retain(|missed| is_of_table(&missed.chunk.table) && archiver::overlaps(&missed.chunk, &span));
    let (mut stores, mut unsealed, mut unfinished) = (Vec::new(), Vec::new(), Vec::new());
    for (name, store, contents) in found {
        let contents = contents.of(table.as_ref(), &span);
        unsealed.extend(contents.unsealed.iter().map(|name| store.shown(name)));
        unfinished.extend(contents.unfinished.iter().map(|name| store.shown(name)));
        stores.push((name, contents));
    }
    Ok(Looked { stores, missed, doubted, archived, unsealed, unfinished, databases, proved })
}

/// That what --from and --to say means something for the time of what was archived: what does not would be told as
/// that nothing is there, or brought back in part.
fn goes_with<'a>(
    span: &Span,
    table: Option<&QualifiedName>,
    manifests: impl Iterator<Item = &'a Manifest>,
    known: &[ArchivedRecord],
) -> Result<(), Failure> {
    let is_meant = |of: &QualifiedName| table.is_none_or(|table| table == of);
    let wrong = |of: &QualifiedName, text: &str, what: &str| {
        let message = format!("`{text}` does not go with the time of {of}");
        let mut told = Diagnostic::error(&code::WRONG_VALUE, message).help(format!("that is {what}"));
        if table.is_none() {
            told = told.help("name a table to leave the others out");
        }
        Err(Failure::from(told))
    };
    let known = known.iter().map(|record| (&record.chunk.table, record.chunk.from.as_str(), false));
    let manifests = manifests.filter_map(|manifest| {
        let range = manifest.range.as_ref()?;
        let time = manifest.columns.iter().find(|kept| kept.column.name == range.column);
        let is_date = time.is_some_and(|kept| kept.column.base_type == "date");
        Some((&manifest.relation, range.start.text.as_str(), is_date))
    });
    for (of, point, is_date) in manifests.chain(known).filter(|(of, ..)| is_meant(of)) {
        if let Err((text, what)) = span.goes_with(point) {
            return wrong(of, text, what);
        }
        if is_date && let Some(text) = span.time_of_day() {
            return wrong(of, text, "a date: leave the time of day out");
        }
    }
    Ok(())
}

/// What is in the stores that are not meant: what is in one that is may have been archived again to one of them. One that
/// cannot be read keeps nobody from those that can.
fn beside(which: &Which, policies: &load::Policies, context: &mut Context) -> Vec<(String, String, Contents)> {
    let Some(wanted) = &which.store else { return Vec::new() };
    let mut found = Vec::new();
    let all = policies.desired.values().filter(|desired| desired.address.kind == archive_store::ID);
    for desired in all.filter(|store| store.address.name != *wanted) {
        let contents = Store::of(|attribute| desired.get(attribute)).and_then(|store| {
            let look = |store: &Store| Ok((desired.address.name.clone(), store.place(), archiver::contents(store)?));
            store.as_ref().map(look).transpose()
        });
        match contents {
            Ok(contents) => found.extend(contents),
            Err(error) => {
                let told = error.diagnostic(&format!("`{}`", desired.address.name)).at(&desired.place);
                let why = "what of the others was archived again to it is not known, and counts as if it were not";
                context.diagnostics.push(Diagnostic { severity: Severity::Warning, ..told }.why(why));
            }
        }
    }
    found
}

/// That a table is one that anybody archives or has archived.
fn expect_known<'a>(table: &QualifiedName, known: impl Iterator<Item = &'a QualifiedName>) -> Result<(), Failure> {
    let known: BTreeSet<&QualifiedName> = known.collect();
    if known.contains(table) {
        return Ok(());
    }
    let written = table.to_string();
    let scored = known.iter().map(|name| (strsim::jaro_winkler(&name.to_string(), &written), *name));
    let nearest = scored.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0));
    let help = match nearest {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "a table's `archive` section says that it is archived".to_owned(),
        None => {
            let names: Vec<String> = known.iter().map(ToString::to_string).collect();
            format!("those that are: {}", names.join(", "))
        }
    };
    let message = format!("nothing of {table} was ever archived, and no policy says that it is");
    Err(Diagnostic::error(&code::WRONG_VALUE, message).help(help).into())
}

fn line(store: &str, entry: &Entry, problem: Option<String>) -> ArchiveLine {
    let manifest = &entry.manifest;
    let range = manifest.range.as_ref();
    ArchiveLine {
        store: store.to_owned(),
        database: manifest.database.clone(),
        table: manifest.relation.to_string(),
        chunk: manifest.chunk.name.clone(),
        from: range.map(|range| range.start.text.clone()).unwrap_or_default(),
        until: range.map(|range| range.end.text.clone()).unwrap_or_default(),
        rows: manifest.rows,
        bytes: Bytes(manifest.file.bytes),
        row_bytes: Bytes(manifest.stream_bytes),
        archived: manifest.taken_at.clone(),
        verified: String::new(),
        file: entry.file(),
        superseded: entry.superseded,
        superseded_parts: entry.left_out.iter().map(stretch).collect(),
        problem,
    }
}

fn stretch(part: &Part) -> report::ArchivePart {
    report::ArchivePart { from: part.start.text.clone(), until: part.end.text.clone() }
}

fn damaged(store: &str, Damaged { shown, error, .. }: &Damaged) -> ArchiveLine {
    ArchiveLine {
        store: store.to_owned(),
        file: shown.clone(),
        problem: Some(error.to_string()),
        ..ArchiveLine::default()
    }
}

fn list(table: Option<&str>, which: &Which, context: &mut Context) -> Result<Exit, Failure> {
    let mut lines = Vec::new();
    let looked = look(table, which, context)?;
    let entries = || looked.stores.iter().flat_map(|(_, contents)| &contents.entries);
    let told = [looked.about_unsealed(), looked.about_unfinished()];
    context.diagnostics.extend(told.into_iter().flatten());
    context.diagnostics.extend([looked.about_doubted(entries()), about_beside(entries())].into_iter().flatten());
    for (store, contents) in &looked.stores {
        let verified = |entry: &Entry| ArchiveLine { verified: looked.verified(entry), ..line(store, entry, None) };
        lines.extend(contents.entries.iter().map(verified));
        lines.extend(contents.damaged.iter().map(|of| damaged(store, of)));
    }
    lines.extend(looked.missed.iter().map(|record| looked.missing(record)));
    out::print(&report::archive_list(&lines, &context.report_options()));
    Ok(if lines.iter().any(|line| line.problem.is_some()) { Exit::Differences } else { Exit::Done })
}

fn verify(table: Option<&str>, which: &Which, one_in: Option<u64>, context: &mut Context) -> Result<Exit, Failure> {
    let looked = look(table, which, context)?;
    context.diagnostics.extend([looked.about_unsealed(), looked.about_unfinished()].into_iter().flatten());
    let mut proof = Proof::default();
    let read = looked.stores.iter().try_for_each(|(store, contents)| proof.read(store, contents, one_in));
    // What was proved before something else stopped it is proved.
    remember(std::mem::take(&mut proof.proved), context)?;
    read?;
    let Proof { mut lines, waiting, .. } = proof;
    lines.extend(looked.missed.iter().map(|record| looked.missing(record)));
    out::print(&report::archive_verify(&lines, waiting, &context.report_options()));
    // Where nothing is, nothing is proved.
    let is_nothing = lines.is_empty() && waiting == 0;
    Ok(if is_nothing || lines.iter().any(|line| line.problem.is_some()) { Exit::Differences } else { Exit::Done })
}

/// What reading files again shows.
#[derive(Default)]
struct Proof {
    lines: Vec<ArchiveLine>,
    /// How many have their turn on another day.
    waiting: usize,
    proved: ArchivedFiles,
}

impl Proof {
    /// Reads a store's files, or those of them that have their turn.
    fn read(&mut self, store: &str, contents: &Contents, one_in: Option<u64>) -> Result<(), Failure> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let today = Timestamp::now().as_second().unsigned_abs() / 86_400;
        let before = self.lines.len();
        self.lines.extend(contents.damaged.iter().map(|of| damaged(store, of)));
        let turn = |number: &usize| one_in.is_none_or(|one_in| *number as u64 % one_in == today % one_in);
        for (_, entry) in contents.entries.iter().enumerate().filter(|(number, _)| turn(number)) {
            let problem = match entry.verify(threads) {
                Ok(()) => None,
                Err(Unsound::Archive(error)) => Some(error.to_string()),
                // Another file may have another key.
                Err(Unsound::Store(error @ StoreError::Sealed(_))) => Some(format!("{error}: {}", error.help())),
                // Of the rest nobody can tell anything.
                Err(Unsound::Store(error)) => return Err(error.diagnostic(&entry.file()).into()),
            };
            if problem.is_none() {
                self.proved.entry(entry.place()).or_default().extend(entry.manifest.digest().ok());
            }
            self.lines.push(line(store, entry, problem));
        }
        self.waiting += (contents.entries.len() + contents.damaged.len()).saturating_sub(self.lines.len() - before);
        Ok(())
    }
}

/// Writes into the ledger what was proved. One that is not there is not made, and one that cannot be written only
/// does not know it: reading an archive takes nothing but the archive.
fn remember(proved: ArchivedFiles, context: &mut Context) -> Result<(), Failure> {
    let path = context.ledger_path()?;
    if proved.is_empty() || !path.exists() {
        return Ok(());
    }
    let written = Ledger::open(&path).and_then(|mut ledger| ledger.write(|batch| batch.record_proved(proved)));
    if let Err(error) = written {
        let message = format!("what was proved is not remembered: {}", error.message);
        let warning = Diagnostic::warning(&code::NOT_RECORDED, message);
        context.diagnostics.push(Diagnostic { why: error.why, help: error.help, ..warning });
    }
    Ok(())
}

fn query(table: &str, which: &Which, without: &[String], limit: usize, context: &mut Context) -> Result<Exit, Failure> {
    let (mut shown, mut wrong) = (Vec::new(), Vec::new());
    let span = span(which)?;
    let looked = look(Some(table), which, context)?;
    let entries =
        looked.stores.iter().flat_map(|(store, contents)| contents.entries.iter().map(move |entry| (store, entry)));
    let entries: Vec<(&String, &Entry)> = entries.filter(|(_, entry)| !entry.superseded).collect();
    let own = of_known_database(&entries, &looked.databases, which.database.as_deref())?;
    let of_own = |(_, entry): &(&String, &Entry)| own.as_deref() == Some(&entry.manifest.database);
    let entries = entries.into_iter().filter(of_own).collect();
    let entries = left_out(entries, &looked, without, |(_, entry)| entry)?;
    let all = || entries.iter().map(|(_, entry)| *entry);
    context.diagnostics.extend([looked.about_doubted(all()), about_beside(all())].into_iter().flatten());
    for (store, entry) in entries {
        let whole = |range: &Range| span.contains(range.start.raw, range.end.raw) && entry.left_out.is_empty();
        let part = entry.manifest.range.as_ref().filter(|range| !whole(range));
        let preview = entry.look_into().and_then(|archive| {
            let columns = archive.columns().iter().map(|column| column.name.clone()).collect();
            let (count, rows) = match part {
                None => (entry.manifest.rows, archive.preview(limit)?),
                Some(range) => {
                    archive.chosen(&range.column, |time| span.has(time) && !entry.is_left_out(time), limit)?
                }
            };
            Ok((columns, count, rows))
        });
        let (columns, count, rows) = match preview {
            Ok(preview) => preview,
            Err(Unsound::Archive(error)) => {
                wrong.push(unreadable(&entry.file(), &error));
                continue;
            }
            Err(Unsound::Store(error)) => return Err(error.diagnostic(&entry.file()).into()),
        };
        let of = ArchiveLine { rows: count, ..line(store, entry, None) };
        shown.push(report::ArchivePreview { of, columns, rows });
    }
    out::print(&report::archive_query(&shown, &context.report_options()));
    // What cannot be counted may stand in for what was.
    wrong.extend(
        own.and_then(|own| is_all_there(&looked, &own, without).err()).into_iter().flat_map(|failure| failure.0),
    );
    let is_whole = wrong.is_empty();
    let told = wrong.into_iter().map(|wrong| Diagnostic { severity: Severity::Warning, ..wrong }.why(UNCOUNTED));
    context.diagnostics.extend(told);
    Ok(if is_whole { Exit::Done } else { Exit::Differences })
}
