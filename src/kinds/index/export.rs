//! A live index as its item.

use serde_json::Value as Json;

use crate::core::{Live, Value};
use crate::kinds::index::observe::{MISSING_ON_CHUNKS, PARAMETERS, as_key};
use crate::kinds::index::{names, on_chunks};
use crate::kinds::{Entries, Export, View, key, reloption};

const STORAGE: &str = "storage.";

/// See [`crate::kinds::Kind::export`].
pub fn export(live: &Live, view: &View<'_>) -> Export {
    let name = &live.address.name;
    if live.get("valid") == Some(&Value::Bool(false)) {
        return Export::LeftOut(format!("the index `{name}` is not valid: its build never ended"));
    }
    let missing = live.get(MISSING_ON_CHUNKS);
    let missing = missing.map(|missing| format!("the index `{name}` is missing, or not valid, on {missing} chunks"));
    if let Some(missing) = missing.as_ref().filter(|_| on_chunks::heals(live, view)) {
        return Export::LeftOut(format!("{missing}; in a policy, the next plan would build it there"));
    }
    if names::is_reserved(name) {
        let message = format!("the index `{name}` has a name that Chronoform uses while it replaces an index");
        return Export::LeftOut(message);
    }
    let keys = live.get("columns").map(Value::as_list).unwrap_or_default();
    let keys: Vec<Json> = keys.iter().filter_map(as_key).map(key::written).collect();
    let include = live.get("include").filter(|include| !include.as_list().is_empty());
    let method = live.get("method").and_then(Value::as_text).filter(|method| *method != "btree");
    let on = |attribute: &str| (live.get(attribute) == Some(&Value::Bool(true))).then_some(true);
    let own_tablespace = live.fact("own_tablespace") == Some(&Value::Bool(true));
    let entries = Entries::default()
        .with("name", name.as_str())
        .with("columns", keys)
        .with_some("include", include.map(Value::to_json))
        .with_attribute(live, "where")
        .with_some("method", method)
        .with_some("unique", on("unique"))
        .with_some("nulls_not_distinct", on("nulls_not_distinct"))
        .with_some("storage", storage(live));
    let entries = if own_tablespace { entries.with_attribute(live, "tablespace") } else { entries };
    let export = Export::section(live, view, "indexes", entries);
    let parameters = live.fact(PARAMETERS).and_then(Value::as_text);
    let parameters =
        parameters.map(|told| format!("the operator classes of the index `{name}` have parameters: {told}"));
    export.but(missing).but(parameters)
}

fn storage(live: &Live) -> Option<Json> {
    let parameters = live.attributes.iter().filter_map(|(name, value)| Some((name.strip_prefix(STORAGE)?, value)));
    let entries =
        parameters.fold(Entries::default(), |entries, (name, value)| entries.with(name, reloption::written(value)));
    (!entries.is_empty()).then(|| entries.into_json())
}
