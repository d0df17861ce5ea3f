//! `demo` plays where nobody works.

use libtest_mimic::{Failed, Trial};

use crate::cli::Workplace;
use crate::servers::{Servers, Tier};

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let servers = servers.clone();
    vec![Trial::test(format!("{tier}::demo::a_database_that_somebody_uses_is_left_alone"), move || {
        used(tier, &servers)
    })]
}

fn used(tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let db = servers.db(tier)?;
    let place = Workplace::new(&db);
    db.run("CREATE TABLE public.customers (id int);");
    let refused = place.run(&["demo", "--url", db.url()]).expect(1);
    assert!(refused.err.contains("database-not-empty") && refused.err.contains("public.customers"), "{}", refused.err);
    assert!(
        !db.lines("SELECT relname FROM pg_class WHERE relname IN ('trades', 'market_data')")
            .iter()
            .any(|l| !l.is_empty())
    );
    Ok(())
}
