//! One replica as one value: an input gives a step.
