//! What `pgbackrest info --output=json` says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::core::Bytes;
use crate::ops::backup::Trouble;
use crate::ops::backup::pgbackrest::storage;
use crate::ops::backup::record::{Backup, Sort, WalRange};
use crate::ops::backup::wal::{Lsn, Segment, is_hex};

/// One stanza, as it is told.
#[derive(Debug, Deserialize)]
pub struct Info {
    name: String,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    cipher: String,
    #[serde(default)]
    db: Vec<Database>,
    #[serde(default)]
    archive: Vec<Archive>,
    #[serde(default)]
    backup: Vec<Told>,
    #[serde(default)]
    repo: Vec<Repo>,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    code: i64,
    #[serde(default)]
    message: String,
}

#[derive(Debug, Deserialize)]
struct Repo {
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Database {
    id: u64,
    #[serde(rename = "system-id")]
    cluster: u64,
    version: String,
}

#[derive(Debug, Deserialize)]
struct Archive {
    id: String,
    database: Of,
    #[serde(default)]
    max: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Of {
    id: u64,
}

#[derive(Debug, Deserialize)]
struct Told {
    label: String,
    #[serde(rename = "type")]
    sort: String,
    prior: Option<String>,
    database: Of,
    timestamp: Span<i64>,
    lsn: Option<Span<Option<String>>>,
    archive: Option<Span<Option<String>>>,
    info: Sizes,
    #[serde(default)]
    error: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Span<T> {
    start: T,
    stop: T,
}

#[derive(Debug, Deserialize)]
struct Sizes {
    size: u64,
    #[serde(default)]
    repository: Stored,
}

#[derive(Debug, Default, Deserialize)]
struct Stored {
    /// What this backup added: absent from nothing, unlike `size`, which block incremental leaves out.
    #[serde(default)]
    delta: u64,
}

/// `status.code` where pgBackRest could not tell more (`INFO_STANZA_STATUS_CODE_OTHER`).
const OTHER: i64 = 99;

impl Info {
    /// Reads it; a stanza that is not listed is one that is not there.
    ///
    /// # Errors
    /// What is not understood.
    pub fn read(text: &str, stanza: &str) -> Result<Self, String> {
        // What is in a damaged file, it quotes as it is, and then what it writes is no JSON.
        let text = text.replace(char::is_control, " ");
        let all: Vec<Self> = serde_json::from_str(&text)
            .map_err(|error| format!("pgBackRest's `info` is not as this version knows it: {error}"))?;
        let missing = || Self {
            name: stanza.to_owned(),
            status: Status { code: 1, message: "missing stanza".to_owned() },
            cipher: String::new(),
            db: Vec::new(),
            archive: Vec::new(),
            backup: Vec::new(),
            repo: Vec::new(),
        };
        Ok(all.into_iter().find(|info| info.name == stanza).unwrap_or_else(missing))
    }

    fn status_of_problem(&self) -> Option<&Status> {
        let repo = self.repo.iter().map(|repo| &repo.status).find(|status| status.code == OTHER);
        repo.or(Some(&self.status).filter(|status| status.code == OTHER))
    }

    /// What keeps the stanza from being read.
    pub fn problem(&self) -> Option<String> {
        let status = self.status_of_problem()?;
        // What follows is the same for each copy, and may be no text at all.
        let first = status.message.split_once(":\n").map_or(status.message.as_str(), |(first, _)| first);
        Some(first.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(300).collect())
    }

    /// Whether that is the storage, with its words.
    pub fn storage_problem(&self) -> Option<Trouble> {
        let status = self.status_of_problem()?;
        storage::trouble(&status.message)
    }

    /// The same, where the key may be the reason.
    pub fn key_problem(&self) -> Option<String> {
        let problem = self.problem()?;
        let is_encrypted = !matches!(self.cipher.as_str(), "" | "none");
        (is_encrypted && problem.contains("unable to load info file")).then_some(problem)
    }

    /// The clusters that the stanza is or was of, oldest first.
    pub fn clusters(&self) -> Vec<String> {
        self.db.iter().map(|database| database.cluster.to_string()).collect()
    }

    /// The cluster that it is of now, with its server's major version.
    pub fn newest(&self) -> Option<(String, u32)> {
        let newest = self.db.iter().max_by_key(|database| database.id)?;
        Some((newest.cluster.to_string(), major(&newest.version)))
    }

    fn database(&self, cluster: &str) -> Option<&Database> {
        let own = self.db.iter().filter(|database| database.cluster.to_string() == cluster);
        own.max_by_key(|database| database.id)
    }

    /// The folder of a cluster's WAL below the stanza's.
    pub fn archive(&self, cluster: &str) -> Option<String> {
        let id = self.database(cluster)?.id;
        self.archive.iter().find(|archive| archive.database.id == id).map(|archive| archive.id.clone())
    }

    /// The timeline of a cluster's newest WAL.
    pub fn newest_timeline(&self, cluster: &str) -> Option<u32> {
        let id = self.database(cluster)?.id;
        let own = self.archive.iter().filter(|archive| archive.database.id == id);
        own.filter_map(|archive| archive.max.as_deref().map(timeline)).max()
    }

    /// The backups of a cluster, oldest first.
    ///
    /// # Errors
    /// What is not understood.
    pub fn backups(&self, cluster: &str) -> Result<Vec<Backup>, String> {
        if let Some(problem) = self.problem() {
            return Err(problem);
        }
        let Some(database) = self.database(cluster) else { return Ok(Vec::new()) };
        // One that pgBackRest itself saw something wrong in, such as a page's checksum, has been made all the same.
        let own: Vec<&Told> = self.backup.iter().filter(|told| told.database.id == database.id).collect();
        let size = segment_bytes(&own);
        let mut backups = own.iter().map(|told| told.read(cluster, database, size)).collect::<Result<Vec<_>, _>>()?;
        backups.sort_by(|a, b| a.started.cmp(&b.started).then_with(|| a.label.cmp(&b.label)));
        Ok(backups)
    }
}

fn major(version: &str) -> u32 {
    version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0)
}

/// The size of a segment, which is not told: the one with which the names of the segments fit the places
/// that are in them. The usual one is tried first.
fn segment_bytes(told: &[&Told]) -> u64 {
    const USUAL: u64 = 1 << 24;
    let sizes = std::iter::once(USUAL).chain((20..=30).map(|bits| 1 << bits));
    let fits = |size: &u64| {
        told.iter().all(|told| {
            let lsn = told.lsn.as_ref().and_then(|lsn| lsn.start.as_deref()).and_then(|lsn| lsn.parse::<Lsn>().ok());
            let name = told.archive.as_ref().and_then(|archive| archive.start.as_deref());
            match (lsn, name) {
                (Some(lsn), Some(name)) => Segment::at(timeline(name), lsn, *size).name(*size) == name,
                _ => true,
            }
        })
    };
    sizes.into_iter().find(fits).unwrap_or(USUAL)
}

fn timeline(segment: &str) -> u32 {
    segment.get(..8).and_then(|timeline| u32::from_str_radix(timeline, 16).ok()).unwrap_or(1)
}

impl Told {
    fn read(&self, cluster: &str, database: &Database, segment_bytes: u64) -> Result<Backup, String> {
        let moment = |seconds: i64| Timestamp::from_second(seconds).map_err(|error| format!("{}: {error}", self.label));
        let sort = match self.sort.as_str() {
            "full" => Sort::Full,
            "diff" | "incr" => Sort::Incremental,
            other => return Err(format!("{} is of the unknown sort `{other}`", self.label)),
        };
        let place = |text: Option<&String>| text.and_then(|text| text.parse::<Lsn>().ok());
        let lsn = self.lsn.as_ref();
        let (from, until) = (place(lsn.and_then(|l| l.start.as_ref())), place(lsn.and_then(|l| l.stop.as_ref())));
        let first = self.archive.as_ref().and_then(|archive| archive.start.as_deref());
        let wal = match (from, until) {
            (Some(from), Some(until)) => vec![WalRange { timeline: first.map_or(1, timeline), from, until }],
            // Taken of a server that did not run: it is consistent by itself.
            _ => Vec::new(),
        };
        Ok(Backup {
            label: self.label.clone(),
            sort,
            prior: self.prior.clone(),
            cluster: cluster.to_owned(),
            server_version: major(&database.version) * 10_000,
            started: moment(self.timestamp.start)?,
            stopped: moment(self.timestamp.stop)?,
            // It runs on the server's machine, and tells whole seconds.
            ended: moment(self.timestamp.stop.saturating_add(1))?,
            wal,
            segment_bytes,
            has_wal: false,
            data_bytes: Bytes(self.info.size),
            bytes: Bytes(self.info.repository.delta),
            settings: BTreeMap::new(),
        })
    }

    /// Whether pgBackRest found something wrong in the server's own files as it copied them.
    fn has_error(&self) -> bool {
        self.error.unwrap_or(false)
    }
}

impl Info {
    /// Those backups in which pgBackRest found something wrong in the server's own files.
    pub fn with_errors(&self) -> Vec<String> {
        self.backup.iter().filter(|told| told.has_error()).map(|told| told.label.clone()).collect()
    }
}

/// The names of the segments in a listing of WAL, in their order, and of those that are there twice.
///
/// # Errors
/// What is not understood.
pub fn segments(listed: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let listed: BTreeMap<String, serde_json::Value> = serde_json::from_str(listed)
        .map_err(|error| format!("pgBackRest's `repo-ls` is not as this version knows it: {error}"))?;
    // `0000000100000000/000000010000000000000001-<SHA-1>.zst`
    let name = |path: &String| {
        let (name, rest) = path.rsplit('/').next()?.split_at_checked(24)?;
        (is_hex(name) && rest.starts_with('-')).then(|| name.to_owned())
    };
    let mut names: Vec<String> = listed.keys().filter_map(name).collect();
    names.sort();
    let mut twice: Vec<String> =
        names.iter().zip(names.iter().skip(1)).filter(|(a, b)| a == b).map(|(a, _)| a.clone()).collect();
    twice.dedup();
    names.dedup();
    Ok((names, twice))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &str = r#"[{"archive":[],"backup":[],"cipher":"aes-256-cbc","db":[],"name":"main","repo":[{"cipher":"aes-256-cbc","key":1,"status":{"code":1,"message":"missing stanza path"}}],"status":{"code":1,"lock":{"backup":{"held":false}},"message":"missing stanza path"}}]"#;
    const TWO: &str = r#"[{"name":"other","db":[]},{"archive":[{"database":{"id":1,"repo-key":1},"id":"15-1","max":"000000010000000000000004","min":"000000010000000000000001"}],"backup":[{"archive":{"start":"000000010000000000000002","stop":"000000010000000000000002"},"backrest":{"format":5,"version":"2.45"},"database":{"id":1,"repo-key":1},"error":false,"info":{"delta":24368976,"repository":{"delta":3347584,"size":3347584},"size":24368976},"label":"20261126-213853F","lsn":{"start":"0/2000028","stop":"0/2000100"},"prior":null,"reference":null,"timestamp":{"start":1795729133,"stop":1795729135},"type":"full"},{"archive":{"start":"000000010000000000000003","stop":"000000010000000000000004"},"database":{"id":1,"repo-key":1},"error":true,"info":{"delta":8457,"repository":{"delta":464},"size":24368975},"label":"20261126-213853F_20261126-213856I","lsn":{"start":"0/3000028","stop":"0/4000050"},"prior":"20261126-213853F","reference":["20261126-213853F"],"timestamp":{"start":1795729136,"stop":1795729138},"type":"incr"}],"cipher":"none","db":[{"id":1,"repo-key":1,"system-id":7712597871361841433,"version":"15"}],"name":"main","repo":[{"cipher":"none","key":1,"status":{"code":0,"message":"ok"}}],"status":{"code":0,"lock":{"backup":{"held":false}},"message":"ok"}}]"#;
    const CLUSTER: &str = "7712597871361841433";

    #[test]
    fn backups_are_read_with_the_wal_that_they_need() {
        let info = Info::read(TWO, "main").unwrap();
        assert_eq!(info.problem(), None);
        assert_eq!(info.newest(), Some((CLUSTER.to_owned(), 15)));
        assert_eq!(info.archive(CLUSTER), Some("15-1".to_owned()));
        assert_eq!(info.with_errors(), ["20261126-213853F_20261126-213856I"]);
        let backups = info.backups(CLUSTER).unwrap();
        assert_eq!(backups.len(), 2);
        assert_eq!(backups[0].server_version, 150_000);
        assert_eq!(backups[1].prior.as_deref(), Some("20261126-213853F"));
        assert_eq!((backups[1].sort, backups[1].bytes), (Sort::Incremental, Bytes(464)));
        assert_eq!(backups[1].segment_bytes, 1 << 24);
        let wal = crate::ops::backup::wal::segments(&backups[1].wal, 1 << 24);
        assert_eq!(wal, ["000000010000000000000003", "000000010000000000000004"]);
        // Another cluster has nothing there.
        assert!(info.backups("1").unwrap().is_empty());
    }

    #[test]
    fn a_stanza_that_is_not_there_has_nothing() {
        for (text, stanza) in [(NONE, "main"), ("[]", "main"), (TWO, "third")] {
            let info = Info::read(text, stanza).unwrap();
            assert_eq!((info.newest(), info.problem()), (None, None));
            assert!(info.backups(CLUSTER).unwrap().is_empty());
        }
        assert!(Info::read("", "main").is_err());
    }

    #[test]
    fn one_that_cannot_be_read_is_no_empty_one() {
        let broken = NONE.replace("\"code\":1,\"message\":\"missing stanza path\"", "\"code\":99,\"message\":\"[FormatError] unable to load info file '/r/backup.info' or '/r/backup.info.copy':\\nFormatError: \\u0001\"");
        let info = Info::read(&broken, "main").unwrap();
        let why = "[FormatError] unable to load info file '/r/backup.info' or '/r/backup.info.copy'";
        assert_eq!(info.key_problem().as_deref(), Some(why));
        assert!(info.backups(CLUSTER).is_err());
        let open = Info::read(&broken.replace("aes-256-cbc", "none"), "main").unwrap();
        assert_eq!((open.key_problem(), open.problem().as_deref()), (None, Some(why)));
    }

    #[test]
    fn segments_are_told_from_what_is_beside_them() {
        let listed = r#"{".":{"type":"path"},"0000000100000000/000000010000000000000002-4842f5c2fa837afbb66d8378fecda0778708bd52.zst":{},"0000000100000000/000000010000000000000001-4842f5c2fa837afbb66d8378fecda0778708bd52":{},"0000000100000000/000000010000000000000001-5842f5c2fa837afbb66d8378fecda0778708bd52":{},"0000000100000000/000000010000000000000002.00000028.backup":{},"00000002.history":{}}"#;
        let (names, twice) = segments(listed).unwrap();
        assert_eq!(names, ["000000010000000000000001", "000000010000000000000002"]);
        assert_eq!(twice, ["000000010000000000000001"]);
    }
}
