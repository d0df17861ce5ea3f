//! Whether the documents say what is live: they are read as policies are, settled and compared. What
//! the server would not have as it is, or a plan would change, is taken out again and said.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::core::{Address, Containers, Delta, Desired, Live, Place, Server, Value, Whence};
use crate::diag::{Diagnostic, Failure, Sources, code};
use crate::diff::{self, Sides};
use crate::import::gather::{Gathered, LeftOut};
use crate::import::page::Page;
use crate::kinds::{self, Canon, Relations, View};
use crate::load::{self, Variables};

/// What the documents were written from, and what they are read beside.
#[derive(Clone, Copy)]
pub struct Base<'a> {
    /// The server.
    pub server: &'a Server,
    /// The relations.
    pub relations: &'a Relations,
    /// The resources.
    pub live: &'a BTreeMap<Address, Live>,
    /// The project's policies, whose classes speak of the new documents too.
    pub project: &'a [PathBuf],
    /// The project's variables.
    pub variables: &'a Variables,
}

/// Asks the server for the canonical form of what policies hold, where it differs from what is live.
pub type Ask<'a> = &'a mut dyn FnMut(&BTreeMap<Address, Desired>) -> Result<Canon, Failure>;

/// Takes out what does not hold, until all of the rest does. Gives what the project's classes ask of
/// the new documents beyond that: no document can be without it, and a plan will have it to do.
///
/// # Errors
/// A lost connection, or a document that is wrong in a way that no resource of it accounts for: a
/// defect.
pub fn prove(gathered: &mut Gathered, base: Base<'_>, ask: Ask<'_>) -> Result<Vec<LeftOut>, Failure> {
    loop {
        let faults = faults(gathered, base, ask, false)?;
        if faults.resources.is_empty() {
            prove_joined(gathered, base, ask)?;
            return Ok(faults.classes);
        }
        for ((document, resource), why) in faults.resources.into_iter().rev() {
            let Some(document) = gathered.documents.get_mut(document) else { continue };
            if resource < document.resources.len() {
                let gone = document.resources.remove(resource);
                let title = kinds::by_id(&gone.address.kind).map_or("resource", |kind| kind.title());
                let what = format!("the {title} `{}`: {why}", gone.address.name);
                let on = document.relation.clone();
                let of = on.is_none().then(|| (document.kind, document.name.clone()));
                gathered.left_out.push(LeftOut { address: gone.address, on, document: of, what });
            }
        }
        gathered.documents.retain(|document| !document.resources.is_empty());
    }
}

/// Reads the documents once more as they will be written, with several resources in one item where they
/// may be: which of them would be wrong could not be told then.
fn prove_joined(gathered: &Gathered, base: Base<'_>, ask: Ask<'_>) -> Result<(), Failure> {
    let resources = gathered.documents.iter().flat_map(|document| &document.resources);
    if resources.filter(|resource| resource.part.joined.is_some()).count() < 2 {
        return Ok(());
    }
    match faults(gathered, base, ask, true)?.resources.into_values().next() {
        None => Ok(()),
        Some(why) => Err(Diagnostic::error(&code::INTERNAL, format!("what is right by itself is wrong: {why}")).into()),
    }
}

/// What does not hold.
#[derive(Default)]
struct Faults {
    /// The document, the resource in it, and why. The last of each come last.
    resources: BTreeMap<(usize, usize), String>,
    /// What comes from classes.
    classes: Vec<LeftOut>,
}

fn faults(gathered: &Gathered, base: Base<'_>, ask: Ask<'_>, joined: bool) -> Result<Faults, Failure> {
    let pages = pages(gathered, joined);
    let texts: Vec<(String, String)> = pages.iter().map(|(name, page)| (name.clone(), page.text.clone())).collect();
    let mut found = Faults::default();
    let policies = match load::texts(&texts, base.project, base.variables, &mut Sources::default()) {
        Ok(policies) => policies,
        Err(failure) => {
            found.said(&failure.0, &pages)?;
            return Ok(found);
        }
    };
    let canon = ask(&policies.desired)?;
    let view = View {
        server: base.server,
        relations: base.relations,
        live: base.live,
        desired: &policies.desired,
        canon: &canon,
    };
    let mut sink = Vec::new();
    let settled = kinds::settle(&view, &mut sink);
    found.said(&sink, &pages)?;
    for delta in differences(&settled, &policies.desired, base) {
        found.differs(&delta, &pages)?;
    }
    Ok(found)
}

impl Faults {
    /// Lays errors to the resources that they are about.
    fn said(&mut self, diagnostics: &[Diagnostic], pages: &BTreeMap<String, Page>) -> Result<(), Failure> {
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.is_error()) {
            match located(diagnostic.place.as_ref(), pages) {
                Some(at) => _ = self.resources.entry(at).or_insert_with(|| diagnostic.message.clone()),
                None => return Err(diagnostic.clone().into()),
            }
        }
        Ok(())
    }

    fn differs(&mut self, delta: &Delta, pages: &BTreeMap<String, Page>) -> Result<(), Failure> {
        let class = delta.desired.as_ref().and_then(|desired| class_of(delta, desired));
        if let Some(class) = class {
            let what = format!("the class `{class}` asks for more: {}", change(delta));
            let (address, on) = (delta.address.clone(), delta.on.clone());
            self.classes.push(LeftOut { address, on, document: None, what });
            return Ok(());
        }
        let at = located(delta.desired.as_ref().map(|desired| &desired.place), pages);
        let defect = || Diagnostic::error(&code::INTERNAL, format!("{} is written and cannot be found", delta.address));
        self.resources.entry(at.ok_or_else(defect)?).or_insert_with(|| change(delta));
        Ok(())
    }
}

/// The class that a difference comes from, where all of it does.
fn class_of(delta: &Delta, desired: &Desired) -> Option<Arc<str>> {
    let mut places = delta.changes.iter().map(|change| desired.place_of(&change.attribute));
    let first = desired.place.via.as_ref().or_else(|| desired.place_of(&delta.changes.first()?.attribute).via.as_ref());
    let all = desired.place.via.is_some() || places.all(|place| place.via.is_some());
    first.filter(|_| all).map(|via| Arc::clone(&via.class))
}

/// Each document on a page of its own, under a name that nothing else has.
fn pages(gathered: &Gathered, joined: bool) -> BTreeMap<String, Page> {
    let each = gathered.documents.iter().enumerate();
    let page = |(number, document)| {
        let mut page = Page::new("policy");
        page.document(number, document, &[], joined);
        (format!("document {number:06}"), page)
    };
    each.map(page).collect()
}

fn differences(settled: &BTreeMap<Address, Desired>, all: &BTreeMap<Address, Desired>, base: Base<'_>) -> Vec<Delta> {
    let named: BTreeSet<Address> = all.keys().cloned().collect();
    let sides = Sides {
        desired: settled,
        live: base.live,
        applied: &BTreeMap::new(),
        named: &named,
        managed: &BTreeSet::new(),
        containers: &Containers::default(),
        forgets: &|_, _| false,
        means_same: &|_, _, _| false,
        derived: &|_, _, _| false,
        left_over: &|_, _| false,
        label: &|_, _| None,
        permanent: &|_| false,
        whence: &|_| Whence::Given,
        takes_along: &|_| false,
        goes_with: &|_, _, _| false,
        left_of: &|_, _| None,
        makes: &|_| false,
        joined_by: &|_, _| None,
    };
    let mut found = diff::diff(&sides).deltas;
    for delta in &mut found {
        let kind = kinds::by_id(&delta.address.kind);
        delta.changes.retain(|change| !kind.is_some_and(|kind| kind.is_gone_on_with(&change.attribute)));
    }
    found.retain(|delta| !delta.changes.is_empty() || delta.is_create() || delta.is_remove());
    found
}

fn change(delta: &Delta) -> String {
    let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    let changes: Vec<String> = delta
        .changes
        .iter()
        .map(|change| format!("`{}` from {} to {}", change.attribute, shown(&change.before), shown(&change.after)))
        .collect();
    format!("a plan would change {}", changes.join(", "))
}

/// The resource at a place. What is wrong with the document's own lines is laid to its first one.
fn located(place: Option<&Place>, pages: &BTreeMap<String, Page>) -> Option<(usize, usize)> {
    let place = place?;
    let (document, resource) = pages.get(place.file.as_ref())?.at(place.line)?;
    Some((document, resource.unwrap_or(0)))
}
