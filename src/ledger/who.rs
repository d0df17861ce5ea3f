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
    /// The commit that a pipeline works on, where its environment tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The pipeline's own page, where its environment tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<String>,
    /// The person who set the pipeline off, where its environment tells: the user of a runner is
    /// nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

impl Who {
    /// This very process.
    pub fn here() -> Self {
        let pipeline = Pipeline::read(&variable);
        Self {
            user: user(),
            host: host(),
            pid: std::process::id(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: pipeline.revision,
            pipeline: pipeline.page,
            actor: pipeline.actor,
        }
    }

    /// Whether the process is known to be gone. `false` also where nobody can tell: on another
    /// machine, or on a system without `/proc`.
    pub fn is_gone(&self) -> bool {
        let processes = Path::new("/proc/self");
        processes.exists() && self.host == host() && !Path::new(&format!("/proc/{}", self.pid)).exists()
    }
}

/// What the environment of GitHub Actions, GitLab CI, Azure Pipelines or Jenkins says.
#[derive(PartialEq, Eq, Debug, Default)]
struct Pipeline {
    revision: Option<String>,
    page: Option<String>,
    actor: Option<String>,
}

impl Pipeline {
    fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| variable(name));
        let github = || {
            let parts = ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(variable);
            let [Some(server), Some(repository), Some(run)] = parts else { return None };
            Some(format!("{server}/{repository}/actions/runs/{run}"))
        };
        let revision = first(&["GITHUB_SHA", "CI_COMMIT_SHA", "BUILD_SOURCEVERSION", "GIT_COMMIT"]);
        let page = github().or_else(|| first(&["CI_JOB_URL", "BUILD_URL"]));
        let actor = first(&["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR"]);
        // Such a variable may hold anything; what is no commit or no plain address is nobody's word.
        let is_commit = |text: &String| (7..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_hexdigit());
        let is_page = |text: &String| {
            text.len() <= 500 && (text.starts_with("https://") || text.starts_with("http://")) && !text.contains('@')
        };
        Self {
            revision: revision.filter(is_commit),
            page: page.filter(is_page),
            actor: actor.filter(|actor| actor.chars().count() <= 100),
        }
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
    fn a_pipeline_says_what_it_works_on() {
        let read = |set: &[(&str, &str)]| {
            let set: Vec<(String, String)> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            Pipeline::read(&|name: &str| set.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
        };
        let github = read(&[
            ("GITHUB_SHA", "8f2c1d0"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/market"),
            ("GITHUB_RUN_ID", "17"),
            ("GITHUB_ACTOR", "ada"),
        ]);
        assert_eq!(github.revision.as_deref(), Some("8f2c1d0"));
        assert_eq!(github.page.as_deref(), Some("https://github.com/acme/market/actions/runs/17"));
        assert_eq!(github.actor.as_deref(), Some("ada"));
        let gitlab = read(&[("CI_COMMIT_SHA", "8f2c1d0aa"), ("CI_JOB_URL", "https://gitlab.example/j/1")]);
        assert_eq!(gitlab.page.as_deref(), Some("https://gitlab.example/j/1"));
        // A token in an address, or a word that is no commit, is not kept.
        let odd = read(&[("CI_COMMIT_SHA", "main; x"), ("CI_JOB_URL", "https://u:s3cret@gitlab.example/j/1")]);
        assert_eq!(odd, Pipeline::default());
        assert_eq!(read(&[]), Pipeline::default());
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
