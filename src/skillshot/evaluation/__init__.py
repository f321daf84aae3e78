"""What a language model makes of the demonstrations: checkers, intervals, plots."""
