//! A machine of its own for a test: podman with its own storage, and images of the small
//! server. Everything of it is gone when the test ends.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// What podman needs to run as root in a container without systemd.
const CONTAINERS_CONF: &str = r#"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
"#;

/// Why no containers can be run here; `None` where they can.
pub fn missing() -> Option<String> {
    static WHY: OnceLock<Option<String>> = OnceLock::new();
    WHY.get_or_init(|| {
        let says = |program: &str, words: &[&str]| {
            let output = Command::new(program).args(words).stderr(Stdio::null()).output().ok()?;
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        if says("id", &["-u"]).as_deref() != Some("0") {
            return Some("only root runs containers here".to_owned());
        }
        for program in ["podman", "runc", "conmon"] {
            if says(program, &["--version"]).is_none() {
                return Some(format!("{program} is not on this machine"));
            }
        }
        server().err()
    })
    .clone()
}

/// Whether containers can be run here; where not, says so past the test harness, which shows
/// nothing of a test that passes.
pub fn is_there(test: &str) -> bool {
    if let Some(why) = missing() {
        let line = format!("skipped: {test}: {why}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return false;
    }
    true
}

/// The server as one static file, built once.
fn server() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/podman/server.rs");
            // Other tests may build it at the same time: each builds its own and puts it in place.
            let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("podman-server");
            let built = place.with_extension(std::process::id().to_string());
            let output = Command::new("rustc")
                .args(["--edition=2024", "-Copt-level=1", "-Ctarget-feature=+crt-static", "-Cstrip=symbols"])
                .arg("-o")
                .arg(&built)
                .arg(&source)
                .output()
                .map_err(|error| format!("rustc: {error}"))?;
            if output.status.success() {
                fs::rename(&built, &place).map_err(|error| error.to_string())?;
                Ok(place)
            } else {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                Err(format!("no static program can be built: {}", said.lines().next().unwrap_or("")))
            }
        })
        .clone()
}

/// podman with its own storage.
pub struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    pub fn new() -> Self {
        let machine = Machine { folder: tempfile::tempdir().unwrap() };
        fs::write(machine.path("containers.conf"), CONTAINERS_CONF).unwrap();
        // A folder in which nothing is called like an image.
        fs::create_dir(machine.path("empty")).unwrap();
        machine
    }

    /// One whose disk has no more than this.
    pub fn with_disk(megabytes: u32) -> Self {
        let machine = Machine::new();
        fs::create_dir(machine.path("storage")).unwrap();
        let size = format!("-osize={megabytes}m");
        let mounted =
            Command::new("mount").args(["-ttmpfs", &size, "tmpfs"]).arg(machine.path("storage")).status();
        assert!(mounted.unwrap().success());
        machine
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The options of podman for this machine.
    pub fn options(&self) -> Vec<String> {
        let at = |option: &str, name: &str| format!("--{option}={}", self.path(name).display());
        vec![
            at("root", "storage"),
            at("runroot", "run"),
            at("tmpdir", "tmp"),
            "--storage-driver=vfs".to_owned(),
            "--runtime=runc".to_owned(),
        ]
    }

    /// The variable that podman finds its configuration by.
    pub fn environment(&self) -> (&'static str, PathBuf) {
        ("CONTAINERS_CONF", self.path("containers.conf"))
    }

    fn command(&self, words: &[&str]) -> Command {
        let (name, value) = self.environment();
        let mut command = Command::new("podman");
        command.args(self.options()).args(words).env(name, value).current_dir(self.path("empty"));
        command
    }

    /// Calls podman.
    pub fn podman(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// What podman says when all goes well.
    pub fn says(&self, words: &[&str]) -> String {
        let output = self.podman(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// An image with the server in it.
    pub fn image(&self, name: &str) {
        let root = self.path("image");
        fs::create_dir_all(root.join("tmp")).unwrap();
        fs::write(root.join("version"), name).unwrap();
        fs::copy(server().unwrap(), root.join("server")).unwrap();
        fs::create_dir_all(root.join("bin")).unwrap();
        // It does that too.
        let _ = std::os::unix::fs::symlink("/server", root.join("bin/sleep"));
        let mut tar = Command::new("tar")
            .arg("-c")
            .arg("-C")
            .arg(&root)
            .arg(".")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = self
            .command(&["import", "--change=ENV PATH=/bin", "-", name])
            .stdin(tar.stdout.take().unwrap())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        tar.wait().unwrap();
    }

    /// The process of a container.
    pub fn pid(&self, container: &str) -> String {
        self.says(&["container", "inspect", "--format", "{{.State.Pid}}", container])
    }

    /// The names of all pods, in order.
    pub fn pods(&self) -> Vec<String> {
        let said = self.says(&["pod", "ps", "--format", "{{.Name}}"]);
        let mut names: Vec<String> = said.lines().map(str::to_owned).collect();
        names.sort();
        names
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.podman(&["pod", "stop", "--all", "--time=0"]);
        let _ = self.podman(&["pod", "rm", "--all", "--force", "--time=0"]);
        let _ = self.podman(&["rm", "--all", "--force", "--time=0"]);
        // Where it is no disk of its own, this says so and does nothing.
        let _ = Command::new("umount").arg(self.path("storage")).stderr(Stdio::null()).status();
    }
}

/// A port of this machine that nobody has.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What a server of this machine answers to a request; `None` where nobody does.
pub fn get(port: u16, path: &str) -> Option<String> {
    get_of("127.0.0.1", port, path)
}

/// What the server at an address answers well to a request.
pub fn get_of(address: &str, port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect((address, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}

/// Waits until something is so, and says how long that took.
pub fn until(what: &str, within: Duration, mut is_so: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < within, "{what}: not within {within:?}");
        thread::sleep(Duration::from_millis(50));
    }
    began.elapsed()
}
