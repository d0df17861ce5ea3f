//! The loop as a property: whatever valid policies there are, applied they leave nothing to plan;
//! applied again they do nothing; what is changed by hand is told, exactly, and healed.
//!
//! Every case comes from one number. One that fails is made smaller as long as it fails in the same
//! place, and is printed with its seed. `CHRONOFORM_TEST_SEED=0x…` runs one case alone,
//! `CHRONOFORM_TEST_LONG=1` some thousands from a seed of the day's own, and
//! `CHRONOFORM_TEST_CASES=N` so many.

mod case;
mod catalog;
mod change;
mod policy;
mod random;
mod sql;
mod tool;
mod world;

use std::time::{SystemTime, UNIX_EPOCH};

use libtest_mimic::{Failed, Trial};

use case::Case;
use random::Random;

use crate::servers::{Servers, Tier};

/// How many cases share a database, one after another.
const SHARE: usize = 20;
/// Where the cases of every run begin: a run that fails, fails again.
const USUAL: u64 = 0x1d3;

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let trial = |name: String, seeds: Vec<u64>| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::property::{name}"), move || run(tier, &servers, &seeds))
    };
    if let Some(seed) = number("CHRONOFORM_TEST_SEED") {
        return vec![trial(format!("seed_{seed:#x}"), vec![seed])];
    }
    let long = std::env::var_os("CHRONOFORM_TEST_LONG").is_some();
    let count = number("CHRONOFORM_TEST_CASES").map(|count| usize::try_from(count).unwrap());
    let count = count.unwrap_or(match (long, tier) {
        (true, _) => 2000,
        // Some hundreds in all, so that the whole run stays well under half an hour on two cores.
        (false, Tier::Embedded) => 60,
        (false, Tier::PostgresNative) => 100,
        (false, _) => 40,
    });
    let first = if long { SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() } else { USUAL };
    let mut random = Random::new(first);
    let seeds: Vec<u64> = (0..count).map(|_| random.next() >> 16).collect();
    seeds.chunks(SHARE).enumerate().map(|(at, seeds)| trial(format!("{at:03}"), seeds.to_vec())).collect()
}

/// A number that the environment gives, also as `0x…`.
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    Some(number.unwrap_or_else(|error| panic!("{variable} is {text}: {error}")))
}

fn run(tier: Tier, servers: &Servers, seeds: &[u64]) -> Result<(), Failed> {
    let db = servers.db(tier)?;
    let check = |seed: &u64| {
        let why = Case::random(*seed, &db).check(&db).err()?;
        Some(format!("{why}\nagain: CHRONOFORM_TEST_SEED={seed:#x} cargo test --test database -- {tier}::property"))
    };
    let failures: Vec<String> = seeds.iter().filter_map(check).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n\n").into()) }
}
