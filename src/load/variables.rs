//! The values behind `${var.NAME}` and `${env.NAME}`, and the texts that name them.
//!
//! What is out of the environment may be a secret, and what policies say is written down: into plans,
//! the ledger and reports. So the environment is only for the parts of `chronoform.yaml` that say how
//! to connect, and nothing that a policy can name comes out of it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::diag::{Diagnostic, Failure, Sources, code};
use crate::load::{files, nearest, substitute, tree, yaml};

/// Everything that `${…}` can name in some place.
#[derive(Clone, Default)]
pub struct Variables {
    /// Each a number, a truth value or text.
    vars: BTreeMap<String, Json>,
    /// The environment; `None` where its values may not be used.
    env: Option<BTreeMap<String, String>>,
}

impl Variables {
    /// The variables of a run: those of `chronoform.yaml`, over them those of the files of
    /// `--var-file` in order, over them those of `--var`.
    ///
    /// # Errors
    /// When a file cannot be read or is no mapping of scalars, or a name is none.
    pub fn new(
        var_files: &[PathBuf],
        vars: &[(String, String)],
        config: &BTreeMap<String, Json>,
        sources: &mut Sources,
    ) -> Result<Self, Failure> {
        let mut variables = Self { vars: config.clone(), env: None };
        let mut sink = Vec::new();
        for path in var_files {
            variables.read_file(path, sources, &mut sink);
        }
        for (name, text) in vars {
            if is_name(name) {
                variables.vars.insert(name.clone(), typed(text));
            } else {
                sink.push(
                    Diagnostic::error(&code::BAD_CONFIG, format!("`{name}` is no name for a variable"))
                        .help("a name is a letter or `_`, followed by letters, digits, `_` and `-`"),
                );
            }
        }
        if sink.is_empty() { Ok(variables) } else { Err(Failure(sink)) }
    }

    /// Variables from pairs alone, for tests and embedders.
    pub fn from_pairs(vars: &[(&str, &str)]) -> Self {
        Self { vars: vars.iter().map(|(name, text)| ((*name).to_owned(), typed(text))).collect(), env: None }
    }

    /// An environment alone, as what says how to connect may use it.
    pub(super) fn of_environment(env: BTreeMap<String, String>) -> Self {
        Self { vars: BTreeMap::new(), env: Some(env) }
    }

    fn read_file(&mut self, path: &std::path::Path, sources: &mut Sources, sink: &mut Vec<Diagnostic>) {
        let file = match files::read(path, sources) {
            Ok(file) => file,
            Err(failure) => return sink.extend(failure.0),
        };
        for mut document in yaml::documents(&file.text, sink) {
            substitute::apply(&mut document, &file.text, &Self::default(), sink);
            let found = tree::scalars(&document, &file.text, "a file of variables", sink);
            self.vars.extend(found.into_iter().map(|(name, value, _)| (name, value)));
        }
    }

    /// The value of a reference.
    pub fn get(&self, reference: &Reference) -> Option<Json> {
        match reference.space {
            Space::Var => self.vars.get(&reference.name).cloned(),
            Space::Env => self.env.as_ref()?.get(&reference.name).map(|text| typed(text)),
        }
    }

    /// Whether a reference looks where nothing may be taken from.
    pub fn refuses(&self, reference: &Reference) -> bool {
        reference.space == Space::Env && self.env.is_none()
    }

    /// The known name that is most like one that is not.
    pub fn nearest(&self, reference: &Reference) -> Option<String> {
        match reference.space {
            Space::Var => nearest::nearest(&reference.name, self.vars.keys().map(String::as_str)),
            Space::Env => nearest::nearest(&reference.name, self.env.iter().flatten().map(|(name, _)| name.as_str())),
        }
    }

    /// The names of all variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.vars.keys().map(String::as_str)
    }
}

/// The process's environment, as far as it is UTF-8.
pub(super) fn environment() -> BTreeMap<String, String> {
    let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(utf8).collect()
}

/// Where a reference looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Space {
    /// `${var.NAME}`.
    Var,
    /// `${env.NAME}`.
    Env,
}

/// One `${…}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// Where it looks.
    pub space: Space,
    /// The name there.
    pub name: String,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.space {
            Space::Var => write!(f, "${{var.{}}}", self.name),
            Space::Env => write!(f, "${{env.{}}}", self.name),
        }
    }
}

/// A stretch of a text that may hold references.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Text as it is, escapes undone.
    Text(String),
    /// A reference.
    Reference(Reference),
    /// A `${` that begins none: its stretch in the text.
    Bad(Range<usize>),
}

/// Cuts a text at its references. `$${` stands for `${` itself.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("$${") {
            plain.push_str("${");
            at += 3;
        } else if let Some(body) = rest.strip_prefix("${") {
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            let length = body.find('}').map_or(body.len(), |end| end + 1);
            let inner = body.get(..length).and_then(|inner| inner.strip_suffix('}'));
            let piece = inner.and_then(reference).map(Piece::Reference);
            pieces.push(piece.unwrap_or(Piece::Bad(at..at + 2 + length)));
            at += 2 + length;
        } else {
            let next = rest.char_indices().skip(1).find(|(_, c)| *c == '$').map_or(rest.len(), |(next, _)| next);
            plain.push_str(rest.get(..next).unwrap_or(""));
            at += next;
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

fn reference(inner: &str) -> Option<Reference> {
    let (space, name) = inner.split_once('.')?;
    let space = match space {
        "var" => Space::Var,
        "env" => Space::Env,
        _ => return None,
    };
    is_name(name).then(|| Reference { space, name: name.to_owned() })
}

/// Whether a variable can be called so.
pub fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// A text as the plain YAML scalar that it would be, but never nothing.
pub fn typed(text: &str) -> Json {
    match text {
        "true" | "True" | "TRUE" => return Json::Bool(true),
        "false" | "False" | "FALSE" => return Json::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let decimal = !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'));
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    if !decimal || leading_zero || !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Json::String(text.to_owned());
    }
    if let Ok(number) = text.parse::<i64>() {
        return Json::from(number);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && digits.bytes().any(|b| !b.is_ascii_digit()) => tree::number(number),
        _ => Json::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn var(name: &str) -> Piece {
        Piece::Reference(Reference { space: Space::Var, name: name.to_owned() })
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    #[test]
    fn a_text_is_cut_at_its_references() {
        assert_eq!(pieces("a ${var.X} b${var.y-1}"), [text("a "), var("X"), text(" b"), var("y-1")]);
        assert_eq!(pieces("$${var.X} $x $$ 5$"), [text("${var.X} $x $$ 5$")]);
        assert_eq!(pieces("$$${var.X}"), [text("$${var.X}")]);
        assert_eq!(pieces("ü$ü"), [text("ü$ü")]);
        assert_eq!(pieces("a${x}b"), [text("a"), Piece::Bad(1..5), text("b")]);
        assert_eq!(pieces("${var.}"), [Piece::Bad(0..7)]);
        assert_eq!(pieces("é${var.X"), [text("é"), Piece::Bad(2..9)]);
    }

    #[test]
    fn a_value_has_the_type_that_yaml_gives_it() {
        assert_eq!(typed("7"), serde_json::json!(7));
        assert_eq!(typed("-7"), serde_json::json!(-7));
        assert_eq!(typed("0.02"), serde_json::json!(0.02));
        assert_eq!(typed("1e3"), serde_json::json!(1000));
        assert_eq!(typed("true"), serde_json::json!(true));
        for text in
            ["", "no", "null", "007", "7 days", "-", "+", ".", "1-2", "e5", "99999999999999999999", "inf", "1e999", "٣"]
        {
            assert_eq!(typed(text), Json::String(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn later_sources_win() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("vars.yaml");
        std::fs::write(&file, "B: from file\nC: from file\nN: \"7\"\nM: 7\n").unwrap();
        let config = ["A", "B", "C"].map(|name| (name.to_owned(), Json::from("from config")));
        let vars = [("C".to_owned(), "from command line".to_owned())];
        let variables = Variables::new(&[file], &vars, &BTreeMap::from(config), &mut Sources::default()).unwrap();
        let get = |name: &str| variables.get(&Reference { space: Space::Var, name: name.to_owned() }).unwrap();
        assert_eq!(get("A"), "from config");
        assert_eq!(get("B"), "from file");
        assert_eq!(get("C"), "from command line");
        assert_eq!((get("N"), get("M")), (Json::from("7"), Json::from(7)));
    }

    #[test]
    fn a_file_of_variables_must_be_a_mapping_of_scalars() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let files =
            [write("a.yaml", "- 1\n"), write("b.yaml", "A: [1]\nB: 1\nB: 2\n1x: 2\nE:\n"), dir.path().join("c")];
        let failure =
            Variables::new(&files, &[("a b".into(), String::new())], &BTreeMap::new(), &mut Sources::default());
        let codes: Vec<_> = failure.err().unwrap().0.iter().map(|d| d.code.name).collect();
        assert_eq!(
            codes,
            ["wrong-type", "wrong-type", "duplicate-key", "wrong-value", "wrong-type", "file-unreadable", "bad-config"]
        );
    }
    #[test]
    fn a_file_of_variables_takes_nothing_out_of_the_environment() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("vars.yaml");
        std::fs::write(&file, "A: 1\nB: x${env.PATH}\n").unwrap();
        let failure = Variables::new(&[file], &[], &BTreeMap::new(), &mut Sources::default());
        let found = failure.err().unwrap().0;
        let seen: Vec<_> = found.iter().map(|d| (d.code.name, d.place.as_ref().unwrap().line)).collect();
        assert_eq!(seen, [("env-in-policy", 2)]);
    }
}
