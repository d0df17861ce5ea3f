//! Which copies count. A copy of a chunk stands in for those that the chunk's rows were in before, in whichever store
//! they are: it names them, and of what is in it, they count no more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::core::QualifiedName;
use crate::kinds::archive::Part;
use crate::ops::archive::Manifest;
use crate::ops::archiver::Entry;

/// Says of each copy what of it counts no more, by all that there are.
pub fn settle(mut entries: Vec<&mut Entry>) {
    let mut replaced: BTreeMap<(String, String), Vec<Option<Part>>> = BTreeMap::new();
    for Entry { manifest, .. } in entries.iter().map(|entry| &**entry) {
        for copy in manifest.replaces.iter().filter(|copy| copy.token != manifest.token) {
            let key = (manifest.database.clone(), copy.token.clone());
            replaced.entry(key).or_default().push(copy.part.clone());
        }
    }
    for entry in &mut entries {
        let key = (entry.manifest.database.clone(), entry.manifest.token.clone());
        let parts = replaced.get(&key).map(Vec::as_slice).unwrap_or_default();
        let some: Vec<Part> = parts.iter().flatten().cloned().collect();
        entry.superseded = parts.contains(&None) || covers(&some, &entry.manifest);
        entry.left_out = some;
    }
    of_the_same_chunk(&mut entries);
}

/// Whether parts are all that there is of a copy.
fn covers(parts: &[Part], manifest: &Manifest) -> bool {
    let Some(range) = &manifest.range else { return false };
    let mut ends: Vec<(i64, i64)> = parts.iter().map(|part| (part.start.raw, part.end.raw)).collect();
    ends.sort_unstable();
    let reach = |so_far: i64, (start, end): (i64, i64)| if start <= so_far { so_far.max(end) } else { so_far };
    !parts.is_empty() && ends.into_iter().fold(range.start.raw, reach) >= range.end.raw
}

/// A chunk by its name and range: which it is, these do not prove, because chunks are numbered anew in a database that
/// was made anew, or that went back to an earlier moment.
type Chunk = (String, QualifiedName, QualifiedName, Option<(String, String)>);

fn chunk(manifest: &Manifest) -> Chunk {
    let range = manifest.range.as_ref().map(|range| (range.start.text.clone(), range.end.text.clone()));
    (manifest.database.clone(), manifest.relation.clone(), manifest.chunk.clone(), range)
}

/// Of copies of one chunk that name nothing because an earlier version made them, the later counts. What names all that it
/// stands in for does not stand in for what it does not name; the very same copy in two stores counts once.
fn of_the_same_chunk(entries: &mut [&mut Entry]) {
    let mut latest: BTreeMap<(Chunk, Option<String>), (Option<Timestamp>, usize)> = BTreeMap::new();
    let mut earlier = Vec::new();
    for (at, Entry { manifest, .. }) in entries.iter().map(|entry| &**entry).enumerate().filter(|(_, e)| !e.superseded)
    {
        let own = (manifest.taken_at.parse().ok(), at);
        let token = manifest.names_all().then(|| manifest.token.clone());
        let best = latest.entry((chunk(manifest), token)).or_insert(own);
        if own > *best {
            earlier.push(std::mem::replace(best, own).1);
        } else if own < *best {
            earlier.push(at);
        }
    }
    for at in earlier {
        if let Some(entry) = entries.get_mut(at) {
            entry.superseded = true;
        }
    }
}

/// Those of some copies that count that are, by name and range, of one chunk, and of which none stands in for another: of
/// two chunks that had one number, or of one that has lost its mark, and then with the same rows.
pub fn beside_each_other<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<Vec<&'a Entry>> {
    let mut all: BTreeMap<Chunk, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        all.entry(chunk(&entry.manifest)).or_default().push(entry);
    }
    all.into_values().filter(|of_one| of_one.len() > 1).collect()
}

/// Copies that are to go, each after those that it stands in for: otherwise these would count again where it ends in
/// between.
pub fn in_order(mut left: Vec<&Entry>) -> Vec<&Entry> {
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let all = Others::of(left.iter().copied());
        let (later, now): (Vec<&Entry>, Vec<&Entry>) = left.into_iter().partition(|entry| all.hidden_by(entry));
        if now.is_empty() {
            ordered.extend(later);
            break;
        }
        ordered.extend(now);
        left = later;
    }
    ordered
}

/// Copies that others may stand in for.
pub struct Others {
    tokens: BTreeSet<(String, String)>,
    /// When the earliest of each chunk was made, of those that name nothing.
    chunks: BTreeMap<Chunk, Option<Timestamp>>,
}

impl Others {
    /// These.
    pub fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let (mut tokens, mut chunks) = (BTreeSet::new(), BTreeMap::new());
        for Entry { manifest, .. } in entries {
            tokens.insert((manifest.database.clone(), manifest.token.clone()));
            if manifest.names_all() {
                continue;
            }
            let taken = manifest.taken_at.parse().ok();
            let earliest = chunks.entry(chunk(manifest)).or_insert(taken);
            *earliest = taken.min(*earliest);
        }
        Self { tokens, chunks }
    }

    /// Whether one of them would, or might, count again if a copy were gone.
    pub fn hidden_by(&self, Entry { manifest, .. }: &Entry) -> bool {
        let has = |token: &String| self.tokens.contains(&(manifest.database.clone(), token.clone()));
        let earliest = self.chunks.get(&chunk(manifest)).filter(|_| !manifest.names_all());
        manifest.replaces.iter().any(|copy| copy.token != manifest.token && has(&copy.token))
            || earliest.is_some_and(|earliest| *earliest < manifest.taken_at.parse().ok())
    }

    /// Whether any of what a copy stands in for is not among them.
    pub fn are_without(&self, Entry { manifest, .. }: &Entry) -> bool {
        let has = |token: &String| self.tokens.contains(&(manifest.database.clone(), token.clone()));
        manifest.replaces.iter().any(|copy| copy.token != manifest.token && !has(&copy.token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Value;
    use crate::kinds::archive::{Bound, CopyOf};
    use crate::ops::archive::manifest::{File, Range, Versions};
    use crate::ops::archiver::Store;

    fn bound(raw: i64) -> Bound {
        Bound { text: raw.to_string(), raw }
    }

    /// A copy of the numbers from `start` to `end` of a chunk, made at an hour.
    fn copy(token: &str, chunk: i64, (start, end): (i64, i64), hour: i64, replaces: Vec<CopyOf>) -> Entry {
        let path = Value::text("/nowhere");
        let manifest = Manifest {
            format_version: 1,
            relation: QualifiedName::new("public", "trades"),
            chunk: QualifiedName::new("_timescaledb_internal", format!("_hyper_1_{chunk}_chunk")),
            range: Some(Range { column: "time".to_owned(), start: bound(start), end: bound(end) }),
            rows: 1,
            columns: Vec::new(),
            file: File { name: String::new(), bytes: 1, sha256: String::new(), codec: "zstd".to_owned(), key_id: None },
            versions: Versions { chronoform: String::new(), postgresql: String::new(), timescaledb: None },
            database: "1/shop".to_owned(),
            taken_at: format!("2026-01-01T0{hour}:00:00Z"),
            stream_bytes: 1,
            token: token.to_owned(),
            sum: None,
            replaces,
        };
        let store = Store::of(|name| (name == "path").then_some(&path)).unwrap().unwrap();
        Entry { store, name: token.to_owned(), manifest, superseded: false, left_out: Vec::new() }
    }

    fn part(token: &str, start: i64, end: i64) -> CopyOf {
        CopyOf { token: token.to_owned(), part: Some(Part { start: bound(start), end: bound(end) }) }
    }

    /// The tokens of those that count, and how many parts of each do not.
    fn counting(mut entries: Vec<Entry>) -> Vec<(String, usize)> {
        settle(entries.iter_mut().collect());
        let counting = entries.into_iter().filter(|entry| !entry.superseded);
        counting.map(|entry| (entry.name, entry.left_out.len())).collect()
    }

    fn of(tokens: &[(&str, usize)]) -> Vec<(String, usize)> {
        tokens.iter().map(|(token, parts)| ((*token).to_owned(), *parts)).collect()
    }

    #[test]
    fn what_is_named_counts_no_more_whatever_the_clocks_said() {
        let (day, whole) = ((0, 10), |token: &str| vec![CopyOf::whole(token)]);
        let late = copy("late", 2, day, 1, Vec::new());
        let first = copy("a", 1, day, 9, Vec::new());
        assert_eq!(counting(vec![first.clone(), late.clone()]), of(&[("a", 0), ("late", 0)]), "another chunk");
        let again = copy("b", 3, day, 1, whole("a"));
        assert_eq!(counting(vec![first.clone(), again.clone(), late]), of(&[("b", 0), ("late", 0)]));
        let third = copy("c", 3, day, 0, whole("b"));
        assert_eq!(counting(vec![third, first.clone(), again]), of(&[("c", 0)]));
        let mut elsewhere = copy("b", 3, day, 1, whole("a"));
        elsewhere.manifest.database = "2/shop".to_owned();
        assert_eq!(counting(vec![first, elsewhere]), of(&[("a", 0), ("b", 0)]), "another database's");
    }

    #[test]
    fn of_copies_that_name_nothing_the_later_of_one_chunk_counts() {
        let (one, two) = (copy("a", 1, (0, 10), 1, Vec::new()), copy("b", 1, (0, 10), 2, Vec::new()));
        assert_eq!(counting(vec![two.clone(), one.clone()]), of(&[("b", 0)]));
        assert_eq!(counting(vec![one.clone(), one.clone()]).len(), 1, "the very same in two stores");
        assert_eq!(counting(vec![one, copy("c", 1, (10, 20), 3, Vec::new())]), of(&[("a", 0), ("c", 0)]));
    }

    #[test]
    fn what_names_all_that_it_stands_in_for_stands_in_for_nothing_else() {
        let old = copy("a", 1, (0, 10), 1, Vec::new());
        let new = |token: &str, hour: i64| {
            let mut copy = copy(token, 1, (0, 10), hour, Vec::new());
            copy.manifest.format_version = 2;
            copy
        };
        let both = [new("b", 2), new("c", 3)];
        assert_eq!(counting(both.to_vec()), of(&[("b", 0), ("c", 0)]));
        assert_eq!(counting(vec![old.clone(), new("b", 2)]), of(&[("a", 0), ("b", 0)]));
        assert_eq!(counting(vec![copy("z", 1, (0, 10), 9, Vec::new()), new("b", 2)]), of(&[("z", 0), ("b", 0)]));
        assert_eq!(counting(vec![new("b", 2), new("b", 2)]).len(), 1, "the very same in two stores");
        assert_eq!(beside_each_other(both.iter()).len(), 1);
        assert!(!Others::of(both.iter()).hidden_by(&both[1]) && !Others::of([old].iter()).hidden_by(&both[1]));
    }

    #[test]
    fn a_part_that_is_named_is_left_out() {
        let first = || copy("a", 1, (0, 10), 1, Vec::new());
        let with = |replaces: Vec<CopyOf>| counting(vec![first(), copy("b", 2, (0, 10), 2, replaces)]);
        assert_eq!(with(vec![part("a", 3, 5)]), of(&[("a", 1), ("b", 0)]));
        assert_eq!(with(vec![part("a", 5, 10), part("a", 0, 4)]), of(&[("a", 2), ("b", 0)]));
        assert_eq!(with(vec![part("a", 5, 10), part("a", 0, 5)]), of(&[("b", 0)]));
    }

    #[test]
    fn what_stands_in_for_another_goes_after_it() {
        let day = (0, 10);
        let all = [
            copy("c", 3, day, 3, vec![CopyOf::whole("b")]),
            copy("b", 2, day, 2, vec![CopyOf::whole("a"), CopyOf::whole("gone")]),
            copy("a", 1, day, 1, Vec::new()),
        ];
        let order: Vec<&str> = in_order(all.iter().collect()).iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(order, ["a", "b", "c"]);
    }
}
