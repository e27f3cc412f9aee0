//! Names for what has none that can be read: jobs, triggers and snapshots are told in the order in which they appear.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::entry::{Entry, Happened, SnapshotKind};

/// How many digits an id has.
const ID_DIGITS: usize = 32;

/// The names of a run.
#[derive(Debug, Default)]
pub(super) struct Names {
    ids: BTreeMap<String, String>,
    /// What is replaced as a whole, the longest first.
    paths: Vec<(String, String)>,
    jobs: usize,
    others: usize,
}

impl Names {
    /// The names of everything in a history.
    pub(super) fn of(history: &[Arc<Happened>]) -> Self {
        let mut names = Self::default();
        let mut counts = [0_usize; 2];
        for happened in history {
            match &happened.entry {
                Entry::StartAsked { job: Some(job), .. }
                | Entry::JobStarted { job, .. }
                | Entry::JobState { job, .. } => {
                    names.job(job);
                }
                Entry::Snapshot { path, kind, .. } => {
                    let (index, word) = match kind {
                        SnapshotKind::Savepoint => (0, "savepoint"),
                        SnapshotKind::Checkpoint => (1, "checkpoint"),
                    };
                    if let Some(count) = counts.get_mut(index) {
                        *count += 1;
                        let bare = path.strip_prefix("file://").unwrap_or(path).trim_end_matches('/');
                        names.paths.push((format!("file://{bare}"), format!("<{word}-{count}>")));
                        names.paths.push((bare.to_owned(), format!("<{word}-{count}>")));
                    }
                }
                _ => {}
            }
        }
        names.paths.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        names
    }

    fn job(&mut self, id: &str) {
        if !self.ids.contains_key(id) {
            self.jobs += 1;
            self.ids.insert(id.to_owned(), format!("job-{}", self.jobs));
        }
    }

    /// The name of an id, which is given one if it has none.
    fn id(&mut self, id: &str) -> String {
        if let Some(name) = self.ids.get(id) {
            return name.clone();
        }
        self.others += 1;
        let name = format!("trigger-{}", self.others);
        self.ids.insert(id.to_owned(), name.clone());
        name
    }

    /// A text with names in it.
    pub(super) fn told(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (path, name) in &self.paths {
            if text.contains(path) {
                text = text.replace(path, name);
            }
        }
        let (mut told, mut digits) = (String::with_capacity(text.len()), String::new());
        for letter in text.chars().chain(['\n']) {
            if letter.is_ascii_digit() || matches!(letter, 'a'..='f') {
                digits.push(letter);
                continue;
            }
            if digits.len() == ID_DIGITS {
                told.push_str(&self.id(&digits));
            } else {
                told.push_str(&digits);
            }
            digits.clear();
            told.push(letter);
        }
        told.pop();
        told
    }
}

#[cfg(test)]
mod tests {
    use kobel_model::deployment::Identity;

    use super::*;

    #[test]
    fn ids_and_places_are_told_in_the_order_in_which_they_appear() {
        let job = "3c".repeat(16);
        let lineage = Identity { namespace: "default".to_owned(), name: "orders".to_owned() };
        let entries = [
            Entry::JobState { job: job.clone(), state: "RUNNING", count: 0 },
            Entry::Snapshot {
                path: "/data/savepoint-1".to_owned(),
                job: job.clone(),
                lineage,
                count: 7,
                kind: SnapshotKind::Savepoint,
                trigger: None,
                stops: true,
            },
        ];
        let history: Vec<Arc<Happened>> =
            entries.into_iter().map(|entry| Arc::new(Happened { at_ms: 0, entry })).collect();
        let mut names = Names::of(&history);
        let trigger = "0a".repeat(16);
        let text = format!("job `{job}` by `{trigger}` to `file:///data/savepoint-1`, face {trigger}");
        assert_eq!(names.told(&text), "job `job-1` by `trigger-1` to `<savepoint-1>`, face trigger-1");
    }
}
