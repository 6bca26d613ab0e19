//! Questions: with rules of their own, about the state after the plan, with few answers and
//! with millions.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::session::{Session, daemonset, node, nodes};

fn begun() -> Session {
    let session = Session::new();
    let text =
        [node("a", "zone=east", ""), node("b", "zone=west", ""), node("c", "zone=west", "k=v:NoSchedule")];
    session.write("nodes.yaml", text.join("---\n"));
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    session
}

#[test]
fn a_query_brings_its_own_rules() {
    let mut session = begun();
    let two = "-f nodes.yaml -f agent.yaml";
    session.ok(&format!(
        "query '.decl west(n: Node) west(N) :- node_label(N, \"zone\", \"west\"). ?- west(N), !has_pod(_, N)' {two}"
    ));
    session.say("What is open may be added to: what if that were a rule?");
    session.ok(&format!("query 'blocked(D, \"a\") :- daemonset(D). ?- eligible(D, N)' {two}"));
    session.say("Names are those of a query: the user's own, and the tool's.");
    session.write("own/zone.dl", ".decl west(n: Node)\nwest(N) :- node_label(N, \"zone\", \"west\").\n");
    session.ok(&format!(
        "query '.decl far(n: Node) far(N) :- west(N), N != \"c\". ?- far(N)' {two} --rules own"
    ));
    session.ok(&format!("query '.decl west(n: Node) west(\"a\"). ?- west(N)' {two} --rules own"));
    session.write("west.dl", "// Where it is late.\n.decl west(n: Node)\nwest(N) :- node_label(N, \"zone\", \"west\").\n\n?- west(N)\n");
    session.ok(&format!("query @west.dl {two}"));
    session.say("What is wrong is told with its place.");
    for wrong in [
        ".decl far(n: Node) far(M) :- node(N). ?- far(N)",
        ".decl far(n: Node) far(N) :- node(N) ?- far(N)",
        ".decl far(n: Node) far(N) :- node(N). ?- far(N), !has_pd(_, N)",
        ".decl far(n: Node) far(N) :- node(N).",
        "node(N) :- daemonset(N). ?- node(N)",
        "node(N) ?- node(N)",
        "?- node(N) ?- node(N)",
        "",
        "node(N), V = version(\"1.2\")",
        ".param most: number = 2 .decl far(n: Node) far(N) :- node(N), most > 1. ?- most(N)",
        "@nowhere.dl",
    ] {
        session.fails(&format!("query '{wrong}' {two}"));
    }
    session.write("asks.dl", ".decl far(n: Node)\nfar(N) :- node(N).\n?- far(N)\n");
    session.fails(&format!("query 'node(N)' {two} --rules asks.dl"));
    session.snapshot("query_rules");
}

#[test]
fn the_first_answers_the_exit_code_and_the_state_after_the_plan() {
    let mut session = begun();
    session.ok("apply nodes.yaml");
    session.ok("query node(N) --limit 2");
    session.ok("query node(N) --limit 2 -o json");
    session.ok("query node_label(N,\"zone\",Zone) -o jsonl");
    session.ok("query node(N) --limit 0 -o csv");
    for (query, code) in
        [("node(N)", 2), ("node(\"z\")", 0), ("node(\"a\")", 2), ("has_pod(_,N)", 0), ("nod(N)", 1)]
    {
        assert_eq!(session.run(&format!("query {query} --exit-code")).code, code, "{query}");
    }
    session.say("The store has no pods yet; a plan would create them.");
    session.ok("query has_pod(D,N) -f nodes.yaml -f agent.yaml");
    session.ok("query has_pod(D,N),planned(Verb,D,N) -f nodes.yaml -f agent.yaml --planned");
    session.ok("query planned(Verb,D,N) -f nodes.yaml -f agent.yaml");
    session.snapshot("query_options");
}

#[test]
fn many_answers_are_written_as_they_are_read() {
    let session = Session::new();
    let names: Vec<String> = (0..300).map(|nth| format!("n{nth}")).collect();
    session.write("nodes.yaml", nodes(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    let all = |form: &str| session.quietly(&format!("query node(A),node(B) -f nodes.yaml -o {form}")).out;
    let (table, csv, lines, json) = (all("table"), all("csv"), all("jsonl"), all("json"));
    for (text, more) in [(&table, 1), (&csv, 1), (&lines, 0)] {
        assert_eq!(text.lines().count(), 90_000 + more);
    }
    // All rows of a table are as wide, in whatever part they are written.
    assert!(table.lines().skip(1).all(|line| line.rfind(" n") == Some(6)), "{}", &table[..200]);
    let sorted: Vec<&str> = csv.lines().skip(1).collect();
    assert!(sorted.is_sorted_by_key(|line| line.split(',').collect::<Vec<_>>()));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let of_lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json["answers"].as_array().unwrap(), &of_lines);
    // Who reads no more ends it, and that is no error.
    for (form, head) in [("table", "A      B\n"), ("csv", "A,B\n")] {
        let mut child = session
            .command()
            .args(["query", "node(A), node(B)", "-f", "nodes.yaml", "-o", form])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(
            (first.as_str(), ended.status.code(), ended.stderr.as_slice()),
            (head, Some(0), &[][..]),
            "{form}"
        );
    }
}

#[test]
fn a_query_may_come_from_stdin() {
    let session = begun();
    let mut child = session
        .command()
        .args(["query", "-", "-f", "nodes.yaml"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"node(N),\n  N != \"a\"\n").unwrap();
    assert_eq!(String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(), "N\nb\nc\n");
}
