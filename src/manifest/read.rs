//! Files -> checked objects, on all cores.
//!
//! Small files are shared out between threads as they come; a large one is cut into
//! documents or items, and those are shared out. What comes back is in the order of
//! the files, so the same input always gives the same result.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::check;
use super::documents::{self, Chunk};
use super::input::{self, Input, Loaded};
use super::json;
use super::limits::{Exceeded, Limits, Spent};
use super::locate::{self, Wanted};
use super::object::{self, At, Found, Harvest};
use super::options::Options;
use super::problem::{Problem, Spot};
use super::reading::ReadFile;
use super::schema::{Finding, QUOTE};
use super::sieve;
use super::source::{Format, Mark, Source};
use super::{told, update, yaml};
use crate::cores;
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::kube::{Kind, Name, Object, ObjectKey, Origin};
use crate::validate::path::FieldPath;
use crate::validate::path::Part;

/// What came of one file.
pub(super) struct Outcome {
    pub(super) file: ReadFile,
    /// Each with where it starts.
    pub(super) objects: Vec<(Object, Spot)>,
    pub(super) others: BTreeMap<String, usize>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Texts from here on are cut into parts for several threads.
const LARGE: usize = 1 << 20;

/// Reads a file, unless what stands in it is known from its hash.
pub(super) fn unless<T>(
    input: &Input,
    options: &Options,
    known: impl FnOnce(&str) -> Option<T>,
    anew: impl FnOnce(Outcome) -> T,
) -> T {
    match input::load(input, options) {
        Ok(loaded) => known(&loaded.sha256).unwrap_or_else(|| anew(from_text(loaded, options))),
        Err(diagnostic) => anew(Outcome {
            file: ReadFile {
                path: input::name_of(input),
                sha256: String::new(),
                bytes: 0,
                objects: Vec::new(),
                complete: false,
                blank: false,
                silent: false,
            },
            objects: Vec::new(),
            others: BTreeMap::new(),
            diagnostics: vec![*diagnostic],
        }),
    }
}

fn from_text(loaded: Loaded, options: &Options) -> Outcome {
    let source = loaded.source;
    let mut harvest = harvest(&source, options);
    if let Some(node) = &options.node {
        harvest.found.retain(|found| sieve::concerns(node, found.kind, &found.key, &found.value));
    }
    let file = ReadFile {
        path: source.name.clone(),
        sha256: loaded.sha256,
        bytes: loaded.bytes,
        objects: Vec::new(),
        complete: true,
        blank: loaded.blank,
        silent: false,
    };
    let mut outcome = finish(file, &source, harvest, options);
    outcome.diagnostics.extend(loaded.note);
    outcome.file.silent = outcome.file.complete
        && outcome.diagnostics.is_empty()
        && outcome.others.is_empty()
        && !outcome.objects.is_empty()
        && outcome.objects.iter().all(|(object, _)| update::is_steady(object));
    outcome
}

/// A part of a text that is parsed on its own.
enum Piece {
    /// Between two `---` lines.
    Yaml(Chunk),
    /// One JSON value.
    Json(Range<usize>),
    /// Some items of a JSON list; `list` is the kind and version that they have when
    /// they do not say so.
    Items { items: Vec<Range<usize>>, first: usize, list: Option<(String, String)> },
}

/// How many items of a list are one piece of work.
const ITEMS: usize = 256;

/// So many pieces are parsed before what is wrong in them is put together: what is not
/// shown is not kept.
const BATCH: usize = 1024;

fn harvest(source: &Source, options: &Options) -> Harvest {
    let limits = &options.limits;
    let mut harvest = Harvest::default();
    let pieces = cut(source, options, &mut harvest);
    let large = source.text.len() >= LARGE;
    let spent = Spent::new(source.text.len(), limits);
    for batch in pieces.chunks(BATCH) {
        let parse = |nth: usize| parse(source, &batch[nth], options, &spent);
        let parts = if large { cores::on_all(batch.len(), parse) } else { cores::on_one(batch.len(), parse) };
        for part in parts {
            harvest.add(part, limits.diagnostics);
        }
        let problem = match spent.too_much(limits) {
            None => continue,
            Some(Exceeded::Documents) => too_many_documents(limits),
            Some(Exceeded::Aliases(most)) => Problem::new(
                "alias-expansion",
                format!("the aliases of all documents expand to more than {most} bytes"),
            )
            .help("write the values out where they are needed, or use fewer aliases"),
        };
        return Harvest { problems: vec![problem], ..Harvest::default() };
    }
    harvest
}

fn too_many_documents(limits: &Limits) -> Problem {
    let message = format!("there are more than {} documents", limits.documents);
    Problem::new("too-many-documents", message).help("split the file")
}

/// Cuts a text into pieces, each with the number of its document.
fn cut(source: &Source, options: &Options, out: &mut Harvest) -> Vec<(u32, Piece)> {
    let mut pieces = Vec::new();
    let mut count = 0;
    match source.format {
        Format::Yaml if documents::has_more(&source.text, options.limits.documents) => {
            count = u32::MAX;
        }
        Format::Yaml => {
            for chunk in documents::split(&source.text, options.limits.documents + 1) {
                pieces.push((count, Piece::Yaml(chunk)));
                count += 1;
            }
        }
        Format::Json => {
            for outline in json::split(&source.text, options.limits.documents + 1) {
                match outline.items {
                    None => pieces.push((count, Piece::Json(outline.range))),
                    Some((list, items)) => match skeleton(source, outline.range, list, options, out) {
                        Err(problem) => out.problems.push(*problem),
                        Ok(list) => {
                            for (nth, items) in items.chunks(ITEMS).enumerate() {
                                let piece = Piece::Items {
                                    items: items.to_vec(),
                                    first: nth * ITEMS,
                                    list: list.clone(),
                                };
                                pieces.push((count, piece));
                            }
                        }
                    },
                }
                count += 1;
            }
        }
    }
    if count as usize > options.limits.documents {
        out.problems.push(too_many_documents(&options.limits));
        pieces.clear();
    }
    pieces
}

/// Parses a list without its items, so that what stands around them is checked too.
fn skeleton(
    source: &Source,
    range: Range<usize>,
    list: Range<usize>,
    options: &Options,
    out: &mut Harvest,
) -> Result<Option<(String, String)>, Box<Problem>> {
    const LONGEST: usize = 64 << 10;
    let (before, after) = (range.start..list.start, list.end..range.end);
    if before.len() + after.len() > LONGEST {
        let message = "what stands around the `items` of this list is too long";
        return Err(Box::new(
            Problem::new("json-syntax", message).at(Spot::Bytes(range.start, range.start + 1)),
        ));
    }
    // Blanks instead of the items keep the lines; offsets are mended by parsing in place.
    let text = format!("{}[]{}", &source.text[before], &source.text[after.clone()]);
    match json::parse_text(&text, range.start, &options.limits) {
        Ok(parsed) => {
            let sound =
                told::noted(parsed.note.into_iter().collect(), (0, false), &parsed.value, options, out);
            Ok(sound.then(|| object::implied(&parsed.value)).flatten())
        }
        Err(mut problem) => {
            if let Some(Spot::Bytes(start, end)) = problem.spot
                && start >= list.start + 2
            {
                let moved = list.len() - 2;
                problem.spot = Some(Spot::Bytes(start + moved, end + moved));
            }
            Err(problem)
        }
    }
}

fn parse(source: &Source, (document, piece): &(u32, Piece), options: &Options, spent: &Spent) -> Harvest {
    let mut out = Harvest::default();
    if spent.too_much(&options.limits).is_some() {
        return out;
    }
    let at =
        |start: Spot, path: FieldPath| At { document: *document, start, inside: FieldPath::default(), path };
    match piece {
        Piece::Yaml(chunk) => {
            let text = &source.text[chunk.range.clone()];
            if chunk.is_separator {
                out.problems.push(separator(chunk));
                return out;
            }
            let parsed = yaml::parse(text, chunk.lines_before, &options.limits, spent);
            if let Some(problem) = parsed.broken {
                told::broken(problem, told::named_in_yaml(text), &mut out);
                return out;
            }
            let Some(document) = parsed.document else { return out };
            let hidden = (parsed.hidden, parsed.hides_errors);
            if told::noted(parsed.notes, hidden, &document.value, options, &mut out) {
                let items: Vec<Spot> = document.items.into_iter().map(Spot::Mark).collect();
                let at = at(Spot::Mark(document.start), FieldPath::default());
                object::take(document.value, at, &items, None, options, &mut out);
            }
        }
        Piece::Json(range) => match json::parse(source, range.clone(), &options.limits) {
            Ok(parsed) => {
                let at = at(Spot::Bytes(range.start, range.start + 1), FieldPath::default());
                let note = parsed.note.into_iter().collect();
                if told::noted(note, (0, false), &parsed.value, options, &mut out) {
                    object::take(parsed.value, at, &[], None, options, &mut out);
                }
            }
            Err(problem) => {
                told::broken(*problem, told::named_in_json(&source.text[range.clone()]), &mut out);
            }
        },
        Piece::Items { items, first, list } => {
            let implied = list.as_ref().map(|(kind, version)| (kind.as_str(), version.as_str()));
            for (nth, range) in items.iter().enumerate() {
                let path = FieldPath::default().field("items").index(first + nth);
                match json::parse(source, range.clone(), &options.limits) {
                    Ok(parsed) => {
                        let at = at(Spot::Bytes(range.start, range.start + 1), path);
                        let note = parsed.note.into_iter().collect();
                        if told::noted(note, (0, false), &parsed.value, options, &mut out) {
                            object::take(parsed.value, at, &[], implied, options, &mut out);
                        }
                    }
                    Err(problem) => {
                        told::broken(*problem, told::named_in_json(&source.text[range.clone()]), &mut out);
                    }
                }
            }
        }
    }
    check::all(&mut out, options);
    out
}

fn separator(chunk: &Chunk) -> Problem {
    let spot = Mark { line: chunk.lines_before + 1, column: 1, width: 3 };
    Problem::new("yaml-syntax", "after `---` nothing but a comment may stand on the line")
        .because("kubectl cuts a stream at every line that starts with `---`, also inside a string")
        .help("put what follows on a line of its own, or indent it if it belongs to a string")
        .at(Spot::Mark(spot))
}

/// Gives everything that is wrong its place.
fn finish(mut file: ReadFile, source: &Source, harvest: Harvest, options: &Options) -> Outcome {
    let limit = options.limits.diagnostics;
    let total = harvest.problems.len() + harvest.findings.len() + harvest.hidden;
    let mut findings = harvest.findings;
    let mut problems = harvest.problems;
    let is_error = |problem: &Problem| problem.severity == Severity::Error;
    file.complete = !harvest.hides_errors
        && !problems.iter().chain(findings.iter().map(|(_, finding)| &finding.problem)).any(is_error);
    problems.truncate(limit);
    findings.truncate(limit - problems.len());
    let spots = locate_all(source, &findings);
    for ((at, finding), spot) in findings.into_iter().zip(spots) {
        problems.push(in_place(source, finding, spot.unwrap_or(at.start)));
    }
    let mut diagnostics: Vec<Diagnostic> =
        problems.into_iter().map(|problem| problem.into_diagnostic(source)).collect();
    Diagnostic::sort(&mut diagnostics);
    diagnostics.dedup();
    let shown = diagnostics.len();
    if total > limit {
        let message = format!("{} more problems of this file are not shown", total - shown.min(limit));
        diagnostics.push(Diagnostic::note("not-shown", message).at(Place::file(source.name.clone())));
    }
    let name: Name = source.name.clone();
    let object = |found: Found| {
        let origin =
            Origin { file: name.clone(), document: found.at.document, path: found.at.path.to_string() };
        Object { kind: found.kind, key: found.key, value: found.value, origin }
    };
    let starts: Vec<Spot> = harvest.found.iter().map(|found| found.at.start).collect();
    let objects = harvest.found.into_iter().map(object).zip(starts).collect();
    Outcome { file, objects, others: harvest.others, diagnostics }
}

/// The places of all fields in which something is wrong, in one pass over the pieces
/// of the text that have them.
fn locate_all(source: &Source, findings: &[(At, Finding)]) -> Vec<Option<Spot>> {
    let whole = |at: &At, finding: &Finding| {
        let mut path = at.inside.clone();
        path.0.extend(finding.path.0.iter().cloned());
        path
    };
    let mut spots = vec![None; findings.len()];
    let mut by_document: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut by_start: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (nth, (at, _)) in findings.iter().enumerate() {
        match at.start {
            Spot::Bytes(start, _) => by_start.entry(start).or_default().push(nth),
            Spot::Mark(_) => by_document.entry(at.document).or_default().push(nth),
        }
    }
    for (start, wanted) in by_start {
        let paths: Vec<FieldPath> =
            wanted.iter().map(|&nth| whole(&findings[nth].0, &findings[nth].1)).collect();
        let parts = wanted.iter().map(|&nth| findings[nth].1.part);
        let fields: Vec<(&FieldPath, Part)> = paths.iter().zip(parts).collect();
        for (nth, spot) in wanted.into_iter().zip(locate::in_json(&source.text, start, &fields)) {
            spots[nth] = Some(spot);
        }
    }
    if by_document.is_empty() {
        return spots;
    }
    let chunks = documents::split(&source.text, usize::MAX);
    for (document, wanted) in by_document {
        let Some(chunk) = chunks.get(document as usize) else { continue };
        let fields: Vec<Wanted> = wanted
            .iter()
            .map(|&nth| {
                let (at, finding) = &findings[nth];
                Wanted { start: at.start.mark(source), path: whole(at, finding), part: finding.part }
            })
            .collect();
        let found = locate::in_yaml(&source.text[chunk.range.clone()], chunk.lines_before, &fields);
        for (nth, spot) in wanted.into_iter().zip(found) {
            spots[nth] = spot;
        }
    }
    spots
}

/// Puts a finding at its place; now it is known what has to be quoted.
fn in_place(source: &Source, finding: Finding, spot: Spot) -> Problem {
    let mut problem = finding.problem.at(spot);
    if problem.help.as_deref() == Some(QUOTE) {
        let place = source.place(spot.mark(source));
        let skip = (place.column.saturating_sub(place.cut) as usize).saturating_sub(1);
        let written: String = place.text.chars().skip(skip).take(place.width as usize).collect();
        problem.help = Some(match written.strip_prefix('!') {
            Some(_) => "put it into quotes and remove the tag, which makes it something else".to_owned(),
            None => format!("quote it: \"{written}\""),
        });
        if finding.part == Part::Value
            && matches!(
                written.as_str(),
                "on" | "off"
                    | "yes"
                    | "no"
                    | "y"
                    | "n"
                    | "On"
                    | "Off"
                    | "Yes"
                    | "No"
                    | "Y"
                    | "N"
                    | "ON"
                    | "OFF"
                    | "YES"
                    | "NO"
            )
        {
            problem.note =
                Some(format!("Kubernetes reads YAML 1.1, in which a bare `{written}` is a boolean"));
        }
    }
    problem
}

/// The places of fields of objects in a file that was read before: of each object its
/// kind and key, and the way to the field. What is not there has no place.
pub(super) fn find(
    input: &Input,
    sha256: Option<&str>,
    wanted: &[(Kind, ObjectKey, FieldPath)],
    options: &Options,
) -> Vec<Option<Place>> {
    let loaded = input::load(input, options).ok();
    let loaded = loaded.filter(|loaded| sha256.is_none_or(|known| known == loaded.sha256));
    let Some(loaded) = loaded else { return vec![None; wanted.len()] };
    let source = loaded.source;
    let harvest = harvest(&source, options);
    let mut places = vec![None; wanted.len()];
    let mut fields = Vec::new();
    // Of an object that stands there twice the first one counts.
    let there: HashMap<(Kind, &ObjectKey), &Found> =
        harvest.found.iter().rev().map(|found| ((found.kind, &found.key), found)).collect();
    for (nth, (kind, key, path)) in wanted.iter().enumerate() {
        if let Some(found) = there.get(&(*kind, key)) {
            let problem = Problem::new("place", "");
            let finding = Finding { problem, path: path.clone(), part: Part::Value };
            fields.push((nth, (found.at.clone(), finding)));
        }
    }
    let (numbers, findings): (Vec<usize>, Vec<_>) = fields.into_iter().unzip();
    for (nth, spot) in numbers.into_iter().zip(locate_all(&source, &findings)) {
        places[nth] = spot.map(|spot| source.place(spot.mark(&source)));
    }
    places
}

/// The places of spots in a file, which is read once more: only two definitions of one
/// object need them, and texts are not kept.
pub(super) fn places_again(input: &Input, spots: &[Spot], options: &Options) -> Vec<Place> {
    let Ok(loaded) = input::load(input, options) else {
        return vec![Place::file(input::name_of(input)); spots.len()];
    };
    let place = |spot: &Spot| {
        let mut place = loaded.source.place(spot.mark(&loaded.source));
        let from = (place.column.saturating_sub(place.cut) as usize).saturating_sub(1);
        let word = place.text.chars().skip(from).take_while(|c| c.is_ascii_alphanumeric()).count();
        place.width = place.width.max(u32::try_from(word).unwrap_or(1));
        place
    };
    spots.iter().map(place).collect()
}
