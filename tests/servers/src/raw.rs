//! Commands to Redis over a connection of their own, quicker than a process each.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};

/// A connection to a Redis server, which sends what it is told and knows nothing of stores.
pub struct RawRedis(BufReader<TcpStream>);

/// What Redis answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// There is nothing.
    Nothing,
    /// A number.
    Number(i64),
    /// A text, also one that says that something was done.
    Text(String),
    /// Several answers.
    List(Vec<Self>),
}

impl Raw {
    /// The number that it is.
    ///
    /// # Panics
    ///
    /// Where it is none.
    #[must_use]
    pub fn number(&self) -> i64 {
        let Self::Number(number) = self else { panic!("no number: {self:?}") };
        *number
    }

    /// The texts of a list.
    ///
    /// # Panics
    ///
    /// Where it is none of texts.
    #[must_use]
    pub fn texts(self) -> Vec<String> {
        let Self::List(members) = self else { panic!("no list: {self:?}") };
        let text = |member| match member {
            Self::Text(text) => text,
            other => panic!("no text: {other:?}"),
        };
        members.into_iter().map(text).collect()
    }
}

impl RawRedis {
    pub(crate) fn connect(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("Redis is there");
        stream.set_nodelay(true).expect("a socket");
        Self(BufReader::new(stream))
    }

    /// Sends a command, and waits for its answer.
    ///
    /// # Panics
    ///
    /// Where the connection breaks, or Redis refuses.
    pub fn command(&mut self, words: &[&str]) -> Raw {
        let mut sent = format!("*{}\r\n", words.len());
        for word in words {
            sent += &format!("${}\r\n{word}\r\n", word.len());
        }
        self.0.get_mut().write_all(sent.as_bytes()).expect("Redis takes a command");
        self.answer()
    }

    fn answer(&mut self) -> Raw {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("Redis answers");
        let (kind, rest) = line.trim_end().split_at(1);
        let number = || rest.parse::<i64>().expect("a number");
        match kind {
            "+" => Raw::Text(rest.to_owned()),
            ":" => Raw::Number(number()),
            "$" | "*" if number() < 0 => Raw::Nothing,
            "$" => {
                let length = usize::try_from(number()).expect("a length");
                let mut bytes = vec![0; length + 2];
                self.0.read_exact(&mut bytes).expect("Redis answers");
                bytes.truncate(length);
                Raw::Text(String::from_utf8(bytes).expect("UTF-8"))
            }
            "*" => Raw::List((0..number()).map(|_| self.answer()).collect()),
            _ => panic!("Redis refused: {line}"),
        }
    }
}
