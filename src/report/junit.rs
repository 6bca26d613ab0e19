//! Results of tests in the XML that CI systems read (JUnit's).

use std::io::{self, Write};

/// A test and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// Its name.
    pub name: String,
    /// What is wrong; nothing if it passed.
    pub failure: Option<String>,
}

/// Writes the results as one suite.
///
/// # Errors
/// Where writing fails.
pub fn junit(results: &[Tested], out: &mut dyn Write) -> io::Result<()> {
    let failures = results.iter().filter(|result| result.failure.is_some()).count();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    let counts = format!("tests=\"{}\" failures=\"{failures}\"", results.len());
    writeln!(out, "<testsuites {counts}>\n  <testsuite name=\"dsrules\" {counts}>")?;
    for result in results {
        let name = escaped(&result.name);
        match &result.failure {
            None => writeln!(out, "    <testcase classname=\"dsrules\" name=\"{name}\"/>")?,
            Some(failure) => {
                writeln!(out, "    <testcase classname=\"dsrules\" name=\"{name}\">")?;
                let text = escaped(failure);
                writeln!(
                    out,
                    "      <failure message=\"not as expected\">{text}</failure>\n    </testcase>"
                )?;
            }
        }
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

/// `text` as XML's character data and attribute values take it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            // XML has no way to write other control characters.
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn failures_are_escaped() {
        let results = [
            Tested { name: "a".into(), failure: None },
            Tested { name: "b<\"".into(), failure: Some("-x & y\u{1b}\n".into()) },
        ];
        let mut out = Vec::new();
        junit(&results, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("tests=\"2\" failures=\"1\""), "{text}");
        assert!(text.contains("name=\"b&lt;&quot;\""), "{text}");
        assert!(text.contains("-x &amp; y\u{fffd}\n</failure>"), "{text}");
    }
}
