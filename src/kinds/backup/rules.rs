//! How work that is due is done.

use crate::kinds::backup::{
    ENGINE, EVERY, FULL, INCREMENTAL, KEEP_FULL, KEEP_WAL, MAX_LAG, PATH, PROGRAM, PROGRAMS, RPO, RTO, STANZA, STATE,
    WAL, WINDOW,
};
use crate::kinds::{AttributeRule, How, Needs, Rules, StepRule, Variant};

static WORK: StepRule = StepRule {
    variants: &[Variant {
        needs: Needs::ANY,
        template: "backup/work.sql",
        lock: None,
        transactional: false,
        hazards: &[],
    }],
};

const fn said(name: &'static str) -> AttributeRule {
    AttributeRule { name, how: How::OnlyAtCreation }
}

/// The table.
pub static RULES: Rules = Rules {
    create: &[],
    remove: &[],
    replace: None,
    attributes: &[
        said(ENGINE),
        said(PATH),
        said(STANZA),
        said(PROGRAM),
        said(PROGRAMS),
        said(FULL),
        said(INCREMENTAL),
        said(WAL),
        said(MAX_LAG),
        said(EVERY),
        said(KEEP_FULL),
        said(KEEP_WAL),
        said(RPO),
        said(RTO),
        said(WINDOW),
        AttributeRule { name: STATE, how: How::Alter(&WORK) },
    ],
};
