//! The policies in `policies/`, all of them together on one database, as a team would have them.

use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::cli::Workplace;
use crate::servers::{Db, Servers, Tier};

/// The tables of the demo, and what else the policies speak of, as migrations would have left it.
const TRADING: &str = include_str!("../../src/cli/demo/trading.sql");
const BESIDE: &str = "CREATE TABLE public.orders (
        time timestamptz NOT NULL, order_id bigint NOT NULL, account_id integer NOT NULL, symbol text NOT NULL,
        status text NOT NULL);
    SELECT public.create_hypertable('public.orders', public.by_range('time'));
    CREATE PROCEDURE public.close_trading_day(job_id integer, config jsonb) LANGUAGE sql AS 'SELECT';
    INSERT INTO public.market_data SELECT now() - i * INTERVAL '6 hours', 'SAP', i, i, 'XETR' FROM generate_series(1, 40) i;
    INSERT INTO public.orders SELECT now() - i * INTERVAL '6 hours', i, i % 5, 'SAP', 'open' FROM generate_series(1, 40) i;
    INSERT INTO public.portfolio_snapshots SELECT now() - i * INTERVAL '1 day', 1, i, i FROM generate_series(1, 40) i;";

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !tier.has_policies() {
        return Vec::new();
    }
    let servers = servers.clone();
    vec![Trial::test(format!("{tier}::shipped"), move || -> Result<(), Failed> {
        let _alone = Servers::alone_with("setting");
        let db = servers.db(tier)?;
        run(&db);
        Ok(())
    })]
}

fn run(db: &Db) {
    for role in ["dashboards", "migrator"] {
        db.drops_role(role);
    }
    let (tables, _) = TRADING.split_once("INSERT INTO").expect("the demo's tables come before their rows");
    db.run(tables);
    db.run(BESIDE);
    let place = Workplace::new(db);
    fs::create_dir(place.path().join("policies")).unwrap();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, place.path().join("policies").join(path.file_name().unwrap())).unwrap();
    }
    place.apply("policies").expect(0);
    place.expect_converged("policies");
    place.run(&["drift", "policies"]).expect(0);
    for check in CHECKS {
        assert_eq!(db.lines(check), ["t"], "{check}");
    }
    place.run(&["ledger", "verify"]).expect(0);
}

/// A look at each of those that the demo does not have.
const CHECKS: [&str; 6] = [
    "SELECT count(*) = 1 FROM timescaledb_information.jobs WHERE proc_name = 'close_trading_day' AND config ->> 'venue' = 'XETR'",
    "SELECT count(*) = 1 FROM timescaledb_information.jobs WHERE proc_name = 'policy_reorder' AND hypertable_name = 'orders'",
    "SELECT 'autovacuum_vacuum_scale_factor=0.01' = ANY (reloptions) FROM pg_class WHERE oid = 'public.orders'::regclass",
    "SELECT has_table_privilege('dashboards', 'public.market_data_1h', 'SELECT') AND NOT has_table_privilege('dashboards', 'public.trades', 'SELECT')",
    "SELECT 'statement_timeout=30s' = ANY (setconfig) FROM pg_db_role_setting WHERE setrole = 'dashboards'::regrole AND setdatabase = 0",
    "SELECT 'TimeZone=UTC' = ANY (setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database() AND setrole = 0",
];
