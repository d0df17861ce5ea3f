//! `chronoform.yaml`: what holds for a project, whoever runs it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde_json::Value as Json;

use crate::diag::{Diagnostic, Failure, Sources, code, has_errors};
use crate::load::explain::{Explainer, list};
use crate::load::nearest::nearest;
use crate::load::redact::Redactor;
use crate::load::substitute::{self, Substituted};
use crate::load::text::Text;
use crate::load::variables::{Variable, Variables};
use crate::load::yaml::{Node, Value};
use crate::load::{compose, files, tree, yaml};

/// `chronoform.yaml`: what holds for a project, whoever runs it.
#[derive(JsonSchema)]
#[schemars(title = "Chronoform project", deny_unknown_fields)]
#[expect(dead_code, reason = "the schema is made of it; values are read with their places")]
struct File {
    /// The files and folders that hold the policies, relative to this file. Used where the command
    /// line names none.
    #[schemars(default = "default_policies", example = &["policies"])]
    policies: Vec<String>,
    /// The ledger's file, relative to this file.
    #[schemars(example = &".chronoform/ledger.db")]
    ledger: Option<String>,
    /// Values for `${var.NAME}` in policies. Those of a target, of `--var-file` and of `--var` win
    /// over them.
    #[schemars(default, schema_with = "variables_schema")]
    variables: Option<BTreeMap<String, Json>>,
    /// The databases that `--target` names.
    #[schemars(extend("examples" = [{ "production": { "url": "${env.PRODUCTION_URL}" } }]))]
    targets: Option<BTreeMap<String, TargetFile>>,
}

/// A database, and what is special about it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema is made of it; values are read with their places")]
struct TargetFile {
    /// Where it is. Keep the password out of it: name an environment variable with `${env.NAME}`,
    /// or use `PGPASSWORD`, `.pgpass` or a service file.
    #[schemars(example = &"postgres://app@db.internal:5432/market", example = &"${env.PRODUCTION_URL}")]
    url: Option<String>,
    /// Its own ledger's file, relative to this file.
    #[schemars(example = &".chronoform/production.db")]
    ledger: Option<String>,
    /// Values for `${var.NAME}` on this target.
    #[schemars(default, schema_with = "variables_schema")]
    variables: Option<BTreeMap<String, Json>>,
}

fn default_policies() -> Vec<String> {
    vec!["policies".to_owned()]
}

fn variables_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "additionalProperties": { "type": ["string", "number", "boolean"] },
        "examples": [{ "RETENTION": "90 days" }],
    })
}

/// The schema of `chronoform.yaml`.
pub fn schema() -> Json {
    let mut generator = compose::generator();
    let mut schema = File::json_schema(&mut generator).to_value();
    compose::finish(&mut schema, &mut generator);
    schema
}

/// A project's configuration. Values that name an environment variable are looked up when they are
/// asked for: another target's need not be set.
#[derive(Clone, Default)]
pub struct Config {
    /// Where the policies are; empty where the file does not say.
    pub policies: Vec<PathBuf>,
    /// What deserves a warning.
    pub warnings: Vec<Diagnostic>,
    file: Option<Text>,
    folder: PathBuf,
    environment: Variables,
    whole: Target,
    targets: BTreeMap<String, Target>,
}

#[derive(Clone, Default)]
struct Target {
    url: Option<Node>,
    ledger: Option<Node>,
    variables: BTreeMap<String, Node>,
}

/// Reads a project's `chronoform.yaml`.
///
/// # Errors
/// Everything that is wrong in it.
pub fn read(path: &Path, environment: Variables, sources: &mut Sources) -> Result<Config, Failure> {
    let file = files::read(path, sources)?;
    let mut sink = Vec::new();
    let mut documents = yaml::documents(&file.text, &mut sink).into_iter();
    let document = documents.next();
    if let Some(second) = documents.next() {
        let message = "a configuration is one document, and this is a second";
        sink.push(Diagnostic::error(&code::BAD_CONFIG, message).at(&file.text.place(second.start, second.start)));
    }
    let mut config = Config {
        folder: path.parent().map(Path::to_owned).unwrap_or_default(),
        file: Some(file.text.clone()),
        environment,
        ..Config::default()
    };
    if let Some(document) = document {
        config.fill(&document, &file.text, &mut sink);
        config.hide_passwords(&file.text, sources);
    }
    if has_errors(&sink) { Err(Failure(sink)) } else { Ok(config) }
}

impl Config {
    fn fill(&mut self, document: &Node, text: &Text, sink: &mut Vec<Diagnostic>) {
        let converted = tree::convert(document, text, &Substituted::default(), sink);
        let schema = schema();
        let Ok(validator) = jsonschema::draft202012::new(&schema) else { return };
        let explainer = Explainer { schema: &schema, document: &converted, title: "`chronoform.yaml`" };
        validator.iter_errors(&converted.json).for_each(|error| explainer.explain(&error, sink));
        if has_errors(sink) {
            return;
        }
        let Value::Map(entries) = &document.value else { return };
        self.whole = target(entries);
        for (name, node) in named(entries, "targets") {
            if let Value::Map(entries) = &node.value {
                self.targets.insert(name, target(entries));
            }
        }
        if let Some(Node { value: Value::List(paths), .. }) = get(entries, "policies") {
            for path in paths {
                if let Some(path) = self.text_of(path, sink) {
                    self.policies.push(self.folder.join(path));
                }
            }
        }
        for name in self.whole.variables.keys().chain(self.targets.values().flat_map(|target| target.variables.keys()))
        {
            if !crate::load::variables::is_name(name) {
                let message = format!("`{name}` is no name for a variable");
                let place = converted.places.key(&format!("/variables{}", crate::diag::source::segment(name)));
                let help = "a name is a letter or `_`, followed by letters, digits, `_` and `-`";
                sink.push(Diagnostic::error(&code::WRONG_VALUE, message).at(place).help(help));
            }
        }
    }

    /// Warns of passwords that are written in the file, and takes them out of the snippets.
    fn hide_passwords(&mut self, text: &Text, sources: &mut Sources) {
        let mut masked = text.as_str().to_owned();
        for node in self.targets.values().filter_map(|target| target.url.as_ref()) {
            let Value::Text(url) = &node.value else { continue };
            let Some(password) = password(url) else { continue };
            let written = text.slice(node.start, node.end);
            if let Some(at) = written.find(password) {
                let range = node.start + at..node.start + at + password.len();
                masked.replace_range(range, &"*".repeat(password.len()));
            }
            self.warnings.push(
                Diagnostic::warning(&code::BAD_CONFIG, "a password is written in the project's file")
                    .at(&text.place(node.start, node.end))
                    .why("whoever can read the repository can read it")
                    .help("use `${env.NAME}` in the URL, or `PGPASSWORD` or `.pgpass` beside it"),
            );
        }
        if !self.warnings.is_empty() {
            sources.add(text.path().clone(), masked.into());
        }
    }

    /// The variables for a target: the project's, over them the target's own.
    ///
    /// # Errors
    /// When there is no such target, or a value names an environment variable that is not set.
    pub fn variables(&self, target: Option<&str>) -> Result<BTreeMap<String, Variable>, Failure> {
        let own = target.map(|name| self.target(name)).transpose()?;
        let nodes = self.whole.variables.iter().chain(own.iter().flat_map(|target| &target.variables));
        let mut sink = Vec::new();
        let mut variables = BTreeMap::new();
        for (name, node) in nodes {
            if let Some((value, secret)) = self.value_of(node, &mut sink) {
                variables.insert(name.clone(), Variable { value, secret });
            }
        }
        if sink.is_empty() { Ok(variables) } else { Err(Failure(sink)) }
    }

    /// The URL of a target, where it has one. It may hold a password: it must not be shown.
    ///
    /// # Errors
    /// When there is no such target, or the URL names an environment variable that is not set.
    pub fn url(&self, target: &str) -> Result<Option<String>, Failure> {
        let mut sink = Vec::new();
        let url = self.target(target)?.url.as_ref().and_then(|node| self.text_of(node, &mut sink));
        if sink.is_empty() { Ok(url) } else { Err(Failure(sink)) }
    }

    /// Where the ledger is: as the target says, or the project.
    ///
    /// # Errors
    /// When there is no such target, or the path names an environment variable that is not set.
    pub fn ledger(&self, target: Option<&str>) -> Result<Option<PathBuf>, Failure> {
        let own = target.map(|name| self.target(name)).transpose()?;
        let node = own.and_then(|target| target.ledger.as_ref()).or(self.whole.ledger.as_ref());
        let mut sink = Vec::new();
        let path = node.and_then(|node| self.text_of(node, &mut sink)).map(|path| self.folder.join(path));
        if sink.is_empty() { Ok(path) } else { Err(Failure(sink)) }
    }

    /// The names of the targets.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.targets.keys().map(String::as_str)
    }

    fn target(&self, name: &str) -> Result<&Target, Failure> {
        if let Some(target) = self.targets.get(name) {
            return Ok(target);
        }
        let diagnostic = Diagnostic::error(&code::BAD_CONFIG, format!("there is no target `{name}`"));
        let names = list(self.targets().map(|name| format!("`{name}`")), "and");
        Err(Failure::from(match (nearest(name, self.targets()), self.targets.is_empty()) {
            (Some(near), _) => diagnostic.help(format!("did you mean `{near}`? There are {names}")),
            (None, false) => diagnostic.help(format!("there are {names}")),
            (None, true) => diagnostic.help("describe it under `targets` in `chronoform.yaml`"),
        }))
    }

    /// A scalar with its references replaced, and how to show it where that is a secret.
    fn value_of(&self, node: &Node, sink: &mut Vec<Diagnostic>) -> Option<(Json, Option<String>)> {
        let mut node = node.clone();
        let mut shown = None;
        if let Some(text) = &self.file {
            let before = sink.len();
            let done = substitute::apply(&mut node, text, &self.environment, &mut Redactor::default(), sink);
            for diagnostic in sink.iter_mut().skip(before).filter(|d| d.message.contains("${var.")) {
                diagnostic.help = Some("in `chronoform.yaml` only `${env.NAME}` is replaced".to_owned());
            }
            if sink.len() > before {
                return None;
            }
            shown = done.shown.get(&node.start).cloned();
        }
        let value = match node.value {
            Value::Bool(value) => Json::Bool(value),
            Value::Int(value) => Json::from(value),
            Value::Float(value) => tree::number(value),
            Value::Text(value) => Json::String(value),
            Value::Null | Value::Large(_) | Value::List(_) | Value::Map(_) => return None,
        };
        Some((value, shown))
    }

    fn text_of(&self, node: &Node, sink: &mut Vec<Diagnostic>) -> Option<String> {
        self.value_of(node, sink).map(|(value, _)| tree::scalar_text(&value))
    }
}

fn get<'a>(entries: &'a [(Node, Node)], key: &str) -> Option<&'a Node> {
    entries.iter().find(|(name, _)| name.value == Value::Text(key.to_owned())).map(|(_, value)| value)
}

/// The entries of the mapping under a key.
fn named(entries: &[(Node, Node)], key: &str) -> Vec<(String, Node)> {
    let Some(Value::Map(entries)) = get(entries, key).map(|node| &node.value) else { return Vec::new() };
    let named = entries.iter().filter_map(|(name, value)| match &name.value {
        Value::Text(name) => Some((name.clone(), value.clone())),
        _ => None,
    });
    named.collect()
}

fn target(entries: &[(Node, Node)]) -> Target {
    Target {
        url: get(entries, "url").cloned(),
        ledger: get(entries, "ledger").cloned(),
        variables: named(entries, "variables").into_iter().collect(),
    }
}

/// The password in a URL or `key=value` text, unless it is a reference.
fn password(url: &str) -> Option<&str> {
    let user_info = url.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(rest));
    let from_url = user_info.and_then(|authority| authority.rsplit_once('@')?.0.split_once(':')).map(|(_, word)| word);
    let from_pair = || url.split(['?', '&', ' ']).find_map(|pair| pair.strip_prefix("password="));
    from_url.or_else(from_pair).filter(|word| !word.is_empty() && !word.contains("${"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::render;

    fn parse(text: &str, env: &[(&str, &str)]) -> (Result<Config, Failure>, Sources) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("chronoform.yaml");
        std::fs::write(&path, text).unwrap();
        let mut sources = Sources::default();
        (read(&path, Variables::from_pairs(&[], env), &mut sources), sources)
    }

    const FULL: &str = "policies: [policies, more/x.yaml]\nledger: l.db\nvariables: {A: 1, B: from project}\ntargets:\n  staging:\n    url: postgres://app@staging/db\n    variables: {B: from target}\n  production:\n    url: ${env.PROD_URL}\n    ledger: /var/p.db\n    variables:\n      C: x${env.SECRET}\n";

    #[test]
    fn a_target_is_looked_up_when_it_is_asked_for() {
        let config = parse(FULL, &[]).0.unwrap();
        assert!(config.policies[0].ends_with("policies") && config.policies[1].ends_with("more/x.yaml"));
        assert_eq!(config.url("staging").unwrap().as_deref(), Some("postgres://app@staging/db"));
        assert!(config.ledger(Some("staging")).unwrap().unwrap().ends_with("l.db"));
        assert_eq!(config.ledger(Some("production")).unwrap(), Some(PathBuf::from("/var/p.db")));
        assert_eq!(config.variables(Some("staging")).unwrap()["B"].value, "from target");
        assert_eq!(config.variables(None).unwrap()["B"].value, "from project");
        let error = config.url("production").unwrap_err().0.remove(0);
        assert_eq!((error.code.name, error.place.unwrap().line), ("unset-variable", 9));
        assert_eq!(config.variables(Some("production")).unwrap_err().0.len(), 1);
        let set = parse(FULL, &[("PROD_URL", "postgres://x:pw@p/db"), ("SECRET", "hunter2")]).0.unwrap();
        assert_eq!(set.url("production").unwrap().as_deref(), Some("postgres://x:pw@p/db"));
        let variable = &set.variables(Some("production")).unwrap()["C"];
        assert_eq!((variable.value.as_str(), variable.secret.as_deref()), (Some("xhunter2"), Some("x${env.SECRET}")));
    }

    #[test]
    fn a_target_that_is_not_there_gets_the_nearest() {
        let config = parse(FULL, &[]).0.unwrap();
        let error = config.url("stagin").unwrap_err().0.remove(0);
        assert_eq!(error.code.name, "bad-config");
        assert!(error.help.unwrap().contains("`staging`"));
        assert!(Config::default().url("x").is_err());
        assert_eq!(Config::default().ledger(None).unwrap(), None);
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let cases = [
            ("polices: [x]\n", "unknown-key", 1),
            ("policies: x\n", "wrong-type", 1),
            ("ledger:\n", "wrong-type", 1),
            ("variables:\n  A: [1]\n", "wrong-type", 2),
            ("variables:\n  1a: 1\n", "wrong-value", 2),
            ("targets:\n  a:\n    uri: x\n", "unknown-key", 3),
            ("targets: {a: {}, a: {}}\n", "duplicate-key", 1),
            ("- x\n", "wrong-type", 1),
            ("ledger: a\n---\nledger: b\n", "bad-config", 3),
            ("policies: ['${env.X}']\n", "unset-variable", 1),
            ("policies: ['${var.X}']\n", "unset-variable", 1),
            ("a: [\n", "yaml-syntax", 1),
        ];
        for (text, code, line) in cases {
            let found = parse(text, &[]).0.err().unwrap_or_else(|| panic!("{text}")).0;
            let brief: Vec<_> = found.iter().map(|d| (d.code.name, d.place.as_ref().unwrap().line)).collect();
            assert_eq!(brief, [(code, line)], "{text}: {found:#?}");
        }
        assert!(parse("", &[]).0.is_ok());
    }

    #[test]
    fn a_written_password_is_warned_of_and_never_shown() {
        let text = "targets:\n  a: {url: 'postgres://u:hünter2@h/d'}\n  b: {url: 'host=h password=s3cret user=x'}\n  c: {url: 'postgres://u:${env.PW}@h/d'}\n";
        let (config, sources) = parse(text, &[]);
        let config = config.unwrap();
        assert_eq!(config.warnings.len(), 2);
        let shown = render::text(&config.warnings, &sources, false);
        assert!(
            shown.contains("chronoform.yaml:2:12") && !shown.contains("nter2") && !shown.contains("s3cret"),
            "{shown}"
        );
        assert_eq!(config.url("a").unwrap().as_deref(), Some("postgres://u:hünter2@h/d"));
    }
}
