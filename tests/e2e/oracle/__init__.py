"""The oracle diff: the same scenarios on Longtide and on the reference, answer by answer."""
