//! How long is waited for what others hold: short tries, with growing pauses between them.

use std::time::{Duration, Instant};

use crate::apply::Interrupt;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Nobody waits for longer; what is beyond it, a clock may not be able to tell.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);
/// How soon a pause ends once somebody asks to stop.
const SLICE: Duration = Duration::from_millis(100);

/// The tries of one action, which end when its patience does.
pub(super) struct Patience {
    until: Instant,
    pause: Duration,
    tries: u32,
}

impl Patience {
    /// The first try is about to begin.
    pub(super) fn new(whole: Duration) -> Self {
        let until = Instant::now() + whole.min(LONGEST);
        Self { until, pause: FIRST_PAUSE, tries: 0 }
    }

    /// How long to pause before the next try; nothing where the time is up.
    pub(super) fn next(&mut self) -> Option<Duration> {
        let left = self.until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        self.tries += 1;
        let pause = self.pause.min(left);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE) + jitter();
        Some(pause)
    }

    /// How many tries were made.
    pub(super) const fn tries(&self) -> u32 {
        self.tries
    }
}

/// Sleeps, unless somebody asks to stop.
pub(super) fn pause(length: Duration, interrupt: &Interrupt) {
    let end = Instant::now() + length;
    while !interrupt.is_requested()
        && let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    {
        std::thread::sleep(left.min(SLICE));
    }
}

/// Up to a quarter of a second, so that two that wait for each other do not meet again.
fn jitter() -> Duration {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    Duration::from_millis(u64::from(nanos % 250))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_for_ever_is_patient() {
        assert!(Patience::new(Duration::MAX).next().is_some());
        assert!(Patience::new(Duration::ZERO).next().is_none());
    }

    #[test]
    fn pauses_grow_and_end_with_the_patience() {
        let mut patience = Patience::new(Duration::from_secs(3600));
        let pauses: Vec<Duration> = (0..8).filter_map(|_| patience.next()).collect();
        assert_eq!(patience.tries(), 8);
        assert_eq!(pauses[0], FIRST_PAUSE);
        assert!(pauses.windows(2).take(3).all(|pair| pair[1] >= pair[0] * 2), "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= LONGEST_PAUSE + Duration::from_millis(250)), "{pauses:?}");
        assert_eq!(Patience::new(Duration::ZERO).next(), None);
        assert!(
            Patience::new(Duration::from_millis(20)).next().is_some_and(|pause| pause <= Duration::from_millis(20))
        );
    }

    #[test]
    fn a_request_to_stop_ends_a_pause() {
        let interrupt = Interrupt::default();
        interrupt.request();
        let started = Instant::now();
        pause(Duration::from_secs(60), &interrupt);
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
