"""Schedules: cron expressions, and the workflows that they start."""
