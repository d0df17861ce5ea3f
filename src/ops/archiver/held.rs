//! What has expired in a store and stays all the same: without it, an older copy would count again. That one may be in
//! another store, or where nobody can look.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::core::{Desired, Value};
use crate::kinds::archive_store::HELD;
use crate::ledger::ArchivedRecord;
use crate::ops::archiver::replaced::Others;
use crate::ops::archiver::{Contents, Entry, Span, known};

/// What keeps copies of a store from going.
pub struct Held<'a> {
    /// What is in the other stores of the policies.
    pub beside: Others,
    /// What is in any, its own too.
    pub seen: Others,
    /// Tables of which a manifest cannot be read, as their parts of a store are called.
    pub unread: BTreeSet<String>,
    /// What the ledger knows to be where no policy says that a store is, or is not where it should be.
    pub unseen: Vec<&'a ArchivedRecord>,
    /// What was held when the plan was made.
    pub before: BTreeSet<String>,
}

impl<'a> Held<'a> {
    /// By what was held when a plan was made alone.
    pub fn before(desired: &Desired, own: &str) -> Self {
        let held = desired.get(HELD).map(Value::as_list).unwrap_or_default();
        let before = held.iter().filter_map(Value::as_text).map(|name| format!("{own}/{name}")).collect();
        let nothing = || Others::of(std::iter::empty());
        Self { beside: nothing(), seen: nothing(), unread: BTreeSet::new(), unseen: Vec::new(), before }
    }

    /// Whether a copy stays.
    pub fn has(&self, entry: &Entry) -> bool {
        self.before.contains(&entry.name)
            || self.beside.hidden_by(entry)
            || self.seen.are_without(entry) && self.unread.contains(shelf(&entry.name))
            || self.unseen_behind(entry).is_some()
    }

    /// What nobody can see, and may count again without a copy.
    pub fn unseen_behind(&self, entry: &Entry) -> Option<&'a ArchivedRecord> {
        let replaces_unseen = self.seen.are_without(entry);
        let taken = entry.manifest.taken_at.parse::<Timestamp>().map_or(i64::MAX, Timestamp::as_microsecond);
        let span = Span::of(entry.manifest.range.as_ref());
        let is_behind = |record: &&&ArchivedRecord| {
            let chunk = &record.chunk;
            let is_same = || !entry.manifest.names_all() && entry.name.starts_with(&chunk.file) && record.at.0 < taken;
            chunk.table == entry.manifest.relation
                && (replaces_unseen && known::overlaps(chunk, &span) || chunk.place != entry.place() && is_same())
        };
        self.unseen.iter().find(is_behind).copied()
    }
}

/// The part of a store that a manifest's name is in.
pub fn shelf(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(shelf, _)| shelf)
}

/// The parts that have manifests that cannot be read.
pub fn unread<'a>(contents: impl Iterator<Item = &'a Contents>) -> BTreeSet<String> {
    contents.flat_map(|contents| &contents.damaged).map(|damaged| shelf(&damaged.name).to_owned()).collect()
}
