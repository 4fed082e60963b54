//! Parts of pages: functions and small builders over plain values that give markup.
//! The classes they use are the contract with `assets/portal.css`, the `data-` attributes the one with
//! `assets/portal.js`, and with `assets/shell.js` for what only signed-in pages need. Every part works without the
//! scripts. `gallery` draws each in every state.
//! Nothing here knows of accounts, routes or sessions; addresses and texts are handed in.

pub mod badge;
pub mod button;
pub mod chart;
pub mod choice;
pub mod copy;
pub mod dialog;
pub mod field;
pub mod form;
pub mod frame;
pub mod gallery;
pub mod icon;
pub mod menu;
pub mod nav;
pub mod notice;
pub mod pages;
pub mod person;
pub mod shell;
pub mod stats;
pub mod table;
pub mod time;

/// How much a line wants attention; never told by colour alone, the words say it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It is as it should be.
    Plain,
    /// Something wants to be done.
    Warn,
    /// Something failed.
    Bad,
}

impl Tone {
    /// The class that colours it.
    const fn class(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Warn => Some("warn"),
            Self::Bad => Some("bad"),
        }
    }
}

/// A yes or a no, for parts that take one; a `bool` is as good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yes {
    /// It holds.
    Yes,
    /// It does not.
    No,
}

impl From<bool> for Yes {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}
