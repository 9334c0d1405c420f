"""What is built on densities, beside what scikit-learn has for the same task."""
