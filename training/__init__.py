"""Encoder, fine-tuning, calibration, MLflow, and the bundle with the predictor that reads it."""
