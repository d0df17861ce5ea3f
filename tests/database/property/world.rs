//! A random schema: tables with names as people and migrations leave them, and what else policies
//! need to be there.

use serde_json::Value as Json;

use super::random::Random;
use crate::servers::Tier;

/// What names look like where nobody minds them.
const HOSTILE: [&str; 26] = [
    "select",
    "Table",
    "two words",
    "a.b",
    "quo\"te",
    "apo'strophe",
    "größe",
    "日本語",
    "semi;colon",
    "--",
    "{{ x }}",
    "back\\slash",
    "$$",
    "$1",
    "%I",
    "tab\there",
    "line\nbreak",
    ":colon",
    "#hash",
    "/* ",
    "null",
    "true",
    "007",
    " lead",
    "[0]",
    "~",
];

/// A name as SQL quotes it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL quotes it.
pub fn literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') { format!("E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

/// The type of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    Text,
    Bigint,
    Integer,
    Smallint,
    Float,
    Numeric,
    Boolean,
    Json,
    Array,
    Date,
    Timestamp,
    Timestamptz,
}

impl Type {
    const TIMES: [Self; 6] =
        [Self::Timestamptz, Self::Timestamp, Self::Date, Self::Smallint, Self::Integer, Self::Bigint];
    const OTHERS: [Self; 8] =
        [Self::Text, Self::Bigint, Self::Integer, Self::Float, Self::Numeric, Self::Boolean, Self::Json, Self::Array];

    /// As SQL writes it.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bigint => "bigint",
            Self::Integer => "integer",
            Self::Smallint => "smallint",
            Self::Float => "double precision",
            Self::Numeric => "numeric",
            Self::Boolean => "boolean",
            Self::Json => "jsonb",
            Self::Array => "text[]",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Timestamptz => "timestamptz",
        }
    }

    /// Whether a time of it is a whole number.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Smallint | Self::Integer | Self::Bigint)
    }

    /// The value of the row `i`.
    fn row(self) -> &'static str {
        match self {
            Self::Text => "'v' || i % 3",
            Self::Bigint | Self::Integer | Self::Numeric => "i",
            Self::Smallint => "(i * 7)::smallint",
            Self::Float => "i / 7.0",
            Self::Boolean => "i % 2 = 0",
            Self::Json => "jsonb_build_object('a', i)",
            Self::Array => "ARRAY['t' || i % 2]",
            Self::Date => "date '2026-01-01' + i",
            Self::Timestamp => "timestamp '2026-01-01' + i * INTERVAL '7 hours'",
            Self::Timestamptz => "timestamptz '2026-01-01 00:00+00' + i * INTERVAL '7 hours'",
        }
    }
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub of: Type,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    pub schema: String,
    pub name: String,
    /// The first is that of time.
    pub columns: Vec<Column>,
    /// How many rows it has.
    pub rows: usize,
    /// Whether it is a hypertable before any policy speaks of it.
    pub made: bool,
    /// The function that tells the time, where that is a whole number.
    pub now: Option<String>,
}

impl Table {
    /// The column of time.
    pub fn time(&self) -> &Column {
        &self.columns[0]
    }

    /// The columns beside that of time.
    pub fn others(&self) -> &[Column] {
        &self.columns[1..]
    }

    /// Its name as SQL and policies write it.
    pub fn full(&self) -> String {
        full(&self.schema, &self.name)
    }

    /// The statements that make it.
    fn sql(&self) -> String {
        let column = |column: &Column| {
            let fixed = if column.name == self.time().name { " NOT NULL" } else { "" };
            format!("{} {}{fixed}", quoted(&column.name), column.of.sql())
        };
        let columns: Vec<String> = self.columns.iter().map(column).collect();
        let mut sql = format!("CREATE TABLE {} ({});\n", self.full(), columns.join(", "));
        if self.made {
            let interval = if self.time().of.is_whole() { "100" } else { "INTERVAL '3 days'" };
            let (table, time) = (literal(&self.full()), literal(&self.time().name));
            sql += &format!("SELECT public.create_hypertable({table}, public.by_range({time}, {interval}));\n");
        }
        if let Some(now) = &self.now {
            let returns = self.time().of.sql();
            for name in [now.clone(), format!("{now}2")] {
                sql += &format!(
                    "CREATE FUNCTION {}() RETURNS {returns} LANGUAGE sql STABLE AS 'SELECT 3000::{returns}';\n",
                    full(&self.schema, &name)
                );
            }
        }
        if self.rows > 0 {
            let values: Vec<&str> = self.columns.iter().map(|column| column.of.row()).collect();
            let (table, values, last) = (self.full(), values.join(", "), self.rows - 1);
            sql += &format!("INSERT INTO {table} SELECT {values} FROM generate_series(0, {last}) AS i;\n");
        }
        sql
    }
}

/// A name in a schema, as SQL and policies write it.
pub fn full(schema: &str, name: &str) -> String {
    format!("{}.{}", quoted(schema), quoted(name))
}

/// Everything that is there before the policies.
#[derive(Clone, Debug)]
pub struct World {
    pub schemas: Vec<String>,
    pub tables: Vec<Table>,
    /// Roles, by names that no other test has.
    pub roles: Vec<String>,
    /// Whether there is TimescaleDB.
    pub timescale: bool,
    /// Whether that has policies.
    pub policies: bool,
    names: Names,
}

/// Gives no name twice.
#[derive(Clone, Debug, Default)]
pub struct Names {
    used: Vec<String>,
}

impl Names {
    /// A new name.
    pub fn next(&mut self, random: &mut Random, plain: &str) -> String {
        let stem = if random.chance(35) { *random.pick(&HOSTILE) } else { plain };
        let mut name = stem.to_owned();
        if random.chance(3) {
            name = format!("{stem}{}", "x".repeat(60 - stem.len()));
        }
        // As lower case: two names that differ only in that are sorted by what the server likes.
        while self.used.contains(&name.to_lowercase()) {
            name = format!("{stem}{}", self.used.len());
        }
        self.used.push(name.to_lowercase());
        name
    }
}

impl World {
    /// A random one.
    pub fn random(random: &mut Random, tier: Tier, suffix: &str) -> Self {
        let mut names = Names::default();
        // Not `public`, which holds the extension: they are dropped when the case is over.
        let schemas = (0..1 + random.below(2)).map(|_| names.next(random, "app")).collect::<Vec<_>>();
        let tables = (0..1 + random.below(3)).map(|_| table(random, tier, &schemas, &mut names)).collect();
        let roles = (0..2).map(|at| format!("{} {suffix} {at}", *random.pick(&HOSTILE))).collect();
        Self { schemas, tables, roles, timescale: tier.is_timescale(), policies: tier.has_policies(), names }
    }

    /// A name that is nowhere yet.
    pub fn name(&mut self, random: &mut Random, plain: &str) -> String {
        self.names.next(random, plain)
    }

    /// The statements that make it.
    pub fn sql(&self) -> String {
        let mut sql = String::new();
        for schema in &self.schemas {
            sql += &format!("CREATE SCHEMA {};\n", quoted(schema));
        }
        let schema = quoted(&self.schemas[0]);
        sql += &format!(
            "CREATE PROCEDURE {schema}.work(job_id integer, config jsonb) LANGUAGE plpgsql AS 'BEGIN END';\n\
             CREATE FUNCTION {schema}.other_work(job_id integer, config jsonb) RETURNS void LANGUAGE plpgsql \
             AS 'BEGIN END';\n"
        );
        sql + &self.tables.iter().map(Table::sql).collect::<String>()
    }

    /// The table that a policy document is of.
    pub fn table_of(&self, document: &Json) -> Option<&Table> {
        let name = document["name"].as_str()?;
        self.tables.iter().find(|table| table.full() == name)
    }
}

fn table(random: &mut Random, tier: Tier, schemas: &[String], names: &mut Names) -> Table {
    let of = if random.chance(40) { Type::Timestamptz } else { *random.pick(&Type::TIMES) };
    let mut columns = vec![Column { name: names.next(random, "at"), of }];
    let kinds = [Type::Text, Type::Bigint].into_iter().chain((0..3).map(|_| *random.pick(&Type::OTHERS)));
    for of in kinds.collect::<Vec<_>>() {
        columns.push(Column { name: names.next(random, "c"), of });
    }
    let made = tier.is_timescale() && random.chance(50);
    Table {
        schema: random.pick(schemas).clone(),
        name: names.next(random, "events"),
        columns,
        rows: if random.chance(40) { 1 + random.below(40) } else { 0 },
        made,
        now: of.is_whole().then(|| names.next(random, "now")),
    }
}
