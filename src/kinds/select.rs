//! Which documents a class or a guardrail speaks of: by name and by label.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::core::QualifiedName;
use crate::core::name::DEFAULT_SCHEMA;
use crate::diag::{Diagnostic, Places, code};

/// A `match`. All that it gives must hold; an empty one matches everything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Matcher {
    names: Vec<Glob>,
    labels: BTreeMap<String, String>,
}

/// A pattern for a qualified name, its schema and its name each on their own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glob {
    schema: Vec<Part>,
    name: Vec<Part>,
}

/// A piece of a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    /// This character.
    Exactly(char),
    /// Any one character.
    One,
    /// Any characters, or none.
    Any,
}

impl Matcher {
    /// Reads a `match` that satisfies its schema, at its pointer in the document.
    pub fn read(value: &Json, places: &Places, pointer: &str, sink: &mut Vec<Diagnostic>) -> Self {
        let mut matcher = Self::default();
        for (at, name) in value.get("names").and_then(Json::as_array).into_iter().flatten().enumerate() {
            match Glob::parse(name.as_str().unwrap_or_default()) {
                Ok(glob) => matcher.names.push(glob),
                Err(why) => sink.push(
                    Diagnostic::error(&code::BAD_NAME, format!("this is no pattern for names: {why}"))
                        .at(places.value(&format!("{pointer}/names/{at}")))
                        .help("write it as `schema.name`, with `*` for any characters and `?` for one: `public.md_*`"),
                ),
            }
        }
        let labels = value.get("labels").and_then(Json::as_object).into_iter().flatten();
        let text = |(key, value): (&String, &Json)| Some((key.clone(), value.as_str()?.to_owned()));
        matcher.labels = labels.filter_map(text).collect();
        matcher
    }

    /// Whether it matches a document of a name and labels. Of several patterns for names, one is enough.
    pub fn matches(&self, relation: &QualifiedName, labels: &BTreeMap<String, String>) -> bool {
        let named = self.names.is_empty() || self.names.iter().any(|glob| glob.matches(relation));
        named && self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
    }

    /// The schema of a `match`, of documents as `whom` calls them.
    pub fn schema(whom: &str) -> Json {
        json!({
            "description": format!("Which {whom}. What is given must all hold."),
            "type": "object",
            "additionalProperties": false,
            "minProperties": 1,
            "properties": {
                "names": {
                    "description": "Patterns for names, of which one must fit: `*` stands for any characters, `?` for one. The schema and the name are compared each on their own, without a schema it is `public`, and double quotes protect what is between them.",
                    "type": "array",
                    "minItems": 1,
                    "items": { "type": "string", "minLength": 1, "examples": ["public.md_*", "*.ticks"] },
                },
                "labels": {
                    "description": "Labels that must be there, each with exactly this value.",
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": { "type": "string" },
                    "examples": [{ "domain": "trading" }],
                },
            },
        })
    }
}

impl Glob {
    /// Reads a pattern; without a schema it is for `public`.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts: Vec<Vec<Part>> = vec![Vec::new()];
        let mut characters = text.chars().peekable();
        let mut quoted = false;
        while let Some(character) = characters.next() {
            let part = match (character, quoted) {
                ('"', true) if characters.peek() == Some(&'"') => {
                    characters.next();
                    Part::Exactly('"')
                }
                ('"', _) => {
                    quoted = !quoted;
                    continue;
                }
                ('.', false) => {
                    parts.push(Vec::new());
                    continue;
                }
                ('*', false) => Part::Any,
                ('?', false) => Part::One,
                (other, _) => Part::Exactly(other),
            };
            if let Some(last) = parts.last_mut().filter(|last| part != Part::Any || last.last() != Some(&Part::Any)) {
                last.push(part);
            }
        }
        if quoted {
            return Err("a double quote is not closed");
        }
        if parts.iter().any(Vec::is_empty) {
            return Err("a part of it is empty");
        }
        match (parts.pop(), parts.pop(), parts.pop()) {
            (Some(name), None, _) => Ok(Self { schema: DEFAULT_SCHEMA.chars().map(Part::Exactly).collect(), name }),
            (Some(name), Some(schema), None) => Ok(Self { schema, name }),
            _ => Err("it has more than a schema and a name"),
        }
    }

    /// Whether a relation's schema and name both fit.
    pub fn matches(&self, relation: &QualifiedName) -> bool {
        fits(&self.schema, &relation.schema) && fits(&self.name, &relation.name)
    }
}

/// Whether a text fits a pattern, in time proportional to both: after a mismatch only the last
/// `*` is given one character more, which is enough.
fn fits(pattern: &[Part], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut in_text) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while let Some(character) = text.get(in_text) {
        match pattern.get(at) {
            Some(Part::Any) => {
                again = Some((at, in_text));
                at += 1;
                continue;
            }
            Some(Part::One) => {}
            Some(Part::Exactly(wanted)) if wanted == character => {}
            _ => {
                let Some((star, from)) = again else { return false };
                again = Some((star, from + 1));
                (at, in_text) = (star + 1, from + 1);
                continue;
            }
        }
        at += 1;
        in_text += 1;
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|part| *part == Part::Any))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, schema: &str, name: &str) -> bool {
        Glob::parse(pattern).unwrap().matches(&QualifiedName::new(schema, name))
    }

    #[test]
    fn a_pattern_fits_the_schema_and_the_name_each_on_its_own() {
        for (pattern, schema, name, fits) in [
            ("public.md_*", "public", "md_ticks", true),
            ("public.md_*", "public", "md_", true),
            ("public.md_*", "public", "mdx", false),
            ("md_*", "public", "md_x", true),
            ("md_*", "app", "md_x", false),
            ("*.md_*", "app", "md_x", true),
            ("*", "app", "x", false),
            ("*.*", "app", "x", true),
            ("public.*_?x*", "public", "a_b_cx", true),
            ("public.*ab", "public", "aab", true),
            ("public.*ab", "public", "aabc", false),
            ("public.??", "public", "é€", true),
            ("public.??", "public", "abc", false),
            (r#"public."a*""#, "public", "a*", true),
            (r#"public."a*""#, "public", "ab", false),
            (r#"public."a"*"#, "public", "ab", true),
            (r#""Odd schema"."a.b""""#, "Odd schema", "a.b\"", true),
            ("public.md", "PUBLIC", "md", false),
        ] {
            assert_eq!(matches(pattern, schema, name), fits, "{pattern} {schema} {name}");
        }
        for bad in ["", ".a", "a.", "a.b.c", "\"a", "a..b", "\"\""] {
            assert!(Glob::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = format!("public.{}b", "a*".repeat(30));
        let started = std::time::Instant::now();
        assert!(!matches(&pattern, "public", &"a".repeat(63)));
        assert!(started.elapsed() < std::time::Duration::from_millis(200));
    }

    #[test]
    fn names_and_labels_must_both_hold_and_one_name_is_enough() {
        let value = json!({"names": ["a*", "b*"], "labels": {"domain": "trading", "tier": "1"}});
        let place = crate::core::Place { file: "p".into(), line: 1, column: 1, start: 0, end: 0, via: None };
        let mut sink = Vec::new();
        let matcher = Matcher::read(&value, &Places::new(place), "/match", &mut sink);
        assert_eq!(sink, []);
        let labels = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let all = labels(&[("domain", "trading"), ("tier", "1"), ("more", "x")]);
        assert!(matcher.matches(&QualifiedName::new("public", "bx"), &all));
        assert!(!matcher.matches(&QualifiedName::new("public", "cx"), &all));
        assert!(!matcher.matches(&QualifiedName::new("public", "bx"), &labels(&[("domain", "trading")])));
        assert!(Matcher::default().matches(&QualifiedName::new("x", "y"), &BTreeMap::new()));
    }
}
