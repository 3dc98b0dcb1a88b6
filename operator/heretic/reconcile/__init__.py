"""The loop: observe, plan, apply, report."""
