//! libpq's own files: the password file and the service files.
//!
//! Their formats are those of PostgreSQL's manual ("The Password File", "The Connection Service
//! File"), the same since version 9.

use std::collections::BTreeMap;
use std::path::Path;

/// Why a password file is not used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PasswordFileError {
    /// Others than its owner may read it; libpq ignores it then, and so does this.
    OpenToOthers,
}

/// The password for a connection in a password file; `None` where the file is absent or has no line
/// that matches. A line is `host:port:database:user:password`; `*` matches anything, and `\` takes
/// the meaning from `:` and `\`.
///
/// # Errors
/// When the file's permissions let others read it.
pub fn password(
    file: &Path,
    host: &str,
    port: u16,
    database: &str,
    user: &str,
) -> Result<Option<String>, PasswordFileError> {
    let Ok(metadata) = std::fs::metadata(file) else { return Ok(None) };
    if !metadata.is_file() {
        return Ok(None);
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
        return Err(PasswordFileError::OpenToOthers);
    }
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let wanted = [host.to_owned(), port.to_string(), database.to_owned(), user.to_owned()];
    Ok(text.lines().find_map(|line| matching(line, &wanted)))
}

fn matching(line: &str, wanted: &[String; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = fields(line).into_iter();
    for value in wanted {
        let field = fields.next()?;
        if field.raw != "*" && field.text != *value {
            return None;
        }
    }
    fields.next().map(|password| password.text)
}

#[derive(Default)]
struct Field {
    /// As written, so that an escaped `*` is no wildcard.
    raw: String,
    text: String,
}

fn fields(line: &str) -> Vec<Field> {
    let mut fields = vec![Field::default()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == ':' && fields.len() < 5 {
            fields.push(Field::default());
            continue;
        }
        let Some(field) = fields.last_mut() else { return fields };
        field.raw.push(c);
        match c {
            '\\' => match chars.next() {
                Some(escaped) => {
                    field.raw.push(escaped);
                    field.text.push(escaped);
                }
                None => field.text.push('\\'),
            },
            plain => field.text.push(plain),
        }
    }
    fields
}

/// The settings of a service in a service file: `[name]`, then `key=value` lines. `None` where the
/// file is absent or has no such section.
pub fn service(file: &Path, name: &str) -> Option<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(file).ok()?;
    let mut found: Option<BTreeMap<String, String>> = None;
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            if found.is_some() {
                break;
            }
            if section == name {
                found = Some(BTreeMap::new());
            }
        } else if let (Some(settings), Some((key, value))) = (&mut found, line.split_once('='))
            && !line.starts_with('#')
        {
            settings.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn file(text: &str, mode: u32) -> tempfile::NamedTempFile {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    #[test]
    fn the_first_line_that_matches_gives_the_password() {
        let file =
            file("# comment\nh:1:d:u:one\n*:*:*:u:a\\:b\\\\c:d\nlocalhost:5432:*:v:socket\n\\*:1:d:w:no\n", 0o600);
        let of = |host: &str, port, user: &str| password(file.path(), host, port, "d", user).unwrap();
        assert_eq!(of("h", 1, "u").as_deref(), Some("one"));
        assert_eq!(of("x", 9, "u").as_deref(), Some("a:b\\c:d"));
        assert_eq!(of("localhost", 5432, "v").as_deref(), Some("socket"));
        assert_eq!(of("x", 1, "w"), None);
        assert_eq!(password(Path::new("/nowhere/at/all"), "h", 1, "d", "u"), Ok(None));
    }

    #[test]
    fn a_file_that_others_may_read_is_not_used() {
        let file = file("*:*:*:*:p\n", 0o644);
        assert_eq!(password(file.path(), "h", 1, "d", "u"), Err(PasswordFileError::OpenToOthers));
    }

    #[test]
    fn a_service_is_one_section() {
        let file = file("[a]\nhost=h\n# port=9\nport = 6\n\n[b]\nhost=x\n", 0o600);
        let a = service(file.path(), "a").unwrap();
        assert_eq!(a.get("host").map(String::as_str), Some("h"));
        assert_eq!(a.get("port").map(String::as_str), Some("6"));
        assert_eq!(a.len(), 2);
        assert_eq!(service(file.path(), "c"), None);
    }
}
