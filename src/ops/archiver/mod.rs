//! Archives as users know them: what is due goes into a store, can be listed, proved again, looked at
//! and brought back. How rows become files is [`archive`](crate::ops::archive)'s to know.

mod asked;
mod begun;
mod brought_back;
mod expire;
mod folder;
mod held;
mod in_bucket;
mod known;
mod moment;
mod pace;
mod range;
mod replaced;
mod restore;
mod stopped;
mod store;
mod trouble;
mod unchanged;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::apply::{Interrupt, Meeting, StepOutcome, Tasks, Worker};
use crate::core::{Action, QualifiedName, RowError, Server, Task};
use crate::diag::{Diagnostic, Failure, code};
use crate::kinds::archive::{Bound, NOT_KEPT, Part, TASK};
use crate::kinds::archive_store;
use crate::ops::archive::{Archive, ArchiveError, DataFile, Facts, Manifest, columns, verify};
use crate::ops::archiver::asked::Listed;
use crate::ops::archiver::pace::Pace;
use crate::pg::{PgError, Session};
use crate::plan::Plan;
use crate::render::Renderer;

pub use expire::{look, look_for_copies};
pub use known::{Place, done_to_archives, doubted, has_happened, lost, missed, overlaps};
pub use moment::Moment;
pub use pace::Load;
pub use replaced::{beside_each_other, settle};
pub use restore::{Restored, Span, restore};
pub use stopped::Stopped;
pub use store::{Store, folder_of, stores};
pub use trouble::StoreError;

/// Does what plans have of archives.
pub struct Archiver<'a> {
    server: &'a Server,
    renderer: Renderer,
    pace: Arc<Pace>,
    listed: Arc<Listed>,
    /// Whether it was said that there is one session only.
    said: bool,
    /// The stores that were tidied.
    tidied: BTreeSet<String>,
}

impl<'a> Archiver<'a> {
    /// One for a database, that asks no more of it than that.
    pub fn new(server: &'a Server, load: Load) -> Self {
        // Where one session is all there is, one chunk may have all the memory.
        let alone = Load { jobs: 1, ..load };
        let pace = Arc::new(Pace::new(if server.single_session { alone } else { load }));
        let said = !server.single_session || load.jobs <= 1;
        Self { server, renderer: Renderer::new(), pace, listed: Arc::default(), said, tidied: BTreeSet::new() }
    }

    /// Removes what runs that were cut off have left unfinished, before this one begins with anything there: whoever works
    /// has the database's lock, and it is in the database's own part of the store. What cannot be removed is no harm.
    fn tidy(&mut self, task: &Task, tell: &mut dyn FnMut(&str)) {
        let Ok(Some(store)) = Store::of(|name| task.arguments.get(name)) else { return };
        if task.name != TASK || !self.tidied.insert(store.place()) {
            return;
        }
        let own = store::of_database((&self.server.system_identifier, &self.server.database));
        for name in store.unfinished(&own).unwrap_or_default() {
            if store.remove(&name).is_ok() {
                tell(&format!("removed {}, which a run that was cut off has left", store.shown(&name)));
            }
        }
    }
}

/// Archives ranges on a session of its own.
struct OnItsOwn {
    session: Session,
    server: Server,
    renderer: Renderer,
    pace: Arc<Pace>,
    listed: Arc<Listed>,
}

impl Worker for OnItsOwn {
    fn carry_out(
        &mut self,
        task: &Task,
        meeting: &Meeting,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), StepOutcome> {
        let Self { session, server, renderer, pace, listed } = self;
        let (range, meeting) = (range::Range::read(task)?, Some(meeting));
        Ok(range::Work { range, server, session, interrupt, tell, renderer, pace, listed, meeting }.carry_out()?)
    }
}

impl Tasks for Archiver<'_> {
    fn carry_out(
        &mut self,
        _action: &Action,
        task: &Task,
        session: &mut Session,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), StepOutcome> {
        if task.name == archive_store::TASK {
            return Ok(expire::expire(task, self.server, interrupt, tell)?);
        }
        if task.name != TASK {
            return Err(StepOutcome::Failed(PgError::protocol(format!("nobody knows the work `{}`", task.name))));
        }
        self.tidy(task, tell);
        let range = range::Range::read(task)?;
        let Self { server, renderer, pace, listed, .. } = self;
        let meeting = None;
        Ok(range::Work { range, server, session, interrupt, tell, renderer, pace, listed, meeting }.carry_out()?)
    }

    fn workers(
        &mut self,
        tasks: &[&Task],
        session: &mut Session,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Vec<Box<dyn Worker>>, StepOutcome> {
        if tasks.iter().any(|task| task.name != TASK) {
            return Ok(Vec::new());
        }
        self.pace.begin(tasks);
        tasks.iter().for_each(|task| self.tidy(task, tell));
        if !std::mem::replace(&mut self.said, true) {
            tell("this server has one session: one chunk is archived after another, whatever --jobs says");
        }
        let jobs = self.pace.jobs().min(tasks.len());
        let mut workers: Vec<Box<dyn Worker>> = Vec::new();
        for _ in 0..if jobs > 1 { jobs } else { 0 } {
            let mut session = connect(session)?;
            session.pin().map_err(|error| StepOutcome::from(Stopped::from(error)))?;
            interrupt.arm(session.canceller());
            let (server, renderer) = (self.server.clone(), Renderer::new());
            let (pace, listed) = (Arc::clone(&self.pace), Arc::clone(&self.listed));
            workers.push(Box::new(OnItsOwn { session, server, renderer, pace, listed }));
        }
        Ok(workers)
    }
}

/// Another session where one is.
fn connect(session: &Session) -> Result<Session, StepOutcome> {
    let refused = |failure: Failure| {
        let said: Vec<String> = failure.0.into_iter().map(|said| said.message).collect();
        let why = format!("there is no session for another of --jobs: {}", said.join("; "));
        StepOutcome::from(Stopped::Refused(why))
    };
    Session::connect(session.endpoint()).map_err(refused)
}

/// Why tables of a plan cannot be archived: every column whose values no file could give back. One
/// query, and none for a plan that archives nothing.
///
/// # Errors
/// What the server says.
pub fn refusals(session: &mut Session, plan: &Plan) -> Result<Vec<Diagnostic>, Failure> {
    let archives =
        |action: &&Action| action.steps.iter().any(|step| step.task.as_ref().is_some_and(|task| task.name == TASK));
    let tables: BTreeMap<QualifiedName, &Action> =
        plan.actions.iter().filter(archives).filter_map(|action| Some((action.on.clone()?, action))).collect();
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<QualifiedName> = tables.keys().cloned().collect();
    let rows = session.query(&Facts::query(&names)).map_err(|error| error.diagnostic("reading the columns"))?;
    let mut facts: BTreeMap<QualifiedName, Vec<Facts>> = BTreeMap::new();
    for row in &rows {
        let read = || Ok((QualifiedName::new(row.text("schema")?, row.text("relation")?), Facts::of_row(row)?));
        let (table, fact) = read().map_err(|error: RowError| {
            Failure::from(Diagnostic::error(&code::CATALOG_UNEXPECTED, error.to_string()))
        })?;
        facts.entry(table).or_default().push(fact);
    }
    let mut found = Vec::new();
    for (table, facts) in &facts {
        for error in columns::decide(facts, &BTreeSet::new()).err().into_iter().flatten() {
            let diagnostic = Diagnostic::error(&NOT_KEPT, format!("{table}: {error}"))
                .why("an archive that cannot give a value back as it was is none")
                .help("change the column's type, or take the `archive` section out");
            let source = tables.get(table).and_then(|action| action.source.as_ref());
            found.push(match source {
                Some(source) => diagnostic.at(&source.place()),
                None => diagnostic,
            });
        }
    }
    Ok(found)
}

/// A chunk in a store.
#[derive(Clone, Debug)]
pub struct Entry {
    store: Store,
    /// Its manifest's name in the store.
    pub name: String,
    /// What that says.
    pub manifest: Manifest,
    /// Whether all of it was archived again later, and counts no more: once [`settle`] has said so.
    pub superseded: bool,
    /// What of it was archived again later, where the rest counts.
    pub left_out: Vec<Part>,
}

/// A manifest that cannot be trusted.
#[derive(Clone, Debug)]
pub struct Damaged {
    /// Its name in the store.
    pub name: String,
    /// As it is named to people.
    pub shown: String,
    /// Why.
    pub error: ArchiveError,
}

/// What is in a store.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Every chunk, in the order of tables and time.
    pub entries: Vec<Entry>,
    /// Manifests that cannot be trusted.
    pub damaged: Vec<Damaged>,
    /// The names of data files that have no manifest, in their order.
    pub unsealed: Vec<String>,
    /// Those of unfinished files: a run is at work now, or was cut off.
    pub unfinished: Vec<String>,
    /// The name of every manifest, in their order.
    names: BTreeSet<String>,
}

/// Looks through a store. One that does not exist is empty.
///
/// # Errors
/// What the file system or the bucket's server says.
pub fn contents(store: &Store) -> Result<Contents, StoreError> {
    // A manifest comes after its file: what has none now is not one that has just been written.
    let files = store.data_files()?;
    let mut contents = contents_of(store, "")?;
    let is_sealed = |name: &String| store::manifest_of(name).is_some_and(|manifest| contents.names.contains(&manifest));
    contents.unsealed = files.into_iter().filter(|name| !is_sealed(name)).collect();
    contents.unfinished = store.unfinished("")?;
    Ok(contents)
}

/// Looks through a part of a store.
///
/// # Errors
/// What the file system or the bucket's server says.
fn contents_of(store: &Store, below: &str) -> Result<Contents, StoreError> {
    Ok(read_manifests(store, store.manifests(below)?))
}

/// What manifests of a store say.
fn read_manifests(store: &Store, manifests: Vec<(String, Vec<u8>)>) -> Contents {
    let mut contents = Contents::default();
    for (name, bytes) in manifests {
        contents.names.insert(name.clone());
        match Manifest::of_bytes(&bytes).and_then(|manifest| in_its_place(&name, manifest)) {
            Ok(manifest) => {
                contents.entries.push(Entry {
                    store: store.clone(),
                    name,
                    manifest,
                    superseded: false,
                    left_out: Vec::new(),
                });
            }
            Err(error) => contents.damaged.push(Damaged { shown: store.shown(&name), name, error }),
        }
    }
    let order = |entry: &Entry| {
        let start = entry.manifest.range.as_ref().map(|range| range.start.raw);
        (entry.manifest.database.clone(), entry.manifest.relation.clone(), start, entry.manifest.chunk.clone())
    };
    contents
        .entries
        .sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.manifest.taken_at.cmp(&b.manifest.taken_at)));
    contents
}

/// A manifest is beside the file that it is of, which bears the same name. One that is elsewhere was put there
/// by somebody.
fn in_its_place(name: &str, manifest: Manifest) -> Result<Manifest, ArchiveError> {
    let own = name.rsplit_once('/').map_or(name, |(_, own)| own).trim_end_matches(store::MANIFEST);
    let file = manifest.file.name.as_str();
    let of_file = file.strip_suffix(store::SEALED).unwrap_or(file).trim_end_matches(store::DATA);
    if own == of_file {
        return Ok(manifest);
    }
    let why = format!("it is the manifest of {} ({}), under another's name", manifest.chunk, manifest.file.name);
    Err(ArchiveError::Manifest { why })
}

impl Contents {
    /// Only those of a table, and only what overlaps a span. Which time a file without a manifest is of, nobody tells; of
    /// which one is whose manifest cannot be trusted, its name does, if anything.
    #[must_use]
    pub fn of(mut self, table: Option<&QualifiedName>, span: &Span) -> Self {
        self.unsealed.retain(|name| table.is_none_or(|table| store::is_of(name, table)));
        self.unfinished.retain(|name| table.is_none_or(|table| store::is_of(name, table)));
        let is_in = |name: &str| store::range_of(name).is_none_or(|(start, end)| span.overlaps(start, end));
        self.damaged.retain(|of| table.is_none_or(|table| store::is_of(&of.name, table)) && is_in(&of.name));
        self.entries.retain(|entry| {
            let manifest = &entry.manifest;
            table.is_none_or(|table| *table == manifest.relation)
                && manifest.range.as_ref().is_none_or(|range| span.overlaps(range.start.raw, range.end.raw))
        });
        self
    }

    /// Whether any manifest has a name that begins so.
    pub fn has(&self, beginning: &str) -> bool {
        known::begins(&self.names, beginning)
    }
}

/// Why an archived file cannot be had.
#[derive(Debug)]
pub enum Unsound {
    /// It is not there, or is not what it was.
    Archive(ArchiveError),
    /// Nobody can tell: the store is at fault.
    Store(StoreError),
}

impl From<ArchiveError> for Unsound {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<StoreError> for Unsound {
    fn from(error: StoreError) -> Self {
        let is_of_one_file = error.is_of_one_file();
        match error {
            StoreError::Folder(error) => Self::Archive(error.into()),
            StoreError::Sealed(error @ ArchiveError::Corrupt { .. }) => Self::Archive(error),
            // Told with what helps.
            error @ StoreError::Sealed(_) => Self::Store(error),
            error if is_of_one_file => Self::Archive(ArchiveError::Io { message: error.to_string(), full: false }),
            error => Self::Store(error),
        }
    }
}

impl From<Unsound> for Stopped {
    fn from(unsound: Unsound) -> Self {
        match unsound {
            Unsound::Archive(error) => error.into(),
            Unsound::Store(error) => error.into(),
        }
    }
}

impl PartialEq for Entry {
    /// The same copy, of which the same counts.
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
            && (&self.name, &self.manifest) == (&other.name, &other.manifest)
            && (self.superseded, &self.left_out) == (other.superseded, &other.left_out)
    }
}

impl Entry {
    /// Its data file's name in the store.
    fn data(&self) -> String {
        let folder = self.name.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{}", self.manifest.file.name)
    }

    /// Its data file as it is named to people.
    pub fn file(&self) -> String {
        self.store.shown(&self.data())
    }

    /// Opens its data file, to read all of it, if it is byte for byte the one that was written.
    ///
    /// # Errors
    /// When it is not there, is none or is another.
    pub fn open(&self) -> Result<Archive<DataFile>, Unsound> {
        let file = self.store.open(&self.data(), self.manifest.file.key_id.as_deref())?;
        verify::same_file(&file, &self.manifest)?;
        Ok(Archive::open(file)?)
    }

    /// Opens its data file, to look at a little of it.
    ///
    /// # Errors
    /// When it is not there or is none.
    pub fn look_into(&self) -> Result<Archive<DataFile>, Unsound> {
        let file = self.store.look_into(&self.data(), self.manifest.file.key_id.as_deref())?;
        let archive = Archive::open(file)?;
        verify::same_chunk(&archive, &self.manifest)?;
        Ok(archive)
    }

    /// Whether a row of a time was archived again since, as the server shows that time.
    pub fn is_left_out(&self, time: Option<&str>) -> bool {
        let end = |bound: &Bound| Some((bound.text.clone(), Moment(bound.raw)));
        self.left_out.iter().any(|part| Span { from: end(&part.start), until: end(&part.end) }.has(time))
    }

    /// Where its store is.
    pub fn place(&self) -> String {
        self.store.place()
    }

    /// Proves it: every byte hashed, and every value read and compared with what was read from the
    /// table.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verify(&self, threads: usize) -> Result<(), Unsound> {
        verify::verify(self.store.open(&self.data(), self.manifest.file.key_id.as_deref())?, &self.manifest, threads)?;
        Ok(())
    }
}
