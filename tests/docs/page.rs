//! A page of the documentation, as its blocks.

use std::collections::BTreeMap;

use crate::matching;

/// A page, with its lines as they are.
pub struct Page {
    pub name: String,
    pub lines: Vec<String>,
    pub blocks: Vec<Block>,
    /// What is wrong with its form, from the number of the line on.
    pub wrong: Vec<String>,
}

/// A fenced block.
pub struct Block {
    /// The number of the line that opens it.
    pub line: usize,
    pub language: String,
    pub not_run: Option<String>,
    /// The programs that its commands need, beside those of every machine.
    pub needs: Vec<String>,
    /// Where it begins anew.
    folder: Option<Folder>,
    pub lines: Vec<String>,
    /// What is run of it.
    pub commands: Vec<Command>,
}

/// What a page's commands begin with.
#[derive(Clone, Debug, PartialEq)]
pub enum Folder {
    /// The project's examples, in `examples`.
    Examples,
    /// The content of a folder of the project.
    CopyOf(String),
    Empty,
}

/// A command that a block shows.
#[derive(Debug, PartialEq)]
pub struct Command {
    /// The number of its first line in the page.
    pub line: usize,
    pub text: String,
    /// How many lines it has.
    height: usize,
    pub shown: Vec<String>,
    /// Nothing is shown of what it prints.
    pub silent: bool,
}

/// What is run in one folder.
pub struct Part<'a> {
    pub folder: &'a Folder,
    pub blocks: Vec<&'a Block>,
}

/// What comments say of the block below them.
#[derive(Default)]
struct Said {
    not_run: Option<String>,
    needs: Vec<String>,
    folder: Option<Folder>,
    file: Option<String>,
    /// Until the page ends.
    from_here: Option<String>,
}

impl Said {
    /// Whether the line is such a comment.
    fn hears(&mut self, line: &str) -> bool {
        let Some(text) = line.strip_prefix("<!-- ").and_then(|it| it.strip_suffix(" -->")) else {
            return false;
        };
        let after = |word| text.strip_prefix(word).map(str::to_owned);
        if let Some(reason) = after("not run: ") {
            self.not_run = Some(reason);
        } else if let Some(reason) = after("not run from here on: ") {
            self.from_here = Some(reason);
        } else if let Some(programs) = after("needs ") {
            self.needs = programs.split_whitespace().map(ToOwned::to_owned).collect();
        } else if let Some(path) = after("file: ") {
            self.file = Some(path);
        } else if let Some(folder) = after("runs in a fresh ") {
            self.folder = Some(match folder.strip_prefix("copy of ") {
                Some(name) => Folder::CopyOf(name.to_owned()),
                None => Folder::Empty,
            });
        } else {
            return false;
        }
        true
    }

    /// The block whose opening line has the number `line`.
    fn block(&mut self, line: usize, language: &str, lines: Vec<String>) -> Block {
        let said = Said { from_here: self.from_here.clone(), ..std::mem::take(self) };
        self.from_here.clone_from(&said.from_here);
        let is_shell = language == "console" || language == "sh";
        let not_run = said.not_run.or(said.from_here.filter(|_| is_shell));
        let commands = match said.file {
            Some(path) => vec![script(written(&path, &lines), line, &lines)],
            None if language == "sh" && not_run.is_none() => vec![script(lines.join("\n"), line, &lines)],
            None if language == "console" && not_run.is_none() => commands(&lines, line + 1),
            None => Vec::new(),
        };
        let (needs, folder) = (said.needs, said.folder);
        Block { line, language: language.to_owned(), not_run, needs, folder, lines, commands }
    }
}

impl Page {
    pub fn read(name: &str, text: &str) -> Self {
        let lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
        let mut page = Page { name: name.to_owned(), lines, blocks: Vec::new(), wrong: Vec::new() };
        let (mut said, mut at) = (Said::default(), 0);
        while let Some(line) = page.lines.get(at) {
            let begun = line.trim_start();
            if let Some(language) = begun.strip_prefix("```") {
                let ends = |line: &String| line.trim() == "```";
                let Some(height) = page.lines[at + 1..].iter().position(ends) else {
                    page.wrong.push(format!("{}: a block without an end", at + 1));
                    break;
                };
                let cut = |it: &String| it.get(line.len() - begun.len()..).unwrap_or("").to_owned();
                let lines: Vec<String> = page.lines[at + 1..][..height].iter().map(cut).collect();
                page.blocks.push(said.block(at + 1, language, lines));
                at += height + 1;
            } else if !said.hears(begun) {
                page.wrong
                    .extend(misplaced(&page.lines, at, &mut said).map(|it| format!("{}: {it}", at + 1)));
            }
            at += 1;
        }
        page
    }

    /// Its lines, those of blocks empty.
    pub fn prose(&self) -> String {
        let in_block =
            |at: usize| self.blocks.iter().any(|it| (it.line..it.line + it.lines.len() + 2).contains(&at));
        let line = |(at, line): (usize, &String)| if in_block(at + 1) { String::new() } else { line.clone() };
        self.lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
    }

    /// What is run together, in order.
    pub fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = vec![Part { folder: &Folder::Examples, blocks: Vec::new() }];
        for block in &self.blocks {
            if let Some(folder) = &block.folder {
                parts.push(Part { folder, blocks: Vec::new() });
            }
            parts.last_mut().unwrap().blocks.push(block);
        }
        parts
    }

    /// The page with what commands print now, by their lines.
    pub fn with(&self, printed: &BTreeMap<usize, String>) -> String {
        let mut text = String::new();
        let mut at = 0;
        let commands = self.blocks.iter().flat_map(|block| &block.commands);
        for (command, said) in
            commands.filter(|it| !it.silent).filter_map(|it| printed.get(&it.line).map(|said| (it, said)))
        {
            let begin = command.line - 1 + command.height;
            let indent = self.lines[command.line - 1].split('$').next().unwrap().to_owned();
            self.lines[at..begin].iter().for_each(|line| text.push_str(&format!("{line}\n")));
            for line in matching::renewed(&command.shown, said) {
                text.push_str(format!("{indent}{line}").trim_end());
                text.push('\n');
            }
            at = begin + command.shown.len();
        }
        self.lines[at..].iter().for_each(|line| text.push_str(&format!("{line}\n")));
        text
    }
}

/// What is wrong with a line outside of blocks.
fn misplaced(lines: &[String], at: usize, said: &mut Said) -> Option<String> {
    let line = &lines[at];
    let before = if at == 0 { "" } else { lines[at - 1].trim() };
    if line.starts_with("    ") && before.is_empty() {
        return Some(format!("an indented block: {}", line.trim()));
    }
    let reason = said.not_run.take_if(|_| !line.trim().is_empty())?;
    Some(format!("`not run: {reason}` stands over no block"))
}

/// A command that writes a block into a file.
fn written(path: &str, lines: &[String]) -> String {
    let end = "END OF THE BLOCK";
    format!("mkdir -p \"$(dirname {path})\" && cat > {path} <<'{end}'\n{}\n{end}", lines.join("\n"))
}

/// A block that is one command as a whole.
fn script(text: String, line: usize, lines: &[String]) -> Command {
    Command { line, text, height: lines.len() + 2, shown: Vec::new(), silent: true }
}

/// The commands of a block whose first line has the number `from`.
fn commands(lines: &[String], from: usize) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(text) = line.strip_prefix("$ ") {
            commands.push(Command {
                line: from + at,
                text: text.to_owned(),
                height: 1,
                shown: Vec::new(),
                silent: false,
            });
            continue;
        }
        let Some(last) = commands.last_mut() else { continue };
        match line.strip_prefix("> ").or_else(|| (line == ">").then_some("")) {
            Some(more) if last.shown.is_empty() => {
                last.text.push_str(&format!("\n{more}"));
                last.height += 1;
            }
            _ => last.shown.push(line.clone()),
        }
    }
    commands
}
