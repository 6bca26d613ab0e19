//! Finds circles between the files of a program. A file depends on another when its code
//! names something that is defined there: by a path (`super::b::X`, `crate::m::X`), by a
//! `use`, or by a name that a module hands on (`pub use b::X`), followed to the file that
//! defines it. That a module declares its children and hands their names on is no
//! dependency of its own; what its code names is. Unit tests do not count.
//!
//! Read from the syntax, not from types: a method counts only by the type that is named.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, UseTree, Visibility};

/// Where a file names something of another file.
struct Edge {
    line: usize,
    what: String,
}

/// Files that depend on each other, and a shortest way round.
#[derive(Debug)]
pub struct Circle {
    pub files: Vec<String>,
    /// `file:line: what it names -> file`, one a step.
    pub steps: Vec<String>,
}

#[derive(Default)]
struct Module {
    file: usize,
    root: usize,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    items: BTreeSet<String>,
    /// Name here to the path behind it.
    imports: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    paths: Vec<Path>,
}

/// A path as code has it, and where.
struct Path {
    segments: Vec<String>,
    line: usize,
    /// In a `use`.
    import: bool,
    /// Of a `pub use`, which is no dependency where it only hands on what a child has.
    handed_on: bool,
}

/// What the name at the end of a path is taken for.
#[derive(Clone, Copy)]
enum End {
    Item,
    Module,
}

#[derive(Clone, Copy)]
enum Found {
    Module(usize),
    /// An item, in this file.
    Item(usize),
}

/// The program of files (path, text) whose crates begin at `src/lib.rs` and `src/main.rs`.
struct Program<'t> {
    files: &'t [(String, String)],
    modules: Vec<Module>,
    library: Option<usize>,
}

/// Every set of files that depend on each other.
pub fn circles(files: &[(String, String)]) -> Vec<Circle> {
    let mut program = Program { files, modules: Vec::new(), library: None };
    for root in ["src/lib.rs", "src/main.rs"] {
        if let Some(file) = program.file(root) {
            let module = program.file_module(file, None, "src");
            if root == "src/lib.rs" {
                program.library = Some(module);
            }
        }
    }
    let edges = program.edges();
    let graph: DiGraph<(), (), usize> = DiGraph::from_edges(edges.keys().copied());
    let mut circles: Vec<Circle> = tarjan_scc(&graph)
        .into_iter()
        .filter(|component| component.len() > 1)
        .map(|component| {
            let members: BTreeSet<usize> = component.into_iter().map(|node| node.index()).collect();
            program.circle(&members, &edges)
        })
        .collect();
    circles.sort_by(|a, b| a.files.cmp(&b.files));
    circles
}

impl Program<'_> {
    fn file(&self, path: &str) -> Option<usize> {
        self.files.iter().position(|(name, _)| name == path)
    }

    fn add(&mut self, file: usize, parent: Option<usize>) -> usize {
        let module = self.modules.len();
        let root = parent.map_or(module, |parent| self.modules[parent].root);
        self.modules.push(Module { file, root, parent, ..Module::default() });
        module
    }

    /// The module that is a whole file; `dir` is where the files of its children are.
    fn file_module(&mut self, file: usize, parent: Option<usize>, dir: &str) -> usize {
        let (path, text) = &self.files[file];
        let module = self.add(file, parent);
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        self.items(module, parsed.items, dir);
        module
    }

    fn items(&mut self, module: usize, items: Vec<Item>, dir: &str) {
        for item in items {
            if is_test(attributes(&item)) {
                continue;
            }
            if let Some(name) = name(&item) {
                self.modules[module].items.insert(name);
            }
            match item {
                Item::Mod(inner) => {
                    let name = inner.ident.to_string();
                    let below = format!("{dir}/{name}");
                    let child = match inner.content {
                        Some((_, items)) => {
                            let child = self.add(self.modules[module].file, Some(module));
                            self.items(child, items, &below);
                            child
                        }
                        None => {
                            let file = [format!("{below}.rs"), format!("{below}/mod.rs")]
                                .iter()
                                .find_map(|path| self.file(path))
                                .unwrap_or_else(|| panic!("no file for `mod {name}` of {dir}"));
                            self.file_module(file, Some(module), &below)
                        }
                    };
                    self.modules[module].children.insert(name, child);
                }
                Item::Use(import) => {
                    let handed_on = !matches!(import.vis, Visibility::Inherited);
                    self.modules[module].import(&import.tree, &mut Vec::new(), handed_on);
                }
                other => self.modules[module].scan(other.into_token_stream()),
            }
        }
    }

    /// What `path` leads to, seen from `module`. Where a module and a function share a name,
    /// it is the one that `end` says.
    fn resolve(&self, module: usize, path: &[String], end: End, depth: usize) -> Option<Found> {
        // A name that leads to itself, as `use serde::Serialize` does, leads nowhere.
        if depth > 16 {
            return None;
        }
        let (first, rest) = path.split_first()?;
        let end_of = |left: &[String]| if left.is_empty() { end } else { End::Module };
        let mut found = match first.as_str() {
            "crate" => Found::Module(self.modules[module].root),
            "self" => Found::Module(module),
            "super" => Found::Module(self.modules[module].parent?),
            "dsrules" => Found::Module(self.library?),
            name => self.look_up(module, name, end_of(rest), depth)?,
        };
        for (at, segment) in rest.iter().enumerate() {
            found = match found {
                Found::Item(_) => return Some(found),
                Found::Module(inside) if segment == "super" => Found::Module(self.modules[inside].parent?),
                Found::Module(inside) if segment == "self" => Found::Module(inside),
                Found::Module(inside) => self.look_up(inside, segment, end_of(&rest[at + 1..]), depth)?,
            };
        }
        Some(found)
    }

    /// What `name` means in `module`.
    fn look_up(&self, module: usize, name: &str, end: End, depth: usize) -> Option<Found> {
        let here = &self.modules[module];
        let child = here.children.get(name).map(|child| Found::Module(*child));
        let item = || {
            let own = here.items.contains(name).then_some(Found::Item(here.file));
            own.or_else(|| self.resolve(module, here.imports.get(name)?, end, depth + 1)).or_else(|| {
                here.globs.iter().find_map(|glob| {
                    match self.resolve(module, glob, End::Module, depth + 1)? {
                        Found::Module(from) if from != module => self.look_up(from, name, end, depth + 1),
                        _ => None,
                    }
                })
            })
        };
        match end {
            End::Item => item().or(child),
            End::Module => child.or_else(item),
        }
    }

    /// Who names what of whom, the first place of each.
    fn edges(&self) -> BTreeMap<(usize, usize), Edge> {
        let mut edges = BTreeMap::new();
        for (at, module) in self.modules.iter().enumerate() {
            for path in &module.paths {
                let hands_on = path.handed_on && {
                    let own = path.segments.iter().find(|segment| *segment != "self");
                    own.is_some_and(|own| module.children.contains_key(own))
                };
                // Of a module and a function of one name the code tells which is meant.
                let either = path.import && {
                    matches!(self.resolve(at, &path.segments, End::Module, 0), Some(Found::Module(_)))
                };
                if hands_on || either {
                    continue;
                }
                if let Some(Found::Item(file)) = self.resolve(at, &path.segments, End::Item, 0)
                    && file != module.file
                {
                    let edge = Edge { line: path.line, what: path.segments.join("::") };
                    let first = edges.entry((module.file, file)).or_insert_with(|| edge);
                    if path.line < first.line {
                        *first = Edge { line: path.line, what: path.segments.join("::") };
                    }
                }
            }
        }
        edges
    }

    fn circle(&self, members: &BTreeSet<usize>, edges: &BTreeMap<(usize, usize), Edge>) -> Circle {
        let way = members.iter().filter_map(|from| way_round(*from, members, edges)).min_by_key(Vec::len);
        let name = |file: usize| self.files[file].0.clone();
        let steps = way.unwrap_or_default().into_iter().map(|(from, to)| {
            let Edge { line, what } = &edges[&(from, to)];
            format!("{}:{line}: `{what}` -> {}", name(from), name(to))
        });
        Circle { files: members.iter().map(|file| name(*file)).collect(), steps: steps.collect() }
    }
}

/// The shortest way from a file back to it.
fn way_round(
    start: usize,
    members: &BTreeSet<usize>,
    edges: &BTreeMap<(usize, usize), Edge>,
) -> Option<Vec<(usize, usize)>> {
    let mut came: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(from) = queue.pop_front() {
        for (_, to) in edges.range((from, 0)..=(from, usize::MAX)).map(|(edge, _)| edge) {
            if members.contains(to) && !came.contains_key(to) {
                came.insert(*to, from);
                queue.push_back(*to);
            }
        }
    }
    let mut way = Vec::new();
    let mut at = start;
    loop {
        let from = *came.get(&at)?;
        way.push((from, at));
        at = from;
        if at == start {
            way.reverse();
            return Some(way);
        }
    }
}

impl Module {
    fn import(&mut self, tree: &UseTree, before: &mut Vec<String>, handed_on: bool) {
        let whole = |before: &[String], name: &str| -> Vec<String> {
            // `use x::{self}` is `use x`.
            let own = (name != "self" || before.is_empty()).then(|| name.to_owned());
            before.iter().cloned().chain(own).collect()
        };
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(&path.tree, before, handed_on);
                before.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before, handed_on);
                }
            }
            UseTree::Glob(_) => self.globs.push(before.clone()),
            UseTree::Name(name) => {
                let segments = whole(before, &name.ident.to_string());
                let line = name.ident.span().start().line;
                self.imports.insert(segments.last().cloned().unwrap_or_default(), segments.clone());
                self.paths.push(Path { segments, line, import: true, handed_on });
            }
            UseTree::Rename(rename) => {
                let segments = whole(before, &rename.ident.to_string());
                let line = rename.ident.span().start().line;
                self.imports.insert(rename.rename.to_string(), segments.clone());
                self.paths.push(Path { segments, line, import: true, handed_on });
            }
        }
    }

    /// Collects the paths in code: inside macros too, and the `use` of a function.
    fn scan(&mut self, code: TokenStream) {
        let mut tokens = code.into_iter().peekable();
        // What stands before a name: nothing, or what makes it part of something else.
        let mut joined = false;
        while let Some(token) = tokens.next() {
            match token {
                // The other `use`, `use<'a>`, is of a type.
                TokenTree::Ident(word) if word == "use" && !is_sign(tokens.peek(), '<') => {
                    let rest: TokenStream =
                        tokens.by_ref().take_while(|token| token.to_string() != ";").collect();
                    if let Ok(tree) = syn::parse2::<UseTree>(rest) {
                        self.import(&tree, &mut Vec::new(), false);
                    }
                    joined = false;
                }
                TokenTree::Ident(word) => {
                    let line = word.span().start().line;
                    let mut segments = vec![word.to_string()];
                    // `name: value` names a field or a variable.
                    let mut labels = false;
                    while is_sign(tokens.peek(), ':') {
                        tokens.next();
                        if !is_sign(tokens.peek(), ':') {
                            labels = segments.len() == 1;
                            break;
                        }
                        tokens.next();
                        match tokens.peek() {
                            Some(TokenTree::Ident(next)) => segments.push(next.to_string()),
                            _ => break,
                        }
                        tokens.next();
                    }
                    if !joined && !labels {
                        self.paths.push(Path { segments, line, import: false, handed_on: false });
                    }
                    joined = false;
                }
                TokenTree::Group(group) => {
                    self.scan(group.stream());
                    joined = group.delimiter() == Delimiter::None && joined;
                }
                TokenTree::Punct(sign) => {
                    // `.name`, `'name`, `>::name`; but not `..name` and `: Name`.
                    let after_dot = sign.as_char() == '.' && !joined;
                    let after_colons = sign.as_char() == ':' && sign.spacing() == proc_macro2::Spacing::Joint;
                    let again = sign.as_char() == ':' && joined;
                    joined = after_dot || after_colons || again || sign.as_char() == '\'';
                }
                TokenTree::Literal(_) => joined = false,
            }
        }
    }
}

fn is_sign(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == sign)
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.to_token_stream().to_string().replace(' ', "") == "#[cfg(test)]")
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
