//! What the policies grant to a role, or of one, that they have go.

use std::collections::BTreeMap;

use super::settle::only_revokes;
use super::target::Target;
use crate::core::{Address, Desired, Place, Value};
use crate::diag::Diagnostic;
use crate::kinds::role;

/// Each grant that needs a role whose document says `ensure: absent`.
pub fn check(own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    for desired in own.iter().filter(|desired| !only_revokes(desired)) {
        let (Some(grantee), Some(target)) = (desired.address.schema.as_deref(), Target::read(&desired.address.name))
        else {
            continue;
        };
        if let Some(goes) = role::to_go(all, grantee) {
            let what = match &target {
                Target::Role(of) => format!("\"{grantee}\" is to be a member of \"{of}\", and to go"),
                target => format!("\"{grantee}\" is to be granted something on {}, and to go", target.name()),
            };
            sink.push(role::cannot_go(what, written(desired), goes));
            continue;
        }
        let (needed, what) = match &target {
            Target::Role(of) => (of, format!("\"{grantee}\" is to be a member of \"{of}\", which is to go")),
            Target::Later { by, what, .. } => {
                (by, format!("\"{grantee}\" is to be granted something on later {what} of \"{by}\", which is to go"))
            }
            _ => continue,
        };
        if let Some(goes) = role::to_go(all, needed) {
            sink.push(role::cannot_go(what, written(desired), goes));
        }
    }
}

/// Where it is written what is granted.
fn written(desired: &Desired) -> &Place {
    let given = desired.attributes.iter().find(|(_, value)| **value != Value::Null);
    given.map_or(&desired.place, |(name, _)| desired.place_of(name))
}
