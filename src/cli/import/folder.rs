//! The folder that policies are written to: nothing of anybody else's is overwritten, and no file is
//! ever half written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Failure, code};
use crate::import::{File, MARK};
use crate::load::files;

/// A folder to write to, which need not exist yet.
pub struct Folder {
    path: PathBuf,
    force: bool,
}

impl Folder {
    /// The folder of a path.
    ///
    /// # Errors
    /// When something else has its name.
    pub fn open(path: &Path, force: bool) -> Result<Self, Failure> {
        match fs::metadata(path) {
            Ok(there) if !there.is_dir() => {
                let message = format!("{} is no folder", path.display());
                Err(Diagnostic::error(&code::FILE_UNWRITABLE, message).help("name a folder for `--out`").into())
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(path, &error)),
            _ => Ok(Self { path: path.to_owned(), force }),
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of the files or none: first all beside their places, and then all into them.
    ///
    /// # Errors
    /// A file that may not be overwritten, or one that cannot be written.
    pub fn write(&self, files: &[File]) -> Result<Vec<(PathBuf, Vec<usize>)>, Failure> {
        let targets: Vec<PathBuf> = files.iter().map(|file| self.path.join(&file.name)).collect();
        let refused: Vec<Diagnostic> = targets.iter().filter_map(|target| self.refusal(target)).collect();
        if !refused.is_empty() {
            return Err(Failure(refused));
        }
        if !files.is_empty() {
            fs::create_dir_all(&self.path).map_err(|error| unwritable(&self.path, &error))?;
        }
        let mut aside = Vec::new();
        let placed = (|| {
            for (file, target) in files.iter().zip(&targets) {
                let mut beside = target.clone().into_os_string();
                beside.push(format!(".{}.new", std::process::id()));
                aside.push(PathBuf::from(beside));
                let beside = aside.last().map_or(target.as_path(), PathBuf::as_path);
                fs::write(beside, &file.text).map_err(|error| unwritable(target, &error))?;
            }
            for (beside, target) in aside.iter().zip(&targets) {
                fs::rename(beside, target).map_err(|error| unwritable(target, &error))?;
            }
            Ok(())
        })();
        if placed.is_err() {
            aside.iter().for_each(|beside| _ = fs::remove_file(beside));
        }
        placed.map(|()| targets.into_iter().zip(files).map(|(target, file)| (target, file.documents.clone())).collect())
    }

    /// Why a file may not be written, where it may not.
    fn refusal(&self, target: &Path) -> Option<Diagnostic> {
        fs::symlink_metadata(target).ok()?;
        let message = format!("{} exists already", target.display());
        let diagnostic = Diagnostic::error(&code::FILE_EXISTS, message).why("nothing was written");
        match (is_imported(target), self.force) {
            (true, true) => None,
            (true, false) => Some(diagnostic.help("give `--force` to write it anew, or another folder")),
            (false, _) => Some(diagnostic.help("`import` did not write it: move it away, or give another folder")),
        }
    }
}

/// Whether a file is one that `import` wrote: it still says so near its beginning.
fn is_imported(path: &Path) -> bool {
    let Ok(text) = fs::read_to_string(path) else { return false };
    text.lines().take(3).any(|line| line == MARK)
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let text = error.to_string();
    let why = text.split(" (os error").next().unwrap_or(&text);
    let message = format!("{} cannot be written: {why}", path.display());
    Diagnostic::error(&code::FILE_UNWRITABLE, message).into()
}

/// The policy files at those of the paths that exist, and those among them that an earlier import wrote
/// and that may be written anew.
///
/// # Errors
/// A folder that cannot be read.
pub fn policy_files(paths: &[PathBuf], folder: Option<&Folder>) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Failure> {
    let there: Vec<PathBuf> = paths.iter().filter(|path| path.exists()).cloned().collect();
    let mut sink = Vec::new();
    let found = files::find(&there, &mut sink);
    // That there is none is no error here.
    sink.retain(|diagnostic| diagnostic.code != &code::NO_POLICIES);
    if !sink.is_empty() {
        return Err(Failure(sink));
    }
    let folder = folder.filter(|folder| folder.force).and_then(|folder| fs::canonicalize(&folder.path).ok());
    let is_anew = |path: &Path| {
        let parent = fs::canonicalize(path).ok().and_then(|path| path.parent().map(Path::to_owned));
        folder.is_some() && parent == folder && is_imported(path)
    };
    let (anew, kept) = found.into_iter().partition(|path| is_anew(path));
    Ok((kept, anew))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> File {
        File { name: name.to_owned(), text: format!("{MARK}\nkind: table\n"), documents: vec![0] }
    }

    fn codes(failure: Failure) -> Vec<&'static str> {
        failure.0.iter().map(|diagnostic| diagnostic.code.name).collect()
    }

    #[test]
    fn nothing_is_written_where_anything_is_in_the_way() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("new/policies");
        let folder = |force| Folder::open(&path, force).ok().unwrap();
        let both = [file("a.yaml"), file("b.yaml")];
        assert_eq!(folder(false).write(&both).ok().unwrap().len(), 2);
        assert_eq!(codes(folder(false).write(&both).err().unwrap()), ["file-exists", "file-exists"]);
        assert_eq!(folder(true).write(&both).ok().unwrap().len(), 2);
        fs::write(path.join("b.yaml"), "kind: table\n").unwrap();
        fs::remove_file(path.join("a.yaml")).unwrap();
        assert_eq!(codes(folder(true).write(&both).err().unwrap()), ["file-exists"]);
        assert!(!path.join("a.yaml").exists(), "half of the files were written");
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
        let link = path.join("a.yaml");
        std::os::unix::fs::symlink(root.path().join("elsewhere"), &link).unwrap();
        assert_eq!(codes(folder(true).write(&[file("a.yaml")]).err().unwrap()), ["file-exists"]);
        assert!(Folder::open(&path.join("b.yaml"), false).is_err());
    }

    #[test]
    fn what_is_written_anew_is_not_there_yet() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("policies");
        Folder::open(&path, false).ok().unwrap().write(&[file("a.yaml")]).ok().unwrap();
        fs::write(path.join("own.yaml"), "kind: table\n").unwrap();
        let files = |force| {
            let folder = Folder::open(&path, force).ok().unwrap();
            let (kept, anew) = policy_files(&[path.clone(), root.path().join("none")], Some(&folder)).ok().unwrap();
            (kept.len(), anew.len())
        };
        assert_eq!((files(false), files(true)), ((2, 0), (1, 1)));
    }
}
