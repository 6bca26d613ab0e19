//! etcd for tests: real processes on loopback with free ports and folders of their own, which end
//! with the test, and can be killed, stopped, wiped and started again before that.
#![allow(dead_code)]

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Some members that are one etcd.
pub struct Members {
    folder: TempDir,
    members: Vec<Member>,
    args: Vec<String>,
}

struct Member {
    child: Option<Child>,
    client: u16,
    peer: u16,
    /// Where the others find it.
    reached: String,
}

/// Whether there is an etcd on this machine; says so where not.
pub fn is_there() -> bool {
    let runs = |(program, arg): &(&str, &str)| {
        Command::new(program).arg(arg).output().is_ok_and(|it| it.status.success())
    };
    let missing = [("etcd", "--version"), ("etcdctl", "version")].into_iter().find(|it| !runs(it));
    if let Some((name, _)) = missing {
        println!("skipped: there is no {name} on this machine");
    }
    missing.is_none()
}

impl Members {
    /// Starts so many; nothing where there is no etcd on this machine.
    pub fn start(count: usize) -> Option<Members> {
        Members::with(count, &[])
    }

    /// The same with arguments for each.
    pub fn with(count: usize, args: &[&str]) -> Option<Members> {
        Members::through(count, args, str::to_owned)
    }

    /// The same; where one listens for the others, to where the others are told that it is, is said
    /// by `way`. It may be asked again.
    pub fn through(count: usize, args: &[&str], mut way: impl FnMut(&str) -> String) -> Option<Members> {
        if !is_there() {
            return None;
        }
        let args: Vec<String> = args.iter().map(|&it| it.to_owned()).collect();
        // Somebody else may take a port between here and there.
        for _ in 0..5 {
            let folder = TempDir::with_prefix("dsrules-etcd-").unwrap();
            let ports = free_ports(2 * count);
            let member = |ports: &[u16]| {
                let (client, peer) = (ports[0], ports[1]);
                Member { child: None, client, peer, reached: way(&format!("127.0.0.1:{peer}")) }
            };
            let members = ports.chunks(2).map(member).collect();
            let mut members = Members { folder, members, args: args.clone() };
            (0..count).for_each(|at| members.run(at, "new"));
            if members.wait() {
                return Some(members);
            }
        }
        panic!("etcd did not start");
    }

    /// Where members listen, as `127.0.0.1:2379,…`.
    pub fn endpoints(&self) -> String {
        let all: Vec<String> = (0..self.members.len()).map(|at| self.endpoint(at)).collect();
        all.join(",")
    }

    /// Where one listens.
    pub fn endpoint(&self, at: usize) -> String {
        format!("127.0.0.1:{}", self.members[at].client)
    }

    /// All of them as a store with a prefix.
    pub fn store(&self, prefix: &str) -> String {
        format!("etcd://{}/{prefix}", self.endpoints())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.members.len()
    }

    /// The process of one that runs.
    pub fn pid(&self, at: usize) -> Option<u32> {
        self.members[at].child.as_ref().map(Child::id)
    }

    /// Ends one at once.
    pub fn kill(&mut self, at: usize) {
        if let Some(mut child) = self.members[at].child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Lets one stand still.
    pub fn stop(&self, at: usize) {
        self.signal(at, Signal::STOP);
    }

    /// Lets it go on.
    pub fn go_on(&self, at: usize) {
        self.signal(at, Signal::CONT);
    }

    fn signal(&self, at: usize, signal: Signal) {
        if let Some(child) = &self.members[at].child {
            kill_process(Pid::from_child(child), signal).unwrap();
        }
    }

    /// Starts one again that was ended.
    pub fn start_again(&mut self, at: usize) {
        self.run(at, "existing");
    }

    /// Takes the data of one away that was ended, and puts a new one in its place.
    pub fn replace(&mut self, at: usize) {
        let others: Vec<usize> = (0..self.members.len()).filter(|it| *it != at).collect();
        let through = self.endpoint(others[0]);
        etcdctl(&through, &["member", "remove", &self.number(at)]);
        fs::remove_dir_all(self.data(at)).unwrap();
        let peer = format!("--peer-urls=http://{}", self.members[at].reached);
        etcdctl(&through, &["member", "add", &format!("m{at}"), &peer]);
        self.run(at, "existing");
    }

    /// The number by which etcd knows one.
    pub fn number(&self, at: usize) -> String {
        let through = (0..self.members.len()).find(|other| *other != at).unwrap_or(at);
        let listed = etcdctl(&self.endpoint(through), &["member", "list"]);
        let name = format!(" m{at},");
        let line = listed.lines().find(|line| line.contains(&name)).unwrap();
        line.split(',').next().unwrap().to_owned()
    }

    /// The one that leads.
    pub fn leader(&self) -> usize {
        let leads = |at: &usize| {
            let said = try_etcdctl(&self.endpoint(*at), &["endpoint", "status"]);
            said.is_ok_and(|said| said.split(", ").nth(4) == Some("true"))
        };
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(at) = (0..self.members.len()).find(leads) {
                return at;
            }
            assert!(Instant::now() < until, "nobody leads");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until each that runs has a leader.
    pub fn wait(&self) -> bool {
        let until = Instant::now() + Duration::from_secs(20);
        let is_up = |at: &usize| {
            let endpoint = self.endpoint(*at);
            TcpStream::connect(&endpoint).is_ok()
                && Command::new("etcdctl")
                    .env("ETCDCTL_API", "3")
                    .args(["--endpoints", &endpoint, "--command-timeout=2s", "get", "x"])
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .is_ok_and(|status| status.success())
        };
        let running: Vec<usize> =
            (0..self.members.len()).filter(|at| self.members[*at].child.is_some()).collect();
        while Instant::now() < until {
            if running.iter().all(is_up) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }

    fn data(&self, at: usize) -> PathBuf {
        self.folder.path().join(format!("m{at}"))
    }

    fn run(&mut self, at: usize, state: &str) {
        let peer = |member: &Member| format!("http://{}", member.reached);
        let all: Vec<String> =
            self.members.iter().enumerate().map(|(at, member)| format!("m{at}={}", peer(member))).collect();
        let (client, own) = (format!("http://{}", self.endpoint(at)), peer(&self.members[at]));
        let listens = format!("http://127.0.0.1:{}", self.members[at].peer);
        let log =
            File::options().create(true).append(true).open(self.folder.path().join(format!("m{at}.log")));
        let log = log.unwrap();
        let child = Command::new("etcd")
            .args(["--name", &format!("m{at}")])
            .arg("--data-dir")
            .arg(self.data(at))
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &listens, "--initial-advertise-peer-urls", &own])
            .args(["--initial-cluster", &all.join(","), "--initial-cluster-state", state])
            .args(["--heartbeat-interval", "50", "--election-timeout", "500"])
            .args(["--strict-reconfig-check=false"])
            .args(["--logger", "zap", "--log-level", "warn"])
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.members[at].child = Some(child.unwrap());
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        (0..self.members.len()).for_each(|at| self.kill(at));
    }
}

/// What etcdctl says.
pub fn etcdctl(endpoint: &str, args: &[&str]) -> String {
    try_etcdctl(endpoint, args).unwrap_or_else(|error| panic!("etcdctl {args:?}: {error}"))
}

fn try_etcdctl(endpoint: &str, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new("etcdctl");
    let command = command.env("ETCDCTL_API", "3");
    let out = command.args(["--endpoints", endpoint, "--command-timeout=20s"]).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if out.status.success() { Ok(text(out.stdout)) } else { Err(text(out.stderr)) }
}

/// Ports that nobody listens on, all different.
pub fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
    held.iter().map(|it| it.local_addr().unwrap().port()).collect()
}
