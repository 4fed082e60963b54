//! How the ownership is drawn, in the settings.
