//! What every change does to others, from the kinds' tables of rules.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chronoform::core::Hazard;
use chronoform::kinds::{self, How, Kind, LockOn, Needs, Rules, StepRule, Target, Variant};

/// The hazards with their meanings.
pub fn hazards() -> String {
    let mut out = String::from("| `--allow` | the action |\n|---|---|\n");
    for hazard in Hazard::ALL {
        writeln!(out, "| `{hazard}` | {} |", hazard.meaning()).unwrap();
    }
    out
}

/// A table a kind, with a row for every step and way to take it.
pub fn tables() -> String {
    let mut out = String::new();
    for kind in kinds::all() {
        writeln!(out, "### {}\n", kind.id()).unwrap();
        out.push_str("| statement | for | where | lock | blocks | in a transaction | hazards |\n");
        out.push_str("|---|---|---|---|---|---|---|\n");
        let mut rows: Vec<String> = kind.rules().steps().into_iter().flat_map(|step| rows(*kind, step)).collect();
        // Forms of one statement.
        rows.dedup();
        rows.iter().for_each(|row| out.push_str(row));
        for line in without_a_step(kind.rules()) {
            writeln!(out, "\n{line}").unwrap();
        }
        out.push('\n');
    }
    out
}

fn rows(kind: &dyn Kind, step: &StepRule) -> Vec<String> {
    let uses = uses(kind.rules(), step);
    let costs: Vec<String> = step.variants.iter().map(|variant| cost(kind, variant)).collect();
    let all_alike = costs.iter().all(|cost| *cost == costs[0]);
    let places: Vec<String> = step
        .variants
        .iter()
        .map(|variant| if all_alike { String::new() } else { place(kind, &variant.needs) })
        .collect();
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for ((variant, cost), place) in step.variants.iter().zip(&costs).zip(&places) {
        let otherwise = place.is_empty() && places.iter().any(|other| !other.is_empty());
        let place = if otherwise { "otherwise" } else { place };
        // Servers of other versions get another text, and nothing else differs.
        if seen.insert((place, cost)) {
            let name = variant.template.rsplit('/').next().unwrap_or_default().trim_end_matches(".sql");
            let name = name.replace('_', " ");
            rows.push(format!("| [{name}](../templates/{}) | {uses} | {place} | {cost} |\n", variant.template));
        }
    }
    rows
}

/// The lock, who waits for it, whether in a transaction, and the hazards.
fn cost(kind: &dyn Kind, variant: &Variant) -> String {
    let (lock, blocks) = lock(kind, variant);
    let hazards: Vec<String> = variant.hazards.iter().map(|hazard| format!("`{hazard}`")).collect();
    let transaction = if variant.transactional { "yes" } else { "no" };
    format!("{lock} | {blocks} | {transaction} | {}", hazards.join(", "))
}

/// What a step is part of.
fn uses(rules: &Rules, step: &StepRule) -> String {
    let among = |steps: &[&StepRule]| steps.iter().any(|one| std::ptr::eq(*one, step));
    let mut uses: Vec<String> = Vec::new();
    for (word, steps) in [("create", rules.create), ("remove", rules.remove)] {
        uses.extend(among(steps).then(|| word.to_owned()));
    }
    uses.extend(rules.replace.is_some_and(among).then(|| "replace".to_owned()));
    for attribute in rules.attributes {
        let altered = match &attribute.how {
            How::Alter(one) => among(&[one]),
            How::AlterBy(steps) => among(steps),
            How::Replace | How::OnlyAtCreation | How::Refuse { .. } => false,
        };
        if altered {
            uses.push(if attribute.name == "*" { "change".to_owned() } else { format!("`{}`", attribute.name) });
        }
    }
    uses.join(", ")
}

fn lock(kind: &dyn Kind, variant: &Variant) -> (String, &'static str) {
    let Some((mode, on)) = variant.lock else { return ("none".to_owned(), "") };
    let on = match on {
        LockOn::Relation if kind.id().to_string() == "continuous_aggregate" => "it".to_owned(),
        LockOn::Relation => "the table".to_owned(),
        LockOn::EachChunk => "each chunk, one after another".to_owned(),
        LockOn::RelationAndChunks => "the table and its chunks".to_owned(),
        LockOn::WhatItReads => "what it reads".to_owned(),
        LockOn::RelationAndWhatItReads => "it and what it reads".to_owned(),
        LockOn::EachItem => "each that reads it".to_owned(),
        LockOn::Object => format!("the {}", kind.title()),
        LockOn::Item => "one chunk after another, each where it is missing".to_owned(),
    };
    (format!("{} on {on}", mode.as_str()), mode.blocks())
}

fn place(kind: &dyn Kind, needs: &Needs) -> String {
    let target = match needs.target {
        Target::Any => None,
        Target::Hypertable => Some("a hypertable"),
        Target::Plain => Some("a plain table"),
    };
    let id = kind.id().to_string();
    let condition = needs.when.map(|condition| match (id.as_str(), condition) {
        ("index", "concurrently") => "a plain table",
        ("index", "per_chunk") => "a hypertable over 8 MiB, index not unique",
        ("index", "brief") => "up to 8 MiB",
        ("index", "brief_then_swap") => "up to 8 MiB, the old index stays meanwhile",
        ("index", "whole_then_swap") => "the old index stays meanwhile",
        ("index", "gentle") | ("storage", "gentle") => "parameters that let reads and writes by",
        ("setting", "server") => "of the server",
        ("setting", "database") => "of the database",
        (kind, condition) => panic!("say in words when `{condition}` of {kind} holds"),
    });
    let words: Vec<&str> = condition.into_iter().chain(target).collect();
    words.join(", ")
}

/// What no step changes.
fn without_a_step(rules: &Rules) -> Vec<String> {
    let named = |wanted: fn(&How) -> bool| {
        let found = rules.attributes.iter().filter(|rule| wanted(&rule.how));
        found.map(|rule| format!("`{}`", rule.name)).collect::<Vec<_>>().join(", ")
    };
    let mut lines = Vec::new();
    let replaced = named(|how| matches!(how, How::Replace));
    if !replaced.is_empty() {
        lines.push(format!("Made anew for another value of {replaced}."));
    }
    let creation = named(|how| matches!(how, How::OnlyAtCreation));
    if !creation.is_empty() {
        lines.push(format!("Only of meaning when it is created, and never compared: {creation}."));
    }
    for rule in rules.attributes {
        if let How::Refuse { why, .. } = &rule.how {
            lines.push(format!("Refused is a change of `{}`: {why}.", rule.name));
        }
    }
    lines
}
