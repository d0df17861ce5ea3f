//! From files to desired resources, with a small registry of kinds.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::*;
use crate::load::fake::{self, KINDS};

fn schemas() -> &'static Schemas {
    static SCHEMAS: OnceLock<Schemas> = OnceLock::new();
    SCHEMAS.get_or_init(|| Schemas::new(KINDS))
}

/// A folder of policy files.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn load(&self, variables: &Variables) -> Result<Policies, Vec<Diagnostic>> {
        let loading = Loading::new(KINDS, schemas(), variables);
        loading
            .run(&[self.path().to_owned()], &[], &mut Sources::default(), &mut Vec::new())
            .map_err(|failure| failure.0)
    }
}

fn load(text: &str) -> Result<Policies, Vec<Diagnostic>> {
    Folder::new(&[("p.yaml", text)]).load(&Variables::default())
}

/// Each error as `code line:column`, and its message and label.
fn errors(text: &str) -> Vec<(String, String)> {
    let Err(found) = load(text) else { return Vec::new() };
    let brief = |d: &Diagnostic| {
        let place = d.place.as_ref().map_or_else(String::new, |place| format!(" {}:{}", place.line, place.column));
        let label = d.label.as_ref().map_or_else(String::new, |label| format!(" | {label}"));
        let help = d.help.as_ref().map_or_else(String::new, |help| format!(" || {help}"));
        (format!("{}{place}", d.code.name), format!("{}{label}{help}", d.message))
    };
    found.iter().map(brief).collect()
}

fn assert_error(text: &str, code: &str, message: &str) {
    let text = format!("kind: table\nname: t\n{text}");
    assert_eq!(errors(&text), [(code.to_owned(), message.to_owned())], "{text}");
}

#[test]
fn documents_become_resources() {
    let policies = load(
        "# one\nkind: table\nname: App.trades\nlabels: {a: b}\nprotect: true\nkeep:\n  drop_after: 90 days\nitems:\n  - name: ix\n---\nkind: extension\nname: uuid-ossp\nversion: '1.1'\n",
    )
    .unwrap();
    let addresses: Vec<String> = policies.desired.keys().map(ToString::to_string).collect();
    assert_eq!(addresses, ["item.\"App\".ix", "keep.\"App\".trades", "whole.\"uuid-ossp\""]);
    let keep = policies.desired.values().nth(1).unwrap();
    assert!(keep.protect);
    assert_eq!((keep.place.line, keep.place_of("drop_after").line, keep.place_of("drop_after").column), (6, 7, 15));
    assert_eq!(policies.documents.len(), 2);
    assert_eq!(policies.documents[0].relation, Some(QualifiedName::new("App", "trades")));
    assert_eq!(policies.documents[0].labels["a"], "b");
    assert_eq!(policies.documents[1].relation, None);
    assert_eq!(policies.files.len(), 1);
    assert_eq!(policies.files[0].sha256.len(), 64);
}

#[test]
fn an_unknown_key_gets_the_nearest() {
    assert_error(
        "kep: {drop_after: 1 day}\n",
        "unknown-key 3:1",
        "`kep` is no key of a `table` document | did you mean `keep`? || its keys are `kind`, `name`, `moved`, `labels`, `protect`, `when_missing`, `keep` and `items`",
    );
    assert_error(
        "keep:\n  drop_after: 1 day\n  when: {retrys: 1}\n",
        "unknown-key 5:10",
        "`retrys` is no key of `when` | did you mean `retries`? || its keys are `retries` and `paused`",
    );
    assert_error(
        "keep:\n  drop_after: 1 day\n  items: []\n",
        "unknown-key 5:3",
        "`items` is no key of `keep` | `items` belongs to the document itself: check the indentation || its keys are `drop_after`, `when`, `manner` and `columns`",
    );
    assert_error(
        "drop_after: 1 day\n",
        "unknown-key 3:1",
        "`drop_after` is no key of a `table` document | `drop_after` belongs under `keep` || its keys are `kind`, `name`, `moved`, `labels`, `protect`, `when_missing`, `keep` and `items`",
    );
}

#[test]
fn a_missing_key_comes_with_an_example() {
    assert_error(
        "keep: {}\n",
        "missing-key 3:1",
        "`keep` needs the key `drop_after` || add it, for example `drop_after: 90 days`",
    );
    assert_eq!(errors("kind: extension\nnme: x\n").len(), 1);
    assert_error(
        "items: [{}]\n",
        "missing-key 3:9",
        "item 1 of `items` needs the key `name` || add it, for example `name: ix`",
    );
    assert_eq!(
        errors("kind: extension\n"),
        [(
            "missing-key 1:1".to_owned(),
            "an `extension` document needs the key `name` || add it, for example `name: reporting`".to_owned()
        )]
    );
}

#[test]
fn a_wrong_type_says_what_is_there_and_what_is_wanted() {
    let keep = "keep:\n  drop_after: 1 day\n";
    assert_error(
        &format!("{keep}  when: {{paused: no}}\n"),
        "wrong-type 5:18",
        "`paused` takes `true` or `false`, not the text `no` | this must be `true` or `false` || YAML 1.2 knows only `true` and `false`: `yes`, `no`, `on` and `off` are text",
    );
    assert_error(
        &format!("{keep}  when: {{retries: '3'}}\n"),
        "wrong-type 5:19",
        "`retries` takes a whole number, not the text `3` | this must be a whole number || write `3`, without quotes, leading zeros or underscores",
    );
    assert_error(
        &format!("{keep}  when: [a]\n"),
        "wrong-type 5:9",
        "`when` takes a mapping, not a list | this must be a mapping || its keys are `retries` and `paused`",
    );
    assert_error(
        "keep:\n  drop_after:\n",
        "wrong-type 4:3",
        "`drop_after` has no value | it takes text or a whole number || for example `90 days`",
    );
    assert_error(
        "keep:\n  drop_after: 1.5\n",
        "wrong-type 4:15",
        "`drop_after` takes text or a whole number, not the number `1.5` | this must be text or a whole number || for example `90 days`",
    );
    assert_error(
        "keep:\n",
        "wrong-type 3:1",
        "`keep` has no value | it takes a mapping || its keys are `drop_after`, `when`, `manner` and `columns`",
    );
    assert_error(
        "labels: {tier: 1}\n",
        "wrong-type 3:16",
        "`tier` takes text, not the number `1` | this must be text || what is meant as text goes into quotes: `\"1\"`",
    );
    assert_error(
        "protect: 'yes'\n",
        "wrong-type 3:10",
        "`protect` takes `true` or `false`, not the text `yes` | this must be `true` or `false` || YAML 1.2 knows only `true` and `false`: `yes`, `no`, `on` and `off` are text",
    );
}

#[test]
fn a_wrong_value_says_which_there_are() {
    let keep = "keep:\n  drop_after: 1 day\n";
    assert_error(
        &format!("{keep}  manner: brsk\n"),
        "wrong-value 5:11",
        "`manner` takes `gentle` or `brisk`, not the text `brsk` | did you mean `brisk`?",
    );
    assert_error(
        "when_missing: ignore\n",
        "wrong-value 3:15",
        "`when_missing` takes `error` or `skip`, not the text `ignore` | this must be `error` or `skip`",
    );
    assert_error(
        &format!("{keep}  when: {{retries: 11}}\n"),
        "wrong-value 5:19",
        "`retries` must be at most 10, and this is the number `11`",
    );
    assert_error(
        "keep: {drop_after: -1 day}\n",
        "bad-interval 3:20",
        "`-1 day` is not longer than nothing || write it as PostgreSQL does: `7 days`, `12 hours`, `1 month`, `P7D`",
    );
}

#[test]
fn the_nearest_of_several_forms_is_spoken_of() {
    let keep = "keep:\n  drop_after: 1 day\n";
    assert_error(
        &format!("{keep}  columns: [a, {{colum: b}}]\n"),
        "unknown-key 5:17",
        "`colum` is no key of item 2 of `columns` | did you mean `column`? || its keys are `column` and `order`",
    );
}

/// Every kind of document, as a sentence ends with them.
fn document_kinds() -> String {
    let mut kinds: Vec<String> =
        crate::kinds::document::DOCUMENTS.iter().map(|document| format!("`{}`", document.kind)).collect();
    kinds.sort();
    let last = kinds.pop().unwrap();
    format!("{} or {last}", kinds.join(", "))
}

#[test]
fn a_document_must_say_what_it_is() {
    assert_eq!(errors("name: t\n")[0].0, "missing-key 1:1");
    assert_eq!(
        errors("knd: table\nname: t\n"),
        [(
            "missing-key 1:1".to_owned(),
            format!(
                "a policy document needs the key `kind` | did you mean `kind`? || say what it describes: `kind` is {}",
                document_kinds()
            )
        )]
    );
    assert_eq!(
        errors("kind: tabel\nname: t\n"),
        [(
            "unknown-kind 1:7".to_owned(),
            format!("`tabel` is no kind of document | did you mean `table`? || `kind` is {}", document_kinds())
        )]
    );
    assert_eq!(errors("kind: 5\n")[0].0, "unknown-kind 1:7");
    assert_eq!(errors("- a\n")[0].0, "wrong-type 1:1");
    assert_eq!(errors("just text\n")[0].0, "wrong-type 1:1");
}

#[test]
fn every_error_is_reported_at_once() {
    let text = "kind: table\nname: a.b.c\nkeep: {drop_after: soon}\nitems:\n  - nam: x\n  - name: ''\n---\nkind: table\nname: t\nkeep: {drop_after: [1}\n---\nkind: table\nname: u\nprotect: 1\nkeep: {drop_after: never}\n";
    let codes: Vec<String> = errors(text).into_iter().map(|(code, _)| code).collect();
    let wanted = [
        "bad-name 2:7",
        "bad-interval 3:20",
        "unknown-key 5:5",
        "bad-name 6:11",
        "yaml-syntax 10:20",
        "wrong-type 14:10",
        "bad-interval 15:20",
    ];
    let mut sorted = codes.clone();
    sorted.sort();
    let mut expected = wanted.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(sorted, expected);
}

#[test]
fn a_fault_in_a_section_hides_no_other_in_it() {
    let text =
        "kind: table\nname: t\nkeep:\n  drop_after: 90 dayz\n  whn: {paused: true}\n  when: {paused: no, retries: 3}\n";
    let codes: Vec<String> = errors(text).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["bad-interval 4:15", "unknown-key 5:3", "wrong-type 6:18"]);
    // What is misspelt is not missing on top.
    assert_eq!(errors("kind: table\nname: t\nkeep: {drop_aftr: 1 day}\n").len(), 1);
}

#[test]
fn one_object_is_described_once() {
    let folder = Folder::new(&[
        ("a.yaml", "kind: table\nname: t\nkeep: {drop_after: 1 day}\nitems: [{name: ix}]\n"),
        (
            "b.yaml",
            "kind: table\nname: public.t\n---\nkind: table\nname: u\nkeep: {drop_after: 1 day}\nitems:\n  - name: ix\n",
        ),
        ("c.yaml", "kind: extension\nname: t\n---\nkind: extension\nname: t\n"),
    ]);
    let found = folder.load(&Variables::default()).unwrap_err();
    let brief: Vec<_> = found
        .iter()
        .map(|d| {
            let file = |place: &Place| {
                format!("{}:{}", Path::new(place.file.as_ref()).file_name().unwrap().display(), place.line)
            };
            (d.code.name, file(d.place.as_ref().unwrap()), file(&d.related[0].0))
        })
        .collect();
    let wanted = [
        ("duplicate-document", "b.yaml:1".to_owned(), "a.yaml:1".to_owned()),
        ("duplicate-resource", "b.yaml:8".to_owned(), "a.yaml:4".to_owned()),
        ("duplicate-document", "c.yaml:4".to_owned(), "c.yaml:1".to_owned()),
    ];
    assert_eq!(brief, wanted);
    assert!(found[1].why.as_ref().unwrap().contains("`public.t` and `public.u`"), "{:?}", found[1].why);
}

#[test]
fn kinds_check_all_resources_but_not_of_broken_documents() {
    let lone = "kind: table\nname: t\nitems: [{name: ix}]\n";
    assert_eq!(errors(lone)[0].0, "policy-conflict 3:9");
    let broken = format!("{lone}keep: {{drop_after: soon}}\n");
    assert_eq!(errors(&broken).len(), 1);
    assert_eq!(errors(&broken)[0].0, "bad-interval 4:20");
}

#[test]
fn a_substituted_scalar_fits_the_type_that_its_key_takes() {
    let folder = Folder::new(&[(
        "p.yaml",
        "kind: table\nname: t\nlabels:\n  tier: ${var.N}\nkeep:\n  drop_after: '${var.N} days'\n  when: {retries: '${var.N}'}\n",
    )]);
    let policies = folder.load(&Variables::from_pairs(&[("N", "7")])).unwrap();
    assert_eq!(policies.documents[0].labels["tier"], "7");
    let other = folder.load(&Variables::from_pairs(&[("N", "8")])).unwrap();
    assert_ne!(policies.digest, other.digest);
    assert_eq!(policies.files, other.files);
    let found = folder.load(&Variables::from_pairs(&[("N", "x")])).unwrap_err();
    let codes: Vec<_> = found.iter().map(|d| d.code.name).collect();
    assert_eq!(codes, ["bad-interval", "wrong-type"]);
    let found = folder.load(&Variables::default()).unwrap_err();
    assert_eq!(found.iter().map(|d| d.code.name).collect::<Vec<_>>(), ["unset-variable"; 3]);
}

#[test]
fn nothing_is_taken_out_of_the_environment() {
    let text = "kind: ${env.PATH}\nname: t\n---\nkind: table\nname: 'a.b.${env.PATH}'\n---\nkind: table\nname: u\nlabels: {a: '${env.PATH}'}\nprotect: ${env.PATH}\nwhen_missing: ${env.PATH}\nkeep:\n  drop_after: ${env.PATH}\n  manner: x${env.PATH}\n  when: {retries: '${env.PATH}'}\n  columns: ['${env.PATH}']\n";
    let folder = Folder::new(&[("p.yaml", text)]);
    let found = folder.load(&Variables::default()).unwrap_err();
    let refused = found.iter().filter(|d| d.code.name == "env-in-policy").count();
    assert_eq!(refused, text.matches("${env.").count(), "{found:#?}");
    let path = std::env::var("PATH").unwrap();
    assert!(!format!("{found:?}").contains(&path));
}

#[test]
fn an_empty_folder_and_empty_files_are_no_policies() {
    let found = Folder::new(&[]).load(&Variables::default()).unwrap_err();
    assert_eq!(found[0].code.name, "no-policies");
    let found = Folder::new(&[("a.yaml", "# only\n---\n")]).load(&Variables::default()).unwrap_err();
    assert_eq!(found[0].code.name, "no-policies");
    let gone =
        policies(&[PathBuf::from("/nonexistent")], &Variables::default(), &mut Sources::default(), &mut Vec::new());
    assert_eq!(gone.unwrap_err().0[0].code.name, "no-policies");
}

#[test]
fn many_errors_in_one_file_are_cut_off() {
    let found = load(&"kind: x\n---\n".repeat(1000)).unwrap_err();
    assert_eq!(found.len(), MAX_PER_FILE + 1);
    assert!(found.iter().any(|d| d.message.contains("more errors than are shown")));
}

/// The largest file of valid documents, of errors, and of one deep error: none takes long.
#[test]
fn large_files_are_read_in_reasonable_time() {
    let document =
        |n: usize| format!("kind: table\nname: t{n}\nkeep: {{drop_after: 1 day, when: {{retries: 1}}}}\n---\n");
    let many: String = (0..1500).map(document).collect();
    let keys: String = (0..20_000).map(|n| format!("key_number_{n}: x\n")).collect();
    let items: String = (0..12_000).map(|n| format!("  - {{name: i{n}}}\n")).collect();
    for text in [
        many,
        format!("kind: table\nname: t\n{keys}"),
        format!("kind: table\nname: t\nkeep: {{drop_after: 1 day}}\nitems:\n{items}"),
        format!("kind: table\nname: t\nkeep: {{drop_after: '{}'}}\n", "x".repeat(900_000)),
        format!("kind: table\nname: {}\n", "x".repeat(900_000)),
        format!("kind: table\nname: t\n{}: 1\n", "x".repeat(900)),
    ] {
        let started = fake::cpu_time();
        let outcome = load(&text);
        let sizes = outcome.err().into_iter().flatten().map(|d| d.message.len());
        assert!(sizes.max().unwrap_or_default() < 500);
        let took = fake::cpu_time() - started;
        assert!(took < std::time::Duration::from_secs(4), "{text:.80} {took:?}");
    }
}

/// Four times as much takes about four times as long, whatever there is much of.
#[test]
fn time_grows_as_the_file_does_and_no_faster() {
    type Make = fn(usize) -> String;
    let families: [(&str, usize, Make); 5] = [
        ("documents", 400, |n| {
            (0..n).map(|n| format!("---\nkind: table # {}\nname: t{n}\n", "-".repeat(400))).collect()
        }),
        ("unknown kinds", 400, |n| (0..n).map(|n| format!("---\nkind: t{n} # {}\n", "-".repeat(400))).collect()),
        ("values in one line", 2500, |n| {
            let items: Vec<String> = (0..n).map(|n| format!("{{name: i{n}}}")).collect();
            format!("kind: table\nname: t\nkeep: {{drop_after: 1 day}}\nitems: [{}]\n", items.join(", "))
        }),
        ("unknown keys in one line", 2500, |n| {
            let keys: Vec<String> = (0..n).map(|n| format!("k{n}: ${{var.x}}")).collect();
            format!("{{kind: table, name: t, {}}}\n", keys.join(", "))
        }),
        ("aliases of a commented list", 400, |n| {
            let comment = "# a long comment\n".repeat(n * 20);
            format!("kind: table\nname: t\na: &a [x\n{comment} ]\nb: [{}]\n", vec!["*a"; n].join(", "))
        }),
    ];
    let cost = |text: &str| {
        let once = || {
            let started = fake::cpu_time();
            let _ = load(text);
            fake::cpu_time() - started
        };
        [once(), once(), once()].into_iter().min().unwrap()
    };
    for (name, n, make) in families {
        let (small, large) = (cost(&make(n)), cost(&make(4 * n)));
        assert!(large < small * 9, "{name}: {n} took {small:?}, and four times as many {large:?}");
    }
}

#[test]
fn a_key_is_no_book() {
    let values = "x, ".repeat(30_000);
    let found = load(&format!("kind: table\nname: t\n? {}\n: [{values}]\n", "k".repeat(400_000))).unwrap_err();
    let seen: Vec<_> = found.iter().map(|d| (d.code.name, d.place.as_ref().unwrap().line)).collect();
    assert_eq!(seen, [("yaml-budget", 3)]);
}
