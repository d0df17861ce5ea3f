//! Guardrails asked of tables and actions, and what comes of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::{Action, Address, Bytes, Desired, Live, Place, QualifiedName, SourceLine};
use crate::diag::{Diagnostic, code};
use crate::guard::scope::{self, Needs, declare};
use crate::guard::{Datum, Expression, Fault, For, Rule, Severity};
use crate::kinds::View;

/// A guardrail of the policies, compiled.
#[derive(Clone, Debug)]
pub struct Guardrail {
    /// What it says.
    pub rule: Rule,
    /// Where it is asked at all.
    pub when: Option<Expression>,
    /// What must hold.
    pub assert: Expression,
    /// Where it is written.
    pub place: Place,
    /// The documents that it selects; `None` for all, and for what has no document.
    pub selected: Option<BTreeSet<QualifiedName>>,
}

/// A table that has a document.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The table.
    pub relation: QualifiedName,
    /// The document's `kind:`.
    pub kind: &'static str,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its `protect: true`.
    pub protect: bool,
    /// Where its document begins.
    pub place: Place,
}

/// What the policies say now, where a plan was made from them earlier.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Their guardrails.
    pub guardrails: Vec<Guardrail>,
    /// The tables that they describe.
    pub subjects: Vec<Subject>,
    /// What they want.
    pub desired: BTreeMap<Address, Desired>,
}

impl Standing {
    /// Whether any guardrail must be told how large tables are.
    pub fn needs_bytes(&self) -> bool {
        self.guardrails.iter().any(|guardrail| guardrail.needs().bytes)
    }

    /// Whether the policies protect now what an action is about.
    pub fn protects(&self, action: &Action) -> bool {
        let itself = self.desired.get(&action.address).is_some_and(|desired| desired.protect);
        itself || self.subjects.iter().any(|subject| subject.protect && action.on.as_ref() == Some(&subject.relation))
    }

    /// Asks every guardrail about what an earlier plan would do: about its actions, and about the tables
    /// that they are on, with what the plan wants in the place of what the policies want now. Gives
    /// whatever does not hold.
    pub fn ask(&self, planned: &BTreeMap<Address, Desired>, world: World<'_>, sink: &mut Vec<Diagnostic>) {
        let touched: BTreeSet<&QualifiedName> = world.actions.iter().filter_map(|action| action.on.as_ref()).collect();
        let subjects: Vec<Subject> =
            self.subjects.iter().filter(|subject| touched.contains(&subject.relation)).cloned().collect();
        let acted: BTreeSet<&Address> = world.actions.iter().map(|action| &action.address).collect();
        let kept = self.desired.iter().filter(|(address, _)| !acted.contains(address));
        let mut desired: BTreeMap<Address, Desired> =
            kept.map(|(address, desired)| (address.clone(), desired.clone())).collect();
        desired.extend(planned.iter().map(|(address, desired)| (address.clone(), desired.clone())));
        judge(&self.guardrails, &subjects, &desired, Some(world), sink);
    }
}

/// The variables of a table that the policies alone tell.
pub type Guarded = BTreeMap<String, Datum>;

/// How large each table is.
pub type Sizes = BTreeMap<QualifiedName, Bytes>;

/// A guardrail in a plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Judged {
    /// What it says.
    #[serde(flatten)]
    pub rule: Rule,
    /// Where it is written.
    pub source: SourceLine,
    /// How often it was asked.
    pub asked: usize,
    /// What it does not hold for.
    pub failed: Vec<Failed>,
    /// The tables that the plan changes and for which it must be asked again before that; the empty
    /// name stands for the whole database.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub again: BTreeSet<String>,
}

impl Judged {
    /// Whether nothing may be applied because of it.
    pub fn refuses(&self) -> bool {
        self.failed.iter().any(|failed| failed.error.is_some() || self.rule.severity == Severity::Error)
    }
}

/// What a guardrail does not hold for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failed {
    /// The table or the action.
    pub subject: String,
    /// Why it could not be told; null where it does not hold.
    pub error: Option<String>,
}

/// What there is beside the policies.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The live database.
    pub view: View<'a>,
    /// How large tables are, where that was asked for.
    pub sizes: &'a Sizes,
    /// What the plan would do.
    pub actions: &'a [Action],
}

/// Resources by the table that they are on.
fn by_table<'a, T>(
    resources: impl Iterator<Item = &'a T>,
    on: fn(&T) -> Option<&QualifiedName>,
) -> BTreeMap<&'a QualifiedName, Vec<&'a T>> {
    let mut found: BTreeMap<&QualifiedName, Vec<&T>> = BTreeMap::new();
    for resource in resources {
        if let Some(on) = on(resource) {
            found.entry(on).or_default().push(resource);
        }
    }
    found
}

/// The variables that the policies tell of a table.
fn facts(subject: &Subject, own: &[&Desired]) -> Guarded {
    let mut all = scope::desired(own.iter().copied());
    let text = |text: &str| Datum::Text(text.to_owned());
    let table = [
        ("name", text(&subject.relation.to_string())),
        ("schema", text(&subject.relation.schema)),
        ("relation", text(&subject.relation.name)),
        ("kind", text(subject.kind)),
        ("labels", Datum::Words(subject.labels.clone())),
        ("protect", Datum::Bool(subject.protect)),
    ];
    all.insert("table".to_owned(), record(table));
    all
}

fn record<const N: usize>(fields: [(&str, Datum); N]) -> Datum {
    Datum::Record(fields.into_iter().map(|(name, datum)| (name.to_owned(), datum)).collect())
}

/// What is live of a table.
fn live(relation: Option<&QualifiedName>, own: &[&Live], world: &World<'_>) -> Datum {
    let mut all = scope::live(own.iter().copied().filter(|live| !live.system));
    let found = relation.and_then(|relation| world.view.relations.get(relation));
    all.insert("exists".to_owned(), Datum::Bool(found.is_some()));
    if let Some(found) = found {
        let hypertable = found.hypertable.as_ref();
        all.insert("chunks".to_owned(), Datum::Int(hypertable.map_or(0, |hypertable| hypertable.chunks)));
        all.insert("owner".to_owned(), Datum::Text(found.owner.clone()));
    }
    // A table that is not there takes no room.
    let measured = relation.and_then(|relation| world.sizes.get(relation)).map(|bytes| bytes.0);
    let bytes = measured.or((relation.is_some() && found.is_none()).then_some(0));
    if let Some(bytes) = bytes {
        all.insert("bytes".to_owned(), Datum::Int(i64::try_from(bytes).unwrap_or(i64::MAX)));
    }
    Datum::Record(all)
}

fn of_action(action: &Action) -> Datum {
    let text = |text: &str| Datum::Text(text.to_owned());
    let locks = action.steps.iter().filter_map(|step| step.lock.as_ref()).map(|lock| {
        record([("mode", text(lock.mode.as_str())), ("on", text(&lock.on)), ("blocks", text(&lock.blocks))])
    });
    let reason = serde_json::to_value(action.reason).ok();
    let mut fields = BTreeMap::new();
    let mut put = |name: &str, datum: Datum| fields.insert(name.to_owned(), datum);
    put("address", text(&action.address.to_string()));
    put("kind", text(action.address.kind.as_str()));
    put("name", text(&action.address.name));
    put("op", text(action.op.as_str()));
    put("reason", text(reason.as_ref().and_then(|reason| reason.as_str()).unwrap_or_default()));
    put("changes", Datum::List(action.attributes.iter().map(|change| text(&change.name)).collect()));
    put("hazards", Datum::List(action.hazards.iter().map(|hazard| text(hazard.as_str())).collect()));
    put("locks", Datum::List(locks.collect()));
    if let Some(impact) = &action.impact {
        let counts = [("chunks", impact.chunks), ("rows", impact.rows), ("bytes", impact.bytes.map(|bytes| bytes.0))];
        for (name, count) in counts.into_iter().filter_map(|(name, count)| Some((name, count?))) {
            put(name, Datum::Int(i64::try_from(count).unwrap_or(i64::MAX)));
        }
    }
    Datum::Record(fields)
}

impl Guardrail {
    /// What it must be told.
    pub fn needs(&self) -> Needs {
        Needs::of(self.rule.scope, self.when.iter().chain([&self.assert]))
    }

    fn selects(&self, relation: Option<&QualifiedName>) -> bool {
        match (&self.selected, relation) {
            (None, _) => true,
            (Some(selected), Some(relation)) => selected.contains(relation),
            (Some(_), None) => false,
        }
    }

    /// Whether it holds, where it is asked at all.
    fn ask(&self, variables: &BTreeMap<String, Datum>) -> Result<bool, (bool, Fault)> {
        let declared = declare(self.rule.scope);
        if let Some(when) = &self.when
            && !when.evaluate(variables, &declared).map_err(|fault| (true, fault))?
        {
            return Ok(true);
        }
        self.assert.evaluate(variables, &declared).map_err(|fault| (false, fault))
    }
}

/// Asks every guardrail that can be asked: with the policies alone, those that need no more.
pub fn judge(
    guardrails: &[Guardrail],
    subjects: &[Subject],
    desired: &BTreeMap<Address, Desired>,
    world: Option<World<'_>>,
    sink: &mut Vec<Diagnostic>,
) -> (Vec<Judged>, BTreeMap<String, Guarded>) {
    let mut known: BTreeMap<&QualifiedName, Guarded> = BTreeMap::new();
    let resources = by_table(desired.values(), |desired| desired.on.as_ref());
    if !guardrails.is_empty() {
        let own = |subject: &Subject| resources.get(&subject.relation).map(Vec::as_slice).unwrap_or_default();
        known.extend(subjects.iter().map(|subject| (&subject.relation, facts(subject, own(subject)))));
    }
    let places: BTreeMap<&QualifiedName, &Place> =
        subjects.iter().map(|subject| (&subject.relation, &subject.place)).collect();
    let (mut judged, mut carried) = (Vec::new(), BTreeMap::new());
    for guardrail in guardrails.iter().filter(|guardrail| world.is_some() || guardrail.needs().is_offline()) {
        let mut one = Judged {
            rule: guardrail.rule.clone(),
            source: SourceLine::from(&guardrail.place),
            asked: 0,
            failed: Vec::new(),
            again: BTreeSet::new(),
        };
        for asked in questions(guardrail, known.iter().map(|(relation, facts)| (*relation, facts)), world.as_ref()) {
            one.asked += 1;
            if let Some((failed, mut diagnostic)) = answer(guardrail, &asked) {
                let place = asked.relation.as_ref().and_then(|relation| places.get(relation).copied());
                let wanted =
                    asked.relation.as_ref().and_then(|relation| spoken_of(guardrail, resources.get(relation)?));
                if let Some(place) = wanted.as_ref().or(place) {
                    diagnostic = diagnostic.at(place).and_at(&guardrail.place, "the guardrail");
                } else {
                    diagnostic = diagnostic.at(&guardrail.place);
                }
                sink.push(diagnostic);
                one.failed.push(failed);
            }
        }
        if let Some(world) = world.filter(|_| !guardrail.needs().is_offline()) {
            for action in world.actions.iter().filter(|action| guardrail.selects(action.on.as_ref())) {
                let name = action.on.as_ref().map(ToString::to_string).unwrap_or_default();
                if let Some((on, facts)) = action.on.as_ref().and_then(|on| known.get_key_value(on)) {
                    carried.insert(on.to_string(), facts.clone());
                }
                one.again.insert(name);
            }
        }
        judged.push(one);
    }
    (judged, carried)
}

/// What a guardrail is asked about.
struct Asked {
    relation: Option<QualifiedName>,
    subject: String,
    variables: BTreeMap<String, Datum>,
}

fn questions<'a>(
    guardrail: &Guardrail,
    known: impl Iterator<Item = (&'a QualifiedName, &'a Guarded)>,
    world: Option<&World<'_>>,
) -> Vec<Asked> {
    let known: BTreeMap<&QualifiedName, &Guarded> = known.collect();
    let needs = guardrail.needs();
    let lives = world.filter(|_| needs.live).map(|world| by_table(world.view.live.values(), |live| live.on.as_ref()));
    let with_live = |mut variables: Guarded, relation: Option<&QualifiedName>| {
        if let (Some(lives), Some(world)) = (&lives, world) {
            let own = relation.and_then(|relation| lives.get(relation)).map(Vec::as_slice).unwrap_or_default();
            variables.insert("live".to_owned(), live(relation, own, world));
        }
        variables
    };
    if guardrail.rule.scope == For::Table {
        let selected = known.into_iter().filter(|(relation, _)| guardrail.selects(Some(relation)));
        let ask = |(relation, facts): (&QualifiedName, &Guarded)| Asked {
            subject: relation.to_string(),
            variables: with_live(facts.clone(), Some(relation)),
            relation: Some(relation.clone()),
        };
        return selected.map(ask).collect();
    }
    let actions = world.map(|world| world.actions).unwrap_or_default();
    let selected = actions.iter().filter(|action| guardrail.selects(action.on.as_ref()));
    let ask = |action: &Action| {
        let on = action.on.as_ref();
        let facts = on.and_then(|on| known.get(on)).map_or_else(no_table, |facts| (*facts).clone());
        let mut variables = with_live(facts, on);
        variables.insert("action".to_owned(), of_action(action));
        Asked { relation: on.cloned(), subject: action.address.to_string(), variables }
    };
    selected.map(ask).collect()
}

/// The variables of what is on no table with a document.
fn no_table() -> Guarded {
    let mut all = scope::desired(std::iter::empty());
    let text = || Datum::Text(String::new());
    let table = [
        ("name", text()),
        ("schema", text()),
        ("relation", text()),
        ("kind", text()),
        ("labels", Datum::Words(BTreeMap::new())),
        ("protect", Datum::Bool(false)),
    ];
    all.insert("table".to_owned(), record(table));
    all
}

/// What there is to say where it does not hold.
fn answer(guardrail: &Guardrail, asked: &Asked) -> Option<(Failed, Diagnostic)> {
    let rule = &guardrail.rule;
    match guardrail.ask(&asked.variables) {
        Ok(true) => None,
        Ok(false) => {
            let message = format!("{}: {}", asked.subject, rule.message);
            let diagnostic = match rule.severity {
                Severity::Error => Diagnostic::error(&code::GUARDRAIL, message),
                Severity::Warning => Diagnostic::warning(&code::GUARDRAIL, message),
            };
            let diagnostic =
                diagnostic.why(format!("the guardrail `{}` does not hold: {}", rule.name, rule.assert.trim()));
            Some((Failed { subject: asked.subject.clone(), error: None }, diagnostic))
        }
        Err((in_when, fault)) => {
            let which = if in_when { "`when`" } else { "`assert`" };
            let message = format!(
                "the guardrail `{}` cannot be told for {}: in its {which}, {}",
                rule.name, asked.subject, fault.message
            );
            let mut diagnostic =
                Diagnostic::error(&code::GUARDRAIL_UNKNOWN, message).why("what cannot be told is not taken for fine");
            diagnostic.help = fault.help;
            Some((Failed { subject: asked.subject.clone(), error: Some(fault.message) }, diagnostic))
        }
    }
}

/// Where the policies say what a guardrail speaks of.
fn spoken_of(guardrail: &Guardrail, own: &[&Desired]) -> Option<Place> {
    let place = |path: &str| {
        let (key, attribute) = path.split_once('.')?;
        own.iter()
            .find_map(|desired| desired.places.get(attribute).filter(|_| desired.address.kind.as_str() == key).cloned())
    };
    guardrail.assert.paths().find_map(place)
}

/// Asks again, before a plan is applied, what its guardrails cannot know from the policies alone.
/// Gives whatever does not hold.
pub fn recheck(judged: &[Judged], guarded: &BTreeMap<String, Guarded>, world: World<'_>, sink: &mut Vec<Diagnostic>) {
    let relations: BTreeMap<String, &QualifiedName> =
        world.actions.iter().filter_map(|action| action.on.as_ref()).map(|on| (on.to_string(), on)).collect();
    let known: BTreeMap<&QualifiedName, &Guarded> =
        guarded.iter().filter_map(|(name, facts)| Some((*relations.get(name)?, facts))).collect();
    for one in judged.iter().filter(|one| !one.again.is_empty()) {
        match compiled(one, &relations) {
            Ok(guardrail) => {
                let known = known.iter().map(|(relation, facts)| (*relation, *facts));
                let asked = questions(&guardrail, known, Some(&world));
                let asked = asked.iter().filter(|asked| {
                    one.again.contains(&asked.relation.as_ref().map(ToString::to_string).unwrap_or_default())
                });
                sink.extend(asked.filter_map(|asked| Some(answer(&guardrail, asked)?.1)));
            }
            Err(fault) => {
                let message = format!("the guardrail `{}` cannot be read: {}", one.rule.name, fault.message);
                sink.push(
                    Diagnostic::error(&code::GUARDRAIL_UNKNOWN, message).help("make the plan again with this version"),
                );
            }
        }
    }
}

/// A plan's guardrail, compiled again.
fn compiled(one: &Judged, relations: &BTreeMap<String, &QualifiedName>) -> Result<Guardrail, Fault> {
    let declared = declare(one.rule.scope);
    let all = one.again.contains("");
    let selected = one.again.iter().filter_map(|name| relations.get(name).map(|relation| (*relation).clone()));
    Ok(Guardrail {
        rule: one.rule.clone(),
        when: one.rule.when.as_deref().map(|when| Expression::compile(when, &declared)).transpose()?,
        assert: Expression::compile(&one.rule.assert, &declared)?,
        place: Place {
            file: one.source.file.as_str().into(),
            line: one.source.line,
            column: 1,
            start: 0,
            end: 0,
            via: None,
        },
        selected: (!all).then(|| selected.collect()),
    })
}

/// Whether any of a plan's guardrails must be told how large tables are. One that cannot be read is
/// said elsewhere.
pub fn needs_bytes(judged: &[Judged]) -> bool {
    let again = judged.iter().filter(|one| !one.again.is_empty());
    again.filter_map(|one| compiled(one, &BTreeMap::new()).ok()).any(|guardrail| guardrail.needs().bytes)
}
