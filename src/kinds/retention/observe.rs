//! Retention policies as the catalog has them.

use crate::core::{Address, Live, QualifiedName, Query, Row, RowError, Server, Value};
use crate::kinds::{KnownAs, Relations, Scope, View, job, schedule};

/// The one query; nothing to ask without hypertables.
pub fn query(server: &Server, scope: &Scope) -> Option<Query> {
    (!scope.hypertables.is_empty()).then(|| Query {
        sql: job::on_server(include_str!("observe.sql"), server),
        params: vec![scope.hypertable_ids()],
    })
}

/// The resource in each row.
///
/// # Errors
/// When a row is not as the query gives it.
pub fn read(rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError> {
    let known = KnownAs::new(relations);
    rows.iter().map(|row| read_one(row, &known)).collect()
}

fn read_one(row: &Row, known: &KnownAs<'_>) -> Result<Live, RowError> {
    let on = known.name(QualifiedName::new(row.text("schema")?, row.text("name")?));
    if row.bool("of_somebody")? {
        return Ok(somebodys(&on, row.int("job_id")?));
    }
    let mut live = Live::new(Address::in_schema(super::ID, &on), Some(on));
    // One of them only: the server goes by the creation of chunks where the job has both.
    if let Some(interval) = row.maybe_interval("drop_created_before")? {
        live.set("drop_created_before", interval);
    } else if let Some(interval) = row.maybe_interval("drop_after")? {
        live.set("drop_after", interval);
    } else if let Some(number) = row.maybe_int("drop_after_integer")? {
        live.set("drop_after", number);
    }
    schedule::read_job(row, &mut live)?;
    Ok(live)
}

/// The beginning of the names of [`somebodys`] jobs on a relation.
fn beside(on: &QualifiedName) -> Address {
    Address { name: format!("{} (job ", on.name), ..Address::in_schema(super::ID, on) }
}

/// A job that drops chunks of a relation beside its policy. The server does not take it for one, and
/// no policy manages it; it is here to be warned of.
fn somebodys(on: &QualifiedName, id: i64) -> Live {
    let mut address = beside(on);
    address.name.push_str(&format!("{id})"));
    let mut live = Live::new(address, Some(on.clone()));
    live.set_fact("somebodys", id);
    live.system = true;
    live
}

/// The ids of such jobs.
pub fn jobs_beside<'a>(on: &QualifiedName, view: &View<'a>) -> impl Iterator<Item = &'a Value> {
    let first = beside(on);
    let beginning = first.clone();
    let near = view.live.range(first..).take_while(move |(address, _)| {
        address.kind == beginning.kind
            && address.schema == beginning.schema
            && address.name.starts_with(&beginning.name)
    });
    near.filter_map(|(_, live)| live.fact("somebodys"))
}
