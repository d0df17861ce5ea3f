//! What comes back from an archive is what went into it, whatever the table that it comes back into makes of it.

use libtest_mimic::{Failed, Trial};

use crate::archive::{left, prepare, run, unarchived};
use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !tier.is_timescale() {
        return Vec::new();
    }
    let trial = |name: &str, run: fn(&Db, &Workplace<'_>)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::archive_restore::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            let place = Workplace::new(&db);
            run(&db, &place);
            Ok(())
        })
    };
    vec![
        trial("what_would_fire_is_refused", would_fire),
        trial("what_a_table_makes_another_is_refused", made_another),
        trial("what_is_there_is_not_put_there_again", there_already),
    ]
}

fn restore(place: &Workplace<'_>, more: &[&str]) -> Ran {
    let arguments = ["archive", "restore", "public.trades", "--policies", "policy.yaml", "--auto-approve"];
    place.run(&[&arguments[..], more].concat())
}

/// Triggers and rules of users: what they do is no part of the archive.
fn would_fire(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    run(place).expect(0);
    if !db.tier().has_policies() {
        unarchived(place);
    }
    db.run(
        "CREATE FUNCTION public.cheaper() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN new.price := 0; RETURN new; END $$;
         CREATE TRIGGER \"make cheaper\" BEFORE INSERT ON public.trades FOR EACH ROW EXECUTE FUNCTION public.cheaper();
         CREATE TABLE public.ruled (LIKE public.trades);
         CREATE RULE elsewhere AS ON INSERT TO public.ruled DO ALSO SELECT 1;
         CREATE TABLE public.triggered (LIKE public.trades);
         CREATE TRIGGER cheaper BEFORE INSERT ON public.triggered FOR EACH ROW EXECUTE FUNCTION public.cheaper()",
    );
    let refused = |more: &[&str], told: &[&str]| {
        let ran = restore(place, more).expect(1);
        for told in told {
            assert!(ran.err.contains(told), "{told}: {}", ran.err);
        }
        assert_eq!(left(db), 0);
    };
    refused(&[], &["restore-failed", "trigger \"make cheaper\"", "--into"]);
    // Where the server takes that, it is not disabled in chunks that the rows make.
    let _ = db.try_run("ALTER TABLE public.trades DISABLE TRIGGER \"make cheaper\"");
    refused(&[], &["trigger \"make cheaper\"", "drop it for that time"]);
    refused(&["--into", "public.ruled"], &["rule \"elsewhere\"", "DISABLE RULE elsewhere"]);
    refused(&["--into", "public.triggered"], &["ALTER TABLE public.triggered DISABLE TRIGGER cheaper"]);
    db.run("ALTER TABLE public.triggered DISABLE TRIGGER cheaper; DROP TRIGGER \"make cheaper\" ON public.trades");
    restore(place, &["--into", "public.triggered"]).expect(0);
    restore(place, &[]).expect(0);
    let same = "SELECT count(*) FROM ((SELECT t::text FROM public.trades AS t WHERE time < '2021-01-01 00:00+00')
                EXCEPT ALL (SELECT t::text FROM public.triggered AS t)) AS d";
    assert_eq!(db.lines(same), ["0"]);
}

/// Types that round, values that the table computes, columns that it computes no longer.
fn made_another(db: &Db, place: &Workplace<'_>) {
    db.run("CREATE FUNCTION public.half(v float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT v / 2'");
    prepare(db, place, true);
    // On a table of its own: columns that are computed are not added to what is in the columnstore.
    db.run(
        "DROP TABLE public.trades;
         CREATE TABLE public.trades (time timestamptz NOT NULL, exact numeric, n bigint,
                                     half float8 GENERATED ALWAYS AS (public.half(n)) STORED);
         SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
         INSERT INTO public.trades (time, exact, n) SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '1 hour', i + 0.125, i
           FROM generate_series(0, 47) AS i;
         CREATE TABLE public.was AS SELECT * FROM public.trades",
    );
    run(place).expect(0);
    assert_eq!(left(db), 0);
    let into = |columns: &str, more: &[&str]| {
        db.run(&format!("DROP TABLE IF EXISTS public.back; CREATE TABLE public.back ({columns})"));
        restore(place, &[&["--into", "public.back"], more].concat())
    };
    let whole = "time timestamptz, exact numeric, n bigint, half float8";
    let part = ["--from", "2020-01-01 06:00+00", "--to", "2020-01-02 06:00+00"];
    for more in [&[][..], &part] {
        for (columns, told) in [
            (whole.replace("exact numeric", "exact numeric(10, 2)"), "`exact`"),
            (whole.replace("half float8", "half float8 GENERATED ALWAYS AS (n / 3) STORED"), "`half`"),
        ] {
            let ran = into(&columns, more).expect(1);
            assert!(ran.err.contains("does not take the column") && ran.err.contains(told), "{}", ran.err);
            assert_eq!(db.lines("SELECT count(*) FROM public.back"), ["0"]);
        }
        // Where the table does not compute it, it is what it was.
        for columns in [
            whole.to_owned(),
            whole.replace("half float8", "half float8 GENERATED ALWAYS AS (public.half(n)) STORED"),
            whole.replace("n bigint", "n numeric, more text DEFAULT 'x'"),
        ] {
            into(&columns, more).expect(0);
            let rows = if more.is_empty() { "48" } else { "24" };
            let same = "SELECT count(*) FROM (SELECT time, exact::text, n, half FROM public.back INTERSECT
                        SELECT time, exact::text, n, half FROM public.was) AS s";
            assert_eq!(db.lines(same), [rows], "{columns}");
        }
    }
}

fn there_already(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    run(place).expect(0);
    db.run("CREATE TABLE public.back (LIKE public.trades)");
    restore(place, &["--into", "public.back", "--from", "2020-01-02", "--to", "2020-01-03"]).expect(0);
    let rows = db.lines("SELECT count(*) FROM public.back");
    let again = restore(place, &["--into", "public.back", "--from", "2020-01-01", "--to", "2020-01-05"]).expect(1);
    assert!(again.err.contains(&format!("public.back has {} rows from 2020-01-02", rows[0])), "{}", again.err);
    assert_eq!(db.lines("SELECT count(*) FROM public.back"), rows);
    restore(place, &["--into", "public.back", "--from", "2020-01-03", "--to", "2020-01-05"]).expect(0);
}
