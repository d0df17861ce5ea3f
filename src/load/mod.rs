//! Policies from files to validated desired resources: YAML, variables, schemas, sections.

pub mod files;
mod nearest;
pub mod redact;
mod substitute;
mod text;
mod tree;
pub mod variables;
mod yaml;
