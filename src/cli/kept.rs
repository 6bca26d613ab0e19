//! `plan --out FILE` and `apply FILE`: a plan in a file, for later.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use dsrules::app::kept::{self, Ground, Kept, Shown};
use dsrules::app::{Export, Outcome, Request};
use dsrules::diagnostic::{Diagnostic, Place};
use dsrules::report::{self, Detail, Look, Paint};

use super::context::Context;
use super::exit::{Exit, Failure};
use super::interrupt;
use super::options::output::PlanFormat;
use super::progress::Progress;
use super::show;

/// A file that a plan is to be kept in, and what it will rest on.
pub struct Out {
    path: PathBuf,
    ground: Ground,
    only_shown: Option<String>,
}

impl Out {
    /// Looks at what the plan will rest on, before it is made. `only_shown` says why it cannot be
    /// carried out.
    pub fn begin(path: &Path, request: &Request, only_shown: Option<String>) -> Result<Out, Diagnostic> {
        if request.keep_going {
            return Err(Diagnostic::error(
                "plan-unwritable",
                "`--out` and `--keep-going` do not go together",
            )
            .help("a plan that is kept has no errors in it: mend them first"));
        }
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let inside = request.manifests.has_folder(folder);
        if inside && dsrules::manifest::is_manifest(path) {
            let what = format!("`{}` would be among the manifests that it plans", path.display());
            return Err(Diagnostic::error("plan-unwritable", what)
                .help("write it elsewhere, as `--out ../plan.json`"));
        }
        Ok(Out { path: path.to_owned(), ground: kept::ground(request)?, only_shown })
    }

    /// Writes the plan, whole or not at all, for its owner alone: it may have come through a pipe
    /// with all that stood there.
    pub fn write(self, request: &Request, outcome: &Outcome, context: &Context) -> Result<(), Failure> {
        let kept = kept::keep(request, self.ground, outcome, shown(outcome)?, self.only_shown)?;
        let text = kept::write(&kept)?;
        let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let written = interrupt::whole(|| {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map(drop).map_err(|error| error.error)
        });
        let shown = self.path.display();
        written.map_err(|error| {
            let told = Diagnostic::error("plan-unwritten", format!("the plan cannot be kept in `{shown}`"));
            told.at(Place::file(shown.to_string())).because(error.to_string())
        })?;
        let apply = match &kept.only_shown {
            Some(_) => String::new(),
            None => format!(", `dsrules apply {shown}` carries it out"),
        };
        context.note(&format!("note: kept: `dsrules show {shown}` shows it again{apply}"));
        Ok(())
    }
}

/// How a plan looks, without colour and as wide as it is.
fn shown(outcome: &Outcome) -> Result<Shown, Failure> {
    let tree = outcome.tree.as_ref().ok().and_then(Option::as_ref);
    let text = |detail| -> Result<String, Failure> {
        let look = Look { detail, paint: Paint(false), done: false };
        let mut text = Vec::new();
        report::applied(&outcome.plan.objects, &outcome.plan.unlisted, look, &mut text)?;
        report::plan_text(&outcome.plan, look, &mut text)?;
        report::statuses(&outcome.plan.statuses, &mut text)?;
        if let Some(tree) = tree {
            report::tree_text(&tree.folder, &tree.report, look, &mut text)?;
        }
        for judged in &outcome.judged {
            let told = judged.findings.iter().map(|it| format!("{}: {}", judged.code, it.sentence));
            told.for_each(|line| text.extend(format!("\n{line}\n").into_bytes()));
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    let document = report::plan_document(&outcome.plan, &outcome.judged, &outcome.said, show::files(tree));
    let document = serde_json::to_value(document).map_err(std::io::Error::from)?;
    Ok(Shown { text: text(Detail::Short)?, wide: text(Detail::Wide)?, document })
}

/// Carries out a plan that was kept.
pub fn apply(
    path: &Path,
    exports: Vec<Export>,
    output: Option<PlanFormat>,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let kept: Kept = kept::read(path)?;
    let progress = Progress::begin(context.quiet);
    let database = context.database_or(|| kept.database());
    if std::path::absolute(&database.path).ok() != std::path::absolute(kept.database()).ok() {
        let (other, its) = (database.path.display().to_string(), kept.database().display().to_string());
        let what = format!("the plan was made over the store `{its}`, and not over `{other}`");
        return Err(Diagnostic::error("other-store", what)
            .help("leave `--db` away, or plan over that store")
            .into());
    }
    let outcome = kept::apply(&kept, database, exports, context.seconds(), context);
    drop(progress);
    let outcome = outcome.map_err(|errors| show::failed(errors, output, context))?;
    show::applied(outcome, output, context)
}
