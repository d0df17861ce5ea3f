//! What the policies that run as TimescaleDB jobs share: how old data must be, where the jobs are in
//! the catalog, and what makes such a policy impossible on a server or a table.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{Schema, SchemaGenerator};
use serde::Deserialize;

use crate::core::name::quote_identifier;
use crate::core::{
    Address, Cell, Delta, Desired, Edition, Interval, KindId, QualifiedName, Row, Server, Value, Version,
};
use crate::diag::{Code, Diagnostic, code};
use crate::kinds::view::types;
use crate::kinds::{self, Column, Relation, RelationKind, SectionInput, Stored, Untold, View, checks};

/// The job table moved to `_timescaledb_catalog` here; its old name was an alias until 2.27
/// (read from TimescaleDB's update scripts).
const JOBS_MOVED: Version = Version::new(2, 25);

/// How old data must be: a length of time as the table counts it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Age {
    /// A whole number, in the unit of the time column.
    Integer(i64),
    /// An interval.
    Text(String),
}

/// The schema of an [`Age`].
pub fn age_schema(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": ["string", "integer"], "minimum": 1, "examples": ["90 days", 7_776_000] })
}

impl Age {
    /// Sets an attribute to it, read at the key of the same name.
    pub fn apply(&self, attribute: &str, input: &SectionInput<'_>, desired: &mut Desired, sink: &mut Vec<Diagnostic>) {
        let at = format!("/{attribute}");
        match self {
            Self::Integer(number) => input.set(desired, attribute, &at, *number),
            Self::Text(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                let message = format!("`{text}` in quotes is a text, and an interval needs a unit");
                sink.push(Diagnostic::error(&code::BAD_INTERVAL, message).at(input.place(&at)).help(format!(
                    "write it without quotes where time is a whole number, or with a unit: `{text} days`"
                )));
            }
            Self::Text(text) => apply_interval(text, attribute, input, desired, sink),
        }
    }
}

/// Sets an attribute to an interval, read at the key of the same name.
pub fn apply_interval(
    text: &str,
    attribute: &str,
    input: &SectionInput<'_>,
    desired: &mut Desired,
    sink: &mut Vec<Diagnostic>,
) {
    let at = format!("/{attribute}");
    if let Some(interval) = input.interval(text, &at, sink) {
        input.set(desired, attribute, &at, interval);
    }
}

/// Says offline what the server says of a fixed schedule only when the policy is added:
/// `ts_bgw_job_validate_schedule_interval` (`src/bgw/job.c`, 2.29) refuses months beside smaller units.
pub fn check_schedule(desired: &Desired, sink: &mut Vec<Diagnostic>) {
    let Some(every) = desired.get("schedule.every").and_then(Value::as_interval) else { return };
    let fixed = desired.get("schedule.fixed").and_then(Value::as_bool) == Some(true);
    let fixes = if fixed { "schedule.fixed" } else { "schedule.initial_start" };
    if desired.get(fixes).is_none() || every.months == 0 || (every.days, every.micros) == (0, 0) {
        return;
    }
    let message = format!("a fixed schedule cannot repeat every {every}: months do not mix with smaller units");
    sink.push(
        Diagnostic::error(&code::BAD_INTERVAL, message)
            .at(desired.place_of("schedule.every"))
            .and_at(desired.place_of(fixes), "this fixes the schedule to the clock")
            .help("use whole months alone, or days and hours alone"),
    );
}

/// A catalog query written against [`JOBS_MOVED`]'s newer place, for the server at hand.
pub fn on_server(sql: &str, server: &Server) -> String {
    if server.timescale_version().is_some_and(|version| version < JOBS_MOVED) {
        return sql.replace("_timescaledb_catalog.bgw_job", "_timescaledb_config.bgw_job");
    }
    sql.to_owned()
}

/// What the policy's templates look its job up by. The job of a continuous aggregate is listed under
/// the aggregate's name on newer servers, and under that of the hypertable that it is kept in on older
/// ones (seen on 2.28 and 2.14).
pub fn context(delta: &Delta, view: &View<'_>) -> BTreeMap<String, Value> {
    let Some(on) = &delta.on else { return BTreeMap::new() };
    let is_aggregate = view.relations.get(on).is_some_and(|relation| relation.stored != Stored::Itself);
    BTreeMap::from([
        ("schema".to_owned(), Value::text(&on.schema)),
        ("table".to_owned(), Value::text(&on.name)),
        ("is_aggregate".to_owned(), Value::Bool(is_aggregate)),
    ])
}

/// The relation that a policy is for, where the server and the relation can have it at all.
pub fn relation<'a>(
    what: &str,
    desired: &Desired,
    view: &View<'a>,
    sink: &mut Vec<Diagnostic>,
) -> Option<&'a Relation> {
    let relation = checks::relation(desired, view, sink)?;
    if !is_community(what, desired, view, sink) {
        return None;
    }
    if !view.is_hypertable(&relation.name) {
        let message = format!("{what} needs a hypertable, and {} is {}", relation.name, relation.kind.words());
        let help = match relation.kind {
            RelationKind::Table => "add a `hypertable` section with its `time_column`, or take this section out",
            _ => "only an ordinary table can be made one: take this section out",
        };
        sink.push(Diagnostic::error(&code::NEEDS_HYPERTABLE, message).at(&desired.place).help(help));
        return None;
    }
    Some(relation)
}

/// Whether the server has the edition of TimescaleDB that policies and aggregates need; where it has
/// not, that is said.
pub fn is_community(what: &str, desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> bool {
    let Some(timescale) = &view.server.timescaledb else {
        sink.push(checks::needs_timescaledb(what, desired, view));
        return false;
    };
    if timescale.edition != Edition::Community {
        let message =
            format!("{what} needs the Community edition of TimescaleDB, and the server runs the {}", timescale.edition);
        sink.push(
            Diagnostic::error(&code::NEEDS_COMMUNITY, message)
                .at(&desired.place)
                .why(format!(
                    "under `timescaledb.license = {}` the server refuses it with SQLSTATE 0A000",
                    timescale.license
                ))
                .help(
                    "install the Community module and set `timescaledb.license = timescale`, or take this section out",
                ),
        );
        return false;
    }
    true
}

/// Checks that a length of time is counted as a relation counts time. False where it is not.
pub fn check_unit(
    attribute: &str,
    desired: &Desired,
    relation: &Relation,
    view: &View<'_>,
    sink: &mut Vec<Diagnostic>,
) -> bool {
    let (Some(value), Some(column)) = (desired.get(attribute), view.time_column_of(relation)) else { return true };
    let found = match value {
        Value::Interval(interval) if column.is_integer() => wrong_unit(
            format!("`{attribute}: {interval}` is an interval, and time is a whole number"),
            "write it as a number, in the unit of the time column",
            column,
        ),
        Value::Int(number) if !column.is_integer() => wrong_unit(
            format!("`{attribute}: {number}` is a number, and time is no number"),
            "write it as an interval, such as `7 days`",
            column,
        ),
        Value::Int(number) if *number > largest(column) => Diagnostic::error(
            &code::WRONG_VALUE,
            format!("`{attribute}: {number}` is more than the type {} of `{}` holds", column.type_name, column.name),
        ),
        _ => return true,
    };
    sink.push(found.at(desired.place_of(attribute)));
    false
}

/// The function that tells the present of a whole-number table: as it is, or as the policies want it. An aggregate goes
/// by that of the table at the bottom of what it is made from, or is to be made from, unless it has one of its own.
pub fn integer_now(name: &QualifiedName, view: &View<'_>) -> Option<QualifiedName> {
    let (mut asked, mut next) = (BTreeSet::new(), vec![name.clone()]);
    let mut is_known = true;
    while let Some(of) = next.pop() {
        // What an aggregate has from what it is made from may change there.
        let own = view.live_hypertable(&of).and_then(|it| it.time()).filter(|time| !time.inherits_now);
        let live = || own.and_then(|time| time.integer_now.clone());
        if let Some(function) = wanted_integer_now(&of, view).or_else(live) {
            return Some(function);
        }
        let sources = made_from(&of, view);
        is_known &= !sources.is_empty() || view.relations.contains_key(&of);
        next.extend(sources.into_iter().filter(|source| asked.insert(source.clone())));
    }
    // Where it is made from what nobody looked at.
    if is_known { None } else { live_integer_now(name, view) }
}

/// The relations that the rows of one are made from: by its policy, or else as it is.
fn made_from(name: &QualifiedName, view: &View<'_>) -> Vec<QualifiedName> {
    let of = |kind: &&dyn kinds::Kind| {
        let address = Address::in_schema(kind.id(), name);
        if let Some(desired) = view.desired.get(&address).filter(|desired| kind.makes(desired).is_some()) {
            return kinds::reads(desired);
        }
        match view.live.get(&address).and_then(|live| live.fact("source")) {
            Some(Value::Name(source)) => vec![source.clone()],
            _ => Vec::new(),
        }
    };
    kinds::all().iter().flat_map(of).collect()
}

/// The same, where it is another one than does now.
pub fn moved_present(name: &QualifiedName, view: &View<'_>) -> Option<QualifiedName> {
    let live = live_integer_now(name, view);
    integer_now(name, view).filter(|function| live.as_ref() != Some(function))
}

/// The function that is in force now.
pub fn live_integer_now(name: &QualifiedName, view: &View<'_>) -> Option<QualifiedName> {
    view.live_hypertable(name)?.time()?.integer_now.clone()
}

/// That what is old in a relation cannot be told, because the function that tells the present fails.
pub fn failing_now(delta: &Delta, attribute: &str, relation: &Relation) -> Option<Diagnostic> {
    let desired = delta.desired.as_ref().filter(|desired| matches!(desired.get(attribute), Some(Value::Int(_))))?;
    let said = present_unknown(relation, Diagnostic::warning)?;
    Some(said.at(desired.place_of(attribute)))
}

/// The same, as what it is said by has it.
pub fn present_unknown(relation: &Relation, say: fn(&'static Code, String) -> Diagnostic) -> Option<Diagnostic> {
    let time = relation.hypertable.as_ref()?.time()?;
    let (function, untold) = (time.integer_now.as_ref()?, time.present.as_ref()?.as_ref().err()?);
    let fails = match untold {
        Untold::Fails(why) => why,
        Untold::Foreign { caller, .. } => {
            let message =
                format!("what is old in {} cannot be told: its `integer_now`, {function}, {untold}", relation.name);
            let help = format!(
                "plan as a role that its owner is a member of, or give it to {caller} once it has been read: `ALTER FUNCTION \
                 {function}() OWNER TO {}`",
                quote_identifier(caller)
            );
            let why = "whoever owns a function can make it do anything, with the rights of whoever calls it";
            return Some(say(&code::NOW_FOREIGN, message).why(why).help(help));
        }
    };
    let message =
        format!("what is old in {} cannot be told: its `integer_now`, {function}, fails with: {fails}", relation.name);
    let help = format!(
        "where it misses a name, write that with its schema in the function, or say where names are: `ALTER FUNCTION \
         {function}() SET search_path = pg_catalog, public`; otherwise mend what `SELECT {function}()` says"
    );
    let why = "it is called with an empty search_path, in which it must mean the same as for the jobs that call it";
    Some(say(&code::NOW_FAILS, message).why(why).help(help))
}

/// The function that the `hypertable` section of the same table asks for.
pub fn wanted_integer_now(name: &QualifiedName, view: &View<'_>) -> Option<QualifiedName> {
    let hypertable = view.desired.get(&Address::in_schema(KindId::new("hypertable"), name))?;
    match hypertable.get("integer_now") {
        Some(Value::Name(function)) => Some(function.clone()),
        _ => None,
    }
}

/// Checks that an age by row time is counted as the table counts time. False where it is not.
pub fn check_age(
    attribute: &str,
    desired: &Desired,
    relation: &Relation,
    view: &View<'_>,
    sink: &mut Vec<Diagnostic>,
) -> bool {
    let (Some(value), Some(column)) = (desired.get(attribute), view.time_column_of(relation)) else { return true };
    let found = match value {
        Value::Interval(interval) if column.is_integer() => Some(wrong_unit(
            format!("`{attribute}: {interval}` is an interval, and time is a whole number"),
            "write it as a number, in the unit of the time column",
            column,
        )),
        Value::Interval(interval) if is_beyond_time(interval) => Some(beyond_time(attribute, interval)),
        Value::Int(number) if !column.is_integer() => Some(wrong_unit(
            format!("`{attribute}: {number}` is a number, and time is no number"),
            "write it as an interval, such as `90 days`",
            column,
        )),
        Value::Int(number) if number.saturating_abs() > largest(column) => Some(Diagnostic::error(
            &code::WRONG_VALUE,
            format!("`{attribute}: {number}` is more than the type {} of `{}` holds", column.type_name, column.name),
        )),
        Value::Int(number) if number.saturating_abs() > LONGEST_NUMBER => Some(
            Diagnostic::error(&code::WRONG_VALUE, format!("`{attribute}: {number}` reaches back too far"))
                .why(format!("more than {LONGEST_NUMBER} before the present may be less than a bigint can hold"))
                .help("to keep data for ever, take the policy out"),
        ),
        Value::Int(_) if integer_now(&relation.name, view).is_none() => Some(
            Diagnostic::error(&code::NO_INTEGER_NOW, format!("nothing tells the present of {}", relation.name))
                .why("time is a whole number there, and what is old can only be told from `integer_now`")
                .help("write `integer_now` in the `hypertable` section, naming a function that returns it"),
        ),
        _ => None,
    };
    let fine = found.is_none();
    sink.extend(found.map(|diagnostic| diagnostic.at(desired.place_of(attribute))));
    fine
}

/// The longest age in years: timestamps begin in 4714 BC, and the server fails on what is before.
const LONGEST_YEARS: i128 = 6500;
/// The longest age as a whole number, so that it can be taken from any present that is not as far
/// from zero itself.
const LONGEST_NUMBER: i64 = i64::MAX / 2;

/// Whether an age reaches back to before the server's first timestamp. Its fields are taken one by
/// one from the present, so those of opposite signs do not make up for each other.
fn is_beyond_time(age: &Interval) -> bool {
    let [months, days, micros] = [age.months.into(), age.days.into(), age.micros.into()].map(i128::abs);
    months * 31 + days + micros / 86_400_000_000 > LONGEST_YEARS * 12 * 31
}

fn beyond_time(attribute: &str, age: &Interval) -> Diagnostic {
    let message = format!("`{attribute}: {age}` reaches back further than {LONGEST_YEARS} years");
    Diagnostic::error(&code::BAD_INTERVAL, message)
        .why("the server's timestamps begin in 4714 BC, and the policy's job would fail at every run")
        .help("to keep data for ever, take the policy out")
}

/// Whether a job can go by an age at all; where it cannot, it fails at every run.
pub fn is_within_time(age: &Value) -> bool {
    match age {
        Value::Interval(age) => !is_beyond_time(age),
        Value::Int(number) => number.saturating_abs() <= LONGEST_NUMBER,
        _ => true,
    }
}

/// Whether a retention policy drops by the time in the rows of a relation, now and by the policies:
/// what it takes for old depends on what tells the present.
pub fn drops_by_row_time(name: &QualifiedName, view: &View<'_>) -> (bool, bool) {
    let address = Address::in_schema(KindId::new("retention"), name);
    let live = view.live.get(&address).and_then(|live| live.get("drop_after"));
    let wanted = view.desired.get(&address).and_then(|desired| desired.get("drop_after"));
    (live.is_some(), wanted.is_some())
}

fn wrong_unit(message: String, help: &str, column: &Column) -> Diagnostic {
    Diagnostic::error(&code::WRONG_TYPE, message)
        .why(format!("the time column `{}` is of type {}", column.name, column.type_name))
        .help(help)
}

/// The largest value of a whole-number type.
fn largest(column: &Column) -> i64 {
    match column.base_type {
        types::INT2 => i16::MAX.into(),
        types::INT4 => i32::MAX.into(),
        _ => i64::MAX,
    }
}

/// Checks that an age by the creation of chunks can work. On a whole-number table it does only
/// where there is no `integer_now` (seen on 2.23 and 2.29.2: retention's job then fails at every
/// run with `could not find drop_after`, and a columnstore policy is refused).
pub fn check_created_before(
    attribute: &str,
    desired: &Desired,
    relation: &Relation,
    view: &View<'_>,
    sink: &mut Vec<Diagnostic>,
) -> bool {
    if let Some(Value::Interval(age)) = desired.get(attribute)
        && is_beyond_time(age)
    {
        sink.push(beyond_time(attribute, age).at(desired.place_of(attribute)));
        return false;
    }
    let integer = view.time_column_of(relation).is_some_and(Column::is_integer);
    if desired.get(attribute).is_none_or(|age| *age == Value::Null) || !integer {
        return true;
    }
    let Some(function) = integer_now(&relation.name, view) else { return true };
    let message = format!("`{attribute}` cannot be used on {}, which has the `integer_now` {function}", relation.name);
    sink.push(
        Diagnostic::error(&code::NO_INTEGER_NOW, message)
            .at(desired.place_of(attribute))
            .why("TimescaleDB then looks for an age by row time, and the policy or its job fails")
            .help("say how old the rows must be instead, as a number in the unit of the time column"),
    );
    false
}

/// The error of a session whose role may not change the policies of a delta's relation.
pub fn not_owner(delta: &Delta, view: &View<'_>) -> Option<Diagnostic> {
    let relation = view.relations.get(delta.on.as_ref()?).filter(|relation| !relation.owned)?;
    let wanted = delta.desired.as_ref().or_else(|| view.desired.get(&delta.address));
    let place =
        wanted.or_else(|| view.desired.values().find(|desired| desired.on == delta.on)).map(|wanted| &wanted.place);
    place.map(|place| checks::not_owner(relation, view, place))
}

/// The error of a policy that is newly made, as a job, on a relation whose owner may not log in: the job would run as
/// that role (`ts_bgw_job_validate_job_owner` in `src/bgw/job.c`).
pub fn owner_cannot_log_in(delta: &Delta, view: &View<'_>) -> Option<Diagnostic> {
    let desired = delta.desired.as_ref().filter(|_| delta.is_create())?;
    job_of_who_cannot_log_in(desired, view)
}

/// The same, where it is known that a job is made.
pub fn job_of_who_cannot_log_in(desired: &Desired, view: &View<'_>) -> Option<Diagnostic> {
    let relation = view.relations.get(desired.on.as_ref()?).filter(|relation| !relation.owner_logs_in)?;
    let owner = &relation.owner;
    let own = view.desired.get(&Address::global(KindId::new("role"), owner.as_str()));
    // The plan changes roles first.
    if own.and_then(|role| role.get("login")) == Some(&Value::Bool(true)) {
        return None;
    }
    let message =
        format!("{} belongs to the role \"{owner}\", which may not log in, and so has no jobs", relation.name);
    Some(
        Diagnostic::error(&code::NO_PRIVILEGE, message)
            .at(&desired.place)
            .why("the policy is a job of TimescaleDB's, which runs as the owner, whoever makes it")
            .help(format!(
                "ALTER ROLE {} LOGIN: it needs no password for this, and its document can say `login: true`; or give {} to a \
                 role that may",
                quote_identifier(owner),
                relation.name
            )),
    )
}

/// The time zone that a delta newly asks for.
pub fn new_timezone(delta: &Delta) -> Option<&str> {
    delta.change("schedule.timezone")?.after.as_ref()?.as_text()
}

/// The error for a time zone that the server does not know. The weights are rows with `what` and
/// `name`, of which those with `what = 'unknown time zone'` name one.
///
/// # Errors
/// When a row has not these columns.
pub fn unknown_timezone(delta: &Delta, weights: &[Row]) -> Result<Option<Diagnostic>, crate::core::RowError> {
    let (Some(wanted), Some(desired)) = (new_timezone(delta), &delta.desired) else { return Ok(None) };
    for row in weights {
        if row.text("what")? == "unknown time zone" && row.maybe_text("name")? == Some(wanted) {
            let message = format!("the server knows no time zone `{wanted}`");
            let diagnostic = Diagnostic::error(&code::WRONG_VALUE, message)
                .at(desired.place_of("schedule.timezone"))
                .help("take a name from `pg_timezone_names`, such as `Europe/Berlin` or `UTC`");
            return Ok(Some(diagnostic));
        }
    }
    Ok(None)
}

/// A count in a catalog row, zero where it is NULL.
///
/// # Errors
/// When it is no number, or negative.
pub fn count(row: &Row, column: &str) -> Result<Option<u64>, crate::core::RowError> {
    match row.cell(column) {
        Cell::Null => Ok(None),
        _ => Ok(u64::try_from(row.int(column)?).ok()),
    }
}

/// Which age goes where a policy writes the other of two that cannot be together: as the policy says nothing
/// of it, no attribute shows it.
pub fn age_that_goes(delta: &Delta, ages: [&str; 2]) -> Option<String> {
    let (live, desired) = (delta.live.as_ref()?, delta.desired.as_ref()?);
    let says = |name: &&str| desired.get(name).is_some_and(|value| *value != Value::Null);
    let goes = ages.into_iter().find(|name| desired.get(name).is_none() && live.get(name).is_some())?;
    let was = live.get(goes)?;
    ages.iter().any(says).then(|| format!("`{goes}: {was}` goes: a policy has one age"))
}
