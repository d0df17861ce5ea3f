//! One Parquet column chunk on its way: values gather into a page, pages into the chunk.
//!
//! A page is encoded as soon as it is full, so that what is held of a row group is its compressed
//! bytes. The encoding is chosen by looking: a dictionary while few values are distinct, differences
//! for whole numbers, bytes by their places for floating-point numbers, and plain where none of these
//! makes it smaller.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

use super::dictionary::Dictionary;
use super::error::{ArchiveError, Result};
use super::extent::{Extent, float_key, key64};
use super::page::{self, Header, encoding};
use super::stored::Physical;
use super::values::{PAGE_BYTES, Values, entries_extent, numbers};

/// A page has no more levels than this.
const PAGE_LEVELS: usize = 1 << 16;

/// Of longer texts and byte strings the footer tells neither the least nor the greatest.
const STATISTIC_BYTES: usize = 1 << 10;

/// What a leaf is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// What it holds.
    pub physical: Physical,
    /// The highest definition level, which says that there is a value.
    pub max_definition: u8,
    /// The highest repetition level.
    pub max_repetition: u8,
    /// Whether its bytes must be UTF-8.
    pub text: bool,
    /// Whether its numbers are unsigned.
    pub unsigned: bool,
    /// Whether its values have an order that Parquet knows.
    pub ordered: bool,
    /// Whether it is a time, of which a dictionary is hardly ever the best.
    pub time: bool,
}

/// How whole numbers are written, and what the first page has shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Choice {
    Unknown,
    Dictionary,
    Other,
}

/// A column chunk being written.
pub struct Leaf {
    shape: Shape,
    /// The page's values. Whoever adds one adds its levels too.
    pub values: Values,
    levels: usize,
    /// The page's definition levels; empty while all of them are the highest.
    definitions: Vec<u8>,
    repetitions: Vec<u8>,
    dictionary: Dictionary,
    choice: Choice,
    /// What the chunk before this was, to begin with.
    remembered: Choice,
    chunk: Chunk,
    compressor: zstd::bulk::Compressor<'static>,
    level: i32,
    scratch: Scratch,
}

#[derive(Default)]
struct Scratch {
    numbers: Vec<u32>,
    plain: Vec<u8>,
    other: Vec<u8>,
    compressed: Vec<u8>,
}

#[derive(Default)]
struct Chunk {
    body: Body,
    uncompressed: usize,
    levels: usize,
    rows: usize,
    nulls: usize,
    encodings: Vec<Encoding>,
    extent: Extent,
}

/// Pages one after another, in pieces: what is held is not moved into a larger place again and again, of which each
/// would take as much memory once more.
#[derive(Default)]
struct Body {
    pieces: Vec<Vec<u8>>,
    bytes: usize,
}

/// A piece has room for no more than this, unless a page is larger.
const PIECE: usize = 1 << 18;

impl Body {
    fn put(&mut self, header: Header, compressed: &[u8]) -> Option<usize> {
        let needed = compressed.len() + page::HEADER_AT_MOST;
        let has_room = |piece: &Vec<u8>| piece.capacity() - piece.len() >= needed;
        if !self.pieces.last().is_some_and(has_room) {
            self.pieces.push(Vec::with_capacity(needed.max(self.bytes.min(PIECE))));
        }
        let piece = self.pieces.last_mut()?;
        let before = piece.len();
        let length = page::put_page(piece, header, compressed)?;
        self.bytes += piece.len() - before;
        Some(length)
    }
}

/// A column chunk as it is appended to the file.
pub struct Done {
    /// Its bytes: the dictionary's page first, and then all others.
    pub bytes: Vec<Bytes>,
    /// What the file's footer says of it.
    pub close: ColumnCloseResult,
}

impl Leaf {
    /// A leaf that writes zstd of a level.
    ///
    /// # Errors
    /// When there is no such level.
    pub fn new(shape: Shape, level: i32) -> Result<Self> {
        let compressor = zstd::bulk::Compressor::new(level)?;
        let choice = if shape.time || shape.physical == Physical::Bool { Choice::Other } else { Choice::Unknown };
        Ok(Self {
            shape,
            values: Values::new(shape.physical),
            levels: 0,
            definitions: Vec::new(),
            repetitions: Vec::new(),
            dictionary: Dictionary::default(),
            choice,
            remembered: choice,
            chunk: Chunk::default(),
            compressor,
            level,
            scratch: Scratch::default(),
        })
    }

    /// Bytes of the chunk so far, and about as many as the page will have.
    pub fn held(&self) -> usize {
        let page = match &self.values {
            Values::Bytes(data, ends) => data.len() + ends.len(),
            values => values.len(),
        };
        self.chunk.body.bytes + self.dictionary.bytes() + page
    }

    /// Tells that a value was added, which begins a row.
    #[inline]
    pub fn added(&mut self) {
        self.levels += 1;
        if !self.definitions.is_empty() {
            self.definitions.push(self.shape.max_definition);
        }
    }

    /// Adds a NULL, which begins a row.
    #[inline]
    pub fn null(&mut self) {
        if self.definitions.is_empty() {
            self.definitions.resize(self.levels, self.shape.max_definition);
        }
        self.levels += 1;
        self.definitions.push(0);
    }

    /// Adds the levels of a list's element, or of a list without any.
    #[inline]
    pub fn level(&mut self, definition: u8, repetition: u8) {
        self.levels += 1;
        self.definitions.push(definition);
        self.repetitions.push(repetition);
    }

    /// Ends the page if it is full. To be called before a row begins.
    ///
    /// # Errors
    /// When the page cannot be written.
    #[inline]
    pub fn turn(&mut self) -> Result<()> {
        let full = match &self.values {
            Values::Bytes(data, _) => data.len() >= PAGE_BYTES,
            _ => false,
        };
        if full || self.levels >= PAGE_LEVELS { self.end_page() } else { Ok(()) }
    }

    fn end_page(&mut self) -> Result<()> {
        if self.levels == 0 {
            return Ok(());
        }
        self.scratch.plain.clear();
        let nulls = self.levels - self.values.len();
        self.put_levels();
        let encoding = self.encode()?;
        let size = self.scratch.plain.len();
        compress(&mut self.compressor, &self.scratch.plain, &mut self.scratch.compressed)?;
        let header = Header { dictionary: false, uncompressed: size, values: self.levels, encoding };
        let length = self.chunk.body.put(header, &self.scratch.compressed);
        self.chunk.uncompressed += size + length.ok_or(ArchiveError::Internal { what: "a page of over 2 GB" })?;
        self.chunk.levels += self.levels;
        let rows = if self.repetitions.is_empty() {
            self.levels
        } else {
            self.repetitions.iter().filter(|level| **level == 0).count()
        };
        self.chunk.rows += rows;
        self.chunk.nulls += nulls;
        self.levels = 0;
        self.values.clear();
        self.definitions.clear();
        self.repetitions.clear();
        Ok(())
    }

    fn put_levels(&mut self) {
        let out = &mut self.scratch.plain;
        let each = [(self.shape.max_repetition, &self.repetitions), (self.shape.max_definition, &self.definitions)];
        for (highest, levels) in each {
            if highest == 0 {
                continue;
            }
            let start = out.len();
            out.extend_from_slice(&[0; 4]);
            let width = page::width_of(u64::from(highest));
            if levels.is_empty() {
                page::put_run(out, u64::from(highest), self.levels, width);
            } else {
                page::put_hybrid(out, levels, width);
            }
            let length = (out.len() - start - 4) as u32;
            if let Some(place) = out.get_mut(start..start + 4) {
                place.copy_from_slice(&length.to_le_bytes());
            }
        }
    }

    /// Appends the page's values in the encoding that it gives.
    fn encode(&mut self) -> Result<i32> {
        if self.choice != Choice::Other
            && let Some(encoding) = self.encode_numbers()?
        {
            return Ok(encoding);
        }
        if self.shape.ordered {
            self.chunk.extent.fold(self.values.extent(self.shape.unsigned));
        }
        if self.shape.text {
            check_text(&self.values)?;
        }
        let encoding = self.encode_other();
        self.note(encoding);
        Ok(encoding)
    }

    /// As numbers of the dictionary's entries, if that is the better way.
    fn encode_numbers(&mut self) -> Result<Option<i32>> {
        let before = self.dictionary.len();
        let fits = numbers(&self.values, &mut self.dictionary, &mut self.scratch.numbers);
        if self.choice == Choice::Unknown {
            let pays = fits && self.dictionary.len() * 2 <= self.values.len() && self.is_smaller();
            self.choice = if pays { Choice::Dictionary } else { Choice::Other };
            self.remembered = self.choice;
            if !pays {
                self.dictionary = Dictionary::default();
                return Ok(None);
            }
        } else if !fits {
            // The pages before stay as they are, and the dictionary with them.
            self.choice = Choice::Other;
            self.remembered = Choice::Unknown;
            return Ok(None);
        }
        if self.shape.text {
            for value in self.dictionary.values(before) {
                std::str::from_utf8(value).map_err(|_| not_text())?;
            }
        }
        if self.shape.ordered {
            self.chunk.extent.fold(entries_extent(&self.dictionary, before, self.shape.physical, self.shape.unsigned));
        }
        let width = page::width_of(self.dictionary.len().saturating_sub(1) as u64);
        self.scratch.plain.push(width as u8);
        page::put_hybrid(&mut self.scratch.plain, &self.scratch.numbers, width);
        self.note(encoding::DICTIONARY);
        Ok(Some(encoding::DICTIONARY))
    }

    /// Whether the dictionary's numbers are fewer bytes than the other encoding, which is tried.
    fn is_smaller(&mut self) -> bool {
        if !matches!(self.shape.physical, Physical::I32 | Physical::I64) {
            return true;
        }
        let start = self.scratch.plain.len();
        self.encode_other();
        let other = self.scratch.plain.len() - start;
        self.scratch.plain.truncate(start);
        let width = page::width_of(self.dictionary.len().saturating_sub(1) as u64) as usize;
        self.values.len() * width / 8 + self.dictionary.bytes() / 4 < other
    }

    fn encode_other(&mut self) -> i32 {
        let Scratch { plain: out, other, .. } = &mut self.scratch;
        match &self.values {
            Values::Bool(values) => {
                page::put_packed(out, values.iter().map(|value| u64::from(*value)), 1);
                encoding::PLAIN
            }
            Values::I32(values) => {
                other.clear();
                page::put_delta(other, values.iter().map(|value| i64::from(*value)), 32);
                delta_or_plain(out, other, values.iter().flat_map(|value| value.to_le_bytes()), values.len() * 4)
            }
            Values::I64(values) => {
                other.clear();
                page::put_delta(other, values.iter().copied(), 64);
                delta_or_plain(out, other, values.iter().flat_map(|value| value.to_le_bytes()), values.len() * 8)
            }
            Values::F32(values) => {
                page::put_split(out, values.len(), |index| values.get(index).map(|bits| bits.to_le_bytes()));
                encoding::SPLIT
            }
            Values::F64(values) => {
                page::put_split(out, values.len(), |index| values.get(index).map(|bits| bits.to_le_bytes()));
                encoding::SPLIT
            }
            Values::Fixed16(values) => {
                out.extend_from_slice(values.as_flattened());
                encoding::PLAIN
            }
            Values::Bytes(data, ends) => {
                let mut start = 0;
                let lengths = ends.iter().map(|end| {
                    let length = *end - start;
                    start = *end;
                    length as i64
                });
                page::put_delta(out, lengths, 32);
                out.extend_from_slice(data);
                encoding::DELTA_LENGTH
            }
        }
    }

    fn note(&mut self, encoding: i32) {
        let encoding = match encoding {
            encoding::PLAIN => Encoding::PLAIN,
            encoding::DELTA => Encoding::DELTA_BINARY_PACKED,
            encoding::DELTA_LENGTH => Encoding::DELTA_LENGTH_BYTE_ARRAY,
            encoding::DICTIONARY => Encoding::RLE_DICTIONARY,
            _ => Encoding::BYTE_STREAM_SPLIT,
        };
        if !self.chunk.encodings.contains(&encoding) {
            self.chunk.encodings.push(encoding);
        }
    }

    /// Ends the chunk, and begins the next.
    ///
    /// # Errors
    /// When a page cannot be written.
    pub fn end_chunk(&mut self, descr: &ColumnDescPtr) -> Result<Done> {
        self.end_page()?;
        let mut chunk = std::mem::take(&mut self.chunk);
        let mut first = Vec::new();
        if chunk.encodings.contains(&Encoding::RLE_DICTIONARY) {
            chunk.encodings.push(Encoding::PLAIN);
            let plain = &mut self.scratch.plain;
            plain.clear();
            if self.shape.physical == Physical::Bytes {
                for value in self.dictionary.values(0) {
                    plain.extend_from_slice(&(value.len() as u32).to_le_bytes());
                    plain.extend_from_slice(value);
                }
            } else {
                plain.extend_from_slice(self.dictionary.data());
            }
            compress(&mut self.compressor, plain, &mut self.scratch.compressed)?;
            let (uncompressed, values) = (plain.len(), self.dictionary.len());
            let header = Header { dictionary: true, uncompressed, values, encoding: encoding::PLAIN };
            let length = page::put_page(&mut first, header, &self.scratch.compressed);
            chunk.uncompressed += uncompressed + length.unwrap_or(0);
        }
        self.dictionary = Dictionary::default();
        self.choice = self.remembered;
        self.done(descr, chunk, first)
    }

    fn done(&self, descr: &ColumnDescPtr, chunk: Chunk, first: Vec<u8>) -> Result<Done> {
        let compressed = chunk.body.bytes + first.len();
        let mut encodings = chunk.encodings;
        encodings.push(Encoding::RLE);
        encodings.dedup();
        let level = parquet::basic::ZstdLevel::try_new(self.level)?;
        let metadata = ColumnChunkMetaData::builder(descr.clone())
            .set_encodings(encodings)
            .set_compression(Compression::ZSTD(level))
            .set_num_values(i64::try_from(chunk.levels).unwrap_or(i64::MAX))
            .set_total_compressed_size(i64::try_from(compressed).unwrap_or(i64::MAX))
            .set_total_uncompressed_size(i64::try_from(chunk.uncompressed).unwrap_or(i64::MAX))
            .set_data_page_offset(i64::try_from(first.len()).unwrap_or(i64::MAX))
            .set_dictionary_page_offset((!first.is_empty()).then_some(0))
            .set_statistics(statistics(self.shape, &chunk.extent, chunk.nulls as u64))
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: compressed as u64,
            rows_written: chunk.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        let pieces = std::iter::once(first).chain(chunk.body.pieces).filter(|piece| !piece.is_empty());
        Ok(Done { bytes: pieces.map(Bytes::from).collect(), close })
    }
}

fn not_text() -> ArchiveError {
    ArchiveError::NotUtf8 { column: String::new() }
}

/// That every value is UTF-8: all of them together are, and none ends within a character.
fn check_text(values: &Values) -> Result<()> {
    let Values::Bytes(data, ends) = values else { return Ok(()) };
    let text = std::str::from_utf8(data).map_err(|_| not_text())?;
    if ends.iter().all(|end| text.is_char_boundary(*end)) { Ok(()) } else { Err(not_text()) }
}

fn compress(compressor: &mut zstd::bulk::Compressor<'static>, from: &[u8], into: &mut Vec<u8>) -> Result<()> {
    into.clear();
    into.reserve(zstd::zstd_safe::compress_bound(from.len()));
    compressor.compress_to_buffer(from, into)?;
    Ok(())
}

fn delta_or_plain(out: &mut Vec<u8>, delta: &[u8], plain: impl Iterator<Item = u8>, size: usize) -> i32 {
    // Differences that are hardly smaller only hide from zstd what is alike.
    if delta.len() * 10 < size * 9 {
        out.extend_from_slice(delta);
        encoding::DELTA
    } else {
        out.extend(plain);
        encoding::PLAIN
    }
}

/// What Parquet's statistics say.
fn statistics(shape: Shape, extent: &Extent, nulls: u64) -> Statistics {
    let nulls = Some(nulls);
    let keys = match extent {
        Extent::Keys(least, most) => Some((*least, *most)),
        _ => None,
    };
    let pair = |number: fn(i64, bool) -> i64| {
        keys.map(|(least, most)| (number(least, shape.unsigned), number(most, shape.unsigned))).unzip()
    };
    // Zeros are written so that a reader finds either of them, as the format asks for.
    let float = |key: i64| f64::from_bits(float_key(key as u64) as u64);
    let least = keys.map(|(least, _)| float(least)).map(|value| if value == 0.0 { -0.0 } else { value });
    let most = keys.map(|(_, most)| float(most)).map(|value| if value == 0.0 { 0.0 } else { value });
    match shape.physical {
        Physical::Bool => {
            let (least, most) = keys.map(|(least, most)| (least != 0, most != 0)).unzip();
            Statistics::boolean(least, most, None, nulls, false)
        }
        Physical::I32 => {
            let (least, most) = keys.map(|(least, most)| (least as i32, most as i32)).unzip();
            Statistics::int32(least, most, None, nulls, false)
        }
        Physical::I64 => {
            let (least, most) = pair(key64);
            Statistics::int64(least, most, None, nulls, false)
        }
        Physical::F32 => {
            Statistics::float(least.map(|value| value as f32), most.map(|value| value as f32), None, nulls, false)
        }
        Physical::F64 => Statistics::double(least, most, None, nulls, false),
        Physical::Fixed16 => {
            let array = |value: &[u8; 16]| FixedLenByteArray::from(value.to_vec());
            let (least, most) = match extent {
                Extent::Fixed(least, most) => (Some(array(least)), Some(array(most))),
                _ => (None, None),
            };
            Statistics::fixed_len_byte_array(least, most, None, nulls, false)
        }
        Physical::Bytes => {
            let (least, most) = match extent {
                // They are held to the file's end, for each row group.
                Extent::Bytes(least, most) if least.len().max(most.len()) <= STATISTIC_BYTES => {
                    (Some(least.clone()), Some(most.clone()))
                }
                _ => (None, None),
            };
            let array = |value: Option<Vec<u8>>| value.map(ByteArray::from);
            Statistics::byte_array(array(least), array(most), None, nulls, false)
        }
    }
}
