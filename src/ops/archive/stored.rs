//! How a column is stored: PostgreSQL's type on one side, Parquet's on the other.

use serde::{Deserialize, Serialize};

/// A type whose binary form on the wire and whose Parquet form say exactly the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Native {
    /// `boolean`.
    Bool,
    /// `"char"`: one byte, which need not be a character.
    Char,
    /// `smallint`.
    Int2,
    /// `integer`.
    Int4,
    /// `bigint`.
    Int8,
    /// `money`, in the currency's smallest unit: the number does not depend on `lc_monetary`.
    Money,
    /// `oid`, `xid`, `cid` and the `reg…` types: the number, which no renaming changes.
    Oid,
    /// `xid8`.
    Xid8,
    /// `real`, bit by bit.
    Float4,
    /// `double precision`, bit by bit.
    Float8,
    /// `text`, `varchar`, `bpchar` (with its blanks), `name`, `json` and enums: the wire's bytes are
    /// the text.
    Text,
    /// `jsonb`: the wire's bytes are a version (1) and the text.
    Jsonb,
    /// `bytea`.
    Bytea,
    /// `uuid`.
    Uuid,
    /// `date`.
    Date,
    /// `time without time zone`.
    Time,
    /// `timestamp without time zone`.
    Timestamp,
    /// `timestamp with time zone`, in UTC.
    Timestamptz,
    /// `numeric(precision, scale)` that Parquet's DECIMAL can hold.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point, 0 to `precision`.
        scale: u8,
    },
    /// `interval`: months, days and microseconds, which Parquet's own INTERVAL would cut to
    /// milliseconds.
    Interval,
}

/// How a column is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stored {
    /// One value a row.
    Native(Native),
    /// A one-dimensional array whose first index is 1.
    List {
        /// What its elements are; never [`Native::Interval`].
        element: Native,
        /// The OID of the elements' type, which the wire repeats in each value.
        oid: u32,
    },
    /// The type's own text form, which its input function reads back.
    AsText,
}

/// What a Parquet leaf column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Physical {
    /// BOOLEAN.
    Bool,
    /// INT32.
    I32,
    /// INT64.
    I64,
    /// FLOAT, by its bits.
    F32,
    /// DOUBLE, by its bits.
    F64,
    /// FIXED_LEN_BYTE_ARRAY(16).
    Fixed16,
    /// BYTE_ARRAY.
    Bytes,
}

impl Native {
    /// The Parquet leaves of one value: one, or an interval's three.
    pub const fn leaves(self) -> &'static [Physical] {
        match self {
            Self::Bool => &[Physical::Bool],
            Self::Char | Self::Int2 | Self::Int4 | Self::Oid | Self::Date => &[Physical::I32],
            Self::Int8 | Self::Money | Self::Xid8 | Self::Time | Self::Timestamp | Self::Timestamptz => {
                &[Physical::I64]
            }
            Self::Float4 => &[Physical::F32],
            Self::Float8 => &[Physical::F64],
            Self::Text | Self::Jsonb | Self::Bytea => &[Physical::Bytes],
            Self::Uuid => &[Physical::Fixed16],
            Self::Decimal { precision, .. } => match precision {
                0..=9 => &[Physical::I32],
                10..=18 => &[Physical::I64],
                _ => &[Physical::Fixed16],
            },
            Self::Interval => &[Physical::I32, Physical::I32, Physical::I64],
        }
    }

    /// Whether the leaf must be UTF-8.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Jsonb)
    }

    /// Whether smaller and greater are as unsigned numbers.
    pub const fn is_unsigned(self) -> bool {
        matches!(self, Self::Char | Self::Oid | Self::Xid8)
    }
}

impl Stored {
    /// What one value, or one element, is.
    pub const fn native(self) -> Native {
        match self {
            Self::Native(native) | Self::List { element: native, .. } => native,
            Self::AsText => Native::Text,
        }
    }

    /// The element type's OID, of a list.
    pub const fn element_oid(self) -> Option<u32> {
        match self {
            Self::List { oid, .. } => Some(oid),
            Self::Native(_) | Self::AsText => None,
        }
    }

    /// The highest definition level: 1 for what may be null, 3 for a list (null, empty, null element,
    /// element).
    pub const fn max_definition(self) -> u8 {
        if self.element_oid().is_some() { 3 } else { 1 }
    }

    /// The highest repetition level.
    pub const fn max_repetition(self) -> u8 {
        if self.element_oid().is_some() { 1 } else { 0 }
    }
}

/// Microseconds from 1970 to PostgreSQL's own beginning, 2000-01-01.
pub const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Days from 1970 to PostgreSQL's own beginning.
pub const EPOCH_DAYS: i32 = 10_957;
