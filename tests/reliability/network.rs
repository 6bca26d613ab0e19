//! R18: what listens, asked by clients that mean no good: others are served meanwhile, memory stays
//! bounded, and nothing but the API answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::base::{Place, daemonset, figure, is_full, node, status};
use crate::dice::Dice;

/// What a listener may grow by, in KiB.
const MOST: u64 = 128 * 1024;

/// A command that listens.
struct Listener {
    _place: Place,
    child: Child,
    address: String,
    what: &'static str,
}

impl Listener {
    fn start(what: &'static str) -> Self {
        let place = Place::new();
        place.write("in/all.yaml", node("n0", "ssd") + &node("n1", "hdd") + &daemonset("agent", "i:1", ""));
        place.ok("apply in -q");
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut child = place.command(&what.replace("FREE", &free)).stdout(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || lines.for_each(drop));
        let listener = Listener { _place: place, child, address: free, what };
        let end = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(&listener.address).is_err() {
            assert!(Instant::now() < end, "{what} does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        listener
    }

    /// The code of an answer, and how long it took.
    fn ask(&self, path: &str) -> (u16, Duration) {
        let start = Instant::now();
        let answer = self.raw(
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).as_bytes(),
        );
        (answer.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0), start.elapsed())
    }

    fn raw(&self, bytes: &[u8]) -> String {
        let Ok(mut stream) = TcpStream::connect(&self.address) else { return String::new() };
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.take(1 << 20).read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    fn memory(&self) -> u64 {
        status(self.child.id(), "VmRSS")
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks as another client would, time and again, and gives the longest wait and how many asked.
fn meanwhile(listener: &Listener, act: impl FnOnce()) -> (Duration, usize) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let (mut longest, mut asked) = (Duration::ZERO, 0);
            while !stop.load(Ordering::Relaxed) || asked == 0 {
                let (code, took) = listener.ask("/healthz");
                assert_eq!(code, 200, "{}: after {asked}", listener.what);
                longest = longest.max(took);
                asked += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            (longest, asked)
        });
        act();
        stop.store(true, Ordering::Relaxed);
        asking.join().unwrap()
    })
}

const LISTENERS: [&str; 2] = ["serve --listen FREE --write", "watch in --listen FREE"];

/// As many connections as asked for, some hundred of them open at once, which say something or nothing.
fn crowd(listener: &Listener, connections: usize) {
    let mut dice = Dice::new(3);
    let mut open = std::collections::VecDeque::new();
    for _ in 0..connections {
        if let Ok(mut stream) = TcpStream::connect(&listener.address) {
            let begun: &[u8] = dice.pick::<&[u8]>(&[
                &b""[..],
                b"G",
                b"GET /me",
                b"GET / HTTP/1.1\r\nHost: ",
                b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nx",
                b"\x16\x03\x01\x02\x00",
            ]);
            let _ = stream.write_all(begun);
            open.push_back(stream);
        }
        if open.len() > 900 {
            open.pop_front();
        }
    }
}

/// Clients that send a byte from time to time.
fn dribble(listener: &Listener, long: Duration) {
    let connect = |_| TcpStream::connect(&listener.address).ok();
    let mut slow: Vec<TcpStream> = (0..200).filter_map(connect).collect();
    let end = Instant::now() + long;
    let mut request =
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ".iter().copied().chain(std::iter::repeat(b'x'));
    while Instant::now() < end {
        let byte = request.next().unwrap();
        slow.iter_mut().for_each(|stream| drop(stream.write_all(&[byte])));
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Heads and bodies without an end.
fn heap(listener: &Listener) {
    let address = &listener.address;
    let host = format!("Host: {address}\r\n");
    let lines = "X-Line: y\r\n".repeat(100_000);
    let long = "x".repeat(8 << 20);
    for request in [
        format!("GET /{long} HTTP/1.1\r\n{host}\r\n"),
        format!("GET / HTTP/1.1\r\n{host}{lines}\r\n"),
        format!("GET / HTTP/1.1\r\n{host}X: {long}\r\n\r\n"),
        format!(
            "POST /api/v1/namespaces HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{long}"
        ),
        format!("POST /api/v1/namespaces HTTP/1.1\r\n{host}Content-Length: 99999999999999999999999\r\n\r\n"),
        format!("{long}\r\n\r\n"),
    ] {
        let answer = listener.raw(request.as_bytes());
        assert!(!answer.starts_with("HTTP/1.1 2"), "{}: {:.200}", listener.what, answer);
    }
}

/// Paths and names that lead elsewhere.
fn tricks(listener: &Listener) -> usize {
    let paths = [
        "/../../etc/passwd",
        "/api/v1/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/api/v1/nodes/..%2f..%2f..%2fetc%2fpasswd",
        "/\\..\\..\\etc\\passwd",
        "/api/v1/namespaces/default/pods/x/exec?command=id",
        "/debug/pprof",
        "/.git/config",
        "/dsrules.db",
        "/api/v1/nodes/%00",
        "file:///etc/passwd",
        "/in/all.yaml",
        "/metrics/../in",
        "/healthz/..",
        "/logs/",
        "/proxy/",
        "/api/v1/nodes/n0/proxy/",
    ];
    for path in paths {
        let answer = listener.raw(
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", listener.address)
                .as_bytes(),
        );
        assert!(
            !answer.starts_with("HTTP/1.1 2") && !answer.contains("root:"),
            "{} {path}: {answer:.300}",
            listener.what
        );
    }
    let hosts = [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "[::1",
        "localhost@evil.example",
        "\u{0}",
    ];
    for host in hosts {
        let answer = listener
            .raw(format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes());
        assert!(!answer.starts_with("HTTP/1.1 2"), "{} {host}: {answer:.300}", listener.what);
    }
    paths.len() + hosts.len()
}

#[test]
fn others_are_served_while_some_mean_no_good() {
    let (connections, long) = if is_full() { (10_000, 20) } else { (1_500, 1) };
    for what in LISTENERS {
        let listener = Listener::start(what);
        let name = what.split(' ').next().unwrap();
        meanwhile(&listener, || ());
        let (before, files) = (listener.memory(), listener.files());
        let (crowded, asked) = meanwhile(&listener, || crowd(&listener, connections));
        let (slow, more) = meanwhile(&listener, || dribble(&listener, Duration::from_secs(long)));
        let (heaped, others) = meanwhile(&listener, || heap(&listener));
        let tried = tricks(&listener);
        let after = listener.memory();
        assert!(after < before + MOST, "{what}: {before} KiB became {after} KiB");
        let end = Instant::now() + Duration::from_secs(60);
        while listener.files() > files + 20 {
            assert!(Instant::now() < end, "{what}: {files} files became {}", listener.files());
            std::thread::sleep(Duration::from_millis(100));
        }
        figure(
            "R18",
            format!(
                "{name}: {connections} connections (others waited {crowded:?} at most, {asked} asked), 200 slow clients ({slow:?}, {more}), \
             heads and bodies of 8 MiB ({heaped:?}, {others}); {before} KiB became {after} KiB; {tried} tricks answered by no 2xx"
            ),
        );
    }
}
