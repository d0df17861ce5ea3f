//! The `storage` section: parameter by parameter.

use schemars::{Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::json;

use crate::core::{Address, Desired, Ensure, Value};
use crate::diag::source::segment;
use crate::diag::{Diagnostic, code};
use crate::kinds::SectionInput;
use crate::kinds::index::unknown_parameter;
use crate::kinds::reloption::{self, Owner, WrittenMap};
use crate::kinds::storage::{ID, TOAST, known};

/// The table's storage parameters by name; those of its TOAST table begin with `toast.`.
#[derive(Clone, Debug, Deserialize)]
struct Storage {
    #[serde(default)]
    ensure: Ensure,
    #[serde(flatten)]
    parameters: WrittenMap,
}

/// The section's schema: every parameter known, and whatever else the server may know.
pub fn schema(generator: &mut SchemaGenerator) -> Schema {
    let own = reloption::all_of(|owner| owner == "table").map(|it| (it.name.to_owned(), it));
    let toast = reloption::all_of(|owner| owner == "toast").map(|it| (format!("{TOAST}{}", it.name), it));
    let mut schema = reloption::schema(own.chain(toast));
    if let Some(schema) = schema.as_object_mut() {
        let about = "The table's storage parameters, and with `toast.` before them those of its TOAST table. Only those \
                     that are written are managed; null goes back to the server's default, and so does one that was \
                     applied and is taken out of the policy again.";
        schema.insert("description".to_owned(), json!(about));
        schema.insert("examples".to_owned(), json!([{ "autovacuum_vacuum_scale_factor": 0.02, "fillfactor": 90 }]));
    }
    if let Some(properties) = schema.pointer_mut("/properties").and_then(serde_json::Value::as_object_mut) {
        let mut ensure = generator.subschema_for::<Ensure>().to_value();
        if let Some(ensure) = ensure.as_object_mut() {
            let about = "With `absent`, the table must have no storage parameter at all.";
            ensure.insert("description".to_owned(), json!(about));
            ensure.insert("default".to_owned(), json!("present"));
        }
        properties.insert("ensure".to_owned(), ensure);
    }
    Schema::try_from(schema).unwrap_or_default()
}

/// The resource of a section.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let Some(raw) = input.read::<Storage>(sink) else { return Vec::new() };
    let on = input.head.relation.clone();
    let mut desired = input.desired(Address::in_schema(ID, &on), Some(on));
    desired.ensure = raw.ensure;
    if raw.ensure == Ensure::Absent {
        return vec![desired];
    }
    let errors = sink.len();
    for (name, written) in &raw.parameters {
        let below = segment(name);
        if !check_name(name, &below, input, sink) {
            continue;
        }
        match written.as_ref().map_or(Ok(Value::Null), |written| written.read(known(name))) {
            Ok(value) => input.set(&mut desired, name, &below, value),
            Err(takes) => sink
                .push(Diagnostic::error(&code::WRONG_VALUE, format!("`{name}` takes {takes}")).at(input.place(&below))),
        }
    }
    if sink.iter().skip(errors).any(Diagnostic::is_error) { Vec::new() } else { vec![desired] }
}

/// Whether it may be a parameter's name; one that nobody knows is let through with a warning.
fn check_name(name: &str, below: &str, input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> bool {
    let (owner, bare, of) = match name.strip_prefix(TOAST) {
        Some(bare) => (Owner::Toast, bare, "a TOAST table"),
        None => (Owner::Table, name, "a table"),
    };
    if input.identifier(bare, below, sink).is_none() {
        return false;
    }
    if let Some((namespace, _)) = bare.split_once('.') {
        let error =
            Diagnostic::error(&code::UNKNOWN_KEY, format!("`{namespace}` is no namespace of storage parameters"))
                .at(input.key_place(below));
        sink.push(match namespace {
            "timescaledb" | "tsdb" => error
                .why("TimescaleDB's own settings are no storage parameters, though they are written alike in SQL")
                .help("use the sections `hypertable` and `columnstore`"),
            _ => error.help("PostgreSQL knows `toast.` only"),
        });
        return false;
    }
    if known(name).is_none() {
        sink.push(unknown_parameter(bare, owner, of).at(input.key_place(below)));
    }
    true
}
