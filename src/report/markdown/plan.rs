//! A plan for a pull request's comment.

use crate::core::{Action, Op, Reason};
use crate::plan::Plan;
use crate::report::compare::DiffLine;
use crate::report::escape;
use crate::report::markdown::{diagnostics, fitting, heading, sentence, value};
use crate::report::phrase::{self, Label, Level, Sentence};
use crate::report::view::{self, Change, Group, Row};

/// How much is said, so that it fits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Tables and SQL.
    Full,
    /// Tables.
    WithoutSql,
    /// One line a change, the dangerous ones first.
    Brief,
}

pub(super) fn render(plan: &Plan) -> String {
    fitting([Depth::Full, Depth::WithoutSql, Depth::Brief].into_iter().map(|depth| at_depth(plan, depth)))
}

fn at_depth(plan: &Plan, depth: Depth) -> String {
    let mut out = heading(&phrase::verdict(plan));
    out.push_str(&format!("Database {}\n\n", sentence(&phrase::target(&plan.target))));
    out.push_str(&alert(plan));
    if depth == Depth::Brief {
        out.push_str(&brief(plan));
    } else {
        for group in view::groups(plan) {
            out.push_str(&table(&group));
            if depth == Depth::Full {
                out.push_str(&statements(&group));
            }
        }
    }
    match depth {
        Depth::Full => {}
        Depth::WithoutSql => out.push_str(&left_out("The SQL is left out")),
        Depth::Brief => out.push_str(&left_out("The SQL and the details are left out")),
    }
    let most = if depth == Depth::Full { 20 } else { 5 };
    for remark in view::remarks(plan, most) {
        out.push_str(&format!("- {}\n", sentence(&remark)));
    }
    if !plan.diagnostics.is_empty() {
        out.push_str(&format!("\n#### {}\n\n", escape::markdown(&phrase::said(&plan.diagnostics))));
        out.push_str(&diagnostics(&plan.diagnostics));
    }
    let version = value(&plan.tool_version);
    out.push_str(&format!("\n<sub>Chronoform {version}, policies {}</sub>\n", value(plan.policies.digest.as_str())));
    out
}

fn left_out(what: &str) -> String {
    format!("*{what}: with it this would be longer than a comment can be. `chronoform plan -v` shows it.*\n\n")
}

/// The dangers, set apart as GitHub does; elsewhere it is a quotation.
fn alert(plan: &Plan) -> String {
    let dangers = view::dangers(plan);
    let obstacle = phrase::obstacle(plan);
    if dangers.is_empty() && obstacle.is_none() {
        return String::new();
    }
    let worst = obstacle.is_some() || dangers.iter().any(|danger| danger.level == Level::Danger);
    let mut lines = vec![if worst { "[!CAUTION]".to_owned() } else { "[!WARNING]".to_owned() }];
    for danger in &dangers {
        lines.push(format!("**{}** {}\\", danger.level.word(), sentence(&view::danger(danger))));
    }
    if let Some(obstacle) = obstacle {
        lines.push(format!("**BLOCKED** {obstacle}"));
    } else {
        lines.push(format!("If that is meant: {}", value(&view::consent(plan, &dangers))));
    }
    lines.iter().map(|line| format!("> {line}\n")).collect::<String>() + "\n"
}

fn table(group: &Group<'_>) -> String {
    let heading = group.on.map_or_else(|| "Whole database".to_owned(), |on| value(&on.to_string()));
    let mut out = format!("#### {heading}\n\n| | Change | Attributes | Why, and at what cost |\n|---|---|---|---|\n");
    for change in &group.changes {
        let symbol = phrase::symbol(change.action.op, false);
        let attributes = attributes(change).join("<br>");
        let costs = costs(change).join("<br>");
        out.push_str(&format!("| `{symbol}` | {} | {attributes} | {costs} |\n", title(change)));
    }
    out.push('\n');
    out
}

/// The verb, the kind and the name.
fn title(change: &Change<'_>) -> String {
    let name = change.label.name.as_deref().map(|name| format!(" {}", value(name))).unwrap_or_default();
    let verb = if change.action.op == Op::Blocked { "**blocked**" } else { change.action.op.as_str() };
    format!("{verb} {}{name}", escape::markdown(&change.label.kind))
}

fn attributes(change: &Change<'_>) -> Vec<String> {
    let gone = matches!(change.action.reason, Reason::Unwanted | Reason::Dropped);
    let was = if gone { "was " } else { "" };
    let whole = change.whole.iter().map(|(name, text)| format!("{}: {was}{}", escape::markdown(name), value(text)));
    whole.chain(change.rows.iter().map(attribute)).collect()
}

fn attribute(row: &Row<'_>) -> String {
    format!("{}: {} → {}", escape::markdown(row.name), value(&row.before), value(&row.after))
}

/// Dangers first, then what is touched and locked, then why.
fn costs(change: &Change<'_>) -> Vec<String> {
    let mut items = alarms(change);
    items.extend(change.impact.iter().chain(&change.notes).map(sentence));
    items.extend(change.locks.iter().filter(|(mode, _)| phrase::is_felt(*mode)).map(|(_, lock)| sentence(lock)));
    let source = change.action.source.as_ref().map(|source| format!(" ({})", value(&phrase::source(source))));
    items.push(sentence(&phrase::reason(change.action.reason)) + &source.unwrap_or_default());
    items.extend(phrase::classes(change.action).iter().map(sentence));
    items
}

fn alarms(change: &Change<'_>) -> Vec<String> {
    let mut items = Vec::new();
    if change.action.op == Op::Blocked && change.blocked_by.is_empty() {
        items.push("**BLOCKED** see the diagnostics below".to_owned());
    }
    let blocked = |text: &str| format!("**BLOCKED** {}", sentence(&Sentence::prose(text)));
    items.extend(change.blocked_by.iter().map(|message| blocked(&message.message)));
    items.extend(change.hazards.iter().map(|(level, hazards)| {
        let what = escape::markdown(&phrase::meaning(hazards));
        format!("**{} {what}**: needs {}", level.word(), value(&phrase::allow(hazards)))
    }));
    items
}

/// The statements of a group, folded away.
fn statements(group: &Group<'_>) -> String {
    let mut out = String::new();
    for change in &group.changes {
        let diffs: Vec<&Row<'_>> = change.rows.iter().filter(|row| !row.diff.is_empty()).collect();
        if change.action.steps.is_empty() && diffs.is_empty() {
            continue;
        }
        out.push_str(&format!("{}\n\n", title(change)));
        for row in diffs {
            out.push_str(&format!("{}:\n\n{}\n", escape::markdown(row.name), diff(&row.diff)));
        }
        out.push_str(&steps(change.action));
    }
    if out.is_empty() {
        return out;
    }
    format!("<details><summary>SQL</summary>\n\n{out}</details>\n\n")
}

fn diff(lines: &[DiffLine]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("{}{}", line.tag.sign(), line.text)).collect();
    escape::markdown_block("diff", &lines.join("\n"))
}

fn steps(action: &Action) -> String {
    let step = |step: &crate::core::Step| {
        let outside = if step.transactional { "" } else { "Outside a transaction:\n\n" };
        format!("{outside}{}\n", escape::markdown_block("sql", &step.sql))
    };
    action.steps.iter().map(step).collect()
}

/// A line a change, the worst first.
fn brief(plan: &Plan) -> String {
    let groups = view::groups(plan);
    let mut changes: Vec<&Change<'_>> = groups.iter().flat_map(|group| &group.changes).collect();
    changes.sort_by_key(|change| {
        let worst = change.hazards.iter().map(|(level, _)| *level).max();
        std::cmp::Reverse((change.action.op == Op::Blocked, worst))
    });
    let line = |change: &&Change<'_>| {
        let label = sentence(&Label::anywhere(&change.action.address, change.action.on.as_ref()));
        let alarms: String = alarms(change).iter().map(|alarm| format!("; {alarm}")).collect();
        format!("- `{}` {} {label}{alarms}\n", phrase::symbol(change.action.op, false), change.action.op.as_str())
    };
    changes.iter().map(line).collect::<String>() + "\n"
}
