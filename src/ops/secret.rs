//! Secrets that policies name: in the environment of whoever runs this, or the first line of a file.

use std::fs;

use crate::kinds::repository::{FILE, variable};

/// The value behind a reference, where it is at hand and can be written on one line.
pub fn value(reference: &str) -> Option<String> {
    let found = match reference.strip_prefix(FILE) {
        Some(path) => fs::read_to_string(path).ok()?.lines().next()?.trim_end().to_owned(),
        None => std::env::var(variable(reference)?).ok()?,
    };
    let fits = !found.is_empty() && found.trim() == found && !found.chars().any(char::is_control);
    fits.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_file_is_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let reference = format!("{FILE}{}", path.display());
        assert_eq!(value(&reference), None);
        fs::write(&path, "hunter2\nand what somebody noted\n").unwrap();
        assert_eq!(value(&reference).as_deref(), Some("hunter2"));
        fs::write(&path, "\n").unwrap();
        assert_eq!(value(&reference), None);
        assert_eq!(value("${env.CHRONOFORM_NOBODY_SETS_THIS}"), None);
        assert_eq!(value("hunter2"), None);
    }
}
