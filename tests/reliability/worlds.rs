//! R5 and R6: what was applied rests, and the order of things changes nothing, over random worlds.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use dsrules::app::{self, Database, Manifests, MaxDelete, Options, Outcome, Request, Silent};
use dsrules::manifest::Input;
use dsrules::policy::Asked;
use dsrules::report;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::base::{Place, figure, times};
use crate::dice::Dice;

const NOW: i64 = 1_790_000_000;

/// The documents of a world: nodes, daemonsets, pods of nobody, whatever makes a plan differ.
fn world(dice: &mut Dice) -> Vec<String> {
    let mut all = Vec::new();
    for nth in 0..1 + dice.below(6) {
        let disk = dice.pick(&["ssd", "hdd"]);
        let taint = *dice.pick(&[
            "",
            "",
            "",
            "taints: [{key: k, value: v, effect: NoSchedule}]",
            "taints: [{key: k, value: v, effect: NoExecute}]",
            "unschedulable: true",
        ]);
        let room = *dice.pick(&[
            "",
            "",
            ", status: {allocatable: {cpu: '1', memory: 1Gi, pods: '3'}}",
            ", status: {conditions: [{type: Ready, status: 'False'}]}",
        ]);
        all.push(format!("{{apiVersion: v1, kind: Node, metadata: {{name: n{nth}, labels: {{disk: {disk}, zone: z{}}}}}, spec: {{{taint}}}{room}}}", dice.below(3)));
    }
    for nth in 0..1 + dice.below(4) {
        let namespace = dice.pick(&["default", "ops"]);
        let mut spec = format!("containers: [{{name: c, image: 'i:{}', ", dice.below(3));
        spec += *dice.pick(&["", "ports: [{containerPort: 80, hostPort: 8080}], "]);
        spec += *dice.pick(&["", "", "resources: {requests: {cpu: 600m}}"]);
        spec += "}], ";
        spec += *dice.pick(&["", "nodeSelector: {disk: ssd}, ", "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: zone, operator: In, values: [z0, z1]}]}]}}}, "]);
        spec += *dice.pick(&[
            "",
            "tolerations: [{key: k, operator: Exists}], ",
            "tolerations: [{key: k, operator: Exists, effect: NoExecute, tolerationSeconds: 60}], ",
        ]);
        let strategy = *dice.pick(&[
            "",
            "updateStrategy: {type: OnDelete}, ",
            "updateStrategy: {rollingUpdate: {maxUnavailable: 50%}}, ",
            "updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}, ",
        ]);
        all.push(format!(
            "{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: d{nth}, namespace: {namespace}}}, spec: {{{strategy}minReadySeconds: {}, \
             selector: {{matchLabels: {{app: d{nth}}}}}, template: {{metadata: {{labels: {{app: d{nth}}}}}, spec: {{{spec}}}}}}}}}",
            dice.below(2) * 10
        ));
    }
    // Of nobody, and where nothing takes them away: a pod that an input brings and its cluster
    // removes is brought again by each apply.
    for nth in 0..dice.below(3) {
        all.push(format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p{nth}}}, spec: {{nodeName: n0, tolerations: [{{operator: Exists}}], \
             containers: [{{name: c, image: i}}]}}, status: {{phase: {}}}}}",
            dice.pick(&["Running", "Failed", "Pending"])
        ));
    }
    if dice.chance(30) {
        all.push("{apiVersion: v1, kind: Namespace, metadata: {name: ops}}".to_owned());
        all.push("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {app: d0}, ports: [{port: 80}]}}".to_owned());
    }
    all
}

/// Rules of one's own, a file each.
const RULES: [(&str, &str); 3] = [
    (
        "one.dl",
        "/// {Node} is in z2.\nblocked(DaemonSet, Node) :- daemonset(DaemonSet), node_label(Node, \"zone\", \"z2\"), node_label(Node, \"disk\", \"hdd\").\n",
    ),
    (
        "two.dl",
        "/// {Node} comes later.\nwave(DaemonSet, Node, 1) :- daemonset(DaemonSet), node_label(Node, \"disk\", \"ssd\").\n",
    ),
    (
        "three.dl",
        "/// {Node} has a fast disk.\n.decl fast(node: Node) warning\nfast(Node) :- node_label(Node, \"disk\", \"ssd\").\n",
    ),
];

fn text(documents: &[String]) -> String {
    documents.iter().fold(String::new(), |mut text, document| {
        writeln!(text, "---\n{document}").unwrap();
        text
    })
}

struct Store(Place);

impl Store {
    fn new() -> Self {
        let store = Store(Place::light());
        RULES.iter().for_each(|(name, text)| store.0.write(name, text));
        store
    }

    fn request(&self, inputs: Vec<String>, rules: &[usize]) -> Request {
        let input = |(nth, text): (usize, String)| Input::Text {
            name: format!("{nth}.yaml").into(),
            bytes: text.into_bytes().into(),
        };
        let inputs = inputs.into_iter().enumerate().map(input).collect();
        Request {
            database: Database {
                path: self.0.path("x.db"),
                wait: Duration::ZERO,
                cluster: None,
                at: None,
                shared: None,
            },
            manifests: Manifests { inputs, ..Manifests::default() },
            id: "the input".to_owned(),
            takes_over: false,
            keep_going: false,
            remind: false,
            rules: Asked {
                rules: rules.iter().map(|nth| self.0.path(RULES[*nth].0)).collect(),
                ..Asked::default()
            },
            tree: None,
            exports: Vec::new(),
            options: Options {
                prune: true,
                max_delete: Some(MaxDelete::Percent(100)),
                lists: true,
                told: usize::MAX,
                ..Options::at(NOW)
            },
        }
    }

    fn apply(&self, documents: &[String], rules: &[usize]) -> Outcome {
        app::apply(&self.request(vec![text(documents)], rules), &Silent)
            .unwrap_or_else(|errors| panic!("{errors:#?}\n{}", text(documents)))
    }

    /// Every row of every table, but for what an apply remembers to save the next one work, and
    /// the dictionaries, from which the next one takes what nothing names any longer.
    fn dump(&self) -> Vec<String> {
        let connection = Connection::open(self.0.path("x.db")).unwrap();
        let mut statement = connection
            .prepare(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN \
                   ('edits', 'rest', 'settled', 'label_sets', 'owners', 'pod_bases') ORDER BY 1",
            )
            .unwrap();
        let tables: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        let mut all = Vec::new();
        for table in tables {
            let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
            let columns = statement.column_count();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let cells = (0..columns).map(|nth| match row.get_ref(nth).unwrap() {
                    ValueRef::Blob(bytes) => format!("{bytes:?}"),
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    other => format!("{other:?}"),
                });
                all.push(format!("{table}: {}", cells.collect::<Vec<_>>().join("|")));
            }
        }
        all.sort();
        all
    }
}

/// A plan as a document, byte for byte, but for the folder that it was made in.
fn document(store: &Store, outcome: &Outcome) -> String {
    let mut out = Vec::new();
    let document = report::plan_document(&outcome.plan, &outcome.judged, &outcome.said, None);
    report::write_json(&document, &mut out).unwrap();
    String::from_utf8(out).unwrap().replace(&store.0.path("").display().to_string(), "")
}

#[test]
fn what_was_applied_rests() {
    let worlds = times(20, 10_000);
    let (mut pods, mut applies) = (0, 0);
    for seed in 0..worlds {
        let mut dice = Dice::new(seed as u64);
        let store = Store::new();
        for _ in 0..1 + dice.below(2) {
            let documents = world(&mut dice);
            let rules: Vec<usize> = (0..RULES.len()).filter(|_| dice.chance(30)).collect();
            let first = store.apply(&documents, &rules);
            assert!(first.done, "seed {seed}: {:?}", first.too_much);
            let before = store.dump();
            let planned = app::plan(&store.request(vec![text(&documents)], &rules), None, &Silent).unwrap();
            assert!(
                !planned.is_changed(),
                "seed {seed}: {}\n{}",
                text(&documents),
                document(&store, &planned)
            );
            let again = store.apply(&documents, &rules);
            assert!(!again.is_changed(), "seed {seed}: {}\n{}", text(&documents), document(&store, &again));
            let after = store.dump();
            let other: Vec<_> = after.iter().filter(|row| !before.contains(row)).collect();
            assert!(before == after, "seed {seed}: written: {other:#?}");
            pods += before.iter().filter(|row| row.starts_with("pods:")).count();
            applies += 1;
        }
    }
    figure(
        "R5",
        format!(
            "{worlds} worlds, {applies} applies, {pods} pods: second plan empty, second apply writes no row"
        ),
    );
}

fn shuffle<T>(dice: &mut Dice, all: &mut [T]) {
    for nth in (1..all.len()).rev() {
        all.swap(nth, dice.below(nth + 1));
    }
}

#[test]
fn order_changes_nothing() {
    let shuffles = times(60, 10_000);
    let each = 10;
    let mut tried = 0;
    for seed in 0..shuffles / each {
        let mut dice = Dice::new(1_000_000 + seed as u64);
        let (first, second) = (world(&mut dice), world(&mut dice));
        let rules: Vec<usize> = (0..RULES.len()).collect();
        let mut expected: Option<[String; 2]> = None;
        for _ in 0..each {
            let (mut first, mut second, mut rules) = (first.clone(), second.clone(), rules.clone());
            // The first world is in the store, its rows in some order; the second is planned
            // from documents, files and rules in some order, and with the hashes of this map.
            if expected.is_some() {
                shuffle(&mut dice, &mut first);
                shuffle(&mut dice, &mut second);
                shuffle(&mut dice, &mut rules);
            }
            let store = Store::new();
            let applied = document(&store, &store.apply(&first, &rules));
            let cut = if expected.is_some() { dice.below(second.len()) } else { 0 };
            let inputs = vec![text(&second[..cut]), text(&second[cut..])];
            let inputs = inputs.into_iter().filter(|text| !text.is_empty()).collect();
            let planned =
                document(&store, &app::plan(&store.request(inputs, &rules), None, &Silent).unwrap());
            let found = [without_places(&applied), without_places(&planned)];
            match &expected {
                Some(expected) => {
                    assert!(*expected == found, "seed {seed}\n{}", difference(expected, &found))
                }
                None => expected = Some(found),
            }
            tried += 1;
        }
    }
    figure(
        "R6",
        format!("{tried} shuffles of documents, files, rows and rule files: plans identical to the byte"),
    );
}

/// A plan says where documents stand, and that is what was changed.
fn without_places(document: &str) -> String {
    let is_place = |line: &&str| {
        ["\"file\":", "\"line\":", "\"column\":"].iter().any(|it| line.trim_start().starts_with(it))
    };
    document.lines().filter(|line| !is_place(line)).collect::<Vec<_>>().join("\n")
}

fn difference(expected: &[String; 2], found: &[String; 2]) -> String {
    let lines =
        |[one, other]: &[String; 2]| format!("{one}\n{other}").lines().map(str::to_owned).collect::<Vec<_>>();
    let (expected, found) = (lines(expected), lines(found));
    let at = expected.iter().zip(&found).position(|(a, b)| a != b).unwrap_or(0);
    let around = |lines: &[String]| lines[at.saturating_sub(6)..lines.len().min(at + 6)].join("\n");
    format!("expected\n{}\nfound\n{}", around(&expected), around(&found))
}

/// The program itself, with one thread and with several, whose hashes differ from run to run.
#[test]
fn threads_and_processes_change_nothing() {
    let place = Place::light();
    let mut dice = Dice::new(77);
    for nth in 0..10 {
        place.write(
            &format!("in/{nth}.yaml"),
            text(&world(&mut dice))
                .replace(": d", &format!(": d{nth}-"))
                .replace("name: n", &format!("name: n{nth}-"))
                .replace("name: p", &format!("name: p{nth}-"))
                .replace("nodeName: n", &format!("nodeName: n{nth}-"))
                .replace("name: s}", &format!("name: s{nth}}}")),
        );
    }
    let _ = fs::remove_file(place.path("in/ops.yaml"));
    let runs = times(2, 200);
    let expected = place.run("plan in -o json --keep-going");
    assert!(expected.out.len() > 5_000, "{}", expected.err);
    for nth in 0..runs {
        let said = if nth % 2 == 0 {
            crate::base::ended(
                place
                    .through(&["/usr/bin/taskset", "-c", "0"], "plan in -o json --keep-going")
                    .spawn()
                    .unwrap(),
                "plan",
            )
        } else {
            place.run("plan in -o json --keep-going")
        };
        assert!(said.out == expected.out && said.err == expected.err, "run {nth}");
    }
    figure("R6", format!("{runs} processes on one core and on all: plans identical to the byte"));
}
