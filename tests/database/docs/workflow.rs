//! The steps of a workflow file that run something, in order, with their environment.

use serde_json::Value as Json;

/// A step.
pub struct Step {
    /// What it runs.
    pub script: String,
    /// The variables that its job and it set.
    pub environment: Vec<(String, String)>,
}

/// The steps of a GitHub or GitLab workflow.
pub fn steps(text: &str) -> Vec<Step> {
    let document: Json = serde_saphyr::from_str(text).unwrap();
    match document.get("jobs") {
        Some(jobs) => github(jobs),
        None => gitlab(&document),
    }
}

fn github(jobs: &Json) -> Vec<Step> {
    let mut steps = Vec::new();
    for job in jobs.as_object().unwrap().values() {
        assert!(job["runs-on"].is_string(), "a job says where it runs");
        for step in job["steps"].as_array().unwrap() {
            assert!(step["uses"].is_string() != step["run"].is_string(), "a step uses something or runs something");
            let Some(script) = step["run"].as_str() else { continue };
            let mut environment = variables(&job["env"]);
            environment.extend(variables(&step["env"]));
            environment.push(("GITHUB_ACTIONS".to_owned(), "true".to_owned()));
            steps.push(Step { script: script.to_owned(), environment });
        }
    }
    steps
}

fn gitlab(document: &Json) -> Vec<Step> {
    let stages: Vec<&str> = document["stages"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
    let jobs = document.as_object().unwrap().values().filter(|job| job["script"].is_array());
    let mut steps = Vec::new();
    for job in jobs {
        assert!(stages.contains(&job["stage"].as_str().unwrap()), "a job is of a stage");
        let lines = |key: &str| job[key].as_array().into_iter().flatten().filter_map(Json::as_str).collect::<Vec<_>>();
        for key in ["script", "after_script"] {
            let script = lines(key).join("\n");
            if !script.is_empty() {
                steps.push(Step { script, environment: variables(&document["variables"]) });
            }
        }
    }
    steps
}

fn variables(env: &Json) -> Vec<(String, String)> {
    let entries = env.as_object().into_iter().flatten();
    entries.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}
