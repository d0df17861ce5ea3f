//! The way of a server that recovers: which WAL it reads one after another, and where some of that is missing.
//!
//! It goes along the timelines that the newest has come from, and changes from one to the next in the segment in which
//! the earlier was left: that segment is of the later timeline, and all before it of the earlier.

use std::collections::{BTreeMap, BTreeSet};

use crate::ops::backup::engine::Finding;
use crate::ops::backup::record::{Backup, Contents};
use crate::ops::backup::timeline::History;
use crate::ops::backup::wal::{Lsn, Segment};

/// Segments that are missing, one after another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hole {
    /// The first.
    pub first: Segment,
    /// How many there are.
    pub count: u64,
}

impl Hole {
    fn finding(self, size: u64) -> Finding {
        let why = format!("it and {} more are missing", self.count.saturating_sub(1));
        (format!("WAL {}", self.first.name(size)), Some(why))
    }

    /// Where WAL ends before it.
    pub fn place(self, size: u64) -> Lsn {
        Lsn(self.first.number.saturating_mul(size))
    }
}

/// What a server needs of a timeline.
#[derive(Clone, Copy)]
struct Stretch {
    timeline: u32,
    first: u64,
    /// The first that it needs no more, where the timeline was left.
    end: Option<u64>,
}

/// The numbers of the segments that are there, of each timeline.
type There = BTreeMap<u32, BTreeSet<u64>>;

fn there(names: &[String], size: u64) -> There {
    let mut there = There::new();
    for segment in names.iter().filter_map(|name| Segment::read(name, size)) {
        there.entry(segment.timeline).or_default().insert(segment.number);
    }
    there
}

/// The stretches of a way from a segment on.
fn stretches(from: Segment, size: u64, history: Option<&History>) -> Vec<Stretch> {
    let (mut first, mut found) = (from.number, Vec::new());
    let left = history.into_iter().flat_map(History::left).skip_while(|(timeline, _)| *timeline != from.timeline);
    for (timeline, place) in left {
        let end = Segment::at(*timeline, *place, size).number;
        found.push(Stretch { timeline: *timeline, first, end: Some(end) });
        first = end;
    }
    let last = history.filter(|_| !found.is_empty()).map_or(from.timeline, |history| history.newest);
    found.push(Stretch { timeline: last, first, end: None });
    found
}

impl Stretch {
    fn numbers<'a>(&self, there: &'a There) -> impl Iterator<Item = u64> + use<'a> {
        let (first, end) = (self.first, self.end.unwrap_or(u64::MAX));
        let all = there.get(&self.timeline).into_iter().flatten().copied();
        all.filter(move |number| (first..end).contains(number))
    }

    fn holes(&self, there: &There) -> Vec<Hole> {
        holes(self.timeline, self.first, self.numbers(there).chain(self.end))
    }
}

/// What is missing between numbers, from `next` on.
fn holes(timeline: u32, mut next: u64, numbers: impl Iterator<Item = u64>) -> Vec<Hole> {
    let mut found = Vec::new();
    for number in numbers {
        if number > next {
            found.push(Hole { first: Segment { timeline, number: next }, count: number - next });
        }
        next = number + 1;
    }
    found
}

/// Where WAL is missing since the oldest backup: a server cannot be brought past it. `names` are all that are there.
pub fn gaps(backups: &[Backup], names: &[String], history: Option<&History>) -> Vec<Finding> {
    let archived = || backups.iter().filter(|backup| !backup.has_wal);
    let Some((oldest, size)) = archived().find_map(|backup| Some((backup.begin()?, backup.segment_bytes))) else {
        return Vec::new();
    };
    let is_own = |backup: &&Backup| history.is_none_or(|history| history.left_before(backup).is_none());
    let way = archived().find(is_own).and_then(Backup::begin).map(|from| stretches(from, size, history));
    let way = way.unwrap_or_default();
    let there = there(names, size);
    let mut found: Vec<Hole> = way.iter().flat_map(|stretch| stretch.holes(&there)).collect();
    // What is beside the way is of a past that was left, of which nobody knows where it ended.
    for (timeline, numbers) in &there {
        let own = way.iter().find(|stretch| stretch.timeline == *timeline);
        let is_aside = |number: &u64| match own {
            Some(own) => own.end.is_some_and(|end| *number >= end),
            None => Segment { timeline: *timeline, number: *number } >= oldest,
        };
        let mut aside = numbers.iter().copied().filter(is_aside).peekable();
        let Some(next) = own.and_then(|own| own.end).or(aside.peek().copied()) else { continue };
        found.extend(holes(*timeline, next, aside));
    }
    found.sort_by_key(|hole| hole.first);
    found.into_iter().map(|hole| hole.finding(size)).collect()
}

/// What a server reads that recovers from a backup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Way {
    /// The segments, in their order, up to the first that is missing.
    pub segments: Vec<Segment>,
    /// What is missing there, and hides what comes after it.
    pub hole: Option<Hole>,
}

/// The way from a backup's beginning, to the newest timeline or, where the server has left the one that it is of, along
/// that.
pub fn of(contents: &Contents, backup: &Backup, names: &[String]) -> Option<Way> {
    let (from, size) = (backup.begin()?, backup.segment_bytes);
    let history = contents.history.as_ref().filter(|_| contents.left_before(backup).is_none());
    let (there, way) = (there(names, size), stretches(from, size, history));
    let hole = way.iter().flat_map(|stretch| stretch.holes(&there)).next();
    let is_before = |segment: &Segment| hole.is_none_or(|hole| segment.number < hole.first.number);
    let of = |stretch: &Stretch| {
        let timeline = stretch.timeline;
        stretch.numbers(&there).map(move |number| Segment { timeline, number }).collect::<Vec<_>>()
    };
    Some(Way { segments: way.iter().flat_map(of).filter(is_before).collect(), hole })
}

/// The first segment that is missing on the way on from the newest backup that archived WAL goes on from: what was
/// committed after it is in no backup, and cannot be come to.
pub fn broken(contents: &Contents, names: &[String]) -> Option<String> {
    let newest = contents.own().filter(|backup| !backup.has_wal).max_by_key(|backup| backup.ends())?;
    let hole = of(contents, newest, names)?.hole?;
    Some(hole.first.name(newest.segment_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::backup::record::{WalRange, sample};

    const SIZE: u64 = 1 << 24;

    fn backup(timeline: u32, segment: u64) -> Backup {
        let (from, until) = (Lsn(segment * SIZE + 40), Lsn(segment * SIZE + 256));
        Backup { wal: vec![WalRange { timeline, from, until }], ..sample("b") }
    }

    fn names(of: &[(u32, std::ops::Range<u64>)]) -> Vec<String> {
        let each = |(timeline, numbers): &(u32, std::ops::Range<u64>)| {
            let timeline = *timeline;
            numbers.clone().map(move |number| Segment { timeline, number }.name(SIZE)).collect::<Vec<_>>()
        };
        of.iter().flat_map(each).collect()
    }

    /// Timeline 2 was left in segment 8 for 3, and 1 in segment 5 for 2.
    fn history() -> History {
        History::read(3, "1\t0/5000100\tx\n2\t0/8000100\tx\n").unwrap()
    }

    fn missing(backups: &[Backup], there: &[(u32, std::ops::Range<u64>)], history: Option<&History>) -> Vec<String> {
        let each = |(what, why): Finding| format!("{} {}", &what[11..], why.unwrap());
        gaps(backups, &names(there), history).into_iter().map(each).collect()
    }

    #[test]
    fn what_is_missing_between_others_is_found() {
        let all = [backup(1, 2)];
        assert!(missing(&all, &[(1, 2..9)], None).is_empty());
        assert!(missing(&all, &[(1, 1..2), (1, 2..9)], None).is_empty());
        let two = ["10000000000000005 it and 1 more are missing"];
        assert_eq!(missing(&all, &[(1, 2..5), (1, 7..9)], None), two);
        assert!(missing(&[Backup { has_wal: true, ..backup(1, 2) }], &[(1, 7..9)], None).is_empty());
        assert!(missing(&[sample("b")], &[(1, 7..9)], None).is_empty());
    }

    #[test]
    fn a_timeline_begins_where_the_one_before_it_was_left() {
        let (history, all) = (history(), [backup(1, 2)]);
        let missing = |there: &[(u32, std::ops::Range<u64>)]| missing(&all, there, Some(&history));
        assert!(missing(&[(1, 2..5), (2, 5..8), (3, 8..9)]).is_empty());
        // What a timeline had after it was left is nobody's way.
        assert!(missing(&[(1, 2..7), (2, 5..10), (3, 8..9)]).is_empty());
        // The first segments of a timeline.
        assert_eq!(missing(&[(1, 2..5), (2, 5..8), (3, 9..11)]), ["30000000000000008 it and 0 more are missing"]);
        assert_eq!(missing(&[(1, 2..7), (2, 7..8), (3, 8..11)]), ["20000000000000005 it and 1 more are missing"]);
        // The last ones that are needed of the one before it, also where there are later ones.
        assert_eq!(
            missing(&[(1, 2..4), (1, 5..7), (2, 5..8), (3, 8..9)]),
            ["10000000000000004 it and 0 more are missing"]
        );
        assert_eq!(missing(&[(1, 2..5), (2, 5..7), (3, 8..9)]), ["20000000000000007 it and 0 more are missing"]);
        // A whole timeline.
        assert_eq!(missing(&[(1, 2..5), (3, 8..9)]), ["20000000000000005 it and 2 more are missing"]);
        // Of the newest nothing may have been archived yet.
        assert!(missing(&[(1, 2..5), (2, 5..8)]).is_empty());
        // What was left is told as before.
        assert_eq!(
            missing(&[(1, 2..5), (1, 6..7), (2, 5..8), (3, 8..9), (4, 5..6), (4, 7..8)]),
            ["10000000000000005 it and 0 more are missing", "40000000000000006 it and 0 more are missing"]
        );
    }

    #[test]
    fn a_timeline_that_is_left_where_it_began_or_between_two_segments_needs_none_of_its_own() {
        let all = [backup(1, 2)];
        let once = History::read(3, "1\t0/5000100\tx\n2\t0/5000200\tx\n").unwrap();
        assert!(missing(&all, &[(1, 2..5), (3, 5..7)], Some(&once)).is_empty());
        let between = History::read(2, "1\t0/5000000\tx\n").unwrap();
        assert!(missing(&all, &[(1, 2..5), (2, 5..7)], Some(&between)).is_empty());
        // A backup of the newest timeline needs nothing of those before it, and nor does one of a past that was left.
        assert!(missing(&[backup(3, 9)], &[(1, 2..3), (3, 9..11)], Some(&history())).is_empty());
        assert!(missing(&[backup(1, 6)], &[(1, 6..9), (3, 8..9)], Some(&history())).is_empty());
    }

    #[test]
    fn a_way_ends_at_the_first_hole() {
        let mut contents = Contents { history: Some(history()), ..Contents::default() };
        let walk = |contents: &Contents, backup: &Backup, there: &[(u32, std::ops::Range<u64>)]| {
            let way = of(contents, backup, &names(there)).unwrap();
            let last = way.segments.last().map(|last| (last.timeline, last.number));
            (way.segments.len(), last, way.hole.map(|hole| (hole.first.timeline, hole.first.number)))
        };
        let whole = [(1, 2..7), (2, 5..10), (3, 8..12)];
        assert_eq!(walk(&contents, &backup(1, 2), &whole), (10, Some((3, 11)), None));
        let first = [(1, 2..7), (2, 5..10), (3, 9..12)];
        assert_eq!(walk(&contents, &backup(1, 2), &first), (6, Some((2, 7)), Some((3, 8))));
        // What is brought back as it was stays on its timeline.
        assert_eq!(walk(&contents, &backup(1, 6), &[(1, 6..9), (2, 5..8)]), (3, Some((1, 8)), None));
        contents.history = None;
        assert_eq!(walk(&contents, &backup(1, 2), &[(1, 2..4), (1, 5..9)]), (2, Some((1, 3)), Some((1, 4))));
    }
}
