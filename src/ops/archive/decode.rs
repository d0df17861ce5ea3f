//! A column's fields, from Parquet's values back to the wire.

use parquet::column::page::PageReader;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType,
    Int32Type, Int64Type,
};
use parquet::schema::types::ColumnDescPtr;

use super::copy::{put, put_bytes, put_null};
use super::decimal;
use super::error::{ArchiveError, Result};
use super::stored::{EPOCH_DAYS, EPOCH_MICROS, Native, Physical, Stored};

/// Values of a leaf with their levels, as many as were read at once.
struct Leaf<T: DataType> {
    reader: ColumnReaderImpl<T>,
    values: Vec<T::T>,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
}

impl<T: DataType> Leaf<T> {
    fn new(descr: &ColumnDescPtr, pages: Box<dyn PageReader>) -> Self {
        let reader = ColumnReaderImpl::new(descr.clone(), pages);
        Self { reader, values: Vec::new(), definitions: Vec::new(), repetitions: Vec::new() }
    }

    /// Reads so many rows, and no fewer.
    fn read(&mut self, rows: usize) -> Result<()> {
        self.values.clear();
        self.definitions.clear();
        self.repetitions.clear();
        let (records, values, levels) = self.reader.read_records(
            rows,
            Some(&mut self.definitions),
            Some(&mut self.repetitions),
            &mut self.values,
        )?;
        if records != rows || values != self.values.len() || levels != self.definitions.len() {
            return Err(corrupt("a column has fewer rows than its row group"));
        }
        Ok(())
    }
}

fn corrupt(why: &str) -> ArchiveError {
    ArchiveError::Corrupt { why: why.to_owned() }
}

enum Leaves {
    Bool(Leaf<BoolType>),
    I32(Leaf<Int32Type>),
    I64(Leaf<Int64Type>),
    F32(Leaf<FloatType>),
    F64(Leaf<DoubleType>),
    Fixed16(Leaf<FixedLenByteArrayType>),
    Bytes(Leaf<ByteArrayType>),
    Interval(Box<Interval>),
}

/// The three parts of an interval.
struct Interval {
    months: Leaf<Int32Type>,
    days: Leaf<Int32Type>,
    micros: Leaf<Int64Type>,
}

/// A column of one row group, being read.
pub struct Decoder {
    stored: Stored,
    leaves: Leaves,
}

impl Decoder {
    /// Begins with the leaves' pages.
    ///
    /// # Errors
    /// When there are not as many leaves as the column has.
    pub fn new(stored: Stored, mut leaves: Vec<(ColumnDescPtr, Box<dyn PageReader>)>) -> Result<Self> {
        let count = leaves.len();
        let mut next = || -> Result<(ColumnDescPtr, Box<dyn PageReader>)> {
            if leaves.is_empty() { Err(corrupt("a column lacks a part")) } else { Ok(leaves.remove(0)) }
        };
        if count != stored.native().leaves().len() {
            return Err(corrupt("a column has other parts than its type"));
        }
        let (descr, pages) = next()?;
        let leaves = match stored.native().leaves() {
            [_, _, _] => {
                let ((day_descr, days), (micro_descr, micros)) = (next()?, next()?);
                Leaves::Interval(Box::new(Interval {
                    months: Leaf::new(&descr, pages),
                    days: Leaf::new(&day_descr, days),
                    micros: Leaf::new(&micro_descr, micros),
                }))
            }
            [Physical::Bool, ..] => Leaves::Bool(Leaf::new(&descr, pages)),
            [Physical::I32, ..] => Leaves::I32(Leaf::new(&descr, pages)),
            [Physical::I64, ..] => Leaves::I64(Leaf::new(&descr, pages)),
            [Physical::F32, ..] => Leaves::F32(Leaf::new(&descr, pages)),
            [Physical::F64, ..] => Leaves::F64(Leaf::new(&descr, pages)),
            [Physical::Fixed16, ..] => Leaves::Fixed16(Leaf::new(&descr, pages)),
            [Physical::Bytes, ..] | [] => Leaves::Bytes(Leaf::new(&descr, pages)),
        };
        Ok(Self { stored, leaves })
    }

    /// Appends the fields of so many rows.
    ///
    /// # Errors
    /// When the pages are damaged, or say what the column's type cannot be.
    pub fn read(&mut self, rows: usize, into: &mut Vec<u8>) -> Result<()> {
        let stored = self.stored;
        match &mut self.leaves {
            Leaves::Interval(parts) => {
                parts.months.read(rows)?;
                parts.days.read(rows)?;
                parts.micros.read(rows)?;
                intervals(parts, into)
            }
            Leaves::Bool(leaf) => fields(leaf, rows, stored, into, |value, _, into| {
                put(into, [u8::from(*value)]);
                Ok(())
            }),
            Leaves::I32(leaf) => fields(leaf, rows, stored, into, |value, native, into| put_i32(*value, native, into)),
            Leaves::I64(leaf) => fields(leaf, rows, stored, into, |value, native, into| put_i64(*value, native, into)),
            Leaves::F32(leaf) => fields(leaf, rows, stored, into, |value, _, into| {
                put(into, value.to_bits().to_be_bytes());
                Ok(())
            }),
            Leaves::F64(leaf) => fields(leaf, rows, stored, into, |value, _, into| {
                put(into, value.to_bits().to_be_bytes());
                Ok(())
            }),
            Leaves::Fixed16(leaf) => fields(leaf, rows, stored, into, put_fixed),
            Leaves::Bytes(leaf) => fields(leaf, rows, stored, into, put_piece),
        }
    }
}

/// Reads rows of a column with one leaf.
fn fields<T: DataType>(
    leaf: &mut Leaf<T>,
    rows: usize,
    stored: Stored,
    into: &mut Vec<u8>,
    put: impl Fn(&T::T, Native, &mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    leaf.read(rows)?;
    let native = stored.native();
    match stored {
        Stored::List { oid, .. } => lists(leaf, native, oid, into, put),
        Stored::Native(_) | Stored::AsText if leaf.values.len() == leaf.definitions.len() => {
            leaf.values.iter().try_for_each(|value| put(value, native, into))
        }
        Stored::Native(_) | Stored::AsText => {
            let mut values = leaf.values.iter();
            for definition in &leaf.definitions {
                if *definition == 0 {
                    put_null(into);
                } else {
                    put(values.next().ok_or_else(|| corrupt("a page has fewer values than it says"))?, native, into)?;
                }
            }
            Ok(())
        }
    }
}

#[inline]
fn put_i32(value: i32, native: Native, into: &mut Vec<u8>) -> Result<()> {
    let beyond = || corrupt("a number is beyond its column's type");
    match native {
        Native::Char => put(into, u8::try_from(value).map_err(|_| beyond())?.to_be_bytes()),
        Native::Int2 => put(into, i16::try_from(value).map_err(|_| beyond())?.to_be_bytes()),
        Native::Date => put(into, value.checked_sub(EPOCH_DAYS).ok_or_else(beyond)?.to_be_bytes()),
        Native::Decimal { scale, .. } => return put_bytes(into, decimal::wire(i128::from(value), scale).bytes()),
        _ => put(into, value.to_be_bytes()),
    }
    Ok(())
}

#[inline]
fn put_i64(value: i64, native: Native, into: &mut Vec<u8>) -> Result<()> {
    match native {
        Native::Timestamp | Native::Timestamptz => {
            let value = value.checked_sub(EPOCH_MICROS);
            put(into, value.ok_or_else(|| corrupt("a timestamp is beyond PostgreSQL's range"))?.to_be_bytes());
        }
        Native::Decimal { scale, .. } => return put_bytes(into, decimal::wire(i128::from(value), scale).bytes()),
        _ => put(into, value.to_be_bytes()),
    }
    Ok(())
}

fn put_fixed(value: &FixedLenByteArray, native: Native, into: &mut Vec<u8>) -> Result<()> {
    let bytes: [u8; 16] =
        value.data().try_into().map_err(|_| corrupt("a value of sixteen bytes has another length"))?;
    match native {
        Native::Decimal { scale, .. } => {
            let units = i128::from_be_bytes(bytes);
            if units.unsigned_abs() >= 10_u128.pow(38) {
                return Err(corrupt("a number is beyond its column's type"));
            }
            put_bytes(into, decimal::wire(units, scale).bytes())
        }
        _ => {
            put(into, bytes);
            Ok(())
        }
    }
}

#[inline]
fn put_piece(value: &ByteArray, native: Native, into: &mut Vec<u8>) -> Result<()> {
    let data = value.data();
    if native != Native::Jsonb {
        return put_bytes(into, data);
    }
    let length = i32::try_from(data.len() + 1).map_err(|_| corrupt("a value is longer than any of PostgreSQL's"))?;
    into.extend_from_slice(&length.to_be_bytes());
    into.push(1);
    into.extend_from_slice(data);
    Ok(())
}

fn intervals(parts: &Interval, into: &mut Vec<u8>) -> Result<()> {
    let Interval { months, days, micros } = parts;
    if months.definitions != days.definitions || days.definitions != micros.definitions {
        return Err(corrupt("the parts of an interval are not of the same rows"));
    }
    let mut values = months.values.iter().zip(&days.values).zip(&micros.values);
    for definition in &months.definitions {
        if *definition == 0 {
            put_null(into);
            continue;
        }
        let ((months, days), micros) = values.next().ok_or_else(|| corrupt("a page has fewer values than it says"))?;
        into.extend_from_slice(&16_i32.to_be_bytes());
        into.extend_from_slice(&micros.to_be_bytes());
        into.extend_from_slice(&days.to_be_bytes());
        into.extend_from_slice(&months.to_be_bytes());
    }
    Ok(())
}

/// A list as `array_send` writes it: dimensions, whether there are NULLs, the element type, and of each
/// dimension the length and the first index.
fn lists<T: DataType>(
    leaf: &Leaf<T>,
    element: Native,
    oid: u32,
    into: &mut Vec<u8>,
    put: impl Fn(&T::T, Native, &mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    let mut values = leaf.values.iter();
    let mut open: Option<List> = None;
    for (definition, repetition) in leaf.definitions.iter().zip(&leaf.repetitions) {
        if *repetition == 0 {
            if let Some(list) = open.take() {
                list.end(into)?;
            }
            match definition {
                0 => put_null(into),
                1 => {
                    into.extend_from_slice(&12_i32.to_be_bytes());
                    into.extend_from_slice(&[0; 8]);
                    into.extend_from_slice(&oid.to_be_bytes());
                }
                _ => open = Some(List::begin(oid, into)),
            }
        }
        if *definition < 2 {
            continue;
        }
        let list = open.as_mut().ok_or_else(|| corrupt("an element belongs to no list"))?;
        list.count += 1;
        if *definition == 2 {
            list.has_null = true;
            put_null(into);
        } else {
            put(values.next().ok_or_else(|| corrupt("a page has fewer values than it says"))?, element, into)?;
        }
    }
    open.map_or(Ok(()), |list| list.end(into))
}

struct List {
    start: usize,
    count: i32,
    has_null: bool,
}

impl List {
    fn begin(oid: u32, into: &mut Vec<u8>) -> Self {
        let start = into.len();
        into.extend_from_slice(&[0; 4]);
        into.extend_from_slice(&1_i32.to_be_bytes());
        into.extend_from_slice(&[0; 4]);
        into.extend_from_slice(&oid.to_be_bytes());
        into.extend_from_slice(&[0; 4]);
        into.extend_from_slice(&1_i32.to_be_bytes());
        Self { start, count: 0, has_null: false }
    }

    /// Fills in what is known at the end.
    fn end(self, into: &mut [u8]) -> Result<()> {
        let length = i32::try_from(into.len().saturating_sub(self.start + 4))
            .map_err(|_| corrupt("an array is longer than any of PostgreSQL's"))?;
        let words = [(0, length), (8, i32::from(self.has_null)), (16, self.count)];
        for (at, word) in words {
            if let Some(slot) = into.get_mut(self.start + at..self.start + at + 4) {
                slot.copy_from_slice(&word.to_be_bytes());
            }
        }
        Ok(())
    }
}
