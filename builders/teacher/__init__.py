"""Steps that ask a language model, and the topic lists that they ask about."""
