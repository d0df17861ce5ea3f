//! The policies in `policies/`: each kind has an example there, which is valid as it stands.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use chronoform::core::KindId;
use chronoform::diag::Sources;
use chronoform::kinds;
use chronoform::kinds::document::DOCUMENTS;
use chronoform::load::{self, Variables};

/// What changes the whole server, and waits for its restart, is not applied in passing with the others: its
/// example is on its page, and its tests have servers of their own.
const ELSEWHERE: [&str; 1] = ["backup"];

/// A kind that no policy describes, such as one that another's changes make, needs none.
#[test]
fn every_kind_has_a_shipped_example() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let (mut sources, mut sink) = (Sources::default(), Vec::new());
    let policies = load::policies(std::slice::from_ref(&folder), &Variables::default(), &mut sources, &mut sink);
    let policies = policies.unwrap_or_else(|failure| panic!("{:#?}", failure.0));
    assert!(sink.is_empty(), "{sink:#?}");
    let found: BTreeSet<&KindId> = policies.desired.keys().map(|address| &address.kind).collect();
    let without = |kind: &&&dyn kinds::Kind| !kind.sections().is_empty() && !found.contains(&kind.id());
    let missing = kinds::all().iter().filter(without).map(|kind| kind.id());
    let missing: Vec<KindId> = missing.filter(|id| !ELSEWHERE.contains(&id.as_str())).collect();
    assert!(missing.is_empty(), "policies/ has no example of {missing:?}");

    let texts = fs::read_dir(&folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let texts: Vec<String> = texts.collect();
    let written = |kind: &str| texts.iter().any(|text| text.lines().any(|line| line == format!("kind: {kind}")));
    let missing = DOCUMENTS.iter().map(|document| document.kind).filter(|kind| !written(kind));
    let missing: Vec<&str> = missing.filter(|kind| !ELSEWHERE.contains(kind)).collect();
    assert!(missing.is_empty(), "policies/ has no document of {missing:?}");
}
