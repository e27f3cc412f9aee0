//! A script, and how far it has been played. Both are data of the world, so that a copy of a world can be gone on with.

use std::sync::Arc;

use super::command::{Command, InVain};

/// A script: what is done to a world, step by step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Script {
    /// Its name: that of its file, without `.txt`.
    pub name: String,
    /// What is done.
    pub steps: Arc<[Step]>,
}

impl Script {
    /// Its commands, as a file that has not been played yet.
    pub fn text(&self) -> String {
        self.steps.iter().map(|step| format!("{}> {}\n", step.before, step.text)).collect()
    }

    /// Whether it says from which seed its world is made.
    pub fn has_seed(&self) -> bool {
        self.steps.iter().any(|step| matches!(&step.command, Command::World(settings) if settings.seed.is_some()))
    }
}

/// A step of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The comments and empty lines before it, whole.
    pub before: String,
    /// The command as it was written.
    pub text: String,
    /// The command.
    pub command: Command,
}

/// How far the script of a world has been played.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cursor {
    /// The step that is under way, or the number of steps at the end.
    pub step: usize,
    /// When it was begun, in virtual milliseconds; absent if it was not.
    pub since_ms: Option<i64>,
    /// In which life of the controller it was begun.
    pub life: u32,
    /// How much of the history it has looked through.
    pub seen: usize,
    /// Where in the history each step was begun.
    pub began: Vec<usize>,
    /// What becomes of it if it waits in vain.
    pub in_vain: InVain,
    /// What steps have shown.
    pub shown: Vec<(usize, String)>,
}
