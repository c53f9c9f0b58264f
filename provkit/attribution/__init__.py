"""From a model's output to the training rows it repeats: spans, documents, rank, belief conflict."""
