//! What drives a rollout in the simulated cluster, and everything that goes wrong on the way.

use std::sync::OnceLock;
use std::time::Duration;

use dsrules::app::rollout::live::{Answer, Ask, Decider, Drive, Replace, Runner, State};
use dsrules::datalog::Program;
use dsrules::kube::{Kind, ObjectKey};
use dsrules::policy;
use dsrules::state::{OwnFile, OwnKind};
use serde_json::json;

use super::cluster::{Cluster, NAME, NAMESPACE};
use super::dice::Dice;
use super::naive::{self, Heard, Taken};

const RULES: &str = r#"
/// {Node} is in wave {W}.
wave(DaemonSet, Node, W) :- daemonset(DaemonSet), node_number(Node, "wave", W).
/// {Node} is held.
hold(DaemonSet, Node) :- daemonset(DaemonSet), node_label(Node, "hold", "true").
"#;
const DEADLINE: i64 = 300;
const KINDS: [Kind; 4] = [Kind::Node, Kind::DaemonSet, Kind::ControllerRevision, Kind::Pod];

#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Complete,
    Never,
}

/// What happened, how often.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    replaced: usize,
    moved: usize,
    refused: usize,
    lost: usize,
    late: usize,
    killed: usize,
    stopped: usize,
    revised: usize,
    complete: usize,
}

impl Counts {
    pub fn each(&self) -> [(&'static str, usize); 9] {
        [
            ("replaced", self.replaced),
            ("moved", self.moved),
            ("refused", self.refused),
            ("lost", self.lost),
            ("late", self.late),
            ("killed", self.killed),
            ("stopped", self.stopped),
            ("revised", self.revised),
            ("complete", self.complete),
        ]
    }

    pub fn add(&mut self, other: &Counts) {
        self.replaced += other.replaced;
        self.moved += other.moved;
        self.refused += other.refused;
        self.lost += other.lost;
        self.late += other.late;
        self.killed += other.killed;
        self.stopped += other.stopped;
        self.revised += other.revised;
        self.complete += other.complete;
    }
}

/// A request that is carried out only later.
struct Late {
    pod: Replace,
    was_available: bool,
    at: i64,
}

pub struct Host {
    seed: u64,
    random: Dice,
    cluster: Cluster,
    program: &'static Program,
    runner: Runner,
    heard: Heard,
    cursor: usize,
    late: Vec<Late>,
    taken: Taken,
    pub counts: Counts,
}

fn program() -> &'static Program {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    PROGRAM.get_or_init(|| policy::load(&[OwnFile::new("waves.dl", OwnKind::Rules, RULES)]).program.unwrap())
}

fn runner(program: &Program) -> Runner {
    let daemonset = ObjectKey::new(NAMESPACE, NAME);
    let drive = Drive { daemonset, max_unavailable: None, deadline: DEADLINE };
    Runner::new(Decider::new(program, drive), false)
}

impl Host {
    pub fn new(seed: u64) -> Self {
        let mut random = Dice::new(seed);
        let nodes = 1 + random.below(12);
        let waves = random.below(4);
        let most = [json!(1), json!(2), json!("30%"), json!(nodes)][random.below(4)].clone();
        let strategy = match random.below(4) {
            0 => json!({ "type": "OnDelete" }),
            _ => json!({ "type": "OnDelete", "rollingUpdate": { "maxUnavailable": most } }),
        };
        let min_ready = [0, 0, 5, 30][random.below(4)];
        let mut cluster = Cluster::new(nodes, waves, strategy, min_ready, &mut random);
        cluster.revise(random.chance(20));
        let program = program();
        let runner = runner(program);
        let mut host = Host {
            seed,
            random,
            cluster,
            program,
            runner,
            heard: Heard::new(),
            cursor: 0,
            late: Vec::new(),
            taken: Taken::default(),
            counts: Counts::default(),
        };
        host.list();
        host
    }

    fn instant(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.cluster.now).unwrap())
    }

    /// Everything is listed, as at the start.
    fn list(&mut self) {
        for kind in KINDS {
            let objects = self.cluster.objects.iter().filter(|((it, _), _)| *it == kind);
            let objects = objects.map(|(_, value)| value.clone()).collect();
            self.runner.decider.seen.replace(kind, objects, self.cluster.now);
        }
        self.runner.listed();
        self.heard = self.cluster.objects.clone();
        self.cursor = self.cluster.log.len();
    }

    /// Some of what has changed is heard.
    fn hear(&mut self, calm: bool) {
        let behind = self.cluster.log.len() - self.cursor;
        let some = if calm || behind == 0 { behind } else { self.random.below(behind + 1) };
        let changes: Vec<_> = self.cluster.log[self.cursor..self.cursor + some].to_vec();
        for change in changes {
            let place = (change.kind, change.name.clone());
            let namespace = if change.kind.namespaced() { NAMESPACE } else { "" };
            match change.value {
                Some(value) => {
                    self.runner.decider.seen.put(change.kind, value.clone(), self.cluster.now);
                    self.heard.insert(place, value);
                }
                None => {
                    let key = ObjectKey::new(namespace, change.name.clone());
                    self.runner.decider.seen.remove(change.kind, &key);
                    self.heard.remove(&place);
                }
            }
        }
        self.cursor += some;
    }

    pub fn run(&mut self) -> Ended {
        for step in 0..4000 {
            let calm = step > 120;
            self.cluster.now += 1 + i64::try_from(self.random.below(10)).unwrap();
            self.land();
            if self.random.chance(60) || calm {
                self.cluster.control();
            }
            self.cluster.live(&mut self.random, calm);
            self.taken.look(&self.cluster);
            if !calm && self.random.chance(1) {
                self.counts.revised += 1;
                let bad = self.random.chance(10);
                self.cluster.revise(bad);
            }
            self.hear(calm);
            if !calm && self.random.chance(3) {
                self.kill();
            }
            match self.look(calm) {
                State::Goes => {}
                State::Complete => {
                    // What was heard may be old; in truth it is done when nothing is left to hear.
                    if self.cursor == self.cluster.log.len() && self.late.is_empty() {
                        assert!(naive::is_complete(&self.cluster), "rollout {}", self.seed);
                        self.counts.complete += 1;
                        return Ended::Complete;
                    }
                }
                State::Stopped(error) => self.stopped(&error.message),
            }
        }
        Ended::Never
    }

    /// It was stopped at a failed pod: somebody corrects the template, and begins it again.
    fn stopped(&mut self, why: &str) {
        let failed = naive::has_failed(&self.heard, DEADLINE, self.cluster.now);
        assert!(failed, "rollout {}: it was stopped, and nothing failed: {why}", self.seed);
        self.counts.stopped += 1;
        if self.cluster.bad.contains(&self.cluster.wanted()) {
            self.cluster.revise(false);
        }
        self.kill();
    }

    /// It is killed, and begun again. What was on its way is carried out before, or never is.
    fn kill(&mut self) {
        self.counts.killed += 1;
        for it in std::mem::take(&mut self.late) {
            if self.random.chance(50) {
                self.carry_out(&it.pod, it.was_available);
            }
        }
        self.runner = runner(self.program);
        self.list();
    }

    fn look(&mut self, calm: bool) -> State {
        let look = self.runner.look(self.cluster.now, self.instant(), true).unwrap();
        let asked: Vec<Replace> = look
            .asks
            .iter()
            .filter_map(|ask| match ask {
                Ask::Replace(pod) => Some(pod.clone()),
                Ask::Say(_) | Ask::List => None,
            })
            .collect();
        if look.asks.contains(&Ask::List) {
            self.list();
        }
        let nodes: Vec<String> = asked.iter().map(|it| it.node.to_string()).collect();
        let available = naive::check(&self.heard, &nodes, self.cluster.now);
        assert!(asked.is_empty() || !matches!(look.state, State::Stopped(_)), "what is stopped asks");
        for pod in asked {
            let seen = &self.heard[&(Kind::Pod, pod.pod.name.to_string())]["metadata"];
            assert!(seen["uid"] == *pod.uid && seen["resourceVersion"] == *pod.version);
            self.ask(&pod, available.contains(&*pod.node), calm);
        }
        look.state
    }

    fn ask(&mut self, pod: &Replace, was_available: bool, calm: bool) {
        let chance = if calm { 100 } else { self.random.below(100) };
        let answer = match chance {
            0..8 => {
                self.counts.refused += 1;
                Answer::Refused("a budget".into())
            }
            8..13 => {
                self.counts.lost += 1;
                Answer::Unknown("no answer".into())
            }
            13..18 => {
                self.counts.lost += 1;
                self.carry_out(pod, was_available);
                Answer::Unknown("no answer".into())
            }
            18..26 => {
                self.counts.late += 1;
                let at = self.cluster.now + i64::try_from(self.random.below(50)).unwrap();
                self.late.push(Late { pod: pod.clone(), was_available, at });
                Answer::Unknown("no answer".into())
            }
            _ => match self.carry_out(pod, was_available) {
                true => Answer::Granted,
                false => {
                    self.counts.moved += 1;
                    Answer::Moved
                }
            },
        };
        let instant = self.instant();
        self.runner.answered(pod, answer, instant);
    }

    /// A server carries a request out.
    fn carry_out(&mut self, pod: &Replace, was_available: bool) -> bool {
        let name = pod.pod.name.to_string();
        let before = self.cluster.objects.get(&(Kind::Pod, name.clone())).cloned();
        if !self.cluster.delete(&name, &pod.uid, &pod.version) {
            return false;
        }
        let meta = &before.unwrap()["metadata"];
        assert!(meta["uid"] == *pod.uid && meta["resourceVersion"] == *pod.version, "it has moved");
        self.counts.replaced += 1;
        if was_available {
            self.taken.take(&pod.node);
            self.taken.look(&self.cluster);
        }
        true
    }

    fn land(&mut self) {
        let now = self.cluster.now;
        let (due, later) = std::mem::take(&mut self.late).into_iter().partition(|it| it.at <= now);
        self.late = later;
        let due: Vec<Late> = due;
        for it in due {
            self.carry_out(&it.pod, it.was_available);
        }
    }
}
