//! The picture of the fleet as a page, drawn from the store as a command would.
//!
//! That is done beside the thread that answers for objects; one at a time, and once for all who
//! ask until something changes.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::Mutex;

use crate::app::api::{Reason, Refused, Serving};
use crate::app::picture::{self, picture};
use crate::app::whatif::Edits;
use crate::app::{Manifests, Options, Request, Silent};
use crate::diagnostic::Diagnostic;
use crate::report::picture_html;

/// A page is drawn anew after so many seconds, as time alone may change what rules say.
const FRESH: i64 = 60;

/// What pages are drawn from, and the last one.
#[derive(Clone)]
pub struct Drawing {
    request: Request,
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    last: Arc<Mutex<Option<Drawn>>>,
}

/// A page, the place of the next change when it was drawn, and the time.
struct Drawn {
    page: Bytes,
    place: u64,
    at: i64,
}

impl Drawing {
    /// Of what is served.
    pub fn of(serving: &Serving) -> Drawing {
        let request = Request {
            database: serving.database.clone(),
            manifests: Manifests::default(),
            id: String::new(),
            takes_over: false,
            keep_going: false,
            remind: false,
            rules: serving.rules.clone(),
            tree: None,
            exports: Vec::new(),
            options: serving.options.clone(),
        };
        Drawing { request, clock: serving.clock.clone(), last: Arc::default() }
    }

    /// The page as of a place among the changes.
    ///
    /// # Errors
    /// When the store or the rules are not sound.
    pub async fn page(&self, place: u64) -> Result<Bytes, Refused> {
        let mut last = self.last.lock().await;
        let now = (self.clock)();
        if let Some(drawn) = &*last
            && drawn.place == place
            && (drawn.at..drawn.at + FRESH).contains(&now)
        {
            return Ok(drawn.page.clone());
        }
        let options = Options { now, ..self.request.options.clone() };
        let asked =
            picture::Asked { request: Request { options, ..self.request.clone() }, edits: Edits::default() };
        let draw = move || Ok(picture_html(&picture(&asked, &Silent)?, Some(place)));
        let drawn = tokio::task::spawn_blocking(draw).await;
        let failed = |why: String| Refused::new(Reason::InternalError, why);
        let page = drawn.map_err(|error| failed(error.to_string()))?;
        let page = page.map_err(|errors: Vec<Diagnostic>| {
            let first = errors.into_iter().next();
            first.map_or_else(|| failed("the fleet cannot be drawn".to_owned()), Refused::from)
        })?;
        let page = Bytes::from(page);
        *last = Some(Drawn { page: page.clone(), place, at: now });
        Ok(page)
    }
}
