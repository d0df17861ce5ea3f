//! What has another name than when it was applied: the ledger's memory of it goes along.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::{Address, Applied, Desired, Live, Place, QualifiedName};
use crate::diag::{Diagnostic, code};
use crate::kinds::Relations;

/// A resource under its new address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Moved {
    /// The address that it was applied under.
    pub from: Address,
    /// The address that it has now.
    pub to: Address,
    /// The relation that it belongs to now.
    pub on: Option<QualifiedName>,
}

/// What there is now.
pub struct Now<'a> {
    /// What the policies want.
    pub desired: &'a BTreeMap<Address, Desired>,
    /// What the database has, under the addresses that the policies give it.
    pub live: &'a BTreeMap<Address, Live>,
    /// The relations that are there, of those that policies and ledger speak of.
    pub relations: &'a Relations,
}

/// What the ledger remembers, under the addresses of now: of a table that the policies say was called
/// otherwise, and that no longer is; and of single resources likewise. What is remembered under the new
/// address already is left as it is. Nothing moves while anything has the old name.
pub fn follow(
    applied: BTreeMap<Address, Applied>,
    tables: &BTreeMap<QualifiedName, QualifiedName>,
    now: &Now<'_>,
) -> (BTreeMap<Address, Applied>, Vec<Moved>) {
    let renamed: BTreeMap<&QualifiedName, &QualifiedName> = tables
        .iter()
        .filter(|(from, to)| !now.relations.contains_key(from) && now.relations.contains_key(to))
        .collect();
    let single: BTreeMap<&Address, &Address> =
        now.desired.values().filter_map(|desired| Some((desired.moved_from.as_ref()?, &desired.address))).collect();
    if renamed.is_empty() && single.is_empty() {
        return (applied, Vec::new());
    }
    let known: BTreeSet<Address> = applied.keys().cloned().collect();
    let (mut followed, mut moved) = (BTreeMap::new(), Vec::new());
    for (from, mut it) in applied {
        let table = it.on.as_ref().and_then(|on| renamed.get_key_value(on));
        if let Some((before, after)) = table {
            it.address = readdressed(&from, before, after);
            it.on = Some((*after).clone());
        }
        if let Some(to) = single.get(&it.address).filter(|_| !now.live.contains_key(&it.address)) {
            it.address = (*to).clone();
        }
        if it.address != from && known.contains(&it.address) {
            it.address = from.clone();
        }
        if it.address != from || table.is_some() {
            moved.push(Moved { from: from.clone(), to: it.address.clone(), on: it.on.clone() });
        }
        followed.insert(it.address.clone(), it);
    }
    (followed, moved)
}

/// That `moved` has done what it is for: the ledger knows the new name, and nothing by the old one. `applied`
/// and `moved` are what [`follow`] gave, `documents` tells where a relation's document begins, and
/// `in_sync` what is as its policy wants it: what is not may yet have its old name.
pub fn recorded(
    (applied, moved): (&BTreeMap<Address, Applied>, &[Moved]),
    tables: &BTreeMap<QualifiedName, QualifiedName>,
    now: &Now<'_>,
    documents: &BTreeMap<QualifiedName, Place>,
    in_sync: &[Address],
) -> Vec<Diagnostic> {
    let on = |name: &QualifiedName| applied.values().any(|it| it.on.as_ref() == Some(name));
    let mut found = Vec::new();
    for (from, to) in tables {
        let is_now = moved.iter().any(|it| it.on.as_ref() == Some(to));
        if !is_now && on(to) && !on(from) && now.relations.contains_key(to) && !now.relations.contains_key(from) {
            found.extend(documents.get(to).map(|place| done(&from.to_string(), &to.to_string(), place)));
        }
    }
    for desired in now.desired.values() {
        let (Some(from), to) = (&desired.moved_from, &desired.address) else { continue };
        let is_now = moved.iter().any(|it| it.to == *to);
        let gone = !applied.contains_key(from) && !now.live.contains_key(from);
        if !is_now && gone && applied.contains_key(to) && in_sync.contains(to) {
            found.push(done(&from.name, &to.name, desired.place_of("name")));
        }
    }
    found
}

fn done(from: &str, to: &str, place: &Place) -> Diagnostic {
    let message =
        format!("`{to}` is recorded under that name, and nothing is under `{from}`: `moved` does nothing more");
    Diagnostic::note(&code::MOVED, message)
        .at(place)
        .help("take it out of the policy, once this is so in every database that the policy is for")
}

/// The address of something on a table that has another name, or is in another schema, now.
fn readdressed(address: &Address, before: &QualifiedName, after: &QualifiedName) -> Address {
    let mut address = address.clone();
    if address.schema.as_ref() == Some(&before.schema) {
        address.schema = Some(after.schema.clone());
        if address.name == before.name {
            address.name.clone_from(&after.name);
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{KindId, Place};
    use crate::kinds::{Relation, fixture};

    fn address(kind: &str, schema: &str, name: &str) -> Address {
        Address::in_schema(KindId::read(kind), &QualifiedName::new(schema, name))
    }

    fn applied(address: Address, on: &QualifiedName) -> (Address, Applied) {
        let attributes = crate::core::Named::from_iter([("a".to_owned(), serde_json::json!(1))]);
        let on = Some(on.clone());
        (address.clone(), Applied { address, on, attributes, adopted: true, source: None, at: None, begun: None })
    }

    fn moved(list: &[Moved]) -> Vec<String> {
        list.iter().map(|it| format!("{} → {}", it.from, it.to)).collect()
    }

    #[test]
    fn a_renamed_table_takes_along_what_is_on_it() {
        let (old, new) = (QualifiedName::new("public", "old"), QualifiedName::new("app", "new"));
        let tables = BTreeMap::from([(old.clone(), new.clone())]);
        let remembered = || {
            BTreeMap::from([
                applied(address("retention", "public", "old"), &old),
                applied(address("index", "public", "ix"), &old),
                applied(address("index", "public", "other"), &QualifiedName::new("public", "others")),
            ])
        };
        let relation = |name: &QualifiedName| {
            let relation = Relation { name: name.clone(), ..fixture::table() };
            Relations::from([(name.clone(), relation)])
        };
        let ask = |relations: &Relations| {
            let now = Now { desired: &BTreeMap::new(), live: &BTreeMap::new(), relations };
            follow(remembered(), &tables, &now)
        };
        let (followed, told) = ask(&relation(&new));
        assert_eq!(moved(&told), ["index.public.ix → index.app.ix", "retention.public.old → retention.app.new"]);
        let kept = &followed[&address("retention", "app", "new")];
        assert_eq!((kept.on.as_ref(), kept.adopted, kept.attributes.len()), (Some(&new), true, 1));
        assert!(followed.contains_key(&address("index", "public", "other")));
        // The migration has not run yet, or something has the old name again.
        assert_eq!(ask(&relation(&old)).1, []);
        assert_eq!(ask(&relation(&old).into_iter().chain(relation(&new)).collect()).1, []);
    }

    #[test]
    fn what_is_recorded_needs_no_moved_block() {
        let (old, new) = (QualifiedName::new("public", "old"), QualifiedName::new("app", "new"));
        let (ix_old, ix_new) = (address("index", "app", "ix_old"), address("index", "app", "ix_new"));
        let place = Place { file: "x".into(), line: 1, column: 1, start: 0, end: 1, via: None };
        let mut wanted = Desired::new(ix_new.clone(), Some(new.clone()), place.clone());
        wanted.moved_from = Some(ix_old.clone());
        let desired = BTreeMap::from([(ix_new.clone(), wanted)]);
        let tables = BTreeMap::from([(old.clone(), new.clone())]);
        let documents = BTreeMap::from([(new.clone(), place)]);
        let relation = |name: &QualifiedName| (name.clone(), Relation { name: name.clone(), ..fixture::table() });
        let ask = |applied: &[(&Address, &QualifiedName)], relations: Relations, in_sync: &[Address]| {
            let applied = applied.iter().map(|(address, on)| self::applied((*address).clone(), on)).collect();
            let now = Now { desired: &desired, live: &BTreeMap::new(), relations: &relations };
            let (applied, moved) = follow(applied, &tables, &now);
            recorded((&applied, &moved), &tables, &now, &documents, in_sync).len()
        };
        let both = Relations::from([relation(&old), relation(&new)]);
        let one = || Relations::from([relation(&new)]);
        let in_sync = [ix_new.clone()];
        assert_eq!(ask(&[(&ix_new, &new)], one(), &in_sync), 2, "the table and its index");
        assert_eq!(ask(&[(&ix_new, &new)], one(), &[]), 1, "the index has its old name yet, or differs");
        assert_eq!(ask(&[(&ix_new, &new)], both, &in_sync), 1, "the migration was undone");
        assert_eq!(ask(&[(&ix_old, &new)], one(), &in_sync), 0, "it moves just now");
        assert_eq!(ask(&[(&ix_new, &old)], one(), &in_sync), 0, "the table moves just now");
        assert_eq!(ask(&[], one(), &in_sync), 0, "without a record there is nothing to tell it by");
    }

    #[test]
    fn a_single_resource_moves_once_and_never_over_another() {
        let on = QualifiedName::new("public", "t");
        let (old, new) = (address("index", "public", "a"), address("index", "public", "b"));
        let place = Place { file: "x".into(), line: 1, column: 1, start: 0, end: 0, via: None };
        let mut wanted = Desired::new(new.clone(), Some(on.clone()), place);
        wanted.moved_from = Some(old.clone());
        let desired = BTreeMap::from([(new.clone(), wanted)]);
        let ask = |remembered: &[&Address], live: &[&Address]| {
            let remembered = remembered.iter().map(|address| applied((*address).clone(), &on)).collect();
            let live = live.iter().map(|a| ((*a).clone(), Live::new((*a).clone(), Some(on.clone())))).collect();
            let now = Now { desired: &desired, live: &live, relations: &Relations::new() };
            follow(remembered, &BTreeMap::new(), &now)
        };
        let (followed, told) = ask(&[&old], &[&new]);
        assert_eq!(moved(&told), ["index.public.a → index.public.b"]);
        assert_eq!(followed.keys().collect::<Vec<_>>(), [&new]);
        assert_eq!(ask(&[&new], &[&new]).1, [], "it was done already");
        assert_eq!(ask(&[&old, &new], &[&new]).1, [], "it is known under both names");
        assert_eq!(ask(&[&old], &[&old, &new]).1, [], "both are there");
    }
}
