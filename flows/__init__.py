"""What joins the rooms: demo, model, retrain, watch, next, report."""
