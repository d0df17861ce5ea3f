//! Lines of a terminal: coloured, aligned, wrapped between words, and free of whatever a terminal
//! would obey.

use crate::report::Options;
use crate::report::escape;
use crate::report::measure;

/// What a piece of text looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tone {
    Plain,
    /// Worth less attention.
    Dim,
    /// A heading or name.
    Bold,
    /// In order, or new.
    Good,
    /// Altered.
    Change,
    /// Worth knowing before it happens.
    Heed,
    /// Worth a look.
    Warn,
    /// Wrong, or going away.
    Bad,
    /// Cannot be undone.
    Alarm,
}

impl Tone {
    /// The parameters of the ANSI sequence; empty for plain text. Only the sixteen colours that every
    /// theme chooses for itself.
    const fn ansi(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "2",
            Self::Bold => "1",
            Self::Good => "32",
            Self::Change => "36",
            Self::Heed => "33",
            Self::Warn => "1;33",
            Self::Bad => "1;31",
            Self::Alarm => "1;37;41",
        }
    }
}

/// A part of a line that is not torn.
#[derive(Clone, Debug)]
enum Atom {
    /// A clean word.
    Word(Tone, String),
    /// Spaces where the line may be broken.
    Space(usize),
    /// Spaces where it may not.
    Gap(usize),
}

/// A line in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    atoms: Vec<Atom>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds plain text.
    pub(super) fn text(self, text: impl AsRef<str>) -> Self {
        self.tone(Tone::Plain, text)
    }

    /// Adds text in a tone. This is the only way in, and it cleans.
    pub(super) fn tone(mut self, tone: Tone, text: impl AsRef<str>) -> Self {
        let text = escape::clean(text.as_ref());
        for (gap, word) in measure::spaced(&text) {
            if gap > 0 {
                self.atoms.push(Atom::Space(gap));
            }
            if !word.is_empty() {
                self.atoms.push(Atom::Word(tone, word.to_owned()));
            }
        }
        self
    }

    /// Adds text exactly as it is, spaces included, where nothing may be broken: SQL, a diff.
    pub(super) fn verbatim(mut self, tone: Tone, text: &str) -> Self {
        self.atoms.push(Atom::Word(tone, escape::clean(text).into_owned()));
        self
    }

    /// Adds a space at which the line may not be broken.
    pub(super) fn glue(self) -> Self {
        self.verbatim(Tone::Plain, " ")
    }

    /// Adds spaces up to a column, counted from the start of this line's text; at least `least`.
    pub(super) fn column(mut self, column: usize, least: usize, ascii: bool) -> Self {
        let gap = column.saturating_sub(self.width(ascii)).max(least);
        self.atoms.push(Atom::Gap(gap));
        self
    }

    /// The columns it takes when it is not wrapped.
    pub(super) fn width(&self, ascii: bool) -> usize {
        let width = |atom: &Atom| match atom {
            Atom::Word(_, text) if ascii => measure::width(&escape::ascii(text)),
            Atom::Word(_, text) => measure::width(text),
            Atom::Space(gap) | Atom::Gap(gap) => *gap,
        };
        self.atoms.iter().map(width).sum()
    }
}

/// The columns that a text takes once it is made safe to show.
pub(super) fn measured(text: &str, ascii: bool) -> usize {
    let clean = escape::clean(text);
    if ascii { escape::ascii(&clean).len() } else { measure::width(&clean) }
}

/// The text of a view as it grows.
pub(super) struct Screen {
    out: String,
    color: bool,
    pub(super) ascii: bool,
    pub(super) width: usize,
}

impl Screen {
    pub(super) fn new(options: &Options) -> Self {
        Self { out: String::new(), color: options.color, ascii: options.ascii, width: options.width.max(40) }
    }

    /// The text as it stands.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// An empty line, unless there is one already or nothing stands before it.
    pub(super) fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// Writes a line after some spaces; what does not fit goes on below, after `hang` spaces.
    pub(super) fn line(&mut self, indent: usize, hang: usize, line: Line) {
        let mut pen = Pen { at: indent, tone: Tone::Plain, color: self.color };
        self.out.push_str(&" ".repeat(indent));
        let mut gap = 0;
        let mut fresh = true;
        let mut atoms = line.atoms.into_iter().peekable();
        while let Some(atom) = atoms.next() {
            let mut run = Vec::new();
            match atom {
                Atom::Space(columns) => {
                    gap += columns;
                    continue;
                }
                Atom::Gap(columns) => {
                    pen.skip(&mut self.out, columns);
                    continue;
                }
                Atom::Word(tone, text) => run.push((tone, self.shown(text))),
            }
            while let Some(Atom::Word(..)) = atoms.peek() {
                if let Some(Atom::Word(tone, text)) = atoms.next() {
                    run.push((tone, self.shown(text)));
                }
            }
            let needed: usize = run.iter().map(|(_, text)| measure::width(text)).sum();
            if !fresh && gap > 0 && pen.at + gap + needed > self.width {
                pen.end(&mut self.out);
                self.out.push_str(&" ".repeat(hang));
                pen.at = hang;
            } else if gap > 0 && !fresh {
                pen.space(&mut self.out, gap);
            }
            gap = 0;
            fresh = false;
            for (tone, text) in run {
                pen.write(&mut self.out, tone, &text);
            }
        }
        pen.end(&mut self.out);
    }

    fn shown(&self, text: String) -> String {
        if self.ascii { escape::ascii(&text).into_owned() } else { text }
    }

    /// The sign between a value and what it becomes.
    pub(super) const fn arrow(&self) -> &'static str {
        if self.ascii { "->" } else { "→" }
    }

    /// The sign that something was left out.
    pub(super) const fn more(&self) -> &'static str {
        if self.ascii { "..." } else { "…" }
    }

    /// The sign before a statement's lines, which nothing inside the statement can imitate.
    pub(super) const fn bar(&self) -> &'static str {
        if self.ascii { "| " } else { "│ " }
    }
}

/// Writes words and keeps the terminal's state.
struct Pen {
    at: usize,
    tone: Tone,
    color: bool,
}

impl Pen {
    fn write(&mut self, out: &mut String, tone: Tone, text: &str) {
        self.turn(out, tone);
        out.push_str(text);
        self.at += measure::width(text);
    }

    /// Spaces inside a sentence keep its tone, except where the tone has a background.
    fn space(&mut self, out: &mut String, columns: usize) {
        if self.tone == Tone::Alarm {
            self.turn(out, Tone::Plain);
        }
        out.push_str(&" ".repeat(columns));
        self.at += columns;
    }

    fn skip(&mut self, out: &mut String, columns: usize) {
        self.turn(out, Tone::Plain);
        out.push_str(&" ".repeat(columns));
        self.at += columns;
    }

    fn turn(&mut self, out: &mut String, tone: Tone) {
        if !self.color || tone == self.tone {
            return;
        }
        if self.tone != Tone::Plain {
            out.push_str("\u{1b}[0m");
        }
        if tone != Tone::Plain {
            out.push_str("\u{1b}[");
            out.push_str(tone.ansi());
            out.push('m');
        }
        self.tone = tone;
    }

    /// Ends the line without leaving a colour or a space behind.
    fn end(&mut self, out: &mut String) {
        self.turn(out, Tone::Plain);
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: usize, color: bool, line: Line) -> String {
        let mut screen = Screen::new(&Options { width, color, ..Options::default() });
        screen.line(2, 4, line);
        screen.finish()
    }

    #[test]
    fn a_line_is_broken_between_words_only() {
        let text = "one two three four five six seven eight nine ten";
        assert_eq!(
            drawn(40, false, Line::new().text(text)),
            "  one two three four five six seven\n    eight nine ten\n"
        );
        let name = "index \"a quoted name that has many words in it\" is kept";
        assert_eq!(
            drawn(40, false, Line::new().text(name)),
            "  index\n    \"a quoted name that has many words in it\"\n    is kept\n"
        );
    }

    #[test]
    fn colours_end_with_their_line() {
        let line = Line::new().tone(Tone::Alarm, "DANGER").text(" ").tone(Tone::Dim, "two words");
        assert_eq!(drawn(80, true, line), "  \u{1b}[1;37;41mDANGER\u{1b}[0m \u{1b}[2mtwo words\u{1b}[0m\n");
    }

    #[test]
    fn a_column_is_reached_or_at_least_a_gap_is_left() {
        let line = Line::new().text("a").column(4, 1, false).text("b");
        assert_eq!(drawn(80, false, line), "  a   b\n");
        let line = Line::new().text("abcdef").column(4, 2, false).text("b");
        assert_eq!(drawn(80, false, line), "  abcdef  b\n");
    }

    #[test]
    fn whatever_a_terminal_would_obey_is_shown() {
        let line = Line::new().text("a\u{1b}[2J\nb").verbatim(Tone::Plain, "\u{202e}x");
        assert_eq!(drawn(80, false, line), "  a\\u{1b}[2J\\nb\\u{202e}x\n");
    }
}
