//! Ctrl-C: a command ends at once, whole, and says what there is.
//!
//! All that changes the store is one transaction, which is not there if the process ends before
//! the commit. So the only moment that matters is the one between the two stages of a command
//! that writes: while the store is written, the end waits until it is known what there is.
//!
//! Commands that go on until they are stopped hear signals themselves.

use std::io::{self, Write};
use std::process;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;
use std::time::Duration;

use dsrules::app::stages;

use super::progress;
use super::signals::Signals;

/// How far a command is: nothing is written, something is being written, the store is written.
static FAR: AtomicU8 = AtomicU8::new(READING);
const READING: u8 = 0;
const WRITING: u8 = 1;
const WRITTEN: u8 = 2;

/// What is done before the end.
static FIRST: Mutex<Vec<Box<dyn FnOnce() + Send>>> = Mutex::new(Vec::new());

/// How often it is looked whether the store is written.
const STEP: Duration = Duration::from_millis(5);

/// From here on a signal ends the command as it says above.
pub fn watch() {
    static BEGUN: Once = Once::new();
    // Where no signal can be heard the process ends without a word, and as whole.
    BEGUN.call_once(|| drop(listen()));
}

/// Has something done before a signal ends the command.
pub fn first(what: impl FnOnce() + Send + 'static) {
    FIRST.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(what));
    watch();
}

/// The stage that begins now.
pub fn stage(name: &str) {
    let far = match name {
        stages::WRITING => WRITING,
        stages::WRITTEN => WRITTEN,
        _ => return,
    };
    FAR.store(far, Ordering::SeqCst);
}

/// Does what is small and must not be left half done.
pub fn whole<T>(what: impl FnOnce() -> T) -> T {
    let before = FAR.swap(WRITING, Ordering::SeqCst);
    let done = what();
    FAR.store(before, Ordering::SeqCst);
    done
}

fn listen() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = runtime.block_on(async { Signals::new() })?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let code = runtime.block_on(signals.next());
        runtime.block_on(async {
            // A second one does not wait.
            tokio::select! {
                _ = signals.next() => {}
                () = written() => {}
            }
        });
        end(code)
    })?;
    Ok(())
}

/// Waits while something is being written.
async fn written() {
    while FAR.load(Ordering::SeqCst) == WRITING {
        tokio::time::sleep(STEP).await;
    }
}

fn end(code: i32) -> ! {
    for first in std::mem::take(&mut *FIRST.lock().unwrap_or_else(PoisonError::into_inner)) {
        first();
    }
    progress::clear();
    let said = match FAR.load(Ordering::SeqCst) {
        READING => "interrupted: nothing was changed",
        WRITTEN => {
            "interrupted: the store holds what was asked for; what follows it, the tree and files, may not: \
             run the command again"
        }
        _ => "interrupted twice, while something was being written: run the command again",
    };
    // Where even stderr is gone there is nobody to tell.
    let _ = writeln!(io::stderr(), "\n{said}");
    process::exit(code)
}
