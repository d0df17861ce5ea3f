//! What one transaction makes: the aggregate itself and, where it is made anew, those that read it and
//! went with it, each with its owner, its privileges and its comments, and each empty. So there is no
//! moment at which one of them is gone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{ID, below, comments, export, fill, grants, is_made_again, query, rules, settle};
use crate::core::{Address, Delta, Desired, Ensure, Live, QualifiedName, Reason, Row, RowError, SqlText, Value};
use crate::kinds::{Canon, Stored, View};

/// One that is made, or has something of it changed.
pub struct Made<'a> {
    /// Its name.
    pub on: &'a QualifiedName,
    /// As it is wanted.
    pub desired: Cow<'a, Desired>,
    /// As it is, where it is made anew.
    pub live: Option<&'a Live>,
    /// Whether it is to be filled, now or once there is something to fill it from.
    pub is_due: bool,
    /// Whether it is filled afterwards.
    pub fills: bool,
}

/// What closing a delta makes, each after what it reads. Nothing where another delta has made it.
pub fn made<'a>(delta: &'a Delta, view: &'a View<'_>) -> Vec<Made<'a>> {
    let (Some(on), Some(desired)) = (&delta.on, &delta.desired) else { return Vec::new() };
    if is_made_along(delta, view) {
        return Vec::new();
    }
    let own = Made {
        on,
        desired: Cow::Borrowed(desired),
        live: view.live.get(&delta.address),
        is_due: fill::is_filled_after(delta),
        fills: fill::fills(delta, view),
    };
    let readers = if delta.change("query").is_some() && !delta.is_create() { along(on, view) } else { Vec::new() };
    std::iter::once(own).chain(readers).collect()
}

/// Whether the transaction that makes anew what it reads makes it too.
pub fn is_made_along(delta: &Delta, view: &View<'_>) -> bool {
    delta.reason == Reason::Remade && delta.on.as_ref().is_some_and(|on| goes_along(on, view))
}

/// The aggregates that are made again with one that is made anew, each after what it reads.
pub fn along<'a>(of: &'a QualifiedName, view: &'a View<'_>) -> Vec<Made<'a>> {
    let one = |live: &'a Live| {
        let on = live.on.as_ref()?;
        let wanted = view.desired.get(&live.address).filter(|_| goes_along(on, view))?;
        // As the plan and the gate have it, whoever of them asks.
        let desired = settle::settle(wanted, view, &mut Vec::new())?;
        let is_due = fill::is_wanted(&desired);
        let fills = is_due && fill::held_back_by(&desired, view).is_none();
        Some(Made { on, desired: Cow::Owned(desired), live: Some(live), is_due, fills })
    };
    below(of, view).into_iter().filter_map(one).collect()
}

/// Whether one that reads another can be made by the transaction that makes anew the first of those that it
/// is made from: on the way there, none is to read something that the plan may yet have to make.
fn goes_along(on: &QualifiedName, view: &View<'_>) -> bool {
    let mut above: Vec<&QualifiedName> = Vec::new();
    let mut next = parent(on, view);
    while let Some(name) = next.filter(|name| !above.contains(name)) {
        above.push(name);
        next = parent(name, view);
    }
    let Some(first) = above.iter().rposition(|name| is_replaced(name, view)) else { return false };
    let between = above.iter().take(first).copied();
    std::iter::once(on)
        .chain(between)
        .all(|name| is_made_again(&Address::in_schema(ID, name), view) && is_local(name, view))
}

/// Whether it is to read the aggregate that it reads now, and beside that only tables that are there.
fn is_local(on: &QualifiedName, view: &View<'_>) -> bool {
    let wanted = view.desired.get(&Address::in_schema(ID, on)).and_then(|wanted| query(wanted.get("query")));
    let Some(sources) = wanted.map(super::sources) else { return false };
    let parent = parent(on, view);
    let is_there =
        |source: &QualifiedName| view.relations.get(source).is_some_and(|relation| relation.stored == Stored::Itself);
    sources.iter().any(|source| Some(source) == parent)
        && sources.iter().all(|source| Some(source) == parent || is_there(source))
}

/// The aggregate that a live one reads.
fn parent<'a>(on: &QualifiedName, view: &'a View<'_>) -> Option<&'a QualifiedName> {
    match view.live.get(&Address::in_schema(ID, on))?.fact("parent") {
        Some(Value::Name(parent)) => Some(parent),
        _ => None,
    }
}

/// The live aggregates that a live one is made from, the nearest first.
pub fn above<'a>(on: &'a QualifiedName, view: &'a View<'_>) -> Vec<&'a QualifiedName> {
    std::iter::successors(parent(on, view), |above| parent(above, view)).collect()
}

/// Whether a live aggregate is to have another query, as the server reads them.
pub fn is_replaced(on: &QualifiedName, view: &View<'_>) -> bool {
    let address = Address::in_schema(ID, on);
    let wanted = view.desired.get(&address).filter(|wanted| wanted.ensure == Ensure::Present);
    wanted.zip(view.live.get(&address)).is_some_and(|(wanted, live)| is_changed(wanted, live, view.canon))
}

/// Whether a query is another than the live one, as the server reads both.
pub fn is_changed(desired: &Desired, live: &Live, canon: &Canon) -> bool {
    let (Some(on), Some(wanted), Some(live)) = (&desired.on, query(desired.get("query")), query(live.get("query")))
    else {
        return false;
    };
    let form = |query: &SqlText| canon.get(&(on.clone(), query.clone())).and_then(|form| form.as_ref().ok());
    wanted != live && (form(wanted).is_none() || form(wanted) != form(live))
}

/// What the steps of a template are made for: see [`crate::kinds::Kind::repeated`].
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn items(template: &str, delta: &Delta, weights: &[Row], view: &View<'_>) -> Result<Option<Vec<Value>>, RowError> {
    let all = made(delta, view);
    let own = || all.iter().filter(|made| Some(made.on) == delta.on.as_ref());
    let items = match template {
        rules::CREATE => own().map(|made| creation(made, view)).collect(),
        rules::CREATE_READER => all.iter().skip(1).map(|made| creation(made, view)).collect(),
        rules::OWNER => all.iter().filter_map(|made| owner(made, view)).collect(),
        rules::REVOKE_DEFAULT => each(&all, |made| grants::revoked(made, weights, view))?,
        rules::GRANT_AGAIN => each(&all, |made| grants::again(made, weights, view))?,
        rules::COMMENT_AGAIN => each(&all, |made| comments::again(made, weights, view))?,
        rules::CHUNK_INTERVAL => all.iter().filter_map(|made| chunk_interval(made, view)).collect(),
        rules::BEGIN_FILL => all.iter().filter(|made| made.is_due).map(|made| fill::mark(made.on, true)).collect(),
        _ => return Ok(None),
    };
    Ok(Some(items))
}

fn each(all: &[Made<'_>], items: impl Fn(&Made<'_>) -> Result<Vec<Value>, RowError>) -> Result<Vec<Value>, RowError> {
    let mut found = Vec::new();
    for made in all {
        found.extend(items(made)?);
    }
    Ok(found)
}

/// An item with a relation and whatever else a template needs.
pub fn item<const N: usize>(on: &QualifiedName, more: [(&str, Value); N]) -> Value {
    let more = more.into_iter().map(|(name, value)| (name.to_owned(), value));
    Value::Map(std::iter::once(("table".to_owned(), Value::Name(on.clone()))).chain(more).collect::<BTreeMap<_, _>>())
}

/// What somebody set by hand, and no policy speaks of, it has again.
fn creation(made: &Made<'_>, view: &View<'_>) -> Value {
    let wanted = |name: &str| made.desired.get(name).cloned();
    let realtime = made.live.and_then(|live| live.get("materialized_only")).filter(|only| **only == Value::Bool(false));
    let without = made.live.is_some_and(|live| export::has_no_group_index(live, view));
    item(
        made.on,
        [
            ("query", wanted("query").unwrap_or(Value::Null)),
            ("materialized_only", wanted("materialized_only").or_else(|| realtime.cloned()).unwrap_or(Value::Null)),
            (
                "create_group_indexes",
                wanted("create_group_indexes").or_else(|| without.then(|| false.into())).unwrap_or(Value::Null),
            ),
        ],
    )
}

/// Whom it belonged to, where that is somebody else than who makes it. Of one that was not there, nobody.
fn owner(made: &Made<'_>, view: &View<'_>) -> Option<Value> {
    let owner = view.relations.get(made.on).map(|relation| relation.owner.as_str())?;
    let other = !owner.is_empty() && owner != view.server.user;
    other.then(|| item(made.on, [("owner", Value::text(owner))]))
}

fn chunk_interval(made: &Made<'_>, view: &View<'_>) -> Option<Value> {
    let by_hand = made.live.filter(|live| !export::is_default_interval(live, view));
    let interval = made.desired.get("chunk_interval").or_else(|| by_hand?.get("chunk_interval"))?;
    Some(item(made.on, [("chunk_interval", interval.clone())]))
}
