//! A live role as its document, with what a new role would not have.

use crate::core::{Live, Value};
use crate::kinds::role::FLAGS;
use crate::kinds::{Entries, Export};

/// See [`crate::kinds::Kind::export`]. Nothing tells whether there is a password, and none is written.
pub fn export(live: &Live) -> Export {
    let mut entries = Entries::default();
    for flag in FLAGS {
        // CREATE ROLE: all of them are off without a word, but this one.
        let value = live.get(flag).and_then(Value::as_bool).filter(|value| *value != (flag == "inherit"));
        entries = entries.with_some(flag, value);
    }
    let limit = live.get("connection_limit").and_then(Value::as_int).filter(|limit| *limit != -1);
    let entries = entries.with_some("connection_limit", limit);
    let entries = entries.with_attribute(live, "valid_until").with_attribute(live, "comment");
    let name = &live.address.name;
    Export::document("role", name, entries).in_file(&file(name))
}

/// What the file is called that has everything about a role.
pub fn file(role: &str) -> String {
    format!("role-{role}")
}
