"""What joins the rooms, and only sequences: demo, model, retrain, watch, suspects, next, report."""
