//! Guardrails at the gate: those that a plan was made with, asked again, and those that came after it.

use libtest_mimic::{Failed, Trial};

use crate::cli::Workplace;
use crate::servers::{Db, Servers, Tier};

const POLICY: &str = "kind: table\nname: public.t\nlabels: {tier: gold}\nindexes:\n  - {name: ix_t, columns: [id], unique: true}\nstorage: {fillfactor: 70}\n";
const APPLY: [&str; 8] =
    ["apply", "--plan", "plan.json", "--auto-approve", "--allow", "builds_index", "--allow", "blocks_writes"];

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut add = |name: &str, run: fn(&Db, &Workplace<'_>)| {
        let servers = servers.clone();
        trials.push(Trial::test(format!("{tier}::guardrails::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            let place = Workplace::new(&db);
            db.run("CREATE TABLE public.t (id bigint);");
            std::fs::create_dir(place.path().join("policies")).unwrap();
            place.write("policies/t.yaml", POLICY);
            run(&db, &place);
            Ok(())
        }));
    };
    if tier == Tier::PostgresNative {
        add("one_that_came_after_the_plan_is_asked", one_that_came_after_the_plan_is_asked);
        add("one_of_the_plan_is_asked_again_of_what_is_live", one_of_the_plan_is_asked_again_of_what_is_live);
        add("one_that_cannot_be_read_is_not_passed_over", one_that_cannot_be_read_is_not_passed_over);
    }
    if tier.has_policies() {
        let servers = servers.clone();
        let name = format!("{tier}::guardrails::protection_that_came_after_the_plan_holds");
        trials.push(Trial::test(name, move || protection_that_came_after_the_plan_holds(tier, &servers)));
    }
    trials
}

fn protection_that_came_after_the_plan_holds(tier: Tier, servers: &Servers) -> Result<(), Failed> {
    const RETENTION: &str = "kind: table\nname: public.m\nretention: {drop_after: 30 days}\n";
    let db = servers.db(tier)?;
    let place = Workplace::new(&db);
    db.run(
        "CREATE TABLE public.m (time timestamptz NOT NULL);
         SELECT create_hypertable('public.m', by_range('time', INTERVAL '1 day'));
         INSERT INTO public.m SELECT timestamptz '2020-01-01' + i * INTERVAL '1 day' FROM generate_series(0, 3) AS i;",
    );
    std::fs::create_dir(place.path().join("policies")).unwrap();
    place.write("policies/m.yaml", RETENTION);
    place.run(&["plan", "--out", "plan.json"]).expect(0);
    let apply = ["apply", "--plan", "plan.json", "--auto-approve", "--allow", "deletes_data"];
    let class = "kind: class\nname: kept\nmatch: {names: [m]}\nprotect: true\n";
    for (file, text) in
        [("policies/m.yaml", format!("{RETENTION}protect: true\n")), ("policies/class.yaml", class.to_owned())]
    {
        place.write(file, &text);
        let refused = place.run(&apply).expect(3);
        assert!(refused.err.contains("error[protected]"), "{}", refused.err);
        place.write("policies/m.yaml", RETENTION);
    }
    std::fs::remove_file(place.path().join("policies/class.yaml")).unwrap();
    place.run(&apply).expect(0);
    Ok(())
}

fn fillfactor(db: &Db) -> String {
    db.lines("SELECT coalesce(array_to_string(reloptions, ','), 'none') FROM pg_class WHERE oid = 'public.t'::regclass")
        .remove(0)
}

fn one_that_came_after_the_plan_is_asked(db: &Db, place: &Workplace<'_>) {
    place.run(&["plan", "--out", "plan.json"]).expect(0);
    let guardrails = [
        "kind: guardrail\nname: gold\nmatch: {labels: {tier: gold}}\nassert: \"indexes.all(index, !index.unique)\"\nmessage: gold comes twice\n",
        "kind: guardrail\nname: idle\nfor: action\nassert: \"action.kind != 'storage'\"\nmessage: storage stays\n",
    ];
    for guardrail in guardrails {
        place.write("policies/guardrails.yaml", guardrail);
        let ran = place.run(&APPLY).expect(3);
        assert_eq!(ran.err.matches("error[guardrail]").count(), 1, "{}", ran.err);
        assert_eq!(fillfactor(db), "none");
    }
    // What the policy says now is not what the plan does.
    place.write("policies/guardrails.yaml", guardrails[0]);
    place.write("policies/t.yaml", &POLICY.replace("true", "false"));
    place.run(&["validate"]).expect(0);
    place.run(&APPLY).expect(3);
    place.write("policies/guardrails.yaml", &guardrails[0].replace("!index.unique", "index.unique"));
    place.run(&APPLY).expect(0);
    assert_eq!(fillfactor(db), "fillfactor=70");
}

fn one_of_the_plan_is_asked_again_of_what_is_live(db: &Db, place: &Workplace<'_>) {
    let small = "kind: guardrail\nname: small\nassert: \"live.bytes < 100000\"\nmessage: only of small tables\n";
    place.write("policies/guardrails.yaml", small);
    place.run(&["plan", "--out", "plan.json"]).expect(0);
    db.run("INSERT INTO public.t SELECT g FROM generate_series(1, 20000) AS g;");
    let ran = place.run(&APPLY).expect(3);
    assert_eq!(ran.err.matches("error[guardrail]").count(), 1, "said once though both ask it: {}", ran.err);
    // Also where the policies have it no longer: it was what the plan was approved under.
    std::fs::remove_file(place.path().join("policies/guardrails.yaml")).unwrap();
    place.run(&APPLY).expect(3);
    assert_eq!(fillfactor(db), "none");
    db.run("TRUNCATE public.t;");
    place.run(&APPLY).expect(0);
}

fn one_that_cannot_be_read_is_not_passed_over(db: &Db, place: &Workplace<'_>) {
    place.write("policies/t.yaml", &POLICY.replace("70", "'${var.fill}'"));
    place.run(&["plan", "--var", "fill=70", "--out", "plan.json"]).expect(0);
    let any = "kind: guardrail\nname: any\nassert: \"size(indexes) > 0\"\nmessage: of any\n";
    place.write("policies/guardrails.yaml", any);
    let ran = place.run(&APPLY).expect(3);
    assert!(ran.err.contains("error[guardrail-unknown]") && ran.err.contains("--var"), "{}", ran.err);
    assert_eq!(fillfactor(db), "none");
    let mut arguments = APPLY.to_vec();
    arguments.extend(["--var", "fill=70"]);
    place.run(&arguments).expect(0);
    // Where there are none, the policies need not even be there.
    place.write("policies/guardrails.yaml", "# none\n");
    place.write("policies/t.yaml", &POLICY.replace("70", "60"));
    place.run(&["plan", "--out", "plan.json"]).expect(0);
    std::fs::remove_dir_all(place.path().join("policies")).unwrap();
    place.run(&APPLY).expect(0);
    assert_eq!(fillfactor(db), "fillfactor=60");
}
