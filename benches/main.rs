//! What docs/performance.md shows, measured: each figure beside its yardstick, in one run.
//!
//! `cargo bench` prints all tables but `commands` and `fleet`, which take minutes; `cargo bench -- placement
//! triangle` some of them, and `cargo bench -- commands 1000000` that one, of so many nodes. It is
//! a plain program, because most of what is measured takes long enough to be timed once, and
//! because the ratios matter more than the last digit.
#![allow(missing_docs)]

mod apply;
mod change;
mod changes;
mod cluster;
mod commands;
mod cookbook;
mod dataflow;
mod fleet;
mod generate;
mod placement;
mod scheduling;
mod timing;
mod tree;
mod triangle;
mod watching;
mod workload;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((first, arguments)) = arguments.split_first()
        && first == "child"
    {
        commands::child(arguments);
    }
    // `cargo bench` passes --bench; everything else names a table, or says how large it is.
    let named = arguments.into_iter().filter(|arg| !arg.starts_with("--"));
    let (sizes, named): (Vec<String>, Vec<String>) = named.partition(|arg| arg.parse::<usize>().is_ok());
    if let Some((first, arguments)) = named.split_first()
        && first == "generate"
    {
        return generate::run(&sizes, arguments);
    }
    let sizes: Vec<usize> = sizes.iter().flat_map(|size| size.parse()).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|it| it == name);
    if wanted("placement") {
        placement::run();
    }
    if wanted("change") {
        change::run();
        dataflow::run();
    }
    if wanted("triangle") {
        triangle::run();
    }
    if wanted("apply") {
        apply::run();
    }
    if wanted("cluster") {
        cluster::run(&sizes);
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
    // Takes minutes and an etcd, so it has to be named.
    if named.iter().any(|it| it == "fleet") {
        fleet::run(&sizes);
    }
    // Takes minutes, so it has to be named.
    if named.iter().any(|it| it == "commands") {
        commands::run(&sizes);
    }
    if wanted("tree") {
        tree::run();
    }
}
