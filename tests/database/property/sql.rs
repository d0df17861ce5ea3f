//! SQL of the tests' own for what policies describe, so that nothing is made by the program's templates.

use serde_json::Value as Json;

use super::world::{Table, literal, quoted};

/// The statement that makes an index as a policy describes it.
pub fn create_index(index: &Json, table: &Table) -> String {
    let text = |key: &str| index[key].as_str();
    let keys: Vec<String> = index["columns"].as_array().unwrap().iter().map(key).collect();
    let unique = if index["unique"] == true { "UNIQUE " } else { "" };
    let method = text("method").unwrap_or("btree");
    let name = quoted(text("name").unwrap());
    let mut sql = format!("CREATE {unique}INDEX {name} ON {} USING {method} ({})", table.full(), keys.join(", "));
    if let Some(columns) = index["include"].as_array().filter(|columns| !columns.is_empty()) {
        let columns: Vec<String> = columns.iter().map(|column| quoted(column.as_str().unwrap())).collect();
        sql += &format!(" INCLUDE ({})", columns.join(", "));
    }
    if index["nulls_not_distinct"] == true {
        sql += " NULLS NOT DISTINCT";
    }
    if let Some(storage) = index["storage"].as_object().filter(|storage| !storage.is_empty()) {
        let parameters: Vec<String> = storage.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        sql += &format!(" WITH ({})", parameters.join(", "));
    }
    if let Some(condition) = text("where") {
        sql += &format!(" WHERE {condition}");
    }
    sql
}

/// A key as SQL writes it.
fn key(key: &Json) -> String {
    if let Some(text) = key.as_str() {
        let (column, rest) = text.split_once(' ').unwrap_or((text, ""));
        return format!("{} {rest}", quoted(column));
    }
    let text = |word: &str| key[word].as_str();
    let mut sql = match (text("column"), text("expression")) {
        (Some(column), _) => quoted(column),
        (None, expression) => format!("({})", expression.unwrap()),
    };
    if let Some(collation) = text("collation") {
        sql += &format!(" COLLATE {}", quoted(collation));
    }
    for (word, before) in [("opclass", " "), ("order", " "), ("nulls", " NULLS ")] {
        if let Some(said) = text(word) {
            sql += &format!("{before}{said}");
        }
    }
    sql
}

/// The name of the procedure that the job of a section runs.
pub fn procedure(section: &str) -> &'static str {
    match section {
        "columnstore" => "policy_compression",
        "retention" => "policy_retention",
        "reorder" => "policy_reorder",
        _ => "policy_refresh_continuous_aggregate",
    }
}

/// `alter_job` of the one job that a condition over `timescaledb_information.jobs` names. It forgets
/// the time zone unless it is told again.
pub fn alter_job(argument: &str, condition: &str, timezone: Option<&str>) -> String {
    let zone = match timezone {
        Some(zone) if !argument.starts_with("timezone") => format!(", timezone => {}", literal(zone)),
        _ => String::new(),
    };
    format!(
        "SELECT public.alter_job(job_id, {argument}{zone}) FROM timescaledb_information.jobs WHERE job_id >= 1000 AND {condition}"
    )
}

/// The condition that names the job of a section on a relation. `Apart` tells several of one relation.
pub fn job_of(section: &str, schema: &str, name: &str) -> String {
    // Of a continuous aggregate, jobs are on the hypertable that it is kept in.
    format!(
        "proc_name = {} AND (hypertable_schema, hypertable_name) IN (SELECT {schema}, {name} UNION \
         SELECT materialization_hypertable_schema, materialization_hypertable_name \
           FROM timescaledb_information.continuous_aggregates WHERE (view_schema, view_name) = ({schema}, {name}))",
        literal(procedure(section)),
        schema = literal(schema),
        name = literal(name),
    )
}
