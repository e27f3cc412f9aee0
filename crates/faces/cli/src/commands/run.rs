//! `kobel run`: the statements of a script in their order, each job to its end before the next statement.
//!
//! ```text
//! settings of the command line -> script -> all statements parsed -> where to start
//!   -> for each statement: bind it, then print its answer or run its job
//! ```
//! Rows go to standard output, everything else to standard error.

mod job;
mod lineage;
mod resume;
mod script;
mod service;
mod settings;

use std::path::Path;
use std::sync::Arc;

use kobel_connectors::StandardConnectors;
use kobel_model::settings::options::RECOVERY_PATH;
use kobel_model::settings::{Notice, Settings, entry};
use kobel_model::{Error, Result};
use kobel_runtime::job::JobEnd;
use kobel_sql::ast::{Statement, StatementKind};
use kobel_sql::catalog::Connectors;
use kobel_sql::error::SqlError;
use kobel_sql::plan::JobPlan;
use kobel_sql::session::{Outcome, Session};
use kobel_storage::location::local_path;

use self::job::{Checkpoints, JobRunner, Start, checkpoint_directory};
use self::lineage::Lineage;
use self::resume::{GoOn, PlannedJob, Resume, from_last, from_snapshot, goes_on, newest};
use self::script::Script;
use self::service::Service;
use self::settings::{Overrides, check};
use crate::args::{Role, RunArguments};
use crate::exit::Exit;
use crate::interrupts::Interrupts;
use crate::terminal::table::whole_table;
use crate::terminal::{Terminal, Verbosity};

/// Runs a script and reports what goes wrong.
pub(crate) fn run(arguments: &RunArguments) -> Exit {
    let verbosity = if arguments.quiet { Verbosity::Quiet } else { Verbosity::Normal };
    let terminal = Arc::new(Terminal::new(verbosity));
    let mut checkpoints = None;
    match run_script(arguments, &terminal, &mut checkpoints) {
        Ok(exit) => exit,
        Err(error) => report(&error, &terminal, checkpoints.as_ref().filter(|_| arguments.role == Role::Person)),
    }
}

/// Tells why a run failed, and how to go on.
fn report(error: &Error, terminal: &Terminal, checkpoints: Option<&Checkpoints>) -> Exit {
    if terminal.is_stdout_closed() {
        // Whoever read the rows has seen enough.
        return Exit::Done;
    }
    terminal.error(error);
    if checkpoints.is_some_and(Checkpoints::has_whole) {
        tell_resume(terminal, GoOn::Recover);
    }
    Exit::Failed(error.kind())
}

fn run_script(
    arguments: &RunArguments,
    terminal: &Arc<Terminal>,
    checkpoints: &mut Option<Checkpoints>,
) -> Result<Exit> {
    let overrides = Overrides::new(arguments);
    let mut settings = Settings::new();
    let notices = overrides.apply(&mut settings)?;
    check(&settings)?;
    tell(terminal, &notices);
    let script = Script::read(arguments)?;
    let statements = script.statements()?;
    let connectors: Arc<dyn Connectors> = Arc::new(StandardConnectors::new(streams(terminal)));
    let runner = JobRunner {
        terminal: Arc::clone(terminal),
        interrupts: Interrupts::new(Arc::clone(terminal), arguments.role),
        connectors: Arc::clone(&connectors),
        stem: script.stem.clone(),
    };
    let program = Program { script, statements, overrides, settings, connectors };
    if arguments.role == Role::Application {
        program.check_application()?;
    }
    if let Some(snapshot) = &arguments.check {
        program.check_start(&runner, snapshot.as_deref())?;
        return Ok(Exit::Done);
    }
    let (resume, lineage) = program.start(arguments, terminal)?;
    let session = program.session();
    ScriptRun { program, runner, session, resume, lineage, checkpoints, service: None, role: arguments.role }.run()
}

/// The streams of the connector `print`: rows share the screen with the progress.
fn streams(terminal: &Arc<Terminal>) -> kobel_connectors::Terminal {
    let (out, err) = (Arc::clone(terminal), Arc::clone(terminal));
    kobel_connectors::Terminal {
        stdout: Arc::new(move |lines: &str| out.rows(lines)),
        stderr: Arc::new(move |lines: &str| err.rows_on_stderr(lines)),
    }
}

fn tell(terminal: &Terminal, notices: &[Notice]) {
    notices.iter().for_each(|notice| terminal.note(&notice.to_string()));
}

fn tell_resume(terminal: &Terminal, how: GoOn<'_>) {
    terminal.say(&format!("Resume with:\n  {}", resume::command(std::env::args_os(), how)));
}

/// A script with what it is executed with.
struct Program {
    script: Script,
    statements: Vec<Statement>,
    overrides: Overrides,
    /// Those of the command line.
    settings: Settings,
    connectors: Arc<dyn Connectors>,
}

impl Program {
    /// A session in which no statement has been executed.
    fn session(&self) -> Session {
        Session::new(Arc::clone(&self.connectors), self.settings.clone())
    }

    /// Binds one statement; nothing runs.
    fn execute(&self, session: &mut Session, ordinal: usize, statement: &Statement) -> Result<Outcome> {
        let outcome = session.execute(statement, &self.script.text, ordinal);
        let outcome = outcome.map_err(|error| self.script.error(&error))?;
        if matches!(statement.kind, StatementKind::Set(Some(_)) | StatementKind::Reset(_)) {
            // The command line wins; what a person should know of its settings was told at the start.
            self.overrides.apply(session.settings_mut())?;
            check(session.settings()).map_err(|error| {
                let hint = error.hint().map(str::to_owned);
                let message = error.to_string();
                self.script.error(&SqlError { kind: error.kind(), message, span: statement.span, hint })
            })?;
        }
        Ok(outcome)
    }

    /// Where to start, and the jobs that count as this run's.
    fn start(&self, arguments: &RunArguments, terminal: &Terminal) -> Result<(Option<Resume>, Lineage)> {
        let mut lineage = Lineage::fresh(&self.script.stem);
        if let Some(directory) = &arguments.from_savepoint {
            let directory = match directory.to_str() {
                Some(text) => local_path("--from-savepoint", text)?,
                None => directory.clone(),
            };
            return Ok((Some(from_snapshot(&directory, &self.jobs()?)?), lineage));
        }
        if arguments.recover {
            let jobs = self.jobs()?;
            let last = Lineage::last(&self.script.stem, jobs.iter().map(|job| &job.checkpoints));
            if let Some(resume) = from_last(&jobs, &last, terminal)? {
                let (statement, directory) = (resume.statement + 1, resume.directory.display());
                terminal.note(&format!("recovering statement {statement} from `{directory}`"));
                return Ok((Some(resume), last));
            }
            terminal.note("the last run left no snapshot; starting from the beginning");
            // Its jobs begin again under their ids, so that what they left behind is removed.
            lineage = last;
        }
        if goes_on(&self.settings) || self.names_snapshot() {
            let jobs = self.jobs()?;
            let newest = jobs.first().map(|job| newest(&self.settings, job, terminal)).transpose()?.flatten();
            let named = || jobs.iter().find_map(|job| job.recovery_path.clone());
            if let Some(directory) = newest.or_else(named) {
                return Ok((Some(from_snapshot(&directory, &jobs)?), lineage));
            }
        }
        Ok((None, lineage))
    }

    /// Refuses what is no application: who manages one manages one job.
    fn check_application(&self) -> Result<()> {
        let jobs = self.jobs()?;
        match jobs.len() {
            1 => Ok(()),
            0 => Err(self.script.idle()),
            count => {
                Err(Error::unsupported(format!("`{}` has {count} jobs, and an application has one", self.script.name))
                    .with_hint("put its statements into `EXECUTE STATEMENT SET BEGIN … END`"))
            }
        }
    }

    /// Makes sure that the jobs of the script can be made, and go on from a snapshot if one is named.
    fn check_start(&self, runner: &JobRunner, snapshot: Option<&Path>) -> Result<()> {
        let resume = match snapshot {
            Some(path) => Some(from_snapshot(&local_path("--check", &path.to_string_lossy())?, &self.jobs()?)?),
            None => None,
        };
        let mut session = self.session();
        for (ordinal, statement) in self.statements.iter().enumerate() {
            let outcome = self.execute(&mut session, ordinal, statement)?;
            if let Outcome::Job(plan) = outcome {
                let resumed = resume.as_ref().filter(|resume| resume.statement == plan.statement);
                let restore = resumed.map(|resume| resume.restore(session.settings()));
                let checked = runner.check(plan, Start { settings: session.settings(), restore, service: None });
                checked.map_err(|error| self.script.placed(error))?;
            }
        }
        Ok(())
    }

    /// Whether no statement moves rows or answers anything: such a script does nothing that anybody could see.
    fn is_idle(&self) -> bool {
        self.statements.iter().all(|statement| {
            matches!(
                statement.kind,
                StatementKind::Set(Some(_))
                    | StatementKind::Reset(_)
                    | StatementKind::CreateTable(_)
                    | StatementKind::CreateView(_)
                    | StatementKind::Drop(_)
            )
        })
    }

    /// Whether a setting may name a snapshot to start from.
    fn names_snapshot(&self) -> bool {
        let is_path = |key: &str| entry(key).is_some_and(|entry| entry.key == RECOVERY_PATH.key());
        let names = |statement: &Statement| match &statement.kind {
            StatementKind::Set(Some(assignment)) => is_path(assignment.key.name.trim()),
            _ => false,
        };
        self.settings.get(&RECOVERY_PATH).is_some() || self.statements.iter().any(names)
    }

    /// The jobs of the script, bound in a session of their own.
    fn jobs(&self) -> Result<Vec<PlannedJob>> {
        let mut session = self.session();
        let mut jobs = Vec::new();
        for (ordinal, statement) in self.statements.iter().enumerate() {
            if let Outcome::Job(plan) = self.execute(&mut session, ordinal, statement)? {
                let settings = session.settings();
                let path = |text: String| local_path(RECOVERY_PATH.key(), &text);
                jobs.push(PlannedJob {
                    statement: plan.statement,
                    name: plan.name,
                    checkpoints: checkpoint_directory(settings, &self.script.stem)?,
                    recovery_path: settings.get(&RECOVERY_PATH).map(path).transpose()?,
                });
            }
        }
        Ok(jobs)
    }
}

/// A script that is being run.
struct ScriptRun<'a> {
    program: Program,
    runner: JobRunner,
    session: Session,
    resume: Option<Resume>,
    lineage: Lineage,
    /// What the last job that was started leaves behind.
    checkpoints: &'a mut Option<Checkpoints>,
    /// What the outside can ask, once a job has been started.
    service: Option<Service>,
    /// Only a person is told what to type next.
    role: Role,
}

impl ScriptRun<'_> {
    fn run(mut self) -> Result<Exit> {
        let end = self.steps();
        let Some(service) = self.service.take() else { return end };
        let (terminal, interrupts) = (&self.runner.terminal, &self.runner.interrupts);
        // The person must not wait for it until the process ends.
        let exit = match &end {
            Ok(exit) => *exit,
            Err(error) => report(error, terminal, self.checkpoints.as_ref().filter(|_| self.role == Role::Person)),
        };
        interrupts.linger();
        let is_left = || interrupts.was_left() || terminal.is_stdout_closed();
        if self.role == Role::Person && service.stays() && !is_left() {
            terminal.inform("the script has ended; the REST API answers until Ctrl-C, or `DELETE /cluster`");
        }
        service.end(end.as_ref().err(), terminal, &is_left);
        Ok(exit)
    }

    fn steps(&mut self) -> Result<Exit> {
        for ordinal in 0..self.program.statements.len() {
            if let Some(exit) = self.step(ordinal)? {
                return Ok(exit);
            }
        }
        // What is wrong with a statement was told before this.
        if self.program.is_idle() { Err(self.program.script.idle()) } else { Ok(Exit::Done) }
    }

    /// Runs one statement; the answer is set if the script ends with it.
    fn step(&mut self, ordinal: usize) -> Result<Option<Exit>> {
        let Some(statement) = self.program.statements.get(ordinal) else { return Ok(None) };
        match self.program.execute(&mut self.session, ordinal, statement)? {
            Outcome::Done { notices, .. } => tell(&self.runner.terminal, &notices),
            Outcome::Table { header, rows } => self.print(&whole_table(&header, &rows))?,
            Outcome::Text(text) if text.ends_with('\n') => self.print(&text)?,
            Outcome::Text(text) => self.print(&format!("{text}\n"))?,
            Outcome::Job(plan) => return self.job(plan),
        }
        Ok(None)
    }

    fn print(&self, lines: &str) -> Result<()> {
        self.runner.terminal.rows(lines).map_err(|error| Error::io("cannot write to standard output", error))
    }

    fn job(&mut self, plan: JobPlan) -> Result<Option<Exit>> {
        let terminal = Arc::clone(&self.runner.terminal);
        let (statement, settings) = (plan.statement, self.session.settings());
        let restore = match &self.resume {
            Some(resume) if statement < resume.statement => {
                let place = statement + 1;
                terminal.note(&format!("statement {place} (`{}`) had already finished; skipped", plan.name));
                return Ok(None);
            }
            Some(resume) if statement == resume.statement => Some(resume.restore(settings)),
            _ => None,
        };
        if self.service.is_none() {
            let (script, statements) = (&self.program.script, &self.program.statements);
            self.service = Service::start(settings, script, statements, &terminal)?;
        }
        if self.service.as_ref().is_some_and(Service::is_end_wanted) {
            terminal.say(&format!("stopped before statement {}", statement + 1));
            return Ok(Some(Exit::Done));
        }
        if let Some(service) = &self.service {
            service.hide(plan.table_options().into_iter());
        }
        let start = Start { settings, restore, service: self.service.as_ref() };
        let ended = self.runner.run(plan, start, &mut self.lineage, self.checkpoints);
        let ended = ended.map_err(|error| self.program.script.placed(error))?;
        let is_last = statement + 1 == self.program.statements.len();
        match ended.end {
            JobEnd::Finished if !ended.was_interrupted || is_last => Ok(None),
            JobEnd::Finished => {
                terminal.say(&format!("stopped before statement {}", statement + 2));
                self.tell_recovery();
                Ok(Some(Exit::Canceled))
            }
            JobEnd::Stopped { savepoint } => {
                tell_savepoint(&terminal, &savepoint, self.role);
                Ok(Some(Exit::Done))
            }
            JobEnd::Canceled if terminal.is_stdout_closed() => Ok(Some(Exit::Done)),
            JobEnd::Canceled => {
                self.tell_recovery();
                let was_asked = !ended.was_interrupted && self.service.is_some();
                Ok(Some(if was_asked { Exit::Done } else { Exit::Canceled }))
            }
        }
    }

    fn tell_recovery(&self) {
        if self.role == Role::Person && self.checkpoints.as_ref().is_some_and(Checkpoints::has_whole) {
            tell_resume(&self.runner.terminal, GoOn::Recover);
        }
    }
}

fn tell_savepoint(terminal: &Terminal, savepoint: &Path, role: Role) {
    terminal.say(&format!("Savepoint: {}", savepoint.display()));
    if role == Role::Person {
        tell_resume(terminal, GoOn::FromSavepoint(savepoint));
    }
}
