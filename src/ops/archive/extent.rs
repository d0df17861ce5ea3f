//! The smallest and the largest value of a column, where its values have an order of their own.

/// Texts and byte strings longer than this have no smallest and largest.
const LONGEST: usize = 64;

/// Two bounds, both among the values.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Extent {
    /// There has been no value.
    #[default]
    Empty,
    /// Whole numbers as they are; floating-point numbers by [`float_key`].
    Keys(i64, i64),
    /// Sixteen bytes, in the order of their unsigned bytes.
    Fixed([u8; 16], [u8; 16]),
    /// Bytes, in the order of unsigned bytes, as `COLLATE "C"` has it.
    Bytes(Vec<u8>, Vec<u8>),
    /// There are values that have none.
    Unknown,
}

impl Extent {
    /// Takes in the bounds of other values of the column.
    pub fn fold(&mut self, other: Self) {
        *self = match (std::mem::take(self), other) {
            (Self::Empty, other) => other,
            (own, Self::Empty) => own,
            (Self::Keys(a, b), Self::Keys(c, d)) => Self::Keys(a.min(c), b.max(d)),
            (Self::Fixed(a, b), Self::Fixed(c, d)) => Self::Fixed(a.min(c), b.max(d)),
            (Self::Bytes(a, b), Self::Bytes(c, d)) => Self::Bytes(a.min(c), b.max(d)),
            _ => Self::Unknown,
        };
    }

    /// The bounds of some keys.
    pub fn of_keys(keys: impl Iterator<Item = i64>) -> Self {
        let (mut least, mut most, mut any) = (i64::MAX, i64::MIN, false);
        for key in keys {
            least = least.min(key);
            most = most.max(key);
            any = true;
        }
        if any { Self::Keys(least, most) } else { Self::Empty }
    }

    /// The bounds of some texts or byte strings.
    pub fn of_bytes<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut bounds: Option<(&[u8], &[u8])> = None;
        for value in values {
            if value.len() > LONGEST {
                return Self::Unknown;
            }
            bounds = Some(bounds.map_or((value, value), |(least, most)| (least.min(value), most.max(value))));
        }
        bounds.map_or(Self::Empty, |(least, most)| Self::Bytes(least.to_vec(), most.to_vec()))
    }

    /// The bounds of some values of sixteen bytes.
    pub fn of_fixed(values: &[[u8; 16]]) -> Self {
        match (values.iter().min(), values.iter().max()) {
            (Some(least), Some(most)) => Self::Fixed(*least, *most),
            _ => Self::Empty,
        }
    }
}

/// A number in whose order floating-point numbers are, −0 before 0 (IEEE 754's totalOrder).
pub const fn float_key(bits: u64) -> i64 {
    let bits = bits as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// A number's key as a whole number of the leaf: unsigned ones as they are read unsigned.
pub const fn key32(value: i32, unsigned: bool) -> i64 {
    if unsigned { value as u32 as i64 } else { value as i64 }
}

/// The same of 64 bits: unsigned ones moved down by half their range.
pub const fn key64(value: i64, unsigned: bool) -> i64 {
    if unsigned { value ^ i64::MIN } else { value }
}
