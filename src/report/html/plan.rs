//! A plan for a browser.

use crate::core::Op;
use crate::plan::Plan;
use crate::report::escape;
use crate::report::html::page::{Page, alarm, block, code, diff, sentence};
use crate::report::phrase::{self, Level, Sentence};
use crate::report::table::Mood;
use crate::report::view::{self, Change, Group, Row};

pub(super) fn fill(page: &mut Page, plan: &Plan) {
    let stuck = plan.summary.blocked > 0 || phrase::errors(&plan.diagnostics) > 0;
    let mood = match (stuck, plan.is_empty()) {
        (true, _) => Mood::Bad,
        (false, true) => Mood::Good,
        (false, false) => Mood::Plain,
    };
    page.header("Chronoform plan for", &phrase::target(&plan.target), &phrase::verdict(plan), mood);
    dangers(page, plan);
    for group in view::groups(plan) {
        table(page, &group);
    }
    let remarks = view::remarks(plan, usize::MAX);
    if !remarks.is_empty() {
        page.raw("<section>\n<h2>Beside the changes</h2>\n");
        page.remarks(&remarks);
        page.raw("</section>\n");
    }
    page.diagnostics(&plan.diagnostics);
    provenance(page, plan);
}

/// What a reader must know before anything else.
fn dangers(page: &mut Page, plan: &Plan) {
    let dangers = view::dangers(plan);
    let obstacle = phrase::obstacle(plan);
    if dangers.is_empty() && obstacle.is_none() {
        return;
    }
    let worst = obstacle.is_some() || dangers.iter().any(|danger| danger.level == Level::Danger);
    page.raw(&format!("<div class=\"box{}\" role=\"note\">\n", if worst { " danger" } else { "" }));
    for danger in &dangers {
        let text = sentence(&view::danger(danger));
        page.raw(&format!("<p>{} {text}</p>\n", alarm(danger.level)));
    }
    if let Some(obstacle) = obstacle {
        let text = escape::html(&obstacle);
        page.raw(&format!("<p><strong class=\"blocked\">BLOCKED</strong> {text}</p>\n"));
    } else {
        let command = code(&view::consent(plan, &dangers));
        page.raw(&format!("<p>If that is meant: {command}</p>\n"));
    }
    page.raw("</div>\n");
}

fn table(page: &mut Page, group: &Group<'_>) {
    let heading = match group.on {
        Some(on) => code(&on.to_string()),
        None => "Whole database".to_owned(),
    };
    page.raw(&format!("<section>\n<h2>{heading}</h2>\n<div class=\"wide\"><table class=\"plan\">\n"));
    page.raw("<thead><tr><th scope=\"col\">Change</th><th scope=\"col\">Resource</th>");
    page.raw("<th scope=\"col\">Attributes</th><th scope=\"col\">Why, and at what cost</th></tr></thead>\n<tbody>\n");
    for change in &group.changes {
        let row = row(change);
        page.raw(&row);
    }
    page.raw("</tbody>\n</table></div>\n</section>\n");
}

fn row(change: &Change<'_>) -> String {
    let op = change.action.op;
    let worst = change.hazards.iter().map(|(level, _)| *level).max();
    let class = match (op, worst) {
        (Op::Blocked, _) | (_, Some(Level::Danger)) => " class=\"danger\"",
        (_, Some(Level::Caution)) => " class=\"caution\"",
        (_, None) => "",
    };
    let name = change.label.name.as_deref().map(|name| format!(" {}", code(name))).unwrap_or_default();
    format!(
        "<tr{class}>\n<td class=\"op {}\">{} {}</td>\n<th scope=\"row\">{}{name}</th>\n<td>{}</td>\n<td>{}</td>\n</tr>\n",
        op.as_str(),
        phrase::symbol(op, false),
        op.as_str(),
        escape::html(&change.label.kind),
        attributes(change),
        cost(change)
    )
}

fn attributes(change: &Change<'_>) -> String {
    let gone = matches!(change.action.reason, crate::core::Reason::Unwanted | crate::core::Reason::Dropped);
    let word = if gone { "<span class=\"dim\">was</span> " } else { "" };
    let whole = change.whole.iter().map(|(name, value)| format!("{}: {word}{}", escape::html(name), code(value)));
    list(whole.chain(change.rows.iter().map(attribute)))
}

fn attribute(row: &Row<'_>) -> String {
    if !row.diff.is_empty() {
        return format!("{}{}", escape::html(row.name), diff(&row.diff));
    }
    format!(
        "{}: {} <span class=\"arrow\">→</span> <span class=\"after\">{}</span>",
        escape::html(row.name),
        code(&row.before),
        code(&row.after)
    )
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: String = items.map(|item| format!("<li>{item}</li>")).collect();
    if items.is_empty() { String::new() } else { format!("<ul class=\"plain-list\">{items}</ul>") }
}

fn cost(change: &Change<'_>) -> String {
    let mut items: Vec<String> = Vec::new();
    let blocked = |text: String| format!("<strong class=\"blocked\">BLOCKED</strong> {text}");
    if change.action.op == Op::Blocked && change.blocked_by.is_empty() {
        items.push(blocked("see the diagnostics below".to_owned()));
    }
    items.extend(change.blocked_by.iter().map(|message| blocked(sentence(&Sentence::prose(&message.message)))));
    items.extend(change.hazards.iter().map(|(level, hazards)| {
        let what = escape::html(&phrase::meaning(hazards));
        format!("{} {what}: needs {}", alarm(*level), code(&phrase::allow(hazards)))
    }));
    items.extend(change.impact.iter().chain(&change.notes).map(sentence));
    items.extend(change.locks.iter().filter(|(mode, _)| phrase::is_felt(*mode)).map(|(_, lock)| sentence(lock)));
    let source = change.action.source.as_ref().map(|source| format!(" {}", code(&phrase::source(source))));
    let why = sentence(&phrase::reason(change.action.reason));
    items.push(format!("<span class=\"dim\">{why}{}</span>", source.unwrap_or_default()));
    let classes = phrase::classes(change.action);
    items.extend(classes.iter().map(|class| format!("<span class=\"dim\">{}</span>", sentence(class))));
    let steps: String = change
        .action
        .steps
        .iter()
        .map(|step| {
            let outside = "<p class=\"dim\">outside a transaction</p>";
            format!("{}{}", if step.transactional { "" } else { outside }, block(&step.sql))
        })
        .collect();
    if !steps.is_empty() {
        items.push(format!("<details><summary>SQL</summary>{steps}</details>"));
    }
    list(items.into_iter())
}

/// Where the plan came from, so that a printed page can be matched with its file.
fn provenance(page: &mut Page, plan: &Plan) {
    page.raw(&format!(
        "<footer>\n<p class=\"dim\">Chronoform {}, policies {}, observed state {}</p>\n</footer>\n",
        code(&plan.tool_version),
        code(plan.policies.digest.as_str()),
        code(plan.fingerprint.as_str())
    ));
}
