//! What `import` writes of the server when it is asked to: roles with all that is theirs, what
//! everybody may, and settings; on a bare copy they give the same again.

use std::fs;

use libtest_mimic::{Failed, Trial};
use postgres::{Client, NoTls};

use super::{Imported, round_trip, written};
use crate::cli::{Ran, Workplace};
use crate::servers::cluster::{Cluster, Place};
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !matches!(tier, Tier::PostgresNative | Tier::Embedded) {
        return Vec::new();
    }
    let test = |name: &str, run: fn(Tier, &Servers) -> Result<(), Failed>| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::import::{name}"), move || run(tier, &servers))
    };
    let mut trials = vec![
        test("roles_on_a_bare_copy", roles_on_a_bare_copy),
        test("settings_of_the_database_and_of_roles", settings_of_the_database_and_of_roles),
    ];
    if tier == Tier::PostgresNative {
        trials.extend([
            test("roles_only_where_they_are_asked_for", roles_only_where_they_are_asked_for),
            test("what_no_policy_can_say_of_a_role", what_no_policy_can_say_of_a_role),
            test("what_everybody_may", what_everybody_may),
            test("roles_that_are_adopted", roles_that_are_adopted),
            test("a_whole_server", a_whole_server),
        ]);
    } else {
        // It is of a version whose memberships have options.
        trials.push(test("options_of_memberships", options_of_memberships));
        trials.push(test("grants_on_what_timescaledb_makes", grants_on_what_timescaledb_makes));
    }
    trials
}

/// What the roles of the tests are granted on.
const OBJECTS: &str = r#"
    CREATE SCHEMA app;
    CREATE TABLE app.a (id int, note text);
    CREATE TABLE app.b (id int);
    CREATE TABLE app."Odd, table" (id int);
    CREATE VIEW app.v AS SELECT id FROM app.a;
    CREATE SEQUENCE app.s;
    CREATE FUNCTION app.f(integer, text[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE PROCEDURE app.p() LANGUAGE sql AS 'SELECT 1';
"#;

/// The names of a reader, of a group and of a migrator.
struct Roles {
    reader: String,
    group: String,
    migrator: String,
}

impl Roles {
    fn new(db: &Db) -> Self {
        Self { reader: db.role("Reader \"x\"; ${v}"), group: db.role("group"), migrator: db.role("migrator") }
    }

    /// The statements with the names in place of `{reader}` and the others.
    fn fill(&self, sql: &str) -> String {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        sql.replace("{reader}", &quoted(&self.reader))
            .replace("{group}", &quoted(&self.group))
            .replace("{migrator}", &quoted(&self.migrator))
    }

    fn arguments(&self) -> Vec<String> {
        [&self.reader, &self.group, &self.migrator].map(|name| format!("--role={name}")).to_vec()
    }
}

const GRANTS: &str = r#"
    CREATE ROLE {group} NOINHERIT;
    CREATE ROLE {migrator} CREATEROLE CONNECTION LIMIT 3;
    CREATE ROLE {reader} LOGIN PASSWORD 'hunter2' VALID UNTIL '2031-01-01 00:00:00+00';
    COMMENT ON ROLE {reader} IS 'it''s: "${x}"';
    GRANT {group}, pg_monitor TO {reader};
    GRANT {reader} TO {migrator} WITH ADMIN OPTION;
    GRANT USAGE, CREATE ON SCHEMA app TO {group};
    GRANT SELECT ON app.a, app.b, app.v, app."Odd, table" TO {reader};
    GRANT INSERT ON app.a TO {reader} WITH GRANT OPTION;
    GRANT ALL ON app.b TO {migrator};
    GRANT USAGE ON SEQUENCE app.s TO {reader};
    GRANT EXECUTE ON FUNCTION app.f(integer, text[]) TO {reader};
    GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_waldir() TO {reader};
    ALTER DEFAULT PRIVILEGES FOR ROLE {migrator} IN SCHEMA app GRANT SELECT ON TABLES TO {reader};
    ALTER DEFAULT PRIVILEGES FOR ROLE {migrator} GRANT USAGE ON SCHEMAS TO {group};
"#;

fn roles_on_a_bare_copy(tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let db = servers.db(tier)?;
    let roles = Roles::new(&db);
    db.run(OBJECTS);
    db.run(&roles.fill(GRANTS));
    let imported = round_trip(&Workplace::new(&db), false, &roles.arguments());
    let whole: String = imported.values().cloned().collect();
    for kept_out in ["hunter2", "password", "grant_option: false", "superuser", "createdb", "inherit: true"] {
        assert!(!whole.contains(kept_out), "{kept_out}\n{whole}");
    }
    let reader = imported.iter().find(|(name, _)| name.starts_with("role-Reader")).unwrap().1;
    let (_, body) = reader.split_once("login: true").unwrap();
    let expected = format!(
        r#"
valid_until: "2031-01-01 00:00:00+00"
comment: 'it''s: "$${{x}}"'
grants:
  - {{privileges: [execute], functions: ["app.f(integer, text[])", pg_catalog.pg_ls_waldir()]}}
  - {{privileges: [usage], sequences: [app.s]}}
  - {{privileges: [select], tables: ['app."Odd, table"', app.a, app.b, app.v]}}
  - {{privileges: [insert], tables: [app.a], grant_option: true}}
default_privileges:
  - {{privileges: [select], "on": tables, made_by: {}, in_schema: app}}
member_of:
  - {{role: {}}}
  - {{role: pg_monitor}}
"#,
        roles.migrator, roles.group
    );
    assert_eq!(body, expected);
    drop(db);

    // Neither the roles nor what they are granted is there now.
    let db = servers.db(tier)?;
    for name in [&roles.reader, &roles.group, &roles.migrator] {
        db.drops_role(name);
    }
    let place = Workplace::new(&db);
    db.run(OBJECTS);
    again(&place, &imported, &roles.arguments());
    let held = "SELECT pg_catalog.has_table_privilege($1, 'app.a', 'INSERT WITH GRANT OPTION'),
                       pg_catalog.has_table_privilege($1, 'app.\"Odd, table\"', 'SELECT'),
                       NOT pg_catalog.has_table_privilege($1, 'app.b', 'INSERT'),
                       pg_catalog.pg_has_role($1, 'pg_monitor', 'MEMBER')";
    crate::cases::hold(&db, &held.replace("$1", &format!("'{}'", roles.reader)));
    Ok(())
}

/// Applies what was imported, and imports again.
fn again(place: &Workplace<'_>, imported: &Imported, also: &[String]) {
    fs::create_dir(place.path().join("first")).unwrap();
    for (name, text) in imported {
        place.write(&format!("first/{name}"), text);
    }
    place.apply("first").expect(0);
    place.expect_converged("first");
    assert_eq!(&round_trip(place, true, also), imported, "a copy is not the same");
}

fn settings_of_the_database_and_of_roles(tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let _alone = Servers::alone_with("setting");
    let setup = r#"
        CREATE ROLE {reader};
        DO $$ BEGIN
          EXECUTE format('ALTER DATABASE %I SET work_mem = ''65536kB''', current_database());
          EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
          EXECUTE format('ALTER DATABASE %I SET search_path = "$user", "Odd, name", public', current_database());
          EXECUTE format('ALTER DATABASE %I SET my.api_token = ''hunter2''', current_database());
          EXECUTE format('ALTER ROLE {reader} IN DATABASE %I SET random_page_cost = 1.1', current_database());
        END $$;
        ALTER ROLE {reader} SET statement_timeout = '30s';
        ALTER ROLE {reader} SET my.text = 'it''s; \ ${odd}';
    "#;
    let db = servers.db(tier)?;
    let roles = Roles::new(&db);
    db.run(&roles.fill(setup));
    let place = Workplace::new(&db);
    let own: Vec<String> = vec![format!("--role={}", roles.reader)];
    let alone = round_trip(&place, false, &[]);
    let (_, settings) = alone["settings-database.yaml"].split_once("import.\n").unwrap();
    assert_eq!(
        settings,
        "# Left out: `my.api_token`, which holds a secret: those are not for policies.\nkind: setting\nname: database\n\
         scope: database\nsettings:\n  jit: false\n  search_path: [\"$user\", \"Odd, name\", public]\n  work_mem: 64MB\n"
    );
    assert!(!alone.keys().any(|name| name.starts_with("role-")), "{alone:?}");
    let imported = round_trip(&place, false, &own);
    let role = imported.iter().find(|(name, _)| name.starts_with("role-")).unwrap().1;
    assert!(role.starts_with("# yaml-language-server: $schema=../schemas/policy.json\n"), "{role}");
    for part in [
        "scope: role\n",
        "in_database: true\nsettings:\n  random_page_cost: 1.1\n",
        "settings:\n  my.text: it's; \\ $${odd}\n  statement_timeout: 30s\n",
    ] {
        assert!(role.contains(part), "{part}\n{role}");
    }
    assert!(!imported.values().any(|text| text.contains("hunter2")));
    drop(db);

    let db = servers.db(tier)?;
    db.drops_role(&roles.reader);
    again_without_remarks(&Workplace::new(&db), &imported, &own);
    Ok(())
}

/// The same, of what had remarks on something that a copy does not have.
fn again_without_remarks(place: &Workplace<'_>, imported: &Imported, also: &[String]) {
    let plain = |text: &String| {
        let lines = text.lines().filter(|line| !line.starts_with("# Left out"));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let imported = imported.iter().map(|(name, text)| (name.clone(), plain(text))).collect();
    again(place, &imported, also);
}

fn roles_only_where_they_are_asked_for(tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let db = servers.db(tier)?;
    let roles = Roles::new(&db);
    db.run(OBJECTS);
    db.run(&roles.fill(GRANTS));
    let place = Workplace::new(&db);
    let ran = place.run(&["import", "--out", "policies"]).expect(0);
    assert!(ran.out.contains("Of the server, ") && ran.out.contains(" roles (`--role GLOB`)"), "{}", ran.out);
    assert!(!place.path().join("policies").exists(), "{}", ran.out);
    let ran = place.run(&["import", "--format", "json"]).expect(0);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(json["not_asked_for"]["roles"].as_u64().unwrap() >= 3, "{json:#}");
    // With a pattern for tables, nobody asks about the server.
    let ran = place.run(&["import", "--table", "app.*"]).expect(0);
    assert!(!ran.err.contains("--role"), "{}", ran.err);

    let said = |arguments: &[&str]| {
        let ran = place.run(&[&["import"], arguments].concat()).expect(1);
        assert!(ran.err.starts_with("error[nothing-found]"), "{}", ran.err);
        ran.err
    };
    assert!(said(&["--role", "pg_*"]).contains("predefined"));
    assert!(said(&["--role", "none of these"]).contains("no role fits"));
    assert!(said(&["--role", &roles.reader.to_lowercase()]).contains("capitals count"));

    // A pattern, and nothing beside.
    let pattern = format!("g*{}", roles.group.trim_start_matches("group"));
    let ran = place.run(&["import", "--role", &pattern, "--out", "policies"]).expect(0);
    let files = written(&place.path().join("policies"));
    assert_eq!(files.keys().collect::<Vec<_>>(), [&format!("role-{}.yaml", roles.group)], "{}", ran.out);
    assert!(ran.out.contains("Wrote 1 role with 3 resources"), "{}", ran.out);
    // What is described already is left to its document, and another role is added beside it.
    let ran = place.run(&["import", "--role", &pattern, "--out", "policies"]).expect(0);
    assert!(ran.out.contains("3 resources of the database or server are described already"), "{}", ran.out);
    place.run(&["import", "--role", &roles.migrator, "--out", "policies"]).expect(0);
    assert_eq!(written(&place.path().join("policies")).len(), 2);
    // To write one anew leaves the other as it is.
    place.run(&["import", "--force", "--role", &roles.migrator, "--out", "policies"]).expect(0);
    assert_eq!(written(&place.path().join("policies")).len(), 2);
    place.expect_converged("policies");
    Ok(())
}

fn what_no_policy_can_say_of_a_role(tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let db = servers.db(tier)?;
    let roles = Roles::new(&db);
    db.run(OBJECTS);
    db.run(&roles.fill(
        "CREATE ROLE {reader}; CREATE ROLE {migrator}; CREATE TYPE app.mood AS ENUM ('fine');
         GRANT SELECT (id, note), UPDATE (note) ON app.a TO {reader};
         GRANT USAGE ON TYPE app.mood TO {reader};
         GRANT USAGE ON LANGUAGE plpgsql TO {reader};
         CREATE TABLE app.own (id int); ALTER TABLE app.own OWNER TO {reader};
         GRANT SELECT ON app.own TO {migrator};",
    ));
    let place = Workplace::new(&db);
    let imported = round_trip(&place, false, &[format!("--role={}", roles.reader)]);
    let text = imported.values().next().unwrap();
    for said in [
        "# Left out: `select` on columns id, note of table app.a: policies do not grant on columns.\n",
        "# Left out: `update` on columns note of table app.a: policies do not grant on columns.\n",
        "# Left out: usage on type app.mood, which no policy grants.\n",
        "# Left out: usage on language plpgsql, which no policy grants.\n",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    // What it owns needs no grant.
    assert!(!text.contains("grants:") && !text.contains("app.own"), "{text}");
    let listed = place.run(&["import", "--role", &roles.reader]).expect(0);
    assert!(listed.err.contains(&format!("role {}: usage on type app.mood", roles.reader)), "{}", listed.err);

    // What the server's own roles are granted has no document to be in; without a pattern that fits them, it
    // is nobody's to ask for.
    let group = db.role("p");
    db.run(&format!(
        "CREATE ROLE {group}; GRANT {group} TO pg_monitor; GRANT SELECT, INSERT ON app.a TO pg_monitor;
         GRANT UPDATE (note) ON app.a TO pg_monitor; GRANT USAGE ON SCHEMA app TO pg_monitor;
         ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO pg_monitor;"
    ));
    let listed = place.run(&["import", "--role", "p*r"]).expect(0);
    for said in [
        "insert, select on table app.a",
        "update on column note of table app.a",
        "usage on schema app",
        "select on default privileges on new relations",
        &format!("membership in {group}"),
    ] {
        assert!(listed.err.contains(&format!("role pg_monitor: {said}")), "{said}\n{}", listed.err);
    }
    let listed = place.run(&["import", "--role", &roles.reader]).expect(0);
    assert!(!listed.err.contains("pg_monitor"), "{}", listed.err);
    Ok(())
}

/// The server grants some of it by itself, and that needs no word; what was taken away does.
fn what_everybody_may(tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let setup = "
        CREATE FUNCTION app.closed() RETURNS int LANGUAGE sql AS 'SELECT 1';
        REVOKE EXECUTE ON FUNCTION app.closed() FROM PUBLIC;
        REVOKE EXECUTE ON PROCEDURE app.p() FROM PUBLIC;
        GRANT SELECT ON app.v TO PUBLIC;
        DO $$ BEGIN
          EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
          EXECUTE format('GRANT CREATE ON DATABASE %I TO PUBLIC', current_database());
        END $$;
        ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
    ";
    let db = servers.db(tier)?;
    let place = Workplace::new(&db);
    let public = vec!["--role=public".to_owned()];
    assert_eq!(round_trip(&place, false, &public), Imported::new(), "a new database has nothing of note");
    db.run(OBJECTS);
    db.run(setup);
    let imported = round_trip(&place, false, &public);
    let (_, text) = imported["role-public.yaml"].split_once("import.\n").unwrap();
    let user = db.lines("SELECT current_user").remove(0);
    assert_eq!(
        text,
        format!(
            "kind: role\nname: public\ngrants:\n  - {{privileges: [create], database: true}}\n  \
             - {{privileges: [temporary], database: true, ensure: absent}}\n  \
             - {{privileges: [execute], functions: [app.closed(), app.p()], ensure: absent}}\n  \
             - {{privileges: [select], tables: [app.v]}}\ndefault_privileges:\n  \
             - {{privileges: [execute], \"on\": functions, made_by: {user}, ensure: absent}}\n  \
             - {{privileges: [select], \"on\": tables, made_by: {user}}}\n"
        )
    );
    drop(db);
    let db = servers.db(tier)?;
    db.run(OBJECTS);
    db.run("CREATE FUNCTION app.closed() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    again(&Workplace::new(&db), &imported, &public);
    Ok(())
}

fn roles_that_are_adopted(tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let db = servers.db(tier)?;
    let roles = Roles::new(&db);
    db.run(OBJECTS);
    db.run(&roles.fill(GRANTS));
    let place = Workplace::new(&db);
    let own = format!("--role={}", roles.reader);
    let ran = place.run(&["import", "--adopt", &own, "--out", "policies"]).expect(0);
    assert!(ran.out.contains("Recorded ") && ran.out.contains("now has nothing to do.\n"), "{}", ran.out);
    place.run(&["drift"]).expect(0);
    db.run(&roles.fill("ALTER ROLE {reader} NOLOGIN; REVOKE SELECT ON app.b FROM {reader}"));
    let drift = place.run(&["drift"]).expect(2);
    assert!(drift.out.contains("login") && drift.out.contains("app.b"), "{}", drift.out);
    place.apply("policies").expect(0);
    // What is taken out of a document that was adopted is revoked.
    let file = written(&place.path().join("policies")).into_keys().next().unwrap();
    let text = fs::read_to_string(place.path().join("policies").join(&file)).unwrap();
    let kept: String = text.lines().filter(|line| !line.contains("app.s]")).map(|line| format!("{line}\n")).collect();
    assert_ne!(kept, text);
    place.write(&format!("policies/{file}"), &kept);
    let planned = place.run(&["plan", "--detailed-exitcode", "-v"]).expect(2);
    assert!(planned.out.contains("REVOKE") && planned.out.contains("1 to remove"), "{}", planned.out);
    place.apply("policies").expect(0);
    place.expect_converged("policies");
    let held = format!("SELECT NOT pg_catalog.has_sequence_privilege('{}', 'app.s', 'USAGE')", roles.reader);
    crate::cases::hold(&db, &held);
    Ok(())
}

/// All roles and settings of one server, on another one. Both are this test's own.
fn a_whole_server(tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let db = servers.db(tier)?;
    let (one, other) = (Cluster::start(&Place::native()?, &[])?, Cluster::start(&Place::native()?, &[])?);
    let setup = [
        "ALTER SYSTEM SET work_mem = '7MB'",
        "ALTER SYSTEM SET max_connections = 61",
        "ALTER SYSTEM SET log_line_prefix = '%m it''s %q'",
        "ALTER SYSTEM SET ssl_passphrase_command = 'echo hunter2'",
        "ALTER SYSTEM SET track_functions = 'pl'",
        "ALTER ROLE ALL SET lock_timeout = '3s'",
        "CREATE ROLE app LOGIN PASSWORD 'hunter2'",
        "CREATE ROLE \"Odd\" BYPASSRLS",
        "GRANT app TO \"Odd\"",
        "ALTER ROLE app SET work_mem = '9MB'",
        "ALTER DATABASE postgres SET work_mem = '5MB'",
        "SELECT pg_reload_conf()",
    ];
    let run = |cluster: &Cluster, statements: &[&str]| {
        let mut client = Client::connect(cluster.url(), NoTls).unwrap();
        statements.iter().for_each(|statement| client.batch_execute(statement).unwrap());
    };
    let place = Workplace::new(&db);
    let at = |cluster: &Cluster, arguments: &[&str]| {
        let ran = Ran::of(&place.command(arguments).env("DATABASE_URL", cluster.url()).output().unwrap());
        assert!(!ran.out.contains("hunter2") && !ran.err.contains("hunter2"), "{}\n{}", ran.out, ran.err);
        ran
    };
    let everything = |cluster: &Cluster, folder: &str| {
        let ran = at(cluster, &["import", "--server-settings", "--role=*", "--out", folder]).expect(0);
        (written(&place.path().join(folder)), ran.out)
    };
    run(&one, &setup);
    let ran = at(&one, &["import", "--out", "none"]).expect(0);
    let own = written(&place.path().join("none"));
    assert_eq!(own.keys().collect::<Vec<_>>(), ["settings-database.yaml"], "only what is the database's own");
    assert!(own["settings-database.yaml"].ends_with("scope: database\nsettings:\n  work_mem: 5MB\n"), "{own:?}");
    assert!(
        ran.out.contains("3 roles (`--role GLOB`) and 6 settings (`--server-settings`) were not asked for"),
        "{}",
        ran.out
    );
    let (imported, said) = everything(&one, "one");
    assert!(said.contains("`lock_timeout` is set for every role (ALTER ROLE ALL)"), "{said}");
    let names: Vec<&str> = imported.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["role-Odd.yaml", "role-app.yaml", "role-postgres.yaml", "settings-database.yaml", "settings-server.yaml"]
    );
    let (_, settings) = imported["settings-server.yaml"].split_once("import.\n").unwrap();
    assert_eq!(
        settings,
        "# Left out: `ssl_passphrase_command`, which holds a secret: those are not for policies.\nkind: setting\nname: \
         server\nscope: server\nsettings:\n  log_line_prefix: \"%m it's %q\"\n  max_connections: 61\n  track_functions: \
         pl\n  work_mem: 7MB\n"
    );
    assert!(!imported.values().any(|text| text.contains("hunter2") || text.contains("pg_read")));
    at(&one, &["plan", "one", "--detailed-exitcode", "--ledger", "one.db"]).expect(0);
    at(&one, &["import", "--server-settings", "--adopt", "--out", "adopted", "--ledger", "one.db"]).expect(0);
    at(&one, &["drift", "adopted", "--ledger", "one.db"]).expect(0);

    at(&other, &["apply", "one", "--auto-approve", "--allow=needs_restart", "--ledger", "other.db"]).expect(0);
    at(&other, &["plan", "one", "--detailed-exitcode", "--ledger", "other.db"]).expect(0);
    let (again, _) = everything(&other, "other");
    let plain = |text: &str| text.lines().filter(|line| !line.starts_with("# Left out")).collect::<Vec<_>>().join("\n");
    for (name, text) in &imported {
        assert_eq!(plain(&again[name]), plain(text), "{name}");
    }
    assert_eq!(again.len(), imported.len());

    // What only the configuration has, and the server has not read, is not written for what it is.
    run(&one, &["ALTER SYSTEM SET track_functions = 'all'"]);
    let ran = at(&one, &["import", "--server-settings"]).expect(0);
    assert!(ran.out.contains("`track_functions`, whose new value the server has not read yet"), "{}", ran.out);
    assert!(!ran.out.contains("track_functions:"), "{}", ran.out);
    Ok(())
}

fn options_of_memberships(tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let db = servers.db(tier)?;
    let roles = Roles::new(&db);
    db.run(&roles.fill(
        "CREATE ROLE {group}; CREATE ROLE {migrator} NOINHERIT; CREATE ROLE {reader};
         GRANT {group} TO {reader} WITH INHERIT FALSE, SET FALSE;
         GRANT {group} TO {migrator} WITH INHERIT TRUE;
         GRANT pg_monitor TO {migrator}; GRANT pg_monitor TO {reader}",
    ));
    let imported = round_trip(&Workplace::new(&db), false, &roles.arguments());
    let file = |beginning: &str| imported.iter().find(|(name, _)| name.starts_with(beginning)).unwrap().1;
    let of_group = format!("member_of:\n  - {{role: {}", roles.group);
    let reader = file("role-Reader");
    assert!(
        reader.ends_with(&format!("{of_group}, inherit: false, set: false}}\n  - {{role: pg_monitor}}\n")),
        "{reader}"
    );
    let migrator = file("role-migrator");
    assert!(migrator.ends_with(&format!("{of_group}, inherit: true}}\n  - {{role: pg_monitor}}\n")), "{migrator}");
    drop(db);
    let db = servers.db(tier)?;
    for name in [&roles.reader, &roles.group, &roles.migrator] {
        db.drops_role(name);
    }
    again(&Workplace::new(&db), &imported, &roles.arguments());
    Ok(())
}

/// What a hypertable and an aggregate have reaches what TimescaleDB makes of them, and is theirs to say.
fn grants_on_what_timescaledb_makes(tier: Tier, servers: &Servers) -> Result<(), Failed> {
    let objects = "
        CREATE TABLE public.h (at timestamptz NOT NULL, v int);
        SELECT public.create_hypertable('public.h', public.by_range('at'));
        INSERT INTO public.h VALUES ('2026-01-01', 1), ('2026-03-01', 2);
        ALTER TABLE public.h SET (timescaledb.compress);
        CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
        SELECT public.time_bucket('1 day', at) AS day, max(v) AS v FROM public.h GROUP BY 1 WITH NO DATA;
    ";
    let db = servers.db(tier)?;
    let roles = Roles::new(&db);
    for statement in crate::cases::statements(objects) {
        db.run(&statement);
    }
    let public = round_trip(&Workplace::new(&db), false, &["--role=public".to_owned()]);
    assert!(!public.contains_key("role-public.yaml"), "{public:?}");
    db.run(&roles.fill("CREATE ROLE {reader}; GRANT SELECT ON public.h, public.daily TO {reader}"));
    let imported = round_trip(&Workplace::new(&db), false, &[format!("--role={}", roles.reader)]);
    let role = imported.iter().find(|(name, _)| name.starts_with("role-")).unwrap().1;
    assert!(role.ends_with("grants:\n  - {privileges: [select], tables: [public.daily, public.h]}\n"), "{role}");
    Ok(())
}
