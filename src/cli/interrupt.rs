//! Ctrl-C: a command ends at once, whole, and says what there is.
//!
//! All that changes the store is one transaction, which is not there if the process ends before
//! the commit. So the only moment that matters is the one between the two stages of a command
//! that writes: while the store is written, the end waits until it is known what there is.

use std::io::{self, Write};
use std::process;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use dsrules::app::stages;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How far a command is: nothing is written, the store is being written, the store is written.
static FAR: AtomicU8 = AtomicU8::new(READING);
const READING: u8 = 0;
const WRITING: u8 = 1;
const WRITTEN: u8 = 2;

/// How often it is looked whether the store is written.
const STEP: Duration = Duration::from_millis(5);

/// From here on a signal ends the command as it says above. Where no handler can be had the
/// process ends without a word, and as whole.
pub fn watch() {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    thread::spawn(move || {
        let Some(signal) = signals.forever().next() else { return };
        // A second one does not wait.
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                process::exit(128 + signal);
            }
        });
        while FAR.load(Ordering::SeqCst) == WRITING {
            thread::sleep(STEP);
        }
        let said = match FAR.load(Ordering::SeqCst) {
            WRITTEN => {
                "interrupted: the store holds what was asked for; what follows it, the tree and files, may \
                 not: run the command again"
            }
            _ => "interrupted: nothing was changed",
        };
        let _ = writeln!(io::stderr(), "\n{said}");
        process::exit(128 + signal);
    });
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
