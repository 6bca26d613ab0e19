//! One of several that would do the same: a Lease (coordination.k8s.io), and who may act by it.
//!
//! As client-go does it: a lease is taken when there is none, when its holder gave it up, or when
//! it was not renewed for its duration by our own clock, counted from when we saw it change last;
//! clocks of different machines are never compared. Who holds it acts only until shortly before
//! the others may take it: counted from when the renewal was sent, not from when it was answered.

use std::time::Duration;

use serde_json::{Value, json};

/// A lease, and what is known of it. Times are since some moment of our own clock.
#[derive(Debug, Clone)]
pub struct Lease {
    name: String,
    namespace: String,
    identity: String,
    duration: Duration,
    /// What was seen last, and when it was first seen so.
    seen: Option<(Value, Duration)>,
    /// When the renewal was sent that was answered last.
    renewed: Option<Duration>,
}

/// What is to be asked about a lease.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// It is to be created so.
    Create(Value),
    /// It is to be written so, if it is still of its resourceVersion.
    Update(Value),
    /// Somebody else holds it.
    Wait(String),
}

/// Whether we may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// For so long.
    Holds(Duration),
    /// Not, or no longer.
    Not,
}

impl Lease {
    /// A lease that we do not hold.
    #[must_use]
    pub fn new(namespace: &str, name: &str, identity: &str, duration: Duration) -> Self {
        let (name, namespace, identity) = (name.to_owned(), namespace.to_owned(), identity.to_owned());
        Lease { name, namespace, identity, duration, seen: None, renewed: None }
    }

    /// How long to wait between two looks.
    #[must_use]
    pub fn every(&self) -> Duration {
        self.duration / 7
    }

    /// What to ask, given the lease as it is in the cluster; `instant` is now, `time` the same for
    /// people to read (RFC 3339 with microseconds).
    pub fn claim(&mut self, found: Option<&Value>, instant: Duration, time: &str) -> Claim {
        let Some(found) = found else {
            self.seen = None;
            let meta = json!({ "name": self.name, "namespace": self.namespace });
            let kind = json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta });
            return Claim::Create(self.held(kind, time, 0));
        };
        let spec = &found["spec"];
        if self.seen.as_ref().is_none_or(|(seen, _)| seen != spec) {
            self.seen = Some((spec.clone(), instant));
        }
        let holder = spec["holderIdentity"].as_str().unwrap_or("");
        let since = self.seen.as_ref().map_or(instant, |(_, since)| *since);
        if !holder.is_empty() && holder != self.identity {
            self.renewed = None;
            let theirs = spec["leaseDurationSeconds"].as_u64().map_or(self.duration, Duration::from_secs);
            if instant < since + theirs {
                return Claim::Wait(holder.to_owned());
            }
        }
        let before = spec["leaseTransitions"].as_i64().unwrap_or(0);
        let transitions = if holder == self.identity { before } else { before + 1 };
        Claim::Update(self.held(found.clone(), time, transitions))
    }

    /// That a claim which was sent at `sent` was granted.
    pub fn granted(&mut self, sent: Duration) {
        self.renewed = Some(sent);
    }

    /// Whether we may act at `instant`: only while nobody can have taken the lease from us, with a
    /// third of its time to spare.
    #[must_use]
    pub fn standing(&self, instant: Duration) -> Standing {
        let until = self.renewed.map(|sent| sent + self.duration * 2 / 3);
        match until.and_then(|until| until.checked_sub(instant)).filter(|left| !left.is_zero()) {
            Some(left) => Standing::Holds(left),
            None => Standing::Not,
        }
    }

    /// The lease given up, if it is ours.
    #[must_use]
    pub fn given_up(&self, found: &Value) -> Option<Value> {
        let is_ours = found["spec"]["holderIdentity"] == *self.identity;
        is_ours.then(|| {
            let mut lease = found.clone();
            lease["spec"]["holderIdentity"] = json!("");
            lease
        })
    }

    fn held(&self, mut lease: Value, time: &str, transitions: i64) -> Value {
        let is_ours = lease["spec"]["holderIdentity"] == *self.identity;
        let acquired = Some(&lease["spec"]["acquireTime"]).filter(|it| is_ours && !it.is_null()).cloned();
        lease["spec"] = json!({
            "holderIdentity": self.identity,
            "leaseDurationSeconds": self.duration.as_secs().max(1),
            "acquireTime": acquired.unwrap_or_else(|| json!(time)),
            "renewTime": time,
            "leaseTransitions": transitions,
        });
        lease
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn lease(who: &str) -> Lease {
        Lease::new("logging", "rollout", who, SECOND * 15)
    }

    #[test]
    fn who_comes_first_has_it_and_the_other_waits_for_its_whole_duration() {
        let (mut a, mut b) = (lease("a"), lease("b"));
        let Claim::Create(made) = a.claim(None, SECOND, "t1") else { panic!("there was none") };
        assert_eq!(a.standing(SECOND), Standing::Not, "not before it is granted");
        a.granted(SECOND);
        assert_eq!(a.standing(SECOND), Standing::Holds(SECOND * 10));
        assert_eq!(b.claim(Some(&made), SECOND * 5, "t2"), Claim::Wait("a".to_owned()));
        assert_eq!(b.claim(Some(&made), SECOND * 19, "t3"), Claim::Wait("a".to_owned()));
        assert_eq!(a.standing(SECOND * 11), Standing::Not, "long before the other has it");
        let Claim::Update(taken) = b.claim(Some(&made), SECOND * 20, "t4") else { panic!("it is over") };
        assert_eq!(taken["spec"]["leaseTransitions"], 1);
        b.granted(SECOND * 20);
        assert_eq!(a.claim(Some(&taken), SECOND * 21, "t5"), Claim::Wait("b".to_owned()));
    }

    #[test]
    fn a_renewal_starts_the_others_wait_anew() {
        let (mut a, mut b) = (lease("a"), lease("b"));
        let Claim::Create(made) = a.claim(None, SECOND, "t1") else { panic!("there was none") };
        assert_eq!(b.claim(Some(&made), SECOND * 2, "t1"), Claim::Wait("a".to_owned()));
        let Claim::Update(renewed) = a.claim(Some(&made), SECOND * 9, "t2") else { panic!("it is ours") };
        assert_eq!(renewed["spec"]["acquireTime"], "t1");
        assert_eq!(b.claim(Some(&renewed), SECOND * 16, "t3"), Claim::Wait("a".to_owned()));
        assert_eq!(b.claim(Some(&renewed), SECOND * 30, "t4"), Claim::Wait("a".to_owned()));
        assert!(matches!(b.claim(Some(&renewed), SECOND * 31, "t5"), Claim::Update(_)));
    }

    #[test]
    fn what_is_given_up_is_taken_at_once() {
        let (mut a, mut b) = (lease("a"), lease("b"));
        let Claim::Create(made) = a.claim(None, SECOND, "t1") else { panic!("there was none") };
        let free = a.given_up(&made).expect("it is ours");
        assert_eq!(b.given_up(&made), None);
        assert!(matches!(b.claim(Some(&free), SECOND * 2, "t2"), Claim::Update(_)));
    }
}
