//! One question to a container, and its answer.

use std::time::Duration;

use hyper::Request;
use hyper::client::conn::http1::handshake;
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time;

use super::spec::How;
use crate::target::podman::command::Command;

/// How podman's own start is allowed for, above what the command may take.
const START: Duration = Duration::from_secs(2);

/// Asks; an error says what was wrong with the answer. `container` is its name for podman,
/// `address` that of its pod.
pub(super) async fn ask(
    how: &How,
    podman: &Command,
    container: &str,
    address: &str,
    timeout: Duration,
) -> Result<(), String> {
    if let How::Exec(words) = how {
        return exec(podman, container, words, timeout).await;
    }
    let asked = async {
        match how {
            How::Http { host, port, path, headers } => {
                http(host.as_deref().unwrap_or(address), *port, path, headers).await
            }
            How::Tcp { host, port } => connect(host.as_deref().unwrap_or(address), *port).await.map(drop),
            How::Exec(_) => Ok(()),
        }
    };
    let late = format!("no answer within {} s", timeout.as_secs());
    time::timeout(timeout, asked).await.unwrap_or(Err(late))
}

async fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    let plain = host.trim_matches(['[', ']']);
    TcpStream::connect((plain, port)).await.map_err(|error| format!("{host}:{port}: {error}"))
}

async fn http(host: &str, port: u16, path: &str, headers: &[(String, String)]) -> Result<(), String> {
    let stream = TokioIo::new(connect(host, port).await?);
    let place = |error: hyper::Error| format!("{host}:{port}{path}: {error}");
    let (mut sender, connection) = handshake::<_, String>(stream).await.map_err(place)?;
    let serving = tokio::spawn(connection);
    let is_named = |name: &str| headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    for (name, value) in
        [(HOST, format!("{host}:{port}")), (USER_AGENT, "kube-probe/1.0".into()), (ACCEPT, "*/*".into())]
    {
        if !is_named(name.as_str()) {
            request = request.header(name, value);
        }
    }
    let request = request.body(String::new()).map_err(|error| format!("{path}: {error}"))?;
    let answer = sender.send_request(request).await.map_err(place);
    serving.abort();
    let status = answer?.status().as_u16();
    if (200..400).contains(&status) {
        Ok(())
    } else {
        Err(format!("HTTP probe failed with statuscode: {status}"))
    }
}

async fn exec(podman: &Command, container: &str, words: &[String], timeout: Duration) -> Result<(), String> {
    let (podman, container, words) = (podman.clone(), container.to_owned(), words.to_vec());
    let asked = tokio::task::spawn_blocking(move || {
        let mut all = vec!["exec", &container];
        all.extend(words.iter().map(String::as_str));
        podman.run(&all, "", timeout + START).map(drop).map_err(|fault| fault.line())
    });
    asked.await.unwrap_or_else(|error| Err(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Asks a server that answers once with `says`; what it was asked, and what came of it.
    fn asked(says: &'static str, path: &str) -> (String, Result<(), String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 1024];
            let read = stream.read(&mut buffer).unwrap();
            stream.write_all(says.as_bytes()).unwrap();
            String::from_utf8_lossy(&buffer[..read]).into_owned()
        });
        let headers = vec![("Host".to_owned(), "shop.example".to_owned())];
        let how = How::Http { host: None, port, path: path.to_owned(), headers };
        let answer = one(&how, Duration::from_secs(5));
        (serving.join().unwrap(), answer)
    }

    fn one(how: &How, timeout: Duration) -> Result<(), String> {
        let podman = Command {
            program: "sh".to_owned(),
            options: vec!["-c".to_owned(), "shift; \"$@\"".to_owned()],
            folder: "/".into(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(ask(how, &podman, "web", "127.0.0.1", timeout))
    }

    #[test]
    fn a_server_is_asked_over_http() {
        let (request, answer) = asked("HTTP/1.1 204 No Content\r\n\r\n", "/ready?full=1");
        assert_eq!(answer, Ok(()));
        assert!(request.starts_with("GET /ready?full=1 HTTP/1.1\r\nhost: shop.example\r\n"), "{request}");
        assert!(request.contains("kube-probe/") && !request.contains("127.0.0.1"), "{request}");
        let (_, answer) = asked("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", "/");
        assert_eq!(answer.unwrap_err(), "HTTP probe failed with statuscode: 503");
        assert!(asked("nonsense\r\n\r\n", "/").1.is_err());
    }

    #[test]
    fn a_port_takes_connections_or_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let how = How::Tcp { host: None, port: listener.local_addr().unwrap().port() };
        assert_eq!(one(&how, Duration::from_secs(5)), Ok(()));
        drop(listener);
        assert!(one(&how, Duration::from_secs(5)).unwrap_err().contains("refused"));
    }

    #[test]
    fn a_command_ends_well_or_not_or_not_in_time() {
        let run = |script: &str| {
            let words = ["sh", "-c", script].map(str::to_owned).to_vec();
            one(&How::Exec(words), Duration::from_secs(1))
        };
        assert_eq!(run("exit 0"), Ok(()));
        assert_eq!(run("echo not yet >&2; exit 3").unwrap_err(), "not yet");
        assert!(run("exec sleep 60").unwrap_err().contains("did not end within 3 s"));
    }

    #[test]
    fn a_server_that_says_nothing_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let how = How::Http { host: None, port, path: "/".to_owned(), headers: Vec::new() };
        assert_eq!(one(&how, Duration::from_secs(1)).unwrap_err(), "no answer within 1 s");
    }
}
