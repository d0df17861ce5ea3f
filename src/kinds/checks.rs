//! What every kind on a table asks of the live server before anything else, and says alike.

use std::collections::BTreeMap;

use crate::core::{Address, Desired, Ensure, KindId, Place, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::{Relation, View, by_id};

/// The relation that a resource is on, as it is to come. `None` where it does not exist, which is said unless the
/// policy has `when_missing: skip`.
pub fn relation<'a>(desired: &Desired, view: &View<'a>, sink: &mut Vec<Diagnostic>) -> Option<&'a Relation> {
    let on = desired.on.as_ref()?;
    let found = view.relations.get(on);
    // Whatever keeps the plan from making the relation is said by what would make it.
    let is_made = || {
        let makes = |other: &Desired| by_id(&other.address.kind).is_some_and(|kind| kind.makes(other).is_some());
        view.desired.values().any(|other| other.on.as_ref() == Some(on) && makes(other))
    };
    if found.is_none() && !desired.skip_missing && !is_made() {
        let mut diagnostic = Diagnostic::error(&code::UNKNOWN_TABLE, format!("there is no table {on}"))
            .at(&desired.place)
            .why("policies say how existing tables are kept; the tables themselves come from migrations");
        let other = view
            .relations
            .keys()
            .find(|name| name.schema.eq_ignore_ascii_case(&on.schema) && name.name.eq_ignore_ascii_case(&on.name));
        diagnostic = match other {
            Some(other) => diagnostic.help(format!("names are exact: did you mean {other}?")),
            None if desired.on_before.as_ref().is_some_and(|before| view.relations.contains_key(before)) => diagnostic
                .help(
                    "`moved` follows a table that was renamed, and renames none: run the migration that does so first",
                ),
            None => diagnostic
                .help("check the spelling and the schema, run the migration first, or write `when_missing: skip`"),
        };
        sink.push(diagnostic);
    }
    found.map(Relation::to_come)
}

/// The same table's resource of another kind, where the policies want it.
pub fn sibling<'a>(desired: &Desired, kind: &'static str, all: &'a BTreeMap<Address, Desired>) -> Option<&'a Desired> {
    all.get(&Address::in_schema(KindId::new(kind), desired.on.as_ref()?))
}

/// What the policies alone tell of a policy with an age: that its table is to be no hypertable, or
/// counts time in another unit.
pub fn age(desired: &Desired, attribute: &str, all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    if desired.ensure == Ensure::Absent {
        return;
    }
    let Some(hypertable) = sibling(desired, "hypertable", all) else { return };
    if hypertable.ensure == Ensure::Absent {
        let message = format!("the {} is for a hypertable, and its table must be none", desired.address.kind);
        sink.push(
            Diagnostic::error(&code::POLICY_CONFLICT, message)
                .at(&desired.place)
                .and_at(&hypertable.place, "this says `ensure: absent`")
                .help("take one of the two out of the policy"),
        );
        return;
    }
    let number = |value: &Value| match value {
        Value::Int(_) => Some(true),
        Value::Interval(_) => Some(false),
        _ => None,
    };
    let (Some(age), Some(chunk)) = (desired.get(attribute), hypertable.get("chunk_interval")) else { return };
    if let (Some(a), Some(b)) = (number(age), number(chunk))
        && a != b
    {
        let words = |number: bool| if number { "a whole number" } else { "an interval" };
        let message = format!("`{attribute}` is {}, and the table's `chunk_interval` {}", words(a), words(b));
        sink.push(
            Diagnostic::error(&code::POLICY_CONFLICT, message)
                .at(desired.place_of(attribute))
                .and_at(hypertable.place_of("chunk_interval"), "the length of a chunk")
                .why("both count the time of one column, which is either a whole number or a time")
                .help("write both in the unit of the time column"),
        );
    }
}

/// A column that the relation does not have, with the nearest that it has.
pub fn unknown_column(relation: &Relation, column: &str, place: &Place) -> Diagnostic {
    let message = format!("{} has no column `{column}`", relation.name);
    let diagnostic = Diagnostic::error(&code::UNKNOWN_COLUMN, message).at(place);
    let nearest = relation.columns.iter().map(|known| (strsim::jaro_winkler(&known.name, column), known));
    match nearest.filter(|(score, _)| *score > 0.7).max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, known)) => diagnostic.help(format!("did you mean `{}`?", known.name)),
        None => {
            let names: Vec<String> = relation.columns.iter().map(|known| format!("`{}`", known.name)).collect();
            diagnostic.help(format!("names are exact; its columns are {}", names.join(", ")))
        }
    }
}

/// TimescaleDB is missing from the database, and how it gets there.
pub fn needs_timescaledb(what: &str, desired: &Desired, view: &View<'_>) -> Diagnostic {
    let message = format!("{what} needs TimescaleDB, which is not installed in this database");
    let diagnostic = Diagnostic::error(&code::NEEDS_TIMESCALEDB, message).at(&desired.place);
    let extension = Address::global(KindId::new("extension"), "timescaledb");
    match view.desired.get(&extension).filter(|extension| extension.ensure == Ensure::Present) {
        Some(extension) => diagnostic
            .and_at(&extension.place, "this document installs it")
            .why("what the rest of the policies needs can only be planned once TimescaleDB is there to be asked")
            .help(format!("apply that document on its own first: `chronoform apply {}`", extension.place.file)),
        None if view.server.timescaledb_available => diagnostic.help(
            "write a document `kind: extension` with `name: timescaledb` in a file of its own and apply it first",
        ),
        None => diagnostic
            .why("the server's host does not have TimescaleDB's files either")
            .help("install TimescaleDB on the server's host and preload it, or take this section out of the policy"),
    }
}

/// The session's role does not own the relation that an action would alter.
pub fn not_owner(relation: &Relation, view: &View<'_>, place: &Place) -> Diagnostic {
    let message = format!(
        "{} belongs to the role \"{}\", and the session's role \"{}\" may not alter it",
        relation.name, relation.owner, view.server.user
    );
    Diagnostic::error(&code::NO_PRIVILEGE, message)
        .at(place)
        .help(format!("connect as \"{}\", or as a role that is a member of it", relation.owner))
}
