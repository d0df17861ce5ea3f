//! A plain table that each format draws in its own way.

/// What a cell wants to be noticed as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Mood {
    /// Nothing in particular.
    #[default]
    Plain,
    /// In order.
    Good,
    /// Worth a look.
    Warn,
    /// Wrong.
    Bad,
}

/// A cell; its text is not clean yet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) mood: Mood,
    /// Set as a name or value.
    pub(super) code: bool,
}

impl Cell {
    /// A cell of words.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A cell with a name or value.
    pub(super) fn code(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: true, ..Self::default() }
    }

    /// The same in a mood.
    pub(super) fn mood(self, mood: Mood) -> Self {
        Self { mood, ..self }
    }
}

/// A table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Table {
    /// What it shows.
    pub(super) caption: String,
    /// Its columns, each with whether it holds numbers, which stand to the right.
    pub(super) columns: Vec<(String, bool)>,
    /// Its rows, each as long as the columns.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// Columns by their headings.
pub(super) fn columns(headings: &[(&str, bool)]) -> Vec<(String, bool)> {
    headings.iter().map(|(heading, right)| ((*heading).to_owned(), *right)).collect()
}

/// The mood of a word for an outcome, in a run or a ledger. A word that is not known is no good news.
pub(super) fn mood_of(outcome: &str) -> Mood {
    match outcome {
        "done" | "settled_done" | "applied" | "adopted" => Mood::Good,
        "skipped" | "cancelled" | "rolled_back" | "settled_not_done" | "forgotten" | "unfinished" | "started" => {
            Mood::Warn
        }
        _ => Mood::Bad,
    }
}
