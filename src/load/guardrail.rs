//! Guardrails from their documents: selected, compiled, and with the place of every mistake.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Map, Value as Json, json};

use crate::core::{Place, QualifiedName};
use crate::diag::{Diagnostic, Sources, code};
use crate::guard::{Expression, Fault, For, Guardrail, Rule, Severity, declare};
use crate::kinds::document::Document;
use crate::kinds::select::Matcher;
use crate::load::DocumentInfo;
use crate::load::text::Text;
use crate::load::tree::Converted;

/// A guardrail before it is known which documents there are.
pub struct Raw {
    guardrail: Guardrail,
    matcher: Option<Matcher>,
    /// Where its `match` is.
    place: Place,
    /// Whether its file is among those chosen.
    chosen: bool,
}

impl Raw {
    /// Reads a document that satisfies its schema. `None` where something in it cannot be used.
    pub fn read(
        name: &str,
        document: &Converted,
        chosen: bool,
        sources: &Sources,
        sink: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let before = sink.len();
        let text = |key: &str| document.json.get(key).and_then(Json::as_str);
        let scope = if text("for") == Some("action") { For::Action } else { For::Table };
        let rule = Rule {
            name: name.to_owned(),
            scope,
            when: text("when").map(str::to_owned),
            assert: text("assert").unwrap_or_default().to_owned(),
            message: text("message").unwrap_or_default().to_owned(),
            severity: if text("severity") == Some("warning") { Severity::Warning } else { Severity::Error },
        };
        let mut compile = |key: &str| {
            let written = text(key)?;
            let compiled = Expression::compile(written, &declare(scope));
            let place = document.places.value(&format!("/{key}"));
            compiled.map_err(|fault| sink.push(explain(fault, written, place, sources))).ok()
        };
        let (when, assert) = (compile("when"), compile("assert"));
        let matcher = document.json.get("match").map(|value| Matcher::read(value, &document.places, "/match", sink));
        if sink.len() > before {
            return None;
        }
        let place = document.places.value("/assert").clone();
        let guardrail = Guardrail { rule, when, assert: assert?, place, selected: None };
        Some(Self { guardrail, matcher, place: document.places.key("/match").clone(), chosen })
    }

    /// A warning where no document matches it. Of one that is read beside the files chosen, that says nothing.
    pub fn matches_nothing(&self, documents: &[DocumentInfo]) -> Option<Diagnostic> {
        let matcher = self.matcher.as_ref().filter(|_| self.chosen)?;
        let fits = |document: &DocumentInfo| {
            document.relation.as_ref().is_some_and(|relation| matcher.matches(relation, &document.labels))
        };
        let message = format!("no document matches the guardrail `{}`", self.guardrail.rule.name);
        let warning = Diagnostic::warning(&code::GUARDRAIL_MATCHES_NOTHING, message)
            .at(&self.place)
            .why("it is never asked, so that it holds nothing back")
            .help("check the patterns and labels, or take the guardrail away");
        (!documents.iter().any(fits)).then_some(warning)
    }

    /// The guardrail, for these documents.
    pub fn over(self, documents: &[DocumentInfo]) -> Guardrail {
        let mut guardrail = self.guardrail;
        guardrail.selected = self.matcher.map(|matcher| {
            let matching = documents.iter().filter_map(|document| {
                let relation = document.relation.as_ref()?;
                matcher.matches(relation, &document.labels).then(|| relation.clone())
            });
            matching.collect::<BTreeSet<QualifiedName>>()
        });
        guardrail
    }
}

fn explain(fault: Fault, written: &str, place: &Place, sources: &Sources) -> Diagnostic {
    let at = fault.range.and_then(|range| find(written, range, place, sources));
    let mut diagnostic = Diagnostic::error(&code::BAD_GUARDRAIL, format!("in this expression, {}", fault.message));
    diagnostic.help = fault.help;
    diagnostic.at(at.as_ref().unwrap_or(place))
}

/// Where a part of an expression stands in its file. YAML folds and indents, but keeps every
/// character that is no blank, unless it is escaped: then there is no telling.
fn find(written: &str, range: Range<usize>, place: &Place, sources: &Sources) -> Option<Place> {
    let whole = sources.text(&place.file)?;
    let slice = whole.get(place.start..place.end)?;
    let solid = |text: &str| text.char_indices().filter(|(_, c)| !c.is_whitespace()).collect::<Vec<_>>();
    let (wanted, there) = (solid(written), solid(slice));
    let fits = |at: &usize| {
        let from = there.get(*at..).unwrap_or_default();
        from.len() >= wanted.len() && from.iter().zip(&wanted).all(|((_, a), (_, b))| a == b)
    };
    let first = (0..there.len()).find(fits)?;
    let index = wanted.iter().position(|(at, _)| *at >= range.start).unwrap_or(wanted.len());
    let begin = match there.get(first + index) {
        Some((at, _)) if index < wanted.len() => *at,
        _ => there.get(first + wanted.len().checked_sub(1)?).map(|(at, c)| at + c.len_utf8())?,
    };
    let length = range.end - range.start;
    let end = (begin + length).min(slice.len());
    let text = Text::new(std::sync::Arc::clone(&place.file), whole.into());
    Some(text.place(place.start + begin, place.start + end))
}

/// The schema of a `guardrail` document.
pub fn schema(document: &Document) -> Json {
    let mut properties = Map::new();
    let mut add = |key: &str, value: Json| properties.insert(key.to_owned(), value);
    add("kind", json!({ "description": "What the document describes.", "const": document.kind }));
    add(
        "name",
        json!({ "description": "The guardrail's name, as plans and messages have it.", "type": "string", "minLength": 1, "examples": ["five years"] }),
    );
    add(
        "for",
        json!({
            "description": "What it is asked for: every `table` that has a document, or every `action` of a plan.",
            "enum": ["table", "action"],
            "default": "table",
        }),
    );
    add("match", Matcher::schema("tables it is asked for; without it, all"));
    add(
        "when",
        json!({
            "description": "A condition, in CEL: where it is false, the guardrail is not asked.",
            "type": "string",
            "minLength": 1,
            "examples": ["has(retention.drop_after)"],
        }),
    );
    add(
        "assert",
        json!({
            "description": "What must hold, in CEL.",
            "type": "string",
            "minLength": 1,
            "examples": ["!has(retention.drop_after) || retention.drop_after >= interval('5 years')"],
        }),
    );
    add(
        "message",
        json!({
            "description": "What to say where it does not hold: what is asked for, and why.",
            "type": "string",
            "minLength": 1,
            "examples": ["records under MiFID II are kept for five years"],
        }),
    );
    add(
        "severity",
        json!({
            "description": "Whether a plan is refused, or it is only said. What cannot be told is an error in either case.",
            "enum": ["error", "warning"],
            "default": "error",
        }),
    );
    json!({
        "title": format!("Chronoform policy: {}", document.kind),
        "description": document.about,
        "type": "object",
        "required": ["kind", "name", "assert", "message"],
        "properties": properties,
        "additionalProperties": false,
    })
}
