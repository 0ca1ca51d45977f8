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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gzip::deflate::Deflater;
    use crate::gzip::{crc32, write_header};
    use crate::task::{Step, Task, Work};
    use crate::{Error, ErrorKind};
    use alloc::sync::Arc;
    use spin::Mutex;

    /// What was given, where `found` answered with an error, and how it ended.
    type Ending = (Vec<u8>, Result<()>);

    /// Answers with an error once it was given that many bytes.
    fn taker(out: &mut Vec<u8>, fault_at: usize) -> impl FnMut(&[u8]) -> Result<()> {
        move |bytes| {
            out.extend_from_slice(bytes);
            let fault = Error::new(ErrorKind::BadLine, "on purpose");
            if out.len() < fault_at { Ok(()) } else { Err(fault) }
        }
    }

    fn sequential(file: &[u8], chunk: usize, bound: Bound, fault_at: usize) -> Ending {
        let mut out = Vec::new();
        let mut reader = Reader::new(bound);
        let mut found = taker(&mut out, fault_at);
        let mut chunks = file.chunks(chunk);
        let ended = chunks.try_for_each(|chunk| reader.push(chunk, &mut found));
        drop(found);
        (out, ended.and_then(|()| reader.finish()))
    }

    fn ahead(file: Vec<u8>, chunk: usize, bound: Bound, fault_at: usize) -> Task<Ending> {
        Task::new(async move |io| {
            let mut out = Vec::new();
            let mut inflating = Inflating::new(bound);
            let mut found = taker(&mut out, fault_at);
            let mut ended = Ok(());
            for chunk in file.chunks(chunk) {
                ended = inflating.push(&io, chunk.to_vec(), &mut found).await;
                if ended.is_err() {
                    break;
                }
            }
            if ended.is_ok() {
                ended = inflating.finish(&io, &mut found).await;
            }
            drop(found);
            Ok((out, ended))
        })
    }

    /// Does the work between the calls; there must be one at a time.
    fn shared<T>(task: Task<T>) -> T {
        let given = Arc::new(Mutex::new(Vec::<Work>::new()));
        let taker = Arc::clone(&given);
        let mut task = task.sharing_work(move |work| taker.lock().push(work));
        loop {
            match task.next() {
                Step::Done(result) => return result.unwrap(),
                Step::Requests(_) => {
                    let work = given.lock().pop().unwrap();
                    assert!(given.lock().is_empty());
                    work.run();
                }
            }
        }
    }

    fn inline<T>(mut task: Task<T>) -> T {
        let Step::Done(result) = task.next() else { panic!() };
        result.unwrap()
    }

    /// One member of a block, with an index that is none.
    fn member(raw: &[u8]) -> Vec<u8> {
        let mut file = write_header(b"");
        Deflater::new().block(raw, &mut file);
        file.extend_from_slice(&[3, 0]);
        file.extend_from_slice(&crc32(0, raw).to_le_bytes());
        file.extend_from_slice(&(raw.len() as u32).to_le_bytes());
        file
    }

    /// Text of any length that deflates to about a quarter.
    fn text(bytes: usize) -> Vec<u8> {
        let words = (0_u32..).map(|n| alloc::format!("{:08x} ", n.wrapping_mul(0x9e37_79b9)));
        let mut text = Vec::with_capacity(bytes + 9);
        words.take(bytes / 9 + 1).for_each(|word| text.extend_from_slice(word.as_bytes()));
        text.truncate(bytes);
        text
    }

    #[test]
    fn bytes_and_errors_are_those_of_a_reader() {
        let whole = member(&text(3_000_000));
        let several = [member(&text(700_000)), member(b"little"), member(&text(9))].concat();
        let trailing = [several.clone(), b"more".to_vec()].concat();
        let mut damaged = whole.clone();
        let half = damaged.len() / 2;
        damaged[half] ^= 0x40;
        let mut checksum = whole.clone();
        let end = checksum.len() - 7;
        checksum[end] ^= 1;
        let cut = whole[..half].to_vec();
        let zeros = member(&alloc::vec![0; 5_000_000]);
        for (place, file) in
            [whole, several, trailing, damaged, checksum, cut, zeros, Vec::new()].iter().enumerate()
        {
            for chunk in [1000, 256 << 10, 8 << 20] {
                for (output_bytes, fault_at) in
                    [(u64::MAX, usize::MAX), (1_500_000, usize::MAX), (u64::MAX, 900_000)]
                {
                    let bound = Bound { output_bytes };
                    let (out, ended) = sequential(file, chunk, bound, fault_at);
                    let task = || ahead(file.clone(), chunk, bound, fault_at);
                    for (own, own_ended) in [inline(task()), shared(task())] {
                        assert_eq!(own_ended, ended, "file {place} in {chunk}");
                        // After a fault, a piece more or less was given.
                        let same = own.len().min(out.len());
                        assert!(own[..same] == out[..same], "file {place} in {chunk}");
                        assert!(fault_at < usize::MAX || own == out, "file {place} in {chunk}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_inflates_a_thousandfold_comes_in_bounded_pieces() {
        let zeros = alloc::vec![0; 1 << 20];
        // Each member alone is below the length from which the ratio counts.
        let file = member(&zeros);
        let most = shared(Task::new(async move |io| {
            let (mut most, mut sum) = (0, 0);
            let mut inflating = Inflating::new(Bound::default());
            let mut found = |bytes: &[u8]| {
                most = most.max(bytes.len());
                sum += bytes.len();
                Ok(())
            };
            inflating.push(&io, file, &mut found).await?;
            inflating.finish(&io, &mut found).await?;
            assert_eq!(sum, 1 << 20);
            Ok(most)
        }));
        assert!(most <= PIECE_BYTES);
    }
}
