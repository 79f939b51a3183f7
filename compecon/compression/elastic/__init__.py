"""One model in every size: units in the order in which a budget buys them, so that a size is a part of each matrix."""
