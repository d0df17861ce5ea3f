//! Diagnostics as text, with the snippet they speak of.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::core::Place;
use crate::diag::{Diagnostic, Severity, Sources};

/// Renders diagnostics in the order given, with a blank line after each.
pub fn text(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&renderer.render(&groups(diagnostic, sources)));
        out.push_str("\n\n");
    }
    out
}

fn groups<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.code.name);
    let mut group = Group::with_title(title);
    let own = diagnostic.place.iter().map(|place| (place, diagnostic.label.as_deref(), AnnotationKind::Primary));
    let related = diagnostic.related.iter().map(|(place, word)| (place, Some(word.as_str()), AnnotationKind::Context));
    for (place, label, kind) in own.chain(related) {
        if let Some(snippet) = snippet(place, label, kind, sources) {
            group = group.element(snippet);
        } else {
            let origin = annotate_snippets::Origin::path(place.file.as_ref());
            group = group.element(origin.line(place.line as usize).char_column(place.column as usize));
        }
    }
    if let Some(why) = &diagnostic.why {
        group = group.element(Level::NOTE.message(why));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help));
    }
    vec![group]
}

/// How long a line may be, in bytes, to be shown.
const LONGEST_LINE: usize = 4000;

fn snippet<'a>(
    place: &'a Place,
    label: Option<&'a str>,
    kind: AnnotationKind,
    sources: &'a Sources,
) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let text = sources.text(&place.file)?;
    // Only the line itself goes to the renderer: it would read the whole file for every diagnostic.
    let start = floor(text, place.start);
    let line_start = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(line_start..)?.split('\n').next()?;
    if line.len() > LONGEST_LINE {
        return None;
    }
    let end = floor(text, place.end).clamp(start, (line_start + line.len()).max(start));
    let mut annotation = kind.span(start - line_start..end - line_start);
    if let Some(label) = label {
        annotation = annotation.label(label);
    }
    let shown =
        if goes_on_with_secret(text.get(..line_start)?, line) { blot(line, &[(0, line.len())]) } else { mask(line) };
    Some(Snippet::source(shown).line_start(place.line as usize).path(place.file.as_ref()).annotation(annotation))
}

/// The keys whose values are secrets, as documents and connection strings write them.
const SECRETS: [&str; 6] = ["password", "passphrase", "secret", "key", "token", "pass"];

/// Whether a line is the value, or a part of it, of a key of [`SECRETS`] that stands alone on a line above.
fn goes_on_with_secret(before: &str, line: &str) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut above = before.lines().rev().filter(|above| !above.trim().is_empty());
    let Some(key) = above.find(|above| indent(above) < indent(line)) else { return false };
    let Some((name, value)) = key.trim().trim_start_matches("- ").split_once(':') else { return false };
    let opens = value.trim().trim_start_matches(['|', '>', '+', '-', '\'', '"']);
    let opens = opens.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    is_secret(name.trim_matches(['"', '\''])) && (opens.is_empty() || opens.starts_with('#'))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS
        .iter()
        .any(|secret| name.strip_suffix(secret).is_some_and(|rest| rest.is_empty() || rest.ends_with(['_', '-'])))
}

/// The line with every secret in it blotted out, byte for byte, so that columns stay true: in a
/// URL between the user and the host, and after a key of [`SECRETS`]. Where a secret is from may be read.
fn mask(line: &str) -> String {
    let mut hidden: Vec<(usize, usize)> = Vec::new();
    for (at, _) in line.match_indices("://") {
        let start = at + 3;
        let rest = line.get(start..).unwrap_or("");
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',')).unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or("");
        if let Some(host) = authority.rfind('@')
            && let Some(colon) = authority.get(..host).and_then(|login| login.find(':'))
        {
            hidden.push((start + colon + 1, start + host));
        }
    }
    for (at, _) in line.match_indices([':', '=']) {
        let (before, after) = (line.get(..at).unwrap_or(""), line.get(at + 1..).unwrap_or(""));
        let name = before.trim_end().trim_end_matches(['"', '\'']);
        let name = name.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).next().unwrap_or("");
        let value = after.trim_start();
        if !is_secret(name) || value.starts_with("${") || value.starts_with("\"${") || value.starts_with("'${") {
            continue;
        }
        // What is in quotes ends with them; what is not may have blanks in it, but not in a connection string.
        let (quoted, value) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => (Some(quote), value.get(1..).unwrap_or("")),
            _ => (None, value),
        };
        let is_string = line.as_bytes().get(at) == Some(&b'=');
        let ends = |c: char| match quoted {
            Some(quote) => c == quote,
            None => matches!(c, '"' | '\'' | ',' | '&' | '}') || is_string && c.is_whitespace(),
        };
        let start = line.len() - value.len();
        let end = value.find(ends).unwrap_or(value.len());
        // A remark behind it is none of it.
        let end = value.get(..end).and_then(|value| value.find(" #")).filter(|_| quoted.is_none()).unwrap_or(end);
        hidden.push((start, start + value.get(..end).unwrap_or("").trim_end().len()));
    }
    blot(line, &hidden)
}

/// The line with asterisks for what is hidden.
fn blot(line: &str, hidden: &[(usize, usize)]) -> String {
    let covered = |at: usize| hidden.iter().any(|(start, end)| (*start..*end).contains(&at));
    let each = |(at, c): (usize, char)| if covered(at) { "*".repeat(c.len_utf8()) } else { c.to_string() };
    line.char_indices().map(each).collect()
}

/// The nearest character boundary at or before an offset.
fn floor(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::code;

    #[test]
    fn a_diagnostic_shows_code_place_snippet_why_and_help() {
        let mut sources = Sources::default();
        sources.add("policies/a.yaml".into(), "kind: table\nnme: ü\n".into());
        let place = Place { file: "policies/a.yaml".into(), line: 2, column: 1, start: 12, end: 15, via: None };
        let diagnostic = Diagnostic::error(&code::UNKNOWN_KEY, "`nme` is not a key of a table")
            .at(&place)
            .label("did you mean `name`?")
            .why("an unknown key would be ignored")
            .help("rename it");
        let shown = text(&[diagnostic], &sources, false);
        for part in ["error[unknown-key]", "policies/a.yaml:2:1", "nme: ü", "did you mean `name`?", "ignored", "rename"]
        {
            assert!(shown.contains(part), "{part} not in\n{shown}");
        }
    }

    #[test]
    fn a_password_in_a_snippet_is_blotted_out() {
        assert_eq!(mask("url: postgres://u:s3crét@h:5432/d # x"), "url: postgres://u:*******@h:5432/d # x");
        assert_eq!(mask("a: \"host=h password=s3cret user=u\""), "a: \"host=h password=****** user=u\"");
        assert_eq!(mask("see https://h:1/p and a@b"), "see https://h:1/p and a@b");
        assert_eq!(mask("password_policy: x"), "password_policy: x");
    }

    #[test]
    fn a_secret_that_is_written_out_is_in_no_snippet() {
        for (line, shown) in [
            ("  key: hunter2", "  key: *******"),
            ("encryption: {key: hunter2, cipher: aes-256}", "encryption: {key: *******, cipher: aes-256}"),
            ("s3: {\"secret\": \"a, b\", region: r}", "s3: {\"secret\": \"****\", region: r}"),
            ("secret_key: 'x y' # mine", "secret_key: '***' # mine"),
            ("  key: two words # mine", "  key: ********* # mine"),
            ("key: \"${env.KEY}\"", "key: \"${env.KEY}\""),
            ("key_file: /run/key", "key_file: /run/key"),
            ("monkey: x, keys: [a]", "monkey: x, keys: [a]"),
            ("url: \"host=h passphrase=p user=u\"", "url: \"host=h passphrase=* user=u\""),
        ] {
            assert_eq!(mask(line), shown);
        }
        let mut sources = Sources::default();
        let document = "encryption:\n  key: >-\n    hunter2\n  cipher: des\n";
        sources.add("a.yaml".into(), document.into());
        let shown = |at: &str, line: u32| {
            let start = document.find(at).unwrap();
            let place = Place { file: "a.yaml".into(), line, column: 5, start, end: start + at.len(), via: None };
            text(&[Diagnostic::note(&code::INTERNAL, "x").at(&place)], &sources, false)
        };
        assert!(!shown("hunter2", 3).contains("hunter2"), "{}", shown("hunter2", 3));
        assert!(shown("cipher: des", 4).contains("cipher: des"));
    }

    #[test]
    fn a_line_too_long_to_be_shown_is_named_by_its_place() {
        let line = format!("a: {}", "password: x, ".repeat(70_000));
        let mut sources = Sources::default();
        sources.add("a.yaml".into(), line.into());
        let place = Place { file: "a.yaml".into(), line: 1, column: 700, start: 699, end: 702, via: None };
        let shown = text(&[Diagnostic::note(&code::INTERNAL, "x").at(&place)], &sources, false);
        assert!(shown.contains("a.yaml:1:700") && shown.len() < 200, "{shown:.500}");
    }

    #[test]
    fn an_offset_outside_the_text_or_inside_a_character_is_no_panic() {
        let mut sources = Sources::default();
        sources.add("a".into(), "ü".into());
        let place = Place { file: "a".into(), line: 1, column: 1, start: 1, end: 99, via: None };
        assert!(text(&[Diagnostic::note(&code::INTERNAL, "x").at(&place)], &sources, true).contains('x'));
        let gone = Place { file: "gone".into(), line: 7, column: 1, start: 0, end: 0, via: None };
        assert!(text(&[Diagnostic::note(&code::INTERNAL, "x").at(&gone)], &sources, false).contains("gone:7"));
    }
}
