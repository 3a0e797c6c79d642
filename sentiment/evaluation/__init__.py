"""How good a classifier is: metrics, calibration, slices."""
