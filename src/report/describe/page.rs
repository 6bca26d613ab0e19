//! A page that is being written, and the forms of the values in it.

use serde_json::Value;

use super::super::{EventRow, Table};
use crate::diagnostic::visible;
use crate::kube::columns::text;
use crate::kube::{age, calendar, seconds};

/// A page that is being written.
#[derive(Default)]
pub(super) struct Page {
    pub(super) text: String,
}

impl Page {
    /// A line as it is.
    pub(super) fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(&visible(line.as_ref()));
        self.text.push('\n');
    }

    /// `Label:  value` lines, values in one column; further lines of a value stand under
    /// its first.
    pub(super) fn fields<L: AsRef<str>, V: AsRef<str>>(
        &mut self,
        indent: &str,
        fields: impl IntoIterator<Item = (L, V)>,
    ) {
        let mut table = Table::default().gap(2);
        for (label, value) in fields {
            let mut label = format!("{}:", label.as_ref());
            let mut lines = value.as_ref().split('\n');
            table.row([std::mem::take(&mut label), lines.next().unwrap_or("").to_owned()]);
            for more in lines {
                table.row([String::new(), more.to_owned()]);
            }
        }
        self.table(indent, &table, false);
    }

    /// A table with heads underlined as kubectl does.
    pub(super) fn table(&mut self, indent: &str, table: &Table, heads: bool) {
        let mut out = Vec::new();
        // Writing to memory cannot fail.
        let _ = table.write(&mut out, indent, heads);
        self.text.push_str(&String::from_utf8_lossy(&out));
    }

    /// The same on the page of what has pods: which pod an event is about stands before it.
    pub(super) fn events_with_pods(&mut self, events: &[EventRow], now: i64) {
        let named = |event: &EventRow| match event.about.starts_with("pod/") {
            true => EventRow { message: format!("{}: {}", event.about, event.message), ..event.clone() },
            false => event.clone(),
        };
        self.events(&events.iter().map(named).collect::<Vec<_>>(), now);
    }

    /// The `Events:` at a page's end.
    pub(super) fn events(&mut self, events: &[EventRow], now: i64) {
        if events.is_empty() {
            self.line("Events:  <none>");
            return;
        }
        self.line("Events:");
        let mut table = Table::new(["Type", "Reason", "Age", "From", "Message"]).underlined().gap(2);
        for event in events {
            let last = age(Some(event.last), now);
            let when = if event.count > 1 {
                format!("{last} (x{} over {})", event.count, age(Some(event.first), now))
            } else {
                last
            };
            table.row([&event.kind, &event.reason, &when, &event.source, &event.message]);
        }
        self.table("  ", &table, true);
    }
}

/// A map's entries one a line, as `a=b` or with another sign between; `<none>` for none.
pub(super) fn lines(map: &Value, sign: &str) -> String {
    let lines: Vec<String> = map
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}{sign}{}", text(value).trim_end()))
        .collect();
    if lines.is_empty() { "<none>".to_owned() } else { lines.join("\n") }
}

/// Annotations, less the one in which kubectl keeps the last manifest.
pub(super) fn annotations(object: &Value) -> String {
    let mut all = object["metadata"]["annotations"].clone();
    if let Some(all) = all.as_object_mut() {
        all.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    lines(&all, ": ")
}

/// A time as kubectl's pages write it: `Mon, 02 Mar 2026 09:14:37 +0000`.
pub(super) fn date(value: &Value) -> String {
    let Some(seconds) = seconds(value) else { return "<unset>".to_owned() };
    let (time, year) = calendar(seconds);
    format!("{} {year:04} {} +0000", time.strftime("%a, %d %b"), time.strftime("%H:%M:%S"))
}

/// Entries of a list one a line, or `<none>`.
pub(super) fn stacked(entries: impl IntoIterator<Item = String>) -> String {
    let entries: Vec<String> = entries.into_iter().collect();
    if entries.is_empty() { "<none>".to_owned() } else { entries.join("\n") }
}

/// A quantity or number, however it was written.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
