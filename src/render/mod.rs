//! SQL from templates, with quoting that a template cannot get wrong.
//!
//! A plain `{{ x }}` can only come out as a literal of the value's type. An identifier needs
//! `|ident`, an author's expression `|expr`, a key column `|key`, and each of them takes only a
//! value of its own type. There is no way to print a text as it is, and an undefined name is an
//! error.

mod quoting;

use std::collections::BTreeMap;
use std::fmt;

use minijinja::{Environment, UndefinedBehavior};

use crate::core::Value;

static TEMPLATES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// Whether a template is a part of others, which include it, and no statement of its own.
fn is_part(name: &str) -> bool {
    name.rsplit('/').next().is_some_and(|file| file.starts_with('_'))
}

/// What a template reads: names to values.
pub type Context = BTreeMap<String, Value>;

/// A template could not be rendered: a defect of the template or of its caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RenderError {
    /// The template's path.
    pub template: String,
    /// What went wrong.
    pub message: String,
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template {}: {}", self.template, self.message)
    }
}

impl std::error::Error for RenderError {}

/// Every template, compiled when it is first used.
pub struct Renderer {
    environment: Environment<'static>,
}

impl Default for Renderer {
    fn default() -> Self {
        Self::new()
    }
}

impl Renderer {
    /// A renderer without any template compiled yet.
    pub fn new() -> Self {
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(quoting::format);
        for (name, filter) in quoting::FILTERS {
            environment.add_filter(*name, *filter);
        }
        environment.add_test("defined", minijinja::tests::is_defined);
        environment.add_test("none", minijinja::tests::is_none);
        for (name, source) in TEMPLATES.iter().filter(|(name, _)| is_part(name)) {
            // One that does not compile is missed by those that include it, which then say so.
            let _ = environment.add_template(name, source);
        }
        Self { environment }
    }

    /// The names of all templates.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TEMPLATES.iter().map(|(name, _)| *name)
    }

    /// The statement that a template makes of a context; `None` where it makes none.
    ///
    /// # Errors
    /// When there is no such template, it does not compile, or it reads what the context lacks.
    pub fn render(&mut self, template: &str, context: &Context) -> Result<Option<String>, RenderError> {
        let wrong = |message: String| RenderError { template: template.to_owned(), message };
        if self.environment.get_template(template).is_err() {
            let found = TEMPLATES.iter().find(|(name, _)| *name == template);
            let (name, source) = found.ok_or_else(|| wrong("there is no such template".to_owned()))?;
            self.environment.add_template(name, source).map_err(|error| wrong(describe(&error)))?;
        }
        let compiled = self.environment.get_template(template).map_err(|error| wrong(describe(&error)))?;
        let text = compiled.render(template_values(context)).map_err(|error| wrong(describe(&error)))?;
        Ok(tidy(&text))
    }

    #[cfg(test)]
    fn render_text(&self, source: &str, context: &Context) -> Result<String, minijinja::Error> {
        self.environment.render_str(source, template_values(context)).map(|text| quoting::restore(&text))
    }
}

fn template_values(context: &Context) -> BTreeMap<&str, minijinja::Value> {
    context.iter().map(|(name, value)| (name.as_str(), quoting::to_template(value))).collect()
}

/// Drops the blank lines and trailing blanks that a template's own blocks leave behind. What stands
/// within a value is no end of a line: see [`quoting::format`].
fn tidy(text: &str) -> Option<String> {
    let lines = text.trim().split('\n').map(str::trim_end).filter(|line| !line.is_empty());
    let tidied = lines.collect::<Vec<_>>().join("\n");
    (!tidied.is_empty()).then(|| quoting::restore(&tidied))
}

fn describe(error: &minijinja::Error) -> String {
    match error.line() {
        Some(line) => format!("line {line}: {error}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
