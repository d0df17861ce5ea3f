//! Driver rows and parameters ↔ the catalog vocabulary.

use std::error::Error;
use std::sync::Arc;

use tokio_postgres::types::{FromSql, Kind, ToSql, Type};

use crate::core::{Cell, Interval, Param, Row};
use crate::pg::PgError;

/// A cell of any of the built-in types that catalog queries return.
struct AnyCell(Cell);

type Fault = Box<dyn Error + Sync + Send>;

fn fault(message: &str) -> Fault {
    message.to_owned().into()
}

fn array<const N: usize>(raw: &[u8]) -> Result<[u8; N], Fault> {
    raw.try_into().map_err(|_| fault("a value of the wrong length"))
}

impl<'a> FromSql<'a> for AnyCell {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        let cell = match *ty {
            Type::BOOL => Cell::Bool(bool::from_sql(ty, raw)?),
            Type::CHAR => Cell::Text(String::from_utf8_lossy(raw).into_owned()),
            Type::INT2 => Cell::Int(i16::from_sql(ty, raw)?.into()),
            Type::INT4 => Cell::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT8 => Cell::Int(i64::from_sql(ty, raw)?),
            Type::OID => Cell::Int(u32::from_sql(ty, raw)?.into()),
            Type::FLOAT4 => Cell::Float(f32::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Cell::Float(f64::from_sql(ty, raw)?),
            Type::INTERVAL => Cell::Interval(interval(raw)?),
            Type::TEXT | Type::NAME | Type::VARCHAR | Type::BPCHAR | Type::JSON | Type::UNKNOWN => {
                Cell::Text(std::str::from_utf8(raw)?.to_owned())
            }
            _ => match ty.kind() {
                Kind::Array(_) => {
                    let items = Vec::<Option<AnyCell>>::from_sql(ty, raw)?;
                    Cell::List(items.into_iter().map(|item| item.map_or(Cell::Null, |item| item.0)).collect())
                }
                _ => return Err(fault("a type that catalog queries do not return")),
            },
        };
        Ok(Self(cell))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// `interval` on the wire: microseconds, days, months, big-endian (`interval_send`).
fn interval(raw: &[u8]) -> Result<Interval, Fault> {
    let (micros, rest) = raw.split_at_checked(8).ok_or_else(|| fault("a short interval"))?;
    let (days, months) = rest.split_at_checked(4).ok_or_else(|| fault("a short interval"))?;
    Ok(Interval {
        micros: i64::from_be_bytes(array(micros)?),
        days: i32::from_be_bytes(array(days)?),
        months: i32::from_be_bytes(array(months)?),
    })
}

/// Rows for kinds.
pub(super) fn rows(found: &[tokio_postgres::Row]) -> Result<Vec<Row>, PgError> {
    let Some(first) = found.first() else { return Ok(Vec::new()) };
    let columns: Arc<[String]> = first.columns().iter().map(|column| column.name().to_owned()).collect();
    let row = |row: &tokio_postgres::Row| {
        let cell = |at: usize| match row.try_get::<_, Option<AnyCell>>(at) {
            Ok(cell) => Ok(cell.map_or(Cell::Null, |cell| cell.0)),
            Err(error) => Err(PgError::protocol(super::error::chain(&error))),
        };
        let cells: Result<Vec<Cell>, PgError> = (0..row.len()).map(cell).collect();
        Ok(Row::new(Arc::clone(&columns), cells?))
    };
    found.iter().map(row).collect()
}

/// A parameter for the driver.
pub(super) fn param(param: &Param) -> (&(dyn ToSql + Sync), Type) {
    match param {
        Param::Text(text) => (text, Type::TEXT),
        Param::Int(value) => (value, Type::INT8),
        Param::Oids(oids) => (oids, Type::OID_ARRAY),
        Param::Ints(items) => (items, Type::INT8_ARRAY),
        Param::Texts(items) => (items, Type::TEXT_ARRAY),
    }
}
