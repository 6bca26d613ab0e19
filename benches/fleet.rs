//! Fleets on etcd, all of it real processes but for the agents: what a controller writes beside
//! raw puts of the same size; how fast a replica follows; from a node's label to what its agent
//! says, at 100, 1,000 and 10,000 agents, each a task with a lease that follows its own node; and
//! one controller beside two on a change that touches 1,000 daemonsets.

mod agents;
mod replica;
mod store;
mod thousand;
mod writes;

use std::time::Duration;

use crate::timing::show;
use store::Store;

pub fn run(sizes: &[usize]) {
    println!("\n### fleet\n");
    if sizes.is_empty() {
        writes();
        thousand();
    }
    let sizes = if sizes.is_empty() { &[100, 1_000, 10_000] } else { sizes };
    agents(sizes);
}

/// Pods beside raw puts, and what follows them.
fn writes() {
    println!(
        "| members of etcd | puts, 64 at once | in transactions of 100 | pods by a controller | beside puts | \
         beside transactions | bytes a pod | with etcd's own | a replica lists | it hears | it takes | leases kept |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    for members in [1, 3] {
        let Some(store) = Store::start(members) else { return };
        let wrote = writes::measure(&store);
        let heard = replica::measure(&store);
        println!(
            "| {members} | {:.0}/s | {:.0}/s | {:.0}/s | {:.2} | {:.2} | {} | {} | {:.0} keys/s | {:.0} events/s | {} bytes a pod | {:.0}/s |",
            wrote.alone,
            wrote.together,
            wrote.pods,
            wrote.pods / wrote.alone,
            wrote.pods / wrote.together,
            wrote.bytes,
            wrote.stored,
            heard.listed,
            heard.heard,
            heard.bytes,
            wrote.kept,
        );
    }
}

fn agents(sizes: &[usize]) {
    println!(
        "\n| agents | a node's label to what its agent says, p50 | p99 | a daemonset for all: p50 | p99 | \
         the last | etcd's memory |\n|---|---|---|---|---|---|---|"
    );
    for size in sizes {
        let Some(store) = Store::start(1) else { return };
        let agents::Reactions { all, labels, memory } = agents::measure(&store, *size);
        println!(
            "| {size} | {} | {} | {} | {} | {} | {} MB |",
            show(part(&labels, 50)),
            show(part(&labels, 99)),
            show(part(&all, 50)),
            show(part(&all, 99)),
            show(part(&all, 100)),
            memory / 1_000_000
        );
    }
}

fn thousand() {
    println!(
        "\n| 1,000 daemonsets on 5 nodes | their first pods | another node comes | another image |\n|---|---|---|---|"
    );
    for controllers in [1, 2] {
        let Some(store) = Store::start(1) else { return };
        let thousand::Took { first, node, image } = thousand::measure(&store, controllers);
        println!("| {controllers} controllers | {} | {} | {} |", show(first), show(node), show(image));
    }
}

/// The time within which so many of a hundred were done.
fn part(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}
