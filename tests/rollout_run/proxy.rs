//! Between who rolls out and the server: sees each pod that is asked to go, with what it was decided
//! on, and has some of them move right before.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Weak};
use std::thread;

use serde_json::{Value, json};

use super::dice::Dice;
use super::{Cluster, PATCH};

/// What has happened.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    /// Pods that went.
    pub deleted: usize,
    /// Pods that were asked to go, and had moved.
    pub moved: usize,
    /// Times that a runner was killed.
    pub kills: usize,
    /// Looks at all pods right after one went.
    pub looks: usize,
}

impl Counts {
    pub fn add(&mut self, other: Counts) {
        self.deleted += other.deleted;
        self.moved += other.moved;
        self.kills += other.kills;
        self.looks += other.looks;
    }
}

struct Shared {
    /// Not kept alive by who waits for another request: the server goes with it.
    cluster: Weak<Cluster>,
    dice: Mutex<Dice>,
    image: Mutex<String>,
    counts: Mutex<Counts>,
    wrong: Mutex<Vec<String>>,
}

pub struct Proxy {
    pub address: String,
    shared: Arc<Shared>,
}

impl Proxy {
    pub fn listen(cluster: &Arc<Cluster>, seed: u64) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared {
            cluster: Arc::downgrade(cluster),
            dice: Mutex::new(Dice::new(seed + 500)),
            image: Mutex::default(),
            counts: Mutex::default(),
            wrong: Mutex::default(),
        });
        let passing = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (shared, client) = (passing.clone(), client.unwrap());
                // Who was killed hears no answer.
                thread::spawn(move || drop(shared.pass(client)));
            }
        });
        Proxy { address, shared }
    }

    /// To which image pods go from now on.
    pub fn expect(&self, image: &str) {
        image.clone_into(&mut self.shared.image.lock().unwrap());
    }

    pub fn counts(&self) -> Counts {
        self.shared.counts.lock().unwrap().clone()
    }

    /// What was asked for and must not be.
    pub fn wrong(&self) -> Vec<String> {
        self.shared.wrong.lock().unwrap().clone()
    }
}

/// The pod that a request asks to go.
fn going(head: &str) -> Option<&str> {
    let mut words = head.split(' ');
    let (method, path) = (words.next()?, words.next()?.split('?').next()?);
    let pod = path.split_once("/pods/")?.1;
    match method {
        "DELETE" => Some(pod),
        "POST" => pod.strip_suffix("/eviction"),
        _ => None,
    }
}

impl Shared {
    fn pass(&self, mut client: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if client.read(&mut byte)? == 0 {
                return Ok(());
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        client.read_exact(&mut body)?;
        let Some(cluster) = self.cluster.upgrade() else { return Ok(()) };
        let seen = going(&head).map(|pod| (pod, self.before(&cluster, pod, &body)));
        let mut server = TcpStream::connect(&cluster.server.address)?;
        server.write_all(head.trim_end().as_bytes())?;
        server.write_all(b"\r\nConnection: close\r\n\r\n")?;
        server.write_all(&body)?;
        let Some((pod, moved)) = seen else {
            drop(cluster);
            let mut bytes = [0; 8192];
            loop {
                let read = server.read(&mut bytes)?;
                if read == 0 {
                    return Ok(());
                }
                client.write_all(&bytes[..read])?;
            }
        };
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        self.after(&cluster, pod, moved, answer.starts_with(b"HTTP/1.1 2"));
        client.write_all(&answer)
    }

    /// Looks at a pod that is asked to go; says whether it is another than it was decided on.
    fn before(&self, cluster: &Cluster, pod: &str, body: &[u8]) -> bool {
        let options: Value = serde_json::from_slice(body).unwrap_or_default();
        let options = options.get("deleteOptions").unwrap_or(&options);
        let said = &options["preconditions"];
        if !said["uid"].is_string() || !said["resourceVersion"].is_string() {
            self.wrong.lock().unwrap().push(format!("{pod} is asked to go, whatever it is: {options}"));
        }
        let path = format!("{}/{pod}", cluster.path_of_pods());
        let mut dice = self.dice.lock().unwrap();
        if dice.chance(25) {
            let note =
                json!({ "metadata": { "annotations": { "moved": dice.below(1_000_000).to_string() } } });
            cluster.server.json(&format!("PATCH {path}\n{PATCH}"), &note.to_string());
        }
        drop(dice);
        let (_, is) = cluster.server.json(&format!("GET {path}"), "");
        ["uid", "resourceVersion"].iter().any(|it| is["metadata"][it] != said[it])
    }

    fn after(&self, cluster: &Cluster, pod: &str, moved: bool, went: bool) {
        let mut counts = self.counts.lock().unwrap();
        counts.moved += usize::from(moved);
        counts.deleted += usize::from(went);
        if moved && went {
            self.wrong.lock().unwrap().push(format!("{pod} went, though it had moved"));
        }
        if went {
            counts.looks += 1;
            let image = self.image.lock().unwrap().clone();
            if let Err(why) = catch_unwind(AssertUnwindSafe(|| cluster.look(&image))) {
                let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
                self.wrong.lock().unwrap().push(format!("after {pod} went: {why}"));
            }
        }
    }
}
