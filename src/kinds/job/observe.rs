//! User-defined actions as the catalog has them. The catalog keeps no name that a policy could go
//! by: which of them is whose is told by [`super::identity`].

use crate::core::{Address, JsonText, Live, Param, QualifiedName, Query, Row, RowError, Server, Value};
use crate::kinds::{Scope, schedule};

/// The one query; nothing to ask where no policy and no ledger speaks of a job.
pub fn query(server: &Server, scope: &Scope) -> Option<Query> {
    scope.globals.get(super::ID.as_str()).filter(|names| !names.is_empty())?;
    let version = server.timescale_version()?;
    let number = i64::from(version.major) * 100 + i64::from(version.minor);
    let sql = super::on_server(include_str!("observe.sql"), server);
    Some(Query { sql, params: vec![Param::Int(number)] })
}

/// The resource in each row, by its number: [`super::identity`] gives it its policy's name.
///
/// # Errors
/// When a row is not as the query gives it.
pub fn read(rows: &[Row]) -> Result<Vec<Live>, RowError> {
    rows.iter().map(read_one).collect()
}

fn read_one(row: &Row) -> Result<Live, RowError> {
    let id = row.int("job_id")?;
    let mut live = Live::new(Address::global(super::ID, id.to_string()), None);
    live.set("procedure", Value::Name(QualifiedName::new(row.text("proc_schema")?, row.text("proc_name")?)));
    if let Some(config) = row.maybe_text("config")? {
        // A document that cannot be read here is compared as the text that it is: with no policy's.
        let json = JsonText::parse(config).map_or_else(|| Value::text(config), Value::Json);
        live.set("config", json);
    }
    if let (Some(schema), Some(name)) = (row.maybe_text("check_schema")?, row.maybe_text("check_name")?)
        && !name.is_empty()
    {
        live.set("check_config", Value::Name(QualifiedName::new(schema, name)));
    }
    if row.int("version")? >= i64::from(super::NAMED.major) * 100 + i64::from(super::NAMED.minor) {
        live.set("job_name", Value::text(given_name(row.text("application_name")?, id)));
    }
    schedule::read_job(row, &mut live)?;
    live.set("schedule.fixed", row.bool("fixed_schedule")?);
    for fact in ["owned", "procedure_exists"] {
        live.set_fact(fact, row.bool(fact)?);
    }
    live.set_fact("owner", Value::text(row.text("owner")?));
    Ok(live)
}

/// The name that the job was given: the server adds the job's number.
fn given_name(application_name: &str, id: i64) -> &str {
    application_name.strip_suffix(&format!(" [{id}]")).unwrap_or(application_name)
}
