//! Nothing gets out of a template unquoted.

use super::*;
use crate::core::{Interval, KeyColumn, QualifiedName, SqlText};

/// Names and values chosen to break quoting.
const HOSTILE: &[&str] = &[
    "'",
    "\"",
    "'; DROP TABLE x; --",
    "\"; DROP TABLE x; --",
    "\\",
    "\\'; --",
    "%s %I",
    "a\nb",
    "🦀",
    "$$",
    "$1",
    "{{ x }}",
    "/*",
    "--",
    "",
    " ",
    "NULL",
    "E'\\''",
];

fn context(name: &str, value: Value) -> Context {
    Context::from([(name.to_owned(), value)])
}

fn render(source: &str, value: Value) -> Result<String, minijinja::Error> {
    Renderer::new().render_text(source, &context("x", value))
}

/// What PostgreSQL reads back from a literal.
fn unquote(literal: &str) -> String {
    let (body, escapes) = match literal.strip_prefix('E') {
        Some(body) => (body, true),
        None => (literal, false),
    };
    let inner = body.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap();
    let undoubled = inner.replace("''", "'");
    assert_eq!(inner.matches('\'').count(), undoubled.matches('\'').count() * 2, "a quote escapes in {literal}");
    if escapes { undoubled.replace("\\\\", "\\") } else { undoubled }
}

#[test]
fn a_plain_text_is_always_one_literal() {
    for hostile in HOSTILE {
        assert_eq!(unquote(&render("{{ x }}", Value::text(*hostile)).unwrap()), *hostile);
    }
}

#[test]
fn an_identifier_is_always_one_identifier() {
    for hostile in HOSTILE.iter().filter(|text| !text.is_empty()) {
        let out = render("{{ x|ident }}", Value::text(*hostile)).unwrap();
        let inner = out.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        assert_eq!(inner.replace("\"\"", "\""), *hostile);
    }
    let name = Value::Name(QualifiedName::new("Odd", "a\".b"));
    assert_eq!(render("{{ x|ident }}", name.clone()).unwrap(), "\"Odd\".\"a\"\".b\"");
    assert_eq!(render("{{ x }}::regclass", name).unwrap(), "'\"Odd\".\"a\"\".b\"'::regclass");
}

#[test]
fn every_type_has_its_own_literal() {
    assert_eq!(render("{{ x }}", Value::Int(-5)).unwrap(), "-5");
    assert_eq!(render("{{ x }}", Value::Bool(true)).unwrap(), "true");
    assert_eq!(render("{{ x }}", Value::Null).unwrap(), "NULL");
    assert_eq!(render("{{ x }}", Value::Interval(Interval::days(7))).unwrap(), "INTERVAL '7 days'");
    assert_eq!(render("{{ x }}", Value::texts(["a'b", "c"])).unwrap(), "ARRAY['a''b', 'c']");
    assert_eq!(render("{{ x|quoted_list }}", Value::texts(["a'b", "c"])).unwrap(), "'\"a''b\", c'");
    let mut key = KeyColumn::column("Time");
    key.descending = true;
    assert_eq!(render("{{ x|key }}", Value::from(key.clone())).unwrap(), "\"Time\" DESC NULLS LAST");
    assert_eq!(
        render("{{ x|quoted_list }}", Value::List(vec![Value::from(key)])).unwrap(),
        "'\"Time\" DESC NULLS LAST'"
    );
    let sql = Value::Sql(SqlText::new("price > 0").unwrap());
    assert_eq!(render("({{ x|expr }})", sql).unwrap(), "(price > 0)");
}

#[test]
fn what_has_no_safe_form_does_not_render() {
    assert!(render("{{ x }}", Value::Sql(SqlText::new("a").unwrap())).is_err());
    assert!(render("{{ x|expr }}", Value::text("a")).is_err());
    assert!(render("{{ x|key }}", Value::text("a")).is_err());
    assert!(render("{{ x|ident }}", Value::Int(1)).is_err());
    assert!(render("{{ x|ident }}", Value::text("")).is_err());
    assert_eq!(render("{{ x|privilege }}", Value::text("select")).unwrap(), "SELECT");
    assert!(render("{{ x|privilege }}", Value::text("select, insert")).is_err());
    assert!(render("{{ x|safe }}", Value::text("a")).is_err());
    assert!(render("{{ x|upper }}", Value::text("a")).is_err());
    assert!(render("{{ y }}", Value::text("a")).is_err());
    assert!(render("{{ x.y }}", Value::Map(BTreeMap::new())).is_err());
    assert!(render("{{ x }}", Value::Map(BTreeMap::new())).is_err());
}

#[test]
fn joining_texts_makes_a_literal_again() {
    assert_eq!(render("{{ x ~ \"'; --\" }}", Value::text("a'b")).unwrap(), "'a''b''; --'");
    assert_eq!(render("{{ (x|ident) ~ '; DROP' }}", Value::text("a")).unwrap(), "'a; DROP'");
}

#[test]
fn every_template_compiles_with_the_filters_there_are() {
    let mut renderer = Renderer::new();
    let names: Vec<&str> = Renderer::names().collect();
    assert!(!names.is_empty());
    for name in names {
        if let Err(error) = renderer.render(name, &Context::new()) {
            assert!(!error.message.contains("unknown filter"), "{error}");
            assert!(!error.message.contains("syntax error"), "{error}");
        }
    }
    for (name, source) in TEMPLATES {
        for filter in source
            .split("{{")
            .skip(1)
            .filter_map(|rest| rest.split("}}").next())
            .flat_map(|inner| inner.split('|').skip(1))
        {
            let filter = filter.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            assert!(quoting::FILTERS.iter().any(|(known, _)| *known == filter), "{name} uses |{filter}");
        }
    }
}

#[test]
fn blank_lines_go_and_those_inside_a_literal_stay() {
    assert_eq!(tidy("\n  SELECT 1   \n\n  FROM x\n").as_deref(), Some("SELECT 1\n  FROM x"));
    assert_eq!(tidy(" \n \n"), None);
}

#[test]
fn nothing_within_a_value_is_tidied() {
    let renderer = Renderer::new();
    let text = "a'\"\n\n  b  \r\n\n";
    let context = Context::from([("x".to_owned(), Value::text(text))]);
    let rendered =
        renderer.environment.render_str("SELECT\n\n{{ x }}  \n\n, {{ x|ident }}\n", template_values(&context));
    let tidied = tidy(&rendered.unwrap()).unwrap();
    assert_eq!(tidied, "SELECT\n'a''\"\n\n  b  \r\n\n'\n, \"a'\"\"\n\n  b  \r\n\n\"");
    let nul = Context::from([("x".to_owned(), Value::text("a\0"))]);
    assert!(renderer.render_text("{{ x }}", &nul).is_err());
}
