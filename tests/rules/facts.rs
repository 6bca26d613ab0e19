//! Facts from JSON and from SQLite, and rule files that include others.

use std::fs;
use std::path::Path;

use super::{cluster, dsrules, text};

const RULES: &str = ".type Rack\n.decl rack(node: Node, rack: Rack, slot: number) input\n\
    .decl racked(node: Node, rack: Rack, slot: number) output\nracked(N, R, S) :- rack(N, R, S).\n";

fn told(here: &Path, arguments: &[&str]) -> String {
    let output = dsrules(here, arguments);
    format!("exit {}\n{}{}", output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn racked(here: &Path, more: &[&str]) -> String {
    told(here, &[&["query", "racked(N, R, S)", "-o", "csv"], more].concat())
}

const WITH: [&str; 4] = ["-f", "in", "--rules", "r.dl"];

#[test]
fn facts_are_read_from_json() {
    let folder = cluster(&[("r.dl", RULES)]);
    let here = folder.path();
    let read = |name: &str, json: &str| {
        fs::write(here.join(name), json).unwrap();
        racked(here, &[&WITH[..], &["--facts", name]].concat())
    };
    let both = "exit 0\nN,R,S\na,r1,1\nb,r2,-2\n";
    let one = "[{\"node\": \"a\", \"rack\": \"r1\", \"slot\": 1, \"more\": null},\n [\"b\", \"r2\", -2]]\n";
    assert_eq!(read("rack.json", one), both);
    assert_eq!(
        read("rack.jsonl", "[\"a\", \"r1\", 1]\n\n{\"slot\": -2, \"node\": \"b\", \"rack\": \"r2\"}"),
        both
    );
    assert!(read("rack.json", "[]").contains("there are no facts for the input `rack`"));
    let mut all = String::new();
    for wrong in [
        "[{\"node\": \"a\", \"rack\": \"r1\", \"slot\": 1},\n {\"node\": \"a\", \"rack\": 7, \"slot\": 1}]",
        "{\"node\": \"a\", \"rack\": \"r1\", \"slot\": 1.5}\n{\"node\": null, \"rack\": \"r1\", \"slot\": 1}\n{\"node\": \"a\", \"rack\": \"r\", \"slot\": \"1\"}",
        "{\"node\": \"a\", \"rak\": \"r1\", \"slot\": 1}",
        "[[\"a\", \"r1\"], 5]",
        "[{\"node\": \"a\", \"rack\": \"r1\",\n  \"node\": \"b\", \"slot\": 1}]",
        "[[\"a\", \"r1\", 9223372036854775808]]",
        "[[\"a\", \"r1\", 1]\n [\"b\", \"r1\", 1]]",
        "[[\"a\", \"r1\", 1]",
        "[[\"a\", \"r1\", 1]] x",
        "[{\"node\": \"a\",\n  \"rack\": r1}]",
    ] {
        all += &format!("{wrong}\n{}\n", read("rack.json", wrong));
    }
    insta::with_settings!({
        snapshot_path => "../../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("facts_wrong_json", all);
    });
}

/// Bytes of any kind: what is unclear is said with its line.
#[test]
fn facts_are_read_strictly_from_csv() {
    let folder = cluster(&[("r.dl", RULES)]);
    let here = folder.path();
    let mut all = String::new();
    for wrong in [
        &b"node,rack,slot\na,\"r1,1\nb,r2,2\n"[..],
        b"a,\"r1\"x,1\n",
        b"a,r1,1\nb,r\xff2,2\n",
        b"a,r1,9223372036854775808\n",
    ] {
        fs::write(here.join("rack.csv"), wrong).unwrap();
        let told = racked(here, &[&WITH[..], &["--facts", "rack.csv"]].concat());
        all += &format!("{}\n{told}\n", String::from_utf8_lossy(wrong));
    }
    insta::with_settings!({
        snapshot_path => "../../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("facts_wrong_csv", all);
    });
}

#[test]
fn facts_are_asked_of_sqlite_and_kept() {
    let folder = cluster(&[("r.dl", RULES)]);
    let here = folder.path();
    let make = rusqlite::Connection::open(here.join("inventory.db")).unwrap();
    make.execute_batch(
        "CREATE TABLE machines (node TEXT, rack TEXT, slot, extra); \
         INSERT INTO machines VALUES ('a', 'r1', 1, NULL), ('b', 'r2', -2, x'00');",
    )
    .unwrap();
    let config = |sqlite: &str, query: &str| {
        let facts = format!("[{{relation: rack, sqlite: {sqlite}, query: {query:?}}}]");
        fs::write(here.join("in/dsrules.yaml"), format!("rules: ../r.dl\nfacts: {facts}\n")).unwrap();
    };
    config("../inventory.db", "select node, rack, slot from machines");
    assert_eq!(racked(here, &["-f", "in"]), "exit 0\nN,R,S\na,r1,1\nb,r2,-2\n");
    assert!(dsrules(here, &["apply", "in"]).status.success());
    let mut all = String::new();
    for query in [
        "select node, rack from machines",
        "select node, rack as raek, slot from machines",
        "select node, rack, slot, extra from machines",
        "select node, rack, extra as slot from machines where node = 'b'",
        "select node, rack, slot / 2.0 as slot from machines",
        "select node, slot as rack, slot from machines",
        "select node, rack, slot, slot + 1 as slot from machines",
        "select nodes from machines",
        "delete from machines",
        "selec",
    ] {
        config("../inventory.db", query);
        all += &format!("{query}\n{}\n", racked(here, &["-f", "in"]));
    }
    config("../nowhere.db", "select 1");
    all += &racked(here, &["-f", "in"]);
    config("nodes.yaml", "select 1");
    all += &racked(here, &["-f", "in"]);
    fs::write(here.join("in/dsrules.yaml"), "facts: {relation: rack, sqlite: ../inventory.db}\n").unwrap();
    all += &racked(here, &["-f", "in"]);
    insta::with_settings!({
        snapshot_path => "../../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("facts_wrong_sql", all);
    });
    // What an apply found is kept; the file is asked no more, and was never written.
    let rows: i64 = make.query_row("SELECT count(*) FROM machines", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 2);
    drop(make);
    fs::remove_file(here.join("inventory.db")).unwrap();
    assert_eq!(racked(here, &[]), "exit 0\nN,R,S\na,r1,1\nb,r2,-2\n");
}

#[test]
fn a_rule_file_includes_others_each_once() {
    let folder = cluster(&[
        ("policy/main.dl", ".include \"sub/rack.dl\"\n.include \"../shared.dl\"\n.include \"main.dl\"\n"),
        (
            "policy/sub/rack.dl",
            ".include \"../../shared.dl\"\n/// {N} is closed.\nblocked(D, N) :- daemonset(D), closed(N).\n",
        ),
        ("shared.dl", ".include \"policy/main.dl\"\n.decl closed(node: Node) input export\nclosed(\"a\").\n"),
        ("in/dsrules.yaml", "rules: ../policy/main.dl\n"),
    ]);
    let here = folder.path();
    let placed = |more: &[&str]| told(here, &[&["query", "eligible(_D, N)"], more].concat());
    assert_eq!(placed(&["-f", "in"]), "exit 0\nN\nb\n");
    assert!(dsrules(here, &["apply", "in"]).status.success());
    assert_eq!(placed(&[]), "exit 0\nN\nb\n");
    let mut all = String::new();
    for wrong in [".include \"nowhere.dl\"\n", ".include \"sub\"\n", ".include rack.dl\n", ".include\n"] {
        fs::write(here.join("policy/main.dl"), wrong).unwrap();
        all += &format!("{wrong}{}\n", placed(&["-f", "in"]));
    }
    insta::with_settings!({
        snapshot_path => "../../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("wrong_includes", all);
    });
}
