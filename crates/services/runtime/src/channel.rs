//! Bounded queues between subtasks: one producer, one consumer, wake-ups both ways.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Instant;

use kobel_dataflow::Batch;
use kobel_dataflow::operator::Element;
use kobel_dataflow::state::snapshot::SnapshotMode;

use crate::control::StopMode;

/// What travels between subtasks.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Rows, and how many bytes they take in memory.
    Rows(Batch, u64),
    /// A watermark, or idleness.
    Control(Control),
    /// All before it belongs to the snapshot, all behind it does not.
    Barrier(Barrier),
    /// Nothing will come any more.
    End,
}

/// What travels with the rows and is about event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// See [`Element::Watermark`].
    Watermark(i64),
    /// See [`Element::Idle`].
    Idle,
}

impl From<Control> for Element {
    fn from(control: Control) -> Self {
        match control {
            Control::Watermark(watermark) => Self::Watermark(watermark),
            Control::Idle => Self::Idle,
        }
    }
}

/// A checkpoint barrier.
///
/// # Source
/// Carbone et al., "Lightweight Asynchronous Snapshots for Distributed Dataflows", 2015.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Barrier {
    /// Id of the snapshot.
    pub(crate) id: u64,
    /// What it should hold.
    pub(crate) mode: SnapshotMode,
    /// Sources yield nothing behind it, until they are told to go on.
    pub(crate) stop: Option<StopMode>,
    /// When it was triggered.
    pub(crate) triggered: Instant,
}

/// Messages that a queue holds; a batch is up to 8192 rows.
const CAPACITY: usize = 16;

/// Wakes the thread of a slot; does nothing while no thread runs it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waker(Arc<OnceLock<Thread>>);

impl Waker {
    /// Says that the calling thread runs the slot.
    pub(crate) fn attach(&self) {
        // A slot is run by one thread in its life, so the first caller is the right one.
        let _ = self.0.set(std::thread::current());
    }

    /// Wakes it.
    pub(crate) fn wake(&self) {
        if let Some(thread) = self.0.get() {
            thread.unpark();
        }
    }
}

/// The sending end.
pub(crate) struct Sender {
    queue: rtrb::Producer<Message>,
    /// What did not fit; while there is any, the subtask does not run.
    pending: VecDeque<Message>,
    receiver: Waker,
}

/// The receiving end.
pub(crate) struct Receiver {
    queue: rtrb::Consumer<Message>,
    sender: Waker,
}

/// A queue from a subtask in the slot of `sender` to one in the slot of `receiver`.
pub(crate) fn channel(sender: Waker, receiver: Waker) -> (Sender, Receiver) {
    let (producer, consumer) = rtrb::RingBuffer::new(CAPACITY);
    (Sender { queue: producer, pending: VecDeque::new(), receiver }, Receiver { queue: consumer, sender })
}

impl Sender {
    /// Sends a message, or keeps it until there is room.
    pub(crate) fn send(&mut self, message: Message) {
        self.pending.push_back(message);
        self.flush();
    }

    /// Sends what is kept as far as there is room; answers whether nothing is left.
    pub(crate) fn flush(&mut self) -> bool {
        let mut sent = false;
        while let Some(message) = self.pending.pop_front() {
            match self.queue.push(message) {
                Ok(()) => sent = true,
                Err(rtrb::PushError::Full(message)) => {
                    self.pending.push_front(message);
                    break;
                }
            }
        }
        if sent {
            self.receiver.wake();
        }
        self.pending.is_empty()
    }
}

impl Receiver {
    /// Whether there is no message.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The next message, if there is one.
    pub(crate) fn receive(&mut self) -> Option<Message> {
        let message = self.queue.pop().ok();
        // Looked at after the pop, since the sender may find the queue full at any time before it; and once more when
        // half of it is free, for one that parks while this is read.
        let left = self.queue.slots();
        if message.is_some() && (left + 1 >= CAPACITY || left == CAPACITY / 2) {
            self.sender.wake();
        }
        message
    }
}
