//! Whole queries in the server's own form, without creating anything.
//!
//! A query is taken apart at its clauses, and `EXPLAIN (VERBOSE)` deparses what each of them means:
//! its columns and groups as they are, a condition as an output column of its own. `WHERE false`
//! stands in the place of the query's own condition, so that nothing depends on whether a table
//! holds rows, and no chunk is planned. What is compared is semantic: brackets, aliases of relations,
//! casts and constant arithmetic make no difference. Only in the presence of another query within
//! `FROM` aliases count, for it may give the same name another meaning. Everything is asked in one round trip,
//! the types of columns in another, and only where a query is refused is each asked on its own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::core::name::quote_identifier;
use crate::core::select::{Select, Source, normal, requalified};
use crate::core::{Address, Applied, Desired, Ensure, Live, QualifiedName, SqlText};
use crate::diag::Failure;
use crate::kinds::{Canon, Column, Dimension, Hypertable, Relation, RelationKind, Relations, Stored, by_id};
use crate::pg::{PgError, PgErrorKind, Session};

/// A query's canonical form, and the columns that it gives.
pub(super) struct Form {
    canonical: String,
    columns: Vec<Output>,
}

/// A column that a query gives.
pub(super) struct Output {
    name: String,
    expression: String,
}

pub(super) type Answer = Result<Form, String>;

/// What a relation is yet to be made of.
pub(super) type Unmade<'a> = BTreeMap<&'a QualifiedName, (&'a Desired, SqlText)>;

/// What can only be asked over relations that the plan is to make.
pub(super) struct Rest<'a> {
    /// The queries that relations are yet to be made of.
    pub made: Unmade<'a>,
    /// Queries of what is there, and is to read something that is not.
    pub later: BTreeSet<(QualifiedName, SqlText)>,
}

/// Adds the canonical form of each query to `canon`, under the relation that it is of: of those that read what is
/// there. The others are given back.
pub(super) fn settle<'a>(
    session: &mut Session,
    desired: &'a BTreeMap<Address, Desired>,
    live: &BTreeMap<Address, Live>,
    applied: &BTreeMap<Address, Applied>,
    relations: &Relations,
    canon: &mut Canon,
) -> Result<Rest<'a>, Failure> {
    let mut compared: BTreeSet<(QualifiedName, SqlText)> = BTreeSet::new();
    let mut made = Unmade::new();
    for wanted in desired.values().filter(|wanted| wanted.ensure == Ensure::Present) {
        let (Some(kind), Some(on)) = (by_id(&wanted.address.kind), &wanted.on) else { continue };
        let queries = kind.queries(wanted, live.get(&wanted.address), applied.get(&wanted.address));
        compared.extend(queries.into_iter().map(|query| (on.clone(), query)));
        if let Some(query) = kind.makes(wanted).filter(|_| !relations.contains_key(on)) {
            made.insert(on, (wanted, query));
        }
    }
    let reads_unmade = |(_, query): &(QualifiedName, SqlText)| {
        let sources = Select::split(query).map(|select| select.sources()).unwrap_or_default();
        sources.iter().filter_map(Source::qualified).any(|source| made.contains_key(&source))
    };
    let (later, now): (BTreeSet<_>, BTreeSet<_>) = compared.into_iter().partition(reads_unmade);
    compare(session, now, &Relations::new(), canon)?;
    Ok(Rest { made, later })
}

/// Asks for the forms of queries that are compared with one another.
pub(super) fn compare(
    session: &mut Session,
    compared: BTreeSet<(QualifiedName, SqlText)>,
    relations: &Relations,
    canon: &mut Canon,
) -> Result<(), Failure> {
    let texts: BTreeSet<SqlText> = compared.iter().map(|(_, query)| query.clone()).collect();
    let asked = texts.into_iter().map(|query| {
        let select = Select::split(&query).ok().map(|select| over_unmade(&select, relations));
        (query, select)
    });
    let answers = ask(session, asked.collect())?;
    for (on, query) in compared {
        let answer = answers.get(&query).map(|answer| answer.as_ref().map(|form| form.canonical.clone()));
        canon.extend(answer.map(|answer| ((on, query), answer.map_err(Clone::clone))));
    }
    Ok(())
}

/// Asks for queries that relations are yet to be made of, and adds the relations.
pub(super) fn make(
    session: &mut Session,
    made: &Unmade<'_>,
    relations: &mut Relations,
    canon: &mut Canon,
) -> Result<(), Failure> {
    let asked = made.values().map(|(_, query)| (query.clone(), Select::split(query).ok()));
    let asked = asked.map(|(query, select)| (query, select.map(|select| over_unmade(&select, relations))));
    let asked: BTreeMap<SqlText, Option<Select>> = asked.collect();
    let answers = ask(session, asked.clone().into_iter().collect())?;
    let mut known: Vec<(&QualifiedName, &Select, &Form)> = Vec::new();
    for (on, (_, query)) in made {
        match (answers.get(query), asked.get(query)) {
            (Some(Ok(form)), Some(Some(select))) => {
                canon.insert(((*on).clone(), query.clone()), Ok(form.canonical.clone()));
                known.push((on, select, form));
            }
            (Some(Err(complaint)), _) => canon.insert(((*on).clone(), query.clone()), Err(complaint.clone())),
            _ => {}
        }
    }
    add_relations(session, &known, relations)
}

/// The query with what the plan is yet to make, or makes anew, of it replaced by rows of the same columns.
pub(super) fn over_unmade(select: &Select, relations: &Relations) -> Select {
    select.told_apart().standing_in(&|name| stand_in(relations.get(name)?))
}

/// A query in the place of a relation that is not there yet as it is to come. `OFFSET 0` keeps the server from
/// putting the NULLs in the place of the columns, so that an expression over it reads as over the relation.
pub(super) fn stand_in(relation: &Relation) -> Option<String> {
    let relation = match &relation.coming {
        Some(Ok(coming)) => coming,
        _ => Some(relation).filter(|relation| relation.stored == Stored::Nowhere)?,
    };
    let column = |column: &Column| format!("NULL::{} AS {}", column.type_name, quote_identifier(&column.name));
    let columns: Vec<String> = relation.columns.iter().map(column).collect();
    Some(format!("SELECT {} OFFSET 0", columns.join(", ")))
}

fn lost(error: PgError) -> Failure {
    Failure::from(error.diagnostic("comparing queries"))
}

/// Asks for queries, each as it is or in another form.
pub(super) fn ask(
    session: &mut Session,
    queries: Vec<(SqlText, Option<Select>)>,
) -> Result<BTreeMap<SqlText, Answer>, Failure> {
    let mut answers: BTreeMap<SqlText, Answer> = BTreeMap::new();
    let mut parts: Vec<(SqlText, Select)> = Vec::new();
    for (query, form) in queries {
        match form.map_or_else(|| Select::split(&query), Ok) {
            Ok(select) => parts.push((query, select.told_apart())),
            Err(error) => _ = answers.insert(query, Err(error.to_string())),
        }
    }
    let statements: Vec<Vec<String>> = parts.iter().map(|(_, select)| statements(select)).collect();
    let all = statements.concat();
    if all.is_empty() {
        return Ok(answers);
    }
    match session.batch_texts(&all.join("; ")) {
        Ok(results) => {
            let mut rest = results.as_slice();
            for ((query, select), own) in parts.iter().zip(&statements) {
                let (mine, after) = rest.split_at_checked(own.len()).unwrap_or((&[], &[]));
                rest = after;
                answers.insert(query.clone(), form(select, mine));
            }
        }
        Err(error) if error.kind == PgErrorKind::Server => {
            session.batch("ROLLBACK TO SAVEPOINT canon").map_err(lost)?;
            for ((query, select), own) in parts.iter().zip(&statements) {
                let answer = match session.batch_texts(&own.join("; ")) {
                    Ok(results) => form(select, &results),
                    Err(error) if error.kind == PgErrorKind::Server => {
                        session.batch("ROLLBACK TO SAVEPOINT canon").map_err(lost)?;
                        Err(error.message)
                    }
                    Err(error) => return Err(lost(error)),
                };
                answers.insert(query.clone(), answer);
            }
        }
        Err(error) => return Err(lost(error)),
    }
    Ok(answers)
}

/// What is asked of one query, in the order in which [`form`] reads the answers. The query's text is
/// closed (see [`SqlText`]), and so is each clause of it.
fn statements(select: &Select) -> Vec<String> {
    let explain = |query: String| format!("EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) {query}");
    let condition =
        |condition: &str| explain(select.over_nothing(&format!("CASE WHEN ({condition}) THEN true END"), false));
    // Groups are named by the columns before it.
    let having = |having: &str| {
        explain(select.over_nothing(&format!("{}, CASE WHEN ({having}) THEN true END", select.list), true))
    };
    let whole = select.over_nothing(&select.list, true);
    // With the star, for one of the columns may be called `s` too.
    let mut asked =
        vec![format!("SELECT pg_catalog.row_to_json(s.*)::text FROM {} AS s", one_row(&whole)), explain(whole.clone())];
    asked.extend(select.filter.iter().map(|filter| condition(filter)));
    asked.extend(select.having.iter().map(|text| having(text)));
    asked.extend(select.join_conditions().iter().map(|on| condition(on)));
    asked
}

/// One row of the query's columns, all of them NULL.
fn one_row(query: &str) -> String {
    format!("(SELECT q.* FROM (VALUES (1)) AS o LEFT JOIN ({query}) AS q ON false)")
}

fn form(select: &Select, results: &[Vec<String>]) -> Answer {
    let mut results = results.iter();
    let mut next = || results.next().map(|rows| rows.join("\n")).ok_or_else(|| "the server gave no plan".to_owned());
    let names = names(&next()?)?;
    let whole = plan(&next()?)?;
    // What the query calls its relations makes no difference.
    let (sources, names_of_sources) = (select.sources(), select.names());
    let bare = |text: String| requalified(&text, &names_of_sources);
    let mut outputs = texts(&whole, "Output").into_iter().map(|text| bare(unwrap(text)));
    let columns: Vec<Output> =
        names.into_iter().map(|name| Output { name, expression: outputs.next().unwrap_or_default() }).collect();
    let groups: BTreeSet<String> = texts(&whole, "Group Key").into_iter().map(|text| bare(unwrap(text))).collect();
    let mut condition = |at: usize| -> Result<String, String> {
        texts(&plan(&next()?)?, "Output").into_iter().nth(at).map(bare).ok_or_else(|| "it is no condition".to_owned())
    };
    let filter = select.filter.as_ref().map(|_| condition(0)).transpose()?.map(|text| in_order(&text));
    let having = select.having.as_ref().map(|_| condition(columns.len())).transpose()?.map(|text| in_order(&text));
    let joins: Vec<String> = select.join_conditions().iter().map(|_| condition(0)).collect::<Result<_, _>>()?;
    let from = match sources.as_slice() {
        [only] if joins.is_empty() && is_plain(&select.from, only.schema.is_some()) => {
            json!([only.schema, only.name])
        }
        _ => json!(select.normal_from(&joins)),
    };
    let list: Vec<Json> = columns.iter().map(|column| json!([column.name, column.expression])).collect();
    let canonical = json!({
        "columns": list,
        "from": from,
        "where": filter,
        "group": groups,
        "having": having,
        "rest": select.rest,
    });
    Ok(Form { canonical: canonical.to_string(), columns })
}

/// A condition with the parts that must all hold, or of which one must, in an order of their own: in
/// which order they are written makes no difference, and the server may test them in any.
fn in_order(condition: &str) -> String {
    let Some(groups) = groups(condition) else { return condition.to_owned() };
    let (mut text, mut at) = (String::new(), 0);
    for group in groups {
        text.push_str(condition.get(at..group.start).unwrap_or_default());
        text.push_str(&in_order(condition.get(group.clone()).unwrap_or_default()));
        at = group.end;
    }
    text.push_str(condition.get(at..).unwrap_or_default());
    for word in [" AND ", " OR "] {
        if let Some(mut parts) = parts_of(&text, word) {
            parts.sort_unstable();
            return parts.join(word);
        }
    }
    text
}

/// The parts of `a AND b`, or with another word, as the server writes it: each in brackets, or a name or
/// call without a space outside of brackets. `None` where the text is not of that form.
fn parts_of<'a>(text: &'a str, word: &str) -> Option<Vec<&'a str>> {
    let mut parts: Vec<&str> = Vec::new();
    let mut begin = 0;
    for at in spaces(text)? {
        // The space behind the word is its own.
        if at >= begin {
            text.get(at..)?.starts_with(word).then_some(())?;
            parts.push(text.get(begin..at)?);
            begin = at + word.len();
        }
    }
    parts.push(text.get(begin..)?);
    (parts.len() > 1).then_some(parts)
}

/// What stands in each pair of brackets; `None` where they do not match.
fn groups(text: &str) -> Option<Vec<std::ops::Range<usize>>> {
    let (mut found, mut open, mut quote) = (Vec::new(), Vec::new(), None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(begun), c) if begun == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => open.push(at + 1),
            (None, ')') => {
                let begin = open.pop()?;
                if open.is_empty() {
                    found.push(begin..at);
                }
            }
            _ => {}
        }
    }
    (open.is_empty() && quote.is_none()).then_some(found)
}

/// Where there are spaces outside of brackets and quotes; `None` where those do not match.
fn spaces(text: &str) -> Option<Vec<usize>> {
    let (mut found, mut depth, mut quote) = (Vec::new(), 0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.checked_sub(1)?,
            (None, ' ') if depth == 0 => found.push(at),
            _ => {}
        }
    }
    (depth == 0 && quote.is_none()).then_some(found)
}

/// Whether `FROM` is a relation's name, with or without an alias, and nothing else.
fn is_plain(from: &str, has_schema: bool) -> bool {
    let words = normal(from).split(' ').filter(|word| *word != "\"as\"" && *word != "as").count();
    words <= if has_schema { 4 } else { 2 }
}

/// The keys of a JSON object, in order.
fn names(text: &str) -> Result<Vec<String>, String> {
    match serde_json::from_str(text) {
        Ok(Json::Object(entries)) => Ok(entries.into_iter().map(|(name, _)| name).collect()),
        Ok(_) => Err("the server gave no row".to_owned()),
        Err(error) => Err(format!("the server's row is no JSON: {error}")),
    }
}

/// The topmost node of a plan in JSON.
fn plan(text: &str) -> Result<Json, String> {
    let plan: Json = serde_json::from_str(text).map_err(|error| format!("the server's plan is no JSON: {error}"))?;
    plan.pointer("/0/Plan").cloned().ok_or_else(|| "the server gave no plan".to_owned())
}

fn texts(plan: &Json, property: &str) -> Vec<String> {
    let items = plan.get(property).and_then(Json::as_array).into_iter().flatten();
    items.filter_map(Json::as_str).map(str::to_owned).collect()
}

/// An expression without the brackets that the server puts around what a node below has computed.
fn unwrap(text: String) -> String {
    let inner = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
    match inner.filter(|inner| SqlText::new(inner).is_ok()) {
        Some(inner) => inner.to_owned(),
        None => text,
    }
}

/// Adds the relations that are yet to be made, with the columns that their queries give.
fn add_relations(
    session: &mut Session,
    known: &[(&QualifiedName, &Select, &Form)],
    relations: &mut Relations,
) -> Result<(), Failure> {
    let made = made_of(session, known, relations)?;
    relations.extend(made.into_iter().map(|made| (made.name.clone(), made)));
    Ok(())
}

/// The relations that the plan makes of queries whose forms are known, in the same order.
pub(super) fn made_of(
    session: &mut Session,
    known: &[(&QualifiedName, &Select, &Form)],
    relations: &Relations,
) -> Result<Vec<Relation>, Failure> {
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let statements: Vec<String> = known.iter().map(|(_, select, form)| types_of(select, form)).collect();
    let results = session.batch_texts(&statements.join("; ")).map_err(lost)?;
    let one = |((on, select, form), rows): (&(&QualifiedName, &Select, &Form), &Vec<String>)| {
        let types: Vec<String> = serde_json::from_str(&rows.join("")).unwrap_or_default();
        relation(on, select, form, &types, relations)
    };
    Ok(known.iter().zip(&results).map(one).collect())
}

fn types_of(select: &Select, form: &Form) -> String {
    let of = |column: &Output| {
        let name = quote_identifier(&column.name);
        let oid = format!("pg_catalog.pg_typeof(s.{name})::pg_catalog.oid");
        format!("{oid}::text, pg_catalog.format_type({oid}, NULL)")
    };
    let columns: Vec<String> = form.columns.iter().map(of).collect();
    let row = one_row(&select.over_nothing(&select.list, true));
    format!("SELECT pg_catalog.array_to_json(ARRAY[{}]::text[])::text FROM {row} AS s", columns.join(", "))
}

fn relation(name: &QualifiedName, select: &Select, form: &Form, types: &[String], relations: &Relations) -> Relation {
    let columns: Vec<Column> = form
        .columns
        .iter()
        .zip(types.chunks(2))
        .map(|(column, own)| Column {
            name: column.name.clone(),
            type_name: own.get(1).cloned().unwrap_or_default(),
            base_type: own.first().and_then(|oid| oid.parse().ok()).unwrap_or(0),
            not_null: false,
        })
        .collect();
    let is_bucket = |column: &&Output| column.expression.contains("time_bucket");
    let time = form.columns.iter().find(is_bucket).map(|column| column.name.clone());
    let sources = select.sources();
    let present = sources.iter().filter_map(|source| relations.get(&source.qualified()?)?.hypertable.as_ref()?.time());
    let told = present.filter_map(|time| Some((time.integer_now.clone()?, time.present.clone()))).next();
    let (integer_now, present) = told.map_or((None, None), |(function, present)| (Some(function), present));
    let dimension = time.map(|column| Dimension {
        column,
        interval: None,
        integer_interval: None,
        integer_now,
        inherits_now: true,
        present,
        partitions: None,
    });
    let dimensions = dimension.into_iter().collect();
    let hypertable = Hypertable { id: 0, dimensions, columnstore: false, chunks: 0, begun: false };
    Relation {
        oid: 0,
        name: name.clone(),
        kind: RelationKind::View,
        columns,
        hypertable: Some(hypertable),
        stored: Stored::Nowhere,
        has_pages: false,
        owner: String::new(),
        owned: true,
        owner_logs_in: true,
        coming: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(text: &str) -> Select {
        Select::split(&SqlText::new(text).unwrap()).unwrap()
    }

    fn explained(output: &[&str], groups: &[&str]) -> Vec<String> {
        vec![json!([{ "Plan": { "Output": output, "Group Key": groups } }]).to_string()]
    }

    fn answers(qualifier: &str) -> Vec<Vec<String>> {
        vec![
            vec![r#"{"bucket":null,"n":null}"#.to_owned()],
            explained(
                &["(public.time_bucket('01:00:00'::interval, \"time\"))", "count(*)"],
                &[&format!("public.time_bucket('01:00:00'::interval, {qualifier}.\"time\")")],
            ),
            explained(&["CASE WHEN (price > '0'::numeric) THEN true ELSE NULL::boolean END"], &[]),
        ]
    }

    #[test]
    fn spelling_makes_no_difference_and_meaning_does() {
        let one =
            select("SELECT time_bucket('1 h', time) AS bucket, count(*) n FROM public.t WHERE price>0 GROUP BY 1");
        let other = select("select x.* from public.t as x where (price > 0) group by bucket");
        let form = |select: &Select, answers: &[Vec<String>]| super::form(select, answers).unwrap().canonical;
        assert_eq!(form(&one, &answers("t")), form(&other, &answers("x")));
        let elsewhere = select("SELECT 1 FROM other.t WHERE price > 0 GROUP BY 1");
        assert_ne!(form(&one, &answers("t")), form(&elsewhere, &answers("t")));
        let mut renamed = answers("t");
        renamed[0] = vec![r#"{"bucket":null,"m":null}"#.to_owned()];
        assert_ne!(form(&one, &answers("t")), form(&one, &renamed));
    }

    #[test]
    fn what_must_all_hold_is_the_same_in_any_order() {
        let when = |inner: &str| in_order(&format!("CASE WHEN ({inner}) THEN true ELSE NULL::boolean END"));
        assert_eq!(when("(a > 1) AND f(b, 2) AND c"), when("c AND (a > 1) AND f(b, 2)"));
        assert_eq!(when("(a = ' AND '::text) AND (b IS NULL)"), when("(b IS NULL) AND (a = ' AND '::text)"));
        assert_eq!(when("((a < 1) OR (b > 2)) AND c"), when("c AND ((b > 2) OR (a < 1))"));
        for (one, other) in [
            ("(a > 1) AND (b > 2)", "(a > 2) AND (b > 1)"),
            ("(a > 1) AND (b > 2)", "(a > 1) OR (b > 2)"),
            ("(a AND b) OR c", "a AND (b OR c)"),
            ("f(a, b)", "f(b, a)"),
            ("(a - b) > 0", "(b - a) > 0"),
            ("('x AND y'::text = a)", "('y AND x'::text = a)"),
        ] {
            assert_ne!(when(one), when(other), "{one}");
        }
        for kept in ["a > 1", "x = CASE WHEN p AND q THEN 1 END", "(a AND b", "'a AND b"] {
            assert!(when(kept).contains(&format!("({kept})")), "{kept}");
        }
    }

    #[test]
    fn a_query_is_asked_for_each_of_its_clauses() {
        let select = select("SELECT a, count(*) FROM t JOIN u ON t.x = u.x WHERE b GROUP BY a HAVING count(*) > 1");
        let asked = statements(&select);
        assert_eq!(asked.len(), 5);
        assert!(asked.iter().all(|sql| sql.contains("WHERE false")));
        assert!(asked[3].ends_with("GROUP BY a") && asked[4].contains("CASE WHEN (t.x = u.x) THEN true END"));
    }

    #[test]
    fn only_a_bare_relation_is_plain() {
        assert!(is_plain("public.t", true) && is_plain("public.t AS x", true) && is_plain("t", false));
        assert!(!is_plain("public.t TABLESAMPLE system (1)", true) && !is_plain("ONLY public.t x", true));
    }
}
