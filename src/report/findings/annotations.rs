//! The workflow commands of GitHub Actions, which set a finding beside its line in the pull request.

use crate::report::escape::clean;
use crate::report::findings::{Finding, Level, words};

/// A command a line, for each finding that has something to say.
pub fn annotations(findings: &[Finding]) -> String {
    findings.iter().filter(|finding| finding.level > Level::Skipped).map(annotation).collect()
}

fn annotation(finding: &Finding) -> String {
    let command = match finding.level {
        Level::Passed | Level::Skipped | Level::Note => "notice",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    let place = finding.source.as_ref().map(|source| {
        let path = source.file.trim_start_matches("./");
        format!("file={},line={},", property(path), source.line)
    });
    let lines = std::iter::once(&finding.message).chain(&finding.details);
    let text = lines.flat_map(|text| text.split('\n')).map(clean).collect::<Vec<_>>().join("\n");
    format!("::{command} {}title={}::{}\n", place.unwrap_or_default(), property(&words(&finding.rule)), data(&text))
}

/// The text after the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which a colon or a comma would end.
fn property(text: &str) -> String {
    data(&clean(text)).replace(':', "%3A").replace(',', "%2C")
}
