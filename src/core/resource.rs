//! A resource on each of its three sides: desired, live, and last applied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value as Json;

use crate::core::{Address, KindId, Place, QualifiedName, SourceLine, Value};

/// Some values by name. A resource has a handful of them, and there are thousands of resources: a node of
/// a `BTreeMap` has room for eleven, and takes a kilobyte.
pub type Named<V> = litemap::LiteMap<String, V>;

/// Writes them as a mapping, also where there are none: by itself the library writes an empty list then.
///
/// # Errors
/// The serializer's.
pub fn as_map<V: Serialize, S: Serializer>(named: &Named<V>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(named.iter())
}

/// Whether a policy wants the resource to be or not to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("default" = "present"))]
pub enum Ensure {
    /// It must exist as described.
    #[default]
    Present,
    /// It must not exist.
    Absent,
}

/// What policies want of one resource.
#[derive(Clone, PartialEq, Debug)]
pub struct Desired {
    /// Which resource.
    pub address: Address,
    /// The relation that it belongs to, where it belongs to one; what plans are grouped by.
    pub on: Option<QualifiedName>,
    /// Present or absent.
    pub ensure: Ensure,
    /// `protect: true`: nothing that deletes data may be planned for it.
    pub protect: bool,
    /// `when_missing: skip`: no error where the relation does not exist.
    pub skip_missing: bool,
    /// What the relation was called before, where the policy says so.
    pub on_before: Option<QualifiedName>,
    /// `moved: {from: …}`: which resource it was before it got its name.
    pub moved_from: Option<Address>,
    /// Something that several documents need of the server, and that is needed once: whether they go
    /// together is for the kind to say that needs it.
    pub shared: bool,
    /// Only the attributes that the policy manages. One that is not here is not compared.
    pub attributes: Named<Value>,
    /// Where the resource is described.
    pub place: Place,
    /// Where each attribute is written, for those that are. Settling leaves it as it is, so that it is kept once.
    pub places: Arc<Named<Place>>,
}

impl Desired {
    /// A present, unprotected resource without attributes.
    pub fn new(address: Address, on: Option<QualifiedName>, place: Place) -> Self {
        Self {
            address,
            on,
            ensure: Ensure::Present,
            protect: false,
            skip_missing: false,
            shared: false,
            on_before: None,
            moved_from: None,
            attributes: Named::new(),
            place,
            places: Arc::default(),
        }
    }

    /// Where an attribute is written, or else the whole resource.
    pub fn place_of(&self, attribute: &str) -> &Place {
        self.places.get(attribute).unwrap_or(&self.place)
    }

    /// Sets an attribute.
    pub fn set(&mut self, attribute: &str, value: impl Into<Value>) {
        self.attributes.insert(attribute.to_owned(), value.into());
    }

    /// Says where an attribute is written.
    pub fn set_place(&mut self, attribute: String, place: Place) {
        Arc::make_mut(&mut self.places).insert(attribute, place);
    }

    /// An attribute's value.
    pub fn get(&self, attribute: &str) -> Option<&Value> {
        self.attributes.get(attribute)
    }
}

/// What the database has of one resource.
#[derive(Clone, PartialEq, Debug)]
pub struct Live {
    /// Which resource.
    pub address: Address,
    /// The relation that it belongs to, where it belongs to one.
    pub on: Option<QualifiedName>,
    /// Every attribute that the kind can observe.
    pub attributes: Named<Value>,
    /// What templates and messages need and nobody compares: a job's id, an index's validity.
    pub facts: Named<Value>,
    /// The attributes and facts that a job of the server's may change at any time, such as whether an
    /// aggregate was ever refreshed. A plan that saw them otherwise is as true as before: what they change of
    /// its statements, the gate sees.
    pub passing: &'static [&'static str],
    /// Made by the server or by TimescaleDB itself: never drift, never unmanaged.
    pub system: bool,
    /// A job that an operator has paused (`scheduled = false`).
    pub paused: bool,
}

impl Live {
    /// A resource without attributes.
    pub fn new(address: Address, on: Option<QualifiedName>) -> Self {
        Self { address, on, attributes: Named::new(), facts: Named::new(), passing: &[], system: false, paused: false }
    }

    /// Sets an attribute.
    pub fn set(&mut self, attribute: &str, value: impl Into<Value>) {
        self.attributes.insert(attribute.to_owned(), value.into());
    }

    /// An attribute's value.
    pub fn get(&self, attribute: &str) -> Option<&Value> {
        self.attributes.get(attribute)
    }

    /// Sets a fact.
    pub fn set_fact(&mut self, fact: &str, value: impl Into<Value>) {
        self.facts.insert(fact.to_owned(), value.into());
    }

    /// A fact.
    pub fn fact(&self, fact: &str) -> Option<&Value> {
        self.facts.get(fact)
    }
}

/// What the ledger remembers of one resource.
#[derive(Clone, PartialEq, Debug)]
pub struct Applied {
    /// Which resource.
    pub address: Address,
    /// The relation that it belongs to.
    pub on: Option<QualifiedName>,
    /// The managed attributes as they were after the last apply, in [`Value::to_json`]'s form.
    pub attributes: Named<Json>,
    /// Adopted as it was found, rather than created.
    pub adopted: bool,
    /// The policy that asked for it, where that was recorded.
    pub source: Option<SourceLine>,
    /// When it was last applied, in the words of RFC 3339.
    pub at: Option<String>,
    /// A later run that began to change it, and has not ended that.
    pub begun: Option<Begun>,
}

/// A run that began to change a resource, and has not ended that: it was interrupted, or goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Begun {
    /// The run's number in the ledger.
    pub run: i64,
    /// Whether it took a job away that was paused, and is to be made again as one that is.
    pub paused: bool,
    /// Whether it took the resource away, and was to make it again afterwards.
    pub away: bool,
}

/// Where the policy file is that a resource was applied from, seen from those at hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whence {
    /// Among those at hand, or never recorded: what it no longer mentions is no longer wanted.
    Given,
    /// Not among them, and still there: somebody else's, who may well want it.
    Elsewhere,
    /// Not among them, and not there any more, as seen from here: moved, or of another folder.
    Gone,
}

/// What has resources that belong to no relation, by kind: a role that privileges are granted to,
/// the level at which settings are set. A resource's container is what stands for a schema in its
/// address. Of a container that a policy describes, what is no longer in the policy goes, where
/// Chronoform applied it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Containers(pub BTreeMap<KindId, BTreeSet<String>>);

impl Containers {
    /// Whether an address is in one of them.
    pub fn is_in_one(&self, address: &Address) -> bool {
        let container = address.schema.as_ref();
        container.is_some_and(|name| self.0.get(&address.kind).is_some_and(|known| known.contains(name)))
    }
}
