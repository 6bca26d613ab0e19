//! The real binary as a server of the API, and who asks it: kubectl, and plain HTTP.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Two nodes, a namespace and a daemonset, as files a user could write.
pub const CLUSTER: &str = r#"
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {disk: ssd}}
status: {conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2, labels: {disk: hdd}}
status: {conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: logging}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: logging, labels: {app: agent}}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "agent:1"}]}
"#;

/// A server on a store of its own.
pub struct Server {
    dir: TempDir,
    child: Child,
    pub address: String,
}

/// What a command said.
pub struct Said {
    pub ok: bool,
    pub out: String,
    pub err: String,
}

fn dsrules(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
    command.current_dir(dir).env_remove("DSRULES_DB").env("NO_COLOR", "1");
    command
}

impl Server {
    /// Serves a store with [`CLUSTER`].
    pub fn new(options: &[&str]) -> Server {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("cluster.yaml"), CLUSTER).unwrap();
        let applied = dsrules(dir.path()).args(["apply", "-q", "cluster.yaml"]).output().unwrap();
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        Server::begin(dir, options, None)
    }

    /// Serves in a folder with these files, with what comes on stdin perhaps.
    pub fn of(files: &[(&str, &str)], options: &[&str], stdin: Option<&str>) -> Server {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Server::begin(dir, options, stdin)
    }

    fn begin(dir: TempDir, options: &[&str], stdin: Option<&str>) -> Server {
        let mut child = dsrules(dir.path())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(options)
            .env("TMPDIR", dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin.unwrap_or("").as_bytes()).unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the server says where it listens").unwrap();
            if let Some(address) = line.strip_prefix("listening on ").and_then(|it| it.split_once("://")) {
                break address.1.to_owned();
            }
        };
        // Whatever else it says is read, so that it never waits for that.
        std::thread::spawn(move || lines.for_each(drop));
        let server = Server { dir, child, address };
        fs::write(server.file("kubeconfig"), server.kubeconfig()).unwrap();
        server
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
    }

    fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: 'http://{}'}}}}]\n\
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{}}}}]\n\
             current-context: c\n",
            self.address
        )
    }

    /// Another dsrules, on the same store.
    pub fn dsrules(&self, args: &str) -> Said {
        said(dsrules(self.dir.path()).args(args.split_whitespace()))
    }

    /// A kubectl that asks it.
    pub fn kubectl(&self, args: &str) -> Said {
        said(&mut self.kubectl_command(args))
    }

    pub fn kubectl_command(&self, args: &str) -> Command {
        let mut command = Command::new("kubectl");
        command
            .current_dir(self.dir.path())
            .env("KUBECONFIG", self.file("kubeconfig"))
            .env("HOME", self.dir.path())
            .args(["--request-timeout=20s", "--cache-dir=cache"])
            .args(words(args));
        command
    }

    /// What kubectl says, which must be no failure.
    pub fn ok(&self, args: &str) -> String {
        let said = self.kubectl(args);
        assert!(said.ok, "kubectl {args}\n{}{}", said.out, said.err);
        said.out
    }

    /// The code and the body of an answer.
    pub fn http(&self, head: &str, body: &str) -> (u16, String) {
        let (code, _, body) = self.http_with_heads(head, body);
        (code, body)
    }

    /// The same with the heads between them.
    pub fn http_with_heads(&self, head: &str, body: &str) -> (u16, String, String) {
        let (first, rest) = head.split_once('\n').unwrap_or((head, ""));
        let host = if rest.contains("Host:") { String::new() } else { format!("Host: {}\r\n", self.address) };
        let rest: String = rest.lines().map(|line| format!("{line}\r\n")).collect();
        let length =
            if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        // HTTP/1.0, whose answers are not in chunks.
        let text = format!("{first} HTTP/1.0\r\n{host}{rest}{length}Connection: close\r\n\r\n{body}");
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // One who is refused early need not be listened to.
        let _ = stream.write_all(text.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (heads, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let code = heads.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        (code, heads.to_owned(), body.to_owned())
    }

    /// The body of an answer as JSON.
    pub fn json(&self, head: &str, body: &str) -> (u16, Value) {
        let (code, body) = self.http(head, body);
        (code, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{head}: {error}: {body}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Words as a shell splits them, with single quotes.
fn words(text: &str) -> Vec<String> {
    let parts = text.split('\'').enumerate();
    let words = parts.flat_map(|(nth, part)| match nth % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        ok: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Whether kubectl is there; where it is not, says what is skipped.
pub fn has_kubectl(test: &str) -> bool {
    let is_there =
        Command::new("kubectl").args(["version", "--client"]).output().is_ok_and(|it| it.status.success());
    if !is_there {
        // Past the test harness, which shows nothing of a test that passes.
        let line = format!("skipped: {test}: kubectl is not on this machine");
        eprintln!("{line}");
    }
    is_there
}
