//! A query's clauses, told apart without a server: as far as a single `SELECT … FROM … GROUP BY …`
//! goes, which is what a continuous aggregate can be made from.

mod tokens;

use std::collections::BTreeMap;
use std::fmt;

use crate::core::{QualifiedName, SqlText};
use tokens::{Token, renamed, tokens};

pub use tokens::{normal, requalified};

/// Why a text is not such a query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SelectError {
    /// It does not begin with `SELECT`.
    NoSelect,
    /// It lacks a clause.
    Without(&'static str),
    /// It has a clause twice, or in another order.
    Unordered(String),
    /// It is made of several queries.
    Several(String),
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSelect => f.write_str("the query does not begin with SELECT"),
            Self::Without(clause) => write!(f, "the query has no {clause}"),
            Self::Unordered(clause) => write!(f, "{clause} is not where the query can have it"),
            Self::Several(word) => write!(f, "the query is made of several, by {}", word.to_uppercase()),
        }
    }
}

impl std::error::Error for SelectError {}

/// The clauses of a query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Select {
    /// What is between `SELECT` and `FROM`.
    pub list: String,
    /// What is between `FROM` and the next clause.
    pub from: String,
    /// The condition after `WHERE`.
    pub filter: Option<String>,
    /// What is after `GROUP BY`.
    pub group: String,
    /// The condition after `HAVING`.
    pub having: Option<String>,
    /// Whatever comes after that, such as `ORDER BY`.
    pub rest: Option<String>,
}

/// A relation that a query reads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Source {
    /// Its schema, where one is written.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// What the query calls it.
    pub alias: String,
    /// Where its name stands in `FROM`, and whether an alias follows.
    span: (usize, usize, bool),
}

impl Source {
    /// Its qualified name, where it is written with its schema.
    pub fn qualified(&self) -> Option<QualifiedName> {
        self.schema.as_ref().map(|schema| QualifiedName::new(schema, &self.name))
    }
}

const CLAUSES: [(&str, &str); 11] = [
    ("from", ""),
    ("where", ""),
    ("group", "by"),
    ("having", ""),
    ("window", ""),
    ("order", "by"),
    ("limit", ""),
    ("offset", ""),
    ("fetch", ""),
    ("for", ""),
    ("union", ""),
];
const SETS: [&str; 3] = ["union", "intersect", "except"];
/// The words that join what stands in `FROM`, none of which is an alias.
const JOINS: [&str; 13] = [
    "join",
    "inner",
    "left",
    "right",
    "full",
    "outer",
    "cross",
    "natural",
    "on",
    "using",
    "lateral",
    "tablesample",
    "as",
];

impl Select {
    /// Tells the clauses apart.
    ///
    /// # Errors
    /// Where the text is not one such query.
    pub fn split(sql: &SqlText) -> Result<Self, SelectError> {
        let text = sql.as_str();
        let tokens = tokens(text);
        if !tokens.first().is_some_and(|first| first.is("select")) {
            return Err(SelectError::NoSelect);
        }
        let outer: Vec<&Token<'_>> = tokens.iter().filter(|token| token.depth == 0).collect();
        let mut found: Vec<(&str, usize, usize)> = Vec::new();
        for (at, token) in outer.iter().enumerate().skip(1) {
            let before = outer.get(at - 1);
            let next = outer.get(at + 1);
            // `IS DISTINCT FROM`, and a name after a dot or `AS`.
            let is_other = before.is_some_and(|before| before.is("distinct") || before.is("as") || before.text == ".");
            if is_other {
                continue;
            }
            if SETS.iter().any(|word| token.is(word)) {
                return Err(SelectError::Several(token.text.to_owned()));
            }
            let clause = CLAUSES.iter().find(|(first, second)| {
                token.is(first) && (second.is_empty() || next.is_some_and(|next| next.is(second)))
            });
            // Before `FROM` nothing else can begin; what looks like it is a name.
            if let Some((first, second)) = clause
                && (*first == "from" || !found.is_empty())
            {
                let end = if second.is_empty() { token.end } else { next.map_or(token.end, |next| next.end) };
                found.push((first, token.start, end));
            }
        }
        assemble(text, &tokens, &found)
    }

    /// The relations that `FROM` names, in order. Of what is no name, such as a query in brackets,
    /// nothing.
    pub fn sources(&self) -> Vec<Source> {
        let tokens = tokens(&self.from);
        let mut found = Vec::new();
        let mut expected = true;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if token.text == "," || token.is("join") {
                expected = true;
                at += 1;
            } else if token.text == "(" || (expected && (token.is("only") || token.is("lateral"))) {
                at += 1;
            } else if token.is("select") || token.is("values") {
                // A query in brackets: up to where they close.
                expected = false;
                let depth = token.depth;
                at += tokens.iter().skip(at).take_while(|token| token.depth >= depth).count().max(1);
            } else if expected && token.is_name() && !JOINS.iter().any(|word| token.is(word)) {
                let (source, after) = source(&tokens, at);
                found.extend(source);
                expected = false;
                at = after;
            } else if token.is("on") || token.is("using") {
                // Up to the next join on the same level.
                let depth = token.depth;
                let goes_on = |token: &&Token<'_>| {
                    token.depth > depth || !(token.text == "," || token.text == ")" || is_join(token))
                };
                at += 1 + tokens.iter().skip(at + 1).take_while(goes_on).count();
            } else {
                at += 1;
            }
        }
        found
    }

    /// The conditions after each `ON` in `FROM`.
    pub fn join_conditions(&self) -> Vec<String> {
        self.conditions().into_iter().filter_map(|(start, end)| self.from.get(start..end)).map(trimmed).collect()
    }

    /// What the query calls each relation of `FROM`, with a name that does not depend on that: nothing for
    /// the only one, else its own, and with a number where it is read more than once. Empty where it
    /// cannot be told what a name in the query means: another query in brackets has names of its own.
    pub fn names(&self) -> BTreeMap<String, String> {
        if self.has_subquery() {
            return BTreeMap::new();
        }
        let sources = self.sources();
        if let [only] = sources.as_slice() {
            return BTreeMap::from([(only.alias.clone(), String::new())]);
        }
        let mut names = BTreeMap::new();
        for (at, source) in sources.iter().enumerate() {
            let before =
                sources.iter().take(at).filter(|other| (&other.schema, &other.name) == (&source.schema, &source.name));
            let again = match before.count() {
                0 => String::new(),
                number => format!("#{}", number + 1),
            };
            let name = source.qualified().map_or_else(|| source.name.clone(), |name| name.to_string());
            names.insert(source.alias.clone(), format!("{name}{again}"));
        }
        if names.len() < sources.len() { BTreeMap::new() } else { names }
    }

    fn has_subquery(&self) -> bool {
        tokens(&self.from).iter().any(|token| token.is("select") || token.is("values"))
    }

    /// `FROM` in one spelling, without the brackets, words and condition texts that mean nothing of
    /// their own; `conditions` stand for those of [`Self::join_conditions`]. What [`Self::names`] has a
    /// name for is called by that.
    pub fn normal_from(&self, conditions: &[String]) -> String {
        let ranges = self.conditions();
        let all = tokens(&self.from);
        let mut within_query: Option<usize> = None;
        let names = self.names();
        let sources: Vec<Source> =
            self.sources().into_iter().filter(|source| names.contains_key(&source.alias)).collect();
        // Names are told apart only where there are several.
        let sources = if names.len() > 1 { sources } else { Vec::new() };
        let mut words: Vec<String> = Vec::new();
        let mut put = 0;
        let mut alias_follows = false;
        for (at, token) in all.iter().enumerate() {
            let within = |source: &&Source| token.start >= source.span.0 && token.end <= source.span.1;
            if let Some(source) = sources.iter().find(within) {
                if token.end == source.span.1 {
                    words.extend(names.get(&source.alias).cloned());
                    alias_follows = source.span.2;
                }
                continue;
            }
            if alias_follows && token.is_name() && !token.is("as") {
                alias_follows = false;
                continue;
            }
            if let Some(within) = ranges.iter().position(|(start, end)| token.start >= *start && token.end <= *end) {
                if within >= put {
                    words.push(conditions.get(within).cloned().unwrap_or_default());
                    put = within + 1;
                }
                continue;
            }
            let idle = token.is("as") || token.is("inner") || token.is("outer");
            // Those around another query, and within it, mean something.
            let queries = all.get(at + 1).is_some_and(|next| next.is("select") || next.is("values") || next.is("with"));
            if token.text == "(" && within_query.is_none() && queries {
                within_query = Some(token.depth);
            }
            let closes = token.text == ")" && within_query == Some(token.depth);
            let bracket = within_query.is_none() && (token.text == "(" || token.text == ")") && !opens_call(&all, at);
            within_query = within_query.filter(|_| !closes);
            if !(idle || bracket) {
                words.push(token.normal());
            }
        }
        words.join(" ")
    }

    fn conditions(&self) -> Vec<(usize, usize)> {
        let tokens = tokens(&self.from);
        let mut ranges = Vec::new();
        for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.is("on")) {
            let ends = |other: &&Token<'_>| {
                other.depth < token.depth || (other.depth == token.depth && (other.text == "," || is_join(other)))
            };
            let rest = tokens.iter().skip(at + 1);
            // The bracket that closes what the join stands in is one level further out.
            let end = rest.clone().find(|other| ends(other) || (other.text == ")" && other.depth + 1 == token.depth));
            let end = end.map_or(self.from.len(), |end| end.start);
            ranges.push((token.end, end));
        }
        ranges
    }

    /// The same with a name of its own for each relation of `FROM` that is called like one before it, as those of one
    /// name in several schemas are: the server gives such names too. Nothing changes where another query in brackets
    /// may mean something else by a name.
    #[must_use]
    pub fn told_apart(&self) -> Self {
        let sources = if self.has_subquery() { Vec::new() } else { self.sources() };
        let mut named: Vec<(QualifiedName, String)> = Vec::new();
        let mut from = self.from.clone();
        let mut put = 0;
        // An alias that is there already is a clash, and so is the same relation twice: the server says so.
        let is_alike = |one: &Source, other: &Source| {
            one.name == other.name && one.schema != other.schema && !one.span.2 && !other.span.2
        };
        for (at, source) in sources.iter().enumerate() {
            let mut others = sources.iter().enumerate().filter(|(_, other)| other.alias == source.alias);
            let is_second = sources.iter().take(at).any(|other| is_alike(other, source));
            let is_clear = others.all(|(other_at, other)| other_at == at || is_alike(other, source));
            let Some(name) = source.qualified().filter(|_| is_second && is_clear) else { continue };
            let is_free = |alias: &String| {
                !sources.iter().any(|other| other.alias == *alias) && !named.iter().any(|(_, other)| other == alias)
            };
            let Some(alias) = (1..).map(|number| format!("{}_{number}", source.name)).find(is_free) else { continue };
            let (at, as_alias) = (source.span.1 + put, format!(" AS {}", crate::core::name::quote_identifier(&alias)));
            put += as_alias.len();
            from.insert_str(at, &as_alias);
            named.push((name, alias));
        }
        if named.is_empty() {
            return self.clone();
        }
        let renamed =
            |text: &String| named.iter().fold(text.clone(), |text, (name, alias)| renamed(&text, name, alias));
        Self { from, ..self.clone() }.each(&renamed)
    }

    /// The same with each clause as it is given for it.
    fn each(&self, clause: &dyn Fn(&String) -> String) -> Self {
        Self {
            list: clause(&self.list),
            from: clause(&self.from),
            filter: self.filter.as_ref().map(clause),
            group: clause(&self.group),
            having: self.having.as_ref().map(clause),
            rest: self.rest.as_ref().map(clause),
        }
    }

    /// The same over queries in the place of some relations. Columns that are named with the schema of one are
    /// named without, as what stands there has none.
    #[must_use]
    pub fn standing_in(&self, query: &dyn Fn(&QualifiedName) -> Option<String>) -> Self {
        let mut from = self.from.clone();
        let mut bare: Vec<QualifiedName> = Vec::new();
        for source in self.sources().iter().rev() {
            let Some(query) = source.qualified().and_then(|name| query(&name)) else { continue };
            let (start, end, aliased) = source.span;
            bare.extend(source.qualified().filter(|_| !aliased));
            let alias = crate::core::name::quote_identifier(&source.alias);
            let alias = if aliased { String::new() } else { format!(" AS {alias}") };
            let (before, after) = (from.get(..start).unwrap_or_default(), from.get(end..).unwrap_or_default());
            from = format!("{before}({query}){alias}{after}");
        }
        let without = |text: &String| bare.iter().fold(text.clone(), |text, name| renamed(&text, name, &name.name));
        Self { from, ..self.clone() }.each(&without)
    }

    /// How many of the things that it groups by are in its list, where both are spelled alike, as the server spells
    /// them.
    pub fn groups_listed(&self) -> usize {
        let listed = items(&self.list);
        items(&self.group).iter().filter(|item| listed.contains(item)).count()
    }

    /// The query with each clause, and each item of its lists, on a line of its own.
    pub fn lines(&self) -> String {
        let clause = |keyword: &str, text: &str| format!("{keyword} {}", on_one_line(text));
        let list = |keyword: &str, text: &str| {
            let items = parts(text).into_iter().map(|item| format!("\n    {},", on_one_line(item)));
            format!("{keyword}{}", items.collect::<String>())
        };
        let mut lines = vec![list("SELECT", &self.list), clause("FROM", &self.from)];
        lines.extend(self.filter.as_deref().map(|filter| clause("WHERE", filter)));
        lines.push(list("GROUP BY", &self.group));
        lines.extend(self.having.as_deref().map(|having| clause("HAVING", having)));
        lines.extend(self.rest.clone());
        lines.join("\n")
    }

    /// The query over the same relations, with another list and nothing to read.
    pub fn over_nothing(&self, list: &str, grouped: bool) -> String {
        let group = if grouped { format!(" GROUP BY {}", self.group) } else { String::new() };
        format!("SELECT {list} FROM {} WHERE false{group}", self.from)
    }
}

fn is_join(token: &Token<'_>) -> bool {
    ["join", "inner", "left", "right", "full", "cross", "natural"].iter().any(|word| token.is(word))
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The parts of a list, as they are written.
fn parts(list: &str) -> Vec<&str> {
    let tokens = tokens(list);
    let commas = tokens.iter().filter(|token| token.depth == 0 && token.text == ",");
    let ends = commas.clone().map(|comma| comma.start).chain([list.len()]);
    let starts = [0].into_iter().chain(commas.map(|comma| comma.end));
    starts.zip(ends).filter_map(|(start, end)| list.get(start..end)).collect()
}

/// The parts of a list in one spelling: without names for them, and without brackets around all of one.
fn items(list: &str) -> Vec<String> {
    let tokens = tokens(list);
    let parts = tokens.split(|token| token.depth == 0 && token.text == ",");
    parts
        .map(|part| {
            let unnamed = match part {
                [item @ .., word, name] if word.depth == 0 && word.is("as") && name.is_name() => item,
                item => item,
            };
            let inner = match unnamed {
                [first, inner @ .., last] if first.text == "(" && last.text == ")" => Some(inner),
                _ => None,
            };
            let all = inner.filter(|inner| inner.iter().all(|token| token.depth > 0)).unwrap_or(unnamed);
            all.iter().map(Token::normal).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// Whether a bracket is that of a call, of `USING` or of a list of column names: those mean something.
fn opens_call(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(token) = tokens.get(at) else { return false };
    let open = if token.text == "(" {
        Some(at)
    } else {
        (0..at).rev().find(|open| tokens.get(*open).is_some_and(|t| t.text == "(" && t.depth == token.depth))
    };
    let before = open.and_then(|open| open.checked_sub(1)).and_then(|before| tokens.get(before));
    before.is_some_and(|before| before.is("using") || (before.is_name() && !is_join(before) && !before.is("on")))
}

/// A name, perhaps with its schema and an alias, and what comes after.
fn source(tokens: &[Token<'_>], at: usize) -> (Option<Source>, usize) {
    let mut parts = Vec::new();
    let mut next = at;
    while let Some(token) = tokens.get(next).filter(|token| token.is_name()) {
        parts.push(token.name());
        next += 1;
        if tokens.get(next).is_some_and(|token| token.text == ".") {
            next += 1;
        } else {
            break;
        }
    }
    // A call is no relation: on behind its arguments.
    if let Some(open) = tokens.get(next).filter(|token| token.text == "(") {
        let inside = tokens.iter().skip(next + 1).take_while(|token| token.depth > open.depth).count();
        return (None, next + inside + 2);
    }
    let Some(name) = parts.pop() else { return (None, next.max(at + 1)) };
    let end = |of: usize| tokens.get(of).map_or(0, |token| token.end);
    let (start, end) = (tokens.get(at).map_or(0, |token| token.start), end(next.saturating_sub(1)));
    if tokens.get(next).is_some_and(|token| token.is("as")) {
        next += 1;
    }
    let alias = tokens.get(next).filter(|token| token.is_name() && !JOINS.iter().any(|word| token.is(word)));
    let named = alias.map_or_else(|| name.clone(), Token::name);
    let next = if alias.is_some() { next + 1 } else { next };
    let span = (start, end, alias.is_some());
    (Some(Source { schema: parts.pop(), name, alias: named, span }), next)
}

fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

fn assemble(text: &str, tokens: &[Token<'_>], found: &[(&str, usize, usize)]) -> Result<Select, SelectError> {
    const ORDER: [&str; 4] = ["from", "where", "group", "having"];
    let start = tokens.first().map_or(0, |first| first.end);
    let position = |clause: &str| found.iter().position(|(name, _, _)| *name == clause);
    let of = |clause: &str| {
        let at = position(clause)?;
        let (_, _, begin) = found.get(at)?;
        let end = found.get(at + 1).map_or(text.len(), |(_, start, _)| *start);
        text.get(*begin..end).map(trimmed)
    };
    let mut last = None;
    for (name, _, _) in found {
        let rank = ORDER.iter().position(|clause| clause == name).unwrap_or(ORDER.len());
        if last.is_some_and(|last| rank < last || (rank == last && rank < ORDER.len())) {
            return Err(SelectError::Unordered(name.to_uppercase()));
        }
        last = Some(rank);
    }
    let from = of("from").filter(|from| !from.is_empty()).ok_or(SelectError::Without("FROM"))?;
    let group = of("group").filter(|group| !group.is_empty()).ok_or(SelectError::Without("GROUP BY"))?;
    let first_from = found.first().map_or(text.len(), |(_, start, _)| *start);
    let rest = found.iter().find(|(name, _, _)| !ORDER.contains(name)).and_then(|(_, start, _)| text.get(*start..));
    Ok(Select {
        list: text.get(start..first_from).map(trimmed).unwrap_or_default(),
        from,
        filter: of("where"),
        group,
        having: of("having"),
        rest: rest.map(normal),
    })
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
