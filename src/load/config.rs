//! `chronoform.yaml`: what holds for a project, whoever runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde_json::Value as Json;

use crate::core::glob;
use crate::diag::{Diagnostic, Failure, Sources, code, has_errors};
use crate::load::explain::{Explainer, list};
use crate::load::nearest::nearest;
use crate::load::substitute::{self, Substituted};
use crate::load::text::Text;
use crate::load::variables::Variables;
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
    /// The databases that `--target` names, or matches with a pattern. A name is made of letters,
    /// digits, `_`, `-` and `.`, and begins with a letter or digit.
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
    /// The password, and only as the name of an environment variable that holds it: `${env.NAME}`.
    #[schemars(example = &"${env.PRODUCTION_PASSWORD}")]
    password: Option<String>,
    /// A file whose first line is the password, relative to this file: a secret that a runner
    /// mounts. Instead of `password`.
    #[schemars(example = &"/run/secrets/production_password")]
    password_file: Option<String>,
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
    environment: BTreeMap<String, String>,
    whole: Target,
    targets: BTreeMap<String, Target>,
}

#[derive(Clone, Default)]
struct Target {
    url: Option<Node>,
    password: Option<Node>,
    password_file: Option<Node>,
    ledger: Option<Node>,
    variables: BTreeMap<String, Node>,
}

/// Reads a project's `chronoform.yaml`.
///
/// # Errors
/// Everything that is wrong in it.
pub fn read(path: &Path, environment: BTreeMap<String, String>, sources: &mut Sources) -> Result<Config, Failure> {
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
            if !is_target_name(&name) {
                let message = format!("`{name}` is no name for a target");
                let place = converted.places.key(&format!("/targets{}", crate::diag::source::segment(&name)));
                let help = "a name is made of letters, digits, `_`, `-` and `.`, and begins with a letter or digit";
                let why = "targets are chosen by patterns, and their plans are files of their names";
                sink.push(Diagnostic::error(&code::WRONG_VALUE, message).at(place).why(why).help(help));
            }
            if let Value::Map(entries) = &node.value {
                let target = target(entries);
                target.check_password(text, sink);
                self.targets.insert(name, target);
            }
        }
        if let Some(Node { value: Value::List(paths), .. }) = get(entries, "policies") {
            for path in paths {
                if let Some(path) = self.told(path, sink) {
                    self.policies.push(self.folder.join(path));
                }
            }
        }
        self.refuse_environment(sink);
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
    /// When there is no such target.
    pub fn variables(&self, target: Option<&str>) -> Result<BTreeMap<String, Json>, Failure> {
        let own = target.map(|name| self.target(name)).transpose()?;
        let nodes = self.whole.variables.iter().chain(own.iter().flat_map(|target| &target.variables));
        let mut sink = Vec::new();
        let mut variables = BTreeMap::new();
        for (name, node) in nodes {
            if let Some(value) = self.value_of(node, &Variables::default(), &mut sink) {
                variables.insert(name.clone(), value);
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
        let url = self.target(target)?.url.as_ref().and_then(|node| self.kept(node, &mut sink));
        if sink.is_empty() { Ok(url) } else { Err(Failure(sink)) }
    }

    /// The password of a target, where it has one of its own. It must not be shown.
    ///
    /// # Errors
    /// When there is no such target, its environment variable is not set, or its file cannot be
    /// read or is empty.
    pub fn password(&self, target: &str) -> Result<Option<String>, Failure> {
        let target = self.target(target)?;
        let mut sink = Vec::new();
        if let Some(node) = &target.password {
            let password = self.kept(node, &mut sink);
            return if sink.is_empty() { Ok(password) } else { Err(Failure(sink)) };
        }
        let Some(node) = &target.password_file else { return Ok(None) };
        let Some(path) = self.kept(node, &mut sink) else { return Err(Failure(sink)) };
        let path = self.folder.join(path);
        // As it is written: what the environment has is not told.
        let written = match &node.value {
            Value::Text(written) => written.as_str(),
            _ => "",
        };
        let wrong = |why: String| {
            let message = format!("the password file {written} cannot be used: {why}");
            let diagnostic = Diagnostic::error(&code::BAD_CONFIG, message);
            Failure::from(match &self.file {
                Some(text) => diagnostic.at(&text.place(node.start, node.end)),
                None => diagnostic,
            })
        };
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        match text.lines().next().filter(|line| !line.is_empty()) {
            Some(password) => Ok(Some(password.to_owned())),
            None => Err(wrong("its first line is empty".to_owned())),
        }
    }

    /// Where the ledger is: as the target says, or the project.
    ///
    /// # Errors
    /// When there is no such target.
    pub fn ledger(&self, target: Option<&str>) -> Result<Option<PathBuf>, Failure> {
        let own = target.map(|name| self.target(name)).transpose()?;
        let node = own.and_then(|target| target.ledger.as_ref()).or(self.whole.ledger.as_ref());
        let mut sink = Vec::new();
        let path = node.and_then(|node| self.told(node, &mut sink)).map(|path| self.folder.join(path));
        if sink.is_empty() { Ok(path) } else { Err(Failure(sink)) }
    }

    /// The names of the targets.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.targets.keys().map(String::as_str)
    }

    /// The targets that names and patterns choose, each once, in the order of the names.
    ///
    /// # Errors
    /// When a name is no target's, or a pattern matches none.
    pub fn matching(&self, patterns: &[String]) -> Result<Vec<String>, Failure> {
        let mut chosen: BTreeSet<&str> = BTreeSet::new();
        for pattern in patterns {
            if !glob::is_pattern(pattern) {
                self.target(pattern)?;
            }
            let mut matched = self.targets().filter(|name| glob::matches(pattern, name)).peekable();
            if matched.peek().is_none() {
                let names = list(self.targets().map(|name| format!("`{name}`")), "and");
                let help = match self.targets.is_empty() {
                    true => "describe them under `targets` in `chronoform.yaml`".to_owned(),
                    false => format!("there are {names}"),
                };
                let message = format!("no target matches `{pattern}`");
                return Err(Diagnostic::error(&code::BAD_CONFIG, message).help(help).into());
            }
            chosen.extend(matched);
        }
        Ok(chosen.into_iter().map(str::to_owned).collect())
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

    /// Refuses values out of the environment in what is told: only how to connect may come from there.
    fn refuse_environment(&self, sink: &mut Vec<Diagnostic>) {
        let all = || std::iter::once(&self.whole).chain(self.targets.values());
        let before = sink.len();
        for node in all().flat_map(|target| target.variables.values()) {
            self.value_of(node, &Variables::default(), sink);
        }
        for diagnostic in sink.iter_mut().skip(before).filter(|d| d.code == &code::ENV_IN_POLICY) {
            let help = "write the value itself, or give it with `--var NAME=VALUE`; a secret has no place in policies";
            diagnostic.help = Some(help.to_owned());
        }
        let before = sink.len();
        all().filter_map(|target| target.ledger.as_ref()).for_each(|node| _ = self.told(node, sink));
        for diagnostic in sink.iter_mut().skip(before).filter(|d| d.code == &code::ENV_IN_POLICY) {
            let help = "write the path itself, or name the ledger with `--ledger` or in `CHRONOFORM_LEDGER`";
            diagnostic.help = Some(help.to_owned());
        }
    }

    /// A scalar with its references replaced by what `variables` has.
    fn value_of(&self, node: &Node, variables: &Variables, sink: &mut Vec<Diagnostic>) -> Option<Json> {
        let mut node = node.clone();
        if let Some(text) = &self.file {
            let before = sink.len();
            substitute::apply(&mut node, text, variables, sink);
            for diagnostic in sink.iter_mut().skip(before) {
                if diagnostic.code == &code::ENV_IN_POLICY {
                    diagnostic.why = Some("it may be a secret, and this is shown and written down".to_owned());
                    diagnostic.help = Some("write the value itself".to_owned());
                } else if diagnostic.message.contains("${var.") {
                    let help = "in `chronoform.yaml` only `${env.NAME}` is replaced, and only in `url`, `password` and `password_file`";
                    diagnostic.help = Some(help.to_owned());
                }
            }
            if sink.len() > before {
                return None;
            }
        }
        match node.value {
            Value::Bool(value) => Some(Json::Bool(value)),
            Value::Int(value) => Some(Json::from(value)),
            Value::Float(value) => Some(tree::number(value)),
            Value::Text(value) => Some(Json::String(value)),
            Value::Null | Value::Large(_) | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// A text that is shown and written down, so that nothing in it is out of the environment.
    fn told(&self, node: &Node, sink: &mut Vec<Diagnostic>) -> Option<String> {
        self.value_of(node, &Variables::default(), sink).map(|value| tree::scalar_text(&value))
    }

    /// A text that is not shown: it may hold what the environment has.
    fn kept(&self, node: &Node, sink: &mut Vec<Diagnostic>) -> Option<String> {
        let environment = Variables::of_environment(self.environment.clone());
        self.value_of(node, &environment, sink).map(|value| tree::scalar_text(&value))
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
        password: get(entries, "password").cloned(),
        password_file: get(entries, "password_file").cloned(),
        ledger: get(entries, "ledger").cloned(),
        variables: named(entries, "variables").into_iter().collect(),
    }
}

/// Whether a text can name a target: it is matched by patterns, and names files.
fn is_target_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

impl Target {
    /// A password that is written in the file, or two sources of one, is an error.
    fn check_password(&self, text: &Text, sink: &mut Vec<Diagnostic>) {
        let Some(node) = &self.password else { return };
        let place = text.place(node.start, node.end);
        let is_reference = matches!(&node.value, Value::Text(word)
            if word.strip_prefix("${env.").and_then(|rest| rest.strip_suffix('}')).is_some_and(|name| !name.contains(['{', '}'])));
        if !is_reference {
            let message = "a password is written in the project's file";
            let help = "name an environment variable with `${env.NAME}`, or use `password_file`";
            let why = "whoever can read the repository can read it";
            sink.push(Diagnostic::error(&code::BAD_CONFIG, message).at(&place).why(why).help(help));
        }
        if self.password_file.is_some() {
            let message = "`password` and `password_file` are both given";
            sink.push(Diagnostic::error(&code::BAD_CONFIG, message).at(&place).help("give one of them"));
        }
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
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        (read(&path, env, &mut sources), sources)
    }

    const FULL: &str = "policies: [policies, more/x.yaml]\nledger: l.db\nvariables: {A: 1, B: from project}\ntargets:\n  staging:\n    url: postgres://app@staging/db\n    variables: {B: from target}\n  production:\n    url: ${env.PROD_URL}\n    ledger: /var/p.db\n    variables:\n      C: x\n";

    #[test]
    fn a_target_is_looked_up_when_it_is_asked_for() {
        let config = parse(FULL, &[]).0.unwrap();
        assert!(config.policies[0].ends_with("policies") && config.policies[1].ends_with("more/x.yaml"));
        assert_eq!(config.url("staging").unwrap().as_deref(), Some("postgres://app@staging/db"));
        assert!(config.ledger(Some("staging")).unwrap().unwrap().ends_with("l.db"));
        assert_eq!(config.ledger(Some("production")).unwrap(), Some(PathBuf::from("/var/p.db")));
        assert_eq!(config.variables(Some("staging")).unwrap()["B"], "from target");
        assert_eq!(config.variables(None).unwrap()["B"], "from project");
        let error = config.url("production").unwrap_err().0.remove(0);
        assert_eq!((error.code.name, error.place.unwrap().line), ("unset-variable", 9));
        let set = parse(FULL, &[("PROD_URL", "postgres://x:pw@p/db")]).0.unwrap();
        assert_eq!(set.url("production").unwrap().as_deref(), Some("postgres://x:pw@p/db"));
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
    fn patterns_choose_targets_once_and_in_order() {
        let config = parse("targets: {prod-2: {}, prod-1: {}, staging: {}}\n", &[]).0.unwrap();
        let matching = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
            config.matching(&patterns).map_err(|failure| failure.0[0].help.clone().unwrap())
        };
        assert_eq!(matching(&["staging", "prod-*", "*-1"]).unwrap(), ["prod-1", "prod-2", "staging"]);
        assert!(matching(&["test-*"]).unwrap_err().contains("`prod-1`, `prod-2` and `staging`"));
        assert!(matching(&["prod-*", "stagin"]).unwrap_err().contains("did you mean `staging`"));
        assert!(Config::default().matching(&["*".to_owned()]).is_err());
    }

    #[test]
    fn a_password_comes_from_a_variable_or_a_file() {
        let text = "targets:\n  a: {password: '${env.PW}'}\n  b:\n    password_file: pw\n  c: {}\n";
        let config = parse(text, &[("PW", "p:@/w")]).0.unwrap();
        assert_eq!(config.password("a").unwrap().as_deref(), Some("p:@/w"));
        assert_eq!(config.password("c").unwrap(), None);
        let missing = config.password("b").unwrap_err().0.remove(0);
        assert_eq!((missing.code.name, missing.place.unwrap().line), ("bad-config", 4));
        let unset = parse(text, &[]).0.unwrap().password("a").unwrap_err().0.remove(0);
        assert_eq!((unset.code.name, unset.place.unwrap().line), ("unset-variable", 2));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pw"), "s3cret word\nnot this\n").unwrap();
        let config = Config { folder: folder.path().to_owned(), ..config };
        assert_eq!(config.password("b").unwrap().as_deref(), Some("s3cret word"));
        std::fs::write(folder.path().join("pw"), "\n").unwrap();
        assert!(config.password("b").is_err());
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
            ("targets:\n  a/b: {}\n", "wrong-value", 2),
            ("targets:\n  'prod*': {}\n", "wrong-value", 2),
            ("targets:\n  a: {password: secret}\n", "bad-config", 2),
            ("targets:\n  a: {password: 'x${env.P}'}\n", "bad-config", 2),
            ("targets:\n  a:\n    password_file: f\n    password: ${env.P}\n", "bad-config", 4),
            ("- x\n", "wrong-type", 1),
            ("ledger: a\n---\nledger: b\n", "bad-config", 3),
            ("policies: ['${env.X}']\n", "env-in-policy", 1),
            ("ledger: x${env.X}\n", "env-in-policy", 1),
            ("targets:\n  a: {ledger: '${env.X}/l.db'}\n", "env-in-policy", 2),
            ("variables:\n  A: ${env.X}\n", "env-in-policy", 2),
            ("targets:\n  a:\n    variables: {A: 'x${env.X}'}\n", "env-in-policy", 3),
            ("policies: ['${var.X}']\n", "unset-variable", 1),
            ("a: [\n", "yaml-syntax", 1),
        ];
        for (text, code, line) in cases {
            let found = parse(text, &[("X", "hunter2")]).0.err().unwrap_or_else(|| panic!("{text}")).0;
            let brief: Vec<_> = found.iter().map(|d| (d.code.name, d.place.as_ref().unwrap().line)).collect();
            assert_eq!(brief, [(code, line)], "{text}: {found:#?}");
            assert!(!format!("{found:?}").contains("hunter2"), "{found:#?}");
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
