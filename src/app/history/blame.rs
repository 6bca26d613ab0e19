//! Why a daemonset has a pod on a node or has none, and since when: the run, and the change that
//! it was told.
//!
//! The pod's own coming is on record. Whether a pod should be there is not: each former moment at
//! which something was changed that may matter to that is asked the same as now, the last one
//! first, until the answer is another one. The rules say which changes may matter.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::log::{RunLog, Subject, about, counting};
use super::record::NAMED;
use crate::app::listener::{Listener, Silent};
use crate::app::manifests::Manifests;
use crate::app::open::Database;
use crate::app::question;
use crate::app::seen::{Seen, Sight};
use crate::app::why::{Because, Why, explain};
use crate::diagnostic::Diagnostic;
use crate::explain::{self, Explanation};
use crate::kube::{Kind, Name, ObjectKey};
use crate::policy::Asked;
use crate::state::{Led, Moment, Run};
use crate::target::Memory;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Blame {
    /// The store.
    pub database: Database,
    /// The user's own rules.
    pub rules: Asked,
    /// The daemonset and the node as a person names them.
    pub words: [String; 2],
    /// The namespace of what names none.
    pub namespace: String,
    /// The folder from which files are named, if they are below it.
    pub here: Option<PathBuf>,
    /// The time, in seconds of Unix time.
    pub now: i64,
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Blamed {
    /// How it is, and why.
    pub explanation: Explanation,
    /// Since when a pod should be there, or should not.
    pub verdict: Option<Since>,
    /// Since when each of the explanation's causes keeps it off, in their order.
    pub causes: Vec<Option<Since>>,
    /// Which run made each of its pods, in their order.
    pub pods: Vec<Option<RunLog>>,
    /// Which run took away the last one, where there is none.
    pub gone: Option<RunLog>,
}

/// A run since which something is so.
#[derive(Debug, Clone)]
pub struct Since {
    /// The run.
    pub log: RunLog,
    /// What was before, in a sentence.
    pub before: String,
}

/// How a pair was at a moment that is over.
struct Before {
    /// In a sentence.
    said: String,
    /// Whether a pod should be there; none where daemonset or node were not.
    eligible: Option<bool>,
    /// What kept it off.
    causes: Vec<String>,
    /// Whether only what concerns the pair's own node matters to it.
    local: bool,
}

/// Looks back from how it is now.
///
/// # Errors
/// When daemonset or node are not there, and when the rules or the store are not sound.
pub fn blame(request: &Blame, listener: &dyn Listener) -> Result<Blamed, Vec<Diagnostic>> {
    let (mut found, mut local) = request.ask_now(listener)?;
    listener.stage("looking back");
    let pair = (found.explanation.daemonset.clone(), found.explanation.node.clone());
    let store = request.database.read()?;
    let last = match request.database.at {
        Some(at) => request.database.run_at(at)?.run,
        None => u64::MAX,
    };
    let mut runs = store.runs()?.into_iter().filter(|run| run.run <= last).peekable();
    while let Some(run) = runs.next() {
        if found.is_all() {
            break;
        }
        let looked = look(&*store, run, &pair)?;
        found.moved(&looked.log);
        if found.asks_causes() && (!local || looked.may_matter) {
            let before = request.ask_then(runs.peek(), &looked.log.run, &pair)?;
            let Some(before) = before else { break };
            local = before.local;
            found.compare(&before, &looked.log);
        }
    }
    Ok(found)
}

impl Blame {
    fn why(&self, words: Vec<String>, now: i64) -> Why {
        let namespace = self.namespace.clone();
        Why { words, namespace, here: self.here.clone(), now, most: 1, planned: false }
    }

    fn see(&self, why: &Why, at: Option<Moment>, listener: &dyn Listener) -> Result<Seen, Vec<Diagnostic>> {
        let database = Database { at, ..self.database.clone() };
        let rules = self.rules.clone();
        let sight = Sight { database, manifests: Manifests::default(), rules, now: why.now, whole: false };
        why.look(&sight, listener)
    }

    /// How it is, and whether only what concerns its own node matters to that.
    fn ask_now(&self, listener: &dyn Listener) -> Result<(Blamed, bool), Vec<Diagnostic>> {
        let why = self.why(self.words.to_vec(), self.now);
        let seen = self.see(&why, self.database.at, listener)?;
        let Because::Pair(explanation) = explain(&why, &seen)? else {
            return Err(vec![
                Diagnostic::error("nothing-named", "a daemonset and a node are to be named")
                    .help("write `dsrules blame DAEMONSET NODE`, with `-n` for the daemonset's namespace"),
            ]);
        };
        let found = Blamed {
            verdict: None,
            causes: vec![None; explanation.causes.len()],
            pods: vec![None; explanation.pods.len()],
            gone: None,
            explanation: *explanation,
        };
        Ok((found, is_local(&seen)))
    }

    /// How it was before a run; nothing where that is not remembered.
    fn ask_then(
        &self,
        before: Option<&Run>,
        run: &Run,
        pair: &(ObjectKey, Name),
    ) -> Result<Option<Before>, Vec<Diagnostic>> {
        let Some(before) = before else {
            let nothing = || Before::without("there was nothing yet".to_owned(), true);
            return Ok((run.run == 1).then(nothing));
        };
        let (daemonset, node) = pair;
        let why = self.why(vec![daemonset.to_string(), node.to_string()], before.time);
        let seen = self.see(&why, Some(Moment::Run(before.run)), &Silent)?;
        let local = is_local(&seen);
        if !seen.world.daemonsets.contains_key(daemonset) {
            return Ok(Some(Before::without(format!("there was no daemonset {daemonset}"), local)));
        }
        if !seen.world.nodes.contains_key(&ObjectKey::new("", node.clone())) {
            return Ok(Some(Before::without(format!("there was no node {node}"), local)));
        }
        let Because::Pair(it) = explain(&why, &seen)? else { return Ok(None) };
        let causes = it.causes.into_iter().map(|told| told.says).collect();
        Ok(Some(Before { said: it.headline, eligible: Some(it.eligible), causes, local }))
    }
}

impl Before {
    fn without(said: String, local: bool) -> Before {
        Before { said, eligible: None, causes: Vec::new(), local }
    }
}

/// Whether only what concerns a pair's own node matters to it, as far as the rules see nodes.
fn is_local(seen: &Seen) -> bool {
    question::is_local(&seen.program, &explain::asked(&seen.program))
}

/// A run, as far as it has to do with the pair.
struct Looked {
    log: RunLog,
    /// Whether something was changed that may matter to the pair by local rules.
    may_matter: bool,
}

fn look(store: &dyn Memory, run: Run, (daemonset, node): &(ObjectKey, Name)) -> Result<Looked, Diagnostic> {
    let pair = Subject::Pair(daemonset.clone(), node.clone());
    let (mut counts, mut on_node) = (Vec::new(), false);
    let mut count = counting(&pair, usize::MAX, &mut counts);
    let done = store.done(run.run, &mut |group, on, object| {
        on_node |= on == Some(&**node);
        count(group, on, object)
    })?;
    drop(count);
    let elsewhere = |led: &Led| led.kind == Kind::Node && led.key.name != *node;
    let may_matter = on_node
        || !done.rules.is_empty()
        // Of so many not all are on record.
        || done.led.len() >= NAMED
        || !done.led.iter().all(elsewhere);
    let (led, rules) = (done.led.clone(), done.rules.clone());
    let log = about(&pair, run.clone(), done, counts).unwrap_or_else(|| {
        // What is known of other nodes and pods is not what led to it.
        let led = led.into_iter().filter(|led| !matches!(led.kind, Kind::Node | Kind::Pod)).collect();
        RunLog { run, led, rules, groups: Vec::new() }
    });
    Ok(Looked { log, may_matter })
}

impl Blamed {
    /// Whether nothing is left to be found out.
    fn is_all(&self) -> bool {
        !self.asks_causes()
            && self.pods.iter().all(Option::is_some)
            && (self.gone.is_some() || !self.pods.is_empty())
    }

    /// Whether it is not known yet since when a pod should be there, or should not.
    fn asks_causes(&self) -> bool {
        self.verdict.is_none()
    }

    /// Takes what came and went.
    fn moved(&mut self, log: &RunLog) {
        let moves = || log.groups.iter().flat_map(|group| &group.first);
        for (pod, made) in self.explanation.pods.iter().zip(&mut self.pods) {
            let is_it = |key: &ObjectKey| {
                key.namespace == self.explanation.daemonset.namespace && key.name == pod.name
            };
            let led = log.led.iter().any(|led| led.kind == Kind::Pod && is_it(&led.key));
            if made.is_none() && (led || moves().any(|it| it.came() && is_it(&it.object))) {
                *made = Some(log.clone());
            }
        }
        if self.pods.is_empty() && self.gone.is_none() && moves().any(|it| it.went()) {
            self.gone = Some(log.clone());
        }
    }

    /// Takes how it was before a run.
    fn compare(&mut self, before: &Before, log: &RunLog) {
        let since = || Some(Since { log: log.clone(), before: before.said.clone() });
        for (told, found) in self.explanation.causes.iter().zip(&mut self.causes) {
            if found.is_none() && !before.causes.contains(&told.says) {
                *found = since();
            }
        }
        if before.eligible != Some(self.explanation.eligible) {
            self.verdict = since();
        }
    }

    /// The runs that it names, each once, by their numbers.
    #[must_use]
    pub fn runs(&self) -> BTreeMap<u64, &RunLog> {
        let since = self.verdict.iter().chain(self.causes.iter().flatten()).map(|since| &since.log);
        since.chain(self.pods.iter().flatten()).chain(&self.gone).map(|log| (log.run.run, log)).collect()
    }
}
