"""Pure rules: facts in, plans and conditions out. No I/O, no clock, no logging."""
