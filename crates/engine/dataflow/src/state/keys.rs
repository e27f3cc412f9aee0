//! Keys: from columns to something that hashes and compares fast, and back.
//!
//! A single integer-like column is its 64 bits; everything else is Arrow's row format. The hash is our own and stable,
//! because the key group of a key decides which subtask owns its state.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int8Array, Int16Array, Int32Array, Int64Array, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_row::{OwnedRow, RowConverter, Rows, SortField};
use arrow_schema::{DataType, SchemaRef};
use hashbrown::HashTable;
use kobel_model::{Error, Result};

use crate::batch::arrow_bug;

/// Encodes the key columns of batches.
pub struct KeyEncoder {
    columns: Vec<usize>,
    kind: EncoderKind,
}

enum EncoderKind {
    /// No columns: one key.
    Unit,
    /// One integer-like column of this type.
    Fixed(DataType),
    /// Anything else.
    Rows(RowConverter),
}

/// The keys of a batch with their hashes.
pub struct EncodedKeys {
    content: KeyContent,
    /// One per row.
    pub hashes: Vec<u64>,
}

enum KeyContent {
    Unit,
    Fixed(Vec<i64>, Option<NullBuffer>),
    Rows(Rows),
}

/// The hash of a NULL key and of the empty key.
const EMPTY_HASH: u64 = 0x9e37_79b9_7f4a_7c15;

impl KeyEncoder {
    /// An encoder for these columns of batches with this schema.
    ///
    /// # Errors
    /// Unsupported if a type cannot be a key.
    pub fn new(schema: &SchemaRef, columns: &[usize]) -> Result<Self> {
        let types: Vec<_> = columns.iter().map(|column| schema.field(*column).data_type().clone()).collect();
        let kind =
            match types.as_slice() {
                [] => EncoderKind::Unit,
                [single] if is_fixed(single) => EncoderKind::Fixed(single.clone()),
                _ => {
                    let fields = types.into_iter().map(SortField::new).collect();
                    EncoderKind::Rows(RowConverter::new(fields).map_err(|error| {
                        Error::unsupported("a key of this type is not supported").with_source(error)
                    })?)
                }
            };
        Ok(Self { columns: columns.to_vec(), kind })
    }

    /// The keys of a batch.
    ///
    /// # Errors
    /// Bug if the batch has another schema.
    pub fn encode(&self, records: &RecordBatch) -> Result<EncodedKeys> {
        let columns: Vec<_> = self.columns.iter().map(|column| records.column(*column).clone()).collect();
        self.encode_columns(&columns, records.num_rows())
    }

    /// The keys that stand in these columns, which are the key columns in order.
    ///
    /// # Errors
    /// Bug if the columns have other types.
    pub fn encode_columns(&self, columns: &[ArrayRef], rows: usize) -> Result<EncodedKeys> {
        match &self.kind {
            EncoderKind::Unit => Ok(EncodedKeys { content: KeyContent::Unit, hashes: vec![EMPTY_HASH; rows] }),
            EncoderKind::Fixed(_) => {
                let column = columns.first().ok_or_else(|| Error::bug("the key column is missing"))?;
                let values = fixed_values(column)?;
                let nulls = column.logical_nulls().filter(|nulls| nulls.null_count() > 0);
                let mut hashes: Vec<u64> = values.iter().map(|value| mix(*value as u64)).collect();
                if let Some(nulls) = &nulls {
                    (0..rows).filter(|row| nulls.is_null(*row)).for_each(|row| hashes[row] = EMPTY_HASH);
                }
                Ok(EncodedKeys { content: KeyContent::Fixed(values, nulls), hashes })
            }
            EncoderKind::Rows(converter) => {
                let rows = converter.convert_columns(columns).map_err(arrow_bug)?;
                let hashes = rows.iter().map(|row| hash_bytes(row.as_ref())).collect();
                Ok(EncodedKeys { content: KeyContent::Rows(rows), hashes })
            }
        }
    }
}

fn is_fixed(ty: &DataType) -> bool {
    use DataType::{Date32, Int8, Int16, Int32, Int64, Time32, Timestamp};
    matches!(ty, Int8 | Int16 | Int32 | Int64 | Date32 | Time32(_) | Timestamp(..))
}

/// The values of an integer-like column as 64 bits; what stands under a NULL is arbitrary.
fn fixed_values(column: &ArrayRef) -> Result<Vec<i64>> {
    fn widen<T: Copy + Into<i64>>(values: &[T]) -> Vec<i64> {
        values.iter().map(|value| (*value).into()).collect()
    }
    let data = column.to_data();
    let plain = |ty: DataType| data.clone().into_builder().data_type(ty).build().map_err(arrow_bug);
    match column.data_type() {
        DataType::Int8 => Ok(widen(column.as_primitive::<Int8Type>().values())),
        DataType::Int16 => Ok(widen(column.as_primitive::<Int16Type>().values())),
        DataType::Int32 => Ok(widen(column.as_primitive::<Int32Type>().values())),
        DataType::Int64 => Ok(column.as_primitive::<Int64Type>().values().to_vec()),
        DataType::Date32 | DataType::Time32(_) => Ok(widen(Int32Array::from(plain(DataType::Int32)?).values())),
        DataType::Timestamp(..) => Ok(Int64Array::from(plain(DataType::Int64)?).values().to_vec()),
        other => Err(Error::bug(format!("{other} is no fixed-width key"))),
    }
}

/// Builds an integer-like column of type `ty` from 64-bit values.
fn fixed_column(ty: &DataType, values: impl Iterator<Item = Option<i64>>) -> Result<ArrayRef> {
    let integers: ArrayRef = match ty {
        DataType::Int8 => Arc::new(values.map(|value| value.map(|value| value as i8)).collect::<Int8Array>()),
        DataType::Int16 => Arc::new(values.map(|value| value.map(|value| value as i16)).collect::<Int16Array>()),
        DataType::Int32 | DataType::Date32 | DataType::Time32(_) => {
            Arc::new(values.map(|value| value.map(|value| value as i32)).collect::<Int32Array>())
        }
        _ => Arc::new(values.collect::<Int64Array>()),
    };
    let data = integers.to_data().into_builder().data_type(ty.clone()).build().map_err(arrow_bug)?;
    Ok(arrow_array::make_array(data))
}

/// Mixes 64 bits so that every input bit changes every output bit (the finaliser of SplitMix64).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The hash as the tables use it: they tell entries apart by the highest bits, which are equal within a key group.
fn tag(hash: u64) -> u64 {
    hash.rotate_left(32)
}

/// Hashes bytes eight at a time; stable for ever.
fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hash = bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = chunk.iter().rev().fold(0u64, |word, byte| (word << 8) | u64::from(*byte));
        hash = (hash.rotate_left(23) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    let word = chunks.remainder().iter().rev().fold(0u64, |word, byte| (word << 8) | u64::from(*byte));
    mix((hash.rotate_left(23) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95))
}

/// The keys of a table: key to dense slot, and slot to key.
///
/// # Invariants
/// A slot is live from the `intern` that made it until `remove`; removed slots are used again.
pub struct KeyIndex {
    table: HashTable<u32>,
    hashes: Vec<u64>,
    store: KeyStore,
    live: Vec<bool>,
    free: Vec<u32>,
}

enum KeyStore {
    Unit,
    Fixed(Vec<Option<i64>>),
    Rows(Vec<Option<OwnedRow>>),
}

impl KeyIndex {
    /// An empty index for the keys of `encoder`.
    pub fn new(encoder: &KeyEncoder) -> Self {
        let store = match &encoder.kind {
            EncoderKind::Unit => KeyStore::Unit,
            EncoderKind::Fixed(_) => KeyStore::Fixed(Vec::new()),
            EncoderKind::Rows(_) => KeyStore::Rows(Vec::new()),
        };
        Self { table: HashTable::new(), hashes: Vec::new(), store, live: Vec::new(), free: Vec::new() }
    }

    /// Number of slots, live or free.
    pub fn slots(&self) -> usize {
        self.live.len()
    }

    /// Number of live slots.
    pub fn len(&self) -> usize {
        self.live.len() - self.free.len()
    }

    /// Whether no slot is live.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a slot is live.
    pub fn is_live(&self, slot: usize) -> bool {
        self.live[slot]
    }

    /// The slot of each key, made where it is new; appended to `slots`.
    pub fn intern(&mut self, keys: &EncodedKeys, slots: &mut Vec<u32>) {
        slots.reserve(keys.hashes.len());
        match (&mut self.store, &keys.content) {
            (KeyStore::Fixed(stored), KeyContent::Fixed(values, None)) => {
                for (value, hash) in values.iter().zip(&keys.hashes) {
                    let found = self.table.find(tag(*hash), |slot| stored[*slot as usize] == Some(*value)).copied();
                    let slot = found.unwrap_or_else(|| {
                        let parts = SlotParts { hashes: &mut self.hashes, live: &mut self.live, free: &mut self.free };
                        insert(&mut self.table, parts, stored, Some(*value), *hash)
                    });
                    slots.push(slot);
                }
            }
            _ => (0..keys.hashes.len()).for_each(|row| slots.push(self.intern_one(keys, row))),
        }
    }

    fn intern_one(&mut self, keys: &EncodedKeys, row: usize) -> u32 {
        let hash = keys.hashes[row];
        let parts = SlotParts { hashes: &mut self.hashes, live: &mut self.live, free: &mut self.free };
        match (&mut self.store, &keys.content) {
            (KeyStore::Fixed(stored), KeyContent::Fixed(values, nulls)) => {
                let null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                let value = if null { None } else { Some(values[row]) };
                match self.table.find(tag(hash), |slot| stored[*slot as usize] == value) {
                    Some(slot) => *slot,
                    None => insert(&mut self.table, parts, stored, value, hash),
                }
            }
            (KeyStore::Rows(stored), KeyContent::Rows(rows)) => {
                let value = rows.row(row);
                let same = |slot: &u32| stored[*slot as usize].as_ref().is_some_and(|stored| stored.row() == value);
                match self.table.find(tag(hash), same) {
                    Some(slot) => *slot,
                    None => insert(&mut self.table, parts, stored, Some(value.owned()), hash),
                }
            }
            _ => match self.table.find(tag(hash), |_| true) {
                Some(slot) => *slot,
                None => insert(&mut self.table, parts, &mut Vec::new(), None::<()>, hash),
            },
        }
    }

    /// Frees a slot and forgets its key.
    pub fn remove(&mut self, slot: u32) {
        let at = slot as usize;
        if let Ok(entry) = self.table.find_entry(tag(self.hashes[at]), |other| *other == slot) {
            entry.remove();
            self.live[at] = false;
            self.free.push(slot);
            if let KeyStore::Rows(stored) = &mut self.store {
                stored[at] = None;
            }
        }
    }

    /// The key columns of these live slots.
    ///
    /// # Errors
    /// Bug if a slot is not live.
    pub fn columns(&self, encoder: &KeyEncoder, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        match (&self.store, &encoder.kind) {
            (KeyStore::Fixed(stored), EncoderKind::Fixed(ty)) => {
                Ok(vec![fixed_column(ty, slots.iter().map(|slot| stored[*slot as usize]))?])
            }
            (KeyStore::Rows(stored), EncoderKind::Rows(converter)) => {
                let rows: Option<Vec<_>> =
                    slots.iter().map(|slot| stored[*slot as usize].as_ref().map(OwnedRow::row)).collect();
                let rows = rows.ok_or_else(|| Error::bug("the key of a free slot was asked for"))?;
                converter.convert_rows(rows).map_err(arrow_bug)
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// The parts of a [`KeyIndex`] that a new slot changes beside the key store.
struct SlotParts<'a> {
    hashes: &'a mut Vec<u64>,
    live: &'a mut Vec<bool>,
    free: &'a mut Vec<u32>,
}

/// Makes a slot for a key that is not in the table.
fn insert<K>(table: &mut HashTable<u32>, parts: SlotParts<'_>, stored: &mut Vec<K>, key: K, hash: u64) -> u32 {
    let slot = match parts.free.pop() {
        Some(slot) => {
            let at = slot as usize;
            parts.hashes[at] = hash;
            parts.live[at] = true;
            if let Some(place) = stored.get_mut(at) {
                *place = key;
            }
            slot
        }
        None => {
            let slot = parts.live.len() as u32;
            parts.hashes.push(hash);
            parts.live.push(true);
            stored.push(key);
            slot
        }
    };
    let hashes = &*parts.hashes;
    table.insert_unique(tag(hash), slot, |slot| tag(hashes[*slot as usize]));
    slot
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::StringArray;
    use arrow_schema::{Field, Schema};

    fn check(columns: Vec<ArrayRef>) {
        let fields: Vec<_> = columns.iter().map(|column| Field::new("k", column.data_type().clone(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let records = RecordBatch::try_new(schema.clone(), columns).expect("columns fit");
        let encoder = KeyEncoder::new(&schema, &(0..records.num_columns()).collect::<Vec<_>>()).expect("keys");
        let mut index = KeyIndex::new(&encoder);
        let keys = encoder.encode(&records).expect("encodes");
        let (mut first, mut second) = (Vec::new(), Vec::new());
        index.intern(&keys, &mut first);
        index.intern(&keys, &mut second);
        assert_eq!(first, second);
        assert_eq!(first, [0, 1, 0, 2]);
        let back = index.columns(&encoder, &first).expect("live");
        assert_eq!(back.as_slice(), records.columns());
        index.remove(1);
        assert_eq!(index.len(), 2);
        let mut third = Vec::new();
        index.intern(&keys, &mut third);
        assert_eq!(third, [0, 1, 0, 2], "the free slot is used again");
    }

    #[test]
    fn integers_with_nulls_round_trip() {
        check(vec![Arc::new(Int64Array::from(vec![Some(5), None, Some(5), Some(-1)]))]);
        check(vec![Arc::new(Int32Array::from(vec![5, 0, 5, -1]))]);
    }

    #[test]
    fn strings_and_composites_round_trip() {
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("a"), Some("")]));
        check(vec![text.clone()]);
        check(vec![text, Arc::new(Int64Array::from(vec![1, 1, 1, 1]))]);
    }

    #[test]
    fn hashes_are_stable() {
        assert_eq!(mix(42), 0xbdd7_3226_2feb_6e95);
        assert_eq!(hash_bytes(b""), hash_bytes(b""));
        assert_ne!(hash_bytes(b"a"), hash_bytes(b"a\0"));
    }
}
