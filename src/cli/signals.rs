//! Ctrl-C, a lost terminal and a polite kill, while a plan is being carried out.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::apply::Interrupt;
use crate::cli::out;
use crate::diag::{Diagnostic, Failure, code};

/// Signals are heard until this is dropped.
pub struct Listening(Handle);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Hears signals on a thread of their own: the first stops after the running statement, the second
/// cancels it.
///
/// # Errors
/// When the system refuses the handlers.
pub fn listen(interrupt: &Interrupt) -> Result<Listening, Failure> {
    let wrong = |error: std::io::Error| {
        Failure::from(Diagnostic::error(&code::INTERNAL, format!("signals cannot be heard: {error}")))
    };
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(wrong)?;
    let handle = signals.handle();
    let interrupt = interrupt.clone();
    std::thread::spawn(move || {
        for _ in signals.forever() {
            let text = match interrupt.request() {
                1 => "\nstopping after the running statement; once more cancels it\n",
                _ => "\ncancelling the running statement\n",
            };
            out::eprint(text);
        }
    });
    Ok(Listening(handle))
}
