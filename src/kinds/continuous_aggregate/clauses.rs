//! Two queries clause by clause, in the server's own form: what differs between them, and both laid out so
//! that a diff of them shows just that.

use serde_json::Value as Json;

use super::{query, sources};
use crate::core::name::quote_identifier;
use crate::core::select::Select;
use crate::core::{Alike, Delta, QualifiedName, Value};
use crate::kinds::{Stored, View};

/// The clauses in the order in which they are read. What is in none of them follows.
const ORDER: [(&str, &str); 5] =
    [("columns", "SELECT"), ("from", "FROM"), ("where", "WHERE"), ("group", "GROUP BY"), ("having", "HAVING")];

/// In which clauses the queries differ, as the server reads them: spelling is none of it.
pub(super) fn that_differ(delta: &Delta, view: &View<'_>) -> Option<String> {
    let (have, want) = forms(delta, view)?;
    let clauses = want.as_object()?.iter().map(|(name, want)| (name, have.get(name).unwrap_or(&Json::Null), want));
    let words: Vec<String> = clauses
        .filter(|(_, have, want)| have != want)
        .map(|(name, have, want)| format!("{name} ({} instead of {})", beside(want, have), beside(have, want)))
        .collect();
    (!words.is_empty()).then(|| format!("as the server reads the queries, they differ in: {}", words.join("; ")))
}

/// Both queries laid out alike, where they differ; as they are written where the server cannot read both yet.
pub(super) fn alike(delta: &Delta, view: &View<'_>) -> Option<Alike> {
    let Some((have, want)) = forms(delta, view) else { return as_written(delta, view) };
    (have != want).then(|| Alike { before: laid_out(&have), after: laid_out(&want) })
}

fn as_written(delta: &Delta, view: &View<'_>) -> Option<Alike> {
    let live = delta.live.as_ref().or_else(|| view.live.get(&delta.address))?;
    let lines = |value: Option<&Value>| Some(Select::split(query(value)?).ok()?.lines());
    let (before, after) = (lines(live.get("query"))?, lines(delta.desired.as_ref()?.get("query"))?);
    (before != after).then_some(Alike { before, after })
}

/// The live query and the policy's, as the server reads them; also of one that is made again together with
/// what it reads.
fn forms(delta: &Delta, view: &View<'_>) -> Option<(Json, Json)> {
    let on = delta.on.as_ref()?;
    let form = |value: Option<&Value>| {
        let asked = (on.clone(), query(value)?.clone());
        let form = serde_json::from_str::<Json>(view.canon.get(&asked)?.as_ref().ok()?).ok()?;
        Some(plain(form))
    };
    let live = delta.live.as_ref().or_else(|| view.live.get(&delta.address))?;
    // What is not there yet is read by something that stands in for it.
    let is_to_come = |source: &QualifiedName| view.relations.get(source).is_some_and(|it| it.stored == Stored::Nowhere);
    if sources(query(delta.desired.as_ref()?.get("query"))?).iter().any(is_to_come) {
        return None;
    }
    Some((form(live.get("query"))?, form(delta.desired.as_ref()?.get("query"))?))
}

/// A query as a reader would write it: without the names that TimescaleDB gives to what keeps the rows of aggregates,
/// by which the server qualifies columns, and without the CASE within which conditions are asked for.
fn plain(form: Json) -> Json {
    match form {
        Json::String(text) => Json::String(unqualified(&text)),
        Json::Array(parts) => Json::Array(parts.into_iter().map(plain).collect()),
        Json::Object(clauses) => {
            let one = |(name, clause): (String, Json)| {
                let clause = match (name.as_str(), plain(clause)) {
                    ("where" | "having", Json::String(text)) => Json::String(condition(&text).to_owned()),
                    (_, clause) => clause,
                };
                (name, clause)
            };
            Json::Object(clauses.into_iter().map(one).collect())
        }
        other => other,
    }
}

/// What is asked for within a CASE.
fn condition(text: &str) -> &str {
    let rest = text.strip_prefix("CASE WHEN ");
    // One of its own may end alike: the last is the outer one's.
    rest.and_then(|rest| rest.rsplit_once(" THEN true ELSE NULL")).map_or(text, |(condition, _)| condition)
}

fn unqualified(text: &str) -> String {
    const INTERNAL: &str = "_materialized_hypertable_";
    let (mut plain, mut rest, mut quote) = (String::new(), text, None);
    while let Some(c) = rest.chars().next() {
        let numbered = rest.strip_prefix(INTERNAL).filter(|_| quote.is_none() && !ends_in_a_word(&plain));
        let after = numbered.map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        let is_number = |after: &&str| numbered.is_some_and(|numbered| after.len() < numbered.len());
        if let Some(after) = after.filter(is_number).and_then(|after| after.strip_prefix('.')) {
            rest = after;
            continue;
        }
        // A quote within what it encloses is doubled, which ends it and begins it anew.
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
        plain.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    plain
}

fn ends_in_a_word(text: &str) -> bool {
    text.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// A query as lines, an item each.
fn laid_out(form: &Json) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (clause, keyword) in ORDER {
        match form.get(clause) {
            None | Some(Json::Null) => {}
            Some(Json::Array(parts)) if clause == "from" => lines.push(format!("{keyword} {}", relation(parts))),
            Some(Json::Array(items)) => {
                lines.push(keyword.to_owned());
                lines.extend(items.iter().map(|item| format!("    {},", column(item))));
            }
            Some(one) => lines.push(format!("{keyword} {}", text(one))),
        }
    }
    if let Some(rest) = form.get("rest").and_then(Json::as_str).filter(|rest| !rest.is_empty()) {
        lines.push(rest.to_owned());
    }
    lines.join("\n")
}

/// A relation from its schema and its name; without a schema it is written without one.
fn relation(parts: &[Json]) -> String {
    let mut names = parts.iter().filter_map(Json::as_str);
    match (names.next(), names.next()) {
        (Some(schema), Some(name)) => QualifiedName::new(schema, name).to_string(),
        (Some(name), None) => quote_identifier(name).to_string(),
        _ => String::new(),
    }
}

/// A column with its name, or what is grouped by.
fn column(item: &Json) -> String {
    match item {
        Json::Array(parts) => match parts.iter().filter_map(Json::as_str).collect::<Vec<_>>().as_slice() {
            [name, expression] if name == expression || quote_identifier(name) == *expression => {
                (*expression).to_owned()
            }
            [name, expression] => format!("{expression} AS {}", quote_identifier(name)),
            parts => parts.join(" "),
        },
        one => text(one),
    }
}

/// A part of a clause.
fn text(part: &Json) -> String {
    match part {
        Json::String(text) => text.clone(),
        // A column's name and what it is.
        Json::Array(parts) => parts.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// What a clause has that another one has not, for people.
fn beside(clause: &Json, other: &Json) -> String {
    let parts = match (clause, other) {
        (Json::Null, _) => Vec::new(),
        // The same in another order: then the order is what there is to show.
        (Json::Array(parts), Json::Array(others)) => {
            let is_order = parts.iter().all(|part| others.contains(part)) && parts.len() == others.len();
            parts.iter().filter(|part| is_order || !others.contains(part)).map(text).collect()
        }
        (one, _) => vec![text(one)],
    };
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_is_a_line_an_item() {
        let form = json!({
            "columns": [["bucket", "time_bucket('01:00:00'::interval, \"time\")"], ["symbol", "symbol"],
                        ["Odd one", "max(price)"]],
            "from": ["public", "Trades"],
            "where": "CASE WHEN (price > 0) THEN true ELSE NULL::boolean END",
            "group": ["symbol"],
            "having": null,
            "rest": null,
        });
        let expected = "SELECT\n    time_bucket('01:00:00'::interval, \"time\") AS bucket,\n    symbol,\n    max(price) AS \
                        \"Odd one\",\nFROM public.\"Trades\"\nWHERE (price > 0)\nGROUP BY\n    symbol,";
        assert_eq!(laid_out(&plain(form)), expected);
        assert_eq!(laid_out(&json!({"from": [null, "a"], "rest": "ORDER BY 1"})), "FROM a\nORDER BY 1");
        assert_eq!(
            unqualified("max(_materialized_hypertable_12.price), _materialized_hypertable_.x"),
            "max(price), _materialized_hypertable_.x"
        );
        assert_eq!(laid_out(&json!({"from": "a join b on ((a.x = b.x))"})), "FROM a join b on ((a.x = b.x))");
    }

    #[test]
    fn what_a_query_says_itself_is_not_taken_for_the_servers() {
        let own =
            "CASE WHEN CASE WHEN (a = 1) THEN true ELSE NULL::boolean END AND (b > 3) THEN true ELSE NULL::boolean END";
        let form =
            json!({"where": own, "having": null, "columns": [["a", "CASE WHEN a THEN true ELSE NULL::boolean END"]]});
        let expected = "SELECT\n    CASE WHEN a THEN true ELSE NULL::boolean END AS a,\nWHERE CASE WHEN (a = 1) THEN true ELSE \
                        NULL::boolean END AND (b > 3)";
        assert_eq!(laid_out(&plain(form)), expected);
        for same in [
            "max(' _materialized_hypertable_1.x''_materialized_hypertable_2.y'::text)",
            "\"a _materialized_hypertable_1.b\"",
        ] {
            assert_eq!(unqualified(same), same);
        }
        assert_eq!(unqualified("f('a', _materialized_hypertable_12.price)"), "f('a', price)");
    }
}
