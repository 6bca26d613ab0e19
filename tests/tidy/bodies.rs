//! How long functions are: a command maps its arguments, calls the library and shows what
//! came of it, and that is not long.

/// A function's body has fewer lines than this.
const BOUND: usize = 30;

/// Functions of a file, as rustfmt writes it, that are too long.
pub fn long(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let functions = lines.iter().enumerate().filter_map(|(at, line)| Some((at, name(line)?)));
    let length = |at: usize| {
        let indent = &lines[at][..lines[at].len() - lines[at].trim_start().len()];
        let opens = at + lines[at..].iter().position(|line| line.ends_with(['{', '}', ';']))?;
        if !lines[opens].ends_with('{') {
            return None;
        }
        let closes = lines[opens..].iter().position(|line| *line == format!("{indent}}}"))?;
        Some(closes - 1)
    };
    functions
        .filter_map(|(at, name)| Some((at, name, length(at)?)))
        .filter(|(.., length)| *length >= BOUND)
        .map(|(at, name, length)| {
            format!("{path}:{}: `{name}` has {length} lines, not under {BOUND}", at + 1)
        })
        .collect()
}

/// The name of the function that begins on a line.
fn name(line: &str) -> Option<&str> {
    let (before, after) = line.trim_start().split_once("fn ")?;
    let is_head = before.split_whitespace().all(|word| word.starts_with("pub") || word == "async");
    is_head.then(|| after.split(['(', '<']).next().unwrap_or(after))
}

#[test]
fn long_functions_are_found_and_short_ones_are_not() {
    let body = |lines: usize| "    line();\n".repeat(lines);
    let run = |lines: usize| {
        format!(
            "//! x\n\nfn a() {{\n    b();\n}}\n\npub fn run(\n    args: &Args,\n) -> Exit {{\n{}}}\n",
            body(lines)
        )
    };
    assert_eq!(long("x.rs", &run(29)), Vec::<String>::new());
    assert_eq!(long("x.rs", &run(30)), ["x.rs:7: `run` has 30 lines, not under 30"]);
    let method = format!("impl A {{\n    async fn go(&self) {{\n{}    }}\n}}\n", body(31));
    assert_eq!(long("x.rs", &method), ["x.rs:2: `go` has 31 lines, not under 30"]);
    let others = format!("trait A {{\n    fn go(&self);\n}}\n\nconst X: [u8; 1] = [\n{}];\n", body(40));
    assert_eq!(long("x.rs", &others), Vec::<String>::new());
}
