//! Arguments in, exit code out.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::expect_used))]

mod cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
