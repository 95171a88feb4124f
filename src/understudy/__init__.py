"""From many images and few labels to a small model, with evidence of what each step is worth."""
