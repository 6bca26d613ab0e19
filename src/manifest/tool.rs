//! Kustomize and helm: how their folders are known, and how they are rendered.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Place, counted};

/// A program whose input is not manifests, but what manifests are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tool {
    Kustomize,
    Helm,
}

impl Tool {
    /// Every one.
    pub(super) const ALL: [Tool; 2] = [Tool::Kustomize, Tool::Helm];

    /// The files by which its folders are known.
    fn marks(self) -> &'static [&'static str] {
        match self {
            Tool::Kustomize => &["kustomization.yaml", "kustomization.yml", "Kustomization"],
            Tool::Helm => &["Chart.yaml"],
        }
    }

    /// The tool whose folder this is, and the folder that it renders: the templates of a
    /// chart are part of it.
    pub(super) fn of_folder(folder: &Path) -> Option<(PathBuf, Tool)> {
        let has = |folder: &Path, tool: Tool| tool.marks().iter().any(|mark| folder.join(mark).is_file());
        let above = folder.parent().filter(|_| folder.file_name().is_some_and(|name| name == "templates"));
        if let Some(chart) = above.filter(|chart| has(chart, Tool::Helm)) {
            return Some((chart.to_owned(), Tool::Helm));
        }
        Tool::ALL.into_iter().find(|tool| has(folder, *tool)).map(|tool| (folder.to_owned(), tool))
    }

    fn folder(self) -> &'static str {
        match self {
            Tool::Kustomize => "kustomize folder",
            Tool::Helm => "helm chart",
        }
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Tool::Kustomize => "kustomize",
            Tool::Helm => "helm",
        }
    }

    /// The command that renders a folder.
    fn renders(self, folder: &str) -> String {
        let plain = |c: char| c.is_alphanumeric() || "/._-+@:,".contains(c);
        let folder = match folder {
            "" => ".".to_owned(),
            name if name.chars().all(plain) => name.to_owned(),
            name => format!("'{}'", name.replace('\'', "'\\''")),
        };
        match self {
            Tool::Kustomize => format!("`kubectl kustomize {folder} | dsrules plan -`"),
            Tool::Helm => format!("`helm template {folder} | dsrules plan -`"),
        }
    }
}

/// One finding about all folders of a tool that were met below `root`, if there are any.
pub(super) fn tell(tool: Tool, root: &Path, met: &[(PathBuf, Tool)]) -> Option<Diagnostic> {
    const SHOWN: usize = 3;
    let folders: Vec<&Path> =
        met.iter().filter(|(_, of)| *of == tool).map(|(folder, _)| folder.as_path()).collect();
    let first = folders.first()?;
    let message = if folders.len() == 1 {
        format!("`{}` is a {}, whose files are no manifests by themselves", first.display(), tool.folder())
    } else {
        let mut names: Vec<String> = folders
            .iter()
            .take(SHOWN)
            .map(|folder| format!("`{}`", folder.strip_prefix(root).unwrap_or(folder).display()))
            .collect();
        if folders.len() > SHOWN {
            names.push(format!("and {} more", folders.len() - SHOWN));
        }
        format!(
            "there are {} in `{}`: {}",
            counted(folders.len(), tool.folder()),
            root.display(),
            names.join(", ")
        )
    };
    let which = if folders.len() == 1 { "render it" } else { "render each that you would apply, as in" };
    let help = format!("{which}: {}", tool.renders(&first.display().to_string()));
    Some(
        Diagnostic::error(tool.code(), message)
            .at(Place::file(first.display().to_string().as_str()))
            .help(help),
    )
}

/// The way out of a finding about a file of theirs.
pub(super) fn way_out(code: &str, file: &str) -> Option<String> {
    let tool = Tool::ALL.into_iter().find(|tool| tool.code() == code)?;
    let folder = match Path::new(file).parent() {
        Some(folder) if !file.starts_with('<') => folder.display().to_string(),
        _ => "FOLDER".to_owned(),
    };
    Some(format!("render its folder: {}", tool.renders(&folder)))
}
