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

#[cfg(test)]
mod tests {
    use super::OUT_MAX;
    use crate::SessionId;
    use crate::archive::{archive, archiving};
    use crate::log::{Draft, Stamp, Writer};
    use crate::task::{Step, Work};
    use alloc::string::String;
    use alloc::sync::Arc;
    use alloc::vec::Vec;
    use spin::Mutex;

    fn log() -> Vec<u8> {
        let mut writer = Writer::create(SessionId::new("blocks").unwrap(), false);
        let mut log = Vec::new();
        for number in 0..40 {
            let text: String = (0..12_000).map(|n| alloc::format!("{} ", n * number)).collect();
            let draft = Draft::user_input(&alloc::format!("\"{text}\""));
            let written = writer.write(&[draft], &Stamp::default()).unwrap();
            writer.advance(written.head);
            log.extend(written.bytes);
        }
        log
    }

    #[test]
    fn few_blocks_are_out_and_come_back_in_order() {
        let log = log();
        let given = Arc::new(Mutex::new(Vec::<Work>::new()));
        let taker = Arc::clone(&given);
        let mut task = archiving(log.clone()).sharing_work(move |work| taker.lock().push(work));
        let mut most = 0;
        let archived = loop {
            match task.next() {
                Step::Done(archived) => break archived.unwrap(),
                Step::Requests(_) => {
                    let last = {
                        let mut given = given.lock();
                        most = most.max(given.len());
                        given.pop()
                    };
                    last.unwrap().run();
                }
            }
        };
        assert_eq!(most, OUT_MAX);
        assert!(archived == archive(&log).unwrap());
    }
}
