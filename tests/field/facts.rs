//! `facts.txt`: read, run and compared.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Case, folders, number};

/// What has to come of one case.
pub struct Facts {
    pub case: String,
    steps: Vec<Step>,
}

struct Step {
    verb: String,
    line: String,
    facts: Vec<String>,
}

pub fn read() -> Vec<Facts> {
    let mut all: Vec<Facts> = Vec::new();
    for line in include_str!("facts.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(fact) = line.strip_prefix("  ") {
            all.last_mut().unwrap().steps.last_mut().unwrap().facts.push(fact.trim().to_owned());
            continue;
        }
        let (verb, rest) = line.split_once(' ').unwrap();
        match verb {
            "case" => all.push(Facts { case: rest.to_owned(), steps: Vec::new() }),
            "run" | "fails" | "json" | "at" => {
                let step = Step { verb: verb.to_owned(), line: rest.to_owned(), facts: Vec::new() };
                all.last_mut().unwrap().steps.push(step);
            }
            _ => panic!("what is `{line}`?"),
        }
    }
    all
}

impl Facts {
    /// What is otherwise than it has to be.
    pub fn check(&self) -> Vec<String> {
        let folder = folders().into_iter().find(|it| number(it) == self.case).unwrap();
        let mut case = Case::new(&folder);
        let mut wrong = Vec::new();
        for step in &self.steps {
            if step.verb == "at" {
                case.at(&step.line);
                continue;
            }
            let json = if step.verb == "json" { " -o json" } else { "" };
            let (out, err, code) = case.run(&format!("{}{json}", step.line));
            let place = format!("{}: {}", self.case, step.line);
            if code != i32::from(step.verb == "fails") {
                wrong.push(format!("{place}: exit code {code}\n{out}{err}"));
            } else if step.verb == "json" {
                let document: Value = serde_json::from_str(&out).unwrap();
                let plan = document.get("plan").unwrap_or(&document);
                wrong.extend(compare(plan, &step.facts).into_iter().map(|it| format!("{place}: {it}")));
            }
        }
        wrong
    }
}

fn compare(plan: &Value, facts: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut waves = Vec::new();
    let mut waiting = Vec::new();
    for fact in facts {
        let (what, rest) = fact.split_once(' ').unwrap_or((fact, ""));
        match what {
            "wave" => waves.push(sorted(rest.split(", ").map(str::to_owned))),
            "status" => wrong.extend(status(plan, rest)),
            "waits" => {
                let (daemonset, pods) = rest.split_once(' ').unwrap_or((rest, ""));
                waiting.push(daemonset.to_owned());
                let pods = sorted(pods.split_whitespace().map(str::to_owned));
                let found = sorted(list(&waits(plan, daemonset)["nodes"]).map(|it| {
                    let pod = made(text(&it["pod"]));
                    format!("{}/{pod}", text(&it["node"]))
                }));
                if found != pods {
                    wrong.push(format!("{daemonset} waits for {found:?}, not for {pods:?}"));
                }
            }
            "limit" => {
                let (daemonset, wanted) = rest.split_once(' ').unwrap();
                let limit = &waits(plan, daemonset)["limit"];
                let found = format!("{}={}/{}", text(&limit["field"]), limit["used"], limit["nodes"]);
                if found != wanted {
                    wrong.push(format!("the limit of {daemonset} is {found}, not {wanted}"));
                }
            }
            _ => panic!("what is `{fact}`?"),
        }
    }
    let found: Vec<Vec<String>> = list(&plan["waves"]).map(wave).filter(|wave| !wave.is_empty()).collect();
    if found != waves {
        wrong.push(format!("waves {found:#?} are not {waves:#?}"));
    }
    if !waiting.is_empty() {
        let found = sorted(list(&plan["waiting"]).map(|it| text(&it["daemonset"]["name"]).to_owned()));
        if found != sorted(waiting.iter().cloned()) {
            wrong.push(format!("{found:?} wait, and {waiting:?} should"));
        }
    }
    wrong
}

/// What a wave does, but for revisions that are made.
fn wave(wave: &Value) -> Vec<String> {
    let line = |it: &Value| {
        let verb = text(&it["action"]);
        let name = made(text(&it["object"]["name"]));
        match (verb, it.get("node")) {
            ("create-revision", _) => None,
            ("create", Some(node)) => Some(format!("create {}", text(node))),
            (_, Some(node)) => Some(format!("{verb} {name}@{}", text(node))),
            (_, None) => Some(format!("{verb} {name}")),
        }
    };
    sorted(list(&wave["actions"]).filter_map(line))
}

/// `*` for a name that was made up: any daemonset's name, a dash and ten characters.
fn made(name: &str) -> String {
    let short = name.rsplit('-').next().unwrap_or("");
    if short.len() == 10 { "*".to_owned() } else { name.to_owned() }
}

fn status(plan: &Value, wanted: &str) -> Vec<String> {
    let fields: BTreeMap<&str, &str> = [
        ("desired", "desiredNumberScheduled"),
        ("current", "currentNumberScheduled"),
        ("ready", "numberReady"),
        ("updated", "updatedNumberScheduled"),
        ("available", "numberAvailable"),
        ("unavailable", "numberUnavailable"),
        ("misscheduled", "numberMisscheduled"),
    ]
    .into();
    let mut words = wanted.split_whitespace();
    let name = words.next().unwrap();
    let found = list(&plan["statuses"]).find(|it| it["daemonset"]["name"] == name).unwrap();
    let mut wrong = Vec::new();
    for word in words {
        let (field, number) = word.split_once('=').unwrap();
        let is = found["status"][fields[field]].as_i64().unwrap_or(0);
        if is.to_string() != number {
            wrong.push(format!("{name}: {field} is {is}, not {number}"));
        }
    }
    wrong
}

fn waits<'p>(plan: &'p Value, daemonset: &str) -> &'p Value {
    list(&plan["waiting"]).find(|it| it["daemonset"]["name"] == daemonset).unwrap_or(&Value::Null)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}
