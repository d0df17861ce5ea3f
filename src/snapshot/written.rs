//! What the server tells of differences beside their attributes: when it last wrote the rows behind
//! them, and who owns their jobs. Only `drift` asks, with one query a kind that differs.

use std::collections::BTreeMap;

use crate::core::{Address, Param, Query, Server};
use crate::kinds::by_id;
use crate::pg::{PgError, Session};

/// What a server tells.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// Resource by resource: when its rows were last written, and the role that owns its job.
    pub words: BTreeMap<Address, (Option<String>, Option<String>)>,
    /// Why it does not tell when, where it does not.
    pub silence: Option<String>,
}

/// Asks about resources. A server that refuses is silent, and that is no failure.
pub fn written<'a>(session: &mut Session, server: &Server, of: impl Iterator<Item = &'a Address>) -> Told {
    let mut by_kind: BTreeMap<&'a str, Vec<&'a Address>> = BTreeMap::new();
    for address in of {
        by_kind.entry(address.kind.as_str()).or_default().push(address);
    }
    if by_kind.is_empty() {
        return Told::default();
    }
    match ask(session, server, &by_kind) {
        Ok(told) => told,
        Err(error) => Told { silence: Some(format!("the server does not say: {error}")), ..Told::default() },
    }
}

fn ask(session: &mut Session, server: &Server, by_kind: &BTreeMap<&str, Vec<&Address>>) -> Result<Told, PgError> {
    let mut told = Told::default();
    let rows = session.query_text("SELECT pg_catalog.current_setting('track_commit_timestamp') AS tracked")?;
    if rows.first().and_then(|row| row.text("tracked").ok()) != Some("on") {
        told.silence = Some("the server does not say (track_commit_timestamp is off)".to_owned());
    }
    for addresses in by_kind.values() {
        let Some(first) = addresses.first() else { continue };
        let Some(sql) = by_id(&first.kind).and_then(|kind| kind.written(server)) else { continue };
        let schemas = Param::Texts(addresses.iter().map(|address| address.schema.clone()).collect());
        let names = Param::texts(addresses.iter().map(|address| address.name.clone()));
        for row in session.query(&Query { sql, params: vec![schemas, names] })? {
            let text = |column: &str| row.maybe_text(column).ok().flatten().map(str::to_owned);
            let (schema, name) = (text("schema"), text("name"));
            if let Some(address) = addresses.iter().find(|a| a.schema == schema && Some(&a.name) == name.as_ref()) {
                told.words.insert((*address).clone(), (text("written"), text("owner")));
            }
        }
    }
    Ok(told)
}
