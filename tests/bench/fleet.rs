//! A plan over ten targets, beside a plan of one of them.

use std::fs;

use crate::fixture::{Fixture, Site, grouped, write_policies};
use crate::plans::milliseconds;
use crate::servers::{Servers, Tier};
use crate::{Settings, chronoform, measure};

/// How many targets.
const TARGETS: usize = 10;

/// Measures a plan with nothing to do over several databases of one server: all at once, one after
/// another, and one alone.
pub fn run(settings: &Settings, servers: &Servers, missed: &mut Vec<String>) -> Result<(), String> {
    let tier = if servers.can_run(Tier::PostgresUrl).is_ok() { Tier::PostgresUrl } else { Tier::PostgresNative };
    if let Err(why) = servers.can_run(tier) {
        eprintln!("plan over {TARGETS} targets: NOT MEASURED: {why}");
        return Ok(());
    }
    let fixture = Fixture::plain(if settings.long { 1_000 } else { 20 });
    let sites = (0..TARGETS).map(|_| Site::new(fixture, tier, servers, false)).collect::<Result<Vec<_>, _>>()?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    write_policies(&fixture, &folder.path().join("policies"))?;
    let target = |(number, site): (usize, &Site)| format!("  t{number}: {{url: '{}'}}\n", site.url());
    let targets: String = sites.iter().enumerate().map(target).collect();
    fs::write(folder.path().join("chronoform.yaml"), format!("targets:\n{targets}")).map_err(|e| e.to_string())?;

    let adopted = measure::run(chronoform(&["apply", "--all-targets", "--auto-approve"], folder.path()))?;
    if adopted.code != 0 {
        return Err(format!("apply ended with {}:\n{}{}", adopted.code, adopted.out, adopted.err));
    }
    let plan = |args: &[&str]| chronoform(&[&["plan", "--detailed-exitcode"], args].concat(), folder.path());
    let mut commands =
        [plan(&["--target", "t0"]), plan(&["--all-targets"]), plan(&["--all-targets", "--parallel", "1"])];
    let times = measure::in_turns(&mut commands, settings.rounds.min(11))?;
    let [one, all, in_turn] = times.as_slice() else { return Err("a time is missing".to_owned()) };
    println!(
        "plan over {TARGETS} targets of {} tables each: {}, one after another {}, one alone {}",
        grouped(fixture.tables),
        milliseconds(*all),
        milliseconds(*in_turn),
        milliseconds(*one)
    );
    // At once is worth it even where the server is on the same machine, and never costs more.
    if settings.long && *all > *in_turn {
        missed.push(format!("{TARGETS} targets at once took longer than one after another"));
    }
    Ok(())
}
