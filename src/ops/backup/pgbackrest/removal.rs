//! Removing backups: those that are meant and no other.
//!
//! By its own retention, pgBackRest counts whatever it knows, also what nobody has read back or what somebody else has
//! made since. So each is named.

use std::process::Command;

use crate::ops::backup::Trouble;
use crate::ops::backup::pgbackrest::setup::Setup;
use crate::ops::backup::record::{Backup, Sort};

/// What removes one of those that are known, with the WAL before all that then are left.
pub fn command(setup: &Setup, known: &[Backup], label: &str) -> Command {
    let full = known.iter().filter(|backup| backup.sort == Sort::Full && backup.label != label).count();
    let mut command = setup.command("expire");
    command.arg(format!("--set={label}"));
    // WAL is kept for so many of the full ones, which is for all of them.
    command.arg(format!("--repo1-retention-full={full}")).arg("--repo1-retention-full-type=count");
    command.arg(format!("--repo1-retention-archive={full}")).arg("--repo1-retention-archive-type=full");
    command
}

/// Refuses what would take another backup with it, that goes on from it.
///
/// # Errors
/// Which, and why.
pub fn goes_alone(known: &[Backup], labels: &[String]) -> Result<(), Trouble> {
    let prior = |backup: &&Backup| backup.prior.as_ref().is_some_and(|prior| labels.contains(prior));
    match known.iter().filter(|backup| !labels.contains(&backup.label)).find(prior) {
        Some(backup) => Err(Trouble::Kept {
            what: backup.label.clone(),
            why: format!("it goes on from {}, and would go with it", backup.prior.as_deref().unwrap_or_default()),
        }),
        None => Ok(()),
    }
}

/// Holds what is left against what was to be left.
///
/// # Errors
/// What went and should not have, or did not go.
pub fn is_as_planned(before: &[Backup], after: &[Backup], labels: &[String]) -> Result<(), Trouble> {
    let is_there = |label: &String| after.iter().any(|backup| backup.label == *label);
    let lost = before.iter().map(|backup| &backup.label).find(|label| !labels.contains(label) && !is_there(label));
    if let Some(label) = lost {
        return Err(Trouble::NotWhole(format!("pgBackRest has removed {label}, which was to stay")));
    }
    match labels.iter().find(|label| is_there(label)) {
        Some(label) => Err(Trouble::NotWhole(format!("pgBackRest was to remove {label}, and it is still there"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::ops::backup::record::sample;

    fn known() -> Vec<Backup> {
        let incremental = Backup { sort: Sort::Incremental, prior: Some("1F".to_owned()), ..sample("1F_2I") };
        vec![sample("1F"), incremental, sample("3F"), sample("4F")]
    }

    #[test]
    fn each_is_named_and_wal_is_kept_for_all_others() {
        let (program, stanza) = ("pgbackrest".to_owned(), "main".to_owned());
        let setup = Setup { folder: PathBuf::from("/nowhere"), stanza, program };
        let said = |label: &str| {
            let command = command(&setup, &known(), label);
            command.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert!(said("1F").contains("--set=1F --repo1-retention-full=2"), "{}", said("1F"));
        assert!(said("1F").contains("--repo1-retention-archive=2"), "{}", said("1F"));
        assert!(said("1F_2I").contains("--repo1-retention-archive=3"), "{}", said("1F_2I"));
    }

    #[test]
    fn what_goes_on_from_it_is_to_go_too() {
        let labels = |of: &[&str]| of.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
        assert!(goes_alone(&known(), &labels(&["1F", "1F_2I"])).is_ok());
        assert!(goes_alone(&known(), &labels(&["1F_2I"])).is_ok());
        let Err(Trouble::Kept { what, .. }) = goes_alone(&known(), &labels(&["1F"])) else { panic!() };
        assert_eq!(what, "1F_2I");
    }

    #[test]
    fn what_is_left_is_what_was_to_be() {
        let labels = ["1F".to_owned(), "1F_2I".to_owned()];
        let planned = |after: &[Backup]| is_as_planned(&known(), after, &labels);
        assert!(planned(&known()[2..]).is_ok());
        assert!(planned(&known()[3..]).unwrap_err().to_string().contains("3F, which was to stay"));
        assert!(planned(&known()[1..]).unwrap_err().to_string().contains("1F_2I, and it is still there"));
        // What somebody has made meanwhile is nobody's concern.
        assert!(planned(&[sample("3F"), sample("4F"), sample("5F")]).is_ok());
    }
}
