//! The table that says how a kind is created, altered and removed: which template, on which
//! servers, under which lock, with which hazards, inside a transaction or not.
//!
//! None of that is ever read out of SQL. It is declared here, next to the template's name.

use crate::core::{Edition, Hazard, LockMode, Server, Version};
use crate::diag::Code;

/// All of a kind's rules.
pub struct Rules {
    /// The steps that create it, in order.
    pub create: &'static [&'static StepRule],
    /// The steps that remove it, in order; none where nothing can.
    pub remove: &'static [&'static StepRule],
    /// The steps that replace it, where that is more than removing and creating.
    pub replace: Option<&'static [&'static StepRule]>,
    /// Every attribute, with how it is changed. An attribute that is not here does not exist.
    pub attributes: &'static [AttributeRule],
}

/// How one attribute is changed on a live resource.
pub struct AttributeRule {
    /// The attribute's name; one ending in `*` stands for every name with that beginning.
    pub name: &'static str,
    /// How.
    pub how: How,
}

/// The ways to change an attribute.
pub enum How {
    /// By a step. Attributes that share one are changed together, once.
    Alter(&'static StepRule),
    /// By several steps in order.
    AlterBy(&'static [&'static StepRule]),
    /// By making the resource anew.
    Replace,
    /// It says how the resource is created and nothing of what it then is: the server does not keep
    /// it, and `settle` drops it where the resource exists, so that it is never compared.
    OnlyAtCreation,
    /// Not at all.
    Refuse {
        /// The diagnostic's code.
        code: &'static Code,
        /// Why the server cannot.
        why: &'static str,
        /// What to do instead.
        help: &'static str,
    },
}

/// A statement, in as many variants as the servers need. The first whose needs are met is used;
/// where none is, the action is blocked and says so.
pub struct StepRule {
    /// The variants, most specific first.
    pub variants: &'static [Variant],
}

/// One form of a statement.
pub struct Variant {
    /// The servers and relations it works on.
    pub needs: Needs,
    /// The template's path under `templates/`. A template that renders to nothing makes no step.
    pub template: &'static str,
    /// The strongest lock it takes and on what; `None` where it takes none worth naming.
    pub lock: Option<(LockMode, LockOn)>,
    /// Whether it can run inside a transaction.
    pub transactional: bool,
    /// What it always endangers.
    pub hazards: &'static [Hazard],
}

/// What a lock is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockOn {
    /// The relation that the resource belongs to.
    Relation,
    /// Each chunk of it, one after another.
    EachChunk,
    /// The relation and all its chunks at once.
    RelationAndChunks,
    /// The relations that the resource reads, such as the hypertable of a continuous aggregate.
    WhatItReads,
    /// The relation that the resource belongs to, and those that it reads.
    RelationAndWhatItReads,
    /// The relation that the step's item is: see [`crate::kinds::Kind::repeated`].
    EachItem,
    /// The resource itself, such as an index.
    Object,
    /// What the step's item says, in its entry `locks`: see [`crate::kinds::Kind::items`].
    Item,
}

/// What sort of relation a variant is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// Any.
    Any,
    /// Only a hypertable, live or made by the same plan.
    Hypertable,
    /// Only a table (or nothing) that is no hypertable.
    Plain,
}

/// The conditions of a variant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Needs {
    /// PostgreSQL from this version on.
    pub postgres: Option<Version>,
    /// TimescaleDB from this version on.
    pub timescaledb: Option<Version>,
    /// TimescaleDB before this version.
    pub timescaledb_before: Option<Version>,
    /// The Community edition.
    pub community: bool,
    /// The sort of relation.
    pub target: Target,
    /// A condition of the kind's own, by the name that [`crate::kinds::Kind::holds`] knows: what only
    /// the case at hand can tell, such as the size of a table. The template finds the name of the
    /// condition that held in `variant`.
    pub when: Option<&'static str>,
}

impl Needs {
    /// Nothing in particular.
    pub const ANY: Self = Self {
        postgres: None,
        timescaledb: None,
        timescaledb_before: None,
        community: false,
        target: Target::Any,
        when: None,
    };

    /// Only where a condition of the kind's own holds.
    pub const fn when(condition: &'static str) -> Self {
        Self { when: Some(condition), ..Self::ANY }
    }

    /// TimescaleDB in any edition, from a version on.
    pub const fn timescaledb(version: Version) -> Self {
        Self { timescaledb: Some(version), ..Self::ANY }
    }

    /// TimescaleDB's Community edition, from a version on.
    pub const fn community(version: Version) -> Self {
        Self { timescaledb: Some(version), community: true, ..Self::ANY }
    }

    /// The same, for one sort of relation only.
    #[must_use]
    pub const fn on(self, target: Target) -> Self {
        Self { target, ..self }
    }

    /// The same, before a version of TimescaleDB.
    #[must_use]
    pub const fn before(self, version: Version) -> Self {
        Self { timescaledb_before: Some(version), ..self }
    }

    /// Whether a server and relation meet them, the kind's own condition aside.
    pub fn met(&self, server: &Server, is_hypertable: bool) -> bool {
        let at_least = |have: Option<Version>, need: Option<Version>| match (have, need) {
            (_, None) => true,
            (Some(have), Some(need)) => have >= need,
            (None, Some(_)) => false,
        };
        let before = match (server.timescale_version(), self.timescaledb_before) {
            (Some(have), Some(limit)) => have < limit,
            (_, None) => true,
            (None, Some(_)) => false,
        };
        let edition = !self.community
            || server.timescaledb.as_ref().is_some_and(|timescale| timescale.edition == Edition::Community);
        let target = match self.target {
            Target::Any => true,
            Target::Hypertable => is_hypertable,
            Target::Plain => !is_hypertable,
        };
        at_least(Some(server.version), self.postgres)
            && at_least(server.timescale_version(), self.timescaledb)
            && before
            && edition
            && target
    }
}

impl StepRule {
    /// The variant for a server, a relation and what holds of the case at hand.
    pub fn variant(
        &self,
        server: &Server,
        is_hypertable: bool,
        holds: &dyn Fn(&str) -> bool,
    ) -> Option<&'static Variant> {
        let met = |needs: &Needs| needs.met(server, is_hypertable) && needs.when.is_none_or(holds);
        self.variants.iter().find(|variant| met(&variant.needs))
    }
}

impl Rules {
    /// Whether nothing removes it once it is there, but what it is part of. One that a policy no
    /// longer mentions is then released: it stays as it is, and nobody manages it.
    pub const fn is_permanent(&self) -> bool {
        self.remove.is_empty()
    }

    /// The rule of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&'static AttributeRule> {
        self.attributes.iter().find(|rule| match rule.name.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => rule.name == name,
        })
    }

    /// Every step that any of the rules uses, each once.
    pub fn steps(&self) -> Vec<&'static StepRule> {
        let altered = self.attributes.iter().flat_map(|rule| match &rule.how {
            How::Alter(step) => std::slice::from_ref(step).iter().copied(),
            How::AlterBy(steps) => steps.iter().copied(),
            How::Replace | How::OnlyAtCreation | How::Refuse { .. } => [].iter().copied(),
        });
        let whole = self.create.iter().chain(self.remove).chain(self.replace.unwrap_or_default()).copied();
        let mut steps: Vec<&'static StepRule> = Vec::new();
        for step in whole.chain(altered) {
            if !steps.iter().any(|known| std::ptr::eq(*known, step)) {
                steps.push(step);
            }
        }
        steps
    }
}
