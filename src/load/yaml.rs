//! YAML text as a tree of values that know where they stand, within a budget.
//!
//! A file is cut at its `---` lines first, which YAML allows nowhere but between documents. So a
//! document that is broken hides no other, and spans are those of the file.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{DuplicateKeyPolicy, Options, Spanned};

use crate::diag::{Diagnostic, code};
use crate::load::complaints;
use crate::load::text::Text;

/// How deep a document may nest. The deepest policy key is at seven.
const MAX_DEPTH: usize = 16;
/// How many values one document may have, aliases expanded.
const MAX_NODES: usize = 50_000;
/// How many documents one file may have.
const MAX_DOCUMENTS: usize = 2_000;
/// How many aliases one document may use.
const MAX_ALIASES: usize = 2_000;

/// A value and the stretch of the file that it was read from.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// The offset of its first byte. A collection in block style begins at its first entry.
    pub start: usize,
    /// The offset after its last byte.
    pub end: usize,
}

/// A YAML value.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`; `yes`, `no`, `on` and `off` are text, as in YAML 1.2.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Large(u64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order written, with every entry, even of one key.
    Map(Vec<(Node, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let span = spanned.defined.span();
        let offset = |at: Option<u64>| at.and_then(|at| usize::try_from(at).ok()).unwrap_or_default();
        let start = offset(span.byte_offset());
        Ok(Self { value: spanned.value, start, end: start + offset(span.byte_len()) })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Large(value), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            if list.len() >= MAX_NODES {
                return Err(A::Error::custom("the list is too long"));
            }
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}

/// Every document of a file that is not empty. What cannot be read is reported, and the rest of the
/// file is read all the same.
pub fn documents(text: &Text, sink: &mut Vec<Diagnostic>) -> Vec<Node> {
    crate::core::stack::roomy(|| read(text, sink))
}

fn read(text: &Text, sink: &mut Vec<Diagnostic>) -> Vec<Node> {
    let mut documents = Vec::new();
    for (number, (start, end)) in chunks(text).into_iter().enumerate() {
        if number >= MAX_DOCUMENTS || documents.len() >= MAX_DOCUMENTS {
            let message = format!("`{}` holds more than {MAX_DOCUMENTS} documents", text.path());
            sink.push(Diagnostic::error(&code::YAML_BUDGET, message).at(&text.place(start, start + 3)));
            break;
        }
        match serde_saphyr::from_multiple_with_options::<Node>(text.slice(start, end), options()) {
            Ok(mut nodes) => {
                let mut settling = Settling { by: start, text: text.as_str(), gaps: BTreeMap::new() };
                nodes.iter_mut().for_each(|node| settling.settle(node));
                documents.append(&mut nodes);
            }
            Err(error) => sink.push(complaints::explain(&error, text, start)),
        }
    }
    documents
}

/// The stretches between `---` lines that hold more than comments.
fn chunks(text: &Text) -> Vec<(usize, usize)> {
    let mut chunks = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut content = false;
    // Directives before a `---` belong to the document after it. Behind content, they need a `...`.
    let mut directives = false;
    let mut ended = None;
    for line in text.as_str().split_inclusive('\n') {
        let marker = after_word(line, "---");
        if marker.is_some() {
            if content {
                let end = ended.unwrap_or(at);
                chunks.push((start, end));
                start = end;
            } else if !directives {
                start = at;
            }
            (content, directives, ended) = (false, false, None);
        }
        let rest = marker.unwrap_or(line).trim_start();
        if marker.is_none() && line.starts_with('%') && (!content || ended.is_some()) {
            directives = true;
        } else if marker.is_none() && after_word(line, "...").is_some() {
            ended = Some(at + line.len());
        } else if !(rest.is_empty() || rest.starts_with('#')) {
            (content, ended) = (true, None);
        }
        at += line.len();
    }
    if content {
        chunks.push((start, at));
    }
    chunks
}

/// What follows a marker on a line that begins with it.
fn after_word<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.strip_prefix(word).filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}

/// Moves spans from the chunk into the file and gives collections their end.
struct Settling<'a> {
    by: usize,
    text: &'a str,
    /// Where what separates values ends, by where it begins. Aliases bring the same collection
    /// again and again, and a long comment in it is read once.
    gaps: BTreeMap<usize, usize>,
}

impl Settling<'_> {
    fn settle(&mut self, node: &mut Node) {
        node.start += self.by;
        node.end += self.by;
        let last = match &mut node.value {
            Value::List(items) => {
                items.iter_mut().for_each(|item| self.settle(item));
                items.iter().map(|item| item.end).max()
            }
            Value::Map(entries) => {
                for (key, value) in entries.iter_mut() {
                    self.settle(key);
                    self.settle(value);
                }
                entries.iter().map(|(key, value)| key.end.max(value.end)).max()
            }
            _ => return,
        };
        node.end = node.end.max(last.unwrap_or_default());
        let closing = match self.text.as_bytes().get(node.start) {
            Some(b'{') => b'}',
            Some(b'[') => b']',
            _ => return,
        };
        let inside = node.end.max(node.start + 1);
        let after = *self.gaps.entry(inside).or_insert_with(|| behind_gap(self.text, inside));
        if self.text.as_bytes().get(after) == Some(&closing) {
            node.end = after + 1;
        }
    }
}

/// The offset of what comes after blanks, commas and comments.
fn behind_gap(text: &str, from: usize) -> usize {
    let filler = |c: char| c.is_whitespace() || c == ',';
    let mut rest = text.get(from..).unwrap_or("").trim_start_matches(filler);
    while rest.starts_with('#') {
        rest = rest.split_once('\n').map_or("", |(_, after)| after).trim_start_matches(filler);
    }
    text.len() - rest.len()
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH + 1,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_recorded_anchor_events: MAX_NODES,
            max_recorded_anchor_bytes: 4_000_000,
            max_merge_keys: MAX_ALIASES,
            max_total_scalar_bytes: 4_000_000,
            alias_anchor_min_aliases: MAX_ALIASES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: 16,
        },
        // Both entries of a key are wanted, to show both.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Merge,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::fake::cpu_time;
    use std::time::Duration;

    fn read(text: &str) -> (Vec<Node>, Vec<Diagnostic>) {
        let mut sink = Vec::new();
        let nodes = documents(&Text::new("p.yaml".into(), text.into()), &mut sink);
        (nodes, sink)
    }

    fn code_of(text: &str) -> (&'static str, u32, u32) {
        let (_, sink) = read(text);
        let diagnostic = sink.first().unwrap_or_else(|| panic!("no error in {:.200}", text));
        let place = diagnostic.place.as_ref().unwrap();
        (diagnostic.code.name, place.line, place.column)
    }

    fn value(text: &str) -> Value {
        let (nodes, sink) = read(&format!("v: {text}\n"));
        assert_eq!(sink, []);
        let Some(Value::Map(entries)) = nodes.first().map(|node| &node.value) else { panic!("{text}") };
        entries[0].1.value.clone()
    }

    #[test]
    fn only_true_and_false_are_truth_values() {
        assert_eq!(value("true"), Value::Bool(true));
        assert_eq!(value("False"), Value::Bool(false));
        for text in ["no", "yes", "on", "off", "Y", "n", "NO"] {
            assert_eq!(value(text), Value::Text(text.to_owned()));
        }
    }

    #[test]
    fn what_looks_like_a_number_to_yaml_1_1_is_text() {
        assert_eq!(value("12"), Value::Int(12));
        assert_eq!(value("-0.5"), Value::Float(-0.5));
        assert_eq!(value("18446744073709551615"), Value::Large(u64::MAX));
        for text in ["0755", "1_000", "1:30", "01:30:00", "2026-01-01 02:00:00+00", ".inf", "7 days", "1.2.3"] {
            assert_eq!(value(text), Value::Text(text.to_owned()));
        }
        assert_eq!(value("\"12\""), Value::Text("12".to_owned()));
        assert_eq!(value("~"), Value::Null);
        assert_eq!(value(""), Value::Null);
    }

    #[test]
    fn spans_are_those_of_the_file() {
        let text = "# head\n---\na: 'ü'\n---\n# only a comment\n---\nb:\n  - {x: 1, y: [2] }\n";
        let (nodes, sink) = read(text);
        assert_eq!(sink, []);
        assert_eq!(nodes.len(), 2);
        let Value::Map(first) = &nodes[0].value else { panic!() };
        assert_eq!(&text[first[0].1.start..first[0].1.end], "'ü'");
        let Value::Map(second) = &nodes[1].value else { panic!() };
        let Value::List(items) = &second[0].1.value else { panic!() };
        assert_eq!(&text[items[0].start..items[0].end], "{x: 1, y: [2] }");
        assert_eq!(&text[nodes[1].start..nodes[1].end], "b:\n  - {x: 1, y: [2] }");
    }

    #[test]
    fn a_broken_document_hides_no_other() {
        let (nodes, sink) = read("a: 1\n---\nb: [\n---\nc: 3\n--- \nd: 'x\n");
        assert_eq!(nodes.len(), 2);
        let places: Vec<_> = sink.iter().map(|d| d.place.as_ref().unwrap().line).collect();
        assert_eq!(places.len(), 2);
        assert!(places[0] >= 3 && places[0] <= 4 && places[1] >= 7, "{places:?}");
    }

    #[test]
    fn every_entry_of_a_key_is_kept() {
        let (nodes, _) = read("a: 1\nb: 2\na: 3\n");
        let Value::Map(entries) = &nodes[0].value else { panic!() };
        assert_eq!(entries.len(), 3);
    }

    #[test]
    fn anchors_aliases_and_merge_keys_work() {
        let (nodes, sink) = read("a: &x {k: 1, l: 2}\nb: *x\nc: {<<: *x, l: 3}\n");
        assert_eq!(sink, []);
        let Value::Map(entries) = &nodes[0].value else { panic!() };
        let Value::Map(merged) = &entries[2].1.value else { panic!() };
        assert_eq!(merged.len(), 2);
        assert_eq!(entries[1].1.value, entries[0].1.value);
    }

    #[test]
    fn directives_and_document_ends_are_read() {
        let (nodes, sink) = read("%YAML 1.2\n---\na: 1\n...\n---\nb: 1\n");
        assert_eq!(sink, []);
        assert_eq!(nodes.len(), 2);
        let (nodes, sink) = read("a: 1\n...\n%YAML 1.2\n---\nb: 1\n");
        assert_eq!((nodes.len(), sink.len()), (2, 0), "{sink:?}");
        assert_eq!(read("").0, []);
        assert_eq!(read("# nothing\n---\n\n---\n# here\n").0, []);
    }

    #[test]
    fn syntax_errors_have_a_place() {
        assert_eq!(code_of("a: b\nc: 'x\n").0, "yaml-syntax");
        assert_eq!(code_of("a: b: c\n"), ("yaml-syntax", 1, 5));
        assert_eq!(code_of("a:\n\tb: c\n"), ("yaml-syntax", 2, 1));
        assert_eq!(code_of("x: 1\n---\na: !ruby/object {}\n").1, 3);
        assert_eq!(code_of("a: *nobody\n"), ("yaml-syntax", 1, 4));
        assert_eq!(code_of("a: &x [*x]\n").0, "yaml-syntax");
        assert_eq!(code_of("a: \u{1}\n"), ("yaml-syntax", 1, 4));
        assert_eq!(code_of("a: \u{0}\n").0, "yaml-syntax");
    }

    /// Ten levels of nine aliases each: 3.4 billion values.
    fn laughs() -> String {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..=10 {
            let below = format!("*a{}, ", level - 1).repeat(9);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", below.trim_end_matches(", ")));
        }
        text
    }

    #[test]
    fn bombs_are_refused_quickly() {
        let bombs = [
            laughs(),
            laughs().replace('[', "{<<: [").replace(']', "]}").replace("x, ", "{x: 1}, ").replace(", x]", "]"),
            format!("a: {}", "[".repeat(1000)),
            format!("a: {}{}", "[".repeat(500_000), "]".repeat(500_000)),
            format!("a: {}", "{a: ".repeat(100_000)),
            (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>(),
            "- ".repeat(400_000),
            "? ".repeat(400_000),
            format!("a: [{}]", "x,".repeat(400_000)),
            "- x\n".repeat(200_000),
            "---\na: 1\n".repeat(100_000),
            format!("a: &x y\nb: [{}]\n", "*x,".repeat(300_000)),
            (0..60_000).map(|n| format!("k{n}: &a{n} v\n")).collect::<String>(),
        ];
        for bomb in bombs {
            let started = cpu_time();
            let (_, sink) = read(&bomb);
            let took = cpu_time() - started;
            assert!(took < Duration::from_secs(1), "{bomb:.60} took {took:?}");
            let diagnostic = sink.first().unwrap_or_else(|| panic!("{:.60} was accepted", bomb));
            assert_eq!(diagnostic.code.name, "yaml-budget", "{:.60}: {}", bomb, diagnostic.message);
            assert!(sink.len() < 5);
        }
    }
}
