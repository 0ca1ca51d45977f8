//! Blocks that are deflated while the next lines are verified.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::Writer;
use super::writer::{Block, Deflated};
use crate::Result;
use crate::gzip::deflate::Deflater;
use crate::task::Io;
use crate::work::Working;

/// Most blocks that are out at a time: each holds a block's lines and a deflater, half a megabyte.
const OUT_MAX: usize = 4;

/// Gives a writer's blocks away, and back to it in order.
#[derive(Debug, Default)]
pub(crate) struct Deflating {
    out: VecDeque<Working<(Deflated, Deflater)>>,
    /// Deflaters are large: each is used again.
    idle: Vec<Deflater>,
}

impl Deflating {
    /// Gives blocks away in the order in which the writer gave them. Waits where many are out.
    pub(crate) async fn give(
        &mut self,
        io: &Io,
        blocks: Vec<Block>,
        writer: &mut Writer,
    ) -> Result<()> {
        for block in blocks {
            if self.out.len() == OUT_MAX {
                self.take_first(writer).await?;
            }
            let mut deflater = self.idle.pop().unwrap_or_default();
            self.out.push_back(io.work(move || (block.deflate(&mut deflater), deflater)));
        }
        Ok(())
    }

    /// Waits for all that are out; the writer can then be finished.
    pub(crate) async fn finish(mut self, writer: &mut Writer) -> Result<()> {
        // The last one is deflated here, while the others are out.
        let mut deflater = self.idle.pop().unwrap_or_default();
        let last = writer.close().map(|block| block.deflate(&mut deflater));
        while !self.out.is_empty() {
            self.take_first(writer).await?;
        }
        last.into_iter().for_each(|last| writer.add(last));
        Ok(())
    }

    async fn take_first(&mut self, writer: &mut Writer) -> Result<()> {
        if let Some(first) = self.out.pop_front() {
            let (deflated, deflater) = first.await?;
            writer.add(deflated);
            self.idle.push(deflater);
        }
        Ok(())
    }
}
