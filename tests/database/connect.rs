//! Connections as libpq makes them: TLS in every mode, certificates, passwords, several hosts.

pub mod certificates;
mod hosts;
mod tls;

use std::collections::BTreeMap;

use chronoform::diag::Failure;
use chronoform::pg::{ConnectOptions, Session};
use libtest_mimic::Trial;

use crate::servers::{Servers, Tier};

/// The tests of a tier: these need servers of their own.
pub fn trials(tier: Tier, _servers: &Servers) -> Vec<Trial> {
    if tier == Tier::Apache {
        return tls::newer_trials();
    }
    if tier != Tier::PostgresNative {
        return Vec::new();
    }
    let mut trials = tls::trials();
    trials.extend(hosts::trials());
    trials
}

/// Connects as the program does, with these variables and no others.
fn session(url: &str, variables: &[(&str, &str)]) -> Result<Session, Failure> {
    let environment: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let endpoint = ConnectOptions { url: Some(url.to_owned()), password: None, environment }.resolve()?;
    Session::connect(&endpoint)
}

/// What a failure says, with its codes and advice.
fn said(failure: &Failure) -> String {
    let lines = failure.0.iter().map(|d| {
        let (why, help) = (d.why.clone().unwrap_or_default(), d.help.clone().unwrap_or_default());
        format!("[{}] {} | {why} | {help}", d.code.name, d.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}
