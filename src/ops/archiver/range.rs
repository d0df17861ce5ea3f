//! One range of a table's time: copied, proved, and then perhaps dropped.
//!
//! The order is what keeps rows from being lost. A chunk is marked, and frozen where the server can;
//! what is read from it is read back from the file and compared; the manifest is written; and only then
//! is the chunk dropped, in one transaction that also sees to it that exactly the planned chunks go and
//! that no row was written since. Whatever ends a run, the next begins with what is there: a mark that
//! has its manifest is gone on from, and any other chunk is copied anew.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::apply::{Interrupt, Meeting};
use crate::core::{Bytes, Param, QualifiedName, Query, Row, Server, Task, Value};
use crate::kinds::archive::Mark;
use crate::ops::archive::export::{Exported, Source, export, facts};
use crate::ops::archive::manifest::{self, Bound, Kept, Manifest, Sum, Versions};
use crate::ops::archive::sealed::{Sealer, StoreKey};
use crate::ops::archive::{Evidence, Options, sql, verify};
use crate::ops::archiver::asked::Listed;
use crate::ops::archiver::begun::Begun;
use crate::ops::archiver::pace::Pace;
use crate::ops::archiver::store::{Shelf, Slot, Store, Unfinished};
use crate::ops::archiver::unchanged::Copied;
use crate::ops::archiver::{Moment, Stopped};
use crate::pg::{PgError, Session};
use crate::render::{Context, Renderer};

/// How long a lock is waited for before everybody who queues behind is let by.
pub(super) const ONE_TRY: &str = "SET LOCAL lock_timeout = '2s'";
/// How often a range is copied in one run, where others write to it.
const COPIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(400);

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
    /// The session: the one that holds the lock, or a worker's own.
    pub session: &'a mut Session,
    /// Whether to stop.
    pub interrupt: &'a Interrupt,
    /// Takes a word about how far it is.
    pub tell: &'a mut dyn FnMut(&str),
    /// For the statements.
    pub renderer: &'a mut Renderer,
    /// How fast it may be, and how far it is.
    pub pace: &'a Pace,
    /// What is in the stores.
    pub listed: &'a Listed,
    /// Where it agrees with others on the moment that is read, if there are others.
    pub meeting: Option<&'a Meeting>,
}

/// What has become of a range.
enum Ended {
    /// It is in the archive alone.
    Gone,
    /// It is in the table still.
    Stays,
}

/// A chunk that was read, and is not proved yet.
struct Copy<'s> {
    of: Begun,
    unfinished: Unfinished<'s>,
    exported: Exported,
    sum: Option<Sum>,
}

impl Work<'_> {
    /// All of it.
    ///
    /// # Errors
    /// What stopped it. Whatever it is, each chunk is in the table, in the archive or in both.
    pub fn carry_out(mut self) -> Result<(), Stopped> {
        let ended = self.work();
        if self.range.drop && self.range.freezes && !matches!(ended, Ok(Ended::Gone)) {
            self.let_go();
        }
        ended.map(|_| ())
    }

    fn work(&mut self) -> Result<Ended, Stopped> {
        let database = (self.server.system_identifier.clone(), self.server.database.clone());
        let shelf = Shelf::new(&self.range.place, (&database.0, &database.1), &self.range.table);
        let (mut copied, mut begun) = (Vec::new(), Vec::new());
        for chunk in self.range.chunks.clone() {
            self.heed()?;
            match self.of_an_earlier_run(&shelf, &chunk)? {
                Some(manifest) => {
                    (self.tell)(&format!("{}: in the archive already", chunk.name));
                    copied.push(Copied::of(manifest));
                }
                None => begun.push(self.begin(&shelf, chunk)?),
            }
        }
        copied.extend(self.copied(&shelf, begun)?);
        self.pace.ended(&self.range.item);
        if self.range.drop {
            return self.drop_unless_late(&shelf, copied);
        }
        for Copied { chunk, token, before, .. } in copied {
            if self.range.freezes {
                // One that was begun with when it was to be dropped.
                let thaw = self.render("archive/thaw.sql", &[("chunk", Value::Name(chunk.clone()))])?;
                self.session.execute(&thaw)?;
            }
            let store = self.range.store.clone();
            let of = Some(self.made_for());
            self.mark(&chunk, &Mark::Archived { store, token: Some(token), before, of })?;
        }
        Ok(Ended::Stays)
    }

    /// Drops what was copied. What was written to meanwhile is copied again; and where somebody writes to it all the
    /// time, it stays for the next run.
    fn drop_unless_late(&mut self, shelf: &Shelf, mut copied: Vec<Copied>) -> Result<Ended, Stopped> {
        for copies_left in (0..COPIES).rev() {
            self.heed()?;
            let late = match self.drop_chunks(&copied) {
                Err(Stopped::Late(chunk)) => chunk,
                ended => return ended.map(|()| Ended::Gone),
            };
            let then = if copies_left > 0 { "it is copied again" } else { "it stays in the table, for the next run" };
            (self.tell)(&format!("rows of {late} were written while it was copied: {then}"));
            if copies_left > 0 {
                // The others of a batch do not wait for this.
                self.meeting = None;
                let begun = self.range.chunks.clone().into_iter().map(|chunk| self.begin(shelf, chunk));
                let begun = begun.collect::<Result<Vec<_>, _>>()?;
                copied = self.copied(shelf, begun)?;
            }
        }
        Ok(Ended::Stays)
    }

    fn heed(&self) -> Result<(), Stopped> {
        if self.interrupt.is_requested() { Err(Stopped::Interrupted) } else { Ok(()) }
    }

    pub(super) fn render(&mut self, template: &str, more: &[(&str, Value)]) -> Result<String, Stopped> {
        let mut context: Context = more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        context.insert("item".to_owned(), self.range.item.clone());
        let rendered = self.renderer.render(template, &context);
        let sql = rendered.map_err(|error| Stopped::Refused(error.to_string()))?;
        sql.ok_or_else(|| Stopped::Refused(format!("the template {template} makes no statement")))
    }

    pub(super) fn query(&mut self, sql: &str, params: Vec<Param>) -> Result<Vec<Row>, Stopped> {
        Ok(self.session.query(&Query { sql: sql.to_owned(), params })?)
    }

    /// Copies chunks, all as they are at one moment; proves the copies, and seals them.
    fn copied(&mut self, shelf: &Shelf, begun: Vec<Begun>) -> Result<Vec<Copied>, Stopped> {
        if begun.is_empty() {
            return Ok(Vec::new());
        }
        let read = self.at_one_moment(&begun).and_then(|()| {
            let mut copies = Vec::new();
            for of in begun {
                self.heed()?;
                let unfinished = shelf.begin(&of.chunk)?;
                let (exported, sum) = self.read_out(&of.chunk, &unfinished.file()?, shelf.key())?;
                copies.push(Copy { of, unfinished, exported, sum });
            }
            Ok(copies)
        });
        let ended = self.session.batch(if read.is_ok() { "COMMIT" } else { "ROLLBACK" });
        let copies = read?;
        ended?;
        copies.into_iter().map(|copy| self.proved(shelf, copy)).collect()
    }

    /// Begins a transaction that reads from one moment, which is after the chunks are locked: whoever still
    /// writes has ended, and nobody can convert them or empty them between that moment and the reading, which
    /// a snapshot does not keep from. With others, it is the same moment for all.
    fn at_one_moment(&mut self, begun: &[Begun]) -> Result<(), Stopped> {
        // A writer that came before the freeze holds its lock to its end; those that come after are refused.
        let frozen = self.range.drop && self.range.freezes;
        let template = if frozen { "archive/await_writers.sql" } else { "archive/hold.sql" };
        let mut locks = Vec::new();
        for Begun { chunk, .. } in begun {
            locks.push(self.render(template, &[("chunk", Value::Name(chunk.clone()))])?);
        }
        self.patiently("ROLLBACK", |session| {
            session.batch(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {ONE_TRY}"))?;
            locks.iter().try_for_each(|lock| session.batch(lock))
        })?;
        if let Some(meeting) = self.meeting {
            let name = meeting.snapshot();
            let name = name.ok_or_else(|| Stopped::Refused("the server gave no snapshot to share".to_owned()))?;
            let take = self.render("archive/snapshot.sql", &[("snapshot", Value::text(name))])?;
            let taken = self.session.batch(&take);
            meeting.taken();
            taken?;
        }
        Ok(())
    }

    /// Proves a copy, and seals it.
    fn proved(&mut self, shelf: &Shelf, copy: Copy<'_>) -> Result<Copied, Stopped> {
        let Copy { of, mut unfinished, exported, sum } = copy;
        let (rows, bytes) = (exported.written.rows, Bytes(exported.written.bytes));
        let key = shelf.key().map(StoreKey::id);
        let digest = of.digest(&exported.written.sha256);
        let slot = Slot::new(&of.chunk, &self.range.from, &self.range.until, &digest).sealed(key.as_deref());
        let manifest = self.manifest(of, &slot, exported, (sum, key));
        let interrupt = self.interrupt;
        let written = unfinished.written(&slot, &|| interrupt.is_requested())?;
        verify::verify(written, &manifest, self.pace.threads())?;
        (self.tell)(&format!("{}: {rows} rows, {bytes}; read back and compared", manifest.chunk.name));
        let sealed = manifest.to_bytes()?;
        unfinished.keep(&slot)?;
        // Where that of the very same file is there already, it stays, with its own word.
        let there = Manifest::of_bytes(&shelf.seal(&slot, sealed)?)?;
        Ok(Copied { sum: manifest.sum, ..Copied::of(there) })
    }

    /// Within the transaction.
    fn read_out(
        &mut self,
        chunk: &QualifiedName,
        file: &File,
        key: Option<&StoreKey>,
    ) -> Result<(Exported, Option<Sum>), Stopped> {
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
        let (interrupt, pace, tell) = (self.interrupt, self.pace, &mut *self.tell);
        let mut passing = pace.passing();
        let watch = |passed| passing.pass(passed, interrupt, tell);
        let options = pace.share(self.range.options);
        let source = Source { relation: chunk, facts: &facts, about: &about, options };
        let (out, exported) = export(self.session, source, anew, watch)?;
        out.finish()?;
        let sum = if self.range.drop { Some(self.sum(chunk)?) } else { None };
        Ok((exported, sum))
    }

    /// Drops the chunks, all in one transaction, if they are what was copied and nothing else goes. Whoever reads them
    /// waits only for the drop: while they are looked at, they can be read, and not be written to.
    fn drop_chunks(&mut self, copied: &[Copied]) -> Result<(), Stopped> {
        let hold = self.of_each("archive/await_writers.sql")?;
        self.patiently("ROLLBACK", |session| {
            session.batch(&format!("BEGIN; {ONE_TRY}"))?;
            hold.iter().try_for_each(|lock| session.batch(lock))
        })?;
        match self.drop_what_was_copied(copied) {
            Ok(()) => Ok(self.session.batch("COMMIT")?),
            Err(stopped) => {
                // A connection that is gone has rolled back already.
                let _ = self.session.batch("ROLLBACK");
                Err(stopped)
            }
        }
    }

    /// A statement for each chunk.
    fn of_each(&mut self, template: &str) -> Result<Vec<String>, Stopped> {
        let chunks = self.range.chunks.clone();
        chunks.into_iter().map(|chunk| self.render(template, &[("chunk", Value::Name(chunk))])).collect()
    }

    fn drop_what_was_copied(&mut self, copied: &[Copied]) -> Result<(), Stopped> {
        self.expect_unchanged(copied)?;
        let mut last = self.of_each("archive/lock.sql")?;
        if self.range.freezes {
            last.extend(self.of_each("archive/thaw.sql")?);
        }
        self.session.batch("SAVEPOINT looked_at")?;
        let drop = Query { sql: self.render("archive/drop.sql", &[])?, params: Vec::new() };
        let dropped = RefCell::new(Vec::new());
        // It locks the tables that foreign keys lead to as well, and others may read those.
        self.patiently("ROLLBACK TO SAVEPOINT looked_at", |session| {
            last.iter().try_for_each(|statement| session.execute(statement).map(|_| ()))?;
            *dropped.borrow_mut() = session.query(&drop)?;
            Ok(())
        })?;
        let gone: BTreeSet<String> = dropped
            .take()
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

    /// Tries and pauses together, where others are in the way. A failed try is undone.
    pub(super) fn patiently(
        &mut self,
        undo: &str,
        run: impl Fn(&mut Session) -> Result<(), PgError>,
    ) -> Result<(), Stopped> {
        let began = Instant::now();
        loop {
            let Err(error) = run(self.session) else { return Ok(()) };
            let _ = self.session.batch(undo);
            if !error.is_passing() || began.elapsed() >= self.pace.patience() {
                return Err(error.into());
            }
            self.heed()?;
            (self.tell)("waits for a lock that another session holds");
            thread::sleep(PAUSE);
        }
    }

    fn manifest(
        &self,
        Begun { chunk, token, before, .. }: Begun,
        slot: &Slot,
        exported: Exported,
        (sum, key_id): (Option<Sum>, Option<String>),
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
            chunk,
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
            token,
            replaces: before,
        }
    }
}
