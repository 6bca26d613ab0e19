//! The frame of the page: everything but the matrix, which the script draws.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::packed::{ZONE, moment, packed, values};
use super::signs::sign;
use crate::app::picture::{Cells, Picture};
use crate::diagnostic::{counted, visible};
use crate::kube::ObjectKey;

const STYLE: &str = include_str!("fleet.css");
const SCRIPT: &str = include_str!("fleet.js");

/// So many rows of what rules say of the plan are shown.
const FOUND: usize = 20;

/// The page. A live one, which has the place of the next change, listens to the server that it
/// comes from.
#[must_use]
pub fn picture_html(picture: &Picture, live: Option<u64>) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy(live.is_some()));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "Fleet, " (moment(picture)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (head(picture, live.is_some()))
                (controls(picture))
                main {
                    h2 .hidden { "The matrix" }
                    noscript { p { "The matrix is drawn by a script, which this browser does not run; the sums below need none." } }
                    div .work {
                        div .grid { (matrix()) }
                        aside #why hidden aria-labelledby="what" tabindex="-1" {}
                    }
                    p .keys.soft {
                        "Arrow keys, Page Up, Page Down, Home and End move; Enter explains a cell or opens a group; Escape closes. "
                        "A corner marks nodes that do not all stand alike: the sign and the number are of those that need looking at first."
                    }
                    (sums(picture))
                }
                script #data type="application/json" { (PreEscaped(packed(picture, live))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// What a browser may run and fetch for this page: its own script and style, and nothing.
fn policy(live: bool) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let own = if live { "; connect-src 'self'" } else { "" };
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'{own}",
        hash(SCRIPT),
        hash(STYLE)
    )
}

fn head(picture: &Picture, live: bool) -> Markup {
    let groups = counted(picture.groups.len(), "group");
    let (nodes, daemonsets) =
        (counted(picture.nodes.len(), "node"), counted(picture.daemonsets.len(), "daemonset"));
    let (now, after) = (picture.counts(&picture.now), picture.counts(&picture.after));
    html! {
        header #head {
            h1 { "Fleet" }
            p .soft {
                (daemonsets) " on " (nodes) " in " (groups) " that no rule tells apart, "
                (moment(picture)) @if live { ", " span #live role="status" { "live" } }
            }
            @for judged in picture.judged.iter().filter(|it| it.count > 0) {
                details .found.mild[!judged.is_error()] {
                    summary { (counted(judged.count, if judged.is_error() { "violation" } else { "warning" })) ": " (shown(&judged.relation)) }
                    ul { @for finding in judged.findings.iter().take(FOUND) { li { (shown(&finding.sentence)) } } }
                }
            }
            ul .chips aria-label="How many there are: choose to see only these" {
                @for (nth, (word, (now, after))) in picture.words.iter().zip(now.iter().zip(&after)).enumerate() {
                    @if *now > 0 || *after > 0 {
                        li { (chip(nth, word, *now, *after)) }
                    }
                }
            }
        }
    }
}

fn chip(nth: usize, word: &str, now: usize, after: usize) -> Markup {
    let (sign, class) = sign(word);
    html! {
        button type="button" data-word=(nth) aria-pressed="false" {
            span .sign.(class) aria-hidden="true" { (sign) }
            (shown(word)) " " b { (now) }
            @if now != after {
                span .hidden { "now, after the plan" } span aria-hidden="true" { "→" } b { (after) }
            }
        }
    }
}

fn controls(picture: &Picture) -> Markup {
    let zones = values(picture, ZONE);
    html! {
        form .controls role="search" aria-label="What is shown" autocomplete="off" {
            label { "Nodes, by name or label=value" input #nodes type="search" spellcheck="false"; }
            label { "Daemonsets, by name" input #daemonsets type="search" spellcheck="false"; }
            label {
                "Zone"
                select #zone {
                    option value="" { "all" }
                    @for (zone, nodes) in &zones { option value=(zone) { (zone) " (" (nodes) ")" } }
                }
            }
            fieldset {
                legend { "View" }
                @for (value, name) in [("now", "Now"), ("after", "After the plan"), ("changes", "What changes")] {
                    label { input type="radio" name="view" value=(value) checked[value == "now"]; (name) }
                }
            }
            button #unfold type="button" { "Open all groups" }
            span #said .soft role="status" {}
        }
    }
}

fn matrix() -> Markup {
    html! {
        table #matrix role="grid" aria-describedby="said" {
            caption .hidden { "How each daemonset stands on each node" }
        }
    }
}

/// A row for each daemonset: what needs no script, and is read aloud well.
fn sums(picture: &Picture) -> Markup {
    html! {
        section #sums aria-labelledby="by-daemonset" {
            h2 #by-daemonset { "By daemonset" }
            table .sums {
                thead { tr { th scope="col" { "Daemonset" } th scope="col" { "Nodes" } th scope="col" { "Now" } th scope="col" { "After the plan" } } }
                tbody {
                    @for (nth, key) in picture.daemonsets.iter().enumerate() {
                        (sum(picture, nth, key))
                    }
                }
            }
        }
    }
}

fn sum(picture: &Picture, daemonset: usize, key: &ObjectKey) -> Markup {
    let [now, after] = [&picture.now, &picture.after].map(|cells| counts(picture, cells, daemonset));
    html! {
        tr {
            th scope="row" { span .soft { (shown(&key.namespace)) "/" } (shown(&key.name)) }
            td .bar { (bar(picture, &now)) }
            td { (said(picture, &now)) }
            td { @if now == after { span .soft { "the same" } } @else { (said(picture, &after)) } }
        }
    }
}

/// How many nodes have each word for a daemonset.
fn counts(picture: &Picture, cells: &Cells, daemonset: usize) -> Vec<usize> {
    let mut counts = vec![0; picture.words.len()];
    for word in (0..picture.nodes.len()).filter_map(|node| cells.at(node, daemonset)) {
        if let Some(count) = counts.get_mut(word) {
            *count += 1;
        }
    }
    counts
}

/// The words with their numbers, all but that of what is not wanted.
fn wanted<'p>(picture: &'p Picture, counts: &'p [usize]) -> impl Iterator<Item = (&'p str, usize)> {
    let last = picture.words.len().saturating_sub(1);
    let all = picture.words.iter().zip(counts).take(last);
    all.filter(|(_, count)| **count > 0).map(|(word, count)| (&**word, *count))
}

fn said(picture: &Picture, counts: &[usize]) -> String {
    let words: Vec<String> = wanted(picture, counts).map(|(word, count)| format!("{word} {count}")).collect();
    if words.is_empty() { "not wanted anywhere".to_owned() } else { shown(&words.join(", ")) }
}

fn bar(picture: &Picture, counts: &[usize]) -> Markup {
    let all = picture.nodes.len().max(1);
    let mut from = 0;
    // What runs stands at the beginning, what needs looking at behind it.
    let mut parts: Vec<(&str, usize, usize)> = Vec::new();
    for (word, count) in wanted(picture, counts).collect::<Vec<_>>().into_iter().rev() {
        parts.push((sign(word).1, from, count));
        from += count;
    }
    html! {
        svg viewBox=(format!("0 0 {all} 10")) preserveAspectRatio="none" aria-hidden="true" {
            rect .track width=(all) height="10" {}
            @for (class, from, count) in parts { rect .(class) x=(from) width=(count) height="10" {} }
        }
    }
}

fn shown(text: &str) -> String {
    visible(text).into_owned()
}
