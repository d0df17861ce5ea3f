//! The known word that a misspelt one was probably meant to be.

/// From this length on, in bytes, a word is no misspelt key. Comparing two words takes time and
/// memory as one length times the other.
const LONGEST: usize = 100;

/// The candidate most like a word, where one is like it at all. Case and the choice between `_`,
/// `-` and nothing do not count; a word is also like a candidate that it begins or is a part of, and
/// like one that begins it.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-', ' '], "");
    if word.len() > LONGEST {
        return None;
    }
    let wanted = plain(word);
    let allowed = (wanted.chars().count() / 3).max(1);
    let score = |candidate: &str| {
        let distance = strsim::damerau_levenshtein(&wanted, &plain(candidate));
        if distance <= allowed && distance < wanted.chars().count() {
            return Some(distance);
        }
        let part = candidate.split(['_', '-']).any(|part| part.to_lowercase() == wanted);
        // A word of one letter, or of none but `_`, begins a great many others, and is none of them.
        let beginning = |whole: &str, part: &str| part.len() > 2 && 2 * part.len() >= whole.len();
        let known = plain(candidate);
        let begun = known.starts_with(&wanted) || (wanted.starts_with(&known) && beginning(&wanted, &known));
        (wanted.len() > 2 && (part || begun)).then_some(allowed + candidate.len())
    };
    let scored = candidates.into_iter().filter_map(|candidate| Some((score(candidate)?, candidate)));
    scored.min().map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_begins_like_a_word_is_not_like_it() {
        for other in ["_", "P", "PW", "PG_", "__"] {
            assert_eq!(nearest("PGPRODUCTION_PASSWORD", [other]), None, "{other}");
        }
        assert_eq!(nearest("PG_PASSWORD", ["_", "PGPASSWORD"]).as_deref(), Some("PGPASSWORD"));
    }

    #[test]
    fn a_misspelt_word_finds_its_like() {
        let keys = ["drop_after", "drop_created_before", "schedule", "ensure", "chunk_interval"];
        for (word, found) in [
            ("drop_aftr", Some("drop_after")),
            ("dropAfter", Some("drop_after")),
            ("drop-after", Some("drop_after")),
            ("shedule", Some("schedule")),
            ("interval", Some("chunk_interval")),
            ("sched", Some("schedule")),
            ("schedules_of", Some("schedule")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, keys).as_deref(), found, "{word}");
        }
    }
}
