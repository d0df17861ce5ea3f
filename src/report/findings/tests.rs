//! Findings in each form, and names that mean harm.

use serde_json::Value as Json;

use super::{Collected, Finding, Level, annotations, document, of_drift, of_plan};
use crate::core::SourceLine;
use crate::report::fixtures::{dangerous_plan, standings, target};
use crate::report::{DriftReport, Evidence, Known};

const HOSTILE: &str = "x\"><script>&'</failure>]]>\u{1b}[2J\n::error::gone,a:b%0A\u{202e}\u{0}";

fn hostile() -> Finding {
    Finding {
        rule: "drift-missing".to_owned(),
        level: Level::Error,
        subject: HOSTILE.to_owned(),
        group: HOSTILE.to_owned(),
        message: HOSTILE.to_owned(),
        details: vec![HOSTILE.to_owned()],
        source: Some(SourceLine { file: format!("./policies/{HOSTILE}.yaml"), line: 7 }),
        fingerprint: "sha256:0".to_owned(),
    }
}

fn sarif(findings: &[Finding]) -> Json {
    serde_json::from_str(&document(findings, "market", Collected::Sarif)).unwrap()
}

fn evidence() -> Evidence {
    let mut evidence = Evidence::default();
    for (index, drift) in standings().iter().enumerate() {
        let source = Some(SourceLine { file: "policies/a b.yaml".to_owned(), line: index as u32 + 1 });
        evidence.resources.insert(drift.address.clone(), Known { source, ..Known::default() });
    }
    evidence
}

fn drift(evidence: &Evidence) -> Vec<Finding> {
    let (target, drift) = (target(), standings());
    of_drift(&DriftReport {
        tool_version: "0.1.0",
        target: &target,
        drift: &drift,
        diagnostics: &[],
        evidence,
        due: &[],
    })
}

#[test]
fn sarif_has_a_result_for_each_difference_and_a_rule_for_each_result() {
    let findings = drift(&evidence());
    let document = sarif(&findings);
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    let (results, rules) = (run["results"].as_array().unwrap(), run["tool"]["driver"]["rules"].as_array().unwrap());
    let differing = standings().iter().filter(|drift| drift.status.is_difference()).count();
    assert_eq!(results.len(), differing);
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let location = &result["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], "policies/a%20b.yaml");
        assert_eq!(location["artifactLocation"]["uriBaseId"], "%SRCROOT%");
        assert!(location["region"]["startLine"].as_u64().unwrap() >= 1);
        assert!(result["partialFingerprints"]["chronoformFinding/v1"].as_str().unwrap().starts_with("sha256:"));
    }
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn what_has_no_place_is_told_of_the_run() {
    let document = sarif(&drift(Evidence::NONE));
    let run = &document["runs"][0];
    assert!(run["results"].as_array().unwrap().is_empty());
    assert!(!run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().is_empty());
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn a_finding_keeps_its_fingerprint_when_it_moves_and_not_when_it_changes() {
    let (mut moved, findings) = (evidence(), drift(&evidence()));
    moved.resources.values_mut().for_each(|known| known.source.as_mut().unwrap().line += 5);
    let of = |findings: &[Finding]| findings.iter().map(|f| f.fingerprint.clone()).collect::<Vec<_>>();
    assert_eq!(of(&drift(&moved)), of(&findings));
    let all = of(&findings);
    assert!(all.iter().enumerate().all(|(at, one)| !all[..at].contains(one)));
    assert_ne!(findings[0].clone().of_target("a").fingerprint, findings[0].clone().of_target("b").fingerprint);
}

#[test]
fn junit_has_a_case_a_resource_and_counts_what_failed() {
    let mut known = evidence();
    let first = standings().into_iter().find(|drift| drift.status.is_difference()).unwrap();
    known.resources.get_mut(&first.address).unwrap().is_new = Some(false);
    let all = document(&drift(&evidence()), "market", Collected::Junit);
    let fewer = document(&drift(&known), "market", Collected::Junit);
    let count = |text: &str, what: &str| text.matches(what).count();
    assert_eq!(count(&all, "<testcase "), standings().len());
    assert_eq!(count(&all, "<failure "), standings().iter().filter(|drift| drift.status.is_difference()).count());
    assert_eq!(count(&fewer, "<failure "), count(&all, "<failure ") - 1);
    assert!(fewer.contains("<skipped message=\"known already"), "{fewer}");
    assert!(all.contains(&format!("tests=\"{}\"", standings().len())));
}

/// The least that an XML reader asks for: every tag closed in order, and no bare `&` or `<`.
fn is_well_formed(xml: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml.split_once("?>").unwrap().1;
    while let Some((text, after)) = rest.split_once('<') {
        let entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
        let bare = entities.iter().fold(text.to_owned(), |text, entity| text.replace(entity, ""));
        let Some((tag, after)) = after.split_once('>') else { return false };
        if bare.contains('&') || bare.contains('>') || tag.contains('<') || tag.matches('"').count() % 2 != 0 {
            return false;
        }
        match tag.strip_prefix('/') {
            Some(name) if open.pop() != Some(name) => return false,
            Some(_) => {}
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap()),
        }
        rest = after;
    }
    open.is_empty() && xml.chars().all(|c| c == '\n' || !c.is_control())
}

#[test]
fn hostile_names_mean_nothing_in_any_form() {
    let xml = document(&[hostile()], HOSTILE, Collected::Junit);
    assert!(is_well_formed(&xml), "{xml}");
    assert!(!is_well_formed(&xml.replace("&quot;", "\"")), "the check finds nothing");
    let text = document(&[hostile()], HOSTILE, Collected::Sarif);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()) && !text.contains('\u{202e}'));
    let uri =
        sarif(&[hostile()])["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            .as_str()
            .unwrap()
            .to_owned();
    assert!(uri.starts_with("policies/x%22%3E%3Cscript") && !uri.contains(['"', '<', ' ', '\n', ':']), "{uri}");

    let lines = annotations(&[hostile()]);
    assert_eq!(lines.lines().count(), 1, "{lines}");
    let (head, text) =
        lines.strip_prefix("::error file=policies/x\"><script>&'</failure>]]>").unwrap().split_once("::").unwrap();
    assert!(head.ends_with(",line=7,title=Drift missing") && head.matches(',').count() == 2, "{head}");
    assert!(text.contains("b%250A") && !text.contains(['\u{1b}', '\u{202e}']), "{text}");
}

#[test]
fn a_plan_finds_what_it_endangers() {
    let findings = of_plan(&dangerous_plan());
    assert!(findings.iter().any(|finding| finding.rule == "deletes_data" && finding.level == Level::Warning));
    assert!(annotations(&findings).contains("title=Deletes data::"));
}
