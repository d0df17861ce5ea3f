//! Distinct values of a column chunk, found by their bytes.

/// A dictionary has no more entries than this.
const ENTRIES: usize = 1 << 16;

/// Nor more bytes than this.
const BYTES: usize = 1 << 20;

/// So many places are looked at for one value; a table that needs more is given up, whether by chance
/// or by values that were chosen for it.
const PROBES: usize = 64;

/// Distinct values in the order in which they came.
#[derive(Debug)]
pub struct Dictionary {
    /// An entry's number and one, or 0 where there is none.
    slots: Vec<u32>,
    hashes: Vec<u64>,
    data: Vec<u8>,
    ends: Vec<usize>,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self { slots: vec![0; 1 << 10], hashes: Vec::new(), data: Vec::new(), ends: Vec::new() }
    }
}

impl Dictionary {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all values.
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    /// The values one after another.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The values in order, from one on.
    pub fn values(&self, from: usize) -> impl Iterator<Item = &[u8]> {
        (from..self.len()).map(|index| self.value(index))
    }

    fn value(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.data.get(start..end).unwrap_or(&[])
    }

    /// The number of a value, which is added if it is new; nothing where there is no room.
    #[inline]
    pub fn number(&mut self, value: &[u8]) -> Option<u32> {
        let hash = hash(value);
        let mask = self.slots.len() - 1;
        let mut place = hash as usize & mask;
        for _ in 0..PROBES {
            let slot = self.slots.get_mut(place)?;
            let Some(index) = slot.checked_sub(1) else {
                let number = self.ends.len();
                if number >= ENTRIES || self.data.len() + value.len() > BYTES {
                    return None;
                }
                *slot = number as u32 + 1;
                self.hashes.push(hash);
                self.data.extend_from_slice(value);
                self.ends.push(self.data.len());
                if self.ends.len() * 2 > self.slots.len() {
                    self.grow()?;
                }
                return Some(number as u32);
            };
            if self.hashes.get(index as usize) == Some(&hash) && self.value(index as usize) == value {
                return Some(index);
            }
            place = (place + 1) & mask;
        }
        None
    }

    #[cold]
    fn grow(&mut self) -> Option<()> {
        self.slots = vec![0; self.slots.len() * 4];
        let mask = self.slots.len() - 1;
        for (index, hash) in self.hashes.iter().enumerate() {
            let mut place = *hash as usize & mask;
            while *self.slots.get(place)? != 0 {
                place = (place + 1) & mask;
            }
            *self.slots.get_mut(place)? = index as u32 + 1;
        }
        Some(())
    }
}

/// A fast hash, with no defence against chosen values but [`PROBES`].
#[inline]
fn hash(value: &[u8]) -> u64 {
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xd6e8_feb8_6659_fd93;
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let mut state = value.len() as u64 ^ A;
    let mut rest = value;
    while let Some((eight, behind)) = rest.split_first_chunk::<8>() {
        state = fold(state ^ u64::from_le_bytes(*eight), B);
        rest = behind;
    }
    let mut last = [0; 8];
    for (slot, byte) in last.iter_mut().zip(rest) {
        *slot = *byte;
    }
    fold(state ^ u64::from_le_bytes(last), A)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_number_and_keeps_it() {
        let mut dictionary = Dictionary::default();
        let texts: Vec<String> = (0..20_000).map(|n| format!("value {n}")).collect();
        for (index, text) in texts.iter().enumerate() {
            assert_eq!(dictionary.number(text.as_bytes()), Some(index as u32));
        }
        for (index, text) in texts.iter().enumerate() {
            assert_eq!(dictionary.number(text.as_bytes()), Some(index as u32));
        }
        assert_eq!(dictionary.values(0).count(), 20_000);
        assert!(dictionary.values(0).zip(&texts).all(|(value, text)| value == text.as_bytes()));
    }

    #[test]
    fn there_is_an_end_to_it() {
        let mut dictionary = Dictionary::default();
        assert_eq!(dictionary.number(&vec![7; BYTES + 1]), None);
        let taken = (0..ENTRIES as u64 + 10).filter(|n| dictionary.number(&n.to_le_bytes()).is_some()).count();
        assert_eq!(taken, ENTRIES);
        assert_eq!(dictionary.number(b""), None);
    }
}
