//! Where in a policy file something is said.

use std::sync::Arc;

/// A stretch of a policy file.
///
/// A value that a class gave to a document stands where the class has it, and knows the document.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The file's path as the user gave it.
    pub file: Arc<str>,
    /// The line of its first character, from 1.
    pub line: u32,
    /// The column of its first character, from 1, in characters.
    pub column: u32,
    /// The first byte's offset in the file.
    pub start: usize,
    /// The offset after the last byte.
    pub end: usize,
    /// How it came to what it is said of, where that is not by standing in its document.
    pub via: Option<Arc<Via>>,
}

/// The way of a value from a class into a document.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Via {
    /// The class's name.
    pub class: Arc<str>,
    /// The document that was given the value, at its name.
    pub document: Place,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
