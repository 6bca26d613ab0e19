//! A wire between two that can be cut: bytes stay where they are until it is whole again.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A wire to an endpoint.
pub struct Wire {
    pub endpoint: String,
    cut: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl Wire {
    pub fn to(endpoint: &str) -> Wire {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (cut, over) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (target, own) = (endpoint.to_owned(), listener.local_addr().unwrap().to_string());
        let state = (cut.clone(), over.clone());
        std::thread::spawn(move || {
            while !state.1.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((near, _)) => {
                        let Ok(far) = TcpStream::connect(&target) else { continue };
                        let (near2, far2) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                        carry(near, far, state.clone());
                        carry(far2, near2, state.clone());
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(10)),
                }
            }
        });
        Wire { endpoint: own, cut, over }
    }

    pub fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, (cut, over): (Arc<AtomicBool>, Arc<AtomicBool>)) {
    from.set_nonblocking(false).unwrap();
    from.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        while !over.load(Ordering::Relaxed) {
            let read = match from.read(&mut bytes) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(_) => break,
            };
            while cut.load(Ordering::Relaxed) && !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10));
            }
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
        let _ = from.shutdown(std::net::Shutdown::Both);
    });
}
