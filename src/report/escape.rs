//! The way out for names and values that nobody vouches for.
//!
//! A table may be called anything: an ANSI sequence that clears the screen, a newline and a forged
//! "No changes", a character that turns the reading direction, a closing HTML tag. Whatever is not
//! plainly visible is shown as `\u{…}`, in every format.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text on one line with everything invisible or misleading made visible.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_deceptive(c) => push_escape(&mut out, c),
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A text as its lines, each clean. A tab is four spaces, and `\r\n` ends a line as `\n` does.
pub(super) fn lines(text: &str) -> Vec<String> {
    let line = |line: &str| clean(&line.replace('\t', "    ")).into_owned();
    text.split('\n').map(|part| line(part.strip_suffix('\r').unwrap_or(part))).collect()
}

/// The same without anything outside ASCII. A terminal that does not read UTF-8 may take a part of
/// a character for a control code.
pub(super) fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c.is_ascii() { out.push(c) } else { push_escape(&mut out, c) }
    }
    Cow::Owned(out)
}

fn push_escape(out: &mut String, c: char) {
    // Writing to a String cannot fail.
    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
}

/// Whether a character controls the terminal, cannot be seen, or moves what stands around it.
pub(super) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Spaces that are none, or look like one.
            '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{1680}' | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200d}'
            | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}'..='\u{2065}' | '\u{3000}' | '\u{feff}'
            // Letters without a shape.
            | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}'
            // Reading direction.
            | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
            // Variation selectors, annotations, tags, private use, and what is no character.
            | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

/// A text inside HTML, in an element or an attribute.
pub(super) fn html(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// A text inside a Markdown paragraph or table cell, where none of it must mean anything: no
/// emphasis, no link, no HTML, no column, no mention of a person.
pub(super) fn markdown(text: &str) -> String {
    let text = clean(text).replace("://", ":<!-- -->//").replace("www.", "www<!-- -->.");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let after = rest.chars().nth(1).unwrap_or(' ');
        if let Some(after) = rest.strip_prefix("<!-- -->") {
            out.push_str("<!-- -->");
            rest = after;
            continue;
        }
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' => out.push_str("&#124;"),
            '@' | '#' => {
                out.push(c);
                out.push_str("<!-- -->");
            }
            // Inside a word it is no emphasis.
            '_' if before.is_alphanumeric() && after.is_alphanumeric() => out.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '{' | '}' | '!' | '~' | '$' | '^' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
        before = c;
        rest = rest.get(c.len_utf8()..).unwrap_or("");
    }
    out
}

/// A name or value as code in a Markdown paragraph or table cell.
pub(super) fn markdown_code(text: &str) -> String {
    let text = clean(text);
    let plain = !text.is_empty() && !text.starts_with(' ') && !text.ends_with(' ');
    // A table splits at a pipe even inside backticks, and renderers disagree on how to escape it
    // there; nor can a backtick be escaped inside backticks. HTML's entities work everywhere.
    if plain && !text.contains(['`', '|', '\\']) {
        return format!("`{text}`");
    }
    let mut out = String::from("<code>");
    for c in text.chars() {
        if "\\`*_[]{}<>&|!~$^#@:".contains(c) || c == ' ' && !plain {
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out + "</code>"
}

/// A Markdown code block that its content cannot end.
pub(super) fn markdown_block(language: &str, content: &str) -> String {
    let content = lines(content).join("\n");
    let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{content}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(clean("plain, größe, 表, 🚀"), "plain, größe, 表, 🚀");
        assert_eq!(clean("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(clean("a\nb\rc\td"), "a\\nb\\rc\\td");
        assert_eq!(clean("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(clean("safe\u{202e}elif"), "safe\\u{202e}elif");
        assert_eq!(clean("a\u{200b}b\u{feff}"), "a\\u{200b}b\\u{feff}");
        assert_eq!(ascii("größe"), "gr\\u{f6}\\u{df}e");
        assert_eq!(lines("a\r\n\tb\u{7}"), ["a", "    b\\u{7}"]);
    }

    #[test]
    fn html_means_nothing_in_html() {
        assert_eq!(html("<b a='1' b=\"2\">&"), "&lt;b a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;");
    }

    #[test]
    fn markdown_means_nothing_in_markdown() {
        assert_eq!(markdown("a|b `c` *d* <i>"), "a&#124;b \\`c\\` \\*d\\* &lt;i&gt;");
        assert_eq!(markdown("@team see https://x"), "@<!-- -->team see https:<!-- -->//x");
        assert_eq!(markdown("<!-- x"), "&lt;\\!-- x");
        assert_eq!(markdown("drop_after _a_"), "drop_after \\_a\\_");
    }

    #[test]
    fn code_holds_whatever_is_in_it() {
        assert_eq!(markdown_code("public.t"), "`public.t`");
        assert_eq!(markdown_code("a|b"), "<code>a&#124;b</code>");
        assert_eq!(markdown_code("</code><b>`"), "<code>&#60;/code&#62;&#60;b&#62;&#96;</code>");
        assert_eq!(markdown_code(""), "<code></code>");
        assert_eq!(markdown_code(" a"), "<code>&#32;a</code>");
        assert_eq!(markdown_block("sql", "SELECT 1"), "```sql\nSELECT 1\n```\n");
        assert_eq!(markdown_block("sql", "a ```` b"), "`````sql\na ```` b\n`````\n");
    }
}
