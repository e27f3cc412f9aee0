//! The log configuration of the processes of Flink.
//!
//! Kobel writes one of its own, so that nothing depends on the directory of the distribution: everything goes to a file
//! that is rotated; warnings also go to standard error, whose end tells why a process ended, with the cause first. What
//! the spec brings under the same name stands in its place.

use std::path::Path;

use kobel_model::deployment::Cluster;

use crate::launch::File;

/// The file that Flink's scripts name for Log4j.
pub(crate) const LOG4J: &str = "log4j-console.properties";
/// The file that Flink's scripts name for Logback.
pub(crate) const LOGBACK: &str = "logback-console.xml";
/// How large a file of the log grows, unless the spec says it.
const ROTATION_SIZE: u64 = 100 << 20;
/// How many files of the log are kept, unless the spec says it.
const FILES: &str = "10";

/// The environment variable that names the file of the log; Flink's own name of it is taken where it is not set.
pub(crate) const LOG_FILE_VARIABLE: &str = "KOBEL_LOG_FILE";

/// Whether the log goes where this module sends it.
pub(crate) fn is_ours(cluster: &Cluster) -> bool {
    cluster.log_configuration.is_empty()
}

/// The files of the log configuration, below `directory`.
pub(crate) fn files(cluster: &Cluster, directory: &str) -> Vec<File> {
    let own = &cluster.log_configuration;
    let log4j = own.get(LOG4J).cloned().unwrap_or_else(|| log4j(cluster));
    let texts = [(LOG4J, Some(log4j)), (LOGBACK, own.get(LOGBACK).cloned())];
    let present = texts.into_iter().filter_map(|(name, text)| text.map(|text| (name, text)));
    present.map(|(name, text)| File { path: Path::new(directory).join(name), text }).collect()
}

/// The configuration of Log4j 2.
fn log4j(cluster: &Cluster) -> String {
    let rotation = cluster.monitoring.as_ref().map(|monitoring| monitoring.rotation);
    let size = rotation.map_or(ROTATION_SIZE, |rotation| rotation.size);
    let configured = || cluster.flink_configuration.get("env.log.max").unwrap_or(FILES).trim().to_owned();
    let files = rotation.map_or_else(configured, |rotation| rotation.files.to_string());
    let file = format!("${{env:{LOG_FILE_VARIABLE}:-${{sys:log.file}}}}");
    format!(
        "\
monitorInterval = 30
rootLogger.level = ${{env:ROOT_LOG_LEVEL:-INFO}}
rootLogger.appenderRef.file.ref = File
rootLogger.appenderRef.console.ref = Console
appender.file.name = File
appender.file.type = RollingFile
appender.file.append = true
appender.file.fileName = {file}
appender.file.filePattern = {file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd HH:mm:ss,SSS}} %-5p %-60c %x - %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = {size}
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = {files}
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{{yyyy-MM-dd HH:mm:ss,SSS}} %-5p %c - %m%n%rEx{{12}}
appender.console.filter.threshold.type = ThresholdFilter
appender.console.filter.threshold.level = WARN
logger.netty.name = org.jboss.netty.channel.DefaultChannelPipeline
logger.netty.level = OFF
"
    )
}
