//! The values of a page, before they are encoded.

use super::dictionary::Dictionary;
use super::extent::{Extent, float_key, key32, key64};
use super::stored::Physical;

/// A page is full with so many bytes of texts or byte strings.
pub const PAGE_BYTES: usize = 1 << 20;

/// Values of a leaf.
#[derive(Clone, PartialEq, Debug)]
pub enum Values {
    /// BOOLEAN.
    Bool(Vec<bool>),
    /// INT32.
    I32(Vec<i32>),
    /// INT64.
    I64(Vec<i64>),
    /// FLOAT, by its bits.
    F32(Vec<u32>),
    /// DOUBLE, by its bits.
    F64(Vec<u64>),
    /// FIXED_LEN_BYTE_ARRAY(16).
    Fixed16(Vec<[u8; 16]>),
    /// BYTE_ARRAY: the values one after another, and where each ends.
    Bytes(Vec<u8>, Vec<usize>),
}

impl Values {
    /// No values.
    pub const fn new(physical: Physical) -> Self {
        match physical {
            Physical::Bool => Self::Bool(Vec::new()),
            Physical::I32 => Self::I32(Vec::new()),
            Physical::I64 => Self::I64(Vec::new()),
            Physical::F32 => Self::F32(Vec::new()),
            Physical::F64 => Self::F64(Vec::new()),
            Physical::Fixed16 => Self::Fixed16(Vec::new()),
            Physical::Bytes => Self::Bytes(Vec::new(), Vec::new()),
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Bool(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::Fixed16(values) => values.len(),
            Self::Bytes(_, ends) => ends.len(),
        }
    }

    /// Removes all of them.
    pub fn clear(&mut self) {
        match self {
            Self::Bool(values) => values.clear(),
            Self::I32(values) => values.clear(),
            Self::I64(values) => values.clear(),
            Self::F32(values) => values.clear(),
            Self::F64(values) => values.clear(),
            Self::Fixed16(values) => values.clear(),
            Self::Bytes(data, ends) => {
                data.clear();
                // One long value must not be remembered by the room it took.
                data.shrink_to(PAGE_BYTES * 2);
                ends.clear();
            }
        }
    }

    /// The smallest and the largest.
    pub fn extent(&self, unsigned: bool) -> Extent {
        match self {
            Self::Bool(values) => Extent::of_keys(values.iter().map(|value| i64::from(*value))),
            Self::I32(values) => Extent::of_keys(values.iter().map(|value| key32(*value, unsigned))),
            Self::I64(values) => Extent::of_keys(values.iter().map(|value| key64(*value, unsigned))),
            Self::F32(values) => {
                let numbers = values.iter().map(|bits| f64::from(f32::from_bits(*bits)));
                Extent::of_keys(numbers.filter(|value| !value.is_nan()).map(|value| float_key(value.to_bits())))
            }
            Self::F64(values) => {
                let numbers = values.iter().copied().filter(|bits| !f64::from_bits(*bits).is_nan());
                Extent::of_keys(numbers.map(float_key))
            }
            Self::Fixed16(values) => Extent::of_fixed(values),
            Self::Bytes(data, ends) => Extent::of_bytes(pieces(data, ends)),
        }
    }
}

/// The pieces of bytes that end at the given places.
pub fn pieces<'a>(data: &'a [u8], ends: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut start = 0;
    ends.iter().map(move |end| {
        let piece = data.get(start..*end).unwrap_or(&[]);
        start = *end;
        piece
    })
}

/// The dictionary's number of every value; false where there is no room for one.
pub fn numbers(values: &Values, dictionary: &mut Dictionary, into: &mut Vec<u32>) -> bool {
    into.clear();
    fn all<T: AsRef<[u8]>>(values: impl Iterator<Item = T>, dictionary: &mut Dictionary, into: &mut Vec<u32>) -> bool {
        for value in values {
            match dictionary.number(value.as_ref()) {
                Some(number) => into.push(number),
                None => return false,
            }
        }
        true
    }
    match values {
        Values::Bool(_) => false,
        Values::I32(values) => all(values.iter().map(|value| value.to_le_bytes()), dictionary, into),
        Values::I64(values) => all(values.iter().map(|value| value.to_le_bytes()), dictionary, into),
        Values::F32(values) => all(values.iter().map(|bits| bits.to_le_bytes()), dictionary, into),
        Values::F64(values) => all(values.iter().map(|bits| bits.to_le_bytes()), dictionary, into),
        Values::Fixed16(values) => all(values.iter(), dictionary, into),
        Values::Bytes(data, ends) => all(pieces(data, ends), dictionary, into),
    }
}

/// The bounds of the entries from one on.
pub fn entries_extent(dictionary: &Dictionary, from: usize, physical: Physical, unsigned: bool) -> Extent {
    fn keys<const N: usize>(dictionary: &Dictionary, from: usize) -> impl Iterator<Item = [u8; N]> {
        dictionary.values(from).filter_map(|value| value.first_chunk::<N>().copied())
    }
    match physical {
        Physical::Bool => Extent::Empty,
        Physical::I32 => Values::I32(keys(dictionary, from).map(i32::from_le_bytes).collect()).extent(unsigned),
        Physical::I64 => Values::I64(keys(dictionary, from).map(i64::from_le_bytes).collect()).extent(unsigned),
        Physical::F32 => Values::F32(keys(dictionary, from).map(u32::from_le_bytes).collect()).extent(false),
        Physical::F64 => Values::F64(keys(dictionary, from).map(u64::from_le_bytes).collect()).extent(false),
        Physical::Fixed16 => Values::Fixed16(keys(dictionary, from).collect()).extent(false),
        Physical::Bytes => Extent::of_bytes(dictionary.values(from)),
    }
}
