//! Invariant 8: the number of queries does not grow with the number of objects.

use libtest_mimic::{Failed, Trial};

use chronoform::cli::pipeline::{self, Aim, Opened};
use chronoform::load;
use chronoform::pg::{ConnectOptions, Session};

use crate::cli::Workplace;
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let servers = servers.clone();
    vec![Trial::test(format!("{tier}::round_trips"), move || -> Result<(), Failed> {
        let db = servers.db(tier)?;
        let few = round_trips(&db, 2);
        let many = round_trips(&db, 40);
        assert_eq!(few, many, "{few} round trips for 2 tables, {many} for 40");
        assert!(many <= 12, "{many} round trips");
        Ok(())
    })]
}

/// Makes tables and policies for them, and counts what one plan asks the server.
fn round_trips(db: &Db, tables: usize) -> u64 {
    let place = Workplace::new(db);
    let made: String = (0..tables)
        .map(|n| format!("CREATE TABLE IF NOT EXISTS public.r{n} (id bigint, at timestamptz NOT NULL, v text); CREATE INDEX IF NOT EXISTS ix_r{n} ON public.r{n} (lower(v)) WHERE id > 0;\n"))
        .collect();
    db.run(&made);
    let policies: Vec<String> = (0..tables)
        .map(|n| format!("kind: table\nname: public.r{n}\nindexes:\n  - {{name: ix_r{n}, columns: [{{expression: lower( v )}}], where: id>0}}\nstorage: {{fillfactor: 90}}\n"))
        .collect();
    place.write("policy.yaml", &policies.join("---\n"));
    let mut sources = chronoform::diag::Sources::default();
    let mut sink = Vec::new();
    let paths = [place.path().join("policy.yaml")];
    let policies = load::policies(&paths, &load::Variables::default(), &mut sources, &mut sink).unwrap();
    let options = ConnectOptions { url: Some(db.url().to_owned()), ..ConnectOptions::default() };
    let mut session = Session::connect(&options.resolve().unwrap()).unwrap();
    let opened = Opened::new(&mut session, |_| Ok(Default::default())).unwrap();
    let made = pipeline::make(&Aim::APPLY, &policies, &mut session, opened, true, &mut sink).unwrap();
    assert_eq!(
        made.plan.actions.len(),
        tables,
        "only the storage differs: the indexes are the same, written differently"
    );
    session.round_trips()
}
