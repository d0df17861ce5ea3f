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
    /// `$1`: there is nothing that it could stand for.
    Parameter,
    /// A number that runs into a quote.
    Number,
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
            Self::Parameter => "the expression holds a parameter such as `$1`, and nothing gives it a value",
            Self::Number => "the expression holds a number that runs into a quote",
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

/// Walks the text token by token as PostgreSQL's scanner does (`src/backend/parser/scan.l`, 14 to
/// 18), as far as quotes, comments and brackets go. Where the versions differ, or a token could be
/// read in two ways, the text is refused.
fn scan(text: &str) -> Result<(), SqlTextError> {
    let mut open: Vec<u8> = Vec::new();
    let bytes = text.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    let run = |from: usize, goes_on: fn(u8) -> bool| {
        from + bytes.iter().skip(from).take_while(|byte| goes_on(**byte)).count()
    };
    let mut i = 0;
    while i < bytes.len() {
        i = match at(i) {
            b'\'' => end_of_string(bytes, i, false)?,
            b'"' => end_of_quote(bytes, i, false)?,
            b'$' if at(i + 1).is_ascii_digit() => return Err(SqlTextError::Parameter),
            b'$' => end_of_dollar_quote(text, i)?,
            b'-' if at(i + 1) == b'-' => return Err(SqlTextError::Comment),
            b'/' if at(i + 1) == b'*' => return Err(SqlTextError::Comment),
            b';' => return Err(SqlTextError::Separator),
            opening @ (b'(' | b'[') => {
                open.push(opening);
                i + 1
            }
            b')' if open.pop() != Some(b'(') => return Err(SqlTextError::Unbalanced),
            b']' if open.pop() != Some(b'[') => return Err(SqlTextError::Unbalanced),
            // Where a number ends that runs into letters depends on the version.
            digit if digit.is_ascii_digit() => match run(i, |byte| byte == b'.' || (byte != b'$' && is_word(byte))) {
                end if matches!(at(end), b'\'' | b'$') => return Err(SqlTextError::Number),
                end => end,
            },
            letter if is_word(letter) => match run(i, is_word) {
                end if at(end) == b'\'' => {
                    // `E'…'` reads backslashes; a plain string does not, since 9.1.
                    let escapes = bytes.get(i..end).is_some_and(|word| word.eq_ignore_ascii_case(b"e"));
                    end_of_string(bytes, end, escapes)?
                }
                end => end,
            },
            _ => i + 1,
        };
    }
    if open.is_empty() { Ok(()) } else { Err(SqlTextError::Unbalanced) }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// Past the string whose quote is at `start`, with every piece that continues it on another line:
/// those are read as the first one is.
fn end_of_string(bytes: &[u8], start: usize, escapes: bool) -> Result<usize, SqlTextError> {
    let mut end = end_of_quote(bytes, start, escapes)?;
    loop {
        let space = bytes.iter().skip(end).take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b);
        let (length, lines) = space
            .fold((0, 0), |(length, lines), byte| (length + 1, lines + usize::from(matches!(byte, b'\n' | b'\r'))));
        if lines == 0 || bytes.get(end + length) != Some(&b'\'') {
            return Ok(end);
        }
        end = end_of_quote(bytes, end + length, escapes)?;
    }
}

/// Past the quote that closes the one at `start`.
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
            return Ok(i + 1);
        }
    }
    Err(SqlTextError::UnclosedQuote)
}

/// Past the dollar-quoted string at `start`, or past the dollar sign where it opens none.
fn end_of_dollar_quote(text: &str, start: usize) -> Result<usize, SqlTextError> {
    let rest = text.get(start + 1..).unwrap_or("");
    let Some(tag_end) = rest.find('$') else { return Ok(start + 1) };
    let tag = rest.get(..tag_end).unwrap_or("");
    if !tag.bytes().all(is_word) {
        return Ok(start + 1);
    }
    let delimiter = format!("${tag}$");
    let body = start + delimiter.len();
    match text.get(body..).and_then(|body| body.find(&delimiter)) {
        Some(end) => Ok(body + end + delimiter.len()),
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
            "at>'2020-01-01'::date AND 0x1F+1.5e3<x1",
            "a$b$c = 'x' AND U&'\\0041' = U&\"d\"",
            "'one'\n 'two'",
            "E'\\''\n'\\'' = b",
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
            ("a = $1", SqlTextError::Parameter),
        ];
        for (text, why) in refused {
            assert_eq!(SqlText::new(text), Err(why), "{text}");
        }
    }

    #[test]
    fn what_the_server_reads_in_another_way_is_refused() {
        for text in [
            // The second piece of an E'' string reads backslashes as well.
            "E'a'\n'b\\' '); DROP TABLE x; -- '",
            "E'a'\r\n\t'b\\' '); DROP TABLE x; -- '",
            // A dollar quote right behind a number, and a name that only looks like one.
            "1$a$ ' $a$); DROP TABLE x; -- '",
            "1a$b$ ); DROP TABLE x; -- $b$",
            "1e'\\' '); DROP TABLE x; -- '",
            "1.e'\\' '); DROP TABLE x; -- '",
            ".5e'\\' '); DROP TABLE x; -- '",
            "$1$a$ ' $a$); DROP TABLE x; -- '",
        ] {
            assert!(SqlText::new(text).is_err(), "{text}");
        }
        // A name may hold a dollar sign, and then it opens no quote.
        assert_eq!(SqlText::new("a$b$ ); DROP TABLE x; SELECT ($b$"), Err(SqlTextError::Unbalanced));
    }
}
