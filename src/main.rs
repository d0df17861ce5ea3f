//! Runs the command line and ends with its exit code.

/// Policies and catalogs are many small values, made on several threads: the system's own allocator takes
/// a quarter of a plan's time for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    chronoform::cli::run()
}
