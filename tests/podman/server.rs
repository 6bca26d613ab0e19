//! The daemon of the tests, of the standard library alone, so that one static file is an image.
//!
//! It answers on `PORT` of `ADDRESS`: `/` with `TEXT`, `/env/NAME` with a variable, `/file/PATH` with what a
//! file holds, `/ready` with 200 once it has run for `READY_AFTER` seconds and while there is no
//! file `/tmp/unready`, `/sick` makes `/live` answer 500, `/exit/CODE` ends it. Called with
//! `there PATH` it ends well if that file is there; with `once`, at once. Called as `sleep`, it does
//! nothing.

use std::env::{args, var};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::Instant;

fn main() {
    if args().next().is_some_and(|name| name.ends_with("sleep")) {
        loop {
            std::thread::park();
        }
    }
    let words: Vec<String> = args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["there", path] => std::process::exit(i32::from(!Path::new(path).exists())),
        ["once"] => return,
        _ => {}
    }
    let began = Instant::now();
    let after: f64 = var("READY_AFTER").ok().and_then(|text| text.parse().ok()).unwrap_or(0.0);
    let port: u16 = var("PORT").ok().and_then(|text| text.parse().ok()).unwrap_or(8080);
    let address = var("ADDRESS").unwrap_or_else(|_| "0.0.0.0".to_owned());
    let listener = TcpListener::bind((&*address, port)).expect("the port is free");
    let mut is_sick = false;
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let (mut request, mut buffer) = (String::new(), [0; 2048]);
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            request.push_str(&String::from_utf8_lossy(&buffer[..read]));
            if request.contains("\r\n\r\n") {
                break;
            }
        }
        let path = request.split(' ').nth(1).unwrap_or("/").to_owned();
        let (status, body) = match path.trim_matches('/').split_once('/') {
            Some(("env", name)) => (200, var(name).unwrap_or_default()),
            Some(("file", path)) => (200, std::fs::read_to_string(format!("/{path}")).unwrap_or_else(|it| it.to_string())),
            Some(("exit", code)) => std::process::exit(code.parse().unwrap_or(1)),
            _ => match path.as_str() {
                "/ready" if began.elapsed().as_secs_f64() < after || Path::new("/tmp/unready").exists() => (503, "not yet".into()),
                "/live" if is_sick => (500, "sick".into()),
                "/sick" => {
                    is_sick = true;
                    (200, "sick".into())
                }
                _ => (200, var("TEXT").unwrap_or_default()),
            },
        };
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        let _ = stream.write_all(answer.as_bytes());
    }
}
