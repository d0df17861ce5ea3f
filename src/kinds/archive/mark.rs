//! What a run, or a restore, writes on a chunk: its comment.
//!
//! It says how far the chunk is on its way into an archive, and which copies in archives have had its rows so far:
//! the next copy stands in for those, so that nothing is counted twice. Words for people come first, and behind them,
//! as JSON, what a machine needs. What earlier versions wrote has the words alone.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::core::QualifiedName;

/// A point on a hypertable's time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// As the server, or whoever asked for it, shows it.
    pub text: String,
    /// As TimescaleDB keeps it: microseconds since 1970 for times and dates, the number itself for
    /// whole-number time.
    pub raw: i64,
}

/// A stretch of a hypertable's time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// From this on.
    pub start: Bound,
    /// Up to this, and without it.
    pub end: Bound,
}

/// A copy in an archive, or a part of one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyOf {
    /// What its chunk was marked with when it was made, which no other copy has.
    pub token: String,
    /// Which of its rows; without it, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

impl CopyOf {
    /// All of a copy.
    pub fn whole(token: &str) -> Self {
        Self { token: token.to_owned(), part: None }
    }
}

/// What a mark was made for. A chunk that was merged with another, or split, or that is another table's by now, has rows
/// that the mark does not know of, or not all of those that it knows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeFor {
    /// The table.
    pub table: QualifiedName,
    /// Where the chunk began, as the server prints it.
    pub from: String,
    /// Where it ended.
    pub until: String,
}

/// What a comment says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mark {
    /// Nothing.
    None,
    /// A run has begun with it, and frozen it where the server can.
    Begun {
        /// The word of that run for this chunk.
        token: String,
        /// Where it was to be copied to; unknown of what an earlier version began.
        place: Option<String>,
        /// The copies that its rows were in before.
        before: Vec<CopyOf>,
        /// What it was made for; unknown of what an earlier version wrote.
        of: Option<MadeFor>,
    },
    /// It is in the archive, and stays in the table.
    Archived {
        /// The store's name.
        store: String,
        /// The copy; unknown of what an earlier version archived.
        token: Option<String>,
        /// The copies that its rows were in before.
        before: Vec<CopyOf>,
        /// What it was made for; unknown of what an earlier version wrote.
        of: Option<MadeFor>,
    },
    /// It has rows that were brought back from an archive.
    Restored {
        /// The copies that they are in.
        before: Vec<CopyOf>,
        /// What it was made for; unknown of what an earlier version wrote.
        of: Option<MadeFor>,
    },
    /// Somebody has said that its rows are all that is to count of its time.
    Instead,
    /// Somebody has said that its rows are in no archive.
    Beside,
    /// It was brought back, and which copies its rows are in can no longer be read.
    Unreadable,
}

const BEGUN: &str = "Chronoform: being archived, ";
const ARCHIVED: &str = "Chronoform: archived";
const RESTORED: &str = "Chronoform: restored from the archive";
/// What somebody writes on a chunk whose rows are all that is to count of its time.
pub const INSTEAD: &str = "Chronoform: counts instead of the archive";
/// What somebody writes on a chunk whose rows are in no archive.
pub const BESIDE: &str = "Chronoform: counts beside the archive";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfBegun {
    place: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<CopyOf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<MadeFor>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfArchived {
    store: String,
    token: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<CopyOf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<MadeFor>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfRestored {
    before: Vec<CopyOf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<MadeFor>,
}

impl Mark {
    /// Reads a comment.
    pub fn read(comment: Option<&str>) -> Self {
        let Some(text) = comment else { return Self::None };
        match text {
            INSTEAD => return Self::Instead,
            BESIDE => return Self::Beside,
            _ => {}
        }
        if let Some(rest) = text.strip_prefix(BEGUN) {
            return match tail::<OfBegun>(rest) {
                Some((token, OfBegun { place, before, of })) => {
                    Self::Begun { token: token.to_owned(), place, before, of }
                }
                None => Self::Begun { token: rest.to_owned(), place: None, before: Vec::new(), of: None },
            };
        }
        if let Some(rest) = text.strip_prefix(ARCHIVED) {
            return match tail::<OfArchived>(rest) {
                Some((_, OfArchived { store, token, before, of })) => Self::Archived { store, token, before, of },
                None => {
                    let store = rest.strip_prefix(" to ").unwrap_or(rest).to_owned();
                    Self::Archived { store, token: None, before: Vec::new(), of: None }
                }
            };
        }
        match text.strip_prefix(RESTORED).map(tail::<OfRestored>) {
            Some(Some((_, OfRestored { before, of }))) => Self::Restored { before, of },
            Some(None) => Self::Unreadable,
            None => Self::None,
        }
    }

    /// The comment, where it is one.
    pub fn text(&self) -> Option<String> {
        match self.clone() {
            Self::None => None,
            Self::Begun { token, place, before, of } => {
                Some(format!("{BEGUN}{token}, {}", json(&OfBegun { place, before, of })))
            }
            Self::Archived { store, token, before, of } => {
                let words = format!("{ARCHIVED} to {store}");
                Some(format!("{words}, {}", json(&OfArchived { store, token, before, of })))
            }
            Self::Restored { before, of } => Some(format!("{RESTORED}, {}", json(&OfRestored { before, of }))),
            Self::Instead => Some(INSTEAD.to_owned()),
            Self::Beside => Some(BESIDE.to_owned()),
            Self::Unreadable => Some(RESTORED.to_owned()),
        }
    }

    /// The copies that the chunk's rows are in, as far as it tells.
    pub fn copies(&self) -> Vec<CopyOf> {
        let (token, before) = match self {
            Self::None | Self::Unreadable | Self::Instead | Self::Beside => (None, &[][..]),
            Self::Begun { token, before, .. } => (Some(token), before.as_slice()),
            Self::Archived { token, before, .. } => (token.as_ref(), before.as_slice()),
            Self::Restored { before, .. } => (None, before.as_slice()),
        };
        token.map(|token| CopyOf::whole(token)).into_iter().chain(before.iter().cloned()).collect()
    }

    /// Whether it tells all copies that were made of its chunk: those of earlier versions do not.
    pub fn knows_all(&self) -> bool {
        match self {
            Self::Begun { of, .. } => of.is_some(),
            Self::Archived { token, of, .. } => token.is_some() && of.is_some(),
            Self::None | Self::Restored { .. } | Self::Instead | Self::Beside | Self::Unreadable => false,
        }
    }

    /// What it was made for, where it tells that.
    pub fn made_for(&self) -> Option<&MadeFor> {
        match self {
            Self::Begun { of, .. } | Self::Archived { of, .. } | Self::Restored { of, .. } => of.as_ref(),
            Self::None | Self::Unreadable | Self::Instead | Self::Beside => None,
        }
    }

    /// The mark of a chunk that has nothing of any archive but what its mark tells.
    #[must_use]
    pub fn made_for_all(mut self, all: MadeFor) -> Self {
        match &mut self {
            Self::Begun { of, .. } | Self::Archived { of, .. } | Self::Restored { of, .. } => *of = Some(all),
            Self::None | Self::Unreadable | Self::Instead | Self::Beside => return Self::Beside,
        }
        self
    }

    /// Whether what is frozen was frozen by Chronoform, to be worked on or to stay.
    pub fn is_of_a_restore(&self) -> bool {
        matches!(self, Self::Restored { .. } | Self::Unreadable)
    }
}

/// Copies and more of them, each once.
pub fn joined(mut copies: Vec<CopyOf>, more: impl IntoIterator<Item = CopyOf>) -> Vec<CopyOf> {
    for copy in more {
        if !copies.contains(&copy) {
            copies.push(copy);
        }
    }
    copies
}

/// The words before some JSON, and that.
fn tail<T: DeserializeOwned>(text: &str) -> Option<(&str, T)> {
    let mut places = text.match_indices(", {");
    places.find_map(|(at, _)| {
        let (words, json) = text.split_at_checked(at)?;
        Some((words, serde_json::from_str(json.strip_prefix(", ")?).ok()?))
    })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(start: i64, end: i64) -> Part {
        let bound = |raw: i64| Bound { text: raw.to_string(), raw };
        Part { start: bound(start), end: bound(end) }
    }

    #[test]
    fn what_is_written_is_read() {
        let before = vec![CopyOf::whole("1-2-3"), CopyOf { token: "4-5-6".to_owned(), part: Some(part(7, 8)) }];
        let (token, place) = ("a-b-c".to_owned(), Some("/srv, {}".to_owned()));
        let (from, until) = ("2026-01-01 00:00:00+00".to_owned(), "2026-01-02 00:00:00+00".to_owned());
        let of = Some(MadeFor { table: QualifiedName::new("public", "odd, {"), from, until });
        for mark in [
            Mark::None,
            Mark::Begun { token: token.clone(), place, before: before.clone(), of: of.clone() },
            Mark::Begun { token: token.clone(), place: None, before: Vec::new(), of: None },
            Mark::Archived {
                store: "odd, {\"x\": 1}".to_owned(),
                token: Some(token.clone()),
                before: before.clone(),
                of: of.clone(),
            },
            Mark::Restored { before: before.clone(), of },
            Mark::Instead,
            Mark::Beside,
            Mark::Unreadable,
        ] {
            assert_eq!(Mark::read(mark.text().as_deref()), mark);
        }
        let archived =
            Mark::Archived { store: "cold".to_owned(), token: Some(token), before: before.clone(), of: None };
        assert_eq!(archived.copies(), joined(vec![CopyOf::whole("a-b-c")], before));
    }

    #[test]
    fn what_earlier_versions_wrote_is_read() {
        let begun = Mark::Begun { token: "1-2-3".to_owned(), place: None, before: Vec::new(), of: None };
        assert_eq!(Mark::read(Some("Chronoform: being archived, 1-2-3")), begun);
        let archived = Mark::Archived { store: "cold".to_owned(), token: None, before: Vec::new(), of: None };
        assert_eq!(Mark::read(Some("Chronoform: archived to cold")), archived);
        assert_eq!((archived.copies(), begun.copies()), (Vec::new(), vec![CopyOf::whole("1-2-3")]));
        assert_eq!(Mark::read(Some("somebody's note")), Mark::None);
    }

    #[test]
    fn copies_are_joined_once() {
        let one = CopyOf::whole("1");
        assert_eq!(joined(vec![one.clone()], [one.clone(), CopyOf::whole("2")]), [one, CopyOf::whole("2")]);
    }
}
