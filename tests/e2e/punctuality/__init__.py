"""How late schedules act. Run it with `python -m punctuality [SCHEDULES] [SECONDS]`."""
