//! The `columnstore` section of a `table` document.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::core::{Address, Desired, Ensure, KeyColumn, KeyTarget, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::columnstore::settings;
use crate::kinds::job::{self, Age};
use crate::kinds::key::KeySpec;
use crate::kinds::schedule::Schedule;
use crate::kinds::{SectionInput, recompression};

/// How a hypertable's older chunks are kept by columns and compressed, and when. Without `after`
/// and `created_before` the columnstore is enabled without a policy: a job that there is, is removed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Columnstore {
    /// Whether the columnstore must be enabled. `absent` removes its policy, converts every chunk
    /// back and disables it.
    #[serde(default)]
    pub ensure: Ensure,
    /// Converts a chunk once all of its rows are older than this: an interval, or a whole number
    /// where time is one (which needs the hypertable's `integer_now`).
    #[serde(default)]
    #[schemars(schema_with = "job::age_schema")]
    pub after: Option<Age>,
    /// Converts a chunk once it was created longer ago than this, whatever the time in its rows.
    /// Instead of `after`.
    #[schemars(example = &"7 days")]
    pub created_before: Option<String>,
    /// The columns by whose values rows are kept together, each by its exact name: those that
    /// queries select by. An empty list for none; `auto` for TimescaleDB's own choice, also after
    /// another was made (on a table only, TimescaleDB 2.22 and newer). Without it, it is left as it is,
    /// and not compared. A change is for chunks converted from then on.
    #[schemars(example = &["symbol"])]
    pub segment_by: Option<Setting<Vec<String>>>,
    /// The order of rows within a segment. TimescaleDB adds the time column, descending, where
    /// neither this nor `segment_by` has it. `auto` for TimescaleDB's own choice, as in `segment_by`.
    /// Without it, it is left as it is, and not compared. A change is for chunks converted from then on.
    #[schemars(extend("minItems" = 1), example = &["time desc"])]
    pub order_by: Option<Setting<Vec<KeySpec>>>,
    /// What lets a query pass over parts of a chunk, beside the columns of `order_by`, which it
    /// needs. An empty list for nothing; `auto` for TimescaleDB's own choice, as in `segment_by`.
    /// Without it, it is left as it is, and not compared. TimescaleDB 2.22 and newer.
    #[schemars(example = &"auto")]
    pub sparse_index: Option<Setting<Vec<SparseIndex>>>,
    /// Which chunks a change of `segment_by`, `order_by` or `sparse_index` is for: `new` leaves those
    /// that are in the columnstore as they are; with `existing`, `chronoform run maintenance`
    /// recompresses them, one after another.
    #[serde(default)]
    pub converge: Converge,
    /// When the policy's job runs. Needs `after` or `created_before`.
    pub schedule: Option<Schedule>,
}

/// Which chunks settings are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("default" = "new"))]
pub enum Converge {
    /// Those converted from now on.
    #[default]
    New,
    /// Those that are in the columnstore already too.
    Existing,
}

/// A setting that is made, or left to TimescaleDB.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Setting<T> {
    /// TimescaleDB's own choice.
    Left(Auto),
    /// One's own.
    Made(T),
}

impl<T> Setting<T> {
    fn made(&self) -> Option<&T> {
        if let Self::Made(value) = self { Some(value) } else { None }
    }
}

/// TimescaleDB's own choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Auto {
    /// As TimescaleDB chooses.
    Auto,
}

/// A sparse index: a summary of one or more columns, kept for each batch of rows.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SparseIndex {
    /// A bloom filter, for `=` on a column, or on several at once (TimescaleDB 2.26 and newer).
    Bloom(#[schemars(example = &"symbol")] Columns),
    /// The smallest and the largest value, for ranges.
    Minmax(#[schemars(example = &"price")] String),
    /// The first and the last value in the order (TimescaleDB 2.29 and newer).
    Firstlast(#[schemars(example = &"price")] String),
}

/// One column's exact name, or several.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Columns {
    /// One.
    One(String),
    /// Several.
    Many(#[schemars(length(min = 1, max = 8))] Vec<String>),
}

impl SparseIndex {
    /// Its type as TimescaleDB calls it, and its columns.
    fn parts(&self) -> (&'static str, Vec<&String>) {
        match self {
            Self::Bloom(Columns::One(column)) => ("bloom", vec![column]),
            Self::Bloom(Columns::Many(columns)) => ("bloom", columns.iter().collect()),
            Self::Minmax(column) => ("minmax", vec![column]),
            Self::Firstlast(column) => ("firstlast", vec![column]),
        }
    }
}

/// The resource of a section.
pub fn expand(input: &SectionInput<'_>, sink: &mut Vec<Diagnostic>) -> Vec<Desired> {
    let Some(raw) = input.read::<Columnstore>(sink) else { return Vec::new() };
    let on = input.head.relation.clone();
    let mut desired = input.desired(Address::in_schema(super::ID, &on), Some(on));
    desired.ensure = raw.ensure;
    if raw.ensure == Ensure::Absent {
        return vec![desired];
    }
    desired.set("enabled", true);
    if !policy(&raw, input, &mut desired, sink) {
        return Vec::new();
    }
    let mut columns = Seen { input, used: BTreeMap::new() };
    match &raw.segment_by {
        Some(Setting::Made(list)) => columns.segment_by(list, &mut desired, sink),
        Some(Setting::Left(Auto::Auto)) => leave(input, "segment_by", &mut desired, sink),
        None => {}
    }
    match &raw.order_by {
        Some(Setting::Made(list)) => columns.order_by(list, &mut desired, sink),
        Some(Setting::Left(Auto::Auto)) => leave(input, "order_by", &mut desired, sink),
        None => {}
    }
    let ordered = raw.order_by.as_ref().and_then(Setting::made).is_some();
    match &raw.sparse_index {
        Some(Setting::Made(list)) => columns.sparse_index(list, ordered, &mut desired, sink),
        Some(Setting::Left(Auto::Auto)) => leave(input, "sparse_index", &mut desired, sink),
        None => {}
    }
    let operation = (raw.converge == Converge::Existing).then(|| recompression(input));
    std::iter::once(desired).chain(operation).collect()
}

/// Leaves a setting to TimescaleDB. On a continuous aggregate it makes its choice when the columnstore
/// is enabled, and never again: `ALTER MATERIALIZED VIEW` has no RESET (seen on 2.22, 2.24 and 2.28).
fn leave(input: &SectionInput<'_>, setting: &'static str, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
    let at = format!("/{setting}");
    if input.head.document == "continuous_aggregate" {
        let message = format!("`{setting}` of a continuous aggregate cannot be `auto`");
        sink.push(
            Diagnostic::error(&code::WRONG_VALUE, message)
                .at(input.place(&at))
                .why("TimescaleDB chooses once, when the columnstore is enabled on it, and cannot go back to its own choice")
                .help("leave the key out, which leaves the setting as it is, or write the setting that is wanted"),
        );
        return;
    }
    input.set(desired, setting, &at, settings::auto());
}

/// The operation that brings existing chunks to the settings.
fn recompression(input: &SectionInput<'_>) -> Desired {
    let on = input.head.relation.clone();
    let mut desired = input.desired(Address::in_schema(recompression::ID, &on), Some(on));
    input.set(&mut desired, recompression::CONVERGED, "/converge", Value::text(recompression::ALL));
    desired
}

/// The policy's own attributes; false where they contradict each other.
fn policy(raw: &Columnstore, input: &SectionInput<'_>, desired: &mut Desired, sink: &mut Vec<Diagnostic>) -> bool {
    match (&raw.after, &raw.created_before) {
        (Some(_), Some(_)) => {
            sink.push(
                Diagnostic::error(&code::WRONG_VALUE, "`after` and `created_before` cannot be used together")
                    .at(input.key_place("/created_before"))
                    .and_at(input.key_place("/after"), "and here")
                    .why("one counts from the time in the rows, the other from the creation of the chunk")
                    .help("keep one of them; `after` is what most tables need"),
            );
            return false;
        }
        (Some(age), None) => age.apply("after", input, desired, sink),
        (None, Some(text)) => job::apply_interval(text, "created_before", input, desired, sink),
        (None, None) => {
            // That no policy is wanted is itself a statement.
            desired.set("after", Value::Null);
            desired.set("created_before", Value::Null);
        }
    }
    let Some(schedule) = &raw.schedule else { return true };
    if raw.after.is_none() && raw.created_before.is_none() {
        sink.push(
            Diagnostic::error(&code::MISSING_KEY, "a schedule without `after` or `created_before` schedules nothing")
                .at(input.key_place("/schedule"))
                .why("without either the columnstore is enabled without a policy, and so without a job")
                .help("say when chunks are converted, such as `after: 7 days`, or take the schedule out"),
        );
        return false;
    }
    schedule.apply(input, "/schedule", desired, sink);
    job::check_schedule(desired, sink);
    true
}

/// Which columns the settings use, and where: a column has one part to play.
struct Seen<'a> {
    input: &'a SectionInput<'a>,
    used: BTreeMap<String, (&'static str, String)>,
}

impl Seen<'_> {
    /// Reads a column's name for a setting, unless it has its part already.
    fn column(&mut self, text: &str, setting: &'static str, at: &str, sink: &mut Vec<Diagnostic>) -> Option<String> {
        let name = self.input.identifier(text, at, sink)?;
        if let Some((first, place)) = self.used.get(&name) {
            let message = match *first == setting {
                true => format!("`{name}` is listed twice in `{setting}`"),
                false => format!("`{name}` cannot be both in `{first}` and in `{setting}`"),
            };
            sink.push(
                Diagnostic::error(&code::WRONG_VALUE, message)
                    .at(self.input.place(at))
                    .and_at(self.input.place(place), "first here")
                    .help("take it out of one of them"),
            );
            return None;
        }
        self.used.insert(name.clone(), (setting, at.to_owned()));
        Some(name)
    }

    fn segment_by(&mut self, list: &[String], desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
        let mut names = Vec::new();
        for (index, text) in list.iter().enumerate() {
            let at = format!("/segment_by/{index}");
            if let Some(name) = self.column(text, "segment_by", &at, sink) {
                desired.set_place(item_place("segment_by", &name), self.input.place(&at).clone());
                names.push(name);
            }
        }
        self.input.set(desired, "segment_by", "/segment_by", Value::texts(names));
    }

    fn order_by(&mut self, list: &[KeySpec], desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
        let mut keys = Vec::new();
        for (index, spec) in list.iter().enumerate() {
            let at = format!("/order_by/{index}");
            let Some(key) = spec.read(self.input, &at, sink) else { continue };
            let Some(name) = plain_column(&key) else {
                let message = "`order_by` takes columns only, without expression, operator class or collation";
                sink.push(Diagnostic::error(&code::WRONG_VALUE, message).at(self.input.place(&at)));
                continue;
            };
            if let Some(name) = self.column(name, "order_by", &at, sink) {
                desired.set_place(item_place("order_by", &name), self.input.place(&at).clone());
                keys.push(key.into());
            }
        }
        self.input.set(desired, "order_by", "/order_by", Value::List(keys));
    }

    fn sparse_index(&self, list: &[SparseIndex], ordered: bool, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
        if !ordered {
            sink.push(
                Diagnostic::error(&code::MISSING_KEY, "`sparse_index` needs `order_by`")
                    .at(self.input.key_place("/sparse_index"))
                    .why("TimescaleDB takes both or chooses both itself")
                    .help("write the order too, such as `order_by: [time desc]`"),
            );
        }
        let mut sets: BTreeMap<BTreeSet<&String>, String> = BTreeMap::new();
        let mut values = Vec::new();
        for (index, sparse) in list.iter().enumerate() {
            let (type_name, columns) = sparse.parts();
            let at = format!("/sparse_index/{index}/{type_name}");
            let distinct: BTreeSet<&String> = columns.iter().copied().collect();
            if distinct.len() < columns.len() {
                let message = "a column is listed twice in one sparse index";
                sink.push(Diagnostic::error(&code::WRONG_VALUE, message).at(self.input.place(&at)));
            } else if let Some(first) = sets.insert(distinct, at.clone()) {
                sink.push(
                    Diagnostic::error(&code::WRONG_VALUE, "the same columns have a sparse index already")
                        .at(self.input.place(&at))
                        .and_at(self.input.place(&first), "first here")
                        .why("TimescaleDB takes one sparse index for a set of columns"),
                );
            }
            for column in &columns {
                desired.set_place(item_place("sparse_index", column), self.input.place(&at).clone());
            }
            values.extend(self.sparse_columns(type_name, &columns, &at, sink));
        }
        self.input.set(desired, "sparse_index", "/sparse_index", Value::List(values));
    }

    fn sparse_columns(
        &self,
        type_name: &str,
        columns: &[&String],
        at: &str,
        sink: &mut Vec<Diagnostic>,
    ) -> Option<Value> {
        let mut names = Vec::new();
        for column in columns {
            let name = self.input.identifier(column, at, sink)?;
            if let Some(("segment_by", place)) = self.used.get(&name).map(|(setting, place)| (*setting, place)) {
                sink.push(
                    Diagnostic::error(
                        &code::WRONG_VALUE,
                        format!("`{name}` is in `segment_by` and needs no sparse index"),
                    )
                    .at(self.input.place(at))
                    .and_at(self.input.place(place), "here")
                    .why("a segment holds one value of it, by which it is found already"),
                );
                return None;
            }
            names.push(name);
        }
        Some(settings::sparse_index(type_name, names))
    }
}

/// Under which name the place of a column in a setting is kept, beside the setting's own.
pub fn item_place(setting: &str, column: &str) -> String {
    format!("{setting}: {column}")
}

/// The column's name, where the key says nothing that a columnstore does not know.
fn plain_column(key: &KeyColumn) -> Option<&str> {
    match (&key.target, &key.opclass, &key.collation) {
        (KeyTarget::Column(name), None, None) => Some(name),
        _ => None,
    }
}
