//! `chronoform drift`: live against last applied against desired.

use std::collections::BTreeMap;

use crate::cli::args::{DriftArgs, Gate};
use crate::cli::baseline::{Baseline, Earlier};
use crate::cli::context::Context;
use crate::cli::look::{Looked, look_unguarded};
use crate::cli::publish::{annotate, in_format, publish};
use crate::cli::{fleet, record};
use crate::core::{Address, SourceLine};
use crate::diag::{Diagnostic, Exit, Failure, Severity, code, has_errors};
use crate::diff::Drift;
use crate::plan::Plan;
use crate::report::findings::{Finding, of_drift, of_messages, of_resources};
use crate::report::{self, DriftReport, Ending, Evidence, Fleet, Known, ServerWord};
use crate::snapshot::{self, Told};

/// Compares and reports; ends with differences where there are any, or any new ones.
pub fn run(args: &DriftArgs, context: &mut Context) -> Result<Exit, Failure> {
    let baseline = args.baseline.as_deref().map(Baseline::read).transpose()?;
    if let Some(names) = context.several_targets()? {
        return several(args, baseline.as_ref(), &names, context);
    }
    let found = find(args, baseline.as_ref(), context)?;
    let report = found.report();
    annotate(&of_resources(&report));
    publish(&args.out, context, |format, options| {
        let database = &report.target.database;
        in_format(format, options, &format!("drift of {database}"), || of_drift(&report), |o| report::drift(&report, o))
    })?;
    // That a difference cannot be closed makes it no less of one.
    match found.exit(args, &context.diagnostics) {
        Exit::Error => Err(Failure(std::mem::take(&mut context.diagnostics))),
        exit => Ok(exit),
    }
}

/// The same for several targets.
fn several(
    args: &DriftArgs,
    baseline: Option<&Baseline>,
    names: &[String],
    context: &mut Context,
) -> Result<Exit, Failure> {
    let mut found = fleet::look(names, args.parallel, context, |context| find(args, baseline, context))?;
    // To look twice is no harm.
    fleet::say_same_database(&mut found, Severity::Warning, |found| &found.plan.target);
    let exits: Vec<Exit> =
        found.iter().map(|one| one.exit(|found| found.exit(args, &one.context.diagnostics))).collect();
    let members = found.iter().zip(&exits).map(|(one, exit)| {
        one.member(|found| match (exit, found.differs(Gate::Any)) {
            (Exit::Done, false) => (found.report(), "no drift", Ending::Well),
            (Exit::Done, true) => (found.report(), "known drift", Ending::Open),
            (Exit::Differences, _) => (found.report(), "drift", Ending::Open),
            _ => (found.report(), "errors", Ending::Badly),
        })
    });
    let exit = fleet::worst(exits.iter().copied());
    let fleet = Fleet { members: members.collect(), exit: exit as u8 };
    let findings = || fleet.members.iter().flat_map(findings_of).collect::<Vec<_>>();
    let differing = fleet.members.iter().filter_map(|member| Some((member, member.found.as_ref()?)));
    let differing =
        differing.flat_map(|(member, found)| of_resources(found).into_iter().map(|one| one.of_target(&member.name)));
    annotate(&differing.collect::<Vec<_>>());
    publish(&args.out, context, |format, options| {
        in_format(format, options, "drift of several targets", findings, |o| report::drifts(&fleet, o))
    })?;
    drop(fleet);
    fleet::say(&mut found);
    Ok(exit)
}

/// A target's findings among those of others.
fn findings_of(member: &report::Member<DriftReport<'_>>) -> Vec<Finding> {
    let own = member.found.as_ref().map(of_drift).unwrap_or_default();
    let findings = own.into_iter().chain(of_messages(&member.messages));
    findings.map(|finding| finding.of_target(&member.name)).collect()
}

/// What is known of one database.
struct Found {
    plan: Plan,
    /// Whether every resource could be compared.
    compared: bool,
    evidence: Evidence,
}

impl Found {
    fn report(&self) -> DriftReport<'_> {
        DriftReport {
            tool_version: &self.plan.tool_version,
            target: &self.plan.target,
            drift: &self.plan.drift,
            diagnostics: &self.plan.diagnostics,
            evidence: &self.evidence,
            due: &self.plan.due,
        }
    }

    /// Whether there is a difference that the gate is for.
    fn differs(&self, gate: Gate) -> bool {
        let counts = |drift: &&Drift| gate == Gate::Any || !self.evidence.is_known(&drift.address);
        differences(&self.plan).any(|drift| counts(&drift))
    }

    fn exit(&self, args: &DriftArgs, said: &[Diagnostic]) -> Exit {
        match (self.compared && self.differs(args.gate), has_errors(said)) {
            (true, _) => Exit::Differences,
            // Where not all could be compared, a difference may be hidden; where it only cannot be
            // closed, it is known.
            (false, true) if !(self.compared && self.differs(Gate::Any)) => Exit::Error,
            (false, _) => Exit::Done,
        }
    }
}

fn differences(plan: &Plan) -> impl Iterator<Item = &Drift> {
    plan.drift.iter().filter(|drift| drift.status.is_difference())
}

fn find(args: &DriftArgs, baseline: Option<&Baseline>, context: &mut Context) -> Result<Found, Failure> {
    let mut looked = look_unguarded(&args.paths, context)?;
    let (path, admission) = (context.ledger_path()?, context.admission());
    let earlier = match (baseline, args.gate) {
        (Some(baseline), _) => Some(baseline.of(context.target_name(), &looked.made.plan.target)?),
        (None, Gate::New) => Some(Earlier::recorded(record::last_drift(&path, &looked.made.server, &admission)?)),
        (None, Gate::Any) => None,
    };
    let live = differences(&looked.made.plan).map(|drift| &drift.address);
    let told = snapshot::written(&mut looked.session, &looked.made.server, live);
    let evidence = evidence(&looked, told, record::history(&path, &looked.made.server, &admission)?, earlier.as_ref());
    let Looked { made, .. } = looked;
    if args.record {
        if made.compared {
            record::record_drift(&path, &made.server, &admission, differences(&made.plan))?;
        } else {
            let message = "the report is not recorded: errors kept resources from being compared";
            context.diagnostics.push(Diagnostic::warning(&code::NOT_RECORDED, message).help("mend them first"));
        }
    }
    Ok(Found { plan: made.plan, compared: made.compared, evidence })
}

/// Gathers what is known of every resource: from the policies, the ledger and the earlier report.
fn evidence(looked: &Looked, told: Told, history: BTreeMap<Address, Known>, earlier: Option<&Earlier>) -> Evidence {
    let Told { words, silence } = told;
    let mut resources = history;
    for (address, (written, owner)) in words {
        resources.entry(address).or_default().server = Some(ServerWord { written, owner });
    }
    for drift in &looked.made.plan.drift {
        let known = resources.entry(drift.address.clone()).or_default();
        if let Some(desired) = looked.policies.desired.get(&drift.address) {
            known.source = Some(SourceLine::from(&desired.place));
        }
        if let Some(earlier) = earlier.filter(|_| drift.status.is_difference()) {
            known.is_new = Some(!earlier.has(drift));
        }
    }
    Evidence { resources, silence, earlier: earlier.map(|earlier| earlier.words.clone()) }
}
