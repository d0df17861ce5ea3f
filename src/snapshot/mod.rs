//! The live database as resources, read in one REPEATABLE READ READ ONLY transaction, with a
//! number of queries that does not depend on the number of objects.

mod canon;
mod coming;
mod discover;
mod present;
mod queries;
mod relations;
mod server;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::thread;

use crate::core::{Address, Applied, Bytes, Desired, KindId, Live, Param, QualifiedName, Query, Row, RowError, Server};
use crate::diag::{Diagnostic, Failure, code};
use crate::diff::Diff;
use crate::kinds::{Canon, Kind, Relation, Relations, Scope, Stored, View, by_id, chunks};
use crate::pg::{Answer, PgError, PgErrorKind, Session};

pub use discover::{Choice, Found, discover};
pub use server::{OLDEST_POSTGRES, OLDEST_TIMESCALEDB};
pub use written::{Told, written};

/// Compiling a catalog query, or starting workers for it, takes longer than the query: the planner
/// knows neither how few of the rows are in scope nor that they are all in memory. That the planner may
/// exclude a table by its conditions alone is how `canon.rs` learns what is immutable. The savepoint is
/// for what an author wrote and the server may refuse: see `canon.rs`. It cannot be made together
/// with that, since nothing of a text that does not parse is run.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const SETTINGS: &str = "SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL constraint_exclusion = on; \
    SAVEPOINT canon";

/// What a snapshot looks at: names of relations, and of whole-database objects by kind.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Relations.
    pub relations: BTreeSet<QualifiedName>,
    /// Whole-database objects.
    pub globals: BTreeMap<String, Vec<String>>,
    /// What has a container in place of a schema, by kind.
    pub contained: BTreeMap<String, Vec<(String, String)>>,
    /// The kinds of all of these.
    pub kinds: BTreeSet<KindId>,
    /// Whether what is found is to be written as policies: see [`Scope::export`].
    pub export: bool,
}

impl Names {
    /// Adds what an address and its relation name.
    pub fn add(&mut self, address: &Address, on: Option<&QualifiedName>) {
        self.kinds.insert(address.kind.clone());
        match (on, &address.schema) {
            (Some(on), _) => {
                self.relations.insert(on.clone());
            }
            (None, None) => {
                self.globals.entry(address.kind.to_string()).or_default().push(address.name.clone());
            }
            (None, Some(container)) => {
                let contained = self.contained.entry(address.kind.to_string()).or_default();
                contained.push((container.clone(), address.name.clone()));
            }
        }
    }
}

/// The live database, as one moment shows it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The server.
    pub server: Server,
    /// The relations in scope.
    pub relations: Relations,
    /// Every resource in scope.
    pub live: BTreeMap<Address, Live>,
    /// The canonical form of every expression that was asked for.
    pub canon: Canon,
}

impl Snapshot {
    /// What kinds see of it, beside the desired side.
    pub fn view<'a>(&'a self, desired: &'a BTreeMap<Address, Desired>) -> View<'a> {
        View { server: &self.server, relations: &self.relations, live: &self.live, desired, canon: &self.canon }
    }
}

/// Opens the transaction in which everything is read, and asks the server what it is. The
/// transaction stays open for [`take`] and [`weigh`]; [`finish`] ends it.
///
/// # Errors
/// A server too old, a pooler that takes no transactions, or a lost connection.
pub fn open(session: &mut Session) -> Result<Server, Failure> {
    if let Err(error) = session.begin_pinned(BEGIN, SETTINGS) {
        return Err(match error.kind {
            PgErrorKind::Lost if ends_at_begin(session) => no_transactions().into(),
            _ => error.diagnostic("opening the snapshot").into(),
        });
    }
    server::read(session)
}

/// Whether another connection answers, and also ends at its first BEGIN: so does PgBouncer in statement
/// mode, and its reason is lost with the connection.
fn ends_at_begin(session: &Session) -> bool {
    let Ok(mut again) = Session::connect(session.endpoint()) else { return false };
    again.query_text("SELECT 1 AS one").is_ok()
        && matches!(again.batch("BEGIN"), Err(error) if error.kind == PgErrorKind::Lost || error.is_refused_by_pooler())
}

fn no_transactions() -> Diagnostic {
    Diagnostic::error(
        &code::TRANSACTION_POOLING,
        "the connection ends at BEGIN: it goes through a pooler for single statements",
    )
    .help("connect to the server itself, or to a pool of PgBouncer with `pool_mode = session`")
}

/// Who knows of what is live and in no database, such as a repository of backups.
pub trait Outside {
    /// The resources of the policies that are there. `inside` is what the database told.
    ///
    /// # Errors
    /// When somewhere cannot be looked at.
    fn look(
        &mut self,
        server: &Server,
        desired: &BTreeMap<Address, Desired>,
        inside: &BTreeMap<Address, Live>,
    ) -> Result<Vec<Live>, Failure>;
}

/// Nobody has looked anywhere but into the database.
pub struct OnlyInside;

impl Outside for OnlyInside {
    fn look(
        &mut self,
        _server: &Server,
        _desired: &BTreeMap<Address, Desired>,
        _inside: &BTreeMap<Address, Live>,
    ) -> Result<Vec<Live>, Failure> {
        Ok(Vec::new())
    }
}

/// Looks at everything that is named.
///
/// # Errors
/// A lost connection, or a catalog that is not as expected.
pub fn take(
    session: &mut Session,
    server: Server,
    names: &Names,
    (desired, applied): (&BTreeMap<Address, Desired>, &BTreeMap<Address, Applied>),
    outside: &mut dyn Outside,
) -> Result<Snapshot, Failure> {
    let mut relations = relations::read(session, &server, &names.relations)?;
    present::ask(session, &mut relations)?;
    let scope = scope(&relations, names);
    let mut live = observe(session, &server, &scope, &relations, (desired, applied))?;
    let beside = outside.look(&server, desired, &live)?;
    live.extend(beside.into_iter().map(|resource| (resource.address.clone(), resource)));
    let mut canon = canon::settle(session, desired, &live, applied, &relations)?;
    let rest = queries::settle(session, desired, &live, applied, &relations, &mut canon)?;
    coming::settle(session, desired, &live, &mut relations, &mut canon, rest)?;
    canon::settle_to_come(session, desired, &relations, &mut canon)?;
    Ok(Snapshot { server, relations, live, canon })
}

/// Asks each kind's query. What one has brought is read while the server answers the next.
fn observe(
    session: &mut Session,
    server: &Server,
    scope: &Scope,
    relations: &Relations,
    (desired, applied): (&BTreeMap<Address, Desired>, &BTreeMap<Address, Applied>),
) -> Result<BTreeMap<Address, Live>, Failure> {
    let read = |brought: mpsc::Receiver<(&dyn Kind, Answer)>| -> Result<_, Failure> {
        let mut live = BTreeMap::new();
        for (kind, answer) in brought {
            let rows = answer.rows().map_err(|error| error.diagnostic(&reading(kind)))?;
            let found = kind.read(&rows, relations).map_err(|error| unexpected(&kind.id(), &error))?;
            let found = kind.identify(found, desired, applied);
            live.extend(found.into_iter().map(|resource| (resource.address.clone(), resource)));
        }
        Ok(live)
    };
    thread::scope(|threads| {
        let (bring, brought) = mpsc::channel();
        let reader = threads.spawn(move || read(brought));
        let mut asked = Ok(());
        for kind in crate::kinds::all() {
            let answer = match kind.observe_wanted(server, scope, desired, relations) {
                Some(query) => session.ask(&query),
                None => Ok(Answer::default()),
            };
            match answer {
                // Nobody listens any more where something before this could not be read.
                Ok(answer) => _ = bring.send((*kind, answer)),
                Err(error) => {
                    asked = Err(error.diagnostic(&reading(*kind)));
                    break;
                }
            }
        }
        drop(bring);
        let live = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(asked.map(|()| live)?)
    })
}

fn reading(kind: &dyn Kind) -> String {
    format!("reading each {}", kind.title())
}

/// The canonical form of the expressions in policies that were made only after the snapshot was
/// taken, in its still open transaction: those that differ from what is live.
///
/// # Errors
/// A lost connection.
pub fn canon(
    session: &mut Session,
    snapshot: &Snapshot,
    desired: &BTreeMap<Address, Desired>,
) -> Result<Canon, Failure> {
    canon::settle(session, desired, &snapshot.live, &BTreeMap::new(), &snapshot.relations)
}

fn scope(relations: &Relations, names: &Names) -> Scope {
    let mut oids: Vec<u32> = relations.values().map(|relation| relation.oid).collect();
    oids.sort_unstable();
    let id = |relation: &Relation| Some((relation.oid, relation.hypertable.as_ref()?.id));
    let mut hypertables: Vec<(u32, i64)> = relations.values().filter_map(id).collect();
    hypertables.sort_unstable();
    let (globals, contained) = (names.globals.clone(), names.contained.clone());
    let aggregates = relations.values().any(|relation| relation.stored != Stored::Itself);
    Scope { oids, hypertables, aggregates, globals, contained, kinds: names.kinds.clone(), export: names.export }
}

/// Counts what the differences would touch: one query a kind that has any.
///
/// # Errors
/// A lost connection, or a refused query.
pub fn weigh(session: &mut Session, diff: &Diff, view: &View<'_>) -> Result<BTreeMap<KindId, Vec<Row>>, Failure> {
    let mut by_kind: BTreeMap<&KindId, Vec<&crate::core::Delta>> = BTreeMap::new();
    for delta in &diff.deltas {
        by_kind.entry(&delta.address.kind).or_default().push(delta);
    }
    let mut weights = BTreeMap::new();
    for (id, deltas) in by_kind {
        if let Some(kind) = by_id(id)
            && let Some(query) = kind.weigh(&deltas, view)
        {
            let rows = ask(session, &query, &format!("counting what changes to each {} would touch", kind.title()))?;
            weights.insert(id.clone(), rows);
        }
    }
    Ok(weights)
}

/// How much room tables take, with all that is below them: one query, which on a large database
/// takes a second, so ask only where somebody wants to know.
///
/// # Errors
/// A lost connection, or a refused query.
pub fn sizes(session: &mut Session, view: &View<'_>) -> Result<BTreeMap<QualifiedName, Bytes>, Failure> {
    let ids: Vec<Option<i64>> = view.relations.values().filter_map(|r| Some(Some(r.hypertable.as_ref()?.id))).collect();
    // Without TimescaleDB there is no catalog of chunks to ask.
    let sql = if view.server.timescaledb.is_some() {
        chunks::on_server(include_str!("sizes.sql"), "$2", view.server)
    } else {
        let none = "SELECT NULL::oid AS oid, NULL::oid AS compressed WHERE $2::bigint[] IS NULL";
        include_str!("sizes.sql").replace("{chunks}", none)
    };
    let oids = view.relations.values().map(|relation| relation.oid).collect();
    let rows = ask(session, &Query { sql, params: vec![Param::Oids(oids), Param::Ints(ids)] }, "measuring the tables")?;
    let of: BTreeMap<u32, &QualifiedName> =
        view.relations.values().map(|relation| (relation.oid, &relation.name)).collect();
    let mut sizes = BTreeMap::new();
    for row in &rows {
        let read = || Ok((row.oid("oid")?, row.int("bytes")?));
        let (oid, bytes) = read().map_err(|error| unexpected(&KindId::new("relation"), &error))?;
        if let (Some(name), Ok(bytes)) = (of.get(&oid), u64::try_from(bytes)) {
            sizes.insert((*name).clone(), Bytes(bytes));
        }
    }
    Ok(sizes)
}

/// Ends the snapshot's transaction.
///
/// # Errors
/// A lost connection.
pub fn finish(session: &mut Session) -> Result<(), Failure> {
    session.batch("COMMIT").map_err(|error| error.diagnostic("closing the snapshot").into())
}

fn ask(session: &mut Session, query: &Query, doing: &str) -> Result<Vec<Row>, Failure> {
    session.query(query).map_err(|error: PgError| error.diagnostic(doing).into())
}

fn unexpected(kind: &KindId, error: &RowError) -> Failure {
    let message = format!("the catalog of {kind} resources is not as this version knows it: {error}");
    let help = "the server may be newer than this version of Chronoform: upgrade it, or report the server's version";
    Diagnostic::error(&code::CATALOG_UNEXPECTED, message).help(help).into()
}
