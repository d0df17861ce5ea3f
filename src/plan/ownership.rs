//! Who asked for what is live, where that is not simply the policies at hand: a warning each.

use crate::core::{Address, Applied, Delta, Reason, Whence};
use crate::diag::{Diagnostic, code};
use crate::diff::Diff;
use crate::kinds::by_id;
use crate::plan::build::Input;

/// Everything that is to be said of it.
pub fn say(input: &Input<'_>) -> Vec<Diagnostic> {
    let diff = input.diff;
    let disputed = diff.deltas.iter().filter_map(|delta| disputed(delta, input));
    let elsewhere = diff.elsewhere.iter().filter_map(|address| elsewhere(address, input));
    let released = diff.released.iter().map(|address| released(address, input));
    let orphaned = diff.orphaned.iter().filter(|_| input.whole).map(|address| orphaned(address, input));
    disputed.chain(elsewhere).chain(released).chain(orphaned).collect()
}

/// Takes back that something beside a resource is left alone, where it goes because what both are on is made
/// anew: the action that makes it anew tells what is lost.
pub fn retract(said: &mut Vec<Diagnostic>, diff: &Diff) {
    let made = || diff.deltas.iter().filter(|delta| delta.reason == Reason::Remade && delta.is_create());
    let goes = |address: &Address| made().any(|delta| delta.address == *address);
    said.retain(|said| {
        let is_left_alone = said.code.name == code::UNMANAGED.name;
        !(is_left_alone && said.about.as_deref().is_some_and(goes))
    });
}

/// What a resource is called in a sentence.
fn told(address: &Address, input: &Input<'_>) -> String {
    address.told(input.view.live.get(address).and_then(|live| live.on.as_ref()))
}

fn orphaned(address: &Address, input: &Input<'_>) -> Diagnostic {
    let it = if input.view.live.get(address).is_some_and(|live| live.on.is_some()) { "its table" } else { "it" };
    let address = told(address, input);
    let message = format!("{address} was applied by Chronoform, and no policy describes {it} any more");
    let help = "keep a document with `ensure: absent` to remove it, or leave it: nothing is done about it";
    Diagnostic::warning(&code::ORPHANED, message).help(help)
}

/// That a resource stays and is no longer managed, because nothing can remove it.
fn released(address: &Address, input: &Input<'_>) -> Diagnostic {
    let title = by_id(&address.kind).map_or("resource", |kind| kind.title());
    let named = told(address, input);
    let message = format!("{named} is no longer in the policy, and stays as it is: nothing can remove a {title}");
    let diagnostic = Diagnostic::warning(&code::RELEASED, message)
        .why("from the next apply on, nobody manages it: a change to it is neither planned nor drift")
        .help("put the section back to go on managing it, or leave it out and apply");
    at_document(diagnostic, address, input)
}

/// Points at the document of the relation that a resource belongs to.
fn at_document(diagnostic: Diagnostic, address: &Address, input: &Input<'_>) -> Diagnostic {
    let on = input.view.live.get(address).and_then(|live| live.on.as_ref());
    match on.and_then(|on| input.documents.get(on)) {
        Some(place) => diagnostic.at(place),
        None => diagnostic,
    }
}

/// `a.yaml:3 at 2026-05-01T00:00:00Z`: which policy asked for a resource, and when.
fn asked_for_by(applied: &Applied) -> String {
    let source = applied.source.as_ref().map_or_else(String::new, |source| format!("{}:{}", source.file, source.line));
    match &applied.at {
        Some(at) => format!("{source} at {at}"),
        None => source,
    }
}

/// What another policy asked for is left as it is; that is worth a word.
fn elsewhere(address: &Address, input: &Input<'_>) -> Option<Diagnostic> {
    let applied = input.applied.get(address)?;
    let message = format!(
        "{} is not in this policy, and was applied from {}, which is not among the files at hand",
        told(address, input),
        asked_for_by(applied)
    );
    let (why, help) = match (input.whence)(applied) {
        Whence::Gone => (
            "that file is not there any more, as seen from here: whether it was moved or belongs to another folder \
             cannot be told, so nothing is removed",
            "write `ensure: absent` if it is to go, or its section into this policy if it is to stay",
        ),
        Whence::Elsewhere | Whence::Given => (
            "that file may still want it, so nothing is removed",
            "give the folder that holds both files, or write `ensure: absent` here if it is to go",
        ),
    };
    let diagnostic = Diagnostic::warning(&code::OTHER_POLICIES, message).why(why).help(help);
    Some(at_document(diagnostic, address, input))
}

/// Two policies that want one resource differently take turns undoing each other.
fn disputed(delta: &Delta, input: &Input<'_>) -> Option<Diagnostic> {
    let applied = input.applied.get(&delta.address).filter(|applied| (input.whence)(applied) == Whence::Elsewhere)?;
    let place = &input.view.desired.get(&delta.address)?.place;
    matches!(delta.reason, Reason::Differs | Reason::Unwanted).then(|| {
        let message = format!(
            "{} was applied from {}, which is not among the files at hand, and this policy wants it otherwise",
            delta.address.told(delta.on.as_ref()),
            asked_for_by(applied)
        );
        Diagnostic::warning(&code::OTHER_POLICIES, message)
            .at(place)
            .why("where two policies describe one resource, each undoes what the other applied")
            .help("describe it in one of them only")
    })
}
