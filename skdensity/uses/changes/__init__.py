"""What is known of transformers as changes of variables, a file for each kind."""
