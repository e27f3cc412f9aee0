//! `kobel logship`: the log agent beside Flink, until the pod ends.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use kobel_logs::{Format, Level, Scrubber};
use kobel_logship::{CloudWatch, Rotation, S3, Settings};
use kobel_model::{Error, Result};
use kobel_storage::aws::cloudwatch::LogGroup;
use kobel_storage::objects::ObjectFolder;

use super::up::listen_for_the_end;
use crate::args::pod::LogshipArguments;
use crate::exit::Exit;
use crate::terminal::{Terminal, Verbosity};

/// The variable with the name of the pod.
const POD: &str = "POD_NAME";

/// Ships until the end and reports what goes wrong.
pub(crate) fn run(arguments: &LogshipArguments) -> Exit {
    let terminal = Terminal::new(Verbosity::Normal);
    terminal.conclude(ship(arguments).map(|()| Exit::Done))
}

fn ship(arguments: &LogshipArguments) -> Result<()> {
    let ended = listen_for_the_end()?;
    kobel_logs::start_on_stderr(Level::Info, Format::Text, Arc::new(Scrubber::new()))?;
    kobel_logship::run(settings(arguments, |name| env::var(name).ok())?, &ended)
}

fn settings(arguments: &LogshipArguments, variable: impl Fn(&str) -> Option<String>) -> Result<Settings> {
    let pod = arguments.pod.clone().or_else(|| variable(POD)).filter(|pod| !pod.is_empty() && !pod.contains('/'));
    let pod = pod.ok_or_else(|| {
        Error::invalid("cannot ship logs: the name of the pod is not known")
            .with_hint(format!("set `{POD}` from `metadata.name`, or name it with `--pod`"))
    })?;
    let key = arguments.s3_encryption_key.as_deref();
    let s3 = arguments.s3.as_deref().map(|address| -> Result<S3> {
        let folder = ObjectFolder::from_environment(address, key, &variable)?;
        Ok(S3 { folder, every: Duration::from_secs(arguments.s3_interval.get()) })
    });
    let prefix = arguments.cloudwatch_prefix.as_deref().unwrap_or_default();
    let cloudwatch = arguments.cloudwatch_group.as_deref().map(|group| -> Result<CloudWatch> {
        let group = LogGroup::from_environment(group, &variable)?;
        Ok(CloudWatch { group, prefix: prefix.trim_matches('/').to_owned() })
    });
    Ok(Settings {
        directory: arguments.directory.clone(),
        pod,
        s3: s3.transpose()?,
        cloudwatch: cloudwatch.transpose()?,
        rotation: Rotation {
            size: arguments.rotation_size.get(),
            files: usize::try_from(arguments.rotation_files).unwrap_or(usize::MAX),
        },
    })
}

#[cfg(test)]
mod tests;
