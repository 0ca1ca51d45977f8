//! Erlang's external term format, read in place: terms are stepped through, no tree is built.
//!
//! Of our own because the crate `eetf` calls itself for every level without end and allocates by the
//! counts that a file claims.

mod json;

pub(super) use json::{check_room, json_of, push_bounded, push_json, push_member};

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::gzip::deflate::Inflater;
use crate::{Error, ErrorKind, Result};

/// What every term that stands for itself starts with.
pub(super) const VERSION: u8 = 131;
const COMPRESSED: u8 = 80;
/// Version, tag, and the length that a compressed term claims.
const COMPRESSED_START: usize = 6;
/// Bytes inflated in one step.
const STEP_BYTES: usize = 64 << 10;

/// A term, or the start of one: what a container holds is read from the reader next.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term<'a> {
    /// An integer: whether it is negative, and its amount's bytes, the lowest first.
    Integer(bool, Cow<'a, [u8]>),
    Float(f64),
    Atom(Cow<'a, str>),
    Binary(&'a [u8]),
    /// Bits: how many of the last byte are not used.
    Bits(&'a [u8], u8),
    /// A list of small integers.
    Bytes(&'a [u8]),
    /// So many elements, then the tail.
    List(u32),
    Nil,
    Tuple(u32),
    /// So many keys, each with its value after it.
    Map(u32),
    /// What means something in its runtime only: what it is, and its bytes.
    Opaque(&'static str, &'a [u8]),
}

/// Reads terms, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The bytes of a term without its version byte and compression, every length in them checked.
/// Offsets in errors count from the start of what this gives, or of `bytes` where it gives those.
/// It inflates to no more than there is `room` for, which becomes less.
pub(super) fn checked<'a>(bytes: &'a [u8], room: &mut u64) -> Result<Cow<'a, [u8]>> {
    let (start, term) = match bytes {
        [VERSION, COMPRESSED, ..] => (0, Cow::Owned(inflated(bytes, *room)?)),
        [VERSION, ..] => (1, Cow::Borrowed(bytes)),
        _ => {
            return Err(fault(
                ErrorKind::BadEntry,
                "it is no Erlang term: those start with 131",
                0,
            ));
        }
    };
    let mut reader = Reader { bytes: &term, at: start };
    reader.skip()?;
    if reader.at < term.len() {
        return Err(fault(ErrorKind::TrailingData, "bytes follow the term", reader.at));
    }
    if let Cow::Owned(term) = &term {
        *room = room.saturating_sub(term.len() as u64);
    }
    Ok(term)
}

impl<'a> Reader<'a> {
    /// A reader at the start of what [`checked`] gave.
    pub(super) fn new(term: &'a [u8]) -> Self {
        // No tag is the version byte.
        Self { bytes: term, at: usize::from(term.first() == Some(&VERSION)) }
    }

    /// Where the next term starts.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Passes over a term with all that it holds. Needs neither memory nor stack, however deep.
    pub(super) fn skip(&mut self) -> Result<()> {
        let mut left = 1_u64;
        while left > 0 {
            let at = self.at;
            let inner = match self.term()? {
                Term::List(count) => u64::from(count) + 1,
                Term::Tuple(count) => u64::from(count),
                Term::Map(count) => 2 * u64::from(count),
                _ => 0,
            };
            left += inner;
            left -= 1;
            // Each takes a byte at least.
            if left > (self.bytes.len() - self.at) as u64 {
                return Err(fault(ErrorKind::BadEntry, "the term holds more than there is", at));
            }
        }
        Ok(())
    }

    /// A term, or the start of one that holds others.
    pub(super) fn term(&mut self) -> Result<Term<'a>> {
        let at = self.at;
        let [tag] = self.array()?;
        Ok(match tag {
            70 => Term::Float(f64::from_be_bytes(self.array()?)),
            77 => self.bits(at)?,
            88 | 103 => self.opaque("pid", at, if tag == 88 { 12 } else { 9 })?,
            89 | 102 => self.opaque("port", at, if tag == 89 { 8 } else { 5 })?,
            120 => self.opaque("port", at, 12)?,
            101 => self.opaque("reference", at, 5)?,
            90 | 114 => {
                let ids = usize::from(u16::from_be_bytes(self.array()?));
                self.opaque("reference", at, 4 * ids + if tag == 90 { 4 } else { 1 })?
            }
            97 => Term::Integer(false, Cow::Borrowed(self.take(1)?)),
            98 => {
                let number = i32::from_be_bytes(self.array()?);
                Term::Integer(number < 0, Cow::Owned(number.unsigned_abs().to_le_bytes().into()))
            }
            99 => self.float_text(at)?,
            100 | 118 => {
                let length = u16::from_be_bytes(self.array()?);
                self.atom(tag == 118, usize::from(length), at)?
            }
            115 | 119 => {
                let [length] = self.array()?;
                self.atom(tag == 119, usize::from(length), at)?
            }
            104 => Term::Tuple(self.array().map(|[count]| u32::from(count))?),
            105 => Term::Tuple(self.count()?),
            106 => Term::Nil,
            107 => {
                let length = u16::from_be_bytes(self.array()?);
                Term::Bytes(self.take(usize::from(length))?)
            }
            108 => Term::List(self.count()?),
            109 => {
                let length = self.count()?;
                Term::Binary(self.take(length as usize)?)
            }
            110 => {
                let [length] = self.array()?;
                self.big(usize::from(length), at)?
            }
            111 => {
                let length = self.count()?;
                self.big(length as usize, at)?
            }
            112 => self.fun(at)?,
            113 => {
                for _ in 0..2 {
                    self.node()?;
                }
                self.opaque_to("fun", at, 2)?
            }
            116 => Term::Map(self.count()?),
            _ => {
                let message = format!("a term cannot start with the byte {tag} here");
                return Err(fault(ErrorKind::BadEntry, &message, at));
            }
        })
    }

    /// The bytes of the next term, which is passed over.
    pub(super) fn span(&mut self) -> Result<&'a [u8]> {
        let at = self.at;
        self.skip()?;
        Ok(self.bytes.get(at..self.at).unwrap_or_default())
    }

    fn bits(&mut self, at: usize) -> Result<Term<'a>> {
        let length = self.count()?;
        let [used] = self.array()?;
        if !(1..=8).contains(&used) {
            return Err(fault(ErrorKind::BadEntry, "a byte has from 1 to 8 bits", at));
        }
        Ok(Term::Bits(self.take(length as usize)?, 8 - used))
    }

    /// A number as text, as very old writers have it.
    fn float_text(&mut self, at: usize) -> Result<Term<'a>> {
        let text = self.take(31)?;
        let text = core::str::from_utf8(text).ok().map(|text| text.trim_end_matches('\0').trim());
        let number = text.and_then(|text| text.parse().ok());
        let bad = || fault(ErrorKind::BadEntry, "the number cannot be read", at);
        number.map(Term::Float).ok_or_else(bad)
    }

    fn atom(&mut self, is_utf8: bool, length: usize, at: usize) -> Result<Term<'a>> {
        let bytes = self.take(length)?;
        if let Ok(name) = core::str::from_utf8(bytes)
            && (is_utf8 || name.is_ascii())
        {
            return Ok(Term::Atom(Cow::Borrowed(name)));
        }
        if is_utf8 {
            return Err(fault(ErrorKind::InvalidUtf8, "the atom is not UTF-8", at));
        }
        // Latin-1, whose bytes are characters.
        Ok(Term::Atom(bytes.iter().copied().map(char::from).collect::<String>().into()))
    }

    fn big(&mut self, length: usize, at: usize) -> Result<Term<'a>> {
        let [sign] = self.array()?;
        if sign > 1 {
            return Err(fault(ErrorKind::BadEntry, "the integer has no sign", at));
        }
        Ok(Term::Integer(sign == 1, Cow::Borrowed(self.take(length)?)))
    }

    /// A function with its code: its length says where it ends.
    fn fun(&mut self, at: usize) -> Result<Term<'a>> {
        /// Length, arity, hash, index, number of variables.
        const FUN_BYTES: u32 = 29;
        let length = self.count()?;
        let Some(rest) = length.checked_sub(4).filter(|_| length >= FUN_BYTES) else {
            return Err(fault(ErrorKind::BadEntry, "the function is too short", at));
        };
        self.opaque_to("fun", at, rest as usize)
    }

    /// What a process, port or reference is: its node, and numbers.
    fn opaque(&mut self, sort: &'static str, at: usize, numbers: usize) -> Result<Term<'a>> {
        self.node()?;
        self.opaque_to(sort, at, numbers)
    }

    fn opaque_to(&mut self, sort: &'static str, at: usize, rest: usize) -> Result<Term<'a>> {
        self.take(rest)?;
        Ok(Term::Opaque(sort, self.bytes.get(at..self.at).unwrap_or_default()))
    }

    /// An atom that is part of another term.
    fn node(&mut self) -> Result<()> {
        let at = self.at;
        let is_atom = matches!(self.bytes.get(at), Some(100 | 115 | 118 | 119));
        if is_atom && matches!(self.term()?, Term::Atom(_)) {
            return Ok(());
        }
        Err(fault(ErrorKind::BadEntry, "an atom is missing", at))
    }

    fn count(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let at = self.at;
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| ends_early(at))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..length).ok_or_else(|| ends_early(self.at))?;
        self.at += length;
        Ok(taken)
    }
}

/// What a compressed term holds.
fn inflated(bytes: &[u8], room: u64) -> Result<Vec<u8>> {
    let bad = |message: &str| fault(ErrorKind::GzipCorrupt, message, COMPRESSED_START);
    let claimed = bytes.get(2..COMPRESSED_START).and_then(|length| length.try_into().ok());
    let claimed = claimed.map(u32::from_be_bytes).ok_or_else(|| ends_early(bytes.len()))?;
    let zlib = bytes.get(COMPRESSED_START..).unwrap_or_default();
    if u64::from(claimed) > room {
        let message = "the term inflates to more than its bound";
        return Err(fault(ErrorKind::OutputLimit, message, 2));
    }
    // A zlib stream: two bytes of header, and a checksum after the end.
    let [method, flags, deflated @ ..] = zlib else { return Err(ends_early(bytes.len())) };
    let header = u16::from_be_bytes([*method, *flags]);
    if method & 15 != 8 || header % 31 != 0 || flags & 32 != 0 {
        return Err(bad("the compressed term has no zlib header"));
    }
    let mut deflated = deflated;
    let (mut out, mut inflater) = (Vec::new(), Inflater::new());
    let mut buffer = alloc::vec![0; STEP_BYTES];
    loop {
        let damaged = || bad("the compressed term is damaged");
        let step = inflater.step(deflated, &mut buffer).ok_or_else(damaged)?;
        out.extend_from_slice(buffer.get(..step.given).unwrap_or_default());
        deflated = deflated.get(step.taken..).unwrap_or_default();
        if out.len() > claimed as usize {
            return Err(bad("the compressed term is longer than it says"));
        }
        if step.ended {
            break;
        }
        if step.taken == 0 && step.given == 0 {
            return Err(ends_early(bytes.len()));
        }
    }
    if out.len() != claimed as usize {
        return Err(bad("the compressed term is shorter than it says"));
    }
    match deflated {
        checksum if *checksum == adler32(&out).to_be_bytes() => Ok(out),
        [_, _, _, _, _, ..] => {
            let at = bytes.len() - deflated.len() + 4;
            Err(fault(ErrorKind::TrailingData, "bytes follow the term", at))
        }
        [_, _, _, _] => Err(bad("the compressed term does not match its checksum")),
        _ => Err(ends_early(bytes.len())),
    }
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    // So many sums stay below 2^32.
    for chunk in bytes.chunks(5552) {
        for byte in chunk {
            low += u32::from(*byte);
            high += low;
        }
        (low, high) = (low % 65_521, high % 65_521);
    }
    high << 16 | low
}

fn ends_early(at: usize) -> Error {
    fault(ErrorKind::BadEntry, "the term ends early", at)
}

pub(super) fn fault(kind: ErrorKind, message: &str, at: usize) -> Error {
    Error::new(kind, message).at(|place| place.offset = Some(at as u64))
}

#[cfg(test)]
pub(super) mod tests;
