//! Several hosts: dead ones, silent ones, standbys.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use postgres::NoTls;

use super::{said, session};
use crate::servers::cluster::{Cluster, Place};

/// The tests.
pub fn trials() -> Vec<Trial> {
    vec![Trial::test("postgres::connect::hosts::the_first_that_is_as_wanted", || -> Result<(), Failed> {
        let primary = Cluster::start(&Place::native()?, &[])?;
        let standby = Cluster::standby_of(&primary)?;
        the_first_that_is_as_wanted(&primary, &standby);
        Ok(())
    })]
}

fn the_first_that_is_as_wanted(primary: &Cluster, standby: &Cluster) {
    // A port that nobody listens on, and one where somebody listens and says nothing.
    let dead = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mute = silent.local_addr().unwrap().port();
    let (primary_port, standby_port) = (primary.port(), standby.port());
    let at = |ports: &[u16], more: &str| {
        let places: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let query = format!("sslmode=disable&connect_timeout=1&{more}");
        let text = format!("postgres://postgres:postgres@{}/postgres?{query}", places.join(","));
        match session(&text, &[]) {
            Ok(session) if session.endpoint().port == primary_port => "primary".to_owned(),
            Ok(session) if session.endpoint().port == standby_port => "standby".to_owned(),
            Ok(session) => format!("{:?}", session.endpoint()),
            Err(failure) => said(&failure),
        }
    };
    let both = [standby_port, primary_port];
    for (ports, wanted, ends) in [
        (&both[..], "any", "standby"),
        (&both, "read-write", "primary"),
        (&both, "read-only", "standby"),
        (&both, "primary", "primary"),
        (&[primary_port, standby_port], "standby", "standby"),
        (&[primary_port, standby_port], "prefer-standby", "standby"),
        (&[primary_port], "prefer-standby", "primary"),
        (&[dead, primary_port], "any", "primary"),
        (&[mute, primary_port], "any", "primary"),
        (&[dead, mute, standby_port, primary_port], "primary", "primary"),
    ] {
        assert_eq!(at(ports, &format!("target_session_attrs={wanted}")), ends, "{wanted} of {ports:?}");
    }
    for (ports, wanted, says) in [
        (&[primary_port][..], "standby", "is no standby"),
        (&[standby_port], "read-write", "can only be read"),
        (&[standby_port], "primary", "is a standby"),
        (&[primary_port], "read-only", "can be written to"),
        (&[dead, standby_port], "primary", "and before that: cannot connect to"),
        (&[mute], "any", "did not answer within"),
        (&[dead], "any", "[connect-failed]"),
    ] {
        let ended = at(ports, &format!("target_session_attrs={wanted}"));
        assert!(ended.contains(says), "{wanted} of {ports:?}: {ended}");
    }
    // In any order, both come up sooner or later; a wrong password ends the search at once.
    let mut seen: Vec<String> = (0..40).map(|_| at(&both, "load_balance_hosts=random")).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ["primary", "standby"]);
    let ended = at(&both, "password=wrong");
    assert!(ended.contains("[authentication-failed]") && !ended.contains("before that"), "{ended}");
    // A primary that is made read-only takes no writes, and is no standby.
    let mut admin = postgres::Client::connect(primary.url(), NoTls).unwrap();
    admin.batch_execute("ALTER SYSTEM SET default_transaction_read_only = on").unwrap();
    admin.batch_execute("SELECT pg_reload_conf()").unwrap();
    let started = Instant::now();
    while at(&[primary_port], "target_session_attrs=read-only") != "primary" {
        assert!(started.elapsed() < Duration::from_secs(30));
    }
    assert!(at(&[primary_port], "target_session_attrs=read-write").contains("can only be read"));
    assert_eq!(at(&[primary_port], "target_session_attrs=primary"), "primary");
    drop(silent);
}
