//! JUnit's XML, as test reporters read it: a suite a relation, a case a resource.

use std::collections::BTreeMap;

use crate::report::escape;
use crate::report::findings::{Finding, Level};

/// One document with a suite for each group.
pub(super) fn document(findings: &[Finding], about: &str) -> String {
    let mut suites: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        suites.entry(&finding.group).or_default().push(finding);
    }
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all: Vec<&Finding> = findings.iter().collect();
    out.push_str(&format!("<testsuites name=\"{}\"{}>\n", escape::html(&format!("Chronoform {about}")), counts(&all)));
    for (group, findings) in suites {
        out.push_str(&format!("  <testsuite name=\"{}\"{}>\n", escape::html(group), counts(&findings)));
        findings.iter().for_each(|finding| out.push_str(&case(finding)));
        out.push_str("  </testsuite>\n");
    }
    out + "</testsuites>\n"
}

fn counts(findings: &[&Finding]) -> String {
    let count = |wanted: fn(Level) -> bool| findings.iter().filter(|finding| wanted(finding.level)).count();
    format!(
        " tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"",
        findings.len(),
        count(|level| level >= Level::Warning),
        count(|level| level == Level::Skipped)
    )
}

fn case(finding: &Finding) -> String {
    let place = finding.source.as_ref().map(|source| format!("{}:{}", source.file, source.line));
    let file = finding.source.as_ref().map(|source| format!(" file=\"{}\"", escape::html(&source.file)));
    let line = finding.source.as_ref().map(|source| format!(" line=\"{}\"", source.line));
    let head = format!(
        "    <testcase classname=\"{}\" name=\"{}\"{}{}",
        escape::html(&finding.group),
        escape::html(&finding.subject),
        file.unwrap_or_default(),
        line.unwrap_or_default()
    );
    let message = escape::html(&finding.message);
    match finding.level {
        Level::Passed | Level::Note => format!("{head}/>\n"),
        Level::Skipped => format!("{head}>\n      <skipped message=\"{message}\"/>\n    </testcase>\n"),
        Level::Warning | Level::Error => {
            let lines = std::iter::once(&finding.message).chain(&finding.details).chain(&place);
            let body: String = lines.flat_map(|text| text.split('\n')).map(|line| escape::html(line) + "\n").collect();
            let kind = escape::html(&finding.rule);
            format!("{head}>\n      <failure type=\"{kind}\" message=\"{message}\">{body}</failure>\n    </testcase>\n")
        }
    }
}
