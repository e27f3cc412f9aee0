//! The states of jobs, tasks and applications, and the words that classify a job.
//!
//! Invariant: the words are Flink's, and there are no others.

use crate::words::words;

words! {
    /// The state of a job.
    JobStatus means "a job status" {
        /// The job is not yet with its scheduler.
        Initializing = "INITIALIZING",
        /// The job is with its scheduler and nothing runs yet.
        Created = "CREATED",
        /// Some tasks are scheduled or running.
        Running = "RUNNING",
        /// The job failed and waits for its tasks to end.
        Failing = "FAILING",
        /// The job failed for good.
        Failed = "FAILED",
        /// The job is being cancelled.
        Cancelling = "CANCELLING",
        /// All tasks ended after a cancellation.
        Canceled = "CANCELED",
        /// All tasks ended well.
        Finished = "FINISHED",
        /// The job is between a failure and its next attempt.
        Restarting = "RESTARTING",
        /// The job was given up by this process and may be taken up by another.
        Suspended = "SUSPENDED",
        /// The job is learning what still runs.
        Reconciling = "RECONCILING",
    }
}

impl JobStatus {
    /// Tells whether the job will never leave this state.
    pub const fn is_globally_terminal(self) -> bool {
        matches!(self, Self::Failed | Self::Canceled | Self::Finished)
    }
}

words! {
    /// The state of one attempt to run a subtask, and the summed state of a vertex.
    ExecutionState means "an execution state" {
        /// The attempt exists.
        Created = "CREATED",
        /// The attempt waits for a slot.
        Scheduled = "SCHEDULED",
        /// The attempt is being sent to its slot.
        Deploying = "DEPLOYING",
        /// The attempt works.
        Running = "RUNNING",
        /// The attempt ended well.
        Finished = "FINISHED",
        /// The attempt is being cancelled.
        Canceling = "CANCELING",
        /// The attempt ended after a cancellation.
        Canceled = "CANCELED",
        /// The attempt failed.
        Failed = "FAILED",
        /// It is not yet known whether the attempt still runs.
        Reconciling = "RECONCILING",
        /// The attempt restores its state.
        Initializing = "INITIALIZING",
    }
}

impl ExecutionState {
    /// Tells whether the attempt will never leave this state.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Finished | Self::Canceled | Self::Failed)
    }
}

words! {
    /// The state of an application.
    ApplicationState means "an application state" {
        /// The application is known and has not begun.
        Created = "CREATED",
        /// The application runs.
        Running = "RUNNING",
        /// The application failed and waits for its jobs to end.
        Failing = "FAILING",
        /// The application failed.
        Failed = "FAILED",
        /// The application is being cancelled.
        Canceling = "CANCELING",
        /// The application ended after a cancellation.
        Canceled = "CANCELED",
        /// The application ended well.
        Finished = "FINISHED",
    }
}

words! {
    /// How a job that ended is told to the deployment around it.
    ApplicationStatus means "an application status" {
        /// All went well.
        Succeeded = "SUCCEEDED",
        /// The job failed.
        Failed = "FAILED",
        /// The job was cancelled.
        Canceled = "CANCELED",
        /// How the job ended is not known.
        Unknown = "UNKNOWN",
    }
}

words! {
    /// Whether a job ends by itself.
    JobType means "a job type" {
        /// The job reads bounded input stage by stage.
        Batch = "BATCH",
        /// All tasks run at once.
        Streaming = "STREAMING",
    }
}

words! {
    /// The scheduler of a job.
    SchedulerType means "a scheduler type" {
        /// The scheduler that keeps the parallelism.
        Default = "Default",
        /// The scheduler that follows the slots.
        Adaptive = "Adaptive",
        /// The scheduler that decides the parallelism of a batch job as it goes.
        AdaptiveBatch = "AdaptiveBatch",
    }
}

#[cfg(test)]
mod tests {
    use super::{ExecutionState, JobStatus, SchedulerType};

    #[test]
    fn a_job_and_a_task_are_cancelled_in_different_words() {
        assert_eq!(JobStatus::Cancelling.to_string(), "CANCELLING");
        assert_eq!(ExecutionState::Canceling.to_string(), "CANCELING");
        assert!("CANCELLING".parse::<ExecutionState>().is_err());
        assert_eq!(serde_json::to_string(&SchedulerType::AdaptiveBatch).unwrap(), r#""AdaptiveBatch""#);
    }

    #[test]
    fn only_three_states_are_final() {
        let last: Vec<_> = JobStatus::ALL.iter().filter(|status| status.is_globally_terminal()).collect();
        assert_eq!(last, [&JobStatus::Failed, &JobStatus::Canceled, &JobStatus::Finished]);
        let ended: Vec<_> = ExecutionState::ALL.iter().filter(|state| state.is_terminal()).collect();
        assert_eq!(ended, [&ExecutionState::Finished, &ExecutionState::Canceled, &ExecutionState::Failed]);
        assert_eq!((JobStatus::ALL.len(), ExecutionState::ALL.len()), (11, 10));
    }
}
