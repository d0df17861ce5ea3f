//! Jobs of the server that work against an archive: those that drop chunks by themselves, and those that
//! refresh continuous aggregates from rows that are to go.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Address, Cell, Desired, Ensure, KindId, Live, Param, Row, RowError, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::archive::{AFTER, DROP, NOT_ARCHIVED};
use crate::kinds::{Relation, View};

/// The fact that lists the jobs that refresh continuous aggregates from the table, as [`readers`] reads them.
pub const REFRESHED: &str = "refreshed";
/// The fact that lists the jobs that drop chunks of the table, as [`droppers`] reads them.
pub const DROPPED: &str = "dropped";

const JOB: KindId = KindId::new("job");
const RETENTION: KindId = KindId::new("retention");

/// The policies' own jobs, as parameters: their names, the schemas and names of what they run, what they are
/// given, and whether they are paused.
pub fn wanted(desired: &BTreeMap<Address, Desired>) -> [Param; 5] {
    let (mut documents, mut schemas, mut names) = (Vec::new(), Vec::new(), Vec::new());
    let (mut configs, mut paused) = (Vec::new(), Vec::new());
    for desired in desired.values().filter(|d| d.address.kind == JOB && d.ensure == Ensure::Present) {
        let Some(Value::Name(procedure)) = desired.get("procedure") else { continue };
        documents.push(Some(desired.address.name.clone()));
        schemas.push(Some(procedure.schema.clone()));
        names.push(Some(procedure.name.clone()));
        configs.push(desired.get("config").map(|config| config.to_json().to_string()));
        let is_paused = desired.get("schedule.paused").and_then(Value::as_bool).unwrap_or(false);
        paused.push(Some(is_paused.to_string()));
    }
    [documents, schemas, names, configs, paused].map(Param::Texts)
}

/// The jobs that refresh aggregates, of a row.
///
/// # Errors
/// When the row is not as the query gives it.
pub fn refreshed(row: &Row) -> Result<Vec<Value>, RowError> {
    let back = row.list("looks_back")?.iter().zip(row.list("looks_back_integer")?);
    let back = back.map(|found| match found {
        (Cell::Interval(interval), _) => Value::Interval(*interval),
        (_, Cell::Int(number)) => Value::Int(*number),
        _ => Value::Null,
    });
    let text = |text: Option<String>| Value::text(text.unwrap_or_default());
    let jobs = row.texts("refreshed")?.into_iter().zip(row.texts("refreshed_job")?).zip(back);
    Ok(jobs.map(|((by, job), back)| Value::List(vec![text(by), text(job), back])).collect())
}

/// What refreshes an aggregate from the table.
struct Reader<'a> {
    aggregate: &'a str,
    job: &'a str,
    /// How far back; null where that has no end, or nobody can tell.
    back: &'a Value,
}

fn readers(live: &Live) -> impl Iterator<Item = Reader<'_>> {
    live.fact(REFRESHED).map(Value::as_list).unwrap_or_default().iter().filter_map(|value| match value.as_list() {
        [aggregate, job, back] => Some(Reader { aggregate: aggregate.as_text()?, job: job.as_text()?, back }),
        _ => None,
    })
}

/// The jobs that drop chunks, of a row.
///
/// # Errors
/// When the row is not as the query gives it.
pub fn dropped(row: &Row) -> Result<Vec<Value>, RowError> {
    let columns = ["dropped", "dropped_job", "dropped_how", "dropped_document", "dropped_paused"];
    let [by, job, how, document, paused] = columns.map(|column| row.texts(column));
    let each = by?.into_iter().zip(job?).zip(how?).zip(document?).zip(paused?);
    let text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    let entry = |((((by, job), how), document), paused)| {
        let is_paused = paused == Some("true".to_owned());
        Value::List(vec![text(by), text(job), text(how), text(document), Value::Bool(is_paused)])
    };
    Ok(each.map(entry).collect())
}

/// A job that drops chunks of the table.
struct Dropper<'a> {
    /// The procedure; of a retention policy, what it is on.
    by: &'a str,
    /// Its number, where it is there already.
    job: Option<&'a str>,
    /// How that is known.
    how: How,
    /// The document that makes it, where it is not there yet.
    document: Option<&'a str>,
    paused: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// It is the table's retention policy.
    Policy,
    /// It is a retention job that was made with `add_job`.
    Beside,
    /// Its procedure drops chunks, and it names the table.
    Named,
    /// Its procedure drops chunks, and nobody can tell of what.
    Unknown,
}

fn droppers(live: &Live) -> impl Iterator<Item = Dropper<'_>> {
    let all = live.fact(DROPPED).map(Value::as_list).unwrap_or_default();
    all.iter().filter_map(|value| match value.as_list() {
        [by, job, how, document, paused] => Some(Dropper {
            by: by.as_text()?,
            job: job.as_text(),
            how: match how.as_text() {
                Some("policy") => How::Policy,
                Some("beside") => How::Beside,
                Some("named") => How::Named,
                _ => How::Unknown,
            },
            document: document.as_text(),
            paused: paused.as_bool() == Some(true),
        }),
        _ => None,
    })
}

/// Whether nothing else drops chunks of the table, now or by the policies.
pub fn nothing_else_drops(desired: &Desired, relation: &Relation, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> bool {
    let own = view.live.get(&Address::in_schema(RETENTION, &relation.name));
    let mut clear = own.is_none_or(|own| own_policy_is_no_harm(desired, own, sink));
    clear &= no_other_name(desired, relation, view, sink);
    let live = view.live.get(&desired.address);
    for dropper in live.into_iter().flat_map(droppers) {
        match dropper.how {
            How::Policy if own.is_some() => {}
            // Once `apply` has deleted it.
            _ if is_to_go(&dropper, view) => clear = false,
            _ => {
                clear &= dropper.paused;
                sink.push(told(&dropper, desired, relation, view));
            }
        }
    }
    clear
}

/// The table's own retention policy. With `drop: true` only what is proved to be in the archive is dropped:
/// `apply` removes the policy, and a run says that it leaves that to `apply`.
fn own_policy_is_no_harm(desired: &Desired, own: &Live, sink: &mut Vec<Diagnostic>) -> bool {
    if drops(desired) {
        return own.paused;
    }
    let Some(on) = &desired.on else { return true };
    let age = ["drop_after", "drop_created_before"].into_iter().find_map(|name| own.get(name));
    let age = age.map_or_else(String::new, |age| format!(" after {age}"));
    let (message, why) = if own.paused {
        let message = format!("{on} has a retention policy, which is paused; resumed, it drops chunks{age}");
        (Diagnostic::warning(&NOT_ARCHIVED, message), "from then on it does not ask whether they are in the archive")
    } else {
        let message = format!("{on} has a retention policy, which drops chunks{age}");
        (Diagnostic::error(&NOT_ARCHIVED, message), "it does not ask whether they are in the archive")
    };
    sink.push(
        message
            .at(&desired.place)
            .why(why)
            .help("write `drop: true`, so that chunks are dropped once they are archived, and by nothing else"),
    );
    own.paused
}

/// Whether no retention policy is wanted for the same hypertable by another name: that of the continuous
/// aggregate whose rows it has.
fn no_other_name(desired: &Desired, relation: &Relation, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> bool {
    let id = |relation: &Relation| relation.hypertable.as_ref().map(|hypertable| hypertable.id);
    let same = |other: &&Relation| other.name != relation.name && id(other).is_some() && id(other) == id(relation);
    let retention = |other: &Relation| view.desired.get(&Address::in_schema(RETENTION, &other.name));
    let wanted = view.relations.values().filter(same).filter_map(retention);
    let Some(wanted) = wanted.into_iter().find(|wanted| wanted.ensure == Ensure::Present) else { return true };
    sink.push(
        Diagnostic::error(&NOT_ARCHIVED, "a retention policy drops chunks whether or not they are archived")
            .at(&wanted.place)
            .and_at(&desired.place, "the archive of the same hypertable, by another name")
            .why("it runs by itself, and asks nobody")
            .help("take `retention` out and write `drop: true` in `archive`: `after` is then the age to drop by"),
    );
    false
}

fn drops(desired: &Desired) -> bool {
    desired.get(DROP) == Some(&Value::Bool(true))
}

/// Whether the policies want a live job deleted.
fn is_to_go(dropper: &Dropper<'_>, view: &View<'_>) -> bool {
    let Some(id) = dropper.job.and_then(|job| job.parse::<i64>().ok()) else { return false };
    let is_it = |live: &&Live| live.address.kind == JOB && live.fact("job_id").and_then(Value::as_int) == Some(id);
    let wanted = view.live.values().find(is_it).and_then(|live| view.desired.get(&live.address));
    wanted.is_some_and(|wanted| wanted.ensure == Ensure::Absent)
}

fn told(dropper: &Dropper<'_>, desired: &Desired, relation: &Relation, view: &View<'_>) -> Diagnostic {
    let on = &relation.name;
    let by = dropper.by;
    let job = match (dropper.document, dropper.job) {
        (Some(document), _) => format!("the policies' job `{document}`"),
        (None, job) => format!("the job {}", job.unwrap_or_default()),
    };
    let message = match dropper.how {
        How::Policy => format!("{job}, the retention policy of {by}, drops chunks of {on}"),
        How::Beside => format!("{job}, a retention job beside the table's policy, drops chunks of {on}"),
        How::Named => format!("{job} drops chunks of {on}, which it names: it runs {by}"),
        How::Unknown => format!("{job} may drop chunks of {on}: it runs {by}, and does not say of which tables"),
    };
    let number = dropper.job.unwrap_or_default();
    let away = match (dropper.document, dropper.how) {
        (Some(_), _) => "take that document out".to_owned(),
        (None, How::Policy) => format!("remove it with `SELECT remove_retention_policy('{}')`", by.replace('\'', "''")),
        (None, _) => format!("delete it with `SELECT delete_job({number})`"),
    };
    let or_say = if dropper.how == How::Unknown { ", or name in its `config` the tables that it is for" } else { "" };
    let then = if drops(desired) { "with `drop: true`" } else { "write `drop: true`, and" };
    let help = format!("{away}{or_say}; {then} `run archive` drops chunks once they are archived");
    let diagnostic = if dropper.paused {
        Diagnostic::warning(&NOT_ARCHIVED, format!("once it is resumed, {message}"))
            .why("it is paused; from then on it does not ask whether they are in the archive")
    } else {
        Diagnostic::error(&NOT_ARCHIVED, message).why("it does not ask whether they are in the archive")
    };
    let diagnostic = diagnostic.at(&desired.place).help(help);
    let document = dropper.document.and_then(|name| view.desired.get(&Address::global(JOB, name)));
    match document {
        Some(document) => diagnostic.and_at(&document.place, "the job"),
        None => diagnostic,
    }
}

/// Whether no continuous aggregate is refreshed from rows that are to go: it would take them for deleted,
/// and delete what it had made of them.
pub fn nothing_reads_it_again(
    desired: &Desired,
    _relation: &Relation,
    view: &View<'_>,
    sink: &mut Vec<Diagnostic>,
) -> bool {
    let (Some(live), Some(age)) = (view.live.get(&desired.address), desired.get(AFTER)) else { return true };
    let reads = |back: &Value| match (back, age) {
        (Value::Interval(back), Value::Interval(age)) => back.can_exceed(age),
        (Value::Int(back), Value::Int(age)) => back > age,
        // Nobody can tell how far back it looks, or by another measure.
        _ => true,
    };
    let found: Vec<Reader<'_>> = readers(live).filter(|reader| reads(reader.back)).collect();
    if found.is_empty() || !drops(desired) {
        return true;
    }
    let aggregates: BTreeSet<&str> = found.iter().map(|reader| reader.aggregate).collect();
    let jobs: BTreeSet<&str> = found.iter().map(|reader| reader.job).collect();
    let is = if aggregates.len() == 1 { "is" } else { "are" };
    let job = if jobs.len() == 1 { "job" } else { "jobs" };
    let list = |names: BTreeSet<&str>| Vec::from_iter(names).join(", ");
    let message = format!(
        "{} {is} refreshed from rows older than {age}, which are to be dropped, by the {job} {}",
        list(aggregates),
        list(jobs)
    );
    sink.push(
        Diagnostic::error(&code::POLICY_CONFLICT, message)
            .at(desired.place_of(AFTER))
            .why("a refresh over rows that were dropped deletes what the aggregate had made of them")
            .help(format!(
                "give its refresh policy a `start_offset` of at most {age} and apply that, or archive later; of a job of \
                 your own, its `config` must say as `start_offset` how far back it refreshes"
            )),
    );
    false
}
