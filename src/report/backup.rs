//! What is in repositories of backups, in every format.

use serde::Serialize;

use crate::core::Bytes;
use crate::report::Options;
use crate::report::archive::drawn;
use crate::report::phrase::{self, Sentence};
use crate::report::table::{Cell, Mood, Table, columns};

/// One backup.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct BackupLine {
    /// The cluster's system identifier.
    pub cluster: String,
    /// Its label.
    pub label: String,
    /// `full` or `incremental`.
    pub sort: String,
    /// When it began, in UTC.
    pub started: String,
    /// How long it took, in seconds.
    pub seconds: i64,
    /// How large the server's files are.
    pub data_bytes: Bytes,
    /// How large it is in the repository.
    pub bytes: Bytes,
    /// The WAL that it needs.
    pub wal: String,
    /// Which timeline it is of, where the server has left that before the backup was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_behind: Option<String>,
    /// Whether it bears a moment that has not come.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub of_the_future: bool,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// One drill.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct DrillLine {
    /// The cluster's system identifier.
    pub cluster: String,
    /// When it began, in UTC.
    pub started: String,
    /// The backup that was brought back.
    pub label: String,
    /// Whether everything was as it should be.
    pub passed: bool,
    /// Whether it bears a moment that has not come.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub of_the_future: bool,
    /// Seconds to bring the server back.
    pub rto_seconds: f64,
    /// Seconds until what was committed was in the repository.
    pub rpo_seconds: Option<f64>,
    /// What was looked at, with what was found and whether that is fine.
    pub checks: Vec<(String, String, bool)>,
}

/// All of it.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct BackupList {
    /// The backups, oldest first.
    pub backups: Vec<BackupLine>,
    /// The drills, oldest first.
    pub drills: Vec<DrillLine>,
    /// The newest segment of WAL of each cluster.
    pub newest_wal: Vec<(String, String)>,
}

/// A server that was brought back.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct BackupRestored {
    /// The backup's label.
    pub label: String,
    /// Where it is.
    pub folder: String,
    /// To which moment it recovers once it is started.
    pub target: String,
    /// The server's major version.
    pub major: u32,
    /// Whether it archives its WAL to the repository that it is from.
    pub archives: bool,
    /// Whether the server may come to the end of what was committed before it comes to that moment.
    #[serde(skip)]
    pub may_end_early: bool,
    /// Whether its files are root's, whose servers PostgreSQL does not start.
    #[serde(skip)]
    pub is_roots: bool,
}

/// What is in repositories.
pub fn list(list: &BackupList, options: &Options) -> String {
    let bytes = Bytes(list.backups.iter().map(|line| line.bytes.0).sum());
    let mut verdict = match list.backups.len() {
        0 => Sentence::of("There is no backup."),
        several => Sentence::of(format!("{}, {bytes}", phrase::many(several, "backup"))),
    };
    if !list.backups.is_empty() {
        let drill = match list.drills.iter().rfind(|drill| !drill.of_the_future) {
            Some(drill) if drill.passed => format!("; the last drill, {}, passed", drill.started),
            Some(drill) => format!("; the last drill, {}, FAILED", drill.started),
            None => "; never drilled".to_owned(),
        };
        verdict = verdict.text(format!("{drill}."));
    }
    drawn("Backups", &verdict, &table(&list.backups), list, options)
}

/// Whether they are whole. Each of `found` is a thing with what is wrong with it.
pub fn verify(found: &[BackupLine], options: &Options) -> String {
    let wrong: Vec<&BackupLine> = found.iter().filter(|line| line.problem.is_some()).collect();
    let verdict = match (wrong.len(), found.len()) {
        (0, 0) => Sentence::of("There is no backup."),
        (0, all) => Sentence::of(format!(
            "Proved {}: every file is as the server had it, and the WAL since the oldest has no gap.",
            phrase::many(all, "backup")
        )),
        (several, _) => Sentence::of(format!("{} cannot be trusted.", phrase::many(several, "thing"))),
    };
    let row = |line: &&BackupLine| {
        let problem = line.problem.as_deref().unwrap_or_default();
        vec![Cell::code(&line.label), Cell::text(problem).mood(Mood::Bad)]
    };
    let columns = columns(&[("what", false), ("what is wrong", false)]);
    let table = Table { caption: "Problems".to_owned(), columns, rows: wrong.iter().map(row).collect() };
    drawn("Backups", &verdict, &table, &found, options)
}

/// What came of a drill.
pub fn drill(drill: &DrillLine, options: &Options) -> String {
    let passed = if drill.passed { "passed" } else { "FAILED" };
    let lag = drill.rpo_seconds.map_or_else(String::new, |lag| format!(", and WAL took {lag:.1} s to arrive"));
    let sentence =
        format!("The drill of {} {passed}: the server was back in {:.1} s{lag}.", drill.label, drill.rto_seconds);
    let row = |(what, found, fine): &(String, String, bool)| {
        let mood = if *fine { Mood::Good } else { Mood::Bad };
        vec![Cell::text(what.as_str()), Cell::text(found.as_str()).mood(mood)]
    };
    let columns = columns(&[("check", false), ("found", false)]);
    let table = Table { caption: "Checks".to_owned(), columns, rows: drill.checks.iter().map(row).collect() };
    drawn("Drill", &Sentence::of(sentence), &table, drill, options)
}

/// What was brought back, and what to do with it.
pub fn restored(done: &BackupRestored, options: &Options) -> String {
    let sentence = Sentence::of(format!("{} is in ", done.label)).code(&done.folder).text(format!(
        ". Started with PostgreSQL {}, it recovers to {} and then takes writes; look at its postgresql.conf first, which \
         some systems keep elsewhere.",
        done.major, done.target
    ));
    let archives = match done.archives {
        true => " Its WAL goes on into the same repository: see to it that the server that it replaces is no more.",
        false => " It archives nothing: `archive_mode` is off in its postgresql.auto.conf.",
    };
    let sentence = sentence.text(archives);
    let early = match done.may_end_early {
        true => {
            " Where nothing was committed after that moment, it ends with `recovery ended before configured recovery \
                 target was reached` instead: then bring it back without --time."
        }
        false => "",
    };
    let sentence = sentence.text(early);
    let sentence = match done.is_roots {
        true => sentence
            .text(" Its files are root's, and PostgreSQL starts for nobody but the owner: first ")
            .code(format!("chown -R postgres: {}", done.folder))
            .text(", for the server's user."),
        false => sentence,
    };
    drawn("Restored", &sentence, &Table::default(), done, options)
}

fn table(lines: &[BackupLine]) -> Table {
    // Where there is only one, it says nothing.
    let several = lines.iter().any(|line| lines.first().is_some_and(|first| first.cluster != line.cluster));
    let mut titles = vec![
        ("backup", false),
        ("began", false),
        ("took", true),
        ("data", true),
        ("size", true),
        ("needs WAL", false),
        ("", false),
    ];
    if several {
        titles.insert(0, ("cluster", false));
    }
    let row = |line: &BackupLine| {
        let remark = match (&line.problem, &line.left_behind) {
            (Some(problem), _) => Cell::text(problem.as_str()).mood(Mood::Bad),
            (None, Some(left)) => Cell::text(left.as_str()),
            (None, None) if line.of_the_future => Cell::text("of the future").mood(Mood::Bad),
            (None, None) => Cell::default(),
        };
        let mut cells = vec![
            Cell::code(&line.label),
            Cell::text(line.started.as_str()),
            Cell::text(format!("{} s", line.seconds)),
            Cell::text(line.data_bytes.to_string()),
            Cell::text(line.bytes.to_string()),
            Cell::text(line.wal.as_str()),
            remark,
        ];
        if several {
            cells.insert(0, Cell::text(line.cluster.as_str()));
        }
        cells
    };
    Table { caption: "Backups".to_owned(), columns: columns(&titles), rows: lines.iter().map(row).collect() }
}
