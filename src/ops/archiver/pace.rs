//! How fast chunks are read, by all who read them together, and how far they are.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::apply::Interrupt;
use crate::core::{Bytes, Task, Value};
use crate::ops::archive::export::Passed;
use crate::ops::archive::{ArchiveError, Options};

/// How much a run may ask of the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Load {
    /// How many chunks are read at the same time.
    pub jobs: usize,
    /// How many bytes a second are read, by all of them together; as many as can be where nothing is said.
    pub rate: Option<Bytes>,
    /// How long a lock that others hold is waited for.
    pub patience: Duration,
}

impl Default for Load {
    fn default() -> Self {
        Self { jobs: 1, rate: None, patience: Duration::from_secs(60) }
    }
}

/// Bytes are counted together in pieces of so many, or of what is read in [`SLACK`] where that is less: a row is too
/// little to ask for by itself.
const PIECE: u64 = 64 * 1024;
/// What was not read in so long may be made up for; and nobody sleeps for longer without looking around.
const SLACK: Duration = Duration::from_millis(100);
/// How often it is said how far it is.
const WORD: Duration = Duration::from_secs(5);

/// Shared by all who read.
#[derive(Debug)]
pub struct Pace {
    load: Load,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When what has been read is paid for.
    free: Instant,
    began: Instant,
    told: Instant,
    rows: u64,
    bytes: u64,
    /// Ranges that are done and that there are, and how much room those take in the table.
    ranges: (usize, usize),
    room: (u64, u64),
}

impl State {
    /// How long to wait after having read so much more.
    fn pay(&mut self, now: Instant, bytes: u64, rate: Bytes) -> Duration {
        let from = now.checked_sub(SLACK).map_or(self.free, |earliest| self.free.max(earliest));
        self.free = from + Duration::from_secs_f64(bytes as f64 / rate.0.max(1) as f64);
        self.free.saturating_duration_since(now)
    }

    fn words(&self, now: Instant) -> String {
        let seconds = now.duration_since(self.began).as_secs_f64().max(0.001);
        let each = |count: u64| (count as f64 / seconds) as u64;
        let (done, all) = self.ranges;
        let left = match self.room {
            (gone, all) if gone > 0 && all > gone => {
                let left = seconds * (all - gone) as f64 / gone as f64;
                format!(", about {} left", spoken(left as u64))
            }
            _ => String::new(),
        };
        let (rows, bytes) = (each(self.rows), Bytes(each(self.bytes)));
        format!("{done} of {all} ranges, {} rows ({rows}/s), {} ({bytes}/s){left}", self.rows, Bytes(self.bytes))
    }
}

fn spoken(seconds: u64) -> String {
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=5999 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// How much room a range takes in its table.
fn room(arguments: &Value) -> u64 {
    let bytes = match arguments {
        Value::Map(arguments) => arguments.get(Task::ROOM).and_then(Value::as_int),
        _ => None,
    };
    bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0)
}

impl Pace {
    /// For work that has not begun.
    pub fn new(load: Load) -> Self {
        let now = Instant::now();
        let state = State { free: now, began: now, told: now, rows: 0, bytes: 0, ranges: (0, 0), room: (0, 0) };
        Self { load, state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a lock that others hold is waited for.
    pub fn patience(&self) -> Duration {
        self.load.patience
    }

    /// How many read at the same time.
    pub fn jobs(&self) -> usize {
        self.load.jobs.max(1)
    }

    /// From now on these are to be done.
    pub fn begin(&self, tasks: &[&Task]) {
        let now = Instant::now();
        let all = tasks.iter().map(|task| room(&Value::Map(task.arguments.clone()))).sum();
        let mut state = self.state();
        *state = State {
            free: state.free,
            began: now,
            told: now,
            rows: 0,
            bytes: 0,
            ranges: (0, tasks.len()),
            room: (0, all),
        };
    }

    /// A range is in the archive.
    pub fn ended(&self, arguments: &Value) {
        let mut state = self.state();
        state.ranges.0 += 1;
        state.room.0 += room(arguments);
    }

    /// What one of those who read at the same time may have of the memory and the processors.
    pub fn share(&self, options: Options) -> Options {
        let jobs = self.jobs();
        Options { held: (options.held / jobs).max(4 << 20), threads: (options.threads / jobs).max(1), ..options }
    }

    /// How many threads read a file back.
    pub fn threads(&self) -> usize {
        (thread::available_parallelism().map_or(1, usize::from).min(4) / self.jobs()).max(1)
    }

    /// For one chunk.
    pub fn passing(&self) -> Passing<'_> {
        Passing { pace: self, counted: Passed::default(), seen: Passed::default() }
    }

    /// So many bytes are counted together.
    fn piece(&self) -> u64 {
        let in_slack = |rate: Bytes| (rate.0 as f64 * SLACK.as_secs_f64()) as u64;
        self.load.rate.map_or(PIECE, |rate| in_slack(rate).min(PIECE))
    }

    /// Counts what was read, and gives how long to wait for it.
    fn count(&self, now: Instant, bytes: u64, rows: u64) -> (Duration, Option<String>) {
        let mut state = self.state();
        state.bytes += bytes;
        state.rows += rows;
        let wait = self.load.rate.map_or(Duration::ZERO, |rate| state.pay(now, bytes, rate));
        let due = now.duration_since(state.told) >= WORD;
        if due {
            state.told = now;
        }
        (wait, due.then(|| state.words(now)))
    }
}

/// One chunk that is read.
pub struct Passing<'a> {
    pace: &'a Pace,
    counted: Passed,
    /// What has come, of which the last may not be counted yet.
    seen: Passed,
}

impl Drop for Passing<'_> {
    /// What was too little to be waited for is paid for by whoever reads next.
    fn drop(&mut self) {
        let bytes = self.seen.bytes.saturating_sub(self.counted.bytes);
        self.pace.count(Instant::now(), bytes, self.seen.rows.saturating_sub(self.counted.rows));
    }
}

impl Passing<'_> {
    /// So much of the chunk has been read: waits as long as the rate wants it.
    ///
    /// # Errors
    /// [`ArchiveError::Stopped`] where somebody asked for it.
    pub fn pass(
        &mut self,
        passed: Passed,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), ArchiveError> {
        // A chunk that is read again begins at nothing.
        if passed.bytes < self.counted.bytes {
            self.counted = Passed::default();
        }
        // Whoever begins waits for what others have read before, however little that was.
        let is_first = self.counted == Passed::default();
        self.seen = passed;
        let bytes = passed.bytes - self.counted.bytes;
        if bytes < self.pace.piece() && !is_first {
            return Ok(());
        }
        let now = Instant::now();
        let (wait, words) = self.pace.count(now, bytes, passed.rows.saturating_sub(self.counted.rows));
        self.counted = passed;
        if let Some(words) = words {
            tell(&words);
        }
        let until = now + wait;
        loop {
            if interrupt.is_requested() {
                return Err(ArchiveError::Stopped);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(SLACK));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let Pace { state, .. } = Pace::new(Load::default());
        state.into_inner().unwrap()
    }

    #[test]
    fn no_more_is_read_than_the_rate_allows_however_it_comes() {
        let rate = Bytes(1 << 20);
        for piece in [1_u64, 65_536, 1 << 20, 5 << 20] {
            let mut state = state();
            let start = state.began + Duration::from_secs(9);
            let (mut now, mut read) = (start, 0);
            // Whoever has waited long begins with a tenth of a second's worth at most.
            while now < start + Duration::from_secs(20) {
                read += piece;
                now += state.pay(now, piece, rate);
                let most = (now - start).as_secs_f64() * rate.0 as f64 + 0.11 * rate.0 as f64;
                assert!(read as f64 <= most + 1.0, "{read} in {:?} by pieces of {piece}", now - start);
            }
            assert!(read as f64 >= 19.0 * rate.0 as f64, "{read} by pieces of {piece}");
        }
    }

    #[test]
    fn what_is_too_little_to_be_waited_for_is_counted() {
        let pace = Pace::new(Load { rate: Some(Bytes(1 << 20)), ..Load::default() });
        for chunk in 1..=3 {
            let mut passing = pace.passing();
            for bytes in [PIECE - 9, PIECE - 1] {
                passing.pass(Passed { bytes, rows: 5 }, &Interrupt::default(), &mut |_| {}).unwrap();
            }
            drop(passing);
            let state = pace.state();
            assert_eq!((state.bytes, state.rows), (chunk * (PIECE - 1), chunk * 5));
        }
    }

    #[test]
    fn many_that_are_small_are_waited_for_as_one_that_is_large() {
        let pace = Pace::new(Load { rate: Some(Bytes(100_000)), ..Load::default() });
        let began = Instant::now();
        for _ in 0..12 {
            let mut passing = pace.passing();
            for bytes in [10, 2_000, 5_000] {
                passing.pass(Passed { bytes, rows: 5 }, &Interrupt::default(), &mut |_| {}).unwrap();
            }
        }
        // 60,000 bytes, but for the last chunk's and what may be made up for.
        assert!(began.elapsed() >= Duration::from_millis(440), "{:?}", began.elapsed());
    }

    #[test]
    fn how_far_it_is_is_told_in_rows_bytes_and_time() {
        let mut state = state();
        (state.rows, state.bytes, state.ranges, state.room) = (1_000, 4 << 20, (1, 4), (10, 40));
        let words = state.words(state.began + Duration::from_secs(10));
        assert_eq!(words, "1 of 4 ranges, 1000 rows (100/s), 4.0 MB (409.6 kB/s), about 30 s left");
        (state.ranges, state.room) = ((0, 4), (0, 40));
        assert!(!state.words(state.began + Duration::from_secs(10)).contains("left"));
        assert_eq!([spoken(99), spoken(3000), spoken(7260)], ["99 s", "50 min", "2 h 1 min"]);
    }

    #[test]
    fn what_many_hold_is_what_one_may_hold() {
        let options = Options::default();
        let of = |jobs| Pace::new(Load { jobs, ..Load::default() }).share(options);
        assert_eq!(of(1), options);
        assert!(4 * of(4).held <= options.held && of(4).threads == 1 && of(0) == options);
    }
}
