//! What the statements of a grant do about each privilege.

use std::collections::{BTreeMap, BTreeSet};

use super::target::Target;
use super::{EXCLUSIVE, GRANTED, WITH_OPTION, parts, settle};
use crate::core::{Change, Delta, Reason, Value};
use crate::kinds::View;

/// What is done about a privilege.
pub fn forms(change: &Change) -> &'static [&'static str] {
    let before = change.before.as_ref().and_then(Value::as_text).unwrap_or_default();
    match change.after.as_ref().and_then(Value::as_text) {
        _ if change.attribute == EXCLUSIVE => &[],
        None => &["revoke"],
        Some(WITH_OPTION) => &["grant_option"],
        Some(_) if before == WITH_OPTION => &["revoke_option"],
        Some(_) if before.starts_with(GRANTED) => &["revoke_option"],
        // Some of the objects have it with the option, others not at all.
        Some(_) if before.ends_with(WITH_OPTION) => &["revoke_option", "grant"],
        Some(_) => &["grant"],
    }
}

/// The privileges by what is done about them. What is revoked on all of a schema but some is not among them.
pub fn lists(delta: &Delta, view: &View<'_>) -> Value {
    let forms_of = ["revoke", "revoke_option", "grant", "grant_option"];
    let mut lists: BTreeMap<&str, BTreeSet<&str>> = forms_of.map(|form| (form, BTreeSet::new())).into();
    let mut add = |form: &'static str, privilege| lists.entry(form).or_default().insert(privilege);
    for change in &delta.changes {
        let is_whole = parts::kept_on(delta, &change.attribute).is_empty();
        for form in forms(change).iter().copied().filter(|form| is_whole || parts::gives(form)) {
            add(form, change.attribute.as_str());
        }
    }
    let is_new = delta.is_create() && delta.reason != Reason::Remade;
    let has_new = match Target::read(&delta.address.name) {
        Some(Target::TablesIn(schema)) => settle::made_in(&schema, view).next().is_some(),
        _ => false,
    };
    for (privilege, how) in delta.desired.iter().flat_map(|desired| &desired.attributes) {
        match how.as_text() {
            // Default privileges give it on what is new.
            None if is_new && *how == Value::Null => _ = add("revoke", privilege.as_str()),
            // What the same plan makes in a schema has nothing yet of what is granted on all of that.
            Some(WITH_OPTION) if has_new => _ = add("grant_option", privilege.as_str()),
            Some(_) if has_new => _ = add("grant", privilege.as_str()),
            _ => {}
        }
    }
    let each = |(form, list): (&str, BTreeSet<&str>)| (form.to_owned(), Value::texts(list));
    Value::Map(lists.into_iter().map(each).collect())
}
