//! How privileges and memberships are given and taken. One template has all forms of the statement;
//! the name of the condition tells it which is meant, and what there is nothing of makes no step.

use crate::kinds::{AttributeRule, How, Needs, Rules, StepRule, Variant};

const fn form(condition: &'static str) -> Variant {
    Variant {
        needs: Needs::when(condition),
        template: "grant/privileges.sql",
        lock: None,
        transactional: true,
        hazards: &[],
    }
}

static REVOKE: StepRule = StepRule { variants: &[form("revoke")] };
static REVOKE_OPTION: StepRule = StepRule { variants: &[form("revoke_option")] };
static GRANT: StepRule = StepRule { variants: &[form("grant")] };
static GRANT_OPTION: StepRule = StepRule { variants: &[form("grant_option")] };
static MEMBER: StepRule = StepRule {
    variants: &[Variant {
        needs: Needs::ANY,
        template: "grant/member.sql",
        lock: None,
        transactional: true,
        hazards: &[],
    }],
};

/// Made once for each thing that default privileges gave something on, where the role goes.
pub const MADE_SINCE: &str = "grant/made_since.sql";
static REVOKE_MADE: StepRule = StepRule {
    variants: &[Variant { needs: Needs::ANY, template: MADE_SINCE, lock: None, transactional: true, hazards: &[] }],
};

/// Made once for each set of things that privileges are revoked on, where they stay on the others of a schema.
pub const BUT_SOME: &str = "grant/but_some.sql";
static REVOKE_BUT_SOME: StepRule = StepRule {
    variants: &[Variant { needs: Needs::ANY, template: BUT_SOME, lock: None, transactional: true, hazards: &[] }],
};

static ALL: &[&StepRule] = &[&REVOKE_BUT_SOME, &REVOKE, &REVOKE_OPTION, &GRANT, &GRANT_OPTION, &MEMBER, &REVOKE_MADE];

/// The whole table.
pub static RULES: Rules = Rules {
    create: ALL,
    remove: ALL,
    replace: None,
    attributes: &[AttributeRule { name: "*", how: How::AlterBy(ALL) }],
};
