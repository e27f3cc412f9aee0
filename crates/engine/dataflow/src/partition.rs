//! Hash partitioning: which subtask each row of a batch belongs to.

use arrow_array::UInt32Array;
use arrow_schema::SchemaRef;
use kobel_model::Result;
use kobel_model::keygroup::MaxParallelism;

use crate::batch::Batch;
use crate::state::keys::KeyEncoder;

/// Divides batches among subtasks by the key group of some columns.
pub struct HashPartitioner {
    encoder: KeyEncoder,
    max: MaxParallelism,
    parallelism: usize,
}

impl HashPartitioner {
    /// A partitioner over these columns of rows of this schema.
    ///
    /// # Errors
    /// Unsupported if a column cannot be a key.
    pub fn new(schema: &SchemaRef, columns: &[usize], max: MaxParallelism, parallelism: usize) -> Result<Self> {
        Ok(Self { encoder: KeyEncoder::new(schema, columns)?, max, parallelism })
    }

    /// The rows of each subtask that gets any, in their order.
    ///
    /// # Errors
    /// Bug if the batch has another schema.
    pub fn divide(&self, batch: Batch) -> Result<Vec<(usize, Batch)>> {
        if self.parallelism == 1 {
            return Ok(vec![(0, batch)]);
        }
        let keys = self.encoder.encode(batch.records())?;
        let mut rows = vec![Vec::new(); self.parallelism];
        for (row, hash) in keys.hashes.iter().enumerate() {
            rows[self.max.subtask(self.max.key_group(*hash), self.parallelism)].push(row as u32);
        }
        let divided = rows.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty());
        divided.map(|(subtask, rows)| Ok((subtask, batch.take(&UInt32Array::from(rows))?))).collect()
    }
}
