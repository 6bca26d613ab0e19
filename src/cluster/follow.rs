//! All objects of a kind, and what becomes of them from then on.

use std::time::Duration;

use ::kube::Api;
use ::kube::api::{ApiResource, DynamicObject};
use ::kube::runtime::WatchStreamExt;
use ::kube::runtime::utils::Backoff;
use ::kube::runtime::watcher::{Config, Error, Event, watcher};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::Value;

use super::connect::Cluster;
use super::told::told;
use crate::diagnostic::Diagnostic;

/// A kind that is followed.
#[derive(Debug, Clone, Default)]
pub struct Followed {
    /// Its API group, empty for the core's.
    pub group: String,
    /// Its version.
    pub version: String,
    /// As objects say it.
    pub kind: String,
    /// Its resource, as paths name it.
    pub plural: String,
    /// The namespace, where only one is followed.
    pub namespace: Option<String>,
    /// Which of its fields have which values.
    pub fields: Option<String>,
}

/// What is heard of a kind: of objects as JSON, or what was made of each.
#[derive(Debug)]
pub enum Heard<T = Value> {
    /// All there is.
    All(Vec<T>),
    /// One was made or changed.
    Put(T),
    /// One is gone.
    Gone(T),
    /// What was heard of it is too old to go on with: all there is comes next.
    Old,
    /// It may not be read, or there is no such kind: nothing more will be heard.
    Refused(Diagnostic),
    /// It is not heard of for now; it goes on by itself.
    Broken(Diagnostic),
}

/// Follows a kind for as long as somebody listens. Where its watch is cut off or too old it goes
/// on by itself, if need be with all there is.
pub fn follow(cluster: &Cluster, followed: &Followed) -> BoxStream<'static, Heard> {
    follow_as(cluster, followed, |object| object)
}

/// The same, where something is made of each object as it comes: all of them as they came may be
/// more than there is memory for.
pub fn follow_as<T: Send + 'static>(
    cluster: &Cluster,
    followed: &Followed,
    mut make: impl FnMut(Value) -> T + Send + 'static,
) -> BoxStream<'static, Heard<T>> {
    let Followed { group, version, kind, plural, namespace, fields } = followed.clone();
    let api_version = if group.is_empty() { version.clone() } else { format!("{group}/{version}") };
    let resource = ApiResource { group, version, api_version, kind, plural: plural.clone() };
    let client = cluster.client.clone();
    let api: Api<DynamicObject> = match &namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let config = Config { field_selector: fields, ..Config::default() };
    let (name, address) = (cluster.name.clone(), cluster.address.clone());
    let mut all = Vec::new();
    let heard = move |event: Result<Event<DynamicObject>, Error>| match event {
        Ok(Event::Init) => {
            all.clear();
            None
        }
        Ok(Event::InitApply(object)) => {
            all.push(make(value(&object)));
            None
        }
        Ok(Event::InitDone) => Some(Heard::All(std::mem::take(&mut all))),
        Ok(Event::Apply(object)) => Some(Heard::Put(make(value(&object)))),
        Ok(Event::Delete(object)) => Some(Heard::Gone(make(value(&object)))),
        Err(error) => Some(trouble(error, &name, &address, &plural)),
    };
    let events = watcher(api, config).backoff(Pauses::default());
    events.map(heard).filter_map(std::future::ready).boxed()
}

fn value(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

/// How long it is waited after so many failures, one behind the other. Kinds that are cut off
/// together come back together: nobody is to see one of them as it is and another as it was.
#[must_use]
pub fn pause(failures: usize) -> Duration {
    const FIRST: Duration = Duration::from_millis(800);
    const LONGEST: Duration = Duration::from_secs(5);
    FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST)
}

/// The pauses, one after the other.
#[derive(Default)]
struct Pauses(usize);

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0 += 1;
        Some(pause(self.0))
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.0 = 0;
    }
}

/// Which kind it was that something went wrong with.
#[must_use]
pub fn asked_for(plural: &str) -> String {
    format!("{plural} were asked for")
}

/// What is told of what went wrong.
fn trouble<T>(error: Error, name: &str, address: &str, plural: &str) -> Heard<T> {
    let error = match error {
        Error::NoResourceVersion => return Heard::Old,
        Error::WatchError(status) => ::kube::Error::Api(status),
        Error::InitialListFailed(error) | Error::WatchStartFailed(error) | Error::WatchFailed(error) => error,
    };
    let status = if let ::kube::Error::Api(status) = &error { status.code } else { 0 };
    let told = told(&error, name, address).because(asked_for(plural));
    match status {
        410 => Heard::Old,
        401 | 403 | 404 => {
            Heard::Refused(told.help("examples/cluster-reader and examples/in-cluster name what is needed"))
        }
        _ => Heard::Broken(told),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_with_what_is_heard() {
        let mut pauses = Pauses::default();
        let some: Vec<u128> = pauses.by_ref().take(5).map(|it| it.as_millis()).collect();
        assert_eq!(some, [800, 1600, 3200, 5000, 5000]);
        pauses.reset();
        assert_eq!(pauses.next(), Some(pause(1)));
        assert_eq!(pause(usize::MAX), pause(4));
    }
}
