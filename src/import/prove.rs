//! Whether the documents say what is live: they are read as policies are, settled and compared. What
//! the server would not have as it is, or a plan would change, is taken out again and said.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Address, Delta, Desired, Live, Place, Server, Value};
use crate::diag::{Diagnostic, Failure, Sources, code};
use crate::diff::{self, Sides};
use crate::import::gather::{Gathered, LeftOut};
use crate::import::page::Page;
use crate::kinds::{self, Canon, Relations, View};
use crate::load;

/// What the documents were written from.
#[derive(Clone, Copy)]
pub struct Base<'a> {
    /// The server.
    pub server: &'a Server,
    /// The relations.
    pub relations: &'a Relations,
    /// The resources.
    pub live: &'a BTreeMap<Address, Live>,
}

/// Asks the server for the canonical form of what policies hold, where it differs from what is live.
pub type Ask<'a> = &'a mut dyn FnMut(&BTreeMap<Address, Desired>) -> Result<Canon, Failure>;

/// Takes out what does not hold, until all of the rest does.
///
/// # Errors
/// A lost connection, or a document that is wrong in a way that no resource of it accounts for: a
/// defect.
pub fn prove(gathered: &mut Gathered, live: Base<'_>, ask: Ask<'_>) -> Result<(), Failure> {
    loop {
        let faults = faults(gathered, live, ask)?;
        if faults.is_empty() {
            return Ok(());
        }
        for ((document, resource), why) in faults.into_iter().rev() {
            let Some(document) = gathered.documents.get_mut(document) else { continue };
            if resource < document.resources.len() {
                let gone = document.resources.remove(resource);
                let title = kinds::by_id(&gone.address.kind).map_or("resource", |kind| kind.title());
                let what = format!("the {title} `{}`: {why}", gone.address.name);
                gathered.left_out.push(LeftOut { address: gone.address, on: document.relation.clone(), what });
            }
        }
        gathered.documents.retain(|document| !document.resources.is_empty());
    }
}

/// What does not hold: the document, the resource in it, and why. The last of each come last.
type Faults = BTreeMap<(usize, usize), String>;

fn faults(gathered: &Gathered, live: Base<'_>, ask: Ask<'_>) -> Result<Faults, Failure> {
    let pages = pages(gathered);
    let texts: Vec<(String, String)> = pages.iter().map(|(name, page)| (name.clone(), page.text.clone())).collect();
    let mut sources = Sources::default();
    let policies = match load::texts(&texts, &mut sources) {
        Ok(policies) => policies,
        Err(failure) => return located(&failure.0, &pages),
    };
    let canon = ask(&policies.desired)?;
    let view = View {
        server: live.server,
        relations: live.relations,
        live: live.live,
        desired: &policies.desired,
        canon: &canon,
    };
    let mut sink = Vec::new();
    let settled = kinds::settle(&view, &mut sink);
    let mut found = located(&sink.into_iter().filter(Diagnostic::is_error).collect::<Vec<_>>(), &pages)?;
    for delta in differences(&settled, &policies.desired, live) {
        let place = delta.desired.as_ref().map(|desired| &desired.place);
        found.entry(located_at(place, &pages)?).or_insert_with(|| change(&delta));
    }
    Ok(found)
}

/// Each document on a page of its own, under a name that nothing else has.
fn pages(gathered: &Gathered) -> BTreeMap<String, Page> {
    let each = gathered.documents.iter().enumerate();
    let page = |(number, document)| {
        let mut page = Page::new("policy");
        page.document(number, document, &[]);
        (format!("document {number:06}"), page)
    };
    each.map(page).collect()
}

fn differences(settled: &BTreeMap<Address, Desired>, all: &BTreeMap<Address, Desired>, live: Base<'_>) -> Vec<Delta> {
    let named: BTreeSet<Address> = all.keys().cloned().collect();
    let sides = Sides {
        desired: settled,
        live: live.live,
        applied: &BTreeMap::new(),
        named: &named,
        managed: &BTreeSet::new(),
        forgets: &|_, _| false,
        means_same: &|_, _, _| false,
        derived: &|_, _| false,
    };
    diff::diff(&sides).deltas
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

fn located(diagnostics: &[Diagnostic], pages: &BTreeMap<String, Page>) -> Result<Faults, Failure> {
    let mut found = Faults::new();
    for diagnostic in diagnostics {
        match located_at(diagnostic.place.as_ref(), pages) {
            Ok(at) => _ = found.entry(at).or_insert_with(|| diagnostic.message.clone()),
            Err(_) => return Err(diagnostic.clone().into()),
        }
    }
    Ok(found)
}

/// The resource at a place. What is wrong with the document's own lines is laid to its first one.
fn located_at(place: Option<&Place>, pages: &BTreeMap<String, Page>) -> Result<(usize, usize), Failure> {
    let found = place.and_then(|place| pages.get(place.file.as_ref())?.at(place.line));
    let defect = || Diagnostic::error(&code::INTERNAL, "what was written for a live resource cannot be read again");
    found.map(|(document, resource)| (document, resource.unwrap_or(0))).ok_or_else(|| defect().into())
}
