"""What the controller does for a deploy as a whole, beside the single tasks."""
