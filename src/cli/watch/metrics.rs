//! `/metrics` in Prometheus' text form, and `/healthz`, over plain HTTP.
//!
//! Served on a thread of its own, so it answers while a look is under way. It is for the
//! loopback interface or a network one trusts: it reads one request line and knows
//! nothing of TLS.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dsrules::diagnostic::{Diagnostic, visible};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::connections::Connections;
use super::hosts::is_meant;
use super::keeper::Keeper;
use super::line::Line;

/// Who does not finish its request within this time gets no answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A request's head is at most so long.
const LONGEST: usize = 8192;

/// The numbers, shared with the thread that serves them.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Mutex<Numbers>>);

#[derive(Debug, Default)]
struct Numbers {
    looks: u64,
    failures: u64,
    seconds: f64,
    last: f64,
    actions: BTreeMap<&'static str, u64>,
    gauges: [(&'static str, &'static str, usize); 6],
    problem: Option<String>,
}

impl Metrics {
    /// Counts a look.
    pub fn note(&self, line: &Line, keeper: &Keeper) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.looks += 1;
        numbers.seconds += line.took.as_secs_f64();
        numbers.last = line.took.as_secs_f64();
        for (what, count) in &line.actions {
            *numbers.actions.entry(what).or_default() += *count as u64;
        }
        numbers.problem = keeper.failure().map(|failure| failure.message.clone());
        if numbers.problem.is_some() {
            numbers.failures += 1;
        }
        // The look went well, but what stands in such a file is not known.
        let unread = keeper.unread().next().map(|unread| unread.message.clone());
        numbers.problem = numbers.problem.take().or(unread);
        let folder = keeper.folder();
        let world = keeper.world();
        numbers.gauges = [
            ("files", "Files of the folder.", folder.map_or(0, |folder| folder.len())),
            ("files_in_error", "Files that are not understood.", keeper.broken().len()),
            ("nodes", "Nodes.", world.map_or(0, |world| world.nodes.len())),
            ("daemonsets", "DaemonSets.", world.map_or(0, |world| world.daemonsets.len())),
            ("pods", "Pods.", world.map_or(0, |world| world.pods.len())),
            ("pods_ready", "Pods of daemonsets that are ready.", world.map_or(0, ready)),
        ];
    }

    /// Serves them from a thread of its own, and gives the address.
    /// Requests for other hosts than this one and `hosts` get no answer.
    pub fn serve(&self, address: SocketAddr, hosts: &[String]) -> Result<SocketAddr, Diagnostic> {
        let failed = |error: std::io::Error| {
            Diagnostic::error("listen", format!("cannot listen on `{address}`: {error}"))
                .help("name a free address with `--listen`, as `127.0.0.1:9090`")
        };
        let listener = std::net::TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let metrics = self.clone();
        let hosts: Arc<[String]> = hosts.into();
        let thread = std::thread::Builder::new().name("metrics".to_owned());
        let serve = move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                let mut open = Connections::default();
                loop {
                    match listener.accept().await {
                        Ok((stream, _)) => {
                            let (metrics, hosts) = (metrics.clone(), hosts.clone());
                            let answered = tokio::spawn(async move {
                                let _ = tokio::time::timeout(PATIENCE, metrics.answer(stream, &hosts)).await;
                            });
                            open.admit(answered.abort_handle());
                        }
                        // No file descriptor left, say: others may be given back.
                        Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                    }
                }
            });
        };
        thread.spawn(serve).map_err(failed)?;
        Ok(local)
    }

    async fn answer(&self, mut stream: TcpStream, hosts: &[String]) -> std::io::Result<()> {
        let mut head = Vec::new();
        let mut part = [0; 1024];
        while !head.windows(4).any(|four| four == b"\r\n\r\n") && head.len() < LONGEST {
            match stream.read(&mut part).await? {
                0 => break,
                read => head.extend_from_slice(&part[..read]),
            }
        }
        let line = String::from_utf8_lossy(&head);
        let mut words = line.lines().next().unwrap_or("").split(' ');
        let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let path = path.split('?').next().unwrap_or("");
        let (status, body) = match (method, path) {
            _ if !is_meant(&line, hosts) => {
                ("421 Misdirected Request", "not this host; `--listen-host` allows more\n".to_owned())
            }
            ("GET" | "HEAD", "/metrics") => ("200 OK", self.text()),
            ("GET" | "HEAD", "/healthz") => self.health(),
            ("GET" | "HEAD", _) => ("404 Not Found", "not found\n".to_owned()),
            _ => ("405 Method Not Allowed", "only GET\n".to_owned()),
        };
        let shown = if method == "HEAD" { "" } else { body.as_str() };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{shown}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    }

    fn health(&self) -> (&'static str, String) {
        let numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &numbers.problem {
            None => ("200 OK", "ok\n".to_owned()),
            Some(problem) => ("503 Service Unavailable", format!("{}\n", visible(problem))),
        }
    }

    fn text(&self) -> String {
        let numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, value: String| {
            let _ = write!(
                text,
                "# HELP dsrules_{name} {help}\n# TYPE dsrules_{name} {kind}\ndsrules_{name} {value}\n"
            );
        };
        metric("reconciles_total", "counter", "Looks at the folder.", numbers.looks.to_string());
        metric("reconcile_failures_total", "counter", "Looks that failed.", numbers.failures.to_string());
        metric("reconcile_seconds_total", "counter", "Time spent.", format!("{:.6}", numbers.seconds));
        metric("last_reconcile_seconds", "gauge", "Time the last look took.", format!("{:.6}", numbers.last));
        for (name, help, value) in numbers.gauges.iter().filter(|(name, _, _)| !name.is_empty()) {
            metric(name, "gauge", help, value.to_string());
        }
        text.push_str("# HELP dsrules_actions_total What was done.\n# TYPE dsrules_actions_total counter\n");
        for (what, count) in &numbers.actions {
            let _ = writeln!(text, "dsrules_actions_total{{action=\"{what}\"}} {count}");
        }
        text
    }
}

/// The pods that the statuses count as ready: looking at each pod would take too long.
fn ready(world: &dsrules::state::World) -> usize {
    let ready = world.daemonsets.values().map(|daemonset| daemonset.status.number_ready);
    usize::try_from(ready.sum::<i64>()).unwrap_or(0)
}
