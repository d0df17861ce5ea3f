//! Tests of continuous aggregates.
