//! The class that runs SQL scripts, compiled as a user's would be and run on a Flink that only writes down what it is
//! asked for. Where no JDK is installed there is nothing to compile with, and the test says so.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use kobel_distributions::{Distributions, Java, Source, java};
use kobel_model::deployment::FlinkVersion;

/// The part of Flink's API that the class uses.
const API: [(&str, &str); 4] = [
    (
        "org/apache/flink/configuration/Configuration",
        "package org.apache.flink.configuration;
         public class Configuration {
             public void setString(String key, String value) { System.out.println(\"set \" + key + \" \" + value); }
             public boolean removeKey(String key) { System.out.println(\"reset \" + key); return true; }
         }",
    ),
    (
        "org/apache/flink/table/api/EnvironmentSettings",
        "package org.apache.flink.table.api;
         import org.apache.flink.configuration.Configuration;
         public class EnvironmentSettings {
             public static Builder newInstance() { return new Builder(); }
             public static class Builder {
                 public Builder withConfiguration(Configuration first) { return this; }
                 public EnvironmentSettings build() { return new EnvironmentSettings(); }
             }
         }",
    ),
    (
        "org/apache/flink/table/api/TableConfig",
        "package org.apache.flink.table.api;
         import org.apache.flink.configuration.Configuration;
         public class TableConfig {
             public Configuration getConfiguration() { return new Configuration(); }
         }",
    ),
    (
        "org/apache/flink/table/api/TableEnvironment",
        "package org.apache.flink.table.api;
         public class TableEnvironment {
             public static TableEnvironment create(EnvironmentSettings settings) {
                 System.out.println(\"create\");
                 return new TableEnvironment();
             }
             public TableConfig getConfig() { return new TableConfig(); }
             public Object executeSql(String statement) {
                 System.out.println(\"execute \" + statement.replaceAll(\"\\\\s+\", \" \"));
                 return this;
             }
         }",
    ),
];

const SCRIPT: &str = "\
-- first; of all
SET 'execution.runtime-mode' = 'batch';
CREATE TABLE a (x STRING) WITH ('connector' = 'it''s; here'); /* a; comment */
set 'pipeline.name' = 'one';
RESET 'pipeline.name';
INSERT INTO `a;b` SELECT /*+ OPTIONS('k' = 'v;w') */ x -- of a; line
FROM a;
EXECUTE STATEMENT SET BEGIN INSERT INTO b SELECT x FROM a; INSERT INTO c SELECT x FROM a; END;
BEGIN STATEMENT SET; INSERT INTO d SELECT x FROM a; END;
SHOW TABLES";

const EXPECTED: &str = "\
set execution.runtime-mode batch
create
execute CREATE TABLE a (x STRING) WITH ('connector' = 'it''s; here')
set pipeline.name one
reset pipeline.name
execute INSERT INTO `a;b` SELECT /*+ OPTIONS('k' = 'v;w') */ x FROM a
execute EXECUTE STATEMENT SET BEGIN INSERT INTO b SELECT x FROM a; INSERT INTO c SELECT x FROM a; END
execute EXECUTE STATEMENT SET BEGIN INSERT INTO d SELECT x FROM a; END
execute SHOW TABLES
";

/// Runs a program that must succeed and gives what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// A distribution whose only jar is the API above.
fn distribution(folder: &Path, kit: &Java) {
    let (sources, classes) = (folder.join("sources"), folder.join("classes"));
    let mut compile = Command::new(kit.home.join("bin/javac"));
    compile.args(["--release", "11", "-d"]).arg(&classes);
    for (name, text) in API {
        let path = sources.join(format!("{name}.java"));
        fs::create_dir_all(path.parent().expect("a parent")).expect("it works");
        fs::write(&path, text).expect("it works");
        compile.arg(path);
    }
    run(&mut compile);
    let home = folder.join("flink");
    for name in ["bin/config.sh", "bin/flink", "bin/jobmanager.sh", "bin/standalone-job.sh", "bin/taskmanager.sh"]
        .iter()
        .chain(&["conf/config.yaml", "conf/log4j-console.properties", "lib/none.txt"])
    {
        let path = home.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("it works");
        fs::write(path, "").expect("it works");
    }
    let jar = home.join("lib/flink-dist-2.3.0.jar");
    run(Command::new(kit.home.join("bin/jar")).arg("cf").arg(jar).arg("-C").arg(&classes).arg("."));
}

#[test]
fn a_script_is_run_statement_by_statement() {
    let kit = match java(FlinkVersion::V2_3) {
        Ok(kit) if kit.home.join("bin/javac").is_file() => kit,
        _ => {
            eprintln!("skipped: there is no JDK for Flink 2.3 on this machine");
            return;
        }
    };
    let folder = tempfile::tempdir().expect("it works");
    distribution(folder.path(), &kit);
    let distributions = Distributions::open(&folder.path().join("installed"));
    let source = Source::Path(folder.path().join("flink"));
    let installed = distributions.install("2.3.0", &source, &|_| ControlFlow::Continue(())).expect("it works");
    let jar = distributions.sql_runner(&installed, &kit).expect("it works");
    let made = fs::metadata(&jar).expect("it works").modified().expect("it works");
    assert_eq!(distributions.sql_runner(&installed, &kit).expect("it works"), jar);
    assert_eq!(fs::metadata(&jar).expect("it works").modified().expect("it works"), made, "it is compiled once");

    let script = folder.path().join("a script.sql");
    fs::write(&script, SCRIPT).expect("it works");
    let class_path = std::env::join_paths([jar.as_path(), &installed.home.join("lib/*")]).expect("it works");
    let address = format!("file://{}", script.display()).replace(' ', "%20");
    for argument in [script.display().to_string(), address] {
        let mut start = Command::new(kit.home.join("bin/java"));
        start.arg("-cp").arg(&class_path).arg("SqlRunner").arg(argument);
        assert_eq!(run(&mut start), EXPECTED);
    }
    let folder_of_jar = jar.parent().expect("a parent");
    let left = fs::read_dir(folder_of_jar).expect("it works").flatten().filter(|entry| entry.path().is_dir()).count();
    assert_eq!(left, 0, "nothing is left of the compilation");
}
