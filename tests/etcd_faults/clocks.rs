//! A controller and an agent in this process, whose clock can be set.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dsrules::app::Database;
use dsrules::app::agent::stored::{self, Resident};
use dsrules::app::controller::{Drive, Manifests, Request};
use dsrules::app::shared::Stop;
use dsrules::etcd::Access;
use dsrules::manifest::Options;
use dsrules::policy;
use dsrules::source::OwnNode;
use dsrules::target::simulated::Simulated;

/// Long enough for a lease not to end because the machine is busy.
const LEASE: i64 = 30;

/// By how many seconds the clock is wrong.
static OFF: AtomicI64 = AtomicI64::new(0);

fn clock() -> i64 {
    jiff::Timestamp::now().as_second() + OFF.load(Ordering::SeqCst)
}

/// Sets the clock of all that are here, by so many seconds from the right time.
pub fn set(seconds: i64) {
    OFF.store(seconds, Ordering::SeqCst);
}

/// Something that runs until this goes.
pub struct Running {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn controller(store: &str, id: &str, manifests: &Path) -> Running {
        let options = Options { recursive: true, ..Options::default() };
        let request = Request {
            access: Access::parse(store).unwrap(),
            name: id.into(),
            seconds: LEASE,
            program: policy::load(&[]).program.unwrap(),
            manifests: Some(Manifests::new(manifests.to_owned(), options)),
            clock,
        };
        let mut drive = Drive::new(request).unwrap();
        let stop = drive.stopper();
        Running { stop, thread: Some(std::thread::spawn(move || drive.run(&mut |_, _| {}))) }
    }

    pub fn agent(store: &str, node: &str, db: &Path) -> Running {
        let (store, node, db) = (store.to_owned(), node.to_owned(), db.to_owned());
        let (tell, told) = channel();
        let thread = std::thread::spawn(move || {
            let mut resident = Resident::new(asked(&store, &node, db)).unwrap();
            tell.send(resident.stopper()).unwrap();
            resident.run(&mut |_| {});
        });
        Running { stop: told.recv().unwrap(), thread: Some(thread) }
    }
}

fn asked(store: &str, node: &str, path: PathBuf) -> stored::Request {
    let (labels, taints, addresses) = (Vec::new(), Vec::new(), Vec::new());
    stored::Request {
        access: Access::parse(store).unwrap(),
        database: Database { path, wait: Duration::from_secs(5), ..Database::default() },
        node: OwnNode { name: node.into(), file: None, labels, taints, addresses },
        runtime: Some(Arc::new(Simulated::new(clock))),
        tree: None,
        seconds: LEASE,
        interval: Duration::from_secs(1),
        clock: (clock as fn() -> i64, Instant::now as fn() -> Instant),
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
