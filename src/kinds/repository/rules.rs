//! How what pgBackRest needs is made.

use crate::kinds::repository::{CONFIG, PLACE, SECRETS, STANZA};
use crate::kinds::{AttributeRule, How, Needs, Rules, StepRule, Variant};

/// What tells that the configuration is written.
pub const CONFIGURE_TEMPLATE: &str = "repository/configure.sql";

const fn variant(template: &'static str) -> Variant {
    Variant { needs: Needs::ANY, template, lock: None, transactional: false, hazards: &[] }
}

static CONFIGURE: StepRule = StepRule { variants: &[variant(CONFIGURE_TEMPLATE)] };
static CREATE: StepRule = StepRule { variants: &[variant("repository/stanza.sql")] };

/// The table.
pub static RULES: Rules = Rules {
    create: &[],
    remove: &[],
    replace: None,
    attributes: &[
        AttributeRule { name: PLACE, how: How::OnlyAtCreation },
        AttributeRule { name: SECRETS, how: How::OnlyAtCreation },
        AttributeRule { name: CONFIG, how: How::Alter(&CONFIGURE) },
        AttributeRule { name: STANZA, how: How::Alter(&CREATE) },
    ],
};
