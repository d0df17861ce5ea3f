//! How wide a text is on a terminal, and where it may be broken.

/// The columns that a text takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(width_of).sum() }
}

/// The columns of one visible character: none for a combining mark, two for East Asian wide forms
/// and pictures, one otherwise. Ranges after Unicode's EastAsianWidth and general category data.
fn width_of(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f
        | 0x483..=0x489
        | 0x591..=0x5bd
        | 0x610..=0x61a
        | 0x64b..=0x65f
        | 0x6d6..=0x6dc
        | 0x93c
        | 0x941..=0x948
        | 0x94d
        | 0xe31
        | 0xe34..=0xe3a
        | 0xe47..=0xe4e
        | 0x1ab0..=0x1aff
        | 0x1dc0..=0x1dff
        | 0x20d0..=0x20ff
        | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x231a..=0x231b
        | 0x23e9..=0x23ec
        | 0x25fd..=0x25fe
        | 0x2614..=0x2615
        | 0x2648..=0x2653
        | 0x26a1
        | 0x2705
        | 0x2728
        | 0x274c
        | 0x2753..=0x2757
        | 0x2795..=0x2797
        | 0x2b1b..=0x2b1c
        | 0x2b50
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xa960..=0xa97c
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x16fe0..=0x18cff
        | 0x1b000..=0x1b2ff
        | 0x1f004
        | 0x1f0cf
        | 0x1f18e
        | 0x1f191..=0x1f19a
        | 0x1f200..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f7e0..=0x1f7eb
        | 0x1f90c..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// No identifier is longer than this, even with every byte escaped; what is, is no name.
const LONGEST_NAME: usize = 63 * 8;

/// The words of a text: what stands between its spaces, where a space inside double quotes is none,
/// so that no quoted name is ever torn.
pub(super) fn words(text: &str) -> Vec<&str> {
    spaced(text).into_iter().map(|(_, word)| word).filter(|word| !word.is_empty()).collect()
}

/// The same, each with the number of spaces before it. Spaces at the end come before an empty word.
pub(super) fn spaced(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let (mut gap, mut start, mut at) = (0, 0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(quoted) = rest.strip_prefix('"')
            && let Some(end) = quoted.find('"').filter(|end| *end <= LONGEST_NAME)
        {
            at += end + 2;
        } else if rest.starts_with(' ') {
            if at > start {
                words.extend(text.get(start..at).map(|word| (gap, word)));
                gap = 0;
            }
            gap += 1;
            at += 1;
            start = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    if gap > 0 || at > start {
        words.extend(text.get(start..).map(|word| (gap, word)));
    }
    words
}

/// The beginning of a text that fits into some columns, ended by `more` where anything was left
/// out. The first word stays whole when it is a quoted name.
pub(super) fn shorten(text: &str, columns: usize, more: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(more) + 1);
    let mut out = String::new();
    for word in words(text) {
        let gap = usize::from(!out.is_empty());
        if width(&out) + gap + width(word) > room {
            break;
        }
        if gap > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
    if out.is_empty() {
        let first = words(text).first().copied().unwrap_or("").to_owned();
        if first.contains('"') && width(&first) <= LONGEST_NAME {
            return format!("{first} {more}");
        }
        return cut(&first, room) + more;
    }
    format!("{out} {more}")
}

fn cut(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += width_of(c);
        if used > columns {
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_not_bytes() {
        assert_eq!(width("abc"), 3);
        assert_eq!(width("größe"), 5);
        assert_eq!(width("表"), 2);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(width("🚀"), 2);
    }

    #[test]
    fn a_quoted_name_is_one_word() {
        assert_eq!(words("index \"a b\".\"c  d\" on x"), ["index", "\"a b\".\"c  d\"", "on", "x"]);
        assert_eq!(words("an open \" quote"), ["an", "open", "\"", "quote"]);
        assert_eq!(words("  a   b  "), ["a", "b"]);
        assert_eq!(words(""), Vec::<&str>::new());
        assert_eq!(spaced(" a  b "), [(1, "a"), (2, "b"), (1, "")]);
    }

    #[test]
    fn a_text_is_cut_between_words_and_a_name_never() {
        assert_eq!(shorten("one two three", 20, "…"), "one two three");
        assert_eq!(shorten("one two three", 9, "…"), "one two …");
        assert_eq!(shorten("\"a very long quoted name\" x", 9, "…"), "\"a very long quoted name\" …");
        assert_eq!(shorten("abcdefghijklmnop", 9, "…"), "abcdefg…");
    }
}
