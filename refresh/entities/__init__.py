"""Durable entities: state that outlives any orchestration."""
