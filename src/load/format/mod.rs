//! One layout for policy files, with every comment kept.
//!
//! The text is moved about, never written anew from its values: entries stand two columns within
//! the one around them, blanks at the ends of lines go, and of several blank lines one stays. What
//! comes out is read again and compared; where it would not say the same, the text stays as it is.

mod layout;

use crate::diag::{Diagnostic, Failure, code};
use crate::load::text::Text;
use crate::load::yaml::{self, Node, Value};

pub use layout::block_header;

/// How often the layout may take to come to rest.
const PASSES: usize = 4;

/// A policy text in the layout.
///
/// # Errors
/// Why the text is no YAML.
pub fn format(text: &str) -> Result<String, Failure> {
    file(&Text::new("<text>".into(), text.into()))
}

/// A policy file's text in the layout.
///
/// # Errors
/// Why the text is no YAML, with the places in the file.
pub fn file(text: &Text) -> Result<String, Failure> {
    let mut now = clean(text);
    let mut documents = parse(&now)?;
    for _ in 0..PASSES {
        let Some((next, parsed)) = pass(&now, &documents) else { break };
        if next.as_str() == now.as_str() {
            return Ok(next.as_str().to_owned());
        }
        (now, documents) = (next, parsed);
    }
    // It does not come to rest, or cannot be moved: better not touched than touched every time.
    Ok(text.as_str().to_owned())
}

/// Line ends as they should be, which never changes what the text says.
fn clean(text: &Text) -> Text {
    let plain = text.as_str().strip_prefix('\u{feff}').unwrap_or(text.as_str());
    Text::new(text.path().clone(), plain.replace("\r\n", "\n").into())
}

fn parse(text: &Text) -> Result<Vec<Node>, Failure> {
    let mut sink = Vec::new();
    let documents = yaml::documents(text, &mut sink);
    sink.extend(tab(text).filter(|_| sink.is_empty()));
    if sink.is_empty() { Ok(documents) } else { Err(Failure(sink)) }
}

/// A tab that indents.
fn tab(text: &Text) -> Option<Diagnostic> {
    let lines = text.as_str().lines().enumerate();
    let mut indents =
        lines.filter(|(_, line)| !line.trim().is_empty() && line.trim_start_matches(' ').starts_with('\t'));
    let (number, line) = indents.next()?;
    let at = text.start_of(number) + line.find('\t').unwrap_or_default();
    let diagnostic = Diagnostic::error(&code::YAML_SYNTAX, "a tab indents this line").at(&text.place(at, at + 1));
    Some(diagnostic.label("a tab").help("indent with spaces"))
}

/// The text laid out once, and what it says, if that is the same.
fn pass(text: &Text, documents: &[Node]) -> Option<(Text, Vec<Node>)> {
    [true, false].into_iter().find_map(|indent| {
        let mut laid = layout::lay_out(text, documents, indent).trim_start_matches('\n').to_owned();
        if !ends_in_kept_block(text, documents) {
            laid.truncate(laid.trim_end().len());
        }
        if !laid.is_empty() {
            laid.push('\n');
        }
        let laid = Text::new(text.path().clone(), laid.into());
        let parsed = parse(&laid).ok()?;
        let same = parsed.len() == documents.len() && parsed.iter().zip(documents).all(|(a, b)| says_the_same(a, b));
        (same && ink(laid.as_str()).eq(ink(text.as_str()))).then_some((laid, parsed))
    })
}

/// Everything that is not blank: no comment and no sign may be lost or moved past another.
fn ink(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|c| !c.is_whitespace())
}

/// Whether the last thing in the text is a block scalar, whose line ends are its own.
fn ends_in_kept_block(text: &Text, documents: &[Node]) -> bool {
    fn last(node: &Node) -> &Node {
        match &node.value {
            Value::List(items) => items.last().map_or(node, last),
            Value::Map(entries) => entries.last().map_or(node, |(_, value)| last(value)),
            _ => node,
        }
    }
    let Some(node) = documents.last().map(last) else { return false };
    block_header(text, node.start).is_some_and(|line| text.line(line).contains('+'))
}

/// Whether two trees hold the same values in the same order, wherever they stand.
fn says_the_same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| says_the_same(a, b))
        }
        (Value::Map(one), Value::Map(other)) => {
            let same = |((a, x), (b, y)): (&(Node, Node), &(Node, Node))| says_the_same(a, b) && says_the_same(x, y);
            one.len() == other.len() && one.iter().zip(other).all(same)
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests;
