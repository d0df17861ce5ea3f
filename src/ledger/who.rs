//! Who ran it: the user, machine and process of a run, and whether that process still lives.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// The operating system's view of whoever started a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Who {
    /// The login name, or `uid 1000` where the system has none.
    pub user: String,
    /// The machine's name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// Chronoform's own version.
    pub tool_version: String,
}

impl Who {
    /// This very process.
    pub fn here() -> Self {
        Self { user: user(), host: host(), pid: std::process::id(), tool_version: env!("CARGO_PKG_VERSION").to_owned() }
    }

    /// Whether the process is known to be gone. `false` also where nobody can tell: on another
    /// machine, or on a system without `/proc`.
    pub fn is_gone(&self) -> bool {
        let processes = Path::new("/proc/self");
        processes.exists() && self.host == host() && !Path::new(&format!("/proc/{}", self.pid)).exists()
    }
}

fn user() -> String {
    let named = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(variable);
    named.or_else(from_uid).unwrap_or_else(|| "unknown".to_owned())
}

fn host() -> String {
    let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    read("/proc/sys/kernel/hostname")
        .or_else(|| read("/etc/hostname"))
        .filter(|name| !name.is_empty())
        .or_else(|| ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(variable))
        .unwrap_or_else(|| "unknown".to_owned())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A container often has neither `USER` nor `LOGNAME`; the owner of `/proc/self` is the process's
/// own user.
#[cfg(unix)]
fn from_uid() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let uid = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    Some(name.unwrap_or_else(|| format!("uid {uid}")))
}

#[cfg(not(unix))]
fn from_uid() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_known_and_alive() {
        let here = Who::here();
        assert_eq!(here.pid, std::process::id());
        assert!(!here.user.is_empty() && !here.host.is_empty() && !here.tool_version.is_empty());
        assert!(!here.is_gone());
    }

    #[test]
    fn a_process_of_another_machine_is_not_judged() {
        let elsewhere = Who { host: "no such machine".to_owned(), pid: u32::MAX, ..Who::here() };
        assert!(!elsewhere.is_gone());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_that_never_was_is_gone() {
        assert!(Who { pid: u32::MAX, ..Who::here() }.is_gone());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_user_without_variables_is_found_by_number() {
        assert!(!from_uid().unwrap().is_empty());
    }
}
