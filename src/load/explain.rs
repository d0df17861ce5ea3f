//! What a schema finds wrong, in words for the author of a policy.

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind as Kind};
use serde_json::Value as Json;

use crate::core::Place;
use crate::diag::source::segment;
use crate::diag::{Diagnostic, code};
use crate::load::nearest::nearest;
use crate::load::tree::Converted;

/// How much of a text is quoted in a message, in characters.
const QUOTED: usize = 60;
/// How many unknown keys of one mapping are looked at.
const MAX_UNKNOWN: usize = 50;
/// How many keys a mapping may have to be told by them.
const MAX_NAMED: usize = 16;

/// What explanations draw on.
pub struct Explainer<'a> {
    /// The document's schema.
    pub schema: &'a Json,
    /// The document.
    pub document: &'a Converted,
    /// What the whole is called, such as ``a `table` document``.
    pub title: &'a str,
}

impl Explainer<'_> {
    /// One diagnostic or more for a finding.
    pub fn explain(&self, error: &ValidationError<'_>, out: &mut Vec<Diagnostic>) {
        let pointer = error.instance_path().as_str();
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                out.extend(unexpected.iter().take(MAX_UNKNOWN).map(|key| self.unknown_key(error, pointer, key)));
            }
            Kind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                if !self.is_misspelt(error, pointer, key) {
                    out.push(self.missing_key(error, pointer, key));
                }
            }
            Kind::Type { kind } => out.push(self.wrong_type(error, pointer, &types(kind))),
            Kind::Enum { options } => {
                out.push(self.none_of(pointer, options.as_array().map_or(&[], Vec::as_slice), &[]))
            }
            Kind::Constant { expected_value } => out.push(self.none_of(pointer, &[Json::clone(expected_value)], &[])),
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => self.branches(error, pointer, context, out),
            Kind::PropertyNames { error: inner } => out.push(self.key_name(pointer, inner)),
            _ => out.push(self.value(error, pointer)),
        }
    }

    fn unknown_key(&self, error: &ValidationError<'_>, pointer: &str, key: &str) -> Diagnostic {
        let place = self.document.places.key(&format!("{pointer}{}", segment(key)));
        let message = format!("`{}` is no key of {}", shorten(key), self.name(pointer));
        let mut diagnostic = Diagnostic::error(&code::UNKNOWN_KEY, message).at(place);
        let keys = self.parent(error).and_then(|schema| schema.get("properties")).and_then(Json::as_object);
        let Some(keys) = keys else { return diagnostic };
        let present = self.document.json.pointer(pointer).and_then(Json::as_object);
        let is_written = |known: &str| present.is_some_and(|present| present.contains_key(known));
        let free = keys.keys().map(String::as_str).filter(|known| !is_written(known));
        if let Some(near) = nearest(key, free) {
            diagnostic = diagnostic.label(format!("did you mean `{near}`?"));
        } else if let Some(near) = nearest(key, keys.keys().map(String::as_str)) {
            diagnostic = diagnostic.label(format!("it looks like `{near}`, which is written already"));
        } else if let Some(home) = self.home(key, pointer) {
            diagnostic = diagnostic.label(home);
        }
        diagnostic.help(format!("its keys are {}", each(keys.keys())))
    }

    /// Where else in the document a key belongs.
    fn home(&self, key: &str, pointer: &str) -> Option<String> {
        let sections = self.schema.get("properties")?.as_object()?;
        if !pointer.is_empty() && sections.contains_key(key) {
            return Some(format!("`{key}` belongs to the document itself: check the indentation"));
        }
        let has = |section: &Json| {
            let section = self.follow(section);
            let section = section.get("items").map_or(section, |items| self.follow(items));
            section.get("properties").is_some_and(|keys| keys.get(key).is_some())
        };
        let mut homes = sections.iter().filter(|(_, section)| has(section)).map(|(name, _)| format!("`{name}`"));
        let first = homes.next()?;
        Some(format!("`{key}` belongs under {}", list(std::iter::once(first).chain(homes), "or")))
    }

    /// Whether a missing key is there under a name that is reported as unknown, with this one as
    /// the nearest.
    fn is_misspelt(&self, error: &ValidationError<'_>, pointer: &str, key: &str) -> bool {
        let known = self.parent(error).and_then(|schema| schema.get("properties")).and_then(Json::as_object);
        let present = self.document.json.pointer(pointer).and_then(Json::as_object);
        let (Some(known), Some(present)) = (known, present) else { return false };
        let free = || known.keys().filter(|known| !present.contains_key(*known)).map(String::as_str);
        let mut unknown = present.keys().filter(|word| !known.contains_key(*word)).take(MAX_UNKNOWN);
        unknown.any(|word| nearest(word, free()).as_deref() == Some(key))
    }

    fn missing_key(&self, error: &ValidationError<'_>, pointer: &str, key: &str) -> Diagnostic {
        let message = format!("{} needs the key `{key}`", self.name(pointer));
        let diagnostic = Diagnostic::error(&code::MISSING_KEY, message).at(self.document.places.key(pointer));
        let schema = self.parent(error).and_then(|schema| schema.get("properties")?.get(key));
        let schemas = || [schema, schema.map(|schema| self.follow(schema))].into_iter().flatten();
        let about = schemas().find_map(|schema| schema.get("description")).and_then(Json::as_str);
        match (schemas().find_map(example), about) {
            (Some(example), _) => diagnostic.help(format!("add it, for example `{key}: {example}`")),
            (None, Some(about)) => diagnostic.help(format!("`{key}`: {}", first_sentence(about))),
            (None, None) => diagnostic,
        }
    }

    fn wrong_type(&self, error: &ValidationError<'_>, pointer: &str, expected: &[&str]) -> Diagnostic {
        let diagnostic = self.unfit(pointer, &list(expected.iter().map(|name| words(name).to_owned()), "or"));
        let value = error.instance();
        let help = type_help(value, expected);
        let example = self.example(error).map(|example| format!("for example `{example}`"));
        match (help, example) {
            (Some(help), Some(example)) if *expected == ["string"] => diagnostic.help(format!("{example}; {help}")),
            (Some(help), _) | (None, Some(help)) => diagnostic.help(help),
            (None, None) => match self.parent(error).and_then(keys_of).filter(|_| expected.contains(&"object")) {
                Some(keys) => diagnostic.help(format!("its keys are {keys}")),
                None => diagnostic,
            },
        }
    }

    /// A value that is not what its key takes: of another type, or nothing at all.
    fn unfit(&self, pointer: &str, expected: &str) -> Diagnostic {
        let name = self.name(pointer);
        let place = self.place(pointer);
        match self.document.json.pointer(pointer) {
            Some(Json::Null) => Diagnostic::error(&code::WRONG_TYPE, format!("{name} has no value"))
                .at(place)
                .label(format!("it takes {expected}")),
            _ => Diagnostic::error(&code::WRONG_TYPE, format!("{name} takes {expected}, not {}", self.found(pointer)))
                .at(place)
                .label(format!("this must be {expected}")),
        }
    }

    /// A value that is none of some words, nor of some types beside them.
    fn none_of(&self, pointer: &str, options: &[Json], types: &[&str]) -> Diagnostic {
        let quoted = options.iter().filter(|option| !option.is_null()).map(|option| format!("`{}`", bare(option)));
        let expected = list(quoted.chain(types.iter().map(|name| words(name).to_owned())), "or");
        let Some(Json::String(text)) = self.document.json.pointer(pointer) else {
            return self.unfit(pointer, &expected);
        };
        let message = format!("{} takes {expected}, not {}", self.name(pointer), self.found(pointer));
        let diagnostic = Diagnostic::error(&code::WRONG_VALUE, message).at(self.place(pointer));
        let near = nearest(text, options.iter().filter_map(Json::as_str));
        match near {
            Some(near) => diagnostic.label(format!("did you mean `{near}`?")),
            None => diagnostic.label(format!("this must be {expected}")),
        }
    }

    /// A value that fits none of several forms: speaks of the form that it comes nearest to.
    fn branches(
        &self,
        error: &ValidationError<'_>,
        pointer: &str,
        context: &[Vec<ValidationError<'static>>],
        out: &mut Vec<Diagnostic>,
    ) {
        let near = |errors: &&Vec<ValidationError<'static>>| !mismatched(errors, pointer);
        let closest = context.iter().filter(near).min_by_key(|errors| errors.len());
        match closest {
            None => {
                let (mut options, mut types) = (Vec::new(), Vec::new());
                context.iter().flatten().for_each(|error| collect(error, &mut options, &mut types));
                out.push(match options.as_slice() {
                    [] => self.wrong_type(error, pointer, &types),
                    _ => self.none_of(pointer, &options, &types),
                });
            }
            Some(_) if let Some(keys) = alternatives(context, pointer) => out.push(self.needs_one(pointer, &keys)),
            Some(errors) => errors.iter().for_each(|error| self.explain(error, out)),
        }
    }

    fn needs_one(&self, pointer: &str, keys: &[&str]) -> Diagnostic {
        let keys = list(keys.iter().map(|key| format!("`{key}`")), "or");
        Diagnostic::error(&code::MISSING_KEY, format!("{} needs {keys}", self.name(pointer)))
            .at(self.document.places.key(pointer))
    }

    fn key_name(&self, pointer: &str, inner: &ValidationError<'_>) -> Diagnostic {
        let key = inner.instance().as_str().unwrap_or_default().to_owned();
        let message = format!("`{}` cannot be a key of {}", shorten(&key), self.name(pointer));
        let place = self.document.places.key(&format!("{pointer}{}", segment(&key)));
        Diagnostic::error(&code::WRONG_VALUE, message).at(place).label(limit(inner.kind()))
    }

    /// A value of the right type that is out of bounds.
    fn value(&self, error: &ValidationError<'_>, pointer: &str) -> Diagnostic {
        let name = self.name(pointer);
        let message = match error.kind() {
            Kind::MinLength { limit: 1 } => format!("{name} is empty"),
            Kind::UniqueItems => format!("{name} lists the same twice"),
            Kind::OneOfMultipleValid { .. } => return self.too_many(error, pointer),
            Kind::Not { .. } | Kind::FalseSchema => format!("{name} cannot be {}", self.found(pointer)),
            kind @ (Kind::MinItems { .. }
            | Kind::MaxItems { .. }
            | Kind::MinProperties { .. }
            | Kind::MaxProperties { .. }) => {
                format!("{name} {}", limit(kind))
            }
            kind => format!("{name} {}, and this is {}", limit(kind), self.found(pointer)),
        };
        let place = match error.kind() {
            Kind::UniqueItems => self.place(&self.repeated(pointer)),
            _ => self.place(pointer),
        };
        let diagnostic = Diagnostic::error(&code::WRONG_VALUE, message).at(place);
        match self.example(error) {
            Some(example) => diagnostic.help(format!("for example `{example}`")),
            None => diagnostic,
        }
    }

    fn too_many(&self, error: &ValidationError<'_>, pointer: &str) -> Diagnostic {
        let branches = self.parent(error).and_then(|schema| schema.get("oneOf")).and_then(Json::as_array);
        let present = self.document.json.pointer(pointer).and_then(Json::as_object);
        let mut keys = Vec::new();
        for branch in branches.into_iter().flatten() {
            let required = branch.get("required").and_then(Json::as_array).into_iter().flatten();
            keys.extend(required.filter_map(Json::as_str).filter(|key| present.is_some_and(|p| p.contains_key(*key))));
        }
        let name = self.name(pointer);
        let [first, .., last] = keys.as_slice() else {
            return Diagnostic::error(&code::WRONG_VALUE, format!("{name} can be read in more than one way"))
                .at(self.place(pointer));
        };
        let both = list(keys.iter().map(|key| format!("`{key}`")), "and");
        let at = |key: &str| self.document.places.key(&format!("{pointer}{}", segment(key)));
        Diagnostic::error(&code::WRONG_VALUE, format!("{name} takes only one of {both}"))
            .at(at(last))
            .and_at(at(first), "beside this")
            .help("keep one of them")
    }

    /// The pointer of the first item that stands in a list before.
    fn repeated(&self, pointer: &str) -> String {
        let items = self.document.json.pointer(pointer).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        let again = (1..items.len()).find(|at| {
            let (before, from) = items.split_at(*at);
            from.first().is_some_and(|item| before.contains(item))
        });
        again.map_or_else(|| pointer.to_owned(), |at| format!("{pointer}/{at}"))
    }

    /// Where a value stands; its key, where it is a collection on lines of its own.
    fn place(&self, pointer: &str) -> &Place {
        let (key, value) = (self.document.places.key(pointer), self.document.places.value(pointer));
        if key.line == value.line { value } else { key }
    }

    /// What a value is called: its key, or its number in a list.
    fn name(&self, pointer: &str) -> String {
        let Some((parent, last)) = pointer.rsplit_once('/') else { return self.title.to_owned() };
        let last = unescape(last);
        match (self.document.json.pointer(parent), last.parse::<usize>()) {
            (Some(Json::Array(_)), Ok(at)) => format!("item {} of {}", at + 1, self.name(parent)),
            _ => format!("`{}`", shorten(&last)),
        }
    }

    /// What stands there instead.
    fn found(&self, pointer: &str) -> String {
        match self.document.json.pointer(pointer) {
            None | Some(Json::Null) => "nothing".to_owned(),
            Some(Json::Bool(value)) => format!("`{value}`"),
            Some(Json::Number(number)) => format!("the number `{number}`"),
            Some(Json::String(text)) if text.is_empty() => "an empty text".to_owned(),
            Some(Json::String(text)) => format!("the text `{}`", shorten(text)),
            Some(Json::Array(_)) => "a list".to_owned(),
            Some(Json::Object(_)) => "a mapping".to_owned(),
        }
    }

    /// The schema that a finding's keyword stands in.
    fn parent(&self, error: &ValidationError<'_>) -> Option<&Json> {
        let path = error.schema_path().as_str();
        self.schema.pointer(path.rsplit_once('/').map_or("", |(parent, _)| parent))
    }

    /// An example of the value, from the type's schema or from that of the key that has the type.
    fn example(&self, error: &ValidationError<'_>) -> Option<String> {
        if let Some(found) = self.parent(error).and_then(example) {
            return Some(found);
        }
        let path = error.evaluation_path().as_str();
        let (before, _) = path.rsplit_once("/$ref/")?;
        let mut schema = self.schema;
        for part in before.split('/').skip(1) {
            schema = if part == "$ref" { self.follow(schema) } else { schema.pointer(&format!("/{part}"))? };
        }
        example(schema)
    }

    /// The schema behind a reference, or itself.
    fn follow<'s>(&'s self, schema: &'s Json) -> &'s Json {
        let path = schema.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix('#'));
        path.and_then(|path| self.schema.pointer(path)).unwrap_or(schema)
    }
}

/// How to write a value so that it is of the type that its key takes.
fn type_help(value: &Json, expected: &[&str]) -> Option<String> {
    match (value, expected) {
        (Json::String(text), ["boolean"]) if is_old_bool(text) => {
            Some("YAML 1.2 knows only `true` and `false`: `yes`, `no`, `on` and `off` are text".to_owned())
        }
        (Json::String(text), ["boolean"]) if text == "true" || text == "false" => {
            Some(format!("take the quotes away: `{text}`"))
        }
        (Json::String(text), ["integer" | "number"]) => {
            let number: f64 = text.replace('_', "").parse().ok().filter(|number: &f64| number.is_finite())?;
            Some(format!("write `{number}`, without quotes, leading zeros or underscores"))
        }
        (Json::Number(_) | Json::Bool(_), ["string"]) => {
            Some(format!("what is meant as text goes into quotes: `\"{value}\"`"))
        }
        (Json::String(text), ["array"]) if !text.contains([',', '[', '{', '\'', '"', '\n', '#']) => {
            Some(format!("write it as a list: `[{}]`", shorten(text)))
        }
        (Json::Object(_), ["array"]) => Some("put a `-` before each item".to_owned()),
        _ => None,
    }
}

/// Whether a form was missed from the start: another type or word altogether.
fn mismatched(errors: &[ValidationError<'_>], pointer: &str) -> bool {
    errors.iter().filter(|error| error.instance_path().as_str() == pointer).any(|error| match error.kind() {
        Kind::Type { .. } | Kind::Enum { .. } | Kind::Constant { .. } => true,
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            context.iter().all(|errors| mismatched(errors, pointer))
        }
        _ => false,
    })
}

/// The words and types that forms would have taken.
fn collect<'a>(error: &'a ValidationError<'_>, options: &mut Vec<Json>, expected: &mut Vec<&'a str>) {
    match error.kind() {
        Kind::Enum { options: more } => options.extend(more.as_array().into_iter().flatten().cloned()),
        Kind::Constant { expected_value } => options.push(Json::clone(expected_value)),
        Kind::Type { kind } => {
            for name in types(kind) {
                if !expected.contains(&name) {
                    expected.push(name);
                }
            }
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            context.iter().flatten().for_each(|error| collect(error, options, expected));
        }
        _ => {}
    }
}

/// The keys of which one is needed, where that is all that the forms ask for.
fn alternatives<'a>(context: &'a [Vec<ValidationError<'static>>], pointer: &str) -> Option<Vec<&'a str>> {
    let key = |errors: &'a Vec<ValidationError<'static>>| match errors.as_slice() {
        [error] if error.instance_path().as_str() == pointer => match error.kind() {
            Kind::Required { property } => property.as_str(),
            _ => None,
        },
        _ => None,
    };
    context.iter().map(key).collect()
}

fn types(kind: &TypeKind) -> Vec<&'static str> {
    match kind {
        TypeKind::Single(only) => vec![only.as_str()],
        TypeKind::Multiple(set) => {
            let mut names: Vec<_> = set.iter().map(|name| name.as_str()).filter(|name| *name != "null").collect();
            // Text first: it is what most keys take.
            names.sort_by_key(|name| *name != "string");
            names
        }
    }
}

fn words(name: &str) -> &str {
    match name {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a mapping",
        "null" => "nothing",
        other => other,
    }
}

/// A bound in words that follow a name.
fn limit(kind: &Kind) -> String {
    let entries =
        |limit: u64, one: &str, many: &str| if limit == 1 { format!("1 {one}") } else { format!("{limit} {many}") };
    match kind {
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("must have at least {}", entries(*limit, "character", "characters")),
        Kind::MaxLength { limit } => format!("must have at most {}", entries(*limit, "character", "characters")),
        Kind::Pattern { pattern } => format!("must have the form `{pattern}`"),
        Kind::MinItems { limit } => format!("needs at least {}", entries(*limit, "item", "items")),
        Kind::MaxItems { limit } => format!("takes at most {}", entries(*limit, "item", "items")),
        Kind::MinProperties { limit } => format!("needs at least {}", entries(*limit, "key", "keys")),
        Kind::MaxProperties { limit } => format!("takes at most {}", entries(*limit, "key", "keys")),
        other => format!("does not satisfy `{}`", other.keyword()),
    }
}

fn example(schema: &Json) -> Option<String> {
    let example = schema.get("examples").and_then(Json::as_array).and_then(|examples| examples.first());
    let example = example.or_else(|| schema.get("default"))?;
    (!example.is_array() && !example.is_object() && !example.is_null()).then(|| bare(example))
}

fn bare(value: &Json) -> String {
    crate::load::tree::scalar_text(value)
}

fn is_old_bool(text: &str) -> bool {
    ["yes", "no", "on", "off", "y", "n"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A text for a message: on one line, and not longer than it is telling.
fn shorten(text: &str) -> String {
    let line: String = text.chars().take(QUOTED).map(|c| if c.is_control() { '·' } else { c }).collect();
    if text.chars().nth(QUOTED).is_some() { format!("{line}…") } else { line }
}

fn first_sentence(text: &str) -> String {
    text.split_inclusive(". ").next().unwrap_or(text).trim().replace('\n', " ")
}

fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

/// The keys of a mapping, as its schema has them, where they are few.
fn keys_of(schema: &Json) -> Option<String> {
    let keys = schema.get("properties")?.as_object().filter(|keys| (1..=MAX_NAMED).contains(&keys.len()))?;
    Some(each(keys.keys()))
}

/// Keys, one beside the other.
fn each<'a>(keys: impl Iterator<Item = &'a String>) -> String {
    list(keys.map(|key| format!("`{key}`")), "and")
}

/// `a`, `a or b`, `a, b or c`.
pub fn list(items: impl Iterator<Item = String>, joint: &str) -> String {
    let items: Vec<String> = items.collect();
    match items.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} {joint} {last}", before.join(", ")),
    }
}
