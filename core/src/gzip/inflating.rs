//! Inflating ahead: the next piece of a file while the caller looks at the last one.

use alloc::vec::Vec;
use core::mem;

use super::reader::STEP_BYTES;
use super::{Bound, Reader};
use crate::Result;
use crate::task::Io;
use crate::work::Working;

/// Most output of one piece: enough to make giving it away cheap. An input that inflates to more
/// becomes several pieces, so memory stays bounded.
const PIECE_BYTES: usize = 4 * STEP_BYTES;

/// Takes what a file inflates to, in order.
type Found<'a> = &'a mut (dyn FnMut(&[u8]) -> Result<()> + Send);

/// A [`Reader`] that is one piece ahead. It gives the same bytes and errors in the same order, only
/// later: what is pushed now is given by one of the next calls.
#[derive(Debug)]
pub(crate) struct Inflating {
    /// The next piece; `None` while nothing is left to inflate.
    ahead: Option<Working<Piece>>,
    /// The reader, while no piece has it.
    idle: Option<Reader>,
    /// A buffer to be used again.
    spare: Vec<u8>,
}

impl Inflating {
    /// At the start of a file.
    pub(crate) fn new(bound: Bound) -> Self {
        Self { ahead: None, idle: Some(Reader::new(bound)), spare: Vec::new() }
    }

    /// Takes the next bytes of the file, and gives what those before them inflate to. An error that
    /// `found` answers ends the reading.
    pub(crate) async fn push(&mut self, io: &Io, chunk: Vec<u8>, found: Found<'_>) -> Result<()> {
        let mut chunk = Some(chunk);
        while chunk.is_some() {
            self.go_on(io, &mut chunk, found).await?;
        }
        Ok(())
    }

    /// Gives the rest. The file must end here.
    pub(crate) async fn finish(mut self, io: &Io, found: Found<'_>) -> Result<()> {
        self.drain(io, found).await?;
        self.idle.map_or(Ok(()), Reader::finish)
    }

    /// Gives what is left of the bytes so far: for a caller that has no more, though there should
    /// be, and must not hide an error in those.
    pub(crate) async fn drain(&mut self, io: &Io, found: Found<'_>) -> Result<()> {
        while self.ahead.is_some() {
            self.go_on(io, &mut None, found).await?;
        }
        Ok(())
    }

    /// Gives the piece that was ahead, while the one after it is inflated.
    async fn go_on(
        &mut self,
        io: &Io,
        chunk: &mut Option<Vec<u8>>,
        found: Found<'_>,
    ) -> Result<()> {
        let mut piece = match self.ahead.take() {
            Some(ahead) => ahead.await?,
            None => Piece::new(self.idle.take().unwrap_or_else(|| Reader::new(Bound::default()))),
        };
        let output = mem::replace(&mut piece.output, mem::take(&mut self.spare));
        let given = output.get(..mem::take(&mut piece.given)).unwrap_or_default();
        let (from, result) = (piece.from, mem::replace(&mut piece.result, Ok(())));
        if result.is_ok() {
            self.send(io, piece, chunk, given.is_empty());
        }
        if !given.is_empty() {
            found(given).map_err(|error| error.at(|place| _ = place.offset.get_or_insert(from)))?;
        }
        self.spare = output;
        result
    }

    /// Sends the reader on: over the rest of its input, or over the next chunk. Where nothing is to
    /// be done meanwhile, the piece is inflated here: a small file is no work for others.
    fn send(&mut self, io: &Io, mut piece: Piece, chunk: &mut Option<Vec<u8>>, is_alone: bool) {
        if !piece.reader.has_more(piece.rest()) {
            let Some(chunk) = chunk.take() else {
                self.idle = Some(piece.reader);
                return;
            };
            piece.reader.start();
            (piece.input, piece.taken) = (chunk, 0);
        }
        self.ahead = Some(match is_alone {
            true => Working::done(piece.inflate()),
            false => io.work(move || piece.inflate()),
        });
    }
}

/// What goes to a work and comes back.
#[derive(Debug)]
struct Piece {
    reader: Reader,
    input: Vec<u8>,
    /// How much of the input was taken.
    taken: usize,
    output: Vec<u8>,
    /// How much of the output is filled.
    given: usize,
    /// Where a fault in the output is said to be.
    from: u64,
    /// What followed the output.
    result: Result<()>,
}

impl Piece {
    fn new(reader: Reader) -> Self {
        let (input, output) = (Vec::new(), Vec::new());
        Self { reader, input, taken: 0, output, given: 0, from: 0, result: Ok(()) }
    }

    fn rest(&self) -> &[u8] {
        self.input.get(self.taken..).unwrap_or_default()
    }

    fn inflate(mut self) -> Self {
        while self.given + STEP_BYTES <= PIECE_BYTES
            && self.result.is_ok()
            && self.reader.has_more(self.rest())
        {
            self.step();
        }
        self
    }

    /// Of the same size as the reader's own steps: a bound is noticed after as many bytes.
    fn step(&mut self) {
        let end = self.given + STEP_BYTES;
        if self.output.len() < end {
            self.output.resize(end, 0);
        }
        let mut input = self.input.get(self.taken..).unwrap_or_default();
        let room = self.output.get_mut(self.given..end).unwrap_or_default();
        if self.given == 0 {
            self.from = self.reader.part_from();
        }
        match self.reader.step(&mut input, room) {
            Ok(given) => self.given += given,
            Err(error) => self.result = Err(error),
        }
        self.taken = self.input.len() - input.len();
    }
}
