//! One range of a table's time: copied, proved, and then perhaps dropped.
//!
//! The order is what keeps rows from being lost. A chunk is marked, and frozen where the server can;
//! what is read from it is read back from the file and compared; the manifest is written; and only then
//! is the chunk dropped, in one transaction that also sees to it that exactly the planned chunks go and
//! that no row was written since. Whatever ends a run, the next begins with what is there: a mark that
//! has its manifest is gone on from, and any other chunk is copied anew.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::apply::{Interrupt, StepOutcome};
use crate::core::{Bytes, Param, QualifiedName, Query, Row, RowError, Server, Task, Value};
use crate::kinds::archive::Mark;
use crate::ops::archive::export::{Exported, Source, TransferError, export, facts};
use crate::ops::archive::manifest::{self, Bound, Kept, Manifest, Sum, Versions};
use crate::ops::archive::sealed::{Sealer, StoreKey};
use crate::ops::archive::{ArchiveError, Evidence, Options, sql, verify};
use crate::ops::archiver::Moment;
use crate::ops::archiver::store::{Shelf, Slot, Store};
use crate::ops::archiver::trouble::StoreError;
use crate::pg::{PgError, PgErrorKind, Session};
use crate::render::{Context, Renderer};

/// How long a lock is waited for before everybody who queues behind is let by.
const ONE_TRY: &str = "SET LOCAL lock_timeout = '2s'";
/// How often it is then tried again.
const TRIES: u32 = 15;
const PAUSE: Duration = Duration::from_millis(400);

/// What stopped the work.
#[derive(Debug)]
pub enum Stopped {
    /// The server, or the way to it.
    Server(PgError),
    /// A file, or what is in it.
    Archive(ArchiveError),
    /// Where files are kept.
    Store(StoreError),
    /// Something else that must not be.
    Refused(String),
    /// Somebody asked for it.
    Interrupted,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => write!(f, "{error}"),
            Self::Archive(error) => write!(f, "{error}"),
            Self::Store(error) => write!(f, "the store: {error}"),
            Self::Refused(why) => f.write_str(why),
            Self::Interrupted => f.write_str("it was interrupted"),
        }
    }
}

impl std::error::Error for Stopped {}

impl From<PgError> for Stopped {
    fn from(error: PgError) -> Self {
        if error.is_cancelled() { Self::Interrupted } else { Self::Server(error) }
    }
}

impl From<ArchiveError> for Stopped {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<TransferError> for Stopped {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Server(error) => error.into(),
            TransferError::Archive(errors) => match <[ArchiveError; 1]>::try_from(errors) {
                Ok([ArchiveError::Stopped]) => Self::Interrupted,
                Ok([error]) => error.into(),
                Err(several) => Self::Refused(several.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
            },
        }
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        if error.is_stopped() { Self::Interrupted } else { Self::Store(error) }
    }
}

impl From<Stopped> for StepOutcome {
    fn from(stopped: Stopped) -> Self {
        let said = |message: String, hint: &str| {
            let hint = (!hint.is_empty()).then(|| hint.to_owned());
            Self::Failed(PgError { hint, ..PgError::protocol(message) })
        };
        match stopped {
            Stopped::Server(error) if error.kind == PgErrorKind::Lost => Self::InDoubt(error),
            Stopped::Server(error) => Self::Failed(error),
            Stopped::Archive(error @ ArchiveError::Io { full: true, .. }) => {
                let room = "make room where the store is, or its `spool`: the chunk is still in the table";
                said(error.to_string(), room)
            }
            Stopped::Archive(error) => said(error.to_string(), "the chunk is still in the table"),
            Stopped::Store(error) => {
                let hint = Some(format!("{}; what was not yet archived is still in the table", error.help()));
                let code = error.code();
                Self::Refused(code, PgError { hint, ..PgError::protocol(format!("the store: {error}")) })
            }
            Stopped::Refused(why) => said(why, ""),
            Stopped::Interrupted => Self::Cancelled,
        }
    }
}

/// What a task is about.
#[derive(Clone, Debug)]
pub struct Range {
    /// The hypertable.
    pub table: QualifiedName,
    /// All chunks of the range.
    pub chunks: Vec<QualifiedName>,
    /// The column that time is partitioned by.
    pub column: String,
    /// Where it begins, as the server prints it.
    pub from: String,
    /// Where it ends.
    pub until: String,
    /// Whether the chunks are dropped at the end.
    pub drop: bool,
    /// Whether the server can freeze chunks.
    pub freezes: bool,
    /// The store's name.
    pub store: String,
    /// Where its files are.
    pub place: Store,
    /// How files are written.
    pub options: Options,
    /// What the templates find it by.
    item: Value,
}

impl Range {
    /// Reads a task's arguments.
    ///
    /// # Errors
    /// When they are not those of such a task.
    pub fn read(task: &Task) -> Result<Self, Stopped> {
        let wrong = |name: &str| Stopped::Refused(format!("the plan's archive task has no `{name}`"));
        let get = |name: &str| task.arguments.get(name).ok_or_else(|| wrong(name));
        let name = |value: &Value| match value {
            Value::Name(name) => Some(name.clone()),
            _ => None,
        };
        let text = |key: &str| get(key)?.as_text().map(str::to_owned).ok_or_else(|| wrong(key));
        let flag = |key: &str| get(key)?.as_bool().ok_or_else(|| wrong(key));
        let chunks: Vec<QualifiedName> = get("chunks")?.as_list().iter().filter_map(name).collect();
        if chunks.is_empty() {
            return Err(wrong("chunks"));
        }
        let row_group = get("row_group")?.as_int().and_then(|bytes| usize::try_from(bytes).ok());
        let options = Options { row_group: row_group.ok_or_else(|| wrong("row_group"))?, ..Options::default() };
        Ok(Self {
            table: name(get("table")?).ok_or_else(|| wrong("table"))?,
            chunks,
            column: text("column")?,
            from: text("from")?,
            until: text("until")?,
            drop: flag("drop")?,
            freezes: flag("freezes")?,
            store: text("store")?,
            place: Store::of(|name| task.arguments.get(name))?.ok_or_else(|| wrong("path"))?,
            options,
            item: Value::Map(task.arguments.clone()),
        })
    }
}

/// Where rows go: into a file, or into an encrypted one.
enum Out {
    Plain(BufWriter<File>),
    Sealed(Box<Sealer<BufWriter<File>>>),
}

impl Out {
    /// Writes what is left.
    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut out) => out.flush(),
            Self::Sealed(out) => out.finish()?.flush(),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Sealed(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Sealed(out) => out.flush(),
        }
    }
}

/// A range being worked on.
pub struct Work<'a> {
    /// What it is about.
    pub range: Range,
    /// The database.
    pub server: &'a Server,
    /// The session that holds the lock.
    pub session: &'a mut Session,
    /// Whether to stop.
    pub interrupt: &'a Interrupt,
    /// Takes a word about how far it is.
    pub tell: &'a mut dyn FnMut(&str),
    /// For the statements.
    pub renderer: &'a mut Renderer,
}

impl Work<'_> {
    /// All of it.
    ///
    /// # Errors
    /// What stopped it. Whatever it is, each chunk is in the table, in the archive or in both.
    pub fn carry_out(mut self) -> Result<(), Stopped> {
        let database = (self.server.system_identifier.clone(), self.server.database.clone());
        let shelf = Shelf::new(&self.range.place, (&database.0, &database.1), &self.range.table);
        let mut sums = Vec::new();
        for chunk in self.range.chunks.clone() {
            self.heed()?;
            sums.push(self.archived(&shelf, &chunk)?);
        }
        if self.range.drop {
            self.heed()?;
            return self.drop_chunks(&sums);
        }
        for chunk in self.range.chunks.clone() {
            let mark = format!("{} to {}", Mark::ARCHIVED, self.range.store);
            if self.range.freezes {
                // One that was begun with when it was to be dropped.
                let thaw = self.render("archive/thaw.sql", &[("chunk", Value::Name(chunk.clone()))])?;
                self.session.execute(&thaw)?;
            }
            self.mark(&chunk, Some(&mark))?;
        }
        Ok(())
    }

    fn heed(&self) -> Result<(), Stopped> {
        if self.interrupt.is_requested() { Err(Stopped::Interrupted) } else { Ok(()) }
    }

    fn render(&mut self, template: &str, more: &[(&str, Value)]) -> Result<String, Stopped> {
        let mut context: Context = more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        context.insert("item".to_owned(), self.range.item.clone());
        let rendered = self.renderer.render(template, &context);
        let sql = rendered.map_err(|error| Stopped::Refused(error.to_string()))?;
        sql.ok_or_else(|| Stopped::Refused(format!("the template {template} makes no statement")))
    }

    fn query(&mut self, sql: &str, params: Vec<Param>) -> Result<Vec<Row>, Stopped> {
        Ok(self.session.query(&Query { sql: sql.to_owned(), params })?)
    }

    /// Sees to it that a chunk is in the archive, and gives the sum of its rows as they were copied,
    /// where it had to be made.
    fn archived(&mut self, shelf: &Shelf, chunk: &QualifiedName) -> Result<Option<Sum>, Stopped> {
        if let Some(manifest) = self.of_an_earlier_run(shelf, chunk)? {
            (self.tell)(&format!("{}: in the archive already", chunk.name));
            return Ok(manifest.sum);
        }
        let token = token();
        let mark = format!("{}{token}", Mark::BEGUN);
        if self.range.drop && self.range.freezes {
            let freeze = self.render("archive/freeze.sql", &[("chunk", Value::Name(chunk.clone()))])?;
            let mark = self.marking(chunk, Some(&mark))?;
            self.patiently(|session| {
                session.batch(&format!("BEGIN; {ONE_TRY}"))?;
                session.execute(&freeze)?;
                session.execute(&mark)?;
                session.batch("COMMIT")
            })?;
        } else {
            self.mark(chunk, Some(&mark))?;
        }
        self.copied(shelf, chunk, &token)
    }

    /// What an earlier run has brought to the archive and not gone on from: the chunk bears the mark that
    /// the manifest names, and the file is as the manifest says.
    fn of_an_earlier_run(&mut self, shelf: &Shelf, chunk: &QualifiedName) -> Result<Option<Manifest>, Stopped> {
        let sql = "SELECT pg_catalog.obj_description($1::text::regclass, 'pg_class') AS mark";
        let rows = self.query(sql, vec![Param::Text(chunk.to_string())])?;
        let mark = rows.first().and_then(|row| row.maybe_text("mark").ok().flatten()).map(str::to_owned);
        let Some(token) = mark.as_deref().and_then(|mark| mark.strip_prefix(Mark::BEGUN)) else { return Ok(None) };
        for (_, bytes) in shelf.manifests(chunk)? {
            // One that cannot be read is of no use here, and is told by `archive verify`.
            let Ok(manifest) = Manifest::of_bytes(&bytes) else { continue };
            if manifest.token == token && manifest.chunk == *chunk {
                let whole = match shelf.open(&manifest.file.name, manifest.file.key_id.as_deref()) {
                    Ok(file) => verify::same_file(&file, &manifest).is_ok(),
                    Err(error) if error.is_of_one_file() => false,
                    Err(error) => return Err(error.into()),
                };
                // What could not be frozen may have been written to since.
                let same = self.range.freezes || Some(self.sum(chunk)?) == manifest.sum;
                return Ok((same && whole).then_some(manifest));
            }
        }
        Ok(None)
    }

    /// Copies a chunk, proves the copy, and seals it.
    fn copied(&mut self, shelf: &Shelf, chunk: &QualifiedName, token: &str) -> Result<Option<Sum>, Stopped> {
        let mut unfinished = shelf.begin(chunk)?;
        self.patiently(|session| session.batch(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {ONE_TRY}")))?;
        let read = self.read_out(chunk, &unfinished.file()?, shelf.key());
        let ended = self.session.batch(if read.is_ok() { "COMMIT" } else { "ROLLBACK" });
        let (exported, sum) = read?;
        ended?;
        let (rows, bytes) = (exported.written.rows, Bytes(exported.written.bytes));
        let key = shelf.key().map(StoreKey::id);
        let slot = Slot::new(chunk, &self.range.from, &self.range.until, &exported.written.sha256);
        let slot = slot.sealed(key.is_some());
        let manifest = self.manifest(chunk, &slot, exported, (sum, key), token);
        let interrupt = self.interrupt;
        let written = unfinished.written(&slot, &|| interrupt.is_requested())?;
        verify::verify(written, &manifest, threads())?;
        (self.tell)(&format!("{}: {rows} rows, {bytes}; read back and compared", chunk.name));
        let sealed = manifest.to_bytes()?;
        unfinished.keep(&slot)?;
        shelf.seal(&slot, &sealed)?;
        Ok(manifest.sum)
    }

    /// Within the transaction: whoever still writes has ended, and all is read from one moment.
    fn read_out(
        &mut self,
        chunk: &QualifiedName,
        file: &File,
        key: Option<&StoreKey>,
    ) -> Result<(Exported, Option<Sum>), Stopped> {
        if self.range.drop && self.range.freezes {
            // A writer that came before the freeze holds its lock to its end; those that come after are
            // refused. The lock comes before the moment that is read.
            let lock = self.render("archive/await_writers.sql", &[("chunk", Value::Name(chunk.clone()))])?;
            self.session.batch(&lock)?;
        }
        self.session.batch(&sql::settings()?)?;
        let facts = facts(self.session, chunk)?;
        let (chunk_name, table) = (chunk.to_string(), self.range.table.to_string());
        let about = [("chunk", chunk_name.as_str()), ("table", table.as_str())];
        let anew = || {
            let mut file = file.try_clone()?;
            file.rewind()?;
            file.set_len(0)?;
            let out = BufWriter::with_capacity(1 << 20, file);
            Ok(match key {
                Some(key) => Out::Sealed(Box::new(Sealer::new(out, key).map_err(io::Error::other)?)),
                None => Out::Plain(out),
            })
        };
        let interrupt = self.interrupt;
        let watch = |_| if interrupt.is_requested() { Err(ArchiveError::Stopped) } else { Ok(()) };
        let source = Source { relation: chunk, facts: &facts, about: &about, options: self.range.options };
        let (out, exported) = export(self.session, source, anew, watch)?;
        out.finish()?;
        let sum = if self.range.drop && !self.range.freezes { Some(self.sum(chunk)?) } else { None };
        Ok((exported, sum))
    }

    /// The number of a chunk's rows, and a sum over all that is in them.
    fn sum(&mut self, chunk: &QualifiedName) -> Result<Sum, Stopped> {
        let sql = self.render("archive/sum.sql", &[("chunk", Value::Name(chunk.clone()))])?;
        let rows = self.query(&sql, Vec::new())?;
        let row = rows.first().ok_or_else(|| Stopped::Refused("the server gave no sum".to_owned()))?;
        let read = || Ok(Sum { rows: row.int("rows")?, sum: row.text("sum")?.to_owned() });
        read().map_err(|error: RowError| Stopped::Refused(error.to_string()))
    }

    fn marking(&mut self, chunk: &QualifiedName, mark: Option<&str>) -> Result<String, Stopped> {
        let mark = mark.map_or(Value::Null, Value::text);
        self.render("archive/mark.sql", &[("chunk", Value::Name(chunk.clone())), ("mark", mark)])
    }

    fn mark(&mut self, chunk: &QualifiedName, mark: Option<&str>) -> Result<(), Stopped> {
        let mark = self.marking(chunk, mark)?;
        self.patiently(|session| {
            session.batch(&format!("BEGIN; {ONE_TRY}"))?;
            session.execute(&mark)?;
            session.batch("COMMIT")
        })
    }

    /// Drops the chunks, all in one transaction, if they are what was copied and nothing else goes.
    fn drop_chunks(&mut self, sums: &[Option<Sum>]) -> Result<(), Stopped> {
        let drop = self.render("archive/drop.sql", &[])?;
        let mut thaw = Vec::new();
        let mut locks = Vec::new();
        for chunk in self.range.chunks.clone() {
            let value = [("chunk", Value::Name(chunk.clone()))];
            if self.range.freezes {
                thaw.push(self.render("archive/thaw.sql", &value)?);
            }
            locks.push(self.render("archive/lock.sql", &value)?);
        }
        self.patiently(|session| {
            session.batch(&format!("BEGIN; {ONE_TRY}"))?;
            for statement in locks.iter().chain(&thaw) {
                session.execute(statement)?;
            }
            Ok(())
        })?;
        let dropped = self.drop_what_was_copied(&drop, sums);
        match dropped {
            Ok(()) => Ok(self.session.batch("COMMIT")?),
            Err(stopped) => {
                // A connection that is gone has rolled back already.
                let _ = self.session.batch("ROLLBACK");
                Err(stopped)
            }
        }
    }

    fn drop_what_was_copied(&mut self, drop: &str, sums: &[Option<Sum>]) -> Result<(), Stopped> {
        for (chunk, copied) in self.range.chunks.clone().iter().zip(sums) {
            let Some(copied) = copied else { continue };
            if self.sum(chunk)? != *copied {
                return Err(Stopped::Refused(format!(
                    "rows of {chunk} were written while it was copied: it is not dropped, and the next run copies it again"
                )));
            }
        }
        let gone: BTreeSet<String> = self
            .query(drop, Vec::new())?
            .iter()
            .map(|row| row.text("chunk").map(str::to_owned))
            .collect::<Result<_, _>>()
            .map_err(|error| Stopped::Refused(error.to_string()))?;
        let planned: BTreeSet<String> = self.range.chunks.iter().map(ToString::to_string).collect();
        if gone == planned {
            return Ok(());
        }
        let names = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
        Err(Stopped::Refused(format!(
            "the server would drop {}, and {} is in the archive: nothing is dropped",
            names(&gone),
            names(&planned)
        )))
    }

    /// Tries and pauses together, where others are in the way. A failed try is rolled back.
    fn patiently(&mut self, run: impl Fn(&mut Session) -> Result<(), PgError>) -> Result<(), Stopped> {
        let mut tries = 0;
        loop {
            let Err(error) = run(self.session) else { return Ok(()) };
            let _ = self.session.batch("ROLLBACK");
            tries += 1;
            if !error.is_passing() || tries >= TRIES {
                return Err(error.into());
            }
            self.heed()?;
            (self.tell)("waits for a lock that another session holds");
            thread::sleep(PAUSE);
        }
    }

    fn manifest(
        &self,
        chunk: &QualifiedName,
        slot: &Slot,
        exported: Exported,
        (sum, key_id): (Option<Sum>, Option<String>),
        token: &str,
    ) -> Manifest {
        let Exported { columns, written } = exported;
        // Beside an encrypted file no value of it is to be read.
        let told = |evidence: Evidence| if key_id.is_some() { evidence.without_values() } else { evidence };
        let columns = columns.into_iter().zip(written.evidence);
        let columns: Vec<Kept> = columns.map(|(column, evidence)| Kept { column, evidence: told(evidence) }).collect();
        // What cannot be read, such as a year before our era, is never left out of a choice by time: which
        // of its rows are meant, the server tells.
        let bound = |text: &str, else_at: i64| Bound {
            text: text.to_owned(),
            raw: Moment::read(text).map_or(else_at, |moment| moment.0),
        };
        Manifest {
            format_version: manifest::FORMAT,
            relation: self.range.table.clone(),
            chunk: chunk.clone(),
            range: Some(manifest::Range {
                column: self.range.column.clone(),
                start: bound(&self.range.from, i64::MIN),
                end: bound(&self.range.until, i64::MAX),
            }),
            rows: written.rows,
            columns,
            file: manifest::File {
                name: slot.data(),
                bytes: written.bytes,
                sha256: written.sha256,
                codec: "zstd".to_owned(),
                key_id,
            },
            versions: Versions {
                chronoform: env!("CARGO_PKG_VERSION").to_owned(),
                postgresql: self.server.version_text.clone(),
                timescaledb: self.server.timescaledb.as_ref().map(|timescale| timescale.version_text.clone()),
            },
            database: format!("{}/{}", self.server.system_identifier, self.server.database),
            taken_at: jiff::Timestamp::now().to_string(),
            stream_bytes: written.stream_bytes,
            sum,
            token: token.to_owned(),
        }
    }
}

/// As many as have something to do.
fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(4)
}

/// A word that no other run has: the moment, and the process.
fn token() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", now.as_nanos(), std::process::id())
}
