//! Everything is called something hostile: made, changed and removed, each under its exact name.

use serde_json::{Value as Json, json};

use super::{literal, names, quoted};
use crate::cli::Workplace;
use crate::servers::Db;

/// What one table and all that is on it are called: a schema, a table, and columns of their own.
struct Names {
    schema: String,
    table: String,
    time: String,
    segment: String,
    value: String,
    index: String,
}

impl Names {
    /// Every name in every place, one after another.
    fn all() -> Vec<Self> {
        let names = names();
        let at = |n: usize| names[n % names.len()].clone();
        let of = |n: usize| Self {
            schema: at(n),
            table: at(n + 1),
            time: at(n + 2),
            segment: at(n + 3),
            value: at(n + 4),
            index: at(n + 5),
        };
        (0..names.len()).map(of).collect()
    }

    fn relation(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.table))
    }

    fn setup(&self, time_type: &str) -> String {
        format!(
            "CREATE SCHEMA {schema};
             CREATE TABLE {relation} ({time} {time_type} NOT NULL, {segment} text, {value} bigint);
             CREATE FUNCTION {schema}.{table}() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1000000::bigint';
             INSERT INTO {relation} VALUES ({first}, 'x', 1);",
            schema = quoted(&self.schema),
            table = quoted(&self.table),
            relation = self.relation(),
            time = quoted(&self.time),
            segment = quoted(&self.segment),
            value = quoted(&self.value),
            first = if time_type == "bigint" { "1" } else { "'2026-01-01'" },
        )
    }
}

pub fn run(db: &Db) {
    let place = Workplace::new(db);
    let community = db.tier().has_policies();
    let all = Names::all();
    // Whole numbers and times in turn.
    let integer = |n: usize| n % 2 == 1;
    let setup: String =
        all.iter().enumerate().map(|(n, it)| it.setup(if integer(n) { "bigint" } else { "timestamptz" })).collect();
    db.run(&setup);
    for round in 0..3 {
        let documents = all.iter().enumerate().map(|(n, it)| document(it, integer(n), round, db));
        place.write("policy.yaml", &documents.map(|document| document.to_string()).collect::<Vec<_>>().join("\n---\n"));
        place.apply("policy.yaml").expect(0);
        place.expect_converged("policy.yaml");
        place.run(&["drift", "policy.yaml"]).expect(0);
        for (n, it) in all.iter().enumerate() {
            for check in checks(it, integer(n), round, db, community) {
                assert_eq!(db.lines(&check), ["t"], "round {round}: {check}");
            }
        }
        super::assert_canary(db);
    }
    place.run(&["ledger", "verify"]).expect(0);
}

/// The policy of one table: as it is made, changed, and made to go.
fn document(it: &Names, integer: bool, round: usize, db: &Db) -> Json {
    let later = round == 1;
    let mut document = json!({
        "kind": "table",
        "name": it.relation(),
        "labels": {"label": it.value},
        "indexes": [{
            "name": it.index,
            "columns": [
                {"column": it.segment, "order": "desc", "collation": if later { "POSIX" } else { "C" }},
                {"expression": format!("{} + 1", quoted(&it.value))},
                {"column": it.time},
            ],
            "include": if later { vec![] } else { vec![&it.value] },
            "where": format!("{} <> {}", quoted(&it.segment), literal(&it.index)),
            "storage": {"fillfactor": if later { 80 } else { 70 }},
        }],
        "storage": {"fillfactor": if later { 80 } else { 70 }},
    });
    if db.tier().is_timescale() {
        document["hypertable"] = json!({
            "time_column": it.time,
            "partitions": [{"column": it.segment, "number": if later { 3 } else { 2 }}],
            "chunk_skipping": if later { vec![] } else { vec![&it.value] },
            "migrate_data": true,
        });
        document["hypertable"]["chunk_interval"] = match (integer, later) {
            (true, _) => json!(if later { 2000 } else { 1000 }),
            (false, _) => json!(if later { "2 days" } else { "1 day" }),
        };
        if integer {
            document["hypertable"]["integer_now"] = json!(it.relation());
        }
    }
    if db.tier().has_policies() {
        let age = |number: i64| if integer { json!(number * 1000) } else { json!(format!("{number} days")) };
        document["columnstore"] = json!({
            "after": age(if later { 9 } else { 8 }),
            "segment_by": [it.segment],
            "order_by": [{"column": it.time, "order": if later { "asc" } else { "desc" }}],
        });
        document["retention"] = json!({
            "drop_after": age(if later { 5000 } else { 4000 }),
            "schedule": {"every": "1 day", "initial_start": "2035-01-01 00:00:00+00", "timezone": "Europe/Berlin", "paused": true},
        });
    }
    if round == 2 {
        document["indexes"][0] = json!({"name": it.index, "ensure": "absent"});
        for section in ["storage", "columnstore", "retention"] {
            if document.get(section).is_some() {
                document[section] = json!({"ensure": "absent"});
            }
        }
    }
    document
}

/// Queries that answer true when just the named objects are as the policy says.
fn checks(it: &Names, integer: bool, round: usize, db: &Db, community: bool) -> Vec<String> {
    let relation = format!("{}::regclass", literal(&it.relation()));
    let (schema, table) = (literal(&it.schema), literal(&it.table));
    let fillfactor = if round == 1 { 80 } else { 70 };
    let here = round != 2;
    let mut checks = vec![
        format!("SELECT count(*) = 1 FROM {}", it.relation()),
        format!(
            "SELECT COALESCE(reloptions = '{{fillfactor={fillfactor}}}', false) = {here} FROM pg_class WHERE oid = {relation}"
        ),
        format!(
            "SELECT count(*) = {} FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = {relation} \
             AND c.relname = {} AND i.indisvalid AND i.indnatts = {}",
            i32::from(here),
            literal(&it.index),
            if round == 1 { 3 } else { 4 },
        ),
    ];
    let of_table = format!("hypertable_schema = {schema} AND hypertable_name = {table}");
    if db.tier().is_timescale() {
        let interval = match (integer, round) {
            (true, 1) => "integer_interval = 2000",
            (true, _) => "integer_interval = 1000",
            (false, 1) => "time_interval = '2 days'",
            (false, _) => "time_interval = '1 day'",
        };
        checks.push(format!(
            "SELECT {interval} FROM timescaledb_information.dimensions WHERE {of_table} AND column_name = {}",
            literal(&it.time)
        ));
        checks.push(format!(
            "SELECT num_partitions = {} FROM timescaledb_information.dimensions WHERE {of_table} AND column_name = {}",
            if round == 1 { 3 } else { 2 },
            literal(&it.segment)
        ));
        if integer {
            checks.push(format!(
                "SELECT d.integer_now_func_schema = {schema} AND d.integer_now_func = {table} \
                 FROM _timescaledb_catalog.dimension AS d JOIN _timescaledb_catalog.hypertable AS h ON h.id = d.hypertable_id \
                 WHERE h.schema_name = {schema} AND h.table_name = {table} AND d.column_name = {}",
                literal(&it.time)
            ));
        }
    }
    if community {
        checks.push(format!(
            "SELECT count(*) = {} FROM timescaledb_information.jobs WHERE {of_table}",
            if here { 2 } else { 0 }
        ));
        checks.push(format!(
            "SELECT count(*) = {} FROM _timescaledb_catalog.compression_settings WHERE relid = {relation} \
             AND segmentby = ARRAY[{}] AND orderby = ARRAY[{}]",
            i32::from(here),
            literal(&it.segment),
            literal(&it.time)
        ));
    }
    checks
}
