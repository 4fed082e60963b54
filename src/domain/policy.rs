//! What an organisation asks of a role besides the password, and what follows for one account.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::role::Role;
use crate::kit::db::values::contradiction;
use crate::kit::time::{DAY, Timestamp};

/// How strongly a second factor is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not at all.
    Off,
    /// Pages say so, and it is theirs to decide.
    Recommended,
    /// Once the grace is over, nothing but setting it up is possible without it.
    Required,
}

impl Level {
    /// All of them, weakest first.
    pub const ALL: [Self; 3] = [Self::Off, Self::Recommended, Self::Required];

    /// The name in the file and in forms.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Recommended => "recommended",
            Self::Required => "required",
        }
    }

    /// The level of that name.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.slug() == slug)
    }
}

/// The most days of grace there can be.
pub const GRACE_MAX: u8 = 30;

/// What is asked of one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How strongly.
    pub level: Level,
    /// How many days an account may go on without, once it is required: 0 to [`GRACE_MAX`].
    pub grace_days: u8,
}

impl Default for Policy {
    /// Recommended from the first day by its grace, required from the eighth.
    fn default() -> Self {
        Self {
            level: Level::Required,
            grace_days: 7,
        }
    }
}

impl Policy {
    /// Whether it asks for more than that one, or for the same sooner. Grace then begins anew.
    #[must_use]
    pub fn is_stricter_than(self, other: Self) -> bool {
        match self.level.cmp(&other.level) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => {
                self.level == Level::Required && self.grace_days < other.grace_days
            }
        }
    }

    /// What it asks of an account without a second factor, whose grace began then.
    #[must_use]
    pub const fn asks(self, grace_began: Timestamp) -> Asked {
        match self.level {
            Level::Off => Asked::Nothing,
            Level::Recommended => Asked::Recommended,
            Level::Required => Asked::By(grace_began.plus(self.grace_days as i64 * DAY)),
        }
    }
}

/// The policy of each role, in the order of [`Role::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Policies([Policy; 4]);

impl Policies {
    /// One for each role.
    #[must_use]
    pub fn each(policy: impl FnMut(Role) -> Policy) -> Self {
        Self(Role::ALL.map(policy))
    }

    /// That of this role.
    #[must_use]
    pub const fn of(&self, role: Role) -> Policy {
        let [member, billing, admin, master] = self.0;
        match role {
            Role::Member => member,
            Role::Billing => billing,
            Role::Admin => admin,
            Role::Master => master,
        }
    }
}

/// What is asked of one account that has no second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Nothing.
    Nothing,
    /// To think of it.
    Recommended,
    /// To have one by then. Past that instant it reaches nothing else.
    By(Timestamp),
}

/// Where an account stands with its second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// It has one.
    On,
    /// It has none, and this is asked of it.
    Without(Asked),
}

impl Protection {
    /// Whether the grace is over: nothing but the set-up is reached.
    #[must_use]
    pub const fn is_overdue(self, now: Timestamp) -> bool {
        match self {
            Self::Without(Asked::By(end)) => end.0 <= now.0,
            Self::On | Self::Without(Asked::Nothing | Asked::Recommended) => false,
        }
    }
}

/// Whether browsers may be trusted to skip the code for 30 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Trust {
    /// The code is asked for at each sign-in.
    #[default]
    Off,
    /// Whoever signs in may tick it.
    Offered,
}

impl Trust {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Off, Self::Offered];

    /// The name in the file.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Offered => "offered",
        }
    }
}

macro_rules! slugs {
    ($($name:ident $what:literal;)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.slug()))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let slug = value.as_str()?;
                Self::ALL.into_iter().find(|one| one.slug() == slug).ok_or_else(|| contradiction($what))
            }
        }
    )*};
}

slugs! {
    Level "level";
    Trust "whether browsers may be trusted";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn required(grace_days: u8) -> Policy {
        Policy {
            level: Level::Required,
            grace_days,
        }
    }

    #[test]
    fn stricter_is_more_or_sooner() {
        let off = Policy {
            level: Level::Off,
            grace_days: 0,
        };
        let recommended = Policy {
            level: Level::Recommended,
            grace_days: 0,
        };
        let order = [off, recommended, required(30), required(7), required(0)];
        for (place, one) in order.iter().enumerate() {
            for (other_place, other) in order.iter().enumerate() {
                assert_eq!(
                    one.is_stricter_than(*other),
                    place > other_place,
                    "{one:?} {other:?}"
                );
            }
        }
        // The days of a policy that requires nothing mean nothing.
        let patient = Policy {
            grace_days: 30,
            ..recommended
        };
        assert!(!recommended.is_stricter_than(patient) && !patient.is_stricter_than(recommended));
    }

    #[test]
    fn grace_ends_to_the_second() {
        let began = Timestamp(1_000);
        let protection = Protection::Without(required(7).asks(began));
        assert!(!protection.is_overdue(Timestamp(1_000 + 7 * DAY - 1)));
        assert!(protection.is_overdue(Timestamp(1_000 + 7 * DAY)));
        assert!(Protection::Without(required(0).asks(began)).is_overdue(began));
        assert!(!Protection::On.is_overdue(Timestamp(i64::MAX)));
    }
}
