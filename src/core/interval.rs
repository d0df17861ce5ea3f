//! Calendar spans as PostgreSQL keeps them: months, days and microseconds, never mixed.

use std::fmt;
use std::str::FromStr;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;
/// PostgreSQL's own convention wherever it must turn a month into days.
const DAYS_PER_MONTH: i64 = 30;
/// The fewest days that so many months in a row take, less than a year of them.
const SHORTEST_MONTHS: [i128; 12] = [0, 28, 59, 89, 120, 150, 181, 212, 242, 273, 303, 334];
/// The most.
const LONGEST_MONTHS: [i128; 12] = [0, 31, 62, 92, 123, 153, 184, 215, 245, 276, 306, 337];
const SHORTEST_YEAR: i128 = 365;
const LONGEST_YEAR: i128 = 366;

/// A PostgreSQL `interval`.
///
/// Equality is of the three fields: `1 month` is not `30 days`, and `1 day` is not `24 hours`,
/// because the server adds them to a timestamp differently.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Interval {
    /// Whole months.
    pub months: i32,
    /// Whole days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

/// Why a text is not an interval.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IntervalError {
    /// Nothing is written.
    Empty,
    /// This part is not a number with a unit, a clock time or ISO 8601.
    NotUnderstood(String),
    /// A field does not fit the server's type.
    OutOfRange,
}

impl fmt::Display for IntervalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the interval is empty"),
            Self::NotUnderstood(part) => write!(f, "`{part}` is not understood in an interval"),
            Self::OutOfRange => f.write_str("the interval is larger than PostgreSQL can store"),
        }
    }
}

impl std::error::Error for IntervalError {}

impl Interval {
    /// An interval of whole days.
    pub const fn days(days: i32) -> Self {
        Self { months: 0, days, micros: 0 }
    }

    /// An interval of microseconds only.
    pub const fn micros(micros: i64) -> Self {
        Self { months: 0, days: 0, micros }
    }

    /// About how long it is, in microseconds, with a month of 30 days and a day of 24 hours: as
    /// PostgreSQL compares intervals, and as TimescaleDB stores a chunk interval.
    pub fn approximate_micros(&self) -> i128 {
        let days = i128::from(self.months) * i128::from(DAYS_PER_MONTH) + i128::from(self.days);
        days * i128::from(MICROS_PER_DAY) + i128::from(self.micros)
    }

    /// The longest it can be by the calendar, in microseconds: what the server takes from a moment for
    /// a month is of 28 to 31 days, for a year of 365 or 366. A day counts 24 hours.
    pub fn longest_micros(&self) -> i128 {
        self.most_beyond(&Self::default())
    }

    /// Whether it can be longer than another by the calendar, both counted from one moment: a month
    /// can be longer than 30 days, and 30 days longer than a month, but no month than a month.
    pub fn can_exceed(&self, other: &Self) -> bool {
        self.most_beyond(other) > 0
    }

    /// Whether it can be as long as another, or longer: as [`Self::can_exceed`].
    pub fn can_reach(&self, other: &Self) -> bool {
        self.most_beyond(other) >= 0
    }

    /// How much longer than another it can be at most, in microseconds. What both have of a unit
    /// counts for nothing: only the months that one has more than the other are of unknown length.
    fn most_beyond(&self, other: &Self) -> i128 {
        let months = i128::from(self.months) - i128::from(other.months);
        let (table, year) = if months < 0 { (SHORTEST_MONTHS, SHORTEST_YEAR) } else { (LONGEST_MONTHS, LONGEST_YEAR) };
        let whole = months.unsigned_abs();
        let rest = usize::try_from(whole % 12).ok().and_then(|rest| table.get(rest)).copied().unwrap_or_default();
        let of_months = months / 12 * year + months.signum() * rest;
        let days = of_months + i128::from(self.days) - i128::from(other.days);
        days * i128::from(MICROS_PER_DAY) + i128::from(self.micros) - i128::from(other.micros)
    }

    /// The interval with its months as 30 days each and its days as 24 hours each where that
    /// leaves whole days: what TimescaleDB keeps of a chunk interval (seen on 2.23).
    pub fn flattened(&self) -> Option<Self> {
        let micros = i64::try_from(self.approximate_micros()).ok()?;
        if micros % MICROS_PER_DAY == 0 {
            return i32::try_from(micros / MICROS_PER_DAY).ok().map(Self::days);
        }
        let days = i32::try_from(micros / MICROS_PER_DAY).ok()?;
        Some(Self { months: 0, days, micros: micros % MICROS_PER_DAY })
    }

    /// Whether it moves time forward.
    pub fn is_positive(&self) -> bool {
        self.approximate_micros() > 0
    }

    /// Reads PostgreSQL's verbose, `postgres` and ISO 8601 forms, and clock times.
    ///
    /// # Errors
    /// When a part is not understood or a field overflows.
    pub fn parse(text: &str) -> Result<Self, IntervalError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(IntervalError::Empty);
        }
        let body = text.strip_prefix('@').unwrap_or(text).trim_start();
        let (sign, unsigned) = body.strip_prefix('-').map_or((1, body), |rest| (-1, rest));
        if unsigned.starts_with('P') {
            return parse_iso(unsigned, text)?.signed(sign);
        }
        parse_words(body)
    }

    fn signed(self, sign: i32) -> Result<Self, IntervalError> {
        let out = || IntervalError::OutOfRange;
        Ok(Self {
            months: self.months.checked_mul(sign).ok_or_else(out)?,
            days: self.days.checked_mul(sign).ok_or_else(out)?,
            micros: self.micros.checked_mul(i64::from(sign)).ok_or_else(out)?,
        })
    }

    /// Adds `count` thousandths of micro-units of the named unit.
    fn add(&mut self, number: Number, unit: &str) -> Result<(), IntervalError> {
        let unit = unit.to_ascii_lowercase();
        let months: Option<i128> = match unit.as_str() {
            "y" | "yr" | "yrs" | "year" | "years" => Some(12),
            "mon" | "mons" | "month" | "months" => Some(1),
            "decade" | "decades" => Some(120),
            _ => None,
        };
        if let Some(each) = months {
            return self.add_months(number, each);
        }
        let micros = match unit.as_str() {
            "w" | "week" | "weeks" => 7 * MICROS_PER_DAY,
            "d" | "day" | "days" => MICROS_PER_DAY,
            "h" | "hr" | "hrs" | "hour" | "hours" => MICROS_PER_HOUR,
            "m" | "min" | "mins" | "minute" | "minutes" => MICROS_PER_MINUTE,
            "s" | "sec" | "secs" | "second" | "seconds" => MICROS_PER_SECOND,
            "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 1000,
            "us" | "usec" | "usecs" | "microsecond" | "microseconds" => 1,
            _ => return Err(IntervalError::NotUnderstood(unit)),
        };
        self.add_micros(number, micros)
    }

    fn add_months(&mut self, number: Number, each: i128) -> Result<(), IntervalError> {
        let scaled = number.billionths * each;
        // A fraction of a month becomes days, and of those hours, as the server does it.
        let whole = scaled / NANO;
        let days = (scaled % NANO) * i128::from(DAYS_PER_MONTH);
        self.months = narrow(i128::from(self.months) + whole)?;
        self.add_micros(Number { billionths: days }, MICROS_PER_DAY)
    }

    fn add_micros(&mut self, number: Number, each: i64) -> Result<(), IntervalError> {
        let mut micros = number.billionths.checked_mul(i128::from(each)).ok_or(IntervalError::OutOfRange)? / NANO;
        if each >= MICROS_PER_DAY {
            let day = i128::from(MICROS_PER_DAY);
            self.days = narrow(i128::from(self.days) + micros / day)?;
            micros %= day;
        }
        self.micros = i64::try_from(i128::from(self.micros) + micros).map_err(|_| IntervalError::OutOfRange)?;
        Ok(())
    }
}

fn narrow(value: i128) -> Result<i32, IntervalError> {
    i32::try_from(value).map_err(|_| IntervalError::OutOfRange)
}

const NANO: i128 = 1_000_000_000;

/// A decimal number in billionths: exact where a float would not be.
#[derive(Clone, Copy)]
struct Number {
    billionths: i128,
}

impl Number {
    fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()?.into() };
        let padded = format!("{fraction:0<9}");
        let fraction: i128 = padded.get(..9)?.parse().ok()?;
        Some(Self { billionths: sign * (whole * NANO + fraction) })
    }
}

/// `1 year 2 mons -3 days 04:05:06.5 ago`, with or without spaces before the units.
fn parse_words(text: &str) -> Result<Interval, IntervalError> {
    let mut interval = Interval::default();
    let mut words = text.split_whitespace().peekable();
    let mut seen = false;
    while let Some(word) = words.next() {
        let unknown = || IntervalError::NotUnderstood(word.to_owned());
        if seen && word.eq_ignore_ascii_case("ago") && words.peek().is_none() {
            return interval.signed(-1);
        }
        seen = true;
        if word.contains(':') {
            let micros = parse_clock(word).ok_or_else(unknown)?;
            interval.micros = interval.micros.checked_add(micros).ok_or(IntervalError::OutOfRange)?;
            continue;
        }
        let split = word.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(word.len());
        let (digits, unit) = word.split_at_checked(split).ok_or_else(unknown)?;
        let number = Number::parse(digits).ok_or_else(unknown)?;
        let unit = if unit.is_empty() { words.next().ok_or_else(unknown)? } else { unit };
        interval.add(number, unit)?;
    }
    Ok(interval)
}

/// `[-]HH:MM[:SS[.ffffff]]` in microseconds.
fn parse_clock(text: &str) -> Option<i64> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = unsigned.split(':');
    let hours: i64 = parts.next()?.parse().ok().filter(|h| *h >= 0)?;
    let minutes: i64 = parts.next()?.parse().ok().filter(|m| (0..60).contains(m))?;
    let seconds = match parts.next() {
        Some(part) => Number::parse(part).filter(|n| (0..60 * NANO).contains(&n.billionths))?,
        None => Number { billionths: 0 },
    };
    if parts.next().is_some() {
        return None;
    }
    let micros = i64::try_from(seconds.billionths / 1000).ok()?;
    let total = hours.checked_mul(MICROS_PER_HOUR)?.checked_add(minutes * MICROS_PER_MINUTE + micros)?;
    Some(sign * total)
}

/// `P1Y2M3DT4H5M6.5S`, weeks included.
fn parse_iso(text: &str, whole: &str) -> Result<Interval, IntervalError> {
    let unknown = || IntervalError::NotUnderstood(whole.to_owned());
    let mut interval = Interval::default();
    let mut in_time = false;
    let mut fields = 0;
    let mut rest = text.strip_prefix('P').ok_or_else(unknown)?;
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            in_time = true;
            rest = time;
            continue;
        }
        let end = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(unknown)?;
        let (digits, tail) = rest.split_at_checked(end).ok_or_else(unknown)?;
        let number = Number::parse(digits).ok_or_else(unknown)?;
        let unit = match (tail.chars().next(), in_time) {
            (Some('Y'), false) => "year",
            (Some('M'), false) => "month",
            (Some('W'), false) => "week",
            (Some('D'), false) => "day",
            (Some('H'), true) => "hour",
            (Some('M'), true) => "minute",
            (Some('S'), true) => "second",
            _ => return Err(unknown()),
        };
        interval.add(number, unit)?;
        fields += 1;
        rest = tail.get(1..).unwrap_or("");
    }
    if fields == 0 { Err(unknown()) } else { Ok(interval) }
}

impl FromStr for Interval {
    type Err = IntervalError;
    fn from_str(text: &str) -> Result<Self, IntervalError> {
        Self::parse(text)
    }
}

impl fmt::Display for Interval {
    /// The form policies use, which any server reads back unchanged: `1 year 7 days 90 minutes`
    /// prints as `1 year 7 days 1 hour 30 minutes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        let mut push = |count: i64, unit: &str| {
            if count != 0 {
                parts.push(format!("{count} {unit}{}", if count.abs() == 1 { "" } else { "s" }));
            }
        };
        push(i64::from(self.months / 12), "year");
        push(i64::from(self.months % 12), "month");
        push(i64::from(self.days), "day");
        push(self.micros / MICROS_PER_HOUR, "hour");
        push(self.micros % MICROS_PER_HOUR / MICROS_PER_MINUTE, "minute");
        let micros = self.micros % MICROS_PER_MINUTE;
        if micros % MICROS_PER_SECOND == 0 {
            push(micros / MICROS_PER_SECOND, "second");
        } else {
            let sign = if micros < 0 { "-" } else { "" };
            let (whole, part) = (micros.abs() / MICROS_PER_SECOND, micros.abs() % MICROS_PER_SECOND);
            let fraction = format!("{part:06}");
            parts.push(format!("{sign}{whole}.{} seconds", fraction.trim_end_matches('0')));
        }
        if parts.is_empty() { f.write_str("0 seconds") } else { f.write_str(&parts.join(" ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Interval {
        Interval::parse(text).unwrap()
    }

    #[test]
    fn every_style_of_the_server_means_the_same() {
        let week = Interval::days(7);
        for text in ["7 days", "7d", "1 week", "P7D", "P1W", "@ 7 days", "7 day"] {
            assert_eq!(read(text), week, "{text}");
        }
        let hours = Interval::micros(168 * MICROS_PER_HOUR);
        for text in ["168:00:00", "PT168H", "168 hours", "168h"] {
            assert_eq!(read(text), hours, "{text}");
        }
        assert_ne!(week, hours);
        assert_eq!(read("1 year 2 mons"), Interval { months: 14, days: 0, micros: 0 });
        assert_eq!(read("1 mon -3 days +04:05:06.5").micros, 4 * MICROS_PER_HOUR + 5 * MICROS_PER_MINUTE + 6_500_000);
        assert_eq!(read("3 days ago"), Interval::days(-3));
        assert_eq!(read("P-1DT-0.5S"), Interval { months: 0, days: -1, micros: -500_000 });
    }

    #[test]
    fn fractions_spill_into_smaller_fields() {
        assert_eq!(read("1.5 days"), Interval { months: 0, days: 1, micros: 12 * MICROS_PER_HOUR });
        assert_eq!(read("0.5 months"), Interval::days(15));
        assert_eq!(read("0.1 second").micros, 100_000);
    }

    #[test]
    fn what_is_printed_reads_back() {
        for text in
            ["1 year 3 months 2 days 04:05:06.789", "-3 days -00:00:01.5", "0 seconds", "90 minutes", "-1 month"]
        {
            let interval = read(text);
            assert_eq!(read(&interval.to_string()), interval, "{text} printed {interval}");
        }
        assert_eq!(read("7 days").to_string(), "7 days");
        assert_eq!(read("24:00:00").to_string(), "24 hours");
        assert_eq!(read("1 day").to_string(), "1 day");
    }

    #[test]
    fn nonsense_is_refused_with_the_part_that_is_wrong() {
        assert_eq!(Interval::parse(" "), Err(IntervalError::Empty));
        for text in ["7", "days", "7 fortnights", "P", "PT", "P1H", "1:99:00", "soon", "7 days 3", "1::2", "1e3 days"] {
            assert!(matches!(Interval::parse(text), Err(IntervalError::NotUnderstood(_))), "{text}");
        }
        assert_eq!(Interval::parse("9999999999 months"), Err(IntervalError::OutOfRange));
        assert_eq!(Interval::parse("9999999999 years"), Err(IntervalError::OutOfRange));
    }

    #[test]
    fn a_month_is_thirty_days_where_the_server_flattens_it() {
        assert_eq!(read("1 month").flattened(), Some(Interval::days(30)));
        assert_eq!(read("36 hours").flattened(), Some(Interval { months: 0, days: 1, micros: 12 * MICROS_PER_HOUR }));
        assert!(read("1 month").approximate_micros() == read("30 days").approximate_micros());
    }

    #[test]
    fn a_month_is_as_long_as_it_can_be_and_no_longer() {
        let can = |a: &str, b: &str| (read(a).can_exceed(&read(b)), read(a).can_reach(&read(b)));
        for (longer, shorter) in [
            ("1 month", "30 days"),
            ("30 days", "1 month"),
            ("29 days", "1 month"),
            ("1 year", "360 days"),
            ("1 year", "365 days"),
            ("366 days", "1 year"),
            ("13 months", "1 year 30 days"),
            ("1 month 1 second", "1 month"),
            ("91 days", "3 months"),
            ("3 months", "91 days 23 hours"),
        ] {
            assert_eq!(can(longer, shorter), (true, true), "{longer} over {shorter}");
        }
        for (same, other) in [
            ("1 month", "1 month"),
            ("12 months", "1 year"),
            ("365 days", "1 year"),
            ("28 days", "1 month"),
            ("3 months", "92 days"),
        ] {
            assert_eq!(can(same, other), (false, true), "{same} over {other}");
        }
        for (shorter, longer) in [
            ("1 month", "32 days"),
            ("27 days", "1 month"),
            ("360 days", "1 year"),
            ("11 months", "1 year"),
            ("35 months", "3 years"),
            ("6 months", "185 days"),
            ("1 month", "1 month 1 second"),
        ] {
            assert_eq!(can(shorter, longer), (false, false), "{shorter} over {longer}");
        }
        assert_eq!(read("1 year 1 month 1 hour").longest_micros(), i128::from(397 * MICROS_PER_DAY + MICROS_PER_HOUR));
    }

    #[test]
    fn months_in_a_row_are_within_what_the_calendar_has() {
        let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for count in 0..12_usize {
            let spans = |leap: i128| {
                let length = move |month: usize| days[month % 12] + if month % 12 == 1 { leap } else { 0 };
                (0..12_usize).map(move |from| (from..from + count).map(length).sum::<i128>())
            };
            assert_eq!(SHORTEST_MONTHS.get(count).copied(), spans(0).min(), "{count}");
            assert_eq!(LONGEST_MONTHS.get(count).copied(), spans(1).max(), "{count}");
        }
    }
}
