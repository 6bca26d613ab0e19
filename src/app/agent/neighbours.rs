//! The other agents, as their reports say: who is down, and who is not heard of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::diagnostic::Diagnostic;
use crate::kube::{Name, ObjectKey};
use crate::target::reports::{DaemonSetReport, Report, Reports};

/// An agent reports anew so often, though nothing has changed.
pub(super) const BEAT: Duration = Duration::from_secs(3);
/// One that has not for so long is taken for one whose pods are down.
const SILENCE: Duration = Duration::from_secs(30);

/// What is known of the others. Their clocks are not asked: what counts is how long ago by this
/// machine's their beat was seen to change.
#[derive(Default)]
pub(super) struct Neighbours {
    reports: Vec<Report>,
    /// The beat of each, and when it was seen to change; not at first sight, when it may have
    /// stood still for long.
    beats: BTreeMap<Name, (u64, Option<Instant>)>,
    now: Option<Instant>,
}

impl Neighbours {
    /// Reads what they report.
    pub(super) fn read(&mut self, reports: &Reports, now: Instant) -> Result<(), Diagnostic> {
        let reading = reports.read()?;
        if let Some(problem) = reading.problems.into_iter().next() {
            return Err(problem);
        }
        self.reports = reading.reports;
        self.now = Some(now);
        for report in &self.reports {
            match self.beats.get_mut(&report.node) {
                None => {
                    self.beats.insert(report.node.clone(), (report.beat, None));
                }
                Some((beat, seen)) if *beat != report.beat => (*beat, *seen) = (report.beat, Some(now)),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The reports of others about a daemonset.
    fn of<'n>(
        &'n self,
        own: &'n str,
        daemonset: &'n ObjectKey,
    ) -> impl Iterator<Item = (&'n Name, &'n DaemonSetReport)> {
        let others = self.reports.iter().filter(move |report| *report.node != *own);
        others.filter_map(move |report| {
            let about = report.daemon_sets.iter().find(|it| it.key() == *daemonset)?;
            (about.desired > 0).then_some((&report.node, about))
        })
    }

    /// How many others should run a pod of it.
    pub(super) fn desired(&self, own: &str, daemonset: &ObjectKey) -> usize {
        self.of(own, daemonset).count()
    }

    /// The others that have no available pod of it, or of which that is not known.
    pub(super) fn down(&self, own: &str, daemonset: &ObjectKey) -> BTreeSet<Name> {
        let down = self.of(own, daemonset).filter(|(node, it)| it.is_down() || self.is_silent(node));
        down.map(|(node, _)| node.clone()).collect()
    }

    /// One of an earlier wave that is not done with a revision.
    pub(super) fn earlier(
        &self,
        own: &str,
        daemonset: &ObjectKey,
        wave: Option<i64>,
        revision: &str,
    ) -> Option<Name> {
        let place = |wave: Option<i64>| wave.unwrap_or(i64::MAX);
        let mut before = self.of(own, daemonset).filter(|(_, it)| place(it.wave) < place(wave));
        before.find(|(_, it)| !it.is_done(revision)).map(|(node, _)| node.clone())
    }

    fn is_silent(&self, node: &str) -> bool {
        let heard = self.beats.get(node).and_then(|(_, seen)| *seen).zip(self.now);
        heard.is_none_or(|(seen, now)| now.duration_since(seen) > SILENCE)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::target::reports::{API_VERSION, KIND};

    #[test]
    fn one_that_is_down_or_silent_counts() {
        let root = tempfile::tempdir().unwrap();
        let reports = Reports::new(root.path());
        let web = ObjectKey::new("default", "web");
        let write = |node: &str, beat, available, wave| {
            let about = DaemonSetReport {
                namespace: "default".into(),
                name: "web".into(),
                revision: "r1".into(),
                desired: 1,
                updated: 1,
                available,
                wave,
                ..DaemonSetReport::default()
            };
            let (api_version, kind) = (API_VERSION.to_owned(), KIND.to_owned());
            let daemon_sets = vec![about];
            reports
                .write(&Report {
                    api_version,
                    kind,
                    node: node.into(),
                    beat,
                    daemon_sets,
                    ..Report::default()
                })
                .unwrap();
        };
        let mut neighbours = Neighbours::default();
        let start = Instant::now();
        let mut read = |seconds: u64| {
            neighbours.read(&reports, start + Duration::from_secs(seconds)).unwrap();
            neighbours.down("n1", &web).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        write("n1", 1, 0, None);
        write("n2", 1, 1, Some(1));
        write("n3", 1, 0, None);
        assert_eq!(read(0), "n2 n3", "not heard of yet");
        write("n2", 2, 1, Some(1));
        write("n3", 2, 0, None);
        assert_eq!(read(3), "n3");
        write("n3", 3, 1, None);
        assert_eq!(read(20), "");
        assert_eq!(read(40), "n2", "silent for too long");
        assert_eq!(neighbours.desired("n1", &web), 2);
        assert_eq!(neighbours.earlier("n1", &web, None, "r1"), None);
        assert_eq!(neighbours.earlier("n1", &web, None, "r2").as_deref(), Some("n2"));
        assert_eq!(neighbours.earlier("n1", &web, Some(1), "r2"), None);
    }
}
