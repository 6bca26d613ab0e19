//! What docs/performance.md shows, measured: each figure beside its yardstick, in one run.
//!
//! `cargo bench` prints all tables; `cargo bench -- placement triangle` some of them. It
//! is a plain program, because most of what is measured takes long enough to be timed
//! once, and because the ratios matter more than the last digit.
#![allow(missing_docs)]

mod apply;
mod change;
mod cookbook;
mod generate;
mod placement;
mod scheduling;
mod timing;
mod triangle;
mod watching;
mod workload;

fn main() {
    // `cargo bench` passes --bench; everything else names a table.
    let named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if let Some((first, arguments)) = named.split_first()
        && first == "generate"
    {
        return generate::run(arguments);
    }
    let wanted = |name: &str| named.is_empty() || named.iter().any(|it| it == name);
    if wanted("placement") {
        placement::run();
    }
    if wanted("change") {
        change::run();
    }
    if wanted("triangle") {
        triangle::run();
    }
    if wanted("apply") {
        apply::run();
    }
    if wanted("cookbook") {
        cookbook::run();
    }
    if wanted("scheduling") {
        scheduling::run();
    }
    if wanted("watch") {
        watching::run();
    }
}
