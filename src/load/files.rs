//! Finding policy files and reading them, without ever waiting on what is no file.

use std::collections::BTreeSet;
use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Code, Diagnostic, Failure, Sources, code};
use crate::load::text::Text;

/// The largest policy file, in bytes. A thousand tables fit in half of it.
pub const MAX_FILE_BYTES: u64 = 1 << 20;

/// How deep folders may nest below one that was named.
const MAX_FOLDER_DEPTH: usize = 32;

/// Every policy file that the paths name, each once: files as they are named, and below folders
/// every `*.yaml` and `*.yml`, sorted by path.
pub fn find(paths: &[PathBuf], sink: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    gathered(paths, true, sink)
}

/// The policy files below paths; a folder without one is said only where one must be there.
fn gathered(paths: &[PathBuf], says_empty: bool, sink: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let mut found = Found::default();
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                let before = found.files.len();
                let errors = sink.len();
                found.folder(path, real(path), 0, sink);
                let is_empty = found.files.len() == before && !found.seen_below(path);
                if says_empty && is_empty && sink.len() == errors {
                    sink.push(empty_folder(path));
                }
            }
            Ok(_) => found.file(path.clone(), real(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => sink.push(missing(path)),
            Err(error) => sink.push(unreadable(path, &error)),
        }
    }
    found.files
}

/// The policy files below the project's paths that are none of those chosen. There may be none.
pub fn others(project: &[PathBuf], chosen: &[PathBuf], sink: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    if project.is_empty() {
        return Vec::new();
    }
    let chosen: BTreeSet<PathBuf> = chosen.iter().map(|path| real(path)).collect();
    let found = gathered(project, false, sink);
    found.into_iter().filter(|path| !chosen.contains(&real(path))).collect()
}

/// A path without links in it; of what is not there, the path as it is.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[derive(Default)]
struct Found {
    files: Vec<PathBuf>,
    /// Files and folders by their real path, so that a symlink or a second mention adds nothing.
    seen: BTreeSet<PathBuf>,
}

impl Found {
    fn file(&mut self, path: PathBuf, real: PathBuf) {
        if self.seen.insert(real) {
            self.files.push(path);
        }
    }

    fn folder(&mut self, path: &Path, real_path: PathBuf, depth: usize, sink: &mut Vec<Diagnostic>) {
        if depth > MAX_FOLDER_DEPTH || !self.seen.insert(real_path.clone()) {
            return;
        }
        let entries = match fs::read_dir(path).and_then(|entries| entries.collect::<Result<Vec<_>, _>>()) {
            Ok(entries) => entries,
            Err(error) => return sink.push(unreadable(path, &error)),
        };
        let mut below: Vec<(PathBuf, Option<FileType>)> =
            entries.into_iter().map(|entry| (entry.path(), entry.file_type().ok())).collect();
        below.retain(|(path, _)| !is_hidden(path));
        below.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, is) in below {
            // Where there is no link, what is below a real path is one: nothing needs to be asked.
            let (is_folder, own) = match (is, path.file_name()) {
                (Some(is), Some(name)) if !is.is_symlink() => (is.is_dir(), real_path.join(name)),
                _ => (fs::metadata(&path).is_ok_and(|metadata| metadata.is_dir()), real(&path)),
            };
            // A dangling symlink called `*.yaml` is kept: reading it then says what is wrong.
            if is_folder {
                self.folder(&path, own, depth + 1, sink);
            } else if is_yaml(&path) {
                self.file(path, own);
            }
        }
    }

    /// Whether another path given has brought files from this folder already.
    fn seen_below(&self, folder: &Path) -> bool {
        let real = real(folder);
        self.seen.iter().any(|path| *path != real && path.starts_with(&real) && is_yaml(path))
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn empty_folder(path: &Path) -> Diagnostic {
    let path = path.display();
    Diagnostic::error(&code::NO_POLICIES, format!("there is no policy file in `{path}`"))
        .why("with no policies, everything that was ever applied would look orphaned")
        .help(format!("put a `*.yaml` file into `{path}`, or name another file or folder"))
}

fn missing(path: &Path) -> Diagnostic {
    Diagnostic::error(&code::NO_POLICIES, format!("`{}` does not exist", path.display()))
        .help("name the file or folder that holds the policies")
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error(&code::FILE_UNREADABLE, format!("`{}` cannot be read: {}", path.display(), reason(error)))
}

/// The system's words without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist (any more)".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_owned()
        }
    }
}

/// A file that was read.
pub struct ReadFile {
    /// Its text, without a byte order mark.
    pub text: Text,
    /// Its bytes as they are.
    pub bytes: Vec<u8>,
}

/// Reads one file and keeps its text for snippets.
///
/// # Errors
/// When it is no regular file, cannot be read, is larger than [`MAX_FILE_BYTES`] or is not UTF-8.
pub fn read(path: &Path, sources: &mut Sources) -> Result<ReadFile, Failure> {
    let bytes = read_bytes(path)?;
    let name: Arc<str> = path.display().to_string().into();
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(&name, &bytes, error, sources).into()),
    };
    let text: Arc<str> = text.strip_prefix('\u{feff}').unwrap_or(text).into();
    sources.add(Arc::clone(&name), Arc::clone(&text));
    Ok(ReadFile { text: Text::new(name, text), bytes })
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let metadata = fs::metadata(path).map_err(|error| Failure::from(unreadable(path, &error)))?;
    // Asked before opening: opening a FIFO waits for a writer that may never come.
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a folder" } else { "no regular file" };
        let message = format!("`{}` cannot be read: it is {what}", path.display());
        let diagnostic = Diagnostic::error(&code::FILE_UNREADABLE, message);
        return Err(diagnostic.help("a policy is read from a regular file").into());
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_large(path, Some(metadata.len())).into());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| Failure::from(unreadable(path, &error)))?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| Failure::from(unreadable(path, &error)))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large(path, None).into());
    }
    Ok(bytes)
}

fn too_large(path: &Path, size: Option<u64>) -> Diagnostic {
    let limit = crate::core::Bytes(MAX_FILE_BYTES);
    let message = match size {
        Some(size) => {
            format!("`{}` is {} large, and a policy file may be {limit}", path.display(), crate::core::Bytes(size))
        }
        None => format!("`{}` is larger than {limit}", path.display()),
    };
    Diagnostic::error(&code::FILE_TOO_LARGE, message)
        .why("a file of that size is hardly a policy, and a hostile one could exhaust memory")
        .help("split it into several files, or take it out of the policy folder")
}

fn not_utf8(name: &Arc<str>, bytes: &[u8], error: std::str::Utf8Error, sources: &mut Sources) -> Diagnostic {
    let code: &'static Code = &code::FILE_NOT_UTF8;
    let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
    let bad = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
    // What is shown is the readable beginning: offsets in it are those of the file.
    let shown: Arc<str> = String::from_utf8_lossy(valid).into();
    let text = Text::new(Arc::clone(name), Arc::clone(&shown));
    sources.add(Arc::clone(name), shown);
    let diagnostic = Diagnostic::error(code, format!("`{name}` is not UTF-8"))
        .at(&text.place(valid.len(), valid.len()))
        .label(format!("the byte 0x{bad:02X} after this is no UTF-8"));
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return diagnostic.help("it looks like UTF-16: save it as UTF-8");
    }
    diagnostic.help("save it as UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(paths: &[PathBuf], root: &Path) -> Vec<String> {
        paths.iter().map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    #[test]
    fn folders_are_searched_in_order_without_hidden_files_or_loops() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("b/.git")).unwrap();
        for name in ["z.yaml", "a.yml", "b/c.yaml", "b/.git/x.yaml", ".hidden.yaml", "readme.md"] {
            fs::write(root.join(name), "kind: table\n").unwrap();
        }
        symlink(root, root.join("b/loop")).unwrap();
        symlink(root.join("z.yaml"), root.join("b/again.yaml")).unwrap();
        let mut sink = Vec::new();
        let found = find(&[root.to_owned()], &mut sink);
        assert_eq!(names(&found, root), ["a.yml", "b/again.yaml", "b/c.yaml"]);
        assert_eq!(sink, []);
        // A file named beside its folder is read once, whatever it is called.
        let both = find(&[root.join("readme.md"), root.join("a.yml"), root.to_owned(), root.to_owned()], &mut sink);
        assert_eq!(names(&both, root), ["readme.md", "a.yml", "b/again.yaml", "b/c.yaml"]);
        assert_eq!(sink, []);
    }

    #[test]
    fn nothing_found_is_an_error_each() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("readme.md"), "").unwrap();
        let mut sink = Vec::new();
        assert!(find(&[dir.path().to_owned(), dir.path().join("none")], &mut sink).is_empty());
        let codes: Vec<_> = sink.iter().map(|d| d.code.name).collect();
        assert_eq!(codes, ["no-policies", "no-policies"]);
    }

    #[test]
    fn what_is_no_file_is_refused_and_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo.yaml");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        symlink(dir.path().join("gone"), dir.path().join("dangling.yaml")).unwrap();
        let mut sink = Vec::new();
        let mut sources = Sources::default();
        let found = find(&[dir.path().to_owned()], &mut sink);
        assert_eq!(found.len(), 2);
        for path in found.iter().chain([&dir.path().to_owned()]) {
            let error = read(path, &mut sources).err().unwrap().0.remove(0);
            assert_eq!(error.code.name, "file-unreadable", "{}", error.message);
        }
    }

    #[test]
    fn a_huge_file_is_refused_without_reading_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("huge.yaml");
        File::create(&path).unwrap().set_len(50_000_000_000).unwrap();
        let started = std::time::Instant::now();
        let error = read(&path, &mut Sources::default()).err().unwrap().0.remove(0);
        assert_eq!(error.code.name, "file-too-large");
        assert!(started.elapsed() < std::time::Duration::from_millis(500));
    }

    #[test]
    fn a_file_that_is_not_utf8_says_where() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("latin1.yaml");
        fs::write(&path, b"kind: table\nname: k\xe4se\n").unwrap();
        let error = read(&path, &mut Sources::default()).err().unwrap().0.remove(0);
        assert_eq!(error.code.name, "file-not-utf8");
        let place = error.place.unwrap();
        assert_eq!((place.line, place.column), (2, 8));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bom.yaml");
        fs::write(&path, "\u{feff}kind: table\n").unwrap();
        let file = read(&path, &mut Sources::default()).ok().unwrap();
        assert_eq!(file.text.as_str(), "kind: table\n");
        assert_eq!(file.bytes.len(), 15);
    }
}
