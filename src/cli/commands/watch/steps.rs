//! The loop: one step after the other, each told as a line.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dsrules::app::Options;
use dsrules::app::watch::{Look, SOON};
use dsrules::diagnostic::Diagnostic;
use dsrules::serve::Metrics;
use dsrules::source::{Events, Hint};

use super::line::{self, Line};
use super::pause::{Pause, Woken};
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// When to look.
pub struct Rhythm {
    /// Only once.
    pub once: bool,
    /// When events have been at rest for so long.
    pub debounce: Duration,
    /// So often, rather than at events.
    pub poll: Option<Duration>,
}

/// What the loop goes round with.
pub struct Steps<L> {
    pub looks: L,
    pub events: Events,
    pub pause: Pause,
    pub metrics: Arc<Metrics>,
    /// How plans are made, but for the time.
    pub options: Options,
    pub rhythm: Rhythm,
}

impl<L: Look> Steps<L> {
    /// Goes on until a signal comes.
    pub async fn run(mut self, context: &mut Context) -> Result<Exit, Failure> {
        let mut hint = Hint::Everything;
        let mut first = true;
        loop {
            let missing = self.listen(&mut hint);
            let away = missing.is_some();
            self.step(missing, &hint, first, context)?;
            first = false;
            if self.rhythm.once {
                return Ok(if self.looks.is_sound() { Exit::Done } else { Exit::Error });
            }
            // Rules may have changed after they were read and before they were watched.
            if self.rhythm.poll.is_none() && self.events.also(&self.looks.places()) {
                hint = self.events.take();
                continue;
            }
            match self.wait(away, context.clock()).await {
                Some(next) => hint = next,
                None => {
                    context.note("stopped: no step was left half done");
                    return Ok(Exit::Done);
                }
            }
        }
    }

    /// Begins to watch, if it has not: before the step, so what changes meanwhile is
    /// looked at again. Gives the error of a folder that is not there.
    fn listen(&mut self, hint: &mut Hint) -> Option<Diagnostic> {
        if self.rhythm.poll.is_some() || self.rhythm.once {
            return None;
        }
        match self.events.ensure() {
            Ok(anew) => {
                if anew {
                    *hint = Hint::Everything;
                }
                None
            }
            Err(missing) => Some(missing),
        }
    }

    /// Makes a step, and tells what it came to.
    fn step(
        &mut self,
        missing: Option<Diagnostic>,
        hint: &Hint,
        first: bool,
        context: &mut Context,
    ) -> Result<(), Failure> {
        let start = Instant::now();
        let options = Options { now: context.clock(), ..self.options.clone() };
        let step = match missing {
            Some(missing) => self.looks.failed(missing, &options),
            None => self.looks.look(hint, &options),
        };
        let keeper = self.looks.keeper();
        let line = Line::new(&step, keeper, first, start.elapsed(), context.clock());
        self.metrics.note(line.numbers(keeper), keeper.world());
        line::tell_all(&step, context);
        if first || !line.is_empty() {
            line.write(context)?;
        }
        Ok(())
    }

    /// Waits for the next thing to look at; nothing if a signal came.
    async fn wait(&mut self, away: bool, now: i64) -> Option<Hint> {
        let Rhythm { debounce, poll, .. } = self.rhythm;
        let soon = if away { Some(SOON) } else { self.looks.retry(now) };
        match self.pause.next(poll, debounce, soon).await {
            Woken::Signal => None,
            Woken::Events => Some(self.events.take()),
            Woken::Everything => Some(Hint::Everything),
            // Nothing changed but the time, unless the last step failed.
            Woken::Time if self.looks.is_sound() => Some(self.events.take()),
            Woken::Time => Some(Hint::Everything),
        }
    }
}
