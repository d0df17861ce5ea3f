//! Export and import: the audit log as JSON lines, from which everything else is made.
//!
//! The first line says what follows and how it must end; then comes an entry a line, with its hash.
//! Importing an export gives a ledger whose own export is the same, byte for byte.

use std::io::{BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::diag::{Diagnostic, code};
use crate::ledger::Ledger;
use crate::ledger::audit::{Entry, Head};
use crate::ledger::event::canonical;
use crate::ledger::trouble::{Trouble, about_export};
use crate::ledger::verify::{chain, replay};

const FORMAT: &str = "chronoform-ledger";

/// The longest line that is read: far more than any statement.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    /// The ledger's own version: the events of a newer one would not be understood.
    version: usize,
    events: i64,
    head: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: i64,
    at: i64,
    event: String,
    payload: Json,
    prev_hash: String,
    hash: String,
}

impl Ledger {
    /// Writes the whole ledger as JSON lines; says how many events it has.
    ///
    /// # Errors
    /// `ledger-export` when it cannot be written, `ledger-broken` for an entry that is no JSON.
    pub fn export(&self, out: &mut impl Write) -> Result<u64, Diagnostic> {
        let version = self.opening.migrations.len();
        self.read(|conn| {
            let head = Head::of(conn)?;
            let header = Header { format: FORMAT.to_owned(), version, events: head.seq, head: head.hash };
            let header = serde_json::to_string(&header).map_err(|error| Trouble::internal(error.to_string()))?;
            line(out, &header)?;
            let mut events = 0;
            Entry::each::<Trouble>(conn, |entry| {
                let entry = entry.map_err(|(seq, error)| damaged(seq, &error.to_string()))?;
                line(out, &as_line(&entry)?)?;
                events += 1;
                Ok(())
            })?;
            out.flush().map_err(|error| not_written(&error))?;
            Ok(events)
        })
    }

    /// Fills an empty ledger from an export, all or nothing; says how many events it had.
    ///
    /// # Errors
    /// `ledger-not-empty`, `ledger-export` for what is no export, `ledger-broken` when its chain does
    /// not hold, `ledger-newer`.
    pub fn import(&mut self, input: &mut impl BufRead) -> Result<u64, Diagnostic> {
        let version = self.opening.migrations.len();
        let shown = self.path.display().to_string();
        self.transact(|conn, _| {
            if Head::of(conn)? != Head::genesis() {
                let message = format!("the ledger {shown} holds a record already");
                return Err(Diagnostic::error(&code::LEDGER_NOT_EMPTY, message)
                    .why("two records cannot be one chain")
                    .help("import into a file that does not exist yet, with `--ledger FILE`")
                    .into());
            }
            let header = header(input, version)?;
            let mut head = Head::genesis();
            while let Some(text) = next_line(input, head.seq + 2)? {
                let entry = read_line(&text, head.seq + 2)?;
                if let Some(problem) = chain(&head, &entry).into_iter().next() {
                    return Err(not_whole(format!("entry {}: {problem}", entry.seq)).into());
                }
                entry.insert(conn)?;
                replay(conn, &entry).map_err(|problem| not_whole(format!("entry {}: {problem}", entry.seq)))?;
                head = Head { seq: entry.seq, hash: entry.hash };
            }
            if (head.seq, &head.hash) != (header.events, &header.head) {
                let message = format!("it says that it has {} entries, and holds {}", header.events, head.seq);
                return Err(not_whole(message).into());
            }
            Ok(u64::try_from(head.seq).unwrap_or(0))
        })
    }
}

fn line(out: &mut impl Write, text: &str) -> Result<(), Trouble> {
    writeln!(out, "{text}").map_err(|error| not_written(&error))
}

fn not_written(error: &std::io::Error) -> Trouble {
    Diagnostic::error(&code::LEDGER_EXPORT, format!("the export cannot be written: {error}")).into()
}

fn damaged(seq: i64, problem: &str) -> Trouble {
    Trouble::Broken(format!("entry {seq} of the audit log: {problem}"))
}

fn as_line(entry: &Entry) -> Result<String, Trouble> {
    let payload: Json = serde_json::from_str(&entry.payload).map_err(|error| damaged(entry.seq, &error.to_string()))?;
    if canonical(&payload).as_ref() != Ok(&entry.payload) {
        return Err(damaged(entry.seq, "its payload is not as it was written"));
    }
    let text = |text: &str| Json::from(text).to_string();
    Ok(format!(
        r#"{{"seq":{},"at":{},"event":{},"payload":{},"prev_hash":{},"hash":{}}}"#,
        entry.seq,
        entry.at,
        text(&entry.event),
        entry.payload,
        text(&entry.prev_hash),
        text(&entry.hash)
    ))
}

fn header(input: &mut impl BufRead, version: usize) -> Result<Header, Trouble> {
    let text = next_line(input, 1)?.unwrap_or_default();
    let header: Header = serde_json::from_str(&text).map_err(|error| no_export(1, &error.to_string()))?;
    if header.format != FORMAT {
        return Err(no_export(1, &format!("its format is `{}`", header.format)).into());
    }
    if header.version > version {
        return Err(Diagnostic::error(
            &code::LEDGER_NEWER,
            format!("the export has format {}, and this version of Chronoform knows up to {version}", header.version),
        )
        .why("an older version would not understand, and could spoil, what the newer one recorded")
        .help("use the version of Chronoform that wrote it, or a newer one")
        .into());
    }
    Ok(header)
}

/// The next line without its end; `None` at the end of the input.
fn next_line(input: &mut impl BufRead, number: i64) -> Result<Option<String>, Trouble> {
    let mut bytes = Vec::new();
    let read = input.take(LONGEST_LINE).read_until(b'\n', &mut bytes);
    let read = read.map_err(|error| no_export(number, &error.to_string()))?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    } else if read as u64 == LONGEST_LINE {
        return Err(no_export(number, "the line does not end").into());
    }
    String::from_utf8(bytes).map(Some).map_err(|_| no_export(number, "it is not UTF-8").into())
}

fn read_line(text: &str, number: i64) -> Result<Entry, Trouble> {
    let line: Line = serde_json::from_str(text).map_err(|error| no_export(number, &error.to_string()))?;
    let payload = canonical(&line.payload).map_err(|error| no_export(number, &error))?;
    let Line { seq, at, event, prev_hash, hash, .. } = line;
    Ok(Entry { seq, at, event, payload, prev_hash, hash })
}

fn no_export(line: i64, problem: &str) -> Diagnostic {
    about_export(&code::LEDGER_EXPORT, format!("this is no export of a ledger: line {line}: {problem}"))
}

fn not_whole(problem: String) -> Diagnostic {
    about_export(&code::LEDGER_BROKEN, format!("the export is not as it was written: {problem}"))
}
