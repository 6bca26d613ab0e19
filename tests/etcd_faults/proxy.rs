//! A wire between two that can be cut: bytes stay where they are until it is whole again.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// A wire to an endpoint.
pub struct Wire {
    pub endpoint: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    cut: AtomicBool,
    /// The members of etcd that it is cut for, by their numbers.
    cut_for: Mutex<BTreeSet<String>>,
    over: AtomicBool,
}

impl State {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn is_cut(&self, from: &OnceLock<String>) -> bool {
        let for_it = || from.get().is_some_and(|from| self.cut_for.lock().unwrap().contains(from));
        self.cut.load(Ordering::Relaxed) || for_it()
    }
}

impl Wire {
    pub fn to(endpoint: &str) -> Wire {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (target, own) = (endpoint.to_owned(), listener.local_addr().unwrap().to_string());
        let state = Arc::<State>::default();
        let of = state.clone();
        std::thread::spawn(move || {
            while !of.is_over() {
                match listener.accept() {
                    Ok((near, _)) => {
                        let Ok(far) = TcpStream::connect(&target) else { continue };
                        let (near2, far2) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                        let from = Arc::<OnceLock<String>>::default();
                        carry(near, far, of.clone(), from.clone());
                        carry(far2, near2, of.clone(), from);
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(10)),
                }
            }
        });
        Wire { endpoint: own, state }
    }

    pub fn cut(&self, cut: bool) {
        self.state.cut.store(cut, Ordering::Relaxed);
    }

    /// Cuts it for what these members of etcd send, and for what they are answered; for nobody
    /// else, as far as this goes.
    pub fn cut_for(&self, members: impl IntoIterator<Item = String>) {
        *self.state.cut_for.lock().unwrap() = members.into_iter().collect();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::Relaxed);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, state: Arc<State>, member: Arc<OnceLock<String>>) {
    from.set_nonblocking(false).unwrap();
    from.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        while !state.is_over() {
            let read = match from.read(&mut bytes) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(_) => break,
            };
            if let Some(from) = sender(&bytes[..read]) {
                let _ = member.set(from);
            }
            while state.is_cut(&member) && !state.is_over() {
                std::thread::sleep(Duration::from_millis(10));
            }
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}

/// The member of etcd that sends this to another one: each says so in the head of its requests,
/// and no two share a connection.
fn sender(bytes: &[u8]) -> Option<String> {
    const HEADER: &[u8] = b"X-Server-From: ";
    let at = bytes.windows(HEADER.len()).position(|it| it.eq_ignore_ascii_case(HEADER))?;
    let rest = &bytes[at + HEADER.len()..];
    let end = rest.iter().position(|it| *it == b'\r')?;
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}
