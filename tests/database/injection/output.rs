//! What is shown of hostile names is text: no terminal obeys it, and it is no HTML or Markdown.

use serde_json::json;

use super::{names, quoted};
use crate::cli::{Ran, Workplace};
use crate::servers::Db;

pub fn run(db: &Db) {
    let hostile = shown(db, &names());
    let plain: Vec<String> = (0..names().len()).map(|n| format!("name_{n:02}")).collect();
    let plain = shown(db, &plain);
    for (what, ran) in &hostile.all {
        harmless(&ran.out, what);
        harmless(&ran.err, what);
    }
    for (hostile, plain) in hostile.of("html").zip(plain.of("html")) {
        let (ours, theirs) = (elements(hostile), elements(plain));
        let differing = ours.iter().zip(&theirs).position(|(one, other)| one != other);
        assert_eq!(differing, None, "the page has other elements");
        assert_eq!(ours.len(), theirs.len(), "the page has other elements");
    }
    for (hostile, plain) in hostile.of("markdown").zip(plain.of("markdown")) {
        let (ours, theirs) = (outline(hostile), outline(plain));
        for ((line, shape), (other, wanted)) in ours.iter().zip(&theirs) {
            assert_eq!(shape, wanted, "the comment has another outline at\n{line}\n{other}");
        }
        assert_eq!(ours.len(), theirs.len(), "the comment has another outline");
    }
}

/// What was said, by command and format.
struct Shown {
    all: Vec<(String, Ran)>,
}

impl Shown {
    fn of(&self, format: &str) -> impl Iterator<Item = &str> {
        self.all.iter().filter(move |(what, _)| what.ends_with(format)).map(|(_, ran)| ran.out.as_str())
    }
}

/// All that is said of tables with these names, each with as much on it.
fn shown(db: &Db, names: &[String]) -> Shown {
    let place = Workplace::new(db);
    let mut documents = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let next = &names[(n + 1) % names.len()];
        let relation = format!("{}.{}", quoted(name), quoted(next));
        db.run(&format!("CREATE SCHEMA {}; CREATE TABLE {relation} ({} int)", quoted(name), quoted(name)));
        documents.push(json!({"kind": "class", "name": name, "match": {"labels": {"n": n.to_string()}},
                              "storage": {"autovacuum_enabled": true}}));
        documents.push(json!({"kind": "guardrail", "name": name, "match": {"labels": {"n": n.to_string()}},
                              "assert": "false", "message": next, "severity": "warning"}));
        documents.push(json!({
            "kind": "table",
            "name": relation,
            "labels": {"n": n.to_string()},
            "storage": {"fillfactor": 70},
            "indexes": [{"name": name, "columns": [{"column": name}], "where": format!("{} > 1", quoted(name))}],
        }));
    }
    let text = documents.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n");
    place.write("policy.yaml", &text);
    let mut all = Vec::new();
    for format in ["text", "markdown", "html"] {
        let ran =
            |command: &str, code: i32| place.run(&[command, "policy.yaml", "-v", "--format", format]).expect(code);
        all.push((format!("plan as {format}"), ran("plan", 0)));
        all.push((format!("drift as {format}"), ran("drift", 2)));
    }
    all.push(("apply".to_owned(), place.apply("policy.yaml").expect(0)));
    for format in ["text", "markdown", "html"] {
        let ran = place.run(&["ledger", "show", "--format", format]).expect(0);
        all.push((format!("ledger show as {format}"), ran));
    }
    // Nothing of all this is there, so that each is complained of.
    let missing: Vec<String> = names
        .iter()
        .map(|name| {
            json!({"kind": "table", "name": format!("public.{}", quoted(name)),
                   "indexes": [{"name": name, "columns": [{"expression": format!("{} + 1", quoted(name))}]}]})
            .to_string()
        })
        .collect();
    place.write("missing.yaml", &missing.join("\n---\n"));
    all.push(("refusal".to_owned(), place.run(&["plan", "missing.yaml"]).expect(1)));
    Shown { all }
}

/// No character that a terminal obeys, or that cannot be seen, but the ends of lines.
fn harmless(text: &str, what: &str) {
    let wrong: Vec<char> = text
        .chars()
        .filter(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .collect();
    assert!(wrong.is_empty(), "{what} holds {wrong:?}\n{}", text.escape_debug());
}

/// The elements of a page but for code spans: a backtick in a name may begin or end one, where a message
/// has it.
fn elements(html: &str) -> Vec<String> {
    tags(html).into_iter().filter(|tag| !tag.ends_with("code")).collect()
}

/// The elements of a page, without their text and attributes' values.
fn tags(html: &str) -> Vec<String> {
    let starts = html.split('<').skip(1);
    let name = |rest: &str| {
        rest.split(|c: char| !(c.is_alphanumeric() || c == '/' || c == '!')).next().unwrap_or("").to_owned()
    };
    starts.map(name).filter(|name| !name.is_empty()).collect()
}

/// What a Markdown text is made of outside its fenced code, line by line: headings, rows with so many
/// cells, raw HTML, links. Code spans are not told apart: there are two ways to write them.
fn outline(markdown: &str) -> Vec<(&str, String)> {
    let mut outline = Vec::new();
    let mut fence: Option<usize> = None;
    for line in markdown.lines() {
        let ticks = line.chars().take_while(|c| *c == '`').count();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            Some(open) if ticks >= open && line.trim_end().len() == ticks => fence = None,
            Some(_) => continue,
            None => outline.push((line, shape(line))),
        }
    }
    assert_eq!(fence, None, "a fence is left open");
    outline
}

fn shape(line: &str) -> String {
    let marks: String = line.chars().take_while(|c| "#|>-*+ ".contains(*c)).collect();
    let cells = line.replace("\\|", "").matches('|').count();
    let text = without_code(line);
    let html: Vec<String> =
        tags(&text).into_iter().filter(|tag| !tag.starts_with('!') && !tag.contains("code")).collect();
    format!("{marks} {cells} {html:?} {}", text.replace("\\]", "").matches("](").count())
}

/// The line without its code spans: as many backticks end one as began it.
fn without_code(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let (before, from) = rest.split_at(start);
        text.push_str(before);
        if before.ends_with('\\') {
            rest = &from[1..];
            continue;
        }
        let ticks: String = from.chars().take_while(|c| *c == '`').collect();
        let body = &from[ticks.len()..];
        let end = body
            .match_indices(&ticks)
            .map(|(at, _)| at)
            .find(|at| !body[..*at].ends_with('`') && !body[at + ticks.len()..].starts_with('`'));
        let end = end.unwrap_or_else(|| panic!("a code span is left open: {line}"));
        rest = &body[end + ticks.len()..];
    }
    text + rest
}
