//! What is counted, and how much of it is allowed: the numbers of the throttles, and nothing that counts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::kit::time::{DAY, HOUR, MINUTE};

/// A kind of thing that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Passwords for one account, from devices it does not know.
    Account,
    /// Passwords for one account, from one device that it knows.
    Device,
    /// Second-factor codes for one account.
    Code,
    /// Reset mails to one address.
    Mail,
    /// Passwords from one network address. Codes are counted for their account alone: whoever may try one knows its password.
    Address,
    /// Links that nobody made, from one network address.
    Links,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Account,
        Self::Device,
        Self::Code,
        Self::Mail,
        Self::Address,
        Self::Links,
    ];

    /// Its name in a table.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Device => "device",
            Self::Code => "code",
            Self::Mail => "mail",
            Self::Address => "address",
            Self::Links => "links",
        }
    }

    /// Whether it counts a network address, which is flushed each second rather than with each failure.
    #[must_use]
    pub const fn is_address(self) -> bool {
        match self {
            Self::Address | Self::Links => true,
            Self::Account | Self::Device | Self::Code | Self::Mail => false,
        }
    }

    /// How much of it is allowed.
    pub(super) const fn rule(self) -> Rule {
        match self {
            Self::Account => Rule {
                limit: 10,
                window: 15 * MINUTE,
                then: Then::Delay,
                day_max: Some(100),
                given_back: true,
            },
            Self::Device => Rule {
                limit: 20,
                window: 15 * MINUTE,
                then: Then::Wait,
                day_max: None,
                given_back: true,
            },
            // A code has six digits and three of them are good at a time: a hundred guesses find one in 3,300 days.
            Self::Code => Rule {
                limit: 10,
                window: 15 * MINUTE,
                then: Then::Wait,
                day_max: Some(100),
                given_back: true,
            },
            Self::Mail => Rule {
                limit: 3,
                window: HOUR,
                then: Then::Wait,
                day_max: None,
                given_back: false,
            },
            Self::Address => Rule {
                limit: 30,
                window: MINUTE,
                then: Then::Wait,
                day_max: None,
                given_back: false,
            },
            // Whoever opens a good link is given the try back, so that only guesses count.
            Self::Links => Rule {
                limit: 60,
                window: MINUTE,
                then: Then::Wait,
                day_max: None,
                given_back: true,
            },
        }
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.slug() == text)
            .ok_or(())
    }
}

/// How much of a kind is allowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// So many tries in any window.
    pub(super) limit: usize,
    /// The window's length in seconds.
    pub(super) window: i64,
    /// What holds once they are used up.
    pub(super) then: Then,
    /// So many a day besides, right ones too. A day begins with its first try.
    pub(super) day_max: Option<u32>,
    /// Whether a try that succeeded is taken out of the window again.
    pub(super) given_back: bool,
}

/// What holds once the window's tries are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing until the oldest try leaves the window.
    Wait,
    /// One try after each delay, and each delay twice the one before.
    Delay,
}

/// The first delay and the longest.
pub(super) const DELAY_MIN: i64 = 30;
pub(super) const DELAY_MAX: i64 = 15 * MINUTE;
/// So many doublings reach the longest delay; more change nothing.
pub(super) const DOUBLINGS_MAX: u32 = 5;
/// After so long without a failure the delays begin again with the first. Longer than the longest delay, or a
/// guesser who merely keeps to the delays would be let off each time.
pub(super) const QUIET: i64 = HOUR;
/// The length of a day for the day's count.
pub(super) const DAY_LENGTH: i64 = DAY;

/// The wait between a failure and the next try, after so many tries over the limit.
pub(super) const fn delay(over: u32) -> i64 {
    if over >= DOUBLINGS_MAX {
        return DELAY_MAX;
    }
    DELAY_MIN << over
}

/// One thing that is counted.
///
/// Keys of accounts, mails and devices are 32 bytes that the caller makes, so that neither memory nor file holds
/// a list of what strangers typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An account, known or not, for devices it does not know.
    Account([u8; 32]),
    /// A device that the account knows.
    Device {
        /// The account.
        account: [u8; 32],
        /// The device.
        device: [u8; 32],
    },
    /// An account's second factor.
    Code([u8; 32]),
    /// An address that mail goes to.
    Mail([u8; 32]),
    /// A network address.
    Address(IpAddr),
    /// A network address that opens links.
    Links(IpAddr),
}

impl Subject {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Account(_) => Kind::Account,
            Self::Device { .. } => Kind::Device,
            Self::Code(_) => Kind::Code,
            Self::Mail(_) => Kind::Mail,
            Self::Address(_) => Kind::Address,
            Self::Links(_) => Kind::Links,
        }
    }

    /// The same, with its network address as it is counted.
    pub(super) fn grouped(self) -> Self {
        match self {
            Self::Address(address) => Self::Address(group(address)),
            Self::Links(address) => Self::Links(group(address)),
            Self::Account(_) | Self::Device { .. } | Self::Code(_) | Self::Mail(_) => self,
        }
    }

    /// Whether it belongs to the account with this key.
    pub(super) fn belongs_to(&self, key: &[u8; 32]) -> bool {
        match self {
            Self::Account(account)
            | Self::Device { account, .. }
            | Self::Code(account)
            | Self::Mail(account) => account == key,
            Self::Address(_) | Self::Links(_) => false,
        }
    }

    /// Its key as bytes, for a table.
    pub(super) fn key(&self) -> Vec<u8> {
        match self {
            Self::Account(key) | Self::Code(key) | Self::Mail(key) => key.to_vec(),
            Self::Device { account, device } => [account.as_slice(), device.as_slice()].concat(),
            Self::Address(address) | Self::Links(address) => match address {
                IpAddr::V4(address) => address.octets().to_vec(),
                IpAddr::V6(address) => address.octets().to_vec(),
            },
        }
    }

    /// The subject that has this key; none when the bytes are no such key.
    pub(super) fn of(kind: Kind, key: &[u8]) -> Option<Self> {
        Some(match kind {
            Kind::Account => Self::Account(key.try_into().ok()?),
            Kind::Code => Self::Code(key.try_into().ok()?),
            Kind::Mail => Self::Mail(key.try_into().ok()?),
            Kind::Device => {
                let (account, device) = key.split_at_checked(32)?;
                Self::Device {
                    account: account.try_into().ok()?,
                    device: device.try_into().ok()?,
                }
            }
            Kind::Address => Self::Address(address(key)?),
            Kind::Links => Self::Links(address(key)?),
        })
    }
}

/// Whoever has one IPv6 address has the 2^64 beside it; and one IPv4 address has one spelling.
fn group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

fn address(key: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(key) {
        return Some(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(key).ok()?;
    Some(Ipv6Addr::from(octets).into())
}
