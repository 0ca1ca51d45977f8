//! native host
