//! Ctrl-C, a lost terminal and a polite kill, while a plan is being carried out.

use std::os::raw::c_int;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::apply::Interrupt;
use crate::cli::out;
use crate::diag::{Diagnostic, Exit, Failure, code};

/// Signals are heard until this is dropped.
pub struct Listening(Handle);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Hears signals on a thread of their own: the first stops after the running statement, the second
/// cancels it, and the third ends the process: where the server is not heard any more, nothing ends by itself.
///
/// # Errors
/// When the system refuses the handlers.
pub fn listen(interrupt: &Interrupt) -> Result<Listening, Failure> {
    let wrong = |error: std::io::Error| {
        Failure::from(Diagnostic::error(&code::INTERNAL, format!("signals cannot be heard: {error}")))
    };
    // What whoever started this had ignored stays so: `nohup` means a hangup to be none.
    let ignored = ignored();
    let heard = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !ignored.contains(signal));
    let mut signals = Signals::new(heard).map_err(wrong)?;
    let handle = signals.handle();
    let interrupt = interrupt.clone();
    std::thread::spawn(move || {
        for _ in signals.forever() {
            match interrupt.request() {
                1 => out::eprint("\nstopping after the running statement; once more cancels it\n"),
                2 => out::eprint("\ncancelling the running statement; once more ends without waiting for it\n"),
                _ => end_at_once(),
            }
        }
    });
    Ok(Listening(handle))
}

#[expect(clippy::exit, reason = "whoever asks a third time is kept waiting by nothing")]
fn end_at_once() {
    out::eprint(
        "\nended without waiting for the running statement: do the same again, and it begins by looking at what is really there\n",
    );
    std::process::exit(Exit::Partial as i32)
}

/// The signals that this process was started to ignore, as far as the system tells.
fn ignored() -> Vec<c_int> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    mask(&status).map(|mask| (1..64).filter(|signal| mask & (1_u64 << (signal - 1)) != 0).collect()).unwrap_or_default()
}

/// The mask of ignored signals in the kernel's account of a process.
fn mask(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_what_is_ignored() {
        assert_eq!(mask("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"), Some(0x1001));
        assert_eq!(mask("Name:\tx\n"), None);
    }
}
