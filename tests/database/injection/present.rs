//! Who owns a function that tells the present of a table has no code run by a plan: not even by another
//! function of that name, which takes arguments that all have defaults.

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
