//! Made-up files with circles and without, to see that the finder finds and does not invent.

use super::circles::{Circle, circles};

/// The circles of made-up files.
fn of(files: &[(&str, &str)]) -> Vec<Circle> {
    let files: Vec<(String, String)> =
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    circles(&files)
}

/// What a file may say to know `b`, which knows `a`: all are found.
#[test]
fn every_way_to_name_a_thing_of_another_file_counts() {
    let ways = [
        "use super::b::B;",
        "use super::b; fn f(_: b::B) {}",
        "use crate::m::b::{self as other, B as _};",
        "use crate::m::{c::C, b::{B}};",
        "fn f() { super::b::B::new(); }",
        "fn f() { use super::b::B; }",
        "fn f() -> impl Fn() + use<> { assert!(x == super::b::B); }",
        "mod inner { fn f(_: super::super::b::B) {} }",
        // Through the names that `m`, and the library's root, hand on.
        "use super::B;",
        "use super::*; fn f(b: Vec<B>) {}",
        "use crate::Renamed;",
        "use crate::m; fn f(x: m::B) {}",
        "use super::both; fn f() { both(); both::X; }",
    ];
    for way in ways {
        let found = of(&[
            ("src/lib.rs", "mod m;\npub use m::B as Renamed;"),
            ("src/m/mod.rs", "mod a;\nmod b;\nmod c;\nmod both;\npub use b::*;\npub use c::C;"),
            ("src/m/a.rs", &format!("pub struct A;\n{way}")),
            ("src/m/b.rs", "use super::a::A;\npub struct B;\npub fn both() {}"),
            ("src/m/c.rs", "pub struct C;"),
            ("src/m/both.rs", "pub struct X;"),
        ]);
        assert_eq!(found.len(), 1, "{way}: {found:?}");
        assert_eq!(found[0].files, ["src/m/a.rs", "src/m/b.rs"], "{way}");
        assert!(found[0].steps[0].starts_with("src/m/a.rs:2: `"), "{way}: {found:?}");
        assert_eq!(found[0].steps[1], "src/m/b.rs:1: `super::a::A` -> src/m/a.rs");
    }
}

#[test]
fn a_circle_may_go_through_a_module_s_own_code_and_through_the_program() {
    let library = ("src/lib.rs", "pub mod m;");
    let child = ("src/m/a.rs", "use super::Shared;\npub fn a() {}");
    let found =
        of(&[library, child, ("src/m/mod.rs", "mod a;\npub use a::a;\npub struct Shared;\nfn f() { a() }")]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].files, ["src/m/a.rs", "src/m/mod.rs"]);
    let handing_on = ("src/m/mod.rs", "mod a;\npub use a::a;\npub struct Shared;");
    assert!(of(&[library, child, handing_on]).is_empty());

    let main = ("src/main.rs", "mod cli;\nfn main() { cli::x::run() }\nstruct Top;");
    let cli = ("src/cli/mod.rs", "pub mod x;");
    let found = of(&[main, cli, ("src/cli/x.rs", "use crate::Top;\npub fn run() {}")]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(of(&[main, cli, ("src/cli/x.rs", "use dsrules::m::Shared;\npub fn run() {}")]).is_empty());
}

#[test]
fn the_shortest_way_round_is_told() {
    let found = of(&[
        ("src/lib.rs", "mod a;\nmod b;\nmod c;"),
        ("src/a.rs", "pub struct A(crate::b::B);"),
        ("src/b.rs", "pub struct B(crate::c::C);"),
        ("src/c.rs", "pub struct C(crate::a::A,\n crate::b::B);"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].files, ["src/a.rs", "src/b.rs", "src/c.rs"]);
    let way = ["src/b.rs:1: `crate::c::C` -> src/c.rs", "src/c.rs:2: `crate::b::B` -> src/b.rs"];
    assert_eq!(found[0].steps, way);
}

/// What looks like a circle and is none.
#[test]
fn comments_tests_methods_and_names_of_one_s_own_do_not_count() {
    let nothing = [
        "// super::b::B",
        "/// See [`super::b::B`].\nfn f() { \"super::b::B\"; }",
        "#[cfg(test)]\nmod tests { use super::super::b::B; }",
        "fn f(x: X) { x.super_b().B; }",
        "use std::b::B;",
        "struct B; fn f(_: B) {}",
        "use super::b;",
        "use super::both; fn f() { both::X; }",
        "pub use super::a::A as B;",
    ];
    for text in nothing {
        let found = of(&[
            ("src/lib.rs", "mod a;\nmod b;\nmod both;\npub use b::{B, both};"),
            ("src/a.rs", &format!("pub struct A;\n{text}")),
            ("src/b.rs", "use super::a::A;\npub struct B;\npub fn both() {}"),
            ("src/both.rs", "pub struct X;"),
        ]);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}
