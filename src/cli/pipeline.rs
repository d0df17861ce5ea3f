//! The way from policies and a session to a plan, as `plan`, `apply` and `drift` share it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::core::{Address, Applied, Delta, Desired, KindId, QualifiedName, Server};
use crate::diag::{Diagnostic, Failure, has_errors};
use crate::diff::{self, Sides};
use crate::guard;
use crate::kinds::{self, View};
use crate::load::Policies;
use crate::pg::Session;
use crate::plan::{self, Plan};
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

/// What the ledger remembers of a server's database.
pub type Remember<'a> = &'a mut dyn FnMut(&Server) -> Result<BTreeMap<Address, Applied>, Failure>;

/// Makes the plan: snapshot, settle, compare, weigh, build. Diagnostics about single resources are
/// left in `sink`, and `whole` says that these are all of the project's policies; a resource that has an error is in the plan as blocked, or not at all.
///
/// # Errors
/// What makes any plan impossible.
pub fn make(
    policies: &Policies,
    session: &mut Session,
    remember: Remember<'_>,
    whole: bool,
    sink: &mut Vec<Diagnostic>,
) -> Result<Made, Failure> {
    let server = snapshot::open(session)?;
    let applied = remember(&server)?;
    let live = snapshot::take(session, server, &names(policies, &applied), &policies.desired, &applied)?;
    let view = live.view(&policies.desired);
    let desired = kinds::settle(&view, sink);

    let named: BTreeSet<Address> = policies.desired.keys().cloned().collect();
    let managed: BTreeSet<QualifiedName> = policies.documents.iter().filter_map(|d| d.relation.clone()).collect();
    let containers = kinds::containers(&policies.desired);
    let forgets = |id: &KindId, attribute: &str| kinds::by_id(id).is_some_and(|kind| kind.forgets(attribute));
    let means_same = |desired: &Desired, attribute: &str, applied: &Json| {
        kinds::by_id(&desired.address.kind)
            .is_some_and(|kind| kind.means_same(desired, attribute, applied, &live.canon))
    };
    let takes_along = |delta: &Delta| kinds::by_id(&delta.address.kind).is_some_and(|kind| kind.takes_along(delta));
    let derived = |id: &KindId, attribute: &str| kinds::by_id(id).is_some_and(|kind| kind.is_derived(attribute));
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
        takes_along: &takes_along,
    };
    let found = diff::diff(&sides);
    let drift = diff::drift(&sides, &found);

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
        desired: &desired,
        diagnostics: sink,
        tool_version: env!("CARGO_PKG_VERSION"),
        containers: &containers,
        whole,
    };
    let mut plan = plan::build(input, &mut Renderer::new())?;
    watch(&mut plan, policies, view, &sizes, sink);
    Ok(Made { plan, server: live.server, compared })
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
