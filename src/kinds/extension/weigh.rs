//! What changes to extensions would touch, and what the server has to say against them.

use crate::core::name::DEFAULT_SCHEMA;
use crate::core::{
    Address, Bytes, Delta, Desired, Ensure, Hazard, Impact, Op, Param, Place, Query, Row, RowError, Value,
};
use crate::diag::{Code, Diagnostic, code};
use crate::kinds::{Judgement, View};

static EXTENSION_UNAVAILABLE: Code =
    Code::new("extension-unavailable", "The server's host does not have the extension, or not that version.");
static EXTENSION_REQUIRES: Code = Code::new("extension-requires", "The extension needs another one first.");
static EXTENSION_NOT_PRELOADED: Code =
    Code::new("extension-not-preloaded", "The extension must be in `shared_preload_libraries` when the server starts.");
static UNKNOWN_SCHEMA: Code = Code::new("unknown-schema", "A schema that the database does not have.");

/// The codes of this kind's own diagnostics.
pub static CODES: &[&Code] = &[&EXTENSION_UNAVAILABLE, &EXTENSION_REQUIRES, &EXTENSION_NOT_PRELOADED, &UNKNOWN_SCHEMA];

const TIMESCALEDB: &str = "timescaledb";

/// How many dependents a message names.
const NAMED: usize = 5;

/// One query for all deltas.
pub fn query(deltas: &[&Delta]) -> Option<Query> {
    let mut create = Vec::new();
    let (mut update, mut from, mut to) = (Vec::new(), Vec::new(), Vec::new());
    let mut schemas = Vec::new();
    let mut drop = Vec::new();
    for delta in deltas {
        let name = delta.address.name.clone();
        if delta.is_remove() {
            drop.push(name);
            continue;
        }
        if delta.is_create() {
            create.push(name);
        } else if let Some(change) = delta.change("version") {
            update.push(name);
            from.push(text_of(change.before.as_ref()));
            to.push(text_of(change.after.as_ref()));
        }
        match delta.change("schema") {
            Some(change) => schemas.push(text_of(change.after.as_ref())),
            None => schemas.push(DEFAULT_SCHEMA.to_owned()),
        }
    }
    let sql = include_str!("weigh.sql").to_owned();
    let params = [create, update, from, to, schemas, drop].map(Param::texts).to_vec();
    (!deltas.is_empty()).then_some(Query { sql, params })
}

fn text_of(value: Option<&Value>) -> String {
    value.and_then(Value::as_text).unwrap_or_default().to_owned()
}

/// See [`crate::kinds::Kind::judge`].
///
/// # Errors
/// When the rows are not those of `weigh.sql`.
pub fn judge(delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
    let mut judgement = Judgement::default();
    if op == Op::Blocked {
        return Ok(judgement);
    }
    let desired = delta.desired.as_ref().or_else(|| view.desired.get(&delta.address));
    let case = Case { name: &delta.address.name, delta, desired, weights, view };
    let sink = &mut judgement.diagnostics;
    if delta.is_create() {
        case.create(sink)?;
    } else if !case.owned() {
        sink.push(case.not_owner());
    } else if delta.is_remove() {
        case.remove(&mut judgement)?;
    } else {
        case.update(sink)?;
    }
    Ok(judgement)
}

/// One delta with all that is known about it.
struct Case<'a> {
    name: &'a str,
    delta: &'a Delta,
    desired: Option<&'a Desired>,
    weights: &'a [Row],
    view: &'a View<'a>,
}

impl<'a> Case<'a> {
    /// The rows of one sort that are about one name.
    fn finds(&self, what: &str, name: &str) -> Result<Vec<&'a Row>, RowError> {
        let mut found = Vec::new();
        for row in self.weights {
            if row.text("what")? == what && row.maybe_text("name")? == Some(name) {
                found.push(row);
            }
        }
        Ok(found)
    }

    fn place(&self, attribute: &str) -> Option<&Place> {
        self.desired.map(|desired| desired.place_of(attribute))
    }

    fn error(&self, code: &'static Code, attribute: &str, message: String) -> Diagnostic {
        let diagnostic = Diagnostic::error(code, message);
        match self.place(attribute) {
            Some(place) => diagnostic.at(place),
            None => diagnostic,
        }
    }

    fn wanted(&self, attribute: &str) -> Option<&str> {
        self.delta.desired.as_ref()?.get(attribute)?.as_text()
    }

    fn fact(&self, fact: &str) -> Option<&Value> {
        self.delta.live.as_ref()?.fact(fact)
    }

    fn owned(&self) -> bool {
        self.fact("owned").and_then(Value::as_bool).unwrap_or(false)
    }

    fn not_owner(&self) -> Diagnostic {
        let owner = self.fact("owner").and_then(Value::as_text).unwrap_or("unknown");
        let message = format!(
            "the extension \"{}\" belongs to the role \"{owner}\", and the session's role \"{}\" may not change it",
            self.name, self.view.server.user
        );
        self.error(&code::NO_PRIVILEGE, "ensure", message)
            .help(format!("connect as \"{owner}\", or as a role that is a member of it"))
    }

    fn create(&self, sink: &mut Vec<Diagnostic>) -> Result<(), RowError> {
        let versions = self.finds("version", self.name)?;
        if versions.is_empty() {
            sink.push(self.unavailable()?);
            return Ok(());
        }
        let default = self.finds("available", self.name)?.first().and_then(|row| row.maybe_text("other").ok()?);
        let Some(version) = self.wanted("version").or(default) else { return Ok(()) };
        let Some(row) = self.version(version)? else {
            sink.push(self.no_such_version(version)?);
            return Ok(());
        };
        if self.name == TIMESCALEDB && !self.server()?.is_some_and(|row| row.bool("other_flag").unwrap_or(false)) {
            sink.push(self.not_preloaded());
        }
        let needs = row.texts("texts")?;
        let (fixed, requires) = needs.split_first().unwrap_or((&None, &[]));
        if let (Some(fixed), Some(wanted)) = (fixed, self.wanted("schema"))
            && fixed != wanted
        {
            let message = format!("the extension \"{}\" can only be in the schema \"{fixed}\"", self.name);
            let diagnostic = self.error(&code::WRONG_VALUE, "schema", message);
            sink.push(diagnostic.help(format!("write `schema: {fixed}`, or leave the key out")));
        }
        if let Some(schema) = self.wanted("schema").or(if fixed.is_none() { Some(DEFAULT_SCHEMA) } else { None }) {
            self.schema(schema, sink)?;
        }
        for required in requires.iter().flatten() {
            self.requires(required, sink)?;
        }
        self.may_create(row, sink)
    }

    fn server(&self) -> Result<Option<&'a Row>, RowError> {
        for row in self.weights {
            if row.text("what")? == "server" {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    fn version(&self, version: &str) -> Result<Option<&'a Row>, RowError> {
        let versions = self.finds("version", self.name)?;
        Ok(versions.into_iter().find(|row| row.maybe_text("other") == Ok(Some(version))))
    }

    fn unavailable(&self) -> Result<Diagnostic, RowError> {
        let message = format!("the server's host does not have the extension \"{}\"", self.name);
        let diagnostic = self.error(&EXTENSION_UNAVAILABLE, "ensure", message);
        let mut nearest: Option<(f64, &str)> = None;
        for row in self.weights {
            if row.text("what")? == "available" {
                let name = row.text("name")?;
                let score = strsim::jaro_winkler(name, self.name);
                if score > 0.85 && nearest.is_none_or(|(best, _)| score > best) {
                    nearest = Some((score, name));
                }
            }
        }
        let help = match nearest {
            Some((_, name)) => format!("did you mean \"{name}\"?"),
            None => format!(
                "install its package on the host; on Debian and Ubuntu those are called like postgresql-{}-{}",
                self.view.server.version.major,
                self.name.replace('_', "-")
            ),
        };
        Ok(diagnostic.help(help))
    }

    fn no_such_version(&self, version: &str) -> Result<Diagnostic, RowError> {
        let mut known = Vec::new();
        for row in self.finds("version", self.name)? {
            known.push(row.text("other")?.to_owned());
        }
        let message = format!("the server's host does not have version {version} of the extension \"{}\"", self.name);
        let diagnostic = self.error(&EXTENSION_UNAVAILABLE, "version", message);
        Ok(match known.is_empty() {
            true => diagnostic.help("install its package on the host"),
            false => diagnostic.help(format!("it has {}; install the package that has the other", known.join(", "))),
        })
    }

    fn not_preloaded(&self) -> Diagnostic {
        let message = "the server did not load TimescaleDB's library when it started".to_owned();
        self.error(&EXTENSION_NOT_PRELOADED, "ensure", message)
            .why("the extension refuses to be created without it")
            .help("add timescaledb to `shared_preload_libraries` in postgresql.conf and restart the server")
    }

    /// That the schema to be used exists and may be used.
    fn schema(&self, schema: &str, sink: &mut Vec<Diagnostic>) -> Result<(), RowError> {
        match self.finds("schema", schema)?.first() {
            None => {
                let message = format!("the database has no schema \"{schema}\"");
                let diagnostic = self.error(&UNKNOWN_SCHEMA, "schema", message);
                sink.push(diagnostic.help("let a migration create the schema first"));
            }
            Some(row) if !row.bool("flag").unwrap_or(false) => {
                let message =
                    format!("the role \"{}\" may not create in the schema \"{schema}\"", self.view.server.user);
                let diagnostic = self.error(&code::NO_PRIVILEGE, "schema", message);
                sink.push(diagnostic.help(format!("have it granted: GRANT CREATE ON SCHEMA {schema} TO …")));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// That an extension required by this one is there, or comes with it, or before it.
    fn requires(&self, required: &str, sink: &mut Vec<Diagnostic>) -> Result<(), RowError> {
        let cascade = self.delta.desired.as_ref().and_then(|desired| desired.get("cascade")).and_then(Value::as_bool);
        if cascade == Some(true) || !self.finds("installed", required)?.is_empty() {
            return Ok(());
        }
        let document = self.view.desired.get(&Address::global(super::ID, required));
        let document = document.filter(|document| document.ensure == Ensure::Present);
        let comes_before = required < self.name;
        if document.is_some() && comes_before {
            return Ok(());
        }
        let message = format!("the extension \"{}\" requires \"{required}\", which is not installed", self.name);
        let diagnostic = self.error(&EXTENSION_REQUIRES, "ensure", message);
        sink.push(match document {
            Some(document) => diagnostic
                .and_at(&document.place, "created after it: extensions are created in the order of their names")
                .help("write `cascade: true`, or apply the other document first"),
            None => diagnostic.help(format!("write `cascade: true`, or a document for \"{required}\"")),
        });
        Ok(())
    }

    /// That the role may create this version: a superuser may, and for a trusted extension whoever
    /// may create in the database.
    fn may_create(&self, row: &Row, sink: &mut Vec<Diagnostic>) -> Result<(), RowError> {
        let server = &self.view.server;
        let needs_superuser = row.bool("flag")? && !row.bool("other_flag")?;
        let may_create = self.server()?.is_some_and(|row| row.bool("flag").unwrap_or(false));
        if server.superuser || (!needs_superuser && may_create) {
            return Ok(());
        }
        let (needs, help) = if needs_superuser {
            ("only a superuser may create or update it".to_owned(), "connect as a superuser".to_owned())
        } else {
            (
                format!("it needs CREATE on the database \"{}\"", server.database),
                "have it granted: GRANT CREATE ON DATABASE … TO …, or connect as a superuser".to_owned(),
            )
        };
        let message = format!("the role \"{}\" may not create the extension \"{}\": {needs}", server.user, self.name);
        sink.push(self.error(&code::NO_PRIVILEGE, "ensure", message).help(help));
        Ok(())
    }

    fn update(&self, sink: &mut Vec<Diagnostic>) -> Result<(), RowError> {
        if let Some(change) = self.delta.change("version") {
            let (from, to) = (text_of(change.before.as_ref()), text_of(change.after.as_ref()));
            self.update_version(&from, &to, sink)?;
        }
        let Some(change) = self.delta.change("schema") else { return Ok(()) };
        if self.fact("relocatable").and_then(Value::as_bool) == Some(true) {
            return self.schema(&text_of(change.after.as_ref()), sink);
        }
        let message = format!("the extension \"{}\" cannot be moved to another schema", self.name);
        sink.push(
            self.error(&code::CANNOT_CHANGE, "schema", message)
                .why("its author declared it not relocatable")
                .help("write the schema that it is in, or drop the extension and create it anew"),
        );
        Ok(())
    }

    fn update_version(&self, from: &str, to: &str, sink: &mut Vec<Diagnostic>) -> Result<(), RowError> {
        if self.name == TIMESCALEDB {
            sink.push(self.timescaledb_update(from, to));
            return Ok(());
        }
        let Some(row) = self.version(to)? else {
            sink.push(self.no_such_version(to)?);
            return Ok(());
        };
        let has_path = self.finds("path", self.name)?.iter().any(|row| row.bool("flag").unwrap_or(false));
        if has_path {
            return self.may_create(row, sink);
        }
        let message = format!("the extension \"{}\" has no update path from version {from} to {to}", self.name);
        sink.push(
            self.error(&code::CANNOT_CHANGE, "version", message)
                .why("an extension is brought to another version by scripts of its own, and hardly any has them for the way back")
                .help("write the live version or one that it can be updated to, or drop the extension and create it anew"),
        );
        Ok(())
    }

    /// The loader refuses ALTER EXTENSION once the session has used any of TimescaleDB
    /// (`src/loader/loader.c`, 2.13 to 2.29), which reading the catalog has done by then.
    fn timescaledb_update(&self, from: &str, to: &str) -> Diagnostic {
        let message = format!("TimescaleDB cannot be updated from {from} to {to} by a plan");
        self.error(&code::CANNOT_CHANGE, "version", message)
            .why("it must be the first statement of a new session, with no other session using the old version meanwhile")
            .help(format!(
                "install the package, then: psql -X -d {} -c \"ALTER EXTENSION timescaledb UPDATE TO '{to}'\"",
                self.view.server.database
            ))
    }

    fn remove(&self, judgement: &mut Judgement) -> Result<(), RowError> {
        if self.name == TIMESCALEDB {
            let message = "TimescaleDB is not dropped by a plan".to_owned();
            judgement.diagnostics.push(
                self.error(&code::CANNOT_CHANGE, "ensure", message)
                    .why("every hypertable's rows are in chunks that go with it")
                    .help("take the document out, or drop the extension by hand once no hypertable is left"),
            );
            return Ok(());
        }
        let mut dependents = Vec::new();
        for row in self.finds("dependent", self.name)? {
            dependents.push(row.text("other")?.to_owned());
        }
        if !dependents.is_empty() {
            judgement.diagnostics.push(self.depended_on(dependents));
            return Ok(());
        }
        let tables = self.finds("table", self.name)?;
        if tables.is_empty() {
            return Ok(());
        }
        let (mut rows, mut bytes, mut notes) = (0_u64, 0_u64, Vec::new());
        for row in tables {
            rows = rows.saturating_add(u64::try_from(row.int("rows")?).unwrap_or(0));
            bytes = bytes.saturating_add(u64::try_from(row.int("bytes")?).unwrap_or(0));
            notes.push(format!("its table {} goes with it", row.text("other")?));
        }
        judgement.hazards.push(Hazard::DeletesData);
        let impact = Impact {
            verb: "drops".to_owned(),
            rows: Some(rows),
            bytes: Some(Bytes(bytes)),
            notes,
            ..Impact::default()
        };
        judgement.impact = Some(impact);
        Ok(())
    }

    fn depended_on(&self, mut dependents: Vec<String>) -> Diagnostic {
        dependents.sort_unstable();
        let more = dependents.len().saturating_sub(NAMED);
        dependents.truncate(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!("the extension \"{}\" is in use: {}{more}", self.name, dependents.join(", "));
        self.error(&code::CANNOT_CHANGE, "ensure", message)
            .why("DROP EXTENSION without CASCADE is refused then, and CASCADE would drop those as well")
            .help("change or drop what depends on it first")
    }
}
