//! Whose a name is: a folder of rules is a module, what the tool keeps for itself is nobody's
//! concern, and what two folders call by one name never clashes.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write as _;
use std::fs;

use dsrules::datalog::{Kind, Program};
use dsrules::policy::builtin::{UserRules, load};

#[path = "rules/run.rs"]
mod run;

use run::{dsrules, text};

/// Words that people take for relations of their own, those of the language among them.
const WORDS: &str = "above account active address affected after age allowed alone amount any \
    app area as at_risk available average bad badge banned before begins behind best between big \
    broken busy by canary capacity cell class claims clash class closed cluster collect common \
    contains cost count counted covered create critical crowded current daily dead decl delete \
    denied desc different disk doubled drained edge ended ending ends_with environment even \
    exempt expired failed failure far field finished first forbidden free full gpu group hall has \
    healthy heavy hot idle in_scope include input kind known label lagging large last late left \
    length level light limit listed live location lower machine mandatory match matches max may_run \
    member min missing moved name near needed needs new next night nodes not_ready number odd of \
    ok old older only open orphan other output over owned owner pair param park pinned pod pods \
    pool port precedes preferred priority profile quota rack reached ready region release renumber \
    replaced requirement reserved revision right rivals row rule running safe same selects seen \
    serving shared side single size slot small spare spread stale starting starts_with state stays \
    stranded stuck suits sum surges surplus taint team template test tier toleration tolerates \
    total twin type unavailable unique unused updated usable usage used version wanted warning \
    weight window worker zone";

fn builtin() -> Program {
    load(&[]).program.unwrap()
}

fn own(text: &str) -> dsrules::datalog::Loaded {
    load(&[UserRules { file: "policy/own.dl".to_owned(), text: text.to_owned() }])
}

/// Every common word, and the name of everything that the tool keeps for itself, is free:
/// declared with columns of one's own, derived, and read.
#[test]
fn common_words_and_private_names_are_ones_own() {
    let program = builtin();
    let private = program.declarations().filter(|it| !it.exported).map(|it| it.name.to_string());
    let shown = program.declarations().filter(|it| it.exported && !it.open).map(|it| it.name.to_string());
    let mut names: Vec<String> =
        WORDS.split_whitespace().map(str::to_owned).chain(private).chain(shown).collect();
    names.sort();
    names.dedup();
    assert!(names.len() > 350, "{}", names.len());
    let mut all = String::new();
    for name in &names {
        let text = format!(
            ".decl {name}(node: Node, other: Value, third: number)\n{name}(N, \"x\", 1) :- node(N).\n\
             .decl is_{name}_read(node: Node) warning\n/// {{N}} is read.\nis_{name}_read(N) :- {name}(N, _, Third), !{name}(N, \"y\", Third).\n"
        );
        let text = if name == "node" { text.replace(":- node(N)", ":- dsrules::node(N)") } else { text };
        let loaded = own(&text);
        let told: Vec<String> =
            loaded.diagnostics.iter().filter(|it| it.is_error()).map(|it| it.render(false)).collect();
        assert!(told.is_empty(), "{name}: {}", told.join("\n"));
        let found = loaded.program.unwrap();
        let meant = found.relation(name).unwrap();
        assert!(!found.declaration(meant).builtin, "{name}");
        assert_eq!(found.builtin(name).is_some(), program.builtin(name).is_some(), "{name}");
        if name != "node" {
            all.push_str(&text);
        }
    }
    // All of them together plan.
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("policy")).unwrap();
    fs::write(folder.path().join("policy/own.dl"), all).unwrap();
    fs::write(folder.path().join("node.yaml"), "apiVersion: v1\nkind: Node\nmetadata: {name: a}\n").unwrap();
    let plan = dsrules(folder.path(), &["plan", "-f", "node.yaml", "--rules", "policy"]);
    let told = text(&plan.stderr);
    assert!(plan.status.code().is_some_and(|code| code != 1), "{told}");
    let query = "is_rack_read(N), is_class_read(N), is_count_read(N), is_matches_read(N)";
    let read = dsrules(folder.path(), &["query", query, "-f", "node.yaml", "--rules", "policy"]);
    assert_eq!(text(&read.stdout), "N\na\n", "{}", text(&read.stderr));
}

/// The same for types: those of the tool's that no exported relation has are free.
#[test]
fn private_types_are_ones_own() {
    let program = builtin();
    let mut text = String::new();
    for ty in program.types() {
        writeln!(text, ".type {ty}\n.decl of_{ty}(it: {ty}) input\nof_{ty}(\"a\").\n.decl is_{ty}(it: {ty}) output\nis_{ty}(It) :- of_{ty}(It).").unwrap();
    }
    let text = text.replace("of_", "of").replace("is_", "is");
    let loaded = own(&text);
    let errors: Vec<String> =
        loaded.diagnostics.iter().filter(|it| it.is_error()).map(|it| it.render(false)).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    // Only a type that is for everybody is worth a word.
    assert!(
        loaded.diagnostics.iter().all(|it| it.code == "shadowed-name"
            || it.place.as_ref().is_some_and(|it| &*it.file != "policy/own.dl"))
    );
}

/// What users may read, with columns and kinds: a line that goes or changes breaks rules that
/// people have, and takes a new version of the list.
#[test]
fn the_exported_relations_are_pinned() {
    let program = builtin();
    let mut lines: Vec<String> = program
        .declarations()
        .filter(|it| it.exported)
        .map(|it| {
            let kind = match it.kind {
                _ if it.open => " open",
                Kind::Input => " input",
                _ => "",
            };
            format!("{it}{kind}")
        })
        .collect();
    lines.sort();
    insta::with_settings!({
        snapshot_path => "../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        let version = dsrules::policy::builtin::LIST_VERSION;
        insta::assert_snapshot!("builtin_relations", format!("version {version}\n\n{}", lines.join("\n")));
    });
}

/// Who may read a relation may name the types of its columns.
#[test]
fn exported_relations_have_exported_types() {
    let program = builtin();
    let types: std::collections::BTreeSet<&str> = program
        .declarations()
        .filter(|it| it.exported)
        .flat_map(|it| &it.columns)
        .map(|it| &*it.ty)
        .collect();
    let text: String = types.iter().map(|ty| format!(".decl r{ty}(a: {ty}) input\n")).collect();
    let errors: Vec<String> =
        own(&text).diagnostics.iter().filter(|it| it.is_error()).map(|it| it.render(false)).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

fn files(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

const RACKS: &str = ".decl rack(node: Node, rack: Value) input\n.decl full(rack: Value) warning\n/// {Rack} is full.\nfull(Rack) :- rack(_, Rack).\n";

/// Each has a relation `rack` with facts of its own, beside inputs of their own.
#[test]
fn two_inputs_with_the_same_names_do_not_clash() {
    let node = |name: &str| format!("apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\n");
    let folder = files(&[
        ("a/node.yaml", &node("a1")),
        ("a/dsrules.yaml", "rules: policy\n"),
        ("a/policy/own.dl", RACKS),
        ("a/policy/facts/rack.csv", "a1,of-a\n"),
        ("b/node.yaml", &node("b1")),
        ("b/dsrules.yaml", "rules: policy\nfacts: elsewhere/rack.csv\n"),
        (
            "b/policy/own.dl",
            &RACKS
                .replace("rack: Value)", "rack: Value, row: number)")
                .replace("rack(_, Rack)", "rack(_, Rack, _)")
                .replace("full(rack: Value, row: number)", "full(rack: Value)"),
        ),
        ("b/elsewhere/rack.csv", "b1,of-b,7\n"),
    ]);
    let here = folder.path();
    for input in ["a", "b"] {
        let applied = dsrules(here, &["apply", input]);
        assert!(applied.status.success(), "{}", text(&applied.stderr));
    }
    // The second one says what both have to say.
    let told = text(&dsrules(here, &["plan", "b"]).stderr);
    assert!(told.contains("of-a is full") && told.contains("of-b is full"), "{told}");
    // A query sees both, and asks which.
    let asked = text(&dsrules(here, &["query", "full(R)"]).stderr);
    assert!(asked.contains("ambiguous-name"), "{asked}");
}

/// A folder reads what another one exports, and its own first.
#[test]
fn folders_share_what_they_export() {
    let folder = files(&[
        ("node.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"),
        (
            "base/a.dl",
            ".type Rack export\n.decl rack(node: Node, rack: Rack) export\nrack(\"n1\", \"r1\").\n.decl own(node: Node)\nown(N) :- rack(N, _).\n",
        ),
        ("base/b.dl", ".decl seen(node: Node) output\nseen(N) :- own(N).\n"),
        (
            "team-1/a.dl",
            ".decl own(node: Node, rack: Rack) output\nown(N, R) :- rack(N, R).\n.decl racks(rack: base::Rack) output\nracks(R) :- base::rack(_, R), team_1::own(_, R).\n",
        ),
    ]);
    let query = |query: &str| {
        let output = dsrules(
            folder.path(),
            &["query", query, "-f", "node.yaml", "--rules", "base", "--rules", "team-1"],
        );
        text(&output.stdout) + &text(&output.stderr)
    };
    assert_eq!(query("racks(R)"), "R\nr1\n");
    assert_eq!(query("team_1::own(N, R)"), "N    R\nn1   r1\n");
    assert_eq!(query("base::own(N)"), "N\nn1\n");
    assert_eq!(query("seen(N), dsrules::node(N)"), "N\nn1\n");
    let asked = query("own(N)");
    assert!(asked.contains("say which: `base::own` or `team_1::own`"), "{asked}");
}

/// A question about texts is a relation in the folder that declares one of that name.
#[test]
fn a_relation_goes_before_a_question_about_texts() {
    let rules = ".decl contains(rack: Value, node: Node)\ncontains(\"r1\", \"n1\").\n.decl matches(node: Node)\nmatches(N) :- contains(\"r1\", N), !starts_with(N, \"x\").\n.decl found(node: Node) output\nfound(N) :- matches(N), !contains(\"r2\", N).\n";
    let folder = files(&[
        ("node.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"),
        ("a/own.dl", rules),
        (
            "b/own.dl",
            ".decl other(node: Node) output\nother(N) :- node(N), contains(N, \"1\"), matches(N, \"^n\").\n",
        ),
    ]);
    let output = dsrules(
        folder.path(),
        &[
            "query",
            "found(N), other(N), contains(N, \"n\"), a::contains(_, N)",
            "-f",
            "node.yaml",
            "--rules",
            "a",
            "--rules",
            "b",
        ],
    );
    assert_eq!(text(&output.stdout), "N\nn1\n", "{}", text(&output.stderr));
}

/// A type means what the module of the text calls so, in `as` as in a declaration.
#[test]
fn two_types_with_the_same_name_do_not_clash() {
    let rack = ".decl rack(node: Node, r: Rack)\nrack(N, R) :- node(N), R = as(N, Rack).\n";
    let folder = files(&[
        ("node.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"),
        ("a/a.dl", &format!(".type Rack\n{rack}")),
        ("b/b.dl", &format!(".type Rack export\n{rack}")),
        ("c/c.dl", ".decl far(r: b::Rack)\nfar(R) :- node(N), R = as(N, b::Rack).\n"),
        ("bad/bad.dl", ".decl far(r: b::Rack)\nfar(R) :- node(N), R = as(N, a::Rack).\n"),
    ]);
    let query = |query: &str, rules: &[&str]| {
        let rules = rules.iter().flat_map(|it| ["--rules", it]);
        let all: Vec<&str> = ["query", query, "-f", "node.yaml"].into_iter().chain(rules).collect();
        let output = dsrules(folder.path(), &all);
        if output.stdout.is_empty() { text(&output.stderr) } else { text(&output.stdout) }
    };
    assert_eq!(query("a::rack(N, R)", &["a", "b"]), "N    R\nn1   n1\n");
    assert_eq!(query("a::rack(N, R)", &["b", "a"]), "N    R\nn1   n1\n");
    assert_eq!(query("b::rack(N, R), far(R)", &["a", "b", "c"]), "N    R\nn1   n1\n");
    assert_eq!(query("node(N), far(R), R = as(N, b::Rack)", &["b", "c"]), "N    R\nn1   n1\n");
    let asked = query("node(N), R = as(N, Rack)", &["a", "b"]);
    assert!(asked.contains("say which: `a::Rack` or `b::Rack`"), "{asked}");
    let told = query("far(R)", &["a", "b", "bad"]);
    assert!(told.contains("private-name") && told.contains("bad.dl:2:30"), "{told}");
}

/// What stands in front of a built-in relation is the tool's, whatever a folder is called.
#[test]
fn no_folder_takes_the_module_of_the_tool() {
    let folder = files(&[
        ("node.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"),
        ("dsrules/a.dl", ".decl node(n: Value) output\nnode(\"mine\").\n"),
    ]);
    let query = |query: &str| {
        let output = dsrules(folder.path(), &["query", query, "-f", "node.yaml", "--rules", "dsrules"]);
        text(&output.stdout)
    };
    assert_eq!(query("dsrules::node(N)"), "N\nn1\n");
    assert_eq!(query("_dsrules::node(N)"), "N\nmine\n");
}
