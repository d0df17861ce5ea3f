//! Putting a backup's files back, and telling the server how to recover.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::apply::Interrupt;
use crate::ops::backup::Trouble;
use crate::ops::backup::native::Native;
use crate::ops::backup::native::prove;
use crate::ops::backup::native::repository::Record;
use crate::ops::backup::programs::{self, Programs};
use crate::ops::backup::record::Backup;
use crate::ops::backup::restore::{Order, tablespaces};
use crate::ops::backup::state::Owner;

/// Fills an empty folder. `chain` is what it is made from, the full backup first.
///
/// # Errors
/// What kept it.
pub fn fill(
    native: &Native,
    chain: &[&Backup],
    order: &Order<'_>,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Trouble> {
    let records = chain.iter().map(|backup| native.repository.record(&backup.label)).collect::<Result<Vec<_>, _>>()?;
    let Some(record) = records.last() else { return Err(Trouble::NotWhole("there is no backup".to_owned())) };
    // A folder of root's says nothing of whose server it is: that has its repository.
    let owners = [order.to, order.to.parent().unwrap_or(order.to)].map(Owner::of);
    let told = owners.into_iter().find(|owner| !owner.is_root_for_want_of_another());
    let owner = told.unwrap_or(native.repository.owner());
    let programs = Programs::find(order.programs, record.server_version / 10_000, owner)?;
    let work = Work { native, order, owner, programs: &programs, interrupt };
    work.fill(&records, tell)?;
    work.recovery(record)
}

struct Work<'a> {
    native: &'a Native,
    order: &'a Order<'a>,
    owner: Owner,
    programs: &'a Programs,
    interrupt: &'a Interrupt,
}

impl Work<'_> {
    /// The server's files.
    fn fill(&self, chain: &[Record], tell: &mut dyn FnMut(&str)) -> Result<(), Trouble> {
        let to = self.order.to;
        match chain {
            [full] => self.unpack(full, to, tell)?,
            several => self.combine(several, tell)?,
        }
        fs::set_permissions(to, fs::Permissions::from_mode(0o700)).map_err(|error| Trouble::file(to, error))?;
        self.owner.give_all(to).map_err(|error| Trouble::file(to, error))?;
        tell("comparing the files with their manifest");
        let mut command = self.programs.command("pg_verifybackup");
        // WAL is in the repository, and is read when the server recovers.
        command.arg("--no-parse-wal").arg("--quiet");
        if tablespaces(to).exists() {
            // What is in them was compared as the backup was made; the links to them, the server makes.
            command.arg("--ignore=pg_tblspc").arg("--ignore=tablespace_map");
        }
        command.arg(to);
        programs::run(command, "pg_verifybackup", self.interrupt, &mut |_| {}).map(|_| ())
    }

    /// One backup's files.
    fn unpack(&self, record: &Record, to: &Path, tell: &mut dyn FnMut(&str)) -> Result<(), Trouble> {
        let folder = self.native.repository.backup(&record.label);
        for part in &record.parts {
            let path = folder.join(&part.name);
            let Some(tablespace) = part.name.strip_suffix(prove::TAR) else {
                fs::copy(&path, to.join(&part.name)).map_err(|error| Trouble::file(&path, error))?;
                continue;
            };
            let into = if tablespace == "base" { to.to_owned() } else { tablespaces(to).join(tablespace) };
            self.owner.folder(&into).map_err(|error| Trouble::file(&into, error))?;
            tell(&format!("unpacking {} of {}", part.name, record.label));
            self.unpack_archive(&path, &into)?;
            if tablespace != "base" {
                self.owner.give_all(&into).map_err(|error| Trouble::file(&into, error))?;
            }
        }
        self.map_tablespaces(record, to)
    }

    fn unpack_archive(&self, path: &Path, into: &Path) -> Result<(), Trouble> {
        let damaged = |error: io::Error| match error.raw_os_error() {
            Some(_) => Trouble::file(into, error),
            None => Trouble::NotWhole(format!("{}: {error}", path.display())),
        };
        let file = File::open(path).map_err(|error| Trouble::file(path, error))?;
        let mut archive = tar::Archive::new(zstd::Decoder::new(file).map_err(damaged)?);
        archive.set_preserve_permissions(true);
        archive.set_preserve_mtime(false);
        archive.set_overwrite(false);
        for entry in archive.entries().map_err(damaged)? {
            if self.interrupt.is_requested() {
                return Err(Trouble::Interrupted);
            }
            let mut entry = entry.map_err(damaged)?;
            // Links to tablespaces are the server's to make, by its tablespace map.
            if entry.header().entry_type().is_symlink() {
                continue;
            }
            entry.unpack_in(into).map_err(damaged)?;
        }
        Ok(())
    }

    /// Has the server look for its tablespaces where they now are: it makes the links itself, as it
    /// recovers (`read_tablespace_map` in `xlogrecovery.c`).
    fn map_tablespaces(&self, record: &Record, to: &Path) -> Result<(), Trouble> {
        let map = to.join("tablespace_map");
        let mut text = String::new();
        for part in &record.parts {
            if let Some(oid) = part.name.strip_suffix(prove::TAR).filter(|name| *name != "base") {
                let path = tablespaces(to).join(oid);
                let path = path.to_string_lossy().replace('\\', "\\\\").replace('\n', "\\\n");
                text.push_str(&format!("{oid} {path}\n"));
            }
        }
        if text.is_empty() {
            return Ok(());
        }
        // The manifest knows the old one, whose place is no longer where the files are.
        fs::write(&map, text).map_err(|error| Trouble::file(&map, error))
    }

    /// A full backup and what has changed since, put together by PostgreSQL's own program.
    fn combine(&self, chain: &[Record], tell: &mut dyn FnMut(&str)) -> Result<(), Trouble> {
        let to = self.order.to;
        let beside = tempfile_beside(to)?;
        let combined = (|| {
            self.owner.folder(&beside).map_err(|error| Trouble::file(&beside, error))?;
            let mut command = self.programs.command("pg_combinebackup");
            for record in chain {
                let folder = beside.join(&record.label);
                self.owner.folder(&folder).map_err(|error| Trouble::file(&folder, error))?;
                self.unpack(record, &folder, tell)?;
                command.arg(&folder);
            }
            self.owner.give_all(&beside).map_err(|error| Trouble::file(&beside, error))?;
            self.owner.give(to).map_err(|error| Trouble::file(to, error))?;
            command.arg("--output").arg(to).arg("--manifest-checksums=SHA256");
            tell("putting the full backup and the incremental ones together");
            programs::run(command, "pg_combinebackup", self.interrupt, &mut |_| {}).map(|_| ())
        })();
        fs::remove_dir_all(&beside).map_err(|error| Trouble::file(&beside, error))?;
        combined
    }

    /// Tells the server to recover, and how far.
    fn recovery(&self, record: &Record) -> Result<(), Trouble> {
        let to = self.order.to;
        let path = to.join("postgresql.auto.conf");
        let mut settings: Vec<(&str, String)> = self.order.settings(&record.backup());
        let (program, repository) = (self.order.program, self.native.path.display());
        settings.push(match record.has_wal {
            // All that it needs is with it; and where a server is to recover, it wants to be told how to get more.
            true => ("restore_command", "false".to_owned()),
            false => ("restore_command", format!("'{program}' backup fetch-wal --from '{repository}' %f '%p'")),
        });
        if !self.order.archives {
            // A copy that somebody only looks at has the live server's own archive command, and would
            // begin a timeline of its own among the live server's WAL.
            settings.push(("archive_mode", "off".to_owned()));
        }
        // What an earlier recovery was told is in each backup since, and would rule this one.
        let before = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Trouble::file(&path, error)),
        };
        let mut text: String = before
            .lines()
            .filter(|line| !is_of_recovery(line, self.order.archives))
            .map(|line| format!("{line}\n"))
            .collect();
        text.push_str(&format!("# Restored by Chronoform from {}:\n", record.label));
        for (name, value) in settings {
            text.push_str(&format!("{name} = '{}'\n", value.replace('\'', "''")));
        }
        let append = || {
            let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            File::create(to.join("recovery.signal"))?.sync_all()?;
            self.owner.give_all(&path)?;
            self.owner.give_all(&to.join("recovery.signal"))
        };
        append().map_err(|error| Trouble::file(&path, error))
    }
}

/// Whether a line of a configuration file says how a server recovers or, where it must not, that it
/// archives.
fn is_of_recovery(line: &str, archives: bool) -> bool {
    let name: String =
        line.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let name = name.to_ascii_lowercase();
    let others = ["restore_command", "recovery_end_command", "archive_cleanup_command"];
    name.starts_with("recovery_target") || others.contains(&name.as_str()) || (!archives && name == "archive_mode")
}

fn tempfile_beside(to: &Path) -> Result<PathBuf, Trouble> {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".parts");
    let path = to.with_file_name(name);
    if path.exists() {
        let message = format!("{} is in the way", path.display());
        let help = "it is left of a restore that ended before it was done: look at it, and remove it";
        return Err(Trouble::Refused { message, help: help.to_owned() });
    }
    Ok(path)
}
