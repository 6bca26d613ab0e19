//! Who computes between one request and the next, and waits for each: etcd is asked on a thread of
//! its own, so that connections and leases live on meanwhile.

use std::future::Future;
use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A thread on which futures run.
#[derive(Debug)]
pub struct Thread {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Thread {
    /// Starts it.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub fn start() -> io::Result<Thread> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            let _ = runtime.block_on(stopped);
        };
        let thread = std::thread::Builder::new().name("etcd".to_owned()).spawn(run)?;
        Ok(Thread { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Runs a future there, and waits for what it comes to; nothing where it panicked. It may be
    /// called from anywhere but this thread, other runtimes among that.
    pub fn wait<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let (done, waits) = mpsc::sync_channel(1);
        self.handle.spawn(async move {
            // Who waited is gone otherwise.
            let _ = done.send(future.await);
        });
        waits.recv().ok()
    }

    /// Runs a future there, for as long as the thread is there.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(future);
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // It ends with what was sent, unless it panicked.
            let _ = thread.join();
        }
    }
}
