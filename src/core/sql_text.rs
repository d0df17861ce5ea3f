//! SQL that a policy author wrote: an index expression or predicate, checked so that it cannot
//! reach outside the parentheses that Chronoform puts around it.

use std::fmt;

/// One SQL expression as typed, known to be closed: its brackets, quotes and dollar quotes balance,
/// and it holds no comment and no statement separator.
///
/// That is not a claim that it parses; the server judges that. It is the claim that `( … )` around
/// it stays around it, whatever the author wrote.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SqlText(String);

/// Why a text is not one closed expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SqlTextError {
    /// There is nothing but space.
    Empty,
    /// A NUL character.
    Nul,
    /// A semicolon outside quotes.
    Separator,
    /// `--` or `/*` outside quotes.
    Comment,
    /// A bracket that closes what is not open, or is never closed.
    Unbalanced,
    /// A string, identifier or dollar quote that does not end.
    UnclosedQuote,
}

impl fmt::Display for SqlTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the expression is empty",
            Self::Nul => "the expression holds a NUL character",
            Self::Separator => "the expression holds a `;`: it must be one expression, not statements",
            Self::Comment => "the expression holds a comment (`--` or `/*`)",
            Self::Unbalanced => "the brackets of the expression do not balance",
            Self::UnclosedQuote => "a quote in the expression is opened and never closed",
        })
    }
}

impl std::error::Error for SqlTextError {}

impl SqlText {
    /// Checks and keeps an expression, trimmed.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn new(text: &str) -> Result<Self, SqlTextError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SqlTextError::Empty);
        }
        if text.contains('\0') {
            return Err(SqlTextError::Nul);
        }
        scan(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The expression as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SqlText {
    type Error = SqlTextError;
    fn try_from(text: String) -> Result<Self, SqlTextError> {
        Self::new(&text)
    }
}

impl From<SqlText> for String {
    fn from(sql: SqlText) -> Self {
        sql.0
    }
}

impl fmt::Display for SqlText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Walks the text as PostgreSQL's scanner would, as far as quotes, comments and brackets go.
fn scan(text: &str) -> Result<(), SqlTextError> {
    let mut open: Vec<u8> = Vec::new();
    let bytes = text.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    let mut i = 0;
    while i < bytes.len() {
        match at(i) {
            b'\'' => {
                // `E'…'` reads backslashes; a plain string does not, since 9.1.
                let escapes = i > 0 && matches!(at(i - 1), b'e' | b'E') && !(i > 1 && is_word(at(i - 2)));
                i = end_of_quote(bytes, i, escapes)?;
            }
            b'"' => i = end_of_quote(bytes, i, false)?,
            b'$' if !(i > 0 && is_word(at(i - 1))) => i = end_of_dollar_quote(text, i)?,
            b'-' if at(i + 1) == b'-' => return Err(SqlTextError::Comment),
            b'/' if at(i + 1) == b'*' => return Err(SqlTextError::Comment),
            b';' => return Err(SqlTextError::Separator),
            opening @ (b'(' | b'[') => open.push(opening),
            b')' if open.pop() != Some(b'(') => return Err(SqlTextError::Unbalanced),
            b']' if open.pop() != Some(b'[') => return Err(SqlTextError::Unbalanced),
            _ => {}
        }
        i += 1;
    }
    if open.is_empty() { Ok(()) } else { Err(SqlTextError::Unbalanced) }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// The index of the quote that closes the one at `start`.
fn end_of_quote(bytes: &[u8], start: usize, escapes: bool) -> Result<usize, SqlTextError> {
    let quote = bytes.get(start).copied();
    let mut i = start + 1;
    while let Some(&byte) = bytes.get(i) {
        if escapes && byte == b'\\' {
            i += 2;
        } else if Some(byte) != quote {
            i += 1;
        } else if bytes.get(i + 1).copied() == quote {
            i += 2;
        } else {
            return Ok(i);
        }
    }
    Err(SqlTextError::UnclosedQuote)
}

/// The index of the last byte of the dollar-quoted string at `start`; `start` itself where the
/// dollar sign opens none.
fn end_of_dollar_quote(text: &str, start: usize) -> Result<usize, SqlTextError> {
    let rest = text.get(start + 1..).unwrap_or("");
    let Some(tag_end) = rest.find('$') else { return Ok(start) };
    let tag = rest.get(..tag_end).unwrap_or("");
    let is_tag = tag.bytes().all(is_word) && !tag.starts_with(|c: char| c.is_ascii_digit());
    if !is_tag {
        return Ok(start);
    }
    let delimiter = format!("${tag}$");
    let body = start + delimiter.len();
    match text.get(body..).and_then(|body| body.find(&delimiter)) {
        Some(end) => Ok(body + end + delimiter.len() - 1),
        None => Err(SqlTextError::UnclosedQuote),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_expressions_pass() {
        for text in [
            "lower(symbol)",
            "price > 0 AND symbol = 'it''s; -- fine'",
            "(data ->> 'a;b')",
            "E'\\'; DROP' = x",
            "$$a;b)$$ = x",
            "$t$ ) $t$ <> \"odd;name)\"",
            "tags[1] - 1 > 0",
            "a $1 b",
        ] {
            assert_eq!(SqlText::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn nothing_gets_out_of_its_parentheses() {
        let refused = [
            ("true); DROP TABLE x; --", SqlTextError::Unbalanced),
            ("true) OR (true", SqlTextError::Unbalanced),
            ("a; b", SqlTextError::Separator),
            ("a -- b", SqlTextError::Comment),
            ("a /* b", SqlTextError::Comment),
            ("(a]", SqlTextError::Unbalanced),
            ("(a", SqlTextError::Unbalanced),
            ("'a", SqlTextError::UnclosedQuote),
            ("E'a\\'", SqlTextError::UnclosedQuote),
            ("\"a", SqlTextError::UnclosedQuote),
            ("$x$ a $y$", SqlTextError::UnclosedQuote),
            ("x'a\\'); DROP", SqlTextError::Unbalanced),
            ("", SqlTextError::Empty),
            ("a\0", SqlTextError::Nul),
        ];
        for (text, why) in refused {
            assert_eq!(SqlText::new(text), Err(why), "{text}");
        }
    }
}
