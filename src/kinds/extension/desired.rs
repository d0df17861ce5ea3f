//! The `extension` document.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::core::{Address, Desired, Ensure, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;

/// An extension that the database must, or must not, have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Whether the extension must be there. `absent` drops it, never with CASCADE: it is an error
    /// where anything depends on it.
    #[serde(default)]
    pub ensure: Ensure,
    /// The schema that holds its objects. Without it, at creation the one that the extension itself
    /// asks for or else `public`, and then whatever it is. Changed in place where the extension can
    /// be relocated.
    #[schemars(example = &"public")]
    pub schema: Option<String>,
    /// The version to keep it at. Without it, the server's default at creation, and then whatever
    /// it is. Changed in place where the extension has an update path.
    #[schemars(example = &"1.8")]
    pub version: Option<String>,
    /// Whether extensions that it requires are created with it. Afterwards it is not compared.
    pub cascade: Option<bool>,
}

/// The keys of [`Extension`] itself; the rest of the document is its head.
const KEYS: [&str; 4] = ["ensure", "schema", "version", "cascade"];

/// The resource of a document.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let own = input.own(&KEYS);
    let section = SectionInput { value: &own, ..*input };
    let Some(raw) = section.read::<Extension>(sink) else { return Vec::new() };
    let Some(name) = input.identifier(&input.head.name, "/name", sink) else { return Vec::new() };
    let mut desired = input.desired(Address::global(super::ID, name), None);
    desired.ensure = raw.ensure;
    if raw.ensure == Ensure::Absent {
        return vec![desired];
    }
    if let Some(schema) = &raw.schema
        && let Some(schema) = input.identifier(schema, "/schema", sink)
    {
        input.set(&mut desired, "schema", "/schema", Value::text(schema));
    }
    if let Some(version) = &raw.version {
        if version.trim().is_empty() || version.contains('\0') {
            let error =
                Diagnostic::error(&code::WRONG_VALUE, "the version is empty, or no text").at(input.place("/version"));
            sink.push(error.help("write a version, such as `version: \"1.8\"`, or leave the key out"));
        } else {
            input.set(&mut desired, "version", "/version", Value::text(version.as_str()));
        }
    }
    if let Some(cascade) = raw.cascade {
        input.set(&mut desired, "cascade", "/cascade", cascade);
    }
    vec![desired]
}
