//! Runs the command line and ends with its exit code.

fn main() -> std::process::ExitCode {
    chronoform::cli::run()
}
