"""Kills a durable server again and again under load, and checks what it had acknowledged."""
