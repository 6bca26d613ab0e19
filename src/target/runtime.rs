//! What runs the pods of one node, behind one trait.
//!
//! ```text
//!  list -> each pod of its own, as it is seen     play pod | restart pod | stop pod
//! ```
//! A runtime decides nothing and remembers nothing: whoever asks compares what is listed with
//! what is to run, and says what to do about the difference. A pod carries a *mark* that says
//! which pod and which revision it is, so that what runs already is known for what should run,
//! also after a crash of either side. Pods that somebody else runs are never listed, and never
//! touched.
//!
//! Calls block, and may take as long as an image takes to come. They are made from several
//! threads, one pod in each, so that a pod that hangs holds up no other.

use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::kube::{ObjectKey, timestamp};

/// What runs pods.
pub trait Runtime: Send + Sync {
    /// What it is, as a person knows it: `podman 4.3.1`.
    fn name(&self) -> String;

    /// The pods of the node that it runs, or has run and not removed, in any order.
    ///
    /// # Errors
    /// When it cannot be asked; then nothing is known of any pod.
    fn list(&self) -> Result<Vec<Observed>, Diagnostic>;

    /// Runs a pod, in place of one with this key if there is any. It need not wait until the
    /// containers are ready. One that fails leaves nothing of the new pod behind that a later
    /// call would trip over.
    ///
    /// # Errors
    /// When it cannot be run: an image that is not there, a port that is taken, a full disk.
    fn play(&self, pod: &Playable) -> Result<(), Diagnostic>;

    /// Starts the containers of a pod again that have ended, and counts that.
    ///
    /// # Errors
    /// When they cannot be started.
    fn restart(&self, pod: &ObjectKey) -> Result<(), Diagnostic>;

    /// Brings what is mounted into a pod that runs up to date with the objects that it names,
    /// as a kubelet does, and starts nothing again for it. One that cannot does nothing.
    ///
    /// # Errors
    /// When an object that it names is not there any more; then all stays as it was.
    fn refresh(&self, pod: &Playable) -> Result<(), Diagnostic> {
        let _ = pod;
        Ok(())
    }

    /// Stops a pod, with the time it asks for to end, and removes it. One that is not there is
    /// stopped already.
    ///
    /// # Errors
    /// When it cannot be stopped.
    fn stop(&self, pod: &ObjectKey) -> Result<(), Diagnostic>;
}

/// A pod that is to run, with all that it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Playable {
    /// Namespace and name.
    pub key: ObjectKey,
    /// Which pod and which revision it is; kept with what runs, and listed with it.
    pub mark: String,
    /// The whole Pod, as an API server has it.
    pub manifest: Value,
    /// The ConfigMaps and Secrets that it names, as far as there are such.
    pub objects: Vec<Value>,
}

/// A pod as the runtime sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Namespace and name.
    pub key: ObjectKey,
    /// The mark that it was played with; empty where it has none.
    pub mark: String,
    /// What has become of it.
    pub phase: Phase,
    /// When it began, in seconds of Unix time.
    pub started: Option<i64>,
    /// Its own address; that of the node with the host's network.
    pub ip: Option<String>,
    /// Why it is as it is, in one word, where there is more to say: `ErrImagePull`.
    pub reason: String,
    /// The same in a sentence.
    pub message: String,
    /// Its containers, in the order of its manifest; those of the runtime are not among them.
    pub containers: Vec<Container>,
}

/// What has become of a pod.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// Not all of its containers have started yet.
    #[default]
    Pending,
    /// Some container runs, or is about to again.
    Running,
    /// All have ended well, and none is started again.
    Succeeded,
    /// All have ended, and some not well, and none is started again.
    Failed,
}

impl Phase {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Phase::Pending => "Pending",
            Phase::Running => "Running",
            Phase::Succeeded => "Succeeded",
            Phase::Failed => "Failed",
        }
    }
}

/// A container as the runtime sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name in the manifest.
    pub name: String,
    /// The image it was made of.
    pub image: String,
    /// Whether it is to end before the others begin.
    pub init: bool,
    /// What it does now.
    pub state: State,
    /// How often it was started again.
    pub restarts: u32,
    /// How it ended before it was started again.
    pub last: Option<Ended>,
    /// What its readiness probe or health check says; `None` where there is none, or none has
    /// answered yet ([`probed`](Container::probed)).
    pub ready: Option<bool>,
    /// Whether it has such a probe: until that answers, it is not ready.
    pub probed: bool,
}

/// What a container does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It has not started, for this reason, with what there is to say of it.
    Waiting(String, String),
    /// It runs, since then.
    Running(Option<i64>),
    /// It runs no more.
    Ended(Ended),
}

impl Default for State {
    fn default() -> Self {
        State::Waiting("ContainerCreating".to_owned(), String::new())
    }
}

/// How a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; 128 and more for a signal.
    pub code: i64,
    /// `Completed`, `Error`, `OOMKilled`.
    pub reason: String,
    /// When it began.
    pub started: Option<i64>,
    /// When it ended.
    pub at: Option<i64>,
}

impl Container {
    /// Whether it runs, and its probe says that it does well.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Running(_)) && self.ready.unwrap_or(!self.probed)
    }

    /// Its entry in a pod's status.
    fn status(&self) -> Value {
        let last = self.last.as_ref().map_or(json!({}), |ended| json!({ "terminated": ended.status() }));
        let state = match &self.state {
            State::Waiting(reason, message) if message.is_empty() => {
                json!({ "waiting": { "reason": reason } })
            }
            State::Waiting(reason, message) => {
                json!({ "waiting": { "reason": reason, "message": message } })
            }
            State::Running(None) => json!({ "running": {} }),
            State::Running(Some(since)) => json!({ "running": { "startedAt": timestamp(*since) } }),
            State::Ended(ended) => json!({ "terminated": ended.status() }),
        };
        json!({
            "name": self.name, "image": self.image, "ready": self.is_ready(),
            "restartCount": self.restarts, "state": state, "lastState": last,
        })
    }
}

impl Ended {
    fn status(&self) -> Value {
        let mut status = json!({ "exitCode": self.code, "reason": self.reason });
        for (field, time) in [("startedAt", self.started), ("finishedAt", self.at)] {
            if let Some(time) = time {
                status[field] = json!(timestamp(time));
            }
        }
        status
    }
}

impl Observed {
    /// Whether it runs and all of its containers are ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let mut lasting = self.containers.iter().filter(|container| !container.init);
        self.phase == Phase::Running && lasting.all(Container::is_ready)
    }

    /// Its `status`, as a kubelet would write it. `since` is when it became ready, or ceased
    /// to be.
    #[must_use]
    pub fn status(&self, since: i64) -> Value {
        let ready = if self.is_ready() { "True" } else { "False" };
        let entries = |init| -> Vec<Value> {
            self.containers.iter().filter(|it| it.init == init).map(Container::status).collect()
        };
        let mut status = json!({
            "phase": self.phase.word(),
            "conditions": [{ "type": "Ready", "status": ready, "lastTransitionTime": timestamp(since) }],
            "containerStatuses": entries(false),
        });
        if self.containers.iter().any(|container| container.init) {
            status["initContainerStatuses"] = entries(true).into();
        }
        for (field, text) in [("reason", &self.reason), ("message", &self.message)] {
            if !text.is_empty() {
                status[field] = json!(text);
            }
        }
        if let Some(started) = self.started {
            status["startTime"] = json!(timestamp(started));
        }
        if let Some(ip) = &self.ip {
            status["podIP"] = json!(ip);
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::{pod_status, ready_containers};

    fn observed(containers: Vec<Container>) -> Observed {
        Observed { phase: Phase::Running, containers, ..Observed::default() }
    }

    fn running(name: &str, probed: bool, ready: Option<bool>) -> Container {
        Container {
            name: name.to_owned(),
            state: State::Running(Some(9)),
            probed,
            ready,
            ..Container::default()
        }
    }

    #[test]
    fn a_pod_is_ready_when_all_its_containers_run_and_answer() {
        assert!(observed(vec![running("a", false, None), running("b", true, Some(true))]).is_ready());
        assert!(!observed(vec![running("a", false, None), running("b", true, None)]).is_ready());
        assert!(!observed(vec![running("a", true, Some(false))]).is_ready());
        let ended = Container { state: State::Ended(Ended::default()), ..running("a", false, None) };
        assert!(!observed(vec![ended.clone()]).is_ready());
        // One that is to end first may have.
        assert!(observed(vec![Container { init: true, ..ended }, running("b", false, None)]).is_ready());
    }

    #[test]
    fn its_status_reads_as_a_kubelets() {
        let ended = Ended { code: 137, reason: "Error".to_owned(), started: None, at: Some(60) };
        let crashed = Container {
            state: State::Waiting("CrashLoopBackOff".to_owned(), "back-off 10s".to_owned()),
            restarts: 3,
            last: Some(ended),
            ..running("b", false, None)
        };
        let status = observed(vec![running("a", false, None), crashed]).status(60);
        let pod = json!({ "spec": { "containers": [{}, {}] }, "status": status });
        assert_eq!((ready_containers(&pod), pod_status(&pod).as_str()), ((1, 2), "CrashLoopBackOff"));
        assert_eq!(pod["status"]["conditions"][0]["status"], "False");
        assert_eq!(
            pod["status"]["containerStatuses"][1]["lastState"]["terminated"]["finishedAt"],
            "1970-01-01T00:01:00Z"
        );
    }
}
