//! Three machines without a control plane: agents on one shared folder, each with podman of its
//! own, run real containers, roll them out together, and heal.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "agent/fleet.rs"]
mod fleet;
#[allow(dead_code)]
#[path = "podman/machine.rs"]
mod machine;

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fleet::{Fleet, Running, node};
use machine::{Machine, free_port, get_of, is_there};

/// Whatever happens to a pod, it is over by then.
const HEALS: Duration = Duration::from_secs(5);

/// A machine of the fleet: on this one they are told apart by their addresses.
struct Shop {
    name: String,
    address: String,
    machine: Machine,
}

impl Shop {
    fn new(nth: usize) -> Self {
        let shop = Shop {
            name: format!("shop-{nth}"),
            address: format!("127.0.0.{}", nth + 10),
            machine: Machine::new(),
        };
        for image in ["localhost/web:1", "localhost/web:2", "localhost/log:1"] {
            shop.machine.image(image);
        }
        shop
    }

    fn agent(&self, fleet: &Fleet, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
        command.env_remove("DSRULES_DB").env_remove("DSRULES_TREE").env("NO_COLOR", "1");
        command.args(["agent", "--run", "podman", "--node", &self.name, "--address", &self.address]);
        command
            .arg("--source")
            .arg(fleet.source())
            .arg("--db")
            .arg(fleet.path(&format!("{}/agent.db", self.name)));
        command.arg("--reports").arg(fleet.path("reports")).args(["--interval", "500ms"]).args(args);
        for option in self.machine.options() {
            command.arg(format!("--podman-option={option}"));
        }
        let (variable, value) = self.machine.environment();
        command.env(variable, value).current_dir(self.machine.path("empty"));
        command
    }

    fn start(&self, fleet: &Fleet) -> Running {
        Running::start(self.agent(fleet, &[]), fleet.path(&format!("{}.log", self.name)))
    }

    /// Which version answers, and answers that it is ready.
    fn serves(&self, port: u16) -> Option<String> {
        get_of(&self.address, port, "/ready")?;
        get_of(&self.address, port, "/file/version")
    }

    fn pod(&self, of: &str) -> String {
        let pods = self.machine.pods();
        pods.iter().find(|pod| pod.starts_with(&format!("default.{of}-"))).unwrap().clone()
    }
}

fn daemonset(name: &str, image: &str, port: u16) -> String {
    format!(
        "apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: {name}, namespace: default}}
spec:
  minReadySeconds: 1
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      hostNetwork: true
      nodeSelector: {{disk: ssd}}
      terminationGracePeriodSeconds: 1
      containers:
      - name: server
        image: {image}
        command: [/server]
        env:
        - {{name: PORT, value: \"{port}\"}}
        - {{name: ADDRESS, valueFrom: {{fieldRef: {{fieldPath: status.hostIP}}}}}}
        - {{name: READY_AFTER, value: \"1\"}}
        ports: [{{containerPort: {port}}}]
        readinessProbe: {{httpGet: {{path: /ready, port: {port}}}, periodSeconds: 1}}
"
    )
}

/// Polls ten times a second until all is as it should be, and gives how many were down at most.
fn most_down(shops: &[Shop], port: u16, until: impl Fn() -> bool) -> usize {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most = 0;
            while !over.load(Ordering::Relaxed) {
                most = most.max(shops.iter().filter(|shop| shop.serves(port).is_none()).count());
                std::thread::sleep(Duration::from_millis(100));
            }
            most
        });
        let end = Instant::now() + fleet::HANGS;
        while !until() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(100));
        }
        over.store(true, Ordering::Relaxed);
        watcher.join().unwrap()
    })
}

/// Waits for something that must not take longer than healing may.
fn heals(what: &str, agent: &Running, holds: impl Fn() -> bool) {
    let start = Instant::now();
    agent.until(what, holds);
    assert!(start.elapsed() < HEALS, "{what} took {:?}:\n{}", start.elapsed(), agent.said());
}

#[test]
fn three_machines_run_roll_out_and_heal() {
    if !is_there("three_machines_run_roll_out_and_heal") {
        return;
    }
    let (web, log) = (free_port(), free_port());
    let shops: Vec<Shop> = (1..=3).map(Shop::new).collect();
    let fleet = Fleet::new();
    for shop in &shops {
        fleet.write(&format!("nodes/{}.yaml", shop.name), &node(&shop.name, "ssd"));
    }
    fleet.write("web.yaml", &daemonset("web", "localhost/web:1", web));
    fleet.write("log.yaml", &daemonset("log", "localhost/log:1", log));
    let mut agents: Vec<Running> = shops.iter().map(|shop| shop.start(&fleet)).collect();
    for (shop, agent) in shops.iter().zip(&agents) {
        agent.until("both serve", || shop.serves(web).is_some() && shop.serves(log).is_some());
    }
    // Beyond minReadySeconds, and reported.
    std::thread::sleep(Duration::from_secs(4));

    fleet.write("web.yaml", &daemonset("web", "localhost/web:2", web));
    let done = || shops.iter().all(|shop| shop.serves(web).as_deref() == Some("localhost/web:2"));
    let most = most_down(&shops, web, done);
    let said: String = agents.iter().map(Running::said).collect();
    assert!(done(), "the rollout ends:\n{said}");
    assert_eq!(most, 1, "never more are down than maxUnavailable:\n{said}");

    let (shop, agent) = (&shops[0], &agents[0]);
    let container = format!("{}-server", shop.pod("web"));
    let pid = shop.machine.pid(&container);
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    agent.until("it is down", || shop.serves(web).is_none());
    heals("a container that was killed is back", agent, || shop.serves(web).is_some());

    shop.machine.says(&["pod", "rm", "--force", "--time=0", &shop.pod("web")]);
    heals("a pod that was removed by hand is back", agent, || shop.serves(web).is_some());

    // What runs is left alone by an agent that begins anew.
    let before = shop.machine.pid(&format!("{}-server", shop.pod("log")));
    agents.remove(0).end("KILL");
    shop.machine.says(&["pod", "rm", "--force", "--time=0", &shop.pod("web")]);
    let agent = shop.start(&fleet);
    heals("an agent that was killed goes on", &agent, || shop.serves(web).is_some());
    assert_eq!(shop.machine.pid(&format!("{}-server", shop.pod("log"))), before);

    fleet.write(&format!("nodes/{}.yaml", shop.name), &node(&shop.name, "hdd"));
    agent.until("the pods go with the label", || shop.machine.pods().is_empty());
    assert!(shops[1].serves(web).is_some());
    assert_eq!(agent.end("TERM"), Some(0));
}
