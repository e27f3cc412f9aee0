//! Metrics as Flink's Prometheus reporter writes them: names with scopes, labels, everything a gauge.
//!
//! # Invariants
//! A family is written once, with all its series behind its `# HELP` and `# TYPE`. Names and the values of labels hold
//! only `a-z A-Z 0-9 : _`, since Flink's reporter replaces everything else. Metrics that are texts are left out.

use std::fmt::Write;

use crate::monitor::definition::Reading;

/// Where the names of a scope begin, below `flink_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FamilyScope {
    /// The JobManager.
    JobManager,
    /// A job, as the JobManager sees it.
    Job,
    /// The TaskManager.
    TaskManager,
    /// A subtask of a vertex.
    Task,
    /// A subtask of an operator.
    Operator,
}

impl FamilyScope {
    const fn as_str(self) -> &'static str {
        match self {
            Self::JobManager => "jobmanager",
            Self::Job => "jobmanager_job",
            Self::TaskManager => "taskmanager",
            Self::Task => "taskmanager_job_task",
            Self::Operator => "taskmanager_job_task_operator",
        }
    }
}

/// Labels of a series, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Labels(String);

impl Labels {
    /// Labels with these names and values.
    pub(crate) fn new(labels: &[(&str, &str)]) -> Self {
        Self(String::new()).and(labels)
    }

    /// These labels and more.
    pub(crate) fn and(&self, labels: &[(&str, &str)]) -> Self {
        let mut text = self.0.clone();
        for (name, value) in labels {
            if !text.is_empty() {
                text.push(',');
            }
            // What is left of a value needs no escaping.
            text.extend(name.chars().map(replaced).chain("=\"".chars()));
            text.extend(value.chars().map(replaced).chain("\"".chars()));
        }
        Self(text)
    }
}

/// Writes all families of a scope.
pub(crate) fn write_families<R: Reading>(out: &mut String, scope: FamilyScope, readings: &[(Labels, R)]) {
    for definition in R::definitions() {
        let series = readings
            .iter()
            .filter_map(|(labels, reading)| Some((labels, (definition.read)(reading)?.series_number()?)));
        let mut series = series.peekable();
        if series.peek().is_none() {
            continue;
        }
        let name = family(scope, definition.name);
        let (group, last) = definition.name.rsplit_once('.').unwrap_or(("", definition.name));
        let mut help_scope = scope.as_str().to_owned();
        if !group.is_empty() {
            help_scope.push('_');
            help_scope.extend(group.chars().map(replaced));
        }
        // Writing to a string does not fail.
        let _ = writeln!(out, "# HELP {name} {last} (scope: {help_scope})\n# TYPE {name} gauge");
        for (Labels(labels), value) in series {
            let _ = writeln!(out, "{name}{{{labels}}} {}", number(value));
        }
    }
}

fn family(scope: FamilyScope, name: &str) -> String {
    let mut family = format!("flink_{}_", scope.as_str());
    family.extend(name.chars().map(replaced));
    family
}

fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    value.to_string()
}

fn replaced(character: char) -> char {
    if character.is_ascii_alphanumeric() || matches!(character, ':' | '_') { character } else { '_' }
}

#[cfg(test)]
mod tests {
    use super::{FamilyScope, Labels, number, write_families};
    use crate::monitor::definition::{Definition, Reading, counter, gauge};

    struct Oven {
        degrees: Option<f64>,
        loaves: u64,
    }

    impl Reading for Oven {
        fn definitions() -> &'static [Definition<Self>] {
            static ALL: &[Definition<Oven>] = &[
                gauge("Heat.Top", "How warm it is.", |oven: &Oven| Some(oven.degrees?.into())),
                gauge("name", "What it is called.", |_: &Oven| Some("Otto".to_owned().into())),
                counter("numLoaves", "How much it has baked.", |oven: &Oven| Some(oven.loaves.into())),
                gauge("isOn", "Whether it is on.", |oven: &Oven| Some(oven.degrees.is_some().into())),
            ];
            ALL
        }
    }

    #[test]
    fn families_are_whole_and_odd_characters_replaced() {
        let labels = Labels::new(&[("host", "bäcker.example")]);
        let ovens = [
            (labels.and(&[("job name", "a \"b\"\\c\nd")]), Oven { degrees: Some(219.5), loaves: 12 }),
            (labels.and(&[("job name", "x: y")]), Oven { degrees: None, loaves: 0 }),
        ];
        let mut out = String::new();
        write_families(&mut out, FamilyScope::Task, &ovens);
        let expected = r#"# HELP flink_taskmanager_job_task_Heat_Top Top (scope: taskmanager_job_task_Heat)
# TYPE flink_taskmanager_job_task_Heat_Top gauge
flink_taskmanager_job_task_Heat_Top{host="b_cker_example",job_name="a__b__c_d"} 219.5
# HELP flink_taskmanager_job_task_numLoaves numLoaves (scope: taskmanager_job_task)
# TYPE flink_taskmanager_job_task_numLoaves gauge
flink_taskmanager_job_task_numLoaves{host="b_cker_example",job_name="a__b__c_d"} 12
flink_taskmanager_job_task_numLoaves{host="b_cker_example",job_name="x:_y"} 0
# HELP flink_taskmanager_job_task_isOn isOn (scope: taskmanager_job_task)
# TYPE flink_taskmanager_job_task_isOn gauge
flink_taskmanager_job_task_isOn{host="b_cker_example",job_name="a__b__c_d"} 1
flink_taskmanager_job_task_isOn{host="b_cker_example",job_name="x:_y"} 0
"#;
        assert_eq!(out, expected);
    }

    #[test]
    fn a_scope_without_readings_has_no_families() {
        let mut out = String::new();
        write_families::<Oven>(&mut out, FamilyScope::Job, &[]);
        assert_eq!(out, "");
    }

    #[test]
    fn numbers_are_those_of_the_text_format() {
        let cases = [
            (i64::MIN as f64, "-9223372036854776000"),
            (0.125, "0.125"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }
}
