//! What somebody could change by hand in a database that is as its policies say, one attribute at a
//! time, in SQL of the tests' own.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::sql::{alter_job, create_index, job_of};
use super::world::{Table, World, full, literal, quoted};

/// One change.
#[derive(Clone, Debug)]
pub struct Change {
    /// What it is called, so that it is found again in a smaller case.
    pub label: String,
    /// The statements.
    pub sql: String,
    /// The kind of what it changes.
    pub kind: &'static str,
    /// The name of what it changes, where the policy says it.
    pub name: Option<String>,
    /// The attributes that differ then; none where the whole is gone.
    pub attributes: Option<BTreeSet<String>>,
}

/// Every change that a test knows for what some documents describe.
pub fn all(documents: &[Json], world: &World, database: &str) -> Vec<Change> {
    let mut found = Vec::new();
    for document in documents {
        let before = found.len();
        match document["kind"].as_str().unwrap() {
            "table" => table(document, world.table_of(document).unwrap(), &mut found),
            "continuous_aggregate" => aggregate(document, &mut found),
            "job" => job(document, &mut found),
            "role" => role(document, world, &mut found),
            _ => setting(document, database, &mut found),
        }
        for change in &mut found[before..] {
            change.label = format!("{} {}", document["name"].as_str().unwrap(), change.label);
        }
    }
    found
}

/// Collects the changes of one kind of resource.
struct Of<'a> {
    kind: &'static str,
    name: Option<&'a str>,
    found: &'a mut Vec<Change>,
}

impl Of<'_> {
    fn add(&mut self, what: &str, attribute: Option<&str>, sql: String) {
        self.found.push(Change {
            label: format!("{} {:?}: {what}", self.kind, self.name.unwrap_or_default()),
            sql,
            kind: self.kind,
            name: self.name.map(str::to_owned),
            attributes: attribute.map(|name| BTreeSet::from([name.to_owned()])),
        });
    }

    fn changed(&mut self, attribute: &str, sql: String) {
        self.add(attribute, Some(attribute), sql);
    }

    fn gone(&mut self, sql: String) {
        self.add("gone", None, sql);
    }

    /// What is said of when a job runs.
    fn schedule(&mut self, section: &Json, of: &str) {
        let Some(schedule) = section["schedule"].as_object() else { return };
        let zone = schedule.get("timezone").and_then(Json::as_str);
        for (key, value) in schedule {
            let argument = match key.as_str() {
                "every" => "schedule_interval => INTERVAL '77 hours'".to_owned(),
                "initial_start" => "initial_start => '2036-02-03 04:05:06+00'".to_owned(),
                "timezone" => "timezone => 'Australia/Perth'".to_owned(),
                "max_runtime" => "max_runtime => INTERVAL '77 minutes'".to_owned(),
                "max_retries" => "max_retries => 77".to_owned(),
                "retry_period" => "retry_period => INTERVAL '77 minutes'".to_owned(),
                _ => format!("scheduled => {value}"),
            };
            self.changed(&format!("schedule.{key}"), alter_job(&argument, of, zone));
        }
    }

    /// A value in the configuration of a job.
    fn config(&mut self, section: &Json, attribute: &str, key: &str, of: &str) {
        let value = match &section[attribute] {
            Json::Null => return,
            Json::Number(_) => json!(1777),
            _ => json!("1777 days"),
        };
        let argument = format!("config => config || {}", literal(&json!({ key: value }).to_string()));
        self.changed(attribute, alter_job(&argument, of, section["schedule"]["timezone"].as_str()));
    }
}

fn table(document: &Json, table: &Table, found: &mut Vec<Change>) {
    let name = table.full();
    let text = literal(&name);
    for index in document["indexes"].as_array().into_iter().flatten() {
        changed_index(index, table, found);
    }
    if let Some(storage) = document["storage"].as_object() {
        let mut of = Of { kind: "storage", name: Some(&table.name), found: &mut *found };
        for (parameter, value) in storage {
            let other = match value {
                Json::Bool(now) => json!(!now),
                now if *now == json!(7) => json!(6),
                _ => json!(7),
            };
            // Not below what the parameter takes.
            let other = if parameter == "fillfactor" { json!(27) } else { other };
            of.changed(parameter, format!("ALTER TABLE {name} SET ({parameter} = {other})"));
            if storage.len() > 1 {
                of.add(
                    &format!("{parameter} reset"),
                    Some(parameter),
                    format!("ALTER TABLE {name} RESET ({parameter})"),
                );
            }
        }
        let all: Vec<&str> = storage.keys().map(String::as_str).collect();
        of.gone(format!("ALTER TABLE {name} RESET ({})", all.join(", ")));
    }
    if document.get("hypertable").is_some() {
        hypertable(&document["hypertable"], table, found);
    }
    if let Some(section) = document.get("columnstore") {
        let job = job_of("columnstore", &table.schema, &table.name);
        let mut of = Of { kind: "columnstore", name: Some(&table.name), found: &mut *found };
        of.config(section, "after", "compress_after", &job);
        of.config(section, "created_before", "compress_created_before", &job);
        of.schedule(section, &job);
        let off = format!(
            "CALL public.remove_columnstore_policy({text}, if_exists => true);\n\
             ALTER TABLE {name} SET (timescaledb.enable_columnstore = false)"
        );
        of.gone(off);
    }
    if let Some(section) = document.get("retention") {
        let job = job_of("retention", &table.schema, &table.name);
        let mut of = Of { kind: "retention", name: Some(&table.name), found: &mut *found };
        of.config(section, "drop_after", "drop_after", &job);
        of.schedule(section, &job);
        of.gone(format!("SELECT public.remove_retention_policy({text})"));
    }
    if let Some(section) = document.get("reorder") {
        let job = job_of("reorder", &table.schema, &table.name);
        let mut of = Of { kind: "reorder", name: Some(&table.name), found };
        of.schedule(section, &job);
        of.gone(format!("SELECT public.remove_reorder_policy({text})"));
    }
}

fn hypertable(section: &Json, table: &Table, found: &mut Vec<Change>) {
    let text = literal(&table.full());
    let mut of = Of { kind: "hypertable", name: Some(&table.name), found };
    match &section["chunk_interval"] {
        Json::Null => {}
        Json::Number(_) => of.changed("chunk_interval", format!("SELECT public.set_chunk_time_interval({text}, 977)")),
        _ => of.changed("chunk_interval", format!("SELECT public.set_chunk_time_interval({text}, INTERVAL '77 days')")),
    }
    if let Some(now) = &table.now {
        let other = literal(&full(&table.schema, &format!("{now}2")));
        let sql = format!("SELECT public.set_integer_now_func({text}, {other}, replace_if_exists => true)");
        of.changed("integer_now", sql);
    }
    if let Some(column) = section["partitions"][0]["column"].as_str() {
        let column = literal(column);
        of.changed("partitions", format!("SELECT public.set_number_partitions({text}, 9, {column})"));
    }
    if let Some(column) = section["chunk_skipping"][0].as_str() {
        let column = literal(column);
        let sql = format!(
            "SET timescaledb.enable_chunk_skipping = on;\nSELECT public.disable_chunk_skipping({text}, {column})"
        );
        of.changed("chunk_skipping", sql);
    }
}

fn changed_index(index: &Json, table: &Table, found: &mut Vec<Change>) {
    let name = index["name"].as_str().unwrap();
    let own = full(&table.schema, name);
    let mut of = Of { kind: "index", name: Some(name), found };
    of.gone(format!("DROP INDEX {own}"));
    let mut again = |attribute: &str, change: &dyn Fn(&mut Json)| {
        let mut other = index.clone();
        change(&mut other);
        of.changed(attribute, format!("DROP INDEX {own};\n{}", create_index(&other, table)));
    };
    let time = quoted(&table.time().name);
    again("where", &|other| {
        other["where"] = match index["where"].as_str() {
            Some(condition) => json!(format!("({condition}) AND {time} IS NOT NULL")),
            None => json!(format!("{time} IS NOT NULL")),
        };
    });
    if index["method"].is_null() {
        let another = json!({"column": table.time().name, "order": "desc", "nulls": "last"});
        again("columns", &|other| other["columns"].as_array_mut().unwrap().push(another.clone()));
    }
    if index["unique"] == true {
        again("unique", &|other| {
            other["unique"] = json!(false);
            other["nulls_not_distinct"] = json!(false);
        });
        if index["nulls_not_distinct"] == true {
            found.last_mut().unwrap().attributes.as_mut().unwrap().insert("nulls_not_distinct".to_owned());
        }
    }
    if !index["storage"]["fillfactor"].is_null() {
        let mut of = Of { kind: "index", name: Some(name), found };
        of.changed("storage.fillfactor", format!("ALTER INDEX {own} SET (fillfactor = 27)"));
    }
}

/// The parts of a name as [`full`] writes it.
fn parts(name: &str) -> (String, String) {
    let inner = &name[1..name.len() - 1];
    let (schema, name) = inner.split_once("\".\"").unwrap();
    (schema.replace("\"\"", "\""), name.replace("\"\"", "\""))
}

fn aggregate(document: &Json, found: &mut Vec<Change>) {
    let view = document["name"].as_str().unwrap();
    let (schema, name) = parts(view);
    let text = literal(view);
    let mut of = Of { kind: "continuous_aggregate", name: Some(&name), found };
    if let Some(only) = document["materialized_only"].as_bool() {
        let sql = format!("ALTER MATERIALIZED VIEW {view} SET (timescaledb.materialized_only = {})", !only);
        of.changed("materialized_only", sql);
    }
    match &document["chunk_interval"] {
        Json::Null => {}
        Json::Number(_) => of.changed("chunk_interval", format!("SELECT public.set_chunk_time_interval({text}, 977)")),
        _ => of.changed("chunk_interval", format!("SELECT public.set_chunk_time_interval({text}, INTERVAL '77 days')")),
    }
    if let Some(section) = document["refresh"].get(0) {
        let job = job_of("refresh", &schema, &name);
        let mut of = Of { kind: "refresh", name: Some(&name), found: &mut *found };
        of.config(section, "start_offset", "start_offset", &job);
        for key in ["buckets_per_batch", "max_batches_per_execution"] {
            of.config(section, key, key, &job);
        }
        of.schedule(section, &job);
        of.gone(format!("SELECT public.remove_continuous_aggregate_policy({text})"));
    }
    if let Some(section) = document.get("retention") {
        let job = job_of("retention", &schema, &name);
        let mut of = Of { kind: "retention", name: Some(&name), found: &mut *found };
        of.config(section, "drop_after", "drop_after", &job);
        of.gone(format!("SELECT public.remove_retention_policy({text})"));
    }
    if let Some(section) = document.get("columnstore") {
        let job = job_of("columnstore", &schema, &name);
        let mut of = Of { kind: "columnstore", name: Some(&name), found: &mut *found };
        of.config(section, "after", "compress_after", &job);
    }
    for index in document["indexes"].as_array().into_iter().flatten() {
        let name = index["name"].as_str().unwrap();
        let mut of = Of { kind: "index", name: Some(name), found: &mut *found };
        of.gone(format!("DROP INDEX {}", full("_timescaledb_internal", name)));
    }
}

fn job(document: &Json, found: &mut Vec<Change>) {
    let name = document["name"].as_str().unwrap();
    let (_, procedure) = parts(document["procedure"].as_str().unwrap());
    let job = format!("proc_name = {}", literal(&procedure));
    let mut of = Of { kind: "job", name: Some(name), found };
    of.schedule(document, &job);
    if document.get("config").is_some() {
        let zone = document["schedule"]["timezone"].as_str();
        of.changed("config", alter_job("config => '{\"keep\": \"1\"}'", &job, zone));
    }
    of.gone(format!("SELECT public.delete_job(job_id) FROM timescaledb_information.jobs WHERE {job}"));
}

fn role(document: &Json, world: &World, found: &mut Vec<Change>) {
    let name = document["name"].as_str().unwrap();
    let role = quoted(name);
    let mut of = Of { kind: "role", name: Some(name), found: &mut *found };
    for key in ["login", "createdb", "createrole", "inherit"] {
        if let Some(now) = document[key].as_bool() {
            let word = if now { format!("NO{key}") } else { key.to_owned() };
            of.changed(key, format!("ALTER ROLE {role} {word}"));
        }
    }
    if document.get("connection_limit").is_some() {
        of.changed("connection_limit", format!("ALTER ROLE {role} CONNECTION LIMIT 77"));
    }
    if document.get("comment").is_some() {
        of.changed("comment", format!("COMMENT ON ROLE {role} IS 'theirs'"));
    }
    let granted = &document["grants"][0];
    let (tables, privileges) = (granted["tables"].as_array(), granted["privileges"].as_array());
    let mut of = Of { kind: "grant", name: None, found };
    for (table, privilege) in tables.into_iter().flatten().zip(privileges.into_iter().flatten()) {
        let (table, privilege) = (table.as_str().unwrap(), privilege.as_str().unwrap());
        if !world.tables.iter().any(|known| known.full() == table) {
            continue;
        }
        let sql = format!("REVOKE {privilege} ON {table} FROM {role}");
        match privileges.map_or(0, Vec::len) {
            1 => of.add(table, None, sql),
            _ => of.add(&format!("{privilege} on {table}"), Some(privilege), sql),
        }
    }
}

fn setting(document: &Json, database: &str, found: &mut Vec<Change>) {
    for (parameter, value) in document["settings"].as_object().into_iter().flatten() {
        let other = match parameter.as_str() {
            "work_mem" => "'7MB'".to_owned(),
            "jit" => (value != true).to_string(),
            "DateStyle" => "'SQL, MDY'".to_owned(),
            _ => "7".to_owned(),
        };
        let mut of = Of { kind: "setting", name: None, found: &mut *found };
        of.add(parameter, Some("value"), format!("ALTER DATABASE {} SET {parameter} = {other}", quoted(database)));
        of.add(&format!("{parameter} reset"), None, format!("ALTER DATABASE {} RESET {parameter}", quoted(database)));
    }
}
