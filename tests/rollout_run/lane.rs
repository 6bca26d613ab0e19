//! Rollouts one after the other in a namespace of its own, of several namespaces at a time: each is
//! begun, killed and begun again, while its pods are looked at, become ready, and move.

use std::sync::Arc;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use serde_json::json;

use super::dice::Dice;
use super::proxy::{Counts, Proxy};
use super::{Cluster, NODES, RULES};
use crate::server::Server;

/// Between two looks.
const STEP: Duration = Duration::from_millis(15);

/// Rolls out so many times, on so many lanes, and gives what was done.
pub fn roll_out(rollouts: usize, lanes: usize, seed: usize) -> Counts {
    let server = Arc::new(Server::new(&["--write", "--readiness", "observe"]));
    server.write("waves.dl", RULES);
    let of_lane = |lane: usize| Cluster {
        server: server.clone(),
        namespace: format!("lane-{lane}"),
        kubeconfig: format!("kubeconfig-{lane}"),
    };
    of_lane(0).make_nodes();
    let running: Vec<_> = (0..lanes)
        .map(|lane| {
            let cluster = Arc::new(of_lane(lane));
            let share = rollouts / lanes + usize::from(lane < rollouts % lanes);
            thread::spawn(move || run(&cluster, share, (seed * 1000 + lane) as u64))
        })
        .collect();
    // All of them, so that the server goes though one fails.
    let ended: Vec<_> = running.into_iter().map(thread::JoinHandle::join).collect();
    let mut all = Counts::default();
    ended.into_iter().for_each(|lane| all.add(lane.unwrap()));
    all
}

fn run(cluster: &Arc<Cluster>, rollouts: usize, seed: u64) -> Counts {
    cluster.ok("POST /api/v1/namespaces", &json!({ "metadata": { "name": cluster.namespace } }));
    cluster.make_daemonset();
    let proxy = Proxy::listen(cluster, seed);
    let text = std::fs::read_to_string(cluster.server.file("kubeconfig")).unwrap();
    cluster.server.write(&cluster.kubeconfig, &text.replace(&cluster.server.address, &proxy.address));
    let mut dice = Dice::new(seed);
    let mut kills = 0;
    for nth in 0..rollouts {
        let image = format!("rolled:{}", nth + 2);
        proxy.expect(&image);
        cluster.revise(&image);
        let how: &[&str] = if dice.chance(50) { &[] } else { &["--delete"] };
        for _ in 0..dice.below(4) {
            let mut child = cluster.begin(how);
            for _ in 0..dice.below(100) {
                step(cluster, &image, &mut dice);
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        let mut child = cluster.begin(how);
        let until = Instant::now() + Duration::from_secs(600);
        while child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "it does not end: {:#?}", cluster.pods());
            step(cluster, &image, &mut dice);
        }
        let said = child.wait_with_output().unwrap();
        let text = [said.stdout, said.stderr].map(|it| String::from_utf8(it).unwrap()).concat();
        assert_eq!(said.status.code(), Some(0), "{text}");
        assert!(text.contains(&format!("rolled out: {NODES} pods of the current template, all available")));
        assert!(cluster.is_done(&image), "{:#?}", cluster.pods());
        assert_eq!(proxy.wrong(), Vec::<String>::new());
    }
    Counts { kills, ..proxy.counts() }
}

/// Looks at all pods. Kubelets are slow, so that who does not wait for them is found out.
fn step(cluster: &Cluster, image: &str, dice: &mut Dice) {
    if dice.chance(10) {
        cluster.moment(image, dice.below(3));
    } else {
        cluster.look(image);
    }
    sleep(STEP);
}
