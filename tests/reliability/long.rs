//! R15: a long run at full speed: memory, file handles, and no change missed. `DSRULES_SECONDS`
//! says how long; an hour is the full form.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::time::{Duration, Instant};

use crate::base::{Place, daemonset, figure, is_full, memory, node, try_pods};
use crate::dice::Dice;

const NODES: usize = 20;

fn seconds() -> u64 {
    let asked = std::env::var("DSRULES_SECONDS").ok().and_then(|it| it.parse().ok());
    asked.unwrap_or(if is_full() { 3_600 } else { 4 })
}

/// A command that runs until it is stopped.
pub struct Running(Child);

impl Running {
    fn start(place: &Place, line: &str) -> Self {
        let mut command = place.command(line);
        // The clock goes on here.
        command.env_remove("DSRULES_NOW");
        let mut child = command.spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        std::thread::spawn(move || BufReader::new(out).lines().for_each(drop));
        std::thread::spawn(move || BufReader::new(err).lines().for_each(drop));
        Running(child)
    }

    fn id(&self) -> u32 {
        self.0.id()
    }

    fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.id())).map_or(0, Iterator::count)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The manifests as they are at some moment, and the pods that they come to.
#[derive(Clone)]
struct Fleet {
    disks: Vec<&'static str>,
    daemonsets: Vec<Option<&'static str>>,
    image: usize,
}

impl Fleet {
    fn new() -> Self {
        Fleet { disks: vec!["ssd"; NODES], daemonsets: vec![Some(""), Some("ssd"), Some("hdd")], image: 0 }
    }

    fn write(&self, place: &Place, name: &str, text: &str) {
        // As editors do: beside it, and renamed.
        place.write(&format!("new-{name}"), text);
        fs::rename(place.path(&format!("new-{name}")), place.path("in").join(name)).unwrap();
    }

    fn write_all(&self, place: &Place) {
        fs::create_dir_all(place.path("in")).unwrap();
        (0..NODES).for_each(|nth| {
            self.write(place, &format!("n{nth}.yaml"), &node(&format!("n{nth}"), self.disks[nth]))
        });
        (0..self.daemonsets.len()).for_each(|nth| self.write_daemonset(place, nth));
    }

    fn write_daemonset(&self, place: &Place, nth: usize) {
        let name = format!("d{nth}.yaml");
        match self.daemonsets[nth] {
            Some(disk) => {
                self.write(place, &name, &daemonset(&format!("d{nth}"), &format!("i:{}", self.image), disk))
            }
            None => drop(fs::remove_file(place.path("in").join(name))),
        }
    }

    fn edit(&mut self, place: &Place, dice: &mut Dice) {
        if dice.chance(60) {
            let nth = dice.below(NODES);
            self.disks[nth] = *dice.pick(&["ssd", "hdd"]);
            self.write(place, &format!("n{nth}.yaml"), &node(&format!("n{nth}"), self.disks[nth]));
        } else {
            let nth = 1 + dice.below(2);
            self.image = (self.image + 1) % 5;
            self.daemonsets[nth] = *dice.pick(&[None, Some("ssd"), Some("hdd"), Some("")]);
            self.write_daemonset(place, nth);
        }
    }

    fn expected(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (nth, wants) in self.daemonsets.iter().enumerate() {
            let Some(wants) = wants else { continue };
            let fitting =
                self.disks.iter().enumerate().filter(|(_, disk)| wants.is_empty() || *disk == wants);
            all.extend(fitting.map(|(node, _)| format!("d{nth} on n{node}")));
        }
        all.sort();
        all
    }
}

/// Waits until the store is so.
fn comes_to(store: &std::path::Path, expected: &[String], what: &str) {
    let end = Instant::now() + Duration::from_secs(60);
    while !try_pods(store).is_ok_and(|pods| pods == expected) {
        assert!(Instant::now() < end, "{what}: {:?}", try_pods(store));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What is measured from time to time: the highest in the first part of the time, and at the end.
#[derive(Default)]
struct Gauge {
    early: u64,
    late: u64,
    files: Vec<usize>,
}

impl Gauge {
    fn take(&mut self, running: &Running, part: f64) {
        let now = memory(running.id());
        if part < 0.3 {
            self.early = self.early.max(now)
        } else {
            self.late = self.late.max(now)
        }
        self.files.push(running.files());
    }

    fn check(&self, what: &str) -> String {
        // What has just begun has not yet taken all that it needs.
        if seconds() >= 60 {
            assert!(
                self.late * 100 <= self.early * 105,
                "{what}: {} KiB became {} KiB",
                self.early,
                self.late
            );
        }
        let (least, most) = (self.files.iter().min().unwrap(), self.files.iter().max().unwrap());
        format!(
            "{} KiB in the first 30%, then at most {} KiB; {least} to {most} files open",
            self.early, self.late
        )
    }
}

#[test]
fn watch_misses_no_change() {
    let place = Place::new();
    let mut fleet = Fleet::new();
    fleet.write_all(&place);
    let running = Running::start(&place, "watch in --debounce 1ms --max-delete 100% --tree pods");
    comes_to(&place.path("dsrules.db"), &fleet.expected(), "watch begins");
    let (mut dice, mut gauge, mut edits) = (Dice::new(15), Gauge::default(), 0);
    let start = Instant::now();
    let long = Duration::from_secs(seconds());
    while start.elapsed() < long {
        for _ in 0..1 + dice.below(6) {
            fleet.edit(&place, &mut dice);
            edits += 1;
        }
        comes_to(&place.path("dsrules.db"), &fleet.expected(), &format!("after {edits} edits"));
        gauge.take(&running, start.elapsed().as_secs_f64() / long.as_secs_f64());
    }
    figure(
        "R15",
        format!("watch, {} s, {edits} edits, none missed: {}", long.as_secs(), gauge.check("watch")),
    );
}

#[test]
fn an_agent_misses_no_change() {
    let place = Place::new();
    let mut fleet = Fleet::new();
    fleet.write_all(&place);
    let running = Running::start(
        &place,
        "agent --node n0 --source in --db agent.db --tree pods --interval 100ms --wave-every 0s --max-delete 100%",
    );
    let own = |fleet: &Fleet| {
        fleet.expected().into_iter().filter(|pod| pod.ends_with(" on n0")).collect::<Vec<_>>()
    };
    comes_to(&place.path("agent.db"), &own(&fleet), "the agent begins");
    let (mut dice, mut gauge, mut edits) = (Dice::new(16), Gauge::default(), 0);
    let start = Instant::now();
    let long = Duration::from_secs(seconds());
    while start.elapsed() < long {
        for _ in 0..1 + dice.below(6) {
            fleet.edit(&place, &mut dice);
            edits += 1;
        }
        comes_to(&place.path("agent.db"), &own(&fleet), &format!("after {edits} edits"));
        gauge.take(&running, start.elapsed().as_secs_f64() / long.as_secs_f64());
    }
    figure(
        "R15",
        format!("agent, {} s, {edits} edits, none missed: {}", long.as_secs(), gauge.check("agent")),
    );
}

/// A request over a connection of its own; the whole answer.
pub fn ask(address: &str, request: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(address) else { return String::new() };
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The head of a request.
pub fn head(address: &str, method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n{more}\r\n")
}

/// A store that is served, to be written to, and where.
pub fn serving(place: &Place, more: &str) -> (Running, String) {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let running = Running::start(place, &format!("serve --write --listen {address}{more}"));
    let begun = Instant::now();
    while !ask(&address, &head(&address, "GET", "/healthz", "")).contains(" 200 ") {
        assert!(begun.elapsed() < Duration::from_secs(30), "serve does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
    (running, address)
}

#[test]
fn serve_answers_for_a_long_time() {
    let place = Place::new();
    let fleet = Fleet::new();
    fleet.write_all(&place);
    place.ok("apply in -q");
    let (running, address) = serving(&place, "");
    let head = |method: &str, path: &str, more: &str| head(&address, method, path, more);
    let (mut dice, mut gauge, mut asked) = (Dice::new(17), Gauge::default(), 0);
    let start = Instant::now();
    let long = Duration::from_secs(seconds());
    while start.elapsed() < long {
        let nth = dice.below(NODES);
        let disk = *dice.pick(&["ssd", "hdd"]);
        let patch = format!("{{\"metadata\":{{\"labels\":{{\"disk\":\"{disk}\"}}}}}}");
        let heads =
            format!("Content-Type: application/merge-patch+json\r\nContent-Length: {}\r\n", patch.len());
        let answer = ask(&address, &(head("PATCH", &format!("/api/v1/nodes/n{nth}"), &heads) + &patch));
        assert!(answer.contains(" 200 "), "{answer:.300}");
        // What was written is there at once, and what follows from it.
        let answer = ask(&address, &head("GET", &format!("/api/v1/nodes/n{nth}"), ""));
        assert!(answer.contains(&format!("\"disk\":\"{disk}\"")), "{answer:.600}");
        let watch = ask(
            &address,
            &head("GET", "/api/v1/pods?watch=1&timeoutSeconds=1&limit=1", "")
                .replace(
                    "timeoutSeconds=1",
                    if asked % 50 == 0 { "timeoutSeconds=1" } else { "timeoutSeconds=0" },
                )
                .replace("watch=1&timeoutSeconds=0", "limit=5"),
        );
        assert!(watch.contains(" 200 "), "{watch:.300}");
        asked += 3;
        gauge.take(&running, start.elapsed().as_secs_f64() / long.as_secs_f64());
    }
    figure(
        "R15",
        format!("serve --write, {} s, {asked} requests, each seen: {}", long.as_secs(), gauge.check("serve")),
    );
}
