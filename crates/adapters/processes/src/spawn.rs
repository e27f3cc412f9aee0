//! Making what a launch says: its files, then its processes.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use kobel_manifest::launch::Launch;
use kobel_model::{Error, Result};

use crate::cgroups::{Allowance, Cgroups};
use crate::file;
use crate::kernel::{ProcessId, TOKEN};
use crate::output;
use crate::record::Entry;

/// What lies here, in the folder of an application, serves one launch alone.
const SCRATCH: &str = "tmp";

/// Writes the files of a launch below `folder`, and empties the folder of scratch files, where an earlier one may have
/// left some. It is there afterwards: Java does not make the folder of its temporary files.
pub fn write_files(folder: &Path, launch: &Launch) -> Result<()> {
    file::create_directory(folder)?;
    let scratch = folder.join(SCRATCH);
    file::remove_directory(&scratch)?;
    file::create_directory(&scratch)?;
    for file in &launch.files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            file::create_directory(parent)?;
        }
        file::replace(&path, file.text.as_bytes())?;
    }
    Ok(())
}

/// Spawns the process that `entry` intends, and notes which one it is.
pub fn spawn(folder: &Path, entry: &mut Entry, cgroups: &Cgroups) -> Result<Child> {
    let command = &entry.command;
    if command.directory.starts_with(folder) {
        file::create_directory(&command.directory)?;
    }
    let program = command.program.display().to_string();
    let failed = |error| Error::io(format!("cannot start `{program}`"), error);
    let (output, output_from) = output::open(folder, &entry.role)?;
    let errors = output.try_clone().map_err(failed)?;
    let mut spawned = Command::new(&command.program);
    spawned.args(&command.arguments).current_dir(&command.directory);
    for (name, value) in &command.environment {
        spawned.env(name, value);
    }
    spawned.env(TOKEN, &entry.token).stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
    let mut child = spawned.spawn().map_err(failed)?;
    // Even if it has ended it is there to be looked at, because nobody has reaped it.
    let id = match ProcessId::of(child.id()) {
        Ok(Some(id)) => id,
        found => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(failed(found.err().unwrap_or_else(|| std::io::ErrorKind::NotFound.into())));
        }
    };
    let allowance = Allowance { memory: command.memory, cpu_millis: command.cpu_millis };
    entry.cgroup = cgroups.confine(&entry.token, id.pid, allowance);
    entry.id = Some(id);
    entry.output_from = output_from;
    Ok(child)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn each_launch_finds_an_empty_folder_of_its_own_for_scratch_files() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("orders");
        let scratch = folder.join(SCRATCH);
        let launch = Launch { files: Vec::new(), processes: Vec::new(), rest_port: 0, ports: Vec::new() };
        for launched in ["first", "second"] {
            write_files(&folder, &launch).unwrap();
            assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "{launched}");
            assert_eq!(fs::metadata(&scratch).unwrap().permissions().mode() & 0o777, 0o700, "{launched}");
            fs::write(scratch.join("left"), "").unwrap();
        }
    }
}
