//! What is in archives, in every format.

use serde::Serialize;

use crate::core::Bytes;
use crate::report::phrase::{self, Sentence};
use crate::report::table::{Cell, Mood, Table, columns};
use crate::report::{Format, Options, clean, html, json, markdown, text};

/// A stretch of time.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ArchivePart {
    /// From this on.
    pub from: String,
    /// Up to this, and without it.
    pub until: String,
}

/// One archived chunk.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ArchiveLine {
    /// The store's name in the policies.
    pub store: String,
    /// The cluster's system identifier and the database's name.
    pub database: String,
    /// The table that the rows are from.
    pub table: String,
    /// The chunk that they were in.
    pub chunk: String,
    /// Where its range begins.
    pub from: String,
    /// Where it ends.
    pub until: String,
    /// Rows.
    pub rows: u64,
    /// The file's size.
    pub bytes: Bytes,
    /// The rows' size as COPY has them.
    pub row_bytes: Bytes,
    /// When they were read, in UTC.
    pub archived: String,
    /// When the file was last read again and found to be what was read from the table, in UTC.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub verified: String,
    /// The data file, or the manifest that cannot be read.
    pub file: String,
    /// Whether what is in it was archived again later, all of it.
    pub superseded: bool,
    /// Or what of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub superseded_parts: Vec<ArchivePart>,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// The first rows of an archived chunk.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ArchivePreview {
    /// Which.
    pub of: ArchiveLine,
    /// The columns' names.
    pub columns: Vec<String>,
    /// Each value as PostgreSQL shows it.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Rows that were brought back.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ArchiveRestored {
    /// Into which table.
    pub table: String,
    /// From how many files.
    pub files: usize,
    /// How many rows.
    pub rows: u64,
    /// How many chunks were frozen.
    pub frozen: usize,
}

/// What is in archives.
pub fn list(lines: &[ArchiveLine], options: &Options) -> String {
    let rows: u64 = lines.iter().map(|line| line.rows).sum();
    let bytes = Bytes(lines.iter().map(|line| line.bytes.0).sum());
    let verdict = match lines.len() {
        0 => Sentence::of("Nothing is archived."),
        files => Sentence::of(format!("{}, {rows} rows, {bytes}.", phrase::many(files, "file"))),
    };
    if options.format == Format::Text {
        let (whole, wrong): (Vec<_>, Vec<_>) = lines.iter().cloned().partition(|line| line.problem.is_none());
        return text::titled(&verdict, &table(&whole), options) + &told(&wrong);
    }
    drawn("Archive", &verdict, &table(lines), &lines, options)
}

/// What is wrong, file by file: paths are too long for a table of text.
fn told(wrong: &[ArchiveLine]) -> String {
    let each = wrong.iter().map(|line| {
        let problem = line.problem.as_deref().unwrap_or_default();
        format!("\n{}\n  {}\n", clean(&line.file), clean(problem))
    });
    each.collect()
}

/// Whether it is whole. `waiting` files have their turn on another day.
pub fn verify(lines: &[ArchiveLine], waiting: usize, options: &Options) -> String {
    let wrong: Vec<ArchiveLine> = lines.iter().filter(|line| line.problem.is_some()).cloned().collect();
    let files = phrase::many(lines.len(), "file");
    let others = phrase::many(waiting, "file");
    let verdict = match wrong.len() {
        0 if lines.is_empty() && waiting == 0 => Sentence::of("Nothing is proved: nothing is archived."),
        0 if lines.is_empty() => Sentence::of(format!("Nothing was read: none of {others} has its turn today.")),
        0 => {
            let more = if waiting > 0 { format!(" {others} wait for another day.") } else { String::new() };
            Sentence::of(format!(
                "Proved {files}: each is as it was written, and holds what was read from its table.{more}"
            ))
        }
        several => Sentence::of(format!("{several} of {files} cannot be trusted.")),
    };
    if options.format == Format::Text {
        return text::titled(&verdict, &Table::default(), options) + &told(&wrong);
    }
    drawn("Archive", &verdict, &problems(&wrong), &lines, options)
}

/// Rows to look at.
pub fn query(previews: &[ArchivePreview], options: &Options) -> String {
    let rows: u64 = previews.iter().map(|preview| preview.of.rows).sum();
    let verdict = match previews.len() {
        0 => Sentence::of("Nothing of it is archived for that time."),
        files => Sentence::of(format!("{rows} rows in {}; the first of each:", phrase::many(files, "file"))),
    };
    let mut names: Vec<&String> = Vec::new();
    for name in previews.iter().flat_map(|preview| &preview.columns) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut rows = Vec::new();
    for preview in previews {
        for row in &preview.rows {
            let cell = |name: &&String| {
                let at = preview.columns.iter().position(|column| column == *name);
                let value = at.and_then(|at| row.get(at)).and_then(Option::as_ref);
                value.map_or_else(|| Cell::text("").mood(Mood::Warn), |value| Cell::code(shortened(value)))
            };
            rows.push(names.iter().map(cell).collect());
        }
    }
    let columns = names.into_iter().map(|name| (name.clone(), false)).collect();
    let table = Table { caption: "Rows".to_owned(), columns, rows };
    drawn("Archive", &verdict, &table, &previews, options)
}

/// How much of a value is shown to people: JSON has all of it.
const WIDEST: usize = 60;

fn shortened(value: &str) -> String {
    match value.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}

/// What came back.
pub fn restored(done: &ArchiveRestored, options: &Options) -> String {
    let sentence = Sentence::of(format!("{} rows of {} are in ", done.rows, phrase::many(done.files, "file")));
    let frozen = match done.frozen {
        0 => ".".to_owned(),
        1 => "; 1 chunk is frozen, so that nothing takes it away again.".to_owned(),
        more => format!("; {more} chunks are frozen, so that nothing takes them away again."),
    };
    drawn("Archive", &sentence.code(&done.table).text(frozen), &Table::default(), done, options)
}

/// A sentence and a table below it, or in JSON all that they are made from.
pub(super) fn drawn(
    title: &str,
    verdict: &Sentence,
    table: &Table,
    data: &impl Serialize,
    options: &Options,
) -> String {
    match options.format {
        Format::Text => text::titled(verdict, table, options),
        Format::Json => json::pretty(data),
        Format::Markdown => markdown::titled(verdict, table),
        Format::Html => html::titled(title, verdict, table),
    }
}

fn table(lines: &[ArchiveLine]) -> Table {
    let columns = columns(&[
        ("table", false),
        ("from", false),
        ("until", false),
        ("rows", true),
        ("size", true),
        ("ratio", true),
        ("verified", false),
        ("store", false),
        ("", false),
    ]);
    let row = |line: &ArchiveLine| {
        let remark = match (&line.problem, line.superseded) {
            (Some(problem), _) => Cell::text(format!("{}: {problem}", line.file)).mood(Mood::Bad),
            (None, true) => Cell::text("archived again later").mood(Mood::Warn),
            (None, false) if !line.superseded_parts.is_empty() => {
                Cell::text("partly archived again later").mood(Mood::Warn)
            }
            (None, false) => Cell::default(),
        };
        vec![
            Cell::code(&line.table),
            Cell::text(&line.from),
            Cell::text(&line.until),
            Cell::text(line.rows.to_string()),
            Cell::text(line.bytes.to_string()),
            Cell::text(ratio(line)),
            Cell::text(seconds(&line.verified)),
            Cell::code(&line.store),
            remark,
        ]
    };
    Table { caption: "Archived".to_owned(), columns, rows: lines.iter().map(row).collect() }
}

/// A moment without what is less than a second.
fn seconds(moment: &str) -> &str {
    moment.split('.').next().unwrap_or_default()
}

/// How much smaller the file is than its rows.
fn ratio(line: &ArchiveLine) -> String {
    match (line.row_bytes.0, line.bytes.0) {
        (0, _) | (_, 0) => String::new(),
        (rows, file) => format!("{:.1}", rows as f64 / file as f64),
    }
}

fn problems(lines: &[ArchiveLine]) -> Table {
    let row = |line: &ArchiveLine| {
        let problem = line.problem.as_deref().unwrap_or_default();
        vec![Cell::code(&line.table), Cell::code(&line.file), Cell::text(problem).mood(Mood::Bad)]
    };
    let columns = columns(&[("table", false), ("file", false), ("what is wrong", false)]);
    Table { caption: "Problems".to_owned(), columns, rows: lines.iter().map(row).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preview(columns: &[&str], row: &[Option<&str>]) -> ArchivePreview {
        let owned = |value: &Option<&str>| value.map(str::to_owned);
        ArchivePreview {
            of: ArchiveLine { rows: 7, ..ArchiveLine::default() },
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows: vec![row.iter().map(owned).collect()],
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_one_line_below_its_file() {
        let path = format!("/srv/{}.parquet", "long".repeat(60));
        let wrong =
            ArchiveLine { file: path.clone(), problem: Some("it is\ngone".to_owned()), ..ArchiveLine::default() };
        let lines = [ArchiveLine::default(), wrong];
        let told = format!("\n{path}\n  it is\\ngone\n");
        let options = Options::default();
        assert_eq!(verify(&lines, 0, &options), format!("1 of 2 files cannot be trusted.\n{told}"));
        assert!(list(&lines, &options).ends_with(&told), "{}", list(&lines, &options));
    }

    #[test]
    fn wide_values_are_cut_for_people() {
        let wide = "é".repeat(61);
        let one = preview(&["v"], &[Some(&wide)]);
        let shown = |format: Format| query(std::slice::from_ref(&one), &Options { format, ..Options::default() });
        let cut = format!("{}…", "é".repeat(60));
        assert!(shown(Format::Text).contains(&cut) && !shown(Format::Text).contains(&wide));
        assert!(shown(Format::Json).contains(&wide));
    }

    #[test]
    fn rows_stand_below_the_names_of_their_columns() {
        let one = preview(&["time", "no\nte"], &[Some("2026-01-01"), None]);
        let other = preview(&["time", "late"], &[Some("2026-01-02"), Some("x")]);
        let shown = |format: Format| query(&[one.clone(), other.clone()], &Options { format, ..Options::default() });
        let text =
            "14 rows in 2 files; the first of each:\n\ntime        no\\nte  late\n2026-01-01\n2026-01-02          x\n";
        assert_eq!(shown(Format::Text), text);
        assert!(shown(Format::Markdown).contains("| time | no"), "{}", shown(Format::Markdown));
        assert!(shown(Format::Html).contains("<th scope=\"col\">time</th>"), "{}", shown(Format::Html));
    }
}
