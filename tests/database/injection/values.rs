//! A hostile text in every field of a policy: it is taken for just that text, or refused by a named
//! code before anything is sent. No text becomes a syntax error of a statement.

use std::time::Duration;

use chronoform::apply::{self, ActionOutcome, Events, Interrupt, StepOutcome};
use chronoform::cli::pipeline;
use chronoform::core::{Action, Hazard, Step};
use chronoform::diag::{Diagnostic, Failure, Sources, code, has_errors};
use chronoform::guard::Standing;
use chronoform::load::{self, Variables};
use chronoform::pg::{ConnectOptions, Session};
use chronoform::snapshot::OnlyInside;
use serde_json::Value as Json;

use super::rows::{self, Field};
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

/// Of how many texts each field gets one on the embedded server, where a plan takes long.
const EMBEDDED_SHARE: usize = 4;

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

const SETUP: &str = "CREATE TABLE public.victim (a int NOT NULL, b text, at timestamptz NOT NULL);";
const SETUP_HYPER: &str = "CREATE TABLE public.kept (at timestamptz NOT NULL, b text);
    SELECT create_hypertable('public.kept', by_range('at'));";
const SETUP_COMMUNITY: &str = "CREATE TABLE public.hyper (at timestamptz NOT NULL, b text);
    SELECT create_hypertable('public.hyper', by_range('at'));
    CREATE TABLE public.sorted (at timestamptz NOT NULL, b text);
    SELECT create_hypertable('public.sorted', by_range('at'));
    CREATE INDEX ix_sorted ON public.sorted (b, at);
    CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
    SELECT time_bucket('1 hour', at) AS bucket, b, count(*) AS n FROM public.hyper GROUP BY 1, 2 WITH NO DATA;
    CREATE PROCEDURE public.act(job_id int, config jsonb) LANGUAGE sql AS 'SELECT';";

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
        fields.extend(rows::PLAIN);
    }
    if tier.is_timescale() {
        db.run(SETUP_HYPER);
        fields.extend(rows::TIMESCALE);
    }
    if tier.has_policies() {
        db.run(SETUP_COMMUNITY);
        fields.extend(rows::COMMUNITY);
    }
    let before = db.lines(OBJECTS);
    let place = Workplace::new(db);
    let mut texts = names();
    texts.extend(no_names());
    texts.extend(EXPRESSIONS.map(str::to_owned));
    // Some of them for each field, other ones each time, for the time that it takes there.
    let share = if tier == Tier::Embedded { EMBEDDED_SHARE } else { 1 };
    let mut session = connect(db);
    let mut wrong = Vec::new();
    let mut counts = [0; 3];
    for (at, (field, policy)) in fields.iter().enumerate() {
        for text in texts.iter().skip(at % share).step_by(share) {
            let ended = attempt(&policy(text), &place, &mut session);
            let which = match &ended {
                Ended::Refused(_) => 0,
                Ended::Failed(_) => 1,
                Ended::Applied => 2,
            };
            counts[which] += 1;
            if let Some(why) = complaint(&ended) {
                wrong.push(format!("{field} = {text:?}: {why}"));
            }
            if matches!(ended, Ended::Applied) {
                take_back(&mut session, tier);
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
    let documents = policy.as_array().map_or_else(|| vec![policy], |several| several.iter().collect());
    let text: Vec<String> = documents.iter().map(ToString::to_string).collect();
    place.write("policy.yaml", &text.join("\n---\n"));
    let (mut sources, mut sink) = (Sources::default(), Vec::new());
    let paths = [place.path().join("policy.yaml")];
    let policies = match load::policies(&paths, &Variables::default(), &mut sources, &mut sink) {
        Ok(policies) => policies,
        Err(failure) => return Ended::Refused(failure.0),
    };
    let opened = pipeline::Opened::new(session, |_| Ok(std::collections::BTreeMap::new()));
    let make = |opened| pipeline::make(&pipeline::Aim::APPLY, &policies, session, opened, true, &mut sink);
    let plan = match opened.and_then(make) {
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
    let mut outside = OnlyInside;
    let mut ready = match apply::gate(locked, &plan, &Standing::default(), &mut outside) {
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
fn take_back(session: &mut Session, tier: Tier) {
    if tier.has_policies() {
        let made = "SELECT string_agg(format('DROP MATERIALIZED VIEW %I.%I', view_schema, view_name), '; ') AS sql \
                    FROM timescaledb_information.continuous_aggregates WHERE view_name <> 'hourly'";
        for sql in [
            made,
            "SELECT string_agg(format('SELECT public.delete_job(%s)', job_id), '; ') AS sql \
                    FROM timescaledb_information.jobs WHERE job_id >= 1000",
        ] {
            run_what_it_says(session, sql);
        }
    }
    let drops = "SELECT string_agg(format('DROP INDEX public.%I', c.relname), '; ') AS sql FROM pg_catalog.pg_index i \
                 JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'public.victim'::regclass";
    run_what_it_says(session, drops);
    session.batch("ALTER TABLE public.victim RESET (fillfactor)").unwrap();
    // Roles are the server's, and other tests have theirs.
    let roles = "SELECT string_agg(format('DROP OWNED BY %1$I; DROP ROLE %1$I', r.rolname), '; ') AS sql FROM pg_catalog.pg_roles r \
                 WHERE r.rolname = 'injection_victim' OR pg_catalog.shobj_description(r.oid, 'pg_authid') = 'injection'";
    run_what_it_says(session, roles);
}

/// Sends the statements that a query puts together.
fn run_what_it_says(session: &mut Session, query: &str) {
    let rows = session.query_text(query).unwrap();
    let sql = rows[0].maybe_text("sql").unwrap().map(str::to_owned);
    if let Some(sql) = sql {
        session.batch(&sql).unwrap();
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
