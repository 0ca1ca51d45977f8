//! gzip members of any sort (RFC 1952) and deflate streams of two sorts (RFC 1951).

use turnkeep_core::gzip::deflate::Deflater;

/// What the CRC becomes by each byte.
const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// The CRC of RFC 1952.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(!0, |crc: u32, byte| (crc >> 8) ^ CRC_TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)])
}

/// CRC-32 and length of a content.
#[must_use]
pub fn trailer(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() as u64 & 0xffff_ffff).unwrap_or_default();
    [crc32(content).to_le_bytes(), length.to_le_bytes()].concat()
}

/// Raw deflate of a content that ends byte-aligned and not finally, as a block of an archive does.
#[must_use]
pub fn deflated(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new().block(content, &mut out);
    out
}

/// The same in stored blocks: every byte of the content stands as it is.
#[must_use]
pub fn stored(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in content.chunks(0xffff).chain([&[][..]]) {
        let length = u16::try_from(chunk.len()).unwrap_or_default();
        out.push(0);
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(chunk);
    }
    out
}

/// A gzip member: header, deflate stream, trailer. Plain unless it is changed.
#[derive(Debug, Clone)]
pub struct Member {
    /// Flags beyond those that the parts below set.
    pub flags: u8,
    /// Modification time, extra flags, system.
    pub facts: [u8; 6],
    /// The extra field.
    pub extra: Option<Vec<u8>>,
    /// The file's name, without its NUL.
    pub name: Option<Vec<u8>>,
    /// The comment, without its NUL.
    pub comment: Option<Vec<u8>>,
    /// Whether there is a CRC of the header.
    pub has_header_crc: bool,
    /// The deflate stream, with its end.
    pub deflate: Vec<u8>,
    /// CRC-32 and length.
    pub trailer: Vec<u8>,
}

impl Member {
    /// A member of that content.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self::with(content, deflated(content))
    }

    /// A member of that content, which the deflate stream (without its end) should give.
    #[must_use]
    pub fn with(content: &[u8], deflate: Vec<u8>) -> Self {
        Self {
            flags: 0,
            facts: [0, 0, 0, 0, 0, 0xff],
            extra: None,
            name: None,
            comment: None,
            has_header_crc: false,
            deflate: [deflate, vec![3, 0]].concat(),
            trailer: trailer(content),
        }
    }

    /// Its header alone.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        let mut header = vec![0x1f, 0x8b, 8, self.flags];
        header.extend(self.facts);
        if let Some(extra) = &self.extra {
            header[3] |= 4;
            header.extend(u16::try_from(extra.len()).unwrap_or(u16::MAX).to_le_bytes());
            header.extend(extra);
        }
        for (flag, text) in [(8, &self.name), (16, &self.comment)] {
            if let Some(text) = text {
                header[3] |= flag;
                header.extend(text);
                header.push(0);
            }
        }
        if self.has_header_crc {
            header[3] |= 2;
            let crc = crc32(&header).to_le_bytes();
            header.extend(&crc[..2]);
        }
        header
    }

    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        [self.header(), self.deflate.clone(), self.trailer.clone()].concat()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_the_one_of_the_rfc() {
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
    }
}
