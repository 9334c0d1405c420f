"""What a density is: arrays in, arrays out."""
