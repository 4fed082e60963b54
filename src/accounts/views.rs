//! How accounts are drawn.
