//! `chronoform import`: policies for what is live, so that a plan has nothing to do.

mod adopt;
mod choice;
mod folder;
mod summary;

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::cli::args::{Format, ImportArgs, Paths};
use crate::cli::context::Context;
use crate::cli::out;
use crate::core::{Containers, Live, QualifiedName};
use crate::diag::{Exit, Failure};
use crate::import::{self, Base, Gathered};
use crate::kinds;
use crate::load::{Policies, Variables};
use crate::pg::Session;
use crate::snapshot;

use choice::Choice;
use folder::Folder;
use summary::Summary;

/// Reads what is live, writes what describes it, and says what is left out.
pub fn run(args: &ImportArgs, context: &mut Context) -> Result<Exit, Failure> {
    let choice = Choice::new(args)?;
    let folder = args.out.as_ref().map(|path| Folder::open(path, args.force)).transpose()?;
    let (described, files) = described(folder.as_ref(), context)?;
    let project = Project { described, files, variables: context.variables()? };
    let mut session = context.connect()?;
    let (gathered, mut summary) = read(&choice, &project, &mut session)?;

    let Gathered { documents, left_out } = &gathered;
    match &folder {
        Some(folder) => {
            let files = import::files(documents, left_out);
            summary.files = folder.write(&files)?;
            if args.adopt {
                summary.adopted = Some(match files.is_empty() {
                    true => 0,
                    false => adopt::adopt(&summary, args.lock_timeout, &mut session, context)?,
                });
            }
        }
        None if context.global.format == Format::Json || documents.is_empty() => {}
        None => out::print(&import::stream(documents, left_out)),
    }
    summary.say(&gathered, folder.as_ref(), context);
    Ok(Exit::Done)
}

/// What there is already.
struct Project {
    described: Option<Policies>,
    files: Vec<PathBuf>,
    variables: Variables,
}

/// The policies that there are already: the project's and those in the folder, without those that are
/// to be written anew. None where there is no file.
fn described(folder: Option<&Folder>, context: &mut Context) -> Result<(Option<Policies>, Vec<PathBuf>), Failure> {
    let mut paths: Vec<PathBuf> = context.paths(&Paths::default())?;
    paths.extend(folder.map(|folder| folder.path().to_owned()));
    let files = folder::policy_files(&paths, folder)?;
    if files.is_empty() {
        return Ok((None, files));
    }
    let before = context.diagnostics.len();
    let policies = context.policies(&Paths { paths: files.clone() })?;
    // What there is to say of them, `validate` and `plan` say.
    context.diagnostics.truncate(before);
    Ok((Some(policies), files))
}

/// What policies describe already.
struct Known<'a> {
    policies: &'a Policies,
    relations: BTreeSet<&'a QualifiedName>,
    containers: Containers,
}

impl<'a> Known<'a> {
    fn of(policies: &'a Policies) -> Self {
        let relations = policies.documents.iter().filter_map(|document| document.relation.as_ref()).collect();
        Self { policies, relations, containers: kinds::containers(&policies.desired) }
    }

    /// Whether a live resource would be in a document that there is. What has a container is in its
    /// document, even if not all of it.
    fn has(&self, live: &Live) -> bool {
        match &live.on {
            Some(on) => self.relations.contains(on),
            None => self.policies.desired.contains_key(&live.address) || self.containers.is_in_one(&live.address),
        }
    }
}

/// All that is live, chosen and not described yet, as documents that hold.
fn read(choice: &Choice, project: &Project, session: &mut Session) -> Result<(Gathered, Summary), Failure> {
    let server = snapshot::open(session)?;
    let mut found = snapshot::discover(session, &server, &choice.wanted)?;
    choice.narrow(&mut found)?;
    let described = project.described.as_ref();
    let mut summary = Summary {
        database: server.database.clone(),
        single_session: server.single_session,
        other_roles: found.other_roles.len(),
        others_of_server: found.others_of_server,
        ..Summary::default()
    };
    if let Some(policies) = described {
        let relations = policies.documents.iter().filter_map(|document| document.relation.as_ref());
        summary.described = relations.filter(|relation| found.names.relations.remove(relation)).count();
    }
    let nothing = (Default::default(), Default::default());
    let taken = snapshot::take(session, server, &found.names, &nothing.0, &nothing.1)?;
    let view = taken.view(&nothing.0);
    let known = described.map(Known::of);
    let is_described = |live: &Live| known.as_ref().is_some_and(|known| known.has(live));
    let is_other = |live: &&Live| live.on.is_none() && !live.system && found.asks_for(live) && is_described(live);
    summary.others_described = taken.live.values().filter(is_other).count();
    let mut gathered = import::gather(&view, &|live| found.asks_for(live) && !is_described(live));
    let base = Base {
        server: &taken.server,
        relations: &taken.relations,
        live: &taken.live,
        project: &project.files,
        variables: &project.variables,
    };
    summary.classes = import::prove(&mut gathered, base, &mut |desired| snapshot::canon(session, &taken, desired))?;
    snapshot::finish(session)?;
    let written = gathered.documents.iter().filter(|document| document.relation.is_some()).count();
    summary.silent = taken.relations.len().saturating_sub(written);
    Ok((gathered, summary))
}
