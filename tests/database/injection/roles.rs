//! Roles, and what they are granted on, that are called something hostile: granted, changed and
//! revoked, each under its exact name.

use serde_json::{Value as Json, json};

use super::{literal, names, quoted};
use crate::cli::Workplace;
use crate::servers::Db;

/// A role, and what it is granted something on.
struct Granted {
    role: String,
    comment: String,
    schema: String,
    table: String,
    sequence: String,
    function: String,
}

impl Granted {
    fn all() -> Vec<Self> {
        let names = names();
        let at = |n: usize| names[n % names.len()].clone();
        // Roles are the server's, and other tests have some of these names.
        let role = |n: usize| Some(format!("{} r", at(n))).filter(|role| role.len() < 64);
        let of = |n: usize| {
            let [comment, schema, table, sequence, function] = [at(n + 1), at(n), at(n + 2), at(n + 3), at(n + 4)];
            Some(Self { role: role(n)?, comment, schema, table, sequence, function })
        };
        (0..names.len()).filter_map(of).collect()
    }

    fn within(&self, name: &str) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(name))
    }

    fn setup(&self) -> String {
        let (schema, table) = (quoted(&self.schema), self.within(&self.table));
        let (sequence, function) = (self.within(&self.sequence), self.within(&self.function));
        format!(
            "CREATE SCHEMA {schema}; CREATE TABLE {table} (a int); CREATE SEQUENCE {sequence};
             CREATE FUNCTION {function}(int) RETURNS int LANGUAGE sql AS 'SELECT 1';"
        )
    }

    fn document(&self, round: usize, group: &str, maker: &str) -> Json {
        let mut document = json!({"kind": "role", "name": self.role, "comment": self.comment});
        if round == 2 {
            document["comment"] = json!("nothing");
            return document;
        }
        let table = if round == 0 { "select" } else { "insert" };
        document["grants"] = json!([
            {"privileges": ["usage"], "schemas": [self.schema]},
            {"privileges": [table], "tables": [self.within(&self.table)], "grant_option": round == 1},
            {"privileges": ["usage"], "sequences": [self.within(&self.sequence)]},
            {"privileges": ["execute"], "functions": [format!("{}(integer)", self.within(&self.function))]},
        ]);
        document["default_privileges"] =
            json!([{"privileges": ["select"], "on": "tables", "made_by": maker, "in_schema": self.schema}]);
        if self.role != group {
            document["member_of"] = json!([{"role": group}]);
        }
        document
    }

    /// Queries that answer true when the role has just what its document says.
    fn checks(&self, round: usize, group: &str) -> Vec<String> {
        let role = literal(&self.role);
        let here = round != 2;
        let on = |what: &str, name: &str| format!("{}::{what}", literal(&self.within(name)));
        let in_acl = |acl: &str| {
            format!(
                "(SELECT string_agg(a.privilege_type || CASE WHEN a.is_grantable THEN '*' ELSE '' END, ' ') FROM aclexplode({acl}) a \
                 JOIN pg_roles r ON r.oid = a.grantee WHERE r.rolname = {role})"
            )
        };
        let is = |acl: String, expected: &str| format!("{acl} IS NOT DISTINCT FROM {expected}");
        let granted = |expected: &'static str| if here { expected } else { "NULL" };
        let table = ["'SELECT'", "'INSERT*'", "NULL"][round];
        let usage = granted("'USAGE'");
        let comment = if here { literal(&self.comment) } else { "'nothing'".to_owned() };
        let function = format!("{}::regprocedure", literal(&format!("{}(integer)", self.within(&self.function))));
        let members = i32::from(here && self.role != group);
        vec![
            format!("SELECT shobj_description(oid, 'pg_authid') = {comment} FROM pg_roles WHERE rolname = {role}"),
            format!(
                "SELECT {} FROM pg_namespace WHERE nspname = {}",
                is(in_acl("nspacl"), usage),
                literal(&self.schema)
            ),
            format!("SELECT {} FROM pg_class WHERE oid = {}", is(in_acl("relacl"), table), on("regclass", &self.table)),
            format!(
                "SELECT {} FROM pg_class WHERE oid = {}",
                is(in_acl("relacl"), usage),
                on("regclass", &self.sequence)
            ),
            format!("SELECT {} FROM pg_proc WHERE oid = {function}", is(in_acl("proacl"), granted("'EXECUTE'"))),
            format!(
                "SELECT count(*) = {} FROM pg_default_acl d JOIN pg_namespace n ON n.oid = d.defaclnamespace \
                 WHERE n.nspname = {} AND {} = 'SELECT'",
                i32::from(here),
                literal(&self.schema),
                in_acl("d.defaclacl")
            ),
            format!(
                "SELECT count(*) = {members} FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member \
                 JOIN pg_roles g ON g.oid = m.roleid WHERE r.rolname = {role} AND g.rolname = {}",
                literal(group)
            ),
        ]
    }
}

pub fn run(db: &Db) {
    let place = Workplace::new(db);
    let all = Granted::all();
    for it in &all {
        db.drops_role(&it.role);
    }
    db.run(&all.iter().map(Granted::setup).collect::<String>());
    let maker = db.lines("SELECT current_user").remove(0);
    let group = all[0].role.clone();
    for round in 0..3 {
        let documents = all.iter().map(|it| it.document(round, &group, &maker).to_string());
        place.write("policy.yaml", &documents.collect::<Vec<_>>().join("\n---\n"));
        place.apply("policy.yaml").expect(0);
        place.expect_converged("policy.yaml");
        place.run(&["drift", "policy.yaml"]).expect(0);
        for it in &all {
            for check in it.checks(round, &group) {
                assert_eq!(db.lines(&check), ["t"], "round {round}: {check}");
            }
        }
        super::assert_canary(db);
    }
    // What is left has nothing any more, and goes with its role.
    let absent = all.iter().map(|it| json!({"kind": "role", "name": it.role, "ensure": "absent"}).to_string());
    place.write("policy.yaml", &absent.collect::<Vec<_>>().join("\n---\n"));
    place.apply("policy.yaml").expect(0);
    let named: Vec<String> = all.iter().map(|it| literal(&it.role)).collect();
    assert_eq!(db.lines(&format!("SELECT count(*) FROM pg_roles WHERE rolname IN ({})", named.join(", "))), ["0"]);
    place.run(&["ledger", "verify"]).expect(0);
}
