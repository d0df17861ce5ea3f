//! The encodings of Parquet that a column chunk is written in.
//!
//! By the format's own specification (`Encodings.md`): RLE and bit-packing for levels and dictionary
//! indices, DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY, BYTE_STREAM_SPLIT, and the page header in
//! Thrift's compact protocol, with the checksum that readers may verify.

/// Appends a number as unsigned LEB128.
pub fn put_varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// How many bits the largest of some numbers needs.
pub const fn width_of(largest: u64) -> u32 {
    64 - largest.leading_zeros()
}

/// Appends numbers of so many bits each, the lowest bits first. The last byte is filled with zeros.
pub fn put_packed(into: &mut Vec<u8>, values: impl Iterator<Item = u64>, width: u32) {
    let mut held: u128 = 0;
    let mut bits = 0;
    for value in values {
        held |= u128::from(value) << bits;
        bits += width;
        if bits >= 64 {
            into.extend_from_slice(&(held as u64).to_le_bytes());
            held >>= 64;
            bits -= 64;
        }
    }
    while bits > 0 {
        into.push(held as u8);
        held >>= 8;
        bits = bits.saturating_sub(8);
    }
}

/// Appends numbers in the hybrid of runs and bit-packed groups of eight.
pub fn put_hybrid<T: Copy + PartialEq + Into<u64>>(into: &mut Vec<u8>, values: &[T], width: u32) {
    let mut literal = 0;
    let mut at = 0;
    while at < values.len() {
        let rest = values.get(at..).unwrap_or(&[]);
        let run = rest.first().map_or(0, |first| rest.iter().take_while(|value| *value == first).count());
        // Groups before a run must be whole: they take what they lack from it.
        let lacking = (8 - (at - literal) % 8) % 8;
        if run >= 8 + lacking {
            put_groups(into, values.get(literal..at + lacking).unwrap_or(&[]), width);
            put_run(into, rest.first().map_or(0, |first| (*first).into()), run - lacking, width);
            at += run;
            literal = at;
        } else {
            at += run;
        }
    }
    put_groups(into, values.get(literal..).unwrap_or(&[]), width);
}

/// Appends one number so many times.
pub fn put_run(into: &mut Vec<u8>, value: u64, times: usize, width: u32) {
    if times > 0 {
        put_varint(into, (times as u64) << 1);
        into.extend(value.to_le_bytes().iter().take(width.div_ceil(8) as usize));
    }
}

fn put_groups<T: Copy + Into<u64>>(into: &mut Vec<u8>, values: &[T], width: u32) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(8);
    put_varint(into, (groups as u64) << 1 | 1);
    let filling = groups * 8 - values.len();
    let values = values.iter().map(|value| (*value).into()).chain(std::iter::repeat_n(0, filling));
    put_packed(into, values, width);
}

/// Values of a block and of a miniblock of it.
const BLOCK: usize = 128;
const MINIBLOCK: usize = 32;

/// Appends whole numbers as differences. `bits` is the type's width: differences wrap around in it.
pub fn put_delta(into: &mut Vec<u8>, values: impl ExactSizeIterator<Item = i64>, bits: u32) {
    put_varint(into, BLOCK as u64);
    put_varint(into, (BLOCK / MINIBLOCK) as u64);
    put_varint(into, values.len() as u64);
    let mut values = values;
    let Some(mut last) = values.next() else {
        into.push(0);
        return;
    };
    put_varint(into, zigzag(last));
    let mut block = [0_i64; BLOCK];
    loop {
        let mut count = 0;
        for (slot, value) in block.iter_mut().zip(values.by_ref()) {
            let difference = value.wrapping_sub(last);
            // An INT32's difference is one of 32 bits, which wraps around.
            *slot = if bits == 32 { i64::from(difference as i32) } else { difference };
            last = value;
            count += 1;
        }
        if count == 0 {
            return;
        }
        put_block(into, block.get_mut(..count).unwrap_or(&mut []), bits);
    }
}

fn put_block(into: &mut Vec<u8>, block: &mut [i64], bits: u32) {
    let least = block.iter().copied().min().unwrap_or(0);
    put_varint(into, zigzag(least));
    let mask = if bits == 32 { u64::from(u32::MAX) } else { u64::MAX };
    let above = |value: &i64| (value.wrapping_sub(least) as u64) & mask;
    let widths_at = into.len();
    into.extend_from_slice(&[0; BLOCK / MINIBLOCK]);
    for (index, miniblock) in block.chunks(MINIBLOCK).enumerate() {
        let width = width_of(miniblock.iter().map(above).fold(0, |all, value| all | value));
        if let Some(slot) = into.get_mut(widths_at + index) {
            *slot = width as u8;
        }
        let filling = MINIBLOCK - miniblock.len();
        put_packed(into, miniblock.iter().map(above).chain(std::iter::repeat_n(0, filling)), width);
    }
}

/// Appends so many values of `N` bytes by their places: all first bytes, all second bytes and so on.
pub fn put_split<const N: usize>(into: &mut Vec<u8>, count: usize, value: impl Fn(usize) -> Option<[u8; N]>) {
    let start = into.len();
    into.resize(start + count * N, 0);
    let Some(out) = into.get_mut(start..) else { return };
    for index in 0..count {
        let Some(bytes) = value(index) else { return };
        for (place, byte) in bytes.iter().enumerate() {
            if let Some(slot) = out.get_mut(place * count + index) {
                *slot = *byte;
            }
        }
    }
}

/// Parquet's numbers of the encodings.
pub mod encoding {
    /// PLAIN.
    pub const PLAIN: i32 = 0;
    /// RLE, of levels.
    pub const RLE: i32 = 3;
    /// DELTA_BINARY_PACKED.
    pub const DELTA: i32 = 5;
    /// DELTA_LENGTH_BYTE_ARRAY.
    pub const DELTA_LENGTH: i32 = 6;
    /// RLE_DICTIONARY.
    pub const DICTIONARY: i32 = 8;
    /// BYTE_STREAM_SPLIT.
    pub const SPLIT: i32 = 9;
}

/// What a page's header says.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Whether it is the dictionary's page.
    pub dictionary: bool,
    /// Bytes before compression.
    pub uncompressed: usize,
    /// Levels, or entries of the dictionary.
    pub values: usize,
    /// The values' encoding.
    pub encoding: i32,
}

/// No header is longer.
pub const HEADER_AT_MOST: usize = 64;

/// Appends a page: its header with the checksum, and its compressed bytes. Gives the header's length,
/// or nothing where a page would be larger than the format allows.
pub fn put_page(into: &mut Vec<u8>, header: Header, compressed: &[u8]) -> Option<usize> {
    let start = into.len();
    let (uncompressed, size) = (i32::try_from(header.uncompressed).ok()?, i32::try_from(compressed.len()).ok()?);
    let values = i32::try_from(header.values).ok()?;
    put_i32(into, 1, if header.dictionary { 2 } else { 0 });
    put_i32(into, 1, uncompressed);
    put_i32(into, 1, size);
    put_i32(into, 1, crc32fast::hash(compressed) as i32);
    // The headers of data and dictionary pages are the structs 5 and 7, after field 4.
    into.push(if header.dictionary { 0x3c } else { 0x1c });
    put_i32(into, 1, values);
    put_i32(into, 1, header.encoding);
    if !header.dictionary {
        put_i32(into, 1, encoding::RLE);
        put_i32(into, 1, encoding::RLE);
    }
    into.extend_from_slice(&[0, 0]);
    let length = into.len() - start;
    into.extend_from_slice(compressed);
    Some(length)
}

/// Appends a field of Thrift's compact protocol whose number is so much above the last one's.
fn put_i32(into: &mut Vec<u8>, above: u8, value: i32) {
    into.push(above << 4 | 5);
    put_varint(into, zigzag(i64::from(value)));
}
