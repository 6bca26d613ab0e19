//! `cluster`: a plan of a live cluster over HTTP, as `dsrules serve` serves it on this machine:
//! 5,000 nodes and 30 daemonsets, or as many nodes as are named. Server and client share its cores.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{commands, generate, timing};

const DAEMONSETS: usize = 30;

pub fn run(sizes: &[usize]) {
    let sizes = if sizes.is_empty() { &[5_000] } else { sizes };
    println!("\n### cluster\n\n| a live cluster over HTTP | time | memory |\n|---|---|---|");
    for nodes in sizes {
        let folder = tempfile::tempdir().expect("a place for files");
        let mut server = serve(*nodes, folder.path());
        for arguments in
            [&["plan", "--cluster"][..], &["explain", "-n", "fleet", "ds-0003", "node-000042", "--cluster"]]
        {
            let costs = (0..3)
                .map(|_| commands::cost(Path::new(env!("CARGO_BIN_EXE_dsrules")), folder.path(), arguments));
            match costs.min_by_key(|cost| cost.as_ref().map_or(u128::MAX, |(time, _)| time.as_nanos())) {
                Some(Ok((time, kilobytes))) => println!(
                    "| {} of {nodes} nodes x {DAEMONSETS} daemonsets | {} | {} MB |",
                    arguments[0],
                    timing::show(time),
                    kilobytes / 1_000
                ),
                other => println!("| {} | failed: {other:?} | |", arguments[0]),
            }
        }
        let _ = server.kill();
        let _ = server.wait();
    }
}

/// A server of a store with all pods on their nodes, and a kubeconfig that names it.
fn serve(nodes: usize, folder: &Path) -> Child {
    std::fs::write(folder.join("all.json"), generate::list(nodes, DAEMONSETS))
        .expect("the input can be written");
    let dsrules = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
        command.current_dir(folder);
        command
    };
    let applied =
        dsrules().args(["apply", "-q", "all.json"]).stdout(Stdio::null()).status().expect("it runs");
    assert!(applied.success(), "the input can be applied");
    let mut server =
        dsrules().args(["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(server.stderr.take().expect("it is piped")).lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("listening on")).expect("it says where it listens");
    let address = line.rsplit(' ').next().expect("the last word is the address").to_owned();
    std::thread::spawn(move || lines.for_each(drop));
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: '{address}'}}}}]\n\
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{}}}}]\ncurrent-context: c\n"
    );
    std::fs::write(folder.join("kubeconfig"), kubeconfig).expect("it can be written");
    server
}
