//! `numeric` on the wire and as one whole number.
//!
//! The wire form (`numeric_send`, `src/backend/utils/adt/numeric.c`): how many digits to base 10 000,
//! the weight of the first, the sign, the digits behind the point that are shown, and the digits.

/// The sign of a negative number.
const NEGATIVE: u16 = 0x4000;

/// Digits of a number of 38 decimal digits and a point anywhere: at most eleven.
const DIGITS: usize = 12;

/// A number on the wire, which is short enough to need no room of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wire {
    bytes: [u8; 8 + DIGITS * 2],
    length: usize,
}

impl Wire {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

/// The number of units of the last digit that the wire's bytes say; nothing where they say NaN, an
/// infinity, other digits behind the point, or more than 38 digits.
pub fn units(wire: &[u8], scale: u8) -> Option<i128> {
    let (count, rest) = wire.split_first_chunk::<2>()?;
    let (weight, rest) = rest.split_first_chunk::<2>()?;
    let (sign, rest) = rest.split_first_chunk::<2>()?;
    let (shown, digits) = rest.split_first_chunk::<2>()?;
    let (count, weight) = (u16::from_be_bytes(*count), i16::from_be_bytes(*weight));
    let (sign, shown) = (u16::from_be_bytes(*sign), u16::from_be_bytes(*shown));
    if (sign != 0 && sign != NEGATIVE) || shown != u16::from(scale) || digits.len() != usize::from(count) * 2 {
        return None;
    }
    let mut value: i128 = 0;
    // The place of a digit's ones, against that of the units.
    let mut places = (i32::from(weight) + 1) * 4 + i32::from(scale);
    for digit in digits.chunks_exact(2) {
        let digit = i128::from(u16::from_be_bytes(<[u8; 2]>::try_from(digit).ok()?));
        places -= 4;
        // Of the last digit, only a part may be before the end of the scale.
        let part = 10_i128.checked_pow(u32::try_from(-places.min(0)).ok()?)?;
        if digit % part != 0 {
            return None;
        }
        value = value.checked_mul((10_000 / part).max(1))?.checked_add(digit / part)?;
    }
    if value != 0 {
        value = value.checked_mul(10_i128.checked_pow(u32::try_from(places.max(0)).ok()?)?)?;
    }
    Some(if sign == NEGATIVE { -value } else { value })
}

/// The bytes of a number of units, as the server would write them.
pub fn wire(units: i128, scale: u8) -> Wire {
    let mut digits = [0_u16; DIGITS];
    let mut first = DIGITS;
    // The digits behind the point begin at the point: the last one may need filling.
    let behind = usize::from(scale).div_ceil(4);
    let filling = (behind * 4 - usize::from(scale)) as u32;
    let whole = units.unsigned_abs();
    // What does not fit before filling: the last digit is split off.
    let unit = 10_u128.pow(4 - filling);
    let mut rest = if filling == 0 { whole } else { whole / unit };
    if filling > 0 {
        first -= 1;
        put(&mut digits, first, (whole % unit) as u16 * 10_u16.pow(filling));
    }
    while rest > 0 && first > 0 {
        first -= 1;
        put(&mut digits, first, (rest % 10_000) as u16);
        rest /= 10_000;
    }
    let used = digits.get(first..).unwrap_or(&[]);
    let leading = used.iter().take_while(|digit| **digit == 0).count();
    let used = used.get(leading..).unwrap_or(&[]);
    let weight = used.len() as i32 - behind as i32 - 1;
    let trailing = used.iter().rev().take_while(|digit| **digit == 0).count();
    let used = used.get(..used.len() - trailing).unwrap_or(&[]);
    let mut out = Wire { bytes: [0; 8 + DIGITS * 2], length: 8 + used.len() * 2 };
    let sign = if units < 0 { NEGATIVE } else { 0 };
    let weight = if used.is_empty() { 0 } else { weight as i16 };
    let head = [used.len() as u16, weight as u16, sign, u16::from(scale)];
    for (slot, word) in out.bytes.chunks_exact_mut(2).zip(head.iter().chain(used)) {
        slot.copy_from_slice(&word.to_be_bytes());
    }
    out
}

fn put(digits: &mut [u16; DIGITS], at: usize, digit: u16) {
    if let Some(slot) = digits.get_mut(at) {
        *slot = digit;
    }
}

/// The number as PostgreSQL shows it.
pub fn shown(units: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, behind) = digits.split_at_checked(digits.len() - scale).unwrap_or((&digits, ""));
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{behind}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn the_wire_is_the_servers_own() {
        // As `SELECT numeric_send(…)` of PostgreSQL 15 gives them.
        let cases: [(i128, u8, &[u16]); 9] = [
            (0, 0, &[0, 0, 0, 0]),
            (0, 2, &[0, 0, 0, 2]),
            (12_345, 2, &[2, 0, 0, 2, 123, 4500]),
            (-12_345, 2, &[2, 0, 0x4000, 2, 123, 4500]),
            (1, 2, &[1, 0xffff, 0, 2, 100]),
            (1, 6, &[1, 0xfffe, 0, 6, 100]),
            (10_000, 0, &[1, 1, 0, 0, 1]),
            (100_000_000, 2, &[1, 1, 0, 2, 100]),
            (1_000_000_000_001, 4, &[4, 2, 0, 4, 1, 0, 0, 1]),
        ];
        for (value, scale, wanted) in cases {
            assert_eq!(wire(value, scale).bytes(), words(wanted), "{value} {scale}");
            assert_eq!(units(&words(wanted), scale), Some(value), "{value} {scale}");
        }
    }

    #[test]
    fn every_number_comes_back() {
        let mut value: i128 = 1;
        let mut state = 88_172_645_463_325_252_u64;
        for _ in 0..20_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            value = value.wrapping_mul(i128::from(state)) % 10_i128.pow(1 + (state % 38) as u32);
            let scale = (state >> 8) as u8 % 39;
            for value in [value, -value] {
                assert_eq!(units(wire(value, scale).bytes(), scale), Some(value), "{value} {scale}");
            }
        }
        let most = 10_i128.pow(38) - 1;
        for scale in 0..=38 {
            assert_eq!(units(wire(most, scale).bytes(), scale), Some(most));
        }
    }

    #[test]
    fn what_is_no_such_number_is_none() {
        assert_eq!(units(&words(&[0, 0, 0xc000, 0]), 0), None, "NaN");
        assert_eq!(units(&words(&[0, 0, 0xd000, 0]), 0), None, "infinity");
        assert_eq!(units(&words(&[1, 0, 0, 3, 5]), 2), None, "another scale");
        assert_eq!(units(&words(&[1, 0xffff, 0, 2, 123]), 2), None, "more digits than the scale");
        assert_eq!(units(&words(&[1, 40, 0, 0, 5]), 0), None, "more than 38 digits");
        assert_eq!(units(&words(&[2, 0, 0, 0, 5]), 0), None, "cut off");
    }

    #[test]
    fn a_number_is_shown_as_the_server_shows_it() {
        let cases =
            [(0, 0, "0"), (0, 2, "0.00"), (-5, 2, "-0.05"), (12345, 2, "123.45"), (7, 0, "7"), (-1, 3, "-0.001")];
        for (value, scale, wanted) in cases {
            assert_eq!(shown(value, scale), wanted);
        }
    }
}
