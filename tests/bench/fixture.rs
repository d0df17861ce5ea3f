//! Databases of a chosen size, and the policies that describe them exactly: with these, a plan has
//! everything to look at and nothing to do.

use std::fs;
use std::path::{Path, PathBuf};

use postgres::{Client, NoTls};
use tempfile::TempDir;

use crate::servers::{Db, Servers, Tier, explain};

/// How many tables one transaction makes: each of their chunks and indexes holds a lock until it ends.
const BATCH: usize = 20;

/// What a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixture {
    /// How many tables.
    pub tables: usize,
    /// How many chunks each has, of which three in ten are compressed; none for plain tables.
    pub chunks: Option<usize>,
}

impl Fixture {
    /// Plain tables.
    pub const fn plain(tables: usize) -> Self {
        Self { tables, chunks: None }
    }

    /// Hypertables with so many chunks each.
    pub const fn hypertables(tables: usize, chunks: usize) -> Self {
        Self { tables, chunks: Some(chunks) }
    }

    /// How many resources the policies describe.
    pub fn resources(&self) -> usize {
        let a_table = ["hypertable", "columnstore", "retention", "index", "storage"].len();
        if self.chunks.is_some() { self.tables * a_table } else { self.tables * 2 }
    }

    /// For people.
    pub fn title(&self) -> String {
        match self.chunks {
            Some(chunks) => format!("{} hypertables, {} chunks", grouped(self.tables), grouped(self.tables * chunks)),
            None => format!("{} plain tables", grouped(self.tables)),
        }
    }

    fn name(&self) -> String {
        format!("chronoform_bench_{}_{}", self.tables, self.chunks.map_or("plain".to_owned(), |n| n.to_string()))
    }

    /// The statements that make one table. The jobs start in a far future, so that none runs while
    /// time is taken.
    fn table(&self, number: usize) -> String {
        let table = format!("public.t{number:05}");
        let mut sql = format!(
            "CREATE TABLE {table} (time timestamptz NOT NULL, symbol text NOT NULL, price double precision,
                size bigint, venue text, flags integer, note text, seq bigint);
            CREATE INDEX {} ON {table} {};
            ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02);\n",
            index_name(number),
            if is_partial(number) {
                "(symbol, time DESC) WHERE price > 0 AND note IS NOT NULL"
            } else {
                "(symbol, time DESC)"
            },
        );
        if let Some(chunks) = self.chunks {
            sql.push_str(&format!(
                "SELECT public.create_hypertable('{table}', public.by_range('time', INTERVAL '1 day'));
                ALTER TABLE {table} SET (timescaledb.compress, timescaledb.compress_segmentby = 'symbol',
                    timescaledb.compress_orderby = 'time DESC');
                SELECT public.add_compression_policy('{table}', compress_after => INTERVAL '7 days',
                    initial_start => '2100-01-01 00:00:00+00');
                SELECT public.add_retention_policy('{table}', drop_after => INTERVAL '90 days',
                    initial_start => '2100-01-01 00:00:00+00');
                INSERT INTO {table} (time, symbol, price)
                    SELECT timestamptz '2026-01-01 00:00:00+00' + n * INTERVAL '1 day', 'ABC', n
                      FROM generate_series(0, {}) AS n;
                SELECT public.compress_chunk(chunk)
                  FROM public.show_chunks('{table}', older_than => timestamptz '2026-01-01 00:00:00+00'
                           + {} * INTERVAL '1 day') AS chunk;\n",
                chunks - 1,
                chunks * 3 / 10,
            ));
        }
        sql
    }

    /// The policy that says what [`Fixture::table`] makes. One index in ten has a predicate, written
    /// otherwise than the server shows it.
    fn policy(&self, number: usize) -> String {
        let timescale = "\
hypertable: {time_column: time, chunk_interval: 1 day}
columnstore: {after: 7 days, segment_by: [symbol], order_by: [time desc]}
retention: {drop_after: 90 days}
";
        format!(
            "# Ticks, kept for a quarter.
kind: table
name: public.t{number:05}
labels: {{domain: trading, owner: team-{}}}
{}indexes:
  - name: {}
    columns: [symbol, time desc]
{}storage:
  autovacuum_vacuum_scale_factor: 0.02
",
            number % 7,
            if self.chunks.is_some() { timescale } else { "" },
            index_name(number),
            if is_partial(number) { "    where: price>0 and note is not null\n" } else { "" },
        )
    }
}

fn index_name(number: usize) -> String {
    format!("ix_t{number:05}_symbol_time")
}

fn is_partial(number: usize) -> bool {
    number.is_multiple_of(10)
}

/// A database made so, and a folder with its policies and its ledger.
pub struct Site {
    /// What it holds.
    pub fixture: Fixture,
    /// The server, in words.
    pub server: String,
    database: Database,
    folder: TempDir,
}

enum Database {
    /// Dropped with this value.
    Own(Db),
    /// Left for the next run.
    Kept(String),
}

impl Site {
    /// Makes it, or takes what an earlier run has kept.
    pub fn new(fixture: Fixture, tier: Tier, servers: &Servers, keep: bool) -> Result<Self, String> {
        let server = servers.server(tier)?;
        let database = if keep && !tier.single_session() {
            Database::Kept(kept(&fixture, &server.url)?)
        } else {
            let db = servers.db(tier)?;
            fill(&fixture, db.url())?;
            Database::Own(db)
        };
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let site = Self { fixture, server: server.description, database, folder };
        write_policies(&fixture, &site.policies())?;
        Ok(site)
    }

    /// The database's URL.
    pub fn url(&self) -> &str {
        match &self.database {
            Database::Own(db) => db.url(),
            Database::Kept(url) => url,
        }
    }

    /// The folder that commands run in.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of the policies.
    pub fn policies(&self) -> PathBuf {
        self.path().join("policies")
    }
}

/// Writes a policy file for each table.
pub fn write_policies(fixture: &Fixture, folder: &Path) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(wrong)?;
    for number in 0..fixture.tables {
        fs::write(folder.join(format!("t{number:05}.yaml")), fixture.policy(number)).map_err(wrong)?;
    }
    Ok(())
}

/// A database that stays: its comment says that it is complete.
fn kept(fixture: &Fixture, server: &str) -> Result<String, String> {
    let name = fixture.name();
    let url = with_database(server, &name);
    let wrong = |error: postgres::Error| explain(&error);
    let mut admin = Client::connect(server, NoTls).map_err(wrong)?;
    let sql = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1";
    let found: Option<Option<String>> = admin.query_opt(sql, &[&name]).map_err(wrong)?.map(|row| row.get(0));
    let complete = format!("{:x}", digest(fixture));
    if found.flatten().as_deref() == Some(complete.as_str()) {
        return Ok(url);
    }
    admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).map_err(wrong)?;
    admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).map_err(wrong)?;
    if fixture.chunks.is_some() {
        let mut client = Client::connect(&url, NoTls).map_err(wrong)?;
        client.batch_execute("CREATE EXTENSION timescaledb").map_err(wrong)?;
    }
    fill(fixture, &url)?;
    admin.batch_execute(&format!("COMMENT ON DATABASE {name} IS '{complete}'")).map_err(wrong)?;
    Ok(url)
}

/// Changes with whatever the fixture is made of.
fn digest(fixture: &Fixture) -> u64 {
    let text = format!("{}{}", fixture.table(0), fixture.table(1));
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn with_database(url: &str, name: &str) -> String {
    let (place, query) = url.split_once('?').map_or((url, None), |(place, query)| (place, Some(query)));
    let authority = place.rsplit_once('/').map_or(place, |(authority, _)| authority);
    format!("{authority}/{name}{}", query.map(|query| format!("?{query}")).unwrap_or_default())
}

fn fill(fixture: &Fixture, url: &str) -> Result<(), String> {
    let wrong = |error: postgres::Error| format!("making {}: {}", fixture.title(), explain(&error));
    eprintln!("making {} …", fixture.title());
    let mut client = Client::connect(url, NoTls).map_err(wrong)?;
    for first in (0..fixture.tables).step_by(BATCH) {
        let last = (first + BATCH).min(fixture.tables);
        let sql: String = (first..last).map(|number| fixture.table(number)).collect();
        client.batch_execute(&sql).map_err(wrong)?;
    }
    // What autovacuum would have done by the time that anybody plans.
    client.batch_execute("VACUUM ANALYZE").map_err(wrong)
}

/// A number with commas between thousands.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
