"""How a model must behave whatever its score: cases as data, and the failure rate of each suite."""
