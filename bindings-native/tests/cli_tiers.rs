//! Copying sessions between stores, and collecting.
