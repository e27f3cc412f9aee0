//! Snapshot manifests: what a checkpoint or savepoint consists of, and the invariants that make it one.
//!
//! A manifest is the content of a `_metadata` file. It is written last and atomically: a directory without a valid one
//! is no snapshot. The first line carries length and checksum of the JSON that follows, so that a torn or changed file
//! is told from a whole one. This module reads and writes text only; files belong to the adapters.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::ids::{JobId, OperatorId};

/// Name of the file that makes a directory a snapshot.
pub const METADATA_FILE: &str = "_metadata";
/// Version of the manifest's format that this program writes.
pub const FORMAT_VERSION: u32 = 1;
const MAGIC: &str = "kobel-snapshot";

/// Who asked for a snapshot and who owns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SnapshotKind {
    /// The engine's own: incremental, removed when newer ones complete.
    Checkpoint,
    /// The user's: self-contained, never removed by the engine.
    Savepoint,
}

/// A snapshot of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT_VERSION`] of the writer.
    pub format: u32,
    /// Checkpoint or savepoint.
    pub kind: SnapshotKind,
    /// Increases with every snapshot of a lineage.
    pub checkpoint_id: u64,
    /// The job.
    pub job_id: JobId,
    /// The first job of the lineage; absent if that is this job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<JobId>,
    /// Name of the job.
    pub job_name: String,
    /// Position of the job's statement in its script, from 0.
    pub statement: usize,
    /// Epoch milliseconds at which the snapshot was triggered.
    pub triggered_ms: i64,
    /// Number of key groups.
    pub max_parallelism: u32,
    /// The input had ended and all of it was processed.
    pub finished: bool,
    /// Operators that have state, in the order of the plan.
    pub operators: Vec<OperatorManifest>,
}

/// The state of one operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorManifest {
    /// Identity.
    pub id: OperatorId,
    /// Name, for messages.
    pub name: String,
    /// What the state means: functions, types, keys; restoring compares it.
    pub fingerprint: String,
    /// By subtask, as many as the parallelism was.
    pub subtasks: Vec<SubtaskManifest>,
}

/// The state of one subtask of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SubtaskManifest {
    /// Small state (positions of splits, watermarks, prepared output), in the operator's own encoding.
    #[serde(with = "hex_bytes", default, skip_serializing_if = "Vec::is_empty")]
    pub inline: Vec<u8>,
    /// Pages of keyed state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<PageRef>,
}

/// Where a page of keyed state lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRef {
    /// The table of the operator that it belongs to (0, or the end of a window).
    pub table: i64,
    /// Number of the page in its table.
    pub page: u32,
    /// File, relative to the directory of the manifest, with `/`.
    pub file: String,
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
    /// CRC-32 of the bytes.
    pub crc32: u32,
}

impl Manifest {
    /// The bytes of the `_metadata` file.
    ///
    /// # Errors
    /// Bug if the manifest cannot be serialised.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let body = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::bug("cannot encode a manifest").with_source(error))?;
        let mut bytes = header(self.format, &body).into_bytes();
        bytes.push(b'\n');
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// Reads a `_metadata` file.
    ///
    /// # Errors
    /// Corrupt if it is torn, changed or no manifest; Unsupported if a newer version wrote it.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let torn = |why: &str| Error::corrupt(format!("the manifest is damaged: {why}"));
        let end =
            bytes.iter().take(256).position(|byte| *byte == b'\n').ok_or_else(|| torn("its first line is missing"))?;
        let line = std::str::from_utf8(&bytes[..end]).map_err(|_| torn("its first line is not text"))?;
        let body = &bytes[end + 1..];
        let format = line.strip_prefix(MAGIC).and_then(|rest| rest.strip_prefix(" format=")?.split(' ').next());
        let format = format.ok_or_else(|| torn("it was not written by Kobel"))?;
        let format: u32 = format.parse().map_err(|_| torn("its format is not a number"))?;
        if format > FORMAT_VERSION {
            return Err(Error::unsupported(format!(
                "the snapshot has format {format}; this version reads up to {FORMAT_VERSION}"
            )));
        }
        if line != header(format, body) {
            return Err(torn("length or checksum do not match its content"));
        }
        serde_json::from_slice(body).map_err(|error| torn("its content cannot be read").with_source(error))
    }

    /// The first job of the lineage: output that was prepared under its id is committed by its successors.
    pub fn lineage(&self) -> JobId {
        self.lineage.unwrap_or(self.job_id)
    }

    /// The state of an operator.
    pub fn operator(&self, id: OperatorId) -> Option<&OperatorManifest> {
        self.operators.iter().find(|operator| operator.id == id)
    }

    /// Bytes of all state.
    pub fn state_bytes(&self) -> u64 {
        self.operators.iter().flat_map(|operator| &operator.subtasks).map(SubtaskManifest::state_bytes).sum()
    }
}

impl SubtaskManifest {
    /// Bytes of its inline state and its pages.
    pub fn state_bytes(&self) -> u64 {
        self.inline.len() as u64 + self.pages.iter().map(|page| page.length).sum::<u64>()
    }
}

/// The first line of a manifest file with this body.
fn header(format: u32, body: &[u8]) -> String {
    format!("{MAGIC} format={format} length={} crc32={:08x}", body.len(), crc32fast::hash(body))
}

/// Bytes as a hexadecimal string.
mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(bytes.len() * 2);
        for byte in bytes {
            text.push_str(&format!("{byte:02x}"));
        }
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !text.is_ascii() || text.len() % 2 != 0 {
            return Err(D::Error::custom("expected an even number of hexadecimal digits"));
        }
        let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16));
        pairs.collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn manifest() -> Manifest {
        let page = PageRef { table: 3_600_000, page: 0, file: "../shared/a".into(), offset: 8, length: 9, crc32: 7 };
        let subtask = SubtaskManifest { inline: vec![0, 255], pages: vec![page] };
        Manifest {
            format: FORMAT_VERSION,
            kind: SnapshotKind::Checkpoint,
            checkpoint_id: 4,
            job_id: JobId::from_bytes([7; 16]),
            lineage: None,
            job_name: "hourly".into(),
            statement: 2,
            triggered_ms: 1,
            max_parallelism: 128,
            finished: false,
            operators: vec![OperatorManifest {
                id: OperatorId::of(&["a"]),
                name: "a".into(),
                fingerprint: "f".into(),
                subtasks: vec![subtask],
            }],
        }
    }

    #[test]
    fn manifest_round_trips() {
        let manifest = manifest();
        assert_eq!(Manifest::decode(&manifest.encode().expect("encodes")).expect("decodes"), manifest);
        assert_eq!(manifest.state_bytes(), 11);
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_found() {
        let bytes = manifest().encode().expect("encodes");
        for length in 0..bytes.len() {
            assert!(Manifest::decode(&bytes[..length]).is_err(), "cut to {length} bytes");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x20;
            assert!(Manifest::decode(&changed).is_err(), "byte {at} changed");
        }
    }

    #[test]
    fn a_newer_format_is_refused_as_unsupported() {
        let newer = Manifest { format: FORMAT_VERSION + 1, ..manifest() }.encode().expect("encodes");
        assert_eq!(Manifest::decode(&newer).expect_err("refused").kind(), ErrorKind::Unsupported);
    }
}
