//! How the settings are drawn.
