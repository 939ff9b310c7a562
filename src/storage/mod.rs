//! The log over a disk, and persist-before-send as a type.
