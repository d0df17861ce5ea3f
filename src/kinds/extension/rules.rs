//! How each attribute of an extension is changed.

use crate::core::LockMode;
use crate::kinds::{AttributeRule, How, LockOn, Needs, Rules, StepRule, Variant};

const fn step(template: &'static str, lock: Option<(LockMode, LockOn)>) -> Variant {
    Variant { needs: Needs::ANY, template, lock, transactional: true, hazards: &[] }
}

/// The worst case: what an extension's own script locks is not known, and all of its objects go or
/// move at once.
const WORST: Option<(LockMode, LockOn)> = Some((LockMode::AccessExclusive, LockOn::Object));

/// Without a schema of its own or in the policy, an extension goes where the search path says, and
/// a session here has none.
static SEARCH_PATH: StepRule = StepRule { variants: &[step("extension/search_path.sql", None)] };
static CREATE: StepRule = StepRule { variants: &[step("extension/create.sql", None)] };
static DROP: StepRule = StepRule { variants: &[step("extension/drop.sql", WORST)] };
static UPDATE: StepRule = StepRule { variants: &[step("extension/update.sql", WORST)] };
static SET_SCHEMA: StepRule = StepRule { variants: &[step("extension/set_schema.sql", WORST)] };

/// The whole table.
pub static RULES: Rules = Rules {
    create: &[&SEARCH_PATH, &CREATE],
    remove: &[&DROP],
    replace: None,
    attributes: &[
        AttributeRule { name: "version", how: How::Alter(&UPDATE) },
        AttributeRule { name: "schema", how: How::Alter(&SET_SCHEMA) },
        AttributeRule { name: "cascade", how: How::OnlyAtCreation },
    ],
};
