//! What is granted on a continuous aggregate that is made anew. What policies grant, they grant again by
//! themselves. To a role that no policy speaks of, what somebody granted by hand is given again in the
//! transaction that makes the aggregate. Of a role that policies describe, it cannot be told here
//! whether something is to be revoked by the same plan: what they do not grant is lost, and said. So is
//! what was granted on a column that the new query does not give.

use std::collections::{BTreeMap, BTreeSet};

use super::remake::{Made, item};
use crate::core::{Address, Delta, KindId, QualifiedName, Row, RowError, Value};
use crate::kinds::{View, grant, role};

/// A privilege of a role.
struct Granted<'a> {
    /// The role, or `public` for everybody.
    role: &'a str,
    privilege: &'a str,
    /// The column, where it is granted on that alone.
    column: Option<&'a str>,
    /// Whether the role may pass it on.
    option: bool,
}

/// What is granted on what the weights of a relation are about: its `granted` rows.
fn read<'a>(weights: &'a [Row], oid: u32) -> Result<Vec<Granted<'a>>, RowError> {
    let mut found = Vec::new();
    for row in weights {
        if row.text("finding")? == "granted" && row.maybe_int("oid")? == Some(i64::from(oid)) {
            found.push(Granted {
                role: row.text("name")?,
                privilege: row.text("words")?,
                column: row.maybe_text("schema")?,
                option: row.maybe_int("chunks")? == Some(1),
            });
        }
    }
    Ok(found)
}

/// Whether the policies say what a role is granted.
fn is_described(role: &str, view: &View<'_>) -> bool {
    let (own, grants) = (Address::global(role::ID, role), KindId::new("grant"));
    let granted = |address: &Address| address.kind == grants && address.schema.as_deref() == Some(role);
    view.desired.contains_key(&own) || view.desired.keys().any(granted)
}

/// Whether it is given again with the aggregate, which then has these columns.
fn comes_back(granted: &Granted<'_>, columns: &BTreeSet<String>, view: &View<'_>) -> bool {
    granted.column.is_none_or(|column| columns.contains(column)) && !is_described(granted.role, view)
}

/// One item a statement: a role, with what it is given.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn again(made: &Made<'_>, weights: &[Row], view: &View<'_>) -> Result<Vec<Value>, RowError> {
    let Some(relation) = view.relations.get(made.on) else { return Ok(Vec::new()) };
    let columns = super::columns(made.on, view);
    let mut by_role: BTreeMap<(&str, bool), Vec<Value>> = BTreeMap::new();
    let found = read(weights, relation.oid)?;
    for granted in found.iter().filter(|granted| comes_back(granted, &columns, view)) {
        let privilege = Value::Map(BTreeMap::from([
            ("privilege".to_owned(), Value::text(granted.privilege)),
            ("column".to_owned(), granted.column.map_or(Value::Null, Value::text)),
        ]));
        by_role.entry((granted.role, granted.option)).or_default().push(privilege);
    }
    let one = |((role, option), privileges): ((&str, bool), Vec<Value>)| {
        item(
            made.on,
            [
                ("grantee", Value::text(role)),
                ("everybody", Value::Bool(role == role::PUBLIC)),
                ("option", Value::Bool(option)),
                ("privileges", Value::List(privileges)),
            ],
        )
    };
    Ok(by_role.into_iter().map(one).collect())
}

/// Whether the aggregate has it as soon as it is made, by default privileges that a policy describes.
fn is_given_later(granted: &Granted<'_>, on: &QualifiedName, view: &View<'_>) -> bool {
    granted.column.is_none() && grant::gives_later(view, granted.role, granted.privilege, granted.option, on)
}

/// What it is made with and did not have before: what default privileges give to others, and what was revoked from
/// its owner. What it had, and policies give by default on whatever the session's role makes, stays. What they say of
/// default privileges is in force by then. One item a statement.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn revoked(made: &Made<'_>, weights: &[Row], view: &View<'_>) -> Result<Vec<Value>, RowError> {
    let Some(relation) = view.relations.get(made.on) else { return Ok(Vec::new()) };
    let is_other = |role: &&str| ![relation.owner.as_str(), view.server.user.as_str()].contains(role);
    // One that is new had nothing that could be missed.
    let given = if made.live.is_some() { grant::given_later(view, made.on) } else { BTreeSet::new() };
    let mut all: BTreeSet<&str> = given.into_iter().filter(is_other).collect();
    let mut some: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for row in weights {
        if row.maybe_int("oid")? != Some(i64::from(relation.oid)) {
            continue;
        }
        match row.text("finding")? {
            "given_by_default" => {
                all.extend(Some(row.text("name")?).filter(|role| !grant::is_taken_later(view, role, made.on)))
            }
            "owner_lacks" => some.entry(row.text("name")?).or_default().push(Value::text(row.text("words")?)),
            _ => {}
        }
    }
    let one = |role: &str, privileges: Value| {
        let everybody = Value::Bool(role == role::PUBLIC);
        item(made.on, [("grantee", Value::text(role)), ("everybody", everybody), ("privileges", privileges)])
    };
    let had = read(weights, relation.oid)?;
    let all = all.into_iter().filter_map(|role| {
        let stays = |granted: &&Granted<'_>| granted.role == role && is_given_later(granted, made.on, view);
        let stays: Vec<&str> = had.iter().filter(stays).map(|granted| granted.privilege).collect();
        if stays.is_empty() {
            return Some(one(role, Value::Null));
        }
        let goes = grant::of_relation(view).filter(|privilege| !stays.contains(privilege));
        let goes: Vec<Value> = goes.map(Value::text).collect();
        (!goes.is_empty()).then(|| one(role, Value::List(goes)))
    });
    Ok(all.chain(some.into_iter().map(|(role, lacks)| one(role, Value::List(lacks)))).collect())
}

/// What is said of what is granted on one that goes or is made anew.
#[derive(Default)]
pub struct Said {
    /// What is given again and what is lost, in words.
    pub notes: Vec<String>,
    /// Each privilege that is lost.
    pub lost: Vec<String>,
    /// The roles that may not read it any more.
    pub readers: BTreeSet<String>,
    /// Those that may read it again.
    pub again: BTreeSet<String>,
}

/// What is to be said of it.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn notes(delta: &Delta, on: &QualifiedName, weights: &[Row], view: &View<'_>) -> Result<Said, RowError> {
    let Some(relation) = view.relations.get(on) else { return Ok(Said::default()) };
    let found = read(weights, relation.oid)?;
    let again = delta.desired.is_some();
    let columns = if again { super::columns(on, view) } else { BTreeSet::new() };
    let mut said = Said::default();
    let mut kept = Vec::new();
    for granted in &found {
        let reads = Some(granted.role.to_owned()).filter(|_| granted.privilege == "select");
        let whole = granted.column.is_none();
        let words = match granted.column {
            Some(column) => format!("{} ({column}) to {}", granted.privilege, granted.role),
            None => format!("{} to {}", granted.privilege, granted.role),
        };
        match () {
            () if again && whole && grant::gives(view, granted.role, granted.privilege, on) => {}
            () if again && is_given_later(granted, on, view) => {}
            () if again && comes_back(granted, &columns, view) => {
                said.again.extend(reads);
                kept.push(words);
            }
            () => {
                said.readers.extend(reads);
                said.lost.push(words);
            }
        }
    }
    if !kept.is_empty() {
        said.notes.push(format!("granted again, as somebody granted it: {}", kept.join(", ")));
    }
    if !said.lost.is_empty() {
        let why = if again { ", and no policy grants that again" } else { "" };
        said.notes.push(format!("with it goes what is granted on it: {}{why}", said.lost.join(", ")));
    }
    Ok(said)
}
