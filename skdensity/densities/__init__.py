"""The five estimators: they validate, call what is below, and store."""
