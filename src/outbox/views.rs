//! How mail is drawn.
