//! One look after the other: what goes round in a loop that waits for events and for time.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::keeper::Keeper;
use super::step::Step;
use crate::app::options::Options;
use crate::diagnostic::Diagnostic;
use crate::source::Hint;

/// What looks, time and again.
pub trait Look {
    /// Looks at what may have changed and applies it.
    fn look(&mut self, hint: &Hint, options: &Options) -> Step;

    /// A look at the folder that could not be made.
    fn failed(&mut self, error: Diagnostic, options: &Options) -> Step;

    /// How long until the next look after `now`, in seconds of Unix time, if there is a
    /// reason for one without an event: time that something waits for, or what went wrong
    /// and may go well, tried at first soon and then ever more seldom.
    fn retry(&mut self, now: i64) -> Option<Duration>;

    /// What keeps the store equal to the folder.
    fn keeper(&self) -> &Keeper;

    /// Whether the last look went well, and nothing is in error.
    fn is_sound(&self) -> bool;

    /// Files and folders beside the folder in which something may change.
    fn places(&self) -> BTreeSet<PathBuf>;
}

impl Look for Keeper {
    fn look(&mut self, hint: &Hint, options: &Options) -> Step {
        Keeper::look(self, hint, options)
    }

    fn failed(&mut self, error: Diagnostic, _: &Options) -> Step {
        Keeper::failed(self, error)
    }

    fn retry(&mut self, now: i64) -> Option<Duration> {
        Keeper::retry(self, now)
    }

    fn keeper(&self) -> &Keeper {
        self
    }

    fn is_sound(&self) -> bool {
        Keeper::is_sound(self)
    }

    fn places(&self) -> BTreeSet<PathBuf> {
        Keeper::places(self).clone()
    }
}
