//! How a run begins with a chunk, and goes on with what an earlier one has begun with. What the chunk's mark says of
//! the copies that its rows were in goes on from mark to mark, and into the manifest of the next copy, whatever ends
//! a run in between.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::core::{Fingerprint, Param, QualifiedName, Value};
use crate::kinds::archive::{CopyOf, Mark, joined};
use crate::ops::archive::{Manifest, verify};
use crate::ops::archiver::range::{ONE_TRY, Work};
use crate::ops::archiver::store::Shelf;
use crate::ops::archiver::{Contents, Entry, Stopped, read_manifests, settle};

/// A chunk that a run has begun with.
pub struct Begun {
    /// Which.
    pub chunk: QualifiedName,
    /// The run's word for it.
    pub token: String,
    /// The copies that its rows were in before.
    pub before: Vec<CopyOf>,
    /// Those of them that are of this chunk and in this store, by the digests of their files.
    own: Own,
}

/// Copies by their words, each with the digest of its file.
type Own = Vec<(String, String)>;

impl Begun {
    /// What its file is known by. The same rows are the same file as long as nothing came in between: where another
    /// copy did, what has its name is what that one stands in for.
    pub fn digest(&self, sha256: &str) -> String {
        let is_same = |copy: &CopyOf| self.own.iter().any(|(token, own)| copy.token == *token && own == sha256);
        let others: BTreeSet<&str> =
            self.before.iter().filter(|copy| !is_same(copy)).map(|copy| copy.token.as_str()).collect();
        if others.is_empty() {
            return sha256.to_owned();
        }
        let all = Fingerprint::of(format!("{sha256} {}", Vec::from_iter(others).join(" ")).as_bytes());
        all.as_str().rsplit(':').next().unwrap_or_default().to_owned()
    }
}

impl Work<'_> {
    /// What a chunk bears.
    pub(super) fn mark_of(&mut self, chunk: &QualifiedName) -> Result<Mark, Stopped> {
        let sql = "SELECT pg_catalog.obj_description($1::text::regclass, 'pg_class') AS mark";
        let rows = self.query(sql, vec![Param::Text(chunk.to_string())])?;
        Ok(Mark::read(rows.first().and_then(|row| row.maybe_text("mark").ok().flatten())))
    }

    /// Marks a chunk, and freezes it where it is to be dropped and the server can.
    pub(super) fn begin(&mut self, shelf: &Shelf, chunk: QualifiedName) -> Result<Begun, Stopped> {
        let (before, own) = self.copies_before(shelf, &chunk)?;
        let token = token();
        let place = Some(self.range.place.place());
        let of = Some(self.made_for());
        let mark = Mark::Begun { token: token.clone(), place, before: before.clone(), of };
        if self.range.drop && self.range.freezes {
            let freeze = self.render("archive/freeze.sql", &[("chunk", Value::Name(chunk.clone()))])?;
            let mark = self.marking(&chunk, &mark)?;
            self.patiently("ROLLBACK", |session| {
                session.batch(&format!("BEGIN; {ONE_TRY}"))?;
                session.execute(&freeze)?;
                session.execute(&mark)?;
                session.batch("COMMIT")
            })?;
        } else {
            self.mark(&chunk, &mark)?;
        }
        Ok(Begun { chunk, token, before, own })
    }

    /// The copies that a chunk's rows were in, by its mark; and where an earlier run has copied it to this store, by what
    /// that has there. What a run began with and never brought there is none.
    fn copies_before(&mut self, shelf: &Shelf, chunk: &QualifiedName) -> Result<(Vec<CopyOf>, Own), Stopped> {
        let mark = self.mark_of(chunk)?;
        let mut copies = mark.copies();
        let is_of_a_run = matches!(mark, Mark::Begun { .. } | Mark::Archived { .. });
        let is_of_it = mark.made_for().is_none_or(|of| *of == self.made_for());
        let there = if is_of_a_run { self.copies_there(shelf, chunk)? } else { Vec::new() };
        if let (Mark::Begun { token, place, .. }, true) = (&mark, is_of_it) {
            let is_here = place.as_ref() == Some(&self.range.place.place());
            let is_there = there.iter().any(|entry| entry.manifest.token == *token);
            copies.retain(|copy| copy.token != *token || is_there || !is_here);
        }
        copies = self.asked((shelf, &there), chunk, &mark, copies)?;
        if !is_of_it {
            return Ok((copies, Vec::new()));
        }
        let mut own = Own::new();
        for Entry { manifest, .. } in there {
            if mark.knows_all() && !copies.iter().any(|copy| copy.token == manifest.token) {
                continue;
            }
            own.push((manifest.token.clone(), manifest.file.sha256.clone()));
            copies = joined(copies, [CopyOf::whole(&manifest.token)]);
            copies = joined(copies, manifest.replaces);
        }
        Ok((copies, own))
    }

    /// What this store has of a chunk. What cannot be read is of no use here, and is told by `archive verify`.
    fn copies_there(&self, shelf: &Shelf, chunk: &QualifiedName) -> Result<Vec<Entry>, Stopped> {
        let Contents { mut entries, .. } = read_manifests(&self.range.place, shelf.manifests(chunk)?);
        settle(entries.iter_mut().collect());
        let of_the_range = |manifest: &Manifest| {
            let ends = manifest.range.as_ref().map(|range| (range.start.text.as_str(), range.end.text.as_str()));
            ends == Some((self.range.from.as_str(), self.range.until.as_str()))
        };
        entries.retain(|Entry { manifest, .. }| manifest.chunk == *chunk && of_the_range(manifest));
        Ok(entries)
    }

    /// What an earlier run has brought to the archive and not gone on from: the chunk bears the mark that
    /// the manifest names, and the file is as the manifest says.
    pub(super) fn of_an_earlier_run(
        &mut self,
        shelf: &Shelf,
        chunk: &QualifiedName,
    ) -> Result<Option<Manifest>, Stopped> {
        let Mark::Begun { token, .. } = self.mark_of(chunk)? else { return Ok(None) };
        let there = self.copies_there(shelf, chunk)?.into_iter().map(|entry| entry.manifest);
        let Some(manifest) = there.into_iter().find(|manifest| manifest.token == token) else { return Ok(None) };
        let whole = match shelf.open(&manifest.file.name, manifest.file.key_id.as_deref()) {
            Ok(file) => verify::same_file(&file, &manifest).is_ok(),
            Err(error) if error.is_of_one_file() => false,
            Err(error) => return Err(error.into()),
        };
        Ok((whole && self.is_unchanged(chunk, &manifest)?).then_some(manifest))
    }

    /// Thaws what it has begun with and could not end its work with, so that it can be written to until the next run, which
    /// looks at every row again.
    pub(super) fn let_go(&mut self) {
        for chunk in self.range.chunks.clone() {
            let thawed = self.mark_of(&chunk).and_then(|mark| match mark {
                Mark::Begun { .. } => {
                    let thaw = self.render("archive/thaw.sql", &[("chunk", Value::Name(chunk.clone()))])?;
                    self.session.execute(&thaw)?;
                    Ok(())
                }
                _ => Ok(()),
            });
            if thawed.is_err() {
                let until = "until `chronoform run archive` has ended its work with it, or somebody thaws it";
                (self.tell)(&format!("{chunk} may be frozen still, and refuse writes, {until}"));
            }
        }
    }

    pub(super) fn marking(&mut self, chunk: &QualifiedName, mark: &Mark) -> Result<String, Stopped> {
        let mark = mark.text().map_or(Value::Null, Value::text);
        self.render("archive/mark.sql", &[("chunk", Value::Name(chunk.clone())), ("mark", mark)])
    }

    pub(super) fn mark(&mut self, chunk: &QualifiedName, mark: &Mark) -> Result<(), Stopped> {
        let mark = self.marking(chunk, mark)?;
        self.patiently("ROLLBACK", |session| {
            session.batch(&format!("BEGIN; {ONE_TRY}"))?;
            session.execute(&mark)?;
            session.batch("COMMIT")
        })
    }
}

/// A word that no other run has, and no other chunk: the moment, the process, and a number.
fn token() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}-{:x}", now.as_nanos(), std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}
