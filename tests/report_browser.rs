//! The page of `dsrules report` in a real browser: it works without a network, by keyboard and
//! for a screen reader, and nothing that a name says is done.
#![allow(clippy::unwrap_used, dead_code, missing_docs)]

#[path = "report/browser.rs"]
mod browser;
#[path = "report/large.rs"]
mod large;
#[path = "serve/server.rs"]
mod server;
#[path = "cli/session.rs"]
mod session;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use session::Session;

use browser::Browser;
use server::Server;

/// Keys, as WebDriver names them.
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const DOWN: &str = "\u{e015}";
const RIGHT: &str = "\u{e014}";
const END: &str = "\u{e010}";
const HOME: &str = "\u{e011}";

/// Where the sources of axe-core are, if `.ci/run` could fetch them.
fn axe() -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/axe-core/package/axe.min.js");
    let file = std::env::var_os("DSRULES_AXE").map_or(file, PathBuf::from);
    let text = fs::read_to_string(file).ok();
    if text.is_none() {
        println!("skipped: there is no axe-core in target/axe-core here (npm pack axe-core)");
    }
    text
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// The page of the example, where a node is to be closed.
fn example() -> String {
    let session = Session::new();
    session.example("cluster");
    let applied = session.quietly("apply -R cluster");
    assert_eq!(applied.code, 0, "{}", applied.err);
    let said = session.quietly("report -R cluster --set node/gpu-a-01:label.care=none --set 'daemonset/*/*:spec.template.spec.containers[0].image=x:2' --cordon gpu-a-01 -o html");
    assert_eq!(said.code, 0, "{}", said.err);
    said.out
}

#[test]
fn a_page_is_walked_by_keyboard_and_asks_for_nothing() {
    run(async {
        let Some(browser) = Browser::open(1200, 900).await else { return };
        let dir = tempfile::tempdir().unwrap();
        browser.show(&example(), &dir).await;
        let groups = browser.ask("document.querySelectorAll('#matrix [aria-expanded]').length").await;
        assert!(groups.as_u64().unwrap() > 1, "{groups}");
        // One cell of the matrix is in the order of tabs, and arrows go on from there.
        assert_eq!(browser.ask("document.querySelectorAll('#matrix [tabindex=\"0\"]').length").await, 1);
        browser.ask("document.querySelector('#matrix [tabindex=\"0\"]').focus()").await;
        browser.key(DOWN).await;
        for _ in 0..20 {
            if browser.ask("document.activeElement.hasAttribute('aria-expanded')").await == true {
                break;
            }
            browser.key(DOWN).await;
        }
        let before = browser.ask("document.querySelectorAll('#matrix tbody tr').length").await;
        browser.key(ENTER).await;
        let opened = "document.activeElement.getAttribute('aria-expanded')";
        assert_eq!(browser.ask(opened).await, "true");
        assert!(
            browser.ask("document.querySelectorAll('#matrix tbody tr').length").await.as_u64()
                > before.as_u64()
        );
        browser.key(DOWN).await;
        browser.key(END).await;
        assert!(browser.ask("document.activeElement.getAttribute('aria-label').length > 2").await == true);
        browser.key(HOME).await;
        browser.key(RIGHT).await;
        browser.key(RIGHT).await;
        browser.key(ENTER).await;
        let why = browser.ask("document.querySelector('#why').innerText").await;
        let why = why.as_str().unwrap();
        assert!(why.contains("Why") && why.contains("dsrules explain"), "{why}");
        assert_eq!(browser.ask("document.activeElement.id").await, "what");
        let rules = browser
            .ask("[...document.querySelectorAll('#why pre')].map((it) => it.textContent).join(' ')")
            .await;
        assert!(rules.as_str().unwrap().contains(":-"), "the text of a rule is there: {rules}");
        browser.key(ESCAPE).await;
        assert_eq!(browser.ask("document.querySelector('#why').hidden").await, true);
        assert_eq!(browser.ask("document.activeElement.tagName").await, "TD");
        // What is chosen is what is shown.
        browser.ask("document.querySelector('input[value=changes]').click()").await;
        let differ = browser.ask("document.querySelectorAll('#matrix .differs').length").await;
        assert!(differ.as_u64().unwrap() > 0);
        browser.ask("(document.querySelector('#nodes').value = 'gpu-a-01', document.querySelector('#nodes').dispatchEvent(new Event('input')))").await;
        browser.until("document.querySelector('#said').textContent.startsWith('1 of ')").await;
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        let asked = browser.requests().await;
        assert!(asked.iter().all(|it| it.starts_with("file://") && it.ends_with("/fleet.html") || it.starts_with("data:")), "{asked:?}");
        browser.close().await;
    });
}

#[test]
fn axe_finds_nothing_to_mend() {
    run(async {
        let Some(axe) = axe() else { return };
        let Some(browser) = Browser::open(1200, 900).await else { return };
        let dir = tempfile::tempdir().unwrap();
        browser.show(&example(), &dir).await;
        browser.ask("document.querySelector('#unfold').click()").await;
        browser
            .ask("document.querySelector('#matrix td.missing, #matrix td.old, #matrix td.runs').click()")
            .await;
        for dark in [false, true] {
            browser.dark(dark).await;
            assert_eq!(browser.axe(&axe).await, Vec::<String>::new(), "dark: {dark}");
        }
        browser.close().await;
    });
}

#[test]
fn a_large_page_draws_what_is_looked_at_and_prints_all() {
    run(async {
        let Some(browser) = Browser::open(1200, 900).await else { return };
        let (session, dir) = (Session::new(), tempfile::tempdir().unwrap());
        session.write("in.yaml", large::fleet());
        let said = session.quietly("report in.yaml -o html");
        assert_eq!(said.code, 0, "{}", said.err);
        browser.show(&said.out, &dir).await;
        if let Some(axe) = axe() {
            browser.ask("document.querySelector('#matrix th[aria-expanded]').click()").await;
            assert_eq!(browser.axe(&axe).await, Vec::<String>::new());
        }
        browser.ask("document.querySelector('#unfold').click()").await;
        let rows = browser.ask("document.querySelectorAll('#matrix tbody tr').length").await;
        assert!(rows.as_u64().unwrap() > 700, "{rows}");
        let cells = "document.querySelectorAll('#matrix td.cell').length";
        assert!(browser.ask(cells).await.as_u64().unwrap() < 10_000);
        // What comes into sight has its cells, and by keyboard too.
        browser.ask("document.querySelector('.grid').scrollTop = 1e6").await;
        browser
            .until("[...document.querySelectorAll('#matrix tbody tr:not(.more)')].pop().cells.length === 52")
            .await;
        assert!(browser.ask(cells).await.as_u64().unwrap() < 10_000);
        browser.ask("document.querySelector('#matrix [tabindex=\"0\"]').focus()").await;
        for key in [END, DOWN, DOWN] {
            browser.key(key).await;
        }
        assert_eq!(browser.ask("document.activeElement.cellIndex").await, 51);
        browser.ask("window.dispatchEvent(new Event('beforeprint'))").await;
        let bare = "[...document.querySelectorAll('#matrix tbody tr:not(.more)')].filter((it) => it.cells.length !== 52).length";
        assert_eq!(browser.ask(bare).await, 0);
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        browser.close().await;
    });
}

#[test]
fn a_hostile_name_does_nothing() {
    run(async {
        let Some(browser) = Browser::open(1000, 800).await else { return };
        let dir = tempfile::tempdir().unwrap();
        // No API server would take these names, and a page does not rely on that.
        let evil = "</script><img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>'\"&lt;\u{1b}[31m\u{202e}x";
        let page = example();
        let (before, rest) = page.split_once("type=\"application/json\">").unwrap();
        let (data, after) = rest.split_once("</script>").unwrap();
        let mut data: serde_json::Value = serde_json::from_str(data).unwrap();
        for it in ["ds", "labels", "texts"] {
            for text in data[it].as_array_mut().unwrap() {
                *text = json!(format!("{}{evil}", text.as_str().unwrap()));
            }
        }
        for node in data["nodes"].as_array_mut().unwrap() {
            node[0] = json!(format!("{}{evil}", node[0].as_str().unwrap()));
        }
        let data = data.to_string().replace('<', "\\u003c");
        browser.show(&format!("{before}type=\"application/json\">{data}</script>{after}"), &dir).await;
        browser.ask("document.querySelector('#unfold').click()").await;
        let cells = browser.ask("document.querySelectorAll('#matrix td.cell').length").await;
        assert!(cells.as_u64().unwrap() > 10);
        browser
            .ask("[...document.querySelectorAll('#matrix td.cell')].slice(0, 40).forEach((it) => it.click())")
            .await;
        assert_eq!(
            browser.ask("[typeof window.hacked, document.images.length]").await,
            json!(["undefined", 0])
        );
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        // And what is markup all the same may not run: the policy of the page.
        browser.ask("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.hacked = 2' }))").await;
        assert_eq!(browser.ask("typeof window.hacked").await, "undefined");
        assert!(browser.complaints().await.iter().any(|it| it.contains("Content Security Policy")));
        browser.close().await;
    });
}

#[test]
fn a_served_page_follows_what_happens() {
    run(async {
        let Some(browser) = Browser::open(1000, 800).await else { return };
        let server = Server::new(&[]);
        browser.client.goto(&format!("http://{}/", server.address)).await.unwrap();
        browser.until("document.querySelector('#live').textContent === 'live'").await;
        assert_eq!(browser.ask("document.querySelectorAll('#matrix tbody th').length").await, 1);
        browser.ask("document.querySelector('#matrix th[aria-expanded]').click()").await;
        browser.ask("window.same = true").await;
        server.write("more.yaml", "---\n{apiVersion: v1, kind: Node, metadata: {name: n3}}");
        assert!(server.dsrules("apply more.yaml").ok);
        browser.until("document.querySelector('#head p').textContent.includes('3 nodes')").await;
        // The group is as open as it was, on the same page.
        assert_eq!(
            browser.ask("[window.same, document.querySelectorAll('#matrix tbody th').length]").await,
            json!([true, 4])
        );
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        let own = format!("http://{}/", server.address);
        let asked = browser.requests().await;
        assert!(asked.iter().all(|it| it.starts_with(&own) || it.starts_with("data:")), "{asked:?}");
        browser.close().await;
    });
}

/// Pictures of the page for the documentation, and how long it takes:
/// `DSRULES_PICTURES=docs/pictures cargo test --test report_browser -- --ignored --nocapture`.
#[test]
#[ignore = "writes pictures and measures"]
fn pictures() {
    run(async {
        let Some(folder) = std::env::var_os("DSRULES_PICTURES").map(PathBuf::from) else { return };
        let session = Session::new();
        session.write("in.yaml", large::fleet());
        let applied = session.quietly("apply in.yaml");
        assert_eq!(applied.code, 0, "{}", applied.err);
        session.write("in.yaml", large::changed());
        let large = session.quietly("report in.yaml -o html").out;
        println!("large: {} bytes", large.len());
        let dir = tempfile::tempdir().unwrap();
        for (name, page) in [("example", example()), ("large", large)] {
            for (width, height) in [(400, 850), (1000, 900), (2500, 1300)] {
                let Some(browser) = Browser::open(width, height).await else { return };
                for dark in [false, true] {
                    browser.dark(dark).await;
                    browser.show(&page, &dir).await;
                    if width > 900 {
                        browser.ask("document.querySelector('#matrix th[aria-expanded]').click()").await;
                        browser.ask("document.querySelector('#matrix td.old, #matrix td.missing, #matrix td.runs').click()").await;
                    }
                    let shot = browser.client.screenshot().await.unwrap();
                    let theme = if dark { "dark" } else { "light" };
                    fs::write(folder.join(format!("{name}-{width}-{theme}.png")), shot).unwrap();
                }
                measure(&browser, name, width).await;
                browser.close().await;
            }
        }
    });
}

/// Says how long a page took to open, and how frames follow each other while it scrolls with all
/// groups open.
async fn measure(browser: &Browser, name: &str, width: u32) {
    let opened = "(() => { const it = performance.getEntriesByType('navigation')[0]; \
         const paint = performance.getEntriesByName('first-contentful-paint')[0]; \
         return [Math.round(it.loadEventEnd), Math.round(paint ? paint.startTime : 0)]; })()";
    let opened = browser.ask(opened).await;
    browser.ask("document.querySelector('#unfold').click()").await;
    let script = "const done = arguments[arguments.length - 1]; const it = document.querySelector('.grid'); \
         const times = []; let last = performance.now(); let step = 0; \
         const next = (now) => { times.push(now - last); last = now; it.scrollTop += 40; it.scrollLeft += 3; \
         if (++step < 240) requestAnimationFrame(next); else { times.shift(); times.sort((a, b) => a - b); \
         done([times[120], times[228], times[times.length - 1], it.scrollTop, document.querySelectorAll('td').length]); } }; \
         requestAnimationFrame(next);";
    let frames = browser.client.execute_async(script, vec![]).await.unwrap();
    println!(
        "{name} at {width}: load and first paint {opened} ms; frames (median, 95th, longest ms; scrolled px; cells) {frames}"
    );
}
