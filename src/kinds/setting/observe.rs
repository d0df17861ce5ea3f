//! Live settings at every level, and what the server says of the parameters themselves.
//!
//! The last are resources of the system's own, in containers that no policy describes: what settling
//! and judging look up.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Address, Live, Param, Query, Row, RowError, Server, Value};
use crate::kinds::Scope;
use crate::kinds::setting::ID;
use crate::kinds::setting::level::Level;
use crate::kinds::setting::parameter::Parameter;

/// The container of what is said of parameters.
const PARAMETER: &str = "parameter";
/// The container of the roles that exist, of those that are named.
const ROLE: &str = "role";
/// The container of what is said of the server as a whole.
const SERVER: &str = "about";

/// The container of what ALTER ROLE ALL set, for every role in every database: listed among what
/// overrides others, and managed by nobody.
pub const EVERY_ROLE: &str = "every role";

/// Parameters whose check hooks spell a value in their own way.
const RESPELT: [&str; 5] = ["client_encoding", "datestyle", "log_timezone", "timezone", "timezone_abbreviations"];

/// The query; `None` where no setting is named.
pub fn query(server: &Server, scope: &Scope) -> Option<Query> {
    let named = scope.contained.get(ID.as_str()).filter(|named| !named.is_empty())?;
    let names: BTreeSet<&str> = named.iter().map(|(_, name)| name.as_str()).collect();
    let roles: BTreeSet<String> =
        named.iter().filter_map(|(container, _)| Level::read(container)?.role().map(str::to_owned)).collect();
    let files = Param::Int(i64::from(server.superuser));
    let params = vec![Param::texts(names), Param::texts(roles), files];
    Some(Query { sql: include_str!("observe.sql").to_owned(), params })
}

/// Everything in its rows.
///
/// # Errors
/// When the rows are not those of `observe.sql`.
pub fn read(rows: &[Row]) -> Result<Vec<Live>, RowError> {
    let mut found = Vec::new();
    let mut parameters: BTreeMap<String, Parameter> = BTreeMap::new();
    let mut files: BTreeMap<&str, &Row> = BTreeMap::new();
    for row in rows {
        match row.text("what")? {
            "server" => found.push(server(row)?),
            "role" => {
                let mut live = system(ROLE, row.text("name")?);
                live.set_fact("superuser", row.bool("flag")?);
                found.push(live);
            }
            "parameter" => {
                let live = parameter(row)?;
                parameters.insert(live.address.name.clone(), Parameter::of(&live));
                found.push(live);
            }
            "file" => _ = files.insert(row.text("name")?, row),
            _ => {}
        }
    }
    for row in rows {
        match row.text("what")? {
            "parameter" => {
                let name = row.text("name")?;
                if let Some(parameter) = parameters.get(name) {
                    found.push(on_server(row, parameter, files.get(name).copied())?);
                }
            }
            "scope" => found.push(in_scope(row, parameters.get(row.text("name")?))?),
            _ => {}
        }
    }
    // A parameter of an extension that this session did not load is only in the files.
    for (name, row) in files.into_iter().filter(|(name, _)| !parameters.contains_key(*name)) {
        let mut live = resource(&Level::Server, name);
        live.set("value", Value::text(row.text("value")?));
        live.system = !row.bool("flag")?;
        found.push(live);
    }
    Ok(found)
}

fn resource(level: &Level, name: &str) -> Live {
    let address = Address { kind: ID, schema: Some(level.container()), name: name.to_owned() };
    Live::new(address, None)
}

fn system(container: &str, name: &str) -> Live {
    let mut live = Live::new(Address { kind: ID, schema: Some(container.to_owned()), name: name.to_owned() }, None);
    live.system = true;
    live
}

fn server(row: &Row) -> Result<Live, RowError> {
    let mut live = system(SERVER, "server");
    live.set_fact("allow_alter_system", row.maybe_text("value")? != Some("off"));
    let errors = row.maybe_text("source")?;
    live.set_fact("errors", errors.map_or(Value::Null, Value::text));
    live.set_fact("names", Value::texts(row.texts("words")?.into_iter().flatten()));
    Ok(live)
}

fn parameter(row: &Row) -> Result<Live, RowError> {
    let mut live = system(PARAMETER, row.text("name")?);
    for (fact, column) in [
        ("type", "type"),
        ("unit", "unit"),
        ("least", "least"),
        ("most", "most"),
        ("context", "context"),
        ("source", "source"),
    ] {
        live.set_fact(fact, row.maybe_text(column)?.map_or(Value::Null, Value::text));
    }
    live.set_fact("words", Value::texts(row.texts("words")?.into_iter().flatten()));
    live.set_fact("pending", row.bool("flag")?);
    Ok(live)
}

/// What the configuration says, and whether the server has read it: `pg_settings` gives numbers in the
/// parameter's unit, as values without one are read. What a session of ours has set
/// differently for itself hides the server's own value, and then the files alone tell.
fn on_server(row: &Row, parameter: &Parameter, file: Option<&Row>) -> Result<Live, RowError> {
    let mut live = resource(&Level::Server, &parameter.name);
    let source = row.text("source")?;
    let fixed = matches!(source, "command line" | "environment variable");
    let visible = !matches!(source, "database" | "user" | "database user" | "client" | "session" | "interactive");
    let running = row.maybe_text("value")?.map(|text| parameter.canonical_live(text));
    let boot = row.maybe_text("other")?.map(|text| parameter.canonical_live(text));
    let configured = match file {
        Some(file) if !fixed => Some(parameter.canonical_live(file.text("value")?)),
        _ if visible || fixed => running.clone(),
        _ => boot,
    };
    let pending = row.bool("flag")?;
    let told = !visible || pending || configured == running || cannot_tell(parameter, configured.as_ref());
    live.set("value", configured.unwrap_or(Value::Null));
    if !told {
        live.set("reload_pending", true);
    }
    let automatic = file.is_some_and(|file| file.bool("flag").unwrap_or(false));
    live.set_fact("automatic", automatic);
    live.set_fact("pending", pending);
    live.set_fact("fixed", if fixed { Value::text(source) } else { Value::Null });
    live.set_fact(
        "file",
        match file {
            Some(file) => Value::text(file.text("other")?),
            None => Value::Null,
        },
    );
    live.system = !automatic;
    Ok(live)
}

/// Whether a running value may be older than the server's own or another form of it: the server works out -1 and 0
/// of what it sizes at its start, and spells some texts anew.
fn cannot_tell(parameter: &Parameter, configured: Option<&Value>) -> bool {
    let sized = parameter.context == "postmaster" && matches!(configured.and_then(Value::as_text), Some("-1" | "0"));
    // This session took its value of these when it began.
    let fixed_here = parameter.context.ends_with("backend");
    sized || fixed_here || RESPELT.contains(&parameter.name.as_str())
}

fn in_scope(row: &Row, parameter: Option<&Parameter>) -> Result<Live, RowError> {
    let (in_database, role) = (row.bool("flag")?, row.maybe_text("other")?);
    let name = row.text("name")?;
    let container = match role {
        Some(role) => Level::Role { role: role.to_owned(), in_database }.container(),
        None if in_database => Level::Database.container(),
        None => EVERY_ROLE.to_owned(),
    };
    let mut live = Live::new(Address { kind: ID, schema: Some(container), name: name.to_owned() }, None);
    let text = row.text("value")?;
    let value = parameter.map_or_else(|| Value::text(text), |parameter| parameter.canonical_live(text));
    live.set("value", value);
    live.set_fact("role", role.map_or(Value::Null, Value::text));
    Ok(live)
}

/// What the server says of a parameter, by its name in lower case.
pub fn parameter_of<'a>(live: &'a BTreeMap<Address, Live>, name: &str) -> Option<&'a Live> {
    live.get(&Address { kind: ID, schema: Some(PARAMETER.to_owned()), name: name.to_owned() })
}

/// What the server says of itself.
pub fn about_server(live: &BTreeMap<Address, Live>) -> Option<&Live> {
    live.get(&Address { kind: ID, schema: Some(SERVER.to_owned()), name: "server".to_owned() })
}

/// The role, where it exists.
pub fn role_of<'a>(live: &'a BTreeMap<Address, Live>, role: &str) -> Option<&'a Live> {
    live.get(&Address { kind: ID, schema: Some(ROLE.to_owned()), name: role.to_owned() })
}
