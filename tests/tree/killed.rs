//! A process of a test's own that follows a tree turn by turn, and is killed in the middle of one.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Says that a turn is done; what the process calls after each.
pub fn done(turn: u8) {
    println!("\nturn {turn}");
    std::io::stdout().flush().unwrap();
}

/// Runs the test `follower_process` for this folder, and kills it in the turn after `turns`.
pub fn killed_after(dir: &Path, turns: u8) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "follower_process", "--ignored", "--nocapture"])
        .env("TREE_UNDER_TEST", dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == format!("turn {turns}")));
    // It is in the middle of the next turn now.
    child.kill().unwrap();
    child.wait().unwrap();
}
