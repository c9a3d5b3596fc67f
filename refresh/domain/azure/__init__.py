"""Azure's resources as plain values, and what its refusals and capacity errors mean."""
