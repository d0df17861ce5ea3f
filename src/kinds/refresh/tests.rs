//! Tests of refresh policies.
