//! Invariant 5: whatever a policy or the database calls things, no text becomes SQL, nor anything
//! else than text where it is shown.

mod expressions;
mod made;
mod names;
mod output;
mod present;
mod roles;
mod rows;
mod values;

use libtest_mimic::{Failed, Trial};

use crate::servers::{Db, Servers, Tier};

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut add = |name: &str, run: fn(&Db)| {
        let servers = servers.clone();
        trials.push(Trial::test(format!("{tier}::injection::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            db.run(CANARY);
            run(&db);
            assert_canary(&db);
            Ok(())
        }));
    };
    add("names", names::run);
    add("values", values::run);
    add("output", output::run);
    if tier.has_policies() {
        add("made", made::run);
        add("present", present::run);
    }
    if tier.is_timescale() {
        add("overloads", present::overloads);
    }
    if tier == Tier::PostgresNative {
        add("expressions", expressions::run);
        add("roles", roles::run);
    }
    trials
}

const CANARY: &str = "CREATE TABLE public.canary (a int); INSERT INTO public.canary VALUES (1), (2), (3)";

/// The table that the attacks are after is still there, with its rows.
fn assert_canary(db: &Db) {
    assert_eq!(db.lines("SELECT count(*), sum(a) FROM public.canary"), ["3|6"]);
}

/// Names that mean something elsewhere: in SQL, in format strings, in templates, in YAML, on a
/// terminal, in HTML and in Markdown. Each is a legal identifier.
fn names() -> Vec<String> {
    let long = format!("{}x", "é".repeat(31));
    let names = [
        "it's",
        "a\"b",
        "\"; DROP TABLE public.canary; --",
        "'; DROP TABLE public.canary; --",
        "\\'; DROP TABLE public.canary; --",
        "back\\slash\\",
        "%s %I %n %",
        "line\nbreak\r\nand\ttab",
        "🦀 é ",
        "$$; DROP TABLE public.canary; $$",
        "$1 $x$",
        "{{ x }} {% raw %} {#",
        "\u{202e}turned\u{2066}",
        "\u{1b}[2J\u{1b}[1;31mred\u{7}",
        &long,
        "select",
        "user",
        "MixedCase",
        "a.b.c",
        " ( , ) ",
        "-- /* */",
        "<script>alert(1)</script>&amp;",
        "# ](http://x) `|` **b** <!--",
        "``` \n```\n\n</details>\n\n# `x` \n",
        "time desc nulls first",
        "null",
        "1",
        "*",
    ];
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Texts that are no identifiers.
fn no_names() -> Vec<String> {
    vec![String::new(), "nul\0".to_owned(), "x".repeat(64), "é".repeat(32), "${var.x}".to_owned()]
}

/// An identifier in double quotes, as in SQL and in policies.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string literal.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
