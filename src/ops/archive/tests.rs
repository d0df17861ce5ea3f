//! The data path, without a server: streams made by hand and at random, files cut off and damaged.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::columns::{Column, Facts, Function, Through, decide};
use super::copy::{Batch, Joiner, Splitter, put, put_bytes, put_null};
use super::decimal;
use super::error::{ArchiveError, Result};
use super::file::DataFile;
use super::manifest::{File, Kept, Manifest, Versions};
use super::read::Archive;
use super::stored::{Native, Stored};
use super::verify;
use super::write::{Options, Writer, Written};
use crate::core::QualifiedName;

/// Numbers that look random, and are the same at every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

fn column(name: &str, stored: Stored) -> Column {
    let text = || "text".to_owned();
    let through = (stored == Stored::AsText).then_some(Through::Cast);
    Column { name: name.to_owned(), pg_type: text(), base_type: text(), stored, through, generated: false }
}

const NATIVES: &[Native] = &[
    Native::Bool,
    Native::Char,
    Native::Int2,
    Native::Int4,
    Native::Int8,
    Native::Money,
    Native::Oid,
    Native::Xid8,
    Native::Float4,
    Native::Float8,
    Native::Text,
    Native::Jsonb,
    Native::Bytea,
    Native::Uuid,
    Native::Date,
    Native::Time,
    Native::Timestamp,
    Native::Timestamptz,
    Native::Decimal { precision: 9, scale: 2 },
    Native::Decimal { precision: 18, scale: 0 },
    Native::Decimal { precision: 38, scale: 37 },
    Native::Interval,
];

/// A column of every type, and a list of every type that a list can be of.
fn every_column() -> Vec<Column> {
    let scalars = NATIVES.iter().map(|native| Stored::Native(*native));
    let lists = NATIVES.iter().filter(|native| **native != Native::Interval);
    let lists = lists.enumerate().map(|(index, native)| Stored::List { element: *native, oid: 1000 + index as u32 });
    let all = scalars.chain(lists).chain([Stored::AsText]);
    all.enumerate().map(|(index, stored)| column(&format!("c.\"{index}"), stored)).collect()
}

/// A value's bytes on the wire.
fn value(native: Native, random: &mut Random) -> Vec<u8> {
    let bits = random.next();
    // Often one of few, so that dictionaries are made; often at the ends of the range.
    let whole = match random.below(4) {
        0 => bits as i64,
        1 => (bits % 5) as i64 - 2,
        2 => i64::MAX - (bits % 3) as i64,
        _ => i64::MIN + (bits % 3) as i64,
    };
    match native {
        Native::Bool => vec![(bits & 1) as u8],
        Native::Char => vec![bits as u8],
        Native::Int2 => (whole as i16).to_be_bytes().to_vec(),
        Native::Int4 | Native::Oid => (whole as i32).to_be_bytes().to_vec(),
        Native::Int8 | Native::Money | Native::Xid8 => whole.to_be_bytes().to_vec(),
        Native::Float4 => match random.below(3) {
            0 => (-0.0_f32).to_be_bytes().to_vec(),
            // Among them NaNs of every sort.
            1 => (0x7f80_0000 | bits as u32).to_be_bytes().to_vec(),
            _ => (bits as u32).to_be_bytes().to_vec(),
        },
        Native::Float8 => match random.below(3) {
            0 => (-0.0_f64).to_be_bytes().to_vec(),
            1 => (0x7ff0 << 48 | bits).to_be_bytes().to_vec(),
            _ => bits.to_be_bytes().to_vec(),
        },
        Native::Text => match random.below(4) {
            0 => Vec::new(),
            1 => "é𝄞\0x".repeat((bits % 40) as usize).into_bytes(),
            2 => format!("value {}", bits % 7).into_bytes(),
            _ => format!("{bits:x}").into_bytes(),
        },
        Native::Jsonb => format!("\u{1}{{\"a\": {bits}}}").into_bytes(),
        Native::Bytea => bits.to_le_bytes().repeat((bits % 9) as usize),
        Native::Uuid => [bits.to_le_bytes(), whole.to_le_bytes()].concat(),
        Native::Date => ((bits % 7_000_000) as i32 - 2_400_000).to_be_bytes().to_vec(),
        Native::Time => ((bits % 86_400_000_000) as i64).to_be_bytes().to_vec(),
        Native::Timestamp | Native::Timestamptz => {
            (whole.clamp(-211_813_488_000_000_000, 9_000_000_000_000_000_000)).to_be_bytes().to_vec()
        }
        Native::Decimal { precision, scale } => {
            let units =
                (i128::from(bits) * i128::from(whole)) % 10_i128.pow(1 + random.below(u64::from(precision)) as u32);
            decimal::wire(units, scale).bytes().to_vec()
        }
        Native::Interval => {
            let (days, months) = (bits as i32, (bits >> 32) as i32);
            [whole.to_be_bytes().as_slice(), &days.to_be_bytes(), &months.to_be_bytes()].concat()
        }
    }
}

fn field(stored: Stored, random: &mut Random) -> Option<Vec<u8>> {
    if random.below(6) == 0 {
        return None;
    }
    let Stored::List { element, oid } = stored else { return Some(value(stored.native(), random)) };
    let count = random.below(4);
    let mut elements = Vec::new();
    let mut has_null = false;
    for _ in 0..count {
        if random.below(4) == 0 {
            has_null = true;
            put_null(&mut elements);
        } else {
            put_bytes(&mut elements, &value(element, random)).unwrap();
        }
    }
    let head = |words: &[i32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_be_bytes()).collect() };
    Some(if count == 0 {
        head(&[0, 0, oid as i32])
    } else {
        [head(&[1, i32::from(has_null), oid as i32, count as i32, 1]), elements].concat()
    })
}

/// A stream of so many random rows.
fn stream(columns: &[Column], rows: usize, random: &mut Random) -> Vec<u8> {
    let mut batch = Batch::new(columns.len());
    batch.rows = rows;
    for _ in 0..rows {
        for (column, fields) in columns.iter().zip(&mut batch.columns) {
            match field(column.stored, random) {
                Some(field) => put_bytes(fields, &field).unwrap(),
                None => put_null(fields),
            }
        }
    }
    joined(&batch)
}

fn joined(batch: &Batch) -> Vec<u8> {
    let mut joiner = Joiner::new(Vec::new());
    joiner.add(batch).unwrap();
    joiner.finish().unwrap()
}

fn write(columns: &[Column], stream: &[u8], piece: usize, options: Options) -> Result<(Vec<u8>, Written)> {
    let mut writer = Writer::new(Vec::new(), columns, &[("relation", "public.t")], options)?;
    for piece in stream.chunks(piece) {
        writer.write(piece)?;
    }
    writer.finish()
}

fn read(file: &[u8]) -> Result<Vec<u8>> {
    let archive = Archive::open(Bytes::copy_from_slice(file))?;
    Ok(archive.copy_to(Vec::new())?.0)
}

fn written(columns: &[Column], stream: &[u8]) -> (Vec<u8>, Written) {
    write(columns, stream, usize::MAX, Options::default()).unwrap()
}

fn manifest(columns: &[Column], written: &Written) -> Manifest {
    let kept = columns.iter().zip(&written.evidence);
    Manifest {
        format_version: super::manifest::FORMAT,
        relation: QualifiedName::new("public", "t"),
        chunk: QualifiedName::new("_timescaledb_internal", "_hyper_1_1_chunk"),
        range: None,
        rows: written.rows,
        columns: kept.map(|(column, evidence)| Kept { column: column.clone(), evidence: evidence.clone() }).collect(),
        file: File {
            name: "t.parquet".to_owned(),
            bytes: written.bytes,
            sha256: written.sha256.clone(),
            codec: "zstd".to_owned(),
            key_id: None,
        },
        versions: Versions { chronoform: "0".to_owned(), postgresql: "17.2".to_owned(), timescaledb: None },
        database: "1/postgres".to_owned(),
        taken_at: "2026-01-01T00:00:00Z".to_owned(),
        stream_bytes: written.stream_bytes,
        token: "1-2".to_owned(),
        sum: None,
        replaces: Vec::new(),
    }
}

#[test]
fn every_type_comes_back_byte_by_byte() {
    let columns = every_column();
    let mut random = Random(88_172_645_463_325_252);
    // No rows, one, several pages, several row groups; pieces of every size.
    for (rows, piece, row_group) in [(0, 7, 1 << 20), (1, 1, 1 << 20), (300, 13, 1 << 20), (9_000, 9973, 1 << 20)] {
        for threads in [1, 3] {
            let stream = stream(&columns, rows, &mut random);
            let options = Options { row_group, threads, ..Options::default() };
            let (file, written) = write(&columns, &stream, piece, options).unwrap();
            assert_eq!((written.rows, written.bytes), (rows as u64, file.len() as u64));
            assert_eq!(written.stream_bytes, stream.len() as u64);
            let back = read(&file).unwrap();
            assert!(back == stream, "{rows} rows in pieces of {piece} are not as they were");
            let archive = Archive::open(Bytes::from(file)).unwrap();
            assert_eq!(archive.columns(), columns);
            assert_eq!(archive.look(threads).unwrap().evidence, written.evidence);
            assert_eq!(archive.claims(), written.evidence);
            assert_eq!(archive.preview(5).unwrap().len(), rows.min(5));
        }
    }
}

#[test]
fn every_encoding_is_taken_and_left() {
    let kinds = [Native::Int4, Native::Int8, Native::Float8, Native::Text, Native::Uuid, Native::Timestamptz];
    let columns: Vec<Column> =
        kinds.iter().map(|native| column(&format!("{native:?}"), Stored::Native(*native))).collect();
    let mut random = Random(7);
    // Few values at first, then more than a dictionary can have; runs; a value longer than a page.
    let mut batch = Batch::new(columns.len());
    for row in 0..160_000_u64 {
        let distinct = if row < 70_000 { row / 1000 % 50 } else { random.next() };
        for (native, fields) in kinds.iter().zip(&mut batch.columns) {
            match native {
                Native::Int4 => put(fields, (distinct as i32).to_be_bytes()),
                Native::Text if row == 100_000 => put_bytes(fields, &[b'x'; 3 << 20]).unwrap(),
                Native::Text => put_bytes(fields, format!("{distinct}").as_bytes()).unwrap(),
                Native::Uuid => put(fields, u128::from(distinct).to_be_bytes()),
                Native::Timestamptz => put(fields, (row as i64 * 1_000_000).to_be_bytes()),
                _ => put(fields, distinct.to_be_bytes()),
            }
        }
        batch.rows += 1;
    }
    let stream = joined(&batch);
    let (file, _) = written(&columns, &stream);
    assert!(read(&file).unwrap() == stream);
}

#[test]
fn the_evidence_says_what_is_there() {
    let columns = [
        column("a", Stored::Native(Native::Int4)),
        column("b", Stored::Native(Native::Float8)),
        column("c", Stored::Native(Native::Decimal { precision: 9, scale: 2 })),
    ];
    let mut batch = Batch::new(3);
    let floats = [f64::NAN, -0.0, 0.5];
    for (number, float) in [-5_i32, 7, 0].iter().zip(floats) {
        put(&mut batch.columns[0], number.to_be_bytes());
        put(&mut batch.columns[1], float.to_be_bytes());
        put_null(&mut batch.columns[2]);
        batch.rows += 1;
    }
    let (_, written) = written(&columns, &joined(&batch));
    let [a, b, c] = written.evidence.as_slice() else { panic!() };
    assert_eq!((a.values, a.nulls, a.min.as_deref(), a.max.as_deref()), (3, 0, Some("-5"), Some("7")));
    assert_eq!((b.values, b.min.as_deref(), b.max.as_deref()), (3, Some("-0"), Some("0.5")));
    assert_eq!((c.values, c.nulls, c.min.as_deref()), (0, 3, None));
    assert!(a.digest.starts_with("xxh3-128:") && a.digest.len() == 41);
}

#[test]
fn a_stream_that_is_cut_off_or_garbled_is_an_error() {
    let columns = every_column();
    let stream = stream(&columns, 1, &mut Random(5));
    for length in 0..stream.len() {
        let cut = write(&columns, &stream[..length], 17, Options { threads: 1, ..Options::default() });
        assert!(matches!(cut, Err(ArchiveError::Stream { .. })), "cut off at {length}: {cut:?}");
    }
    let whole = written(&columns, &stream).1;
    let mut other = 0;
    for at in 0..stream.len() {
        let mut garbled = stream.clone();
        garbled[at] ^= 0x41;
        let options = Options { threads: 1, ..Options::default() };
        let Ok((file, written)) = write(&columns, &garbled, usize::MAX, options) else { continue };
        // Another value of the type is nothing that a stream could tell; but then it is evident.
        if written.evidence == whole.evidence {
            assert!(read(&file).unwrap() == stream, "byte {at} makes no difference, and another stream");
        } else {
            other += 1;
        }
    }
    assert!(other > 0);
    let trailing = [stream.as_slice(), b"x"].concat();
    assert!(matches!(write(&columns, &trailing, 64, Options::default()), Err(ArchiveError::Stream { .. })));
}

#[test]
fn a_splitter_needs_no_more_than_it_is_given() {
    let columns = every_column();
    let stream = stream(&columns, 20, &mut Random(3));
    let whole = |piece: usize| {
        let mut splitter = Splitter::new(columns.len());
        let mut batch = Batch::new(columns.len());
        for piece in stream.chunks(piece) {
            splitter.feed(piece, &mut batch, |_| Ok(())).unwrap();
        }
        splitter.finish().unwrap();
        batch
    };
    let wanted = whole(usize::MAX);
    assert_eq!(wanted.rows, 20);
    for piece in 1..60 {
        assert_eq!(whole(piece), wanted, "in pieces of {piece}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_an_error() {
    let columns = every_column();
    let (file, _) = written(&columns, &stream(&columns, 2, &mut Random(11)));
    for length in 0..file.len() {
        let cut = read(&file[..length]);
        assert!(cut.is_err(), "cut off at {length} of {}", file.len());
    }
}

#[test]
fn no_changed_byte_goes_unnoticed() {
    let columns = [
        column("a", Stored::Native(Native::Int8)),
        column("b", Stored::Native(Native::Text)),
        column("c", Stored::List { element: Native::Float8, oid: 701 }),
    ];
    let stream = stream(&columns, 12, &mut Random(13));
    let (file, written) = written(&columns, &stream);
    let manifest = manifest(&columns, &written);
    verify::verify(Bytes::copy_from_slice(&file), &manifest, 1).unwrap();
    let mut unnoticed = 0;
    for at in 0..file.len() {
        let flip = [0x01, 0x80, 0xff][at % 3];
        let mut damaged = file.clone();
        damaged[at] ^= flip;
        let damaged = Bytes::from(damaged);
        assert!(verify::verify(damaged.clone(), &manifest, 1).is_err(), "byte {at}");
        // Without its manifest, a file is either found to be wrong or gives what it always gave.
        let Ok(archive) = Archive::open(damaged) else { continue };
        let Ok((back, found)) = archive.copy_to(Vec::new()) else { continue };
        if found.evidence == archive.claims() && archive.columns() == columns {
            assert!(back == stream, "byte {at} changes what is read, and nothing tells");
            unnoticed += 1;
        }
    }
    assert!(unnoticed < file.len(), "{unnoticed} changes did no harm: they are in what readers do not look at");
}

#[test]
fn values_that_parquet_cannot_hold_ask_for_text() {
    let day = |micros: i64| micros.to_be_bytes().to_vec();
    let array = |words: &[i32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_be_bytes()).collect() };
    let numeric = |words: &[u16]| -> Vec<u8> { words.iter().flat_map(|word| word.to_be_bytes()).collect() };
    let decimal = Native::Decimal { precision: 9, scale: 2 };
    let list = Stored::List { element: Native::Int4, oid: 23 };
    let cases: Vec<(Stored, Vec<u8>)> = vec![
        (Stored::Native(Native::Timestamptz), day(i64::MAX)),
        (Stored::Native(Native::Timestamp), day(i64::MIN)),
        (Stored::Native(Native::Timestamp), day(9_223_371_331_199_999_999)),
        (Stored::Native(Native::Date), i32::MAX.to_be_bytes().to_vec()),
        (Stored::Native(Native::Date), i32::MIN.to_be_bytes().to_vec()),
        (Stored::Native(Native::Time), day(86_400_000_000)),
        (Stored::Native(decimal), numeric(&[0, 0, 0xc000, 0])),
        (Stored::Native(decimal), numeric(&[0, 0, 0xd000, 0])),
        (Stored::Native(decimal), numeric(&[1, 0, 0, 1, 5])),
        // A leading zero digit, which the server would not write.
        (Stored::Native(decimal), numeric(&[2, 1, 0, 2, 0, 5])),
        (
            Stored::Native(Native::Interval),
            [[0x7f, 0xff, 0xff, 0xff].as_slice(), &[0xff; 4], &[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]]
                .concat(),
        ),
        (list, array(&[1, 0, 23, 1, 0, 4, 9])),
        (list, array(&[2, 0, 23, 1, 1, 1, 1, 4, 9])),
    ];
    for (stored, field) in cases {
        let columns = [column("odd", stored)];
        let mut batch = Batch::new(1);
        put_bytes(&mut batch.columns[0], &field).unwrap();
        batch.rows = 1;
        let tried = write(&columns, &joined(&batch), 64, Options::default());
        assert!(
            matches!(&tried, Err(ArchiveError::Fallback { column, .. }) if column == "odd"),
            "{stored:?} {field:?}: {tried:?}"
        );
    }
}

#[test]
fn text_must_be_utf8_value_by_value() {
    for (values, dictionary) in [(2, false), (400, true)] {
        let columns = [column("t", Stored::Native(Native::Text))];
        let mut batch = Batch::new(1);
        for index in 0..values {
            // The halves of one character, which only together would be text.
            let half = if index % 2 == 0 { &[0xc3] } else { &[0xa9] };
            put_bytes(&mut batch.columns[0], half).unwrap();
            batch.rows += 1;
        }
        let tried = write(&columns, &joined(&batch), 64, Options::default());
        assert_eq!(tried, Err(ArchiveError::NotUtf8 { column: "t".to_owned() }), "{dictionary}");
    }
}

#[test]
fn the_mark_of_an_array_that_once_held_null_makes_no_difference() {
    let columns = [column("a", Stored::List { element: Native::Int4, oid: 23 })];
    let stream = |mark: i32| {
        let words: Vec<u8> = [1, mark, 23, 1, 1, 4, 9].iter().flat_map(|word: &i32| word.to_be_bytes()).collect();
        let mut batch = Batch::new(1);
        put_bytes(&mut batch.columns[0], &words).unwrap();
        batch.rows = 1;
        joined(&batch)
    };
    let (file, marked) = written(&columns, &stream(1));
    assert_eq!(marked.evidence, written(&columns, &stream(0)).1.evidence);
    assert_eq!(read(&file).unwrap(), stream(0));
}

#[test]
fn a_manifest_is_believed_only_as_it_was_written() {
    let columns = every_column();
    let (_, written) = written(&columns, &stream(&columns, 2, &mut Random(17)));
    let manifest = manifest(&columns, &written);
    let bytes = manifest.to_bytes().unwrap();
    assert_eq!(Manifest::of_bytes(&bytes).unwrap(), manifest);
    // Each takes about a millisecond: in the short form not every byte has its turn.
    let each = if std::env::var_os("CHRONOFORM_TEST_LONG").is_some() { 1 } else { 11 };
    for at in (0..bytes.len()).step_by(each) {
        let mut edited = bytes.clone();
        edited[at] ^= 0x01;
        assert!(matches!(Manifest::of_bytes(&edited), Err(ArchiveError::Manifest { .. })), "byte {at}");
        assert!(Manifest::of_bytes(&bytes[..at]).is_err());
    }
    let mut standing_in = manifest.clone();
    standing_in.replaces = vec![crate::kinds::archive::CopyOf::whole("0-1")];
    assert_eq!(Manifest::of_bytes(&standing_in.to_bytes().unwrap()).unwrap(), standing_in);
    let older = Manifest { format_version: 1, ..manifest.clone() };
    assert_eq!(Manifest::of_bytes(&older.to_bytes().unwrap()).unwrap(), older);
    assert_eq!((older.names_all(), manifest.names_all()), (false, true));
    let newer = String::from_utf8(bytes).unwrap().replace("\"format_version\": 2", "\"format_version\": 99");
    let Err(ArchiveError::Manifest { why }) = Manifest::of_bytes(newer.as_bytes()) else { panic!() };
    assert!(why.contains("newer Chronoform"), "{why}");
}

#[test]
fn what_differs_is_named() {
    let columns = [column("a", Stored::Native(Native::Int4))];
    let file_of = |numbers: &[i32]| {
        let mut batch = Batch::new(1);
        for number in numbers {
            put(&mut batch.columns[0], number.to_be_bytes());
            batch.rows += 1;
        }
        written(&columns, &joined(&batch))
    };
    let (_, one) = file_of(&[1, 2, 3]);
    for other in [&[1, 2][..], &[1, 2, 4], &[2, 1, 3]] {
        let (file, found) = file_of(other);
        let mut manifest = manifest(&columns, &one);
        // As if the file had been put in place with a digest to match.
        manifest.file.bytes = found.bytes;
        manifest.file.sha256 = found.sha256;
        manifest.rows = found.rows;
        let differs = verify::verify(Bytes::from(file), &manifest, 1).unwrap_err();
        assert!(matches!(&differs, ArchiveError::Differs { column: Some(column), .. } if column == "a"), "{differs}");
    }
}

fn fact(type_oid: u32, typmod: i32, typtype: char, element_oid: u32) -> Facts {
    Facts {
        name: "c".to_owned(),
        declared: "the_type".to_owned(),
        base: "the_type".to_owned(),
        type_oid,
        typmod,
        typtype,
        element_oid,
        generated: false,
        has_text: true,
        own_cast: false,
        output: Some(Function { schema: "s".to_owned(), name: "out".to_owned() }),
        input: Some((Function { schema: "s".to_owned(), name: "in".to_owned() }, 1)),
    }
}

#[test]
fn types_are_stored_as_what_says_exactly_the_same() {
    let numeric = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7ff)) + 4;
    let stored = |fact: Facts| decide(&[fact], &BTreeSet::new()).map(|columns| columns[0].stored);
    let native = |native| Ok(Stored::Native(native));
    assert_eq!(stored(fact(1184, 3, 'b', 0)), native(Native::Timestamptz));
    assert_eq!(stored(fact(1700, numeric(38, 0), 'b', 0)), native(Native::Decimal { precision: 38, scale: 0 }));
    assert_eq!(stored(fact(1700, numeric(5, 5), 'b', 0)), native(Native::Decimal { precision: 5, scale: 5 }));
    for typmod in [-1, numeric(39, 2), numeric(3, -2), numeric(3, 5)] {
        assert_eq!(stored(fact(1700, typmod, 'b', 0)), Ok(Stored::AsText), "{typmod}");
    }
    assert_eq!(
        stored(fact(1231, numeric(9, 2), 'b', 1700)),
        Ok(Stored::List { element: Native::Decimal { precision: 9, scale: 2 }, oid: 1700 })
    );
    assert_eq!(stored(fact(1187, -1, 'b', 1186)), Ok(Stored::AsText), "interval[]");
    assert_eq!(stored(fact(20_000, -1, 'e', 0)), native(Native::Text));
    assert_eq!(stored(fact(20_001, -1, 'b', 20_000)), Ok(Stored::AsText), "an array of an enum");
    assert_eq!(stored(fact(20_002, -1, 'c', 0)), Ok(Stored::AsText));
    for refused in [
        fact(2249, -1, 'p', 0),
        fact(194, -1, 'b', 0),
        fact(1034, -1, 'b', 1033),
        Facts { has_text: false, ..fact(20_003, -1, 'b', 0) },
        Facts { own_cast: true, ..fact(20_002, -1, 'c', 0) },
    ] {
        let oid = refused.type_oid;
        assert!(
            matches!(stored(refused), Err(all) if matches!(&all[..], [ArchiveError::Refused { column, .. }] if column == "c")),
            "{oid}"
        );
    }
    let own = Facts { own_cast: true, ..fact(20_004, -1, 'b', 0) };
    assert!(matches!(&decide(&[own], &BTreeSet::new()).unwrap()[0].through, Some(Through::Functions { .. })));
    let forced = decide(&[fact(1184, -1, 'b', 0)], &BTreeSet::from(["c".to_owned()])).unwrap();
    assert_eq!((forced[0].stored, &forced[0].through), (Stored::AsText, &Some(Through::Cast)));
    assert_eq!(decide(&[], &BTreeSet::new()), Err(vec![ArchiveError::NoColumns]));
}

/// Threads that read one file do not read each other's bytes.
#[test]
fn a_file_is_read_by_several_threads_at_once() {
    let columns = every_column();
    let stream = stream(&columns, 600, &mut Random(17));
    let (bytes, written) = written(&columns, &stream);
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, &bytes).unwrap();
    let file = DataFile::new(file).unwrap();
    for _ in 0..30 {
        let found = Archive::open(file.clone()).unwrap().look(4).unwrap();
        assert_eq!(found.evidence, written.evidence);
    }
}
