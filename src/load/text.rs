//! A file's text, and the way from a byte's offset to its line and column.

use std::sync::Arc;

use crate::core::Place;

/// A text that places can be taken from.
#[derive(Clone, Debug)]
pub struct Text {
    path: Arc<str>,
    text: Arc<str>,
    /// The offset of the first byte of every line.
    lines: Vec<usize>,
    /// How many characters begin before every [`STRIDE`]th byte: a column in a long line is found
    /// without reading the line up to there.
    characters: Vec<usize>,
}

/// How far apart, in bytes, the counts of characters are.
const STRIDE: usize = 256;

impl Text {
    /// Indexes a text.
    pub fn new(path: Arc<str>, text: Arc<str>) -> Self {
        let after = |(at, byte): (usize, u8)| (byte == b'\n').then_some(at + 1);
        let lines = std::iter::once(0).chain(text.bytes().enumerate().filter_map(after)).collect();
        let counted = text.as_bytes().chunks_exact(STRIDE).scan(0, |before, chunk| {
            *before += beginnings(chunk);
            Some(*before)
        });
        let characters = std::iter::once(0).chain(counted).collect();
        Self { path, text, lines, characters }
    }

    /// The path as the user gave it.
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The whole text, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// The text of a stretch; empty where it is none.
    pub fn slice(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or("")
    }

    /// The place of a stretch, both ends moved back to a character's beginning.
    pub fn place(&self, start: usize, end: usize) -> Place {
        let start = self.floor(start);
        let end = self.floor(end).max(start);
        let line = self.line_of(start);
        let column = self.characters_before(start).saturating_sub(self.characters_before(self.start_of(line))) + 1;
        Place { file: Arc::clone(&self.path), line: narrow(line + 1), column: narrow(column), start, end, via: None }
    }

    /// The place of the first character.
    pub fn beginning(&self) -> Place {
        self.place(0, 0)
    }

    /// The place of a line (from 1) and column (from 1, in characters), one character long.
    pub fn at(&self, line: u64, column: u64) -> Place {
        let line = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX).min(self.lines.len() - 1);
        let column = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
        let beginning = self.start_of(line);
        let text = self.line(line);
        let before: usize = text.chars().take(column).map(char::len_utf8).sum();
        let width = text.get(before..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        self.place(beginning + before, beginning + before + width)
    }

    /// The text of a line (from 0) without its end.
    pub fn line(&self, line: usize) -> &str {
        let start = self.start_of(line);
        let rest = self.text.get(start..).unwrap_or("");
        rest.split(['\n', '\r']).next().unwrap_or("")
    }

    /// The line (from 0) that an offset is in.
    pub fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The offset of a line's (from 0) first byte.
    pub fn start_of(&self, line: usize) -> usize {
        self.lines.get(line).copied().unwrap_or(self.text.len())
    }

    /// How many characters begin before an offset, which is one's beginning or the end.
    fn characters_before(&self, offset: usize) -> usize {
        let mark = (offset / STRIDE).min(self.characters.len().saturating_sub(1));
        let rest = self.text.as_bytes().get(mark * STRIDE..offset.min(self.text.len())).unwrap_or_default();
        self.characters.get(mark).copied().unwrap_or_default() + beginnings(rest)
    }

    fn floor(&self, offset: usize) -> usize {
        let mut at = offset.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// How many characters begin in a stretch of UTF-8.
fn beginnings(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_offsets_count_bytes() {
        let text = Text::new("p".into(), "ü: 1\nä: é\n".into());
        let place = text.place(10, 12);
        assert_eq!((place.line, place.column, place.start, place.end), (2, 4, 10, 12));
        assert_eq!(text.slice(10, 12), "é");
        assert_eq!(text.at(2, 4), place);
        // Inside a character, behind the end: never a panic.
        assert_eq!(text.place(11, 11).column, 4);
        assert_eq!(text.place(99, 200).line, 3);
        assert_eq!(text.at(99, 99).line, 3);
    }

    #[test]
    fn a_column_is_counted_in_characters_wherever_in_a_long_line_it_is() {
        let source = format!("a: b\n{}\nc: d\n", "aü€𝄞".repeat(300));
        let text = Text::new("p".into(), source.as_str().into());
        let line = text.start_of(1);
        for (column, (at, _)) in text.line(1).char_indices().enumerate() {
            let place = text.place(line + at, line + at);
            assert_eq!((place.line, place.column as usize), (2, column + 1));
        }
        assert_eq!(text.place(source.len() - 2, source.len()).column, 4);
        assert_eq!(text.place(source.len(), source.len()).line, 4);
    }
}
