//! What `import` costs, beside a plan of the same tables.

use std::fs;
use std::time::Duration;

use crate::fixture::{Site, grouped};
use crate::plans::{Measured, milliseconds, trips};
use crate::{chronoform, measure};

/// Measures an import of all that a site has into an empty folder, and reads what it wrote. Gives how many round
/// trips it made.
pub fn run(site: &Site, plan: &Measured, missed: &mut Vec<String>) -> Result<usize, String> {
    let wrong = |error: std::io::Error| error.to_string();
    let mut times = Vec::new();
    let mut asked = 0;
    for round in 0..3 {
        // Where there are policies, what they describe is left to them.
        let folder = tempfile::tempdir().map_err(wrong)?;
        let mut arguments = vec!["import", "--url", site.url(), "--schema", "public", "--out", "policies"];
        // Telling what is asked takes time of its own.
        if round == 0 {
            arguments.push("-vvv");
            let told = measure::run(chronoform(&arguments, folder.path()))?;
            asked = trips(&told.err).count();
            judge(site, folder.path(), &told, missed)?;
        } else {
            times.push(measure::time(&mut chronoform(&arguments, folder.path()))?);
        }
    }
    let took = times.into_iter().min().unwrap_or(Duration::ZERO);
    println!(
        "import of {}: {}, {:.1} times a plan, {asked} round trips",
        site.fixture.title(),
        milliseconds(took),
        took.as_secs_f64() / plan.plan.as_secs_f64(),
    );
    if asked == 0 {
        missed.push(format!("import of {} told of no round trip", site.fixture.title()));
    }
    Ok(asked)
}

/// It wrote a file for each table, and a plan with them has nothing to do.
fn judge(site: &Site, folder: &std::path::Path, told: &measure::Ran, missed: &mut Vec<String>) -> Result<(), String> {
    if told.code != 0 {
        return Err(format!("import ended with {}:\n{}{}", told.code, told.out, told.err));
    }
    let files = fs::read_dir(folder.join("policies")).map_err(|error| error.to_string())?.count();
    if files < site.fixture.tables {
        let (files, tables) = (grouped(files), grouped(site.fixture.tables));
        missed.push(format!("import wrote {files} files for {tables} tables"));
    }
    let planned = measure::run(chronoform(&["plan", "--detailed-exitcode", "--url", site.url()], folder))?;
    if planned.code != 0 {
        missed.push(format!("after an import a plan has something to do:\n{}{}", planned.out, planned.err));
    }
    Ok(())
}
