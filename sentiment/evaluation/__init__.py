"""How good a classifier is: metrics, calibration, behaviour, comparison."""
