//! Casts between types of text, and times as clocks show them somewhere.

use super::{cluster, dsrules, text};

#[test]
fn a_cast_makes_a_value_one_of_another_type() {
    let rules = ".type Rack\n.decl rack(node: Node, rack: Rack) input\nrack(\"a\", \"ssd\").\nrack(\"b\", \"r2\").\n\
        .decl same(node: Node, rack: Rack) output\n\
        same(Node, Rack) :- rack(Node, Rack), Value = as(Rack, Value), node_label(Node, \"disk\", Value).\n\
        same(Node, Rack) :- node_label(Node, \"disk\", V), Rack = as(lower(V), Rack), as(Rack, Value) != \"hdd\".\n";
    let folder = cluster(&[("r.dl", rules)]);
    let output = dsrules(folder.path(), &["query", "same(N, R)", "-f", "in", "--rules", "r.dl", "-o", "csv"]);
    assert_eq!(text(&output.stdout), "N,R\na,ssd\n", "{}", text(&output.stderr));
    let explained = dsrules(
        folder.path(),
        &[
            "query",
            "rack(N, R), node_label(N, _, V), V = as(R, Value)",
            "-f",
            "in",
            "--rules",
            "r.dl",
            "-o",
            "csv",
        ],
    );
    assert_eq!(text(&explained.stdout), "N,R,V\na,ssd,ssd\n", "{}", text(&explained.stderr));
}

#[test]
fn a_clock_is_read_where_people_are() {
    let rules = ".param zone: Value = \"Europe/Berlin\"\n.decl shown(m: number, day: Value, date: Value) output\n\
        shown(M, Day, Date) :- now(T), M = minute_in(T, zone), Day = weekday_in(T, zone), Date = date_in(T, zone).\n";
    let folder = cluster(&[("r.dl", rules)]);
    let shown = |now: &str, more: &[&str]| {
        let query = ["query", "shown(M, D, E)", "-f", "in", "--rules", "r.dl", "-o", "csv", "--now", now];
        let output = dsrules(folder.path(), &[&query[..], more].concat());
        format!("{}{}", text(&output.stdout), text(&output.stderr))
    };
    let zone = |zone: &str| format!("zone={zone}");
    assert_eq!(shown("2026-12-24T23:30:00Z", &[]), "M,D,E\n30,Friday,2026-12-25\n");
    let utc = shown("2026-12-24T23:30:00Z", &["--param", &zone("UTC")]);
    assert_eq!(utc, "M,D,E\n1410,Thursday,2026-12-24\n");
    let summer = shown("2026-07-01T06:00:00Z", &["--param", &zone("America/New_York")]);
    assert_eq!(summer, "M,D,E\n120,Wednesday,2026-07-01\n");
    let wrong = shown("2026-07-01T06:00:00Z", &["--param", &zone("Europe/Berlim")]);
    assert!(
        wrong.contains("error[unknown-zone]") && wrong.contains("did you mean `Europe/Berlin`?"),
        "{wrong}"
    );
}
