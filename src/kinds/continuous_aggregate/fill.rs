//! Filling one: what is to be filled, and the mark that says so until it is done. Filling runs outside of a
//! transaction and may be cut off anywhere. So the transaction that makes an aggregate which is to be filled
//! leaves a comment on the hypertable of TimescaleDB's own that its rows are in, where no comment of
//! anybody's is in its way; dumps carry it along. The plan that finds it goes on with the filling.

use std::collections::{BTreeMap, BTreeSet};

use super::remake::{is_replaced, item};
use super::settle::goes_with_what_it_reads;
use super::weigh::{element, rows};
use super::{ID, query, rules, sources};
use crate::core::{Address, Delta, Desired, Ensure, KindId, Live, QualifiedName, Reason, Row, RowError, Value};
use crate::kinds::View;

/// The attribute of one whose fill was begun and not completed, which no policy writes.
pub const ATTRIBUTE: &str = "unfinished_fill";

/// What it then says.
pub const BEGUN: &str = "begun, and not completed";

/// The comment.
pub const MARK: &str = "chronoform: being filled from its beginning to its end; this comment goes once that is done";

/// Whether one is filled after it was made anew.
pub fn is_wanted(desired: &Desired) -> bool {
    desired.get("with_data") != Some(&Value::Bool(false))
}

/// Whether closing a delta leaves the whole of the aggregate to be filled: of one that was there before, what is
/// still there of its rows comes back, unless the policy says otherwise.
pub fn is_filled_after(delta: &Delta) -> bool {
    let Some(desired) = &delta.desired else { return false };
    let was_there = !delta.is_create() || matches!(delta.reason, Reason::Remade | Reason::Disappeared | Reason::Begun);
    let is_made = delta.is_create() || delta.change("query").is_some();
    is_made && (desired.get("with_data") == Some(&Value::Bool(true)) || (was_there && is_wanted(desired)))
}

/// Whether closing a delta fills it: there is, or will be, something to fill it from.
pub fn fills(delta: &Delta, view: &View<'_>) -> bool {
    is_filled_after(delta) && delta.desired.as_ref().is_some_and(|desired| held_back_by(desired, view).is_none())
}

/// The aggregate that one is made from, at any depth, that is left empty: nothing was ever filled into it, or the plan
/// makes it anew, and nothing is to fill it. To fill from it would fill in nothing and call that done.
pub fn held_back_by(desired: &Desired, view: &View<'_>) -> Option<QualifiedName> {
    let mut open: Vec<QualifiedName> = query(desired.get("query")).map(sources).unwrap_or_default();
    let mut seen: BTreeSet<QualifiedName> = BTreeSet::new();
    while let Some(source) = open.pop() {
        if !seen.insert(source.clone()) {
            continue;
        }
        let address = Address::in_schema(ID, &source);
        let live = view.live.get(&address);
        let Some(wanted) = view.desired.get(&address).filter(|wanted| wanted.ensure == Ensure::Present) else {
            continue;
        };
        let ours = query(wanted.get("query"));
        let holds_nothing = live.is_none_or(|live| live.fact("never_refreshed") == Some(&Value::Bool(true)));
        let goes = is_replaced(&source, view) || ours.is_some_and(|ours| goes_with_what_it_reads(ours, view));
        let is_emptied = !is_wanted(wanted) && (holds_nothing || goes);
        let comes = wanted.get("with_data").is_some() || goes || live.is_none_or(is_unfinished);
        if is_emptied || (holds_nothing && !comes) {
            return Some(source);
        }
        let ours = ours.or_else(|| live.and_then(|live| query(live.get("query"))));
        open.extend(ours.map(sources).unwrap_or_default());
    }
    None
}

/// Whether the plan fills an aggregate before anything else is done to it, so that what it holds now is not what
/// it holds then. `was_there` says whether one that is made has been there before.
pub fn is_filled_first(on: &QualifiedName, was_there: bool, view: &View<'_>) -> bool {
    let address = Address::in_schema(ID, on);
    let wanted = view.desired.get(&address).filter(|wanted| wanted.ensure == Ensure::Present);
    let Some(wanted) = wanted else { return false };
    let says = wanted.get("with_data") == Some(&Value::Bool(true));
    let is_made_anew = view.relations.get(on).is_some_and(|relation| relation.coming.is_some());
    let fills = match view.live.get(&address) {
        None => says || (was_there && is_wanted(wanted)),
        Some(_) if is_made_anew => is_wanted(wanted),
        Some(live) if is_unfinished(live) => is_wanted(wanted),
        Some(live) => says && live.get("with_data") == Some(&Value::Bool(false)),
    };
    fills && held_back_by(wanted, view).is_none()
}

/// Whether one that is there has a fill to be gone on with.
pub fn is_unfinished(live: &Live) -> bool {
    live.get(ATTRIBUTE).is_some()
}

/// What puts the mark on one, or takes it away.
pub fn mark(on: &QualifiedName, begins: bool) -> Value {
    let mark = if begins { Value::text(MARK) } else { Value::Null };
    item(on, [("schema", Value::text(&on.schema)), ("view", Value::text(&on.name)), ("mark", mark)])
}

/// What the steps of a template are made for: see [`crate::kinds::Kind::repeated`].
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn items(template: &str, delta: &Delta, weights: &[Row], view: &View<'_>) -> Result<Option<Vec<Value>>, RowError> {
    let Some(on) = &delta.on else { return Ok(None) };
    let goes_on = delta.change(ATTRIBUTE).is_some();
    Ok(Some(match template {
        rules::FILL_UNFINISHED => unfinished(weights_of(delta, "unfinished", weights, view)?),
        // What goes on with a fill fills all that is left.
        rules::FILL_A_REST if goes_on => Vec::new(),
        rules::FILL_A_REST => rests(delta, weights, view)?,
        rules::END_FILL if goes_on || fills(delta, view) => vec![mark(on, false)],
        rules::END_FILL => Vec::new(),
        _ => return Ok(None),
    }))
}

/// The XML of the finding about a delta's relation: `None` where that cannot be told.
///
/// # Errors
/// When the weights are not as the query gives them.
pub fn weights_of<'a>(
    delta: &Delta,
    finding: &str,
    weights: &'a [Row],
    view: &View<'_>,
) -> Result<Option<&'a str>, RowError> {
    let Some(relation) = delta.on.as_ref().and_then(|on| view.relations.get(on)) else { return Ok(None) };
    for row in weights {
        if row.text("finding")? == finding && row.maybe_int("oid")? == Some(i64::from(relation.oid)) {
            return row.maybe_text("xml");
        }
    }
    Ok(None)
}

fn range(from: Value, until: Value) -> Value {
    Value::Map(BTreeMap::from([("from".to_owned(), from), ("until".to_owned(), until)]))
}

/// Everything but where buckets are kept that chunks of are gone since they were filled: filled once more, they
/// would be lost, or made of what is left. Both ends of each range are ends of buckets, so that none is left out.
/// What is filled already costs nothing, for the server knows it.
fn unfinished(xml: Option<&str>) -> Vec<Value> {
    let Some(xml) = xml else { return Vec::new() };
    let mut ranges = Vec::new();
    let mut from = Some(Value::Null);
    for gap in rows(xml) {
        if let (Some(from), Some(begins)) = (from.take(), element(gap, "begins")) {
            ranges.push(range(from, Value::text(begins)));
        }
        from = element(gap, "ends").map(Value::text);
    }
    ranges.extend(from.map(|from| range(from, Value::Null)));
    ranges
}

/// The ranges that are still to be filled, one item each with its two ends: what is before the rows that the
/// aggregate keeps, and, where no refresh policy sees to it, what is after them. None of its rows is in these.
fn rests(delta: &Delta, weights: &[Row], view: &View<'_>) -> Result<Vec<Value>, RowError> {
    let Some(xml) = weights_of(delta, "kept", weights, view)? else { return Ok(Vec::new()) };
    let end = |name: &str| element(xml, name).map_or(Value::Null, Value::text);
    let mut ranges = vec![range(Value::Null, end("first"))];
    let refresh = KindId::new("refresh");
    let is_refreshed = view.live.values().any(|live| live.address.kind == refresh && live.on == delta.on)
        || view
            .desired
            .values()
            .any(|wanted| wanted.address.kind == refresh && wanted.on == delta.on && wanted.ensure == Ensure::Present);
    if element(xml, "after").is_some() && !is_refreshed {
        ranges.push(range(end("after"), Value::Null));
    }
    Ok(ranges)
}
