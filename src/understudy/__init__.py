"""From many images and few labels to a small, fast model, with the evidence of what each step was worth."""
