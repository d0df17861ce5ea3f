//! Every view against its golden file, and against names that mean harm.

use std::path::PathBuf;

use super::fixtures::{
    action, address, broken, change, dangerous_plan, detail, empty_plan, full_plan, log, message, plan_of, retention,
    standings, step, stopped_run, table, target,
};
use super::{DriftReport, Evidence, Format, Options, RunReport};
use crate::core::{Action, Address, Bytes, Hazard, Impact, KindId, LockMode, Op, Operation, QualifiedName, Reason};
use crate::diag::{Diagnostic, code};
use crate::diff::{Drift, DriftAttribute, Status};
use crate::plan::{Due, Message, Plan, Target, Unmanaged};
use serde_json::json;

const TEXT: Options =
    Options { format: Format::Text, color: false, ascii: false, verbose: 0, quiet: false, width: 100 };

fn with(format: Format) -> Options {
    Options { format, ..TEXT }
}

/// Compares with a file, or writes it with `CHRONOFORM_BLESS=1`.
fn golden(name: &str, shown: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/report").join(name);
    if std::env::var_os("CHRONOFORM_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, shown).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(expected, shown, "{} (CHRONOFORM_BLESS=1 writes it)", path.display());
}

fn drift_report<'a>(target: &'a crate::plan::Target, drift: &'a [Drift]) -> DriftReport<'a> {
    DriftReport { tool_version: "0.1.0", target, drift, diagnostics: &[], evidence: Evidence::NONE, due: &[] }
}

#[test]
fn plans_look_as_they_should() {
    let plan = full_plan();
    golden("plan.txt", &super::plan(&plan, &TEXT));
    golden("plan-verbose.txt", &super::plan(&plan, &Options { verbose: 1, ..TEXT }));
    golden("plan-narrow.txt", &super::plan(&plan, &Options { width: 60, ..TEXT }));
    golden("plan-ascii.txt", &super::plan(&plan, &Options { ascii: true, ..TEXT }));
    golden("plan-quiet.txt", &super::plan(&plan, &Options { quiet: true, ..TEXT }));
    golden("plan.md", &super::plan(&plan, &with(Format::Markdown)));
    golden("plan.html", &super::plan(&plan, &with(Format::Html)));
    let dangerous = dangerous_plan();
    golden("plan-dangerous.txt", &super::plan(&dangerous, &TEXT));
    golden("plan-dangerous-color.txt", &super::plan(&dangerous, &Options { color: true, ..TEXT }));
    golden("plan-dangerous.md", &super::plan(&dangerous, &with(Format::Markdown)));
    golden("plan-dangerous.html", &super::plan(&dangerous, &with(Format::Html)));
    golden("plan-empty.txt", &super::plan(&empty_plan(), &TEXT));
    golden("plan-empty.md", &super::plan(&empty_plan(), &with(Format::Markdown)));
}

#[test]
fn drift_looks_as_it_should() {
    let (target, standings) = (target(), standings());
    let report = drift_report(&target, &standings);
    golden("drift.txt", &super::drift(&report, &TEXT));
    golden("drift-verbose.txt", &super::drift(&report, &Options { verbose: 1, ..TEXT }));
    golden("drift-narrow.txt", &super::drift(&report, &Options { width: 60, ascii: true, ..TEXT }));
    golden("drift.md", &super::drift(&report, &with(Format::Markdown)));
    golden("drift.html", &super::drift(&report, &with(Format::Html)));
    golden("drift.json", &super::drift(&report, &with(Format::Json)));
    let none = drift_report(&target, standings.get(..1).unwrap());
    golden("drift-none.txt", &super::drift(&none, &TEXT));
}

#[test]
fn runs_and_the_ledger_look_as_they_should() {
    let run = stopped_run();
    golden("run.txt", &super::run_summary(&run, &TEXT));
    golden("run.md", &super::run_summary(&run, &with(Format::Markdown)));
    golden("run.json", &super::run_summary(&run, &with(Format::Json)));
    golden("log.txt", &super::ledger_log(&log(), &TEXT));
    golden("log.json", &super::ledger_log(&log(), &with(Format::Json)));
    golden("show.txt", &super::ledger_show(&detail(), &TEXT));
    golden("show.json", &super::ledger_show(&detail(), &with(Format::Json)));
    golden("show.md", &super::ledger_show(&detail(), &with(Format::Markdown)));
    golden("verify.txt", &super::ledger_verify(&broken(), &TEXT));
    golden("verify.json", &super::ledger_verify(&broken(), &with(Format::Json)));
    golden("diagnostics.txt", &super::diagnostics(&full_plan().diagnostics, &TEXT));
}

#[test]
fn a_run_that_did_everything_says_so_in_a_line() {
    let mut run = stopped_run();
    run.actions.truncate(2);
    let run = RunReport { stopped_at: None, adopted: 0, ..run };
    assert!(super::run_summary(&run, &TEXT).ends_with("\nApplied 2 changes in 3 min 5 s.\n"));
    assert_eq!(super::run_summary(&run, &Options { quiet: true, ..TEXT }), "Applied 2 changes in 3 min 5 s.\n");
    let nothing = RunReport::default();
    assert_eq!(super::run_summary(&nothing, &TEXT), "Nothing was to be done.\n");
}

#[test]
fn the_json_of_a_plan_is_the_plan() {
    let mut plan = full_plan();
    plan.actions[0].address.name = "a\u{202e}\u{9b}\u{e0041}b".to_owned();
    let shown = super::plan(&plan, &with(Format::Json));
    assert!(shown.contains("a\\u202e\\u009b\\udb40\\udc41b"), "{shown}");
    let read = Plan::from_json(&shown).unwrap();
    assert_eq!(read.actions[0].address.name, plan.actions[0].address.name);
}

#[test]
fn errors_without_actions_are_no_clean_bill() {
    let plan = Plan { diagnostics: vec![message("error", "unknown-table", "no such table")], ..plan_of(Vec::new()) };
    for format in [Format::Text, Format::Markdown, Format::Html] {
        let shown = super::plan(&plan, &with(format));
        assert!(!shown.contains("No changes") && shown.contains("1 error must be mended"), "{shown}");
    }
}

#[test]
fn errors_beside_changes_or_drift_are_not_passed_over() {
    let errors = vec![message("error", "unknown-column", "no such column")];
    let plan = Plan { diagnostics: errors.clone(), ..plan_of(vec![retention()]) };
    let (target, standings) = (target(), standings());
    for format in [Format::Text, Format::Markdown, Format::Html] {
        let shown = super::plan(&plan, &with(format));
        assert!(shown.contains("apply refuses this plan until its error is mended"), "{shown}");
        assert!(!shown.contains("If that is meant"), "{shown}");
        let in_sync = drift_report(&target, standings.get(..1).unwrap());
        let shown = super::drift(&DriftReport { diagnostics: &errors, ..in_sync }, &with(format));
        assert!(shown.contains("Drift is not known for all: 1 in sync. 1 error must be mended"), "{shown}");
        assert!(!shown.contains("No drift"), "{shown}");
    }
}

#[test]
fn what_is_uncounted_is_never_shown_as_little() {
    let uncounted = Action { impact: None, ..retention() };
    let shown = super::plan(&plan_of(vec![uncounted.clone()]), &TEXT);
    assert!(shown.contains("DANGER deletes data: how much could not be counted"), "{shown}");
    let both = super::plan(&plan_of(vec![uncounted, retention()]), &TEXT);
    assert!(both.contains("DANGER deletes data: at least 12 chunks, 38.2 GB ("), "{both}");
    let unknown = Action { impact: Some(Impact { verb: "drops".into(), ..Impact::default() }), ..retention() };
    let both = super::plan(&plan_of(vec![unknown, retention()]), &TEXT);
    assert!(both.contains("DANGER deletes data: at least 12 chunks, 38.2 GB ("), "{both}");
    // What all have in common is the whole.
    let rows = Impact { rows: Some(3), bytes: Some(Bytes(0)), ..Impact::default() };
    let shown = super::plan(&plan_of(vec![Action { impact: Some(rows), ..retention() }, retention()]), &TEXT);
    assert!(shown.contains("DANGER deletes data: 38.2 GB ("), "{shown}");
    let none = Impact { chunks: Some(0), ..Impact::default() };
    let shown = super::plan(
        &plan_of(vec![Action { impact: Some(none), ..retention() }, Action { impact: None, ..retention() }]),
        &TEXT,
    );
    assert!(shown.contains("DANGER deletes data: how much could not be counted"), "{shown}");
}

#[test]
fn of_several_on_one_line_each_is_blocked_by_its_own_error() {
    let blocked = |name: &str| action(Op::Blocked, Reason::Differs, "index", name, "trades");
    let said = |name: &str| {
        let error = Diagnostic::error(&code::CANNOT_CHANGE, format!("of {name}: it cannot be"));
        error.at(&blocked(name).source.unwrap().place()).about(&blocked(name).address)
    };
    let actions = vec![blocked("one"), blocked("two")];
    let mut plan = plan_of(actions);
    plan.diagnostics = ["one", "two"].iter().map(|name| Message::among(&plan.actions, &said(name))).collect();
    assert!(plan.diagnostics.iter().all(|message| message.about.is_some()));
    for shown in [super::plan(&plan, &TEXT), super::plan(&Plan::from_json(&plan.to_json().unwrap()).unwrap(), &TEXT)] {
        assert_eq!(shown.matches("BLOCKED of one").count(), 1, "{shown}");
        assert_eq!(shown.matches("BLOCKED of two").count(), 1, "{shown}");
    }
    // Where the place tells, it is enough.
    let alone = plan_of(vec![blocked("one")]);
    assert_eq!(Message::among(&alone.actions, &said("one")).about, None);
    assert!(Message::among(&alone.actions, &said("two")).about.is_some(), "it is none of the one that is there");
}

/// Names and values that try to be something else.
const HOSTILE: [&str; 14] = [
    "x\u{1b}[2J\u{1b}[1;1HNo changes. The database matches the policies.",
    "x\nNo changes. The database matches the policies.\n",
    "x\r\u{8}\u{7f}\u{9b}31m",
    "\u{202e}elpmis\u{2066}",
    "a\u{200b}b\u{feff}c\u{2028}d\u{e0041}",
    "</code></td></table><script>alert(1)</script><!--",
    "<details><summary>SQL</summary>`</details>",
    "`|`\n| a | b |\n|---|---|",
    "````\n</details>\n# heading",
    "\"; DROP TABLE x; --",
    "\\` <b> \\| & &lt; [x](javascript:alert(1)) ![i](https://evil.example/i.png) @everyone #1",
    "$$ {{ 7 * 7 }} %s %n '",
    "' → '30 days",
    "🚀 größe 表 \"quoted\"",
];

fn hostile_plan(name: &str) -> Plan {
    let on = QualifiedName::new(name, name);
    let text = json!(name);
    let action = |op, reason| Action {
        address: address("index", &QualifiedName::new("public", name)),
        on: Some(on.clone()),
        attributes: vec![
            change(name, text.clone(), json!([name, "b"])),
            change("map", json!({ name: name }), json!(null)),
            change("plain", json!("a"), text.clone()),
        ],
        steps: vec![step(&format!("SELECT '{name}'\n;"), LockMode::AccessExclusive, &on.to_string())],
        hazards: vec![Hazard::DeletesData],
        ..Action { op, reason, ..retention() }
    };
    let mut plan = plan_of(vec![
        action(Op::Update, Reason::Drifted),
        action(Op::Create, Reason::Missing),
        action(Op::Remove, Reason::Unwanted),
        action(Op::Blocked, Reason::Differs),
    ]);
    for action in &mut plan.actions {
        if let Some(impact) = &mut action.impact {
            impact.verb = name.to_owned();
            impact.oldest = Some(name.to_owned());
            impact.when = Some(name.to_owned());
            impact.notes = vec![name.to_owned()];
        }
        if let Some(source) = &mut action.source {
            source.file = name.to_owned();
        }
    }
    plan.target.database = name.to_owned();
    plan.target.host = name.to_owned();
    plan.tool_version = name.to_owned();
    plan.unmanaged = vec![Unmanaged { address: Address::global(KindId::read(name), name), on: Some(on), what: None }];
    plan.diagnostics = vec![message("error", name, name), message("warning", "x", &format!("`{name}` is odd"))];
    plan
}

fn hostile_drift(name: &str) -> Vec<Drift> {
    let drift = |status| Drift {
        address: address("index", &QualifiedName::new(name, name)),
        on: Some(table(name)),
        status,
        goes: false,
        attributes: vec![DriftAttribute {
            name: name.to_owned(),
            label: None,
            applied: json!(name),
            live: json!([name]),
            desired: json!({ name: [name] }),
        }],
    };
    vec![drift(Status::Drifted), drift(Status::Conflict), drift(Status::Unmanaged)]
}

/// Every view of a hostile name in a format.
fn hostile_views(name: &str, options: &Options) -> Vec<String> {
    let (plan, drift) = (hostile_plan(name), hostile_drift(name));
    let mut run = stopped_run();
    run.database = name.to_owned();
    let mut detail = detail();
    let mut lines = log();
    let mut found = broken();
    for action in &mut run.actions {
        action.error = Some(name.to_owned());
        action.address.name = name.to_owned();
    }
    for line in lines.iter_mut().chain([&mut detail.run]) {
        (line.command, line.who, line.database) = (name.to_owned(), name.to_owned(), name.to_owned());
        line.outcome = name.to_owned();
        line.summary.insert(name.to_owned(), 1);
    }
    for step in &mut detail.steps {
        (step.address, step.sql, step.error) = (name.to_owned(), name.to_owned(), Some(name.to_owned()));
        step.note = Some(name.to_owned());
    }
    detail.resources[0].address = name.to_owned();
    found.file = name.to_owned();
    found.problems[0].message = name.to_owned();
    let report = DriftReport { diagnostics: &plan.diagnostics, ..drift_report(&plan.target, &drift) };
    vec![
        super::plan(&plan, options),
        super::drift(&report, options),
        super::run_summary(&run, options),
        super::ledger_log(&lines, options),
        super::ledger_show(&detail, options),
        super::ledger_verify(&found, options),
        super::diagnostics(&plan.diagnostics, options),
    ]
}

#[test]
fn no_name_reaches_the_reader_as_anything_but_a_name() {
    for name in HOSTILE {
        for format in Format::ALL {
            for verbose in [0, 1] {
                for shown in hostile_views(name, &Options { verbose, width: 60, ..with(format) }) {
                    let odd = shown.chars().find(|c| *c != '\n' && super::escape::is_deceptive(*c));
                    assert_eq!(odd, None, "{name:?} as {format:?}:\n{shown}");
                    let forged = |line: &str| line.starts_with("No changes") || line.starts_with("| a | b");
                    // In Markdown and HTML a statement's lines stand in a block of their own.
                    let in_lines = matches!(format, Format::Text | Format::Json);
                    assert!(!(in_lines && shown.lines().any(forged)), "{name:?} as {format:?}:\n{shown}");
                }
            }
        }
    }
}

#[test]
fn a_terminal_without_unicode_gets_ascii() {
    for name in HOSTILE {
        for shown in hostile_views(name, &Options { ascii: true, verbose: 1, ..TEXT }) {
            assert!(shown.is_ascii(), "{shown}");
        }
    }
}

#[test]
fn without_colour_there_is_no_escape_and_with_it_every_line_ends_plain() {
    for name in HOSTILE {
        assert!(!hostile_views(name, &TEXT).concat().contains('\u{1b}'));
        for shown in hostile_views(name, &Options { color: true, ..TEXT }) {
            for line in shown.lines() {
                let last = line.rfind("\u{1b}[").map(|at| line.get(at..).unwrap_or(""));
                assert!(last.is_none_or(|last| last.starts_with("\u{1b}[0m")), "{line:?}");
            }
        }
    }
}

#[test]
fn html_holds_only_its_own_tags_and_all_of_them_closed() {
    const VOID: [&str; 3] = ["meta", "br", "!DOCTYPE"];
    for name in HOSTILE {
        for shown in hostile_views(name, &with(Format::Html)) {
            let mut open: Vec<&str> = Vec::new();
            for part in shown.split('<').skip(1) {
                let tag = part.split(['>', ' ', '\n']).next().unwrap_or("");
                assert_ne!(tag, "script", "{shown}");
                if let Some(closed) = tag.strip_prefix('/') {
                    assert_eq!(open.pop(), Some(closed), "{name:?}:\n{shown}");
                } else if !VOID.contains(&tag) {
                    open.push(tag);
                }
            }
            assert!(open.is_empty(), "{open:?}");
            assert!(!shown.contains("http://") && !shown.contains("src="));
        }
    }
}

#[test]
fn markdown_tables_keep_their_columns_and_details_their_ends() {
    for name in HOSTILE {
        for shown in hostile_views(name, &with(Format::Markdown)) {
            let (mut fence, mut columns, mut details) = (None::<String>, 0, 0_i32);
            for line in shown.lines() {
                let ticks: String = line.chars().take_while(|c| *c == '`').collect();
                match &fence {
                    Some(open) if line == open => fence = None,
                    Some(_) => continue,
                    None if ticks.len() >= 3 => fence = Some(ticks),
                    None => {}
                }
                details += i32::from(line.starts_with("<details>")) - i32::from(line == "</details>");
                let pipes = line.matches('|').count();
                if pipes == 0 {
                    columns = 0;
                } else {
                    assert!(columns == 0 || columns == pipes, "{name:?}: {line}\n{shown}");
                    columns = pipes;
                }
            }
            assert_eq!((fence, details), (None, 0), "{name:?}:\n{shown}");
        }
    }
}

#[test]
fn a_comment_is_never_longer_than_a_comment_can_be() {
    let long = "x".repeat(2_000);
    let many = |count: usize, sql: &str| {
        let mut plan = dangerous_plan();
        let actions = plan.actions.clone();
        plan.actions = actions.into_iter().cycle().take(count).collect();
        for (index, action) in plan.actions.iter_mut().enumerate() {
            action.address.name = format!("ix_{index}");
            for step in &mut action.steps {
                step.sql = format!("SELECT '{sql}'");
            }
        }
        plan.diagnostics = vec![message("warning", "x", sql)];
        super::plan(&plan, &with(Format::Markdown))
    };
    let little = many(10, "a");
    assert!(little.contains("```sql") && !little.contains("left out"));
    let some = many(60, &long);
    assert!(!some.contains("```sql") && some.contains("The SQL is left out") && some.contains("| `~` |"));
    let more = many(400, &long);
    assert!(more.contains("- `~` update retention") || more.contains("The rest is left out"), "{more}");
    for shown in [&little, &some, &more, &many(4_000, &long)] {
        assert!(shown.chars().count() <= 65_000);
        assert!(shown.contains("**DANGER** deletes data"));
    }
    let drift: Vec<Drift> = standings().into_iter().cycle().take(4_000).collect();
    let shown = super::drift(&drift_report(&target(), &drift), &with(Format::Markdown));
    assert!(shown.chars().count() <= 65_000 && shown.contains("**conflict**"));
}

#[test]
fn a_quoted_name_is_never_torn() {
    let name = "a name with many words in it that is about as long as names get";
    let mut plan = plan_of(vec![retention()]);
    plan.actions[0].on = Some(QualifiedName::new("public", name));
    for step in &mut plan.actions[0].steps {
        step.lock = step.lock.take().map(|lock| crate::core::Lock {
            on: format!("each chunk of public.\"{name}\", one after another"),
            mode: LockMode::Share,
            ..lock
        });
    }
    for width in [1, 40, 60, 80] {
        let shown = super::plan(&plan, &Options { width, ..TEXT });
        let whole = shown.matches(&format!("\"{name}\"")).count();
        assert_eq!(whole, shown.matches("a name with").count(), "{shown}");
        assert!(whole >= 3, "{shown}");
    }
}

/// What is suggested is what closes the difference, on the target that was looked at.
#[test]
fn drift_suggests_the_command_that_closes_it_for_its_target() {
    let target = Target { name: Some("prod".to_owned()), ..target() };
    let standing = |kind: &str, status: Status, goes: bool| Drift {
        address: address(kind, &table("t")),
        on: Some(table("t")),
        status,
        goes,
        attributes: Vec::new(),
    };
    let due = [Due {
        address: address("recompression", &table("t")),
        on: Some(table("t")),
        operation: Operation::Maintenance,
        attributes: Vec::new(),
        impact: None,
        source: None,
    }];
    let text =
        |drift: &[Drift]| super::drift(&DriftReport { due: &due, ..drift_report(&target, drift) }, &Options::default());
    let run = "chronoform run maintenance --target prod";
    let only_run = text(&[standing("recompression", Status::Pending, false)]);
    assert!(only_run.contains(run) && !only_run.contains("chronoform apply"), "{only_run}");
    let both =
        text(&[standing("recompression", Status::Pending, false), standing("retention", Status::Drifted, false)]);
    assert!(both.contains(run) && both.contains("chronoform apply --target prod"), "{both}");
    let gone = text(&[standing("retention", Status::Pending, true)]);
    assert!(gone.contains("- pending  retention  not wanted by the policy any more"), "{gone}");
    assert!(!gone.contains("run maintenance"), "{gone}");
    let told = |goes: bool| {
        let drift = [standing("retention", Status::Pending, goes)];
        let options = Options { format: Format::Json, ..Options::default() };
        super::drift(&DriftReport { due: &due, ..drift_report(&target, &drift) }, &options)
    };
    assert!(told(true).contains("\"to_remove\": true") && !told(false).contains("to_remove"), "{}", told(true));
}
