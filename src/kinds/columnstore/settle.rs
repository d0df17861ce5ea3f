//! What the server makes of a desired columnstore, and what it makes impossible.

use crate::core::name::quote_identifier;
use crate::core::{Desired, Ensure, KindId, Value, Version};
use crate::diag::{Diagnostic, code};
use crate::kinds::columnstore::NEVER_RUNS;
use crate::kinds::columnstore::desired::item_place;
use crate::kinds::columnstore::settings::{self, SPARSE_INDEX, has_hash, has_order, sparse_parts};
use crate::kinds::{Relation, Stored, View, checks, job};

/// The first that keeps more than the first column of a bloom filter; before, the rest is dropped
/// without a word (seen on 2.23).
const COMPOSITE_BLOOM: Version = Version::new(2, 26);
/// The first with `firstlast`.
const FIRST_LAST: Version = Version::new(2, 29);

/// Brings it to the form in which the catalog would show it.
pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    if desired.ensure == Ensure::Absent {
        return Some(desired.clone());
    }
    let relation = job::relation("a columnstore", desired, view, sink)?;
    let before = sink.len();
    job::check_age("after", desired, relation, view, sink);
    job::check_created_before("created_before", desired, relation, view, sink);
    Check { desired, relation, view, sink }.settings();
    check_refresh(desired, relation, view, sink);
    if sink.iter().skip(before).any(Diagnostic::is_error) {
        return None;
    }
    sink.extend(never_runs(desired, relation, view));
    let mut settled = desired.clone();
    add_time(&mut settled, relation, view);
    if let Some(list) = desired.get("sparse_index").filter(|value| !settings::is_auto(value)) {
        settled.set("sparse_index", settings::normal_sparse_indexes(list.as_list(), Some(relation)));
    }
    Some(settled)
}

/// A job of an aggregate on whole-number time asks the aggregate's own hypertable for the present, which TimescaleDB
/// gives no function (`integer_now function not set`, 42883: seen on 2.28). Retention asks what it is made from.
fn never_runs(desired: &Desired, relation: &Relation, view: &View<'_>) -> Option<Diagnostic> {
    desired.get("after").and_then(Value::as_int).filter(|_| lacks_now(relation, view))?;
    let function = relation.hypertable.as_ref()?.time()?.integer_now.as_ref()?;
    let schema = view.server.timescaledb.as_ref().map_or("public", |timescale| timescale.schema.as_str());
    let name = &relation.name;
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let message = format!("the columnstore policy of {name} converts nothing: its job fails at every run");
    let help = format!(
        "give it {function} by hand, once it is there and after each time that it is made anew: `SELECT {}.set_integer_now_func(\
         format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)::regclass, {}) FROM \
         timescaledb_information.continuous_aggregates WHERE view_schema = {} AND view_name = {}`",
        quote_identifier(schema),
        quoted(&function.to_string()),
        quoted(&name.schema),
        quoted(&name.name)
    );
    Some(
        Diagnostic::warning(&NEVER_RUNS, message)
            .at(desired.place_of("after"))
            .why("TimescaleDB asks the hypertable of its own that the aggregate's rows are in for the present, and that has no `integer_now`")
            .help(help),
    )
}

/// Whether nothing tells the job of an aggregate the present once the plan is carried out.
pub fn lacks_now(relation: &Relation, view: &View<'_>) -> bool {
    let is_made = relation.stored == Stored::Nowhere
        || view.relations.get(&relation.name).is_some_and(|relation| relation.coming.is_some());
    let time = relation.hypertable.as_ref().and_then(|hypertable| hypertable.time());
    relation.stored != Stored::Itself && time.is_some_and(|time| time.inherits_now || is_made)
}

/// Before this, TimescaleDB converts nothing of a continuous aggregate that no policy refreshes (seen on
/// 2.14 to 2.24; not on 2.28).
const WITHOUT_REFRESH: Version = Version::new(2, 28);
/// Before this, nothing that a refresh may still look at (seen on 2.14; not on 2.18).
const BEFORE_REFRESH: Version = Version::new(2, 18);

/// What older servers want of the refresh policies of the aggregate that is converted.
fn check_refresh(desired: &Desired, relation: &Relation, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    let set = |name: &str| desired.get(name).filter(|value| **value != Value::Null);
    let version = view.server.timescale_version().unwrap_or_default();
    if relation.stored == Stored::Itself || (set("after").is_none() && set("created_before").is_none()) {
        return;
    }
    let kind = KindId::new("refresh");
    let wanted = view.desired.values().filter(|other| other.address.kind == kind && other.on == desired.on);
    let absent: Vec<_> = wanted.clone().filter(|other| other.ensure == Ensure::Absent).map(|o| &o.address).collect();
    let live = view.live.values().filter(|other| other.address.kind == kind && other.on == desired.on);
    let stays = live.filter(|live| !absent.contains(&&live.address)).count() > 0;
    let present = || wanted.clone().filter(|other| other.ensure == Ensure::Present);
    if version < WITHOUT_REFRESH && !stays && present().next().is_none() {
        sink.push(
            Diagnostic::error(&code::MISSING_KEY, format!("nothing refreshes {}", relation.name))
                .at(&desired.place)
                .why(format!("before TimescaleDB {WITHOUT_REFRESH} the columnstore's policy needs a refresh policy"))
                .help("add a `refresh` section, or take `after` out"),
        );
    }
    let Some(after) = set("after") else { return };
    for refresh in present().filter(|_| version < BEFORE_REFRESH) {
        let start = refresh.get("start_offset").unwrap_or(&Value::Null);
        let beyond = match (start, after) {
            (Value::Interval(start), Value::Interval(after)) => {
                start.approximate_micros() >= after.approximate_micros()
            }
            (Value::Int(start), Value::Int(after)) => start >= after,
            _ => false,
        };
        if beyond {
            sink.push(
                Diagnostic::error(
                    &code::POLICY_CONFLICT,
                    format!("chunks are converted after {after}, and a refresh looks back to {start}"),
                )
                .at(desired.place_of("after"))
                .and_at(refresh.place_of("start_offset"), "the refresh begins here")
                .why(format!("before TimescaleDB {BEFORE_REFRESH} nothing can be refreshed that is converted"))
                .help("convert later than the refresh looks back"),
            );
        }
    }
}

/// Adds the time column to the order where the server would.
fn add_time(settled: &mut Desired, relation: &Relation, view: &View<'_>) {
    let written = settled.get("order_by").filter(|value| !settings::is_auto(value));
    let (Some(time), Some(order_by)) = (view.time_column_of(relation), written) else { return };
    let segment_by = segment_by(settled, view);
    let keys = settings::with_time(order_by.as_list(), &segment_by, &time.name);
    settled.set("order_by", Value::List(keys));
}

/// The segmentation that will be in force: as written, or else as it is.
fn segment_by(desired: &Desired, view: &View<'_>) -> Vec<Value> {
    in_force("segment_by", desired, view).map(|value| value.as_list().to_vec()).unwrap_or_default()
}

/// A setting as written, or else as it is.
fn in_force<'a>(setting: &str, desired: &'a Desired, view: &View<'a>) -> Option<&'a Value> {
    // What is on an aggregate that is made anew goes with it.
    let on = desired.on.as_ref().and_then(|on| view.relations.get(on));
    let stays = on.is_none_or(|relation| relation.coming.is_none());
    desired.get(setting).or_else(|| view.live.get(&desired.address).filter(|_| stays)?.get(setting))
}

fn column_name(value: &Value) -> Option<&str> {
    match value {
        Value::Key(key) => key.column_name(),
        value => value.as_text(),
    }
}

struct Check<'a> {
    desired: &'a Desired,
    relation: &'a Relation,
    view: &'a View<'a>,
    sink: &'a mut Vec<Diagnostic>,
}

impl Check<'_> {
    fn settings(&mut self) {
        for setting in ["segment_by", "order_by"] {
            for value in self.desired.get(setting).map(Value::as_list).unwrap_or_default() {
                if let Some(name) = column_name(value) {
                    self.column(name, setting, "a columnstore is ordered by it", has_order);
                }
            }
        }
        self.overlap("segment_by", "order_by");
        self.overlap("order_by", "segment_by");
        for value in self.desired.get("sparse_index").map(Value::as_list).unwrap_or_default() {
            if let Some((type_name, columns)) = sparse_parts(value) {
                self.sparse_index(type_name, &columns);
            }
        }
        if self.desired.get("sparse_index").is_some() {
            self.needs(SPARSE_INDEX, "sparse_index", "`sparse_index`");
        }
        for setting in ["segment_by", "order_by"] {
            if self.desired.get(setting).is_some_and(settings::is_auto) {
                self.can_be_left(setting);
            }
        }
    }

    fn can_be_left(&mut self, setting: &str) {
        if self.view.server.timescale_version().is_some_and(|have| have < settings::RESET) {
            let message = format!("`{setting}: auto` needs TimescaleDB {}", settings::RESET);
            self.sink.push(
                Diagnostic::error(&code::NEEDS_NEWER_SERVER, message)
                    .at(self.desired.place_of(setting))
                    .why("before that, it chooses once, when the columnstore is enabled, and cannot go back to its own choice")
                    .help("upgrade TimescaleDB, write the setting that is wanted, or leave the key out, which leaves it as it is"),
            );
        }
    }

    fn column(&mut self, name: &str, setting: &str, why: &str, can: fn(u32) -> bool) {
        let place = self.desired.places.get(&item_place(setting, name)).unwrap_or(self.desired.place_of(setting));
        match self.relation.column(name) {
            None => self.sink.push(checks::unknown_column(self.relation, name, place)),
            Some(column) if !can(column.base_type) => {
                let message = format!("`{name}` is of type {}, which cannot be in `{setting}`", column.type_name);
                self.sink.push(
                    Diagnostic::error(&code::WRONG_VALUE, message)
                        .at(place)
                        .why(format!("{why}, and the type has no operator class for that"))
                        .help("choose another column"),
                );
            }
            Some(_) => {}
        }
    }

    /// A setting that is written may not take a column that an unwritten one has on the live table.
    fn overlap(&mut self, written: &str, unwritten: &str) {
        if self.desired.get(unwritten).is_some() {
            return;
        }
        let Some(live) = in_force(unwritten, self.desired, self.view) else { return };
        let live: Vec<&str> = live.as_list().iter().filter_map(column_name).collect();
        for name in self.desired.get(written).map(Value::as_list).unwrap_or_default().iter().filter_map(column_name) {
            if live.contains(&name) {
                let message = format!("`{name}` cannot be in `{written}`: the live table has it in `{unwritten}`");
                self.sink.push(
                    Diagnostic::error(&code::WRONG_VALUE, message)
                        .at(self.desired.place_of(written))
                        .why(format!("`{unwritten}` is not written in the policy, and so stays as it is"))
                        .help(format!("write `{unwritten}` too, without `{name}`")),
                );
            }
        }
    }

    fn sparse_index(&mut self, type_name: &str, columns: &[&str]) {
        let (why, can): (&str, fn(u32) -> bool) = match type_name {
            "bloom" => ("a bloom filter holds hashes", has_hash),
            _ => ("its smallest and largest values are kept", has_order),
        };
        for name in columns {
            self.column(name, "sparse_index", why, can);
        }
        if columns.len() > 1 {
            self.needs(COMPOSITE_BLOOM, "sparse_index", "a bloom filter over several columns");
        }
        if type_name == "firstlast" {
            self.needs(FIRST_LAST, "sparse_index", "`firstlast`");
        }
    }

    fn needs(&mut self, version: Version, setting: &str, what: &str) {
        if self.view.server.timescale_version().is_some_and(|have| have < version) {
            let message = format!("{what} needs TimescaleDB {version}");
            self.sink.push(
                Diagnostic::error(&code::NEEDS_NEWER_SERVER, message)
                    .at(self.desired.place_of(setting))
                    .help("upgrade TimescaleDB, or take it out of the policy"),
            );
        }
    }
}
