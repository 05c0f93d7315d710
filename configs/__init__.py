"""What people tune, as YAML, and the frozen typed models that read it; imports nothing of ours."""
