//! How a role and each of its attributes is changed.

use crate::kinds::{AttributeRule, How, Needs, Rules, StepRule, Variant};

const fn step(template: &'static str) -> Variant {
    Variant { needs: Needs::ANY, template, lock: None, transactional: true, hazards: &[] }
}

static CREATE: StepRule = StepRule { variants: &[step("role/create.sql")] };
static ALTER: StepRule = StepRule { variants: &[step("role/alter.sql")] };
static COMMENT: StepRule = StepRule { variants: &[step("role/comment.sql")] };
static DROP: StepRule = StepRule { variants: &[step("role/drop.sql")] };

/// The whole table.
pub static RULES: Rules = Rules {
    create: &[&CREATE, &COMMENT],
    remove: &[&DROP],
    replace: None,
    attributes: &[
        AttributeRule { name: "login", how: How::Alter(&ALTER) },
        AttributeRule { name: "superuser", how: How::Alter(&ALTER) },
        AttributeRule { name: "createdb", how: How::Alter(&ALTER) },
        AttributeRule { name: "createrole", how: How::Alter(&ALTER) },
        AttributeRule { name: "inherit", how: How::Alter(&ALTER) },
        AttributeRule { name: "replication", how: How::Alter(&ALTER) },
        AttributeRule { name: "bypassrls", how: How::Alter(&ALTER) },
        AttributeRule { name: "connection_limit", how: How::Alter(&ALTER) },
        AttributeRule { name: "valid_until", how: How::Alter(&ALTER) },
        AttributeRule { name: "comment", how: How::Alter(&COMMENT) },
    ],
};
