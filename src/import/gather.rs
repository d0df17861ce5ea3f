//! Live resources, each written by its kind, as the documents that they make together.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::core::{Address, Live, QualifiedName};
use crate::kinds::{self, Export, Kind, Part, View};

/// A resource that is written, and how. One that takes several parts is there once for each.
#[derive(Clone, PartialEq, Debug)]
pub struct Resource {
    /// Which.
    pub address: Address,
    /// Its part of the document.
    pub part: Part,
    /// Whether it is one item of a list.
    pub repeated: bool,
    /// Where its section stands among those of the document.
    order: usize,
}

/// A document to be written.
#[derive(Clone, PartialEq, Debug)]
pub struct Document {
    /// Its `kind:`.
    pub kind: &'static str,
    /// Its name as it is written.
    pub name: String,
    /// The relation that it is about, where it is about one.
    pub relation: Option<QualifiedName>,
    /// What it describes, in the order of its keys: first what is the document itself, and those of one
    /// key together.
    pub resources: Vec<Resource>,
}

/// Something live that is in no document, or not all of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// Which resource.
    pub address: Address,
    /// The relation that it belongs to.
    pub on: Option<QualifiedName>,
    /// The document that it would be in, where that is about no relation: its `kind:` and its name.
    pub document: Option<(&'static str, String)>,
    /// What it is, and why it is left out.
    pub what: String,
}

/// What is live, as documents.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Gathered {
    /// The documents, by kind and name.
    pub documents: Vec<Document>,
    /// What is in none.
    pub left_out: Vec<LeftOut>,
}

type Documents = BTreeMap<(&'static str, Option<QualifiedName>, String), Document>;

/// Writes everything in view that is wanted and not the server's own.
pub fn gather(view: &View<'_>, is_wanted: &dyn Fn(&Live) -> bool) -> Gathered {
    let mut left_out = Vec::new();
    let mut documents = Documents::new();
    for kind in kinds::all() {
        let id = kind.id();
        let own = view.live.values().filter(|live| live.address.kind == id && !live.system && is_wanted(live));
        for live in own {
            let mut leave = |document: Option<(&'static str, String)>, what: String| {
                let (address, on) = (live.address.clone(), live.on.clone());
                left_out.push(LeftOut { address, on, document, what });
            };
            let parts = match kind.export(live, view) {
                Export::Nothing => continue,
                Export::Unable => {
                    leave(None, format!("the {}, which this version cannot write", named(*kind, live)));
                    continue;
                }
                Export::LeftOut(why) => {
                    leave(None, why);
                    continue;
                }
                Export::Parts(parts) => parts,
            };
            for mut part in parts {
                let document = part.relation.is_none().then(|| (part.document, part.name.clone()));
                std::mem::take(&mut part.left_out).into_iter().for_each(|what| leave(document.clone(), what));
                if part.value != Json::Null && !add(&mut documents, *kind, live, part) {
                    leave(document, format!("the {}, which no document has", named(*kind, live)));
                }
            }
        }
    }
    let mut documents: Vec<Document> = documents.into_values().collect();
    for document in &mut documents {
        // What is the document itself comes first, whatever the order of creation.
        document.resources.sort_by_key(|resource| resource.order);
    }
    Gathered { documents, left_out }
}

/// Adds a part to its document; false where that has no such section.
fn add(documents: &mut Documents, kind: &dyn Kind, live: &Live, part: Part) -> bool {
    let Some(section) = kind.sections().iter().find(|it| it.document == part.document && it.key == part.key) else {
        return false;
    };
    let key = (part.document, part.relation.clone(), part.name.clone());
    let document = documents.entry(key).or_insert_with(|| Document {
        kind: part.document,
        name: part.name.clone(),
        relation: part.relation.clone(),
        resources: Vec::new(),
    });
    let sections = kinds::all().iter().flat_map(|kind| kind.sections()).filter(|it| it.document == part.document);
    let order = match part.key {
        "" => 0,
        key => 1 + sections.take_while(|it| it.key != key).count(),
    };
    document.resources.push(Resource { address: live.address.clone(), repeated: section.repeated, order, part });
    true
}

fn named(kind: &dyn Kind, live: &Live) -> String {
    match &live.on {
        Some(on) if on.name == live.address.name => kind.title().to_owned(),
        _ => format!("{} `{}`", kind.title(), live.address.name),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::core::KindId;
    use crate::kinds::Entries;

    /// A document `x` of parts by their keys and values.
    pub fn document(kind: &'static str, parts: &[(&'static str, Json)], joined: Option<&'static str>) -> Document {
        let resource = |(key, value): &(&'static str, Json)| {
            let part = Part { value: value.clone(), joined, ..Part::new(kind, "x", key, Entries::default()) };
            let address = Address::global(KindId::new("thing"), value.to_string());
            Resource { address, part, repeated: !key.is_empty(), order: 0 }
        };
        Document { kind, name: "x".to_owned(), relation: None, resources: parts.iter().map(resource).collect() }
    }
}
