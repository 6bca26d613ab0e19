//! Requests that mean no good, and who may ask at all.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::server::Server;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Sends bytes as they are, and gives what comes back until the other end has had enough.
fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn tricks_lead_nowhere() {
    let server = Server::new(&["--write"]);
    for path in [
        "/api/v1/namespaces/../nodes",
        "/api/v1/namespaces/%2e%2e/nodes",
        "/api/v1/nodes/..%2f..%2fetc%2fpasswd",
        "/api/v1/nodes/%00",
        "/api/v1/nodes/%zz",
        "/api/v1/nodes/n1/proxy/etc",
        "/../../etc/passwd",
    ] {
        assert_eq!(server.http(&format!("GET {path}"), "").0, 404, "{path}");
    }
    // What a kubelet would do is known, and not done.
    assert_eq!(server.http("GET /api/v1/namespaces/a/pods/b/exec", "").0, 405);
    for path in [
        "/api/v1/nodes?limit=-1",
        "/api/v1/nodes?limit=x",
        "/api/v1/nodes?continue=..",
        "/api/v1/nodes?continue=1:%00",
        "/api/v1/nodes?labelSelector=,,,(",
        "/api/v1/nodes?watch=1&timeoutSeconds=-5",
    ] {
        assert_eq!(server.http(&format!("GET {path}"), "").0, 400, "{path}");
    }
    for method in ["TRACE", "OPTIONS", "BREW"] {
        assert_eq!(server.http(&format!("{method} /api/v1/nodes"), "").0, 405, "{method}");
    }
    let json = "Content-Type: application/json";
    for name in ["../x", "a/b", "A", "", "x\\u0000"] {
        let body = format!("{{\"metadata\":{{\"name\":\"{name}\"}}}}");
        assert_eq!(server.http(&format!("POST /api/v1/namespaces\n{json}"), &body).0, 422, "{name}");
    }
    for body in ["", "null", "[]", "7", "{", "\u{0}"] {
        assert_eq!(server.http(&format!("POST /api/v1/namespaces\n{json}"), body).0, 400, "{body}");
    }
    // All of it has changed nothing.
    assert_eq!(server.json("GET /api/v1/namespaces", "").1["items"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_too_much_is_refused_at_once() {
    let server = Server::new(&["--write"]);
    let address = &server.address;
    let head = format!("Host: {address}\r\nContent-Type: application/json\r\n");
    let post = "POST /api/v1/namespaces HTTP/1.1\r\n";
    let said = raw(&server, format!("{post}{head}Content-Length: 99999999999\r\n\r\n").as_bytes());
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
    let mut endless = format!("{post}{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..5 {
        endless.extend(b"100000\r\n");
        endless.extend(vec![b' '; 1 << 20]);
        endless.extend(b"\r\n");
    }
    let said = raw(&server, &endless);
    assert!(said.starts_with("HTTP/1.1 413") || said.is_empty(), "{said}");
    let said = raw(&server, format!("GET /{} HTTP/1.1\r\n{head}\r\n", "x".repeat(100_000)).as_bytes());
    assert!(said.is_empty() || [" 414 ", " 431 "].iter().any(|code| said.contains(code)), "{said}");
    for twice in ["Content-Length: 2\r\nContent-Length: 3\r\n", "Content-Length: -1\r\n"] {
        let said = raw(&server, format!("{post}{head}{twice}\r\n{{}}").as_bytes());
        assert!(said.starts_with("HTTP/1.1 400"), "{said}");
    }
    let said = raw(&server, b"\x16\x03\x01\x00\x01\x00 this is no HTTP\r\n\r\n");
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 400"), "{said}");
    for deep in ["[", "{\"a\":"] {
        let deep = format!(
            "{post}{head}Content-Length: {}\r\nConnection: close\r\n\r\n{}",
            deep.len() * 100_000,
            deep.repeat(100_000)
        );
        let said = raw(&server, deep.as_bytes());
        assert!(said.starts_with("HTTP/1.1 400"), "{said}");
    }
    assert_eq!(server.http("GET /healthz", "").0, 200);
}

#[test]
fn who_is_slow_is_cut_off_and_nobody_waits() {
    let server = Server::new(&[]);
    let begun = Instant::now();
    let mut slow = TcpStream::connect(&server.address).unwrap();
    slow.write_all(b"GET /api/v1/nodes HTTP/1.1\r\nHost: ").unwrap();
    assert_eq!(server.http("GET /healthz", "").0, 200);
    assert!(begun.elapsed() < Duration::from_secs(5));
    slow.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let _ = slow.read_to_end(&mut Vec::new());
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn only_so_many_watch_at_once() {
    let server = Server::new(&[]);
    let watch = |_| {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        write!(stream, "GET /api/v1/nodes?watch=1 HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).unwrap();
        let mut code = [0; 12];
        stream.read_exact(&mut code).unwrap();
        assert_eq!(&code, b"HTTP/1.1 200");
        stream
    };
    let open: Vec<TcpStream> = (0..384).map(watch).collect();
    let (code, heads, _) = server.http_with_heads("GET /api/v1/nodes?watch=1", "");
    assert!(code == 429 && heads.contains("retry-after: 1"), "{heads}");
    assert_eq!(server.http("GET /api/v1/nodes", "").0, 200);
    drop(open);
    // Who has gone gives its place back.
    let is_free = |_| {
        std::thread::sleep(Duration::from_millis(100));
        server.http("GET /api/v1/nodes?watch=1&timeoutSeconds=1", "").0 == 200
    };
    assert!((0..50).any(is_free));
}

#[test]
fn a_page_of_another_name_is_not_answered() {
    let server = Server::new(&["--listen-host", "fleet.example"]);
    for (head, code) in [
        ("GET /api/v1/nodes\nHost: evil.example", 403),
        ("GET /api/v1/nodes\nHost: 127.0.0.1.evil.example:80", 403),
        ("GET http://evil.example/api/v1/nodes", 403),
        ("GET /api/v1/nodes\nHost: localhost:1", 200),
        ("GET /api/v1/nodes\nHost: fleet.example", 200),
    ] {
        assert_eq!(server.http(head, "").0, code, "{head}");
    }
}

#[test]
fn a_token_is_asked_for_where_there_are_some() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens");
    fs::write(&file, format!("# of the team\n{TOKEN}\n")).unwrap();
    let server = Server::new(&["--token-file", file.to_str().unwrap()]);
    let (code, status) = server.json("GET /api/v1/nodes", "");
    assert_eq!((code, &status["reason"]), (401, &serde_json::json!("Unauthorized")));
    let asked = |token: &str| server.http(&format!("GET /api/v1/nodes\nAuthorization: Bearer {token}"), "").0;
    assert_eq!((asked(TOKEN), asked(&TOKEN[1..]), asked("")), (200, 401, 401));
}

#[test]
fn other_machines_are_let_in_only_by_tls_and_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    fs::write(file("tokens"), TOKEN).unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(file("cert"), made.cert.pem()).unwrap();
    fs::write(file("key"), made.signing_key.serialize_pem()).unwrap();
    let serve = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
        command
            .current_dir(dir.path())
            .env_remove("DSRULES_DB")
            .env("NO_COLOR", "1")
            .arg("serve")
            .args(options);
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let (cert, key, tokens) = (file("cert"), file("key"), file("tokens"));
    let open = "0.0.0.0:0";
    assert!(serve(&["--listen", open]).contains("`--tls-cert`, `--tls-key` and `--token-file`"));
    assert!(serve(&["--listen", open, "--token-file", &tokens]).contains("add `--tls-cert` and `--tls-key`"));
    let no_tokens = ["--listen", open, "--tls-cert", &cert, "--tls-key", &key];
    assert!(serve(&no_tokens).contains("add `--token-file`"));
    assert!(serve(&["--tls-cert", &cert]).contains("--tls-key"));
    assert!(serve(&["--tls-cert", &key, "--tls-key", &cert]).contains("cannot be read"));

    let server = Server::new(&["--tls-cert", &cert, "--tls-key", &key, "--token-file", &tokens]);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(made.cert.der().to_vec())).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let ask = |head: &str| {
        let name = ServerName::try_from("localhost").unwrap();
        let client = ClientConnection::new(config.clone(), name).unwrap();
        let mut stream = StreamOwned::new(client, TcpStream::connect(&server.address).unwrap());
        write!(stream, "GET /api/v1/nodes HTTP/1.0\r\nHost: localhost\r\n{head}\r\n").unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    assert!(ask("").contains(" 401 "));
    let said = ask(&format!("Authorization: Bearer {TOKEN}\r\n"));
    assert!(said.contains(" 200 ") && said.contains("NodeList"), "{said}");
    // Nothing is said without TLS.
    assert!(!raw(&server, b"GET /api/v1/nodes HTTP/1.0\r\n\r\n").contains("HTTP"));
}
