//! A live extension as its document.

use crate::core::{Live, Value};
use crate::kinds::{Entries, Export};

/// See [`crate::kinds::Kind::export`].
pub fn export(live: &Live) -> Export {
    let differs = |attribute: &str, from: Option<&str>| {
        live.get(attribute).and_then(Value::as_text).filter(|value| from.is_some_and(|from| *value != from))
    };
    // Without a word it goes into `public`, and at the version that the server's files call the default.
    let default = live.fact("default_version").and_then(Value::as_text);
    let entries = Entries::default()
        .with_some("schema", differs("schema", Some("public")))
        .with_some("version", differs("version", default));
    Export::document("extension", &live.address.name, entries)
}
