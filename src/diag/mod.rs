//! Everything Chronoform has to say about a policy, a server or itself: a code, a place, what is
//! wrong, why it matters and what to do.

pub mod code;
pub mod render;
pub mod source;

use crate::core::{Address, Place};

pub use code::{Code, Exit};
pub use source::{Places, Sources};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not what was meant.
    Warning,
    /// Nothing can be done until it is mended.
    Error,
}

impl Severity {
    /// The word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing to say.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// Which kind of thing; unique, and stable between versions.
    pub code: &'static Code,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Where in a policy.
    pub place: Option<Place>,
    /// Which resource it is about, where it is about one.
    pub about: Option<Box<Address>>,
    /// A word at the place itself, under the snippet.
    pub label: Option<String>,
    /// Other places that belong to it, each with a word.
    pub related: Vec<(Place, String)>,
    /// Why it matters.
    pub why: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// A warning.
    pub fn warning(code: &'static Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    /// A note.
    pub fn note(code: &'static Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message)
    }

    fn new(code: &'static Code, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            place: None,
            about: None,
            label: None,
            related: Vec::new(),
            why: None,
            help: None,
        }
    }

    /// Where it is. Of what a class gave to a document, the document is named too.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        if let Some(via) = &place.via {
            self.related.push((via.document.clone(), format!("given to this by the class `{}`", via.class)));
        }
        self.place = Some(place.clone());
        self
    }

    /// Which resource it is about, unless that has been said.
    #[must_use]
    pub fn about(mut self, address: &Address) -> Self {
        self.about.get_or_insert_with(|| Box::new(address.clone()));
        self
    }

    /// A word under the snippet.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Another place that belongs to it.
    #[must_use]
    pub fn and_at(mut self, place: &Place, word: impl Into<String>) -> Self {
        self.related.push((place.clone(), word.into()));
        self
    }

    /// Why it matters.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// What to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether nothing can be done until it is mended.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Whether any of them is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

/// What ends a command early: one or more diagnostics.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure(pub Vec<Diagnostic>);

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl Failure {
    /// The exit code that the worst of them asks for.
    pub fn exit(&self) -> Exit {
        self.0.iter().filter(|d| d.is_error()).map(|d| d.code.exit).max().unwrap_or(Exit::Error)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> =
            self.0.iter().map(|d| format!("{}[{}]: {}", d.severity.as_str(), d.code.name, d.message)).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Failure {}
