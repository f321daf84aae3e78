"""Every selector, ours and its rivals, on one bundle; `registry` lists them."""
