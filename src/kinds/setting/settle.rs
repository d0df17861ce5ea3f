//! A setting in the server's form, and what the server makes impossible.

use std::collections::BTreeMap;

use crate::core::{Address, Desired, Ensure, Live, Value, Version};
use crate::diag::{Diagnostic, code};
use crate::kinds::setting::level::Level;
use crate::kinds::setting::parameter::{Parameter, Sort};
use crate::kinds::setting::{AT_LEAST, AT_MOST, BOUND, ID, PENDING_RESTART, UNKNOWN_PARAMETER, UNKNOWN_ROLE, observe};
use crate::kinds::{View, role};

/// The first version whose ALTER SYSTEM takes an extension's parameter that is not loaded (seen on 17,
/// refused by 15).
const CUSTOM_ON_SERVER: Version = Version::new(16, 0);

/// What `guc_tables.c` marks as not for `postgresql.auto.conf`, beside what is internal.
const NOT_BY_ALTER_SYSTEM: [&str; 6] =
    ["allow_alter_system", "config_file", "data_directory", "external_pid_file", "hba_file", "ident_file"];

/// See [`crate::kinds::Kind::settle`].
pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    if desired.ensure == Ensure::Absent {
        return Some(desired.clone());
    }
    let level = desired.address.schema.as_deref().and_then(Level::read)?;
    let name = desired.address.name.as_str();
    let known = observe::parameter_of(view.live, name);
    if let Some(role) = level.role()
        && !role_will_be(role, view)
    {
        sink.push(no_role(role, desired));
        return None;
    }
    let live = view.live.get(&desired.address);
    let mut settled = desired.clone();
    match known {
        Some(known) => {
            let parameter = Parameter::of(known);
            if let Some(error) = misplaced(&parameter, &level, desired) {
                sink.push(error);
                return None;
            }
            let wanted = desired.get("value").unwrap_or(&Value::Null);
            if *wanted != Value::Null {
                match parameter.canonical(wanted) {
                    Ok(value) => settled.set("value", value),
                    Err(takes) => {
                        sink.push(
                            Diagnostic::error(&code::WRONG_VALUE, format!("`{name}` does not take `{wanted}`"))
                                .at(desired.place_of("value"))
                                .help(format!("it takes {takes}")),
                        );
                        return None;
                    }
                }
            }
        }
        None if name.contains('.') => {
            if level == Level::Server && view.server.version < CUSTOM_ON_SERVER {
                sink.push(unknown(name, desired, view).why(
                    "before PostgreSQL 16, ALTER SYSTEM takes an extension's parameters only where its library is loaded",
                ));
                return None;
            }
        }
        None if desired.skip_missing => return None,
        None => {
            sink.push(unknown(name, desired, view));
            return None;
        }
    }
    if let Some(bound) = settled.attributes.remove(BOUND)
        && let (Some(known), Some(have)) = (known, live.and_then(|live| live.get("value")))
        && settled.get("value").is_some_and(|wanted| will_do(&bound, have, wanted, &Parameter::of(known)))
    {
        settled.set("value", have.clone());
    }
    if level == Level::Server {
        on_server(&mut settled, live, view, sink);
    }
    Some(settled)
}

/// Whether a value will do as well as the one that is wanted.
pub fn will_do(bound: &Value, have: &Value, wanted: &Value, parameter: &Parameter) -> bool {
    let rank = |value: &Value| match value.as_text() {
        Some(text) if parameter.sort == Sort::Enum => {
            parameter.words.iter().position(|word| word == text).map(|position| position as f64)
        }
        Some(text) => parameter.number(text),
        None => None,
    };
    let (Some(have), Some(wanted)) = (rank(have), rank(wanted)) else { return false };
    match bound.as_text() {
        Some(AT_LEAST) => have >= wanted,
        Some(AT_MOST) => have > 0.0 && have <= wanted,
        _ => false,
    }
}

/// What only holds for ALTER SYSTEM: a value that is to go is gone once it is not in its file, and
/// what is configured has to be read.
fn on_server(settled: &mut Desired, live: Option<&Live>, view: &View<'_>, sink: &mut Vec<Diagnostic>) {
    let fact = |fact: &str| live.and_then(|live| live.fact(fact)).and_then(Value::as_bool).unwrap_or(false);
    let pending = fact("pending");
    // Without the right to read the files, what waits for a restart cannot be seen.
    let blind = !view.server.superuser;
    let is_set = fact("automatic") || (blind && live.is_some());
    if settled.get("value") == Some(&Value::Null) && !is_set || (blind && pending) {
        settled.attributes.remove("value");
    }
    if !view.server.single_session {
        settled.set("reload_pending", Value::Null);
    }
    let same = settled.get("value").is_none_or(|value| live.and_then(|live| live.get("value")) == Some(value));
    if pending && same {
        let message = format!("`{}` has a new value that waits for the server's next restart", settled.address.name);
        let warning = Diagnostic::warning(&PENDING_RESTART, message).at(&settled.place);
        sink.push(match blind {
            true => warning
                .why("only a superuser can see which value that is")
                .help("restart the server when it can be spared"),
            false => warning.help("restart the server when it can be spared; until then the old value holds"),
        });
    }
}

/// Whether a role exists, or the policies make it.
fn role_will_be(role: &str, view: &View<'_>) -> bool {
    let made = Address::global(crate::core::KindId::new("role"), role);
    let made = view.desired.get(&made).is_some_and(|made| made.ensure == Ensure::Present);
    made || observe::role_of(view.live, role).is_some()
}

/// What is to be set for a role that the policies have go.
pub fn check_roles(own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    for desired in own.iter().filter(|desired| desired.get("value").is_some_and(|value| *value != Value::Null)) {
        let level = desired.address.schema.as_deref().and_then(Level::read);
        let Some((role, goes)) =
            level.as_ref().and_then(Level::role).and_then(|role| Some((role, role::to_go(all, role)?)))
        else {
            continue;
        };
        let what = format!("`{}` is to be set for the role \"{role}\", which is to go", desired.address.name);
        sink.push(role::cannot_go(what, desired.place_of("value"), goes));
    }
}

fn no_role(role: &str, desired: &Desired) -> Diagnostic {
    Diagnostic::error(&UNKNOWN_ROLE, format!("the server has no role \"{role}\""))
        .at(&desired.place)
        .help("names are exact; create the role first, or write a document `kind: role` for it")
}

/// A parameter at a level where the server does not take it.
fn misplaced(parameter: &Parameter, level: &Level, desired: &Desired) -> Option<Diagnostic> {
    let name = &parameter.name;
    let refuse = |why: &str, help: &str| {
        let message = format!("`{name}` cannot be set for {}", level.words());
        Some(Diagnostic::error(&code::CANNOT_CHANGE, message).at(&desired.place).why(why).help(help))
    };
    match (parameter.context.as_str(), level) {
        ("internal", _) => {
            refuse("it tells how the server was built or initialized, and nothing sets it", "take it out of the policy")
        }
        (_, Level::Server) if NOT_BY_ALTER_SYSTEM.contains(&name.as_str()) => refuse(
            "ALTER SYSTEM does not take it: it is only for the server's own configuration file or command line",
            "set it there, and take it out of the policy",
        ),
        ("postmaster" | "sighup", Level::Database | Level::Role { .. }) => {
            refuse("it is the same for the whole server", "write it in a document with `scope: server`")
        }
        ("backend" | "superuser-backend", Level::Database | Level::Role { .. }) => refuse(
            "it is fixed before a session knows its database and role",
            "write it in a document with `scope: server`",
        ),
        _ => None,
    }
}

/// A parameter that the server does not have, with the nearest that it has.
fn unknown(name: &str, desired: &Desired, view: &View<'_>) -> Diagnostic {
    let message = format!("the server has no parameter `{name}`");
    let diagnostic = Diagnostic::error(&UNKNOWN_PARAMETER, message).at(&desired.place);
    let names = observe::about_server(view.live).and_then(|about| about.fact("names"));
    let names = names.map(Value::as_list).unwrap_or_default().iter().filter_map(Value::as_text);
    let scored = names.map(|known| (strsim::jaro_winkler(&known.to_ascii_lowercase(), name), known));
    match scored.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, known)) => diagnostic.help(format!("did you mean `{known}`?")),
        None => diagnostic.help(format!(
            "this is PostgreSQL {}: check the name in its manual; an extension's is written with the extension's before a dot",
            view.server.version
        )),
    }
}

/// A resource of this kind in the same database, by container and name.
pub fn at<'a>(view: &View<'a>, container: &str, name: &str) -> Option<&'a Live> {
    view.live.get(&Address { kind: ID, schema: Some(container.to_owned()), name: name.to_owned() })
}
