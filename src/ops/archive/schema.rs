//! The Parquet schema of an archive's columns.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::schema::types::{Type, TypePtr};

use super::columns::Column;
use super::error::Result;
use super::stored::{Native, Physical, Stored};

/// The schema: a group of all columns, each of which may be null.
///
/// # Errors
/// Never, for columns that were decided on.
pub fn schema(columns: &[Column]) -> Result<TypePtr> {
    let fields: Result<Vec<TypePtr>> = columns.iter().map(|column| field(&column.name, column.stored)).collect();
    Ok(Arc::new(Type::group_type_builder("chronoform").with_fields(fields?).build()?))
}

fn field(name: &str, stored: Stored) -> Result<TypePtr> {
    match stored {
        Stored::AsText => value(name, Native::Text),
        Stored::Native(Native::Interval) => interval(name),
        Stored::Native(native) => value(name, native),
        Stored::List { element, .. } => {
            let list = Type::group_type_builder("list")
                .with_repetition(Repetition::REPEATED)
                .with_fields(vec![value("element", element)?])
                .build()?;
            let outer = Type::group_type_builder(name)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(Some(LogicalType::List))
                .with_fields(vec![Arc::new(list)])
                .build()?;
            Ok(Arc::new(outer))
        }
    }
}

fn interval(name: &str) -> Result<TypePtr> {
    let part = |name, physical| -> Result<TypePtr> {
        let part = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
        Ok(Arc::new(part.build()?))
    };
    let fields = vec![
        part("months", PhysicalType::INT32)?,
        part("days", PhysicalType::INT32)?,
        part("microseconds", PhysicalType::INT64)?,
    ];
    let group = Type::group_type_builder(name).with_repetition(Repetition::OPTIONAL).with_fields(fields);
    Ok(Arc::new(group.build()?))
}

fn value(name: &str, native: Native) -> Result<TypePtr> {
    let physical = match native.leaves().first() {
        Some(Physical::Bool) => PhysicalType::BOOLEAN,
        Some(Physical::I32) => PhysicalType::INT32,
        Some(Physical::F32) => PhysicalType::FLOAT,
        Some(Physical::F64) => PhysicalType::DOUBLE,
        Some(Physical::Fixed16) => PhysicalType::FIXED_LEN_BYTE_ARRAY,
        Some(Physical::Bytes) => PhysicalType::BYTE_ARRAY,
        Some(Physical::I64) | None => PhysicalType::INT64,
    };
    let integer = |bit_width, is_signed| Some(LogicalType::integer(bit_width, is_signed));
    let logical = match native {
        Native::Char => integer(8, false),
        Native::Int2 => integer(16, true),
        Native::Oid => integer(32, false),
        Native::Xid8 => integer(64, false),
        Native::Text | Native::Jsonb => Some(LogicalType::String),
        Native::Uuid => Some(LogicalType::Uuid),
        Native::Date => Some(LogicalType::Date),
        Native::Time => Some(LogicalType::time(false, TimeUnit::MICROS)),
        Native::Timestamp => Some(LogicalType::timestamp(false, TimeUnit::MICROS)),
        Native::Timestamptz => Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
        Native::Decimal { precision, scale } => Some(LogicalType::decimal(i32::from(scale), i32::from(precision))),
        Native::Bool
        | Native::Int4
        | Native::Int8
        | Native::Money
        | Native::Float4
        | Native::Float8
        | Native::Bytea
        | Native::Interval => None,
    };
    let mut builder =
        Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL).with_logical_type(logical);
    if physical == PhysicalType::FIXED_LEN_BYTE_ARRAY {
        builder = builder.with_length(16);
    }
    if let Native::Decimal { precision, scale } = native {
        builder = builder.with_precision(i32::from(precision)).with_scale(i32::from(scale));
    }
    Ok(Arc::new(builder.build()?))
}
