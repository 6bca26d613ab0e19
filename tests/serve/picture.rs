//! The picture of the fleet that browsers get: who gets it, and that it is told when it changes.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::server::Server;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// `me` and the token, as a browser sends them.
const AS_PASSWORD: &str = "Basic bWU6MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const PAGE: &str = "GET /\nAccept: text/html,application/xhtml+xml,*/*;q=0.8";

#[test]
fn a_browser_gets_a_page_and_others_the_paths() {
    let server = Server::new(&[]);
    let (code, heads, page) = server.http_with_heads(PAGE, "");
    assert_eq!(code, 200);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("agent"), "{page}");
    assert!(heads.contains("content-type: text/html; charset=utf-8"), "{heads}");
    assert!(heads.contains("content-security-policy: frame-ancestors 'none'"), "{heads}");
    let (code, paths) = server.json("GET /", "");
    assert_eq!((code, paths["paths"].is_array()), (200, true));
    // A page of another name that leads here gets nothing.
    assert_eq!(server.http(&format!("{PAGE}\nHost: evil.example"), "").0, 403);
    assert_eq!(server.http("POST /\nAccept: text/html", "").0, 405);
}

#[test]
fn who_looks_is_told_of_changes() {
    let server = Server::new(&[]);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = format!(
        "GET /fleet/events HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut heard = String::new();
    let mut until = |what: &str| {
        let mut bytes = [0; 4096];
        while !heard.contains(what) {
            let count = stream.read(&mut bytes).unwrap();
            assert!(count > 0, "{heard}");
            heard.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    };
    until(": here");
    server.write("more.yaml", "---\n{apiVersion: v1, kind: Node, metadata: {name: n3}}");
    assert!(server.dsrules("apply more.yaml").ok);
    until("event: changed");
    assert!(server.http(PAGE, "").1.contains("3 nodes"));
}

#[test]
fn a_token_may_be_a_password_for_the_picture_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens");
    fs::write(&file, TOKEN).unwrap();
    let server = Server::new(&["--write", "--token-file", file.to_str().unwrap()]);
    let (code, heads, _) = server.http_with_heads(PAGE, "");
    assert!(code == 401 && heads.contains("www-authenticate: Basic"), "{heads}");
    assert_eq!(server.http(&format!("{PAGE}\nAuthorization: {AS_PASSWORD}"), "").0, 200);
    assert_eq!(server.http(&format!("{PAGE}\nAuthorization: Basic bWU6d3Jvbmc="), "").0, 401);
    let (code, heads, _) =
        server.http_with_heads(&format!("GET /api/v1/nodes\nAuthorization: {AS_PASSWORD}"), "");
    assert!(code == 401 && !heads.contains("www-authenticate"), "{heads}");
    let delete = format!("DELETE /api/v1/nodes/n1\nAccept: text/html\nAuthorization: {AS_PASSWORD}");
    assert_eq!(server.http(&delete, "").0, 401);
}
