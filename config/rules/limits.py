"""7xx: limits and timeouts that contradict each other."""
