//! Moments and durations for people.

use std::time::Duration;

/// A moment in microseconds since 1970 UTC, as `2026-11-23 15:04:05Z`.
pub fn when(micros: i64) -> String {
    match jiff::Timestamp::from_microsecond(micros) {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        Err(_) => format!("{micros} µs since 1970"),
    }
}

/// A duration with as much precision as its size deserves: `45 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`.
pub fn elapsed(duration: Duration) -> String {
    let millis = (duration.as_micros() + 500) / 1000;
    if millis < 1000 {
        return if millis == 0 { "<1 ms".to_owned() } else { format!("{millis} ms") };
    }
    let tenths = (millis + 50) / 100;
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = (millis + 500) / 1000;
    let two = |large: u128, large_unit: &str, small: u128, small_unit: &str| {
        if small == 0 { format!("{large} {large_unit}") } else { format!("{large} {large_unit} {small} {small_unit}") }
    };
    match seconds {
        0..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_in_utc() {
        assert_eq!(when(0), "1970-01-01 00:00:00Z");
        assert_eq!(when(1_795_446_245_000_000), "2026-11-23 15:04:05Z");
        assert_eq!(when(-1), "1969-12-31 23:59:59Z");
        assert!(when(i64::MAX).ends_with("since 1970"));
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let read = |micros: u64| elapsed(Duration::from_micros(micros));
        assert_eq!(read(0), "<1 ms");
        assert_eq!(read(45_200), "45 ms");
        assert_eq!(read(999_700), "1.0 s");
        assert_eq!(read(1_240_000), "1.2 s");
        assert_eq!(read(59_960_000), "1 min");
        assert_eq!(read(184_000_000), "3 min 4 s");
        assert_eq!(read(7_500_000_000), "2 h 5 min");
        assert_eq!(read(90_000_000_000), "1 d 1 h");
        assert_eq!(elapsed(Duration::MAX).split(' ').nth(1), Some("d"));
    }
}
