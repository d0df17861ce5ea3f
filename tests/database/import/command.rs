//! What `import` does with what is on its command line, and with what is in its way.

use std::collections::BTreeSet;
use std::fs;

use libtest_mimic::{Failed, Trial};
use serde_json::Value as Json;

use super::written;
use crate::cli::{Ran, Workplace};
use crate::servers::{Servers, Tier};

const TABLES: &str = r#"
    CREATE SCHEMA app;
    CREATE SCHEMA "Odd one";
    CREATE TABLE public.orders (id bigint PRIMARY KEY, state text) WITH (fillfactor = 80);
    CREATE INDEX orders_state ON public.orders (state);
    CREATE TABLE public.bare (id bigint);
    CREATE TABLE app.ticks (id bigint, at timestamptz);
    CREATE INDEX ticks_at ON app.ticks (at DESC);
    CREATE TABLE app.tocks (id bigint) WITH (autovacuum_vacuum_threshold = 9);
    CREATE TABLE "Odd one"."T.1" (id bigint) WITH (fillfactor = 70);
"#;

/// The tests of a tier: on both servers, what does not ask for TimescaleDB.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !matches!(tier, Tier::PostgresNative | Tier::Embedded) {
        return Vec::new();
    }
    let test = |name: &str, run: fn(&Workplace<'_>)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::import::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            run(&Workplace::new(&db));
            Ok(())
        })
    };
    let mut trials = vec![
        test("an_empty_database", an_empty_database),
        test("schemas_and_patterns_choose", schemas_and_patterns_choose),
        test("nothing_of_anybody_else_is_overwritten", nothing_of_anybody_else_is_overwritten),
        test("what_is_adopted_is_managed", what_is_adopted_is_managed),
        test("hostile_names", hostile_names),
    ];
    if tier == Tier::PostgresNative {
        trials.extend([
            test("what_policies_describe_is_left_to_them", what_policies_describe_is_left_to_them),
            test("one_text_and_json", one_text_and_json),
            test("a_renamed_file_is_not_written_twice", a_renamed_file_is_not_written_twice),
            test("a_role_that_may_read_nothing", a_role_that_may_read_nothing),
        ]);
    } else {
        trials.push(test("aggregates_without_group_indexes", aggregates_without_group_indexes));
    }
    trials
}

/// It is written only where TimescaleDB would have made one.
fn aggregates_without_group_indexes(place: &Workplace<'_>) {
    place.db.run("CREATE TABLE public.t (time timestamptz NOT NULL, a int, b text)");
    place.db.run("SELECT create_hypertable('public.t', by_range('time', INTERVAL '1 day'))");
    for (name, option, list, group) in [
        ("bare", ", timescaledb.create_group_indexes = false", "a + 1 AS c, b, ", "a + 1, b, "),
        ("indexed", "", "a, b, ", "a, b, "),
        ("ungrouped", "", "", ""),
        ("unlisted", "", "", "a, "),
    ] {
        place.db.run(&format!(
            "CREATE MATERIALIZED VIEW public.{name} WITH (timescaledb.continuous{option}) AS SELECT {list}\
             public.time_bucket('1 hour', time) AS bucket, count(*) AS n FROM public.t GROUP BY {group}bucket WITH NO DATA"
        ));
    }
    // One of them that went is no choice of whoever made it.
    place.db.run("DROP INDEX _timescaledb_internal._materialized_hypertable_3_b_bucket_idx");
    place.run(&["import", "--out", "policies"]).expect(0);
    let written = written(&place.path().join("policies"));
    let without = written.iter().filter(|(_, text)| text.contains("create_group_indexes"));
    let without: Vec<&str> = without.map(|(_, text)| text.split_once("name: ").unwrap().1).collect();
    assert!(matches!(without.as_slice(), [one] if one.starts_with("public.bare\n")), "{written:#?}");
    assert!(without[0].contains("create_group_indexes: false"), "{}", without[0]);
}

/// The codes of the errors that were said.
fn errors(ran: &Ran) -> Vec<&str> {
    ran.err.split("error[").skip(1).filter_map(|rest| rest.split(']').next()).collect()
}

fn refused(ran: Ran, code: &str) -> String {
    let ran = ran.expect(1);
    assert!(!errors(&ran).is_empty() && errors(&ran).iter().all(|found| *found == code), "{}", ran.err);
    ran.err
}

/// The names of the files in a folder, but the extensions' own.
fn files(place: &Workplace<'_>, folder: &str) -> Vec<String> {
    written(&place.path().join(folder)).into_keys().filter(|name| name != "extensions.yaml").collect()
}

fn an_empty_database(place: &Workplace<'_>) {
    // TimescaleDB is there from the beginning.
    place.db.run("DROP EXTENSION IF EXISTS timescaledb");
    let ran = place.run(&["import", "--out", "policies"]).expect(0);
    assert!(ran.out.starts_with(&format!("Nothing to write for `{}`.", place.db.name())), "{}", ran.out);
    assert!(!place.path().join("policies").exists());
    let ran = place.run(&["import", "--adopt", "--out", "policies"]).expect(0);
    assert!(ran.out.contains("Recorded nothing as managed, since nothing was written"), "{}", ran.out);
    let ran = place.run(&["import"]).expect(0);
    assert!(ran.out.is_empty() && ran.err.starts_with("Nothing to write"), "{}\n{}", ran.out, ran.err);
    place.db.run("CREATE TABLE public.bare (id bigint)");
    let ran = place.run(&["import"]).expect(0);
    assert!(ran.err.contains("1 table or view has nothing to describe"), "{}", ran.err);
}

fn schemas_and_patterns_choose(place: &Workplace<'_>) {
    place.db.run(TABLES);
    let import = |folder: &str, arguments: &[&str]| {
        place.run(&[&["import", "--out", folder], arguments].concat()).expect(0);
        files(place, folder)
    };
    let all = import("all", &[]);
    assert_eq!(all[1..], ["app.ticks.yaml", "app.tocks.yaml", "public.orders.yaml"], "{all:?}");
    assert!(all[0].starts_with("Odd_one.T_1-"), "{all:?}");
    assert_eq!(import("app", &["--schema", "app"]), ["app.ticks.yaml", "app.tocks.yaml"]);
    assert_eq!(
        import("two", &["--schema", "app", "--schema", "Odd one", "--table", "t*"]),
        ["app.ticks.yaml", "app.tocks.yaml"]
    );
    assert_eq!(import("any", &["--table", "*.?i*"]), ["app.ticks.yaml"]);
    assert_eq!(import("default", &["--table", "o*"]), ["public.orders.yaml"], "a bare pattern is for public");
    assert_eq!(import("quoted", &["--table", "\"Odd one\".\"T.1\""]), all[..1]);

    let said = refused(place.run(&["import", "--schema", "App", "--schema", "none"]), "no-such-schema");
    assert!(said.contains("`App`") && said.contains("`none`"), "{said}");
    refused(place.run(&["import", "--schema", "pg_catalog"]), "no-such-schema");
    refused(place.run(&["import", "--schema", "_timescaledb_internal"]), "no-such-schema");
    let said = refused(place.run(&["import", "--table", "ticks", "--out", "none"]), "nothing-found");
    assert!(said.contains("in other schemas there is app.ticks"), "{said}");
    refused(place.run(&["import", "--table", "a.b.c"]), "bad-name");
    assert!(!place.path().join("none").exists());
}

fn nothing_of_anybody_else_is_overwritten(place: &Workplace<'_>) {
    place.db.run(TABLES);
    let import = |more: &[&str]| place.run(&[&["import", "--schema", "app", "--out", "policies"], more].concat());
    fs::create_dir(place.path().join("policies")).unwrap();
    // Files of others are no obstacle, as long as they have other names.
    place.write("policies/README.md", "ours\n");
    place.write("policies/own.yaml", "kind: table\nname: public.orders\n");
    import(&[]).expect(0);
    let first = written(&place.path().join("policies"));
    assert_eq!(first["README.md"], "ours\n");
    assert_eq!(first["own.yaml"], "kind: table\nname: public.orders\n");

    // What is described already is not written twice.
    let again = import(&[]).expect(0);
    assert!(
        again.out.contains("Nothing to write") && again.out.contains("2 tables are described already"),
        "{}",
        again.out
    );
    assert_eq!(written(&place.path().join("policies")), first);

    // What an import wrote may be written anew, and what was changed in it is gone then.
    place.db.run("ALTER TABLE app.tocks SET (autovacuum_vacuum_threshold = 10)");
    place.write("policies/app.ticks.yaml", &first["app.ticks.yaml"].replace("ticks_at", "other"));
    import(&["--force"]).expect(0);
    let forced = written(&place.path().join("policies"));
    assert_eq!(forced["app.ticks.yaml"], first["app.ticks.yaml"]);
    assert_eq!(forced["app.tocks.yaml"], first["app.tocks.yaml"].replace("threshold: 9", "threshold: 10"));
    assert_eq!((&forced["own.yaml"], &forced["README.md"]), (&first["own.yaml"], &first["README.md"]));

    // A file by the name of one that is to be written stops all of it, also where it describes nothing.
    fs::remove_file(place.path().join("policies/app.tocks.yaml")).unwrap();
    place.write("policies/app.ticks.yaml", "# to come\n");
    place.db.run("CREATE TABLE app.more (id bigint) WITH (fillfactor = 50)");
    for more in [&[][..], &["--force"]] {
        let said = refused(import(more), "file-exists");
        assert!(said.contains("app.ticks.yaml") && said.contains("nothing was written"), "{said}");
        assert_eq!(files(place, "policies"), ["README.md", "app.ticks.yaml", "own.yaml"]);
    }
    place.write("file", "");
    refused(place.run(&["import", "--out", "file"]), "file-unwritable");
    place.run(&["import", "--force"]).expect(1);
}

/// A file that an import wrote and somebody renamed is still the one that describes its table.
fn a_renamed_file_is_not_written_twice(place: &Workplace<'_>) {
    place.db.run(TABLES);
    place.db.run("CREATE TABLE public.\"Orders\" (id bigint) WITH (fillfactor = 60)");
    let import = |more: &[&str]| place.run(&[&["import", "--out", "policies"], more].concat()).expect(0);
    import(&[]);
    let policies = place.path().join("policies");
    let orders = files(place, "policies").into_iter().find(|name| name.starts_with("public.orders-")).unwrap();
    fs::rename(policies.join("app.ticks.yaml"), policies.join("mine.yaml")).unwrap();
    let first = written(&policies);
    place.db.run("ALTER TABLE app.tocks SET (autovacuum_vacuum_threshold = 10)");
    let ran = import(&["--force"]);
    assert!(ran.out.contains("1 table is described already"), "{}", ran.out);
    assert!(!ran.out.contains("ticks"), "{}", ran.out);
    let forced = written(&policies);
    assert_eq!(forced.keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>());
    assert_ne!(forced["app.tocks.yaml"], first["app.tocks.yaml"]);
    // By itself, a table would have another file than beside one whose name differs in capitals alone.
    let ran = import(&["--force", "--table", "public.orders"]);
    assert!(ran.out.contains("Nothing to write") && ran.out.contains("1 table is described already"), "{}", ran.out);
    assert_eq!(written(&policies), forced);
    assert!(forced.contains_key(&orders));
    place.expect_converged("policies");
    // What cannot be read any more is written anew, and the rest is known all the same.
    place.write("policies/app.tocks.yaml", &first["app.tocks.yaml"].replace("kind: table", "kind: ["));
    let ran = import(&["--force"]);
    assert!(ran.out.contains("1 table is described already"), "{}", ran.out);
    assert_eq!(written(&policies), forced);
}

fn what_is_adopted_is_managed(place: &Workplace<'_>) {
    place.db.run(TABLES);
    place.run(&["import", "--adopt", "--schema", "app", "--out", "policies"]).expect(0);
    let drift = |code: i32| {
        let ran = place.run(&["drift", "--format", "json"]).expect(code);
        let report: Json = serde_json::from_str(&ran.out).unwrap();
        let of = |resource: &Json| {
            format!("{} {}", resource["kind"].as_str().unwrap(), resource["status"].as_str().unwrap())
        };
        report["resources"].as_array().unwrap().iter().map(of).collect::<BTreeSet<String>>()
    };
    let at_rest = drift(0);
    assert!(at_rest.contains("index in_sync") && at_rest.contains("storage in_sync"), "{at_rest:?}");
    assert!(at_rest.iter().all(|line| line.ends_with(" in_sync")), "{at_rest:?}");
    let ran = place.run(&["import", "--adopt", "--force", "--schema", "app", "--out", "policies"]).expect(0);
    assert!(ran.out.contains("Recorded nothing as managed: all of it was managed already"), "{}", ran.out);

    // Somebody changes what is managed now.
    place.db.run("ALTER TABLE app.tocks SET (autovacuum_vacuum_threshold = 10)");
    assert!(drift(2).contains("storage drifted"));
    place.apply("policies").expect(0);

    // A section that is taken out takes what it describes along; without adoption it would stay.
    let kept = fs::read_to_string(place.path().join("policies/app.ticks.yaml")).unwrap();
    let (head, indexes) = kept.split_once("indexes:").unwrap();
    assert!(indexes.contains("ticks_at"), "{kept}");
    place.write("policies/app.ticks.yaml", head);
    let unknown = place.run(&["plan", "--ledger", "none.db", "--detailed-exitcode"]).expect(0);
    assert!(unknown.out.contains("Unmanaged"), "{}", unknown.out);
    let planned = place.run(&["plan", "--detailed-exitcode"]).expect(2);
    assert!(planned.out.contains("ticks_at") && planned.out.contains("1 to remove"), "{}", planned.out);
    place.apply("policies").expect(0);
    assert_eq!(place.db.lines("SELECT count(*) FROM pg_catalog.pg_indexes WHERE indexname = 'ticks_at'"), ["0"]);
    place.run(&["ledger", "verify"]).expect(0);
}

fn what_policies_describe_is_left_to_them(place: &Workplace<'_>) {
    place.db.run(TABLES);
    fs::create_dir_all(place.path().join("policies/team")).unwrap();
    let own = "kind: table\nname: app.ticks\nstorage: {fillfactor: 60}\n";
    place.write("policies/team/ticks.yaml", own);
    let ran = place.run(&["import", "--out", "policies"]).expect(0);
    assert!(ran.out.contains("1 table is described already"), "{}", ran.out);
    assert!(!files(place, "policies").iter().any(|name| name.contains("ticks")));
    // What that policy wants is its own affair, and the rest of the plan is empty.
    let planned = place.run(&["plan", "--detailed-exitcode", "-v"]).expect(2);
    assert!(planned.out.contains("fillfactor") && planned.out.contains("Plan: 1 to create."), "{}", planned.out);
    // Elsewhere too.
    let ran = place.run(&["import", "--out", "elsewhere"]).expect(0);
    assert!(ran.out.contains("Nothing to write") && ran.out.contains("4 tables are described already"), "{}", ran.out);
    // A policy that cannot be read might describe anything.
    place.write("policies/broken.yaml", "kind: table\nname: [\n");
    assert_ne!(place.run(&["import", "--out", "elsewhere"]).code, 0);
    assert!(!place.path().join("elsewhere").exists());
}

fn one_text_and_json(place: &Workplace<'_>) {
    place.db.run(TABLES);
    let ran = place.run(&["import"]).expect(0);
    assert!(ran.err.starts_with("Wrote 4 tables with "), "{}", ran.err);
    place.write("all.yaml", &ran.out);
    place.run(&["validate", "all.yaml"]).expect(0);
    place.expect_converged("all.yaml");

    let json = |arguments: &[&str]| -> Json {
        let ran = place.run(&[&["import", "--format", "json"], arguments].concat()).expect(0);
        assert_eq!(ran.err, "");
        serde_json::from_str(&ran.out).unwrap()
    };
    let text = json(&[]);
    assert_eq!(text["text"], ran.out);
    assert_eq!(text["documents"].as_array().unwrap().len(), 4, "{text:#}");
    assert_eq!(text["nothing_to_describe"], 1);
    assert_eq!(text["adopted"], Json::Null);
    let files = json(&["--out", "policies", "--adopt"]);
    assert_eq!(files["files"].as_array().unwrap().len(), 4, "{files:#}");
    assert!(files.get("text").is_none());
    assert_eq!(files["files"][1]["documents"][0]["name"], "app.ticks");
    assert_eq!(files["files"][1]["documents"][0]["resources"][0]["kind"], "index");
    assert!(files["adopted"].as_u64().unwrap() >= 4, "{files:#}");
    assert_eq!(json(&["--out", "policies"])["described_already"], 4);
}

/// Everything is in the catalog, which everybody may read; only what has to be asked about a table
/// itself needs a privilege on it.
fn a_role_that_may_read_nothing(place: &Workplace<'_>) {
    place.db.run(TABLES);
    place.db.run("CREATE INDEX orders_open ON public.orders (lower(state)) WHERE state <> 'done'");
    let role = place.db.role("reader");
    place.db.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'pw'"));
    let (_, address) = place.db.url().rsplit_once('@').unwrap();
    let as_reader = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        Ran::of(&command.env("DATABASE_URL", format!("postgres://{role}:pw@{address}")).output().unwrap())
    };
    let ran = as_reader(&["import", "--out", "policies"]).expect(0);
    assert_eq!(files(place, "policies").len(), 4, "{}", ran.out);
    let said = refused(as_reader(&["import", "--server-settings"]), "no-privilege");
    assert!(said.contains("ALTER SYSTEM") && said.contains("superuser"), "{said}");
    // It may see and not change.
    let planned = as_reader(&["plan", "--detailed-exitcode"]);
    assert_eq!(planned.code, 0, "{}\n{}", planned.out, planned.err);
    let own = as_reader(&["import", "--role", &role]).expect(0);
    assert!(own.out.contains(&format!("name: {role}\nlogin: true\n")), "{}", own.out);
    assert!(!own.out.contains("pw") && !own.err.contains("pw"), "{}", own.out);
}

fn hostile_names(place: &Workplace<'_>) {
    let names = [
        ("public", "a"),
        ("public", "A"),
        ("public", "a.b"),
        ("public.a", "b"),
        ("../up", "../../etc/passwd"),
        ("public", "with \"quotes\" and 'these'"),
        ("日本", "é 🦀"),
        ("-rf", "; DROP TABLE a; --"),
        ("public", "${env.HOME}"),
        ("public", "line\nbreak"),
        ("public", "null"),
        ("public", "# no remark"),
    ];
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let schemas: BTreeSet<&str> =
        names.iter().map(|(schema, _)| *schema).filter(|schema| *schema != "public").collect();
    let schemas: String = schemas.into_iter().map(|schema| format!("CREATE SCHEMA {};\n", quoted(schema))).collect();
    let table = |(at, (schema, name)): (usize, &(&str, &str))| {
        let (table, index) = (format!("{}.{}", quoted(schema), quoted(name)), quoted(&format!("{name} ix")));
        format!(
            "CREATE TABLE {table} (id int) WITH (fillfactor = {});\nCREATE INDEX {index} ON {table} (id);\n",
            50 + at
        )
    };
    let tables: String = names.iter().enumerate().map(table).collect();
    let setup = format!("{schemas}{tables}");
    place.db.run(&setup);
    let imported = super::round_trip(place, false, &[]);
    let files: Vec<&String> = imported.keys().filter(|name| *name != "extensions.yaml").collect();
    assert_eq!(files.len(), names.len(), "{files:?}");
    let lower: BTreeSet<String> = files.iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(lower.len(), names.len(), "{files:?}");
    let plain = |name: &&String| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    assert!(files.iter().all(plain), "{files:?}");
}
