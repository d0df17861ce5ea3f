//! Where a hostile text goes in a policy: a row for every text that a policy can hold.
//!
//! A row is called by its place in the document, as the schemas have it; what several documents share
//! is called from its section on. What follows a blank is another way to get a text there. The offline
//! tests hold these rows to the schemas: a new kind or key without one fails.

use serde_json::{Value as Json, json};

/// What puts a text into a policy: a document, or a list of several.
pub type Field = fn(&str) -> Json;

/// Rows of any server.
pub const PLAIN: &[(&str, Field)] = &[
    ("table.name", |text| table(json!({"name": text, "storage": {"fillfactor": 70}}))),
    ("table.moved.from", |text| table(json!({"moved": {"from": text}, "storage": {"fillfactor": 70}}))),
    ("labels.{}", |text| table(json!({"labels": {text: "x"}, "storage": {"fillfactor": 70}}))),
    ("labels.*", |text| table(json!({"labels": {"x": text}, "storage": {"fillfactor": 70}}))),
    ("storage.{}", |text| table(json!({"storage": {text: 1}}))),
    ("storage.{} of toast", |text| table(json!({"storage": {format!("toast.{text}"): 1}}))),
    ("storage.*", |text| table(json!({"storage": {"fillfactor": text, "autovacuum_enabled": text}}))),
    ("storage.* of an unknown parameter", |text| table(json!({"storage": {"something_new": text}}))),
    ("indexes[].name", |text| index(json!({"name": text}))),
    ("indexes[].moved.from", |text| index(json!({"moved": {"from": text}}))),
    ("indexes[].columns[]", |text| index(json!({"columns": [text]}))),
    ("indexes[].columns[].column", |text| index(json!({"columns": [{"column": text}]}))),
    ("indexes[].columns[].expression", |text| index(json!({"columns": [{"expression": text}]}))),
    ("indexes[].columns[].opclass", |text| index(json!({"columns": [{"column": "b", "opclass": text}]}))),
    ("indexes[].columns[].collation", |text| index(json!({"columns": [{"column": "b", "collation": text}]}))),
    ("indexes[].include[]", |text| index(json!({"include": [text]}))),
    ("indexes[].where", |text| index(json!({"where": text}))),
    ("indexes[].method", |text| index(json!({"method": text}))),
    ("indexes[].tablespace", |text| index(json!({"tablespace": text}))),
    ("indexes[].storage.{}", |text| index(json!({"storage": {text: 1}}))),
    ("indexes[].storage.*", |text| index(json!({"storage": {"fillfactor": text}}))),
    ("indexes[].storage.* of an unknown parameter", |text| index(json!({"storage": {"something_new": text}}))),
    ("backup.name", |text| backup(json!({"name": text}))),
    ("backup.repository.path", |text| backup(json!({"repository": {"path": text}}))),
    ("backup.repository.path below another", |text| {
        backup(json!({"repository": {"path": format!("/nowhere/{text}")}}))
    }),
    ("backup.schedule.full", |text| backup(json!({"schedule": {"full": text}}))),
    ("backup.schedule.incremental", |text| backup(json!({"schedule": {"full": "0 1 * * 0", "incremental": text}}))),
    ("backup.wal.max_lag", |text| backup(json!({"wal": {"archive": false, "max_lag": text}}))),
    ("backup.wal.program", |text| backup(json!({"wal": {"archive": false, "program": text}}))),
    ("backup.keep.wal", |text| backup(json!({"keep": {"wal": text}}))),
    ("backup.verify.checksums", |text| backup(json!({"verify": {"checksums": text}}))),
    ("backup.verify.restore_drill", |text| backup(json!({"verify": {"restore_drill": text}}))),
    ("backup.objectives.rpo", |text| backup(json!({"objectives": {"rpo": text}}))),
    ("backup.objectives.rto", |text| backup(json!({"objectives": {"rto": text}}))),
    ("backup.objectives.window", |text| backup(json!({"objectives": {"window": text}}))),
    ("backup.encryption.key", |text| backup(json!({"encryption": {"cipher": "aes-256", "key": text}}))),
    ("backup.encryption.key_file", |text| rest(json!({"encryption": {"key_file": text}}))),
    ("backup.pgbackrest.folder", |text| rest(json!({"pgbackrest": {"folder": format!("/nowhere/{text}")}}))),
    ("backup.pgbackrest.program", |text| rest(json!({"pgbackrest": {"program": text}}))),
    ("backup.pgbackrest.stanza", |text| rest(json!({"pgbackrest": {"stanza": text}}))),
    ("backup.pgbackrest.timeout", |text| rest(json!({"pgbackrest": {"timeout": text}}))),
    ("backup.repository.s3.bucket", |text| bucket(json!({"bucket": text}))),
    ("backup.repository.s3.ca_file", |text| bucket(json!({"ca_file": text}))),
    ("backup.repository.s3.endpoint", |text| bucket(json!({"endpoint": text}))),
    ("backup.repository.s3.key", |text| bucket(json!({"key": text}))),
    ("backup.repository.s3.key_file", |text| bucket(json!({"key_file": text}))),
    ("backup.repository.s3.prefix", |text| bucket(json!({"prefix": text}))),
    ("backup.repository.s3.region", |text| bucket(json!({"region": text}))),
    ("backup.repository.s3.secret", |text| bucket(json!({"secret": text}))),
    ("backup.repository.s3.secret_file", |text| bucket(json!({"secret_file": text}))),
    ("backup.programs", |text| backup(json!({"programs": text}))),
    ("extension.name", |text| json!({"kind": "extension", "name": text})),
    ("extension.version", |text| json!({"kind": "extension", "name": "plpgsql", "version": text})),
    ("extension.version at creation", |text| json!({"kind": "extension", "name": "hstore", "version": text})),
    ("extension.schema", |text| json!({"kind": "extension", "name": "plpgsql", "schema": text})),
    ("extension.schema at creation", |text| json!({"kind": "extension", "name": "hstore", "schema": text})),
    ("role.name", |text| json!({"kind": "role", "name": text, "comment": "injection"})),
    ("role.name of what is granted", |text| {
        json!({"kind": "role", "name": text, "comment": "injection", "member_of": [{"role": "pg_monitor"}],
            "grants": [{"privileges": ["select"], "tables": ["victim"]}]})
    }),
    ("role.comment", |text| role(json!({"comment": text}))),
    ("role.valid_until", |text| role(json!({"valid_until": text}))),
    ("role.password", |text| role(json!({"password": text}))),
    ("member_of[].role", |text| role(json!({"member_of": [{"role": text}]}))),
    ("grants[].privileges[]", |text| grant(json!({"privileges": [text], "tables": ["victim"]}))),
    ("grants[].tables[]", |text| grant(json!({"privileges": ["select"], "tables": [text]}))),
    ("grants[].schemas[]", |text| grant(json!({"privileges": ["usage"], "schemas": [text]}))),
    ("grants[].all_tables_in[]", |text| grant(json!({"privileges": ["select"], "all_tables_in": [text]}))),
    ("grants[].sequences[]", |text| grant(json!({"privileges": ["usage"], "sequences": [text]}))),
    ("grants[].all_sequences_in[]", |text| grant(json!({"privileges": ["usage"], "all_sequences_in": [text]}))),
    ("grants[].functions[]", |text| grant(json!({"privileges": ["execute"], "functions": [text]}))),
    ("grants[].functions[] by its types", |text| {
        grant(json!({"privileges": ["execute"], "functions": [format!("victim({text})")]}))
    }),
    ("grants[].all_functions_in[]", |text| grant(json!({"privileges": ["execute"], "all_functions_in": [text]}))),
    ("default_privileges[].privileges[]", |text| later(json!({"privileges": [text]}))),
    ("default_privileges[].made_by", |text| later(json!({"made_by": text}))),
    ("default_privileges[].in_schema", |text| later(json!({"in_schema": text}))),
    ("setting.name", |text| setting(json!({"name": text, "settings": {"jit": false}}))),
    ("setting.settings.{}", |text| setting(json!({"settings": {text: "x"}}))),
    ("setting.settings.{} of a class", |text| setting(json!({"settings": {format!("{text}.x"): "x"}}))),
    ("setting.settings.*", |text| setting(json!({"settings": {"application_name": text}}))),
    ("setting.settings.* where a number is wanted", |text| setting(json!({"settings": {"work_mem": text}}))),
    ("setting.settings.* of a class", |text| setting(json!({"settings": {"my_app.mode": text}}))),
    ("setting.settings.*[]", |text| setting(json!({"settings": {"search_path": [text, text]}}))),
    ("setting.role", |text| setting(json!({"scope": "role", "role": text, "settings": {"jit": false}}))),
    ("class.name", |text| class(json!({"name": text}))),
    ("class.match.names[]", |text| class(json!({"match": {"names": [text]}}))),
    ("class.match.labels.{}", |text| class(json!({"match": {"labels": {text: "x"}}}))),
    ("class.match.labels.*", |text| class(json!({"match": {"labels": {"x": text}}}))),
    ("guardrail.name", |text| guardrail(json!({"name": text}))),
    ("guardrail.message", |text| guardrail(json!({"message": text}))),
    ("guardrail.assert", |text| guardrail(json!({"assert": text}))),
    ("guardrail.when", |text| guardrail(json!({"when": text}))),
    ("guardrail.match.names[]", |text| guardrail(json!({"match": {"names": [text]}}))),
    ("guardrail.match.labels.{}", |text| guardrail(json!({"match": {"labels": {text: "x"}}}))),
    ("guardrail.match.labels.*", |text| guardrail(json!({"match": {"labels": {"x": text}}}))),
];

/// Rows of a server with TimescaleDB, in whichever edition.
pub const TIMESCALE: &[(&str, Field)] = &[
    ("table.name of a hypertable", |text| json!({"kind": "table", "name": text, "hypertable": {"time_column": "a"}})),
    ("hypertable.time_column", |text| table(json!({"hypertable": {"time_column": text}}))),
    ("hypertable.chunk_interval", |text| table(json!({"hypertable": {"time_column": "at", "chunk_interval": text}}))),
    ("hypertable.integer_now", |text| table(json!({"hypertable": {"time_column": "a", "integer_now": text}}))),
    ("hypertable.partitions[].column", |text| {
        table(json!({"hypertable": {"time_column": "at", "partitions": [{"column": text, "number": 2}]}}))
    }),
    ("hypertable.chunk_skipping[]", |text| {
        table(json!({"hypertable": {"time_column": "at", "chunk_skipping": [text]}}))
    }),
    ("archive_store.name", |text| archive(json!({"name": text}), json!({"to": text}))),
    ("archive_store.location.path", |text| archive(json!({"location": {"path": text}}), json!({}))),
    ("archive_store.location.path below another", |text| {
        archive(json!({"location": {"path": format!("/nowhere/{text}")}}), json!({}))
    }),
    ("archive_store.location.spool", |text| stored(json!({}), json!({"spool": text}))),
    ("archive_store.location.s3.bucket", |text| stored(json!({"bucket": text}), json!({}))),
    ("archive_store.location.s3.ca_file", |text| stored(json!({"ca_file": text}), json!({}))),
    ("archive_store.location.s3.endpoint", |text| stored(json!({"endpoint": text}), json!({}))),
    ("archive_store.location.s3.key", |text| stored(json!({"key": text}), json!({}))),
    ("archive_store.location.s3.key_file", |text| stored(json!({"key_file": text}), json!({}))),
    ("archive_store.location.s3.prefix", |text| stored(json!({"prefix": text}), json!({}))),
    ("archive_store.location.s3.region", |text| stored(json!({"region": text}), json!({}))),
    ("archive_store.location.s3.secret", |text| stored(json!({"secret": text}), json!({}))),
    ("archive_store.location.s3.secret_file", |text| stored(json!({"secret_file": text}), json!({}))),
    ("archive_store.keep", |text| archive(json!({"keep": text}), json!({}))),
    ("archive_store.encryption.key", |text| archive(json!({"encryption": {"key": text}}), json!({}))),
    ("archive_store.encryption.key_file", |text| archive(json!({"encryption": {"key_file": text}}), json!({}))),
    ("archive_store.encryption.former_key_files[]", |text| {
        archive(json!({"encryption": {"key_file": "/k", "former_key_files": [text]}}), json!({}))
    }),
    ("archive_store.format.parquet.row_group", |text| {
        archive(json!({"format": {"parquet": {"row_group": text}}}), json!({}))
    }),
    ("archive.to", |text| archive(json!({}), json!({"to": text}))),
    ("archive.after", |text| archive(json!({}), json!({"after": text}))),
];

/// Rows of a server with the Community edition of TimescaleDB.
pub const COMMUNITY: &[(&str, Field)] = &[
    ("columnstore.after", |text| columnstore(json!({"after": text}))),
    ("columnstore.created_before", |text| columnstore(json!({"created_before": text}))),
    ("columnstore.segment_by[]", |text| columnstore(json!({"segment_by": [text]}))),
    ("columnstore.order_by[]", |text| columnstore(json!({"order_by": [text]}))),
    ("columnstore.order_by[].column", |text| columnstore(json!({"order_by": [{"column": text}]}))),
    ("columnstore.order_by[].expression", |text| columnstore(json!({"order_by": [{"expression": text}]}))),
    ("columnstore.order_by[].opclass", |text| columnstore(json!({"order_by": [{"column": "at", "opclass": text}]}))),
    ("columnstore.order_by[].collation", |text| {
        columnstore(json!({"order_by": [{"column": "at", "collation": text}]}))
    }),
    ("columnstore.sparse_index[].bloom", |text| sparse(json!({"bloom": text}))),
    ("columnstore.sparse_index[].bloom[]", |text| sparse(json!({"bloom": [text, "b"]}))),
    ("columnstore.sparse_index[].minmax", |text| sparse(json!({"minmax": text}))),
    ("columnstore.sparse_index[].firstlast", |text| sparse(json!({"firstlast": text}))),
    ("columnstore.schedule.every", |text| columnstore(json!({"after": "9 days", "schedule": {"every": text}}))),
    ("columnstore.schedule.initial_start", |text| {
        columnstore(json!({"after": "9 days", "schedule": {"initial_start": text}}))
    }),
    ("columnstore.schedule.timezone", |text| columnstore(json!({"after": "9 days", "schedule": {"timezone": text}}))),
    ("columnstore.schedule.max_runtime", |text| {
        columnstore(json!({"after": "9 days", "schedule": {"max_runtime": text}}))
    }),
    ("columnstore.schedule.retry_period", |text| {
        columnstore(json!({"after": "9 days", "schedule": {"retry_period": text}}))
    }),
    ("retention.drop_after", |text| hyper(json!({"retention": {"drop_after": text}}))),
    ("retention.drop_created_before", |text| hyper(json!({"retention": {"drop_created_before": text}}))),
    ("retention.schedule.every", |text| retention(json!({"every": text}))),
    ("retention.schedule.initial_start", |text| retention(json!({"initial_start": text}))),
    ("retention.schedule.timezone", |text| retention(json!({"timezone": text}))),
    ("retention.schedule.max_runtime", |text| retention(json!({"max_runtime": text}))),
    ("retention.schedule.retry_period", |text| retention(json!({"retry_period": text}))),
    ("reorder.index", |text| sorted(json!({"index": text}))),
    ("reorder.schedule.every", |text| sorted(json!({"schedule": {"every": text}}))),
    ("reorder.schedule.initial_start", |text| sorted(json!({"schedule": {"initial_start": text}}))),
    ("reorder.schedule.timezone", |text| sorted(json!({"schedule": {"timezone": text}}))),
    ("reorder.schedule.max_runtime", |text| sorted(json!({"schedule": {"max_runtime": text}}))),
    ("reorder.schedule.retry_period", |text| sorted(json!({"schedule": {"retry_period": text}}))),
    ("continuous_aggregate.name", |text| aggregate(json!({"name": text, "with_data": true}))),
    ("continuous_aggregate.query", |text| aggregate(json!({"query": text}))),
    ("continuous_aggregate.query by a literal", |text| {
        let literal = format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
        aggregate(json!({"query": QUERY.replace("n FROM", &format!("n, {literal} AS said FROM"))}))
    }),
    ("continuous_aggregate.query by the name of a column", |text| {
        let quoted = format!("\"{}\"", text.replace('"', "\"\""));
        aggregate(json!({"query": QUERY.replace("n FROM", &format!("{quoted} FROM"))}))
    }),
    ("continuous_aggregate.query by a condition", |text| {
        aggregate(json!({"query": QUERY.replace("GROUP", &format!("WHERE {text} GROUP"))}))
    }),
    ("continuous_aggregate.chunk_interval", |text| aggregate(json!({"chunk_interval": text}))),
    ("refresh[].name", |text| refresh(json!({"name": text}))),
    ("refresh[].start_offset", |text| refresh(json!({"start_offset": text}))),
    ("refresh[].end_offset", |text| refresh(json!({"end_offset": text}))),
    ("refresh[].schedule.every", |text| refresh(json!({"schedule": {"every": text}}))),
    ("refresh[].schedule.initial_start", |text| {
        refresh(json!({"schedule": {"every": "1 hour", "initial_start": text}}))
    }),
    ("refresh[].schedule.timezone", |text| refresh(json!({"schedule": {"every": "1 hour", "timezone": text}}))),
    ("refresh[].schedule.max_runtime", |text| refresh(json!({"schedule": {"every": "1 hour", "max_runtime": text}}))),
    ("refresh[].schedule.retry_period", |text| refresh(json!({"schedule": {"every": "1 hour", "retry_period": text}}))),
    ("job.name", |text| job(json!({"name": text}))),
    ("job.procedure", |text| job(json!({"procedure": text}))),
    ("job.check_config", |text| job(json!({"check_config": text}))),
    ("job.config.{}", |text| job(json!({"config": {text: {text: 1}}}))),
    ("job.config.*", |text| job(json!({"config": {"x": text, "y": [text]}}))),
    ("job.schedule.every", |text| job(json!({"schedule": {"every": text}}))),
    ("job.schedule.initial_start", |text| job(json!({"schedule": {"every": "1 hour", "initial_start": text}}))),
    ("job.schedule.timezone", |text| job(json!({"schedule": {"every": "1 hour", "timezone": text}}))),
    ("job.schedule.max_runtime", |text| job(json!({"schedule": {"every": "1 hour", "max_runtime": text}}))),
    ("job.schedule.retry_period", |text| job(json!({"schedule": {"every": "1 hour", "retry_period": text}}))),
];

/// What the aggregates here are made of.
const QUERY: &str =
    "SELECT public.time_bucket('1 hour', at) AS bucket, b, count(*) AS n FROM public.hyper GROUP BY 1, 2";

/// A document with other keys.
fn with(mut document: Json, keys: &Json) -> Json {
    for (key, value) in keys.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

fn table(keys: Json) -> Json {
    with(json!({"kind": "table", "name": "public.victim"}), &keys)
}

fn hyper(keys: Json) -> Json {
    with(json!({"kind": "table", "name": "public.hyper"}), &keys)
}

fn index(keys: Json) -> Json {
    table(json!({"indexes": [with(json!({"name": "ix_victim", "columns": ["b"]}), &keys)]}))
}

fn role(keys: Json) -> Json {
    with(json!({"kind": "role", "name": "injection_victim"}), &keys)
}

fn grant(item: Json) -> Json {
    role(json!({"grants": [item]}))
}

fn later(keys: Json) -> Json {
    let item = json!({"privileges": ["select"], "on": "tables", "made_by": "postgres", "in_schema": "public"});
    role(json!({"default_privileges": [with(item, &keys)]}))
}

fn setting(keys: Json) -> Json {
    with(json!({"kind": "setting", "name": "s", "scope": "database"}), &keys)
}

/// A class and a table that it may match.
fn class(keys: Json) -> Json {
    let class =
        json!({"kind": "class", "name": "c", "match": {"names": ["public.victim"]}, "storage": {"fillfactor": 70}});
    json!([with(class, &keys), table(json!({"labels": {"x": "x"}, "storage": {"autovacuum_enabled": true}}))])
}

/// A guardrail that refuses, and a table that it may be asked for.
fn guardrail(keys: Json) -> Json {
    let guardrail = json!({"kind": "guardrail", "name": "g", "assert": "false", "message": "m"});
    json!([with(guardrail, &keys), table(json!({"labels": {"x": "x"}, "storage": {"fillfactor": 70}}))])
}

/// A backup of a server that does not archive its WAL: what an archive command may hold is decided where
/// the policy is read, and the tests of backups have servers of their own.
fn backup(keys: Json) -> Json {
    let first =
        json!({"kind": "backup", "name": "main", "repository": {"path": "/nowhere"}, "wal": {"archive": false}});
    with(with(first, &json!({"schedule": {"full": "0 1 * * 0"}})), &keys)
}

/// The same by pgBackRest, which takes no such server: what reaches its configuration is decided where the
/// policy is read, too, and must not be written on the machine that the tests run on.
fn rest(keys: Json) -> Json {
    backup(with(json!({"engine": "pgbackrest"}), &keys))
}

fn bucket(keys: Json) -> Json {
    let first = json!({"bucket": "b", "endpoint": "localhost:1", "region": "r", "key_file": "/k", "secret_file": "/s"});
    rest(json!({"repository": {"s3": with(first, &keys)}}))
}

/// A store and a table that goes into it.
fn archive(store: Json, section: Json) -> Json {
    let first = json!({"kind": "archive_store", "name": "cold", "location": {"path": "/nowhere/archive"}});
    let section = with(json!({"to": "cold", "after": "30 days"}), &section);
    json!([with(first, &store), {"kind": "table", "name": "public.kept", "archive": section}])
}

/// The same with a store in a bucket.
fn stored(bucket: Json, location: Json) -> Json {
    let first = json!({"bucket": "b", "endpoint": "localhost:1", "region": "r", "key_file": "/k", "secret_file": "/s"});
    archive(json!({"location": with(json!({"s3": with(first, &bucket)}), &location)}), json!({}))
}

fn columnstore(keys: Json) -> Json {
    hyper(json!({"columnstore": keys}))
}

fn sparse(index: Json) -> Json {
    columnstore(json!({"order_by": ["at"], "sparse_index": [index]}))
}

fn retention(schedule: Json) -> Json {
    hyper(json!({"retention": {"drop_after": "90 days", "schedule": schedule}}))
}

/// What reorders a hypertable that has no columnstore.
fn sorted(keys: Json) -> Json {
    json!({"kind": "table", "name": "public.sorted", "reorder": with(json!({"index": "ix_sorted"}), &keys)})
}

fn aggregate(keys: Json) -> Json {
    with(json!({"kind": "continuous_aggregate", "name": "public.made", "query": QUERY}), &keys)
}

fn refresh(keys: Json) -> Json {
    let item = json!({"start_offset": "3 days", "end_offset": "1 hour", "schedule": {"every": "1 hour"}});
    json!({"kind": "continuous_aggregate", "name": "public.hourly", "refresh": [with(item, &keys)]})
}

fn job(keys: Json) -> Json {
    let document = json!({"kind": "job", "name": "j", "procedure": "public.act", "schedule": {"every": "1 hour"}});
    with(document, &keys)
}
