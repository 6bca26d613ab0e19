//! The prompt of `query -i`: read from a script, and typed at a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nix::pty::{OpenptyResult, openpty};

use crate::session::{Session, daemonset, node, snapshot};

fn begun() -> Session {
    let session = Session::new();
    let text = [node("a", "zone=east", ""), node("b", "zone=west", "")];
    session.write("nodes.yaml", text.join("---\n"));
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    session
}

/// A script, what is answered, and how it ends.
fn scripted(session: &Session, script: &str, arguments: &[&str]) -> String {
    let mut child = session
        .command()
        .args(["query", "-i", "-f", "nodes.yaml", "-f", "agent.yaml"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let script: String = script.lines().map(|line| format!("> {line}\n")).collect();
    format!("{script}{out}(stderr)\n{err}(exit code {})\n\n", output.status.code().unwrap())
}

#[test]
fn a_script_is_answered_statement_by_statement() {
    let session = begun();
    let transcript: String = [
        "node(N)\n// a comment\nnode(N),\n  N != \"a\"\nnode(\"a\").\n",
        ".decl far(n: Node)\n/// {N} is far.\nfar(N) :-\n  node_label(N, \"zone\", \"west\").\nfar(N), !has_pod(_, N)\n:show far\n:why far(\"b\")\n:why far(\"a\")\n",
        ".decl far(n: Node) far(N) :- node(N). ?- far(N)\nfar(\"b\")\n:forget\n.decl far(n: Node) far(\"b\"). ?- far(N)\n",
        "blocked(D, \"a\") :- daemonset(D).\n:planned on\nhas_pod(D, N)\n:planned off\nhas_pod(_, _)\n",
        ":limit 1\nnode(N)\n:limit off\nnode(N)\n:reload\nnode(\"b\")\n:quit\nnode(N)\n",
        ":relations pods\n:relations no-such-word\n:help\n",
        "node(N) :- daemonset(N).\nnod(N)\n.decl two(n: Node)\n.decl two(n: Node)\n.decl one(n: Node) one(N) :- node(N). ?- one(N, M)\none(N)\n:why nod(\"a\")\n:why node(N), daemonset(D)\n:show nowhere\n:limit x\n:planned\n:wy\nnode(\"a\")\nnode(\"a\n",
    ]
    .map(|script| scripted(&session, script, &[]))
    .concat();
    let csv = scripted(&session, "node(N)\nnode_label(N, \"zone\", Z)\n", &["-o", "csv", "--limit", "1"]);
    snapshot("query_prompt", &(transcript + &csv));
}

/// A terminal to type at, and what is seen there.
struct Terminal {
    keys: File,
    seen: Receiver<Vec<u8>>,
    text: String,
}

impl Terminal {
    /// Waits until something is seen, and forgets all before it.
    fn sees(&mut self, expected: &str) {
        while !self.text.contains(expected) {
            let more = self.seen.recv_timeout(Duration::from_secs(60));
            let more = more.unwrap_or_else(|_| panic!("{expected:?} does not come in {:?}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&more));
        }
        let at = self.text.find(expected).unwrap() + expected.len();
        self.text.drain(..at);
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }
}

#[test]
fn a_person_types_completes_and_finds_it_again() {
    let session = begun();
    let OpenptyResult { master, slave } = openpty(None, None).unwrap();
    let stdio = || Stdio::from(slave.try_clone().unwrap());
    let mut command = session.command();
    command
        .args(["query", "-i", "-f", "nodes.yaml"])
        .env("TERM", "xterm")
        .env("DSRULES_HISTORY", session.path("history"))
        .stdin(stdio())
        .stdout(stdio())
        .stderr(stdio());
    let mut child = command.spawn().unwrap();
    drop((command, slave));
    let (send, seen) = channel();
    let mut screen = File::from(master.try_clone().unwrap());
    let reader = thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = screen.read(&mut bytes) {
            if send.send(bytes[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    let mut terminal = Terminal { keys: File::from(master), seen, text: String::new() };
    terminal.sees("`:help` says what can be typed");
    terminal.sees("dsrules> ");
    // A statement goes on until it is complete.
    terminal.types("node(N),\r");
    terminal.types("N != \"a\"\r");
    terminal.sees("b\r\n");
    terminal.sees("dsrules> ");
    // Relations, and values of their columns, given those before.
    terminal.types("node_lab\t");
    terminal.sees("node_label");
    terminal.types("(\"b\", \t");
    terminal.sees("\"zone\"");
    terminal.types(", Zone)\r");
    terminal.sees("west\r\n");
    terminal.sees("dsrules> ");
    // Ctrl-C drops what is typed, and nothing else.
    terminal.types("no such thing\u{3}");
    terminal.sees("dsrules> ");
    terminal.types("nod(N)\r");
    terminal.sees("did you mean `node`?");
    terminal.sees("dsrules> ");
    terminal.types(":pl\t");
    terminal.sees(":planned");
    terminal.types("\u{3}");
    terminal.sees("dsrules> ");
    // The last but one that was typed.
    terminal.types("\u{1b}[A\u{1b}[A\r");
    terminal.sees("west\r\n");
    terminal.sees("dsrules> ");
    terminal.types("\u{4}");
    assert!(child.wait().unwrap().success());
    drop(terminal);
    reader.join().unwrap();
    let history = std::fs::read_to_string(session.path("history")).unwrap();
    assert!(history.contains("node_label(\"b\", \"zone\", Zone)"), "{history}");
}
