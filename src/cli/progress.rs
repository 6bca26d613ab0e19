//! What is being done, on a terminal, when it takes longer than a person waits gladly.
//!
//! There is one line for the whole command; the library tells stages by name through a
//! plain function, so the line is kept here.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes no longer than this is not worth a line.
const SOON: Duration = Duration::from_secs(1);

static LINE: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Shows the line until it is dropped.
pub struct Progress(());

impl Progress {
    /// Begins, if somebody looks.
    pub fn begin(quiet: bool) -> Progress {
        if !quiet && std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            *LINE.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
            let weak = bar.downgrade();
            drop(bar);
            // Whoever is done before that has dropped it.
            thread::spawn(move || {
                thread::sleep(SOON);
                if let Some(bar) = weak.upgrade() {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    bar.enable_steady_tick(Duration::from_millis(120));
                }
            });
        }
        Progress(())
    }

    /// The stage that begins now.
    pub fn stage(name: &'static str) {
        if let Some(bar) = &*LINE.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.set_message(name);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = LINE.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}
