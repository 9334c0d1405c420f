"""How much mass kernels have on parts of a line, and in boxes."""
