//! The input of a subtask that reads from others: merges channels, combines watermarks, aligns barriers.
//!
//! A channel whose barrier has come is not read until all have it; a channel that has ended counts as having it. So the
//! snapshot between the last barrier and what follows is consistent, exactly once.
//!
//! # Source
//! Flink `SingleCheckpointBarrierHandler`, `StatusWatermarkValve`.

use std::time::Instant;

use kobel_dataflow::Batch;
use kobel_dataflow::operator::Element;

use crate::channel::{Barrier, Control, Message, Receiver};

/// The channels into a subtask.
pub(crate) struct Gate {
    channels: Vec<Channel>,
    /// Where the next search for a message begins, so that no channel starves.
    next: usize,
    watermark: i64,
    barrier: Option<Barrier>,
    /// When the first barrier of the alignment that is under way came, or of the last one.
    first_barrier: Instant,
    is_idle: bool,
    has_ended: bool,
}

/// A channel that a gate will read.
pub(crate) struct GateInput {
    pub(crate) receiver: Receiver,
    /// Its sender has nothing to send, ever.
    pub(crate) is_empty: bool,
}

struct Channel {
    receiver: Receiver,
    watermark: i64,
    state: ChannelState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ChannelState {
    /// Is read and holds the watermark back.
    Active,
    /// Is read but does not hold the watermark back.
    Idle,
    /// Has its barrier and is not read; the flag says whether it was idle.
    Blocked(/** was idle */ bool),
    Ended,
}

/// What comes out of a gate.
pub(crate) enum GateEvent {
    /// Rows, and how many bytes they take in memory.
    Rows(Batch, u64),
    /// The combined watermark grew, or all channels are idle.
    Control(Element),
    /// The barrier has come on all channels.
    Aligned(Barrier),
    /// All channels have ended.
    End,
    /// Messages were taken but nothing follows from them yet.
    Progress,
    /// There is no message.
    Nothing,
}

impl Gate {
    /// A gate over these channels. Those of which nothing can come begin idle, so that the watermark does not depend on
    /// when their end arrives.
    pub(crate) fn new(inputs: Vec<GateInput>) -> Self {
        let channel = |input: GateInput| {
            let state = if input.is_empty { ChannelState::Idle } else { ChannelState::Active };
            Channel { receiver: input.receiver, watermark: i64::MIN, state }
        };
        Self {
            channels: inputs.into_iter().map(channel).collect(),
            next: 0,
            watermark: i64::MIN,
            barrier: None,
            first_barrier: Instant::now(),
            is_idle: false,
            has_ended: false,
        }
    }

    /// Takes one message.
    pub(crate) fn poll(&mut self) -> GateEvent {
        let count = self.channels.len();
        for step in 0..count {
            let index = (self.next + step) % count;
            let channel = &mut self.channels[index];
            if matches!(channel.state, ChannelState::Blocked(_) | ChannelState::Ended) {
                continue;
            }
            if let Some(message) = channel.receiver.receive() {
                // Stay with a channel until it is empty: its batches are warm.
                self.next = index;
                return self.take(index, message);
            }
        }
        GateEvent::Nothing
    }

    /// Whether a message waits that may be taken.
    pub(crate) fn has_input(&self) -> bool {
        let is_read = |channel: &&Channel| !matches!(channel.state, ChannelState::Blocked(_) | ChannelState::Ended);
        self.channels.iter().filter(is_read).any(|channel| !channel.receiver.is_empty())
    }

    /// When the first barrier of the last alignment came.
    pub(crate) fn first_barrier(&self) -> Instant {
        self.first_barrier
    }

    fn take(&mut self, index: usize, message: Message) -> GateEvent {
        let channel = &mut self.channels[index];
        match message {
            Message::Rows(batch, bytes) => GateEvent::Rows(batch, bytes),
            Message::Control(Control::Watermark(watermark)) => {
                channel.watermark = channel.watermark.max(watermark);
                channel.state = ChannelState::Active;
                let was_idle = std::mem::take(&mut self.is_idle);
                match self.combined() {
                    // Those behind must learn that rows may come again, even if the watermark stays.
                    GateEvent::Progress if was_idle => GateEvent::Control(Element::Watermark(self.watermark)),
                    event => event,
                }
            }
            Message::Control(Control::Idle) => {
                channel.state = ChannelState::Idle;
                self.combined()
            }
            Message::Barrier(barrier) => {
                channel.state = ChannelState::Blocked(channel.state == ChannelState::Idle);
                if self.barrier.replace(barrier).is_none() {
                    self.first_barrier = Instant::now();
                }
                self.next = (index + 1) % self.channels.len();
                self.aligned().unwrap_or(GateEvent::Progress)
            }
            Message::End => {
                channel.state = ChannelState::Ended;
                self.has_ended = self.channels.iter().all(|channel| channel.state == ChannelState::Ended);
                if self.has_ended {
                    return GateEvent::End;
                }
                match self.aligned() {
                    Some(event) => event,
                    None => self.combined(),
                }
            }
        }
    }

    /// The barrier, if every channel has it or has ended.
    fn aligned(&mut self) -> Option<GateEvent> {
        let waiting = |channel: &Channel| matches!(channel.state, ChannelState::Active | ChannelState::Idle);
        if self.barrier.is_none() || self.channels.iter().any(waiting) {
            return None;
        }
        for channel in &mut self.channels {
            if let ChannelState::Blocked(was_idle) = channel.state {
                channel.state = if was_idle { ChannelState::Idle } else { ChannelState::Active };
            }
        }
        self.barrier.take().map(GateEvent::Aligned)
    }

    /// The combined watermark, if it grew; idleness, if it began.
    fn combined(&mut self) -> GateEvent {
        let holds = |channel: &&Channel| matches!(channel.state, ChannelState::Active | ChannelState::Blocked(false));
        match self.channels.iter().filter(holds).map(|channel| channel.watermark).min() {
            Some(watermark) if watermark > self.watermark => {
                self.watermark = watermark;
                GateEvent::Control(Element::Watermark(watermark))
            }
            Some(_) => GateEvent::Progress,
            None if !self.is_idle && !self.has_ended => {
                self.is_idle = true;
                GateEvent::Control(Element::Idle)
            }
            None => GateEvent::Progress,
        }
    }
}
