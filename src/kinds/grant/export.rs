//! What is granted, as the sections of roles' documents, and how `import` finds it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::core::{Address, Live, Query, Row, RowError, Server, Value, Version};
use crate::kinds::grant::target::Target;
use crate::kinds::grant::{COLUMNS, GRANTED, OTHER, WITH_OPTION, observe};
use crate::kinds::{Beside, Discovered, Entries, Export, Owner, Part, View, role};

/// The first version that grants single parameters.
const GRANTS_PARAMETERS: Version = Version::new(15, 0);

/// See [`crate::kinds::Kind::discover`].
pub fn discover(server: &Server, beside: &Beside) -> Option<Query> {
    let parameters = match server.version >= GRANTS_PARAMETERS {
        // Parameters have no owner; what the first superuser has of them is nobody's to say.
        true => {
            "SELECT 'pg_catalog.pg_parameter_acl'::regclass, p.oid, 10::oid, p.paracl, 'p' \
             FROM pg_catalog.pg_parameter_acl AS p"
        }
        false => "SELECT NULL::oid, NULL::oid, NULL::oid, NULL::aclitem[], NULL WHERE false",
    };
    let query = || Query { sql: include_str!("discover.sql").replace("{parameters}", parameters), params: Vec::new() };
    (!beside.roles.is_empty()).then(query)
}

/// See [`crate::kinds::Kind::discovered`].
///
/// # Errors
/// When the rows are not those of `discover.sql`.
pub fn discovered(rows: &[Row]) -> Result<Vec<Discovered>, RowError> {
    let mut found = BTreeSet::new();
    for row in rows {
        let grantee = row.maybe_text("grantee")?.map(str::to_owned);
        let name = match row.text("sort")? {
            "other" => format!("{OTHER}{}", row.text("other")?),
            "member" => Target::Role(row.text("name")?.to_owned()).name(),
            "later" => {
                let (by, what) = (row.text("arguments")?.to_owned(), row.text("name")?.to_owned());
                Target::Later { by, schema: row.maybe_text("schema")?.map(str::to_owned), what }.name()
            }
            _ => match observe::targets(row)?.first() {
                Some(target) => target.name(),
                None => continue,
            },
        };
        found.insert((grantee, name));
    }
    let one = |(grantee, name): (Option<String>, String)| {
        let container = Some(grantee.clone().unwrap_or_else(|| role::PUBLIC.to_owned()));
        Discovered { container, name, owner: grantee.map_or(Owner::Everybody, Owner::Role) }
    };
    Ok(found.into_iter().map(one).collect())
}

/// See [`crate::kinds::Kind::export`].
pub fn export(live: &Live, view: &View<'_>) -> Export {
    let grantee = live.address.schema.as_deref().unwrap_or_default();
    if let Some(what) = live.address.name.strip_prefix(OTHER) {
        return Export::remarks("role", grantee, vec![format!("{what}, which no policy grants")]);
    }
    match Target::read(&live.address.name) {
        None => Export::LeftOut("a grant on something that is in no policy".to_owned()),
        Some(Target::Role(of)) => membership(grantee, &of, live, view),
        Some(target) => privileges(grantee, &target, live),
    }
}

/// An item of a section in the role's document.
fn item(grantee: &str, section: &'static str, entries: Entries) -> Part {
    Part { file: Some(role::file(grantee)), ..Part::new("role", grantee, section, entries) }
}

/// Without a word, GRANT makes a member that may become the role, has its privileges where the member's
/// role inherits, and may not make others members (`GrantRole` in `user.c`, PostgreSQL 16; before, the
/// member's role alone tells).
fn membership(member: &str, of: &str, live: &Live, view: &View<'_>) -> Export {
    let flag = |live: &Live, name: &str| live.get(name).and_then(Value::as_bool);
    let itself = view.live.get(&Address::global(role::ID, member));
    let inherits = itself.and_then(|role| flag(role, "inherit")).unwrap_or(true);
    let entries = Entries::default()
        .with("role", of)
        .with_some("admin", flag(live, "admin").filter(|admin| *admin))
        .with_some("inherit", flag(live, "inherit").filter(|inherit| *inherit != inherits))
        .with_some("set", flag(live, "set").filter(|set| !set));
    Export::Parts(vec![item(member, "member_of", entries)])
}

/// An item for each way in which privileges are granted: plainly, to be passed on, and not at all where
/// the server or an extension would grant them.
fn privileges(grantee: &str, target: &Target, live: &Live) -> Export {
    let initial = |privilege: &str| match live.fact("initial") {
        Some(Value::Map(initial)) => initial.get(privilege).cloned(),
        _ => None,
    };
    let (mut plain, mut with_option, mut revoked) = (Vec::new(), Vec::new(), Vec::new());
    let mut left_out = Vec::new();
    for privilege in target.privileges().iter().copied() {
        let value = live.get(privilege);
        match value.and_then(Value::as_text) {
            // What the server grants by itself needs no word.
            _ if initial(privilege).as_ref() == value => {}
            None => revoked.push(privilege),
            Some(GRANTED) => plain.push(privilege),
            Some(WITH_OPTION) => with_option.push(privilege),
            Some(other) if other.starts_with(COLUMNS) => {
                left_out.push(format!("`{privilege}` {other} of {}: policies do not grant on columns", target.name()));
            }
            Some(other) => left_out.push(format!("`{privilege}` {other} of {}", target.name())),
        }
    }
    let groups =
        [(plain, "", Json::Null), (with_option, "grant_option", true.into()), (revoked, "ensure", "absent".into())];
    let mut parts = Vec::new();
    for (privileges, key, value) in groups.into_iter().filter(|(privileges, ..)| !privileges.is_empty()) {
        let written = Entries::default().with("privileges", written(&privileges, target));
        let (section, joined, entries) = on(target, written);
        let entries = if key.is_empty() { entries } else { entries.with(key, value) };
        parts.push(Part { joined, ..item(grantee, section, entries) });
    }
    if left_out.is_empty() && parts.is_empty() {
        return Export::Nothing;
    }
    let Some(first) = parts.first_mut() else { return Export::remarks("role", grantee, left_out) };
    first.left_out = left_out;
    Export::Parts(parts)
}

/// The privileges as people write them.
fn written(privileges: &[&'static str], target: &Target) -> Vec<&'static str> {
    const FEW: usize = 2;
    // As `all` is read.
    let is_usual = |privilege: &&&str| **privilege != "maintain";
    let all = target.privileges().iter().filter(is_usual).count();
    if all <= FEW || privileges.iter().filter(is_usual).count() < all {
        return privileges.to_vec();
    }
    std::iter::once("all").chain(privileges.iter().copied().filter(|privilege| *privilege == "maintain")).collect()
}

/// What a target is in an item: the section, the key of its list, and the entries behind those given.
fn on(target: &Target, entries: Entries) -> (&'static str, Option<&'static str>, Entries) {
    let list = |key: &'static str, name: String| ("grants", Some(key), entries.clone().with(key, vec![name]));
    match target {
        Target::Database => ("grants", None, entries.with("database", true)),
        Target::Schema(name) => list("schemas", name.clone()),
        Target::Table(name) => list("tables", name.to_string()),
        Target::TablesIn(schema) => list("all_tables_in", schema.clone()),
        Target::Sequence(name) => list("sequences", name.to_string()),
        Target::SequencesIn(schema) => list("all_sequences_in", schema.clone()),
        Target::Function(name, arguments) => list("functions", format!("{name}({arguments})")),
        Target::FunctionsIn(schema) => list("all_functions_in", schema.clone()),
        // `import` is told of these as of others that no policy grants on.
        Target::Type(name) => list("types", name.to_string()),
        Target::Role(name) => ("member_of", None, entries.with("role", name.as_str())),
        Target::Later { by, schema, what } => {
            let entries = entries.with("on", what.as_str()).with("made_by", by.as_str());
            ("default_privileges", None, entries.with_some("in_schema", schema.as_deref()))
        }
    }
}
