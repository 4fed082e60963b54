//! Chunked transfer coding, as far as it must be read to know where an answer ends (RFC 9112, 7.1).
//! Only answers: a request with chunks is refused.

use super::answer::Broken;

/// How far the reading has come.
#[derive(Debug)]
pub(super) enum Chunks {
    /// In the digits of a chunk's size; whether there was one yet.
    Size { size: u64, has_digit: bool },
    /// After the digits, up to the end of the line.
    Extension { size: u64 },
    /// In a chunk.
    Data { left: u64 },
    /// After a chunk, before its CR and LF.
    After { has_cr: bool },
    /// In the lines after the last chunk; how many bytes this one has.
    Trailer { length: usize },
}

/// What a reading step found.
pub(super) enum Piece<'a> {
    Data(&'a [u8]),
    End,
}

/// Longer lines are no trailers of ours.
const LINE_BYTES_MAX: usize = 1024;

impl Default for Chunks {
    fn default() -> Self {
        Self::Size {
            size: 0,
            has_digit: false,
        }
    }
}

impl Chunks {
    /// The next piece in `bytes`, which is shortened by what was read; `None` when it is used up.
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<Piece<'a>>, Broken> {
        loop {
            if let Self::Data { left } = self {
                let here = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                let (data, rest) = bytes.split_at_checked(here).ok_or(Broken)?;
                *bytes = rest;
                *left = left.saturating_sub(u64::try_from(here).map_err(|_| Broken)?);
                if *left == 0 {
                    *self = Self::After { has_cr: false };
                }
                return Ok((!data.is_empty()).then_some(Piece::Data(data)));
            }
            let Some((&byte, rest)) = bytes.split_first() else {
                return Ok(None);
            };
            *bytes = rest;
            if self.take(byte)? {
                return Ok(Some(Piece::End));
            }
        }
    }

    /// One byte outside the data; whether it was the last of all.
    fn take(&mut self, byte: u8) -> Result<bool, Broken> {
        *self = match (&*self, byte) {
            (Self::Size { size, .. }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).ok_or(Broken)?;
                let size = size.checked_mul(16).ok_or(Broken)?;
                Self::Size {
                    size: size.checked_add(digit.into()).ok_or(Broken)?,
                    has_digit: true,
                }
            }
            (
                &Self::Size {
                    size,
                    has_digit: true,
                },
                b'\r' | b';',
            ) => Self::Extension { size },
            (Self::Extension { size: 0 }, b'\n') => Self::Trailer { length: 0 },
            (&Self::Extension { size }, b'\n') => Self::Data { left: size },
            (&Self::Extension { size }, _) => Self::Extension { size },
            (Self::After { has_cr: false }, b'\r') => Self::After { has_cr: true },
            (Self::After { has_cr: true }, b'\n') => Self::default(),
            (Self::Trailer { length: 0 }, b'\n') => return Ok(true),
            (Self::Trailer { .. }, b'\n') => Self::Trailer { length: 0 },
            (&Self::Trailer { length }, b'\r') => Self::Trailer { length },
            (&Self::Trailer { length }, _) if length < LINE_BYTES_MAX => Self::Trailer {
                length: length.saturating_add(1),
            },
            _ => return Err(Broken),
        };
        Ok(false)
    }
}
