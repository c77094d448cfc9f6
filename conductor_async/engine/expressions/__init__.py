"""`${…}` evaluated as on the server: what expressions see, and the inputs and outputs made of them."""
