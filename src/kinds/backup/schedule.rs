//! When something is due: cron's five fields, in UTC.

use std::cmp::Ordering;
use std::str::FromStr as _;

use croner::Cron;
use croner::errors::CronError;
use croner::time::{CivilDate, CivilDateTime, CivilTime, CronDateTime, Resolution, Weekday};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A schedule.
#[derive(Clone, Debug)]
pub struct Schedule(Cron);

impl Schedule {
    /// Reads cron's five fields: minute, hour, day of the month, month, day of the week.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.split_whitespace().count() != 5 {
            return Err("it has not the five fields minute, hour, day, month and weekday".to_owned());
        }
        let schedule = Cron::from_str(text).map(Self).map_err(|error| error.to_string())?;
        match schedule.next(Timestamp::UNIX_EPOCH) {
            Some(_) => Ok(schedule),
            None => Err("no day is ever like that".to_owned()),
        }
    }

    /// The last moment not after `now` at which it was due; none for one that never is.
    pub fn last(&self, now: Timestamp) -> Option<Timestamp> {
        let now = Moment(TimeZone::UTC.to_datetime(now));
        let found = self.0.find_previous_occurrence(&now, true).ok()?;
        TimeZone::UTC.to_timestamp(found.0).ok()
    }

    /// The next moment after `now` at which it is due.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let now = Moment(TimeZone::UTC.to_datetime(now));
        let found = self.0.find_next_occurrence(&now, false).ok()?;
        TimeZone::UTC.to_timestamp(found.0).ok()
    }
}

/// A moment in UTC, as the library of schedules wants it.
#[derive(Clone)]
struct Moment(DateTime);

impl CronDateTime for Moment {
    fn to_civil(&self) -> CivilDateTime {
        let part = |part: i8| u32::try_from(part).unwrap_or(0);
        let day = CivilDate::from_ymd_opt(i32::from(self.0.year()), part(self.0.month()), part(self.0.day()));
        let time = CivilTime::from_hms_opt(part(self.0.hour()), part(self.0.minute()), part(self.0.second()));
        // Both hold what another library has checked already.
        let day = day.or_else(|| CivilDate::from_ymd_opt(1970, 1, 1));
        let time = time.or_else(|| CivilTime::from_hms_opt(0, 0, 0));
        match (day, time) {
            (Some(day), Some(time)) => CivilDateTime::new(day, time),
            _ => unreachable!("the first day of 1970 and midnight are there"),
        }
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(u32::try_from(self.0.weekday().to_sunday_zero_offset()).unwrap_or(0))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let part = |part: u32| i8::try_from(part).map_err(|_| CronError::InvalidDate);
        let year = i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?;
        let (month, day) = (part(civil.month())?, part(civil.day())?);
        let (hour, minute, second) = (part(civil.hour())?, part(civil.minute())?, part(civil.second())?);
        let found = DateTime::new(year, month, day, hour, minute, second, 0).map_err(|_| CronError::InvalidDate)?;
        Ok(Resolution::Single(Self(found)))
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_and_the_next_moment_are_around_now() {
        let weekly = Schedule::read("0 1 * * 0").unwrap();
        // A Thursday.
        let now = at("2026-11-26T18:30:00Z");
        assert_eq!(weekly.last(now), Some(at("2026-11-22T01:00:00Z")));
        assert_eq!(weekly.next(now), Some(at("2026-11-29T01:00:00Z")));
        // On the moment itself it is due, and not a second before.
        assert_eq!(weekly.last(at("2026-11-29T01:00:00Z")), Some(at("2026-11-29T01:00:00Z")));
        assert_eq!(weekly.last(at("2026-11-29T00:59:59Z")), Some(at("2026-11-22T01:00:00Z")));
        let daily = Schedule::read("30 */6 * * 1-6").unwrap();
        assert_eq!(daily.last(at("2026-11-29T12:00:00Z")), Some(at("2026-11-28T18:30:00Z")));
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for wrong in ["", "daily", "* * * *", "61 * * * *", "0 0 1 1 * 2030", "0 25 * * *", "0 1 * * mon-noday"] {
            assert!(Schedule::read(wrong).is_err(), "{wrong}");
        }
        for never in ["0 1 31 2 *", "0 1 30 2 *", "0 0 31 4,6,9,11 *"] {
            assert_eq!(Schedule::read(never).err().as_deref(), Some("no day is ever like that"), "{never}");
        }
        // Rare is not never, and a day of the week is one beside a day of the month.
        assert!(Schedule::read("0 1 29 2 *").is_ok() && Schedule::read("0 1 30 2 0").is_ok());
    }
}
