//! The words in which a job, its job manager and its resource are described, and how the last follows from the rest.

/// Declares an enum with the spelling of each word.
macro_rules! states {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$inner])* $variant,)* }

        impl $name {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The spelling of a status.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Reads the spelling of a status.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    };
}

states! {
    /// State of a job as Flink tells it (`org.apache.flink.api.common.JobStatus`).
    JobState {
        /// The job manager of the job starts.
        Initializing = "INITIALIZING",
        /// The job is made and not every task runs.
        Created = "CREATED",
        /// Every task runs, or has ended well.
        Running = "RUNNING",
        /// The job failed and its tasks are being cancelled.
        Failing = "FAILING",
        /// The job failed for good.
        Failed = "FAILED",
        /// The job is being cancelled.
        Cancelling = "CANCELLING",
        /// The job was cancelled.
        Canceled = "CANCELED",
        /// The job ended of itself, or was stopped with a savepoint.
        Finished = "FINISHED",
        /// The job restarts after a failure.
        Restarting = "RESTARTING",
        /// The job was stopped and another job manager may take it up.
        Suspended = "SUSPENDED",
        /// Nobody knows yet.
        Reconciling = "RECONCILING",
    }
}

impl JobState {
    /// Whether the job has ended for good (`JobStatus.isGloballyTerminalState`).
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Failed | Self::Canceled | Self::Finished)
    }
}

states! {
    /// State of the job manager, as the status of a deployment tells it (`JobManagerDeploymentStatus`).
    JobManagerState {
        /// It answers.
        Ready = "READY",
        /// It is there, and its REST API is not known to answer.
        DeployedNotReady = "DEPLOYED_NOT_READY",
        /// It is being started.
        Deploying = "DEPLOYING",
        /// There is none.
        Missing = "MISSING",
        /// It cannot be started.
        Error = "ERROR",
    }
}

states! {
    /// How far the last change has been carried out.
    ReconciliationState {
        /// It has been carried out.
        Deployed = "DEPLOYED",
        /// It is being carried out.
        Upgrading = "UPGRADING",
        /// It is being undone.
        RollingBack = "ROLLING_BACK",
        /// It was undone.
        RolledBack = "ROLLED_BACK",
    }
}

states! {
    /// State of a resource as a whole (`ResourceLifecycleState`).
    LifecycleState {
        /// Nothing was deployed yet.
        Created = "CREATED",
        /// The job is stopped as asked.
        Suspended = "SUSPENDED",
        /// A change is being carried out.
        Upgrading = "UPGRADING",
        /// The change has been carried out and has not been proven.
        Deployed = "DEPLOYED",
        /// The deployed version has run.
        Stable = "STABLE",
        /// The previous version is being brought back.
        RollingBack = "ROLLING_BACK",
        /// The previous version runs again.
        RolledBack = "ROLLED_BACK",
        /// The job failed for good, or cannot be started without help.
        Failed = "FAILED",
        /// The resource is being deleted.
        Deleting = "DELETING",
        /// The resource is deleted.
        Deleted = "DELETED",
    }
}

states! {
    /// How far a snapshot that was asked for as a resource is (`FlinkStateSnapshotStatus.State`).
    SnapshotState {
        /// It was not asked for yet, or is to be asked for again.
        TriggerPending = "TRIGGER_PENDING",
        /// It is being taken.
        InProgress = "IN_PROGRESS",
        /// It is there.
        Completed = "COMPLETED",
        /// It failed and is not tried again.
        Failed = "FAILED",
        /// Its job does not run, so nobody can take it.
        Abandoned = "ABANDONED",
    }
}
