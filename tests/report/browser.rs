//! A headless Chromium, told what to do over WebDriver, and what it says of a page.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A browser with a profile of its own.
pub struct Browser {
    driver: Child,
    pub client: Client,
    _profile: TempDir,
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// A look at a log of the browser's.
#[derive(Debug)]
struct Log(&'static str);

impl WebDriverCompatibleCommand for Log {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or("")))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": self.0 }).to_string()))
    }
}

/// A command of Chromium's own protocol.
#[derive(Debug)]
struct Cdp(&'static str, Value);

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or("")))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "cmd": self.0, "params": self.1 }).to_string()))
    }
}

impl Browser {
    /// One that looks at pages of this size; nothing where there is none on this machine.
    pub async fn open(width: u32, height: u32) -> Option<Browser> {
        if !is_there("chromedriver") || !is_there("chromium") {
            println!("skipped: there is no chromium with a chromedriver here");
            return None;
        }
        let mut driver = Command::new("chromedriver")
            .args(["--port=0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("the driver says where it listens").unwrap();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().unwrap();
        let own = format!("--user-data-dir={}", profile.path().display());
        let size = format!("--window-size={width},{height}");
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--hide-scrollbars",
            &own,
            &size,
        ];
        let wanted = json!({
            "goog:chromeOptions": { "args": arguments, "binary": "/usr/bin/chromium" },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let wanted = wanted.as_object().unwrap().clone();
        let url = format!("http://127.0.0.1:{port}");
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(wanted)
            .connect(&url)
            .await
            .unwrap();
        let browser = Browser { driver, client, _profile: profile };
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        browser.tell("Emulation.setDeviceMetricsOverride", metrics).await;
        Some(browser)
    }

    async fn tell(&self, command: &'static str, parameters: Value) -> Value {
        self.client.issue_cmd(Cdp(command, parameters)).await.unwrap()
    }

    /// Makes it a dark or a light one.
    pub async fn dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.tell("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Shows a page.
    pub async fn show(&self, page: &str, dir: &TempDir) {
        let file = dir.path().join("fleet.html");
        fs::write(&file, page).unwrap();
        self.client.goto(&format!("file://{}", file.display())).await.unwrap();
    }

    /// What a piece of script gives.
    pub async fn ask(&self, script: &str) -> Value {
        self.client.execute(&format!("return ({script});"), vec![]).await.unwrap()
    }

    /// Waits until a piece of script gives something that is true.
    pub async fn until(&self, script: &str) {
        for _ in 0..200 {
            if self.ask(&format!("Boolean({script})")).await == true {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("not to be seen: {script}");
    }

    /// Types a key into what has the focus.
    pub async fn key(&self, key: &str) {
        let element = self.client.active_element().await.unwrap();
        element.send_keys(key).await.unwrap();
    }

    /// What the console has that is an error or a warning.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Log("browser")).await.unwrap();
        let text = |it: &Value| it["message"].as_str().unwrap().to_owned();
        log.as_array()
            .unwrap()
            .iter()
            .filter(|it| it["level"] != "INFO" && it["level"] != "DEBUG")
            .map(text)
            .collect()
    }

    /// What was asked for over a network, or looked for in files.
    pub async fn requests(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Log("performance")).await.unwrap();
        let mut urls = Vec::new();
        for entry in log.as_array().unwrap() {
            let message: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            if message["message"]["method"] == "Network.requestWillBeSent" {
                urls.push(message["message"]["params"]["request"]["url"].as_str().unwrap().to_owned());
            }
        }
        // What the browser shows before it is given a page is its own.
        urls.retain(|url: &String| !url.starts_with("chrome://"));
        urls
    }

    /// What axe finds wrong for who does not see a page, as `rule: element`.
    pub async fn axe(&self, axe: &str) -> Vec<String> {
        let script = format!(
            "const done = arguments[arguments.length - 1]; {axe}; \
             axe.run(document, {{ resultTypes: ['violations'] }}).then((it) => done(it.violations.map((it) => \
             it.id + ': ' + it.nodes.slice(0, 3).map((node) => node.html.slice(0, 200) + ' ' + (node.any[0] || {{}}).message).join(' | '))));"
        );
        let found = self.client.execute_async(&script, vec![]).await.unwrap();
        found.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
    }

    /// Ends it.
    pub async fn close(mut self) {
        self.client.clone().close().await.unwrap();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
