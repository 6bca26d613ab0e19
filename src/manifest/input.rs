//! What the user named -> texts: files, folders, bytes from a pipe.
//!
//! Nothing is guessed: a path that is not there, a folder without manifests, a file
//! that is no text or that changes while it is read is an error. Links to files are
//! followed, links to folders are not, so no loop can be walked into. What is hidden
//! (its name starts with a dot) is left out of folders.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::limits::Limits;
use super::options::Options;
use super::sieve;
use super::source::{Format, Source};
use super::tool::{self, Tool};
use crate::diagnostic::{Diagnostic, Place};
use crate::hash::{sha256, sha256_of};

/// One thing to read.
#[derive(Debug, Clone)]
pub enum Input {
    /// A file or a folder.
    Path(PathBuf),
    /// A text that is already there, as from stdin, under the name it is shown with.
    Text {
        /// As `<stdin>`.
        name: Arc<str>,
        /// The text, not yet checked.
        bytes: Arc<Vec<u8>>,
    },
}

impl Input {
    /// Reads a pipe to its end, or to the limit.
    ///
    /// # Errors
    /// When reading fails or there is more than the limit allows.
    pub fn from_reader(name: &str, reader: impl Read, limits: &Limits) -> Result<Input, Diagnostic> {
        let bytes = read_bounded(reader, name, 0, limits).map_err(|error| error.at(Place::file(name)))?;
        Ok(Input::Text { name: name.into(), bytes: Arc::new(bytes) })
    }
}

/// Reads to the end, or to the limit, which is lower for what can only be YAML.
fn read_bounded(
    mut reader: impl Read,
    name: &str,
    expected: usize,
    limits: &Limits,
) -> Result<Vec<u8>, Diagnostic> {
    const HEAD: u64 = 4 << 10;
    let failed = |error: io::Error| unreadable(name, &error);
    let mut bytes = Vec::with_capacity(expected);
    reader.by_ref().take(HEAD).read_to_end(&mut bytes).map_err(failed)?;
    let json = starts_as_json(&bytes);
    let limit = if json { limits.file_bytes } else { limits.yaml_bytes.min(limits.file_bytes) };
    let more = (limit + 1).saturating_sub(bytes.len() as u64);
    reader.take(more).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(name, limit, json));
    }
    Ok(bytes)
}

/// The extensions of manifests in folders.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// The files that the inputs name, in order, each once; and what was not read of them.
pub(super) fn gather(
    inputs: &[Input],
    recursive: bool,
    limits: &Limits,
    out: &mut Vec<Diagnostic>,
) -> (Vec<Input>, Vec<Arc<str>>) {
    let mut files = Vec::new();
    let mut unread = Vec::new();
    for input in inputs {
        match input {
            Input::Text { .. } => files.push(input.clone()),
            // What comes out of a pipe comes only once, and may be looked at again.
            Input::Path(path) if is_pipe(path) => {
                let name = path.display().to_string();
                match File::open(path)
                    .map_err(|error| unreadable(&name, &error).at(Place::file(name.as_str())))
                {
                    Ok(pipe) => match Input::from_reader(&name, pipe, limits) {
                        Ok(text) => files.push(text),
                        Err(diagnostic) => out.push(diagnostic),
                    },
                    Err(diagnostic) => out.push(diagnostic),
                }
            }
            Input::Path(path) => match walk(path, recursive, limits) {
                Ok(found) => {
                    unread
                        .extend(found.foreign.iter().map(|(folder, _)| folder.display().to_string().into()));
                    out.extend(found.tell(path, recursive, limits));
                    files.extend(found.files.into_iter().map(Input::Path));
                }
                Err(diagnostic) => {
                    unread.push(path.display().to_string().into());
                    out.push(*diagnostic);
                }
            },
        }
        if files.len() > limits.files {
            let message = format!("there are more than {} files", limits.files);
            out.push(
                Diagnostic::error("too-many-files", message).help("name fewer files or a folder with fewer"),
            );
            files.truncate(limits.files);
            break;
        }
    }
    (files, unread)
}

/// Whether a file in a folder is read: what its name ends in says so.
#[must_use]
pub fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// The manifests of a folder, sorted; or the file itself. There may be none.
///
/// # Errors
/// When the folder is missing, cannot be read, or is one of kustomize's or helm's.
pub fn list(path: &Path, recursive: bool, limits: &Limits) -> Result<Vec<PathBuf>, Diagnostic> {
    let found = walk(path, recursive, limits).map_err(|error| *error)?;
    let told = found.told(path).next();
    told.map_or(Ok(found.files), Err)
}

/// SHA-256 of a file's bytes, in hexadecimal; `None` where it cannot be read.
#[must_use]
pub fn hash(path: &Path, limits: &Limits) -> Option<String> {
    let file = open(path, "", limits).ok()?;
    sha256_of(file.take(limits.file_bytes)).ok()
}

/// Whether nothing in a file is about the node that is read for, and something about others.
#[must_use]
pub fn is_elsewhere(path: &Path, options: &Options) -> bool {
    let Some(node) = &options.node else { return false };
    let file = File::open(path).and_then(|file| Ok(file.metadata()?.is_file().then_some(file)));
    file.is_ok_and(|file| file.is_some_and(|file| sieve::is_elsewhere(file, node).unwrap_or(false)))
}

/// The files that the inputs name, each with the hash of its content; `None` where that
/// is not known without more ado: of a pipe, or when something is wrong.
#[must_use]
pub fn hashes(inputs: &[Input], options: &Options) -> Option<Vec<(PathBuf, String)>> {
    if inputs.iter().any(|input| matches!(input, Input::Path(path) if is_pipe(path))) {
        return None;
    }
    let mut wrong = Vec::new();
    let (files, _) = gather(inputs, options.recursive, &options.limits, &mut wrong);
    if !wrong.is_empty() || files.is_empty() {
        return None;
    }
    let one = |nth: usize| match &files[nth] {
        Input::Path(path) => hash(path, &options.limits).map(|hash| (path.clone(), hash)),
        Input::Text { .. } => None,
    };
    crate::cores::on_all(files.len(), one).into_iter().collect()
}

/// What there is under a path.
#[derive(Default)]
struct Found {
    files: Vec<PathBuf>,
    /// Whether there are folders in it.
    folders: bool,
    /// Folders of other tools; nothing in them is a manifest.
    foreign: Vec<(PathBuf, Tool)>,
}

impl Found {
    /// What is to be told of folders of other tools: one finding for each tool.
    fn told<'f>(&'f self, root: &'f Path) -> impl Iterator<Item = Diagnostic> + 'f {
        Tool::ALL.into_iter().filter_map(move |tool| tool::tell(tool, root, &self.foreign))
    }

    /// What is wrong with a folder.
    fn tell(&self, path: &Path, recursive: bool, limits: &Limits) -> Vec<Diagnostic> {
        if !self.files.is_empty() || !self.foreign.is_empty() {
            return self.told(path).collect();
        }
        let shown = path.display().to_string();
        let message = format!("there is no manifest in the folder `{shown}`");
        let diagnostic = Diagnostic::error("empty-folder", message).at(Place::file(shown.as_str()));
        let deeper =
            || walk(path, true, limits).is_ok_and(|it| !it.files.is_empty() || !it.foreign.is_empty());
        let help = if self.folders && !recursive && deeper() {
            "there are folders in it: `-R` reads them too"
        } else {
            "manifests end in .yaml, .yml or .json"
        };
        vec![diagnostic.help(help)]
    }
}

/// The manifests under a path.
fn walk(path: &Path, recursive: bool, limits: &Limits) -> Result<Found, Box<Diagnostic>> {
    let shown = path.display().to_string();
    let failed = |error: &io::Error| Box::new(missing(&shown, error).at(Place::file(shown.as_str())));
    let meta = fs::metadata(path).map_err(|error| failed(&error))?;
    let mut found = Found::default();
    if !meta.is_dir() {
        found.files.push(path.to_owned());
        return Ok(found);
    }
    if let Some(foreign) = Tool::of_folder(path) {
        found.foreign.push(foreign);
        return Ok(found);
    }
    let depth = if recursive { usize::MAX } else { 1 };
    let walk = walkdir::WalkDir::new(path).min_depth(1).max_depth(depth).sort_by_file_name();
    let mut entries = walk.into_iter().filter_entry(|entry| !is_hidden(entry.file_name()));
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|error| {
            let at = error.path().map_or(shown.clone(), |path| path.display().to_string());
            let error = error.into_io_error().unwrap_or_else(|| io::Error::other("the folder changed"));
            Box::new(unreadable(&at, &error).at(Place::file(at.as_str())))
        })?;
        if entry.file_type().is_dir() {
            found.folders = true;
            if recursive && let Some(foreign) = Tool::of_folder(entry.path()) {
                found.foreign.push(foreign);
                entries.skip_current_dir();
            }
            continue;
        }
        if !is_manifest(entry.path()) {
            continue;
        }
        // What says which rules go with the manifests is no manifest.
        if entry.file_name() == "dsrules.yaml" {
            continue;
        }
        // A link is followed to a file; a link that leads nowhere is left for reading to report.
        if fs::metadata(entry.path()).map_or(true, |meta| meta.is_file()) {
            found.files.push(entry.into_path());
        }
        if found.files.len() > limits.files {
            break;
        }
    }
    Ok(found)
}

fn is_hidden(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}

/// A text that was read, and what it was read from.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) source: Source,
    pub(super) sha256: String,
    pub(super) bytes: u64,
    /// Whether there is nothing in it.
    pub(super) blank: bool,
    /// What was not read as it is written.
    pub(super) note: Option<Diagnostic>,
}

/// The name that a file is shown under.
pub(super) fn name_of(input: &Input) -> Arc<str> {
    match input {
        Input::Path(path) => path.display().to_string().into(),
        Input::Text { name, .. } => name.clone(),
    }
}

/// Reads one file and checks that it is text.
pub(super) fn load(input: &Input, options: &Options) -> Result<Loaded, Box<Diagnostic>> {
    let (name, limits) = (name_of(input), &options.limits);
    let placed = |diagnostic: Diagnostic| Box::new(diagnostic.at(Place::file(name.clone())));
    if let (Input::Path(path), Some(node)) = (input, &options.node) {
        return sifted(path, &name, node, limits).map_err(placed)?;
    }
    let bytes = match input {
        Input::Path(path) => read_file(path, &name, limits).map_err(placed)?,
        Input::Text { bytes, .. } => bytes.to_vec(),
    };
    let sha256 = sha256(&bytes);
    let count = bytes.len() as u64;
    let (text, note) = decode(bytes, &name)?;
    let format = if text.trim_start().starts_with('{') { Format::Json } else { Format::Yaml };
    if format == Format::Yaml && count > limits.yaml_bytes {
        return Err(Box::new(too_large(&name, limits.yaml_bytes, false).at(Place::file(name))));
    }
    let blank = text.trim().is_empty();
    Ok(Loaded { source: Source::new(name, text, format), sha256, bytes: count, blank, note })
}

/// Reads of one file what may be about a node, and checks that that is text.
fn sifted(
    path: &Path,
    name: &Arc<str>,
    node: &str,
    limits: &Limits,
) -> Result<Result<Loaded, Box<Diagnostic>>, Diagnostic> {
    let file = open(path, name, &Limits { file_bytes: u64::MAX, ..limits.clone() })?;
    let sieved = sieve::sieve(&file, node, limits.yaml_bytes).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => too_large(name, limits.yaml_bytes, true),
        _ => unreadable(name, &error),
    })?;
    is_whole(&file, name, sieved.bytes)?;
    let blank = sieved.kept.is_blank() && sieved.kept.passed == 0;
    let lines = sieved.kept.lines;
    Ok(decode(sieved.kept.bytes, name).map(|(text, note)| {
        let format = if text.trim_start().starts_with('{') { Format::Json } else { Format::Yaml };
        let source = Source::new(name.clone(), text, format).moved(lines);
        Loaded { source, sha256: sieved.sha256, bytes: sieved.bytes, blank, note }
    }))
}

fn read_file(path: &Path, name: &str, limits: &Limits) -> Result<Vec<u8>, Diagnostic> {
    let file = open(path, name, limits)?;
    let length = file.metadata().map_err(|error| unreadable(name, &error))?.len();
    let expected = usize::try_from(length).unwrap_or(0).saturating_add(1);
    let bytes = read_bounded(&file, name, expected, limits)?;
    is_whole(&file, name, bytes.len() as u64)?;
    Ok(bytes)
}

/// Opens a file that is no device and not too large.
fn open(path: &Path, name: &str, limits: &Limits) -> Result<File, Diagnostic> {
    let failed = |error: &io::Error| {
        if error.kind() == io::ErrorKind::NotFound { missing(name, error) } else { unreadable(name, error) }
    };
    let found = fs::metadata(path).map_err(|error| failed(&error))?;
    if is_device(&found) {
        let message = format!("`{name}` is a device, not a file");
        return Err(Diagnostic::error("unreadable", message).help("`-` reads from standard input"));
    }
    if found.is_file() && found.len() > limits.file_bytes {
        return Err(too_large(name, limits.file_bytes, true));
    }
    File::open(path).map_err(|error| failed(&error))
}

/// Refuses a file that has not as many bytes as were read of it.
fn is_whole(file: &File, name: &str, read: u64) -> Result<(), Diagnostic> {
    let after = file.metadata().map_err(|error| unreadable(name, &error))?;
    if after.is_file() && after.len() != read {
        let message = format!("`{name}` changed while it was read");
        return Err(
            Diagnostic::error("changed-while-read", message).help("run again when it is written to its end")
        );
    }
    Ok(())
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

#[cfg(unix)]
fn is_device(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    meta.file_type().is_char_device() || meta.file_type().is_block_device()
}

#[cfg(not(unix))]
fn is_device(_: &fs::Metadata) -> bool {
    false
}

fn missing(name: &str, error: &io::Error) -> Diagnostic {
    if error.kind() != io::ErrorKind::NotFound {
        return unreadable(name, error);
    }
    let diagnostic = Diagnostic::error("no-such-file", format!("there is no file or folder `{name}`"));
    if name.starts_with("http://") || name.starts_with("https://") {
        return diagnostic.help(format!("nothing is fetched from the network: `curl {name} | dsrules … -`"));
    }
    diagnostic
}

fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    let said = match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    Diagnostic::error("unreadable", format!("`{name}` cannot be read: {said}"))
}

fn too_large(name: &str, limit: u64, json: bool) -> Diagnostic {
    let help = if json {
        "split it into several files"
    } else {
        "convert it to JSON, which is read ten times faster and may be larger, or split it"
    };
    Diagnostic::error("file-too-large", format!("`{name}` has more than the {limit} bytes that are allowed"))
        .help(help)
}

/// Bytes as text, as kubectl takes them: UTF-8, or UTF-16 after its byte order mark; what
/// is neither becomes U+FFFD, which is told.
fn decode(mut bytes: Vec<u8>, name: &Arc<str>) -> Result<(String, Option<Diagnostic>), Box<Diagnostic>> {
    if let Some((what, help)) = other_form(&bytes) {
        let help = help.replace("FILE", name);
        let message = format!("`{name}` is {what}, manifests are UTF-8");
        return Err(Box::new(
            Diagnostic::error("not-utf8", message).help(help).at(Place::file(name.clone())),
        ));
    }
    let wide = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xfe, 0xff, rest @ ..] => Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => None,
    };
    if let Some((rest, unit)) = wide {
        // A byte too many is half a character.
        let units = rest.chunks(2).map(|pair| pair.try_into().map_or(0xd800, unit));
        let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        return Ok((text, None));
    }
    if bytes.starts_with(&[0xef, 0xbb, 0xbf]) {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map(|text| (text, None)).or_else(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or(0);
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let place = Place::of_span(name.clone(), &text, at, at + char::REPLACEMENT_CHARACTER.len_utf8());
        let message = format!("`{name}` is no UTF-8: the byte 0x{byte:02x} belongs to no character");
        let diagnostic = Diagnostic::warning("not-utf8", message)
            .labelled("read as U+FFFD, as kubectl does")
            .help("save it as UTF-8")
            .at(place);
        Ok((text, Some(diagnostic)))
    })
}

/// What bytes are that are no UTF-8, where their start says so; and what to do.
fn other_form(bytes: &[u8]) -> Option<(&'static str, String)> {
    let text = |what| Some((what, "save it as UTF-8".to_owned()));
    let packed = |what, tool| Some((what, format!("unpack it first: `{tool} FILE | dsrules … -`")));
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => text("UTF-32"),
        // A letter and a NUL, or the other way round, twice, and no mark that says which.
        [1..=0x7f, 0, 1..=0x7f, 0, ..] | [0, 1..=0x7f, 0, 1..=0x7f, ..] => {
            text("UTF-16 without a byte order mark")
        }
        [0x1f, 0x8b, ..] => packed("compressed with gzip", "gunzip -c"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => packed("compressed with zstd", "zstd -dc"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => packed("compressed with xz", "xz -dc"),
        [b'P', b'K', 3, 4, ..] => packed("a zip archive", "unzip -p"),
        _ => None,
    }
}

/// Whether the first thing in it is a `{`, whatever it is called: then it is JSON. These
/// may be only the first bytes.
fn starts_as_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    bytes.trim_ascii_start().first() == Some(&b'{')
}
