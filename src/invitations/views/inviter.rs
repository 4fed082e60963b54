//! What those who invite see.
