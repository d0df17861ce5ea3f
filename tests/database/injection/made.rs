//! Aggregates with their policies, reorder policies and jobs that are called something hostile: made,
//! changed and removed, each under its exact name.

use serde_json::{Value as Json, json};

use super::{literal, names, quoted};
use crate::cli::Workplace;
use crate::servers::{Db, Tier};

/// Of how many names one is used on the embedded server; in each round of the test all places get it.
const EMBEDDED_SHARE: usize = 3;

/// What one hypertable, and what is made of it, is called.
struct Made {
    schema: String,
    table: String,
    time: String,
    segment: String,
    index: String,
    aggregate: String,
    bucket: String,
    count: String,
    refresh: String,
    job: String,
    procedure: String,
}

impl Made {
    fn all(tier: Tier) -> Vec<Self> {
        let names = names();
        let at = |n: usize| names[n % names.len()].clone();
        let of = |n: usize| Self {
            schema: at(n),
            table: at(n + 1),
            aggregate: at(n + 2),
            time: at(n + 3),
            segment: at(n + 4),
            index: at(n + 5),
            bucket: at(n + 6),
            count: at(n + 7),
            refresh: at(n + 8),
            // The server keeps no more of a job's name.
            job: if at(n + 9).len() <= 50 { at(n + 9) } else { "a job".to_owned() },
            procedure: at(n + 10),
        };
        let share = if tier == Tier::Embedded { EMBEDDED_SHARE } else { 1 };
        (0..names.len()).step_by(share).map(of).collect()
    }

    fn within(&self, name: &str) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(name))
    }

    fn setup(&self) -> String {
        let (table, time, segment) = (self.within(&self.table), quoted(&self.time), quoted(&self.segment));
        format!(
            "CREATE SCHEMA {schema};
             CREATE TABLE {table} ({time} timestamptz NOT NULL, {segment} text);
             SELECT create_hypertable({relation}, by_range({column}, INTERVAL '1 day'));
             CREATE INDEX {index} ON {table} ({segment}, {time});
             INSERT INTO {table} VALUES (now() - INTERVAL '2 days', {literal});
             CREATE PROCEDURE {procedure}(job_id int, config jsonb) LANGUAGE sql AS 'SELECT';
             CREATE FUNCTION {procedure}(config jsonb) RETURNS void LANGUAGE sql AS 'SELECT';",
            schema = quoted(&self.schema),
            relation = literal(&table),
            column = literal(&self.time),
            index = quoted(&self.index),
            literal = literal(&self.segment),
            procedure = self.within(&self.procedure),
        )
    }

    fn documents(&self, round: usize) -> Vec<Json> {
        let later = round == 1;
        let aggregate = self.within(&self.aggregate);
        if round == 2 {
            return vec![
                json!({"kind": "table", "name": self.within(&self.table), "reorder": {"ensure": "absent"}}),
                json!({"kind": "continuous_aggregate", "name": aggregate, "ensure": "absent"}),
                json!({"kind": "job", "name": self.job, "procedure": self.within(&self.procedure), "ensure": "absent"}),
            ];
        }
        let query = format!(
            "SELECT public.time_bucket('1 hour', {time}) AS {bucket}, {segment}, count(*) AS {count} FROM {table} \
             WHERE {segment} <> {literal} || 'x' GROUP BY 1, 2",
            time = quoted(&self.time),
            bucket = quoted(&self.bucket),
            segment = quoted(&self.segment),
            count = quoted(&self.count),
            table = self.within(&self.table),
            literal = literal(&self.index),
        );
        vec![
            json!({"kind": "table", "name": self.within(&self.table),
                "reorder": {"index": self.index, "schedule": {"every": if later { "2 days" } else { "1 day" }}}}),
            json!({"kind": "continuous_aggregate", "name": aggregate, "query": query, "with_data": true,
                "refresh": [{"name": self.refresh, "start_offset": "3 days",
                    "end_offset": if later { "2 hours" } else { "1 hour" }, "schedule": {"every": "1 hour"}}],
                "indexes": [{"name": self.index, "columns": [{"column": self.count}, {"column": self.bucket}]}],
                "columnstore": {"after": "9 days", "segment_by": [self.segment],
                    "order_by": [{"column": self.bucket, "order": if later { "asc" } else { "desc" }}]},
                "retention": {"drop_after": if later { "90 days" } else { "80 days" }}}),
            json!({"kind": "job", "name": self.job, "procedure": self.within(&self.procedure),
                "check_config": self.within(&self.procedure), "schedule": {"every": "1 hour"},
                "config": {self.table.as_str(): if later { &self.count } else { &self.bucket }}}),
        ]
    }

    /// Queries that answer true when just the named objects are as the policy says.
    fn checks(&self, round: usize) -> Vec<String> {
        let (schema, here, later) = (literal(&self.schema), round != 2, round == 1);
        let stored = format!(
            "(SELECT materialization_hypertable_name FROM timescaledb_information.continuous_aggregates \
             WHERE view_schema = {schema} AND view_name = {})",
            literal(&self.aggregate)
        );
        let jobs = |what: &str, count: usize| {
            format!("SELECT count(*) = {count} FROM timescaledb_information.jobs WHERE {what}")
        };
        let own = format!("proc_schema = {schema} AND proc_name = {}", literal(&self.procedure));
        let value = literal(if later { &self.count } else { &self.bucket });
        let of_table = format!(
            "proc_name = 'policy_reorder' AND hypertable_schema = {schema} AND hypertable_name = {}",
            literal(&self.table)
        );
        let mut checks = vec![
            format!("SELECT count(*) = 1 FROM {}", self.within(&self.table)),
            format!("SELECT ({stored} IS NOT NULL) = {here}"),
            jobs(&of_table, usize::from(here)),
            jobs(&own, usize::from(here)),
        ];
        if here {
            checks.push(format!(
                "SELECT count(*) = 1 FROM {} WHERE {} = {} AND {} = 1",
                self.within(&self.aggregate),
                quoted(&self.segment),
                literal(&self.segment),
                quoted(&self.count)
            ));
            checks.push(jobs(&format!("{own} AND config ->> {} = {value}", literal(&self.table)), 1));
            checks.push(jobs(&format!("{of_table} AND config ->> 'index_name' = {}", literal(&self.index)), 1));
            let offset = if later { "'02:00:00'" } else { "'01:00:00'" };
            checks.push(jobs(
                &format!(
                    "config ->> 'end_offset' = {offset} AND hypertable_name IN ({}, {stored})",
                    literal(&self.aggregate)
                ),
                1,
            ));
            checks.push(format!(
                "SELECT count(*) = 1 FROM pg_indexes WHERE tablename = {stored} AND indexname = {}",
                literal(&self.index)
            ));
        }
        checks
    }
}

pub fn run(db: &Db) {
    let place = Workplace::new(db);
    let all = Made::all(db.tier());
    db.run(&all.iter().map(Made::setup).collect::<String>());
    for round in 0..3 {
        let documents = all.iter().flat_map(|it| it.documents(round)).map(|document| document.to_string());
        place.write("policy.yaml", &documents.collect::<Vec<_>>().join("\n---\n"));
        place.apply("policy.yaml").expect(0);
        place.expect_converged("policy.yaml");
        place.run(&["drift", "policy.yaml"]).expect(0);
        for it in &all {
            for check in it.checks(round) {
                assert_eq!(db.lines(&check), ["t"], "round {round}: {check}");
            }
        }
        super::assert_canary(db);
    }
    place.run(&["ledger", "verify"]).expect(0);
}
