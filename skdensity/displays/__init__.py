"""Pictures of densities; matplotlib is imported when one is drawn."""
