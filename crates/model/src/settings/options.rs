//! Typed handles of the options that Kobel itself reads; defaults and bounds stand in the catalogue.
//!
//! An option without a handle is known to the catalogue and read by nobody here.

use std::marker::PhantomData;
use std::time::Duration;

use super::value::{OptionValue, Value};

/// A key together with the type it is read as.
#[derive(Debug)]
pub struct TypedOption<T> {
    key: &'static str,
    marker: PhantomData<fn() -> T>,
}

impl<T> TypedOption<T> {
    const fn new(key: &'static str) -> Self {
        Self { key, marker: PhantomData }
    }

    /// The key, as the catalogue spells it.
    pub const fn key(&self) -> &'static str {
        self.key
    }
}

/// Declares an enumeration that an option is read as, from the catalogue's spellings.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// The spelling of the catalogue.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Every choice, in the catalogue's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }

        impl OptionValue for $name {
            fn from_value(value: Option<&Value>) -> Option<Self> {
                match value {
                    Some(Value::Text(text)) => Self::ALL.iter().copied().find(|choice| choice.as_str() == text),
                    _ => None,
                }
            }
        }
    };
}

/// Declares the handles, and for the tests one function that reads each of them.
macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $key:literal;)*) => {
        $($(#[$doc])* pub const $name: TypedOption<$type> = TypedOption::new($key);)*

        /// Reads every handle and answers with the keys read.
        #[cfg(test)]
        pub(super) fn read_all(settings: &super::Settings) -> Vec<&'static str> {
            vec![$({
                let _value: $type = settings.get(&$name);
                $name.key()
            },)*]
        }
    };
}

choices! {
    /// Which engine runs an application.
    EngineChoice {
        /// Kobel's own engine.
        Native = "native",
        /// Apache Flink.
        Flink = "flink",
    }
}

choices! {
    /// How a job treats its input.
    RuntimeMode {
        /// Results are updated as rows arrive.
        Streaming = "STREAMING",
        /// Results are final; every source is bounded.
        Batch = "BATCH",
        /// Batch if every source is bounded, else streaming.
        Automatic = "AUTOMATIC",
    }
}

choices! {
    /// What a sink does with a null for a column that is declared `NOT NULL`.
    NotNullEnforcer {
        /// The job fails.
        Error = "ERROR",
        /// The row is dropped.
        Drop = "DROP",
    }
}

choices! {
    /// What happens when a job fails.
    RestartChoice {
        /// It ends.
        None = "none",
        /// It ends.
        Off = "off",
        /// It ends.
        Disable = "disable",
        /// It is started again, a number of times.
        FixedDelay = "fixed-delay",
        /// It is started again unless it fails too often.
        FailureRate = "failure-rate",
        /// It is started again after ever longer waits.
        ExponentialDelay = "exponential-delay",
    }
}

choices! {
    /// The least severe events that are logged.
    LogLevel {
        /// Something failed.
        Error = "ERROR",
        /// Something may fail.
        Warn = "WARN",
        /// What happens.
        Info = "INFO",
        /// How it happens.
        Debug = "DEBUG",
        /// All of it.
        Trace = "TRACE",
    }
}

choices! {
    /// From where an application goes on whose process is started again.
    RecoveryChoice {
        /// From the snapshot that is named.
        Named = "named",
        /// From the newest checkpoint of the same job.
        Newest = "newest",
    }
}

choices! {
    /// How the log is written.
    LogFormat {
        /// Lines for people.
        Text = "text",
        /// A JSON object a line.
        Json = "json",
    }
}

handles! {
    /// What happens when a job fails.
    RESTART_STRATEGY: RestartChoice = "restart-strategy.type";
    /// Restarts with a fixed delay.
    FIXED_DELAY_ATTEMPTS: u64 = "restart-strategy.fixed-delay.attempts";
    /// The fixed delay.
    FIXED_DELAY: Duration = "restart-strategy.fixed-delay.delay";
    /// Failures within the interval that a job survives.
    FAILURE_RATE_MAX: usize = "restart-strategy.failure-rate.max-failures-per-interval";
    /// The interval of the failure rate.
    FAILURE_RATE_INTERVAL: Duration = "restart-strategy.failure-rate.failure-rate-interval";
    /// The delay of the failure rate.
    FAILURE_RATE_DELAY: Duration = "restart-strategy.failure-rate.delay";
    /// The first delay that grows.
    BACKOFF_INITIAL: Duration = "restart-strategy.exponential-delay.initial-backoff";
    /// The longest delay that grows.
    BACKOFF_MAX: Duration = "restart-strategy.exponential-delay.max-backoff";
    /// By how much a delay grows.
    BACKOFF_MULTIPLIER: f64 = "restart-strategy.exponential-delay.backoff-multiplier";
    /// When a delay begins anew.
    BACKOFF_RESET: Duration = "restart-strategy.exponential-delay.reset-backoff-threshold";
    /// How much a delay varies.
    BACKOFF_JITTER: f64 = "restart-strategy.exponential-delay.jitter-factor";
    /// Failures in a row that a job survives.
    BACKOFF_ATTEMPTS: Option<u64> = "restart-strategy.exponential-delay.attempts-before-reset-backoff";
    /// The port of the REST API.
    REST_PORT: u32 = "rest.port";
    /// The ports of which the REST API takes one.
    REST_BIND_PORT: Option<String> = "rest.bind-port";
    /// The address that is listened on.
    REST_BIND_ADDRESS: String = "rest.bind-address";
    /// The host name of the REST API.
    REST_ADDRESS: String = "rest.address";
    /// The most bytes of a body.
    REST_BODY_MAX: usize = "rest.server.max-content-length";
    /// How long outcomes are kept.
    REST_STORE_DURATION: Duration = "rest.async.store-duration";
    /// The file with the token.
    REST_TOKEN_FILE: Option<String> = "kobel.rest.token-file";
    /// Whether the REST API is served beyond loopback without a token and without TLS.
    REST_UNPROTECTED: bool = "kobel.rest.unprotected";
    /// The certificate of the REST API.
    REST_TLS_CERTIFICATE: Option<String> = "kobel.rest.tls.certificate";
    /// The key of the certificate.
    REST_TLS_KEY: Option<String> = "kobel.rest.tls.key";
    /// The port for Prometheus.
    PROMETHEUS_PORT: Option<String> = "metrics.reporter.prom.port";
    /// The directory of the log.
    LOG_DIR: Option<String> = "env.log.dir";
    /// The least severe events that are logged.
    LOG_LEVEL: LogLevel = "env.log.level";
    /// How many files of the log are kept.
    LOG_FILES: usize = "env.log.max";
    /// How large a file of the log grows.
    LOG_ROTATION_SIZE: u64 = "kobel.log.rotation-size";
    /// How the log is written.
    LOG_FORMAT: LogFormat = "kobel.log.format";
    /// Whether the process ends with its script.
    SHUTDOWN_ON_FINISH: bool = "execution.shutdown-on-application-finish";
    /// Slots that are reported at least.
    TASK_SLOTS: usize = "taskmanager.numberOfTaskSlots";
    /// Which engine runs the application.
    ENGINE: EngineChoice = "kobel.engine";
    /// From where an application goes on whose process is started again.
    RECOVERY: RecoveryChoice = "kobel.recovery";
    /// The most rows that a batch between two operators holds.
    BATCH_SIZE: usize = "kobel.batch-size";
    /// Where Kobel keeps what it must remember if no other directory is set.
    DATA_DIR: String = "kobel.data-dir";
    /// The name of the job.
    PIPELINE_NAME: Option<String> = "pipeline.name";
    /// How many subtasks an operator has.
    PARALLELISM: u32 = "parallelism.default";
    /// How many key groups keyed state is divided into.
    MAX_PARALLELISM: u32 = "pipeline.max-parallelism";
    /// How far event time must move before a watermark is sent.
    AUTO_WATERMARK_INTERVAL: Duration = "pipeline.auto-watermark-interval";
    /// Streaming or batch.
    RUNTIME_MODE: RuntimeMode = "execution.runtime-mode";
    /// The time between two checkpoints; no periodic checkpoints if absent.
    CHECKPOINTING_INTERVAL: Option<Duration> = "execution.checkpointing.interval";
    /// Where checkpoints go.
    CHECKPOINTS_DIR: Option<String> = "execution.checkpointing.dir";
    /// Where savepoints go.
    SAVEPOINTS_DIR: Option<String> = "execution.checkpointing.savepoint-dir";
    /// How many completed checkpoints are kept.
    CHECKPOINTS_RETAINED: usize = "execution.checkpointing.num-retained";
    /// The least time between the end of a checkpoint and the start of the next.
    CHECKPOINTING_MIN_PAUSE: Duration = "execution.checkpointing.min-pause";
    /// How long a checkpoint may take.
    CHECKPOINTING_TIMEOUT: Duration = "execution.checkpointing.timeout";
    /// How many failed checkpoints in a row a job survives.
    TOLERABLE_FAILED_CHECKPOINTS: u32 = "execution.checkpointing.tolerable-failed-checkpoints";
    /// The snapshot from which the job starts.
    RECOVERY_PATH: Option<String> = "execution.state-recovery.path";
    /// The id of the job of an application, as 32 hexadecimal digits.
    JOB_ID: Option<String> = "$internal.pipeline.job-id";
    /// Whether state that no operator claims is skipped.
    IGNORE_UNCLAIMED_STATE: bool = "execution.state-recovery.ignore-unclaimed-state";
    /// The zone in which `TIMESTAMP_LTZ` is shown and read; `default` is the zone of the machine.
    LOCAL_TIME_ZONE: String = "table.local-time-zone";
    /// After how long without rows a source split no longer holds the watermark back; zero is never.
    SOURCE_IDLE_TIMEOUT: Duration = "table.exec.source.idle-timeout";
    /// How long idle state is kept; zero is for ever.
    STATE_TTL: Duration = "table.exec.state.ttl";
    /// What a sink does with a null in a `NOT NULL` column.
    NOT_NULL_ENFORCER: NotNullEnforcer = "table.exec.sink.not-null-enforcer";
}
