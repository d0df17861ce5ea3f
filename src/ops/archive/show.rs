//! Values as PostgreSQL shows them, for a person to look at.

use super::copy::Fields;
use super::decimal;
use super::extent::float_key;
use super::stored::{Native, Stored};

/// How a type's values are in order.
pub enum Order {
    /// As signed numbers of the wire's eight bytes.
    Eight,
    /// By [`key`].
    Other,
}

/// Whether a type's values have an order that depends on nothing else.
pub const fn ordered(native: Native) -> Option<Order> {
    match native {
        Native::Int8 | Native::Money | Native::Time | Native::Timestamp | Native::Timestamptz => Some(Order::Eight),
        Native::Int2
        | Native::Int4
        | Native::Oid
        | Native::Xid8
        | Native::Float4
        | Native::Float8
        | Native::Date
        | Native::Decimal { .. } => Some(Order::Other),
        Native::Bool
        | Native::Char
        | Native::Text
        | Native::Jsonb
        | Native::Bytea
        | Native::Uuid
        | Native::Interval => None,
    }
}

/// A number in whose order a type's values are; nothing for NaN, and for types without an order.
pub fn key(native: Native, field: &[u8]) -> Option<i128> {
    let float = |value: f64| (!value.is_nan()).then(|| i128::from(float_key(value.to_bits())));
    match native {
        Native::Int2 => field.try_into().ok().map(|bytes| i128::from(i16::from_be_bytes(bytes))),
        Native::Int4 | Native::Date => field.try_into().ok().map(|bytes| i128::from(i32::from_be_bytes(bytes))),
        Native::Oid => field.try_into().ok().map(|bytes| i128::from(u32::from_be_bytes(bytes))),
        Native::Xid8 => field.try_into().ok().map(|bytes| i128::from(u64::from_be_bytes(bytes))),
        Native::Float4 => field.try_into().ok().and_then(|bytes| float(f64::from(f32::from_be_bytes(bytes)))),
        Native::Float8 => field.try_into().ok().and_then(|bytes| float(f64::from_be_bytes(bytes))),
        Native::Decimal { scale, .. } => decimal::units(field, scale),
        Native::Int8 | Native::Money | Native::Time | Native::Timestamp | Native::Timestamptz => {
            field.try_into().ok().map(|bytes| i128::from(i64::from_be_bytes(bytes)))
        }
        _ => None,
    }
}

/// A key as its value is shown.
pub fn of_key(native: Native, key: i128) -> String {
    let float = || f64::from_bits(float_key(key as i64 as u64) as u64);
    match native {
        Native::Float4 => number(float() as f32),
        Native::Float8 => number(float()),
        Native::Decimal { scale, .. } => decimal::shown(key, scale),
        Native::Money => decimal::shown(key, 2),
        Native::Date => date(key as i64),
        Native::Time => time(key as i64),
        Native::Timestamp => timestamp(key as i64, ""),
        Native::Timestamptz => timestamp(key as i64, "+00"),
        _ => key.to_string(),
    }
}

fn number<T: std::fmt::Display + Into<f64> + Copy>(value: T) -> String {
    match value.into() {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        number if number.is_nan() => "NaN".to_owned(),
        _ => value.to_string(),
    }
}

/// A field as it is shown; nothing for one that is none of the type.
pub fn field(stored: Stored, field: &[u8]) -> Option<String> {
    match stored {
        Stored::AsText => text(field),
        Stored::Native(native) => value(native, field),
        Stored::List { element, .. } => list(element, field),
    }
}

fn text(field: &[u8]) -> Option<String> {
    std::str::from_utf8(field).ok().map(str::to_owned)
}

fn value(native: Native, field: &[u8]) -> Option<String> {
    match native {
        Native::Bool => Some(if field == [1] { "t" } else { "f" }.to_owned()),
        Native::Char => field.first().map(u8::to_string),
        Native::Text => text(field),
        Native::Jsonb => text(field.get(1..)?),
        Native::Bytea => Some(format!("\\x{}", hex(field))),
        Native::Uuid => {
            let digits = hex(field);
            let part = |from, to| digits.get(from..to);
            Some(format!("{}-{}-{}-{}-{}", part(0, 8)?, part(8, 12)?, part(12, 16)?, part(16, 20)?, part(20, 32)?))
        }
        Native::Interval => interval(field),
        Native::Float4 if field.len() == 4 => Some(number(f32::from_be_bytes(field.try_into().ok()?))),
        Native::Float8 if field.len() == 8 => Some(number(f64::from_be_bytes(field.try_into().ok()?))),
        other => key(other, field).map(|key| of_key(other, key)),
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn list(element: Native, field: &[u8]) -> Option<String> {
    let elements = Fields(field.get(20..).unwrap_or(&[]));
    let shown: Option<Vec<String>> =
        elements.map(|each| each.map_or_else(|| Some("NULL".to_owned()), |each| value(element, each))).collect();
    Some(format!("{{{}}}", shown?.join(",")))
}

/// Year, month and day of days from 2000-01-01, in the proleptic Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    // Days from 0000-03-01, in eras of 400 years.
    let days = days + 730_425;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let (month, day) = (if month < 10 { month + 3 } else { month - 9 }, of_year - (153 * month + 2) / 5 + 1);
    (year + era * 400 + i64::from(month <= 2), month, day)
}

fn date_and_era(days: i64) -> (String, &'static str) {
    let (year, month, day) = civil(days);
    // There is no year 0: the one before 1 is 1 BC.
    let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    (format!("{year:04}-{month:02}-{day:02}"), era)
}

fn date(days: i64) -> String {
    let (date, era) = date_and_era(days);
    format!("{date}{era}")
}

fn time(micros: i64) -> String {
    let (seconds, micros) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if micros == 0 { clock } else { format!("{clock}.{micros:06}").trim_end_matches('0').to_owned() }
}

fn timestamp(micros: i64, zone: &str) -> String {
    const DAY: i64 = 86_400_000_000;
    let (date, era) = date_and_era(micros.div_euclid(DAY));
    format!("{date} {}{zone}{era}", time(micros.rem_euclid(DAY)))
}

fn interval(field: &[u8]) -> Option<String> {
    let (micros, rest) = field.split_first_chunk::<8>()?;
    let (days, months) = rest.split_first_chunk::<4>()?;
    let micros = i64::from_be_bytes(*micros);
    let (days, months) = (i32::from_be_bytes(*days), i32::from_be_bytes(months.try_into().ok()?));
    let sign = if micros < 0 { "-" } else { "" };
    let clock = time(i64::try_from(micros.unsigned_abs()).unwrap_or(i64::MAX));
    Some(format!("{months} mons {days} days {sign}{clock}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_postgresql_shows_them() {
        let micros = |native, value: i64| field(Stored::Native(native), &value.to_be_bytes()).unwrap();
        assert_eq!(micros(Native::Timestamp, 0), "2000-01-01 00:00:00");
        assert_eq!(micros(Native::Timestamptz, 1), "2000-01-01 00:00:00.000001+00");
        assert_eq!(micros(Native::Timestamptz, -1), "1999-12-31 23:59:59.999999+00");
        assert_eq!(micros(Native::Timestamp, -211_813_488_000_000_000), "4714-11-24 00:00:00 BC");
        assert_eq!(micros(Native::Timestamp, 9_223_371_331_199_999_999), "294276-12-31 23:59:59.999999");
        assert_eq!(micros(Native::Time, 3_723_500_000), "01:02:03.5");
        assert_eq!(micros(Native::Money, -1), "-0.01");
        let date = |days: i32| field(Stored::Native(Native::Date), &days.to_be_bytes()).unwrap();
        assert_eq!(date(59), "2000-02-29");
        assert_eq!(date(-730_119 - 366), "0001-01-01 BC");
        assert_eq!(date(-730_119), "0001-01-01");
        assert_eq!(field(Stored::Native(Native::Float8), &(-0.0_f64).to_be_bytes()).unwrap(), "-0");
        assert_eq!(field(Stored::Native(Native::Bool), &[1]).unwrap(), "t");
        assert_eq!(field(Stored::Native(Native::Jsonb), b"\x01{}").unwrap(), "{}");
        assert_eq!(field(Stored::Native(Native::Uuid), &[0xab; 16]).unwrap(), "abababab-abab-abab-abab-abababababab");
    }
}
