//! turnkeep core
