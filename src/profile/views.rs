//! How people see their own account.
