//! `doorward setup-link`.

use super::failure::Failure;
use super::{beside, print};
use crate::config::flags::Basics;
use crate::kit::time::MINUTE;
use crate::migrations::IfEmpty;
use crate::scope::By;
use crate::serve;
use crate::setup;

/// Makes a new link, prints it, and leaves it in its file.
pub(super) fn run(basics: &Basics) -> Result<(), Failure> {
    let app = beside::open(basics, IfEmpty::SetUp)?;
    let link = serve::make_link(&app, &By::operator())?;
    print::remark(&format!(
        "Set up this portal within {} minutes:",
        setup::LINK_TTL / MINUTE
    ));
    print::line(link)
}
