//! What `pgbackrest verify` says, whatever it ends with.

use std::collections::BTreeMap;

use crate::ops::backup::engine::Finding;
use crate::ops::backup::record::Backup;
use crate::ops::backup::wal::Segment;

/// What its words say of each backup that there is, and of WAL. Whatever is not said to be whole is not: a
/// backup that it passes over, words that are not understood.
pub fn of(said: &str, labels: &[&str]) -> Vec<Finding> {
    let mut status = None;
    let mut backups: BTreeMap<&str, String> = BTreeMap::new();
    let mut found: Vec<Finding> = Vec::new();
    let mut loose: Vec<String> = Vec::new();
    for line in said.lines() {
        let line = line.trim();
        match logged(line) {
            // How often it asked a bucket for something.
            Some(("DETAIL", words)) if words.starts_with("statistics:") => {}
            Some(("DETAIL" | "WARN" | "ERROR", words)) if !words.starts_with("archiveId:") => {
                loose.push(printable(words));
            }
            Some(("INFO", words)) => found.extend(of_file(words)),
            Some(_) => {}
            None => {
                if let Some(word) = line.strip_prefix("status: ") {
                    status = Some(word);
                } else if let Some((label, rest)) = line.strip_prefix("backup: ").and_then(|rest| rest.split_once(", "))
                {
                    backups.insert(label, rest.to_owned());
                } else if line.starts_with("No usable") {
                    found.push(("repository".to_owned(), Some(printable(line))));
                }
            }
        }
    }
    found.extend(loose.into_iter().map(|words| ("repository".to_owned(), Some(words))));
    for label in labels {
        let why = match backups.get(label) {
            Some(rest) if rest.starts_with("status: valid,") => None,
            Some(rest) => Some(rest.clone()),
            None => Some("pgBackRest's `verify` passes over it".to_owned()),
        };
        found.push(((*label).to_owned(), why));
    }
    let is_told = found.iter().any(|(_, why)| why.is_some());
    match status {
        Some("ok") => {}
        Some(_) if is_told => {}
        Some(other) => found.push(("repository".to_owned(), Some(format!("pgBackRest says `{other}`")))),
        None => found.push(("repository".to_owned(), Some("pgBackRest's `verify` says nothing of it".to_owned()))),
    }
    found
}

/// Whether what was found is of nothing that stays when some backups go: it is one of these, or WAL from before all
/// others.
pub fn goes((what, why): (&str, &str), labels: &[String], kept: &[&Backup]) -> bool {
    if labels.iter().any(|label| label == what) {
        return true;
    }
    if let Some(name) = what.strip_prefix("WAL ") {
        // A server that was brought back numbers its WAL from there on once more, so that the timeline does not count.
        let begins: Option<Vec<u64>> = kept.iter().map(|backup| backup.begin().map(|begin| begin.number)).collect();
        let first = begins.and_then(|begins| begins.into_iter().min());
        let size = kept.first().map_or(0, |backup| backup.segment_bytes);
        return Segment::read(name, size).zip(first).is_some_and(|(segment, first)| segment.number < first);
    }
    // What it says of one of two copies names the backup.
    labels.iter().any(|label| why.contains(label.as_str())) && kept.iter().all(|kept| !why.contains(&kept.label))
}

/// The level and the words of a line of its log: `2026-11-26 21:39:24.451 P01   INFO: …`.
fn logged(line: &str) -> Option<(&str, &str)> {
    let (before, words) = line.split_once(": ")?;
    let mut parts = before.split_whitespace();
    let (day, _time, process, level) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_log = day.len() == 10 && day.starts_with("20") && process.starts_with('P') && parts.next().is_none();
    is_log.then_some((level, words))
}

/// A file of WAL that is named; those of backups are counted with these.
fn of_file(words: &str) -> Option<Finding> {
    let sorts = ["invalid checksum '", "invalid size '", "file missing '", "invalid result "];
    let sort = sorts.into_iter().find(|sort| words.starts_with(sort))?;
    let path = words.strip_prefix(sort)?.split('\'').next()?;
    let name = path.rsplit('/').next()?.get(..24)?;
    let is_wal = name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_wal.then(|| (format!("WAL {name}"), Some(sort.trim_end_matches([' ', '\'']).to_owned())))
}

fn printable(words: &str) -> String {
    words.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "20261126-213853F";
    const INCREMENTAL: &str = "20261126-213853F_20261126-213856I";

    fn wrong(said: &str) -> Vec<String> {
        let found = of(said, &[FULL, INCREMENTAL]).into_iter();
        found.filter_map(|(what, why)| Some(format!("{what}: {}", why?))).collect()
    }

    fn said(log: &str, status: &str, full: &str) -> String {
        format!(
            "2026-11-26 21:39:24.183 P00   INFO: verify command begin 2.45: --config=/c\n{log}\
             2026-11-26 21:39:24.480 P00 DETAIL: archiveId: 15-1, wal start: 000000010000000000000001, wal stop: 7\n\
             2026-11-26 21:39:24.633 P00   INFO: stanza: main\n                                    status: {status}\n\
             stanza: main\nstatus: {status}\n  archiveId: 15-1, total WAL checked: 7, total valid WAL: 6\n\
             missing: 0, checksum invalid: 1, size invalid: 0, other: 0\n\
             backup: {FULL}, status: {full}, total files checked: 967, total valid files: 967\n\
             backup: {INCREMENTAL}, status: valid, total files checked: 967, total valid files: 967\n"
        )
    }

    #[test]
    fn what_is_said_to_be_whole_is() {
        assert_eq!(wrong(&said("", "ok", "valid")), Vec::<String>::new());
        assert_eq!(of(&said("", "ok", "valid"), &[FULL, INCREMENTAL]).len(), 2);
    }

    #[test]
    fn what_it_counts_is_no_damage() {
        let counted = "2026-11-27 04:40:12.100 P00 DETAIL: statistics: {\"http.client\":{\"total\":1}}\n";
        assert_eq!(wrong(&said(counted, "ok", "valid")), Vec::<String>::new());
    }

    #[test]
    fn damage_is_read_out_of_what_it_says() {
        let file = said("", "error", "invalid");
        assert_eq!(
            wrong(&file),
            [format!("{FULL}: status: invalid, total files checked: 967, total valid files: 967")]
        );
        let missing = said("", "ok", "manifest missing");
        assert!(wrong(&missing)[0].contains("manifest missing"));
        let wal = "2026-11-26 21:39:24.451 P01   INFO: invalid checksum '15-1/0000000100000000/000000010000000000000005-8f0d29ca4a90ebf87428526529cc1645abe6cae3.zst'\n";
        assert_eq!(wrong(&said(wal, "error", "valid")), ["WAL 000000010000000000000005: invalid checksum"]);
        let copy =
            format!("2026-11-26 21:40:12.100 P00 DETAIL: backup '{FULL}' manifest.copy does not match manifest\n");
        assert_eq!(wrong(&said(&copy, "ok", "valid")).len(), 1, "one of two copies");
    }

    #[test]
    fn what_is_damaged_and_goes_keeps_nothing() {
        use crate::ops::backup::record::{WalRange, sample};
        use crate::ops::backup::wal::Lsn;
        let wal = vec![WalRange { timeline: 1, from: Lsn(9 << 24), until: Lsn(10 << 24) }];
        let kept = Backup { wal, ..sample("20261127-000000F") };
        let labels = [FULL.to_owned(), INCREMENTAL.to_owned()];
        let goes = |what: &str, why: &str| goes((what, why), &labels, &[&kept]);
        assert!(goes(FULL, "status: invalid"));
        assert!(!goes("20261127-000000F", "status: invalid"));
        assert!(goes("WAL 000000010000000000000008", "it and 0 more are missing"));
        assert!(!goes("WAL 000000010000000000000009", "it is there twice"));
        assert!(!goes("WAL of some sort", "it is there twice"));
        let copy = |label: &str| format!("backup '{label}' manifest.copy does not match manifest");
        assert!(goes("repository", &copy(INCREMENTAL)));
        assert!(!goes("repository", &copy("20261127-000000F")));
        assert!(!goes("repository", "No usable backup.info file"));
        // Of a backup that stays nobody knows where its WAL begins.
        let unknown = sample("20261127-000000F");
        assert!(!super::goes(("WAL 000000010000000000000008", ""), &labels, &[&unknown]));
    }

    #[test]
    fn what_is_not_said_to_be_whole_is_not() {
        assert_eq!(wrong("").len(), 3);
        assert_eq!(wrong("status: ok\n").len(), 2, "both backups are passed over");
        let info = wrong("stanza: main\nstatus: error\n  No usable backup.info file\n");
        assert!(info.contains(&"repository: No usable backup.info file".to_owned()), "{info:?}");
        assert_eq!(of("status: error\n", &[]), [("repository".to_owned(), Some("pgBackRest says `error`".to_owned()))]);
    }
}
