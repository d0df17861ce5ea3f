//! Unified diffs of definitions.

use serde_json::Value as Json;
use similar::{ChangeTag, TextDiff};

use crate::report::escape::clean;
use crate::report::value;

/// What a line of a diff is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tag {
    /// `@@ -1,4 +1,4 @@`.
    Hunk,
    /// The same on both sides.
    Same,
    /// Only before.
    Minus,
    /// Only after.
    Plus,
}

impl Tag {
    /// What the line begins with.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Hunk => "",
            Self::Same => " ",
            Self::Minus => "-",
            Self::Plus => "+",
        }
    }
}

/// A line of a diff, clean.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct DiffLine {
    pub(super) tag: Tag,
    pub(super) text: String,
}

/// The unified diff of two values, three lines around each change. A diff that shows everything has
/// no hunk header.
pub(super) fn unified(before: &Json, after: &Json) -> Vec<DiffLine> {
    let clean_lines =
        |side: &Json| -> Vec<String> { value::lines(side).into_iter().map(|line| clean(&line).into_owned()).collect() };
    let (before, after) = (clean_lines(before), clean_lines(after));
    let old: Vec<&str> = before.iter().map(String::as_str).collect();
    let new: Vec<&str> = after.iter().map(String::as_str).collect();
    let diff = TextDiff::from_slices(&old, &new);
    let mut lines = Vec::new();
    let mut shown = 0;
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        lines.push(DiffLine { tag: Tag::Hunk, text: hunk.header().to_string() });
        for change in hunk.iter_changes() {
            let tag = match change.tag() {
                ChangeTag::Equal => Tag::Same,
                ChangeTag::Delete => Tag::Minus,
                ChangeTag::Insert => Tag::Plus,
            };
            shown += usize::from(tag != Tag::Plus);
            lines.push(DiffLine { tag, text: change.value().to_owned() });
        }
    }
    if shown == old.len() {
        lines.retain(|line| line.tag != Tag::Hunk);
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(before: &Json, after: &Json) -> String {
        unified(before, after).iter().map(|line| format!("{}{}\n", line.tag.sign(), line.text)).collect()
    }

    #[test]
    fn lists_are_compared_by_item_and_texts_by_line() {
        assert_eq!(read(&json!(["a", "b"]), &json!(["a", "c"])), " a\n-b\n+c\n");
        assert_eq!(read(&json!("x > 0"), &json!("x > 1")), "-x > 0\n+x > 1\n");
        assert_eq!(read(&json!(null), &json!(["a"])), "+a\n");
    }

    #[test]
    fn a_long_definition_shows_only_what_is_near_a_change() {
        let before: Vec<String> = (0..30).map(|line| format!("line {line}")).collect();
        let mut after = before.clone();
        after[15] = "changed".to_owned();
        let shown = read(&json!(before.join("\n")), &json!(after.join("\n")));
        assert_eq!(shown.lines().count(), 9, "{shown}");
        assert!(shown.starts_with("@@ -13,7 +13,7 @@\n line 12\n"), "{shown}");
    }
}
