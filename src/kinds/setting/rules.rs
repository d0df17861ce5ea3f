//! How a setting is made, changed and taken away at each level.

use crate::kinds::setting::BOUND;
use crate::kinds::{AttributeRule, How, Needs, Rules, StepRule, Variant};

const fn variant(needs: Needs, template: &'static str, transactional: bool) -> Variant {
    Variant { needs, template, lock: None, transactional, hazards: &[] }
}

/// The conditions that [`crate::kinds::Kind::holds`] knows.
pub const SERVER: &str = "server";
pub const DATABASE: &str = "database";

/// ALTER SYSTEM writes a file, and is refused in a transaction.
static SET: StepRule = StepRule {
    variants: &[
        variant(Needs::when(SERVER), "setting/server.sql", false),
        variant(Needs::when(DATABASE), "setting/database.sql", true),
        variant(Needs::ANY, "setting/role.sql", true),
    ],
};

/// Has the server read its files again: nothing to do at the other levels.
static RELOAD: StepRule = StepRule { variants: &[variant(Needs::ANY, "setting/reload.sql", false)] };

/// The whole table.
pub static RULES: Rules = Rules {
    create: &[&SET, &RELOAD],
    remove: &[&SET, &RELOAD],
    replace: None,
    attributes: &[
        AttributeRule { name: "value", how: How::AlterBy(&[&SET, &RELOAD]) },
        AttributeRule { name: BOUND, how: How::OnlyAtCreation },
        AttributeRule { name: "reload_pending", how: How::Alter(&RELOAD) },
    ],
};
