//! Chronoform: policy-as-code for TimescaleDB and PostgreSQL.
//!
//! # The pipeline
//!
//! ```text
//! policies/*.yaml ─► load ─► desired ┐
//!                                    ├─► settle ─► diff ─► plan ─► approve ─► apply ─► ledger
//! live database ──► snapshot ─► live ┘                                       (then verify)
//! ```
//!
//! Everything is a resource with an address and attributes, and everything is a difference between
//! what is desired and what is observed. `cli/pipeline.rs` reads top to bottom in that order, and
//! `cli/apply.rs` goes on from there: lock, gate, run, verify.
//!
//! # The rooms, and what each may import
//!
//! | room | its job | imports |
//! |---|---|---|
//! | `core` | addresses, values, resources, deltas, actions | nothing |
//! | `diag` | what is said: codes, places, snippets | core |
//! | `pg` | sessions; the only user of the driver | core, diag |
//! | `bucket` | objects in S3; the only room that speaks HTTP | nothing |
//! | `render` | templates and their quoting | core, diag |
//! | `kinds` | the registry, and one folder a kind | core, diag |
//! | `guard` | assertions over policies, database and plan | core, diag, kinds |
//! | `load` | YAML to validated desired resources | core, diag, guard, kinds |
//! | `import` | live resources to policies, proved by reading them | core, diag, diff, kinds, load |
//! | `snapshot` | the live side, in one transaction | core, diag, diff, kinds, pg, render |
//! | `diff` | three sides compared; names no kind | core |
//! | `plan` | deltas to ordered actions; the artifact | core, diag, diff, guard, kinds, render |
//! | `ledger` | the record, in SQLite | core, diag |
//! | `apply` | lock, gate, run, verify; tells events | core, diag, diff, guard, kinds, pg, plan, render, snapshot |
//! | `ops` | operations: what `run` may do, one folder each, and what they know of the world beside the database | apply, bucket, core, diag, kinds, ledger, pg, plan, render, snapshot |
//! | `report` | text, JSON, Markdown and HTML views | core, diag, diff, plan |
//! | `cli` | one file a command; the only room that prints | apply, core, diag, diff, guard, import, kinds, ledger, load, ops, pg, plan, render, report, snapshot |
//!
//! `tests/architecture.rs` holds the code to this table.
//!
//! # What always holds
//!
//! - `plan`, `drift` and `validate` send nothing that changes the database: they read in one READ
//!   ONLY transaction.
//! - The bytes that were approved are the bytes that are applied: SQL is rendered when the plan is
//!   made, and the gate refuses a plan whose statements would be different now.
//! - A step is on durable record before it is sent.
//! - No text reaches SQL but through a literal, an identifier or a checked expression.
//! - An unknown lock, version or catalog value is the worst case.

pub mod apply;
pub mod bucket;
pub mod cli;
pub mod core;
pub mod diag;
pub mod diff;
pub mod guard;
pub mod import;
pub mod kinds;
pub mod ledger;
pub mod load;
pub mod ops;
pub mod pg;
pub mod plan;
pub mod render;
pub mod report;
pub mod snapshot;
