use std::fmt;
use std::str::FromStr;

use crate::error::{Class, Error};

/// A position in the history of a database: everything that was committed before it lies before it.
///
/// It is written and read as text, so that it can travel with a request from one service to
/// another: `7714005750678323385-1-0/1500F68`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    system: u64,
    timeline: u32,
    at: u64,
}

impl Position {
    /// The position after this many bytes of a timeline.
    pub fn new(system: u64, timeline: u32, at: u64) -> Self {
        Position {
            system,
            timeline,
            at,
        }
    }

    /// The identifier that all copies of one database share.
    pub fn system(self) -> u64 {
        self.system
    }

    /// The number of the history that the primary wrote, which grows with each promotion.
    pub fn timeline(self) -> u32 {
        self.timeline
    }

    /// The number of bytes that the primary had written.
    pub fn at(self) -> u64 {
        self.at
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (high, low) = (self.at >> 32, self.at & u64::from(u32::MAX));
        write!(f, "{}-{}-{high:X}/{low:X}", self.system, self.timeline)
    }
}

impl FromStr for Position {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        read(text).ok_or_else(|| {
            Error::new(
                Class::Data,
                "The text is not a valid position. A position is a system, a timeline and a place, \
                 such as 7714005750678323385-1-0/1500F68.",
            )
        })
    }
}

fn read(text: &str) -> Option<Position> {
    let (system, rest) = text.split_once('-')?;
    let (timeline, at) = rest.split_once('-')?;
    let (high, low) = at.split_once('/')?;
    let hexadecimal = |digits: &str| u32::from_str_radix(digits, 16).ok();
    let at = u64::from(hexadecimal(high)?) << 32 | u64::from(hexadecimal(low)?);
    Some(Position::new(
        system.parse().ok()?,
        timeline.parse().ok()?,
        at,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_gives_the_position_back() {
        for position in [
            Position::new(7_714_005_750_678_323_385, 1, 0x150_0F68),
            Position::new(u64::MAX, u32::MAX, u64::MAX),
            Position::new(0, 0, 0),
        ] {
            let text = position.to_string();
            assert_eq!(text.parse::<Position>().unwrap(), position, "{text}");
        }
        assert_eq!(Position::new(7, 2, 1 << 32).to_string(), "7-2-1/0");
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "1",
            "1-2",
            "1-2-3",
            "1-2-G/0",
            "x-1-0/0",
            "1-2-0/100000000",
        ] {
            let error = text.parse::<Position>().unwrap_err();
            assert_eq!(error.class(), Class::Data, "{text}");
        }
    }
}
