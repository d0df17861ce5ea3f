//! No role has its code run with the rights of who plans: not by a function that tells the present of its table, even
//! one whose arguments all have defaults, nor by one that the server would take for TimescaleDB's.

use crate::cli::Workplace;
use crate::servers::Db;

const POLICY: &str = "kind: table
name: public.events
hypertable: {time_column: at}
retention: {drop_after: 500}
";

pub fn run(db: &Db) {
    let owner = db.role("events_owner");
    db.run(&format!(
        "CREATE ROLE {owner};
         CREATE TABLE public.events (at bigint NOT NULL, body text);
         CREATE SEQUENCE public.calls;
         CREATE FUNCTION public.newest() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1000::bigint';
         SELECT create_hypertable('public.events', by_range('at', 100));
         SELECT set_integer_now_func('public.events', 'public.newest');
         INSERT INTO public.events SELECT i, 'x' FROM generate_series(0, 999, 50) AS i;
         SELECT add_retention_policy('public.events', 900);"
    ));
    let count = |arguments: &str| {
        format!(
            "DROP FUNCTION public.newest;
             CREATE FUNCTION public.newest({arguments}) RETURNS bigint LANGUAGE sql VOLATILE
                 AS 'SELECT pg_catalog.nextval(''public.calls'') + 1000';
             ALTER FUNCTION public.newest OWNER TO {owner};"
        )
    };
    let place = Workplace::new(db);
    place.write("policy.yaml", POLICY);
    for (arguments, why) in
        [("", "is code of"), ("x int DEFAULT 1", "without arguments"), ("VARIADIC x int[] DEFAULT '{}'", "without")]
    {
        db.run(&count(arguments));
        for command in ["plan", "drift"] {
            let ran = place.run(&[command, "policy.yaml"]);
            assert!(ran.code == 0 || ran.code == 2, "{}\n{}", ran.out, ran.err);
            assert!(command == "drift" || ran.out.contains(why), "{arguments}: {}\n{}", ran.out, ran.err);
        }
        assert_eq!(db.lines("SELECT is_called FROM public.calls"), ["f"], "newest({arguments})");
    }
}

pub fn overloads(db: &Db) {
    let owner = db.role("somebody");
    db.run(&format!(
        "CREATE ROLE {owner};
         CREATE TABLE public.trades (time timestamptz NOT NULL);
         SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
         CREATE SEQUENCE public.calls;
         CREATE FUNCTION public.show_chunks(relation regclass, older_than interval) RETURNS SETOF regclass LANGUAGE sql VOLATILE
             AS 'SELECT NULL::regclass FROM pg_catalog.nextval(''public.calls'') WHERE false';
         CREATE FUNCTION public.by_range(a text, b interval) RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION public.of_its_own(a text) RETURNS int LANGUAGE sql AS 'SELECT 1';
         ALTER FUNCTION public.of_its_own OWNER TO {owner};
         CREATE FUNCTION public.either(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE AS 'SELECT $1';
         CREATE AGGREGATE public.first(anyelement) (SFUNC = public.either, STYPE = anyelement);
         ALTER AGGREGATE public.first(anyelement) OWNER TO {owner};
         CREATE FUNCTION public.show_chunks() RETURNS int LANGUAGE sql AS 'SELECT 1';
         ALTER FUNCTION public.show_chunks() OWNER TO {owner};
         CREATE PROCEDURE public.drop_chunks(a text) LANGUAGE sql AS 'SELECT 1';
         ALTER PROCEDURE public.drop_chunks(text) OWNER TO {owner};
         CREATE FUNCTION public.detach_tablespaces(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT 1';
         ALTER FUNCTION public.detach_tablespaces(int, int) OWNER TO {owner};"
    ));
    let place = Workplace::new(db);
    place.write(
        "policy.yaml",
        "kind: table\nname: public.trades\nhypertable: {time_column: time, chunk_interval: 2 days}\n",
    );
    // One's own may be there: whoever runs the plan has made it. So may what no call of TimescaleDB's functions can
    // mean: with too few arguments, a procedure instead of a function, or of the name of one that is never called.
    place.run(&["plan", "policy.yaml"]).expect(0);
    db.run(&format!("ALTER FUNCTION public.show_chunks(regclass, interval) OWNER TO {owner}"));
    for command in
        [&["plan", "policy.yaml"][..], &["drift", "policy.yaml"], &["apply", "policy.yaml", "--auto-approve"]]
    {
        let ran = place.run(command).expect(3);
        let said = "foreign-overload]: code of another role's could be run in the place of TimescaleDB's: \
                    public.show_chunks(regclass,interval) of ";
        assert!(ran.err.contains(said) && !ran.err.contains("of_its_own"), "{}", ran.err);
    }
    assert_eq!(db.lines("SELECT is_called FROM public.calls"), ["f"]);
    // Each of these would be taken where it fits better: by a default, any number of arguments, or in a query.
    db.run("DROP FUNCTION public.show_chunks(regclass, interval)");
    place.run(&["plan", "policy.yaml"]).expect(0);
    for (made, dropped) in [
        ("FUNCTION public.add_job(a text, b text, c text DEFAULT '')", "FUNCTION public.add_job(text,text,text)"),
        ("FUNCTION public.by_hash(VARIADIC a text[])", "FUNCTION public.by_hash(text[])"),
        (
            "FUNCTION public.time_bucket(a text, b timestamptz)",
            "FUNCTION public.time_bucket(text,timestamp with time zone)",
        ),
    ] {
        db.run(&format!("CREATE {made} RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER {dropped} OWNER TO {owner}"));
        let ran = place.run(&["plan", "policy.yaml"]).expect(3);
        let named = dropped.trim_start_matches("FUNCTION ");
        assert!(ran.err.contains("foreign-overload") && ran.err.contains(named), "{made}: {}", ran.err);
        db.run(&format!("DROP {dropped}"));
    }
}
