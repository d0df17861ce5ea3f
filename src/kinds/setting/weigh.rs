//! When a setting takes effect and for whom, what overrides it, and whether the session's role may
//! set it at all.

use crate::core::{Delta, Desired, Hazard, Impact, Op, Param, Query, Row, RowError, Value, Version};
use crate::diag::{Code, Diagnostic, code};
use crate::kinds::setting::level::Level;
use crate::kinds::setting::{SETTING_OVERRIDDEN, level_of, observe, settle};
use crate::kinds::{Judgement, View};

/// The first version that grants single parameters.
const GRANTS_PARAMETERS: Version = Version::new(15, 0);

/// One query for all deltas; none for a superuser, who may set all.
pub fn query(deltas: &[&Delta], view: &View<'_>) -> Option<Query> {
    if view.server.superuser || view.server.version < GRANTS_PARAMETERS || deltas.is_empty() {
        return None;
    }
    let names = Param::texts(deltas.iter().map(|delta| delta.address.name.clone()));
    let roles = deltas.iter().filter_map(|delta| level_of(delta)?.role().map(str::to_owned));
    Some(Query { sql: include_str!("weigh.sql").to_owned(), params: vec![names, Param::texts(roles)] })
}

/// See [`crate::kinds::Kind::judge`].
///
/// # Errors
/// When the rows are not those of `weigh.sql`.
pub fn judge(delta: &Delta, op: Op, weights: &[Row], view: &View<'_>) -> Result<Judgement, RowError> {
    let mut judgement = Judgement::default();
    let Some(level) = level_of(delta).filter(|_| op != Op::Blocked) else { return Ok(judgement) };
    let desired = delta.desired.as_ref().or_else(|| view.desired.get(&delta.address));
    let case = Case { delta, level: &level, desired, view };
    if !view.server.superuser {
        judgement.diagnostics.extend(case.may(weights)?);
    }
    if level == Level::Server {
        judgement.diagnostics.extend(case.ineffective());
    }
    let context = observe::parameter_of(view.live, &delta.address.name).and_then(|it| it.fact("context"));
    let context = context.and_then(Value::as_text).unwrap_or_default().to_owned();
    if level == Level::Server && context == "postmaster" && delta.change("value").is_some()
        || delta.is_remove() && context == "postmaster"
    {
        judgement.hazards.push(Hazard::NeedsRestart);
    }
    // What waits for a restart has a hazard that says so.
    let verb = match (&level, context.as_str()) {
        (Level::Server, "postmaster") => None,
        (Level::Server, "backend" | "superuser-backend") => Some("takes effect in sessions that begin later"),
        (Level::Server, _) => Some("takes effect at once, in the whole server"),
        (Level::Database, _) => Some("takes effect in sessions that begin later"),
        (Level::Role { .. }, _) => Some("takes effect in the role's sessions that begin later"),
    };
    judgement.impact = verb.map(|verb| Impact { verb: verb.to_owned(), notes: case.notes(), ..Impact::default() });
    Ok(judgement)
}

struct Case<'a> {
    delta: &'a Delta,
    level: &'a Level,
    desired: Option<&'a Desired>,
    view: &'a View<'a>,
}

impl Case<'_> {
    fn error(&self, code: &'static Code, message: String) -> Diagnostic {
        let diagnostic = Diagnostic::error(code, message);
        match self.desired {
            Some(desired) => diagnostic.at(&desired.place),
            None => diagnostic,
        }
    }

    /// What the session's role lacks.
    fn may(&self, weights: &[Row]) -> Result<Option<Diagnostic>, RowError> {
        let name = &self.delta.address.name;
        let find = |what: &str, name: Option<&str>| -> Result<Option<&Row>, RowError> {
            for row in weights {
                if row.text("what")? == what && row.maybe_text("name")? == name {
                    return Ok(Some(row));
                }
            }
            Ok(None)
        };
        let flag = |row: Option<&Row>, column: &str| row.is_some_and(|row| row.bool(column).unwrap_or(false));
        let server = find("server", None)?;
        let parameter = find("parameter", Some(name))?;
        let context = observe::parameter_of(self.view.live, name).and_then(|it| it.fact("context"));
        let guarded = context.and_then(Value::as_text) != Some("user") && !flag(parameter, "may_set");
        let refused = match self.level {
            Level::Server if !flag(parameter, "may_reload") => {
                Some(format!("GRANT ALTER SYSTEM ON PARAMETER {name} TO …, or connect as a superuser"))
            }
            Level::Server if !flag(server, "may_reload") => {
                Some("GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO …, or connect as a superuser".to_owned())
            }
            Level::Database if !flag(server, "may_set") => Some("connect as the database's owner".to_owned()),
            Level::Role { role, .. } if !flag(find("role", Some(role))?, "may_set") && self.exists(role) => {
                Some("connect as a role with CREATEROLE and ADMIN OPTION on it, or as a superuser".to_owned())
            }
            Level::Database | Level::Role { .. } if guarded => {
                Some(format!("GRANT SET ON PARAMETER {name} TO …, or connect as a superuser"))
            }
            Level::Server | Level::Database | Level::Role { .. } => None,
        };
        let grants = self.view.server.version >= GRANTS_PARAMETERS;
        Ok(refused.map(|help| {
            let message =
                format!("the role \"{}\" may not set `{name}` for {}", self.view.server.user, self.level.words());
            let help = if grants { help } else { "connect as a superuser".to_owned() };
            self.error(&code::NO_PRIVILEGE, message).help(help)
        }))
    }

    fn exists(&self, role: &str) -> bool {
        observe::role_of(self.view.live, role).is_some()
    }

    /// What makes ALTER SYSTEM do nothing, or be refused.
    fn ineffective(&self) -> Option<Diagnostic> {
        let name = &self.delta.address.name;
        let about = observe::about_server(self.view.live);
        if about.and_then(|about| about.fact("allow_alter_system")).and_then(Value::as_bool) == Some(false) {
            let message = format!("`{name}` cannot be set: `allow_alter_system` is off");
            return Some(
                self.error(&code::CANNOT_CHANGE, message)
                    .why("whoever runs this server keeps its configuration elsewhere, and has it refuse ALTER SYSTEM")
                    .help("set the parameter where the server is configured, and take it out of the policy"),
            );
        }
        let live = self.delta.live.as_ref();
        if let Some(source) = live.and_then(|live| live.fact("fixed")).and_then(Value::as_text) {
            let message = format!("ALTER SYSTEM would not change `{name}`: the server's {source} sets it");
            return Some(
                self.error(&SETTING_OVERRIDDEN, message)
                    .why("that is stronger than any configuration file")
                    .help("change it where the server is started, or take it out of the policy"),
            );
        }
        let errors = about.and_then(|about| about.fact("errors")).and_then(Value::as_text)?;
        let message = format!("`{name}` would not be read: the server's configuration files have an error: {errors}");
        Some(
            self.error(&SETTING_OVERRIDDEN, message)
                .why("a reload takes nothing from files that it cannot read as a whole")
                .help("mend the files: pg_file_settings says where"),
        )
    }

    /// Who does not get the value, and what is left where one is taken away.
    fn notes(&self) -> Vec<String> {
        let name = &self.delta.address.name;
        let mut notes = Vec::new();
        let wanted = self.delta.desired.as_ref().and_then(|desired| desired.get("value"));
        let is_weaker = |other: &Level| match (self.level, other) {
            (Level::Server, Level::Server) | (_, Level::Server) => false,
            (Level::Server, _) | (Level::Database, Level::Role { .. }) => true,
            (Level::Role { role, in_database: false }, Level::Role { role: other, in_database: true }) => role == other,
            (Level::Database | Level::Role { .. }, _) => false,
        };
        for live in self.view.live.values().filter(|live| live.address.kind == super::ID && live.address.name == *name)
        {
            let Some(container) = live.address.schema.as_deref() else { continue };
            let Some(other) = Level::read(container).filter(is_weaker) else { continue };
            let value = live.get("value").filter(|value| wanted != Some(value));
            notes.extend(value.map(|value| format!("{} keeps its own, {value}", other.words())));
        }
        if let Some(everybody) = settle::at(self.view, observe::EVERY_ROLE, name).and_then(|live| live.get("value"))
            && *self.level == Level::Server
        {
            notes.push(format!("every role has it set to {everybody} by ALTER ROLE ALL"));
        }
        notes
    }
}
