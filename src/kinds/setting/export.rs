//! Live settings as the documents of their scopes, and how `import` finds them.

use serde_json::{Map, Value as Json};

use crate::core::{Fingerprint, Live, Param, Query, Row, RowError, Server, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::setting::desired::holds_secret;
use crate::kinds::setting::level::Level;
use crate::kinds::setting::observe::EVERY_ROLE;
use crate::kinds::{Beside, Discovered, Entries, Export, Owner, role};

/// See [`crate::kinds::Kind::discover`].
///
/// # Errors
/// Where the server's own settings are asked for, and only a superuser could see them.
pub fn discover(server: &Server, beside: &Beside) -> Result<Option<Query>, Diagnostic> {
    if beside.server && !server.superuser {
        let message = format!("the role \"{}\" may not see what ALTER SYSTEM set", server.user);
        return Err(Diagnostic::error(&code::NO_PRIVILEGE, message)
            .why("it is in the server's configuration files, which only a superuser may read")
            .help("connect as a superuser, or leave the server's settings out"));
    }
    let params = vec![Param::Int(i64::from(server.superuser))];
    Ok(Some(Query { sql: include_str!("discover.sql").to_owned(), params }))
}

/// See [`crate::kinds::Kind::discovered`].
///
/// # Errors
/// When the rows are not those of `discover.sql`.
pub fn discovered(rows: &[Row]) -> Result<Vec<Discovered>, RowError> {
    let one = |row: &Row| {
        let name = row.text("name")?.to_owned();
        let (level, owner) = match row.text("level")? {
            "server" => (Some(Level::Server), Owner::Server),
            "database" => (Some(Level::Database), Owner::Database),
            "role" => {
                let (role, in_database) = (row.text("role")?.to_owned(), row.bool("in_database")?);
                (Some(Level::Role { role: role.clone(), in_database }), Owner::Role(role))
            }
            _ => (None, Owner::Server),
        };
        let container = level.map_or_else(|| EVERY_ROLE.to_owned(), |level| level.container());
        Ok(Discovered { container: Some(container), name, owner })
    };
    rows.iter().map(one).collect()
}

/// See [`crate::kinds::Kind::export`].
pub fn export(live: &Live) -> Export {
    let name = live.address.name.as_str();
    let container = live.address.schema.as_deref().unwrap_or_default();
    let Some(level) = Level::read(container) else {
        return Export::LeftOut(format!("`{name}` is set for every role (ALTER ROLE ALL), which no policy can say"));
    };
    let document = name_of(container);
    let left_out = |why: &str| Export::remarks("setting", &document, vec![format!("`{name}`, {why}")]);
    if holds_secret(name) {
        return left_out("which holds a secret: those are not for policies");
    }
    if let Some(source) = live.fact("fixed").and_then(Value::as_text) {
        return left_out(&format!("which ALTER SYSTEM set in vain: the server's {source} sets it"));
    }
    if live.get("reload_pending").is_some() {
        return left_out("whose new value the server has not read yet: reload it, and import again");
    }
    let Some(value) = live.get("value").and_then(written) else {
        return left_out("which has no value that a policy could say");
    };
    let (scope, file) = match &level {
        Level::Server => ("server", "settings-server".to_owned()),
        Level::Database => ("database", "settings-database".to_owned()),
        Level::Role { role, .. } => ("role", role::file(role)),
    };
    let in_database = matches!(level, Level::Role { in_database: true, .. });
    let entries = Entries::default()
        .with("scope", scope)
        .with_some("role", level.role())
        .with_some("in_database", in_database.then_some(true))
        .with("settings", Json::Object(Map::from_iter([(name.to_owned(), value)])));
    Export::document("setting", &document, entries).in_file(&file)
}

/// What the document of a scope is called. It is read as a name, which has its greatest length.
fn name_of(container: &str) -> String {
    const LONGEST: usize = 63;
    if container.len() <= LONGEST {
        return container.to_owned();
    }
    let digest = Fingerprint::of(container.as_bytes());
    let digest: String = digest.as_str().trim_start_matches("sha256:").chars().take(8).collect();
    let mut end = LONGEST - digest.len() - 1;
    while !container.is_char_boundary(end) {
        end -= 1;
    }
    format!("{} {digest}", container.get(..end).unwrap_or_default())
}

/// A value as people write it.
fn written(value: &Value) -> Option<Json> {
    match value {
        Value::Null => None,
        Value::List(items) => Some(Json::Array(items.iter().map(Value::to_json).collect())),
        Value::Text(text) => Some(match text.as_str() {
            "on" => Json::Bool(true),
            "off" => Json::Bool(false),
            text => number(text).map_or_else(|| Json::from(text), Json::Number),
        }),
        other => Some(other.to_json()),
    }
}

/// The number of a text that is nothing but that number, spelt as it would be read.
fn number(text: &str) -> Option<serde_json::Number> {
    let whole = text.parse::<i64>().ok().map(serde_json::Number::from);
    let number = whole.or_else(|| serde_json::Number::from_f64(text.parse::<f64>().ok()?))?;
    (number.to_string() == text && !text.contains(['e', 'E'])).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Address;

    fn live(container: &str, name: &str, value: Value) -> Live {
        let mut live = Live::new(
            Address { kind: super::super::ID, schema: Some(container.to_owned()), name: name.to_owned() },
            None,
        );
        live.set("value", value);
        live
    }

    fn value(text: &str) -> Json {
        let Export::Parts(parts) = export(&live("database", "x", Value::text(text))) else { panic!("{text}") };
        parts[0].value["settings"]["x"].clone()
    }

    #[test]
    fn values_are_written_as_people_would() {
        for (text, wanted) in [
            ("on", Json::Bool(true)),
            ("off", Json::Bool(false)),
            ("100", Json::from(100)),
            ("-1", Json::from(-1)),
            ("1.1", Json::from(1.1)),
        ] {
            assert_eq!(value(text), wanted);
        }
        for text in ["64MB", "1.10", "007", "1e5", "", "ON", "nan", "inf", "9223372036854775808", "Europe/Berlin"] {
            assert_eq!(value(text), Json::from(text));
        }
    }

    #[test]
    fn no_secret_and_no_value_without_effect_is_written() {
        for name in ["primary_conninfo", "vault.secret"] {
            let Export::Parts(parts) = export(&live("server", name, Value::text("hunter2"))) else { panic!() };
            assert!(parts[0].value.is_null() && !format!("{parts:?}").contains("hunter2"), "{parts:?}");
        }
        let mut fixed = live("server", "port", Value::text("1"));
        fixed.set_fact("fixed", Value::text("command line"));
        let mut pending = live("server", "work_mem", Value::text("1MB"));
        pending.set("reload_pending", true);
        for live in [fixed, pending] {
            let Export::Parts(parts) = export(&live) else { panic!() };
            assert!(parts[0].value.is_null() && parts[0].left_out.len() == 1, "{parts:?}");
        }
        assert!(matches!(export(&live("every role", "jit", Value::text("on"))), Export::LeftOut(_)));
    }

    #[test]
    fn a_documents_name_can_be_read_whatever_the_role_is_called() {
        let name = |role: &str, in_database| name_of(&Level::Role { role: role.to_owned(), in_database }.container());
        assert_eq!(name("app", false), "role app");
        assert_eq!(name("app", true), "role app in database");
        let long = "é".repeat(31);
        let (one, other) = (name(&long, false), name(&long, true));
        assert!(one != other && one.len() <= 63 && other.len() <= 63, "{one} {other}");
    }
}
