//! The tokens of a query, and what only they need to be known for: one spelling, and how columns are named.

use std::collections::BTreeMap;

use crate::core::QualifiedName;

/// A token of SQL: where it stands, and what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token<'a> {
    /// Its text.
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How many brackets are open around it. A bracket stands outside of itself.
    pub depth: usize,
}

impl Token<'_> {
    /// Whether it is that key word.
    pub fn is(&self, keyword: &str) -> bool {
        self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether it is a name, or a key word.
    pub fn is_name(&self) -> bool {
        self.text.starts_with(|first: char| first == '"' || first == '_' || first.is_alphabetic())
    }

    /// The name that it stands for: as it is in quotes, else in lower case, as SQL reads it.
    pub fn name(&self) -> String {
        match self.text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
            Some(inner) => inner.replace("\"\"", "\""),
            None => self.text.to_lowercase(),
        }
    }

    /// The same token in one spelling.
    pub fn normal(&self) -> String {
        if self.is_name() { crate::core::name::quote_identifier(&self.name()) } else { self.text.to_owned() }
    }
}

/// A text in one spelling: names quoted where needed, one space between tokens.
pub fn normal(text: &str) -> String {
    tokens(text).iter().map(Token::normal).collect::<Vec<_>>().join(" ")
}

/// A list with other names before the dots of columns, where `names` has them; an empty one goes with
/// its dot. The schema of a type, a collation or a function is no such name.
pub fn requalified(text: &str, names: &BTreeMap<String, String>) -> String {
    let tokens = tokens(text);
    let mut kept = String::new();
    let mut from = 0;
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let is_other = before.is_some_and(|t| t.text == "." || t.text == "::" || t.is("collate"));
        let (dot, column) = (tokens.get(at + 1), tokens.get(at + 2));
        let call = tokens.get(at + 3).is_some_and(|next| next.text == "(");
        if token.is_name()
            && !is_other
            && !call
            && dot.is_some_and(|dot| dot.text == ".")
            && let Some(name) = names.get(&token.name())
            && let Some(column) = column.filter(|column| column.is_name())
        {
            kept.push_str(text.get(from..token.start).unwrap_or_default());
            if !name.is_empty() {
                kept.push_str(name);
                kept.push('.');
            }
            from = column.start;
        }
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

/// A list with the columns that are named with a relation's schema named by an alias of it.
pub fn renamed(text: &str, relation: &QualifiedName, alias: &str) -> String {
    let tokens = tokens(text);
    let mut kept = String::new();
    let mut from = 0;
    for (at, own) in tokens.windows(5).enumerate() {
        let [schema, dot, name, next_dot, column] = own else { continue };
        let goes_on = at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| before.text == ".");
        let is_column = column.is_name() || column.text == "*";
        if schema.is_name()
            && !goes_on
            && dot.text == "."
            && next_dot.text == "."
            && name.is_name()
            && is_column
            && schema.name() == relation.schema
            && name.name() == relation.name
        {
            kept.push_str(text.get(from..schema.start).unwrap_or_default());
            kept.push_str(&crate::core::name::quote_identifier(alias));
            from = name.end;
        }
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

/// The tokens of a closed text.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut rest = text.char_indices().peekable();
    while let Some((start, first)) = rest.next() {
        if first.is_whitespace() {
            continue;
        }
        let mut end = start + first.len_utf8();
        let mut take = |end: &mut usize, goes_on: &dyn Fn(char) -> bool| {
            while let Some((at, c)) = rest.next_if(|(_, c)| goes_on(*c)) {
                *end = at + c.len_utf8();
            }
        };
        match first {
            '\'' | '"' => end = quoted_end(text, start, first, false),
            '$' => end = dollar_end(text, start),
            c if c.is_alphabetic() || c == '_' => {
                take(&mut end, &|c| c.is_alphanumeric() || c == '_' || c == '$');
                let prefix = text.get(start..end).unwrap_or_default();
                let quote = text.get(end..).is_some_and(|after| after.starts_with('\''));
                if quote {
                    end = quoted_end(text, end, '\'', prefix.eq_ignore_ascii_case("e"));
                }
            }
            c if c.is_ascii_digit() => take(&mut end, &|c| c.is_alphanumeric() || c == '.' || c == '_'),
            ':' => take(&mut end, &|c| c == ':' || c == '='),
            '<' | '>' | '=' | '!' | '|' | '&' | '~' | '@' | '#' | '%' | '^' | '+' | '-' | '*' | '/' | '?' => {
                take(&mut end, &|c| "<>=!|&~@#%^?".contains(c));
            }
            _ => {}
        }
        while rest.peek().is_some_and(|(at, _)| *at < end) {
            rest.next();
        }
        if matches!(first, ')' | ']') {
            depth = depth.saturating_sub(1);
        }
        found.push(Token { text: text.get(start..end).unwrap_or_default(), start, end, depth });
        if matches!(first, '(' | '[') {
            depth += 1;
        }
    }
    found
}

/// Past a quote that begins at `start`; a doubled one is part of it.
fn quoted_end(text: &str, start: usize, quote: char, escapes: bool) -> usize {
    let mut inner = text.char_indices().skip_while(|(at, _)| *at <= start).peekable();
    while let Some((at, c)) = inner.next() {
        if escapes && c == '\\' {
            inner.next();
        } else if c == quote {
            match inner.peek() {
                Some((_, next)) if *next == quote => _ = inner.next(),
                _ => return at + c.len_utf8(),
            }
        }
    }
    text.len()
}

/// Past a dollar quote that begins at `start`.
fn dollar_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let tag = rest.get(1..).and_then(|after| after.find('$')).map(|at| at + 2);
    let Some(tag) = tag.and_then(|length| rest.get(..length)) else { return start + 1 };
    let after = rest.get(tag.len()..).unwrap_or_default();
    after.find(tag).map_or(start + 1, |at| start + at + 2 * tag.len())
}
