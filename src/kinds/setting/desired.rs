//! The `setting` document: one scope, and its parameters.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use crate::core::name::check_identifier;
use crate::core::{Address, Desired, Ensure, Value};
use crate::diag::source::segment;
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::setting::level::Level;
use crate::kinds::setting::parameter::{is_list, split_list};
use crate::kinds::setting::{DOCUMENT, ID, SECRET_SETTING};

/// Parameters of the server and how they are to be set: for the whole server, for the database, or
/// for one role. All that is to be set at one of these is in one document.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Where they are set: `server` for everybody (`ALTER SYSTEM`, then a reload), `database` for the
    /// sessions of the database that is connected to, `role` for the sessions of one role.
    pub scope: Scope,
    /// The role's exact name, with `scope: role`.
    #[schemars(example = &"reporting")]
    pub role: Option<String>,
    /// With `scope: role`, only in the database that is connected to.
    #[serde(default)]
    pub in_database: bool,
    /// The parameters by name. Values are written as in postgresql.conf, and compared as the server
    /// does: `64MB` is `65536kB`. Null takes the parameter's setting away at this scope, and so does
    /// taking one out of the policy again that was applied.
    #[schemars(schema_with = "settings", example = &serde_json::json!({"work_mem": "64MB", "jit": false}))]
    pub settings: BTreeMap<String, Option<Written>>,
}

/// Where settings are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The whole server.
    Server,
    /// The database that is connected to.
    Database,
    /// One role.
    Role,
}

/// A value as policies write it.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(untagged)]
pub enum Written {
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// Anything else, in words.
    Text(String),
    /// Some names.
    List(Vec<String>),
}

fn settings(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "minProperties": 1,
        "additionalProperties": { "type": ["boolean", "number", "string", "array", "null"], "items": { "type": "string" } },
    })
}

const KEYS: [&str; 4] = ["scope", "role", "in_database", "settings"];

/// Parameters whose values hold a password or a command that gives one, and parts of names that say
/// as much of an extension's parameter.
const SECRET: [&str; 2] = ["primary_conninfo", "ssl_passphrase_command"];
const SECRET_PARTS: [&str; 6] = ["password", "passphrase", "passwd", "secret", "token", "credential"];

/// The resources of a document.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let own = input.own(&KEYS);
    let section = SectionInput { value: &own, ..*input };
    let Some(raw) = section.read::<Setting>(sink) else { return Vec::new() };
    let Some(level) = level(&raw, input, sink) else { return Vec::new() };
    let mut found = Vec::new();
    for (name, written) in &raw.settings {
        let below = format!("/settings{}", segment(name));
        if !check_name(name, &below, input, sink) {
            continue;
        }
        let name = name.to_ascii_lowercase();
        let address = Address { kind: ID, schema: Some(level.container()), name: name.clone() };
        let mut desired = input.desired(address, None);
        desired.place = input.key_place(&below).clone();
        desired.set_place(DOCUMENT.to_owned(), input.head.place.clone());
        if written.is_none() && level != Level::Server {
            desired.ensure = Ensure::Absent;
            found.push(desired);
            continue;
        }
        if let Some(value) = value(&name, written.as_ref(), &below, input, sink) {
            input.set(&mut desired, "value", &below, value);
            found.push(desired);
        }
    }
    found
}

fn level(raw: &Setting, input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Option<Level> {
    let mut refuse = |key: &str, message: &str, help: &str| {
        sink.push(Diagnostic::error(&code::POLICY_CONFLICT, message).at(input.place(key)).help(help));
        None
    };
    match (raw.scope, &raw.role) {
        (Scope::Role, None) => {
            sink.push(
                Diagnostic::error(&code::MISSING_KEY, "`scope: role` needs the key `role`")
                    .at(input.place("/scope"))
                    .help("name the role, such as `role: reporting`"),
            );
            None
        }
        (Scope::Server | Scope::Database, Some(_)) => {
            refuse("/role", "`role` is for `scope: role` alone", "write `scope: role`, or leave the key out")
        }
        (Scope::Server | Scope::Database, None) if raw.in_database => {
            refuse("/in_database", "`in_database` is for `scope: role` alone", "leave the key out")
        }
        (Scope::Server, None) => Some(Level::Server),
        (Scope::Database, None) => Some(Level::Database),
        (Scope::Role, Some(role)) => {
            let role = input.identifier(role, "/role", sink)?;
            Some(Level::Role { role, in_database: raw.in_database })
        }
    }
}

/// Whether it can be a parameter's name, and not one whose value is a secret.
fn check_name(name: &str, below: &str, input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> bool {
    let place = input.key_place(below);
    let part = |part: &str| {
        let mut chars = part.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
    };
    let parts: Vec<&str> = name.split('.').collect();
    if check_identifier(name).is_err() || parts.len() > 2 || !parts.iter().all(|it| part(it)) {
        let message = format!("`{name}` is no parameter's name");
        sink.push(
            Diagnostic::error(&code::BAD_NAME, message)
                .at(place)
                .help("write a name such as `work_mem`, or with its extension's before a dot, `timescaledb.max_background_workers`"),
        );
        return false;
    }
    if holds_secret(name) {
        let message = format!("`{name}` holds a secret, which is not for policies");
        sink.push(
            Diagnostic::error(&SECRET_SETTING, message)
                .at(place)
                .why("policies, plans and the ledger are read by many and kept for long, and this version would print the value")
                .help("set it by hand or by what provisions the server, and leave it out here: it is not touched then"),
        );
        return false;
    }
    true
}

/// Whether a parameter's value holds a secret, as far as its name tells.
pub fn holds_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    SECRET.contains(&lower.as_str()) || SECRET_PARTS.iter().any(|part| is_secret(&lower, part))
}

/// `password_encryption` and what is like it names a way, and no secret.
fn is_secret(name: &str, part: &str) -> bool {
    name.contains(part) && !name.ends_with("_encryption") && !name.ends_with("_length")
}

fn value(
    name: &str,
    written: Option<&Written>,
    below: &str,
    input: &SectionInput<'_>,
    sink: &mut Vec<Diagnostic>,
) -> Option<Value> {
    let value = match written {
        None => return Some(Value::Null),
        Some(Written::Bool(value)) => Value::text(if *value { "on" } else { "off" }),
        Some(Written::Number(number)) => Value::text(number.to_string()),
        Some(Written::Text(text)) if is_list(name) => Value::texts(split_list(text)),
        Some(Written::Text(text)) => Value::text(text.as_str()),
        Some(Written::List(items)) => Value::texts(items.iter().map(String::as_str)),
    };
    let bad = |text: &Value| text.as_text().is_some_and(|text| text.contains(['\0', '\n', '\r']));
    if bad(&value) || value.as_list().iter().any(bad) {
        let message = format!("the value of `{name}` holds a line break or a NUL character");
        sink.push(
            Diagnostic::error(&code::WRONG_VALUE, message)
                .at(input.place(below))
                .why("a configuration file has one line for a parameter, and the server refuses to write more"),
        );
        return None;
    }
    Some(value)
}
