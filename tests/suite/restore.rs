//! A file that is put back from a backup.
