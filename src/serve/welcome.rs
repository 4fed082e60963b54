//! What the server says when it has started.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;

use super::listening;
use crate::app::App;
use crate::config::Config;
use crate::error::Result;
use crate::setup;

/// What the process says when it has started.
pub(super) struct Welcome<'w> {
    pub(super) address: SocketAddr,
    pub(super) is_new: bool,
    pub(super) link: Option<&'w str>,
    pub(super) config: &'w Config,
}

impl Welcome<'_> {
    /// Says it: to a person at a terminal in a box, to whoever reads a log in a line.
    pub(super) fn say(&self, app: &App) -> Result<()> {
        let mut out = io::stdout();
        let url = listening(self.config, self.address);
        if out.is_terminal() {
            write!(out, "{}", self.boxed(app, &url))?;
            return Ok(out.flush()?);
        }
        writeln!(out, "Listening   {url}")?;
        out.flush()?;
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            address = %self.address,
            public_url = app.settings.public_url,
            data = %self.config.values.data.display(),
            mail = app.settings.relay.as_deref().unwrap_or("off"),
            "listening"
        );
        if self.link.is_some() {
            tracing::info!(hint = "run: doorward setup-link", "portal is not set up");
        }
        Ok(())
    }

    fn boxed(&self, app: &App, url: &str) -> String {
        let settings = &app.settings;
        let mut text = format!(
            "\n  {} {}\n  Listening   {url}\n",
            settings.brand,
            env!("CARGO_PKG_VERSION")
        );
        if self.config.values.public_url.is_some() {
            text += &format!("  Public      {}\n", settings.public_url);
        }
        let new = if self.is_new { "  (new)" } else { "" };
        text += &format!("  Data        {}{new}\n", self.config.values.data.display());
        let mail = settings.relay.as_deref();
        text += &format!(
            "  Mail        {}\n\n",
            mail.unwrap_or("off, messages wait in Mail")
        );
        if let Some(link) = self.link {
            text += &format!(
                "  Set up this portal within {} minutes:\n  {link}\n\n  Lost the link? Run: doorward setup-link\n\n",
                setup::LINK_TTL / crate::kit::time::MINUTE
            );
        }
        text
    }
}
