//! Where a report goes: to standard output, to files, and beside the lines of a pull request.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::out;
use crate::diag::{Diagnostic, Failure, code};
use crate::report::findings::{self, Collected, Finding};
use crate::report::{self, Options};

/// A file that a report is written to: `FILE`, in the format of the command line, or `FORMAT=FILE`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    format: Option<Format>,
    path: PathBuf,
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(word, path)| Some((Format::read(word)?, path)));
        let (format, path) = parts.map_or((None, text), |(format, path)| (Some(format), path));
        if path.is_empty() {
            return Err("no file is named".to_owned());
        }
        Ok(Self { format, path: PathBuf::from(path) })
    }
}

/// Prints a report and writes it to files, each in its format. Where a file takes the format of the
/// command line, standard output gets the text.
///
/// # Errors
/// When a file cannot be written.
pub fn publish(
    destinations: &[Destination],
    context: &Context,
    render: impl Fn(Format, &Options) -> String,
) -> Result<(), Failure> {
    let asked = context.global.format;
    let printed = if destinations.iter().any(|to| to.format.is_none()) { Format::Text } else { asked };
    out::print(&render(printed, &context.report_options_for(printed)));
    for to in destinations {
        let format = to.format.unwrap_or(asked);
        let options = Options { color: false, ascii: false, width: 100, ..context.report_options_for(format) };
        place(&render(format, &options), &to.path, Readers::Usual).map_err(|error| {
            let message = format!("the report cannot be written to {}: {error}", to.path.display());
            Failure::from(Diagnostic::error(&code::FILE_UNREADABLE, message))
        })?;
    }
    Ok(())
}

/// A document of findings where the format is one of those, or else a view.
pub fn in_format(
    format: Format,
    options: &Options,
    about: &str,
    findings: impl FnOnce() -> Vec<Finding>,
    view: impl FnOnce(&Options) -> String,
) -> String {
    match format {
        Format::Sarif => findings::document(&findings(), about, Collected::Sarif),
        Format::Junit => findings::document(&findings(), about, Collected::Junit),
        Format::Text | Format::Json | Format::Markdown | Format::Html => view(options),
    }
}

/// Sets findings beside their lines in a pull request, where GitHub Actions runs this.
pub fn annotate(findings: &[Finding]) {
    if is_github() {
        out::eprint(&report::findings::annotations(findings));
    }
}

/// Whether GitHub Actions reads what is printed.
pub fn is_github() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Who may read a file that is new.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    /// Whoever the system's settings let.
    Usual,
    /// Its owner alone, also where it was there before and others could.
    Owner,
}

/// Writes a file. A regular one is written beside its place and moved there, so that no half of one
/// is ever found; through a link to where it leads, and with the mode that it had. Anything else (a
/// pipe, a terminal) is written to as it is.
pub fn place(text: &str, path: &Path, readers: Readers) -> io::Result<()> {
    let there = std::fs::metadata(path).ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes());
    }
    let real = if there.is_some() { std::fs::canonicalize(path)? } else { path.to_owned() };
    let mut aside = real.as_os_str().to_owned();
    aside.push(format!(".{}.new", std::process::id()));
    let kept = there.filter(|_| readers == Readers::Usual).map(|there| there.permissions());
    let written = fresh(&aside, readers)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| kept.map_or(Ok(()), |kept| std::fs::set_permissions(&aside, kept)))
        .and_then(|()| std::fs::rename(&aside, &real));
    written.inspect_err(|_| {
        let _ = std::fs::remove_file(&aside);
    })
}

/// A file that was not there before: nothing is written through what somebody else put in its place.
fn fresh(path: &OsStr, readers: Readers) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_may_name_its_format() {
        let read = |text: &str| text.parse::<Destination>();
        assert_eq!(read("a.xml"), Ok(Destination { format: None, path: "a.xml".into() }));
        assert_eq!(read("junit=a.xml"), Ok(Destination { format: Some(Format::Junit), path: "a.xml".into() }));
        assert_eq!(read("x=y.xml"), Ok(Destination { format: None, path: "x=y.xml".into() }));
        assert!(read("sarif=").is_err() && read("").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_report_goes_where_a_link_leads_and_leaves_devices_alone() {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::fs::write(&target, "old").unwrap();
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&target, &link).unwrap();
        place("new", &link, Readers::Usual).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
        place("newer", &link, Readers::Owner).unwrap();
        assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
        place("x", Path::new("/dev/null"), Readers::Owner).unwrap();
        assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
