//! The names that come and go beside an index's own: those that a replacement uses on its way, and
//! those that TimescaleDB gives its default indexes.

use crate::core::Fingerprint;
use crate::core::name::MAX_IDENTIFIER_BYTES;

/// The end of the name under which a replacement is built.
const UNFINISHED: &str = "_chronoform_new";
/// The end of the name under which the replaced index waits to be dropped.
const RETIRED: &str = "_chronoform_old";

/// The comment that a replaced index has until it is dropped: a name alone is no proof of whose it is.
pub const RETIRED_MARK: &str = "chronoform: replaced, and to be dropped";

/// The name under which the replacement of an index is built.
pub fn unfinished(name: &str) -> String {
    beside(name, UNFINISHED)
}

/// The name that a replaced index has until it is dropped.
pub fn retired(name: &str) -> String {
    beside(name, RETIRED)
}

/// Whether a name ends as one of these do.
pub fn is_reserved(name: &str) -> bool {
    name.ends_with(UNFINISHED) || name.ends_with(RETIRED)
}

/// The name with an ending. One that would get too long is cut, and a digest of the whole keeps it
/// apart from every other that begins alike.
fn beside(name: &str, ending: &str) -> String {
    if name.len() + ending.len() <= MAX_IDENTIFIER_BYTES {
        return format!("{name}{ending}");
    }
    const DIGEST: usize = 8;
    let digest = Fingerprint::of(name.as_bytes());
    let digest: String = digest.as_str().chars().rev().take(DIGEST).collect();
    let room = MAX_IDENTIFIER_BYTES - ending.len() - DIGEST - 1;
    format!("{}_{digest}{ending}", clip(name, room))
}

/// As much of a text as fits, whole characters only.
fn clip(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Whether a name is one that the server would choose for an index on these columns of a table:
/// `<table>_<column>_…_idx`, with a number where that was taken, cut as PostgreSQL cuts it
/// (`ChooseIndexName` and `makeObjectName` in `src/backend/commands/indexcmds.c`).
pub fn is_chosen_by_server(name: &str, table: &str, columns: &[&str]) -> bool {
    // ChooseIndexNameAddition stops once it holds a whole name's length.
    let addition = columns.join("_");
    let Some(at) = name.rfind("_idx") else { return false };
    let label = name.get(at + 1..).unwrap_or_default();
    let number = label.strip_prefix("idx").unwrap_or_default();
    number.bytes().all(|byte| byte.is_ascii_digit()) && name == object_name(table, &addition, Some(label))
}

/// The name that TimescaleDB gives an index's copy on a chunk, where it is free
/// (`chunk_index_choose_name` in `src/chunk_index.c`).
pub fn on_chunk(chunk: &str, index: &str) -> String {
    object_name(chunk, index, None)
}

/// Two names and perhaps a label, the longer name cut first until all fit.
fn object_name(first: &str, second: &str, label: Option<&str>) -> String {
    let room = MAX_IDENTIFIER_BYTES.saturating_sub(1 + label.map_or(0, |label| label.len() + 1));
    let (mut one, mut two) = (first.len(), second.len());
    while one + two > room {
        if one > two {
            one -= 1;
        } else {
            two -= 1;
        }
    }
    let named = format!("{}_{}", clip(first, one), clip(second, two));
    label.map_or_else(|| named.clone(), |label| format!("{named}_{label}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_beside_an_index_always_fits_and_is_always_the_same() {
        assert_eq!(unfinished("ix_a"), "ix_a_chronoform_new");
        assert_eq!(retired("ix_a"), "ix_a_chronoform_old");
        for name in ["x".repeat(63), "x".repeat(49), "é".repeat(31), "🦀".repeat(15)] {
            for beside in [unfinished(&name), retired(&name)] {
                assert!(beside.len() <= MAX_IDENTIFIER_BYTES, "{beside}");
                assert!(is_reserved(&beside));
            }
            assert_eq!(unfinished(&name), unfinished(&name));
        }
        let (a, b) = (format!("{}a", "x".repeat(62)), format!("{}b", "x".repeat(62)));
        assert_ne!(unfinished(&a), unfinished(&b));
        assert!(!is_reserved("ix_a"));
    }

    #[test]
    fn the_servers_own_names_are_known() {
        assert!(is_chosen_by_server("market_data_time_idx", "market_data", &["time"]));
        assert!(is_chosen_by_server("market_data_time_idx12", "market_data", &["time"]));
        assert!(is_chosen_by_server("h2_Sym b_Time_idx", "h2", &["Sym b", "Time"]));
        assert!(!is_chosen_by_server("market_data_time_idxx", "market_data", &["time"]));
        assert!(!is_chosen_by_server("ix_time", "market_data", &["time"]));
        let long = "a_table_whose_name_is_as_long_as_the_server_will_let_it_be_1234";
        let chosen = "a_table_whose_name_is_as_long_as_the_server_will_let_i_time_idx";
        assert!(is_chosen_by_server(chosen, long, &["time"]));
        assert_eq!(on_chunk("_hyper_1_2_chunk", "ix_ticks"), "_hyper_1_2_chunk_ix_ticks");
        let cut = "_hyper_1_2_chunk_a_table_whose_name_is_as_long_as_the_server_wi";
        assert_eq!(on_chunk("_hyper_1_2_chunk", long), cut);
    }
}
