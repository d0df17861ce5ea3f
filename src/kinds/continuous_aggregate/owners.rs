//! Whom an aggregate belongs to that is made anew. It belongs to the session's role first, and is then given back;
//! what the server asks for that is told by the plan (`ATExecChangeOwner` in
//! `src/backend/commands/tablecmds.c`).

use std::collections::BTreeSet;

use super::ID;
use crate::core::name::quote_identifier;
use crate::core::{Delta, Desired, Ensure, QualifiedName, Row, RowError, Version};
use crate::diag::{Diagnostic, code};
use crate::kinds::{self, View, grant};

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
pub fn unreadable(delta: &Delta, rows: &[(&str, &Row)], view: &View<'_>) -> Result<Option<Diagnostic>, RowError> {
    let Some(desired) = &delta.desired else { return Ok(None) };
    for (_, row) in rows.iter().filter(|(finding, _)| *finding == "owner_may_not_read") {
        let (owner, source) = (row.text("words")?, QualifiedName::new(row.text("schema")?, row.text("name")?));
        if grant::gives(view, owner, "select", &source) {
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

/// Why what reads one that is made anew could not be filled again: the role that it belongs to is one of those that
/// may read it now and not any more by then.
pub fn cannot_read_by_then(delta: &Delta, roles: &BTreeSet<String>, view: &View<'_>) -> Option<Diagnostic> {
    let on = delta.on.as_ref().filter(|_| delta.desired.is_some())?;
    let reads = |desired: &&Desired| {
        desired.address.kind == ID && desired.ensure == Ensure::Present && kinds::reads(desired).contains(on)
    };
    let readers = view.desired.values().filter(reads);
    let (reader, owner) = readers
        .filter_map(|reader| Some((reader, &view.relations.get(reader.on.as_ref()?)?.owner)))
        .find(|(_, owner)| roles.contains(*owner))?;
    let message = format!(
        "{} could not be filled again: it belongs to the role \"{owner}\", which by then may not read {on} any more",
        reader.address
    );
    Some(
        Diagnostic::error(&code::NO_PRIVILEGE, message)
            .at(reader.place_of("query"))
            .why(format!("policies say what \"{owner}\" is granted, and to read {on} is not among it"))
            .help(format!(
                "write `select` on {on} into the grants of the role {owner}, or give the aggregate to another role"
            )),
    )
}
