//! The real binary in a folder, at a time that stands still.

use std::path::Path;
use std::process::{Command, Output};

pub fn dsrules(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dsrules"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("DSRULES_NOW", "2026-03-02T09:00:00Z")
        .output()
        .unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
