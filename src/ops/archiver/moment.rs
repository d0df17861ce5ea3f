//! Points on a hypertable's time, which is either a time or a whole number.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A point in time: microseconds since 1970, or the number itself where time is one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(pub i64);

impl Moment {
    /// Reads a whole number, a date, or a date with a time, as a server or a person writes them. What has
    /// no time zone is in UTC.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(number) = text.parse() {
            return Some(Self(number));
        }
        let joined = text.replacen(' ', "T", 1);
        let timestamp = joined.parse::<jiff::Timestamp>().ok();
        let civil = || {
            let date = joined.parse::<DateTime>().ok().or_else(|| Some(joined.parse::<Date>().ok()?.into()))?;
            TimeZone::UTC.to_timestamp(date).ok()
        };
        timestamp.or_else(civil).map(|timestamp| Self(timestamp.as_microsecond()))
    }

    /// Reads what a person asks for, and writes it so that a server reads the same in it, whatever the type of the
    /// column: to a server a time zone means nothing for a `timestamp`, and a number may be a date.
    pub fn asked(text: &str) -> Option<(String, Self)> {
        let moment = Self::read(text)?;
        if is_number(text) {
            return Some((moment.0.to_string(), moment));
        }
        let at = TimeZone::UTC.to_datetime(jiff::Timestamp::from_microsecond(moment.0).ok()?);
        // Servers write the years before that otherwise.
        (at.year() > 0).then(|| (at.strftime("%Y-%m-%d %H:%M:%S%.6f+00").to_string(), moment))
    }
}

/// Whether a point is of time that is a whole number.
pub fn is_number(text: &str) -> bool {
    text.trim().parse::<i64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_reads_the_same_everywhere() {
        let day = Moment(1_577_923_200_000_000);
        let noon = Moment(day.0 + 43_200_000_000);
        for (text, written, moment) in [
            ("2020-01-02", "2020-01-02 00:00:00.000000+00", day),
            ("2020-01-02 02:00+02", "2020-01-02 00:00:00.000000+00", day),
            ("2020-01-02T12:00:00.0000009Z", "2020-01-02 12:00:00.000000+00", noon),
            (" 20200102 ", "20200102", Moment(20_200_102)),
            ("+7", "7", Moment(7)),
        ] {
            assert_eq!(Moment::asked(text), Some((written.to_owned(), moment)), "{text}");
        }
        for text in ["", "yesterday", "infinity", "-000044-03-01"] {
            assert_eq!(Moment::asked(text), None, "{text}");
        }
    }

    #[test]
    fn what_servers_and_people_write() {
        let day = Moment(1_577_923_200_000_000);
        for text in [
            "2020-01-02",
            "2020-01-02 00:00:00+00",
            "2020-01-02 00:00",
            "2020-01-02T00:00:00Z",
            "2020-01-02 01:00:00+01",
            "2020-01-02 05:30:00+05:30",
        ] {
            assert_eq!(Moment::read(text), Some(day), "{text}");
        }
        assert_eq!(Moment::read("2020-01-02 00:00:00.5+00"), Some(Moment(day.0 + 500_000)));
        assert_eq!(Moment::read("-7"), Some(Moment(-7)));
        for text in ["", "yesterday", "2020-13-01", "infinity"] {
            assert_eq!(Moment::read(text), None, "{text}");
        }
    }
}
