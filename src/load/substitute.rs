//! Puts the values of variables into a document before it is validated.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::core::Place;
use crate::diag::source::segment;
use crate::diag::{Diagnostic, code};
use crate::load::format::block_header;
use crate::load::text::Text;
use crate::load::tree;
use crate::load::variables::{Piece, Reference, Space, Variables, pieces};
use crate::load::yaml::{Node, Value};

/// What substitution knows of a document's scalars, by the offset at which each begins.
#[derive(Default, Debug)]
pub struct Substituted {
    /// The scalars that are one reference and nothing else, with the value's other reading: as text
    /// where it was read as a number, and the other way round. The schema decides between them.
    pub other: BTreeMap<usize, Json>,
    /// The scalars whose value is not known.
    pub unknown: BTreeSet<usize>,
    /// The references that had a value, with it.
    pub used: BTreeMap<String, String>,
}

/// Substitutes every reference in a document's values.
pub fn apply(document: &mut Node, text: &Text, variables: &Variables, sink: &mut Vec<Diagnostic>) -> Substituted {
    apply_but(document, &[], text, variables, sink)
}

/// The same, but at some pointers a reference to the environment stays as it is written: what reads it there
/// looks for its value itself, when it is needed, and writes it down nowhere.
pub fn apply_but(
    document: &mut Node,
    secrets: &[&str],
    text: &Text,
    variables: &Variables,
    sink: &mut Vec<Diagnostic>,
) -> Substituted {
    let mut done = Substituted::default();
    walk(document, "", &mut Substitution { text, variables, secrets, sink, done: &mut done });
    done
}

struct Substitution<'a> {
    text: &'a Text,
    variables: &'a Variables,
    secrets: &'a [&'a str],
    sink: &'a mut Vec<Diagnostic>,
    done: &'a mut Substituted,
}

fn walk(node: &mut Node, pointer: &str, substitution: &mut Substitution<'_>) {
    match &mut node.value {
        // No list holds a secret.
        Value::List(items) => items.iter_mut().for_each(|item| walk(item, "-", substitution)),
        Value::Map(entries) => {
            for (key, value) in entries {
                if let Value::Text(name) = &key.value
                    && name.contains("${")
                {
                    substitution.key(key);
                }
                match &key.value {
                    Value::Text(name) if !substitution.secrets.is_empty() => {
                        walk(value, &format!("{pointer}{}", segment(name)), substitution);
                    }
                    _ => walk(value, pointer, substitution),
                }
            }
        }
        Value::Text(content) if substitution.secrets.contains(&pointer) && is_of_environment(content) => {}
        Value::Text(content) if content.contains("${") => {
            let content = std::mem::take(content);
            node.value = substitution.scalar(&content, node.start, node.end);
        }
        _ => {}
    }
}

/// Whether a text is one reference to the environment and nothing else.
fn is_of_environment(content: &str) -> bool {
    matches!(pieces(content).as_slice(), [Piece::Reference(reference)] if reference.space == Space::Env)
}

impl Substitution<'_> {
    fn key(&mut self, key: &Node) {
        self.sink.push(
            Diagnostic::error(&code::WRONG_VALUE, "a key cannot hold a `${…}`")
                .at(&self.text.place(key.start, key.end))
                .help("only values are substituted"),
        );
    }

    fn scalar(&mut self, content: &str, start: usize, end: usize) -> Value {
        let pieces = pieces(content);
        if let [Piece::Reference(reference)] = pieces.as_slice() {
            return self.whole(reference, start, end);
        }
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(&text),
                Piece::Reference(reference) => match self.value(&reference, start, end) {
                    Some(value) => out.push_str(&tree::scalar_text(&value)),
                    None => _ = self.done.unknown.insert(start),
                },
                Piece::Bad(range) => {
                    let written = content.get(range).unwrap_or("${");
                    self.bad(written, start, end);
                }
            }
        }
        Value::Text(out)
    }

    /// A scalar that is one reference takes the value's own type, unless it is quoted.
    fn whole(&mut self, reference: &Reference, start: usize, end: usize) -> Value {
        let Some(typed) = self.value(reference, start, end) else {
            self.done.unknown.insert(start);
            return Value::Text(reference.to_string());
        };
        let text = tree::scalar_text(&typed);
        if typed.is_string() {
            return Value::Text(text);
        }
        if is_quoted(self.text, start) {
            self.done.other.insert(start, typed);
            return Value::Text(text);
        }
        self.done.other.insert(start, Json::String(text));
        match typed {
            Json::Bool(value) => Value::Bool(value),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => Value::Float(number.as_f64().unwrap_or_default()),
            },
            _ => Value::Null,
        }
    }

    fn value(&mut self, reference: &Reference, start: usize, end: usize) -> Option<Json> {
        let Some(value) = self.variables.get(reference) else {
            let place = self.place_of(&reference.to_string(), start, end);
            let refused = self.variables.refuses(reference);
            let said = if refused { not_here(reference) } else { unset(reference, self.variables) };
            self.sink.push(said.at(&place));
            return None;
        };
        self.done.used.insert(reference.to_string(), tree::scalar_text(&value));
        Some(value)
    }

    fn bad(&mut self, written: &str, start: usize, end: usize) {
        self.done.unknown.insert(start);
        let place = self.place_of(written, start, end);
        let what = if written.ends_with('}') { "names no variable" } else { "is opened and never closed" };
        self.sink.push(
            Diagnostic::error(&code::WRONG_VALUE, format!("`{written}` {what}"))
                .at(&place)
                .help("write `${var.NAME}`; where `${` is meant as it is, write `$${`"),
        );
    }

    /// The stretch of the scalar that is written so; the whole scalar where it is not found, as in
    /// a quoted text with escapes.
    fn place_of(&self, written: &str, start: usize, end: usize) -> Place {
        // What is never closed goes on to the end; its beginning may also begin what stands before.
        let scalar = self.text.slice(start, end);
        let found = if written.ends_with('}') { scalar.find(written) } else { scalar.rfind(written) };
        match found {
            Some(at) => self.text.place(start + at, start + at + written.len()),
            None => self.text.place(start, end),
        }
    }
}

/// A reference to the environment where what it gives would be written down.
fn not_here(reference: &Reference) -> Diagnostic {
    let name = &reference.name;
    let message = format!("`{reference}` is out of the environment, which is only for how to connect");
    Diagnostic::error(&code::ENV_IN_POLICY, message)
        .why("it may be a secret, and what policies say is written into plans, the ledger and reports")
        .help(format!(
            "what is no secret is a variable: write `${{var.{name}}}`, and give it with `--var {name}=\"${name}\"`"
        ))
}

fn unset(reference: &Reference, variables: &Variables) -> Diagnostic {
    let name = &reference.name;
    let diagnostic = Diagnostic::error(&code::UNSET_VARIABLE, format!("`{reference}` has no value"));
    let diagnostic = match variables.nearest(reference) {
        Some(near) => diagnostic.label(format!("did you mean `{near}`?")),
        None => diagnostic,
    };
    match reference.space {
        Space::Var => diagnostic.help(format!(
            "give it with `--var {name}=…`, in a file given with `--var-file`, or under `variables` in `chronoform.yaml`"
        )),
        Space::Env => diagnostic.help(format!("set the environment variable `{name}`")),
    }
}

/// Whether a scalar is quoted or a block: text whatever it looks like.
fn is_quoted(text: &Text, start: usize) -> bool {
    text.slice(start, start + 1).starts_with(['\'', '"']) || block_header(text, start).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::yaml;

    fn substitute(source: &str, variables: &Variables) -> (Json, Substituted, Vec<Diagnostic>) {
        let text = Text::new("p.yaml".into(), source.into());
        let mut sink = Vec::new();
        let mut node = yaml::documents(&text, &mut sink).remove(0);
        let done = apply(&mut node, &text, variables, &mut sink);
        let json = tree::convert(&node, &text, &done, &mut sink).json;
        (json, done, sink)
    }

    #[test]
    fn a_whole_scalar_takes_the_type_of_its_value() {
        let variables = Variables::from_pairs(&[("DAYS", "7"), ("ON", "true"), ("T", "x")]);
        let source = "a: ${var.DAYS}\nb: ${var.DAYS} days\nc: '${var.DAYS}'\nd: ${var.ON}\ne: $${var.DAYS}\nf: ${var.T}\ng: |-\n  ${var.DAYS}\nh:\n  ${var.DAYS}\n";
        let (json, done, sink) = substitute(source, &variables);
        assert_eq!(sink, []);
        let wanted = serde_json::json!({
            "a": 7, "b": "7 days", "c": "7", "d": true, "e": "${var.DAYS}", "f": "x", "g": "7", "h": 7
        });
        assert_eq!(json, wanted);
        assert_eq!(done.other.len(), 5);
    }

    #[test]
    fn an_unset_variable_is_shown_where_it_stands_with_its_like() {
        let variables = Variables::from_pairs(&[("RETENTION", "7")]);
        let (_, done, sink) = substitute("a: x\nb: up to ${var.RETENTON} days${\nc: ${foo}\n${var.X}: 1\n", &variables);
        let seen: Vec<_> = sink
            .iter()
            .map(|d| {
                (d.code.name, d.place.as_ref().unwrap().line, d.place.as_ref().unwrap().column, d.label.as_deref())
            })
            .collect();
        let wanted = [
            ("unset-variable", 2, 10, Some("did you mean `RETENTION`?")),
            ("wrong-value", 2, 30, None),
            ("wrong-value", 3, 4, None),
            ("wrong-value", 4, 1, None),
        ];
        assert_eq!(seen, wanted);
        assert_eq!(done.unknown.len(), 2);
    }

    #[test]
    fn where_a_secret_belongs_its_reference_stays() {
        let text =
            Text::new("p.yaml".into(), "a: {key: '${env.PATH}', more: '${env.PATH}'}\nkey: ${env.PATH}\n".into());
        for (source, expected) in
            [("a: {key: '${env.PATH}'}", 0), ("a: {key: 'x${env.PATH}'}", 1), ("a: [{key: '${env.PATH}'}]", 1)]
        {
            let text = Text::new("p.yaml".into(), source.into());
            let mut sink = Vec::new();
            let mut node = yaml::documents(&text, &mut sink).remove(0);
            let done = apply_but(&mut node, &["/a/key"], &text, &Variables::default(), &mut sink);
            assert_eq!((sink.len(), done.unknown.len()), (expected, expected), "{source}");
        }
        let mut sink = Vec::new();
        let mut node = yaml::documents(&text, &mut sink).remove(0);
        let done = apply_but(&mut node, &["/a/key"], &text, &Variables::default(), &mut sink);
        assert_eq!((sink.len(), done.unknown.len()), (2, 2));
        assert_eq!(tree::convert(&node, &text, &done, &mut sink).json["a"]["key"], "${env.PATH}");
    }

    #[test]
    fn the_environment_is_not_for_policies() {
        let text = "a: ${env.PATH}\nb: [{c: 'x ${var.A} ${env.PATH}'}]\nd: ${env.UNSET}\ne: $${env.PATH}\n";
        let (json, done, sink) = substitute(text, &Variables::from_pairs(&[("A", "1")]));
        let seen: Vec<_> = sink.iter().map(|d| (d.code.name, d.place.as_ref().unwrap().line)).collect();
        assert_eq!(seen, [("env-in-policy", 1), ("env-in-policy", 2), ("env-in-policy", 3)]);
        assert!(sink[0].help.as_ref().unwrap().contains("`--var PATH=\"$PATH\"`"));
        assert_eq!(json["e"], "${env.PATH}");
        assert_eq!((done.unknown.len(), done.used.len()), (3, 1));
        let path = std::env::var("PATH").unwrap();
        assert!(!format!("{json} {sink:?}").contains(&path));
    }
}
