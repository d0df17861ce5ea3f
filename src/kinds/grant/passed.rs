//! Privileges that went from hand to hand. The server keeps by whom each was granted: nobody else
//! revokes it, and who passed it on does not lose it before those who have it from there (`REVOKE`'s
//! `RESTRICT`: `recursive_revoke` in `src/backend/utils/adt/acl.c`).

use crate::core::name::quote_identifier;
use crate::core::{Delta, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::View;
use crate::kinds::grant::target::Target;
use crate::kinds::grant::{GRANTED, WITH_OPTION, observe};

/// What a delta takes that the statement would not take.
pub fn judge(delta: &Delta, view: &View<'_>) -> Vec<Diagnostic> {
    let (Some(target), Some(grantee)) = (Target::read(&delta.address.name), delta.address.schema.as_deref()) else {
        return Vec::new();
    };
    if let Target::Role(of) = &target {
        return membership(delta, grantee, of, view).into_iter().collect();
    }
    let mut found = Vec::new();
    for change in &delta.changes {
        let before = change.before.as_ref().and_then(Value::as_text).unwrap_or_default();
        let after = change.after.as_ref().and_then(Value::as_text);
        let (revokes, ends_option) = (after.is_none(), after == Some(GRANTED) && before.contains(WITH_OPTION));
        if before.is_empty() || !(revokes || ends_option) {
            continue;
        }
        let privilege = change.attribute.as_str();
        let passed = roles(delta, observe::PASSED_TO, privilege);
        let given = roles(delta, observe::GIVEN_BY, privilege);
        let error = match (passed.as_slice(), given.as_slice()) {
            ([], []) => continue,
            ([], by) => given_by(grantee, privilege, &target, by),
            (to, _) => passed_to(grantee, privilege, &target, to, revokes),
        };
        let desired = delta.desired.as_ref().or_else(|| view.desired.get(&delta.address));
        found.push(desired.map_or(error.clone(), |desired| error.at(desired.place_of(privilege))));
    }
    found
}

/// The same of a membership, from PostgreSQL 16 on.
fn membership(delta: &Delta, member: &str, of: &str, view: &View<'_>) -> Option<Diagnostic> {
    let is = |value: &Option<Value>, flag: bool| value.as_ref().and_then(Value::as_bool) == Some(flag);
    let takes = delta.changes.iter().any(|change| is(&change.before, true) && is(&change.after, false));
    let (passed, given) = (roles(delta, observe::PASSED_TO, "member"), roles(delta, observe::GIVEN_BY, "member"));
    let revoke = format!("REVOKE {} FROM {}", quote_identifier(of), quote_identifier(member));
    let error = match (passed.as_slice(), given.as_slice()) {
        ([_, ..], _) if delta.is_remove() => {
            let to = quoted(&passed);
            let message = format!("\"{member}\" cannot cease to be a member of \"{of}\", which it made {to} one of");
            Diagnostic::error(&code::CANNOT_CHANGE, message)
                .why("the server ends no membership that others have theirs from, and nobody loses what no policy speaks of")
                .help(format!(
                    "where {to} is to stay a member, grant it as another role first; then end by hand what came from \
                     \"{member}\": `REVOKE {} FROM … GRANTED BY {}`, for each of them",
                    quote_identifier(of),
                    quote_identifier(member)
                ))
        }
        (_, [_, ..]) if delta.is_remove() || takes => {
            let message = format!("\"{member}\" is a member of \"{of}\" by the grant of {}", quoted(&given));
            let by: Vec<String> =
                given.iter().map(|by| format!("`{revoke} GRANTED BY {}`", quote_identifier(by))).collect();
            Diagnostic::error(&code::CANNOT_CHANGE, message)
                .why("the statement changes only what its own role granted, and would leave this as it is")
                .help(format!("end that by hand: {}", by.join(", ")))
        }
        _ => return None,
    };
    let desired = delta.desired.as_ref().or_else(|| view.desired.get(&delta.address));
    Some(desired.map_or(error.clone(), |desired| error.at(&desired.place)))
}

/// The roles that a fact has of a privilege.
fn roles(delta: &Delta, fact: &str, privilege: &str) -> Vec<String> {
    let fact = delta.live.as_ref().and_then(|live| live.fact(fact));
    let Some(Value::Map(of)) = fact else { return Vec::new() };
    let roles = of.get(privilege).map(Value::as_list).unwrap_or_default();
    let others = roles.iter().filter_map(Value::as_text).filter(|role| Some(*role) != delta.address.schema.as_deref());
    others.map(str::to_owned).collect()
}

fn quoted(roles: &[String]) -> String {
    let each = |role: &String| if role == "public" { "PUBLIC".to_owned() } else { format!("\"{role}\"") };
    roles.iter().map(each).collect::<Vec<_>>().join(", ")
}

fn passed_to(grantee: &str, privilege: &str, target: &Target, to: &[String], whole: bool) -> Diagnostic {
    let option = if whole { "" } else { "the grant option of " };
    let (on, to) = (target.name(), quoted(to));
    let message =
        format!("{option}{privilege} on {on} cannot be revoked from \"{grantee}\", which passed it on to {to}");
    Diagnostic::error(&code::CANNOT_CHANGE, message)
        .why("the server refuses to revoke what others have from there, and nobody loses what no policy speaks of")
        .help(format!(
            "where {to} is to keep it, grant it in a document of its own, and apply that first; then revoke by hand \
             what was passed on, from {to} as \"{grantee}\" (`SET ROLE`, then `REVOKE`)"
        ))
}

fn given_by(grantee: &str, privilege: &str, target: &Target, by: &[String]) -> Diagnostic {
    let (on, by) = (target.name(), quoted(by));
    let who = if grantee == "public" { "PUBLIC".to_owned() } else { format!("\"{grantee}\"") };
    let message = format!("{privilege} on {on} cannot be revoked from {who}, which has it from {by}");
    Diagnostic::error(&code::CANNOT_CHANGE, message)
        .why("the statement revokes only what the owner granted, and would leave this as it is")
        .help(format!("revoke it by hand as {by} (`SET ROLE`, then `REVOKE`)"))
}
