//! Whom an aggregate belongs to that is made anew. It belongs to the session's role first, and is then given back;
//! what the server asks for that is told by the plan (`ATExecChangeOwner` in
//! `src/backend/commands/tablecmds.c`).

use std::collections::BTreeSet;

use super::ID;
use crate::core::name::quote_identifier;
use crate::core::{Address, Delta, Desired, Ensure, QualifiedName, Row, RowError, Value, Version};
use crate::diag::{Diagnostic, code};
use crate::kinds::{self, View, grant, role};

/// The role of the server's own whose members may read everything.
const READS_ALL: &str = "pg_read_all_data";

/// From here on a member of a role may be one that cannot act as it.
const SET_OPTION: Version = Version::new(16, 0);

/// What the session's role needs to be of the owner, as `pg_has_role` takes it.
pub fn needed(server: Version) -> &'static str {
    if server < SET_OPTION { "MEMBER" } else { "SET" }
}

/// Why it could not be given back. `rows` are what was found about this aggregate.
///
/// # Errors
/// When a row is not as the query gives it.
pub fn judge(delta: &Delta, rows: &[(&str, &Row)], view: &View<'_>) -> Result<Option<Diagnostic>, RowError> {
    let Some(desired) = delta.desired.as_ref().filter(|_| !view.server.superuser) else { return Ok(None) };
    let (mut schemas, mut owner, mut out_of_reach) = (BTreeSet::new(), None, false);
    for (finding, row) in rows {
        match *finding {
            "owner_may_not_create" => _ = schemas.insert(row.text("schema")?),
            "owner_out_of_reach" => out_of_reach = true,
            _ => continue,
        }
        owner = Some(row.text("name")?);
    }
    let Some(owner) = owner else { return Ok(None) };
    let user = &view.server.user;
    let message = format!(
        "{} belongs to the role \"{owner}\", and the session's role \"{user}\" could not give it back once it is made anew",
        delta.address
    );
    let role = quote_identifier(owner);
    let (why, help) = if out_of_reach {
        let why = format!(
            "to give something to a role, one must be able to act as it, and \"{user}\" is a member that cannot"
        );
        (why, format!("connect as a superuser, or GRANT {role} TO {} WITH SET TRUE", quote_identifier(user)))
    } else {
        let named: Vec<String> = schemas.iter().map(|schema| format!("\"{schema}\"")).collect();
        let why = format!(
            "whoever is no superuser gives it to a role alone that has CREATE on the schemas of the aggregate and of its \
             rows, and \"{owner}\" lacks it on {}",
            named.join(" and ")
        );
        let list: Vec<String> = schemas.iter().map(|schema| quote_identifier(schema)).collect();
        let help = format!(
            "connect as a superuser, or have the session act as the owner (`-c role=…` in PGOPTIONS), or GRANT CREATE ON \
             SCHEMA {} TO {role}",
            list.join(", ")
        );
        (why, help)
    };
    Ok(Some(Diagnostic::error(&code::NO_PRIVILEGE, message).at(desired.place_of("query")).why(why).help(help)))
}

/// Why it could not be filled again: the server does that as its owner, who may read none of what it is made from.
/// What policies grant is there by then.
///
/// # Errors
/// When a row is not as the query gives it.
pub fn unreadable(
    delta: &Delta,
    rows: &[(&str, &Row)],
    weights: &[Row],
    view: &View<'_>,
) -> Result<Option<Diagnostic>, RowError> {
    let Some(desired) = &delta.desired else { return Ok(None) };
    for (_, row) in rows.iter().filter(|(finding, _)| *finding == "owner_may_not_read") {
        let (owner, source) = (row.text("words")?, QualifiedName::new(row.text("schema")?, row.text("name")?));
        let roles = acts_as(owner, weights, view)?;
        if roles.is_none_or(|roles| is_given(&roles, &source, view)) {
            continue;
        }
        let message = format!(
            "{} could not be filled again: it belongs to the role \"{owner}\", which may not read {source}",
            delta.address
        );
        let help =
            format!("GRANT SELECT ON {source} TO {}, or give the aggregate to another role", quote_identifier(owner));
        let diagnostic = Diagnostic::error(&code::NO_PRIVILEGE, message).at(desired.place_of("query"));
        return Ok(Some(diagnostic.why("the server fills an aggregate as the role that it belongs to").help(help)));
    }
    Ok(None)
}

/// The roles whose privileges an owner has once the plan is applied: its own, those of the roles that it is a member of
/// and those of everybody. Nothing for a superuser, who has all.
fn acts_as(owner: &str, weights: &[Row], view: &View<'_>) -> Result<Option<BTreeSet<String>>, RowError> {
    let wanted = view.desired.get(&Address::global(role::ID, owner)).and_then(|role| role.get("superuser"));
    let mut roles = BTreeSet::from([owner.to_owned(), role::PUBLIC.to_owned()]);
    let mut is_superuser = false;
    for row in weights {
        if row.text("finding")? != "owner_acts_as" || row.text("words")? != owner {
            continue;
        }
        is_superuser |= row.maybe_text("schema")?.is_some();
        roles.insert(row.text("name")?.to_owned());
    }
    if wanted.and_then(Value::as_bool).unwrap_or(is_superuser) {
        return Ok(None);
    }
    // What policies say of memberships is in force by then.
    let said = |of: &str, member: &str| {
        let own = view.desired.values().find(|desired| {
            grant::membership(&desired.address).is_some_and(|(its, role)| its == member && role == of)
        })?;
        let is_kept = own.ensure == Ensure::Present && own.get("member") != Some(&Value::Null);
        Some(is_kept && own.get("inherit") != Some(&Value::Bool(false)))
    };
    roles.retain(|of| said(of, owner) != Some(false));
    loop {
        let new = view
            .desired
            .keys()
            .filter_map(grant::membership)
            .find(|(member, of)| roles.contains(*member) && !roles.contains(of) && said(of, member) == Some(true));
        match new {
            Some((_, of)) => _ = roles.insert(of),
            None => return Ok(Some(roles)),
        }
    }
}

/// Whether policies let one of some roles read something, or the server does of itself.
fn is_given(roles: &BTreeSet<String>, on: &QualifiedName, view: &View<'_>) -> bool {
    let owner = view.relations.get(on).map(|relation| relation.owner.as_str());
    roles.iter().any(|role| role == READS_ALL || Some(role.as_str()) == owner || grant::gives(view, role, "select", on))
}

/// Why what reads one that is made anew could not be filled again: the role that it belongs to may read it now by what
/// is not granted any more by then. `lose` are the roles that lose that, and `keep` those that have it again.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn cannot_read_by_then(
    delta: &Delta,
    (lose, keep): (&BTreeSet<String>, &BTreeSet<String>),
    weights: &[Row],
    view: &View<'_>,
) -> Result<Option<Diagnostic>, RowError> {
    let Some(on) = delta.on.as_ref().filter(|_| delta.desired.is_some()) else { return Ok(None) };
    let reads = |desired: &&Desired| {
        desired.address.kind == ID && desired.ensure == Ensure::Present && kinds::reads(desired).contains(on)
    };
    for reader in view.desired.values().filter(reads) {
        let Some(owner) = reader.on.as_ref().and_then(|on| Some(&view.relations.get(on)?.owner)) else { continue };
        let Some(roles) = acts_as(owner, weights, view)? else { continue };
        let Some(lost) = roles.intersection(lose).next() else { continue };
        let later = |role: &String| grant::gives_later(view, role, "select", false, on);
        if roles.intersection(keep).next().is_some() || is_given(&roles, on, view) || roles.iter().any(later) {
            continue;
        }
        let message = format!(
            "{} could not be filled again: it belongs to the role \"{owner}\", which by then may not read {on} any more",
            reader.address
        );
        let why = match lost == owner {
            true => format!("policies say what \"{owner}\" is granted, and to read {on} is not among it"),
            false => format!(
                "\"{owner}\" may read it as \"{lost}\", policies say what that is granted, and to read {on} is not among it"
            ),
        };
        let help =
            format!("write `select` on {on} into the grants of the role {lost}, or give the aggregate to another role");
        let diagnostic = Diagnostic::error(&code::NO_PRIVILEGE, message).at(reader.place_of("query"));
        return Ok(Some(diagnostic.why(why).help(help)));
    }
    Ok(None)
}
