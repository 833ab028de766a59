"""`make scale`: measured costs of each step of a life against AWS's published limits, as the use grows."""
