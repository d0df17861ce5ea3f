//! The sections of a `role` document that grant: privileges, those on what is made later, memberships.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::core::{Address, Desired, Ensure, QualifiedName, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::grant::target::{LATER, Target, arguments, split_signature};
use crate::kinds::grant::{GRANTED, ID, WITH_OPTION};
use crate::kinds::role::PUBLIC;

/// What the role is granted, on things that exist. One item has one sort of thing, and privileges that
/// are granted on each alike. A thing may stand in several items, each with other privileges, as long as
/// none is exclusive. On a hypertable, they reach its chunks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The privileges, such as `select`; `all` for every one that there is.
    #[schemars(example = &["select", "insert"])]
    pub privileges: Vec<String>,
    /// `true` for the database that is connected to.
    #[serde(default)]
    pub database: bool,
    /// Schemas.
    #[schemars(example = &["trading"])]
    pub schemas: Option<Vec<String>>,
    /// Tables, views and continuous aggregates.
    #[schemars(example = &["public.trades"])]
    pub tables: Option<Vec<String>>,
    /// Schemas: all tables and views in them, as they are when the plan is made.
    #[schemars(example = &["trading"])]
    pub all_tables_in: Option<Vec<String>>,
    /// Sequences.
    #[schemars(example = &["public.trades_id_seq"])]
    pub sequences: Option<Vec<String>>,
    /// Schemas: all sequences in them.
    #[schemars(example = &["trading"])]
    pub all_sequences_in: Option<Vec<String>>,
    /// Functions and procedures, each with the types of its arguments.
    #[schemars(example = &["public.refresh(integer, text)"])]
    pub functions: Option<Vec<String>>,
    /// Schemas: all functions and procedures in them.
    #[schemars(example = &["trading"])]
    pub all_functions_in: Option<Vec<String>>,
    /// Whether the role may pass the privileges on.
    #[serde(default)]
    pub grant_option: bool,
    /// Whether every other privilege of the role on these things is revoked. Without it, only what was
    /// applied and is no longer in the policy is.
    #[serde(default)]
    pub exclusive: bool,
    /// With `absent`, the privileges are revoked.
    #[serde(default)]
    pub ensure: Ensure,
}

/// What the role is granted on things that another role makes later.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultPrivileges {
    /// The privileges, such as `select`; `all` for every one that there is.
    #[schemars(example = &["select"])]
    pub privileges: Vec<String>,
    /// On what.
    pub on: Later,
    /// The role that makes them.
    #[schemars(example = &"migrator")]
    pub made_by: String,
    /// Only in this schema.
    #[schemars(example = &"trading")]
    pub in_schema: Option<String>,
    /// Whether the role may pass the privileges on.
    #[serde(default)]
    pub grant_option: bool,
    /// With `absent`, the privileges are revoked.
    #[serde(default)]
    pub ensure: Ensure,
}

/// What is made later.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Later {
    /// Tables and views.
    Tables,
    /// Sequences.
    Sequences,
    /// Functions and procedures.
    Functions,
    /// Types.
    Types,
    /// Schemas.
    Schemas,
}

/// A role that the role is a member of. Other memberships are left alone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The other role; it may be one of the server's own, such as `pg_monitor`.
    #[schemars(example = &"pg_monitor")]
    pub role: String,
    /// Whether the role may make others members of it.
    pub admin: Option<bool>,
    /// Whether the role has its privileges without becoming it. PostgreSQL 16 and newer.
    pub inherit: Option<bool>,
    /// Whether the role may become it. PostgreSQL 16 and newer.
    pub set: Option<bool>,
    /// With `absent`, the membership is ended.
    #[serde(default)]
    pub ensure: Ensure,
}

fn resource(input: &SectionInput<'_>, grantee: &str, target: &Target) -> Desired {
    input.desired(Address { kind: ID, schema: Some(grantee.to_owned()), name: target.name() }, None)
}

/// The resources of one item of `grants`.
pub fn grants(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let Some(raw) = input.read::<Grant>(sink) else { return Vec::new() };
    let Some(grantee) = input.identifier(&input.head.name, "", sink) else { return Vec::new() };
    let Some(targets) = targets(&raw, input, sink) else { return Vec::new() };
    let value = value(raw.ensure, raw.grant_option);
    let mut found = Vec::new();
    for target in targets {
        let Some(privileges) = privileges(&raw.privileges, &target, input, sink) else { return Vec::new() };
        let mut desired = resource(input, &grantee, &target);
        for privilege in privileges {
            input.set(&mut desired, privilege, "/privileges", value.clone());
        }
        if raw.exclusive {
            input.set(&mut desired, super::EXCLUSIVE, "/exclusive", true);
        }
        found.push(desired);
    }
    if no_option_for_public(&grantee, raw.grant_option, input, sink) { found } else { Vec::new() }
}

/// PUBLIC cannot pass anything on.
fn no_option_for_public(grantee: &str, option: bool, input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> bool {
    let refused = grantee == PUBLIC && option;
    if refused {
        sink.push(
            Diagnostic::error(&code::POLICY_CONFLICT, "PUBLIC cannot have a grant option")
                .at(input.place("/grant_option"))
                .help("leave `grant_option` out, or grant to a role"),
        );
    }
    !refused
}

fn value(ensure: Ensure, option: bool) -> Value {
    match (ensure, option) {
        (Ensure::Absent, _) => Value::Null,
        (Ensure::Present, true) => Value::text(WITH_OPTION),
        (Ensure::Present, false) => Value::text(GRANTED),
    }
}

/// What an item is about: things of exactly one sort.
fn targets(raw: &Grant, input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Option<Vec<Target>> {
    type Read = fn(&SectionInput<'_>, &str, &str, &mut Vec<Diagnostic>) -> Option<Target>;
    let lists: [(&str, &Option<Vec<String>>, Read); 7] = [
        ("schemas", &raw.schemas, |input, text, at, sink| input.identifier(text, at, sink).map(Target::Schema)),
        ("tables", &raw.tables, |input, text, at, sink| input.name(text, at, sink).map(Target::Table)),
        ("all_tables_in", &raw.all_tables_in, |input, text, at, sink| {
            input.identifier(text, at, sink).map(Target::TablesIn)
        }),
        ("sequences", &raw.sequences, |input, text, at, sink| input.name(text, at, sink).map(Target::Sequence)),
        ("all_sequences_in", &raw.all_sequences_in, |input, text, at, sink| {
            input.identifier(text, at, sink).map(Target::SequencesIn)
        }),
        ("functions", &raw.functions, function),
        ("all_functions_in", &raw.all_functions_in, |input, text, at, sink| {
            input.identifier(text, at, sink).map(Target::FunctionsIn)
        }),
    ];
    let written = lists.iter().filter(|(_, list, _)| list.is_some()).count() + usize::from(raw.database);
    if written != 1 {
        let names: Vec<String> = lists.iter().map(|(key, ..)| format!("`{key}`")).collect();
        let message = "an item of `grants` is about one sort of thing";
        sink.push(
            Diagnostic::error(if written == 0 { &code::MISSING_KEY } else { &code::POLICY_CONFLICT }, message)
                .at(input.place(""))
                .help(format!("write one of {} or `database: true`", names.join(", "))),
        );
        return None;
    }
    if raw.database {
        return Some(vec![Target::Database]);
    }
    let mut found = Vec::new();
    for (key, list, read) in lists {
        for (at, text) in list.iter().flatten().enumerate() {
            found.push(read(input, text, &format!("/{key}/{at}"), sink)?);
        }
    }
    Some(found)
}

fn function(input: &SectionInput<'_>, text: &str, at: &str, sink: &mut Vec<Diagnostic>) -> Option<Target> {
    let Some((name, types)) = split_signature(text.trim()) else {
        let message = format!("`{text}` is no function with its arguments");
        sink.push(
            Diagnostic::error(&code::BAD_NAME, message)
                .at(input.place(at))
                .why("several functions may have one name, and only the types of their arguments tell them apart")
                .help("write the types in parentheses: `public.f(integer, text)`, or `public.f()`"),
        );
        return None;
    };
    let name: QualifiedName = input.name(name, at, sink)?;
    if types.contains('\0') {
        sink.push(Diagnostic::error(&code::BAD_NAME, "the types hold a NUL character").at(input.place(at)));
        return None;
    }
    Some(Target::Function(name, arguments(types)))
}

/// The privileges by name, each one that the target can have.
fn privileges(
    written: &[String],
    target: &Target,
    input: &SectionInput<'_>,
    sink: &mut Vec<Diagnostic>,
) -> Option<Vec<&'static str>> {
    let known = target.privileges();
    let mut found = Vec::new();
    for (at, word) in written.iter().enumerate() {
        let lower = word.trim().to_ascii_lowercase();
        let lower = if lower == "temp" { "temporary" } else { lower.as_str() };
        match known.iter().find(|known| **known == lower) {
            Some(known) => found.push(*known),
            // `maintain` came with 17 and is only for who names it.
            None if lower == "all" => found.extend(known.iter().filter(|known| **known != "maintain")),
            None => {
                let message = format!("there is no privilege `{word}` on {}", target.name());
                sink.push(
                    Diagnostic::error(&code::WRONG_VALUE, message)
                        .at(input.place(&format!("/privileges/{at}")))
                        .help(format!("there are {}, and `all` for every one", known.join(", "))),
                );
                return None;
            }
        }
    }
    if found.is_empty() {
        let error = Diagnostic::error(&code::WRONG_VALUE, "no privilege is named").at(input.place("/privileges"));
        sink.push(error.help(format!("there are {}", known.join(", "))));
        return None;
    }
    Some(found)
}

/// The resource of one item of `default_privileges`.
pub fn default_privileges(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let Some(raw) = input.read::<DefaultPrivileges>(sink) else { return Vec::new() };
    let names = (
        input.identifier(&input.head.name, "", sink),
        input.identifier(&raw.made_by, "/made_by", sink),
        raw.in_schema.as_ref().map(|schema| input.identifier(schema, "/in_schema", sink)),
    );
    let (Some(grantee), Some(by), None | Some(Some(_))) = &names else { return Vec::new() };
    let what = match raw.on {
        Later::Tables => 0,
        Later::Sequences => 1,
        Later::Functions => 2,
        Later::Types => 3,
        Later::Schemas => 4,
    };
    let what = LATER.get(what).map_or("", |(what, _)| *what).to_owned();
    if what == "schemas" && raw.in_schema.is_some() {
        let error = Diagnostic::error(&code::POLICY_CONFLICT, "a schema is made in no schema");
        sink.push(error.at(input.place("/in_schema")).help("leave `in_schema` out"));
        return Vec::new();
    }
    let target = Target::Later { by: by.clone(), schema: raw.in_schema.clone(), what };
    let Some(privileges) = privileges(&raw.privileges, &target, input, sink) else { return Vec::new() };
    if !no_option_for_public(grantee, raw.grant_option, input, sink) {
        return Vec::new();
    }
    let mut desired = resource(input, grantee, &target);
    for privilege in privileges {
        input.set(&mut desired, privilege, "/privileges", value(raw.ensure, raw.grant_option));
    }
    vec![desired]
}

/// The resource of one item of `member_of`.
pub fn member_of(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let Some(raw) = input.read::<Membership>(sink) else { return Vec::new() };
    let (Some(member), Some(role)) =
        (input.identifier(&input.head.name, "", sink), input.identifier(&raw.role, "/role", sink))
    else {
        return Vec::new();
    };
    if member == PUBLIC || role == PUBLIC || member == role {
        let message = if member == role {
            format!("the role \"{role}\" cannot be a member of itself")
        } else {
            "PUBLIC is no role, and has no members".to_owned()
        };
        let error = Diagnostic::error(&code::POLICY_CONFLICT, message).at(input.place("/role"));
        sink.push(error.help("take the membership out"));
        return Vec::new();
    }
    let mut desired = resource(input, &member, &Target::Role(role));
    desired.ensure = raw.ensure;
    if raw.ensure == Ensure::Present {
        input.set(&mut desired, "member", "/role", true);
        for (key, value) in [("admin", raw.admin), ("inherit", raw.inherit), ("set", raw.set)] {
            if let Some(value) = value {
                input.set(&mut desired, key, &format!("/{key}"), value);
            }
        }
    }
    vec![desired]
}
