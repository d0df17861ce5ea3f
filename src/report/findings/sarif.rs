//! SARIF 2.1.0 (OASIS, 2020), as code-scanning services read it.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::report::findings::{Finding, Level, words};
use crate::report::json;

/// One run of the tool, with a result for each finding that has something to say. What has no place
/// in a policy is a notification of the run: services refuse a result without a location.
pub(super) fn document(findings: &[Finding], about: &str) -> String {
    let spoken = || findings.iter().filter(|finding| finding.level > Level::Skipped);
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    let mut described = Vec::new();
    for finding in spoken() {
        let next = described.len();
        rules.entry(&finding.rule).or_insert_with(|| {
            described.push(rule(finding));
            next
        });
    }
    let results: Vec<Json> = spoken()
        .filter_map(|finding| {
            let source = finding.source.as_ref()?;
            let location = json!({
                "physicalLocation": {
                    "artifactLocation": artifact(&source.file),
                    "region": { "startLine": source.line.max(1) },
                },
                "logicalLocations": [{ "fullyQualifiedName": finding.subject, "kind": "resource" }],
            });
            Some(json!({
                "ruleId": finding.rule,
                "ruleIndex": rules.get(finding.rule.as_str()),
                "level": level(finding.level),
                "message": { "text": text(finding) },
                "locations": [location],
                "partialFingerprints": { "chronoformFinding/v1": finding.fingerprint },
            }))
        })
        .collect();
    let notifications: Vec<Json> = spoken()
        .filter(|finding| finding.source.is_none())
        .map(|finding| {
            json!({
                "descriptor": { "id": finding.rule, "index": rules.get(finding.rule.as_str()) },
                "level": level(finding.level),
                "message": { "text": text(finding) },
            })
        })
        .collect();
    // Errors of the run itself, such as a server that cannot be reached, have no place.
    let successful = !findings.iter().any(|finding| finding.level == Level::Error && finding.source.is_none());
    json::pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Chronoform",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": described,
                "notifications": described,
            }},
            "automationDetails": { "id": format!("chronoform/{about}/") },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": successful,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    }))
}

fn rule(finding: &Finding) -> Json {
    json!({
        "id": finding.rule,
        "name": words(&finding.rule).split(' ').map(capital).collect::<String>(),
        "shortDescription": { "text": words(&finding.rule) },
        "defaultConfiguration": { "level": level(finding.level) },
    })
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Passed | Level::Skipped => "none",
        Level::Note => "note",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

fn text(finding: &Finding) -> String {
    std::iter::once(finding.message.as_str())
        .chain(finding.details.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A policy's path as a URI: relative to the repository's root where it is relative.
fn artifact(path: &str) -> Json {
    let path = path.replace('\\', "/");
    let encoded = encode(path.trim_start_matches("./"));
    match path.starts_with('/') {
        true => json!({ "uri": format!("file://{encoded}") }),
        false => json!({ "uri": encoded, "uriBaseId": "%SRCROOT%" }),
    }
}

/// Every byte that a URI's path cannot hold, as `%xx`.
fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
