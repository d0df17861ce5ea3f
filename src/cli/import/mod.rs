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
use crate::core::{Address, Containers, Live, QualifiedName};
use crate::diag::{Exit, Failure, Sources};
use crate::import::{self, Base, Document, Gathered};
use crate::kinds;
use crate::load::{self, DocumentInfo, Policies, Variables};
use crate::pg::Session;
use crate::snapshot;

use choice::Choice;
use folder::Folder;
use summary::Summary;

/// Reads what is live, writes what describes it, and says what is left out.
pub fn run(args: &ImportArgs, context: &mut Context) -> Result<Exit, Failure> {
    let choice = Choice::new(args)?;
    let folder = args.out.as_ref().map(|path| Folder::open(path, args.force)).transpose()?;
    let project = Project::read(folder.as_ref(), context)?;
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
    /// The policies, without those of an earlier import that may be written anew; none where there is no
    /// file.
    described: Option<Policies>,
    files: Vec<PathBuf>,
    /// What an earlier import wrote, and may be written anew.
    earlier: Vec<DocumentInfo>,
    variables: Variables,
}

impl Project {
    /// Reads the project's policies and those in the folder.
    fn read(folder: Option<&Folder>, context: &mut Context) -> Result<Self, Failure> {
        let mut paths: Vec<PathBuf> = context.paths(&Paths::default())?;
        paths.extend(folder.map(|folder| folder.path().to_owned()));
        let (files, anew) = folder::policy_files(&paths, folder)?;
        let said = context.diagnostics.len();
        let described = match files.is_empty() {
            true => None,
            false => Some(context.policies(&Paths { paths: files.clone() })?),
        };
        // What there is to say of them, `validate` and `plan` say.
        context.diagnostics.truncate(said);
        let variables = context.variables()?;
        Ok(Self { described, files, earlier: earlier(&anew, &variables), variables })
    }
}

/// The documents in files, each read for itself where all of them together cannot be read. Of those that
/// cannot, nobody knows what they describe.
fn earlier(files: &[PathBuf], variables: &Variables) -> Vec<DocumentInfo> {
    let documents = |paths: &[PathBuf]| {
        let read = load::policies(paths, variables, &mut Sources::default(), &mut Vec::new());
        read.map(|policies| policies.documents)
    };
    let each = || files.chunks(1).flat_map(|file| documents(file).unwrap_or_default()).collect();
    if files.is_empty() { Vec::new() } else { documents(files).unwrap_or_else(|_| each()) }
}

/// Takes out what an earlier import wrote to a file that is not to be written anew, such as one that was
/// renamed since: two documents would describe it. Gives how many are about relations, and how many
/// resources the others have.
fn leave_to(earlier: &[DocumentInfo], gathered: &mut Gathered) -> (usize, usize) {
    let mut left = (0, 0);
    while !earlier.is_empty() {
        let files = import::files(&gathered.documents, &[]);
        let anew: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let name =
            |document: &DocumentInfo| document.place.file.rsplit(std::path::MAIN_SEPARATOR).next().map(str::to_owned);
        let stays = earlier.iter().filter(|document| name(document).is_none_or(|name| !anew.contains(name.as_str())));
        let stays: BTreeSet<(&str, Option<&QualifiedName>, &str)> =
            stays.map(|it| key(it.kind, it.relation.as_ref(), &it.name)).collect();
        let is_left = |it: &Document| stays.contains(&key(it.kind, it.relation.as_ref(), &it.name));
        let (gone, kept): (Vec<Document>, Vec<Document>) =
            std::mem::take(&mut gathered.documents).into_iter().partition(is_left);
        gathered.documents = kept;
        if gone.is_empty() {
            break;
        }
        for document in gone {
            gathered.left_out.retain(|left| !import::is_of(left, &document));
            match document.relation {
                Some(_) => left.0 += 1,
                None => left.1 += document.resources.len(),
            }
        }
    }
    left
}

/// What tells documents apart.
fn key<'a>(
    kind: &'a str,
    relation: Option<&'a QualifiedName>,
    name: &'a str,
) -> (&'a str, Option<&'a QualifiedName>, &'a str) {
    if relation.is_some() { ("", relation, "") } else { (kind, None, name) }
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

/// Whether work on a resource was begun, and a plan would go on with it.
fn is_begun(live: &Live) -> bool {
    let kind = kinds::by_id(&live.address.kind);
    live.attributes.keys().any(|name| kind.is_some_and(|kind| kind.is_gone_on_with(name)))
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
    let taken = snapshot::take(session, server, &found.names, (&nothing.0, &nothing.1), &mut snapshot::OnlyInside)?;
    let view = taken.view(&nothing.0);
    let known = described.map(Known::of);
    let is_described = |live: &Live| known.as_ref().is_some_and(|known| known.has(live));
    let is_other = |live: &&Live| live.on.is_none() && !live.system && found.asks_for(live) && is_described(live);
    summary.others_described = taken.live.values().filter(is_other).count();
    let mut gathered = import::gather(&view, &|live| found.asks_for(live) && !is_described(live));
    let (relations, others) = leave_to(&project.earlier, &mut gathered);
    summary.described += relations;
    summary.others_described += others;
    let base = Base {
        server: &taken.server,
        relations: &taken.relations,
        live: &taken.live,
        project: &project.files,
        variables: &project.variables,
    };
    summary.classes = import::prove(&mut gathered, base, &mut |desired| snapshot::canon(session, &taken, desired))?;
    snapshot::finish(session)?;
    let written = gathered.documents.iter().flat_map(|document| &document.resources);
    let written: BTreeSet<&Address> = written.map(|resource| &resource.address).collect();
    summary.begun = written.iter().filter(|address| taken.live.get(address).is_some_and(is_begun)).count();
    let written = gathered.documents.iter().filter(|document| document.relation.is_some()).count();
    summary.silent = taken.relations.len().saturating_sub(written + relations);
    Ok((gathered, summary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::KindId;

    #[test]
    fn what_a_plan_goes_on_with_is_told_from_what_is_finished() {
        let address = Address::in_schema(KindId::new("continuous_aggregate"), &QualifiedName::new("public", "hourly"));
        let mut live = Live::new(address, Some(QualifiedName::new("public", "hourly")));
        assert!(!is_begun(&live));
        live.set("unfinished_fill", crate::core::Value::text("begun, and not completed"));
        assert!(is_begun(&live));
    }
}
