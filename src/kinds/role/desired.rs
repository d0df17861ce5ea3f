//! The `role` document's own keys; what else it may hold are privileges, see the kind `grant`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::core::{Address, Desired, Ensure, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::discover::EVERYBODY;
use crate::kinds::role::{ID, PASSWORD_IN_POLICY, RESERVED_ROLE};
use crate::kinds::schedule::{format_timestamp, parse_timestamp};

/// A role of the server: what it may, and with the other keys what it is a member of and is granted.
/// Only what is written is managed. Roles are the server's, and shared by all of its databases.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Whether the role must be there. `absent` drops it, never with what it owns: that is an error.
    #[serde(default)]
    pub ensure: Ensure,
    /// Whether it may log in.
    pub login: Option<bool>,
    /// Whether no permission is asked of it.
    pub superuser: Option<bool>,
    /// Whether it may make databases.
    pub createdb: Option<bool>,
    /// Whether it may make other roles.
    pub createrole: Option<bool>,
    /// Whether it has the privileges of the roles that it becomes a member of.
    pub inherit: Option<bool>,
    /// Whether it may replicate.
    pub replication: Option<bool>,
    /// Whether row security passes it by.
    pub bypassrls: Option<bool>,
    /// How many connections it may have at once; -1 for no limit.
    #[schemars(range(min = -1, max = 2147483647), example = &20)]
    pub connection_limit: Option<i64>,
    /// Until when its password holds, as a timestamp; `infinity` for always.
    #[schemars(example = &"2027-01-01 00:00:00+00")]
    pub valid_until: Option<String>,
    /// The comment on it.
    #[schemars(example = &"Dashboards, read-only")]
    pub comment: Option<String>,
    /// Never here: a policy is read by many and kept for long. Always an error.
    #[serde(default)]
    #[schemars(schema_with = "anything", extend("examples" = []))]
    pub password: Option<Json>,
}

fn anything(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({})
}

const KEYS: [&str; 12] = [
    "ensure",
    "login",
    "superuser",
    "createdb",
    "createrole",
    "inherit",
    "replication",
    "bypassrls",
    "connection_limit",
    "valid_until",
    "comment",
    "password",
];

/// The name that stands for everybody, which is no role.
pub const PUBLIC: &str = EVERYBODY;

/// The resource of a document.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let own = input.own(&KEYS);
    let keys: Vec<String> = own.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
    let has_password = own.get("password").is_some();
    let section = SectionInput { value: &own, ..*input };
    let Some(raw) = section.read::<Role>(sink) else { return Vec::new() };
    if has_password || raw.password.is_some() {
        // The place is the document's: a snippet of the key's own would show the password.
        sink.push(
            Diagnostic::error(&PASSWORD_IN_POLICY, "a password is not for a policy")
                .at(&input.head.place)
                .why("policies, plans and the ledger are read by many and kept for long")
                .help("take the key `password` out, change that password, and set it by hand: \\password in psql"),
        );
        return Vec::new();
    }
    let Some(name) = input.identifier(&input.head.name, "/name", sink) else { return Vec::new() };
    if name == PUBLIC {
        return everybody(&keys, input, sink);
    }
    if name == "none" {
        sink.push(
            Diagnostic::error(&RESERVED_ROLE, "no role can be called \"none\"")
                .at(input.place("/name"))
                .why("the server keeps the word for `SET ROLE NONE`, and makes no role of this name")
                .help("choose another name"),
        );
        return Vec::new();
    }
    if name.starts_with("pg_") {
        let message = format!("\"{name}\" is the server's own role");
        sink.push(
            Diagnostic::error(&RESERVED_ROLE, message)
                .at(input.place("/name"))
                .why("names that begin with `pg_` are the server's predefined roles, which are as they are")
                .help("write a role of your own and make it a member: `member_of: [{role: pg_monitor}]`"),
        );
        return Vec::new();
    }
    let mut desired = input.desired(Address::global(ID, name), None);
    desired.ensure = raw.ensure;
    if raw.ensure == Ensure::Absent {
        return vec![desired];
    }
    let flags = [
        ("login", raw.login),
        ("superuser", raw.superuser),
        ("createdb", raw.createdb),
        ("createrole", raw.createrole),
        ("inherit", raw.inherit),
        ("replication", raw.replication),
        ("bypassrls", raw.bypassrls),
    ];
    for (key, flag) in flags {
        if let Some(flag) = flag {
            input.set(&mut desired, key, &format!("/{key}"), flag);
        }
    }
    if let Some(limit) = raw.connection_limit {
        input.set(&mut desired, "connection_limit", "/connection_limit", limit);
    }
    if let Some(text) = &raw.valid_until {
        match valid_until(text) {
            Some(value) => input.set(&mut desired, "valid_until", "/valid_until", value),
            None => sink.push(
                Diagnostic::error(&code::WRONG_VALUE, format!("`{text}` is no timestamp with a time zone"))
                    .at(input.place("/valid_until"))
                    .help("write it like `2027-01-01 00:00:00+00`, or `infinity`"),
            ),
        }
    }
    if let Some(comment) = &raw.comment {
        if comment.contains('\0') {
            let error = Diagnostic::error(&code::WRONG_VALUE, "the comment holds a NUL character");
            sink.push(error.at(input.place("/comment")));
        } else {
            let value = if comment.is_empty() { Value::Null } else { Value::text(comment.as_str()) };
            input.set(&mut desired, "comment", "/comment", value);
        }
    }
    vec![desired]
}

/// Null for no end.
fn valid_until(text: &str) -> Option<Value> {
    match text.trim() {
        "infinity" => Some(Value::Null),
        text => parse_timestamp(text).map(|micros| Value::text(format_timestamp(micros))),
    }
}

/// `public` makes no role, and has no attributes.
fn everybody(keys: &[String], input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    if let Some(key) = keys.first() {
        sink.push(
            Diagnostic::error(&RESERVED_ROLE, format!("`{key}` is nothing that `public` has"))
                .at(input.key_place(&format!("/{key}")))
                .why("PUBLIC stands for every role, and is none itself")
                .help("a document of this name has `grants` and `default_privileges` alone"),
        );
    }
    Vec::new()
}
