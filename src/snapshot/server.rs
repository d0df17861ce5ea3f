//! Which server it is.

use crate::core::name::quote_identifier;
use crate::core::{Edition, Param, Query, Row, RowError, Server, Timescale, Version};
use crate::diag::{Diagnostic, Failure, code};
use crate::pg::Session;

/// The oldest PostgreSQL that is supported.
pub const OLDEST_POSTGRES: Version = Version::new(14, 0);

/// The oldest TimescaleDB that is supported: the first with `by_range` and `by_hash` is 2.13, and
/// per-chunk compression settings came with 2.14.
pub const OLDEST_TIMESCALEDB: Version = Version::new(2, 14);

/// Those of TimescaleDB's functions that are called by their names, in its schema: by what a plan does, by what is
/// asked to make one, and by the queries of aggregates. Another of such a name is taken where its types fit better.
const CALLED: [&str; 33] = [
    "add_columnstore_policy",
    "add_compression_policy",
    "add_continuous_aggregate_policy",
    "add_dimension",
    "add_job",
    "add_reorder_policy",
    "add_retention_policy",
    "alter_job",
    "by_hash",
    "by_range",
    "compress_chunk",
    "create_hypertable",
    "decompress_chunk",
    "delete_job",
    "disable_chunk_skipping",
    "drop_chunks",
    "enable_chunk_skipping",
    "first",
    "histogram",
    "last",
    "refresh_continuous_aggregate",
    "remove_columnstore_policy",
    "remove_compression_policy",
    "remove_reorder_policy",
    "remove_retention_policy",
    "set_chunk_time_interval",
    "set_integer_now_func",
    "set_number_partitions",
    "show_chunks",
    "time_bucket",
    "time_bucket_gapfill",
    "to_uuidv7_boundary",
    "uuid_timestamp",
];

pub(super) fn read(session: &mut Session) -> Result<Server, Failure> {
    let query = Query { sql: include_str!("server.sql").to_owned(), params: vec![Param::texts(CALLED)] };
    let rows = super::ask(session, &query, "asking the server what it is")?;
    let row = rows.first().ok_or_else(|| unknown("it gave no row"))?;
    let endpoint = session.endpoint();
    let server = from_row(row, &endpoint.host, endpoint.port).map_err(|error| unknown(&error.to_string()))?;
    check(&server)?;
    match row.maybe_text("overloads").map_err(|error| unknown(&error.to_string()))? {
        Some(overloads) => Err(overloaded(overloads, &server).into()),
        None => Ok(server),
    }
}

/// What is called by the name of a function of TimescaleDB's can be run in its place: the server takes that whose types
/// fit best, and TimescaleDB's are often of any type. So nothing is called at all.
fn overloaded(functions: &str, server: &Server) -> Diagnostic {
    let schema = server.timescaledb.as_ref().map_or("public", |timescale| timescale.schema.as_str());
    let message = format!("code of another role's could be run in the place of TimescaleDB's: {functions}");
    Diagnostic::error(&code::FOREIGN_OVERLOAD, message)
        .why(format!(
            "it has the name of a function of TimescaleDB's that is called, in the same schema, takes as many arguments, \
             and would be run with the rights of {}",
            server.user
        ))
        .help(format!(
            "look at it, and drop it or give it another schema or name, or connect as its owner; and let nobody else \
             create anything there: `REVOKE CREATE ON SCHEMA {} FROM PUBLIC`",
            quote_identifier(schema)
        ))
}

fn unknown(why: &str) -> Failure {
    Diagnostic::error(&code::CATALOG_UNEXPECTED, format!("the server does not say what it is: {why}")).into()
}

fn from_row(row: &Row, host: &str, port: u16) -> Result<Server, RowError> {
    let version_text = row.text("version_text")?.to_owned();
    let timescaledb = match row.maybe_text("timescaledb")? {
        Some(version) => Some(timescale(row, version)?),
        None => None,
    };
    Ok(Server {
        host: host.to_owned(),
        port,
        database: row.text("database")?.to_owned(),
        system_identifier: row.maybe_text("system_identifier")?.unwrap_or("unknown").to_owned(),
        database_oid: row.oid("database_oid")?,
        version: version_text.parse().unwrap_or_default(),
        version_text,
        timescaledb,
        timescaledb_available: row.bool("timescaledb_available")?,
        user: row.text("role")?.to_owned(),
        superuser: row.bool("superuser").unwrap_or(false),
        read_only: row.bool("standby")? || row.bool("read_only")?,
        single_session: row.bool("single_session")?,
        now_micros: row.int("now_micros")?,
    })
}

fn timescale(row: &Row, version: &str) -> Result<Timescale, RowError> {
    let license = row.maybe_text("license")?.unwrap_or_default().to_owned();
    let edition = match license.as_str() {
        "timescale" => Edition::Community,
        "apache" => Edition::Apache,
        _ => Edition::Unknown,
    };
    Ok(Timescale {
        version_text: version.to_owned(),
        version: version.parse().unwrap_or_default(),
        edition,
        license,
        schema: row.text("timescaledb_schema")?.to_owned(),
    })
}

/// Refuses what is too old, or whose version cannot be told: unknown is the worst case.
fn check(server: &Server) -> Result<(), Failure> {
    let too_old = |what: &str, have: &str, oldest: Version| {
        let message = format!("{what} {have} is older than Chronoform supports");
        let help = format!("upgrade to {what} {oldest} or newer");
        Failure::from(Diagnostic::error(&code::SERVER_TOO_OLD, message).help(help))
    };
    if server.version < OLDEST_POSTGRES {
        return Err(too_old("PostgreSQL", &server.version_text, OLDEST_POSTGRES));
    }
    match &server.timescaledb {
        Some(timescale) if timescale.version < OLDEST_TIMESCALEDB => {
            Err(too_old("TimescaleDB", &timescale.version_text, OLDEST_TIMESCALEDB))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(version: &str, timescaledb: Option<&str>) -> Server {
        Server {
            host: "h".into(),
            port: 1,
            database: "d".into(),
            system_identifier: "1".into(),
            database_oid: 1,
            version_text: version.into(),
            version: version.parse().unwrap_or_default(),
            timescaledb: timescaledb.map(|version| Timescale {
                version_text: version.into(),
                version: version.parse().unwrap_or_default(),
                edition: Edition::Unknown,
                license: String::new(),
                schema: "public".into(),
            }),
            timescaledb_available: true,
            user: "u".into(),
            superuser: false,
            read_only: false,
            single_session: false,
            now_micros: 0,
        }
    }

    /// Every template and every query of the kinds, with what each calls in the schema of TimescaleDB's functions.
    #[test]
    fn what_is_called_by_its_name_is_known() {
        let mut folders = vec![std::path::PathBuf::from("templates"), "src/kinds".into(), "src/snapshot".into()];
        let mut found = std::collections::BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "sql") {
                    let text = std::fs::read_to_string(&path).unwrap().replace("ts|ident }}.", "{ts}.");
                    let called = text.split("{ts}.").skip(1);
                    let name = |rest: &str| {
                        rest.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).next().map(str::to_owned)
                    };
                    found.extend(called.filter_map(name));
                }
            }
        }
        assert!(found.len() > 20, "{found:?}");
        found.retain(|name| !CALLED.contains(&name.as_str()));
        assert!(found.is_empty(), "not among those that are called: {found:?}");
    }

    #[test]
    fn a_server_too_old_or_unknown_is_refused() {
        assert!(check(&server("17.5", Some("2.23.0-dev"))).is_ok());
        assert!(check(&server("14.0", None)).is_ok());
        for (postgres, timescaledb) in
            [("13.20", None), ("devel", None), ("17.5", Some("2.13.9")), ("17.5", Some("next"))]
        {
            let failure = check(&server(postgres, timescaledb)).unwrap_err();
            assert_eq!(failure.0[0].code, &code::SERVER_TOO_OLD);
        }
    }
}
