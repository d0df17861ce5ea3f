//! Live resources, each written by its kind, as the documents that they make together.

use std::collections::BTreeMap;

use crate::core::{Address, Live, QualifiedName};
use crate::kinds::{self, Export, Kind, Part, View};

/// A resource that is written, and how.
#[derive(Clone, PartialEq, Debug)]
pub struct Resource {
    /// Which.
    pub address: Address,
    /// Its part of the document.
    pub part: Part,
    /// Whether it is one item of a list.
    pub repeated: bool,
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
    /// What it describes, in the order of its keys. Those of one key stand together.
    pub resources: Vec<Resource>,
}

/// Something live that is in no document, or not all of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// Which resource.
    pub address: Address,
    /// The relation that it belongs to.
    pub on: Option<QualifiedName>,
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

/// Writes everything in view that is wanted and not the server's own.
pub fn gather(view: &View<'_>, is_wanted: &dyn Fn(&Live) -> bool) -> Gathered {
    let mut found = Gathered::default();
    let mut documents: BTreeMap<(&'static str, Option<QualifiedName>, String), Document> = BTreeMap::new();
    for kind in kinds::all() {
        let id = kind.id();
        let own = view.live.values().filter(|live| live.address.kind == id && !live.system && is_wanted(live));
        for live in own {
            let mut leave = |what: String| {
                found.left_out.push(LeftOut { address: live.address.clone(), on: live.on.clone(), what });
            };
            let part = match kind.export(live, view) {
                Export::Nothing => continue,
                Export::Unable => {
                    leave(format!("the {}, which this version cannot write", named(*kind, live)));
                    continue;
                }
                Export::LeftOut(why) => {
                    leave(why);
                    continue;
                }
                Export::Part(part) => part,
            };
            part.left_out.iter().cloned().for_each(&mut leave);
            let section = kind.sections().iter().find(|it| it.document == part.document && it.key == part.key);
            let Some(section) = section else {
                leave(format!("the {}, which no `{}` document has", named(*kind, live), part.document));
                continue;
            };
            let key = (part.document, part.relation.clone(), part.name.clone());
            let document = documents.entry(key).or_insert_with(|| Document {
                kind: part.document,
                name: part.name.clone(),
                relation: part.relation.clone(),
                resources: Vec::new(),
            });
            let resource = Resource { address: live.address.clone(), repeated: section.repeated, part };
            // What is the document itself comes first, whatever the order of creation.
            match resource.part.key {
                "" => document.resources.insert(0, resource),
                _ => document.resources.push(resource),
            }
        }
    }
    found.documents = documents.into_values().collect();
    found
}

fn named(kind: &dyn Kind, live: &Live) -> String {
    match &live.on {
        Some(on) if on.name == live.address.name => kind.title().to_owned(),
        _ => format!("{} `{}`", kind.title(), live.address.name),
    }
}
