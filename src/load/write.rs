//! Policies as YAML text, in the layout of `fmt` and the short forms of the shipped examples: the way
//! back from [`super::texts`].
//!
//! What is quoted is decided on the safe side: a scalar stands bare only where every YAML reader
//! takes it for that text, in or out of brackets.

use serde_json::{Map, Value as Json};

/// How long a line may get before brackets give way to lines.
const WIDTH: usize = 100;

/// Words that some reader takes for something else than text.
const WORDS: [&str; 12] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];

/// An entry of a document, with all below it.
pub fn entry(key: &str, value: &Json) -> String {
    let mut out = String::new();
    block_entry(key, value, 0, true, &mut out);
    out
}

/// An entry of a mapping that is an entry of a document, and spread over lines.
pub fn entry_below(key: &str, value: &Json) -> String {
    let mut out = String::new();
    block_entry(key, value, 2, false, &mut out);
    out
}

/// The key of a list whose items [`item`] writes, or of a mapping of which [`entry_below`] does.
pub fn list_key(name: &str) -> String {
    format!("{}:\n", key(name))
}

/// An item of a list that is an entry of a document.
pub fn item(value: &Json) -> String {
    let mut out = String::new();
    block_item(value, 2, &mut out);
    out
}

/// A remark, on one line whatever is in it.
pub fn comment(text: &str) -> String {
    let clean: String = text.chars().map(|c| if is_visible(c) { c } else { '\u{fffd}' }).collect();
    format!("# {clean}\n")
}

/// `key: value` at a column; a mapping of the document itself is always spread over lines.
fn block_entry(name: &str, value: &Json, column: usize, top: bool, out: &mut String) {
    let start = format!("{}{}:", " ".repeat(column), key(name));
    let spread = top && matches!(value, Json::Object(entries) if !entries.is_empty());
    if !spread && let Some(line) = on_one_line(value, start.chars().count() + 1) {
        out.push_str(&format!("{start} {line}\n"));
        return;
    }
    out.push_str(&start);
    match value {
        Json::Object(entries) => {
            out.push('\n');
            block_entries(entries, column + 2, out);
        }
        Json::Array(items) => {
            out.push('\n');
            items.iter().for_each(|item| block_item(item, column + 2, out));
        }
        other => block_scalar(other, column + 2, out),
    }
}

fn block_entries(entries: &Map<String, Json>, column: usize, out: &mut String) {
    for (name, value) in entries {
        block_entry(name, value, column, false, out);
    }
}

fn block_item(value: &Json, column: usize, out: &mut String) {
    let start = format!("{}-", " ".repeat(column));
    if let Some(line) = on_one_line(value, start.len() + 1) {
        out.push_str(&format!("{start} {line}\n"));
        return;
    }
    match value {
        Json::Object(entries) => {
            // The first entry stands on the line of the dash.
            let mut below = String::new();
            block_entries(entries, column + 2, &mut below);
            out.push_str(&start);
            out.push(' ');
            out.push_str(below.trim_start_matches(' '));
        }
        Json::Array(items) => {
            out.push_str(&start);
            out.push('\n');
            items.iter().for_each(|item| block_item(item, column + 2, out));
        }
        other => {
            out.push_str(&start);
            block_scalar(other, column + 2, out);
        }
    }
}

/// A scalar that has its own line or lines, after a key or dash.
fn block_scalar(value: &Json, column: usize, out: &mut String) {
    match value {
        Json::String(text) if is_literal(text) => {
            let (mark, body) = match text.strip_suffix('\n') {
                Some(body) => ("|", body),
                None => ("|-", text.as_str()),
            };
            out.push_str(&format!(" {mark}\n"));
            for line in escaped(body).split('\n') {
                let indent = if line.is_empty() { 0 } else { column };
                out.push_str(&format!("{}{line}\n", " ".repeat(indent)));
            }
        }
        other => out.push_str(&format!(" {}\n", scalar(other, false))),
    }
}

/// Whether a text can stand as it is, line by line.
fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let first = body.chars().next().unwrap_or(' ');
    body.contains('\n')
        && !first.is_whitespace()
        && !body.ends_with('\n')
        && body.split('\n').all(|line| line.chars().all(is_visible) && !line.ends_with(' '))
}

/// A value in brackets, where it fits behind a column and needs no line of its own.
fn on_one_line(value: &Json, column: usize) -> Option<String> {
    let flow = match value {
        Json::Object(_) | Json::Array(_) => flow(value)?,
        Json::String(text) if is_literal(text) => return None,
        // A scalar has nowhere else to go.
        other => return Some(scalar(other, false)),
    };
    (column + flow.chars().count() <= WIDTH).then_some(flow)
}

fn flow(value: &Json) -> Option<String> {
    Some(match value {
        Json::Object(entries) => {
            let each = |(name, value): (&String, &Json)| Some(format!("{}: {}", key(name), flow(value)?));
            format!("{{{}}}", entries.iter().map(each).collect::<Option<Vec<_>>>()?.join(", "))
        }
        Json::Array(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Option<Vec<_>>>()?.join(", "))
        }
        Json::String(text) if is_literal(text) => return None,
        other => scalar(other, true),
    })
}

fn key(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        && !is_word(name);
    if plain { name.to_owned() } else { quoted(name) }
}

fn scalar(value: &Json, in_brackets: bool) -> String {
    match value {
        Json::String(text) => {
            let text = escaped(text);
            if is_plain(&text, in_brackets) { text } else { quoted(&text) }
        }
        other => other.to_string(),
    }
}

/// The text with what would be read as a variable said to be none.
fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

fn is_word(text: &str) -> bool {
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn is_plain(text: &str, in_brackets: bool) -> bool {
    let begins_well = text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '('));
    let begins_well = begins_well || is_span(text) || is_amount(text);
    begins_well
        && !is_word(text)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && (!in_brackets || !text.contains([',', '[', ']', '{', '}']))
        && text.chars().all(is_visible)
}

/// A number and a unit, such as `7 days`: what begins so is no number and no date.
fn is_span(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < text.len() && rest.strip_prefix(' ').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphabetic()))
}

/// A number with the letters of a unit behind it, such as `64MB` or `1.5ms`. `1e5`, `0x1`, `0o7` and `0b1`
/// are numbers to some.
fn is_amount(text: &str) -> bool {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(digits(text));
    let rest = match rest.strip_prefix('.') {
        Some(fraction) if digits(fraction) > 0 => fraction.split_at(digits(fraction)).1,
        Some(_) => return false,
        None => rest,
    };
    !whole.is_empty()
        && rest.starts_with(|c: char| !matches!(c.to_ascii_lowercase(), 'b' | 'e' | 'o' | 'x'))
        && rest.chars().all(|c| c.is_ascii_alphabetic())
}

/// Whether a character is neither a control nor one that hides or turns others.
fn is_visible(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        && !matches!(c, '\u{2060}'..='\u{206f}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{ad}' | '\u{61c}')
}

fn quoted(text: &str) -> String {
    if !text.chars().all(is_visible) {
        let escape = |c: char| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\t' => "\\t".to_owned(),
            '\r' => "\\r".to_owned(),
            c if !is_visible(c) => format!("\\u{:04X}", u32::from(c)),
            c => c.to_string(),
        };
        return format!("\"{}\"", text.chars().map(escape).collect::<String>());
    }
    match text.contains(['"', '\\']) {
        true => format!("'{}'", text.replace('\'', "''")),
        false => format!("\"{text}\""),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::load::text::Text;
    use crate::load::variables::{Piece, pieces};
    use crate::load::yaml::{self, Node, Value};

    fn json_of(node: &Node) -> Json {
        match &node.value {
            Value::Null => Json::Null,
            Value::Bool(value) => json!(value),
            Value::Int(value) => json!(value),
            Value::Large(value) => json!(value),
            Value::Float(value) => json!(value),
            Value::Text(text) => match pieces(text).as_slice() {
                [] => json!(""),
                [Piece::Text(text)] => json!(text),
                _ => panic!("{text} is read as a variable"),
            },
            Value::List(items) => Json::Array(items.iter().map(json_of).collect()),
            Value::Map(entries) => {
                let entry = |(key, value): &(Node, Node)| match &key.value {
                    Value::Text(key) => (key.clone(), json_of(value)),
                    other => panic!("{other:?} is no text"),
                };
                Json::Object(entries.iter().map(entry).collect())
            }
        }
    }

    fn check(value: &Json) -> String {
        let text = entry("k", value);
        let mut sink = Vec::new();
        let nodes = yaml::documents(&Text::new("p".into(), text.as_str().into()), &mut sink);
        assert!(sink.is_empty() && nodes.len() == 1, "{text}\n{sink:?}");
        assert_eq!(json_of(&nodes[0]), json!({"k": value}), "{text}");
        assert_eq!(crate::load::format::format(&text).unwrap(), text);
        text
    }

    const HOSTILE: &[&str] = &[
        "",
        " ",
        "a ",
        " a",
        "~",
        "null",
        "True",
        "NO",
        "on",
        "1",
        "1.8",
        "-3",
        "0x1f",
        "1e5",
        ".5",
        "0o7",
        "1_000",
        "7 days",
        "64MB",
        "1.5ms",
        "1.ms",
        ".5s",
        "0b1",
        "1e",
        "12:00",
        "2026-01-01",
        "2026-01-01 02:00:00+00",
        "1 hour 30 minutes",
        "a: b",
        "a:",
        "a #b",
        "#a",
        "- a",
        "-",
        "?",
        "? a",
        "a, b",
        "[a]",
        "{a}",
        "a]",
        "'",
        "\"",
        "a'b",
        "a\"b",
        "a\\b",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a`",
        "a\nb",
        "a\n",
        "\na",
        "a\n\nb\n",
        "a\n b\n  c",
        "a\tb",
        "a\rb",
        "\u{0}",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}a",
        "é",
        "日本",
        "🦀 crab",
        "${var.x}",
        "$${env.HOME}",
        "a$b",
        "$",
        "---",
        "...",
        "--- a",
        "<<",
        "=",
        "(a)",
        "lower(x)",
        "level in ('error', 'fatal')",
        "Select 1\n  from t -- x: y\n",
        "a \nb",
        "\u{202e}x",
        "a\n\tb",
        "y",
        "n",
        "Infinity",
        ".inf",
        ".NaN",
        "nan",
        "a: ",
        "::",
        "a::text",
        "a ::b",
    ];

    #[test]
    fn every_text_is_read_as_it_was_wherever_it_stands() {
        for text in HOSTILE {
            check(&json!(text));
            check(&json!([text]));
            check(&json!([text, text]));
            check(&json!({"a": text}));
            check(&json!({"a": [text], "b": {"c": text}}));
            check(&json!([{"a": text, "b": "x".repeat(100)}]));
            check(&json!([["x".repeat(100), text]]));
            check(&json!({*text: 1, "b": {*text: "x".repeat(100)}}));
            let long = format!("{text}{}", "x".repeat(120));
            check(&json!([{"name": long, "columns": [long, text]}]));
        }
    }

    #[test]
    fn a_remark_is_one_line() {
        for text in HOSTILE {
            let comment = comment(text);
            assert_eq!(comment.lines().count(), 1, "{comment}");
            let formatted = crate::load::format::format(&format!("{comment}a: 1\n")).unwrap();
            assert_eq!(formatted.lines().count(), 2, "{comment}");
        }
    }

    #[test]
    fn what_is_written_looks_as_a_person_would_write_it() {
        let document = json!({
            "time_column": "time", "chunk_interval": "1 day",
            "schedule": {"every": "1 day", "initial_start": "2026-01-01 02:00:00+00", "max_retries": 3},
            "segment_by": ["symbol"], "memory": "64MB", "empty": [], "where": "status = 'open'", "version": "1.8", "factor": 0.02,
        });
        assert_eq!(
            check(&document),
            "k:\n  time_column: time\n  chunk_interval: 1 day\n  schedule: {every: 1 day, initial_start: \
             \"2026-01-01 02:00:00+00\", max_retries: 3}\n  segment_by: [symbol]\n  memory: 64MB\n  empty: []\n  where: status = \
             'open'\n  version: \"1.8\"\n  factor: 0.02\n"
        );
        assert_eq!(check(&json!({})), "k: {}\n");
        assert_eq!(check(&json!("SELECT a,\n  b\nFROM t")), "k: |-\n  SELECT a,\n    b\n  FROM t\n");
        let short = json!({"name": "ix", "columns": ["a", "b desc"]});
        assert_eq!(item(&short), "  - {name: ix, columns: [a, b desc]}\n");
        let long = json!({"name": "ix", "columns": ["a"], "where": "x".repeat(90)});
        assert_eq!(item(&long), format!("  - name: ix\n    columns: [a]\n    where: {}\n", "x".repeat(90)));
    }
}
