//! What kubectl makes of a text, and how that is written down.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub enum Answer {
    /// The objects that it read.
    Read(Vec<Value>),
    /// Why it read nothing, or not all.
    Refused(String),
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Answer::Read(objects) => write!(f, "{}", Value::from(objects.clone())),
            Answer::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}

pub fn is_there() -> bool {
    Command::new("kubectl").args(["version", "--client"]).output().is_ok_and(|done| done.status.success())
}

/// Asks for all of them, on two threads.
pub fn ask_all(texts: &[Vec<u8>]) -> Vec<Answer> {
    let next = AtomicUsize::new(0);
    let mut answers: Vec<(usize, Answer)> = std::thread::scope(|scope| {
        let work = || {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("f.yaml");
            let mut done = Vec::new();
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                let Some(text) = texts.get(nth) else { return done };
                fs::write(&file, text).unwrap();
                done.push((nth, ask(&file)));
            }
        };
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    answers.sort_by_key(|(nth, _)| *nth);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// `annotate --local` reads objects of any kind and prints them; what it adds is taken out.
fn ask(file: &std::path::Path) -> Answer {
    let done = Command::new("kubectl")
        .args(["annotate", "--local", "--dry-run=client", "-o", "json", "zz=zz", "-f"])
        .arg(file)
        .env("KUBECONFIG", "/nonexistent")
        .output()
        .unwrap();
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr).replace(&*file.to_string_lossy(), "f.yaml");
        return Answer::Refused(said.trim().to_owned());
    }
    let printed = serde_json::Deserializer::from_slice(&done.stdout).into_iter::<Value>();
    let objects = printed.map(|object| {
        let mut object = object.unwrap();
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.remove("annotations");
        object
    });
    Answer::Read(objects.collect())
}

pub fn line(text: &[u8], answer: &Answer) -> String {
    let text = match std::str::from_utf8(text) {
        Ok(text) => json!(text),
        Err(_) => json!(text),
    };
    let line = match answer {
        Answer::Read(objects) => json!({ "text": text, "read": objects }),
        Answer::Refused(why) => json!({ "text": text, "refused": why }),
    };
    format!("{line}\n")
}

pub fn from_line(line: &str) -> (Vec<u8>, Answer) {
    let mut value: Value = serde_json::from_str(line).unwrap();
    let text = match &value["text"] {
        Value::String(text) => text.clone().into_bytes(),
        bytes => serde_json::from_value(bytes.clone()).unwrap(),
    };
    let answer = match value["read"].take() {
        Value::Array(objects) => Answer::Read(objects),
        _ => Answer::Refused(value["refused"].as_str().unwrap_or_default().to_owned()),
    };
    (text, answer)
}
