//! The way from policies and a session to a plan, as `plan`, `apply` and `drift` share it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use serde_json::Value as Json;

use crate::core::{
    Address, Applied, Delta, Desired, Hazard, KindId, Live, Operation, Place, QualifiedName, Server, Whence, stack,
};
use crate::diag::{Diagnostic, Failure, has_errors};
use crate::diff::{self, Sides, Status};
use crate::guard;
use crate::kinds::{self, View};
use crate::ledger::ArchivedRecord;
use crate::load::Policies;
use crate::ops::{self, Forced};
use crate::pg::Session;
use crate::plan::moves::{Now, follow, recorded};
use crate::plan::{self, Plan, Purpose};
use crate::render::Renderer;
use crate::snapshot::{self, Names};

/// A plan, and the server that it was made on.
pub struct Made {
    /// The plan.
    pub plan: Plan,
    /// The server.
    pub server: Server,
    /// Whether every resource could be compared: no error was said before the plan was built. What
    /// is said after that is about closing the differences, which are known.
    pub compared: bool,
}

/// A server with an open snapshot, and what the ledger remembers of its database.
pub struct Opened {
    /// The server.
    pub server: Server,
    /// What was applied last.
    pub applied: BTreeMap<Address, Applied>,
}

impl Opened {
    /// Opens the snapshot that a plan is made in.
    ///
    /// # Errors
    /// As [`snapshot::open`], and those of `remember`.
    pub fn new(
        session: &mut Session,
        remember: impl FnOnce(&Server) -> Result<BTreeMap<Address, Applied>, Failure>,
    ) -> Result<Self, Failure> {
        let server = snapshot::open(session)?;
        let applied = remember(&server)?;
        Ok(Self { server, applied })
    }
}

/// What a plan is for.
#[derive(Clone, Copy)]
pub struct Aim<'a> {
    /// Definitions, or some operations.
    pub purpose: &'a Purpose,
    /// Work that is to be done although it is not due.
    pub forced: Option<&'a Forced>,
    /// The hazards that are allowed: an operation leaves work that needs another to a run that allows it.
    pub allowed: &'a [Hazard],
    /// What the ledger knows to be in archives.
    pub archived: &'a [ArchivedRecord],
}

impl Aim<'static> {
    /// The plans of `plan`, `apply` and `drift`.
    pub const APPLY: Self = Self { purpose: &Purpose::Apply, forced: None, allowed: &[], archived: &[] };
}

/// Makes the plan: snapshot, settle, compare, weigh, build. Diagnostics about single resources are
/// left in `sink`, and `whole` says that these are all of the project's policies; a resource that has an error is in the plan as blocked, or not at all.
///
/// # Errors
/// What makes any plan impossible.
pub fn make(
    aim: &Aim<'_>,
    policies: &Policies,
    session: &mut Session,
    opened: Opened,
    whole: bool,
    sink: &mut Vec<Diagnostic>,
) -> Result<Made, Failure> {
    let Opened { server, applied } = opened;
    let Aim { purpose, forced, allowed, archived } = *aim;
    let mut outside = ops::Outsider::new(purpose, forced, allowed.contains(&Hazard::DeletesData), archived);
    let sides = (&policies.desired, &applied);
    let live = snapshot::take(session, server, &names(policies, &applied), sides, &mut outside)?;
    let now = Now { desired: &policies.desired, live: &live.live, relations: &live.relations };
    let (applied, moved) = follow(applied, &policies.moved(), &now);
    let view = live.view(&policies.desired);
    for document in &policies.documents {
        let relation = document.relation.as_ref();
        sink.extend(relation.and_then(|name| kinds::misdescribed(name, document.kind, &document.place, &view)));
    }
    if *purpose == Purpose::Apply || purpose.operations().contains(&Operation::Backup) {
        sink.extend(ops::backup::piles_up(session, &policies.desired)?);
    }
    let desired = kinds::settle(&view, sink);

    let named: BTreeSet<Address> = policies.desired.keys().cloned().collect();
    let documents: BTreeMap<QualifiedName, Place> =
        policies.documents.iter().filter_map(|d| Some((d.relation.clone()?, d.place.clone()))).collect();
    let managed: BTreeSet<QualifiedName> = documents.keys().cloned().collect();
    let containers = kinds::containers(&policies.desired);
    let forgets = |id: &KindId, attribute: &str| kinds::by_id(id).is_some_and(|kind| kind.forgets(attribute));
    let means_same = |desired: &Desired, attribute: &str, applied: &Json| {
        kinds::by_id(&desired.address.kind)
            .is_some_and(|kind| kind.means_same(desired, attribute, applied, &live.canon))
    };
    let takes_along = |delta: &Delta| kinds::by_id(&delta.address.kind).is_some_and(|kind| kind.takes_along(delta));
    let goes_with = |desired: &Desired, live: &Live, gone: &BTreeSet<QualifiedName>| {
        kinds::by_id(&desired.address.kind).is_some_and(|kind| kind.goes_with(desired, live, gone))
    };
    let left_of = |live: &Live, gone: &BTreeSet<QualifiedName>| kinds::by_id(&live.address.kind)?.left_of(live, gone);
    let makes = |delta: &Delta| {
        let kind = kinds::by_id(&delta.address.kind);
        kind.zip(delta.desired.as_ref()).is_some_and(|(kind, desired)| kind.makes(desired).is_some())
    };
    let joined_by = |live: &Live, new: &BTreeSet<QualifiedName>| kinds::by_id(&live.address.kind)?.joined_by(live, new);
    let derived = |desired: &Desired, applied: &Applied, attribute: &str| {
        kinds::by_id(&desired.address.kind).is_some_and(|kind| kind.is_derived(attribute, desired, applied))
    };
    let left_over = |id: &KindId, attribute: &str| kinds::by_id(id).is_some_and(|kind| kind.is_left_over(attribute));
    let label = |id: &KindId, attribute: &str| kinds::by_id(id).and_then(|kind| kind.label(attribute));
    let permanent = |id: &KindId| kinds::by_id(id).is_some_and(|kind| kind.rules().is_permanent());
    let here = std::env::current_dir().unwrap_or_default();
    let given: BTreeSet<PathBuf> = policies.files.iter().map(|file| plain(&file.path, &here)).collect();
    let sources: HashSet<&str> =
        applied.values().filter_map(|applied| Some(applied.source.as_ref()?.file.as_str())).collect();
    let sources: HashMap<&str, Whence> =
        sources.into_iter().map(|file| (file, whence_of(file, &given, &here))).collect();
    // What was recorded without a source is taken for what is given.
    let whence = |applied: &Applied| {
        let source = applied.source.as_ref().and_then(|source| sources.get(source.file.as_str()));
        source.copied().unwrap_or(Whence::Given)
    };
    let sides = Sides {
        desired: &desired,
        live: &live.live,
        applied: &applied,
        named: &named,
        managed: &managed,
        containers: &containers,
        forgets: &forgets,
        means_same: &means_same,
        derived: &derived,
        left_over: &left_over,
        label: &label,
        permanent: &permanent,
        whence: &whence,
        takes_along: &takes_along,
        goes_with: &goes_with,
        left_of: &left_of,
        makes: &makes,
        joined_by: &joined_by,
    };
    let found = diff::diff(&sides);
    let mut drift = diff::drift(&sides, &found);
    let taken_over = plan::taken_over(&found, &view);
    drift.retain(|standing| !(standing.status == Status::Unmanaged && taken_over.contains(&standing.address)));
    let now = Now { desired: &desired, live: &live.live, relations: &live.relations };
    sink.extend(recorded((&applied, &moved), &policies.moved(), &now, &documents, &found.in_sync));

    let weights = snapshot::weigh(session, &found, &view)?;
    let measured = policies.guardrails.iter().any(|guardrail| guardrail.needs().bytes);
    let sizes = if measured { snapshot::sizes(session, &view)? } else { guard::Sizes::new() };
    snapshot::finish(session)?;
    let compared = !has_errors(sink);
    let input = plan::Input {
        view,
        diff: &found,
        drift,
        weights: &weights,
        policies: describe(policies),
        applied: &applied,
        moved,
        desired: &desired,
        diagnostics: sink,
        tool_version: env!("CARGO_PKG_VERSION"),
        whence: &whence,
        documents: &documents,
        containers: &containers,
        purpose,
        whole,
    };
    let mut plan = plan::build(input, &mut Renderer::new())?;
    watch(&mut plan, policies, view, &sizes, sink);
    let snapshot::Snapshot { server, relations, live, canon } = live;
    stack::aside((relations, live, canon, desired, applied, found));
    Ok(Made { plan, server, compared })
}

/// Asks the guardrails about the plan, which keeps what they say.
fn watch(plan: &mut Plan, policies: &Policies, view: View<'_>, sizes: &guard::Sizes, sink: &mut Vec<Diagnostic>) {
    let said = sink.len();
    let world = guard::World { view, sizes, actions: &plan.actions };
    let subjects = policies.subjects();
    let (judged, guarded) = guard::judge(&policies.guardrails, &subjects, &policies.desired, Some(world), sink);
    plan.diagnostics.extend(sink.iter().skip(said).map(plan::Message::from));
    (plan.guardrails, plan.guarded) = (judged, guarded);
}

/// Everything that the policies or the ledger speak of.
fn names(policies: &Policies, applied: &BTreeMap<Address, Applied>) -> Names {
    let mut names = Names::default();
    for desired in policies.desired.values() {
        names.add(&desired.address, desired.on.as_ref());
        names.relations.extend(kinds::reads(desired));
    }
    for document in &policies.documents {
        names.relations.extend(document.relation.clone());
        names.relations.extend(document.moved_from.clone());
    }
    for applied in applied.values() {
        names.add(&applied.address, applied.on.as_ref());
    }
    names
}

fn describe(policies: &Policies) -> plan::Policies {
    let files = policies.files.iter();
    plan::Policies {
        digest: policies.digest.clone(),
        files: files
            .map(|file| plan::PolicyFile { path: file.path.to_string(), sha256: file.sha256.clone() })
            .collect(),
    }
}

/// A path that can be compared: from the current folder where it is below that, with no `.` in it.
fn plain(path: &str, here: &Path) -> PathBuf {
    let path = Path::new(path);
    let below = path.strip_prefix(here).unwrap_or(path);
    below.components().filter(|part| *part != Component::CurDir).collect()
}

/// Where a policy is that resources were applied from.
fn whence_of(file: &str, given: &BTreeSet<PathBuf>, here: &Path) -> Whence {
    let file = plain(file, here);
    match () {
        () if given.contains(&file) => Whence::Given,
        () if file.exists() => Whence::Elsewhere,
        () => Whence::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_however_it_is_written() {
        let here = std::env::current_dir().unwrap();
        let given =
            BTreeSet::from([plain("./policies/a.yaml", &here), plain(&here.join("b.yaml").to_string_lossy(), &here)]);
        let whence = |file: &str| whence_of(file, &given, &here);
        for file in ["policies/a.yaml", "policies/./a.yaml", "b.yaml", "./b.yaml"] {
            assert_eq!(whence(file), Whence::Given, "{file}");
        }
        assert_eq!(whence("Cargo.toml"), Whence::Elsewhere);
        assert_eq!(whence("policies/none.yaml"), Whence::Gone);
    }
}
