//! The only place that writes to standard output and standard error.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::args::Color;

/// Whether anything was printed, and whether some of it was lost.
static PRINTED: AtomicBool = AtomicBool::new(false);
static LOST: AtomicBool = AtomicBool::new(false);

/// Writes to standard output. A reader that has gone away (`| head`) is no error; anything else
/// that keeps the text from arriving is, see [`is_lost`].
pub fn print(text: &str) {
    PRINTED.store(true, Ordering::Relaxed);
    let mut stream = io::stdout().lock();
    if let Err(error) = stream.write_all(text.as_bytes()).and_then(|()| stream.flush())
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// Whether anything was printed.
pub fn has_printed() -> bool {
    PRINTED.load(Ordering::Relaxed)
}

/// Whether something that was printed did not arrive: the disk is full, say.
pub fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Writes to standard error.
pub fn eprint(text: &str) {
    write_quietly(&mut io::stderr().lock(), text);
}

fn write_quietly(stream: &mut dyn Write, text: &str) {
    // There is nobody left to tell when the stream itself is gone.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Prints what the command-line parser has to say: help and version are no errors, and wrong usage
/// ends with 1, since 2 means differences.
pub fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(u8::from(error.use_stderr()))
}

/// Whether a stream gets colour.
pub fn wants_color(choice: Color, stream: &impl IsTerminal) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

/// Whether standard output is a terminal whose locale is not UTF-8. Where no locale is set at all,
/// as in many containers, the terminal is trusted.
pub fn is_ascii_terminal() -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(std::env::var_os).find(|value| !value.is_empty());
    let other = |locale: &str| !locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    io::stdout().is_terminal() && locale.is_some_and(|locale| locale.to_str().is_none_or(other))
}

/// How many columns to fill: the terminal's, or 100 where there is none.
pub fn width() -> usize {
    match console::Term::stdout().size_checked() {
        Some((_, columns)) => usize::from(columns).clamp(60, 160),
        None => 100,
    }
}

/// Asks on the terminal; only the word `yes` is consent. `None` where nobody can be asked.
pub fn confirm(question: &str) -> Option<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return None;
    }
    eprint(&format!("{question} Only `yes` is taken for an answer: "));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).ok()?;
    Some(answer.trim() == "yes")
}
