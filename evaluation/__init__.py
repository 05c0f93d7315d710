"""Metrics with intervals, calibration, slices, behaviour, the gate and reports."""
