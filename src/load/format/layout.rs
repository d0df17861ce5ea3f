//! Which lines of a document may move, and where to.
//!
//! A line is either the beginning of an entry, which stands at its collection's column, or it
//! continues something that began on a line above and moves along with that.

use crate::load::text::Text;
use crate::load::yaml::{Node, Value};

/// How far an entry stands within the one around it.
const STEP: usize = 2;

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    /// It begins an entry, or is blank, a comment or a marker: its own text tells.
    Own,
    /// It goes on with a flow collection that began on the given line.
    Flow(usize),
    /// It goes on with a plain or quoted scalar, of the entry on the given line.
    Scalar(usize),
    /// It is content of a block scalar whose header is on the given line; carries the column of
    /// the content.
    Block(usize, usize),
}

/// How far an entry's line was moved.
#[derive(Clone, Copy, Default)]
struct Moved {
    /// The new column less the old.
    by: isize,
    /// The new column of the entry that a continuation belongs to.
    column: usize,
}

/// A collection that is open at a line.
#[derive(Clone, Copy)]
struct Level {
    old: usize,
    new: usize,
    sequence: bool,
}

/// Lays the lines out anew. `indent` says whether columns are changed at all.
pub fn lay_out(text: &Text, documents: &[Node], indent: bool) -> String {
    let count = text.as_str().lines().count();
    let mut roles = vec![Role::Own; count];
    documents.iter().for_each(|document| assign(document, text, &mut roles, None));
    let mut layout = Layout {
        out: Vec::new(),
        moved: vec![Moved::default(); count],
        levels: Vec::new(),
        pending: Vec::new(),
        indent,
    };
    for (number, role) in roles.iter().enumerate() {
        let line = text.line(number);
        match role {
            Role::Own => layout.own(number, line),
            Role::Flow(owner) => layout.flow(*owner, line),
            Role::Scalar(owner) => layout.scalar(*owner, line),
            Role::Block(header, column) => layout.block(*header, *column, line),
        }
    }
    layout.finish()
}

/// Marks the lines that go on with a node's text.
fn assign(node: &Node, text: &Text, roles: &mut [Role], owner: Option<usize>) {
    let first = text.line_of(node.start);
    let last = text.line_of(node.end.max(node.start + 1) - 1);
    let flow = matches!(text.slice(node.start, node.start + 1), "{" | "[");
    match &node.value {
        Value::List(_) | Value::Map(_) if flow => {
            let owner = owner.unwrap_or(first);
            mark(roles, first + 1, last, Role::Flow(owner));
            children(node, text, roles, Some(owner));
        }
        Value::List(_) | Value::Map(_) => children(node, text, roles, owner),
        _ => match block_header(text, node.start).filter(|_| owner.is_none()) {
            Some(header) => block(text, header, first, last, roles),
            None => mark(roles, first + 1, last, Role::Scalar(owner.unwrap_or(first))),
        },
    }
}

fn children(node: &Node, text: &Text, roles: &mut [Role], owner: Option<usize>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| assign(item, text, roles, owner)),
        Value::Map(entries) => entries.iter().for_each(|(key, value)| {
            assign(key, text, roles, owner);
            assign(value, text, roles, owner);
        }),
        _ => {}
    }
}

fn mark(roles: &mut [Role], first: usize, last: usize, role: Role) {
    for line in roles.iter_mut().take(last + 1).skip(first) {
        *line = role;
    }
}

/// The line of a block scalar's header, for a scalar that is a block. Its content begins at the
/// given offset.
pub fn block_header(text: &Text, start: usize) -> Option<usize> {
    let before = text.slice(0, start).trim_end();
    if !text.slice(before.len(), start).contains('\n') {
        return None;
    }
    let line = text.line_of(before.len().saturating_sub(1));
    let header = text.line(line);
    let header = header.split(" #").next().unwrap_or("").trim_end();
    let header = header.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
    let (before, _) = header.strip_suffix(['|', '>']).map(|before| (before, ()))?;
    (before.is_empty() || before.ends_with(' ')).then_some(line)
}

/// Marks a block scalar's lines: those before its first that is not blank, and those after it as
/// long as they are as deep. Blank lines behind it are its own only where it keeps them.
fn block(text: &Text, header: usize, first: usize, last: usize, roles: &mut [Role]) {
    let column = width(text.line(first));
    let keeps = text
        .line(header)
        .split(" #")
        .next()
        .unwrap_or("")
        .trim_end()
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .ends_with('+');
    let inside = |line: &usize| text.line(*line).trim().is_empty() || width(text.line(*line)) >= column;
    let mut end = (first..=last).take_while(inside).last().unwrap_or(first);
    while !keeps && end > first && text.line(end).trim().is_empty() && width(text.line(end)) <= column {
        end -= 1;
    }
    mark(roles, header + 1, end, Role::Block(header, column));
}

/// The number of blanks that a line begins with.
fn width(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

struct Layout {
    out: Vec<String>,
    /// By line: how far its entry went.
    moved: Vec<Moved>,
    levels: Vec<Level>,
    /// Comments that wait for the entry below them, with their old columns.
    pending: Vec<(usize, String)>,
    indent: bool,
}

impl Layout {
    fn own(&mut self, number: usize, line: &str) {
        let content = line.trim();
        if content.is_empty() {
            self.blank();
        } else if let Some(rest) = marker(line) {
            self.settle_comments(&self.levels.clone(), None);
            self.levels.clear();
            self.marker(line, rest);
        } else if content.starts_with('#') {
            self.pending.push((width(line), content.to_owned()));
        } else if content.starts_with('%') && self.levels.is_empty() {
            self.out.push(content.to_owned());
        } else {
            self.entry(number, width(line), content);
        }
    }

    /// One blank line at most, and none at the beginning of a document.
    fn blank(&mut self) {
        if let Some((_, last)) = self.pending.last() {
            if !last.is_empty() {
                self.pending.push((0, String::new()));
            }
        } else if self.out.last().is_some_and(|last| !last.is_empty() && marker(last).is_none()) {
            self.out.push(String::new());
        }
    }

    fn marker(&mut self, line: &str, rest: &str) {
        while self.out.last().is_some_and(String::is_empty) {
            self.out.pop();
        }
        let (word, rest) = (line.get(..3).unwrap_or(line), rest.trim());
        match rest.chars().next() {
            None => self.out.push(word.to_owned()),
            // A comment or a block scalar's header belongs to the marker.
            Some('#' | '|' | '>') => self.out.push(format!("{word} {rest}")),
            Some(_) => {
                self.out.push(word.to_owned());
                self.out.push(rest.to_owned());
            }
        }
    }

    fn entry(&mut self, number: usize, old: usize, content: &str) {
        let mut rest = content;
        let mut at = old;
        let mut line = String::new();
        let mut innermost = Moved::default();
        let above = self.levels.clone();
        loop {
            let dash = rest == "-" || rest.starts_with("- ");
            let new = self.open(at, dash);
            if line.is_empty() {
                self.settle_comments(&above, Some((old, new)));
                line = " ".repeat(new);
            }
            innermost = if is_direct_scalar(rest) && innermost_is_dash(&line) {
                // It belongs to the dash before it.
                innermost
            } else {
                Moved { by: new as isize - at as isize, column: new }
            };
            let after = rest.get(1..).unwrap_or("");
            let blanks = width(after);
            let next = after.trim_start_matches(' ');
            if !dash || next.is_empty() || next.starts_with('#') {
                line.push_str(rest);
                break;
            }
            line.push('-');
            line.push_str(&" ".repeat(if self.indent { 1 } else { blanks }));
            at += 1 + blanks;
            rest = next;
        }
        if let Some(moved) = self.moved.get_mut(number) {
            *moved = innermost;
        }
        self.out.push(line.trim_end().to_owned());
    }

    /// The new column of an entry at an old one.
    fn open(&mut self, old: usize, dash: bool) -> usize {
        let stale = |level: &Level| level.old > old || (level.old == old && level.sequence && !dash);
        while self.levels.last().is_some_and(stale) {
            self.levels.pop();
        }
        let step = |level: &Level| if self.indent { level.new + STEP } else { old };
        let new = match self.levels.last() {
            Some(level) if level.old == old && level.sequence == dash => return level.new,
            // A sequence that stands at its key's own column.
            Some(level) => step(level),
            None if self.indent => 0,
            None => old,
        };
        self.levels.push(Level { old, new, sequence: dash });
        new
    }

    /// Places the comments that waited: with the entry below them where they stood at its column,
    /// else with the entry above that did.
    fn settle_comments(&mut self, above: &[Level], below: Option<(usize, usize)>) {
        for (old, comment) in std::mem::take(&mut self.pending) {
            if comment.is_empty() {
                self.out.push(comment);
                continue;
            }
            let beside = above.iter().find(|level| level.old == old).map(|level| level.new);
            let within = || above.iter().filter(|level| level.old <= old).map(|level| level.new).next_back();
            let column = match below {
                _ if !self.indent => old,
                Some((column, new)) if column == old => new,
                Some((_, new)) => beside.unwrap_or(new),
                None => beside.or_else(within).unwrap_or(0),
            };
            self.out.push(format!("{}{comment}", " ".repeat(column)));
        }
    }

    fn flow(&mut self, owner: usize, line: &str) {
        let content = line.trim();
        if content.is_empty() {
            return self.blank();
        }
        let column = self.shifted(owner, width(line));
        self.out.push(format!("{}{content}", " ".repeat(column)));
    }

    fn scalar(&mut self, owner: usize, line: &str) {
        let content = line.trim();
        if content.is_empty() {
            return self.out.push(String::new());
        }
        let least = if self.indent { self.moved(owner).column + STEP } else { 0 };
        let column = self.shifted(owner, width(line)).max(least);
        self.out.push(format!("{}{content}", " ".repeat(column)));
    }

    fn block(&mut self, header: usize, column: usize, line: &str) {
        if line.trim_start_matches(' ').is_empty() && line.len() <= column {
            return self.out.push(String::new());
        }
        let deeper = width(line).saturating_sub(column);
        let new = if self.indent { self.moved(header).column + STEP } else { column };
        self.out.push(format!("{}{}", " ".repeat(new + deeper), line.trim_start_matches(' ')));
    }

    fn moved(&self, line: usize) -> Moved {
        self.moved.get(line).copied().unwrap_or_default()
    }

    fn shifted(&self, owner: usize, old: usize) -> usize {
        if self.indent { old.saturating_add_signed(self.moved(owner).by) } else { old }
    }

    fn finish(mut self) -> String {
        self.settle_comments(&self.levels.clone(), None);
        self.out.join("\n")
    }
}

/// What follows `---` or `...` on a line that is such a marker.
fn marker(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."))?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some(rest)
}

fn is_direct_scalar(content: &str) -> bool {
    content.starts_with(['|', '>'])
}

fn innermost_is_dash(line: &str) -> bool {
    line.trim_end().ends_with('-')
}
