//! An agent of a store that many share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dsrules::app::Database;
use dsrules::app::agent::stored::{Request, Resident, Told};
use dsrules::diagnostic::counted;
use dsrules::etcd::Access;
use dsrules::source::OwnNode;
use dsrules::target::runtime::Runtime;
use dsrules::target::tree::Destination;

use crate::cli::commands::controller::on_signal;
use crate::cli::context::{Context, clock};
use crate::cli::exit::{Exit, Failure};

/// What such an agent is told.
pub struct Asked {
    pub access: Access,
    pub database: Database,
    pub node: OwnNode,
    pub runtime: Option<Arc<dyn Runtime>>,
    pub tree: Option<Destination>,
    pub lease: Duration,
    pub interval: Duration,
}

/// Runs until a signal comes.
pub fn run(asked: Asked, context: &mut Context) -> Result<Exit, Failure> {
    let Asked { access, database, node, runtime, tree, lease, interval } = asked;
    let seconds = i64::try_from(lease.as_secs()).unwrap_or(10).max(1);
    let clock = (clock as fn() -> i64, Instant::now as fn() -> Instant);
    let request = Request { access, database, node, runtime, tree, seconds, interval, clock };
    let mut resident = Resident::new(request)?;
    let stop = resident.stopper();
    on_signal(move || stop.stop())?;
    resident.run(&mut |told| match told {
        Told::Round(done, written) => context.note(&line(&done, written)),
        Told::Trouble(trouble) => context.tell(vec![trouble]),
        Told::Note(note) => context.note(&note),
    });
    Ok(Exit::Done)
}

/// A round as a line.
fn line(done: &[&str], written: usize) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for what in done {
        match counts.iter_mut().find(|(it, _)| it == what) {
            Some((_, count)) => *count += 1,
            None => counts.push((what, 1)),
        }
    }
    let done = counts.iter().map(|(what, count)| match what.split_once(' ') {
        Some(("pods", does)) => format!("{} {does}", counted(*count, "pod")),
        _ => format!("{count} {what}"),
    });
    let statuses = if written == 1 { "status" } else { "statuses" };
    done.chain(std::iter::once(format!("{written} {statuses} written"))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_told_in_words() {
        assert_eq!(line(&["pods started"], 1), "1 pod started, 1 status written");
        let done = ["pods started", "pods stopped", "pods started"];
        assert_eq!(line(&done, 0), "2 pods started, 1 pod stopped, 0 statuses written");
    }
}
