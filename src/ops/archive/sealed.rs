//! Files that are encrypted as a whole, in segments that are each decrypted by themselves.
//!
//! The format is not our own: it is the streaming AEAD `AES256_GCM_HKDF_1MB` of Google's Tink, as its wire
//! format is published, with no associated data. Whoever has the key can read a file with any of Tink's
//! libraries. A file has a key of its own, derived by HKDF-SHA256 from the store's and a random salt; a
//! segment's nonce has its number, and whether it is the last, so that none can be left out, moved or cut
//! off unnoticed.
//!
//! ```text
//! header: its length (1 byte) │ salt (32) │ nonce prefix (7)
//! segment: AES-256-GCM of 1 MiB − 16 bytes (the first 40 less) │ tag (16)
//! nonce: prefix │ number (4 bytes, big-endian) │ 1 in the last segment, otherwise 0
//! ```

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::file::reader::{ChunkReader as _, Length as _};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hkdf};

use super::error::{ArchiveError, Result};
use super::file::{DataFile, ReadAt};
use super::show::hex;

const SALT: usize = 32;
const PREFIX: usize = 7;
const HEADER: usize = 1 + SALT + PREFIX;
const TAG: usize = 16;
/// A segment with its tag; the first has the header in it as well.
const SEGMENT: usize = 1 << 20;

/// A store's key: 32 bytes, which never print.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreKey([u8; 32]);

impl std::fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoreKey({})", self.id())
    }
}

impl StoreKey {
    /// Reads 64 hexadecimal digits, as `openssl rand -hex 32` writes them.
    ///
    /// # Errors
    /// [`ArchiveError::WeakKey`].
    pub fn read(text: &str) -> Result<Self> {
        let weak = |why| Err(ArchiveError::WeakKey { why });
        let text = text.trim();
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return weak("it is not 64 hexadecimal digits");
        }
        let mut key = [0; 32];
        for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).unwrap_or_default();
            *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
        }
        // A key that somebody thought of: of 32 random bytes, fewer than 16 different ones come never.
        let different: std::collections::BTreeSet<u8> = key.iter().copied().collect();
        if different.len() < 16 {
            return weak("it was not made at random: too few of its bytes differ");
        }
        Ok(Self(key))
    }

    /// What it is known by, which does not tell it: the beginning of its SHA-256, in hexadecimal.
    pub fn id(&self) -> String {
        hex(digest::digest(&digest::SHA256, &self.0).as_ref().get(..8).unwrap_or_default())
    }

    /// The key of a file.
    fn of_file(&self, salt: &[u8]) -> Result<LessSafeKey> {
        let store = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(&self.0);
        let derived = store.expand(&[b""], &AES_256_GCM).map(UnboundKey::from);
        derived.map(LessSafeKey::new).map_err(|_| ArchiveError::Internal { what: "a key that cannot be derived" })
    }
}

fn nonce(prefix: &[u8; PREFIX], number: u32, last: bool) -> Nonce {
    let mut nonce = [0; PREFIX + 5];
    let parts = prefix.iter().copied().chain(number.to_be_bytes()).chain([u8::from(last)]);
    nonce.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    Nonce::assume_unique_for_key(nonce)
}

/// Encrypts what is written. It is whole only once [`Sealer::finish`] has written the last segment.
pub struct Sealer<W: Write> {
    out: W,
    key: LessSafeKey,
    prefix: [u8; PREFIX],
    number: u32,
    /// The segment that is being filled, and how much goes into it.
    segment: Vec<u8>,
    room: usize,
}

impl<W: Write> Sealer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// What the file, or the system's source of random bytes, fails with.
    pub fn new(mut out: W, key: &StoreKey) -> Result<Self> {
        let mut random = [0; SALT + PREFIX];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| ArchiveError::Internal { what: "the system has no random bytes" })?;
        let (salt, rest) = random.split_at(SALT);
        let prefix = rest.try_into().unwrap_or_default();
        let key = key.of_file(salt)?;
        out.write_all(&[HEADER as u8]).and_then(|()| out.write_all(&random))?;
        let room = SEGMENT - HEADER - TAG;
        Ok(Self { out, key, prefix, number: 0, segment: Vec::with_capacity(SEGMENT), room })
    }

    /// Writes the last segment, and gives the file back.
    ///
    /// # Errors
    /// What the file fails with.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        Ok(self.out)
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let nonce = nonce(&self.prefix, self.number, last);
        let sealed = self.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut self.segment);
        sealed.map_err(|_| io::Error::other("a segment cannot be encrypted"))?;
        self.out.write_all(&self.segment)?;
        self.segment.clear();
        self.room = SEGMENT - TAG;
        self.number = self.number.checked_add(1).ok_or_else(|| io::Error::other("the file has too many segments"))?;
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full segment waits for more: only then is it known not to be the last.
        if self.segment.len() == self.room && !bytes.is_empty() {
            self.seal(false)?;
        }
        let taken = bytes.len().min(self.room - self.segment.len());
        self.segment.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// An encrypted file, read as what is in it.
pub struct Sealed {
    file: DataFile,
    key: LessSafeKey,
    prefix: [u8; PREFIX],
    /// How many segments there are, and how long what is in them is.
    segments: u64,
    length: u64,
    /// The last few that were decrypted: a reader takes a segment in several pieces, and several read at once.
    recent: Mutex<VecDeque<(u64, Arc<Vec<u8>>)>>,
}

/// How many segments are held.
const HELD: usize = 6;

impl Sealed {
    /// Opens one, and decrypts its last segment, which tells that the key is right and that nothing was cut off.
    ///
    /// # Errors
    /// [`ArchiveError::WrongKey`] where it cannot be decrypted; [`ArchiveError::Corrupt`] where it is none.
    pub fn open(file: DataFile, key: &StoreKey) -> Result<DataFile> {
        let corrupt = |why: &str| ArchiveError::Corrupt { why: why.to_owned() };
        let header = file.get_bytes(0, HEADER).map_err(|_| corrupt("it is too short to be an encrypted archive"))?;
        let (first, rest) = header.split_first().ok_or_else(|| corrupt("it is empty"))?;
        if usize::from(*first) != HEADER {
            return Err(corrupt("it does not begin as an encrypted archive does"));
        }
        let (salt, prefix) = rest.split_at(SALT);
        let segments = file.len().div_ceil(SEGMENT as u64);
        let length = file.len().checked_sub(HEADER as u64 + segments * TAG as u64);
        let length = length.ok_or_else(|| corrupt("it is cut off"))?;
        let prefix = prefix.try_into().map_err(|_| corrupt("it is too short to be an encrypted archive"))?;
        let sealed = Self { file, key: key.of_file(salt)?, prefix, segments, length, recent: Mutex::default() };
        match sealed.segment(segments.saturating_sub(1)) {
            Ok(_) => Ok(DataFile::of(Arc::new(sealed), length)),
            // Of one that has another segment that can be read, this one is damaged or missing.
            Err(_) if segments > 1 && sealed.segment(0).is_ok() => Err(corrupt("its end is damaged or cut off")),
            Err(_) => Err(ArchiveError::WrongKey { wanted: None, given: Some(key.id()) }),
        }
    }

    /// What is in a segment.
    fn segment(&self, number: u64) -> io::Result<Arc<Vec<u8>>> {
        let held = |recent: &VecDeque<(u64, Arc<Vec<u8>>)>| {
            recent.iter().find(|(held, _)| *held == number).map(|(_, bytes)| Arc::clone(bytes))
        };
        if let Some(bytes) = held(&self.recent.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(bytes);
        }
        let bytes = Arc::new(self.decrypt(number)?);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == HELD {
            recent.pop_front();
        }
        recent.push_back((number, Arc::clone(&bytes)));
        Ok(bytes)
    }

    fn decrypt(&self, number: u64) -> io::Result<Vec<u8>> {
        let start = if number == 0 { HEADER as u64 } else { number * SEGMENT as u64 };
        let end = ((number + 1) * SEGMENT as u64).min(self.file.len());
        let damaged =
            || io::Error::new(io::ErrorKind::InvalidData, format!("its segment {number} cannot be decrypted"));
        let length = usize::try_from(end.saturating_sub(start)).map_err(|_| damaged())?;
        let mut bytes = Vec::from(self.file.get_bytes(start, length).map_err(io::Error::other)?);
        let last = number + 1 == self.segments;
        let nonce = nonce(&self.prefix, u32::try_from(number).map_err(|_| damaged())?, last);
        let plain = self.key.open_in_place(nonce, Aad::empty(), &mut bytes).map_err(|_| damaged())?.len();
        bytes.truncate(plain);
        Ok(bytes)
    }

    /// The segment that a place is in, and where in it.
    const fn place(at: u64) -> (u64, u64) {
        let shifted = at + HEADER as u64;
        let room = (SEGMENT - TAG) as u64;
        // The header takes room of the first segment.
        let number = shifted / room;
        let begins = if number == 0 { 0 } else { number * room - HEADER as u64 };
        (number, at - begins)
    }
}

impl ReadAt for Sealed {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        if at >= self.length {
            return Ok(0);
        }
        let (number, within) = Self::place(at);
        let segment = self.segment(number)?;
        let rest = usize::try_from(within).ok().and_then(|within| segment.get(within..)).unwrap_or_default();
        let taken = rest.len().min(buffer.len());
        buffer.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Read as _;

    fn key(last: &str) -> StoreKey {
        StoreKey::read(&format!("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e{last}")).unwrap()
    }

    fn plain(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
    }

    fn written(content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealed");
        let mut out = Sealer::new(File::create(&path).unwrap(), &key("1f")).unwrap();
        for piece in content.chunks(100_003) {
            out.write_all(piece).unwrap();
        }
        out.finish().unwrap();
        (folder, path)
    }

    fn open(path: &std::path::Path, key: &StoreKey) -> Result<DataFile> {
        Sealed::open(DataFile::new(File::open(path).unwrap()).unwrap(), key)
    }

    const FIRST: usize = SEGMENT - HEADER - TAG;
    const NEXT: usize = SEGMENT - TAG;

    #[test]
    fn what_is_sealed_is_read_from_anywhere() {
        for length in [0, 1, FIRST - 1, FIRST, FIRST + 1, FIRST + NEXT, FIRST + NEXT + 1, 2 * SEGMENT + 12_345] {
            let content = plain(length);
            let (_folder, path) = written(&content);
            let sealed = open(&path, &key("1f")).unwrap();
            assert_eq!(sealed.len(), length as u64);
            let segments = std::fs::metadata(&path).unwrap().len().div_ceil(SEGMENT as u64);
            assert_eq!(std::fs::metadata(&path).unwrap().len(), (length + HEADER) as u64 + segments * TAG as u64);
            let mut back = Vec::new();
            sealed.get_read(0).unwrap().read_to_end(&mut back).unwrap();
            assert!(back == content, "{length} bytes do not come back");
            for start in [0, 1, FIRST.saturating_sub(3), FIRST, FIRST + 1, FIRST + NEXT - 1] {
                let size = length.saturating_sub(start).min(7);
                let piece = sealed.get_bytes(start as u64, size);
                assert!(start + size > length || piece.unwrap() == content[start..start + size], "{length} {start}");
            }
            assert!(sealed.get_bytes(length as u64, 1).is_err());
            assert!(sealed.get_bytes(u64::MAX, 2).is_err());
        }
    }

    #[test]
    fn nothing_is_read_with_another_key_or_after_a_change() {
        let content = plain(2 * SEGMENT + 99);
        let (_folder, path) = written(&content);
        let file = std::fs::read(&path).unwrap();
        assert!(file.windows(64).all(|window| window != &content[..64]), "it is not encrypted");
        assert_eq!(
            open(&path, &key("20")).map(drop).unwrap_err(),
            ArchiveError::WrongKey { wanted: None, given: Some(key("20").id()) }
        );
        let changed = |file: &[u8]| {
            std::fs::write(&path, file).unwrap();
            let Ok(sealed) = open(&path, &key("1f")) else { return true };
            let mut back = Vec::new();
            sealed.get_read(0).unwrap().read_to_end(&mut back).is_err()
        };
        for at in [0, 1, SALT, SALT + 1, HEADER - 1, HEADER, SEGMENT - 1, SEGMENT, 2 * SEGMENT, file.len() - 1] {
            let mut other = file.clone();
            other[at] ^= 1;
            assert!(changed(&other), "byte {at}");
        }
        for cut in [0, 1, HEADER, HEADER + TAG - 1, SEGMENT, 2 * SEGMENT, 2 * SEGMENT + TAG, file.len() - 1] {
            assert!(changed(&file[..cut]), "cut off at {cut}");
        }
        // Segments in another order, and one twice.
        let mut moved = file.clone();
        moved.copy_within(SEGMENT..2 * SEGMENT, 0);
        assert!(changed(&moved));
        let twice = [&file[..2 * SEGMENT], &file[SEGMENT..]].concat();
        assert!(changed(&twice));
        assert!(!changed(&file), "as it was it is read");
    }

    #[test]
    fn what_tink_has_written_is_read() {
        // By Tink's own library for Python: 100 bytes, `AES256_GCM_HKDF_1MB`, no associated data.
        let file = "28d50587fb51b617797bad408ebc69ce4048f219548c564619cf29815f7fcad96b259605b9737c1aea8944e1ca0ca0cb\
         630bec40eb49ad7601e9faaf9dec09e596ee39f7f604fa1ea4a1cc77fc7f1df7580f7dd19680016284c053907aa610c2\
         733631de71e745152e63a3541cc067d84db26f867d419f6b1ea77d8c1f0eb17004757ab58307713f477cf87d6b76bab7\
         f4ac462fdb88eba80d4bfdf6";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tink");
        let bytes: Vec<u8> =
            (0..file.len()).step_by(2).map(|at| u8::from_str_radix(&file[at..at + 2], 16).unwrap()).collect();
        std::fs::write(&path, bytes).unwrap();
        let sealed = open(&path, &key("1f")).unwrap();
        assert_eq!(sealed.get_bytes(0, 100).unwrap(), plain(100));
    }

    #[test]
    fn two_files_of_one_content_have_nothing_in_common() {
        let content = plain(1000);
        let ((_a, one), (_b, other)) = (written(&content), written(&content));
        let (one, other) = (std::fs::read(one).unwrap(), std::fs::read(other).unwrap());
        assert!(one.windows(16).skip(1).all(|window| other.windows(16).all(|own| own != window)));
    }

    #[test]
    fn a_key_is_read_or_refused_and_never_shown() {
        let refused = |text: &str| matches!(StoreKey::read(text), Err(ArchiveError::WeakKey { .. }));
        assert!(refused("") && refused("secret") && refused(&"0".repeat(64)) && refused(&"é".repeat(32)));
        assert!(refused(&"0123456789abcdef".repeat(4)[..63]));
        let key = key("1F");
        assert_eq!(key, StoreKey::read(" 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\n").unwrap());
        assert!(!format!("{key:?}").contains("0001020304"), "{key:?}");
    }
}
