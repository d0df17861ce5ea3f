//! What the YAML parser complains of, in words for the author of a policy.

use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error, Location};

use crate::core::Place;
use crate::diag::{Diagnostic, code};
use crate::load::text::Text;

/// The parser's error as a diagnostic; `start` is the offset of the chunk that it read.
pub fn explain(error: &Error, text: &Text, start: usize) -> Diagnostic {
    let error = innermost(error);
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let first = text.line_of(start) as u64;
    let place = if location == Location::UNKNOWN {
        text.place(start, start)
    } else {
        text.at(first + location.line(), location.column())
    };
    match error {
        Error::Budget { breach, .. } => refused(exceeded(breach), &place),
        Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => refused(ALIASES, &place),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            let message = "this alias stands for a value that holds the alias itself";
            Diagnostic::error(&code::YAML_SYNTAX, message).at(&place)
        }
        Error::UnknownAnchor { .. } => Diagnostic::error(&code::YAML_SYNTAX, "this alias names no anchor")
            .at(&place)
            .help("an anchor is written `&name`, above the alias and in the same document; put a text that begins with `*` into quotes"),
        Error::UnsupportedTag { tag, .. } => {
            Diagnostic::error(&code::YAML_SYNTAX, format!("the tag `{tag}` means nothing in a policy"))
                .at(&tag_place(text, &place).unwrap_or(place))
                .help("take the tag away; put a text that begins with `!` into quotes")
        }
        other => match plain(other) {
            message if message.contains("recursion limit") || message.contains("nesting") => refused(DEPTH, &place),
            message => syntax(&message, &place, text),
        },
    }
}

const ALIASES: &str = "its anchors and aliases expand to more than a policy can hold";
const DEPTH: &str = "it nests deeper than any policy";

fn exceeded(breach: &BudgetBreach) -> &'static str {
    match breach {
        BudgetBreach::Depth { .. } => DEPTH,
        BudgetBreach::Events { .. } | BudgetBreach::Nodes { .. } => "it holds more values than any policy",
        BudgetBreach::Documents { .. } => "it holds more documents than a file can",
        BudgetBreach::ScalarBytes { .. } => "its texts are longer than any policy's",
        _ => ALIASES,
    }
}

fn refused(message: &str, place: &Place) -> Diagnostic {
    Diagnostic::error(&code::YAML_BUDGET, format!("this document cannot be read: {message}"))
        .at(place)
        .why("no policy needs that much, and a hostile file could exhaust time or memory")
        .help("split it, or write it out without anchors and aliases")
}

fn innermost(error: &Error) -> &Error {
    match error.without_snippet() {
        Error::AliasError { error, .. } => innermost(error),
        other => other,
    }
}

/// The parser's message without its own account of the place.
fn plain(error: &Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text.get(..at).unwrap_or(&text).to_owned(),
        None => text,
    }
}

/// The tag before the value that a place is of.
fn tag_place(text: &Text, value: &Place) -> Option<Place> {
    let line = text.line_of(value.start);
    let beginning = text.start_of(line);
    let before = text.slice(beginning, value.start);
    let at = before.rfind('!').filter(|_| !before.trim().is_empty())?;
    let word = before.get(at..)?.split_whitespace().next()?;
    let at = before.get(..at)?.rfind([' ', '\t']).map_or(at, |space| space + 1);
    let end = at + before.get(at..)?.split_whitespace().next().unwrap_or(word).len();
    Some(text.place(beginning + at, beginning + end))
}

/// The parser's words by what they hold, with clearer ones and what to do.
const SYNTAX: &[(&str, &str, Option<&str>)] = &[
    (
        "mapping values are not allowed",
        "a `:` cannot stand here",
        Some("check the indentation, and put a text that holds `: ` into quotes"),
    ),
    ("unclosed quote", "a quote is opened here and never closed", None),
    ("unclosed bracket", "a bracket is opened here and never closed", None),
    ("misplaced bracket", "this bracket closes nothing", None),
    (
        "unknown escape character",
        "a backslash in double quotes begins an escape that does not exist",
        Some("use single quotes, in which a backslash is meant as it is"),
    ),
    ("did not find expected ',' or '}'", "here a `,` or the closing `}` is missing", None),
    ("did not find expected ',' or ']'", "here a `,` or the closing `]` is missing", None),
    (
        "could not find expected ':'",
        "here a `:` is missing",
        Some("a line of a mapping is `key: value`, with a blank behind the colon"),
    ),
];

fn syntax(message: &str, place: &Place, text: &Text) -> Diagnostic {
    let line = place.line.saturating_sub(1) as usize;
    if message.contains("tab")
        && let Some(tab) = [line, line + 1].into_iter().find_map(|line| indenting_tab(text, line))
    {
        return Diagnostic::error(&code::YAML_SYNTAX, "a tab indents this line")
            .at(&tab)
            .label("a tab")
            .help("indent with spaces: YAML takes no tabs");
    }
    if let Some(character) = text.slice(place.start, place.end).chars().next()
        && message.contains("unexpected character")
    {
        return unexpected(character).at(place);
    }
    let known = SYNTAX.iter().find(|(words, ..)| message.contains(words));
    let (said, help) = known.map_or((message, None), |(_, said, help)| (*said, *help));
    let diagnostic = Diagnostic::error(&code::YAML_SYNTAX, format!("this is not YAML: {said}")).at(place);
    let source = text.line(line);
    if source.contains("${") && source.contains(['{', '[']) && message.contains("flow") {
        return diagnostic.help("inside `{ }` and `[ ]`, put `${…}` into quotes: `\"${var.NAME}\"`");
    }
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn unexpected(character: char) -> Diagnostic {
    if character.is_control() {
        let code = u32::from(character);
        let message = format!("this is not YAML: it holds the control character U+{code:04X}");
        return Diagnostic::error(&code::YAML_SYNTAX, message)
            .help(format!("take it out; in double quotes it can be written `\\x{code:02x}`"));
    }
    let shown = if character == '`' { "a backtick".to_owned() } else { format!("`{character}`") };
    let message = format!("this is not YAML: no value begins with {shown}");
    Diagnostic::error(&code::YAML_SYNTAX, message).help("put the text into quotes")
}

fn indenting_tab(text: &Text, line: usize) -> Option<Place> {
    let source = text.line(line);
    let at = source.len() - source.trim_start_matches(' ').len();
    let tab = source.get(at..)?.starts_with('\t');
    tab.then(|| text.place(text.start_of(line) + at, text.start_of(line) + at + 1))
}
