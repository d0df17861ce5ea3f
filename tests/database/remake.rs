//! A continuous aggregate that others are made from is made anew, and is disturbed at every step: each of
//! them is there at any moment, with its owner, its privileges and its comments, and the next apply fills
//! what was not filled yet.

use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::cli::{Ran, Workplace};
use crate::faults::proxy::{Break, Proxy};
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !tier.has_policies() {
        return Vec::new();
    }
    let add = |name: &str, run: fn(&Site<'_>)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::remake::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            run(&Site::new(&db));
            Ok(())
        })
    };
    let mut trials = vec![
        add("the_connection_ends_anywhere", the_connection_ends_anywhere),
        add("a_plain_role_gives_back_what_it_made", a_plain_role_gives_back_what_it_made),
        add("what_a_run_left_half_done_is_its_own", what_a_run_left_half_done_is_its_own),
        add("a_pause_outlives_the_run_and_the_ledger", a_pause_outlives_the_run_and_the_ledger),
        add("what_others_do_meanwhile_is_theirs", what_others_do_meanwhile_is_theirs),
        add("a_column_that_goes_is_told_before_anything_does", a_column_that_goes_is_told_before_anything_does),
    ];
    // The other servers have no buckets of such a time.
    if tier == Tier::TimescaleUrl {
        let servers = servers.clone();
        trials.push(Trial::test(format!("{tier}::remake::a_uuid_tells_the_time"), move || -> Result<(), Failed> {
            a_uuid_tells_the_time(&servers.db(tier)?);
            Ok(())
        }));
    }
    if !tier.single_session() {
        trials.push(add("the_session_is_terminated_while_it_fills", the_session_is_terminated_while_it_fills));
        trials.push(add("the_process_is_killed_while_it_fills", the_process_is_killed_while_it_fills));
        trials.push(add("the_fill_is_cancelled", the_fill_is_cancelled));
    }
    trials
}

struct Site<'a> {
    place: Workplace<'a>,
    proxy: Proxy,
    owner: String,
    reader: String,
}

/// How many hours there are rows of.
const HOURS: usize = 480;

impl<'a> Site<'a> {
    fn new(db: &'a Db) -> Self {
        let (owner, reader) = (db.role("remake_owner"), db.role("remake_reader"));
        db.run(&format!(
            "CREATE ROLE {owner} LOGIN; CREATE ROLE {reader}; GRANT CREATE ON SCHEMA public TO {owner};
             CREATE FUNCTION public.slow(value float8) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS
                 'BEGIN PERFORM pg_catalog.pg_sleep(pg_catalog.current_setting(''remake.slow'', true)::float8); RETURN value; END';
             CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
             SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
             GRANT SELECT ON public.trades TO {owner};
             INSERT INTO public.trades
             SELECT timestamptz '2026-01-01 00:00+00' + g * INTERVAL '1 hour', g FROM generate_series(0, {HOURS} - 1) AS g"
        ));
        let port: u16 = db.url().rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
        let place = Workplace::new(db);
        let hourly = "SELECT public.time_bucket('1 hour', time) AS bucket, max(public.slow(price)) AS price FROM public.trades GROUP BY 1";
        let documents = [
            ("hourly", hourly),
            (
                "daily",
                "SELECT public.time_bucket('1 day', bucket) AS day, max(price) AS price FROM public.hourly GROUP BY 1",
            ),
            (
                "weekly",
                "SELECT public.time_bucket('5 days', day) AS week, max(price) AS price FROM public.daily GROUP BY 1",
            ),
        ];
        let document = |(name, query)| format!("kind: continuous_aggregate\nname: public.{name}\nquery: {query}\n");
        place.write("policy.yaml", &documents.map(document).join("---\n"));
        Self { place, proxy: Proxy::start(port), owner, reader }
    }

    fn db(&self) -> &Db {
        self.place.db
    }

    /// All three as somebody made and filled them, the first with another query than it is to have.
    fn reset(&self) {
        let Self { owner, reader, .. } = self;
        let mut session = self.db().connect();
        let mut run = |sql: &str| session.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        for name in ["weekly", "daily", "hourly"] {
            run(&format!("DROP MATERIALIZED VIEW IF EXISTS public.{name}"));
        }
        let made = [
            ("hourly", "bucket", "time_bucket('1 hour', time)", "min(price)", "trades"),
            ("daily", "day", "time_bucket('1 day', bucket)", "max(price)", "hourly"),
            ("weekly", "week", "time_bucket('5 days', day)", "max(price)", "daily"),
        ];
        for (name, bucket, width, price, source) in made {
            run(&format!(
                "CREATE MATERIALIZED VIEW public.{name} WITH (timescaledb.continuous) AS
                 SELECT public.{width} AS {bucket}, {price} AS price FROM public.{source} GROUP BY 1 WITH NO DATA"
            ));
            run(&format!("ALTER MATERIALIZED VIEW public.{name} OWNER TO {owner}"));
            run(&format!("GRANT SELECT ON public.{name} TO {reader}"));
            run(&format!("GRANT UPDATE (price) ON public.{name} TO {reader}"));
            run(&format!("COMMENT ON VIEW public.{name} IS 'by hand'"));
            run(&format!("COMMENT ON COLUMN public.{name}.price IS 'by hand too'"));
            run(&format!("CALL refresh_continuous_aggregate('public.{name}', NULL, NULL)"));
        }
        let _ = std::fs::remove_dir_all(self.place.path().join(".chronoform"));
    }

    /// The program, by way of the proxy; the function of the query takes so long a row.
    fn start(&self, slow: &str) -> Child {
        self.start_of("policy.yaml", slow)
    }

    fn start_of(&self, policy: &str, slow: &str) -> Child {
        let (before, after) = self.db().url().rsplit_once('@').unwrap();
        let database = after.split_once('/').unwrap().1;
        let url = format!("{before}@127.0.0.1:{}/{database}", self.proxy.port());
        let allow = ["--allow", "deletes_data", "--allow", "builds_index"];
        let mut command = self.place.command(&[&["apply", policy, "--auto-approve"][..], &allow].concat());
        command.env("DATABASE_URL", url).env("PGOPTIONS", format!("-c remake.slow={slow}"));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    }

    fn apply(&self) -> Ran {
        Ran::of(&self.start("0").wait_with_output().unwrap())
    }

    fn one(&self, sql: &str) -> i64 {
        self.db().lines(sql).remove(0).parse().unwrap()
    }

    /// Everything that somebody did to each by hand is there.
    fn is_whole(&self, what: &str) {
        let Self { owner, reader, .. } = self;
        let views = "('public.hourly'), ('public.daily'), ('public.weekly')";
        let sql = format!(
            "SELECT v.name, to_regclass(v.name) IS NOT NULL,
                    pg_get_userbyid((SELECT relowner FROM pg_class WHERE oid = to_regclass(v.name))) = '{owner}',
                    has_table_privilege('{reader}', to_regclass(v.name), 'SELECT'),
                    has_column_privilege('{reader}', to_regclass(v.name), 'price', 'UPDATE'),
                    obj_description(to_regclass(v.name), 'pg_class') IS NOT DISTINCT FROM 'by hand',
                    col_description(to_regclass(v.name), 2) IS NOT DISTINCT FROM 'by hand too'
               FROM (VALUES {views}) AS v (name)"
        );
        for row in self.db().lines(&sql) {
            assert!(row.split('|').skip(1).all(|cell| cell == "t"), "{what}: {row}");
        }
    }

    /// Nothing is left half-done after the next apply. Until then, a plan says that something is.
    fn settles(&self, what: &str) {
        self.proxy.arm(None);
        self.wait_for_silence();
        self.is_whole(what);
        let planned = self.place.run(&["plan", "policy.yaml", "--detailed-exitcode"]);
        let done = self.is_filled();
        assert!(planned.code == 2 || (planned.code == 0 && done), "{what}: {}\n{}", planned.out, planned.err);
        self.apply().expect_at(0, what);
        assert!(self.is_filled(), "{what}: it is not filled");
        self.is_whole(what);
        self.place.expect_converged("policy.yaml");
        let marks = "SELECT count(*) FROM pg_catalog.pg_description WHERE description LIKE 'chronoform%'";
        assert_eq!(self.one(marks), 0, "{what}: the mark is still there");
        self.place.run(&["ledger", "verify"]).expect_at(0, what);
    }

    /// Whether each has all of its rows, and those of the new query: the last hour of each.
    fn is_filled(&self) -> bool {
        let days = HOURS / 24;
        let counts = format!(
            "SELECT (SELECT count(*) FROM public.hourly) = {HOURS} AND (SELECT count(*) FROM public.daily) = {days}
                AND (SELECT count(*) BETWEEN {days} / 5 AND {days} / 5 + 1 FROM public.weekly)"
        );
        let query = "SELECT view_definition LIKE '%slow%' FROM timescaledb_information.continuous_aggregates
                      WHERE view_name = 'hourly'";
        [counts.as_str(), query].iter().all(|sql| self.db().lines(sql) == ["t"])
    }

    /// Until nothing works for the program any more.
    fn wait_for_silence(&self) {
        if self.db().server().single_session {
            return;
        }
        let working = "SELECT count(*) FROM pg_catalog.pg_stat_activity
                        WHERE application_name = 'chronoform' AND datname = current_database()";
        let started = Instant::now();
        while self.one(working) > 0 {
            assert!(started.elapsed() < Duration::from_secs(60), "a statement does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Begins to fill, and waits until that is under way: on a server that fills by and by, until there are rows.
    fn begins_to_fill(&self) -> Child {
        self.reset();
        let child = self.start("0.02");
        let filling =
            "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE query LIKE 'CALL %refresh_continuous_aggregate%'
                          AND application_name = 'chronoform' AND datname = current_database() AND state = 'active'";
        let started = Instant::now();
        while self.one(filling) == 0 {
            assert!(started.elapsed() < Duration::from_secs(60), "it does not begin to fill");
            thread::sleep(Duration::from_millis(5));
        }
        let begun = Instant::now();
        while self.one("SELECT count(*) FROM public.hourly") == 0 && begun.elapsed() < Duration::from_secs(4) {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(!self.is_filled(), "it was too quick to be disturbed");
        child
    }
}

/// PostgreSQL before 18 has no least of several such values, and what is lost is counted all the same.
fn a_uuid_tells_the_time(db: &Db) {
    if db.lines("SELECT to_regprocedure('public.time_bucket(interval, uuid)') IS NULL") == ["t"] {
        return;
    }
    let query = "SELECT public.time_bucket('1 hour', id) AS bucket, max(value) AS value FROM public.events GROUP BY 1";
    db.run(&format!(
        "CREATE TABLE public.events (id uuid NOT NULL, value int);
         SELECT create_hypertable('public.events', by_range('id', INTERVAL '1 day'));
         INSERT INTO public.events SELECT public.to_uuidv7(g), 1
           FROM generate_series(timestamptz '2026-01-01 00:00+00', '2026-01-19 23:00:00+00', '1 hour') AS g;
         CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS {query} WITH NO DATA"
    ));
    db.run("CALL refresh_continuous_aggregate('public.hourly', NULL, NULL)");
    db.run("SELECT drop_chunks('public.events', older_than => timestamptz '2026-01-05 00:00+00')");
    let place = Workplace::new(db);
    let document = format!("kind: continuous_aggregate\nname: public.hourly\nquery: {query}\n");
    let refresh = "refresh: [{start_offset: 5000 days, end_offset: 1 hour, schedule: {every: 1 hour}}]\n";
    place.write("policy.yaml", &format!("{document}{refresh}"));
    let planned = place.run(&["plan", "policy.yaml"]).expect(0);
    assert!(planned.out.contains("deletes 96 rows"), "{}", planned.out);
    place.write("policy.yaml", &document.replace("max", "min"));
    let planned = place.run(&["plan", "policy.yaml"]).expect(0);
    assert!(planned.out.contains("96 buckets (96 rows)"), "{}", planned.out);
    place.apply("policy.yaml").expect(0);
    place.expect_converged("policy.yaml");
    assert_eq!(db.lines("SELECT count(*) = 15 * 24 FROM public.hourly"), ["t"]);
}

fn the_connection_ends_anywhere(site: &Site<'_>) {
    site.reset();
    site.proxy.arm(None);
    site.apply().expect(0);
    assert!(site.is_filled());
    let all = site.proxy.sent();
    // The transaction is in the second half of what is sent, after plan and gate; then come the fills.
    let first = all / 3;
    let long = std::env::var_os("CHRONOFORM_TEST_LONG").is_some();
    let runs = if long { all - first } else { 9 };
    let mut disturbed = 0;
    for run in 0..runs {
        let at = first + ((all - first) * (run + 1)).div_ceil(runs);
        let how = if run % 2 == 0 { Break::After } else { Break::Before };
        site.reset();
        site.proxy.arm(Some((at, how)));
        let ran = site.apply();
        assert!(matches!(ran.code, 0 | 1 | 4), "at {at} of {all}: exit {}\n{}", ran.code, ran.err);
        disturbed += usize::from(ran.code != 0);
        site.settles(&format!("{how:?} {at} of {all}"));
    }
    assert!(disturbed * 3 >= runs * 2, "it was disturbed {disturbed} times only");
}

/// Where a query gives a column no more that an index on it, or another aggregate, needs, nothing is dropped: all of
/// the rows are there.
fn a_column_that_goes_is_told_before_anything_does(site: &Site<'_>) {
    site.reset();
    site.proxy.arm(None);
    let rows = "SELECT (SELECT count(*) FROM public.hourly), (SELECT count(*) FROM public.daily),
                       (SELECT count(*) FROM public.weekly), to_regclass('public.hourly')::oid::text";
    let before = site.db().lines(rows);
    let hourly = "kind: continuous_aggregate\nname: public.hourly\nquery: SELECT public.time_bucket('1 hour', time) AS bucket, \
                  max(price) AS top FROM public.trades GROUP BY 1\n";
    let daily = "---\nkind: continuous_aggregate\nname: public.daily\nquery: SELECT public.time_bucket('1 day', bucket) AS day, \
                 max(price) AS price FROM public.hourly GROUP BY 1\n";
    let weekly = "---\nkind: continuous_aggregate\nname: public.weekly\nquery: SELECT public.time_bucket('5 days', day) AS week, \
                  max(price) AS price FROM public.daily GROUP BY 1\n";
    let index = "indexes:\n- {name: hourly_price, columns: [price]}\n";
    for (text, code) in [
        (format!("{hourly}{daily}{weekly}"), "bad-aggregate-query"),
        (format!("{hourly}{index}{}{weekly}", daily.replace("(price)", "(top)")), "unknown-column"),
    ] {
        site.place.write("goes.yaml", &text);
        let ran = Ran::of(&site.start_of("goes.yaml", "0").wait_with_output().unwrap()).expect(1);
        assert!(ran.err.contains(code), "{}", ran.err);
        assert_eq!(site.db().lines(rows), before, "{code}");
        site.is_whole(code);
    }
}

/// Jobs that somebody has paused are there, and paused, wherever a run is cut off, and after the next, which has no
/// ledger to know it from: also those of what reads the aggregate that is made anew.
fn a_pause_outlives_the_run_and_the_ledger(site: &Site<'_>) {
    let apply = || Ran::of(&site.start_of("more.yaml", "0").wait_with_output().unwrap());
    let hourly = "refresh:\n- {start_offset: 300 days, end_offset: 1 hour, schedule: {every: 1 hour}}\n\
                  columnstore: {after: 90 days}\nretention: {drop_after: 30 days}\n";
    let daily = "retention: {drop_after: 30 days}\n";
    let with = |of: &str| {
        let query =
            format!("SELECT public.time_bucket('1 hour', time) AS bucket, {of} AS price FROM public.trades GROUP BY 1");
        let above =
            "SELECT public.time_bucket('1 day', bucket) AS day, max(price) AS price FROM public.hourly GROUP BY 1";
        let document = |name: &str, query: &str, more: &str| {
            format!(
                "kind: continuous_aggregate\nname: public.{name}\nquery: {query}\nindexes:\n- {{name: {name}_price, columns: [price]}}\n{more}"
            )
        };
        let both = [document("hourly", &query, hourly), document("daily", above, daily)].join("---\n");
        site.place.write("more.yaml", &both);
    };
    // The rows are older than what is kept: a job that ran would drop them.
    let jobs = "SELECT proc_name, NOT scheduled FROM timescaledb_information.jobs
                 WHERE hypertable_name IS NOT NULL ORDER BY 1";
    let are_paused = |what: &str| {
        let jobs = site.db().lines(jobs);
        assert_eq!(jobs.len(), 4, "{what}: {jobs:?}");
        assert!(jobs.iter().all(|job| job.ends_with("|t")), "{what}: {jobs:?}");
    };
    let rows = || site.one("SELECT count(*) FROM public.hourly");
    with("max(price)");
    site.proxy.arm(None);
    // Nobody has to wait for a job that comes before it is paused.
    site.db().run("SELECT _timescaledb_functions.stop_background_workers()");
    apply().expect(0);
    site.db().run(
        "SELECT public.alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs
          WHERE hypertable_name IS NOT NULL",
    );
    site.db().run("SELECT _timescaledb_functions.start_background_workers()");
    site.db().run("CALL public.refresh_continuous_aggregate('public.hourly', NULL, NULL)");
    site.db().run("CALL public.refresh_continuous_aggregate('public.daily', NULL, NULL)");
    are_paused("by hand");
    with("max(public.slow(price))");
    site.proxy.arm(None);
    apply().expect(0);
    are_paused("undisturbed");
    assert_eq!(rows(), HOURS as i64);
    let all = site.proxy.sent();
    let first = all / 3;
    let runs = if std::env::var_os("CHRONOFORM_TEST_LONG").is_some() { all - first } else { 9 };
    let mut disturbed = 0;
    for run in 0..runs {
        let at = first + ((all - first) * (run + 1)).div_ceil(runs);
        let what = format!("{at} of {all}");
        with(if run % 2 == 0 { "min(price)" } else { "max(public.slow(price))" });
        site.proxy.arm(Some((at, if run % 2 == 0 { Break::After } else { Break::Before })));
        disturbed += usize::from(apply().code != 0);
        site.proxy.arm(None);
        site.wait_for_silence();
        are_paused(&what);
        std::fs::remove_dir_all(site.place.path().join(".chronoform")).unwrap();
        apply().expect_at(0, &what);
        are_paused(&what);
        assert_eq!(rows(), HOURS as i64, "{what}");
        site.place.expect_converged("more.yaml");
    }
    assert!(disturbed * 3 >= runs * 2, "it was disturbed {disturbed} times only");
}

/// What somebody else does between two runs is theirs, and not what the run that was cut off did.
fn what_others_do_meanwhile_is_theirs(site: &Site<'_>) {
    let apply = || Ran::of(&site.start_of("more.yaml", "0").wait_with_output().unwrap());
    with_more(site, "max(price)");
    site.proxy.arm(None);
    apply().expect(0);
    with_more(site, "max(public.slow(price))");
    let mut at = 30;
    while site.one("SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'") > 0 {
        at += 2;
        assert!(at < 120, "it is never away");
        site.proxy.arm(Some((at, Break::After)));
        let ran = apply();
        assert_ne!(ran.code, 0, "it was never cut where the job is away\n{}", ran.err);
        site.wait_for_silence();
    }
    site.proxy.arm(None);
    let drift = site.place.run(&["drift", "more.yaml"]).expect(2);
    assert!(drift.out.contains("begun, and not ended, by the apply of"), "{}", drift.out);
    site.db().run("DROP MATERIALIZED VIEW public.daily");
    let drift = site.place.run(&["drift", "more.yaml"]).expect(2);
    assert!(drift.out.contains("missing  continuous aggregate"), "somebody else dropped it\n{}", drift.out);
    apply().expect(0);
    site.place.expect_converged("more.yaml");
    site.place.run(&["ledger", "verify"]).expect(0);
}

/// The policies with what is on the aggregates, the last of which is emptied by a job.
fn with_more(site: &Site<'_>, of: &str) {
    let daily = "SELECT public.time_bucket('1 day', bucket) AS day, max(price) AS price FROM public.hourly GROUP BY 1";
    let more = format!(
        "kind: continuous_aggregate\nname: public.hourly\nquery: SELECT public.time_bucket('1 hour', time) AS bucket, {of} AS price FROM public.trades GROUP BY 1\nwith_data: true\n\
         indexes:\n- {{name: hourly_price, columns: [price]}}\n---\n\
         kind: continuous_aggregate\nname: public.daily\nquery: {daily}\nwith_data: true\nindexes:\n- {{name: daily_price, columns: [price]}}\nretention:\n  drop_after: 100 years\n"
    );
    site.place.write("more.yaml", &more);
}

/// Whatever a run did before it was disturbed is told as its own, and not as somebody else's; and a job that
/// somebody had paused comes back as one that is paused.
fn what_a_run_left_half_done_is_its_own(site: &Site<'_>) {
    let apply = || Ran::of(&site.start_of("more.yaml", "0").wait_with_output().unwrap());
    let (mut count, mut begun) = (0, 0);
    for run in 0..=7 {
        site.proxy.arm(None);
        with_more(site, if run % 2 == 0 { "max(price)" } else { "min(price)" });
        apply().expect_at(0, "as it was");
        let job = "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'";
        site.db().run(&format!("SELECT public.alter_job(({job}), scheduled => false)"));
        with_more(site, if run % 2 == 0 { "max(public.slow(price))" } else { "avg(public.slow(price))" });
        if run == 0 {
            // Undisturbed: how much is sent.
            site.proxy.arm(None);
            apply().expect(0);
            count = site.proxy.sent();
            continue;
        }
        let at = count / 3 + (count - count / 3) * run / 8;
        site.proxy.arm(Some((at, if run % 2 == 0 { Break::After } else { Break::Before })));
        let ran = apply();
        assert!(matches!(ran.code, 1 | 4), "at {at} of {count}: exit {}\n{}", ran.code, ran.err);
        site.proxy.arm(None);
        site.wait_for_silence();
        // The last messages only look whether all is done.
        let drift = site.place.run(&["drift", "more.yaml"]);
        assert!(matches!(drift.code, 0 | 2), "at {at} of {count}: exit {}\n{}", drift.code, drift.err);
        for word in ["drifted", "conflict", "missing"] {
            assert!(!drift.out.contains(word), "{word} at {at} of {count}:\n{}", drift.out);
        }
        begun += usize::from(drift.out.contains("begun, and not ended, by the apply of"));
        apply().expect_at(0, &format!("{at} of {count}"));
        site.place.expect_converged("more.yaml");
        let paused = "SELECT NOT scheduled FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'";
        assert_eq!(site.db().lines(paused), ["t"], "{at} of {count}");
    }
    assert!(begun > 2, "it was never disturbed where it matters");
    site.place.run(&["ledger", "verify"]).expect(0);
}

/// What a role that is no superuser makes anew, and that belongs to another one, can be given back only where that
/// one may create in both schemas: the plan says so, and what it advises helps.
fn a_plain_role_gives_back_what_it_made(site: &Site<'_>) {
    let (group, plain) = (site.db().role("remake_group"), site.db().role("remake_plain"));
    site.db().run(&format!(
        "CREATE ROLE {group}; CREATE ROLE {plain} LOGIN; GRANT {group} TO {plain};
         GRANT CREATE ON SCHEMA public TO {group}; ALTER TABLE public.trades OWNER TO {group}"
    ));
    let reset = || {
        site.reset();
        for name in ["hourly", "daily", "weekly"] {
            site.db().run(&format!("ALTER MATERIALIZED VIEW public.{name} OWNER TO {group}"));
        }
    };
    let run = |role: &str, arguments: &[&str]| {
        let mut command = site.place.command(arguments);
        command.env("PGOPTIONS", format!("-c remake.slow=0 -c role={role}"));
        Ran::of(&command.output().unwrap())
    };
    let apply = ["apply", "policy.yaml", "--auto-approve", "--allow", "deletes_data"];
    let owners = format!(
        "SELECT count(*) FROM pg_catalog.pg_class WHERE pg_get_userbyid(relowner) = '{group}' AND relkind = 'v'
                            AND relnamespace = 'public'::regnamespace"
    );
    let create = "CREATE ON SCHEMA _timescaledb_internal";

    reset();
    let planned = run(&plain, &["plan", "policy.yaml"]);
    for name in ["hourly", "daily", "weekly"] {
        let told = format!("continuous_aggregate.public.{name} belongs to the role \"{group}\"");
        assert!(planned.err.contains(&told), "{}\n{}", planned.out, planned.err);
    }
    let help = format!("GRANT {create} TO {group}");
    assert!(planned.code == 1 && planned.err.contains(&help), "exit {}\n{}", planned.code, planned.err);
    run(&plain, &apply).expect(1);
    assert_eq!(site.one(&owners), 3);

    if site.one("SELECT current_setting('server_version_num')::int") >= 160_000 {
        site.db().run(&format!("GRANT {group} TO {plain} WITH SET FALSE"));
        let planned = run(&plain, &["plan", "policy.yaml"]).expect(1);
        assert!(planned.err.contains(&format!("GRANT {group} TO {plain} WITH SET TRUE")), "{}", planned.err);
        site.db().run(&format!("GRANT {group} TO {plain} WITH SET TRUE"));
    }
    // The embedded server lets none but a superuser drop an aggregate: it ends that with XX000.
    if site.db().server().single_session {
        return;
    }
    run(&group, &apply).expect(0);
    assert_eq!(site.one(&owners), 3);
    assert!(site.is_filled());

    reset();
    site.db().run(&help);
    run(&plain, &apply).expect(0);
    assert_eq!(site.one(&owners), 3);
    assert!(site.is_filled());
}

fn the_session_is_terminated_while_it_fills(site: &Site<'_>) {
    let child = site.begins_to_fill();
    let terminate = "SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity
                      WHERE application_name = 'chronoform' AND datname = current_database()";
    site.one(terminate);
    let ended = Ran::of(&child.wait_with_output().unwrap()).expect(4);
    assert!(!site.is_filled(), "{}", ended.err);
    let planned = site.place.run(&["plan", "policy.yaml", "--detailed-exitcode"]).expect(2);
    assert_eq!(planned.out.matches("begun, and not completed").count(), 3, "{}", planned.out);
    let drift = site.place.run(&["drift", "policy.yaml"]).expect(2);
    assert!(drift.out.contains("begun, and not completed"), "{}", drift.out);
    site.settles("terminated");
}

fn the_process_is_killed_while_it_fills(site: &Site<'_>) {
    let mut child = site.begins_to_fill();
    child.kill().unwrap();
    child.wait().unwrap();
    site.settles("killed");
}

/// Asked twice to stop, it cancels the statement; whatever that ends with, it was cancelled.
fn the_fill_is_cancelled(site: &Site<'_>) {
    let child = site.begins_to_fill();
    for _ in 0..2 {
        let signal = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(signal.success());
        thread::sleep(Duration::from_millis(200));
    }
    let ended = Ran::of(&child.wait_with_output().unwrap()).expect(4);
    let all = format!("{}{}", ended.out, ended.err);
    assert!(all.contains("error[interrupted]") && !all.contains("step-failed"), "{all}");
    assert!(!all.contains("0 of 10 steps"), "what is committed counts: {all}");
    site.settles("cancelled");
}
