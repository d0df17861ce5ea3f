//! The layout, by example and over everything that can be found.

use std::path::Path;

use super::*;

fn formatted(text: &str) -> String {
    format(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn assert_layout(text: &str, wanted: &str) {
    assert_eq!(formatted(text), wanted, "of {text}");
    assert_eq!(formatted(wanted), wanted, "again");
}

#[test]
fn entries_stand_two_columns_within() {
    assert_layout("a:\n    b:\n        c: 1\n    d: 2\n", "a:\n  b:\n    c: 1\n  d: 2\n");
    assert_layout("a:\n- x\n-   y: 1\n    z: 2\nb: 1\n", "a:\n  - x\n  - y: 1\n    z: 2\nb: 1\n");
    assert_layout("- - a\n  -   - b\n      - c\n- d\n", "- - a\n  - - b\n    - c\n- d\n");
    assert_layout("  a: 1\n  b:\n     - 1\n", "a: 1\nb:\n  - 1\n");
    assert_layout("a:\n -\n    b: 1\n    c: 2\n", "a:\n  -\n    b: 1\n    c: 2\n");
    assert_layout("a:\n- b:\n  - c\n  - d\n- e\n", "a:\n  - b:\n      - c\n      - d\n  - e\n");
}

#[test]
fn blank_lines_blanks_and_line_ends_are_tidied() {
    assert_layout("\n\na: 1  \r\n\r\n\r\n\r\nb: 2\t\n\n\n", "a: 1\n\nb: 2\n");
    assert_layout("a: 1", "a: 1\n");
    assert_layout("\u{feff}a: 1\n", "a: 1\n");
    assert_layout("", "");
    assert_layout("\n\n", "");
    assert_layout("# only\n\n\n\n# comments\n", "# only\n\n# comments\n");
}

#[test]
fn comments_go_with_what_they_are_about() {
    assert_layout(
        "# top\na:\n    # about b\n    b: 1 # beside\n    # last of a\n# about c\nc:\n# about x\n- x\n      # far off\n- y\n# end\n",
        "# top\na:\n  # about b\n  b: 1 # beside\n  # last of a\n# about c\nc:\n  # about x\n  - x\n  # far off\n  - y\n# end\n",
    );
}

#[test]
fn markers_stand_on_their_own() {
    assert_layout(
        "---\n\na: 1\n\n\n---   \n\nb: 2\n--- {c: 3}\n--- # said\nd: 4\n...\n",
        "---\na: 1\n---\nb: 2\n---\n{c: 3}\n--- # said\nd: 4\n...\n",
    );
    assert_layout("%YAML 1.2\n---\na: 1\n", "%YAML 1.2\n---\na: 1\n");
}

#[test]
fn block_scalars_keep_their_content() {
    assert_layout(
        "a:\n    b: |\n          x\n            y  \n\n\n          z\n    c: 1\n",
        "a:\n  b: |\n    x\n      y  \n\n\n    z\n  c: 1\n",
    );
    assert_layout(
        "a:\n-   |-\n    x\n-   k: >\n       y\n\n       z\n",
        "a:\n  - |-\n    x\n  - k: >\n      y\n\n      z\n",
    );
    assert_layout("a: |+\n    x\n\n\n", "a: |+\n  x\n\n\n");
    assert_layout(
        "a: |\n    # no comment\n    x\n# a comment\nb: 1\n\n\n",
        "a: |\n  # no comment\n  x\n# a comment\nb: 1\n",
    );
    assert_layout("a: |\n\n    x\n\n\n\nb: 1\n", "a: |\n\n  x\n\nb: 1\n");
    // An indicator of its own stays right, or the text stays.
    let odd = "a:\n    b: |2\n         x\n    c: 1\n";
    assert_eq!(formatted(&formatted(odd)), formatted(odd));
}

#[test]
fn what_goes_on_over_lines_moves_along() {
    assert_layout(
        "a:\n    b: [\n      x, # one\n\n\n      # two\n      y\n    ]\n    c: 1\n",
        "a:\n  b: [\n    x, # one\n\n    # two\n    y\n  ]\n  c: 1\n",
    );
    assert_layout(
        "a:\n    b: some\n     words\n\n\n     more\n    c: 'one\n\n  two'\n",
        "a:\n  b: some\n    words\n\n\n    more\n  c: 'one\n\n    two'\n",
    );
    assert_layout("a: {x: 1,\n   y: 2}\n", "a: {x: 1,\n   y: 2}\n");
}

#[test]
fn what_is_rare_stays_as_it_is() {
    for text in [
        "? a\n: b\n? c\n",
        "a: &x\n  b: 1\nc: *x\n",
        "a: !!str 5\n",
        "\"a b\":   'c'   # d\n",
        "a: ${var.X}\n",
        "just text\n",
        "a: \"x\\\n  y\"\n",
    ] {
        assert_layout(text, text);
    }
}

#[test]
fn what_is_no_yaml_is_refused() {
    for (text, line) in [("a: [\n", 1), ("a:\n\tb: 1\n", 2), ("a: 1\n\t# note\n", 2)] {
        let error = format(text).unwrap_err().0.remove(0);
        assert_eq!((error.code.name, error.place.unwrap().line), ("yaml-syntax", line), "{text}");
    }
}

/// Every YAML file of the repository: the layout says the same and is at rest.
#[test]
fn every_fixture_comes_to_rest() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = ["policies", "tests", ".ci"].map(|folder| root.join(folder)).to_vec();
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml")
                && let Ok(text) = std::fs::read_to_string(&path)
                && let Ok(once) = format(&text)
            {
                seen += 1;
                assert_eq!(formatted(&once), once, "{}", path.display());
                assert!(ink(&once).eq(ink(&text)), "{}", path.display());
            }
        }
    }
    println!("{seen} files");
}

/// The policies that are shipped are in the layout themselves.
#[test]
fn shipped_policies_are_laid_out() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(formatted(&text), text, "{}", path.display());
    }
}

/// Texts made by chance out of what YAML is made of.
#[test]
fn whatever_is_read_comes_to_rest_and_says_the_same() {
    let parts = [
        "a:", "b: 1", "- ", "-", "- x", "- k: v", "# c", "", "  ", "    ", "\n", "\n", "\n", "|", ">-", "|+", "[x,",
        "y]", "{p: 1", "}", "'q", "r'", "---", "...", "text", "? ", ": ", "&z ", "*z", "\t", "é: ü", "\"s\\", "t\"",
        "!!str 1", "${var.X}", "<<: *z",
    ];
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = |bound: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % bound as u64) as usize
    };
    let cases = if std::env::var_os("CHRONOFORM_TEST_LONG").is_some() { 20_000 } else { 4_000 };
    let mut read = 0;
    for _ in 0..cases {
        let mut text = String::new();
        for _ in 0..next(14) + 1 {
            text.push_str(parts[next(parts.len())]);
            if next(3) == 0 {
                text.push('\n');
                text.push_str(&" ".repeat(next(7)));
            }
        }
        let Ok(once) = format(&text) else { continue };
        read += 1;
        let twice = format(&once).unwrap_or_else(|error| panic!("{text:?} became {once:?}: {error}"));
        assert_eq!(twice, once, "{text:?}");
        let (before, after) = (
            parse(&clean(&Text::new("a".into(), text.as_str().into()))).unwrap(),
            parse(&Text::new("b".into(), once.as_str().into())).unwrap(),
        );
        assert!(
            before.len() == after.len() && before.iter().zip(&after).all(|(a, b)| says_the_same(a, b)),
            "{text:?} became {once:?}"
        );
    }
    assert!(read > cases / 20, "{read}");
}
