//! A hostile text in every field of a policy: it is taken for just that text, or refused by a named
//! code before anything is sent. No text becomes a syntax error of a statement.

use std::time::Duration;

use chronoform::apply::{self, ActionOutcome, Events, Interrupt, StepOutcome};
use chronoform::cli::pipeline;
use chronoform::core::{Action, Applied, Hazard, Server, Step};
use chronoform::diag::{Diagnostic, Failure, Sources, code, has_errors};
use chronoform::guard::Standing;
use chronoform::load::{self, Variables};
use chronoform::pg::{ConnectOptions, Session};
use chronoform::snapshot::OnlyInside;
use serde_json::{Value as Json, json};

use super::{names, no_names};
use crate::cli::Workplace;
use crate::servers::{Db, Tier};

/// SQL that tries to get out of an expression, beside the names.
const EXPRESSIONS: [&str; 12] = [
    "true); DROP TABLE public.canary; --",
    "true) FROM public.canary; DROP TABLE public.canary; SELECT (true",
    "E'a'\n'b\\' '); COMMIT; DROP TABLE public.canary; --'",
    "1$a$ ' $a$); COMMIT; DROP TABLE public.canary; -- '",
    "(SELECT 1a$b$ ); COMMIT; DROP TABLE public.canary; --$b$)",
    "a > 0 -- b",
    "a > 0 /* b",
    "1, 2",
    "a AS b",
    "DISTINCT a",
    "(SELECT true FROM public.canary)",
    "pg_catalog.pg_sleep(100) IS NULL",
];

/// What came of a policy.
#[derive(Debug)]
enum Ended {
    /// Refused before anything was sent.
    Refused(Vec<Diagnostic>),
    /// Refused by the server, as one statement.
    Failed(String),
    /// Applied, as wanted.
    Applied,
}

/// A field: where the text goes in a policy.
type Field = fn(&str) -> Json;

const PLAIN: &[(&str, Field)] = &[
    ("name", |text| table(json!({"name": text, "storage": {"fillfactor": 70}}))),
    ("label", |text| table(json!({"labels": {text: text}, "storage": {"fillfactor": 70}}))),
    ("storage key", |text| table(json!({"storage": {text: 1}}))),
    ("storage toast key", |text| table(json!({"storage": {format!("toast.{text}"): 1}}))),
    ("storage value", |text| table(json!({"storage": {"fillfactor": text, "autovacuum_enabled": text}}))),
    ("storage unknown value", |text| table(json!({"storage": {"something_new": text}}))),
    ("index name", |text| index(json!({"name": text}))),
    ("index column", |text| index(json!({"columns": [text]}))),
    ("index column in parts", |text| index(json!({"columns": [{"column": text}]}))),
    ("index expression", |text| index(json!({"columns": [{"expression": text}]}))),
    ("index opclass", |text| index(json!({"columns": [{"column": "b", "opclass": text}]}))),
    ("index collation", |text| index(json!({"columns": [{"column": "b", "collation": text}]}))),
    ("index include", |text| index(json!({"include": [text]}))),
    ("index where", |text| index(json!({"where": text}))),
    ("index method", |text| index(json!({"method": text}))),
    ("index tablespace", |text| index(json!({"tablespace": text}))),
    ("index storage key", |text| index(json!({"storage": {text: 1}}))),
    ("index storage value", |text| index(json!({"storage": {"fillfactor": text}}))),
    ("index storage unknown value", |text| index(json!({"storage": {"something_new": text}}))),
    ("extension name", |text| json!({"kind": "extension", "name": text})),
    ("extension version", |text| json!({"kind": "extension", "name": "plpgsql", "version": text})),
    ("extension schema", |text| json!({"kind": "extension", "name": "plpgsql", "schema": text})),
    ("extension schema at creation", |text| json!({"kind": "extension", "name": "hstore", "schema": text})),
    ("role name", |text| json!({"kind": "role", "name": text, "comment": "injection"})),
    ("role comment", |text| role(json!({"comment": text}))),
    ("role valid_until", |text| role(json!({"valid_until": text}))),
    ("member_of", |text| role(json!({"member_of": [{"role": text}]}))),
    ("grant privilege", |text| grant(json!({"privileges": [text], "tables": ["victim"]}))),
    ("grant table", |text| grant(json!({"privileges": ["select"], "tables": [text]}))),
    ("grant schema", |text| grant(json!({"privileges": ["usage"], "schemas": [text]}))),
    ("grant all tables", |text| grant(json!({"privileges": ["select"], "all_tables_in": [text]}))),
    ("grant sequence", |text| grant(json!({"privileges": ["usage"], "sequences": [text]}))),
    ("grant function", |text| grant(json!({"privileges": ["execute"], "functions": [text]}))),
    ("grant function types", |text| {
        grant(json!({"privileges": ["execute"], "functions": [format!("victim({text})")]}))
    }),
    ("default privileges of", |text| {
        role(json!({"default_privileges": [{"privileges": ["select"], "on": "tables", "made_by": text}]}))
    }),
    ("default privileges in", |text| {
        role(json!({"default_privileges":
            [{"privileges": ["select"], "on": "tables", "made_by": "postgres", "in_schema": text}]}))
    }),
    ("setting parameter", |text| setting(json!({"settings": {text: "x"}}))),
    ("setting class", |text| setting(json!({"settings": {format!("{text}.x"): "x"}}))),
    ("setting value", |text| setting(json!({"settings": {"application_name": text}}))),
    ("setting number", |text| setting(json!({"settings": {"work_mem": text}}))),
    ("setting custom value", |text| setting(json!({"settings": {"my_app.mode": text}}))),
    ("setting list", |text| setting(json!({"settings": {"search_path": [text, text]}}))),
    ("setting role", |text| setting(json!({"scope": "role", "role": text, "settings": {"jit": false}}))),
    ("extension version at creation", |text| json!({"kind": "extension", "name": "hstore", "version": text})),
];

const TIMESCALE: &[(&str, Field)] = &[
    ("hypertable name", |text| json!({"kind": "table", "name": text, "hypertable": {"time_column": "a"}})),
    ("time_column", |text| table(json!({"hypertable": {"time_column": text}}))),
    ("chunk_interval", |text| table(json!({"hypertable": {"time_column": "at", "chunk_interval": text}}))),
    ("integer_now", |text| table(json!({"hypertable": {"time_column": "a", "integer_now": text}}))),
    ("partition", |text| {
        table(json!({"hypertable": {"time_column": "at", "partitions": [{"column": text, "number": 2}]}}))
    }),
    ("chunk_skipping", |text| table(json!({"hypertable": {"time_column": "at", "chunk_skipping": [text]}}))),
];

const COMMUNITY: &[(&str, Field)] = &[
    ("columnstore after", |text| hyper(json!({"columnstore": {"after": text}}))),
    ("columnstore created_before", |text| hyper(json!({"columnstore": {"created_before": text}}))),
    ("segment_by", |text| hyper(json!({"columnstore": {"segment_by": [text]}}))),
    ("order_by", |text| hyper(json!({"columnstore": {"order_by": [text]}}))),
    ("order_by in parts", |text| hyper(json!({"columnstore": {"order_by": [{"column": text}]}}))),
    ("sparse_index", |text| hyper(json!({"columnstore": {"order_by": ["at"], "sparse_index": [{"bloom": text}]}}))),
    ("drop_after", |text| hyper(json!({"retention": {"drop_after": text}}))),
    ("drop_created_before", |text| hyper(json!({"retention": {"drop_created_before": text}}))),
    ("schedule every", |text| retention(json!({"every": text}))),
    ("schedule initial_start", |text| retention(json!({"initial_start": text}))),
    ("schedule timezone", |text| retention(json!({"timezone": text}))),
    ("schedule max_runtime", |text| retention(json!({"max_runtime": text}))),
    ("schedule retry_period", |text| retention(json!({"retry_period": text}))),
];

fn document(name: &str, keys: Json) -> Json {
    let mut document = json!({"kind": "table", "name": name});
    for (key, value) in keys.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

fn table(keys: Json) -> Json {
    document("public.victim", keys)
}

fn hyper(keys: Json) -> Json {
    document("public.hyper", keys)
}

fn index(keys: Json) -> Json {
    let mut index = json!({"name": "ix_victim", "columns": ["b"]});
    for (key, value) in keys.as_object().unwrap() {
        index[key] = value.clone();
    }
    table(json!({"indexes": [index]}))
}

fn role(keys: Json) -> Json {
    let mut document = json!({"kind": "role", "name": "injection_victim"});
    for (key, value) in keys.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

fn grant(item: Json) -> Json {
    role(json!({"grants": [item]}))
}

fn setting(keys: Json) -> Json {
    let mut document = json!({"kind": "setting", "name": "s", "scope": "database"});
    for (key, value) in keys.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

fn retention(schedule: Json) -> Json {
    hyper(json!({"retention": {"drop_after": "90 days", "schedule": schedule}}))
}

const SETUP: &str = "CREATE TABLE public.victim (a int NOT NULL, b text, at timestamptz NOT NULL);";
const SETUP_HYPER: &str = "CREATE TABLE public.hyper (at timestamptz NOT NULL, b text);
    SELECT create_hypertable('public.hyper', by_range('at'));";

/// What there is in the database, but for the indexes and options of the two tables themselves.
const OBJECTS: &str = "SELECT c.relkind, c.relnamespace::regnamespace, c.relname FROM pg_class c
     WHERE c.relkind IN ('r', 'v', 'm', 'S', 'f', 'p') AND c.relnamespace IN ('public'::regnamespace)
     UNION ALL SELECT 'x', extnamespace::regnamespace, extname FROM pg_extension
     UNION ALL SELECT 'n', 0::regnamespace, nspname FROM pg_namespace WHERE nspname !~ '^pg_'
     ORDER BY 1, 2, 3";

pub fn run(db: &Db) {
    let tier = db.tier();
    db.run(SETUP);
    let mut fields: Vec<(&str, Field)> = Vec::new();
    // What has nothing to do with TimescaleDB is the same everywhere, and quickest here.
    if !tier.is_timescale() {
        fields.extend(PLAIN);
    }
    if tier.is_timescale() {
        db.run(SETUP_HYPER);
        fields.extend(TIMESCALE);
    }
    if tier.has_policies() {
        fields.extend(COMMUNITY);
    }
    let before = db.lines(OBJECTS);
    let place = Workplace::new(db);
    let mut texts = names();
    texts.extend(no_names());
    texts.extend(EXPRESSIONS.map(str::to_owned));
    if tier == Tier::Embedded {
        // A third of them, for the time that it takes there; the native server gets them all.
        texts = texts.into_iter().step_by(3).collect();
    }
    let mut session = connect(db);
    let mut wrong = Vec::new();
    let mut counts = [0; 3];
    for (field, policy) in &fields {
        for text in &texts {
            let ended = attempt(&policy(text), &place, &mut session);
            let at = match &ended {
                Ended::Refused(_) => 0,
                Ended::Failed(_) => 1,
                Ended::Applied => 2,
            };
            counts[at] += 1;
            if let Some(why) = complaint(&ended) {
                wrong.push(format!("{field} = {text:?}: {why}"));
            }
            if matches!(ended, Ended::Applied) {
                take_back(&mut session);
            }
        }
    }
    drop(session);
    assert!(wrong.is_empty(), "{} of {counts:?}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(db.lines(OBJECTS), before, "something else was made or lost");
}

fn connect(db: &Db) -> Session {
    let options = ConnectOptions { url: Some(db.url().to_owned()), ..ConnectOptions::default() };
    Session::connect(&options.resolve().unwrap()).unwrap()
}

/// What is wrong with an ending, if anything.
fn complaint(ended: &Ended) -> Option<String> {
    match ended {
        Ended::Applied => None,
        Ended::Failed(error) if error.contains("42601") => Some(format!("a syntax error was sent: {error}")),
        Ended::Failed(_) => None,
        Ended::Refused(said) => {
            let unexpected = [&code::SERVER_ERROR, &code::CATALOG_UNEXPECTED, &code::INTERNAL, &code::CONNECTION_LOST];
            let found = said.iter().find(|d| d.is_error() && unexpected.contains(&d.code));
            found.map(|diagnostic| format!("refused as {}: {}", diagnostic.code.name, diagnostic.message))
        }
    }
}

/// Plans and applies a policy as the program does, with every hazard allowed.
fn attempt(policy: &Json, place: &Workplace<'_>, session: &mut Session) -> Ended {
    place.write("policy.yaml", &policy.to_string());
    let (mut sources, mut sink) = (Sources::default(), Vec::new());
    let paths = [place.path().join("policy.yaml")];
    let policies = match load::policies(&paths, &Variables::default(), &mut sources, &mut sink) {
        Ok(policies) => policies,
        Err(failure) => return Ended::Refused(failure.0),
    };
    let mut remember = |_: &Server| Ok::<_, Failure>(std::collections::BTreeMap::<_, Applied>::new());
    let plan = match pipeline::make(&policies, session, &mut remember, true, &mut sink) {
        Ok(made) => made.plan,
        Err(failure) => {
            // What fails inside the snapshot leaves its transaction open.
            session.batch("ROLLBACK").unwrap();
            return Ended::Refused(failure.0);
        }
    };
    if has_errors(&sink) {
        return Ended::Refused(sink);
    }
    apply::permit(&plan, &Hazard::ALL).unwrap();
    let locked = apply::lock(session, place.db.tier().single_session(), Duration::ZERO, &mut |_| {}).unwrap();
    let mut ready = match apply::gate(locked, &plan, &Standing::default(), &mut OnlyInside) {
        Ok(ready) => ready,
        Err(failure) => panic!("the gate refuses what was just planned: {failure}\n{policy}"),
    };
    let done = apply::run(&mut ready, &plan, &mut Unseen, &Interrupt::default(), Duration::ZERO, &mut apply::NoTasks);
    for outcome in &done.outcomes {
        if let ActionOutcome::Stopped(_, StepOutcome::Failed(error)) = outcome {
            return Ended::Failed(error.to_string());
        }
        assert_eq!(*outcome, ActionOutcome::Done, "{policy}");
    }
    let verified = apply::verify(&mut ready, &plan, &done, &mut OnlyInside).unwrap();
    assert!(verified.differing.is_empty(), "not as wanted: {:?}\n{policy}", verified.differing);
    Ended::Applied
}

/// The next text finds the tables as this one did.
fn take_back(session: &mut Session) {
    let drops = "SELECT string_agg(format('DROP INDEX public.%I', c.relname), '; ') AS sql FROM pg_catalog.pg_index i \
                 JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'public.victim'::regclass";
    let rows = session.query_text(drops).unwrap();
    if let Some(sql) = rows[0].maybe_text("sql").unwrap() {
        session.batch(sql).unwrap();
    }
    session.batch("ALTER TABLE public.victim RESET (fillfactor)").unwrap();
    // Roles are the server's, and other tests have theirs.
    let roles = "SELECT string_agg(format('DROP OWNED BY %1$I; DROP ROLE %1$I', r.rolname), '; ') AS sql FROM pg_catalog.pg_roles r \
                 WHERE r.rolname = 'injection_victim' OR pg_catalog.shobj_description(r.oid, 'pg_authid') = 'injection'";
    let rows = session.query_text(roles).unwrap();
    if let Some(sql) = rows[0].maybe_text("sql").unwrap() {
        session.batch(sql).unwrap();
    }
}

/// Nobody is told.
struct Unseen;

impl Events for Unseen {
    fn action_started(&mut self, _: usize, _: &Action) {}

    fn step_started(&mut self, _: usize, _: &Action, _: usize, _: &Step) -> Result<(), Failure> {
        Ok(())
    }

    fn step_finished(&mut self, _: usize, _: usize, _: &StepOutcome, _: Duration) -> Result<(), Failure> {
        Ok(())
    }

    fn action_finished(&mut self, _: usize, _: &Action, _: &ActionOutcome, _: Duration) -> Result<(), Failure> {
        Ok(())
    }

    fn waiting(&mut self, _: &Action, _: u32, _: Duration, _: Option<&str>) {}
}
