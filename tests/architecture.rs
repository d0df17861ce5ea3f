//! The rooms of `src/` and what each may import, held to the code itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// What each room may import. `lib.rs` shows the same table to readers; a test below compares them.
const TABLE: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("diag", &["core"]),
    ("pg", &["core", "diag"]),
    ("render", &["core", "diag"]),
    ("kinds", &["core", "diag"]),
    ("guard", &["core", "diag", "kinds"]),
    ("load", &["core", "diag", "guard", "kinds"]),
    ("import", &["core", "diag", "diff", "kinds", "load"]),
    ("snapshot", &["core", "diag", "diff", "kinds", "pg", "render"]),
    ("diff", &["core"]),
    ("plan", &["core", "diag", "diff", "guard", "kinds", "render"]),
    ("ledger", &["core", "diag"]),
    ("apply", &["core", "diag", "diff", "guard", "kinds", "pg", "plan", "render", "snapshot"]),
    ("bucket", &[]),
    ("ops", &["apply", "bucket", "core", "diag", "kinds", "ledger", "pg", "plan", "render", "snapshot"]),
    ("report", &["core", "diag", "diff", "plan"]),
    (
        "cli",
        &[
            "apply", "core", "diag", "diff", "guard", "import", "kinds", "ledger", "load", "ops", "pg", "plan",
            "render", "report", "snapshot",
        ],
    ),
];

/// Crates that only some rooms may use. Both that speak TLS bring their own settings of it.
const RESERVED: &[(&str, &[&str])] = &[
    ("postgres", &["pg"]),
    ("tokio", &["pg"]),
    ("tokio_postgres", &["pg"]),
    ("futures_util", &["pg"]),
    ("rustls", &["bucket", "pg"]),
    ("rustls_native_certs", &["bucket", "pg"]),
    ("tokio_postgres_rustls", &["pg"]),
    ("whoami", &["pg"]),
    ("x509_cert", &["pg"]),
    ("minijinja", &["render"]),
    ("rusqlite", &["ledger"]),
    ("serde_saphyr", &["load"]),
    ("jsonschema", &["load"]),
    ("parquet", &["ops"]),
    ("cel", &["guard"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("ureq", &["bucket"]),
    ("quick_xml", &["bucket"]),
    ("hmac", &["bucket"]),
];

const LONGEST: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The room that a source file is in: the first part of its path under `src/`.
fn room(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").trim_end_matches("_tests").to_owned()
}

/// Paths that code names: `crate::room::…` and `some_crate::…`, in uses and in expressions.
#[derive(Default)]
struct Names {
    rooms: BTreeSet<String>,
    crates: BTreeSet<String>,
}

impl Names {
    fn path(&mut self, segments: &[String]) {
        match segments {
            [first, second, ..] if first == "crate" => {
                self.rooms.insert(second.clone());
            }
            // One segment alone is a name of the file's own.
            [first, _, ..] => {
                self.crates.insert(first.clone());
            }
            [_] | [] => {}
        }
    }

    fn tree(&mut self, before: &mut Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(before, &path.tree);
                before.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, item)),
            syn::UseTree::Name(name) => self.whole(before, &name.ident),
            syn::UseTree::Rename(name) => self.whole(before, &name.ident),
            syn::UseTree::Glob(_) => self.path(before),
        }
    }

    fn whole(&mut self, before: &[String], last: &syn::Ident) {
        let mut all = before.to_vec();
        all.push(last.to_string());
        self.path(&all);
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&mut Vec::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.path(&segments);
        visit::visit_path(self, path);
    }
}

fn names(path: &Path) -> Names {
    let file = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
    let mut names = Names::default();
    names.visit_file(&file);
    names
}

#[test]
fn every_room_imports_only_what_the_table_allows() {
    let table: BTreeMap<&str, &[&str]> = TABLE.iter().copied().collect();
    let mut wrong = Vec::new();
    for path in files(&root().join("src"), "rs") {
        let room = room(&path);
        if matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let Some(allowed) = table.get(room.as_str()) else {
            wrong.push(format!("{} is in no room of the table", relative(&path)));
            continue;
        };
        let names = names(&path);
        for imported in names.rooms.iter().filter(|name| table.contains_key(name.as_str())) {
            if *imported != room && !allowed.contains(&imported.as_str()) {
                wrong.push(format!("{} ({room}) imports {imported}", relative(&path)));
            }
        }
        for (crate_name, owners) in RESERVED {
            if names.crates.contains(*crate_name) && !owners.contains(&room.as_str()) {
                wrong.push(format!(
                    "{} uses the crate {crate_name}, which is for {} alone",
                    relative(&path),
                    owners.join(" and ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_in_the_library_is_this_one() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for (room, imports) in TABLE {
        let shown = if imports.is_empty() { "nothing".to_owned() } else { imports.join(", ") };
        let beginning = format!("//! | `{room}` |");
        let line =
            lib.lines().find(|line| line.starts_with(&beginning)).unwrap_or_else(|| panic!("{room} is not shown"));
        assert!(line.ends_with(&format!("| {shown} |")), "{line}\nshould end with: {shown}");
    }
}

#[test]
fn main_only_calls_the_command_line() {
    let names = names(&root().join("src/main.rs"));
    assert!(names.rooms.is_empty());
}

#[test]
fn the_differ_names_no_kind() {
    let text = fs::read_to_string(root().join("src/diff.rs")).unwrap();
    for kind in chronoform::kinds::all() {
        let id = kind.id();
        assert!(!text.contains(&format!("\"{id}\"")), "diff.rs names {id}");
        assert!(!text.contains(&format!("kinds::{id}")), "diff.rs names {id}");
    }
}

#[test]
fn every_module_says_what_it_is_for_and_none_is_too_long() {
    let mut wrong = Vec::new();
    for folder in ["src", "tests"] {
        for path in files(&root().join(folder), "rs") {
            let text = fs::read_to_string(&path).unwrap();
            if !text.starts_with("//!") {
                wrong.push(format!("{} does not open with //!", relative(&path)));
            }
            if text.lines().count() > LONGEST {
                wrong.push(format!("{} has {} lines", relative(&path), text.lines().count()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_has_its_mirrors() {
    let ids: Vec<String> = chronoform::kinds::all().iter().map(|kind| kind.id().to_string()).collect();
    // A kind without sections is asked for by another kind's, and has no schema of its own.
    let with_sections = |id: &String| {
        let kind = chronoform::kinds::all().iter().find(|kind| kind.id().as_str() == id);
        kind.is_some_and(|kind| !kind.sections().is_empty())
    };
    let mut wrong = Vec::new();
    for id in &ids {
        for file in ["mod.rs", "desired.rs", "observe.rs", "rules.rs", "tests.rs"] {
            let needed = file != "desired.rs" || with_sections(id);
            if needed && !root().join("src/kinds").join(id).join(file).exists() {
                wrong.push(format!("src/kinds/{id}/{file} is missing"));
            }
        }
        // What is done nothing to, such as an archive's store, has neither.
        let has_steps = |id: &String| {
            let kind = chronoform::kinds::all().iter().find(|kind| kind.id().as_str() == id);
            kind.is_some_and(|kind| !kind.rules().steps().is_empty())
        };
        for (folder, what) in [("templates", "templates"), ("tests/cases", "cases")] {
            if has_steps(id) && !root().join(folder).join(id).is_dir() {
                wrong.push(format!("{folder}/{id}/ is missing: {id} has no {what}"));
            }
        }
        if with_sections(id) && !root().join("schemas").join(format!("{id}.json")).exists() {
            wrong.push(format!("schemas/{id}.json is missing"));
        }
    }
    for (folder, also) in [("src/kinds", vec![]), ("templates", vec!["archive"]), ("tests/cases", vec!["engine"])] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // A folder beside a file of its name is that module's, shared by kinds.
            let shared = path.with_extension("rs").exists();
            if path.is_dir() && !shared && !ids.contains(&name) && !also.contains(&name.as_str()) {
                wrong.push(format!("{folder}/{name}/ belongs to no kind"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_template_is_used_and_every_rule_has_its_template() {
    let on_disk: BTreeSet<String> = files(&root().join("templates"), "sql")
        .iter()
        .map(|path| path.strip_prefix(root().join("templates")).unwrap().display().to_string())
        .collect();
    let mut used = BTreeSet::new();
    for kind in chronoform::kinds::all() {
        for step in kind.rules().steps() {
            for variant in step.variants {
                assert!(
                    variant.template.starts_with(&format!("{}/", kind.id())),
                    "{} uses {}",
                    kind.id(),
                    variant.template
                );
                used.insert(variant.template.to_owned());
            }
        }
    }
    // Those that begin with `_` are parts of others.
    let included = on_disk.iter().flat_map(|name| {
        let source = fs::read_to_string(root().join("templates").join(name)).unwrap();
        let parts = source.split("include \"").skip(1).filter_map(|rest| rest.split('"').next());
        parts.map(str::to_owned).collect::<Vec<_>>()
    });
    let included: BTreeSet<String> = included.collect();
    assert!(included.iter().all(|name| name.contains("/_")), "{included:?}");
    used.extend(included);
    // An operation renders its own.
    let texts: Vec<String> =
        files(&root().join("src/ops"), "rs").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let named = |name: &&String| texts.iter().any(|text| text.contains(&format!("\"{name}\"")));
    used.extend(on_disk.iter().filter(named).cloned().collect::<Vec<_>>());
    let orphaned: Vec<_> = on_disk.difference(&used).collect();
    let missing: Vec<_> = used.difference(&on_disk).collect();
    assert!(orphaned.is_empty() && missing.is_empty(), "orphaned {orphaned:?}, missing {missing:?}");
}

#[test]
fn every_diagnostic_code_is_unique() {
    let mut seen = BTreeSet::new();
    let own = chronoform::kinds::all().iter().flat_map(|kind| kind.codes().iter());
    for code in chronoform::diag::code::SHARED.iter().chain(own) {
        assert!(seen.insert(code.name), "{} is declared twice", code.name);
        assert!(code.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}", code.name);
    }
}
