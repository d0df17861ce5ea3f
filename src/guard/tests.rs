//! Expressions: what they mean, what is wrong with them and where.

use std::collections::BTreeMap;

use super::types::Type;
use super::*;
use crate::core::Interval;

fn facts() -> BTreeMap<String, Datum> {
    let text = |text: &str| Datum::Text(text.to_owned());
    let record =
        |fields: &[(&str, Datum)]| Datum::Record(fields.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect());
    let index = |name: &str, unique: bool| record(&[("name", text(name)), ("unique", Datum::Bool(unique))]);
    BTreeMap::from([
        ("retention".to_owned(), record(&[("drop_after", Datum::Interval(Interval::days(90)))])),
        ("columnstore".to_owned(), record(&[])),
        ("hypertable".to_owned(), record(&[("chunk_interval", Datum::Int(86_400))])),
        ("indexes".to_owned(), Datum::List(vec![index("ix_a", false), index("ix_b", true)])),
        (
            "table".to_owned(),
            record(&[
                ("name", text("public.a")),
                ("labels", Datum::Words(BTreeMap::from([("tier".to_owned(), "1".to_owned())]))),
            ]),
        ),
    ])
}

fn ask(text: &str) -> Result<bool, Fault> {
    let declared = declare(For::Table);
    Expression::compile(text, &declared)?.evaluate(&facts(), &declared)
}

#[test]
fn an_expression_has_the_meaning_of_cel_with_units() {
    for (text, value) in [
        ("retention.drop_after >= interval('90 days')", true),
        ("retention.drop_after > interval('3 months')", false),
        ("retention.drop_after < interval('100 years')", true),
        ("retention.drop_after == interval('2160 hours')", true),
        ("retention.drop_after >= 90 * interval('1 day') && retention.drop_after / interval('1 day') == 90", true),
        ("has(retention.drop_after) && !has(retention.drop_created_before) && !has(retention.schedule)", true),
        ("!has(columnstore.after) || columnstore.after < retention.drop_after", true),
        ("table.labels['tier'] == '1' && 'tier' in table.labels && !('x' in table.labels)", true),
        ("table.labels.tier == '2'", false),
        ("indexes.all(i, i.name.startsWith('ix_')) && indexes.exists_one(i, i.unique)", true),
        ("indexes.filter(i, !i.unique).size() == 1 && size(indexes.map(i, i.name)) == 2", true),
        ("indexes.exists(i, indexes.exists(j, j.name != i.name))", true),
        ("table.name.matches('^public[.][a-z_]+$')", true),
        ("pg_size_bytes('1 GB') == 1073741824", true),
        ("hypertable.chunk_interval <= 90000 ? true : false", true),
        ("table.name in ['public.a', 'public.b']", true),
    ] {
        assert_eq!(ask(text), Ok(value), "{text}");
    }
}

#[test]
fn a_mistake_is_found_when_it_is_read_and_has_its_place() {
    for (text, at, message) in [
        ("retention.drop_aftr > interval('1 day')", "drop_aftr", "no `drop_aftr`"),
        ("retenton.drop_after == null", "retenton", "no variable `retenton`"),
        ("interval('1 dai') < interval('1 day')", "'1 dai'", "no interval"),
        ("interval(table.name) < interval('1 day')", "name", "no interval"),
        ("interval('1 day') < 5", "<", "an interval and a whole number cannot be compared"),
        ("interval('1 day') == '1 day'", "==", "an interval and text cannot be compared"),
        ("pg_size_bytes('1 gigabyte') < 5", "'1 gigabyte'", "no size"),
        ("table.name", "", "true or false"),
        ("table.name && true", "&&", "must be a truth value, and is text"),
        ("indexes.exists(i, i.nme == 'x')", "nme", "no `nme`"),
        ("table.labels.x.y == 'z'", "y", "text has no `y`"),
        ("foo(table.name)", "(", "no function `foo`"),
        ("table.name.lower() == 'x'", "(", "no function `lower`"),
        ("table.name = 'x'", "=", "`=` means nothing"),
        ("table.name ==", "", "ends too early"),
        ("1.5 < 2", "1.5", "only whole numbers"),
        ("{'a': 1}.a == 1", "", "mappings cannot be written"),
        ("indexes.all(a, indexes.all(b, indexes.all(c, a == b)))", "", "loops"),
        ("action.op == 'remove'", "action", "no variable `action`"),
    ] {
        let fault = ask(text).unwrap_err();
        assert!(fault.message.contains(message), "{text}: {fault:?}");
        let range = fault.range.unwrap_or(0..0);
        let found = text.get(range.clone()).unwrap_or_default();
        assert!(found.starts_with(at) || at.is_empty(), "{text}: {at} is not at {range:?}: {found}");
    }
    assert!(Expression::compile("action.op == 'remove'", &declare(For::Action)).is_ok());
    assert!(ask(&format!("true{}", " && true".repeat(600))).unwrap_err().message.contains("longer"));
    assert!(ask(&format!("{}true{}", "(".repeat(200), ")".repeat(200))).unwrap_err().message.contains("nested"));
}

#[test]
fn what_cannot_be_evaluated_is_no_pass() {
    for (text, message) in [
        ("columnstore.after < interval('1 day')", "`columnstore.after` is not set"),
        ("table.labels.nope == 'x'", "`table.labels.nope` is not set"),
        ("hypertable.chunk_interval < interval('1 day')", "cannot be compared"),
        ("!(hypertable.chunk_interval < interval('1 day'))", "cannot be compared"),
        ("hypertable.chunk_interval / 0 == 1", "divides by zero"),
        ("hypertable.chunk_interval * 9223372036854775807 > 0", "64 bits"),
        ("table.name.matches('(')", "`matches` failed"),
        ("retention.drop_after > '90 days'", "cannot be compared"),
    ] {
        let fault = ask(text).unwrap_err();
        assert!(fault.message.contains(message), "{text}: {fault:?}");
    }
}

#[test]
fn what_would_take_too_long_is_refused_beforehand() {
    let declared = declare(For::Table);
    let text = "indexes.all(a, indexes.all(b, a.name != b.name || a.name == b.name))";
    let index = |n: i64| Datum::Record(BTreeMap::from([("name".to_owned(), Datum::Text(n.to_string()))]));
    let many = |n| BTreeMap::from([("indexes".to_owned(), Datum::List((0..n).map(index).collect()))]);
    let expression = Expression::compile(text, &declared).unwrap();
    assert_eq!(expression.evaluate(&many(20), &declared), Ok(true));
    let started = std::time::Instant::now();
    let fault = expression.evaluate(&many(20_000), &declared).unwrap_err();
    assert!(fault.message.contains("too long") && started.elapsed() < std::time::Duration::from_secs(5), "{fault:?}");
}

/// Whatever is written, there is an answer.
#[test]
fn no_text_takes_it_down() {
    const BITS: [&str; 24] = [
        "(", ")", "[", "]", "{", "}", "\"", "'", "&&", "||", "!", "==", ".", ",", "?", ":", "has(", "é", "\\", "r'",
        "b'", "0x", "1e9", "in ",
    ];
    let base = [
        "retention.drop_after >= interval('90 days')",
        "indexes.all(i, i.name.matches('^ix_.*$'))",
        "-1 + 2 * 3 % 4 < size('a')",
    ];
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = |bound: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % bound.max(1) as u64).unwrap()
    };
    for round in 0..400 {
        let mut text: Vec<char> = base[round % base.len()].chars().collect();
        for _ in 0..=next(3) {
            let at = next(text.len());
            match next(2) {
                0 => _ = text.drain(at..(at + next(6)).min(text.len())),
                _ => _ = text.splice(at..at, BITS[next(BITS.len())].chars()),
            }
        }
        let text: String = text.into_iter().collect();
        let _ = ask(&text);
    }
}

#[test]
fn every_section_of_every_kind_can_be_spoken_of() {
    let declared = declare(For::Action);
    for name in ["hypertable", "columnstore", "retention", "indexes", "storage", "table", "live", "action"] {
        assert!(declared.contains_key(name), "{name}");
    }
    let Some(Type::Record(live)) = declared.get("live") else { panic!("no live") };
    assert!(live.contains_key("retention") && live.contains_key("bytes"));
}
