//! A column's fields, from the wire into Parquet's values.

use parquet::schema::types::ColumnDescPtr;

use super::copy::Fields;
use super::decimal;
use super::error::{ArchiveError, Result};
use super::leaf::{Done, Leaf, Shape};
use super::stored::{EPOCH_DAYS, EPOCH_MICROS, Native, Physical, Stored};
use super::values::Values;

/// Why one field cannot be what its column is.
pub enum Unfit {
    /// It is a value that only the text form can hold.
    Only(&'static str),
    /// It is no value of the type at all.
    Garbled,
    /// The page could not be written.
    Failed(ArchiveError),
}

impl From<ArchiveError> for Unfit {
    fn from(error: ArchiveError) -> Self {
        Self::Failed(error)
    }
}

type Fit<T> = std::result::Result<T, Unfit>;

/// A column on its way into the file.
pub struct Encoder {
    name: String,
    stored: Stored,
    leaves: Vec<Leaf>,
}

impl Encoder {
    /// An encoder of a column.
    ///
    /// # Errors
    /// When there is no such level of compression.
    pub fn new(name: &str, stored: Stored, level: i32) -> Result<Self> {
        let leaves: Result<Vec<Leaf>> = shapes(stored).map(|shape| Leaf::new(shape, level)).collect();
        Ok(Self { name: name.to_owned(), stored, leaves: leaves? })
    }

    /// Bytes that are held of the row group.
    pub fn held(&self) -> usize {
        self.leaves.iter().map(Leaf::held).sum()
    }

    /// Takes so many rows' fields.
    ///
    /// # Errors
    /// [`ArchiveError::Fallback`] at a value that the column's Parquet type cannot hold;
    /// [`ArchiveError::Stream`] at one that is none of the column's type.
    pub fn add(&mut self, fields: &mut [u8], rows: usize) -> Result<()> {
        let taken = match (self.stored, self.leaves.as_mut_slice()) {
            (Stored::List { element, oid }, [leaf]) => lists(leaf, element, oid, fields),
            (stored, [leaf]) => scalars(leaf, stored.native(), fields),
            (_, [months, days, micros]) => intervals([months, days, micros], fields),
            _ => Err(Unfit::Garbled),
        };
        match taken {
            Ok(taken) if taken == rows => Ok(()),
            Ok(_) | Err(Unfit::Garbled) => {
                let why = format!("a field of the column `{}` is no value of its type", self.name);
                Err(ArchiveError::Stream { why, at: 0 })
            }
            Err(Unfit::Only(why)) => Err(ArchiveError::Fallback { column: self.name.clone(), why }),
            Err(Unfit::Failed(error)) => Err(self.named(error)),
        }
    }

    fn named(&self, error: ArchiveError) -> ArchiveError {
        match error {
            ArchiveError::NotUtf8 { .. } => ArchiveError::NotUtf8 { column: self.name.clone() },
            other => other,
        }
    }

    /// Ends the row group.
    ///
    /// # Errors
    /// When a page cannot be written.
    pub fn end_chunk(&mut self, descr: &[ColumnDescPtr]) -> Result<Vec<Done>> {
        let each = self.leaves.iter_mut().zip(descr).map(|(leaf, descr)| leaf.end_chunk(descr));
        let done: Result<Vec<Done>> = each.collect();
        done.map_err(|error| self.named(error))
    }
}

/// The leaves of a column.
pub fn shapes(stored: Stored) -> impl Iterator<Item = Shape> {
    let native = stored.native();
    native.leaves().iter().map(move |physical| Shape {
        physical: *physical,
        max_definition: stored.max_definition(),
        max_repetition: stored.max_repetition(),
        text: native.is_text(),
        unsigned: native.is_unsigned(),
        ordered: stored.element_oid().is_none()
            && !matches!((native, physical), (Native::Decimal { .. }, Physical::Fixed16)),
        time: matches!(native, Native::Time | Native::Timestamp | Native::Timestamptz),
    })
}

/// The bytes of a field of a fixed length.
#[inline]
fn exactly<const N: usize>(field: &[u8]) -> Fit<[u8; N]> {
    field.try_into().map_err(|_| Unfit::Garbled)
}

fn scalars(leaf: &mut Leaf, native: Native, fields: &[u8]) -> Fit<usize> {
    // One loop a type, so that nothing is asked again at every value.
    match native {
        Native::Float8 => each(leaf, fields, |values, field| {
            let bits = u64::from_be_bytes(exactly(field)?);
            put_f64(values, bits)
        }),
        Native::Int8 | Native::Money | Native::Xid8 => {
            each(leaf, fields, |values, field| put_i64(values, i64::from_be_bytes(exactly(field)?)))
        }
        Native::Timestamp | Native::Timestamptz => each(leaf, fields, |values, field| put(values, native, field)),
        Native::Text => each(leaf, fields, put_piece),
        _ => each(leaf, fields, |values, field| put(values, native, field)),
    }
}

#[inline]
fn each(leaf: &mut Leaf, fields: &[u8], mut put: impl FnMut(&mut Values, &[u8]) -> Fit<()>) -> Fit<usize> {
    let mut rows = 0;
    for field in Fields(fields) {
        leaf.turn()?;
        match field {
            Some(field) => {
                put(&mut leaf.values, field)?;
                leaf.added();
            }
            None => leaf.null(),
        }
        rows += 1;
    }
    Ok(rows)
}

#[inline]
fn put_i32(values: &mut Values, value: i32) -> Fit<()> {
    let Values::I32(values) = values else { return Err(Unfit::Garbled) };
    values.push(value);
    Ok(())
}

#[inline]
fn put_i64(values: &mut Values, value: i64) -> Fit<()> {
    let Values::I64(values) = values else { return Err(Unfit::Garbled) };
    values.push(value);
    Ok(())
}

#[inline]
fn put_f64(values: &mut Values, bits: u64) -> Fit<()> {
    let Values::F64(values) = values else { return Err(Unfit::Garbled) };
    values.push(bits);
    Ok(())
}

#[inline]
fn put_piece(values: &mut Values, piece: &[u8]) -> Fit<()> {
    let Values::Bytes(data, ends) = values else { return Err(Unfit::Garbled) };
    data.extend_from_slice(piece);
    ends.push(data.len());
    Ok(())
}

fn put_fixed(values: &mut Values, value: [u8; 16]) -> Fit<()> {
    let Values::Fixed16(values) = values else { return Err(Unfit::Garbled) };
    values.push(value);
    Ok(())
}

/// One value of any type.
fn put(values: &mut Values, native: Native, field: &[u8]) -> Fit<()> {
    match native {
        Native::Bool => match (values, field) {
            (Values::Bool(values), [value @ (0 | 1)]) => {
                values.push(*value == 1);
                Ok(())
            }
            _ => Err(Unfit::Garbled),
        },
        Native::Char => put_i32(values, i32::from(u8::from_be_bytes(exactly(field)?))),
        Native::Int2 => put_i32(values, i32::from(i16::from_be_bytes(exactly(field)?))),
        Native::Int4 | Native::Oid => put_i32(values, i32::from_be_bytes(exactly(field)?)),
        Native::Int8 | Native::Money | Native::Xid8 => put_i64(values, i64::from_be_bytes(exactly(field)?)),
        Native::Float4 => match values {
            Values::F32(values) => {
                values.push(u32::from_be_bytes(exactly(field)?));
                Ok(())
            }
            _ => Err(Unfit::Garbled),
        },
        Native::Float8 => put_f64(values, u64::from_be_bytes(exactly(field)?)),
        Native::Text | Native::Bytea => put_piece(values, field),
        Native::Jsonb => match field {
            [1, text @ ..] => put_piece(values, text),
            _ => Err(Unfit::Garbled),
        },
        Native::Uuid => put_fixed(values, exactly(field)?),
        Native::Date => put_i32(values, date(i32::from_be_bytes(exactly(field)?))?),
        Native::Time => match i64::from_be_bytes(exactly(field)?) {
            86_400_000_000 => Err(Unfit::Only("24:00:00 is a time of PostgreSQL's alone")),
            micros => put_i64(values, micros),
        },
        Native::Timestamp | Native::Timestamptz => put_i64(values, timestamp(i64::from_be_bytes(exactly(field)?))?),
        Native::Decimal { precision, scale } => put_decimal(values, field, precision, scale),
        Native::Interval => Err(Unfit::Garbled),
    }
}

fn date(days: i32) -> Fit<i32> {
    match days {
        i32::MIN | i32::MAX => Err(Unfit::Only("an infinite date has no form of its own in Parquet")),
        days => days.checked_add(EPOCH_DAYS).ok_or(Unfit::Only("the date is beyond Parquet's range")),
    }
}

#[inline]
fn timestamp(micros: i64) -> Fit<i64> {
    match micros {
        i64::MIN | i64::MAX => Err(Unfit::Only("an infinite timestamp has no form of its own in Parquet")),
        micros => match micros.checked_add(EPOCH_MICROS) {
            // Some readers take these two for infinities.
            Some(i64::MAX) | None => Err(Unfit::Only("the timestamp is beyond Parquet's range")),
            Some(micros) => Ok(micros),
        },
    }
}

fn put_decimal(values: &mut Values, field: &[u8], precision: u8, scale: u8) -> Fit<()> {
    const ONLY: Unfit = Unfit::Only("the number is NaN, infinite, or not of the column's own precision and scale");
    let units = decimal::units(field, scale).ok_or(ONLY)?;
    let fits = units.unsigned_abs() < 10_u128.pow(u32::from(precision));
    if !fits || decimal::wire(units, scale).bytes() != field {
        return Err(ONLY);
    }
    match values {
        Values::I32(_) => put_i32(values, i32::try_from(units).map_err(|_| ONLY)?),
        Values::I64(_) => put_i64(values, i64::try_from(units).map_err(|_| ONLY)?),
        _ => put_fixed(values, units.to_be_bytes()),
    }
}

fn intervals(leaves: [&mut Leaf; 3], fields: &[u8]) -> Fit<usize> {
    let mut rows = 0;
    let [months, days, micros] = leaves;
    for field in Fields(fields) {
        months.turn()?;
        days.turn()?;
        micros.turn()?;
        rows += 1;
        let Some(field) = field else {
            months.null();
            days.null();
            micros.null();
            continue;
        };
        let (time, rest) = field.split_first_chunk::<8>().ok_or(Unfit::Garbled)?;
        let (day, month) = rest.split_first_chunk::<4>().ok_or(Unfit::Garbled)?;
        let (month, day, time) =
            (i32::from_be_bytes(exactly(month)?), i32::from_be_bytes(*day), i64::from_be_bytes(*time));
        // What PostgreSQL 17 and later mean by infinity and -infinity.
        if matches!((month, day, time), (i32::MAX, i32::MAX, i64::MAX) | (i32::MIN, i32::MIN, i64::MIN)) {
            return Err(Unfit::Only("an infinite interval would look like a long one"));
        }
        put_i32(&mut months.values, month)?;
        put_i32(&mut days.values, day)?;
        put_i64(&mut micros.values, time)?;
        months.added();
        days.added();
        micros.added();
    }
    Ok(rows)
}

fn lists(leaf: &mut Leaf, element: Native, oid: u32, fields: &[u8]) -> Fit<usize> {
    const SHAPE: Unfit = Unfit::Only("an array with more than one dimension, or whose first index is not 1");
    let mut rows = 0;
    for field in Fields(fields) {
        leaf.turn()?;
        rows += 1;
        let Some(field) = field else {
            leaf.level(0, 0);
            continue;
        };
        let array = Array::read(field).ok_or(Unfit::Garbled)?;
        if array.oid != oid {
            return Err(Unfit::Garbled);
        }
        match array.dimensions {
            0 => leaf.level(1, 0),
            1 => {
                let (bounds, elements) = array.rest.split_first_chunk::<8>().ok_or(Unfit::Garbled)?;
                let [a, b, c, d, lower @ ..] = *bounds;
                let count = i32::from_be_bytes([a, b, c, d]);
                if i32::from_be_bytes(lower) != 1 {
                    return Err(SHAPE);
                }
                let taken = list(leaf, element, elements)?;
                if taken == 0 || i32::try_from(taken) != Ok(count) {
                    return Err(Unfit::Garbled);
                }
            }
            _ => return Err(SHAPE),
        }
    }
    Ok(rows)
}

fn list(leaf: &mut Leaf, element: Native, elements: &[u8]) -> Fit<usize> {
    let mut count = 0;
    let mut fields = Fields(elements);
    for field in fields.by_ref() {
        let repetition = u8::from(count > 0);
        match field {
            Some(field) => {
                put(&mut leaf.values, element, field)?;
                leaf.level(3, repetition);
            }
            None => leaf.level(2, repetition),
        }
        count += 1;
    }
    if fields.0.is_empty() { Ok(count) } else { Err(Unfit::Garbled) }
}

/// The head of an array on the wire (`array_send`, `src/backend/utils/adt/arrayfuncs.c`).
struct Array<'a> {
    dimensions: i32,
    oid: u32,
    rest: &'a [u8],
}

impl<'a> Array<'a> {
    fn read(field: &'a [u8]) -> Option<Self> {
        let (dimensions, rest) = field.split_first_chunk::<4>()?;
        let (_has_null, rest) = rest.split_first_chunk::<4>()?;
        let (oid, rest) = rest.split_first_chunk::<4>()?;
        Some(Self { dimensions: i32::from_be_bytes(*dimensions), oid: u32::from_be_bytes(*oid), rest })
    }
}

/// Sets the mark of each array that says whether it holds NULLs to what it does hold: the server sets
/// it for any array that ever did, and reads it back without believing it.
pub fn settle_marks(fields: &mut [u8]) {
    let mut rest = fields;
    while let Some((length, behind)) = std::mem::take(&mut rest).split_first_chunk_mut::<4>() {
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        let Some((field, behind)) = behind.split_at_mut_checked(length) else { return };
        rest = behind;
        let has_null = match Array::read(field) {
            Some(array) if array.dimensions == 1 => {
                array.rest.get(8..).is_some_and(|elements| Fields(elements).any(|element| element.is_none()))
            }
            _ => false,
        };
        if let Some(mark) = field.get_mut(4..8) {
            mark.copy_from_slice(&i32::from(has_null).to_be_bytes());
        }
    }
}
