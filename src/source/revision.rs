//! A revision of a git repository as a folder: what is read there is read as anywhere else.
//!
//! The `git` program is asked for the revision's tree and for what its files hold, as they are
//! kept (no filters, no attributes). The working copy and the index are neither read nor
//! changed. Files are written into a folder of the caller's; links only where they stay in it.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::diagnostic::Diagnostic;

/// What rules may read beside the manifests, and links may lead to, wherever in the repository it
/// stands.
const ELSEWHERE: [&str; 9] = ["dl", "csv", "json", "jsonl", "ndjson", "db", "sqlite", "yaml", "yml"];
/// What is larger and not below the path is left out.
const LARGEST_ELSEWHERE: u64 = 64 << 20;

/// A revision that was written.
#[derive(Debug)]
pub struct Revision {
    /// The path that was asked for, in the folder.
    pub path: PathBuf,
    /// Whether the revision has it.
    pub has_path: bool,
    /// What was left out.
    pub warnings: Vec<Diagnostic>,
}

/// A file, or a link, of a tree.
struct Entry {
    hash: String,
    path: PathBuf,
    is_link: bool,
}

/// Writes what stands at `path` (from `here` on) in a revision of the repository around `here`
/// into the folder `into`.
///
/// # Errors
/// When there is no git, no repository or no such revision, or something cannot be written.
pub fn check_out(here: &Path, revision: &str, path: &Path, into: &Path) -> Result<Revision, Diagnostic> {
    let prefix =
        git(here, &["rev-parse", "--show-prefix"]).map_err(|error| no_repository(error, here, revision))?;
    let below = inside(Path::new(prefix.trim_end_matches('\n')), path)?;
    let tree = tree(here, revision)?;
    let listed = git(here, &["ls-tree", "-r", "-z", "-l", "--full-tree", &tree])?;
    let mut warnings = Vec::new();
    let (links, files): (Vec<Entry>, Vec<Entry>) =
        listed.split('\0').filter_map(|line| entry(line, &below, &mut warnings)).partition(|it| it.is_link);
    let is_below = |entry: &Entry| entry.path.starts_with(&below);
    let has_path = files.iter().chain(&links).any(is_below);
    let failed = |error: io::Error| {
        let what = format!("`{revision}` cannot be written to a folder for the time being");
        Diagnostic::error("revision-unwritten", what).because(error.to_string())
    };
    write(here, &files, into).map_err(failed)?;
    link(here, links, into, &mut warnings).map_err(failed)?;
    let path = into.join(&below);
    if !has_path {
        fs::create_dir_all(&path).map_err(failed)?;
    }
    Ok(Revision { path, has_path, warnings })
}

/// The tree that a revision names: a commit's, or one by itself, as `git write-tree` makes of what
/// is staged.
fn tree(here: &Path, revision: &str) -> Result<String, Diagnostic> {
    let named = format!("{revision}^{{tree}}");
    let found = if revision.starts_with('-') || revision.is_empty() {
        None
    } else {
        git(here, &["rev-parse", "--verify", "--quiet", "--end-of-options", &named]).ok()
    };
    let found = found.map(|found| found.trim().to_owned()).filter(|found| !found.is_empty());
    found.ok_or_else(|| {
        Diagnostic::error("no-revision", format!("there is no revision `{revision}`, and no such folder"))
            .because("git knows neither a branch, a tag nor a commit of that name here")
            .help(
                "`git branch -a` lists what there is; in CI the base has to be fetched: `git fetch origin main`, \
                 and then `origin/main`",
            )
    })
}

/// The way from the repository's root to a path, which must lie in it.
fn inside(prefix: &Path, path: &Path) -> Result<PathBuf, Diagnostic> {
    let mut way = PathBuf::new();
    for part in prefix.components().chain(path.components()) {
        let stays = match part {
            Component::Normal(name) => {
                way.push(name);
                true
            }
            Component::CurDir => true,
            Component::ParentDir => way.pop(),
            Component::RootDir | Component::Prefix(_) => false,
        };
        if !stays {
            let what = format!("`{}` is no path in this repository", path.display());
            return Err(
                Diagnostic::error("path-outside", what).help("name a folder from here on, as `--path fleet`")
            );
        }
    }
    Ok(way)
}

/// One line of `git ls-tree -l`: `100644 blob HASH SIZE\tPATH`; nothing of what is not wanted.
fn entry(line: &str, below: &Path, warnings: &mut Vec<Diagnostic>) -> Option<Entry> {
    let (about, path) = line.split_once('\t')?;
    let path = PathBuf::from(path);
    let mut about = about.split_ascii_whitespace();
    let (mode, kind, hash, size) = (about.next()?, about.next()?, about.next()?, about.next()?);
    let is_below = path.starts_with(below);
    let is_of_use = || {
        let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        ELSEWHERE.contains(&extension) && size.parse::<u64>().is_ok_and(|size| size <= LARGEST_ELSEWHERE)
    };
    if kind != "blob" {
        if is_below {
            let what = format!("`{}` is a submodule, which is left out", path.display());
            warnings.push(Diagnostic::warning("submodule", what).help("compare its folders by themselves"));
        }
        return None;
    }
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(name) if name != ".git"));
    let is_link = mode == "120000";
    (is_plain && (is_below || is_link || is_of_use())).then(|| Entry { hash: hash.to_owned(), path, is_link })
}

/// Writes files, each where it stands in the tree.
fn write(here: &Path, files: &[Entry], into: &Path) -> io::Result<()> {
    contents(here, files, &mut |entry, text| {
        let path = into.join(&entry.path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::File::create_new(&path)?.write_all(text)
    })
}

/// Makes the links that stay in the folder; others are left out.
fn link(here: &Path, links: Vec<Entry>, into: &Path, warnings: &mut Vec<Diagnostic>) -> io::Result<()> {
    contents(here, &links, &mut |entry, text| {
        let to = PathBuf::from(String::from_utf8_lossy(text).into_owned());
        if !stays(&entry.path, &to) {
            let what =
                format!("the link `{}` leads out of the revision, and is left out", entry.path.display());
            warnings.push(Diagnostic::warning("link-outside", what));
            return Ok(());
        }
        let path = into.join(&entry.path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        std::os::unix::fs::symlink(to, &path)
    })
}

/// Whether a link leads nowhere outside: up first, no further than to the root, and then down.
/// Where it stands is a real folder, and what it passes below are links of this kind.
fn stays(link: &Path, to: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    let mut goes_down = false;
    to.components().all(|part| match part {
        Component::CurDir => true,
        Component::Normal(_) => {
            goes_down = true;
            true
        }
        Component::ParentDir if goes_down || depth == 0 => false,
        Component::ParentDir => {
            depth -= 1;
            true
        }
        Component::RootDir | Component::Prefix(_) => false,
    })
}

/// Gives what each file holds, in order, from one process.
fn contents(
    here: &Path,
    entries: &[Entry],
    take: &mut dyn FnMut(&Entry, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut process = command(here, &["cat-file", "--batch"]).stdin(Stdio::piped()).spawn()?;
    let (Some(mut to), Some(from)) = (process.stdin.take(), process.stdout.take()) else {
        return Err(io::Error::other("git has no pipes"));
    };
    let asked: String = entries.iter().map(|entry| format!("{}\n", entry.hash)).collect();
    let asking = thread::spawn(move || to.write_all(asked.as_bytes()));
    let mut from = BufReader::new(from);
    for entry in entries {
        let mut head = String::new();
        from.read_line(&mut head)?;
        let size = head.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok());
        let size = size.ok_or_else(|| {
            io::Error::other(format!("git cannot give `{}`: {}", entry.path.display(), head.trim_end()))
        })?;
        let mut text = Vec::new();
        from.by_ref().take(size).read_to_end(&mut text)?;
        from.read_line(&mut head)?;
        take(entry, &text)?;
    }
    drop(from);
    asking.join().map_err(|_| io::Error::other("git was not asked"))??;
    process.wait().map(drop)
}

fn command(here: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(here).args(arguments);
    command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What git says to a question.
fn git(here: &Path, arguments: &[&str]) -> Result<String, Diagnostic> {
    let said = command(here, arguments).output().map_err(|error| {
        let told = Diagnostic::error("no-git", "the program `git` cannot be run").because(error.to_string());
        told.help("install git, or name two folders: `dsrules diff OLD NEW`")
    })?;
    if said.status.success() {
        return Ok(String::from_utf8_lossy(&said.stdout).into_owned());
    }
    let why = String::from_utf8_lossy(&said.stderr);
    let what = format!("`git {}` failed", arguments.join(" "));
    Err(Diagnostic::error("git", what).because(why.trim().to_owned()))
}

/// There is no repository: what was named may have been meant as a folder.
fn no_repository(error: Diagnostic, here: &Path, revision: &str) -> Diagnostic {
    if error.code != "git" {
        return error;
    }
    let what = format!("`{revision}` is no folder, and there is no git repository to find it in");
    let told =
        Diagnostic::error("no-repository", what).because(format!("looked from `{}` on", here.display()));
    let told = error.notes.into_iter().fold(told, Diagnostic::because);
    told.help("name two folders, `dsrules diff OLD NEW`, or run it inside the repository")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stays_where_it_goes_up_first_and_no_further_than_the_root() {
        for (link, to, expected) in [
            ("a", "b", true),
            ("a", "./b/c", true),
            ("d/a", "../b", true),
            ("a", "../b", false),
            ("d/a", "../../b", false),
            ("a", "/etc/passwd", false),
            ("d/a", "b/../../../c", false),
            ("d/a", "b/../c", false),
        ] {
            assert_eq!(stays(Path::new(link), Path::new(to)), expected, "{link} -> {to}");
        }
    }

    #[test]
    fn a_path_is_one_of_the_repository() {
        let way = |prefix: &str, path: &str| inside(Path::new(prefix), Path::new(path)).ok();
        assert_eq!(way("", "."), Some(PathBuf::new()));
        assert_eq!(way("sub/", "../fleet"), Some("fleet".into()));
        assert_eq!(way("sub/", "fleet"), Some("sub/fleet".into()));
        assert_eq!(way("", "../fleet"), None);
        assert_eq!(way("", "/fleet"), None);
    }
}
