//! What `pgbackrest verify` says, whatever it ends with.

use std::collections::BTreeMap;

use crate::ops::backup::engine::Finding;

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
    fn what_is_not_said_to_be_whole_is_not() {
        assert_eq!(wrong("").len(), 3);
        assert_eq!(wrong("status: ok\n").len(), 2, "both backups are passed over");
        let info = wrong("stanza: main\nstatus: error\n  No usable backup.info file\n");
        assert!(info.contains(&"repository: No usable backup.info file".to_owned()), "{info:?}");
        assert_eq!(of("status: error\n", &[]), [("repository".to_owned(), Some("pgBackRest says `error`".to_owned()))]);
    }
}
