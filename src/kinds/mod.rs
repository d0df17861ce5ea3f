//! The kinds of resource, one folder each, and the registry that names them.
//!
//! A kind says four things: which section of which document describes it (`desired.rs`), how to
//! read it from the catalog (`observe.rs`), how each of its attributes is changed (`rules.rs`, a
//! table), and what it knows that no table can hold (`mod.rs`): what the server would make of a
//! desired value, and what a change would touch. No room outside names a kind.
//!
//! `import` goes the other way. A kind's `export.rs` writes a live resource as the section (or, for a
//! kind that is a whole document, the document) that would make it: see [`Kind::export`] and
//! [`Export`]. It writes the least that leaves the plan empty and makes a bare copy of the database
//! the same: no value that the server would choose anyway, short forms before long ones, keys in the
//! order of the shipped policies ([`Entries`] keeps it). It leans on what the siblings provide:
//! [`key::written`] for key columns, [`schedule::written`] for jobs, [`reloption::written`] for storage
//! parameters. What no policy can say is a remark ([`Export::but`]) or, where nothing can be said at
//! all, [`Export::LeftOut`]; whatever is [`Live::system`](crate::core::Live) is never asked for. A
//! relation's document is [`View::document_of`]'s to tell, so that one `export` serves every document
//! that the section may stand in. Several resources may make one document, or one item of a list: see
//! [`Part`]. Resources that belong to no relation are found by [`Kind::discover`]. Whether the result is right is checked each time: `import` reads what it wrote
//! and compares it with what is live.

pub mod archive;
pub mod archive_store;
pub mod backup;
pub mod bucket;
pub mod checks;
pub mod chunks;
mod columnstore;
mod continuous_aggregate;
pub mod discover;
pub mod document;
pub mod export;
mod extension;
#[cfg(test)]
pub(crate) mod fixture;
mod grant;
mod hypertable;
mod index;
pub mod job;
pub mod key;
mod recompression;
mod refresh;
pub mod registry;
pub mod reloption;
mod reorder;
pub mod repository;
mod retention;
mod role;
pub mod rules;
pub mod schedule;
pub mod section;
pub mod select;
pub mod setting;
mod storage;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::core::{
    Address, Alike, Applied, ClosedBy, Containers, Delta, Desired, Hazard, Impact, KindId, Live, Op, Place,
    QualifiedName, Query, Row, RowError, Server, SqlText, Step, Task, Value, stack,
};
use crate::diag::{Code, Diagnostic, code};

pub use discover::{Beside, Discovered, Owner};
pub use export::{Entries, Export, Part};
pub use registry::{all, by_id};
pub use rules::{AttributeRule, How, LockOn, Needs, Rules, StepRule, Target, Variant};
pub use section::{Head, Section, SectionInput};
pub use view::{
    Canon, Column, Dimension, Hypertable, KnownAs, Relation, RelationKind, Relations, Scope, Stored, Untold, View,
};

/// A kind of resource.
pub trait Kind: Sync {
    /// The name in addresses, folders and templates.
    fn id(&self) -> KindId;

    /// What one of them is called in a sentence, such as `retention policy`.
    fn title(&self) -> &'static str;

    /// How each attribute is changed, and how the whole is created and removed.
    fn rules(&self) -> &'static Rules;

    /// The document sections that describe it.
    fn sections(&self) -> &'static [Section];

    /// Which command closes its differences.
    fn closed_by(&self) -> ClosedBy {
        ClosedBy::Apply
    }

    /// Whether what there is of it is in no database, so that somebody looks for it elsewhere.
    fn is_outside(&self) -> bool {
        false
    }

    /// The codes of its own diagnostics.
    fn codes(&self) -> &'static [&'static Code] {
        &[]
    }

    /// The one query that reads every resource of this kind in scope; `None` where the server has
    /// none of it. The number of queries must not depend on the number of objects.
    fn observe(&self, server: &Server, scope: &Scope) -> Option<Query>;

    /// The same for what can only be looked for by what the policies say of it, such as an age.
    fn observe_wanted(
        &self,
        server: &Server,
        scope: &Scope,
        _desired: &BTreeMap<Address, Desired>,
        _relations: &Relations,
    ) -> Option<Query> {
        self.observe(server, scope)
    }

    /// The resources in that query's rows.
    ///
    /// # Errors
    /// When the catalog is not as the query expects it.
    fn read(&self, rows: &[Row], relations: &Relations) -> Result<Vec<Live>, RowError>;

    /// Gives resources whose names the server does not keep the addresses by which policies and the
    /// ledger know them, and leaves out those that nobody knows. `applied` is what the ledger
    /// remembers or, while a plan is carried out, what it saw.
    fn identify(
        &self,
        found: Vec<Live>,
        _desired: &BTreeMap<Address, Desired>,
        _applied: &BTreeMap<Address, Applied>,
    ) -> Vec<Live> {
        found
    }

    /// The query for all resources of this kind that belong to no relation, the server's own left out;
    /// `None` for a kind of relations, and where none of them are asked for. What it finds beyond what is
    /// asked for is counted, so that somebody can ask for it; what is asked for is then observed by name,
    /// as if policies spoke of it.
    ///
    /// # Errors
    /// Why what is asked for cannot be found.
    fn discover(&self, _server: &Server, _beside: &Beside) -> Result<Option<Query>, Diagnostic> {
        Ok(None)
    }

    /// The resources in that query's rows.
    ///
    /// # Errors
    /// When the catalog is not as the query expects it.
    fn discovered(&self, rows: &[Row]) -> Result<Vec<Discovered>, RowError> {
        let of_database = |name: &str| Discovered { container: None, name: name.to_owned(), owner: Owner::Database };
        rows.iter().map(|row| row.text("name").map(of_database)).collect()
    }

    /// A live resource as the part of a document that would make it: the inverse of
    /// [`Section::expand`](Section), and the least that leaves the plan empty. The scope is then one with
    /// [`Scope::export`]; `view.desired` is empty. Not asked for what is the server's own.
    fn export(&self, _live: &Live, _view: &View<'_>) -> Export {
        Export::Unable
    }

    /// The expressions whose canonical form decides whether two resources are the same, each with
    /// the relation that they are over. Asked only where both sides exist; give those of both sides,
    /// and only where their texts differ.
    fn expressions(&self, _desired: &Desired, _live: Option<&Live>) -> Vec<(QualifiedName, SqlText)> {
        Vec::new()
    }

    /// The expressions of what was last applied that are to tell [`Kind::means_same`] whether the
    /// policy has changed since: those whose texts differ from the policy's, with the policy's own.
    fn applied_expressions(&self, _desired: &Desired, _applied: &Applied) -> Vec<(QualifiedName, SqlText)> {
        Vec::new()
    }

    /// The whole queries whose canonical form decides whether two resources are the same: those of
    /// all sides that differ in text from another. They are found under the resource's relation.
    fn queries(&self, _desired: &Desired, _live: Option<&Live>, _applied: Option<&Applied>) -> Vec<SqlText> {
        Vec::new()
    }

    /// The query that the resource makes its relation of, where it makes one: then what else is on
    /// that relation finds it among [`View::relations`], with its columns, before it exists, and with
    /// those of the query to come ([`Relation::to_come`]) where the plan makes it anew.
    fn makes(&self, _desired: &Desired) -> Option<SqlText> {
        None
    }

    /// Whether a plan makes the relation of a resource anew, of the query that [`Kind::makes`] gives.
    fn is_made_anew(&self, _desired: &Desired, _live: &Live, _canon: &Canon) -> bool {
        false
    }

    /// The relations beside its own that a resource looks at, so that they are in scope too.
    fn reads(&self, _desired: &Desired) -> Vec<QualifiedName> {
        Vec::new()
    }

    /// Whether actions of another kind depend on what policies say of one of this kind, whatever relation that
    /// is about.
    fn bears_on(&self, _desired: &Desired, _other: &KindId) -> bool {
        false
    }

    /// Whether its live resources have no names, and so get theirs from [`Kind::identify`].
    fn is_nameless(&self) -> bool {
        false
    }

    /// Whether an attribute as it was applied means what the policy wants of it, though it reads
    /// differently.
    fn means_same(&self, _desired: &Desired, _attribute: &str, _applied: &Json, _canon: &Canon) -> bool {
        false
    }

    /// The containers of this kind that the policies describe as a whole, where its resources belong to
    /// no relation and have a container in place of a schema in their address. What is live in one, was
    /// applied, and is in no policy any more is removed.
    fn containers(&self, _desired: &BTreeMap<Address, Desired>) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// What is said where work was done and more of it is due by then, although nothing failed; `None` where that
    /// must not be.
    fn left(&self, _steps: &[Step], _live: &Live) -> Option<Diagnostic> {
        None
    }

    /// Whether what a statement did to a resource may be seen only some moments after its end, so that
    /// it is looked at again before it counts as not done.
    fn comes_late(&self, _address: &Address) -> bool {
        false
    }

    /// Brings a desired resource to the form in which the server would show it, and says what the
    /// live server makes impossible. `None` drops the resource from the plan: an error was
    /// reported, or the policy says to skip it.
    fn settle(&self, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired>;

    /// Whether a second description of a resource in one document says what the first one does not, so that
    /// the two go together; the first then says both.
    fn unite(&self, _first: &mut Desired, _again: &Desired) -> bool {
        false
    }

    /// What only the desired side of the policies can tell, offline: conflicts between resources.
    /// Called once, with the resources of this kind that no error was found in, in the order of
    /// their addresses, and with all resources of all kinds at hand.
    fn check(&self, _own: &[&Desired], _all: &BTreeMap<Address, Desired>, _sink: &mut Vec<Diagnostic>) {}

    /// What only all of its settled resources together tell, beside the live side. Called once a plan.
    fn review(&self, _settled: &[&Desired], _view: &View<'_>, _sink: &mut Vec<Diagnostic>) {}

    /// What its templates need beyond the attributes and facts.
    fn context(&self, _delta: &Delta, _view: &View<'_>) -> BTreeMap<String, Value> {
        BTreeMap::new()
    }

    /// What a step, by the path of its template, is done to, one after another, where that is more than
    /// the resource as a whole: it is then made once for every item, which the template finds as `item`,
    /// and is a transaction of its own. `weights` are as in [`Kind::judge`].
    ///
    /// # Errors
    /// When those rows are not as expected.
    fn items(
        &self,
        _template: &str,
        _delta: &Delta,
        _weights: &[Row],
        _view: &View<'_>,
    ) -> Result<Option<Vec<Value>>, RowError> {
        Ok(None)
    }

    /// The work that the step for an item is, where it is more than a statement. Its template then only
    /// tells it, in the statements that it consists of.
    fn task(&self, _item: &Value) -> Option<Task> {
        None
    }

    /// What a step of one template is made for, where that is not the resource itself: it is then made
    /// once for every item, which the template finds as `item`, all in the same transaction.
    ///
    /// # Errors
    /// When the weights, which are as in [`Kind::judge`], are not as expected.
    fn repeated(
        &self,
        _template: &str,
        _delta: &Delta,
        _weights: &[Row],
        _view: &View<'_>,
    ) -> Result<Option<Vec<Value>>, RowError> {
        Ok(None)
    }

    /// Whether a condition of its own holds, by the name that a [`Needs::when`] of its rules gives
    /// it. `weights` are as in [`Kind::judge`]; what they do not tell does not hold.
    fn holds(&self, _condition: &str, _delta: &Delta, _weights: &[Row], _view: &View<'_>) -> bool {
        false
    }

    /// Whether an attribute that Chronoform applied, and that the policy no longer lists, goes back to
    /// the server's default. Then its rule must know how. Otherwise it is left as it is.
    fn forgets(&self, _attribute: &str) -> bool {
        false
    }

    /// Whether an attribute is one that settling adds and no policy writes, such as whether an index is
    /// valid: a difference in it is not the policy's doing, as long as the policy was so when it was
    /// applied.
    fn is_derived(&self, _attribute: &str, _desired: &Desired, _applied: &Applied) -> bool {
        false
    }

    /// Whether closing a delta that makes a resource again fills it only because there was one.
    fn fills_what_was_there(&self, _delta: &Delta, _view: &View<'_>) -> bool {
        false
    }

    /// Whether a difference in an attribute may be what a run of one's own left where it was cut off: then it is
    /// nobody else's doing.
    fn is_left_over(&self, _attribute: &str) -> bool {
        false
    }

    /// Whether an attribute is only there where work was begun that any plan goes on with, whatever the policy says.
    fn is_gone_on_with(&self, _attribute: &str) -> bool {
        false
    }

    /// What one that nobody manages is or has, where its address does not say it.
    fn tells(&self, _live: &Live) -> Option<String> {
        None
    }

    /// What an attribute is called in reports, where its own name would say nothing to a reader.
    fn label(&self, _attribute: &str) -> Option<&'static str> {
        None
    }

    /// Both sides of a change in the server's own form, where policies may write the same in many ways.
    fn alike(&self, _delta: &Delta, _attribute: &str, _view: &View<'_>) -> Option<Alike> {
        None
    }

    /// The one query that counts what these deltas would touch; `None` where nothing is to count.
    fn weigh(&self, _deltas: &[&Delta], _view: &View<'_>) -> Option<Query> {
        None
    }

    /// What a delta's action comes after, where the same plan acts on that too. Beyond it, actions
    /// keep the usual order: whole-database objects first, then table by table, kind by kind. A
    /// removal is asked too: it names what must be gone before it.
    fn requires(&self, _delta: &Delta, _view: &View<'_>) -> Vec<After> {
        Vec::new()
    }

    /// Whether closing a delta takes everything along that is on its relation. What the policies want
    /// of that is then made again, and the rest is gone.
    fn takes_along(&self, _delta: &Delta) -> bool {
        false
    }

    /// Whether a resource goes with relations that are made anew, though it is on none of them, and can be
    /// made again: what was made from them, or is granted on them.
    fn goes_with(&self, _desired: &Desired, _live: &Live, _gone: &BTreeSet<QualifiedName>) -> bool {
        false
    }

    /// What is left of a live resource that goes with some relations, where it is on others as well; `None`
    /// where nothing is.
    fn left_of(&self, _live: &Live, _gone: &BTreeSet<QualifiedName>) -> Option<Live> {
        None
    }

    /// What a live resource that is on several things has once relations are made that it is to be on as well; `None`
    /// where it is to be on none of these.
    fn joined_by(&self, _live: &Live, _new: &BTreeSet<QualifiedName>) -> Option<Live> {
        None
    }

    /// Whether a resource that is on no relation of its own is another one where one of these is.
    fn is_about(&self, _address: &Address, _relations: &BTreeSet<QualifiedName>) -> bool {
        false
    }

    /// Whether bringing another resource of this kind to its policy changes what there is live of this one.
    fn is_changed_by(&self, _address: &Address, _other: &Address) -> bool {
        false
    }

    /// The relation that is to be there when a delta is closed, although that makes nothing on it: what takes it
    /// away, to make it anew or not, waits.
    fn needs_still(&self, _delta: &Delta) -> Option<QualifiedName> {
        None
    }

    /// Whether one that is made again because what it was made from is made anew is made by the same
    /// transaction.
    fn is_made_along(&self, _delta: &Delta, _view: &View<'_>) -> bool {
        false
    }

    /// The relations that the rows of its own are made from, where the server makes them.
    fn made_from(&self, _desired: &Desired, _live: Option<&Live>) -> Vec<QualifiedName> {
        Vec::new()
    }

    /// Whether closing a delta makes rows of what they are made from, from its beginning on.
    fn fills(&self, _delta: &Delta, _view: &View<'_>) -> bool {
        false
    }

    /// Whether the server takes a resource along where a delta is closed, though no policy speaks of it.
    fn ends(&self, _delta: &Delta, _other: &Address) -> bool {
        false
    }

    /// What closing a delta makes its own, though it has an address that no policy speaks of: it is there
    /// no more under that.
    fn takes_over(&self, _delta: &Delta, _view: &View<'_>) -> Option<Address> {
        None
    }

    /// Whether its action comes after everything else of the plan: one that begins to delete, so that
    /// whatever is to read the rows, or works on them, has done so. What waits for a relation does not
    /// wait for it.
    fn comes_at_the_end(&self, _delta: &Delta) -> bool {
        false
    }

    /// Whether a removal comes after everything that `others`, the other deltas of its table, make:
    /// so that a failure on the way does not leave the table without either. Otherwise it comes first.
    fn is_removed_last(&self, _removal: &Delta, _others: &[&Delta], _view: &View<'_>) -> bool {
        false
    }

    /// What a delta costs. `weights` are all rows of [`Kind::weigh`]'s query.
    ///
    /// # Errors
    /// When those rows are not as expected.
    fn judge(&self, _delta: &Delta, _op: Op, _weights: &[Row], _view: &View<'_>) -> Result<Judgement, RowError> {
        Ok(Judgement::default())
    }

    /// The same, where it depends on what else the plan does: `others` are all of its deltas.
    ///
    /// # Errors
    /// As [`Kind::judge`].
    fn judge_among(
        &self,
        delta: &Delta,
        _others: &[Delta],
        op: Op,
        weights: &[Row],
        view: &View<'_>,
    ) -> Result<Judgement, RowError> {
        self.judge(delta, op, weights, view)
    }

    /// Whether a value goes without saying where the resource is created, so that plans need not show it.
    fn is_implied(&self, _attribute: &str, _value: &Value) -> bool {
        false
    }

    /// The query that tells when the server last wrote the catalog rows behind resources, and who owns
    /// their jobs; `None` where the catalog does not tell. Its parameters are the addresses' schemas
    /// (text[], null where a kind has none) and names (text[]); its columns `schema`, `name`,
    /// `written` (text, null where commit times are not kept) and `owner` (text).
    fn written(&self, _server: &Server) -> Option<String> {
        None
    }

    /// The query that tells how far a running step has come, as one row with `done`, `total` and
    /// `phase`; `None` where the server does not say. Asked on a second session, if there is one.
    fn progress(&self) -> Option<&'static str> {
        None
    }
}

/// What an action comes after.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum After {
    /// The action on one resource.
    Resource(Address),
    /// Every action on what belongs to a relation.
    Relation(QualifiedName),
}

/// What a kind says of one delta beyond its table of rules.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Judgement {
    /// Hazards beside those that the steps declare.
    pub hazards: Vec<Hazard>,
    /// What it touches.
    pub impact: Option<Impact>,
    /// Why it cannot be done. Any error here blocks the action.
    pub diagnostics: Vec<Diagnostic>,
    /// The relations beside its own that lose rows by it.
    pub losers: BTreeSet<QualifiedName>,
}

/// The relations beside its own that a resource looks at.
pub fn reads(desired: &Desired) -> Vec<QualifiedName> {
    by_id(&desired.address.kind).map(|kind| kind.reads(desired)).unwrap_or_default()
}

/// The containers that the policies describe as a whole, of every kind.
pub fn containers(desired: &BTreeMap<Address, Desired>) -> Containers {
    let of = |kind: &&dyn Kind| (kind.id(), kind.containers(desired));
    Containers(all().iter().map(of).filter(|(_, containers)| !containers.is_empty()).collect())
}

/// A document of a kind that a relation is not described by: there, its sections would mean something
/// else.
pub fn misdescribed(relation: &QualifiedName, document: &str, place: &Place, view: &View<'_>) -> Option<Diagnostic> {
    let stored = &view.relations.get(relation)?.stored;
    let described_by = view.document_of(relation);
    if *stored == Stored::Itself || described_by == document {
        return None;
    }
    let words = described_by.replace('_', " ");
    let message = format!("{relation} is a {words}, and no document `kind: {document}` describes one");
    let error = Diagnostic::error(&code::NOT_A_TABLE, message).at(place);
    Some(error.help(format!(
        "write `kind: {described_by}`; it has `columnstore`, `retention`, `indexes` and more of its own"
    )))
}

/// Brings every desired resource to the server's form, kind by kind in the registry's order. What
/// comes back is what can be compared; what was set aside has an error or a reason to be skipped.
pub fn settle(view: &View<'_>, sink: &mut Vec<Diagnostic>) -> BTreeMap<Address, Desired> {
    let mut of_kind: BTreeMap<&KindId, Vec<&Desired>> = BTreeMap::new();
    for desired in view.desired.values() {
        of_kind.entry(&desired.address.kind).or_default().push(desired);
    }
    let mut settled = Vec::new();
    for kind in all() {
        let own = of_kind.remove(&kind.id()).unwrap_or_default();
        let each = stack::spread(own, |desired| {
            let mut found = Vec::new();
            let settled = kind.settle(desired, view, &mut found);
            let found: Vec<Diagnostic> = found.into_iter().map(|said| said.about(&desired.address)).collect();
            (settled, found)
        });
        let first = settled.len();
        for (desired, found) in each {
            sink.extend(found);
            settled.extend(desired);
        }
        let own: Vec<&Desired> = settled.iter().skip(first).collect();
        kind.review(&own, view, sink);
    }
    settled.into_iter().map(|desired: Desired| (desired.address.clone(), desired)).collect()
}
